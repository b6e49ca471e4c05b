/* SPDX-License-Identifier: Apache-2.0 */
/* Two connections joined: bytes, ends of one direction, resets, slow readers. */
#include "netd/joint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

/* A TCP connection over loopback: resets and half-closes are TCP's. */
static void connect_pair(int *ret_near, int *ret_far)
{
	struct sockaddr_in where = { .sin_family = AF_INET,
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(where);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(listener >= 0);
	assert_int_equal(bind(listener, (const struct sockaddr *)&where, sizeof(where)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&where, &len), 0);
	*ret_far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(*ret_far, (const struct sockaddr *)&where, len), 0);
	*ret_near = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(*ret_near >= 0);
	close(listener);
}

struct scene {
	struct loop *loop;
	struct joint *joint;
	int client, server; /* the far ends, blocking */
	int n_ended;
	pthread_t thread;
};

static void joint_on_end(void *ctx)
{
	struct scene *scene = ctx;

	scene->joint = NULL;
	scene->n_ended++;
	loop_stop(scene->loop);
}

static void on_too_late(void *ctx)
{
	(void)ctx;
	fail_msg("nothing happened for twenty seconds");
}

static void set_up(struct scene *scene)
{
	struct err err = { 0 };
	int one, other;

	*scene = (struct scene){ 0 };
	connect_pair(&one, &scene->client);
	connect_pair(&other, &scene->server);
	assert_true(loop_new(&scene->loop, &err));
	loop_arm(loop_add_deadline(scene->loop, on_too_late, NULL), 20000);
	assert_true(joint_new(scene->loop, one, other, joint_on_end, scene, &scene->joint, &err));
}

static void tear_down(struct scene *scene)
{
	joint_free(scene->joint);
	loop_free(scene->loop);
	if (scene->client >= 0)
		close(scene->client);
	if (scene->server >= 0)
		close(scene->server);
}

static void send_all(int fd, size_t n)
{
	char block[65536];

	memset(block, 'x', sizeof(block));
	while (n > 0) {
		size_t chunk = n < sizeof(block) ? n : sizeof(block);
		ssize_t sent = send(fd, block, chunk, MSG_NOSIGNAL);

		if (sent < 0)
			return;
		n -= (size_t)sent;
	}
}

static size_t count_to_end(int fd)
{
	char block[65536];
	size_t total = 0;
	ssize_t n;

	while ((n = recv(fd, block, sizeof(block), 0)) > 0)
		total += (size_t)n;
	return total;
}

#define MANY ((size_t)8 << 20)

/* As a server whose client says "that is all" first: the answer must still come, though longer than any buffer. */
static void *talk_half_closed(void *ctx)
{
	struct scene *scene = ctx;
	size_t *answered = calloc(1, sizeof(*answered));

	send_all(scene->client, 5);
	(void)shutdown(scene->client, SHUT_WR);
	if (count_to_end(scene->server) != 5)
		return answered;
	/* Nobody reads yet: the joint has to wait with its pipe full, and with the server's end hung up. */
	(void)shutdown(scene->server, SHUT_RD);
	send_all(scene->server, 100000);
	(void)shutdown(scene->server, SHUT_WR);
	(void)poll(NULL, 0, 50);
	*answered = count_to_end(scene->client);
	return answered;
}

static void an_end_of_one_direction_leaves_the_other(void **state)
{
	struct scene scene;
	struct err err = { 0 };
	size_t *answered;

	(void)state;
	set_up(&scene);
	assert_int_equal(pthread_create(&scene.thread, NULL, talk_half_closed, &scene), 0);
	assert_true(loop_run(scene.loop, &err));
	assert_int_equal(pthread_join(scene.thread, (void **)&answered), 0);
	assert_int_equal(*answered, 100000);
	assert_int_equal(scene.n_ended, 1);
	free(answered);
	tear_down(&scene);
}

static void *send_much(void *ctx)
{
	struct scene *scene = ctx;

	send_all(scene->server, MANY);
	(void)shutdown(scene->server, SHUT_RDWR);
	return NULL;
}

static void *read_slowly(void *ctx)
{
	struct scene *scene = ctx;
	size_t *got = calloc(1, sizeof(*got));
	char block[65536];
	ssize_t n;

	(void)shutdown(scene->client, SHUT_WR);
	while ((n = recv(scene->client, block, sizeof(block), 0)) > 0) {
		*got += (size_t)n;
		if (*got % (1 << 20) < sizeof(block))
			(void)poll(NULL, 0, 5);
	}
	return got;
}

static void what_was_sent_before_the_end_arrives(void **state)
{
	struct scene scene;
	struct err err = { 0 };
	pthread_t reader;
	size_t *got;

	(void)state;
	set_up(&scene);
	assert_int_equal(pthread_create(&scene.thread, NULL, send_much, &scene), 0);
	assert_int_equal(pthread_create(&reader, NULL, read_slowly, &scene), 0);
	assert_true(loop_run(scene.loop, &err));
	assert_int_equal(pthread_join(scene.thread, NULL), 0);
	assert_int_equal(pthread_join(reader, (void **)&got), 0);
	assert_int_equal(*got, MANY);
	free(got);
	tear_down(&scene);
}

static void a_reset_ends_both(void **state)
{
	const struct linger at_once = { .l_onoff = 1 };
	struct scene scene;
	struct err err = { 0 };
	char byte;

	(void)state;
	set_up(&scene);
	assert_int_equal(setsockopt(scene.client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)),
			 0);
	close(scene.client);
	scene.client = -1;
	assert_true(loop_run(scene.loop, &err));
	assert_int_equal(scene.n_ended, 1);
	assert_true(recv(scene.server, &byte, 1, 0) <= 0);
	tear_down(&scene);
}

static void freeing_closes_without_a_word(void **state)
{
	struct scene scene;
	char byte;

	(void)state;
	set_up(&scene);
	joint_free(scene.joint);
	scene.joint = NULL;
	assert_int_equal(recv(scene.client, &byte, 1, 0), 0);
	assert_int_equal(scene.n_ended, 0);
	tear_down(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_end_of_one_direction_leaves_the_other),
		cmocka_unit_test(what_was_sent_before_the_end_arrives),
		cmocka_unit_test(a_reset_ends_both),
		cmocka_unit_test(freeing_closes_without_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
