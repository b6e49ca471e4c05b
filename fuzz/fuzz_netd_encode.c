/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper's answers with anything in them that the keeper may be told by others: every one of them can be decoded, and says
 * the same. The input is taken as the fields, one after the other.
 */
#include "base/reader.h"
#include "fuzz.h"
#include "proto/netd.h"

/* Zeros at the end of the input. */
static uint64_t number(struct reader *r, size_t bytes)
{
	uint64_t value = 0;

	(void)reader_le(r, bytes, &value);
	return value;
}

/* Up to the next zero byte, and up to what fits. */
static void text(struct reader *r, size_t size, char *ret)
{
	struct span rest = reader_rest(r);
	size_t n = span_find(rest, '\0');
	struct span taken;

	if (n >= size)
		n = size - 1;
	if (n > 0 && reader_take(r, n, &taken))
		memcpy(ret, taken.ptr, taken.len);
	(void)number(r, 1);
}

static void tap(struct reader *r, char ret[NETD_IF_SIZE])
{
	(void)snprintf(ret, NETD_IF_SIZE, NETD_TAP_PREFIX "%08x", (unsigned)number(r, 4));
}

static struct mac mac(struct reader *r)
{
	struct mac mac = { { 2 } };

	for (size_t i = 1; i < sizeof(mac.octets); i++)
		mac.octets[i] = (uint8_t)number(r, 1);
	return mac;
}

static ipv4 alias(struct reader *r)
{
	return 0x7f000000u | (ipv4)number(r, 3);
}

static int64_t seconds(struct reader *r)
{
	return (int64_t)(number(r, 8) & INT64_MAX);
}

static void decode(const struct str *bytes, enum netd_type type, struct netd_message *ret)
{
	struct err err = { 0 };

	fuzz_check(bytes->len <= NETD_MESSAGE_MAX);
	fuzz_check(netd_get(str_span(bytes), ret, &err));
	fuzz_check(ret->type == type);
}

/* What may not be in a text has become `?`, of the same length; the rest has stayed. */
static void check_text(const char *was, const char *is)
{
	fuzz_check(strlen(was) == strlen(is));
	for (size_t i = 0; was[i]; i++)
		fuzz_check(is[i] == was[i] || is[i] == '?');
}

static void try_error(struct reader *r)
{
	CLEANUP(netd_message_done) struct netd_message got = { 0 };
	struct netd_failure m = { .code = (enum netd_error)(1 + number(r, 1) % NETD_E_KERNEL) };
	CLEANUP_STR struct str bytes = { 0 };

	text(r, sizeof(m.text), m.text);
	netd_put_error(&m, &bytes);
	decode(&bytes, NETD_R_ERROR, &got);
	fuzz_check(got.failure.code == m.code);
	check_text(m.text, got.failure.text);
}

static void try_attached(struct reader *r)
{
	CLEANUP(netd_message_done) struct netd_message got = { 0 };
	struct netd_attached m = { .mode = (enum netd_mode)(number(r, 1) % 4) };
	CLEANUP_STR struct str bytes = { 0 };

	tap(r, m.tap);
	m.address = (ipv4)number(r, 4);
	m.gateway = (ipv4)number(r, 4);
	m.prefix = (uint8_t)(number(r, 1) % 33);
	m.mtu = (uint16_t)number(r, 2);
	m.macvtap = number(r, 1) & 1;
	m.vhost = number(r, 1) & 1;
	text(r, sizeof(m.warning), m.warning);
	netd_put_attached(&m, &bytes);
	decode(&bytes, NETD_R_ATTACHED, &got);
	check_text(m.warning, got.attached.warning);
	memcpy(m.warning, got.attached.warning, sizeof(m.warning));
	fuzz_check(got.attached.mode == m.mode && strcmp(got.attached.tap, m.tap) == 0);
	fuzz_check(got.attached.address == m.address && got.attached.gateway == m.gateway);
	fuzz_check(got.attached.prefix == m.prefix && got.attached.mtu == m.mtu);
	fuzz_check(got.attached.macvtap == m.macvtap && got.attached.vhost == m.vhost);
}

static struct netd_nic nic(struct reader *r)
{
	struct netd_nic nic = { 0 };

	text(r, sizeof(nic.vm), nic.vm);
	if (!nic.vm[0])
		nic.vm[0] = 'x';
	tap(r, nic.tap);
	nic.uid = (uint32_t)number(r, 4);
	nic.mac = mac(r);
	nic.address = (ipv4)number(r, 4);
	nic.forward = alias(r);
	nic.mode = (enum netd_mode)(number(r, 1) % 4);
	nic.bound_at_s = seconds(r);
	nic.expires_s = seconds(r);
	nic.seen_arp_s = seconds(r);
	return nic;
}

static void check_nic(const struct netd_nic *was, const struct netd_nic *is)
{
	check_text(was->vm, is->vm);
	fuzz_check(strcmp(was->tap, is->tap) == 0 && was->uid == is->uid);
	fuzz_check(mac_equal(&was->mac, &is->mac) && was->address == is->address);
	fuzz_check(was->forward == is->forward && was->mode == is->mode);
	fuzz_check(was->bound_at_s == is->bound_at_s && was->expires_s == is->expires_s);
	fuzz_check(was->seen_arp_s == is->seen_arp_s);
}

