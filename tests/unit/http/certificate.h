/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates for tests, made by the openssl tool: NAME.pem and NAME.key, which is its own authority. */
#ifndef TART_TESTS_HTTP_CERTIFICATE_H
#define TART_TESTS_HTTP_CERTIFICATE_H

#include "base/child.h"
#include "http/server.h"
#include "temp_dir.h"

struct certificate {
	char cert_path[320];
	char key_path[320];
	struct server_tls tls; /* the two, for server_start() */
};

/* `alt_name` is as openssl has it: "IP:127.0.0.1". */
static inline void certificate_make(const struct temp_dir *dir, const char *name,
				    const char *alt_name, struct certificate *ret)
{
	CLEANUP_FREE char *alt = xasprintf("subjectAltName=%s", alt_name);
	struct err err = { 0 };

	(void)snprintf(ret->cert_path, sizeof(ret->cert_path), "%s/%s.pem", dir->path, name);
	(void)snprintf(ret->key_path, sizeof(ret->key_path), "%s/%s.key", dir->path, name);
	const char *const argv[] = { "openssl",
				     "req",
				     "-x509",
				     "-newkey",
				     "ec",
				     "-pkeyopt",
				     "ec_paramgen_curve:prime256v1",
				     "-nodes",
				     "-days",
				     "2",
				     "-subj",
				     "/CN=tart test",
				     "-addext",
				     alt,
				     "-keyout",
				     ret->key_path,
				     "-out",
				     ret->cert_path,
				     NULL };

	check(child_run(argv, 65536, NULL, &err), "openssl: %s", err.text);
	ret->tls = (struct server_tls){ .cert_path = ret->cert_path, .key_path = ret->key_path };
}

#endif
