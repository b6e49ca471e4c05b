/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper's messages from bytes to structs; the bytes may come from anybody who may open the socket.
 *
 * A struct in_packet remembers the first thing that was wrong; after it every read gives zero and every list ends, so that
 * the functions for the messages need no branches of their own. Only netd_get() looks at the outcome.
 */
#include "base/attrs.h"
#include "base/reader.h"
#include "net/ifname.h"
#include "proto/netd.h"
#include "proto/netd_text.h"

struct in_packet {
	struct reader r;
	const char *wrong; /* NULL = nothing yet */
};

static void must(struct in_packet *p, bool condition, const char *wrong)
{
	if (!condition && !p->wrong)
		p->wrong = wrong;
}

static uint64_t get_le(struct in_packet *p, size_t bytes)
{
	uint64_t value = 0;

	if (!p->wrong && !reader_le(&p->r, bytes, &value))
		p->wrong = "the packet ends too early";
	return value;
}

static uint8_t get_u8(struct in_packet *p)
{
	return (uint8_t)get_le(p, 1);
}

static uint16_t get_u16(struct in_packet *p)
{
	return (uint16_t)get_le(p, 2);
}

static uint32_t get_u32(struct in_packet *p)
{
	return (uint32_t)get_le(p, 4);
}

static uint64_t get_u64(struct in_packet *p)
{
	return get_le(p, 8);
}

static int64_t get_time(struct in_packet *p)
{
	uint64_t seconds = get_u64(p);

	must(p, seconds <= INT64_MAX, "a time is out of range");
	return p->wrong ? 0 : (int64_t)seconds;
}

static bool get_bool(struct in_packet *p)
{
	uint8_t value = get_u8(p);

	must(p, value <= 1, "a flag is neither 0 nor 1");
	return value == 1;
}

static struct mac get_any_mac(struct in_packet *p)
{
	struct mac mac = { { 0 } };

	for (size_t i = 0; i < sizeof(mac.octets); i++)
		mac.octets[i] = get_u8(p);
	return mac;
}

static bool is_zero(const struct mac *mac)
{
	const struct mac none = { { 0 } };

	return mac_equal(mac, &none);
}

static struct mac get_mac(struct in_packet *p)
{
	struct mac mac = get_any_mac(p);

	must(p, !is_zero(&mac) && !(mac.octets[0] & 1), "a MAC address is not one of a NIC");
	return mac;
}

static struct cidr get_cidr(struct in_packet *p)
{
	struct cidr cidr;

	cidr.network = get_u32(p);
	cidr.prefix = get_u8(p);
	must(p, cidr.prefix <= 32, "a prefix is above 32");
	must(p, p->wrong || (cidr.network & ~netmask_of(cidr.prefix)) == 0,
	     "a network has host bits");
	return cidr;
}

static bool is_text(struct span text, enum netd_text kind)
{
	while (text.len > 0) {
		size_t n = netd_text_next(text, kind);

		if (n == 0)
			return false;
		text = span_from(text, n);
	}
	return true;
}

static void get_text(struct in_packet *p, enum netd_text kind, size_t size, char *ret)
{
	uint16_t len = get_u16(p);
	struct span text;

	must(p, len < size, "a text is too long");
	if (p->wrong)
		return;
	if (!reader_take(&p->r, len, &text)) {
		p->wrong = "the packet ends in a text";
		return;
	}
	must(p, is_text(text, kind), "a text has bytes that may not be in it");
	memcpy(ret, text.ptr, text.len);
	ret[text.len] = '\0';
}

static void get_tap(struct in_packet *p, char ret[NETD_IF_SIZE])
{
	get_text(p, NETD_TEXT_LINE, NETD_IF_SIZE, ret);
	must(p, netd_is_tap_name(ret), "that is not the name of a tap");
}

static void get_vm(struct in_packet *p, char ret[NETD_VM_SIZE])
{
	get_text(p, NETD_TEXT_LINE, NETD_VM_SIZE, ret);
	must(p, ret[0] != '\0', "the VM has no name");
}

static enum netd_mode get_mode(struct in_packet *p)
{
	uint8_t mode = get_u8(p);

	must(p, mode <= NETD_BRIDGED, "there is no such mode");
	return (enum netd_mode)mode;
}

/* How many entries follow; 0 once something is wrong. What they need is allocated as they come. */
static size_t get_count(struct in_packet *p, size_t max)
{
	size_t n = get_u16(p);

	must(p, n <= max, "a list is too long");
	return p->wrong ? 0 : n;
}

static void get_policy_list(struct in_packet *p, policy_list *ret)
{
	for (size_t n = get_count(p, POLICY_LIST_MAX); n > 0 && !p->wrong; n--) {
		struct policy_entry *entry = vec_push(ret);

		entry->host = get_bool(p);
		entry->net = get_cidr(p);
		must(p, !entry->host || (entry->net.network == 0 && entry->net.prefix == 0),
		     "an @host has a network, too");
	}
}

