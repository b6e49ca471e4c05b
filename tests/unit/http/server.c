/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP server that plays scripted answers. */
#include "http/server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#include "base/mem.h"
#include "base/number.h"
#include "base/sock.h"
#include "base/vec.h"

#define HEAD_MAX 65536

struct connection {
	struct server *server;
	pthread_t thread;
	unsigned int number;
	int fd;
	SSL *ssl;
	struct str in; /* received, not yet used */
};

struct server {
	const struct server_answer *answers;
	size_t n_answers;
	SSL_CTX *tls;
	char *origin;
	uint16_t port;
	int listen_fd;
	pthread_t thread;
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t changed;
	bool is_ending;
	unsigned int *played; /* per answer */
	VEC(struct server_request *) requests;
	VEC(struct connection *) connections;
	uint64_t sent;
};

/* Not a failed test but a broken machine. */
#define must(condition)                                                             \
	do {                                                                        \
		if (!(condition)) {                                                 \
			fprintf(stderr, "server.c:%d: %s\n", __LINE__, #condition); \
			abort();                                                    \
		}                                                                   \
	} while (0)

static void lock(struct server *server)
{
	must(pthread_mutex_lock(&server->lock) == 0);
}

static void unlock(struct server *server)
{
	must(pthread_mutex_unlock(&server->lock) == 0);
}

/* 0 = end or broken. */
static size_t receive(struct connection *c, char *buf, size_t room)
{
	if (c->ssl) {
		int n = SSL_read(c->ssl, buf, (int)room);

		return n > 0 ? (size_t)n : 0;
	}
	ssize_t n = recv(c->fd, buf, room, 0);

	return n > 0 ? (size_t)n : 0;
}

static bool receive_more(struct connection *c)
{
	char buf[65536];
	size_t n = receive(c, buf, sizeof(buf));

	str_add_span(&c->in, span_make(buf, n));
	return n > 0;
}

static size_t send_some(struct connection *c, const char *data, size_t len)
{
	if (c->ssl) {
		int n = SSL_write(c->ssl, data, (int)len);

		return n > 0 ? (size_t)n : 0;
	}
	ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);

	return n > 0 ? (size_t)n : 0;
}

static bool send_all(struct connection *c, const char *data, size_t len)
{
	while (len > 0) {
		size_t n = send_some(c, data, len);

		if (n == 0)
			return false;
		data += n;
		len -= n;
	}
	return true;
}

static bool send_body_piece(struct connection *c, const char *data, size_t len)
{
	while (len > 0) {
		size_t n = send_some(c, data, len);

		if (n == 0)
			return false;
		lock(c->server);
		c->server->sent += n;
		unlock(c->server);
		data += n;
		len -= n;
	}
	return true;
}

static void drop_front(struct str *s, size_t len)
{
	memmove(s->ptr, s->ptr + len, s->len - len);
	str_truncate(s, s->len - len);
}

char *server_header_dup(const struct server_request *request, const char *name)
{
	const char *line = request->head;
	size_t len = strlen(name);

	while (*line) {
		size_t end = strcspn(line, "\r\n");

		if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
			size_t skip = len + 1 + strspn(line + len + 1, " ");

			return xstrndup(line + skip, end - skip);
		}
		line += end;
		line += strspn(line, "\r\n");
	}
	return NULL;
}

static uint64_t body_bytes_of(const struct server_request *request)
{
	CLEANUP_FREE char *text = server_header_dup(request, "content-length");
	uint64_t len = 0;

	must(!text || number_parse_u64(span_of(text), UINT32_MAX, &len));
	return len;
}

/* Answers what begins like TLS as others do, in plain HTTP. */
static bool is_tls_hello(struct connection *c)
{
	static const char answer[] = "HTTP/1.0 400 Bad Request\r\n\r\nThis is no HTTPS server.\n";

	if (c->in.ptr[0] != 0x16)
		return false;
	(void)send_all(c, answer, strlen(answer));
	return true;
}

