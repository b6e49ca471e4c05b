/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP/1.1 server for tests, on a loopback port that the system chooses: it plays the answers it was given, however
 * wrong they are, and records the requests. A thread for each connection.
 */
#ifndef TART_TESTS_HTTP_SERVER_H
#define TART_TESTS_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum server_end {
	SERVER_KEEP,  /* waits for the next request on this connection */
	SERVER_CLOSE, /* with a TLS goodbye, if it is TLS */
	SERVER_RESET,
	SERVER_HANG,  /* sends nothing more until the client closes */
	SERVER_STALL, /* reads nothing either, until server_stop() */
};

struct server_answer {
	const char *request;       /* "GET /a": first that fits is played; NULL = fits all */
	const char *authorization; /* fits requests with this value only; "" = without the header */
	unsigned int times;        /* how often it may be played, 0 = always */
	size_t held_until;         /* so many requests have arrived */
	const char *
		head; /* status line and headers, each with \r\n; NULL = not even that. @ORIGIN@ is replaced */
	const char *body; /* sent as it is; NULL = body_bytes bytes of server_byte() */
	uint64_t body_bytes;
	uint64_t body_start; /* position of the first of them */
	bool has_length; /* the head says itself how long the body is, or leaves it open: no Content-Length is added */
	uint64_t cut;         /* not 0: `end` comes after so many bytes of the body */
	unsigned int slow_us; /* not 0: one byte of the body at a time, with this pause */
	bool is_early; /* sent before the body of the request is read, which is not read then */
	enum server_end end;
};

struct server_request {
	char *line; /* "GET /a" */
	char *head; /* header lines as received */
	struct str body;
	unsigned int connection; /* number of the connection that it came over */
};

struct server_tls {
	const char *cert_path; /* PEM */
	const char *key_path;
};

struct server;

/* Ends the test program when it cannot. `answers` is borrowed; `tls` NULL = plain. */
struct server *server_start(const struct server_answer *answers, size_t n,
			    const struct server_tls *tls);
void server_stop(struct server *server);
static inline void server_cleanup(struct server **slot)
{
	if (*slot)
		server_stop(*slot);
}
#define CLEANUP_SERVER CLEANUP(server_cleanup)

const char *server_origin(const struct server *server); /* http://127.0.0.1:PORT */
uint16_t server_port(const struct server *server);

/* Requests in the order of their arrival. What is returned stays as it is until server_stop(). */
size_t server_n_requests(struct server *server);
const struct server_request *server_request(struct server *server, size_t i);
void server_wait(struct server *server, size_t n_requests);

/* Value of the first header of that name, freed by the caller; NULL when there is none. */
char *server_header_dup(const struct server_request *request, const char *name);

/* Bytes of bodies that the kernel has taken from the server so far. */
uint64_t server_sent(struct server *server);
unsigned int server_n_connections(struct server *server);

static inline char server_byte(uint64_t position)
{
	return (char)(position * 31 + (position >> 8) * 7 + (position >> 16));
}

#endif
