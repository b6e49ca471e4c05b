/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of proto/netd.h: every message comes back as it was, and its bytes are the only ones that say it. */
#include "proto/netd.h"

#include "unit.h"

#define TAP       "tart-0123abcd"
#define OTHER_TAP "tart-ffffffff"

static const struct mac mac = { { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 } };

static void must_get(const struct str *bytes, enum netd_type type, struct netd_message *ret)
{
	struct err err = { 0 };

	check(netd_get(str_span(bytes), ret, &err), "%s: %s", netd_type_name(type), err.text);
	assert_int_equal(ret->type, type);
}

static void fill_policy(struct policy *policy)
{
	*vec_push(&policy->allow) = (struct policy_entry){ .host = true };
	*vec_push(&policy->allow) = (struct policy_entry){ .net = { 0x0a000000, 8 } };
	*vec_push(&policy->block) = (struct policy_entry){ .net = { 0, 0 } };
}

static void fill_expose(expose_list *list)
{
	*vec_push(list) = (struct expose){ 2222, 22 };
	*vec_push(list) = (struct expose){ 65535, 1 };
}

static void check_policy(const struct policy *got)
{
	CLEANUP_STR struct str text = { 0 };

	policy_list_print(&got->allow, &text);
	str_add_char(&text, ' ');
	policy_list_print(&got->block, &text);
	assert_string_equal(str_text(&text), "@host,10.0.0.0/8 0.0.0.0/0");
}

static void check_expose(const expose_list *got)
{
	CLEANUP_STR struct str text = { 0 };

	expose_list_print(got, &text);
	assert_string_equal(str_text(&text), "2222:22,65535:1");
}

static void attach(void **state)
{
	struct netd_attach m = { .mode = NETD_SOFTNET, .mac = mac, .vm = "b\xc3\xa4r" };
	CLEANUP(netd_message_done) struct netd_message got = { 0 };
	CLEANUP_STR struct str bytes = { 0 };

	(void)state;
	fill_policy(&m.policy);
	fill_expose(&m.expose);
	netd_put_attach(&m, &bytes);
	must_get(&bytes, NETD_ATTACH, &got);
	assert_int_equal(got.attach.mode, NETD_SOFTNET);
	assert_true(mac_equal(&got.attach.mac, &mac));
	assert_string_equal(got.attach.vm, "b\xc3\xa4r");
	assert_string_equal(got.attach.interface, "");
	check_policy(&got.attach.policy);
	check_expose(&got.attach.expose);
	policy_done(&m.policy);
	vec_done(&m.expose);
}

static void attach_bridged(void **state)
{
	struct netd_attach m = {
		.mode = NETD_BRIDGED, .mac = mac, .vm = "vm", .interface = "enp0s31f6.100"
	};
	CLEANUP(netd_message_done) struct netd_message got = { 0 };
	CLEANUP_STR struct str bytes = { 0 };

	(void)state;
	netd_put_attach(&m, &bytes);
	must_get(&bytes, NETD_ATTACH, &got);
	assert_int_equal(got.attach.mode, NETD_BRIDGED);
	assert_string_equal(got.attach.interface, "enp0s31f6.100");
}

/* The longest lists that a user may give fit one packet. */
static void attach_with_full_lists(void **state)
{
	struct netd_attach m = { .mode = NETD_SOFTNET, .mac = mac };
	CLEANUP(netd_message_done) struct netd_message got = { 0 };
	CLEANUP_STR struct str bytes = { 0 };

	(void)state;
	memset(m.vm, 'v', sizeof(m.vm) - 1);
	for (uint32_t i = 0; i < POLICY_LIST_MAX; i++) {
		*vec_push(&m.policy.allow) = (struct policy_entry){ .net = { i, 32 } };
		*vec_push(&m.policy.block) = (struct policy_entry){ .net = { i << 8, 24 } };
	}
	for (uint16_t i = 1; i <= EXPOSE_MAX; i++)
		*vec_push(&m.expose) = (struct expose){ i, i };
	netd_put_attach(&m, &bytes);
	assert_true(bytes.len <= NETD_MESSAGE_MAX);
	must_get(&bytes, NETD_ATTACH, &got);
	assert_int_equal(got.attach.policy.block.v[1023].net.network, 1023 << 8);
	assert_int_equal(got.attach.expose.n, EXPOSE_MAX);
	assert_string_equal(got.attach.vm, m.vm);
	policy_done(&m.policy);
	vec_done(&m.expose);
}

