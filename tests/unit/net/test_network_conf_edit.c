/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of net/network_conf_edit.c: only what was asked for changes. */
#include "net/network_conf.h"
#include "unit.h"

static void changes_one_key(void **state)
{
	static const struct {
		const char *name;
		const char *file;
		const char *key;
		const char *value;
		const char *result;
	} rows[] = {
		{ "into nothing", "", "mtu", "1400", "mtu = 1400\n" },
		{ "at the end", "# mine\nmtu = 1400\n", "lease-time", "600",
		  "# mine\nmtu = 1400\nlease-time = 600\n" },
		{ "after a last line without newline", "mtu = 1400", "lease-time", "600",
		  "mtu = 1400\nlease-time = 600\n" },
		{ "in its place", "mtu = 1400\n\n# x\ndns = gateway\n", "mtu", "9000",
		  "mtu = 9000\n\n# x\ndns = gateway\n" },
		{ "keeping its comment and blanks", "  mtu=1400\t# why\r\n", "mtu", "9000",
		  "  mtu=9000\t# why\r\n" },
		{ "an empty value", "allow-bridged =\n", "allow-bridged", "br0",
		  "allow-bridged = br0\n" },
		{ "to an empty value", "allow-bridged = br0\n", "allow-bridged", "",
		  "allow-bridged = \n" },
		{ "one that was wrong", "mtu = many\n", "mtu", "1400", "mtu = 1400\n" },
		{ "one that came twice", "mtu = 1\nmtu = 2 # two\ndns=gateway\n", "mtu", "1400",
		  "mtu = 1400\n# two\ndns=gateway\n" },
		{ "not one in a comment", "# mtu = 1400\n", "mtu", "9000",
		  "# mtu = 1400\nmtu = 9000\n" },
		{ "an empty line stays one", "\n", "mtu", "9000", "\nmtu = 9000\n" },
		{ "reset", "dns=gateway\nmtu = 1400\n", "mtu", NULL, "dns=gateway\n" },
		{ "reset, keeping the comment", "mtu = 1400 # why\n", "mtu", NULL, "# why\n" },
		{ "reset what is not there", "# mine\n", "mtu", NULL, "# mine\n" },
		{ "reset in nothing", "", "mtu", NULL, "" },
		{ "reset one that was wrong", "mtu = many\n", "mtu", NULL, "" },
	};

	(void)state;
	each_row(rows, row) {
		CLEANUP_STR struct str result = { 0 };
		struct err err = { 0 };

		check(network_conf_edit(span_of(row->file), "f", row->key, row->value, &result,
					&err),
		      "%s: %s", row->name, err.text);
		check(strcmp(str_text(&result), row->result) == 0, "%s: '%s'", row->name,
		      str_text(&result));
	}
}

static void refuses(void **state)
{
	static const struct {
		const char *file;
		const char *key;
		const char *value;
		enum err_kind kind;
		const char *error;
	} rows[] = {
		{ "", "color", "red", ERR_USAGE,
		  "there is no key 'color'; there are subnet, netmask, lease-time, isolate-vms, "
		  "dns, mtu, allow-bridged, expose-ports, users" },
		{ "", "", NULL, ERR_USAGE,
		  "there is no key ''; there are subnet, netmask, lease-time, isolate-vms, dns, "
		  "mtu, allow-bridged, expose-ports, users" },
		{ "# x\n", "mtu", "12", ERR_GENERAL,
		  "f:2: mtu: '12' is not a number from 576 to 9000" },
		{ "", "mtu", "1400\nusers = mallory", ERR_GENERAL,
		  "mtu: '1400\nusers = mallory' has a newline or a '#'" },
		{ "", "mtu", "1400 # x", ERR_GENERAL, "mtu: '1400 # x' has a newline or a '#'" },
		{ "mtu = many\n", "dns", "gateway", ERR_GENERAL,
		  "f:1: mtu: 'many' is not a number from 576 to 9000" },
		{ "subnet = 192.168.77.1/24\n", "netmask", "255.255.0.0", ERR_GENERAL,
		  "f:2: netmask: '255.255.0.0' is not the prefix that subnet says: leave out one "
		  "of them" },
	};

	(void)state;
	each_row(rows, row) {
		CLEANUP_STR struct str result = { 0 };
		struct err err = { 0 };

		check(!network_conf_edit(span_of(row->file), "f", row->key, row->value, &result,
					 &err),
		      "'%s': accepted", row->value ? row->value : "reset");
		check(strcmp(err.text, row->error) == 0, "%s: %s", row->key, err.text);
		check(err.kind == row->kind && result.len == 0, "%s", row->key);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_one_key),
		cmocka_unit_test(refuses),
	};

	return unit_main(tests);
}
