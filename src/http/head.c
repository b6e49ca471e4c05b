/* SPDX-License-Identifier: Apache-2.0 */
/* Status and headers of an answer. */
#include "http/head.h"

#include <strings.h>

#include "base/number.h"
#include "http/http.h"

static void clear_fields(struct head *head)
{
	vec_each(&head->fields, field) {
		free(field->name);
		free(field->value);
	}
	vec_done(&head->fields);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct span trim(struct span text)
{
	while (text.len > 0 && is_blank(text.ptr[0]))
		text = span_from(text, 1);
	while (text.len > 0 && is_blank(text.ptr[text.len - 1]))
		text.len--;
	return text;
}

static struct span without_line_end(struct span line)
{
	if (span_ends_with(line, "\n"))
		line.len--;
	if (span_ends_with(line, "\r"))
		line.len--;
	return line;
}

/* "HTTP/1.1 200 OK", "HTTP/2 200". */
static bool parse_status(struct span line, int *ret)
{
	struct span rest = span_from(line, span_find(line, ' '));
	struct span digits = trim(rest);
	uint64_t status;

	digits = span_first(digits, span_find(digits, ' '));
	if (digits.len != 3 || !number_parse_u64(digits, 999, &status) || status < 100)
		return false;
	*ret = (int)status;
	return true;
}

/* Lines that are no header are passed over; so are those with a NUL, which nobody could read as what they are. */
static void add_field(struct head *head, struct span line)
{
	size_t colon = span_find(line, ':');
	struct span name = span_first(line, colon);
	struct span value;

	if (colon == line.len || colon == 0 || span_find(line, '\0') < line.len)
		return;
	if (is_blank(name.ptr[0]) || is_blank(name.ptr[colon - 1]))
		return;
	value = trim(span_from(line, colon + 1));
	*vec_push(&head->fields) = (struct head_field){ .name = xstrndup(name.ptr, name.len),
							.value = xstrndup(value.ptr, value.len) };
}

static bool begin(struct head *head, struct span line, struct err *err)
{
	clear_fields(head);
	if (!parse_status(line, &head->status))
		return err_set(err, ERR_TRANSPORT, "the answer has no valid status");
	return true;
}

static void end(struct head *head)
{
	if (head->status >= 200)
		head->is_complete = true;
	else
		clear_fields(head);
}

bool head_add_line(struct head *head, struct span line, struct err *err)
{
	if (line.len > HTTP_HEADERS_MAX - head->bytes)
		return err_set(err, ERR_GENERAL, "the headers of the answer exceed %zu KiB",
			       HTTP_HEADERS_MAX / 1024);
	head->bytes += line.len;
	if (head->is_complete)
		return true;
	line = without_line_end(line);
	if (span_starts_with(line, "HTTP/"))
		return begin(head, line, err);
	if (head->status == 0)
		return err_set(err, ERR_TRANSPORT, "the answer does not begin with a status");
	if (line.len == 0)
		end(head);
	else
		add_field(head, line);
	return true;
}

const char *head_find(const struct head *head, const char *name, size_t nth)
{
	vec_each(&head->fields, field) {
		if (strcasecmp(field->name, name) == 0 && nth-- == 0)
			return field->value;
	}
	return NULL;
}

void head_done(struct head *head)
{
	clear_fields(head);
	*head = (struct head){ 0 };
}
