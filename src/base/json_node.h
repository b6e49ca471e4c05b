/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON node's fields: for json.c and json_parse.c only. */
#ifndef TART_BASE_JSON_NODE_H
#define TART_BASE_JSON_NODE_H

#include "base/json.h"
#include "base/vec.h"

struct json {
	enum json_type type;
	char *key;                /* inside an object, else NULL */
	char *text;               /* string: resolved text; number: spelling; else NULL */
	VEC(struct json *) items; /* object, array */
};

/* `text` is copied; a span with a NULL pointer means no text. */
struct json *json_node(enum json_type type, struct span text);

#endif
