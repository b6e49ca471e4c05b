/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of netd/opener.h and netd/devices.h: what is asked for that it does not give, and its end. */
#include "netd/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/attrs.h"
#include "netd/isolate.h"
#include "unit.h"

#define TUN_DEVICE makedev(10, 200)

static struct opener *start(void)
{
	struct opener *opener = NULL;
	struct err err = { 0 };

	check(opener_fork(&opener, &err), "%s", err.text);
	return opener;
}

static const struct row {
	const char *name;
	struct device device;
	const char *why;
} rows[] = {
	{ "no kind", { .kind = 3 }, "there is no such device" },
	{ "a kind far away", { .kind = UINT32_MAX }, "there is no such device" },
	{ "no name", { .kind = DEVICE_MACVTAP, .ifindex = 1 }, "that is no interface of a VM" },
	{ "the prefix alone",
	  { .kind = DEVICE_MACVTAP, .ifindex = 1, .tap = "tart-" },
	  "that is no interface of a VM" },
	{ "somebody else's interface",
	  { .kind = DEVICE_MACVTAP, .ifindex = 1, .tap = "eth0" },
	  "that is no interface of a VM" },
	{ "a path",
	  { .kind = DEVICE_MACVTAP, .ifindex = 1, .tap = "tart-0/../lo" },
	  "that is no interface of a VM" },
	{ "capital digits",
	  { .kind = DEVICE_MACVTAP, .ifindex = 1, .tap = "tart-0000000A" },
	  "that is no interface of a VM" },
	{ "no index", { .kind = DEVICE_MACVTAP, .tap = "tart-0" }, "that is no interface of a VM" },
	{ "a negative index",
	  { .kind = DEVICE_MACVTAP, .ifindex = -1, .tap = "tart-0" },
	  "that is no interface of a VM" },
	{ "an interface that is not there",
	  { .kind = DEVICE_MACVTAP, .ifindex = INT32_MAX, .tap = "tart-00000000" },
	  "/sys is not that of this network namespace: cannot open "
	  "'/sys/class/net/tart-00000000/tap2147483647/dev': No such file or directory" },
};

static void check_refused(struct opener *opener, const char *name, const struct device *device,
			  const char *why)
{
	struct err err = { 0 };
	int fd = -1;

	check(!opener_open(opener, device, &fd, &err), "%s: is opened", name);
	check(strcmp(err.text, why) == 0, "%s: '%s'", name, err.text);
	check(fd == -1, "%s: a descriptor", name);
}

/* By another process, which has narrowed itself, and by this one: the same. */
static void test_refused(void **state)
{
	struct opener *opener = start();

	(void)state;
	each_row(rows, row) {
		check_refused(opener, row->name, &row->device, row->why);
		check_refused(NULL, row->name, &row->device, row->why);
	}
	opener_free(opener);
}

static void test_name_without_end(void **state)
{
	struct device device = { .kind = DEVICE_MACVTAP, .ifindex = 1 };
	struct opener *opener = start();

	(void)state;
	memset(device.tap, '0', sizeof(device.tap));
	memcpy(device.tap, NETD_TAP_PREFIX, strlen(NETD_TAP_PREFIX));
	check_refused(opener, "no end", &device, "that is no interface of a VM");
	opener_free(opener);
}

/* Where this user may have it himself; the opener of another user may have more. */
static void open_tun(struct opener *opener)
{
	const struct device tun = { .kind = DEVICE_TUN };
	struct err err = { 0 };
	struct stat st;
	int fd = -1;

	check(opener_open(opener, &tun, &fd, &err), "%s", err.text);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(S_ISCHR(st.st_mode) && st.st_rdev == TUN_DEVICE);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	(void)close(fd);
}

static bool may_open_tun(void)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

static void test_tun(void **state)
{
	struct opener *opener;

	(void)state;
	if (!may_open_tun())
		skip();
	opener = start();
	for (int i = 0; i < 100; i++)
		open_tun(opener);
	opener_free(opener);
}

struct ending {
	struct loop *loop;
	char why[64];
};

static void on_end(void *ctx, const char *why)
{
	struct ending *ending = ctx;

	(void)snprintf(ending->why, sizeof(ending->why), "%s", why);
	loop_stop(ending->loop);
}

/* The one child of this process. */
static pid_t child_of_ours(void)
{
	char path[64], text[32] = "";
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	(void)fclose(file);
	return (pid_t)strtol(text, NULL, 10);
}

static void test_end(void **state)
{
	struct opener *opener = start();
	struct ending ending = { 0 };
	struct err err = { 0 };
	pid_t pid = child_of_ours();

	(void)state;
	check(loop_new(&ending.loop, &err), "%s", err.text);
	check(opener_watch(opener, ending.loop, on_end, &ending, &err), "%s", err.text);
	if (pid <= 0) {
		opener_free(opener);
		loop_free(ending.loop);
		skip(); /* a kernel without CONFIG_PROC_CHILDREN */
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	check(loop_run(ending.loop, &err), "%s", err.text);
	assert_string_equal(ending.why, "was killed by signal 9 (Killed)");
	/* From now on as this process. */
	check_refused(opener, rows[0].name, &rows[0].device, rows[0].why);
	if (may_open_tun())
		open_tun(opener);
	opener_free(opener);
	loop_free(ending.loop);
}

/* Killed between two turns of the loop: it is the request that finds out. */
static void test_end_unseen(void **state)
{
	struct opener *opener = start();
	pid_t pid = child_of_ours();

	(void)state;
	if (pid > 0)
		assert_int_equal(kill(pid, SIGKILL), 0);
	for (int i = 0; i < 2; i++)
		check_refused(opener, rows[0].name, &rows[0].device, rows[0].why);
	opener_free(opener);
	opener_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),    cmocka_unit_test(test_name_without_end),
		cmocka_unit_test(test_tun),        cmocka_unit_test(test_end),
		cmocka_unit_test(test_end_unseen),
	};

	/* What the opener inherits; the keeper has given up gaining rights by then. */
	if (!isolate_from_gains(&(struct err){ 0 }))
		return 1;
	return unit_main(tests);
}
