/* SPDX-License-Identifier: Apache-2.0 */
/* From status and body to one line, a hint, and the start of the body. */
#include "registry/session_error.h"

#include "base/json.h"
#include "base/str.h"
#include "base/utf8.h"

#define ERROR_CODE_MAX    64  /* characters of one code shown */
#define ERROR_MESSAGE_MAX 200 /* characters of one message shown */

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
}

/* At most `max` characters; blanks, line ends and NULs in a row are one blank, as in pages of HTML. */
static void add_shortened(struct str *out, struct span text, size_t max)
{
	bool is_gap = false;
	size_t shown = 0;

	while (text.len > 0) {
		size_t len = utf8_len(text);

		if (is_blank(text.ptr[0])) {
			is_gap = shown > 0;
			text = span_from(text, 1);
			continue;
		}
		if (shown + is_gap >= max) {
			str_add(out, "...");
			return;
		}
		if (is_gap)
			str_add_char(out, ' ');
		shown += 1 + is_gap;
		is_gap = false;
		len = len > 0 ? len : 1;
		str_add_span(out, span_first(text, len));
		text = span_from(text, len);
	}
}

static const char *text_of(const struct json *object, const char *key)
{
	const struct json *member = json_member(object, key);

	return json_type(member) == JSON_STRING ? json_text(member) : "";
}

/* "; CODE: message" */
static void add_error(struct str *out, const struct json *error)
{
	const char *code = text_of(error, "code");
	const char *message = text_of(error, "message");

	if (!code[0] && !message[0])
		return;
	if (out->len > 0)
		str_add(out, "; ");
	add_shortened(out, span_of(code), ERROR_CODE_MAX);
	if (code[0] && message[0])
		str_add(out, ": ");
	add_shortened(out, span_of(message), ERROR_MESSAGE_MAX);
}

/* {"errors":[{"code","message"}]}; adds nothing when the body is something else. */
static void add_errors(struct str *out, struct span body, bool *ret_is_limit)
{
	CLEANUP_JSON struct json *root = NULL;
	const struct json *errors;
	struct err ignored = { 0 };

	if (!json_parse(body, &root, &ignored))
		return;
	errors = json_member(root, "errors");
	if (json_type(errors) != JSON_ARRAY)
		return;
	for (size_t i = 0; i < json_count(errors) && i < REFUSAL_ERRORS_MAX; i++) {
		const struct json *error = json_at(errors, i);

		add_error(out, error);
		*ret_is_limit |= strcmp(text_of(error, "code"), "TOOMANYREQUESTS") == 0;
	}
}

static const char *hint_for(int status, enum refusal_view view, bool is_limit)
{
	bool is_denied = status == 401 || status == 403;

	if (is_limit || status == 429)
		return "the registry limits requests: wait, or log in";
	if (view == REFUSAL_TOKEN && is_denied)
		return "wrong user name or password?";
	if (view == REFUSAL_ANONYMOUS_TOKEN && is_denied)
		return "private, misspelt, or log in";
	if (view == REFUSAL_PULL && (is_denied || status == 404))
		return "private, misspelt, or log in";
	if (view == REFUSAL_PUSH && is_denied)
		return "log in with an account that may push there";
	if (view == REFUSAL_PUSH && status == 404)
		return "does the repository exist?";
	if (view == REFUSAL_PING && status == 404)
		return "no registry answers there";
	return NULL;
}

bool refusal_describe(int status, struct span body, enum refusal_view view, struct err *err)
{
	CLEANUP_STR struct str errors = { 0 };
	CLEANUP_STR struct str detail = { 0 };
	bool is_limit = false;
	const char *hint;

	add_errors(&errors, body, &is_limit);
	hint = hint_for(status, view, is_limit);
	(void)err_set(err, ERR_GENERAL, "HTTP %d%s%s%s%s%s", status, errors.len > 0 ? ": " : "",
		      str_text(&errors), hint ? " (" : "", hint ? hint : "", hint ? ")" : "");
	if (errors.len == 0 && view < REFUSAL_TOKEN)
		add_shortened(&detail, body, REFUSAL_SHOWN_MAX);
	err_set_detail(err, str_span(&detail));
	return false;
}

bool refusal_of(struct http_exchange *exchange, enum refusal_view view, struct err *err)
{
	CLEANUP_STR struct str body = { 0 };
	char piece[4096];
	struct err ignored = { 0 };
	size_t n = 0;

	/* What cannot be read of it is not shown. */
	while (body.len < REFUSAL_BODY_MAX &&
	       http_read(exchange, piece, sizeof(piece), &n, &ignored) && n > 0)
		str_add_span(&body, span_make(piece, n));
	return refusal_describe(http_status(exchange), str_span(&body), view, err);
}

bool refusal_add_wait(uint64_t after_s, struct err *err)
{
	const struct err inner = *err;

	(void)err_set(err, inner.kind, "%s; it asks to wait for %llu s, try again later",
		      inner.text, (unsigned long long)after_s);
	err_set_detail(err, span_of(inner.detail));
	return false;
}