/* Up to the blank line; NULL when the client closes. */
static struct server_request *read_head(struct connection *c)
{
	struct server_request *request;
	const char *end;
	const char *first_end;
	struct span line;
	size_t method;

	while (!c->in.ptr || !(end = strstr(c->in.ptr, "\r\n\r\n")))
		if (c->in.len > HEAD_MAX || !receive_more(c) || is_tls_hello(c))
			return NULL;
	request = xcalloc(1, sizeof(*request));
	first_end = strstr(c->in.ptr, "\r\n");
	line = span_make(c->in.ptr, (size_t)(first_end - c->in.ptr));
	method = span_find(line, ' ') + 1;
	must(method < line.len);
	request->line = xstrndup(line.ptr, method + span_find(span_from(line, method), ' '));
	request->head = xstrndup(first_end + 2, (size_t)(end + 2 - (first_end + 2)));
	request->connection = c->number;
	drop_front(&c->in, (size_t)(end + 4 - c->in.ptr));
	return request;
}

static bool read_body(struct connection *c, struct server_request *request)
{
	uint64_t left = body_bytes_of(request);

	while (left > 0) {
		size_t n = c->in.len < left ? c->in.len : (size_t)left;

		if (n == 0) {
			if (!receive_more(c))
				return false;
			continue;
		}
		str_add_span(&request->body, span_make(c->in.ptr, n));
		drop_front(&c->in, n);
		left -= n;
	}
	return true;
}

static bool fits(const struct server_answer *answer, const struct server_request *request)
{
	CLEANUP_FREE char *authorization = server_header_dup(request, "authorization");

	if (answer->request && strcmp(answer->request, request->line) != 0)
		return false;
	return !answer->authorization ||
	       strcmp(answer->authorization, authorization ? authorization : "") == 0;
}

static const struct server_answer *choose(struct server *server,
					  const struct server_request *request)
{
	const struct server_answer *found = NULL;

	lock(server);
	for (size_t i = 0; i < server->n_answers && !found; i++) {
		const struct server_answer *answer = &server->answers[i];

		if ((answer->times == 0 || server->played[i] < answer->times) &&
		    fits(answer, request)) {
			server->played[i]++;
			found = answer;
		}
	}
	unlock(server);
	return found;
}

static void record(struct server *server, struct server_request *request)
{
	lock(server);
	*vec_push(&server->requests) = request;
	(void)pthread_cond_broadcast(&server->changed);
	unlock(server);
}

static void hold(struct server *server, size_t n_requests)
{
	lock(server);
	while (server->requests.n < n_requests && !server->is_ending)
		must(pthread_cond_wait(&server->changed, &server->lock) == 0);
	unlock(server);
}

static uint64_t length_of(const struct server_answer *answer)
{
	return answer->body ? strlen(answer->body) : answer->body_bytes;
}

static bool send_head(struct connection *c, const struct server_answer *answer)
{
	CLEANUP_STR struct str text = { 0 };
	const char *rest = answer->head;
	const char *mark;

	while ((mark = strstr(rest, "@ORIGIN@"))) {
		str_add_span(&text, span_make(rest, (size_t)(mark - rest)));
		str_add(&text, c->server->origin);
		rest = mark + strlen("@ORIGIN@");
	}
	str_add(&text, rest);
	if (!answer->has_length)
		str_addf(&text, "Content-Length: %llu\r\n", (unsigned long long)length_of(answer));
	str_add(&text, "\r\n");
	return send_all(c, text.ptr, text.len);
}

static bool send_slowly(struct connection *c, const char *data, size_t len, unsigned int pause_us)
{
	const struct timespec pause = { .tv_nsec = (long)pause_us * 1000 };

	for (size_t i = 0; i < len; i++) {
		if (!send_body_piece(c, data + i, 1))
			return false;
		(void)nanosleep(&pause, NULL);
	}
	return true;
}

static char byte_of(const struct server_answer *answer, uint64_t position)
{
	if (answer->body)
		return answer->body[position];
	return server_byte(answer->body_start + position);
}

