/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of netd/client.h and netd/request.h: callers as bad as they can be, on fakes. */
#include "netd/client.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/sock.h"
#include "host.h"
#include "unit.h"

struct bench {
	struct host *host;
	struct clients *clients;
	int listen_fd;
};

static void stop(void *ctx)
{
	loop_stop(ctx);
}

/* Everything that is ready, and what becomes ready by it. */
static void settle(const struct bench *bench)
{
	struct loop_source *deadline = loop_add_deadline(bench->host->loop, stop,
							 bench->host->loop);
	struct err err = { 0 };

	for (int i = 0; i < 8; i++) {
		loop_arm(deadline, 0);
		assert_true(loop_run(bench->host->loop, &err));
	}
	loop_remove(&deadline);
}

static int bench_make(void **state)
{
	struct bench *bench = xcalloc(1, sizeof(*bench));
	struct clients_options options = { .linger_ms = 0 };
	struct err err = { 0 };
	void *host;

	if (host_make(&host) != 0)
		return -1;
	bench->host = host;
	check(sock_listen_packets(bench->host->dir->fd, "s", 0600, &bench->listen_fd, &err), "%s",
	      err.text);
	options.loop = bench->host->loop;
	options.keeper = bench->host->keeper;
	options.settings = &bench->host->settings;
	options.listen_fd = bench->listen_fd;
	check(clients_new(&options, &bench->clients, &err), "%s", err.text);
	*state = bench;
	return 0;
}

static int bench_remove(void **state)
{
	struct bench *bench = *state;
	void *host = bench->host;

	clients_free(bench->clients);
	(void)close(bench->listen_fd);
	free(bench);
	return host_remove(&host);
}

#define bench_test(test) cmocka_unit_test_setup_teardown(test, bench_make, bench_remove)

static int connect_to(const struct bench *bench)
{
	struct err err = { 0 };
	int fd = -1;

	check(sock_connect_packets(bench->host->dir->fd, "s", &fd, &err), "%s", err.text);
	settle(bench);
	return fd;
}

static void send_to(const struct bench *bench, int fd, const struct str *bytes)
{
	assert_int_equal(send(fd, bytes->ptr, bytes->len, MSG_NOSIGNAL), bytes->len);
	settle(bench);
}

/* The next answer's type; 0: the connection has ended; -1: nothing has come. */
static int answer_of(int fd, struct netd_failure *ret_failure)
{
	static char buffer[NETD_MESSAGE_MAX];
	struct netd_message message;
	struct err err = { 0 };
	ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
	int type;

	if (n < 0)
		return errno == EAGAIN ? -1 : 0;
	if (n == 0)
		return 0;
	check(netd_get(span_make(buffer, (size_t)n), &message, &err), "%s", err.text);
	type = (int)message.type;
	if (ret_failure)
		*ret_failure = message.failure;
	netd_message_done(&message);
	return type;
}

static int ask(const struct bench *bench, int fd, enum netd_type type)
{
	CLEANUP_STR struct str bytes = { 0 };

	netd_put_empty(type, &bytes);
	send_to(bench, fd, &bytes);
	return answer_of(fd, NULL);
}

static void attach_to(const struct bench *bench, int fd, unsigned mac)
{
	struct netd_attach wish = host_wish("a", mac, NETD_NAT);
	CLEANUP_STR struct str bytes = { 0 };

	netd_put_attach(&wish, &bytes);
	send_to(bench, fd, &bytes);
}

static void the_end_of_a_connection_is_the_end_of_its_nics(void **state)
{
	const struct bench *bench = *state;
	int fd = connect_to(bench);
	int other = connect_to(bench);

	attach_to(bench, fd, 1);
	assert_int_equal(answer_of(fd, NULL), NETD_R_ATTACHED);
	attach_to(bench, other, 2);
	assert_int_equal(answer_of(other, NULL), NETD_R_ATTACHED);
	(void)close(fd);
	settle(bench);
	assert_int_equal(keeper_n_nics(bench->host->keeper), 1);
	/* Half an end is one, too. */
	assert_int_equal(shutdown(other, SHUT_WR), 0);
	settle(bench);
	assert_int_equal(keeper_n_nics(bench->host->keeper), 0);
	(void)close(other);
}

/* QEMU has a duplicate: the connection ends with the last of them. */
static void a_duplicate_keeps_it_alive(void **state)
{
	const struct bench *bench = *state;
	int fd = connect_to(bench);
	int copy = dup(fd);

	attach_to(bench, fd, 1);
	(void)close(fd);
	settle(bench);
	assert_int_equal(keeper_n_nics(bench->host->keeper), 1);
	(void)close(copy);
	settle(bench);
	assert_int_equal(keeper_n_nics(bench->host->keeper), 0);
}

static void garbage_is_cut_off(void **state)
{
	static const struct {
		const char *name;
		const char *bytes;
		size_t len;
	} rows[] = {
		{ "one byte", "x", 1 },
		{ "another protocol", "GET / HTTP/1.0\r\n\r\n", 18 },
		{ "our magic, and no more", "TAND\1\0", 6 },
		{ "an unknown type", "TAND\1\0\x7f\0", 8 },
		{ "bytes left over", "TAND\1\0\4\0x", 9 },
	};
	const struct bench *bench = *state;
	int good = connect_to(bench);

	each_row(rows, row) {
		int fd = connect_to(bench);

		assert_int_equal(send(fd, row->bytes, row->len, 0), row->len);
		settle(bench);
		check(answer_of(fd, NULL) == NETD_R_ERROR, "%s: no error", row->name);
		check(answer_of(fd, NULL) == 0, "%s: goes on", row->name);
		(void)close(fd);
	}
	assert_int_equal(ask(bench, good, NETD_STATUS), NETD_R_STATUS);
	(void)close(good);
}

