/* SPDX-License-Identifier: Apache-2.0 */
/* One request as libcurl sees it. */
#include "http/easy.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/mem.h"

/* What libcurl keeps for each connection besides our own buffer. */
#define RECEIVE_BYTES 65536L
#define SEND_BYTES    65536L

/* Bytes and blanks of foreign texts in errors. */
#define DETAIL_MAX 300

static uint64_t body_len(const struct easy *easy)
{
	const struct http_body *body = &easy->request.body;

	return body->fd >= 0 ? body->fd_len : body->bytes.len;
}

static size_t on_header(char *line, size_t size, size_t n, void *ctx)
{
	struct easy *easy = ctx;
	size_t len = size * n;

	easy->was_active = true;
	return transfer_put_line(&easy->transfer, span_make(line, len), &easy->err) ? len : 0;
}

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct easy *easy = ctx;
	size_t len = size * n;

	easy->was_active = true;
	if (!transfer_put(&easy->transfer, data, len))
		return CURL_WRITEFUNC_PAUSE;
	easy->received += len;
	return len;
}

/* Up to `room` bytes of a file, at least one; the caller wants some. */
static bool read_file(struct easy *easy, char *buf, size_t room, size_t *ret)
{
	const struct http_body *body = &easy->request.body;
	ssize_t n;

	do
		n = pread(body->fd, buf, room, (off_t)(body->fd_offset + easy->sent));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(&easy->err, errno, "cannot read what is to be sent");
	if (n == 0)
		return err_set(&easy->err, ERR_GENERAL,
			       "the file that is being sent became shorter");
	*ret = (size_t)n;
	return true;
}

static void report(struct easy *easy)
{
	const struct http_request *request = &easy->request;
	uint64_t before = easy->reported;

	if (easy->sent <= before)
		return;
	easy->reported = easy->sent;
	if (request->sent)
		request->sent(request->ctx, easy->sent - before);
}

static size_t on_read(char *buf, size_t size, size_t n, void *ctx)
{
	struct easy *easy = ctx;
	const struct http_body *body = &easy->request.body;
	uint64_t left = body_len(easy) - easy->sent;
	size_t len = size * n;

	easy->was_active = true;
	if (left < len)
		len = (size_t)left;
	if (len == 0)
		return 0;
	if (body->fd >= 0) {
		if (!read_file(easy, buf, len, &len))
			return CURL_READFUNC_ABORT;
	} else {
		memcpy(buf, body->bytes.ptr + easy->sent, len);
	}
	easy->sent += len;
	report(easy);
	return len;
}

/* A connection that was kept open may turn out to be closed: what was sent into it has to be sent again. */
static int on_seek(void *ctx, curl_off_t offset, int origin)
{
	struct easy *easy = ctx;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > body_len(easy) ||
	    (easy->request.is_once && easy->sent > 0))
		return CURL_SEEKFUNC_FAIL;
	easy->sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

/*
 * libcurl's own would not set FD_CLOEXEC: children would keep connections open. The kernel may keep only so much that it
 * could not send yet: else it would take megabytes, and a slow connection look idle until a third of them has gone.
 */
static curl_socket_t on_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	static const int unsent_max = 2 * (int)SEND_BYTES;
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

	(void)ctx;
	(void)purpose;
	if (fd >= 0)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_max,
				 sizeof(unsent_max));
	return fd;
}

static const char *method_name(enum http_method method)
{
	static const char *const names[] = {
		[HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD",   [HTTP_POST] = "POST",
		[HTTP_PUT] = "PUT", [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
	};

	return names[method];
}

static bool has_body(enum http_method method)
{
	return method == HTTP_POST || method == HTTP_PUT || method == HTTP_PATCH;
}

static bool add_header_line(struct easy *easy, const char *line)
{
	struct curl_slist *longer = curl_slist_append(easy->headers, line);

	if (longer)
		easy->headers = longer;
	return longer != NULL;
}

/* "name;" is how libcurl is told to send a header without value. */
static bool add_header(struct easy *easy, const char *name, const char *value)
{
	char *line = *value ? xasprintf("%s: %s", name, value) : xasprintf("%s;", name);
	bool ok = add_header_line(easy, line);

	explicit_bzero(line, strlen(line));
	free(line);
	return ok;
}

static bool add_headers(struct easy *easy, const char *authorization)
{
	const struct http_request *request = &easy->request;
	/* No waiting for permission to send a body; no types that nobody has given. */
	bool ok = add_header_line(easy, "Expect:");

	for (size_t i = 0; i < request->n_headers; i++)
		ok = ok && add_header(easy, request->headers[i].name, request->headers[i].value);
	if (authorization)
		ok = ok && add_header(easy, "Authorization", authorization);
	return ok;
}

#define SET(option, value) (curl_easy_setopt(easy->curl, (option), (value)) == CURLE_OK)

static bool set_method(struct easy *easy)
{
	enum http_method method = easy->request.method;

	if (method == HTTP_HEAD)
		return SET(CURLOPT_NOBODY, 1L);
	if (method == HTTP_GET)
		return SET(CURLOPT_HTTPGET, 1L);
	if (has_body(method) && (!SET(CURLOPT_UPLOAD, 1L) ||
				 !SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)body_len(easy))))
		return false;
	return SET(CURLOPT_CUSTOMREQUEST, method_name(method));
}

