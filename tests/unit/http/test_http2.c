/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of http/http.h over HTTP/2, with a server that speaks nothing else. */
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/fs.h"
#include "http/certificate.h"
#include "http/client.h"
#include "http/http.h"

#define BIG_BYTES   20000000
#define SMALL_BYTES 100000
#define N_THREADS   8
#define N_EACH      5

struct nghttpd {
	struct child child;
	uint16_t port;
	char *origin;
};

static void nghttpd_stop(struct nghttpd *nghttpd)
{
	child_kill(&nghttpd->child);
	free(nghttpd->origin);
}

static const char *find_program(void)
{
	/* Not in everybody's PATH. */
	return access("/usr/sbin/nghttpd", X_OK) == 0 ? "/usr/sbin/nghttpd" : NULL;
}

/* Inode of a socket that a process has at this descriptor, "" if it is none. */
static void socket_inode(const char *fd_path, struct str *out)
{
	char target[64];
	ssize_t len = readlink(fd_path, target, sizeof(target));
	struct span text = span_make(target, len > 0 ? (size_t)len : 0);

	if (span_starts_with(text, "socket:[") && span_ends_with(text, "]"))
		str_add_span(out, span_make(text.ptr + 8, text.len - 9));
}

/* Words 1, 3 and 9 of a line of /proc/net/tcp, from 0: address, status, inode. */
static uint16_t port_of_line(struct span line, const char *inode)
{
	struct span words[10] = { 0 };
	struct span word;
	size_t n = 0;

	while (n < ARRAY_LEN(words) && span_next(&line, ' ', &word))
		if (word.len > 0)
			words[n++] = word;
	if (n < ARRAY_LEN(words) || !span_is(words[3], "0A") || !span_is(words[9], inode))
		return 0;
	return (uint16_t)strtoul(words[1].ptr + span_find(words[1], ':') + 1, NULL, 16);
}

/* Port on which a socket of this inode listens; 0 = does not. */
static uint16_t listening_port(const char *inode)
{
	FILE *file = fopen("/proc/net/tcp", "re");
	char line[512];
	uint16_t found = 0;

	assert_non_null(file);
	while (!found && fgets(line, sizeof(line), file))
		found = port_of_line(span_of(line), inode);
	(void)fclose(file);
	return found;
}

/* The system has chosen it, and the program does not say which. */
static uint16_t port_of(pid_t pid)
{
	CLEANUP_FREE char *folder = xasprintf("/proc/%d/fd", (int)pid);
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	uint16_t port = 0;

	assert_non_null(dir);
	while (port == 0 && (entry = readdir(dir))) {
		CLEANUP_FREE char *path = xasprintf("%s/%s", folder, entry->d_name);
		CLEANUP_STR struct str inode = { 0 };

		socket_inode(path, &inode);
		if (inode.len > 0)
			port = listening_port(str_text(&inode));
	}
	(void)closedir(dir);
	return port;
}

static void write_file(const struct temp_dir *dir, const char *name, size_t len)
{
	CLEANUP_FREE char *data = xcalloc(1, len);
	struct err err = { 0 };

	for (size_t i = 0; i < len; i++)
		data[i] = server_byte(i);
	check(fs_replace_file(dir->fd, name, span_make(data, len), 0600, &err), "%s", err.text);
}

/* Serves files "big" and "small", and sends back what is sent to it. */
static bool nghttpd_start(const struct temp_dir *dir, struct nghttpd *ret)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	struct child_spec spec = CHILD_SPEC_INIT;
	struct certificate own = { 0 };
	struct err err = { 0 };
	const char *program = find_program();

	if (!program)
		return false;
	certificate_make(dir, "own", "IP:127.0.0.1", &own);
	assert_int_equal(setenv("SSL_CERT_FILE", own.cert_path, 1), 0);
	write_file(dir, "big", BIG_BYTES);
	write_file(dir, "small", SMALL_BYTES);
	const char *const argv[] = { program,         "-a", "127.0.0.1",  "-d",          dir->path,
				     "--echo-upload", "0",  own.key_path, own.cert_path, NULL };

	spec.argv = argv;
	check(child_start(&spec, &ret->child, &err), "%s", err.text);
	while ((ret->port = port_of(ret->child.pid)) == 0)
		(void)nanosleep(&pause, NULL);
	ret->origin = xasprintf("https://127.0.0.1:%u", ret->port);
	return true;
}

#define NEED_NGHTTPD(nghttpd, state)                                            \
	CLEANUP(nghttpd_stop) struct nghttpd nghttpd = { .child = CHILD_INIT }; \
	if (!nghttpd_start(*(state), &(nghttpd))) {                             \
		print_message("nghttpd is not installed\n");                    \
		skip();                                                         \
	}

static bool start(struct http *http, enum http_method method, const struct nghttpd *nghttpd,
		  const char *path, const struct http_body *body, struct http_exchange **ret,
		  struct err *err)
{
	CLEANUP_FREE char *url = xasprintf("%s%s", nghttpd->origin, path);
	const struct http_request request = { .method = method, .url = url, .body = *body };

	return http_start(http, &request, ret, err);
}

static bool get_good(struct http *http, const struct nghttpd *nghttpd, const char *path, size_t len)
{
	static const struct http_body none = HTTP_NO_BODY;
	CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;
	CLEANUP_STR struct str body = { 0 };
	struct err err = { 0 };

	if (!start(http, HTTP_GET, nghttpd, path, &none, &exchange, &err) ||
	    !http_read_all(exchange, len, &body, &err)) {
		print_message("%s: %s\n", path, err.text);
		return false;
	}
	for (size_t i = 0; i < body.len; i++)
		if (body.ptr[i] != server_byte(i))
			return false;
	return http_status(exchange) == 200 && body.len == len;
}

