/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NBD URLs as `--disk` takes them (the NBD project's doc/uri.md):
 *
 *	nbd://HOST[:PORT][/EXPORT]             nbd+unix:///[EXPORT]?socket=PATH
 *	nbds://HOST[:PORT][/EXPORT]            nbds+unix:///[EXPORT]?socket=PATH      (TLS)
 *
 * HOST may be an IPv6 address in brackets; the port is 10809 unless given; %XX is decoded. With TLS the query may
 * name `tls-certificates` (a folder, default NBD_TLS_DIR) and `tls-hostname`. Other queries are an error, so that
 * nothing the user asked for is ignored.
 */
#ifndef TART_MACHINE_NBD_URL_H
#define TART_MACHINE_NBD_URL_H

#include "base/err.h"
#include "base/span.h"
#include "machine/spec.h"

#define NBD_PORT    "10809"
#define NBD_TLS_DIR "/etc/pki/libnbd"

/* Whether it starts with one of the four schemes. */
bool nbd_url_has_scheme(struct span text);

/* ERR_GENERAL quoting the URL. Paths inside stay as written, relative ones too. Pure. */
bool nbd_url_parse(struct span text, struct nbd_target *ret, struct err *err);

#endif