static bool set_callbacks(struct easy *easy)
{
	return SET(CURLOPT_PRIVATE, easy) && SET(CURLOPT_HEADERFUNCTION, on_header) &&
	       SET(CURLOPT_HEADERDATA, easy) && SET(CURLOPT_WRITEFUNCTION, on_body) &&
	       SET(CURLOPT_WRITEDATA, easy) && SET(CURLOPT_READFUNCTION, on_read) &&
	       SET(CURLOPT_READDATA, easy) && SET(CURLOPT_SEEKFUNCTION, on_seek) &&
	       SET(CURLOPT_SEEKDATA, easy) && SET(CURLOPT_OPENSOCKETFUNCTION, on_socket) &&
	       SET(CURLOPT_ERRORBUFFER, easy->detail);
}

/* QUICK_EXIT: giving up must not wait for a name server. PATH_AS_IS: some addresses are signed. */
static bool set_manners(struct easy *easy, const struct easy_settings *settings)
{
	return SET(CURLOPT_PROTOCOLS_STR, "http,https") && SET(CURLOPT_FOLLOWLOCATION, 0L) &&
	       SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_NOPROGRESS, 1L) &&
	       SET(CURLOPT_QUICK_EXIT, 1L) && SET(CURLOPT_PATH_AS_IS, 1L) &&
	       SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) &&
	       SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS) &&
	       SET(CURLOPT_BUFFERSIZE, RECEIVE_BYTES) &&
	       SET(CURLOPT_UPLOAD_BUFFERSIZE, SEND_BYTES) &&
	       (!settings->user_agent || SET(CURLOPT_USERAGENT, settings->user_agent)) &&
	       (!settings->ca_file || SET(CURLOPT_CAINFO, settings->ca_file)) &&
	       (!settings->ca_dir || SET(CURLOPT_CAPATH, settings->ca_dir));
}

static bool set_up(struct easy *easy, const struct easy_settings *settings, const struct url *url,
		   const char *authorization)
{
	CLEANUP_STR struct str text = { 0 };

	url_print(url, &text);
	easy->curl = curl_easy_init();
	return easy->curl && SET(CURLOPT_URL, str_text(&text)) && set_method(easy) &&
	       set_callbacks(easy) && set_manners(easy, settings) &&
	       add_headers(easy, authorization) && SET(CURLOPT_HTTPHEADER, easy->headers);
}

/* libcurl has copies of all that need not last as long as the exchange. */
static void forget_borrowed(struct http_request *request)
{
	request->url = NULL;
	request->headers = NULL;
	request->n_headers = 0;
	request->authorization = NULL;
}

bool easy_new(const struct easy_settings *settings, const struct http_request *request,
	      const struct url *url, const char *authorization, struct easy **ret, struct err *err)
{
	CLEANUP(easy_cleanup) struct easy *easy = xcalloc(1, sizeof(*easy));
	CLEANUP_STR struct str peer = { 0 };

	transfer_init(&easy->transfer);
	url_print_peer(url, &peer);
	easy->peer = str_take(&peer);
	easy->request = *request;
	if (!set_up(easy, settings, url, authorization))
		return err_set(err, ERR_GENERAL, "libcurl cannot prepare a request to %s",
			       easy->peer);
	forget_borrowed(&easy->request);
	*ret = TAKE_PTR(easy);
	return true;
}

/* One of them is the authorization. */
static void wipe_headers(struct curl_slist *headers)
{
	for (struct curl_slist *line = headers; line; line = line->next)
		explicit_bzero(line->data, strlen(line->data));
	curl_slist_free_all(headers);
}

void easy_free(struct easy *easy)
{
	if (!easy)
		return;
	curl_easy_cleanup(easy->curl);
	wipe_headers(easy->headers);
	transfer_over(&easy->transfer);
	free(easy->peer);
	free(easy);
}

