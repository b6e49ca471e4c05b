/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of machine/nbd_url.h. */
#include "machine/nbd_url.h"

#include "unit.h"

static const struct {
	const char *name;
	const char *text;
	struct {
		bool tls;
		const char *host, *port, *unix_path, *export_name, *tls_dir, *tls_hostname;
	} want;
} good[] = {
	{ "host, port, export",
	  "nbd://localhost:10809/myDisk",
	  { .host = "localhost", .port = "10809", .export_name = "myDisk" } },
	{ "default port, no export",
	  "nbd://example.com",
	  { .host = "example.com", .port = "10809", .export_name = "" } },
	{ "slash without export",
	  "nbd://example.com/",
	  { .host = "example.com", .port = "10809", .export_name = "" } },
	{ "export with slashes",
	  "nbd://h:1/a/b",
	  { .host = "h", .port = "1", .export_name = "a/b" } },
	{ "IPv6 with port",
	  "nbd://[::1]:99/x",
	  { .host = "::1", .port = "99", .export_name = "x" } },
	{ "IPv6 without port",
	  "nbd://[fe80::1]",
	  { .host = "fe80::1", .port = "10809", .export_name = "" } },
	{ "leading zeros of a port",
	  "nbd://h:00099",
	  { .host = "h", .port = "99", .export_name = "" } },
	{ "decoded export",
	  "nbd://h/a%20b%2C%c3%a9",
	  { .host = "h", .port = "10809", .export_name = "a b,\xc3\xa9" } },
	{ "socket",
	  "nbd+unix:///exp?socket=/run/nbd.sock",
	  { .unix_path = "/run/nbd.sock", .export_name = "exp" } },
	{ "socket without export",
	  "nbd+unix:///?socket=nbd.sock",
	  { .unix_path = "nbd.sock", .export_name = "" } },
	{ "socket without slash",
	  "nbd+unix://?socket=/s",
	  { .unix_path = "/s", .export_name = "" } },
	{ "TLS",
	  "nbds://h/x",
	  { .tls = true,
	    .host = "h",
	    .port = "10809",
	    .export_name = "x",
	    .tls_dir = NBD_TLS_DIR } },
	{ "TLS with its queries",
	  "nbds+unix:///x?tls-hostname=h%2e&socket=/s&tls-certificates=/etc/keys",
	  { .tls = true,
	    .unix_path = "/s",
	    .export_name = "x",
	    .tls_dir = "/etc/keys",
	    .tls_hostname = "h." } },
};

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void reads_urls(void **state)
{
	(void)state;
	each_row(good, row) {
		struct nbd_target got = { 0 };
		struct err err = { 0 };

		check(nbd_url_parse(span_of(row->text), &got, &err), "%s: %s", row->name, err.text);
		check(got.tls == row->want.tls, "%s: tls", row->name);
		check(same(got.host, row->want.host), "%s: host %s", row->name, got.host);
		check(same(got.port, row->want.port), "%s: port %s", row->name, got.port);
		check(same(got.unix_path, row->want.unix_path), "%s: socket %s", row->name,
		      got.unix_path);
		check(same(got.export_name, row->want.export_name), "%s: export %s", row->name,
		      got.export_name);
		check(same(got.tls_dir, row->want.tls_dir), "%s: certificates %s", row->name,
		      got.tls_dir);
		check(same(got.tls_hostname, row->want.tls_hostname), "%s: host name %s", row->name,
		      got.tls_hostname);
		nbd_target_done(&got);
	}
}

static const struct {
	const char *name;
	const char *text;
} bad[] = {
	{ "another scheme", "http://host/x" },
	{ "capitals", "NBD://host/x" },
	{ "no host", "nbd://" },
	{ "no host but a port", "nbd://:10809/x" },
	{ "no port after the colon", "nbd://host:/x" },
	{ "port 0", "nbd://host:0/x" },
	{ "port too large", "nbd://host:65536/x" },
	{ "port with letters", "nbd://host:10a/x" },
	{ "bracket left open", "nbd://[::1/x" },
	{ "text behind the bracket", "nbd://[::1]x/y" },
	{ "empty brackets", "nbd://[]/y" },
	{ "cut off %", "nbd://host/%4" },
	{ "% without digits", "nbd://host/%zz" },
	{ "NUL", "nbd://host/%00" },
	{ "line break", "nbd://host/%0a" },
	{ "unknown query", "nbd://host/x?foo=bar" },
	{ "socket without +unix", "nbd://host/x?socket=/s" },
	{ "+unix without socket", "nbd+unix:///x" },
	{ "+unix with a host", "nbd+unix://host/x?socket=/s" },
	{ "empty query", "nbd://host/x?" },
	{ "query without value", "nbd+unix:///x?socket=" },
	{ "TLS query without TLS", "nbd://host/x?tls-hostname=h" },
};

static void refuses_what_it_does_not_understand(void **state)
{
	(void)state;
	each_row(bad, row) {
		char untouched[] = "untouched";
		struct nbd_target got = { .port = untouched };
		struct err err = { 0 };

		check(!nbd_url_parse(span_of(row->text), &got, &err), "%s: accepted", row->name);
		check(got.port == untouched && !got.host, "%s: output changed", row->name);
		check(strstr(err.text, row->text), "%s: %s", row->name, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_urls),
		cmocka_unit_test(refuses_what_it_does_not_understand),
	};

	return unit_main(tests);
}