static void gets_files(void **state)
{
	NEED_NGHTTPD(nghttpd, state)
	CLEANUP_HTTP struct http *http = client_new(0);

	for (int i = 0; i < 3; i++) {
		assert_true(get_good(http, &nghttpd, "/big", BIG_BYTES));
		assert_true(get_good(http, &nghttpd, "/small", SMALL_BYTES));
	}
}

struct job {
	pthread_t thread;
	struct http *http;
	const struct nghttpd *nghttpd;
	atomic_int n_good;
};

static void *job_main(void *ctx)
{
	struct job *job = ctx;

	for (int i = 0; i < N_EACH; i++)
		if (get_good(job->http, job->nghttpd, i == 0 ? "/big" : "/small",
			     i == 0 ? BIG_BYTES : SMALL_BYTES))
			atomic_fetch_add(&job->n_good, 1);
	return NULL;
}

static void many_threads_at_once(void **state)
{
	NEED_NGHTTPD(nghttpd, state)
	CLEANUP_HTTP struct http *http = client_new(0);
	struct job jobs[N_THREADS] = { 0 };

	each_row(jobs, job) {
		job->http = http;
		job->nghttpd = &nghttpd;
		assert_int_equal(pthread_create(&job->thread, NULL, job_main, job), 0);
	}
	each_row(jobs, job) {
		assert_int_equal(pthread_join(job->thread, NULL), 0);
		assert_int_equal(atomic_load(&job->n_good), N_EACH);
	}
}

/* Exchanges that nobody reads must not hold up others, whatever they share. */
static void slow_readers_do_not_stop_others(void **state)
{
	static const struct http_body none = HTTP_NO_BODY;
	NEED_NGHTTPD(nghttpd, state)
	CLEANUP_HTTP struct http *http = client_new(2000);
	struct http_exchange *unread[4] = { 0 };
	CLEANUP_STR struct str body = { 0 };
	struct err err = { 0 };

	each_row(unread, exchange)
		check(start(http, HTTP_GET, &nghttpd, "/big", &none, exchange, &err), "%s",
		      err.text);
	for (int i = 0; i < 5; i++)
		assert_true(get_good(http, &nghttpd, "/small", SMALL_BYTES));
	assert_true(get_good(http, &nghttpd, "/big", BIG_BYTES));
	each_row(unread, exchange) {
		str_clear(&body);
		check(http_read_all(*exchange, BIG_BYTES, &body, &err), "%s", err.text);
		assert_int_equal(body.len, BIG_BYTES);
		http_end(*exchange);
	}
}

static void ends_early(void **state)
{
	static const struct http_body none = HTTP_NO_BODY;
	NEED_NGHTTPD(nghttpd, state)
	CLEANUP_HTTP struct http *http = client_new(2000);

	for (int i = 0; i < 20; i++) {
		CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;
		struct err err = { 0 };
		char buf[1000];
		size_t n;

		check(start(http, HTTP_GET, &nghttpd, "/big", &none, &exchange, &err), "%s",
		      err.text);
		check(http_read(exchange, buf, sizeof(buf), &n, &err), "%s", err.text);
		assert_true(n > 0);
	}
	assert_true(get_good(http, &nghttpd, "/small", SMALL_BYTES));
}

static void sends_and_receives(void **state)
{
	const struct temp_dir *dir = *state;
	NEED_NGHTTPD(nghttpd, state)
	CLEANUP_HTTP struct http *http = client_new(0);
	CLEANUP_CLOSE int fd = openat(dir->fd, "big", O_RDONLY | O_CLOEXEC);
	const struct http_body body = { .fd = fd, .fd_offset = 3, .fd_len = SMALL_BYTES };

	for (int i = 0; i < 5; i++) {
		CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;
		CLEANUP_STR struct str echo = { 0 };
		struct err err = { 0 };

		check(start(http, HTTP_PUT, &nghttpd, "/echo", &body, &exchange, &err), "%s",
		      err.text);
		assert_int_equal(http_status(exchange), 200);
		check(http_read_all(exchange, SMALL_BYTES, &echo, &err), "%s", err.text);
		assert_int_equal(echo.len, SMALL_BYTES);
		for (size_t j = 0; j < echo.len; j++)
			if (echo.ptr[j] != server_byte(3 + j))
				fail_msg("byte %zu differs", j);
	}
}

static void servers_that_die_are_told(void **state)
{
	static const struct http_body none = HTTP_NO_BODY;
	NEED_NGHTTPD(nghttpd, state)
	CLEANUP_HTTP struct http *http = client_new(0);
	CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;
	CLEANUP_STR struct str body = { 0 };
	struct err err = { 0 };

	check(start(http, HTTP_GET, &nghttpd, "/big", &none, &exchange, &err), "%s", err.text);
	child_kill(&nghttpd.child);
	assert_false(http_read_all(exchange, BIG_BYTES, &body, &err));
	check(err.kind == ERR_TRANSPORT, "kind %d, %s", (int)err.kind, err.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		temp_dir_test(gets_files),
		temp_dir_test(many_threads_at_once),
		temp_dir_test(slow_readers_do_not_stop_others),
		temp_dir_test(ends_early),
		temp_dir_test(sends_and_receives),
		temp_dir_test(servers_that_die_are_told),
	};

	return unit_main(tests);
}
