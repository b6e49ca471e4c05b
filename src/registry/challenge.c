/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing WWW-Authenticate headers, choosing a challenge. */
#include "registry/challenge.h"

#include <strings.h>

#include "base/reader.h"
#include "base/str.h"

/* Like HTTP's quoted strings and tokens, all ASCII: a byte outside it ends what is read. */
static bool is_blank(int c)
{
	return c == ' ' || c == '\t';
}

static bool is_token_char(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c > 0 && strchr("!#$%&'*+-.^_`|~", c));
}

/* Of token68 (RFC 9110, 11.2), which follows a scheme instead of parameters; its padding apart. */
static bool is_token68_char(int c)
{
	return (is_token_char(c) && !strchr("!#$%&'*^`|", c)) || c == '/';
}

static bool is_padding(int c)
{
	return c == '=';
}

/* Of a value without quotes. */
static bool is_bare_char(int c)
{
	return c > ' ' && c < 0x7f && c != ',' && c != '"';
}

static struct span take_while(struct reader *in, bool (*accepts)(int c))
{
	struct span start = reader_rest(in);
	size_t n = 0;
	struct span taken = { 0 };

	while (n < start.len && accepts((unsigned char)start.ptr[n]))
		n++;
	(void)reader_take(in, n, &taken);
	return taken;
}

static bool take_char(struct reader *in, char c)
{
	return reader_peek(in) == c && reader_skip(in, 1);
}

