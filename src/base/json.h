/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON (RFC 8259) as an ordered tree, under caps, that gives back what it was given: numbers keep their
 * spelling (18446744073709551615, 1e3, 0.10), objects their order and unknown members. No packaged C library
 * does (jansson and json-c convert numbers), and config.json must survive every rewrite.
 *
 * Input is UTF-8 only, checked; escapes are resolved, \u0000 is refused (texts are C strings here). Duplicate
 * keys in one object are an error. Nesting is limited to JSON_DEPTH_MAX, so recursion is bounded.
 *
 * Every node is owned by its parent; json_free() on the root frees the tree. Borrowed pointers into the tree
 * live until that member is set, removed or the root freed.
 */
#ifndef TART_BASE_JSON_H
#define TART_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "base/str.h"

#define JSON_DEPTH_MAX   64
#define JSON_MEMBERS_MAX 4096              /* in one object */
#define JSON_NODES_MAX   ((size_t)1 << 18) /* in one text: each costs some 100 bytes */

enum json_type {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

struct json;

/* Parses exactly one value with optional white space around it. ERR_GENERAL naming the byte offset. */
bool json_parse(struct span text, struct json **ret, struct err *err);

struct json *json_object(void);
struct json *json_array(void);
struct json *json_string(const char *text);
struct json *json_string_span(struct span text);
struct json *json_bool(bool value);
struct json *json_u64(uint64_t value);
struct json *json_i64(int64_t value);
struct json *json_null(void);

/* A number with this exact spelling, which must be a JSON number (not checked). */
struct json *json_number(const char *spelling);

struct json *json_dup(const struct json *node);
void json_free(struct json *node);
static inline void json_cleanup(struct json **slot)
{
	json_free(*slot);
}
#define CLEANUP_JSON CLEANUP(json_cleanup)

/* The same for a tree that holds secrets: its texts are overwritten first. */
void json_wipe(struct json *node);
static inline void json_wipe_cleanup(struct json **slot)
{
	json_wipe(*slot);
}
#define CLEANUP_SECRET_JSON CLEANUP(json_wipe_cleanup)

/* All readers accept NULL and answer as for a node of another type. */
enum json_type json_type(const struct json *node); /* JSON_NULL for NULL */
bool json_is_object(const struct json *node);

/* A string's text, a number's spelling, else NULL. */
const char *json_text(const struct json *node);

/* Integer spelling that fits, no exponent or fraction. */
bool json_get_u64(const struct json *node, uint64_t *ret);
bool json_get_bool(const struct json *node, bool *ret);

/* Members, in order. The lookup treats a null member as present; json_member() returns NULL only for absence. */
struct json *json_member(const struct json *object, const char *key);

/* A string member's text, else NULL. */
const char *json_member_text(const struct json *object, const char *key);

size_t json_count(const struct json *container);
struct json *json_at(const struct json *container, size_t i);
const char *json_key_at(const struct json *object, size_t i);

/* Replaces or appends a member; the object owns the value from then on. Returns the value. */
struct json *json_set(struct json *object, const char *key, struct json *value);
bool json_remove(struct json *object, const char *key); /* true when there was one */
struct json *json_append(struct json *array, struct json *value);

/* Sorts the members of this object and of all objects below it by key bytes. */
void json_sort(struct json *node);

enum json_style {
	JSON_COMPACT, /* {"a":1} */
	JSON_PRETTY, /* two spaces a level, "key" : value; empty containers as "[", blank line, "]" */
};

/* Appends the text, without a final newline. "/" is not escaped; control characters are. */
void json_print(const struct json *node, enum json_style style, struct str *out);

#endif
