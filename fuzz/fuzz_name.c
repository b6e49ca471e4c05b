/* SPDX-License-Identifier: Apache-2.0 */
/* Names: what is remote prints and parses as the same again, and its path stays below the cache. */
#include "storage/name.h"

#include "fuzz.h"

static void check_prints_the_same(const struct remote_name *name)
{
	CLEANUP(remote_name_done) struct remote_name again = { 0 };
	CLEANUP_STR struct str text = { 0 };
	struct err err = { 0 };

	remote_name_print(name, &text);
	fuzz_check(remote_name_parse(str_span(&text), &again, &err));
	fuzz_check(remote_name_compare(name, &again) == 0);
}

static void check_path(const struct remote_name *name)
{
	CLEANUP(name_path_done) struct name_path path = { 0 };
	CLEANUP_STR struct str host = { 0 };

	remote_name_path(name, &path);
	fuzz_check(path.parts.n >= 3);
	vec_each(&path.parts, part) {
		fuzz_check(strlen(*part) >= 1 && strlen(*part) <= NAME_BYTES_MAX);
		fuzz_check(!strchr(*part, '/') && strcmp(*part, ".") != 0 &&
			   strcmp(*part, "..") != 0);
	}
	name_decode_host(path.parts.v[0], &host);
	fuzz_check(strcmp(str_text(&host), name->host) == 0);
}

static void check_local(struct span input)
{
	CLEANUP_FREE char *text = NULL;
	const char *problem;

	if (memchr(input.ptr, 0, input.len))
		return;
	text = xstrndup(input.ptr, input.len);
	problem = name_local_problem(text);
	fuzz_check(problem ||
		   (input.len >= 1 && input.len <= NAME_BYTES_MAX && !strchr(text, '/')));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = span_make((const char *)data, size);
	CLEANUP(remote_name_done) struct remote_name name = { 0 };
	struct err err = { 0 };

	if (size > 0)
		check_local(input);
	if (!remote_name_parse(input, &name, &err)) {
		fuzz_check(!name.host && err.kind == ERR_REMOTE_NAME);
		return 0;
	}
	check_prints_the_same(&name);
	check_path(&name);
	return 0;
}
