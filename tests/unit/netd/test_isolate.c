/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of isolate_identity(): what a process of each role is, and has, afterwards, as the kernel says. */
#include "netd/isolate.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "proto/netd.h"
#include "unit.h"

#define NOBODY 65534

#define BIT(capability) (1ull << (capability))

struct identity {
	uint64_t permitted, effective, inheritable, bounding, ambient;
	uid_t uid;
	gid_t gid;
	int n_groups;
	int securebits;
	bool refused;
};

static uint64_t read_caps(const struct str *status, const char *name)
{
	const char *line = strstr(str_text(status), name);

	assert_non_null(line);
	return strtoull(line + strlen(name), NULL, 16);
}

static void look(struct identity *ret)
{
	CLEANUP_STR struct str status = { 0 };
	struct err err = { 0 };

	check(fs_read_file(AT_FDCWD, "/proc/self/status", 65536, &status, &err), "%s", err.text);
	ret->permitted = read_caps(&status, "CapPrm:\t");
	ret->effective = read_caps(&status, "CapEff:\t");
	ret->inheritable = read_caps(&status, "CapInh:\t");
	ret->bounding = read_caps(&status, "CapBnd:\t");
	ret->ambient = read_caps(&status, "CapAmb:\t");
	ret->uid = geteuid();
	ret->gid = getegid();
	ret->n_groups = getgroups(0, NULL);
	ret->securebits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
}

/* What a process sees of itself after it has become this. */
static struct identity become(enum isolate_role role)
{
	struct identity seen = { 0 };
	int ends[2];
	pid_t pid;
	int status = 0;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct err err = { 0 };

		if (isolate_from_gains(&err) && isolate_identity(role, &err))
			look(&seen);
		else
			seen.refused = true;
		_exit(write(ends[1], &seen, sizeof(seen)) == sizeof(seen) ? 0 : 1);
	}
	(void)close(ends[1]);
	assert_int_equal(read(ends[0], &seen, sizeof(seen)), sizeof(seen));
	(void)close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return seen;
}

#define KEEPER_CAPS  (BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW))
#define STARTER_CAPS (BIT(CAP_SETUID) | BIT(CAP_SETGID) | BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_KILL))

enum whom { SAME, ROOT, TART_NETD, SOMEBODY, ANYBODY_ELSE };

static const struct row {
	const char *name;
	enum isolate_role role;
	uint64_t caps;
	bool all_needed, hands_on, ambient;
	enum whom whom;
} rows[] = {
	{ "keeper", ISOLATE_KEEPER, KEEPER_CAPS, true, false, false, TART_NETD },
	{ "own keeper", ISOLATE_OWN_KEEPER, KEEPER_CAPS, true, false, false, SAME },
	{ "starter", ISOLATE_STARTER, STARTER_CAPS, false, true, false, SAME },
	{ "DHCP child", ISOLATE_DHCP, 0, false, false, false, SOMEBODY },
	{ "dnsmasq", ISOLATE_DNS, BIT(CAP_NET_BIND_SERVICE), false, true, true, ANYBODY_ELSE },
	{ "forwarder", ISOLATE_FORWARDER, 0, false, false, false, SAME },
	{ "opener", ISOLATE_OPENER, BIT(CAP_MKNOD), false, false, false, ROOT },
};

/* Where the process may not change its user it is who it was. */
static uid_t expected_uid(const struct row *row, const struct identity *before)
{
	const struct passwd *tart_netd = getpwnam(NETD_USER);

	if (row->whom == SAME || !(before->effective & BIT(CAP_SETUID)))
		return before->uid;
	if (row->whom == ROOT)
		return 0;
	if (row->whom == SOMEBODY)
		return NOBODY;
	if (tart_netd)
		return tart_netd->pw_uid;
	return row->whom == ANYBODY_ELSE ? NOBODY : before->uid;
}

static void check_caps(const struct row *row, const struct identity *before,
		       const struct identity *after)
{
	uint64_t caps = row->caps & before->permitted;

	check(after->effective == caps && after->permitted == caps, "%s: has %#jx of %#jx",
	      row->name, (uintmax_t)after->effective, (uintmax_t)after->permitted);
	check(after->inheritable == (row->hands_on ? caps : 0), "%s: hands on %#jx", row->name,
	      (uintmax_t)after->inheritable);
	check(after->ambient == (row->ambient ? caps : 0), "%s: ambient %#jx", row->name,
	      (uintmax_t)after->ambient);
}

/* What needs CAP_SETPCAP: that nothing comes back. */
static void check_locks(const struct row *row, const struct identity *before,
			const struct identity *after)
{
	const int locked = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
			   SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED;

	if (!(before->effective & BIT(CAP_SETPCAP)))
		return;
	check(after->bounding == (row->caps & before->bounding), "%s: could get %#jx", row->name,
	      (uintmax_t)after->bounding);
	check((after->securebits & locked) == locked, "%s: securebits %#x", row->name,
	      (unsigned int)after->securebits);
	check(row->hands_on || after->securebits & SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED,
	      "%s: could raise ambient capabilities", row->name);
}

static void test_identity(void **state)
{
	struct identity before = { 0 };

	(void)state;
	look(&before);
	each_row(rows, row) {
		struct identity after = become(row->role);
		bool lacks = row->all_needed && (row->caps & before.permitted) != row->caps;

		check(after.refused == lacks, "%s: refused %d", row->name, after.refused);
		if (after.refused)
			continue;
		check(after.uid == expected_uid(row, &before), "%s: is user %u", row->name,
		      after.uid);
		check(after.uid == before.uid || after.n_groups <= 1, "%s: is in %d groups",
		      row->name, after.n_groups);
		check_caps(row, &before, &after);
		check_locks(row, &before, &after);
	}
}

/* isolate_start(): nothing that was left open, no core, no files for others. */
static void test_start(void **state)
{
	int status = 0;
	pid_t pid;

	(void)state;
	assert_int_not_equal(dup2(STDOUT_FILENO, 99), -1);
	assert_int_not_equal(dup2(STDOUT_FILENO, 100), -1);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct rlimit core, files;
		struct err err = { 0 };

		if (!isolate_start(97, &err) || fcntl(99, F_GETFD) < 0 || fcntl(100, F_GETFD) >= 0)
			_exit(1);
		if (getrlimit(RLIMIT_CORE, &core) < 0 || core.rlim_max != 0)
			_exit(2);
		if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur != files.rlim_max)
			_exit(3);
		_exit(umask(0) == 0077 ? 0 : 4);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	(void)close(99);
	(void)close(100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_start),
	};

	return unit_main(tests);
}
