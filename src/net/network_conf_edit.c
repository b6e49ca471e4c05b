/* SPDX-License-Identifier: Apache-2.0 */
/* Changing one key in the text of network.conf. */
#include "net/network_conf.h"
#include "net/network_conf_lines.h"

static bool is_one_value(const char *value)
{
	return !value || !value[strcspn(value, "\n#")];
}

static bool unknown_key(const char *key, struct err *err)
{
	CLEANUP_STR struct str names = { 0 };

	for (const struct network_key *known = network_keys; known->name; known++)
		str_addf(&names, "%s%s", known == network_keys ? "" : ", ", known->name);
	return err_set(err, ERR_USAGE, "there is no key '%s'; there are %s", key, str_text(&names));
}

/* A line that has the key. Without a value only its comment stays, on a line of its own. */
static void edit_line(struct span line, const struct conf_line *read, const char *value,
		      struct str *out)
{
	size_t before = (size_t)(read->value.ptr - line.ptr);

	if (value) {
		str_add_span(out, span_first(line, before));
		str_add(out, line.ptr[before - 1] == '=' && read->value.len == 0 ? " " : "");
		str_add(out, value);
		str_add_span(out, span_from(line, before + read->value.len));
		str_add_char(out, '\n');
	} else if (read->comment.len > 0) {
		str_add_span(out, read->comment);
		str_add_char(out, '\n');
	}
}

static void copy_line(struct span line, struct str *out)
{
	str_add_span(out, line);
	str_add_char(out, '\n');
}

/* The first line that has the key gets the value, those that repeat it lose theirs, and without one a line is added. */
static void edit(struct span text, const char *key, const char *value, struct str *out)
{
	struct conf_line read;
	struct span line;

	/* The newline at the end ends the last line, it does not begin another. */
	if (text.len > 0 && text.ptr[text.len - 1] == '\n')
		text.len--;
	else if (text.len == 0)
		text.ptr = NULL;
	while (span_next(&text, '\n', &line)) {
		if (conf_line_read(line, &read) && span_is(read.key, key)) {
			edit_line(line, &read, value, out);
			value = NULL;
		} else {
			copy_line(line, out);
		}
	}
	if (value)
		str_addf(out, "%s = %s\n", key, value);
}

bool network_conf_edit(struct span text, const char *path, const char *key, const char *value,
		       struct str *ret, struct err *err)
{
	CLEANUP_STR struct str result = { 0 };
	struct network_conf conf;

	if (network_key_find(span_of(key)) == N_KEYS)
		return unknown_key(key, err);
	if (!is_one_value(value))
		return err_set(err, ERR_GENERAL, "%s: '%s' has a newline or a '#'", key, value);
	edit(text, key, value, &result);
	if (!network_conf_parse(str_span(&result), path, &conf, err))
		return false;
	network_conf_done(&conf);
	str_add_span(ret, str_span(&result));
	return true;
}
