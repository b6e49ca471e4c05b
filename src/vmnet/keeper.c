/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the keeper of the network, and starting one. keeper_ask.c talks to it. */
#include "vmnet/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/program.h"
#include "base/sock.h"

#define PROGRAM "tart-netd"

bool keeper_wish_from_env(const char *value, enum keeper_wish *ret, struct err *err)
{
	static const struct {
		const char *word;
		enum keeper_wish wish;
	} words[] = {
		{ "auto", KEEPER_AUTO },
		{ "system", KEEPER_ONLY_SYSTEM },
		{ "rootless", KEEPER_ONLY_ROOTLESS },
		{ "user", KEEPER_NONE },
	};

	if (!value || *value == '\0') {
		*ret = KEEPER_AUTO;
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(value, words[i].word) != 0)
			continue;
		*ret = words[i].wish;
		return true;
	}
	return err_set(
		err, ERR_GENERAL,
		"TART_NETWORK_BACKEND is '%s', it must be 'auto', 'system', 'rootless' or 'user'",
		value);
}

void keeper_close(struct keeper *keeper)
{
	cleanup_close(&keeper->fd);
	*keeper = (struct keeper)KEEPER_INIT;
}

static bool is_wished(enum keeper_wish wish, enum keeper_kind kind)
{
	switch (wish) {
	case KEEPER_AUTO:
		return true;
	case KEEPER_ONLY_SYSTEM:
		return kind == KEEPER_SYSTEM;
	case KEEPER_ONLY_ROOTLESS:
		return kind == KEEPER_ROOTLESS;
	case KEEPER_NONE:
		break;
	}
	return false;
}

/* The system's keeper is started by those who may; a rootless one by whoever cannot have the system's. */
static bool is_ours_to_start(enum keeper_wish wish, enum keeper_kind kind)
{
	bool root = geteuid() == 0;

	return kind == KEEPER_SYSTEM ? root : !root || wish == KEEPER_ONLY_ROOTLESS;
}

static bool open_folder(const struct home *home, enum keeper_kind kind, int *ret_fd,
			struct err *err)
{
	return kind == KEEPER_SYSTEM ? fs_open_dir(AT_FDCWD, NETD_RUNTIME_DIR, ret_fd, err) :
				       fs_open_dir(home->root_fd, KEEPER_ROOTLESS_DIR, ret_fd, err);
}

static bool explain(enum keeper_kind kind, struct err *err)
{
	bool absent = err->sys == ENOENT || err->sys == ECONNREFUSED;

	if (kind == KEEPER_ROOTLESS)
		return absent ?
			       err_set(err, ERR_GENERAL, "no rootless keeper of the network runs") :
			       err_context(err, "the rootless keeper of the network");
	if (absent)
		return err_set(err, ERR_GENERAL,
			       "the system's keeper of the network (" PROGRAM ") does not run");
	if (err->sys == EACCES || err->sys == EPERM)
		return err_set(err, ERR_GENERAL,
			       "the system's keeper of the network is there for root and the group "
			       "'" NETD_GROUP "' only, which you are not in");
	return err_context(err, "the system's keeper of the network");
}

static bool connect_kind(const struct home *home, enum keeper_kind kind, struct keeper *ret,
			 struct err *err)
{
	CLEANUP_CLOSE int folder_fd = -1;
	struct keeper keeper = KEEPER_INIT;

	if (!open_folder(home, kind, &folder_fd, err) ||
	    !sock_connect_packets(folder_fd, NETD_SOCKET, &keeper.fd, err))
		return explain(kind, err);
	keeper.kind = kind;
	*ret = keeper;
	return true;
}

/* Keeps what went wrong on one way while another is tried. */
static void add_reason(struct err *all, const struct err *one)
{
	struct err before = *all;

	if (before.kind == ERR_NONE)
		*all = *one;
	else
		(void)err_set(all, ERR_GENERAL, "%s; %s", before.text, one->text);
}

bool keeper_connect(const struct home *home, enum keeper_wish wish, struct keeper *ret,
		    bool *ret_found, struct err *err)
{
	struct err reasons = { 0 };

	*ret_found = false;
	for (enum keeper_kind kind = KEEPER_SYSTEM; kind <= KEEPER_ROOTLESS; kind++) {
		struct err why = { 0 };

		if (!is_wished(wish, kind))
			continue;
		if (connect_kind(home, kind, ret, &why)) {
			*ret_found = true;
			return true;
		}
		add_reason(&reasons, &why);
	}
	if (reasons.kind == ERR_NONE)
		(void)err_set(&reasons, ERR_GENERAL, "TART_NETWORK_BACKEND is 'user'");
	*err = reasons;
	return true;
}