static void a_packet_has_an_end(void **state)
{
	const struct bench *bench = *state;
	size_t len = NETD_MESSAGE_MAX + 100;
	CLEANUP_FREE char *bytes = xcalloc(1, len);
	int fd = connect_to(bench);

	assert_int_equal(send(fd, bytes, len, 0), len);
	settle(bench);
	assert_int_equal(answer_of(fd, NULL), NETD_R_ERROR);
	assert_int_equal(answer_of(fd, NULL), 0);
	(void)close(fd);
}

static size_t n_descriptors(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 512; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void descriptors_are_not_let_in(void **state)
{
	const struct bench *bench = *state;
	CLEANUP_STR struct str bytes = { 0 };
	int fd = connect_to(bench);
	size_t before = n_descriptors();
	struct err err = { 0 };
	size_t sent;

	netd_put_empty(NETD_STATUS, &bytes);
	assert_int_equal(sock_send(fd, str_span(&bytes), &fd, 1, &sent, &err), SOCK_DONE);
	settle(bench);
	assert_int_equal(answer_of(fd, NULL), NETD_R_ERROR);
	assert_int_equal(answer_of(fd, NULL), 0);
	assert_int_equal(n_descriptors(), before - 1);
	(void)close(fd);
}

static void who_takes_no_answers_holds_up_nobody(void **state)
{
	const struct bench *bench = *state;
	CLEANUP_STR struct str bytes = { 0 };
	int flooder = connect_to(bench);
	int good = connect_to(bench);
	size_t n_sent = 0;
	size_t n_answers = 0;

	netd_put_empty(NETD_STATUS, &bytes);
	for (; send(flooder, bytes.ptr, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL) > 0; n_sent++)
		settle(bench);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(ask(bench, good, NETD_STATUS), NETD_R_STATUS);
	/* It takes them all, and is served again: not one is missing. */
	while (answer_of(flooder, NULL) == NETD_R_STATUS) {
		n_answers++;
		settle(bench);
	}
	assert_int_equal(n_answers, n_sent);
	assert_int_equal(ask(bench, flooder, NETD_STATUS), NETD_R_STATUS);
	(void)close(flooder);
	(void)close(good);
	settle(bench);
}

/* A connection stays waiting, and is taken as soon as there is a descriptor again. */
static void running_out_of_descriptors_ends_nothing(void **state)
{
	const struct bench *bench = *state;
	struct rlimit before;
	struct rlimit few;
	struct err err = { 0 };
	int first = connect_to(bench);
	int second = -1;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	assert_true(sock_connect_packets(bench->host->dir->fd, "s", &second, &err));
	few.rlim_cur = (rlim_t)second + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	settle(bench);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(ask(bench, first, NETD_STATUS), NETD_R_STATUS);
	(void)close(first);
	settle(bench);
	assert_int_equal(ask(bench, second, NETD_STATUS), NETD_R_STATUS);
	(void)close(second);
}

static void answers_are_no_requests(void **state)
{
	const struct bench *bench = *state;
	int fd = connect_to(bench);
	struct netd_failure failure;

	assert_int_equal(ask(bench, fd, NETD_R_DONE), NETD_R_ERROR);
	assert_int_equal(ask(bench, fd, NETD_STATUS), NETD_R_STATUS);
	/* Of the forwarder only. */
	{
		struct netd_alias alias = { .tap = "tart-00000001", .alias = 0x7f000001 };
		CLEANUP_STR struct str bytes = { 0 };

		netd_put_alias(&alias, &bytes);
		send_to(bench, fd, &bytes);
		assert_int_equal(answer_of(fd, &failure), NETD_R_ERROR);
		assert_int_equal(failure.code, NETD_E_INVALID);
	}
	(void)close(fd);
}

static void the_forwarder_is_told(void **state)
{
	struct bench *bench = *state;
	int forwarder = connect_to(bench);
	int vm = connect_to(bench);

	assert_int_equal(ask(bench, forwarder, NETD_FORWARD), NETD_R_FORWARDS);
	assert_int_equal(ask(bench, forwarder, NETD_FORWARD), NETD_R_ERROR);
	attach_to(bench, vm, 1);
	/* What host_start() knows nothing of: the server's own wiring. */
	clients_on_change(bench->clients);
	settle(bench);
	assert_int_equal(answer_of(forwarder, NULL), NETD_R_FORWARDS);
	(void)close(vm);
	settle(bench);
	clients_on_change(bench->clients);
	assert_int_equal(answer_of(forwarder, NULL), NETD_R_FORWARDS);
	(void)close(forwarder);
	settle(bench);
	clients_on_change(bench->clients);
}

static void a_connection_to_nobody_fails(void **state)
{
	const struct bench *bench = *state;
	struct netd_connect wish = { .tap = "tart-00000001", .port = 22 };
	CLEANUP_STR struct str bytes = { 0 };
	struct netd_failure failure;
	int fd = connect_to(bench);

	netd_put_connect(&wish, &bytes);
	send_to(bench, fd, &bytes);
	assert_int_equal(answer_of(fd, &failure), NETD_R_ERROR);
	assert_int_equal(failure.code, NETD_E_MISSING);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bench_test(the_end_of_a_connection_is_the_end_of_its_nics),
		bench_test(a_duplicate_keeps_it_alive),
		bench_test(garbage_is_cut_off),
		bench_test(a_packet_has_an_end),
		bench_test(descriptors_are_not_let_in),
		bench_test(who_takes_no_answers_holds_up_nobody),
		bench_test(running_out_of_descriptors_ends_nothing),
		bench_test(answers_are_no_requests),
		bench_test(the_forwarder_is_told),
		bench_test(a_connection_to_nobody_fails),
	};

	return unit_main(tests);
}