static bool has_twice(const expose_list *list)
{
	uint64_t seen[65536 / 64] = { 0 };

	vec_each(list, expose) {
		uint64_t *word = &seen[expose->external / 64];
		uint64_t bit = 1ULL << (expose->external % 64);

		if (*word & bit)
			return true;
		*word |= bit;
	}
	return false;
}

static void get_expose_list(struct in_packet *p, expose_list *ret)
{
	for (size_t n = get_count(p, EXPOSE_MAX); n > 0 && !p->wrong; n--) {
		struct expose *expose = vec_push(ret);

		expose->external = get_u16(p);
		expose->internal = get_u16(p);
		must(p, expose->external > 0 && expose->internal > 0, "there is no port 0");
	}
	must(p, ret->n < 2 || !has_twice(ret), "a port is exposed twice");
}

static void get_attach(struct in_packet *p, struct netd_message *m)
{
	struct netd_attach *a = &m->attach;

	a->mode = get_mode(p);
	a->mac = get_mac(p);
	get_vm(p, a->vm);
	get_text(p, NETD_TEXT_LINE, sizeof(a->interface), a->interface);
	get_policy_list(p, &a->policy.allow);
	get_policy_list(p, &a->policy.block);
	get_expose_list(p, &a->expose);
	if (a->mode == NETD_BRIDGED)
		must(p, ifname_is_valid(span_of(a->interface)),
		     "that is not the name of an interface");
	else
		must(p, a->interface[0] == '\0', "only a bridged NIC has an interface");
	if (a->mode != NETD_SOFTNET)
		must(p, a->policy.allow.n + a->policy.block.n + a->expose.n == 0,
		     "only Softnet has lists");
}

static void get_tap_request(struct in_packet *p, struct netd_message *m)
{
	get_tap(p, m->tap);
}

static void get_list_request(struct in_packet *p, struct netd_message *m)
{
	struct netd_list_request *l = &m->list_request;

	get_text(p, NETD_TEXT_LINE, sizeof(l->after), l->after);
	must(p, l->after[0] == '\0' || netd_is_tap_name(l->after), "that is not the name of a tap");
	l->has_mac = get_bool(p);
	l->mac = l->has_mac ? get_mac(p) : get_any_mac(p);
	must(p, l->has_mac || is_zero(&l->mac), "a MAC address where none is asked for");
}

static void get_empty(struct in_packet *p, struct netd_message *m)
{
	(void)p;
	(void)m;
}

static void get_policy(struct in_packet *p, struct netd_message *m)
{
	struct netd_policy *policy = &m->policy;

	get_tap(p, policy->tap);
	policy->set_allow = get_bool(p);
	if (policy->set_allow)
		get_policy_list(p, &policy->policy.allow);
	policy->set_block = get_bool(p);
	if (policy->set_block)
		get_policy_list(p, &policy->policy.block);
	policy->set_expose = get_bool(p);
	if (policy->set_expose)
		get_expose_list(p, &policy->expose);
}

static void get_policy_answer(struct in_packet *p, struct netd_message *m)
{
	get_policy(p, m);
	must(p, m->policy.set_allow && m->policy.set_block && m->policy.set_expose,
	     "a list is missing");
}

static void get_connect(struct in_packet *p, struct netd_message *m)
{
	get_tap(p, m->connect.tap);
	m->connect.port = get_u16(p);
	must(p, m->connect.port > 0, "there is no port 0");
}

static bool is_loopback_or_none(ipv4 address)
{
	return address == 0 || address >> 24 == 127;
}

static void get_alias(struct in_packet *p, struct netd_message *m)
{
	get_tap(p, m->alias.tap);
	m->alias.alias = get_u32(p);
	must(p, is_loopback_or_none(m->alias.alias), "an alias is not in 127.0.0.0/8");
}

static void get_error(struct in_packet *p, struct netd_message *m)
{
	uint8_t code = get_u8(p);

	must(p, code >= NETD_E_INVALID && code <= NETD_E_KERNEL, "there is no such error");
	m->failure.code = (enum netd_error)code;
	get_text(p, NETD_TEXT_LINE, sizeof(m->failure.text), m->failure.text);
}

static void get_attached(struct in_packet *p, struct netd_message *m)
{
	struct netd_attached *a = &m->attached;

	a->mode = get_mode(p);
	get_tap(p, a->tap);
	a->address = get_u32(p);
	a->gateway = get_u32(p);
	a->prefix = get_u8(p);
	must(p, a->prefix <= 32, "a prefix is above 32");
	a->mtu = get_u16(p);
	a->macvtap = get_bool(p);
	a->vhost = get_bool(p);
	get_text(p, NETD_TEXT_LINES, sizeof(a->warning), a->warning);
}

static void get_nic(struct in_packet *p, struct netd_nic *nic)
{
	get_vm(p, nic->vm);
	get_tap(p, nic->tap);
	nic->uid = get_u32(p);
	nic->mac = get_mac(p);
	nic->address = get_u32(p);
	nic->forward = get_u32(p);
	must(p, is_loopback_or_none(nic->forward), "an alias is not in 127.0.0.0/8");
	nic->mode = get_mode(p);
	nic->bound_at_s = get_time(p);
	nic->expires_s = get_time(p);
	nic->seen_arp_s = get_time(p);
}

