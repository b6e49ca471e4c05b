/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving up what a process of the keeper does not need.
 *
 * 1. isolate_start(), first thing in main. Nothing that a caller left open or set can come in: other descriptors, umask.
 *    No memory lands in a core file, and a thousand VMs fit: the limit of descriptors is raised as far as it goes.
 *    isolate_from_gains(): nothing that is executed later gains rights (no_new_privs).
 * 2. isolate_identity(), when it is known what the process will be. From then on it holds the few capabilities of its role and
 *    cannot get others: being uid 0 gives none (securebits, locked) and executing a program gives none but those that the
 *    role may hand on (bounding set). Another user first, so that files of root are not its own to write.
 * 3. isolate_calls(), before the loop (isolate_calls.c, isolate_files.c): system calls, files.
 *
 * In a user namespace with one user there is nobody else to become: setgroups() is refused there. That leaves uid 0 of
 * that namespace, which is the calling user outside, without what stages 2 and 3 take away.
 */
#include "netd/isolate.h"

#include <errno.h>
#include <grp.h>
#include <linux/securebits.h>
#include <pwd.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attrs.h"
#include "proto/netd.h"

/* The kernel's overflow id, nobody's on every distribution. */
#define NOBODY 65534

bool isolate_start(int n_listen_fds, struct err *err)
{
	struct rlimit none = { 0 };
	struct rlimit files;

	(void)umask(0077);
	if (close_range((unsigned int)(STDERR_FILENO + 1 + n_listen_fds), ~0U, 0) < 0)
		return err_sys(err, errno, "cannot close descriptors");
	if (setrlimit(RLIMIT_CORE, &none) < 0 || getrlimit(RLIMIT_NOFILE, &files) < 0)
		return err_sys(err, errno, "cannot set limits");
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) < 0)
		return err_sys(err, errno, "cannot raise the limit of open files");
	return true;
}

bool isolate_from_gains(struct err *err)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ||
	       err_sys(err, errno, "cannot give up new privileges");
}

static const cap_value_t keeper_caps[] = { CAP_NET_ADMIN, CAP_NET_RAW };
static const cap_value_t starter_caps[] = { CAP_SETUID, CAP_SETGID, CAP_NET_BIND_SERVICE,
					    CAP_KILL };
static const cap_value_t opener_caps[] = { CAP_MKNOD };
static const cap_value_t dns_caps[] = { CAP_NET_BIND_SERVICE };

struct role {
	const cap_value_t *caps;
	int n_caps;
	bool all_needed;
	bool hands_on;        /* executes a program that is to have the capabilities, too */
	bool wants_tart_netd; /* if we may be somebody else */
	bool wants_nobody;    /* if there is no tart-netd, or it was not wanted */
	bool wants_root;
};

static const struct role roles[] = {
	[ISOLATE_KEEPER] = { keeper_caps, ARRAY_LEN(keeper_caps), .all_needed = true,
			     .wants_tart_netd = true },
	[ISOLATE_OWN_KEEPER] = { keeper_caps, ARRAY_LEN(keeper_caps), .all_needed = true },
	[ISOLATE_STARTER] = { starter_caps, ARRAY_LEN(starter_caps), .hands_on = true },
	[ISOLATE_DHCP] = { .wants_nobody = true },
	[ISOLATE_DNS] = { dns_caps, ARRAY_LEN(dns_caps), .hands_on = true, .wants_tart_netd = true,
			  .wants_nobody = true },
	[ISOLATE_FORWARDER] = { 0 },
	[ISOLATE_OPENER] = { opener_caps, ARRAY_LEN(opener_caps), .wants_root = true },
};

static void free_caps(cap_t *slot)
{
	(void)cap_free(*slot);
}

static void free_cap_name(char **slot)
{
	(void)cap_free(*slot);
}

static bool has(cap_t caps, cap_value_t value, cap_flag_t flag)
{
	cap_flag_value_t on = CAP_CLEAR;

	return cap_get_flag(caps, value, flag, &on) == 0 && on == CAP_SET;
}

static bool role_has(const struct role *role, cap_value_t value)
{
	for (int i = 0; i < role->n_caps; i++)
		if (role->caps[i] == value)
			return true;
	return false;
}

