/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a token server's answer. */
#include "registry/token.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/reader.h"
#include "base/secret.h"

static bool take_number(struct reader *in, size_t digits, int64_t min, int64_t max, int64_t *ret)
{
	struct span text;
	uint64_t value;

	if (!reader_take(in, digits, &text) || !number_parse_u64(text, (uint64_t)max, &value) ||
	    (int64_t)value < min)
		return false;
	*ret = (int64_t)value;
	return true;
}

static bool take_one_of(struct reader *in, const char *chars)
{
	int c = reader_peek(in);

	return c > 0 && strchr(chars, c) && reader_skip(in, 1);
}

static int64_t days_in_month(int64_t year, int64_t month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

/* Days of the proleptic Gregorian calendar since 1970-01-01. A year starts in March here: the leap day is its last. */
static int64_t days_since_1970(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t months = (month + 9) % 12;

	/* 719468 days lie between 0000-03-01 and 1970-01-01; 306 are those of March to December. */
	return y * 365 + y / 4 - y / 100 + y / 400 + (months * 306 + 5) / 10 + day - 1 - 719468;
}

static bool take_date(struct reader *in, int64_t *ret_days)
{
	int64_t year = 0;
	int64_t month = 0;
	int64_t day = 0;

	if (!take_number(in, 4, 1, 9999, &year) || !take_one_of(in, "-") ||
	    !take_number(in, 2, 1, 12, &month) || !take_one_of(in, "-") ||
	    !take_number(in, 2, 1, days_in_month(year, month), &day))
		return false;
	*ret_days = days_since_1970(year, month, day);
	return true;
}

static bool take_clock(struct reader *in, int64_t *ret_s)
{
	int64_t hour = 0;
	int64_t minute = 0;
	int64_t second = 0;

	if (!take_number(in, 2, 0, 23, &hour) || !take_one_of(in, ":") ||
	    !take_number(in, 2, 0, 59, &minute) || !take_one_of(in, ":") ||
	    !take_number(in, 2, 0, 60, &second))
		return false;
	*ret_s = hour * 3600 + minute * 60 + second;
	if (!take_one_of(in, "."))
		return true;
	if (!take_one_of(in, "0123456789"))
		return false;
	while (take_one_of(in, "0123456789"))
		;
	return true;
}

static bool take_offset(struct reader *in, int64_t *ret_s)
{
	bool west = reader_peek(in) == '-';
	int64_t hour = 0;
	int64_t minute = 0;

	*ret_s = 0;
	if (take_one_of(in, "Zz"))
		return true;
	if (!take_one_of(in, "+-") || !take_number(in, 2, 0, 23, &hour) || !take_one_of(in, ":") ||
	    !take_number(in, 2, 0, 59, &minute))
		return false;
	*ret_s = (west ? -1 : 1) * (hour * 3600 + minute * 60);
	return true;
}

bool token_parse_time(struct span text, int64_t *ret)
{
	struct reader in = reader_of(text);
	int64_t days = 0;
	int64_t clock = 0;
	int64_t offset = 0;

	if (!take_date(&in, &days) || !take_one_of(&in, "Tt ") || !take_clock(&in, &clock) ||
	    !take_offset(&in, &offset) || reader_peek(&in) >= 0)
		return false;
	*ret = days * 86400 + clock - offset;
	return true;
}

static int64_t issued_at(const struct json *answer, int64_t now)
{
	const struct json *member = json_member(answer, "issued_at");
	int64_t when = now;

	if (json_type(member) != JSON_STRING ||
	    !token_parse_time(span_of(json_text(member)), &when))
		return now;
	return when < 0 || when > now ? now : when;
}

/* The whole part of a number; some servers write 300.0, or it as a string. */
static int64_t life_s(const struct json *answer)
{
	const char *text = json_text(json_member(answer, "expires_in"));
	struct span digits;
	uint64_t value;

	if (!text)
		return TOKEN_LIFE_DEFAULT_S;
	digits = span_first(span_of(text), strspn(text, "0123456789"));
	if (digits.len == 0 || (text[digits.len] && text[digits.len] != '.'))
		return TOKEN_LIFE_DEFAULT_S;
	if (!number_parse_u64(digits, TOKEN_LIFE_MAX_S, &value))
		return TOKEN_LIFE_MAX_S;
	return value > 0 ? (int64_t)value : TOKEN_LIFE_DEFAULT_S;
}

/* NULL for what is no text, or empty. */
static const char *token_text(const struct json *answer, const char *key)
{
	const char *text = json_member_text(answer, key);

	return text && *text ? text : NULL;
}

/* It becomes part of a header. */
static bool check_text(const char *text, struct err *err)
{
	size_t len = strlen(text);

	if (len > TOKEN_TEXT_MAX)
		return err_set(err, ERR_GENERAL,
			       "the token server's token has %zu bytes, more than %zu", len,
			       TOKEN_TEXT_MAX);
	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			return err_set(
				err, ERR_GENERAL,
				"the token server's token holds characters that cannot be sent");
	return true;
}

bool token_parse(struct span answer, int64_t now, struct token *ret, struct err *err)
{
	CLEANUP_SECRET_JSON struct json *tree = NULL;
	struct err problem = { 0 };
	const char *text;
	int64_t life;

	if (answer.len > TOKEN_ANSWER_MAX)
		return err_set(err, ERR_GENERAL,
			       "the token server's answer is longer than %zu bytes",
			       TOKEN_ANSWER_MAX);
	if (!json_parse(answer, &tree, &problem) || !json_is_object(tree))
		return err_set(err, ERR_GENERAL, "the token server's answer is no JSON object");
	text = token_text(tree, "token");
	if (!text)
		text = token_text(tree, "access_token");
	if (!text)
		return err_set(
			err, ERR_GENERAL,
			"the token server's answer holds neither 'token' nor 'access_token'");
	if (!check_text(text, err))
		return false;
	life = life_s(tree);
	ret->text = xstrdup(text);
	ret->expires_at = issued_at(tree, now) + life;
	ret->renew_at = ret->expires_at - (life > TOKEN_EARLY_S ? TOKEN_EARLY_S : 0);
	return true;
}

bool token_is_valid(const struct token *token, int64_t now)
{
	return token->text && now < token->renew_at;
}

void token_done(struct token *token)
{
	secret_free(token->text);
	*token = (struct token){ 0 };
}
