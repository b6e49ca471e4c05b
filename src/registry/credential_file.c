/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and replacing auth.json. */
#include "registry/credential_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/user_dir.h"
#include "registry/basic.h"

#define FOLDER    "tart"
#define FILE_NAME "auth.json"
#define LOCK_NAME "auth.lock"

static char *config_dir(void)
{
	return user_dir_config(getenv("XDG_CONFIG_HOME"), getenv("HOME"));
}

char *credential_file_shown_path(void)
{
	CLEANUP_FREE char *below = config_dir();
	CLEANUP_FREE char *home = user_dir_home(getenv("HOME"));
	struct span shown = span_of(below ? below : "~/.config");

	if (home && strlen(home) > 1 && span_starts_with(shown, home) && shown.len > strlen(home) &&
	    shown.ptr[strlen(home)] == '/') {
		shown = span_from(shown, strlen(home));
		return xasprintf("~%.*s/" FOLDER "/" FILE_NAME, SPAN_ARG(shown));
	}
	return xasprintf("%.*s/" FOLDER "/" FILE_NAME, SPAN_ARG(shown));
}

static bool named(struct err *err)
{
	CLEANUP_FREE char *path = credential_file_shown_path();

	return err_context(err, "%s", path);
}

/* -1 when it does not exist. */
static bool open_folder(int *ret_fd, struct err *err)
{
	CLEANUP_FREE char *below = config_dir();
	CLEANUP_FREE char *path = below ? xasprintf("%s/" FOLDER, below) : NULL;

	*ret_fd = -1;
	if (!path || fs_open_dir(AT_FDCWD, path, ret_fd, err))
		return true;
	if (err->sys != ENOENT && err->sys != ENOTDIR)
		return false;
	err_clear(err);
	return true;
}

/* The XDG specification wants 0700 for folders of settings that a program has to make. */
static bool make_folder(int *ret_fd, struct err *err)
{
	CLEANUP_FREE char *below = config_dir();
	CLEANUP_FREE char *path = below ? xasprintf("%s/" FOLDER, below) : NULL;

	if (!path)
		return err_set(err, ERR_GENERAL,
			       "neither XDG_CONFIG_HOME nor HOME says where it is");
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST && errno != EISDIR)
			return err_sys(err, errno, "cannot create '%s'", path);
		*slash = '/';
	}
	return fs_make_dir(AT_FDCWD, path, 0700, err) && fs_open_dir(AT_FDCWD, path, ret_fd, err);
}

static bool check_private(int fd, struct err *err)
{
	CLEANUP_FREE char *path = NULL;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot stat");
	if ((st.st_mode & 077) == 0)
		return true;
	path = credential_file_shown_path();
	return err_set(
		err, ERR_GENERAL,
		"is not used, since others can get at its passwords (mode %04o); type 'chmod "
		"600 %s', and consider new passwords",
		st.st_mode & 07777U, path);
}

static bool parse(struct span text, struct json **ret, struct err *err)
{
	CLEANUP_SECRET_JSON struct json *tree = NULL;
	struct json *auths;

	if (!json_parse(text, &tree, err))
		return false;
	auths = json_member(tree, "auths");
	if (!json_is_object(tree) || (auths && !json_is_object(auths)))
		return err_set(err, ERR_GENERAL, "'auths' has to be an object in an object");
	*ret = TAKE_PTR(tree);
	return true;
}

/* NULL when there is no file. */
static bool load(int folder_fd, bool check_mode, struct json **ret, struct err *err)
{
	CLEANUP_CLOSE int fd = openat(folder_fd, FILE_NAME, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	CLEANUP_SECRET_STR struct str text = { 0 };

	*ret = NULL;
	if (fd < 0)
		return errno == ENOENT || err_sys(err, errno, "cannot open");
	return (!check_mode || check_private(fd, err)) &&
	       fs_read_fd(fd, CREDENTIAL_FILE_MAX, &text, err) && parse(str_span(&text), ret, err);
}

static bool find(const char *host, struct credentials *ret, bool *ret_found, struct err *err)
{
	CLEANUP_CLOSE int folder_fd = -1;
	CLEANUP_SECRET_JSON struct json *tree = NULL;
	const char *auth;

	*ret_found = false;
	if (!open_folder(&folder_fd, err))
		return false;
	if (folder_fd < 0)
		return true;
	if (!load(folder_fd, true, &tree, err))
		return false;
	auth = json_member_text(json_member(json_member(tree, "auths"), host), "auth");
	*ret_found = auth && basic_decode(span_of(auth), ret);
	return true;
}

bool credential_file_find(const char *host, struct credentials *ret, bool *ret_found,
			  struct err *err)
{
	return find(host, ret, ret_found, err) || named(err);
}

static bool lock(int folder_fd, int *ret_fd, struct err *err)
{
	int fd = openat(folder_fd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", LOCK_NAME);
	*ret_fd = fd;
	return lock_wait(fd, err);
}

static bool save(int folder_fd, const struct json *tree, struct err *err)
{
	CLEANUP_SECRET_STR struct str text = { 0 };

	secret_reserve(&text, 4096);
	json_print(tree, JSON_PRETTY, &text);
	str_add_char(&text, '\n');
	if (text.len > CREDENTIAL_FILE_MAX)
		return err_set(err, ERR_GENERAL, "there is no room for more than %zu bytes",
			       CREDENTIAL_FILE_MAX);
	return fs_replace_file(folder_fd, FILE_NAME, str_span(&text), 0600, err);
}

static struct json *entry_of(const struct credentials *credentials)
{
	CLEANUP_SECRET_STR struct str auth = { 0 };
	struct json *entry = json_object();

	basic_add(&auth, credentials);
	json_set(entry, "auth", json_string_span(str_span(&auth)));
	return entry;
}

static bool store(const char *host, const struct credentials *credentials, struct err *err)
{
	CLEANUP_CLOSE int folder_fd = -1;
	CLEANUP_CLOSE int lock_fd = -1;
	CLEANUP_SECRET_JSON struct json *tree = NULL;
	struct json *auths;

	if (!make_folder(&folder_fd, err) || !lock(folder_fd, &lock_fd, err) ||
	    !load(folder_fd, false, &tree, err))
		return false;
	if (!tree)
		tree = json_object();
	auths = json_member(tree, "auths");
	if (!auths)
		auths = json_set(tree, "auths", json_object());
	json_set(auths, host, entry_of(credentials));
	return save(folder_fd, tree, err);
}

bool credential_file_store(const char *host, const struct credentials *credentials, struct err *err)
{
	return store(host, credentials, err) || named(err);
}

static bool erase(const char *host, struct err *err)
{
	CLEANUP_CLOSE int folder_fd = -1;
	CLEANUP_CLOSE int lock_fd = -1;
	CLEANUP_SECRET_JSON struct json *tree = NULL;
	struct json *auths;

	if (!open_folder(&folder_fd, err))
		return false;
	if (folder_fd < 0 || !fs_exists(folder_fd, FILE_NAME))
		return true;
	if (!lock(folder_fd, &lock_fd, err) || !load(folder_fd, false, &tree, err))
		return false;
	auths = json_member(tree, "auths");
	return !json_member(auths, host) ||
	       (json_remove(auths, host) && save(folder_fd, tree, err));
}

bool credential_file_erase(const char *host, struct err *err)
{
	return erase(host, err) || named(err);
}
