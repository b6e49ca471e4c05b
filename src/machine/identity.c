/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing the user that QEMU runs as. */
#include "machine/identity.h"

#include <errno.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define PASSWD_SIZE (64 * 1024) /* bytes of one entry: more than any name service gives */

/* Looks up by name, or by uid when name is NULL. *ret_found = false when there is no such entry. */
static bool find_user(const char *name, uid_t uid, bool *ret_found, struct child_identity *ret,
		      struct err *err)
{
	CLEANUP_FREE char *buf = xcalloc(PASSWD_SIZE, 1);
	struct passwd entry;
	struct passwd *found = NULL;
	int why = name ? getpwnam_r(name, &entry, buf, PASSWD_SIZE, &found) :
			 getpwuid_r(uid, &entry, buf, PASSWD_SIZE, &found);

	if (why != 0 && why != ENOENT)
		return err_sys(err, why, "cannot look up a user");
	*ret_found = found != NULL;
	if (found)
		*ret = (struct child_identity){ .uid = entry.pw_uid, .gid = entry.pw_gid };
	return true;
}

static bool become_owner(const struct stat *bundle, struct child_identity *ret, struct err *err)
{
	bool found = false;

	if (!find_user(NULL, bundle->st_uid, &found, ret, err))
		return false;
	if (!found) /* a number without a name, as in containers */
		*ret = (struct child_identity){ .uid = bundle->st_uid, .gid = bundle->st_gid };
	return true;
}

static bool become_named(const char *user_env, struct child_identity *ret, struct err *err)
{
	const char *name = user_env && user_env[0] != '\0' ? user_env : "nobody";
	bool found = false;

	if (!find_user(name, 0, &found, ret, err))
		return false;
	return found || err_set(err, ERR_GENERAL,
				"there is no user '%s' to run QEMU as, set TART_QEMU_USER", name);
}

static void add_kvm_group(struct identity *identity)
{
	const mode_t group_may = S_IRGRP | S_IWGRP;
	struct stat st;

	if (stat("/dev/kvm", &st) < 0 || (st.st_mode & group_may) != group_may || st.st_gid == 0)
		return;
	identity->kvm_group = st.st_gid;
	identity->as.groups = &identity->kvm_group;
	identity->as.n_groups = 1;
}

bool identity_choose(int bundle_fd, const char *user_env, struct identity *ret, struct err *err)
{
	struct child_identity as = { 0 };
	struct stat st;

	*ret = (struct identity){ 0 };
	if (geteuid() != 0)
		return true;
	if (fstat(bundle_fd, &st) < 0)
		return err_sys(err, errno, "cannot tell whose VM this is");
	if (!(st.st_uid != 0 ? become_owner(&st, &as, err) : become_named(user_env, &as, err)))
		return false;
	ret->changes = true;
	ret->as = as;
	add_kvm_group(ret);
	return true;
}

const struct child_identity *identity_of(const struct identity *identity)
{
	return identity->changes ? &identity->as : NULL;
}

void identity_drop_kvm(struct identity *identity)
{
	identity->as.groups = NULL;
	identity->as.n_groups = 0;
}
