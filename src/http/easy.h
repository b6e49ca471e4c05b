/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request as libcurl sees it: its options, its callbacks between connection and transfer, its errors in our words.
 * This file and network.c are the only ones that know libcurl.
 */
#ifndef TART_HTTP_EASY_H
#define TART_HTTP_EASY_H

#include <curl/curl.h>

#include "base/err.h"
#include "http/http.h"
#include "http/transfer.h"
#include "http/url.h"

struct easy_settings {
	char *user_agent;
	char *ca_file; /* NULL = libcurl's own default, the system's */
	char *ca_dir;
};

struct easy {
	CURL *curl;
	struct curl_slist *headers;
	char detail[CURL_ERROR_SIZE];
	char *peer;                  /* host and port, for errors */
	struct http_request request; /* method, body and callback of it */
	struct transfer transfer;
	uint64_t received; /* of the body */
	uint64_t sent;
	uint64_t
		reported; /* most that was ever sent: a body may be sent again, on another connection */
	bool was_active;    /* bytes have passed since the network thread looked last */
	uint64_t active_ms; /* when it saw that; the network thread's */
	uint64_t
		unwanted_ms; /* since when its reader waits for its end, 0 = does not; the network thread's */
	uint64_t end_ms; /* when it has to be over, by network_now_ms(); 0 = never */
	struct err err;  /* why a callback has ended it, or ERR_NONE */
};

/* What is borrowed until when, http_start() says; url and authorization, which redirects change, replace those in it. */
bool easy_new(const struct easy_settings *settings, const struct http_request *request,
	      const struct url *url, const char *authorization, struct easy **ret, struct err *err);
void easy_free(struct easy *easy); /* not while a multi handle has it */
static inline void easy_cleanup(struct easy **slot)
{
	easy_free(*slot);
}

/* Whether reading a little more, less than EASY_REST_MAX, is likely to save the connection for another request. */
#define EASY_REST_MAX 65536
bool easy_is_near_end(const struct easy *easy);

/* The error that `code` stands for; `code` is not CURLE_OK. */
void easy_explain(const struct easy *easy, CURLcode code, struct err *err);

#endif