static void get_list(struct in_packet *p, struct netd_message *m)
{
	for (size_t n = get_count(p, NETD_LIST_MAX); n > 0 && !p->wrong; n--)
		get_nic(p, vec_push(&m->list.nics));
}

static void get_status(struct in_packet *p, struct netd_message *m)
{
	struct netd_status *s = &m->status;

	s->pid = get_u32(p);
	get_text(p, NETD_TEXT_LINE, sizeof(s->version), s->version);
	s->rootless = get_bool(p);
	s->subnet = get_cidr(p);
	s->gateway = get_u32(p);
	s->nics = get_u32(p);
	s->addresses = get_u32(p);
	s->lease_s = get_u32(p);
	s->mtu = get_u16(p);
	s->isolate_vms = get_bool(p);
	s->persistent_tables = get_bool(p);
	s->dns_running = get_bool(p);
	for (size_t i = 0; i < ARRAY_LEN(s->dns); i++)
		s->dns[i] = get_u32(p);
	get_text(p, NETD_TEXT_LINES, sizeof(s->warnings), s->warnings);
}

static void get_stats(struct in_packet *p, struct netd_message *m)
{
	get_tap(p, m->stats.tap);
	for (size_t i = 0; i < NETD_COUNTERS; i++) {
		m->stats.counts[i].packets = get_u64(p);
		m->stats.counts[i].bytes = get_u64(p);
	}
}

static void get_forwards(struct in_packet *p, struct netd_message *m)
{
	m->forwards.more = get_bool(p);
	for (size_t n = get_count(p, NETD_FORWARDS_MAX); n > 0 && !p->wrong; n--) {
		struct netd_forward *vm = vec_push(&m->forwards.vms);

		get_tap(p, vm->tap);
		vm->address = get_u32(p);
		vm->alias = get_u32(p);
		must(p, is_loopback_or_none(vm->alias), "an alias is not in 127.0.0.0/8");
		get_expose_list(p, &vm->ports);
	}
}

static const struct decoder {
	enum netd_type type;
	void (*get)(struct in_packet *p, struct netd_message *m);
} decoders[] = {
	{ NETD_ATTACH, get_attach },
	{ NETD_REATTACH, get_tap_request },
	{ NETD_LIST, get_list_request },
	{ NETD_STATUS, get_empty },
	{ NETD_POLICY, get_policy },
	{ NETD_STATS, get_tap_request },
	{ NETD_CONNECT, get_connect },
	{ NETD_FORWARD, get_empty },
	{ NETD_RELOAD, get_empty },
	{ NETD_ALIAS, get_alias },
	{ NETD_R_ERROR, get_error },
	{ NETD_R_ATTACHED, get_attached },
	{ NETD_R_LIST, get_list },
	{ NETD_R_STATUS, get_status },
	{ NETD_R_POLICY, get_policy_answer },
	{ NETD_R_STATS, get_stats },
	{ NETD_R_CONNECTED, get_empty },
	{ NETD_R_FORWARDS, get_forwards },
	{ NETD_R_DONE, get_empty },
};

static const struct decoder *find_decoder(uint16_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(decoders); i++) {
		if ((uint16_t)decoders[i].type == type)
			return &decoders[i];
	}
	return NULL;
}

static bool get_head(struct in_packet *p, uint16_t *ret_type, struct err *err)
{
	uint32_t magic = get_u32(p);
	uint16_t version = get_u16(p);

	*ret_type = get_u16(p);
	if (p->wrong || magic != NETD_MAGIC)
		return err_set(err, ERR_GENERAL, "not a message of the network keeper's protocol");
	if (version != NETD_VERSION)
		return err_set(
			err, ERR_GENERAL,
			"version %u of the network keeper's protocol, not %u: tart and tart-netd are of different releases",
			version, NETD_VERSION);
	return true;
}

bool netd_get(struct span packet, struct netd_message *ret, struct err *err)
{
	CLEANUP(netd_message_done) struct netd_message message = { 0 };
	struct in_packet p = { .r = reader_of(packet) };
	const struct decoder *decoder;
	uint16_t type;

	if (packet.len > NETD_MESSAGE_MAX)
		return err_set(err, ERR_GENERAL, "a message of more than %d bytes",
			       NETD_MESSAGE_MAX);
	if (!get_head(&p, &type, err))
		return false;
	decoder = find_decoder(type);
	if (!decoder)
		return err_set(err, ERR_GENERAL, "unknown message %u", type);
	decoder->get(&p, &message);
	must(&p, reader_rest(&p.r).len == 0, "there are bytes behind the message");
	if (p.wrong)
		return err_set(err, ERR_GENERAL, "%s: %s", netd_type_name(decoder->type), p.wrong);
	message.type = decoder->type;
	*ret = message;
	memset(&message, 0, sizeof(message));
	return true;
}
