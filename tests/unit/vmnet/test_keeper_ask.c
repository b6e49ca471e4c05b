/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of vmnet/keeper.h: requests and answers, good and bad ones, over a socket pair whose other end is the keeper. */
#include <fcntl.h>
#include <sys/socket.h>

#include "base/sock.h"
#include "vmnet/keeper.h"

#include "unit.h"

struct talk {
	struct keeper keeper;
	int far_fd; /* the keeper's end */
};

static int talk_make(void **state)
{
	struct talk *talk = xcalloc(1, sizeof(*talk));
	int fds[2];

	talk->keeper = (struct keeper)KEEPER_INIT;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return -1;
	talk->keeper.fd = fds[0];
	talk->far_fd = fds[1];
	*state = talk;
	return 0;
}

static int talk_done(void **state)
{
	struct talk *talk = *state;

	keeper_close(&talk->keeper);
	cleanup_close(&talk->far_fd);
	free(talk);
	return 0;
}

/* The keeper's answers wait in the socket before they are asked for. */
static void answer(const struct talk *talk, const struct str *packet, const int *fds, size_t n_fds)
{
	struct err err = { 0 };
	size_t sent = 0;

	assert_int_equal(sock_send(talk->far_fd, str_span(packet), fds, n_fds, &sent, &err),
			 SOCK_DONE);
}

static void answer_attached(const struct talk *talk, const int *fds, size_t n_fds)
{
	CLEANUP_STR struct str packet = { 0 };
	const struct netd_attached attached = { .mode = NETD_NAT,
						.tap = "tart-0123abcd",
						.address = 0xc0a8400b,
						.gateway = 0xc0a84001,
						.prefix = 24,
						.mtu = 1500 };

	netd_put_attached(&attached, &packet);
	answer(talk, &packet, fds, n_fds);
}

static bool ask(const struct talk *talk, enum netd_type expected, struct netd_message *ret,
		int fds[NETD_FDS_MAX], enum netd_error *code, struct err *err)
{
	CLEANUP_STR struct str request = { 0 };

	netd_put_empty(NETD_STATUS, &request);
	return keeper_ask(&talk->keeper, &request, expected, ret, fds, code, err);
}

