/* SPDX-License-Identifier: Apache-2.0 */
/* config.json as a file: reading, and rewriting it in place without a moment in which it is broken. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"
#include "storage/bundle.h"
#include "storage/config.h"

static bool read_once(int bundle_fd, struct config *ret, struct err *err)
{
	CLEANUP_STR struct str text = { 0 };

	return fs_read_file(bundle_fd, BUNDLE_CONFIG, CONFIG_SIZE_MAX, &text, err) &&
	       config_parse(str_span(&text), ret, err);
}

bool config_read(int bundle_fd, struct config *ret, struct err *err)
{
	struct err first;

	return read_once(bundle_fd, ret, &first) || read_once(bundle_fd, ret, err);
}

static bool write_blanks(int fd, size_t from, size_t to, struct err *err)
{
	CLEANUP_FREE char *blanks = xcalloc(to - from, 1);

	memset(blanks, ' ', to - from);
	return fs_pwrite_all(fd, blanks, to - from, from, err) && fs_sync(fd, err);
}

static bool write_padded(int fd, struct span text, size_t len, struct err *err)
{
	CLEANUP_STR struct str padded = { 0 };

	str_add_span(&padded, text);
	while (padded.len < len)
		str_add_char(&padded, ' ');
	return fs_pwrite_all(fd, padded.ptr, padded.len, 0, err) && fs_sync(fd, err);
}

static bool cut(int fd, size_t len, struct err *err)
{
	return ftruncate(fd, (off_t)len) == 0 || err_sys(err, errno, "cannot truncate");
}

/*
 * Data and length reach the disk apart from each other, so neither may change while the other would then be wrong.
 * Trailing blanks are valid in both texts: they are what the length changes over.
 */
static bool rewrite(int fd, struct span old, struct span text, struct err *err)
{
	size_t room = old.len > text.len ? old.len : text.len;
	struct err ignored;

	if (text.len > old.len && !write_blanks(fd, old.len, text.len, err)) {
		(void)cut(fd, old.len, &ignored);
		return false;
	}
	if (!write_padded(fd, text, room, err)) {
		(void)(write_padded(fd, old, room, &ignored) && cut(fd, old.len, &ignored));
		return false;
	}
	return text.len == room || cut(fd, text.len, err);
}

static bool rewrite_file(int fd, struct span text, struct err *err)
{
	CLEANUP_STR struct str old = { 0 };

	return fs_read_fd(fd, CONFIG_SIZE_MAX, &old, err) && rewrite(fd, str_span(&old), text, err);
}

static bool write_new(int bundle_fd, struct span text, struct err *err)
{
	CLEANUP_CLOSE int fd = openat(bundle_fd, BUNDLE_CONFIG,
				      O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	if (fd < 0)
		return err_sys(err, errno, "cannot create");
	return fs_write_all(fd, text, err) && fs_sync(fd, err);
}

bool config_store(int bundle_fd, const struct config *config, struct err *err)
{
	CLEANUP_STR struct str text = { 0 };
	CLEANUP_CLOSE int fd = openat(bundle_fd, BUNDLE_CONFIG,
				      O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	bool ok;

	if (fd < 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot open '%s'", BUNDLE_CONFIG);
	config_print(config, &text);
	ok = fd < 0 ? write_new(bundle_fd, str_span(&text), err) :
		      rewrite_file(fd, str_span(&text), err);
	return ok || err_context(err, "writing '%s'", BUNDLE_CONFIG);
}
