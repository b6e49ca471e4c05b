/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's config.json: the first line is the host, which is also tried as a pattern; all that follows is the file. */
#include "registry/docker_config.h"

#include "base/mem.h"
#include "fuzz.h"
#include "registry/basic.h"
#include "registry/host_pattern.h"

static void check_credentials(const struct docker_config *config, const char *host)
{
	CLEANUP(credentials_done) struct credentials found = { 0 };
	CLEANUP(credentials_done) struct credentials again = { 0 };
	CLEANUP_STR struct str text = { 0 };

	if (!docker_config_find(config, host, &found)) {
		fuzz_check(!found.user && !found.password);
		return;
	}
	fuzz_check(*found.user || *found.password);
	if (strchr(found.user, ':'))
		return;
	basic_add(&text, &found);
	fuzz_check(basic_decode(str_span(&text), &again));
	fuzz_check(strcmp(again.user, found.user) == 0);
	fuzz_check(strcmp(again.password, found.password) == 0);
}

static void check_file(struct span text, const char *host)
{
	CLEANUP(docker_config_done) struct docker_config config = { 0 };
	struct err err = { 0 };
	const char *helper;

	if (!docker_config_parse(text, &config, &err)) {
		fuzz_check(err.kind == ERR_GENERAL && !config.tree);
		return;
	}
	check_credentials(&config, host);
	helper = docker_config_helper(&config, host);
	fuzz_check(!helper || *helper);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_make(size > 0 ? (const char *)data : "", size);
	CLEANUP_FREE char *host = NULL;
	struct span line;

	if (!span_next(&rest, '\n', &line) || memchr(line.ptr, '\0', line.len))
		return 0;
	host = xstrndup(line.ptr, line.len);
	(void)host_pattern_matches(host, "registry.example.com:5000");
	check_file(rest.ptr ? rest : span_of(""), host);
	return 0;
}