static void try_list(struct reader *r)
{
	CLEANUP(netd_message_done) struct netd_message got = { 0 };
	struct netd_list m = { 0 };
	CLEANUP_STR struct str bytes = { 0 };

	while (!r->failed && m.nics.n < NETD_LIST_MAX)
		*vec_push(&m.nics) = nic(r);
	netd_put_list(&m, &bytes);
	decode(&bytes, NETD_R_LIST, &got);
	fuzz_check(got.list.nics.n == m.nics.n);
	for (size_t i = 0; i < m.nics.n; i++)
		check_nic(&m.nics.v[i], &got.list.nics.v[i]);
	vec_done(&m.nics);
}

static void try_status(struct reader *r)
{
	CLEANUP(netd_message_done) struct netd_message got = { 0 };
	struct netd_status m = { .pid = (uint32_t)number(r, 4) };
	CLEANUP_STR struct str bytes = { 0 };

	text(r, sizeof(m.version), m.version);
	m.subnet.prefix = (uint8_t)(number(r, 1) % 33);
	m.subnet.network = (ipv4)number(r, 4) & netmask_of(m.subnet.prefix);
	m.nics = (uint32_t)number(r, 4);
	m.lease_s = (uint32_t)number(r, 4);
	m.dns_running = number(r, 1) & 1;
	m.dns[2] = (ipv4)number(r, 4);
	text(r, sizeof(m.warnings), m.warnings);
	netd_put_status(&m, &bytes);
	decode(&bytes, NETD_R_STATUS, &got);
	check_text(m.version, got.status.version);
	check_text(m.warnings, got.status.warnings);
	fuzz_check(got.status.pid == m.pid && got.status.subnet.network == m.subnet.network);
	fuzz_check(got.status.subnet.prefix == m.subnet.prefix && got.status.nics == m.nics);
	fuzz_check(got.status.lease_s == m.lease_s && got.status.dns_running == m.dns_running);
	fuzz_check(got.status.dns[2] == m.dns[2] && !got.status.rootless);
}

static void try_stats(struct reader *r)
{
	CLEANUP(netd_message_done) struct netd_message got = { 0 };
	struct netd_stats m = { 0 };
	CLEANUP_STR struct str bytes = { 0 };

	tap(r, m.tap);
	for (size_t i = 0; i < NETD_COUNTERS; i++)
		m.counts[i] = (struct netd_count){ .packets = number(r, 8), .bytes = i };
	netd_put_stats(&m, &bytes);
	decode(&bytes, NETD_R_STATS, &got);
	fuzz_check(strcmp(got.stats.tap, m.tap) == 0);
	fuzz_check(memcmp(got.stats.counts, m.counts, sizeof(m.counts)) == 0);
}

/* Ports that differ and are not 0; how many of them, the input says. */
static void ports(struct reader *r, expose_list *ret)
{
	size_t n = number(r, 1);
	uint16_t first = (uint16_t)(1 + number(r, 2) % 60000);

	for (size_t i = 0; i < n && i < EXPOSE_MAX; i++) {
		struct expose *expose = vec_push(ret);

		expose->external = (uint16_t)(first + i);
		expose->internal = (uint16_t)(1 + number(r, 2) % 65535);
	}
}

static bool same_ports(const expose_list *a, const expose_list *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->v, b->v, a->n * sizeof(*a->v)) == 0);
}

static void try_forwards(struct reader *r)
{
	CLEANUP(netd_message_done) struct netd_message got = { 0 };
	CLEANUP(netd_message_done) struct netd_message was = { 0 };
	struct netd_forwards *m = &was.forwards;
	CLEANUP_STR struct str bytes = { 0 };

	while (!r->failed && m->vms.n < NETD_FORWARDS_MAX) {
		struct netd_forward *vm = vec_push(&m->vms);

		tap(r, vm->tap);
		vm->address = (ipv4)number(r, 4);
		vm->alias = alias(r);
		ports(r, &vm->ports);
	}
	netd_put_forwards(m, &bytes);
	decode(&bytes, NETD_R_FORWARDS, &got);
	fuzz_check(got.forwards.vms.n == m->vms.n);
	for (size_t i = 0; i < m->vms.n; i++) {
		const struct netd_forward *a = &m->vms.v[i];
		const struct netd_forward *b = &got.forwards.vms.v[i];

		fuzz_check(strcmp(a->tap, b->tap) == 0 && a->address == b->address);
		fuzz_check(a->alias == b->alias && same_ports(&a->ports, &b->ports));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(struct reader * r) = {
		try_error, try_attached, try_list, try_status, try_stats, try_forwards
	};
	struct reader r = reader_of(span_make((const char *)data, size));

	tries[number(&r, 1) % ARRAY_LEN(tries)](&r);
	return 0;
}
