/* SPDX-License-Identifier: Apache-2.0 */
/* Checks as lines and as JSON. */
#include "cmd/checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/print.h"

/* Two characters wide, so that lines start alike; the colour is for terminals. */
static const struct {
	const char *text;
	const char *colour;
} marks[] = {
	[CHECK_OK] = { "ok", "\033[32m" },
	[CHECK_MISSING] = { "--", "\033[33m" },
	[CHECK_BROKEN] = { "no", "\033[31m" },
};

static bool wants_colour(void)
{
	const char *term = getenv("TERM");
	const char *no_colour = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0 &&
	       (!no_colour || !no_colour[0]);
}

void checks_print(const struct host_report *report)
{
	bool coloured = wants_colour();
	int width = 0;

	vec_each(&report->checks, check) {
		int len = (int)strlen(check->label);

		width = len > width ? len : width;
	}
	vec_each(&report->checks, check) {
		fputs(coloured ? marks[check->state].colour : "", stdout);
		fputs(marks[check->state].text, stdout);
		fputs(coloured ? "\033[0m" : "", stdout);
		print_line("  %-*s  %s%s%s", width, check->label, check->detail,
			   check->remedy ? "; remedy: " : "", check->remedy ? check->remedy : "");
	}
}

static struct json *check_as_json(const struct host_check *check)
{
	struct json *object = json_object();

	(void)json_set(object, "Name", json_string(check->name));
	(void)json_set(object, "State", json_string(check_state_text(check->state)));
	(void)json_set(object, "Detail", json_string(check->detail));
	if (check->remedy)
		(void)json_set(object, "Remedy", json_string(check->remedy));
	for (size_t i = 0; i < json_count(check->more); i++)
		(void)json_set(object, json_key_at(check->more, i),
			       json_dup(json_at(check->more, i)));
	return object;
}

struct json *checks_as_json(const struct host_report *report)
{
	struct json *array = json_array();

	vec_each(&report->checks, check)
		(void)json_append(array, check_as_json(check));
	return array;
}
