/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of netd/saved_nic.h, and of nic_check(). */
#include "netd/saved_nic.h"

#include <string.h>

#include "base/json.h"
#include "unit.h"

static const char whole[] = "{\n"
			    "  \"tap\" : \"tart-0123abcd\",\n"
			    "  \"vm\" : \"debian\",\n"
			    "  \"uid\" : 1000,\n"
			    "  \"mac\" : \"52:54:00:00:00:01\",\n"
			    "  \"mode\" : \"softnet\",\n"
			    "  \"interface\" : \"\",\n"
			    "  \"macvtap\" : false,\n"
			    "  \"address\" : \"192.168.64.9\",\n"
			    "  \"allow\" : \"10.0.0.0/8,@host\",\n"
			    "  \"block\" : \"10.1.0.0/16\",\n"
			    "  \"expose\" : \"2222:22\",\n"
			    "  \"boundAt\" : 7,\n"
			    "  \"expires\" : 9,\n"
			    "  \"seenArp\" : 0\n"
			    "}\n";

static void prints_what_it_reads(void **state)
{
	CLEANUP(nic_done) struct nic nic = { .uid = 0 };
	CLEANUP_STR struct str out = { 0 };
	struct err err = { 0 };

	(void)state;
	check(saved_nic_parse(span_of(whole), &nic, &err), "%s", err.text);
	assert_string_equal(nic.tap, "tart-0123abcd");
	assert_int_equal(nic.uid, 1000);
	assert_int_equal(nic.mode, NETD_SOFTNET);
	assert_int_equal(nic.address, 0xc0a84009);
	assert_int_equal(nic.policy.allow.n, 2);
	assert_true(nic.policy.allow.v[1].host);
	assert_int_equal(nic.policy.block.n, 1);
	assert_int_equal(nic.expose.v[0].external, 2222);
	assert_int_equal(nic.bound_at_s, 7);
	saved_nic_print(&nic, &out);
	assert_string_equal(str_text(&out), whole);
}

static void a_copy_is_its_own(void **state)
{
	CLEANUP(nic_done) struct nic nic = { .uid = 0 };
	CLEANUP(nic_done) struct nic copy = { .uid = 0 };
	CLEANUP_STR struct str out = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_true(saved_nic_parse(span_of(whole), &nic, &err));
	nic_copy(&nic, &copy);
	nic_done(&nic);
	nic = (struct nic){ .uid = 0 };
	saved_nic_print(&copy, &out);
	assert_string_equal(str_text(&out), whole);
}

/* One member changed (NULL: left out). */
static void refuses_what_is_not_right(void **state)
{
	static const struct {
		const char *name;
		const char *key;
		const char *value; /* JSON */
	} rows[] = {
		{ "no tap", "tap", NULL },
		{ "a path", "tap", "\"../../etc/a\"" },
		{ "a foreign interface", "tap", "\"eth0\"" },
		{ "a long tap", "tap", "\"tart-0123abcd0\"" },
		{ "no vm", "vm", NULL },
		{ "an empty vm", "vm", "\"\"" },
		{ "a vm that writes on terminals", "vm", "\"a\\u001b[2J\"" },
		{ "a C1 control", "vm", "\"a\\u009b2J\"" },
		{ "a vm that is a number", "vm", "3" },
		{ "no uid", "uid", NULL },
		{ "a negative uid", "uid", "-1" },
		{ "the uid of nobody at all", "uid", "4294967295" },
		{ "a large uid", "uid", "4294967296" },
		{ "a fraction", "uid", "1.5" },
		{ "no mac", "mac", NULL },
		{ "a multicast mac", "mac", "\"53:54:00:00:00:01\"" },
		{ "the zero mac", "mac", "\"00:00:00:00:00:00\"" },
		{ "the gateway's mac", "mac", "\"02:74:61:72:74:01\"" },
		{ "an unknown mode", "mode", "\"open\"" },
		{ "an interface without bridged", "interface", "\"eth0\"" },
		{ "bridged without an interface", "mode", "\"bridged\"" },
		{ "lists in nat mode", "mode", "\"nat\"" },
		{ "macvtap without bridged", "macvtap", "true" },
		{ "macvtap that is no bool", "macvtap", "1" },
		{ "no address", "address", NULL },
		{ "an address that is none", "address", "\"192.168.64.256\"" },
		{ "a list that is none", "allow", "\"10.0.0.0/33\"" },
		{ "an empty item", "block", "\"10.0.0.0/8,\"" },
		{ "no list", "block", NULL },
		{ "port 0", "expose", "\"0:22\"" },
		{ "a port twice", "expose", "\"2222:22,2222:23\"" },
		{ "no time", "boundAt", NULL },
		{ "a negative time", "expires", "-1" },
		{ "a time beyond all", "seenArp", "9223372036854775808" },
	};

	(void)state;
	each_row(rows, row) {
		CLEANUP_JSON struct json *object = NULL;
		CLEANUP_STR struct str text = { 0 };
		struct nic nic;
		struct err err = { 0 };

		assert_true(json_parse(span_of(whole), &object, &err));
		if (row->value) {
			struct json *value = NULL;

			assert_true(json_parse(span_of(row->value), &value, &err));
			json_set(object, row->key, value);
		} else {
			json_remove(object, row->key);
		}
		json_print(object, JSON_COMPACT, &text);
		check(!saved_nic_parse(str_span(&text), &nic, &err), "%s: accepted", row->name);
		check(err.kind != ERR_NONE, "%s: no error", row->name);
	}
}

static void refuses_what_is_no_object(void **state)
{
	static const char *const rows[] = { "", "[]", "null", "{", "\"tap\"", "{}" };

	(void)state;
	each_row(rows, row) {
		struct nic nic;
		struct err err = { 0 };

		check(!saved_nic_parse(span_of(*row), &nic, &err), "accepted: %s", *row);
	}
}

static void each_mode_has_its_own_members(void **state)
{
	struct nic good = { .tap = "tart-00000000",
			    .vm = "a",
			    .mac = { { 2, 0, 0, 0, 0, 1 } },
			    .mode = NETD_BRIDGED,
			    .interface = "br0" };
	struct err err = { 0 };

	(void)state;
	assert_true(nic_check(&good, &err));
	good.interface[0] = '/';
	assert_false(nic_check(&good, &err));
	good.interface[0] = '\0';
	good.mode = NETD_HOST;
	assert_true(nic_check(&good, &err));
	good.mode = (enum netd_mode)4;
	assert_false(nic_check(&good, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_what_it_reads),
		cmocka_unit_test(a_copy_is_its_own),
		cmocka_unit_test(refuses_what_is_not_right),
		cmocka_unit_test(refuses_what_is_no_object),
		cmocka_unit_test(each_mode_has_its_own_members),
	};

	return unit_main(tests);
}