/* A change of user is to leave the capabilities alone, as the next step says which stay. */
static bool keep_over_change(struct err *err)
{
	if (cap_get_secbits() & SECBIT_NO_SETUID_FIXUP || prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0)
		return true;
	return err_sys(err, errno, "cannot keep capabilities over a change of user");
}

/*
 * What takes CAP_SETPCAP, which a container may not have given and children of the starter do not have any more. Without it
 * no_new_privs alone stands against getting capabilities back.
 */
static bool lock(const struct role *role, cap_t now, struct err *err)
{
	unsigned int bits = cap_get_secbits() | SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
			    SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED |
			    SECBIT_KEEP_CAPS_LOCKED;

	if (!has(now, CAP_SETPCAP, CAP_EFFECTIVE))
		return keep_over_change(err);
	if (!role->hands_on)
		bits |= SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
	if (cap_set_secbits(bits) < 0)
		return err_sys(err, errno, "cannot lock the secure bits");
	for (cap_value_t value = 0; cap_get_bound(value) >= 0; value++)
		if (!role_has(role, value) && cap_drop_bound(value) < 0)
			return err_sys(err, errno, "cannot cut the bounding set");
	return true;
}

/* Nothing happens where there is nobody else to become: the user namespace has one user, or does not know this one. */
static bool become(const char *name, uid_t uid, gid_t gid, struct err *err)
{
	if ((name ? initgroups(name, gid) : setgroups(0, NULL)) < 0)
		return errno == EPERM || err_sys(err, errno, "cannot set groups");
	if (setresgid(gid, gid, gid) < 0)
		return errno == EINVAL || err_sys(err, errno, "cannot change the group");
	if (setresuid(uid, uid, uid) < 0)
		return err_sys(err, errno, "cannot change the user");
	return true;
}

#define ROOT 0 /* of this user namespace */

/* Root may, and tart-netd as systemd starts it. */
static bool change_user(const struct role *role, cap_t now, struct err *err)
{
	const struct passwd *user = NULL;

	if (!has(now, CAP_SETUID, CAP_EFFECTIVE))
		return true;
	if (role->wants_root)
		return become(NULL, ROOT, ROOT, err);
	if (role->wants_tart_netd)
		user = getpwnam(NETD_USER);
	if (user)
		return become(NETD_USER, user->pw_uid, user->pw_gid, err);
	return !role->wants_nobody || become(NULL, NOBODY, NOBODY, err);
}

static bool set_caps(const struct role *role, cap_t now, cap_t wanted, struct err *err)
{
	for (int i = 0; i < role->n_caps; i++) {
		cap_value_t value = role->caps[i];

		if (!has(now, value, CAP_PERMITTED)) {
			CLEANUP(free_cap_name) char *name = cap_to_name(value);

			if (role->all_needed)
				return err_set(err, ERR_GENERAL, "this needs the capability %s",
					       name ? name : "?");
			continue;
		}
		(void)cap_set_flag(wanted, CAP_PERMITTED, 1, &value, CAP_SET);
		(void)cap_set_flag(wanted, CAP_EFFECTIVE, 1, &value, CAP_SET);
		(void)cap_set_flag(wanted, CAP_INHERITABLE, 1, &value,
				   role->hands_on ? CAP_SET : CAP_CLEAR);
	}
	/* Ambient ones would be cut, too, as they stay below those that are inheritable. */
	if (cap_set_proc(wanted) < 0)
		return err_sys(err, errno, "cannot give up capabilities");
	return true;
}

/* What the program that is executed next will have, where executing gives nothing by itself. */
static bool hand_on(const struct role *role, cap_t wanted, struct err *err)
{
	for (int i = 0; i < role->n_caps; i++)
		if (has(wanted, role->caps[i], CAP_PERMITTED) &&
		    cap_set_ambient(role->caps[i], CAP_SET) < 0)
			return err_sys(err, errno, "cannot hand on a capability");
	return true;
}

bool isolate_identity(enum isolate_role which, struct err *err)
{
	const struct role *role = &roles[which];
	CLEANUP(free_caps) cap_t now = cap_get_proc();
	CLEANUP(free_caps) cap_t wanted = cap_init();

	if (!now || !wanted)
		return err_sys(err, errno, "cannot look at capabilities");
	return lock(role, now, err) && change_user(role, now, err) &&
	       set_caps(role, now, wanted, err) &&
	       (which != ISOLATE_DNS || hand_on(role, wanted, err));
}