static void requests_with_a_tap(void **state)
{
	static const struct {
		enum netd_type type;
		void (*put)(const char *tap, struct str *out);
	} rows[] = {
		{ NETD_REATTACH, netd_put_reattach },
		{ NETD_STATS, netd_put_stats_request },
	};

	(void)state;
	each_row(rows, row) {
		CLEANUP(netd_message_done) struct netd_message got = { 0 };
		CLEANUP_STR struct str bytes = { 0 };

		row->put(TAP, &bytes);
		must_get(&bytes, row->type, &got);
		assert_string_equal(got.tap, TAP);
	}
}

static void list_requests(void **state)
{
	static const struct netd_list_request rows[] = {
		{ .after = "" },
		{ .after = TAP, .has_mac = true, .mac = { { 2, 0, 0, 0, 0, 1 } } },
	};

	(void)state;
	each_row(rows, row) {
		CLEANUP(netd_message_done) struct netd_message got = { 0 };
		CLEANUP_STR struct str bytes = { 0 };

		netd_put_list_request(row, &bytes);
		must_get(&bytes, NETD_LIST, &got);
		assert_string_equal(got.list_request.after, row->after);
		assert_int_equal(got.list_request.has_mac, row->has_mac);
		assert_true(mac_equal(&got.list_request.mac, &row->mac));
	}
}

static void messages_without_fields(void **state)
{
	static const enum netd_type types[] = { NETD_STATUS, NETD_FORWARD, NETD_RELOAD,
						NETD_R_CONNECTED, NETD_R_DONE };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		CLEANUP(netd_message_done) struct netd_message got = { 0 };
		CLEANUP_STR struct str bytes = { 0 };

		netd_put_empty(types[i], &bytes);
		assert_int_equal(bytes.len, 8);
		must_get(&bytes, types[i], &got);
	}
}

static void policy_changes_what_it_names(void **state)
{
	struct netd_policy m = { .tap = TAP, .set_block = true };
	CLEANUP(netd_message_done) struct netd_message got = { 0 };
	CLEANUP_STR struct str bytes = { 0 };

	(void)state;
	fill_policy(&m.policy);
	fill_expose(&m.expose);
	netd_put_policy(NETD_POLICY, &m, &bytes);
	must_get(&bytes, NETD_POLICY, &got);
	assert_string_equal(got.policy.tap, TAP);
	assert_true(!got.policy.set_allow && got.policy.set_block && !got.policy.set_expose);
	assert_int_equal(got.policy.policy.allow.n, 0);
	assert_int_equal(got.policy.policy.block.n, 1);
	assert_int_equal(got.policy.expose.n, 0);
	policy_done(&m.policy);
	vec_done(&m.expose);
}

static void policy_answer_has_everything(void **state)
{
	struct netd_policy m = { .tap = TAP };
	CLEANUP(netd_message_done) struct netd_message got = { 0 };
	CLEANUP_STR struct str bytes = { 0 };

	(void)state;
	fill_policy(&m.policy);
	fill_expose(&m.expose);
	netd_put_policy(NETD_R_POLICY, &m, &bytes);
	must_get(&bytes, NETD_R_POLICY, &got);
	assert_true(got.policy.set_allow && got.policy.set_block && got.policy.set_expose);
	check_policy(&got.policy.policy);
	check_expose(&got.policy.expose);
	policy_done(&m.policy);
	vec_done(&m.expose);
}

