/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and changing network.conf. */
#include "vmnet/conf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child_talk.h"
#include "base/fs.h"
#include "base/lock.h"
#include "base/program.h"
#include "net/network_conf_lines.h"
#include "vmnet/nics.h"

#define PROGRAM   "tart-netd"
#define FILE_NAME "network.conf"
#define ASIDE     ".network.conf.new" /* also the lock of who changes the file */
#define CHECK_MS  30000

/* A keeper that runs for the whole host is the one that VMs will get. */
static bool has_system_keeper(void)
{
	return fs_exists(AT_FDCWD, NETD_RUNTIME_DIR "/" NETD_SOCKET);
}

static enum keeper_kind kind_for(enum keeper_wish wish)
{
	if (wish == KEEPER_ONLY_ROOTLESS)
		return KEEPER_ROOTLESS;
	if (wish == KEEPER_ONLY_SYSTEM || geteuid() == 0 || has_system_keeper())
		return KEEPER_SYSTEM;
	return KEEPER_ROOTLESS;
}

void conf_file_find(const struct home *home, enum keeper_wish wish, struct conf_file *ret)
{
	ret->kind = kind_for(wish);
	ret->path = ret->kind == KEEPER_SYSTEM ? xstrdup(NETD_CONF) :
						 xasprintf("%s/" FILE_NAME, home->path);
}

void conf_file_done(struct conf_file *file)
{
	free(file->path);
	*file = (struct conf_file){ 0 };
}

bool conf_file_read(const struct conf_file *file, struct str *out, struct err *err)
{
	struct err why = { 0 };

	if (fs_read_file(AT_FDCWD, file->path, NETWORK_CONF_MAX, out, &why))
		return true;
	if (why.sys == ENOENT || why.sys == ENOTDIR)
		return true;
	*err = why;
	return err_context(err, "%s", file->path);
}

size_t conf_file_line(struct span text, const char *key)
{
	struct conf_line read;
	struct span line;

	for (size_t n = 1; span_next(&text, '\n', &line); n++) {
		if (conf_line_read(line, &read) && span_is(read.key, key))
			return n;
	}
	return 0;
}

/* What is at work in a change. */
struct change {
	const struct home *home;
	const struct conf_file *file;
	const char *key, *value;
	struct str *notice;
	int dirfd;    /* of the file */
	int aside_fd; /* locked */
	struct str was, now;
	bool renamed;
};
#define CHANGE_INIT                         \
	{                                   \
		.dirfd = -1, .aside_fd = -1 \
	}

static void change_done(struct change *change)
{
	if (change->aside_fd >= 0 && !change->renamed)
		(void)unlinkat(change->dirfd, ASIDE, 0);
	cleanup_close(&change->aside_fd);
	cleanup_close(&change->dirfd);
	str_done(&change->was);
	str_done(&change->now);
}

static bool may_change(const struct change *change, struct err *err)
{
	const char *value = change->value;

	if (change->file->kind == KEEPER_ROOTLESS || geteuid() == 0)
		return true;
	return err_set(err, ERR_GENERAL,
		       "%s is for all users of this host, so that root has to change it: "
		       "sudo tart network %s %s%s%s%s",
		       change->file->path, value ? "set" : "reset", change->key, value ? " '" : "",
		       value ? value : "", value ? "'" : "");
}

static bool open_folder(struct change *change, struct err *err)
{
	CLEANUP_FREE char *folder = xstrdup(change->file->path);

	*strrchr(folder, '/') = '\0';
	return fs_make_dir(AT_FDCWD, folder, 0755, err) &&
	       fs_open_dir(AT_FDCWD, folder, &change->dirfd, err);
}

/* Whoever renames the file takes its lock along: who waited for it has another file then, and begins anew. */
static bool lock_aside(struct change *change, struct err *err)
{
	for (;;) {
		CLEANUP_CLOSE int fd = openat(change->dirfd, ASIDE,
					      O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);

		if (fd < 0)
			return err_sys(err, errno, "cannot write beside %s", change->file->path);
		if (!lock_wait(fd, err))
			return false;
		if (fs_is_current(change->dirfd, ASIDE, fd)) {
			change->aside_fd = TAKE_FD(fd);
			return true;
		}
	}
}

