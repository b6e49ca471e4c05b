/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of netd/dhcp_link.h: what is told to a child, and what one that lies can say. The child is this test. */
#include "netd/dhcp_link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sock.h"
#include "netd/dhcp_socket.h"
#include "netd/dhcp_talk.h"
#include "unit.h"

/* In place of dhcp_socket.c: packet sockets need CAP_NET_RAW, and interfaces. */

static bool sockets_fail;

static bool open_null(int *ret_fd, struct err *err)
{
	if (sockets_fail)
		return err_set(err, ERR_GENERAL, "no socket");
	*ret_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	return true;
}

bool dhcp_socket_serve(int ifindex, int *ret_fd, struct err *err)
{
	(void)ifindex;
	return open_null(ret_fd, err);
}

bool dhcp_socket_snoop(int ifindex, const struct mac *mac, int *ret_fd, struct err *err)
{
	(void)ifindex, (void)mac;
	return open_null(ret_fd, err);
}

struct bench {
	struct loop *loop;
	struct dhcp_link *link;
	int child; /* its end; -1 = there is none */
	char heard[256];
};

static void hear(struct bench *bench, const char *what, const char *tap, uint32_t number)
{
	size_t len = strlen(bench->heard);

	(void)snprintf(bench->heard + len, sizeof(bench->heard) - len, "%s %s %u\n", what, tap,
		       number);
}

static void on_bound(void *ctx, const char *tap, int64_t now_s, uint32_t lease_s)
{
	assert_true(now_s > 0);
	hear(ctx, "bound", tap, lease_s);
}

static void on_released(void *ctx, const char *tap)
{
	hear(ctx, "released", tap, 0);
}

static void on_declined(void *ctx, const char *tap)
{
	hear(ctx, "declined", tap, 0);
}

static void on_seen(void *ctx, const char *tap, const struct dhcp_sighting *sighting)
{
	hear(ctx, sighting->by_dhcp ? "seen by DHCP" : "seen by ARP", tap, sighting->address);
}

static void on_ended(void *ctx)
{
	hear(ctx, "ended", "", 0);
}

static const struct dhcp_link_events events = {
	.bound = on_bound,
	.released = on_released,
	.declined = on_declined,
	.seen = on_seen,
	.ended = on_ended,
};

static void stop(void *ctx)
{
	loop_stop(ctx);
}

/* Everything that is ready, and what becomes ready by it. */
static void settle(const struct bench *bench)
{
	struct loop_source *deadline = loop_add_deadline(bench->loop, stop, bench->loop);
	struct err err = { 0 };

	for (int i = 0; i < 4; i++) {
		loop_arm(deadline, 0);
		check(loop_run(bench->loop, &err), "%s", err.text);
	}
	loop_remove(&deadline);
}

static void connect_child(struct bench *bench)
{
	struct err err = { 0 };
	int fds[2];

	cleanup_close(&bench->child);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	bench->child = fds[1];
	check(dhcp_link_connect(bench->link, fds[0], &err), "%s", err.text);
	settle(bench);
}

static int bench_make(void **state)
{
	struct bench *bench = xcalloc(1, sizeof(*bench));
	struct err err = { 0 };

	sockets_fail = false;
	bench->child = -1;
	*state = bench;
	return loop_new(&bench->loop, &err) &&
			       dhcp_link_new(bench->loop, &events, bench, &bench->link, &err) ?
		       0 :
		       -1;
}

static int bench_remove(void **state)
{
	struct bench *bench = *state;

	dhcp_link_free(bench->link);
	loop_free(bench->loop);
	cleanup_close(&bench->child);
	free(bench);
	return 0;
}

#define bench_test(test) cmocka_unit_test_setup_teardown(test, bench_make, bench_remove)

static const struct mac mac = { { 0x52, 0x54, 0, 0xaa, 0, 1 } };

static void serve(const struct bench *bench, const char *tap)
{
	const struct dhcp_offer offer = { .mac = mac, .lease_s = 600, .address = 0xc0a8400b };
	struct err err = { 0 };

	check(dhcp_link_serve(bench->link, tap, 7, &offer, &err), "%s", err.text);
}

