/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's messages from structs to bytes; netd_decode.c has the fields in the same order. */
#include <assert.h>

#include "proto/netd.h"
#include "proto/netd_text.h"

static void put_le(uint64_t value, size_t bytes, struct str *out)
{
	for (size_t i = 0; i < bytes; i++)
		str_add_char(out, (char)(unsigned char)(value >> (8 * i)));
}

static void put_u8(uint8_t value, struct str *out)
{
	put_le(value, 1, out);
}

static void put_u16(uint16_t value, struct str *out)
{
	put_le(value, 2, out);
}

static void put_u32(uint32_t value, struct str *out)
{
	put_le(value, 4, out);
}

static void put_u64(uint64_t value, struct str *out)
{
	put_le(value, 8, out);
}

static void put_time(int64_t seconds, struct str *out)
{
	put_u64(seconds > 0 ? (uint64_t)seconds : 0, out);
}

static void put_bool(bool value, struct str *out)
{
	put_u8(value ? 1 : 0, out);
}

static void put_mac(const struct mac *mac, struct str *out)
{
	str_add_span(out, span_make((const char *)mac->octets, sizeof(mac->octets)));
}

static void put_count(size_t n, size_t max, struct str *out)
{
	assert(n <= max);
	put_u16((uint16_t)n, out);
}

static void put_cidr(const struct cidr *cidr, struct str *out)
{
	put_u32(cidr->network, out);
	put_u8(cidr->prefix, out);
}

/* `text` is an array of ours, so it fits; what may not be in a text becomes '?', which is as long. */
static void put_text(const char *text, enum netd_text kind, struct str *out)
{
	struct span rest = span_of(text);

	assert(rest.len <= UINT16_MAX);
	put_u16((uint16_t)rest.len, out);
	while (rest.len > 0) {
		size_t n = netd_text_next(rest, kind);

		if (n > 0)
			str_add_span(out, span_first(rest, n));
		else
			str_add_char(out, '?');
		rest = span_from(rest, n > 0 ? n : 1);
	}
}

static void put_policy_list(const policy_list *list, struct str *out)
{
	const struct cidr none = { 0 };

	put_count(list->n, POLICY_LIST_MAX, out);
	vec_each(list, entry) {
		put_bool(entry->host, out);
		put_cidr(entry->host ? &none : &entry->net, out);
	}
}

static void put_expose_list(const expose_list *list, struct str *out)
{
	put_count(list->n, EXPOSE_MAX, out);
	vec_each(list, expose) {
		put_u16(expose->external, out);
		put_u16(expose->internal, out);
	}
}

static void put_head(enum netd_type type, struct str *out)
{
	put_u32(NETD_MAGIC, out);
	put_u16(NETD_VERSION, out);
	put_u16((uint16_t)type, out);
}

void netd_put_empty(enum netd_type type, struct str *out)
{
	put_head(type, out);
}

void netd_put_attach(const struct netd_attach *m, struct str *out)
{
	put_head(NETD_ATTACH, out);
	put_u8((uint8_t)m->mode, out);
	put_mac(&m->mac, out);
	put_text(m->vm, NETD_TEXT_LINE, out);
	put_text(m->interface, NETD_TEXT_LINE, out);
	put_policy_list(&m->policy.allow, out);
	put_policy_list(&m->policy.block, out);
	put_expose_list(&m->expose, out);
}

static void put_tap_request(enum netd_type type, const char *tap, struct str *out)
{
	put_head(type, out);
	put_text(tap, NETD_TEXT_LINE, out);
}

void netd_put_reattach(const char *tap, struct str *out)
{
	put_tap_request(NETD_REATTACH, tap, out);
}

void netd_put_stats_request(const char *tap, struct str *out)
{
	put_tap_request(NETD_STATS, tap, out);
}

void netd_put_list_request(const struct netd_list_request *m, struct str *out)
{
	const struct mac none = { { 0 } };

	put_head(NETD_LIST, out);
	put_text(m->after, NETD_TEXT_LINE, out);
	put_bool(m->has_mac, out);
	put_mac(m->has_mac ? &m->mac : &none, out);
}

