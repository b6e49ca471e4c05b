/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's folders, lock and files. */
#include "netd/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "netd/addresses.h"
#include "netd/aside.h"
#include "netd/saved_nic.h"

#define LOCK_FILE   "keeper.lock"
#define SUBNET_FILE "subnet"
#define UP_FILE     "up"
#define SUFFIX      ".json"
#define TEXT_MAX    256 /* bytes of the small files */

static bool open_below(int dirfd, const char *name, mode_t mode, int *ret_fd, struct err *err)
{
	return fs_make_dir(dirfd, name, mode, err) && fs_open_dir(dirfd, name, ret_fd, err);
}

/* Public, whatever the umask. What is there already has the mode that somebody has given it. */
static bool open_public(const char *path, int *ret_fd, struct err *err)
{
	bool is_new = !fs_exists(AT_FDCWD, path);

	if (!open_below(AT_FDCWD, path, 0755, ret_fd, err))
		return false;
	return !is_new || fchmod(*ret_fd, 0755) == 0 ||
	       err_sys(err, errno, "cannot set the mode of '%s'", path);
}

/* Callers reach the socket in the first, and lists of addresses are no secret. */
static bool open_roots(const char *dir, struct state *state, struct err *err)
{
	if (!dir)
		return open_public(NETD_RUNTIME_DIR, &state->runtime_fd, err) &&
		       open_public(NETD_STATE_DIR, &state->addresses_fd, err);
	if (!open_below(AT_FDCWD, dir, 0700, &state->runtime_fd, err))
		return false;
	state->addresses_fd = fcntl(state->runtime_fd, F_DUPFD_CLOEXEC, 3);
	return state->addresses_fd >= 0 || err_sys(err, errno, "cannot use '%s'", dir);
}

static bool set_paths(const char *dir, struct state *state, struct err *err)
{
	if (!dir) {
		state->runtime_path = xstrdup(NETD_RUNTIME_DIR);
		state->conf_path = xstrdup(NETD_CONF);
		return true;
	}
	state->runtime_path = realpath(dir, NULL);
	if (!state->runtime_path)
		return err_sys(err, errno, "cannot use '%s'", dir);
	state->conf_path = xasprintf("%s/network.conf", state->runtime_path);
	return true;
}

static void read_boot_id(struct state *state)
{
	CLEANUP_STR struct str text = { 0 };
	struct err ignored = { 0 };
	size_t len;

	if (!fs_read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", TEXT_MAX, &text, &ignored))
		return;
	len = span_find(str_span(&text), '\n');
	if (len < sizeof(state->boot_id))
		memcpy(state->boot_id, text.ptr, len);
}

bool state_open(const char *dir, struct state *ret, struct err *err)
{
	CLEANUP(state_close) struct state state = STATE_INIT;

	if (!open_roots(dir, &state, err) || !set_paths(dir, &state, err) ||
	    !open_below(state.runtime_fd, "net", 0700, &state.net_fd, err) ||
	    !open_below(state.net_fd, "vms", 0700, &state.vms_fd, err))
		return false;
	/* Made by another user, or by hand, with another mode: who can write there decides about everybody's network. */
	if (fchmod(state.net_fd, 0700) < 0 || fchmod(state.vms_fd, 0700) < 0)
		return err_sys(err, errno, "cannot protect '%s/net'", state.runtime_path);
	state.lock_fd = openat(state.net_fd, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			       0600);
	if (state.lock_fd < 0)
		return err_sys(err, errno, "cannot open '" LOCK_FILE "'");
	read_boot_id(&state);
	*ret = state;
	state = (struct state)STATE_INIT;
	return true;
}

void state_close(struct state *state)
{
	cleanup_close(&state->runtime_fd);
	cleanup_close(&state->net_fd);
	cleanup_close(&state->vms_fd);
	cleanup_close(&state->addresses_fd);
	cleanup_close(&state->lock_fd);
	free(state->runtime_path);
	free(state->conf_path);
	*state = (struct state)STATE_INIT;
}

enum lock_result state_lock(struct state *state, struct err *err)
{
	return lock_try(state->lock_fd, err);
}

static bool give_files(int dirfd, uid_t uid, gid_t gid, struct err *err)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	bool ok = true;

	if (!dir) {
		cleanup_close(&fd);
		return err_sys(err, errno, "cannot list");
	}
	while (ok && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, "..") == 0)
			continue;
		if (fchownat(dirfd, entry->d_name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
			ok = err_sys(err, errno, "cannot give away '%s'", entry->d_name);
	}
	(void)closedir(dir);
	return ok;
}

bool state_give(const struct state *state, uid_t uid, gid_t gid, struct err *err)
{
	/* The socket's name is the keeper's to remove; the socket itself is root's. */
	if (fchown(state->runtime_fd, uid, gid) < 0)
		return err_sys(err, errno, "cannot give away '%s'", state->runtime_path);
	return give_files(state->net_fd, uid, gid, err) &&
	       give_files(state->vms_fd, uid, gid, err) &&
	       give_files(state->addresses_fd, uid, gid, err);
}