static bool write_aside(const struct change *change, struct err *err)
{
	if (ftruncate(change->aside_fd, 0) < 0 || fchmod(change->aside_fd, 0644) < 0)
		return err_sys(err, errno, "cannot write beside %s", change->file->path);
	return fs_pwrite_all(change->aside_fd, change->now.ptr ? change->now.ptr : "",
			     change->now.len, 0, err) &&
	       fs_sync(change->aside_fd, err);
}

/* What the program says of the file aside, it says of the file. */
static void add_renamed(struct str *out, const char *text, const char *aside, const char *path)
{
	for (const char *at; (at = strstr(text, aside)); text = at + strlen(aside))
		str_addf(out, "%.*s%s", (int)(at - text), text, path);
	str_add(out, text);
}

/* The keeper's program looks at this host's other interfaces. Where it is not installed, no keeper will read the file.
 * *ret_complaint is empty when it has none. */
static bool ask_program(const char *path, struct str *ret_complaint, struct err *err)
{
	CLEANUP_FREE char *program = program_path(PROGRAM);
	const char *const argv[] = { program, "--check", path, NULL };
	const struct child_talk talk = {
		.argv = argv,
		.timeout_ms = CHECK_MS,
		.max_out = 4096,
	};
	CLEANUP(child_answer_done) struct child_answer answer = { 0 };
	struct span said;

	if (!program)
		return true;
	if (child_talk(&talk, &answer, err) != CHILD_TALK_DONE)
		return false;
	if (answer.status == 0)
		return true;
	said = str_span(&answer.complaint);
	if (span_starts_with(said, PROGRAM ": "))
		said = span_from(said, strlen(PROGRAM ": "));
	if (said.len > 0)
		str_add_span(ret_complaint, said);
	else
		str_add(ret_complaint, PROGRAM " refuses it without a word");
	return true;
}

static bool check_against_host(const struct change *change, struct err *err)
{
	const char *path = change->file->path;
	CLEANUP_FREE char *aside = xasprintf("%.*s" ASIDE, (int)(strlen(path) - strlen(FILE_NAME)),
					     path);
	CLEANUP_STR struct str said = { 0 };
	CLEANUP_STR struct str complaint = { 0 };

	if (!ask_program(aside, &said, err))
		return false;
	if (said.len == 0)
		return true;
	add_renamed(&complaint, str_text(&said), aside, path);
	return err_set(err, ERR_GENERAL, "%s: '%s': %s", change->key,
		       change->value ? change->value : "default", str_text(&complaint));
}

bool conf_file_check(const struct conf_file *file, struct err *err)
{
	CLEANUP(network_conf_done) struct network_conf conf = { 0 };
	CLEANUP_STR struct str text = { 0 };
	CLEANUP_STR struct str complaint = { 0 };

	if (!conf_file_read(file, &text, err) ||
	    !network_conf_parse(str_span(&text), file->path, &conf, err))
		return false;
	if (!fs_exists(AT_FDCWD, file->path))
		return true;
	return ask_program(file->path, &complaint, err) &&
	       (complaint.len == 0 || err_set(err, ERR_GENERAL, "%s", complaint.ptr));
}

static bool is_same_subnet(const struct network_conf *a, const struct network_conf *b)
{
	if (a->subnet_auto || b->subnet_auto)
		return a->subnet_auto && b->subnet_auto && a->auto_prefix == b->auto_prefix;
	return a->gateway == b->gateway && a->subnet.prefix == b->subnet.prefix;
}

static bool changes_subnet(const struct change *change, bool *ret, struct err *err)
{
	CLEANUP(network_conf_done) struct network_conf was = { 0 };
	CLEANUP(network_conf_done) struct network_conf now = { 0 };
	struct err ignored = { 0 };

	if (!network_conf_parse(str_span(&change->now), change->file->path, &now, err))
		return false;
	/* A file that was wrong before said nothing about the network that is there. */
	*ret = !network_conf_parse(str_span(&change->was), change->file->path, &was, &ignored) ||
	       !is_same_subnet(&was, &now);
	return true;
}

static void add_vm_names(struct str *out, const struct netd_list *list)
{
	vec_each(&list->nics, nic) {
		bool again = nic > list->nics.v && strcmp(nic[-1].vm, nic->vm) == 0;

		if (!again)
			str_addf(out, "%s%s", out->len > 0 ? ", " : "", nic->vm);
	}
}

