/* SPDX-License-Identifier: Apache-2.0 */
/* The words of the status socket. */
#include "proto/vsockd.h"

static const char *const words[] = {
	[VSOCKD_DRIVER_UP] = "driver-up", [VSOCKD_DRIVER_DOWN] = "driver-down",
	[VSOCKD_BROKEN] = "broken",       [VSOCKD_DONE] = "done",
	[VSOCKD_RESET] = "reset",         [VSOCKD_QUIESCE] = "quiesce",
	[VSOCKD_RESUME] = "resume",
};

static bool is_order(enum vsockd_word word)
{
	return word == VSOCKD_RESET || word == VSOCKD_QUIESCE || word == VSOCKD_RESUME;
}

static bool is_printable(char c)
{
	return c >= ' ' && c <= '~';
}

static void put_why(const char *why, struct str *out)
{
	size_t room = VSOCKD_WHY_SIZE - 1;

	str_add_char(out, ' ');
	if (!*why)
		why = "?";
	for (; *why && room > 0; why++, room--)
		str_add_char(out, is_printable(*why) ? *why : '?');
}

void vsockd_put(const struct vsockd_message *message, struct str *out)
{
	str_add(out, words[message->word]);
	if (message->word == VSOCKD_BROKEN)
		put_why(message->why, out);
	if (message->word == VSOCKD_DONE)
		str_addf(out, " %s", words[message->order]);
}

/* 0 for what is no word. */
static enum vsockd_word word_of(struct span text)
{
	for (size_t i = VSOCKD_DRIVER_UP; i < ARRAY_LEN(words); i++)
		if (span_is(text, words[i]))
			return (enum vsockd_word)i;
	return 0;
}

static bool get_why(struct span text, struct vsockd_message *message)
{
	if (text.len == 0 || text.len >= sizeof(message->why))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (!is_printable(text.ptr[i]))
			return false;
		message->why[i] = text.ptr[i];
	}
	return true;
}

static bool get_rest(struct span rest, struct vsockd_message *message)
{
	switch (message->word) {
	case VSOCKD_BROKEN:
		return get_why(rest, message);
	case VSOCKD_DONE:
		message->order = word_of(rest);
		return is_order(message->order);
	default:
		return !rest.ptr;
	}
}

bool vsockd_get(struct span packet, struct vsockd_message *ret, struct err *err)
{
	struct vsockd_message message = { 0 };
	size_t end = span_find(packet, ' ');
	struct span rest = end < packet.len ? span_from(packet, end + 1) : span_make(NULL, 0);

	message.word = word_of(span_first(packet, end));
	if (!message.word || !get_rest(rest, &message))
		return err_set(err, ERR_GENERAL, "%s: not a message that is known", VSOCKD_PROGRAM);
	*ret = message;
	return true;
}