static bool send_body(struct connection *c, const struct server_answer *answer)
{
	uint64_t len = answer->cut ? answer->cut : length_of(answer);
	char piece[16384];

	for (uint64_t at = 0; at < len;) {
		size_t n = len - at < sizeof(piece) ? (size_t)(len - at) : sizeof(piece);
		bool ok;

		for (size_t i = 0; i < n; i++)
			piece[i] = byte_of(answer, at + i);
		ok = answer->slow_us ? send_slowly(c, piece, n, answer->slow_us) :
				       send_body_piece(c, piece, n);
		if (!ok)
			return false;
		at += n;
	}
	return true;
}

static void wait_for_end(struct server *server)
{
	lock(server);
	while (!server->is_ending)
		(void)pthread_cond_wait(&server->changed, &server->lock);
	unlock(server);
}

/* False: the connection has to be closed. */
static bool play(struct connection *c, const struct server_answer *answer, bool is_head)
{
	static const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	char buf[4096];

	if (answer->head && (!send_head(c, answer) || (!is_head && !send_body(c, answer))))
		return false;
	switch (answer->end) {
	case SERVER_KEEP:
		return true;
	case SERVER_CLOSE:
		if (c->ssl)
			(void)SSL_shutdown(c->ssl);
		return false;
	case SERVER_RESET:
		(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		return false;
	case SERVER_HANG:
		while (receive(c, buf, sizeof(buf)) > 0)
			;
		return false;
	case SERVER_STALL:
		wait_for_end(c->server);
		return false;
	}
	return false;
}

static bool serve(struct connection *c)
{
	static const struct server_answer missing = {
		.head = "HTTP/1.1 404 Not Found\r\n",
		.body = "no answer is left for this request",
	};
	struct server_request *request = read_head(c);
	const struct server_answer *answer;
	bool is_head;
	bool is_whole;

	if (!request)
		return false;
	answer = choose(c->server, request);
	if (!answer)
		answer = &missing;
	is_whole = answer->is_early || read_body(c, request);
	is_head = strncmp(request->line, "HEAD ", 5) == 0;
	record(c->server, request);
	hold(c->server, answer->held_until);
	return is_whole && play(c, answer, is_head);
}

static bool greet(struct connection *c)
{
	if (!c->server->tls)
		return true;
	c->ssl = SSL_new(c->server->tls);
	must(c->ssl && SSL_set_fd(c->ssl, c->fd) == 1);
	return SSL_accept(c->ssl) == 1;
}

/* The descriptor is closed by server_stop() alone: it may be shutting it down right now. Closing in the protocol's sense
 * is done here. */
static void hang_up(struct connection *c)
{
	struct linger linger = { 0 };
	socklen_t len = sizeof(linger);
	int fd;

	SSL_free(c->ssl);
	str_done(&c->in);
	(void)getsockopt(c->fd, SOL_SOCKET, SO_LINGER, &linger, &len);
	lock(c->server);
	fd = TAKE_FD(c->fd);
	unlock(c->server);
	if (!linger.l_onoff)
		(void)shutdown(fd, SHUT_RDWR);
	(void)close(fd);
}

static void *connection_main(void *ctx)
{
	struct connection *c = ctx;

	if (greet(c))
		while (serve(c))
			;
	hang_up(c);
	return NULL;
}

static void add_connection(struct server *server, int fd)
{
	struct connection *c = xcalloc(1, sizeof(*c));

	/* Head and body are sent apart: Nagle's algorithm would wait between them for the client's kernel. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(const int){ 1 }, sizeof(int));
	c->server = server;
	c->fd = fd;
	lock(server);
	c->number = (unsigned int)server->connections.n;
	*vec_push(&server->connections) = c;
	must(pthread_create(&c->thread, NULL, connection_main, c) == 0);
	unlock(server);
}

static bool is_ending(struct server *server)
{
	bool ending;

	lock(server);
	ending = server->is_ending;
	unlock(server);
	return ending;
}

static void *server_main(void *ctx)
{
	struct server *server = ctx;

	while (!is_ending(server)) {
		int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0)
			add_connection(server, fd);
	}
	return NULL;
}

static void use_tls(struct server *server, const struct server_tls *tls)
{
	server->tls = SSL_CTX_new(TLS_server_method());
	must(server->tls);
	must(SSL_CTX_use_certificate_chain_file(server->tls, tls->cert_path) == 1);
	must(SSL_CTX_use_PrivateKey_file(server->tls, tls->key_path, SSL_FILETYPE_PEM) == 1);
}

static void listen_somewhere(struct server *server)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(server->listen_fd >= 0);
	must(bind(server->listen_fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
	must(listen(server->listen_fd, SOMAXCONN) == 0);
	must(getsockname(server->listen_fd, (struct sockaddr *)&address, &len) == 0);
	server->port = ntohs(address.sin_port);
	server->origin = xasprintf("%s://127.0.0.1:%u", server->tls ? "https" : "http",
				   server->port);
}

struct server *server_start(const struct server_answer *answers, size_t n,
			    const struct server_tls *tls)
{
	struct server *server = xcalloc(1, sizeof(*server));
	sigset_t all;
	sigset_t before;

	server->answers = answers;
	server->n_answers = n;
	server->played = xcalloc(n + 1, sizeof(*server->played));
	must(pthread_mutex_init(&server->lock, NULL) == 0);
	must(pthread_cond_init(&server->changed, NULL) == 0);
	if (tls)
		use_tls(server, tls);
	listen_somewhere(server);
	/* Signals are for the test; SIGPIPE of SSL_write() is for nobody. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	must(pthread_create(&server->thread, NULL, server_main, server) == 0);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return server;
}

static void free_requests(struct server *server)
{
	vec_each(&server->requests, request) {
		free((*request)->line);
		free((*request)->head);
		str_done(&(*request)->body);
		free(*request);
	}
	vec_done(&server->requests);
}

static void end_connections(struct server *server)
{
	lock(server);
	vec_each(&server->connections, c) {
		if ((*c)->fd >= 0)
			(void)shutdown((*c)->fd, SHUT_RDWR);
	}
	unlock(server);
	vec_each(&server->connections, c) {
		must(pthread_join((*c)->thread, NULL) == 0);
		free(*c);
	}
	vec_done(&server->connections);
}

void server_stop(struct server *server)
{
	lock(server);
	server->is_ending = true;
	(void)pthread_cond_broadcast(&server->changed);
	unlock(server);
	(void)shutdown(server->listen_fd, SHUT_RDWR);
	must(pthread_join(server->thread, NULL) == 0);
	end_connections(server);
	(void)close(server->listen_fd);
	free_requests(server);
	SSL_CTX_free(server->tls);
	(void)pthread_cond_destroy(&server->changed);
	(void)pthread_mutex_destroy(&server->lock);
	free(server->played);
	free(server->origin);
	free(server);
}

const char *server_origin(const struct server *server)
{
	return server->origin;
}

uint16_t server_port(const struct server *server)
{
	return server->port;
}

size_t server_n_requests(struct server *server)
{
	size_t n;

	lock(server);
	n = server->requests.n;
	unlock(server);
	return n;
}

const struct server_request *server_request(struct server *server, size_t i)
{
	const struct server_request *request;

	lock(server);
	must(i < server->requests.n);
	request = server->requests.v[i];
	unlock(server);
	return request;
}

void server_wait(struct server *server, size_t n_requests)
{
	lock(server);
	while (server->requests.n < n_requests)
		(void)pthread_cond_wait(&server->changed, &server->lock);
	unlock(server);
}

uint64_t server_sent(struct server *server)
{
	uint64_t sent;

	lock(server);
	sent = server->sent;
	unlock(server);
	return sent;
}

unsigned int server_n_connections(struct server *server)
{
	size_t n;

	lock(server);
	n = server->connections.n;
	unlock(server);
	return (unsigned int)n;
}
