/* SPDX-License-Identifier: Apache-2.0 */
/* Socket pairs, Unix listeners below long paths, descriptors in messages. */
#include "base/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fs.h"
#include "unit.h"

struct place {
	char root[64];
	int dirfd; /* below a path longer than any socket address */
};

static int make_place(void **state)
{
	static struct place place;
	char name[101];
	struct err err = { 0 };
	int fd;

	(void)snprintf(place.root, sizeof(place.root), "/tmp/test_sock.XXXXXX");
	if (!mkdtemp(place.root))
		return -1;
	memset(name, 'd', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	fd = open(place.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 3; i++) {
		int below;

		if (!fs_make_dir(fd, name, 0700, &err) || !fs_open_dir(fd, name, &below, &err))
			return -1;
		(void)close(fd);
		fd = below;
	}
	place.dirfd = fd;
	*state = &place;
	return 0;
}

static int remove_place(void **state)
{
	struct place *place = *state;
	struct err err = { 0 };

	(void)close(place->dirfd);
	return fs_remove_tree(AT_FDCWD, place->root, &err) ? 0 : -1;
}

static int accept_one(int listen_fd)
{
	struct pollfd poll_fd = { .fd = listen_fd, .events = POLLIN };
	struct err err = { 0 };
	int fd = -1;

	assert_int_equal(poll(&poll_fd, 1, 10000), 1);
	assert_int_equal(sock_accept(listen_fd, &fd, &err), SOCK_DONE);
	return fd;
}

static void listens_below_a_long_path(void **state)
{
	const struct place *place = *state;
	CLEANUP_CLOSE int listener = -1;
	CLEANUP_CLOSE int client = -1;
	CLEANUP_CLOSE int served = -1;
	struct err err = { 0 };
	struct stat st;
	uid_t uid = (uid_t)-1;
	int none = -1;

	assert_true(sock_listen_unix(place->dirfd, "vnc.sock", &listener, &err));
	assert_int_equal(fstatat(place->dirfd, "vnc.sock", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(sock_accept(listener, &none, &err), SOCK_LATER);
	assert_true(sock_connect_unix(place->dirfd, "vnc.sock", &client, &err));
	served = accept_one(listener);
	assert_true(sock_peer_uid(served, &uid, &err));
	assert_int_equal(uid, getuid());
	assert_int_equal(fcntl(served, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

static void connects_to_a_socket_of_packets(void **state)
{
	const struct place *place = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	CLEANUP_CLOSE int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	CLEANUP_CLOSE int client = -1;
	CLEANUP_CLOSE int served = -1;
	struct err err = { 0 };
	char got[8];
	size_t n = 0;

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/packets",
		       place->dirfd);
	assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_false(sock_connect_packets(place->dirfd, "packets", &client, &err));
	assert_int_equal(err.sys, ECONNREFUSED);
	assert_int_equal(listen(listener, 1), 0);
	assert_true(sock_connect_packets(place->dirfd, "packets", &client, &err));
	assert_int_equal(fcntl(client, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	served = accept_one(listener);
	assert_int_equal(sock_recv(client, got, sizeof(got), &n, NULL, 0, NULL, &err), SOCK_LATER);
	assert_int_equal(sock_send(served, span_of("one"), NULL, 0, &n, &err), SOCK_DONE);
	assert_int_equal(sock_send(served, span_of("two"), NULL, 0, &n, &err), SOCK_DONE);
	assert_int_equal(sock_recv(client, got, sizeof(got), &n, NULL, 0, NULL, &err), SOCK_DONE);
	assert_int_equal(n, 3);
	assert_false(sock_connect_unix(place->dirfd, "packets", &client, &err));
}

static void replaces_a_stale_socket_but_nothing_else(void **state)
{
	const struct place *place = *state;
	CLEANUP_CLOSE int first = -1;
	CLEANUP_CLOSE int second = -1;
	CLEANUP_CLOSE int file = -1;
	int third = -1;
	struct err err = { 0 };

	assert_true(sock_listen_unix(place->dirfd, "stale", &first, &err));
	assert_true(sock_listen_unix(place->dirfd, "stale", &second, &err));
	file = openat(place->dirfd, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(file >= 0);
	assert_false(sock_listen_unix(place->dirfd, "file", &third, &err));
	assert_string_equal(err.text, "'file' is in the way: it is no socket");
	assert_true(fs_exists(place->dirfd, "file"));
	assert_int_equal(third, -1);
}

static void refuses_a_name_beyond_the_address(void **state)
{
	const struct place *place = *state;
	char name[120];
	struct err err = { 0 };
	int fd = -1;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_false(sock_listen_unix(place->dirfd, name, &fd, &err));
	assert_int_equal(err.sys, ENAMETOOLONG);
}

static void a_local_port_is_only_local(void **state)
{
	CLEANUP_CLOSE int fd = -1;
	struct err err = { 0 };
	uint16_t port = 0;

	(void)state;
	assert_true(sock_listen_local_tcp(&fd, &port, &err));
	assert_int_not_equal(port, 0);
}

static void descriptors_travel_with_bytes(void **state)
{
	CLEANUP_CLOSE int ours = -1;
	CLEANUP_CLOSE int theirs = -1;
	CLEANUP_CLOSE int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct err err = { 0 };
	struct stat st;
	char buf[16];
	int fds[2] = { -1, -1 };
	size_t len = 0;
	size_t n = 0;

	(void)state;
	assert_true(sock_pair(&ours, &theirs, &err));
	assert_int_equal(sock_send(ours, span_of("hello"), &null, 1, &len, &err), SOCK_DONE);
	assert_int_equal(len, 5);
	assert_int_equal(sock_recv(theirs, buf, sizeof(buf), &len, fds, 2, &n, &err), SOCK_DONE);
	assert_int_equal(len, 5);
	assert_memory_equal(buf, "hello", 5);
	assert_int_equal(n, 1);
	assert_int_equal(fstat(fds[0], &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(fcntl(fds[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	(void)close(fds[0]);
}

/* The lowest free descriptor number: unchanged when nothing leaked. */
static int next_fd(void)
{
	int fd = dup(0);

	(void)close(fd);
	return fd;
}

static void too_many_descriptors_are_closed_and_refused(void **state)
{
	static const struct {
		const char *name;
		size_t max;
		enum sock_result want;
	} rows[] = {
		{ "one expected, three sent", 1, SOCK_FAILED },
		{ "none let in", 0, SOCK_DONE },
	};

	(void)state;
	each_row(rows, row) {
		CLEANUP_CLOSE int ours = -1;
		CLEANUP_CLOSE int theirs = -1;
		const int sent[] = { 0, 0, 0 };
		struct err err = { 0 };
		char buf[16];
		int fds[1] = { -1 };
		size_t len = 0;
		size_t n = 0;
		int before;

		assert_true(sock_pair(&ours, &theirs, &err));
		before = next_fd();
		assert_int_equal(sock_send(ours, span_of("x"), sent, 3, &len, &err), SOCK_DONE);
		check(sock_recv(theirs, buf, sizeof(buf), &len, fds, row->max, &n, &err) ==
			      row->want,
		      "%s", row->name);
		check(next_fd() == before, "%s: a descriptor leaked", row->name);
	}
}

static void a_gone_peer_is_closed_not_a_signal(void **state)
{
	CLEANUP_CLOSE int ours = -1;
	int theirs = -1;
	struct err err = { 0 };
	char buf[4];
	size_t len = 0;

	(void)state;
	assert_true(sock_pair(&ours, &theirs, &err));
	assert_int_equal(sock_recv(ours, buf, sizeof(buf), &len, NULL, 0, NULL, &err), SOCK_LATER);
	(void)close(theirs);
	assert_int_equal(sock_send(ours, span_of("x"), NULL, 0, &len, &err), SOCK_CLOSED);
	assert_int_equal(sock_recv(ours, buf, sizeof(buf), &len, NULL, 0, NULL, &err), SOCK_CLOSED);
}

static void a_full_socket_is_later(void **state)
{
	static char block[65536];
	CLEANUP_CLOSE int ours = -1;
	CLEANUP_CLOSE int theirs = -1;
	struct err err = { 0 };
	enum sock_result result = SOCK_DONE;
	size_t len = 0;

	(void)state;
	assert_true(sock_pair(&ours, &theirs, &err));
	for (int i = 0; i < 1000 && result == SOCK_DONE; i++)
		result = sock_send(ours, span_make(block, sizeof(block)), NULL, 0, &len, &err);
	assert_int_equal(result, SOCK_LATER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(listens_below_a_long_path),
		cmocka_unit_test(connects_to_a_socket_of_packets),
		cmocka_unit_test(replaces_a_stale_socket_but_nothing_else),
		cmocka_unit_test(refuses_a_name_beyond_the_address),
		cmocka_unit_test(a_local_port_is_only_local),
		cmocka_unit_test(descriptors_travel_with_bytes),
		cmocka_unit_test(too_many_descriptors_are_closed_and_refused),
		cmocka_unit_test(a_gone_peer_is_closed_not_a_signal),
		cmocka_unit_test(a_full_socket_is_later),
	};

	return cmocka_run_group_tests(tests, make_place, remove_place);
}