static void takes_the_answer_and_its_descriptors(void **state)
{
	const struct talk *talk = *state;
	CLEANUP(netd_message_done) struct netd_message got = { 0 };
	CLEANUP_CLOSE int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int fds[NETD_FDS_MAX] = { -1, -1 };
	enum netd_error code = NETD_E_KERNEL;
	struct err err = { 0 };

	answer_attached(talk, &null_fd, 1);
	assert_true(ask(talk, NETD_R_ATTACHED, &got, fds, &code, &err));
	assert_string_equal(got.attached.tap, "tart-0123abcd");
	assert_int_equal(got.attached.address, 0xc0a8400b);
	assert_true(fds[0] >= 0);
	assert_int_equal(fcntl(fds[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fds[1], -1);
	assert_int_equal(code, 0);
	cleanup_close(&fds[0]);
}

static void sends_the_request(void **state)
{
	const struct talk *talk = *state;
	CLEANUP(netd_message_done) struct netd_message got = { 0 };
	CLEANUP(netd_message_done) struct netd_message heard = { 0 };
	const struct keeper far = { .fd = talk->far_fd };
	struct err err = { 0 };
	int fds[NETD_FDS_MAX];

	answer_attached(talk, NULL, 0);
	assert_true(ask(talk, NETD_R_ATTACHED, &got, fds, NULL, &err));
	assert_int_equal(fds[0], -1);
	assert_int_equal(keeper_receive(&far, &heard, NULL, &err), SOCK_DONE);
	assert_int_equal(heard.type, NETD_STATUS);
}

static void tells_the_keepers_refusal(void **state)
{
	const struct talk *talk = *state;
	CLEANUP_STR struct str packet = { 0 };
	const struct netd_failure failure = { NETD_E_EXHAUSTED,
					      "all 253 addresses are used by running VMs" };
	struct netd_message got = { .type = NETD_R_DONE };
	enum netd_error code = 0;
	struct err err = { 0 };

	netd_put_error(&failure, &packet);
	answer(talk, &packet, NULL, 0);
	assert_false(ask(talk, NETD_R_ATTACHED, &got, NULL, &code, &err));
	assert_int_equal(code, NETD_E_EXHAUSTED);
	assert_int_equal(err.kind, ERR_GENERAL);
	assert_string_equal(err.text, failure.text);
	assert_int_equal(got.type, NETD_R_DONE); /* untouched */
}

static size_t count_fds(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Whatever is wrong, descriptors that came with it are not left open. */
static void refuses_other_answers(void **state)
{
	const struct talk *talk = *state;
	CLEANUP_CLOSE int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	CLEANUP_STR struct str nonsense = { 0 };
	const int three[] = { null_fd, null_fd, null_fd };
	struct netd_message got = { 0 };
	enum netd_error code = NETD_E_KERNEL;
	size_t before = count_fds();
	int fds[NETD_FDS_MAX];
	struct err err = { 0 };

	answer_attached(talk, three, 2);
	assert_false(ask(talk, NETD_R_STATUS, &got, fds, &code, &err));
	assert_string_equal(err.text,
			    "the keeper of the network has answered with R_ATTACHED, not R_STATUS");
	assert_int_equal(code, 0);
	assert_int_equal(count_fds(), before);

	str_add(&nonsense, "TAND");
	answer(talk, &nonsense, three, 1);
	assert_false(ask(talk, NETD_R_STATUS, &got, fds, NULL, &err));
	assert_non_null(strstr(err.text, "the keeper of the network has sent nonsense: "));
	assert_int_equal(count_fds(), before);

	answer_attached(talk, three, 3);
	assert_false(ask(talk, NETD_R_ATTACHED, &got, fds, NULL, &err));
	assert_string_equal(err.text, "received more descriptors than expected");
	assert_int_equal(count_fds(), before);

	/* Nobody wants any: the kernel lets none in. */
	answer_attached(talk, three, 2);
	assert_true(ask(talk, NETD_R_ATTACHED, &got, NULL, NULL, &err));
	assert_int_equal(count_fds(), before);
}

static void ends_with_the_connection(void **state)
{
	struct talk *talk = *state;
	struct netd_message got = { 0 };
	struct err err = { 0 };

	(void)shutdown(talk->far_fd, SHUT_WR);
	assert_false(ask(talk, NETD_R_STATUS, &got, NULL, NULL, &err));
	assert_int_equal(err.kind, ERR_TRANSPORT);
	cleanup_close(&talk->far_fd);
	talk->far_fd = -1;
	err_clear(&err);
	assert_false(ask(talk, NETD_R_STATUS, &got, NULL, NULL, &err));
	assert_int_equal(err.kind, ERR_TRANSPORT);
	assert_string_equal(err.text, "the keeper of the network has closed the connection");
}

static void does_not_wait_for_ever(void **state)
{
	struct talk *talk = *state;
	struct netd_message got = { 0 };
	struct err err = { 0 };

	talk->keeper.timeout_ms = 1;
	assert_false(ask(talk, NETD_R_STATUS, &got, NULL, NULL, &err));
	assert_int_equal(err.kind, ERR_TRANSPORT);
	assert_string_equal(err.text, "the keeper of the network does not answer");
}

static void answer_page(const struct talk *talk, size_t first, size_t n)
{
	CLEANUP_STR struct str packet = { 0 };
	struct netd_list page = { 0 };

	for (size_t i = 0; i < n; i++) {
		struct netd_nic *nic = vec_push(&page.nics);

		nic->mac = (struct mac){ { 0x52 } };
		(void)snprintf(nic->vm, sizeof(nic->vm), "vm");
		(void)snprintf(nic->tap, sizeof(nic->tap), NETD_TAP_PREFIX "%08zx", first + i);
	}
	netd_put_list(&page, &packet);
	answer(talk, &packet, NULL, 0);
	vec_done(&page.nics);
}

static void check_page_request(const struct talk *talk, const char *after, const struct mac *mac)
{
	CLEANUP(netd_message_done) struct netd_message heard = { 0 };
	const struct keeper far = { .fd = talk->far_fd };
	struct err err = { 0 };

	assert_int_equal(keeper_receive(&far, &heard, NULL, &err), SOCK_DONE);
	assert_int_equal(heard.type, NETD_LIST);
	assert_string_equal(heard.list_request.after, after);
	assert_int_equal(heard.list_request.has_mac, mac != NULL);
	if (mac)
		assert_true(mac_equal(&heard.list_request.mac, mac));
}

static void lists_page_by_page(void **state)
{
	const struct talk *talk = *state;
	const struct mac mac = { { 0x52, 0x54, 0, 1, 2, 3 } };
	struct netd_list all = { 0 };
	struct err err = { 0 };

	answer_page(talk, 0, NETD_LIST_MAX);
	answer_page(talk, NETD_LIST_MAX, 2);
	assert_true(keeper_list(&talk->keeper, &mac, &all, &err));
	assert_int_equal(all.nics.n, NETD_LIST_MAX + 2);
	assert_string_equal(all.nics.v[NETD_LIST_MAX + 1].tap, "tart-00000081");
	check_page_request(talk, "", &mac);
	check_page_request(talk, "tart-0000007f", &mac);
	vec_done(&all.nics);

	answer_page(talk, 0, NETD_LIST_MAX);
	answer_page(talk, 0, 0);
	assert_true(keeper_list(&talk->keeper, NULL, &all, &err));
	assert_int_equal(all.nics.n, NETD_LIST_MAX);
	check_page_request(talk, "", NULL);
	vec_done(&all.nics);
}

#define talk_test(test) cmocka_unit_test_setup_teardown(test, talk_make, talk_done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		talk_test(takes_the_answer_and_its_descriptors),
		talk_test(sends_the_request),
		talk_test(tells_the_keepers_refusal),
		talk_test(refuses_other_answers),
		talk_test(ends_with_the_connection),
		talk_test(does_not_wait_for_ever),
		talk_test(lists_page_by_page),
	};

	return unit_main(tests);
}