static char *lower_dup(struct span text)
{
	char *copy = xstrndup(text.ptr, text.len);

	for (char *c = copy; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return copy;
}

static bool malformed(struct err *err, const char *why)
{
	return err_set(err, ERR_GENERAL, "malformed WWW-Authenticate header: %s", why);
}

/* The opening quote is taken. */
static bool take_quoted(struct reader *in, struct str *out, struct err *err)
{
	for (;;) {
		int c = reader_peek(in);

		if (c < 0)
			return malformed(err, "a quote is not closed");
		(void)reader_skip(in, 1);
		if (c == '"')
			return true;
		if (c == '\\') {
			c = reader_peek(in);
			if (!reader_skip(in, 1))
				return malformed(err, "a quote is not closed");
		}
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return malformed(err, "it holds control characters");
		str_add_char(out, (char)c);
	}
}

static bool take_value(struct reader *in, struct str *out, struct err *err)
{
	if (take_char(in, '"'))
		return take_quoted(in, out, err);
	str_add_span(out, take_while(in, is_bare_char));
	return true;
}

/* "key =" at the front, which tells a parameter from the scheme of another challenge. Moves behind it. */
static bool take_key(struct reader *in, struct span *ret)
{
	struct reader ahead = *in;
	struct span key = take_while(&ahead, is_token_char);

	(void)take_while(&ahead, is_blank);
	if (key.len == 0 || !take_char(&ahead, '='))
		return false;
	(void)take_while(&ahead, is_blank);
	*ret = key;
	*in = ahead;
	return true;
}

static const char *param(const struct challenge *challenge, const char *key)
{
	vec_each(&challenge->params, p)
		if (strcmp(p->key, key) == 0)
			return p->value;
	return NULL;
}

/* The blanks behind an element have to lead to a comma or the end. */
static bool at_element_end(struct reader *in)
{
	(void)take_while(in, is_blank);
	return reader_peek(in) < 0 || reader_peek(in) == ',';
}

static bool add_param(struct reader *in, struct span key, struct challenge *challenge,
		      struct err *err)
{
	CLEANUP_STR struct str value = { 0 };
	CLEANUP_FREE char *name = lower_dup(key);
	struct challenge_param *added;

	if (!take_value(in, &value, err))
		return false;
	if (!at_element_end(in))
		return malformed(err, "a comma is missing");
	if (param(challenge, name))
		return malformed(err, "a directive is there twice");
	added = vec_push(&challenge->params);
	added->key = TAKE_PTR(name);
	added->value = str_take(&value);
	return true;
}

static void skip_separators(struct reader *in)
{
	do
		(void)take_while(in, is_blank);
	while (take_char(in, ','));
}

static bool take_params(struct reader *in, struct challenge *challenge, struct err *err)
{
	struct span key;

	for (;;) {
		struct reader ahead = *in;

		skip_separators(&ahead);
		if (!take_key(&ahead, &key))
			return true;
		*in = ahead;
		if (!add_param(in, key, challenge, err))
			return false;
	}
}

static bool take_token68(struct reader *in)
{
	struct reader ahead = *in;

	if (take_while(&ahead, is_token68_char).len == 0)
		return false;
	(void)take_while(&ahead, is_padding);
	if (!at_element_end(&ahead))
		return false;
	*in = ahead;
	return true;
}

/* What follows the scheme: nothing, token68 ("abc==") or parameters ("abc=x"). */
static bool take_rest(struct reader *in, struct challenge *challenge, struct err *err)
{
	bool separate = is_blank(reader_peek(in));

	if (at_element_end(in))
		return challenge->scheme != CHALLENGE_BEARER ||
		       malformed(err, "Bearer without directives");
	if (!separate)
		return malformed(err, "a scheme is expected");
	if (challenge->scheme == CHALLENGE_OTHER && take_token68(in))
		return true;
	if (!take_params(in, challenge, err))
		return false;
	return challenge->params.n > 0 || malformed(err, "key=value is expected");
}

static enum challenge_scheme scheme_of(const char *text)
{
	if (strcasecmp(text, "bearer") == 0)
		return CHALLENGE_BEARER;
	return strcasecmp(text, "basic") == 0 ? CHALLENGE_BASIC : CHALLENGE_OTHER;
}

static bool take_challenge(struct reader *in, struct challenge *ret, struct err *err)
{
	CLEANUP(challenge_done) struct challenge challenge = { 0 };
	struct span scheme = take_while(in, is_token_char);

	if (scheme.len == 0)
		return malformed(err, "a scheme is expected");
	challenge.scheme_text = xstrndup(scheme.ptr, scheme.len);
	challenge.scheme = scheme_of(challenge.scheme_text);
	if (!take_rest(in, &challenge, err))
		return false;
	challenge.realm = param(&challenge, "realm");
	challenge.service = param(&challenge, "service");
	challenge.scope = param(&challenge, "scope");
	*ret = challenge;
	challenge = (struct challenge){ 0 };
	return true;
}

bool challenge_list_parse(struct span header, struct challenge_list *ret, struct err *err)
{
	struct reader in = reader_of(header);

	if (header.len > CHALLENGE_HEADER_MAX)
		return err_set(err, ERR_GENERAL, "WWW-Authenticate header is longer than %d bytes",
			       CHALLENGE_HEADER_MAX);
	for (;;) {
		struct challenge challenge = { 0 };

		skip_separators(&in);
		if (reader_peek(&in) < 0)
			return true;
		if (!take_challenge(&in, &challenge, err))
			return false;
		*vec_push(&ret->items) = challenge;
	}
}

/* 0 for what cannot be answered: a token has to come from somewhere, and "Whatever" alone says nothing (cli.md 3.9). */
static unsigned worth(const struct challenge *challenge)
{
	switch (challenge->scheme) {
	case CHALLENGE_BEARER:
		return challenge->realm && *challenge->realm ? 3 : 0;
	case CHALLENGE_BASIC:
		return 2;
	default:
		return challenge->params.n > 0;
	}
}

static void why_worthless(const struct challenge *challenge, struct err *err)
{
	if (challenge->scheme == CHALLENGE_BEARER)
		(void)malformed(err, "Bearer without a realm");
	else
		(void)err_set(err, ERR_GENERAL,
			      "authentication scheme '%s' without directives is unsupported",
			      challenge->scheme_text);
}

/* Moves the best of a list to *best, if it is better. *err, when not yet set, tells of one that cannot be used. */
static void keep_best(struct challenge_list *list, struct challenge *best, struct err *err)
{
	vec_each(&list->items, item) {
		if (worth(item) == 0 && err->kind == ERR_NONE)
			why_worthless(item, err);
		if (worth(item) > worth(best)) {
			struct challenge taken = *item;

			*item = *best;
			*best = taken;
		}
	}
}

bool challenge_choose(const struct span *headers, size_t n, struct challenge *ret, struct err *err)
{
	struct challenge best = { 0 };
	struct err why = { 0 };

	for (size_t i = 0; i < n; i++) {
		CLEANUP(challenge_list_done) struct challenge_list list = { 0 };
		struct err problem = { 0 };

		(void)challenge_list_parse(headers[i], &list, &problem);
		keep_best(&list, &best, &why);
		if (why.kind == ERR_NONE)
			why = problem;
	}
	if (worth(&best) > 0) {
		*ret = best;
		return true;
	}
	if (why.kind != ERR_NONE) {
		*err = why;
		return false;
	}
	return err_set(err, ERR_GENERAL, "got HTTP 401, but WWW-Authenticate header is missing");
}

void challenge_done(struct challenge *challenge)
{
	free(challenge->scheme_text);
	vec_each(&challenge->params, p) {
		free(p->key);
		free(p->value);
	}
	vec_done(&challenge->params);
	*challenge = (struct challenge){ 0 };
}

void challenge_list_done(struct challenge_list *list)
{
	vec_each(&list->items, item)
		challenge_done(item);
	vec_done(&list->items);
}
