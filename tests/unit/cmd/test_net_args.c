/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of cmd/net_args.h: which mode the options mean, and which of them exclude each other. */
#include "cmd/net_args.h"

#include "unit.h"

struct row {
	const char *name;
	const char *bridged[6];
	struct net_args args;
	enum netd_mode mode;
	const char *error; /* NULL = none */
};

#define EXCLUDE "--net-bridged, --net-softnet and --net-host are mutually exclusive"

static const struct row rows[] = {
	{ .name = "nothing", .mode = NETD_NAT },
	{ .name = "softnet", .args = { .softnet = true }, .mode = NETD_SOFTNET },
	{ .name = "allow", .args = { .allow = "@host" }, .mode = NETD_SOFTNET },
	{ .name = "block", .args = { .block = "1.1.1.1" }, .mode = NETD_SOFTNET },
	{ .name = "expose", .args = { .expose = "1:2" }, .mode = NETD_SOFTNET },
	{ .name = "all of softnet",
	  .args = { .softnet = true, .allow = "@host", .block = "1.1.1.1", .expose = "1:2" },
	  .mode = NETD_SOFTNET },
	{ .name = "host", .args = { .host = true }, .mode = NETD_HOST },
	{ .name = "bridged", .bridged = { "br0" }, .mode = NETD_BRIDGED },
	{ .name = "four NICs", .bridged = { "a", "b", "c", "d" }, .mode = NETD_BRIDGED },
	{ .name = "five NICs",
	  .bridged = { "a", "b", "c", "d", "e" },
	  .error = "a VM can have 4 network interfaces, --net-bridged names 5" },
	{ .name = "twice",
	  .bridged = { "a", "b", "a" },
	  .error = "--net-bridged names \"a\" more than once" },
	{ .name = "host and softnet", .args = { .host = true, .softnet = true }, .error = EXCLUDE },
	{ .name = "host and allow", .args = { .host = true, .allow = "x" }, .error = EXCLUDE },
	{ .name = "host and bridged",
	  .bridged = { "br0" },
	  .args = { .host = true },
	  .error = EXCLUDE },
	{ .name = "bridged and expose",
	  .bridged = { "br0" },
	  .args = { .expose = "x" },
	  .error = EXCLUDE },
};

static void fill(const struct row *row, struct net_args *ret)
{
	*ret = row->args;
	for (size_t i = 0; i < ARRAY_LEN(row->bridged) && row->bridged[i]; i++)
		*vec_push(&ret->bridged) = row->bridged[i];
}

static void finds_the_mode(void **state)
{
	(void)state;
	each_row(rows, row) {
		CLEANUP(network_wish_done) struct network_wish wish = { 0 };
		struct net_args args;
		struct err err = { 0 };
		bool ok;

		fill(row, &args);
		ok = net_args_check_mode(&args, &err) && net_args_read(&args, &wish, &err);
		check(ok == !row->error, "%s: %s", row->name, err.text);
		check(!ok || wish.mode == row->mode, "%s: mode %d", row->name, wish.mode);
		check(ok || strcmp(err.text, row->error) == 0, "%s: %s", row->name, err.text);
		check(ok || err.kind == ERR_USAGE, "%s: kind %d", row->name, err.kind);
		check(!ok || wish.bridged.n == args.bridged.n, "%s: %zu NICs", row->name,
		      wish.bridged.n);
		vec_done(&args.bridged);
	}
}

static void reads_the_lists(void **state)
{
	CLEANUP(network_wish_done) struct network_wish wish = { .keeper = KEEPER_ONLY_SYSTEM };
	const struct net_args args = { .allow = "10.0.0.0/8,@host",
				       .block = "10.1.0.0/16",
				       .expose = "2222:22" };
	struct err err = { 0 };

	(void)state;
	assert_true(net_args_read(&args, &wish, &err));
	assert_int_equal(wish.policy.allow.n, 2);
	assert_true(wish.policy.allow.v[1].host);
	assert_int_equal(wish.policy.block.n, 1);
	assert_int_equal(wish.policy.block.v[0].net.network, 0x0a010000);
	assert_int_equal(wish.expose.n, 1);
	assert_int_equal(wish.expose.v[0].internal, 22);
	assert_int_equal(wish.keeper, KEEPER_ONLY_SYSTEM);
}

static void names_the_option(void **state)
{
	static const struct {
		const char *name;
		struct net_args args;
	} wrong[] = {
		{ "--net-softnet-allow: ", { .allow = "x" } },
		{ "--net-softnet-block: ", { .block = "1.2.3.4/33" } },
		{ "--net-softnet-expose: ", { .expose = "22" } },
	};

	(void)state;
	each_row(wrong, row) {
		CLEANUP(network_wish_done) struct network_wish wish = { 0 };
		struct err err = { 0 };

		check(!net_args_read(&row->args, &wish, &err), "%s accepted", row->name);
		check(strncmp(err.text, row->name, strlen(row->name)) == 0, "%s", err.text);
		check(err.kind == ERR_USAGE, "%s: kind %d", row->name, err.kind);
	}
}

static void knows_the_word_list(void **state)
{
	static const char *const names[] = { "br0", "list" };
	struct net_args args = { 0 };

	(void)state;
	assert_false(net_args_ask_for_list(&args));
	*vec_push(&args.bridged) = names[0];
	assert_false(net_args_ask_for_list(&args));
	*vec_push(&args.bridged) = names[1];
	assert_true(net_args_ask_for_list(&args));
	vec_done(&args.bridged);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_mode),
		cmocka_unit_test(reads_the_lists),
		cmocka_unit_test(names_the_option),
		cmocka_unit_test(knows_the_word_list),
	};

	return unit_main(tests);
}
