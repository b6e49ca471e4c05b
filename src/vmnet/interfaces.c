/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the keeper's program which interfaces there are. */
#include "vmnet/interfaces.h"

#include <stdio.h>
#include <string.h>

#include "base/child.h"
#include "base/program.h"

static bool parse_line(struct span line, struct host_interface *ret)
{
	size_t end = span_find(line, ' ');
	struct span name = span_first(line, end);
	struct span kind = end < line.len ? span_from(line, end + 1) : span_make(NULL, 0);

	if (!ifname_is_valid(name) || kind.len == 0 || kind.len >= sizeof(ret->kind))
		return false;
	(void)snprintf(ret->name, sizeof(ret->name), "%.*s", SPAN_ARG(name));
	(void)snprintf(ret->kind, sizeof(ret->kind), "%.*s", SPAN_ARG(kind));
	return true;
}

bool interfaces_parse(struct span text, host_interfaces *ret, struct err *err)
{
	host_interfaces all = { 0 };
	struct span line;

	while (span_next(&text, '\n', &line)) {
		if (line.len == 0 || parse_line(line, vec_push(&all)))
			continue;
		vec_done(&all);
		return err_set(err, ERR_GENERAL, "'%.*s' is no interface and its kind",
			       SPAN_ARG(line));
	}
	*ret = all;
	return true;
}

bool interfaces_list(host_interfaces *ret, struct err *err)
{
	CLEANUP_FREE char *program = program_path("tart-netd");
	const char *argv[] = { program, "--candidates", NULL };
	CLEANUP_STR struct str text = { 0 };

	if (!program)
		return err_set(err, ERR_GENERAL, "tart-netd is not installed");
	return child_run(argv, INTERFACES_TEXT_MAX, &text, err) &&
	       (interfaces_parse(str_span(&text), ret, err) || err_context(err, "%s", program));
}

bool interfaces_check(const host_interfaces *all, const char *name, struct err *err)
{
	CLEANUP_STR struct str names = { 0 };

	vec_each(all, interface) {
		if (strcmp(interface->name, name) == 0)
			return true;
		str_addf(&names, "%s%s", names.len > 0 ? ", " : "", interface->name);
	}
	return err_set(err, ERR_USAGE,
		       "no bridge interfaces matched \"%s\", available interfaces: %s", name,
		       names.len > 0 ? str_text(&names) : "none");
}
