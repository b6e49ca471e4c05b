/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of manifests for tests, and the images of tests/data/oci. */
#ifndef TART_TESTS_REGISTRY_MANIFESTS_H
#define TART_TESTS_REGISTRY_MANIFESTS_H

#include <fcntl.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "registry/manifest.h"
#include "unit.h"

#define EIGHT(text) text text text text text text text text
#define SHA(digit)  "sha256:" EIGHT(EIGHT(digit))

/* A copy of `text` with the first `from` in it replaced; the caller frees it. */
static inline char *edit(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);

	check(at, "'%s' is not in the text", from);
	return xasprintf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

struct samples {
	int dir_fd;
	struct json *cases; /* borrowed from tree */
	struct json *tree;
};

static inline void samples_done(struct samples *samples)
{
	cleanup_close(&samples->dir_fd);
	json_free(samples->tree);
}

static inline struct samples samples_open(void)
{
	CLEANUP_STR struct str text = { 0 };
	struct samples samples = { .dir_fd = -1 };
	struct err err = { 0 };

	check(fs_open_dir(AT_FDCWD, TEST_DATA "/oci", &samples.dir_fd, &err), "%s", err.text);
	check(fs_read_file(samples.dir_fd, "expected.json", 1 << 20, &text, &err), "%s", err.text);
	check(json_parse(str_span(&text), &samples.tree, &err), "%s", err.text);
	samples.cases = json_member(samples.tree, "cases");
	assert_true(json_count(samples.cases) > 90);
	return samples;
}

/* The blob of a digest, "sha256:...". */
static inline void samples_read(const struct samples *samples, const char *digest, struct str *out)
{
	CLEANUP_FREE char *path = xasprintf("layout/blobs/sha256/%s", digest + strlen("sha256:"));
	struct err err = { 0 };

	check(fs_read_file(samples->dir_fd, path, MANIFEST_MAX, out, &err), "%s", err.text);
}

#endif
