/* SPDX-License-Identifier: Apache-2.0 */
/* The journal of a pull: its text, and the thread that writes it in the right order. */
#include "registry/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fs.h"
#include "base/number.h"

#define MAGIC      "tart-pull-journal"
#define VERSION    1
#define CHECK_SIZE 16 /* hex digits */

/* How often the keeper looks whether there is something to write. */
#define LOOK_NS 200000000L

void journal_text_done(struct journal_text *text)
{
	vec_done(&text->entries);
}

static void add_check(struct str *out, size_t line_start)
{
	char hex[DIGEST_HEX_SIZE];

	digest_of(span_from(str_span(out), line_start), hex);
	str_addf(out, " %.*s\n", CHECK_SIZE, hex);
}

static void print_entry(const struct journal_entry *entry, struct str *out)
{
	size_t start = out->len;

	str_addf(out, "%llu %llu %s", (unsigned long long)entry->offset,
		 (unsigned long long)entry->data_bytes, entry->data_digest);
	add_check(out, start);
}

void journal_print(const struct journal_text *text, struct str *out)
{
	const struct journal_disk *disk = &text->disk;
	size_t start = out->len;

	str_addf(out, "%s %d %llu %llu %llu", MAGIC, VERSION, (unsigned long long)disk->inode,
		 (unsigned long long)disk->size_bytes, (unsigned long long)disk->born_ns);
	add_check(out, start);
	vec_each(&text->entries, entry)
		print_entry(entry, out);
}

/* Cuts a whole line off the front and its check off the line. */
static bool next_line(struct span *rest, struct span *ret)
{
	size_t end = span_find(*rest, '\n');
	char hex[DIGEST_HEX_SIZE];
	struct span line;
	size_t blank;

	if (end == rest->len)
		return false;
	line = span_first(*rest, end);
	blank = span_rfind(line, ' ');
	if (blank == line.len)
		return false;
	digest_of(span_first(line, blank), hex);
	if (!span_equal(span_from(line, blank + 1), span_make(hex, CHECK_SIZE)))
		return false;
	*ret = span_first(line, blank);
	*rest = span_from(*rest, end + 1);
	return true;
}

static bool next_number(struct span *line, uint64_t *ret)
{
	struct span word;

	return span_next(line, ' ', &word) && number_parse_u64(word, UINT64_MAX, ret);
}

static bool parse_first(struct span line, struct journal_disk *ret)
{
	struct span word;
	uint64_t version;

	return span_next(&line, ' ', &word) && span_is(word, MAGIC) &&
	       next_number(&line, &version) && version == VERSION &&
	       next_number(&line, &ret->inode) && next_number(&line, &ret->size_bytes) &&
	       next_number(&line, &ret->born_ns) && !line.ptr;
}

static bool parse_entry(struct span line, uint64_t disk_bytes, struct journal_entry *ret)
{
	struct span hex;
	uint64_t end;

	if (!next_number(&line, &ret->offset) || !next_number(&line, &ret->data_bytes) ||
	    !span_next(&line, ' ', &hex) || line.ptr || !digest_is_hex(hex) ||
	    ckd_add(&end, ret->offset, ret->data_bytes) || end > disk_bytes)
		return false;
	memcpy(ret->data_digest, hex.ptr, hex.len);
	ret->data_digest[hex.len] = '\0';
	return true;
}

bool journal_parse(struct span text, struct journal_text *ret)
{
	struct journal_text parsed = { .disk = { 0 } };
	struct journal_entry entry;
	struct span line;

	if (!next_line(&text, &line) || !parse_first(line, &parsed.disk))
		return false;
	while (parsed.entries.n < JOURNAL_ENTRIES_MAX && next_line(&text, &line) &&
	       parse_entry(line, parsed.disk.size_bytes, &entry))
		*vec_push(&parsed.entries) = entry;
	*ret = parsed;
	return true;
}

bool journal_disk_of(int disk_fd, struct journal_disk *ret, struct err *err)
{
	struct statx st;

	if (statx(disk_fd, "", AT_EMPTY_PATH, STATX_INO | STATX_SIZE | STATX_BTIME, &st) < 0)
		return err_sys(err, errno, "cannot stat");
	*ret = (struct journal_disk){ .inode = st.stx_ino, .size_bytes = st.stx_size };
	if (st.stx_mask & STATX_BTIME)
		ret->born_ns = (uint64_t)st.stx_btime.tv_sec * 1000000000 + st.stx_btime.tv_nsec;
	return true;
}

void journal_read(int dirfd, const char *name, int disk_fd, struct journal_text *ret)
{
	CLEANUP_STR struct str text = { 0 };
	CLEANUP(journal_text_done) struct journal_text parsed = { .disk = { 0 } };
	struct journal_disk disk;
	struct err ignored;

	*ret = (struct journal_text){ .disk = { 0 } };
	if (!journal_disk_of(disk_fd, &disk, &ignored) ||
	    !fs_read_file(dirfd, name, JOURNAL_BYTES_MAX, &text, &ignored) ||
	    !journal_parse(str_span(&text), &parsed) || disk.inode != parsed.disk.inode ||
	    disk.size_bytes != parsed.disk.size_bytes || disk.born_ns != parsed.disk.born_ns)
		return;
	*ret = parsed;
	parsed = (struct journal_text){ .disk = { 0 } };
}

struct journal {
	int disk_fd; /* borrowed */
	int fd;
	pthread_t thread;
	bool is_ended;        /* the thread is; for the owner only */
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	struct str lines; /* added, not synced yet */
	uint64_t bytes;   /* of data they speak of */
	bool is_closed;
	struct err err; /* of the thread; ERR_NONE while all is well */
};

