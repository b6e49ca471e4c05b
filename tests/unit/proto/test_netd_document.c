/* SPDX-License-Identifier: Apache-2.0 */
/* docs/PROTOCOL.netd.md against proto/netd.h: what has a number or a limit there, has the same in the document. */
#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "proto/netd.h"
#include "unit.h"

/* The document's text; DOCUMENT is its path, from meson.build. */
static void read_document(struct str *ret)
{
	char chunk[4096];
	FILE *file = fopen(DOCUMENT, "re");
	size_t n;

	check(file != NULL, "cannot open " DOCUMENT);
	while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
		str_add_span(ret, span_make(chunk, n));
	(void)fclose(file);
}

static void must_have(const struct str *document, const char *wanted)
{
	check(strstr(str_text(document), wanted), "the document does not say '%s'", wanted);
}

static void has_every_message(void **state)
{
	CLEANUP_STR struct str document = { 0 };
	size_t n_found = 0;

	(void)state;
	read_document(&document);
	for (int type = 0; type <= UINT16_MAX; type++) {
		const char *name = netd_type_name((enum netd_type)type);
		char heading[64];

		if (strcmp(name, "?") == 0)
			continue;
		if (type < NETD_R_ERROR)
			(void)snprintf(heading, sizeof(heading), "\n### %s (%d)", name, type);
		else
			(void)snprintf(heading, sizeof(heading), "\n### %s (0x%x)", name, type);
		must_have(&document, heading);
		n_found++;
	}
	assert_int_equal(n_found, NETD_ALIAS + NETD_R_DONE - NETD_R_ERROR + 1);
}

static void has_every_error(void **state)
{
	static const struct {
		enum netd_error code;
		const char *name;
	} rows[] = {
		{ NETD_E_INVALID, "INVALID" },       { NETD_E_DENIED, "DENIED" },
		{ NETD_E_LIMIT, "LIMIT" },           { NETD_E_EXHAUSTED, "EXHAUSTED" },
		{ NETD_E_MAC_IN_USE, "MAC_IN_USE" }, { NETD_E_PORT_IN_USE, "PORT_IN_USE" },
		{ NETD_E_MISSING, "MISSING" },       { NETD_E_CONFIG, "CONFIG" },
		{ NETD_E_KERNEL, "KERNEL" },
	};
	CLEANUP_STR struct str document = { 0 };

	(void)state;
	read_document(&document);
	each_row(rows, row) {
		char line[64];

		(void)snprintf(line, sizeof(line), "\n| %d | `%s` |", (int)row->code, row->name);
		must_have(&document, line);
	}
	assert_int_equal(ARRAY_LEN(rows), NETD_E_KERNEL);
}

static void has_every_counter_in_order(void **state)
{
	CLEANUP_STR struct str document = { 0 };
	const char *at;

	(void)state;
	read_document(&document);
	at = strstr(str_text(&document), "### R_STATS");
	for (int i = 0; at && i < NETD_COUNTERS; i++) {
		char line[64];

		(void)snprintf(line, sizeof(line), "\n| `%s` |", netd_counter_names[i]);
		at = strstr(at, line);
		check(at != NULL, "the document does not have %s, or not in its place",
		      netd_counter_names[i]);
	}
	assert_non_null(at);
}

static void has_every_limit(void **state)
{
	static const struct {
		const char *before;
		int number;
		const char *after;
	} rows[] = {
		{ "at most ", NETD_MESSAGE_MAX, " bytes" },
		{ "The version is ", NETD_VERSION, "," },
		{ "| vm | `text(", NETD_VM_SIZE - 1, ")` |" },
		{ "| interface | `text(", NETD_IF_SIZE - 1, ")` |" },
		{ "| text | `text(", NETD_TEXT_SIZE - 1, ")` |" },
		{ "| warning | `lines(", NETD_TEXT_SIZE - 1, ")` |" },
		{ "| warnings | `lines(", NETD_WARNINGS_SIZE - 1, ")` |" },
		{ "| NICs of one connection | ", NETD_NICS_MAX, " |" },
		{ "| `networks` | `u16` count, at most ", POLICY_LIST_MAX, "," },
		{ "| `ports` | `u16` count, at most ", EXPOSE_MAX, "," },
		{ "### R_LIST (0x102)\n\n`u16` count, at most ", NETD_LIST_MAX, "," },
		{ "| | `u16` | count, at most ", NETD_FORWARDS_MAX, "," },
	};
	CLEANUP_STR struct str document = { 0 };

	(void)state;
	read_document(&document);
	must_have(&document, "u32 0x444e4154");
	assert_int_equal(NETD_MAGIC, 0x444e4154);
	each_row(rows, row) {
		char text[128];

		(void)snprintf(text, sizeof(text), "%s%d%s", row->before, row->number, row->after);
		must_have(&document, text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_every_message),
		cmocka_unit_test(has_every_error),
		cmocka_unit_test(has_every_counter_in_order),
		cmocka_unit_test(has_every_limit),
	};

	return unit_main(tests);
}
