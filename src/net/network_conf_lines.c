/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of network.conf. */
#include "net/network_conf_lines.h"

#include "net/network_conf.h"

size_t network_key_find(struct span name)
{
	size_t i = 0;

	while (i < N_KEYS && !span_is(name, network_keys[i].name))
		i++;
	return i;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct span trim(struct span text)
{
	while (text.len > 0 && is_blank(text.ptr[0]))
		text = span_from(text, 1);
	while (text.len > 0 && is_blank(text.ptr[text.len - 1]))
		text.len--;
	return text;
}

bool conf_line_read(struct span line, struct conf_line *ret)
{
	size_t hash = span_find(line, '#');
	struct span setting = trim(span_first(line, hash));
	size_t equals = span_find(setting, '=');
	struct conf_line result = { .comment = span_from(line, hash), .value = setting };

	if (setting.len > 0) {
		if (equals == setting.len)
			return false;
		result.key = trim(span_first(setting, equals));
		result.value = trim(span_from(setting, equals + 1));
		if (result.key.len == 0)
			return false;
	}
	*ret = result;
	return true;
}