static void init_sync(struct journal *journal)
{
	pthread_condattr_t attr;

	(void)pthread_mutex_init(&journal->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&journal->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The lock is held, and let go meanwhile. */
static void look_later(struct journal *journal)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_nsec += LOOK_NS;
	if (at.tv_nsec >= 1000000000L) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000L;
	}
	(void)pthread_cond_timedwait(&journal->changed, &journal->lock, &at);
}

/* Waits for something to do: lines to write, taken into *lines, or, without any, the moment to push data on. False when
 * it is over. */
static bool wait_for_work(struct journal *journal, uint64_t synced_ms, struct str *lines)
{
	bool go_on;

	(void)pthread_mutex_lock(&journal->lock);
	if (!journal->is_closed && journal->bytes < JOURNAL_SYNC_BYTES)
		look_later(journal);
	go_on = journal->lines.len > 0 || !journal->is_closed;
	if (journal->is_closed || journal->bytes >= JOURNAL_SYNC_BYTES ||
	    now_ms() - synced_ms >= JOURNAL_SYNC_MS) {
		*lines = journal->lines;
		journal->lines = (struct str){ 0 };
		journal->bytes = 0;
	}
	(void)pthread_mutex_unlock(&journal->lock);
	return go_on;
}

static bool sync_data(int fd, const char *what, struct err *err)
{
	if (fdatasync(fd) < 0)
		return err_sys(err, errno, "cannot sync the %s", what);
	return true;
}

static bool keep(struct journal *journal, struct err *err)
{
	uint64_t synced_ms = now_ms();

	for (;;) {
		CLEANUP_STR struct str lines = { 0 };

		if (!wait_for_work(journal, synced_ms, &lines))
			return true;
		if (lines.len == 0) {
			/* Only begins: what has to be synced later is on its way by then. */
			(void)sync_file_range(journal->disk_fd, 0, 0, SYNC_FILE_RANGE_WRITE);
			continue;
		}
		if (!sync_data(journal->disk_fd, "disk", err) ||
		    !fs_write_all(journal->fd, str_span(&lines), err) ||
		    !sync_data(journal->fd, "journal", err))
			return false;
		synced_ms = now_ms();
	}
}

static void *run(void *ctx)
{
	struct journal *journal = ctx;
	struct err err = { 0 };

	if (!keep(journal, &err)) {
		(void)pthread_mutex_lock(&journal->lock);
		journal->err = err;
		(void)pthread_mutex_unlock(&journal->lock);
	}
	return NULL;
}

/* Signals are for the main thread. */
static bool start(struct journal *journal, struct err *err)
{
	sigset_t all;
	sigset_t before;
	int error;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&journal->thread, NULL, run, journal);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error == 0 || err_sys(err, error, "cannot start a thread");
}

static bool write_first(int dirfd, int disk_fd, const struct journal_text *entries, int *ret_fd,
			struct err *err)
{
	CLEANUP_STR struct str text = { 0 };
	struct journal_text begun = *entries; /* borrows the entries */
	struct stat st;
	int fd;

	if (!journal_disk_of(disk_fd, &begun.disk, err))
		return false;
	journal_print(&begun, &text);
	/* A directory cannot be replaced by a file. */
	if (fstatat(dirfd, JOURNAL_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
	    !fs_remove_tree(dirfd, JOURNAL_FILE, err))
		return false;
	if (!fs_replace_file(dirfd, JOURNAL_FILE, str_span(&text), 0600, err))
		return false;
	fd = openat(dirfd, JOURNAL_FILE, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", JOURNAL_FILE);
	*ret_fd = fd;
	return true;
}

bool journal_begin(int dirfd, int disk_fd, const struct journal_text *entries, struct journal **ret,
		   struct err *err)
{
	CLEANUP(journal_cleanup) struct journal *journal = xcalloc(1, sizeof(*journal));

	journal->disk_fd = disk_fd;
	journal->fd = -1;
	journal->is_ended = true;
	init_sync(journal);
	if (!write_first(dirfd, disk_fd, entries, &journal->fd, err) || !start(journal, err))
		return false;
	journal->is_ended = false;
	*ret = TAKE_PTR(journal);
	return true;
}

/* The lock is held. */
static bool is_well(const struct journal *journal, struct err *err)
{
	if (journal->err.kind == ERR_NONE)
		return true;
	*err = journal->err;
	return false;
}

bool journal_add(struct journal *journal, const struct journal_entry *entry, struct err *err)
{
	bool ok;

	(void)pthread_mutex_lock(&journal->lock);
	print_entry(entry, &journal->lines);
	journal->bytes += entry->data_bytes;
	if (journal->bytes >= JOURNAL_SYNC_BYTES)
		(void)pthread_cond_signal(&journal->changed);
	ok = is_well(journal, err);
	(void)pthread_mutex_unlock(&journal->lock);
	return ok;
}

bool journal_end(struct journal *journal, struct err *err)
{
	(void)pthread_mutex_lock(&journal->lock);
	journal->is_closed = true;
	(void)pthread_cond_signal(&journal->changed);
	(void)pthread_mutex_unlock(&journal->lock);
	if (!journal->is_ended)
		(void)pthread_join(journal->thread, NULL);
	journal->is_ended = true;
	return is_well(journal, err);
}

void journal_free(struct journal *journal)
{
	struct err ignored;

	if (!journal)
		return;
	(void)journal_end(journal, &ignored);
	cleanup_close(&journal->fd);
	(void)pthread_mutex_destroy(&journal->lock);
	(void)pthread_cond_destroy(&journal->changed);
	str_done(&journal->lines);
	free(journal);
}