/* What starting a keeper takes. */
struct starting {
	char *program; /* owned */
	char *dir;     /* owned; rootless */
	int root_fd;   /* "/": the keeper stays there */
	const char *argv[5];
	struct child_spec spec;
};

static void starting_done(struct starting *starting)
{
	free(starting->program);
	free(starting->dir);
	cleanup_close(&starting->root_fd);
}

static bool starting_fill(const struct home *home, enum keeper_kind kind, struct starting *s,
			  struct err *err)
{
	size_t n = 0;

	s->program = program_path(PROGRAM);
	if (!s->program)
		return err_set(err, ERR_GENERAL, PROGRAM " is not installed");
	s->root_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->root_fd < 0)
		return err_sys(err, errno, "cannot open /");
	s->argv[n++] = s->program;
	if (kind == KEEPER_ROOTLESS) {
		if (!fs_make_dir(home->root_fd, KEEPER_ROOTLESS_DIR, 0700, err))
			return false;
		s->dir = xasprintf("%s/" KEEPER_ROOTLESS_DIR, home->path);
		s->argv[n++] = "--rootless";
		s->argv[n++] = s->dir;
	}
	s->argv[n++] = "--background";
	s->spec = (struct child_spec)CHILD_SPEC_INIT;
	s->spec.argv = s->argv;
	s->spec.may_gain_privs =
		true; /* pasta's command does, in a namespace; the keeper gives it up itself */
	s->spec.cwd_fd = s->root_fd;
	return true;
}

#define STARTING_INIT         \
	{                     \
		.root_fd = -1 \
	}

bool keeper_may_start(enum keeper_kind kind)
{
	return kind == KEEPER_ROOTLESS || geteuid() == 0;
}

bool keeper_spawn(const struct home *home, enum keeper_kind kind, struct child *ret,
		  struct err *err)
{
	CLEANUP(starting_done) struct starting starting = STARTING_INIT;

	return starting_fill(home, kind, &starting, err) && child_start(&starting.spec, ret, err);
}

/* Only what the program itself has said: it is one line that is meant for the user. */
static bool keep_complaint(struct err *err)
{
	static const char before[] = "exited with code 1: ";
	struct err whole = *err;
	const char *said = strstr(whole.text, before);

	return said ? err_set(err, whole.kind, "%s", said + strlen(before)) : false;
}

static bool start_kind(const struct home *home, enum keeper_kind kind, struct err *err)
{
	CLEANUP(starting_done) struct starting starting = STARTING_INIT;

	return starting_fill(home, kind, &starting, err) &&
	       (child_run_spec(&starting.spec, 0, NULL, err) || keep_complaint(err));
}

static bool is_answering(const struct keeper *keeper, struct err *err)
{
	CLEANUP(netd_message_done) struct netd_message answer = { 0 };
	CLEANUP_STR struct str request = { 0 };

	netd_put_empty(NETD_STATUS, &request);
	return keeper_ask(keeper, &request, NETD_R_STATUS, &answer, NULL, NULL, err);
}

/* Who has nothing to do any more ends, and may do so just after he was connected to: then there is a place for another. */
static bool connect_or_start(const struct home *home, enum keeper_wish wish, enum keeper_kind kind,
			     struct keeper *ret, struct err *err)
{
	for (int attempt = 0; attempt < 3; attempt++) {
		CLEANUP(keeper_close) struct keeper keeper = KEEPER_INIT;

		if (!connect_kind(home, kind, &keeper, err)) {
			if (!is_ours_to_start(wish, kind) || !start_kind(home, kind, err) ||
			    !connect_kind(home, kind, &keeper, err))
				return false;
		}
		if (is_answering(&keeper, err)) {
			*ret = keeper;
			keeper = (struct keeper)KEEPER_INIT;
			return true;
		}
		if (err->kind != ERR_TRANSPORT)
			return false;
	}
	return err_reclass(err, ERR_GENERAL);
}

bool keeper_start(const struct home *home, enum keeper_wish wish, struct keeper *ret,
		  struct err *err)
{
	struct err reasons = { 0 };

	for (enum keeper_kind kind = KEEPER_SYSTEM; kind <= KEEPER_ROOTLESS; kind++) {
		struct err why = { 0 };

		if (!is_wished(wish, kind))
			continue;
		if (connect_or_start(home, wish, kind, ret, &why))
			return true;
		add_reason(&reasons, &why);
		if (why.kind == ERR_CANCELLED)
			break;
	}
	if (reasons.kind == ERR_NONE)
		(void)err_set(&reasons, ERR_GENERAL, "TART_NETWORK_BACKEND is 'user'");
	*err = reasons;
	return false;
}