/* Guests would keep addresses of a network that is not there any more. */
static bool check_no_vm_runs(const struct change *change, enum keeper_wish wish, struct err *err)
{
	CLEANUP(nics_done) struct netd_list list = { 0 };
	CLEANUP_STR struct str names = { 0 };
	bool matters = false;

	if (!changes_subnet(change, &matters, err))
		return false;
	if (!matters)
		return true;
	if (!nics_of_all(change->home, wish, &list, err))
		return false;
	if (list.nics.n == 0)
		return true;
	add_vm_names(&names, &list);
	return err_set(err, ERR_GENERAL,
		       "%s: '%s': the subnet cannot change while VMs run, stop them first: %s",
		       change->key, change->value ? change->value : "default", str_text(&names));
}

static bool put_in_place(struct change *change, struct err *err)
{
	if (renameat(change->dirfd, ASIDE, change->dirfd, FILE_NAME) < 0)
		return err_sys(err, errno, "cannot replace %s", change->file->path);
	change->renamed = true;
	return fs_sync(change->dirfd, err);
}

static void put_back(const struct change *change)
{
	struct err ignored = { 0 };

	if (change->was.len > 0)
		(void)fs_replace_file(change->dirfd, FILE_NAME, str_span(&change->was), 0644,
				      &ignored);
	else
		(void)unlinkat(change->dirfd, FILE_NAME, 0);
}

/* Its socket was opened to those whom the file named then: listener.h. Its answers are by what it says now. */
static void add_notice(const struct change *change, const struct keeper *keeper)
{
	if (keeper->kind == KEEPER_SYSTEM && strcmp(change->key, "users") == 0)
		str_addf(change->notice, "Whom the mode of " NETD_RUNTIME_DIR "/" NETD_SOCKET
					 " keeps out, it keeps out until " PROGRAM
					 " is started again, which VMs that run survive\n");
}

static void add_timeout(const struct change *change)
{
	str_addf(
		change->notice,
		"The keeper of the network does not answer: %s takes effect when it does, or the next one starts\n",
		change->key);
}

/* One that ends just now leaves the new file to the next. */
static bool tell_keeper(const struct change *change, enum keeper_wish wish, struct err *err)
{
	CLEANUP(netd_message_done) struct netd_message answer = { 0 };
	CLEANUP(keeper_close) struct keeper keeper = KEEPER_INIT;
	CLEANUP_STR struct str request = { 0 };
	struct err why = { 0 };
	bool found = false;

	if (!keeper_connect(change->home, wish, &keeper, &found, &why) || !found)
		return true;
	netd_put_empty(NETD_RELOAD, &request);
	if (keeper_ask(&keeper, &request, NETD_R_DONE, &answer, NULL, NULL, &why)) {
		add_notice(change, &keeper);
		return true;
	}
	if (why.kind == ERR_TRANSPORT) {
		if (why.sys == ETIMEDOUT)
			add_timeout(change);
		return true;
	}
	*err = why;
	return err_context(err, "%s: '%s'", change->key, change->value ? change->value : "default");
}

static bool make_change(struct change *change, struct err *err)
{
	enum keeper_wish wish = change->file->kind == KEEPER_SYSTEM ? KEEPER_ONLY_SYSTEM :
								      KEEPER_ONLY_ROOTLESS;

	if (!conf_file_read(change->file, &change->was, err) ||
	    !network_conf_edit(str_span(&change->was), change->file->path, change->key,
			       change->value, &change->now, err))
		return false;
	/* What was never set needs no file to be reset. */
	if (change->was.len == 0 && change->now.len == 0)
		return true;
	if (!check_no_vm_runs(change, wish, err) || !write_aside(change, err) ||
	    !check_against_host(change, err) || !put_in_place(change, err))
		return false;
	if (tell_keeper(change, wish, err))
		return true;
	put_back(change);
	return false;
}

bool conf_file_change(const struct home *home, const struct conf_file *file, const char *key,
		      const char *value, struct str *notice, struct err *err)
{
	CLEANUP(change_done) struct change change = CHANGE_INIT;

	change.home = home;
	change.file = file;
	change.key = key;
	change.value = value;
	change.notice = notice;
	return may_change(&change, err) && open_folder(&change, err) && lock_aside(&change, err) &&
	       make_change(&change, err);
}