/* A stream of HTTP/2 ends without its connection; a body that lasts until the connection is closed does not. */
bool easy_is_near_end(const struct easy *easy)
{
	const struct head *head = &easy->transfer.head;
	curl_off_t len = -1;
	long version = 0;

	(void)curl_easy_getinfo(easy->curl, CURLINFO_HTTP_VERSION, &version);
	(void)curl_easy_getinfo(easy->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &len);
	if (version >= CURL_HTTP_VERSION_2_0 || !head->is_complete || easy->sent < body_len(easy))
		return false;
	if (len < 0)
		return head_find(head, "transfer-encoding", 0) && easy->received < EASY_REST_MAX;
	return (uint64_t)len - easy->received < EASY_REST_MAX;
}

/* libcurl's and OpenSSL's words, which may quote a certificate. */
static void explain_in_detail(const struct easy *easy, CURLcode code, enum err_kind kind,
			      const char *what, struct err *err)
{
	const char *detail = easy->detail[0] ? easy->detail : curl_easy_strerror(code);
	CLEANUP_STR struct str shown = { 0 };
	size_t len = strnlen(detail, DETAIL_MAX);

	while (len > 0 && (detail[len - 1] == '\n' || detail[len - 1] == '.'))
		len--;
	str_add_escaped(&shown, span_make(detail, len));
	(void)err_set(err, kind, "%s %s: %s", what, easy->peer, str_text(&shown));
}

/* libcurl names whom it could not reach, and no version of it here says whether that is a proxy. */
static bool is_proxy_meant(const struct easy *easy)
{
	CLEANUP_FREE char *host = xstrdup(easy->peer);
	char *name = host[0] == '[' ? host + 1 : host;

	name[strcspn(name, host[0] == '[' ? "]" : ":")] = '\0';
	return easy->detail[0] && !strstr(easy->detail, name);
}

static void explain_connect(const struct easy *easy, CURLcode code, struct err *err)
{
	long errnum = 0;

	if (is_proxy_meant(easy)) {
		explain_in_detail(easy, code, ERR_TRANSPORT, "no proxy to", err);
		return;
	}

	if (curl_easy_getinfo(easy->curl, CURLINFO_OS_ERRNO, &errnum) != CURLE_OK || errnum == 0) {
		explain_in_detail(easy, code, ERR_TRANSPORT, "cannot connect to", err);
		return;
	}
	(void)err_sys(err, (int)errnum, "cannot connect to %s", easy->peer);
	err->kind = ERR_TRANSPORT;
}

/* OpenSSL's text is all there is to tell a server without TLS from a connection that broke. */
static void explain_handshake(const struct easy *easy, CURLcode code, struct err *err)
{
	if (strstr(easy->detail, "wrong version number") ||
	    strstr(easy->detail, "packet length too long") ||
	    strstr(easy->detail, "http request")) {
		(void)err_set(err, ERR_GENERAL, "%s does not speak TLS (https)", easy->peer);
		return;
	}
	explain_in_detail(easy, code, ERR_TRANSPORT, "cannot agree on TLS with", err);
}

static void explain_short(const struct easy *easy, struct err *err)
{
	(void)err_set(err, ERR_TRANSPORT, "%s closed the connection before the end of the answer",
		      easy->peer);
}

void easy_explain(const struct easy *easy, CURLcode code, struct err *err)
{
	if (easy->err.kind != ERR_NONE) {
		*err = easy->err;
		(void)err_context(err, "%s", easy->peer);
		return;
	}
	switch ((int)code) {
	case CURLE_COULDNT_CONNECT:
		explain_connect(easy, code, err);
		break;
	case CURLE_COULDNT_RESOLVE_HOST:
		(void)err_set(err, ERR_GENERAL, "unknown host name: %s", easy->peer);
		break;
	case CURLE_COULDNT_RESOLVE_PROXY:
		explain_in_detail(easy, code, ERR_GENERAL, "no way to", err);
		break;
	case CURLE_SSL_CONNECT_ERROR:
		explain_handshake(easy, code, err);
		break;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CRL_BADFILE:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_INVALIDCERTSTATUS:
		explain_in_detail(easy, code, ERR_GENERAL, "no trust in", err);
		break;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		explain_in_detail(easy, code, ERR_GENERAL, "no valid HTTP from", err);
		break;
	case CURLE_OUT_OF_MEMORY:
		explain_in_detail(easy, code, ERR_GENERAL, "no request to", err);
		break;
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
		explain_short(easy, err);
		break;
	default:
		explain_in_detail(easy, code, ERR_TRANSPORT, "connection to", err);
	}
}