static void connect_and_alias(void **state)
{
	const struct netd_connect connect = { .tap = TAP, .port = 65535 };
	const struct netd_alias alias = { .tap = OTHER_TAP, .alias = 0x7f40400b };
	CLEANUP(netd_message_done) struct netd_message first = { 0 };
	CLEANUP(netd_message_done) struct netd_message second = { 0 };
	CLEANUP_STR struct str bytes = { 0 };

	(void)state;
	netd_put_connect(&connect, &bytes);
	must_get(&bytes, NETD_CONNECT, &first);
	assert_string_equal(first.connect.tap, TAP);
	assert_int_equal(first.connect.port, 65535);
	str_clear(&bytes);
	netd_put_alias(&alias, &bytes);
	must_get(&bytes, NETD_ALIAS, &second);
	assert_string_equal(second.alias.tap, OTHER_TAP);
	assert_int_equal(second.alias.alias, 0x7f40400b);
}

static void error(void **state)
{
	const struct netd_failure m = { .code = NETD_E_KERNEL, .text = "no such device" };
	CLEANUP(netd_message_done) struct netd_message got = { 0 };
	CLEANUP_STR struct str bytes = { 0 };

	(void)state;
	netd_put_error(&m, &bytes);
	must_get(&bytes, NETD_R_ERROR, &got);
	assert_int_equal(got.failure.code, NETD_E_KERNEL);
	assert_string_equal(got.failure.text, "no such device");
}

/* What the keeper tells people may quote anything, cut off anywhere: it must still arrive. */
static void texts_for_people_are_made_readable(void **state)
{
	static const struct {
		const char *name;
		const char *text;
		const char *line;
		const char *lines;
	} rows[] = {
		{ "escape and newline", "a\033[1mb\nc", "a?[1mb?c", "a?[1mb\nc" },
		{ "half a character", "x\xe2\x82", "x??", "x??" },
		{ "a C1 control character", "\xc2\x9b", "??", "??" },
		{ "delete", "\x7f!", "?!", "?!" },
		{ "no control character", "\xc2\xa0\xe2\x82\xac", "\xc2\xa0\xe2\x82\xac",
		  "\xc2\xa0\xe2\x82\xac" },
	};

	(void)state;
	each_row(rows, row) {
		CLEANUP(netd_message_done) struct netd_message error = { 0 };
		CLEANUP(netd_message_done) struct netd_message attached = { 0 };
		struct netd_failure failure = { .code = NETD_E_INVALID };
		struct netd_attached warned = { .tap = TAP };
		CLEANUP_STR struct str bytes = { 0 };

		memcpy(failure.text, row->text, strlen(row->text));
		netd_put_error(&failure, &bytes);
		must_get(&bytes, NETD_R_ERROR, &error);
		check(strcmp(error.failure.text, row->line) == 0, "%s: %s", row->name,
		      error.failure.text);
		str_clear(&bytes);
		memcpy(warned.warning, row->text, strlen(row->text));
		netd_put_attached(&warned, &bytes);
		must_get(&bytes, NETD_R_ATTACHED, &attached);
		check(strcmp(attached.attached.warning, row->lines) == 0, "%s: %s", row->name,
		      attached.attached.warning);
	}
}

static void attached(void **state)
{
	const struct netd_attached m = {
		.mode = NETD_HOST,
		.tap = TAP,
		.address = 0xc0a8400b,
		.gateway = 0xc0a84001,
		.prefix = 24,
		.mtu = 9000,
		.macvtap = true,
		.vhost = true,
		.warning = "one\ntwo",
	};
	CLEANUP(netd_message_done) struct netd_message got = { 0 };
	CLEANUP_STR struct str bytes = { 0 };

	(void)state;
	netd_put_attached(&m, &bytes);
	must_get(&bytes, NETD_R_ATTACHED, &got);
	assert_int_equal(got.attached.mode, NETD_HOST);
	assert_string_equal(got.attached.tap, TAP);
	assert_int_equal(got.attached.address, 0xc0a8400b);
	assert_int_equal(got.attached.gateway, 0xc0a84001);
	assert_int_equal(got.attached.prefix, 24);
	assert_int_equal(got.attached.mtu, 9000);
	assert_true(got.attached.macvtap && got.attached.vhost);
	assert_string_equal(got.attached.warning, "one\ntwo");
}

