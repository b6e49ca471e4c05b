/* SPDX-License-Identifier: Apache-2.0 */
/* JSON tree: building, reading, changing, printing. The parser is json_parse.c. */
#include "base/json.h"

#include <stdio.h>

#include "base/json_node.h"
#include "base/mem.h"
#include "base/number.h"

struct json *json_node(enum json_type type, struct span text)
{
	struct json *node = xcalloc(1, sizeof(*node));

	node->type = type;
	if (text.ptr)
		node->text = xstrndup(text.ptr, text.len);
	return node;
}

struct json *json_object(void)
{
	return json_node(JSON_OBJECT, (struct span){ 0 });
}

struct json *json_array(void)
{
	return json_node(JSON_ARRAY, (struct span){ 0 });
}

struct json *json_string(const char *text)
{
	return json_node(JSON_STRING, span_of(text));
}

struct json *json_string_span(struct span text)
{
	return json_node(JSON_STRING, text.ptr ? text : span_of(""));
}

struct json *json_bool(bool value)
{
	return json_node(value ? JSON_TRUE : JSON_FALSE, (struct span){ 0 });
}

struct json *json_null(void)
{
	return json_node(JSON_NULL, (struct span){ 0 });
}

struct json *json_number(const char *spelling)
{
	return json_node(JSON_NUMBER, span_of(spelling));
}

struct json *json_u64(uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return json_number(text);
}

struct json *json_i64(int64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)value);
	return json_number(text);
}

struct json *json_dup(const struct json *node)
{
	struct json *copy = json_node(node->type,
				      node->text ? span_of(node->text) : (struct span){ 0 });

	if (node->key)
		copy->key = xstrdup(node->key);
	vec_each(&node->items, item)
		*vec_push(&copy->items) = json_dup(*item);
	return copy;
}

void json_free(struct json *node)
{
	if (!node)
		return;
	vec_each(&node->items, item)
		json_free(*item);
	vec_done(&node->items);
	free(node->key);
	free(node->text);
	free(node);
}

/* The depth is what json_parse() let in. */
static void overwrite(struct json *node)
{
	if (node->text)
		explicit_bzero(node->text, strlen(node->text));
	vec_each(&node->items, item)
		overwrite(*item);
}

void json_wipe(struct json *node)
{
	if (node)
		overwrite(node);
	json_free(node);
}

enum json_type json_type(const struct json *node)
{
	return node ? node->type : JSON_NULL;
}

bool json_is_object(const struct json *node)
{
	return json_type(node) == JSON_OBJECT;
}

const char *json_text(const struct json *node)
{
	return node ? node->text : NULL;
}

bool json_get_u64(const struct json *node, uint64_t *ret)
{
	return json_type(node) == JSON_NUMBER &&
	       number_parse_u64(span_of(node->text), UINT64_MAX, ret);
}

bool json_get_bool(const struct json *node, bool *ret)
{
	if (json_type(node) != JSON_TRUE && json_type(node) != JSON_FALSE)
		return false;
	*ret = node->type == JSON_TRUE;
	return true;
}

static size_t member_index(const struct json *object, const char *key)
{
	size_t i = 0;

	while (i < object->items.n && strcmp(object->items.v[i]->key, key) != 0)
		i++;
	return i;
}

struct json *json_member(const struct json *object, const char *key)
{
	size_t i;

	if (!json_is_object(object))
		return NULL;
	i = member_index(object, key);
	return i < object->items.n ? object->items.v[i] : NULL;
}

const char *json_member_text(const struct json *object, const char *key)
{
	const struct json *member = json_member(object, key);

	return json_type(member) == JSON_STRING ? member->text : NULL;
}

size_t json_count(const struct json *container)
{
	return container ? container->items.n : 0;
}

struct json *json_at(const struct json *container, size_t i)
{
	return i < json_count(container) ? container->items.v[i] : NULL;
}

const char *json_key_at(const struct json *object, size_t i)
{
	const struct json *member = json_at(object, i);

	return member ? member->key : NULL;
}

struct json *json_set(struct json *object, const char *key, struct json *value)
{
	size_t i = member_index(object, key);

	free(value->key);
	value->key = xstrdup(key);
	if (i < object->items.n) {
		json_free(object->items.v[i]);
		object->items.v[i] = value;
	} else {
		*vec_push(&object->items) = value;
	}
	return value;
}

bool json_remove(struct json *object, const char *key)
{
	size_t i = member_index(object, key);

	if (i == object->items.n)
		return false;
	json_free(object->items.v[i]);
	object->items.n--;
	memmove(&object->items.v[i], &object->items.v[i + 1],
		(object->items.n - i) * sizeof(*object->items.v));
	return true;
}

struct json *json_append(struct json *array, struct json *value)
{
	*vec_push(&array->items) = value;
	return value;
}

static int by_key(const void *a, const void *b)
{
	const struct json *const *left = a;
	const struct json *const *right = b;

	return strcmp((*left)->key, (*right)->key);
}

void json_sort(struct json *node)
{
	if (node->type == JSON_OBJECT && node->items.n > 1)
		qsort(node->items.v, node->items.n, sizeof(*node->items.v), by_key);
	vec_each(&node->items, item)
		json_sort(*item);
}

static void print_string(const char *text, struct str *out)
{
	static const char short_escapes[] = "\b\t\n\f\r\"\\";
	static const char letters[] = "btnfr\"\\";

	str_add_char(out, '"');
	for (; *text; text++) {
		const char *found = strchr(short_escapes, *text);

		if (found)
			str_addf(out, "\\%c", letters[found - short_escapes]);
		else if ((unsigned char)*text < 0x20 || *text == 0x7f)
			str_addf(out, "\\u%04x", (unsigned char)*text);
		else
			str_add_char(out, *text);
	}
	str_add_char(out, '"');
}

static void newline(struct str *out, int level)
{
	str_addf(out, "\n%*s", level * 2, "");
}

static void print_node(const struct json *node, enum json_style style, int level, struct str *out);

static void print_items(const struct json *node, enum json_style style, int level, struct str *out)
{
	vec_each(&node->items, item) {
		if (item != node->items.v)
			str_add_char(out, ',');
		if (style == JSON_PRETTY)
			newline(out, level + 1);
		if ((*item)->key) {
			print_string((*item)->key, out);
			str_add(out, style == JSON_PRETTY ? " : " : ":");
		}
		print_node(*item, style, level + 1, out);
	}
	if (style != JSON_PRETTY)
		return;
	if (node->items.n == 0)
		str_add_char(out, '\n');
	newline(out, level);
}

static void print_node(const struct json *node, enum json_style style, int level, struct str *out)
{
	switch (node->type) {
	case JSON_NULL:
		str_add(out, "null");
		break;
	case JSON_FALSE:
		str_add(out, "false");
		break;
	case JSON_TRUE:
		str_add(out, "true");
		break;
	case JSON_NUMBER:
		str_add(out, node->text);
		break;
	case JSON_STRING:
		print_string(node->text, out);
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		str_add_char(out, node->type == JSON_ARRAY ? '[' : '{');
		print_items(node, style, level, out);
		str_add_char(out, node->type == JSON_ARRAY ? ']' : '}');
		break;
	}
}

void json_print(const struct json *node, enum json_style style, struct str *out)
{
	print_node(node, style, 0, out);
}