static void snoop(const struct bench *bench, const char *tap)
{
	struct err err = { 0 };

	check(dhcp_link_snoop(bench->link, tap, 7, &mac, &err), "%s", err.text);
}

/* "serve tart-1 fd", or "" when there is nothing. */
static const char *order_of(const struct bench *bench, struct dhcp_order *ret)
{
	static const char *const kinds[] = { "serve", "snoop", "forget" };
	static char text[64];
	struct err err = { 0 };
	size_t len = 0, n_fds = 0;
	int fd = -1;

	assert_int_equal(fcntl(bench->child, F_SETFL, O_NONBLOCK), 0);
	if (sock_recv(bench->child, ret, sizeof(*ret), &len, &fd, 1, &n_fds, &err) != SOCK_DONE)
		return "";
	assert_int_equal(len, sizeof(*ret));
	(void)snprintf(text, sizeof(text), "%s %s%s", kinds[ret->kind], ret->tap,
		       n_fds > 0 ? " fd" : "");
	if (n_fds > 0)
		(void)close(fd);
	return text;
}

static void assert_order(const struct bench *bench, const char *want)
{
	struct dhcp_order order;

	assert_string_equal(order_of(bench, &order), want);
}

static void say(const struct bench *bench, const void *bytes, size_t len)
{
	assert_int_equal(send(bench->child, bytes, len, MSG_NOSIGNAL), len);
	settle(bench);
}

static struct dhcp_report report(uint32_t kind, const char *tap)
{
	struct dhcp_report report = { .kind = kind, .address = 5, .by_dhcp = 256 };

	(void)snprintf(report.tap, sizeof(report.tap), "%s", tap);
	return report;
}

static void assert_heard(struct bench *bench, const char *want)
{
	assert_string_equal(bench->heard, want);
	bench->heard[0] = '\0';
}

static void test_orders(void **state)
{
	struct bench *bench = *state;
	struct dhcp_order order;

	connect_child(bench);
	serve(bench, "tart-1");
	assert_string_equal(order_of(bench, &order), "serve tart-1 fd");
	assert_int_equal(order.offer.address, 0xc0a8400b);
	snoop(bench, "tart-2");
	assert_string_equal(order_of(bench, &order), "snoop tart-2 fd");
	assert_memory_equal(&order.offer.mac, &mac, sizeof(mac));
	/* Once more: with a socket of its own. */
	serve(bench, "tart-1");
	assert_order(bench, "serve tart-1 fd");
	dhcp_link_forget(bench->link, "tart-1");
	assert_order(bench, "forget tart-1");
	dhcp_link_forget(bench->link, "tart-1");
	dhcp_link_forget(bench->link, "tart-nosuch");
	assert_order(bench, "");
}

/* What was ordered before there is a child goes to the first, and to each that follows. */
static void test_another_child(void **state)
{
	struct bench *bench = *state;

	serve(bench, "tart-1");
	serve(bench, "tart-2");
	dhcp_link_forget(bench->link, "tart-2");
	for (int i = 0; i < 3; i++) {
		connect_child(bench);
		assert_order(bench, "serve tart-1 fd");
		assert_order(bench, "");
	}
	assert_heard(bench, "");
	cleanup_close(&bench->child);
	bench->child = -1;
	settle(bench);
	assert_heard(bench, "ended  0\n");
	snoop(bench, "tart-3");
	connect_child(bench);
	assert_order(bench, "snoop tart-3 fd");
	assert_order(bench, "serve tart-1 fd");
	assert_order(bench, "");
}

/* One whose interface has gone is left out, and told nothing of. */
static void test_no_socket(void **state)
{
	const struct dhcp_offer offer = { .mac = mac };
	struct bench *bench = *state;
	struct err err = { 0 };

	connect_child(bench);
	serve(bench, "tart-1");
	assert_order(bench, "serve tart-1 fd");
	sockets_fail = true;
	assert_false(dhcp_link_serve(bench->link, "tart-2", 8, &offer, &err));
	connect_child(bench);
	assert_order(bench, "");
	sockets_fail = false;
	connect_child(bench);
	assert_order(bench, "serve tart-1 fd");
}

