/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of http/http.h: who is trusted, and what may lead where. */
#include "http/certificate.h"
#include "http/client.h"
#include "http/http.h"

static const struct server_answer hello = { .head = "HTTP/1.1 200 OK\r\n", .body = "hello" };

/* Environment for the clients that are made from now on; NULL = not set. */
static void trust(const char *file, const char *dir)
{
	assert_int_equal(file ? setenv("SSL_CERT_FILE", file, 1) : unsetenv("SSL_CERT_FILE"), 0);
	assert_int_equal(dir ? setenv("SSL_CERT_DIR", dir, 1) : unsetenv("SSL_CERT_DIR"), 0);
}

static void expect_distrust(const struct server *server, const char *text)
{
	CLEANUP_HTTP struct http *http = client_new(0);
	struct err err = { 0 };

	client_fail(http, server, "/x", &err);
	check(err.kind == ERR_GENERAL && strstr(err.text, text), "kind %d, %s", (int)err.kind,
	      err.text);
	check(!strchr(err.text, '\n'), "%s", err.text);
}

static void expect_trust(const struct server *server)
{
	CLEANUP_HTTP struct http *http = client_new(0);

	assert_int_equal(client_do(http, HTTP_GET, server, "/x"), 200);
	assert_int_equal(client_do(http, HTTP_HEAD, server, "/x"), 200);
}

static void trusts_a_file_of_authorities(void **state)
{
	struct certificate own = { 0 };

	certificate_make(*state, "own", "IP:127.0.0.1", &own);
	CLEANUP_SERVER struct server *server = server_start(&hello, 1, &own.tls);

	trust(own.cert_path, NULL);
	expect_trust(server);
	assert_int_equal(server_n_connections(server), 1);
	trust(NULL, NULL);
	expect_distrust(server, "no trust in 127.0.0.1:");
}

static void trusts_a_directory_of_authorities(void **state)
{
	const struct temp_dir *dir = *state;
	const char *const argv[] = { "openssl", "rehash", dir->path, NULL };
	struct certificate own = { 0 };
	struct err err = { 0 };

	certificate_make(dir, "own", "IP:127.0.0.1", &own);
	check(child_run(argv, 65536, NULL, &err), "openssl: %s", err.text);
	CLEANUP_SERVER struct server *server = server_start(&hello, 1, &own.tls);

	trust(NULL, dir->path);
	expect_trust(server);
}

static void distrusts_other_names(void **state)
{
	struct certificate own = { 0 };

	certificate_make(*state, "own", "DNS:registry.example,IP:127.0.0.2", &own);
	CLEANUP_SERVER struct server *server = server_start(&hello, 1, &own.tls);

	trust(own.cert_path, NULL);
	expect_distrust(server, "no trust in 127.0.0.1:");
}

static void distrusts_other_authorities(void **state)
{
	struct certificate own = { 0 };
	struct certificate other = { 0 };

	certificate_make(*state, "own", "IP:127.0.0.1", &own);
	certificate_make(*state, "other", "IP:127.0.0.1", &other);
	CLEANUP_SERVER struct server *server = server_start(&hello, 1, &own.tls);

	trust(other.cert_path, NULL);
	expect_distrust(server, "no trust in 127.0.0.1:");
}

static void names_a_missing_file_of_authorities(void **state)
{
	struct certificate own = { 0 };

	certificate_make(*state, "own", "IP:127.0.0.1", &own);
	CLEANUP_SERVER struct server *server = server_start(&hello, 1, &own.tls);

	trust("/nonexistent/authorities.pem", NULL);
	expect_distrust(server, "/nonexistent/authorities.pem");
}

static void tells_a_server_without_tls(void **state)
{
	(void)state;
	trust(NULL, NULL);
	CLEANUP_SERVER struct server *server = server_start(&hello, 1, NULL);
	CLEANUP_HTTP struct http *http = client_new(0);
	CLEANUP_FREE char *url = xasprintf("https://127.0.0.1:%u/", server_port(server));
	CLEANUP_FREE char *text = xasprintf("127.0.0.1:%u does not speak TLS (https)",
					    server_port(server));
	const struct http_request request = { .url = url, .body = HTTP_NO_BODY };
	struct http_exchange *exchange = NULL;
	struct err err = { 0 };

	assert_false(http_start(http, &request, &exchange, &err));
	assert_int_equal(err.kind, ERR_GENERAL);
	assert_string_equal(err.text, text);
}

static void redirects_between_schemes(void **state)
{
	CLEANUP_SERVER struct server *plain = NULL;
	struct certificate own = { 0 };
	struct err err = { 0 };

	certificate_make(*state, "own", "IP:127.0.0.1", &own);
	trust(own.cert_path, NULL);
	CLEANUP_SERVER struct server *safe = server_start(&hello, 1, &own.tls);
	CLEANUP_FREE char *up = xasprintf("HTTP/1.1 301 Moved\r\nLocation: %s/x\r\n",
					  server_origin(safe));
	const struct server_answer up_answer = { .head = up, .body = "" };

	plain = server_start(&up_answer, 1, NULL);
	CLEANUP_FREE char *down = xasprintf("HTTP/1.1 301 Moved\r\nLocation: %s/x\r\n",
					    server_origin(plain));
	const struct server_answer down_answer = { .head = down, .body = "" };
	CLEANUP_SERVER struct server *unsafe = server_start(&down_answer, 1, &own.tls);
	CLEANUP_HTTP struct http *http = client_new(0);

	assert_int_equal(client_do(http, HTTP_GET, plain, "/x"), 200);
	client_fail(http, unsafe, "/x", &err);
	assert_int_equal(err.kind, ERR_GENERAL);
	assert_non_null(strstr(err.text, "redirects from https to http"));
	assert_int_equal(server_n_requests(plain), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		temp_dir_test(trusts_a_file_of_authorities),
		temp_dir_test(trusts_a_directory_of_authorities),
		temp_dir_test(distrusts_other_names),
		temp_dir_test(distrusts_other_authorities),
		temp_dir_test(names_a_missing_file_of_authorities),
		cmocka_unit_test(tells_a_server_without_tls),
		temp_dir_test(redirects_between_schemes),
	};

	return unit_main(tests);
}
