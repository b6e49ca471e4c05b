/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of vmnet/keeper.h: which keeper is found, and what is said when there is none. */
#include "vmnet/keeper.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "temp_dir.h"

static void reads_the_wish(void **state)
{
	static const struct {
		const char *name, *value;
		bool ok;
		enum keeper_wish want;
	} rows[] = {
		{ "unset", NULL, true, KEEPER_AUTO },
		{ "empty", "", true, KEEPER_AUTO },
		{ "auto", "auto", true, KEEPER_AUTO },
		{ "system", "system", true, KEEPER_ONLY_SYSTEM },
		{ "rootless", "rootless", true, KEEPER_ONLY_ROOTLESS },
		{ "user", "user", true, KEEPER_NONE },
		{ "upper case", "User", false, KEEPER_AUTO },
		{ "another word", "slirp", false, KEEPER_AUTO },
	};

	(void)state;
	each_row(rows, row) {
		enum keeper_wish wish = KEEPER_AUTO;
		struct err err = { 0 };

		check(keeper_wish_from_env(row->value, &wish, &err) == row->ok, "%s", row->name);
		check(wish == row->want, "%s: got %d", row->name, wish);
		check(row->ok || err.kind == ERR_GENERAL, "%s: no reason", row->name);
	}
}

/* A socket of the rootless keeper, of this type; nobody serves it. */
static int make_socket(const struct temp_dir *dir, int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	(void)mkdirat(dir->fd, "net", 0700);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/net/netd.sock",
		       dir->fd);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static bool connect_rootless(const struct temp_dir *dir, struct keeper *keeper, struct err *err)
{
	struct home home = { .root_fd = dir->fd };
	bool found = false;

	assert_true(keeper_connect(&home, KEEPER_ONLY_ROOTLESS, keeper, &found, err));
	return found;
}

static void finds_the_rootless_keeper(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP(keeper_close) struct keeper keeper = KEEPER_INIT;
	CLEANUP_CLOSE int listener = make_socket(dir, SOCK_SEQPACKET);
	struct err err = { 0 };

	assert_int_equal(listen(listener, 1), 0);
	assert_true(connect_rootless(dir, &keeper, &err));
	assert_true(keeper.fd >= 0);
	assert_int_equal(keeper.kind, KEEPER_ROOTLESS);
	assert_int_equal(keeper.timeout_ms, KEEPER_TIMEOUT_MS);
	keeper_close(&keeper);
	assert_int_equal(keeper.fd, -1);
}

static void says_that_there_is_none(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP(keeper_close) struct keeper keeper = KEEPER_INIT;
	CLEANUP_CLOSE int abandoned = -1;
	struct err err = { 0 };

	assert_false(connect_rootless(dir, &keeper, &err));
	assert_string_equal(err.text, "no rootless keeper of the network runs");
	abandoned = make_socket(dir, SOCK_SEQPACKET);
	assert_false(connect_rootless(dir, &keeper, &err));
	assert_string_equal(err.text, "no rootless keeper of the network runs");
	assert_int_equal(keeper.fd, -1);
}

static void names_another_reason(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP(keeper_close) struct keeper keeper = KEEPER_INIT;
	CLEANUP_CLOSE int listener = make_socket(dir, SOCK_STREAM);
	struct err err = { 0 };

	assert_int_equal(listen(listener, 1), 0);
	assert_false(connect_rootless(dir, &keeper, &err));
	assert_string_equal(err.text,
			    "the rootless keeper of the network: cannot connect to socket "
			    "'netd.sock': Protocol wrong type for socket");
}

static void asks_nobody_if_that_is_wished(void **state)
{
	const struct temp_dir *dir = *state;
	struct home home = { .root_fd = dir->fd };
	struct keeper keeper = KEEPER_INIT;
	bool found = true;
	struct err err = { 0 };

	assert_true(keeper_connect(&home, KEEPER_NONE, &keeper, &found, &err));
	assert_false(found);
	assert_string_equal(err.text, "TART_NETWORK_BACKEND is 'user'");
	assert_false(keeper_start(&home, KEEPER_NONE, &keeper, &err));
	assert_string_equal(err.text, "TART_NETWORK_BACKEND is 'user'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_wish),
		temp_dir_test(finds_the_rootless_keeper),
		temp_dir_test(says_that_there_is_none),
		temp_dir_test(names_another_reason),
		temp_dir_test(asks_nobody_if_that_is_wished),
	};

	return unit_main(tests);
}