static bool file_of(const char *tap, char ret[NETD_IF_SIZE + sizeof(SUFFIX)])
{
	return (size_t)snprintf(ret, NETD_IF_SIZE + sizeof(SUFFIX), "%s" SUFFIX, tap) <
	       NETD_IF_SIZE + sizeof(SUFFIX);
}

bool state_save_nic(const struct state *state, const struct nic *nic, struct err *err)
{
	CLEANUP_STR struct str text = { 0 };
	char name[NETD_IF_SIZE + sizeof(SUFFIX)];

	if (!file_of(nic->tap, name))
		return err_set(err, ERR_GENERAL, "the name '%s' is too long", nic->tap);
	saved_nic_print(nic, &text);
	return aside_replace(state->vms_fd, name, str_span(&text), 0600, err);
}

void state_forget_nic(const struct state *state, const char *tap)
{
	char name[NETD_IF_SIZE + sizeof(SUFFIX)];

	if (file_of(tap, name))
		(void)unlinkat(state->vms_fd, name, 0);
}

void nic_list_done(nic_list *list)
{
	vec_each(list, nic)
		nic_done(nic);
	vec_done(list);
}

static bool load_nic(const struct state *state, const char *name, struct nic *ret, struct err *err)
{
	CLEANUP_STR struct str text = { 0 };
	CLEANUP(nic_done) struct nic nic = { .uid = 0 };
	char expected[NETD_IF_SIZE + sizeof(SUFFIX)];

	if (!fs_read_file(state->vms_fd, name, SAVED_NIC_MAX, &text, err) ||
	    !saved_nic_parse(str_span(&text), &nic, err))
		return false;
	if (!file_of(nic.tap, expected) || strcmp(name, expected) != 0)
		return err_set(err, ERR_GENERAL, "it names another interface");
	*ret = nic;
	nic = (struct nic){ .uid = 0 };
	return true;
}

bool state_load_nics(const struct state *state, nic_list *ret, struct str *log, struct err *err)
{
	int fd = openat(state->vms_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		cleanup_close(&fd);
		return err_sys(err, errno, "cannot list the saved VMs");
	}
	while ((entry = readdir(dir))) {
		struct err why = { 0 };
		struct nic nic;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (load_nic(state, entry->d_name, &nic, &why)) {
			*vec_push(ret) = nic;
			continue;
		}
		str_add(log, "removing saved file '");
		str_add_escaped(log, span_of(entry->d_name));
		str_addf(log, "': %s\n", why.text);
		(void)fs_remove_tree(state->vms_fd, entry->d_name, &why);
	}
	(void)closedir(dir);
	return true;
}

/* "BOOT-ID auto|set GATEWAY/PREFIX\n" */
bool saved_subnet_parse(struct span text, const char *boot_id, struct subnet *ret, bool *ret_chosen)
{
	struct span boot;
	struct span how;
	struct span gateway;
	struct subnet subnet;

	if (!span_ends_with(text, "\n") || memchr(text.ptr, '\n', text.len - 1))
		return false;
	text.len--;
	if (!span_next(&text, ' ', &boot) || !span_is(boot, boot_id) ||
	    !span_next(&text, ' ', &how) || !(span_is(how, "auto") || span_is(how, "set")) ||
	    !text.ptr)
		return false;
	gateway = span_first(text, span_find(text, '/'));
	if (gateway.len == text.len || !cidr_parse(text, &subnet.cidr) ||
	    !ipv4_parse(gateway, &subnet.gateway))
		return false;
	if (subnet.cidr.prefix < 16 || subnet.cidr.prefix > 29 ||
	    subnet.gateway == subnet.cidr.network || subnet.gateway == cidr_last(&subnet.cidr))
		return false;
	*ret = subnet;
	*ret_chosen = span_is(how, "auto");
	return true;
}

bool state_load_subnet(const struct state *state, struct subnet *ret, bool *ret_chosen)
{
	CLEANUP_STR struct str text = { 0 };
	struct err ignored = { 0 };

	return fs_read_file(state->net_fd, SUBNET_FILE, TEXT_MAX, &text, &ignored) &&
	       saved_subnet_parse(str_span(&text), state->boot_id, ret, ret_chosen);
}

bool state_save_subnet(const struct state *state, const struct subnet *subnet, bool chosen,
		       struct err *err)
{
	CLEANUP_STR struct str text = { 0 };
	char gateway[IPV4_TEXT_SIZE];

	ipv4_print(subnet->gateway, gateway);
	str_addf(&text, "%s %s %s/%u\n", state->boot_id, chosen ? "auto" : "set", gateway,
		 subnet->cidr.prefix);
	return aside_replace(state->net_fd, SUBNET_FILE, str_span(&text), 0600, err);
}

void state_mark_up(const struct state *state, bool is_up)
{
	struct err ignored = { 0 };

	if (is_up)
		(void)aside_replace(state->net_fd, UP_FILE, span_make("", 0), 0600, &ignored);
	else
		(void)unlinkat(state->net_fd, UP_FILE, 0);
}

bool state_is_marked_up(const struct state *state)
{
	return fs_exists(state->net_fd, UP_FILE);
}