static void check_nic(const struct netd_nic *got, const struct netd_nic *want)
{
	assert_string_equal(got->vm, want->vm);
	assert_string_equal(got->tap, want->tap);
	assert_int_equal(got->uid, want->uid);
	assert_true(mac_equal(&got->mac, &want->mac));
	assert_int_equal(got->address, want->address);
	assert_int_equal(got->forward, want->forward);
	assert_int_equal(got->mode, want->mode);
	assert_int_equal(got->bound_at_s, want->bound_at_s);
	assert_int_equal(got->expires_s, want->expires_s);
	assert_int_equal(got->seen_arp_s, want->seen_arp_s);
}

/* A full page of the longest names fits one packet, too. */
static void list(void **state)
{
	struct netd_nic nic = {
		.tap = TAP,
		.uid = UINT32_MAX,
		.mac = mac,
		.address = 0xc0a8400b,
		.forward = 0x7f40400b,
		.mode = NETD_BRIDGED,
		.bound_at_s = 1701173918,
		.expires_s = INT64_MAX,
		.seen_arp_s = 1,
	};
	struct netd_list m = { 0 };
	CLEANUP(netd_message_done) struct netd_message got = { 0 };
	CLEANUP_STR struct str bytes = { 0 };

	(void)state;
	memset(nic.vm, 'v', sizeof(nic.vm) - 1);
	for (int i = 0; i < NETD_LIST_MAX; i++)
		*vec_push(&m.nics) = nic;
	netd_put_list(&m, &bytes);
	assert_true(bytes.len <= NETD_MESSAGE_MAX);
	must_get(&bytes, NETD_R_LIST, &got);
	assert_int_equal(got.list.nics.n, NETD_LIST_MAX);
	vec_each(&got.list.nics, each)
		check_nic(each, &nic);
	vec_done(&m.nics);
}

static void status(void **state)
{
	struct netd_status m = {
		.pid = 4711,
		.version = "2.30.0",
		.rootless = true,
		.subnet = { 0xc0a84000, 24 },
		.gateway = 0xc0a84001,
		.nics = 3,
		.addresses = 253,
		.lease_s = 600,
		.mtu = 1500,
		.isolate_vms = true,
		.persistent_tables = false,
		.dns_running = true,
		.dns = { 0x08080808, 1 },
	};
	CLEANUP(netd_message_done) struct netd_message got = { 0 };
	CLEANUP_STR struct str bytes = { 0 };

	(void)state;
	memset(m.warnings, '\n', sizeof(m.warnings) - 1);
	netd_put_status(&m, &bytes);
	must_get(&bytes, NETD_R_STATUS, &got);
	assert_int_equal(got.status.pid, 4711);
	assert_string_equal(got.status.version, "2.30.0");
	assert_true(got.status.rootless);
	assert_int_equal(got.status.subnet.network, 0xc0a84000);
	assert_int_equal(got.status.subnet.prefix, 24);
	assert_int_equal(got.status.gateway, 0xc0a84001);
	assert_int_equal(got.status.nics, 3);
	assert_int_equal(got.status.addresses, 253);
	assert_int_equal(got.status.lease_s, 600);
	assert_int_equal(got.status.mtu, 1500);
	assert_true(got.status.isolate_vms && !got.status.persistent_tables);
	assert_true(got.status.dns_running);
	assert_memory_equal(got.status.dns, m.dns, sizeof(m.dns));
	assert_string_equal(got.status.warnings, m.warnings);
}

static void stats(void **state)
{
	struct netd_stats m = { .tap = TAP };
	CLEANUP(netd_message_done) struct netd_message got = { 0 };
	CLEANUP_STR struct str bytes = { 0 };

	(void)state;
	for (size_t i = 0; i < NETD_COUNTERS; i++)
		m.counts[i] = (struct netd_count){ UINT64_MAX - i, i << 40 };
	netd_put_stats(&m, &bytes);
	must_get(&bytes, NETD_R_STATS, &got);
	assert_string_equal(got.stats.tap, TAP);
	assert_memory_equal(got.stats.counts, m.counts, sizeof(m.counts));
}