void netd_put_policy(enum netd_type type, const struct netd_policy *m, struct str *out)
{
	bool all = type == NETD_R_POLICY;

	put_head(type, out);
	put_text(m->tap, NETD_TEXT_LINE, out);
	put_bool(all || m->set_allow, out);
	if (all || m->set_allow)
		put_policy_list(&m->policy.allow, out);
	put_bool(all || m->set_block, out);
	if (all || m->set_block)
		put_policy_list(&m->policy.block, out);
	put_bool(all || m->set_expose, out);
	if (all || m->set_expose)
		put_expose_list(&m->expose, out);
}

void netd_put_connect(const struct netd_connect *m, struct str *out)
{
	put_tap_request(NETD_CONNECT, m->tap, out);
	put_u16(m->port, out);
}

void netd_put_alias(const struct netd_alias *m, struct str *out)
{
	put_tap_request(NETD_ALIAS, m->tap, out);
	put_u32(m->alias, out);
}

void netd_put_error(const struct netd_failure *m, struct str *out)
{
	put_head(NETD_R_ERROR, out);
	put_u8((uint8_t)m->code, out);
	put_text(m->text, NETD_TEXT_LINE, out);
}

void netd_put_attached(const struct netd_attached *m, struct str *out)
{
	put_head(NETD_R_ATTACHED, out);
	put_u8((uint8_t)m->mode, out);
	put_text(m->tap, NETD_TEXT_LINE, out);
	put_u32(m->address, out);
	put_u32(m->gateway, out);
	put_u8(m->prefix, out);
	put_u16(m->mtu, out);
	put_bool(m->macvtap, out);
	put_bool(m->vhost, out);
	put_text(m->warning, NETD_TEXT_LINES, out);
}

static void put_nic(const struct netd_nic *m, struct str *out)
{
	put_text(m->vm, NETD_TEXT_LINE, out);
	put_text(m->tap, NETD_TEXT_LINE, out);
	put_u32(m->uid, out);
	put_mac(&m->mac, out);
	put_u32(m->address, out);
	put_u32(m->forward, out);
	put_u8((uint8_t)m->mode, out);
	put_time(m->bound_at_s, out);
	put_time(m->expires_s, out);
	put_time(m->seen_arp_s, out);
}

void netd_put_list(const struct netd_list *m, struct str *out)
{
	put_head(NETD_R_LIST, out);
	put_count(m->nics.n, NETD_LIST_MAX, out);
	vec_each(&m->nics, nic)
		put_nic(nic, out);
}

void netd_put_status(const struct netd_status *m, struct str *out)
{
	put_head(NETD_R_STATUS, out);
	put_u32(m->pid, out);
	put_text(m->version, NETD_TEXT_LINE, out);
	put_bool(m->rootless, out);
	put_cidr(&m->subnet, out);
	put_u32(m->gateway, out);
	put_u32(m->nics, out);
	put_u32(m->addresses, out);
	put_u32(m->lease_s, out);
	put_u16(m->mtu, out);
	put_bool(m->isolate_vms, out);
	put_bool(m->persistent_tables, out);
	put_bool(m->dns_running, out);
	for (size_t i = 0; i < ARRAY_LEN(m->dns); i++)
		put_u32(m->dns[i], out);
	put_text(m->warnings, NETD_TEXT_LINES, out);
}

void netd_put_stats(const struct netd_stats *m, struct str *out)
{
	put_tap_request(NETD_R_STATS, m->tap, out);
	for (size_t i = 0; i < NETD_COUNTERS; i++) {
		put_u64(m->counts[i].packets, out);
		put_u64(m->counts[i].bytes, out);
	}
}

void netd_put_forwards(const struct netd_forwards *m, struct str *out)
{
	put_head(NETD_R_FORWARDS, out);
	put_bool(m->more, out);
	put_count(m->vms.n, NETD_FORWARDS_MAX, out);
	vec_each(&m->vms, vm) {
		put_text(vm->tap, NETD_TEXT_LINE, out);
		put_u32(vm->address, out);
		put_u32(vm->alias, out);
		put_expose_list(&vm->ports, out);
	}
}