/* A child that does not read for a while misses nothing, and stops nobody. */
static void test_slow_child(void **state)
{
	struct bench *bench = *state;
	char tap[NETD_IF_SIZE];
	unsigned int n = 0;
	struct dhcp_order order;

	connect_child(bench);
	for (unsigned int i = 0; i < 2000; i++) {
		(void)snprintf(tap, sizeof(tap), "tart-%u", i);
		dhcp_link_forget(bench->link, tap);
		serve(bench, tap);
		if (i % 2 == 0)
			dhcp_link_forget(bench->link, tap);
	}
	for (int i = 0; i < 20000; i++) {
		const char *text = order_of(bench, &order);

		if (*text == '\0')
			settle(bench);
		n += strncmp(text, "serve", 5) == 0 && strtoul(order.tap + 5, NULL, 10) % 2 == 1;
		if (n == 1000)
			break;
	}
	assert_int_equal(n, 1000);
	assert_heard(bench, "");
}

static const struct row {
	const char *name;
	uint32_t kind;
	const char *tap; /* tart-1 is served, tart-2 only listened to */
	const char *heard;
} rows[] = {
	{ "a lease", DHCP_REPORT_BOUND, "tart-1", "bound tart-1 600\n" },
	{ "its end", DHCP_REPORT_RELEASED, "tart-1", "released tart-1 0\n" },
	{ "an address that others have", DHCP_REPORT_DECLINED, "tart-1", "declined tart-1 0\n" },
	{ "an address of others", DHCP_REPORT_SEEN, "tart-2", "seen by DHCP tart-2 5\n" },
	{ "of a TAP that it was not given", DHCP_REPORT_BOUND, "tart-3", "" },
	{ "of a TAP without a name", DHCP_REPORT_BOUND, "", "" },
	{ "a lease where it only listens", DHCP_REPORT_BOUND, "tart-2", "ended  0\n" },
	{ "an end where it only listens", DHCP_REPORT_RELEASED, "tart-2", "ended  0\n" },
	{ "an address where it serves", DHCP_REPORT_SEEN, "tart-1", "ended  0\n" },
	{ "no such kind", 4, "tart-1", "ended  0\n" },
	{ "no such kind by far", UINT32_MAX, "tart-1", "ended  0\n" },
};

static void test_reports(void **state)
{
	struct bench *bench = *state;

	serve(bench, "tart-1");
	snoop(bench, "tart-2");
	each_row(rows, row) {
		struct dhcp_report say_this = report(row->kind, row->tap);

		connect_child(bench);
		say(bench, &say_this, sizeof(say_this));
		check(strcmp(bench->heard, row->heard) == 0, "%s: '%s'", row->name, bench->heard);
		bench->heard[0] = '\0';
	}
}

static void test_nonsense(void **state)
{
	struct bench *bench = *state;
	struct dhcp_report full = report(DHCP_REPORT_BOUND, "tart-1");
	char longer[sizeof(full) + 1];

	serve(bench, "tart-1");
	memset(full.tap, 'x', sizeof(full.tap));
	memset(longer, 0, sizeof(longer));
	connect_child(bench);
	say(bench, &full, sizeof(full)); /* a name without an end */
	assert_heard(bench, "ended  0\n");
	connect_child(bench);
	say(bench, &full, sizeof(full) - 1);
	assert_heard(bench, "ended  0\n");
	connect_child(bench);
	say(bench, longer, sizeof(longer));
	assert_heard(bench, "ended  0\n");
}

/* It had said so before it was told to forget. */
static void test_late_report(void **state)
{
	struct bench *bench = *state;
	struct dhcp_report late = report(DHCP_REPORT_BOUND, "tart-1");

	connect_child(bench);
	serve(bench, "tart-1");
	dhcp_link_forget(bench->link, "tart-1");
	say(bench, &late, sizeof(late));
	assert_heard(bench, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bench_test(test_orders),      bench_test(test_another_child),
		bench_test(test_no_socket),   bench_test(test_slow_child),
		bench_test(test_reports),     bench_test(test_nonsense),
		bench_test(test_late_report),
	};

	return unit_main(tests);
}