/* A full page with the longest lists of ports fits, too. */
static void forwards(void **state)
{
	struct netd_forwards m = { .more = true };
	CLEANUP(netd_message_done) struct netd_message got = { 0 };
	CLEANUP_STR struct str bytes = { 0 };

	(void)state;
	for (uint32_t i = 0; i < NETD_FORWARDS_MAX; i++) {
		struct netd_forward *vm = vec_push(&m.vms);

		*vm = (struct netd_forward){ .tap = TAP, .address = i, .alias = 0x7f000000 + i };
		for (uint16_t port = 1; port <= EXPOSE_MAX; port++)
			*vec_push(&vm->ports) = (struct expose){ port, 22 };
	}
	netd_put_forwards(&m, &bytes);
	assert_true(bytes.len <= NETD_MESSAGE_MAX);
	must_get(&bytes, NETD_R_FORWARDS, &got);
	assert_true(got.forwards.more);
	assert_int_equal(got.forwards.vms.n, NETD_FORWARDS_MAX);
	assert_string_equal(got.forwards.vms.v[31].tap, TAP);
	assert_int_equal(got.forwards.vms.v[31].address, 31);
	assert_int_equal(got.forwards.vms.v[31].alias, 0x7f00001f);
	assert_int_equal(got.forwards.vms.v[31].ports.v[EXPOSE_MAX - 1].external, EXPOSE_MAX);
	vec_each(&m.vms, vm)
		vec_done(&vm->ports);
	vec_done(&m.vms);
}

/* The wire of version 1: programs of two releases may meet. */
static void bytes_are_fixed(void **state)
{
	static const unsigned char want[] = "TAND\1\0\7\0\15\0" TAP "\26\0";
	const struct netd_connect m = { .tap = TAP, .port = 22 };
	CLEANUP_STR struct str bytes = { 0 };

	(void)state;
	netd_put_connect(&m, &bytes);
	assert_int_equal(bytes.len, sizeof(want) - 1);
	assert_memory_equal(bytes.ptr, want, sizeof(want) - 1);
}

static void tap_names(void **state)
{
	static const struct {
		const char *name;
		bool ok;
	} rows[] = {
		{ TAP, true },
		{ "tart-", false },
		{ "tart-0123abc", false },
		{ "tart-0123abcde", false },
		{ "tart-0123ABCD", false },
		{ "tart-0123abcg", false },
		{ "tart_0123abcd", false },
		{ "xart-0123abcd", false },
		{ "", false },
		{ "tart0", false },
	};

	(void)state;
	each_row(rows, row)
		check(netd_is_tap_name(row->name) == row->ok, "'%s'", row->name);
}

static void types_and_counters_have_names(void **state)
{
	(void)state;
	for (int i = 0; i < NETD_COUNTERS; i++)
		assert_non_null(netd_counter_names[i]);
	for (int type = NETD_ATTACH; type <= NETD_ALIAS; type++)
		assert_string_not_equal(netd_type_name((enum netd_type)type), "?");
	for (int type = NETD_R_ERROR; type <= NETD_R_DONE; type++)
		assert_true(span_starts_with(span_of(netd_type_name((enum netd_type)type)), "R_"));
	assert_string_equal(netd_type_name((enum netd_type)0), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attach),
		cmocka_unit_test(attach_bridged),
		cmocka_unit_test(attach_with_full_lists),
		cmocka_unit_test(requests_with_a_tap),
		cmocka_unit_test(list_requests),
		cmocka_unit_test(messages_without_fields),
		cmocka_unit_test(policy_changes_what_it_names),
		cmocka_unit_test(policy_answer_has_everything),
		cmocka_unit_test(connect_and_alias),
		cmocka_unit_test(error),
		cmocka_unit_test(texts_for_people_are_made_readable),
		cmocka_unit_test(attached),
		cmocka_unit_test(list),
		cmocka_unit_test(status),
		cmocka_unit_test(stats),
		cmocka_unit_test(forwards),
		cmocka_unit_test(bytes_are_fixed),
		cmocka_unit_test(tap_names),
		cmocka_unit_test(types_and_counters_have_names),
	};

	return unit_main(tests);
}
