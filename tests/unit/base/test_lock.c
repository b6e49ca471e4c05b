/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of base/lock.h; record locks do not conflict within a process, so a forked one holds them. */
#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/cancel.h"
#include "temp_dir.h"

static int open_file(const struct temp_dir *dir)
{
	int fd = openat(dir->fd, "file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

/* A process that has done something with the file and stays until it is released. */
struct holder {
	pid_t pid;
	int release_fd;
};

static struct holder hold(const struct temp_dir *dir, void (*take)(int fd))
{
	struct holder holder = { 0 };
	int ready[2];
	int release[2];
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(release, O_CLOEXEC), 0);
	holder.pid = fork();
	assert_true(holder.pid >= 0);
	if (holder.pid == 0) {
		(void)close(release[1]);
		take(openat(dir->fd, "file", O_RDWR | O_CLOEXEC));
		(void)!write(ready[1], "x", 1);
		(void)!read(release[0], &byte, 1);
		_exit(0);
	}
	(void)close(ready[1]);
	(void)close(release[0]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	holder.release_fd = release[1];
	return holder;
}

static void release(struct holder holder)
{
	int status;

	(void)close(holder.release_fd);
	assert_int_equal(waitpid(holder.pid, &status, 0), holder.pid);
	assert_int_equal(status, 0);
}

static void take_record(int fd)
{
	struct err err = { 0 };

	if (lock_record_try(fd, &err) != LOCK_TAKEN)
		_exit(1);
}

static void a_record_lock_tells_its_holder(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP_CLOSE int fd = open_file(dir);
	CLEANUP_CLOSE int read_only = openat(dir->fd, "file", O_RDONLY | O_CLOEXEC);
	struct err err = { 0 };
	struct holder holder;
	pid_t pid = 4711;

	assert_false(lock_record_is_held(fd, &pid));
	assert_int_equal(pid, 4711);
	holder = hold(dir, take_record);
	assert_true(lock_record_is_held(read_only, &pid));
	assert_int_equal(pid, holder.pid);
	assert_int_equal(lock_record_try(fd, &err), LOCK_BUSY);
	release(holder);
	assert_false(lock_record_is_held(read_only, &pid));
	assert_int_equal(lock_record_try(fd, &err), LOCK_TAKEN);
}

static void take_and_give_back_record(int fd)
{
	take_record(fd);
	lock_record_release(fd);
}

static void a_released_record_lock_is_free(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP_CLOSE int fd = open_file(dir);
	struct holder holder = hold(dir, take_and_give_back_record);
	struct err err = { 0 };
	pid_t pid = 0;

	assert_false(lock_record_is_held(fd, &pid));
	assert_int_equal(lock_record_try(fd, &err), LOCK_TAKEN);
	release(holder);
}

static void a_record_lock_needs_a_writable_descriptor(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP_CLOSE int fd = open_file(dir);
	CLEANUP_CLOSE int read_only = openat(dir->fd, "file", O_RDONLY | O_CLOEXEC);
	struct err err = { 0 };

	assert_true(fd >= 0);
	assert_int_equal(lock_record_try(read_only, &err), LOCK_FAILED);
	assert_int_equal(err.sys, EBADF);
}

static void asking_a_bad_descriptor_means_not_held(void **state)
{
	pid_t pid = 0;

	(void)state;
	assert_false(lock_record_is_held(-1, &pid));
}

static void a_flock_excludes_other_descriptors_until_closed(void **state)
{
	const struct temp_dir *dir = *state;
	int first = dup(dir->fd);
	CLEANUP_CLOSE int second = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_CLOSE int third = open_file(dir);
	struct err err = { 0 };

	assert_int_equal(lock_try(first, &err), LOCK_TAKEN);
	assert_int_equal(lock_try(first, &err), LOCK_TAKEN);
	assert_int_equal(lock_try(second, &err), LOCK_BUSY);
	assert_int_equal(lock_try(third, &err), LOCK_TAKEN);
	(void)close(first);
	/* dir->fd is the same open file description: still locked. */
	assert_int_equal(lock_try(second, &err), LOCK_BUSY);
	assert_int_equal(lock_try(-1, &err), LOCK_FAILED);
	assert_int_equal(err.sys, EBADF);
	assert_false(lock_wait(-1, &err));
}

static void take_flock(int fd)
{
	struct err err = { 0 };

	if (lock_try(fd, &err) != LOCK_TAKEN)
		_exit(1);
}

static void waiting_ends_when_the_holder_does(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP_CLOSE int fd = open_file(dir);
	struct holder holder = hold(dir, take_flock);
	struct err err = { 0 };

	assert_int_equal(lock_try(fd, &err), LOCK_BUSY);
	assert_int_equal(kill(holder.pid, SIGKILL), 0);
	assert_true(lock_wait(fd, &err));
	(void)close(holder.release_fd);
	assert_int_equal(waitpid(holder.pid, NULL, 0), holder.pid);
}

/* In a child, since the request to cancel cannot be taken back. */
static int wait_cancelled(const struct temp_dir *dir)
{
	int fd = open_file(dir);
	struct err err = { 0 };

	cancel_install();
	(void)raise(SIGTERM);
	/* The signal came before the call: only what interrupts again and again ends it. */
	return !lock_wait(fd, &err) && err.kind == ERR_CANCELLED ? 0 : 1;
}

static void waiting_ends_on_cancellation(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP_CLOSE int fd = open_file(dir);
	struct holder holder = hold(dir, take_flock);
	int status = -1;
	pid_t pid = fork();

	assert_true(fd >= 0);
	if (pid == 0)
		_exit(wait_cancelled(dir));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	release(holder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		temp_dir_test(a_record_lock_tells_its_holder),
		temp_dir_test(a_released_record_lock_is_free),
		temp_dir_test(a_record_lock_needs_a_writable_descriptor),
		cmocka_unit_test(asking_a_bad_descriptor_means_not_held),
		temp_dir_test(a_flock_excludes_other_descriptors_until_closed),
		temp_dir_test(waiting_ends_when_the_holder_does),
		temp_dir_test(waiting_ends_on_cancellation),
	};

	return unit_main(tests);
}
