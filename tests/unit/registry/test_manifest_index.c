/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of manifest_is_index() and index_choose(). */
#include "manifests.h"
#include "registry/manifest.h"

#define ENTRY(digit, more) "{\"digest\":\"" SHA(digit) "\",\"size\":1000" more "}"
#define ON(os, arch)       ",\"platform\":{\"os\":\"" os "\",\"architecture\":\"" arch "\"}"
#define TYPE(type)         ",\"mediaType\":\"" type "\""
#define INDEX(entries) \
	"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_INDEX "\",\"manifests\":[" entries "]}"

static const struct {
	const char *name;
	const char *text;
	const char *chosen; /* for amd64; NULL = error */
	const char *error;
} rows[] = {
	{ "two", INDEX(ENTRY("a", ON("linux", "arm64")) "," ENTRY("b", ON("linux", "amd64"))),
	  SHA("b"), NULL },
	{ "darwin", INDEX(ENTRY("a", ON("darwin", "amd64"))), SHA("a"), NULL },
	{ "the first of two",
	  INDEX(ENTRY("a", ON("linux", "amd64")) "," ENTRY("b", ON("linux", "amd64"))), SHA("a"),
	  NULL },
	{ "another system",
	  INDEX(ENTRY("a", ON("windows", "amd64")) "," ENTRY("b", ON("linux", "amd64"))), SHA("b"),
	  NULL },
	{ "only one, of nothing known", INDEX(ENTRY("c", "")), SHA("c"), NULL },
	{ "beside attestations", INDEX(ENTRY("c", "") "," ENTRY("a", ON("unknown", "unknown"))),
	  SHA("c"), NULL },
	{ "two, of nothing known", INDEX(ENTRY("a", "") "," ENTRY("c", "")), NULL,
	  "the image has no variant for amd64: there is ?/?, ?/?" },
	{ "only others",
	  INDEX(ENTRY("a", ON("linux", "arm64")) "," ENTRY("b", ON("unknown", "unknown")) "," ENTRY(
		  "c", ON("linux", "s390x"))),
	  NULL, "the image has no variant for amd64: there is linux/arm64, linux/s390x" },
	{ "only one, for another", INDEX(ENTRY("a", ON("linux", "arm64"))), NULL,
	  "there is linux/arm64" },
	{ "empty", INDEX(""), NULL, "there is none" },
	{ "typed", INDEX(ENTRY("a", ON("linux", "amd64") TYPE(MEDIA_OCI_MANIFEST))), SHA("a"),
	  NULL },
	{ "an index inside", INDEX(ENTRY("a", ON("linux", "amd64") TYPE(MEDIA_OCI_INDEX))), NULL,
	  "an image index inside an image index" },
	{ "a list inside", INDEX(ENTRY("a", ON("linux", "amd64") TYPE(MEDIA_DOCKER_LIST))), NULL,
	  "an image index inside an image index" },
	{ "Docker's list",
	  "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_DOCKER_LIST
	  "\",\"manifests\":[" ENTRY("a", ON("linux", "amd64")) "]}",
	  SHA("a"), NULL },
	{ "without a type",
	  "{\"schemaVersion\":2,\"manifests\":[" ENTRY("a", ON("linux", "amd64")) "]}", SHA("a"),
	  NULL },
	{ "a manifest",
	  "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"manifests\":[]}", NULL,
	  "not an image index" },
	{ "manifests that are no list", "{\"schemaVersion\":2,\"manifests\":{}}", NULL,
	  "not an image index" },
	{ "a path for a digest",
	  INDEX("{\"digest\":\"sha256:../../etc\",\"size\":1" ON("linux", "amd64") "}"), NULL,
	  "the entry for amd64: its digest" },
	{ "a manifest that is too large",
	  INDEX("{\"digest\":\"" SHA("a") "\",\"size\":4194305" ON("linux", "amd64") "}"), NULL,
	  "the manifest for amd64 is larger than 4194304 bytes" },
	{ "entries that are none", INDEX("1,null,[]"), NULL, "there is ?/?, ?/?, ?/?" },
	{ "an entry that is none", INDEX("7"), NULL, "the entry for amd64: not a descriptor" },
	{ "a key twice", INDEX(ENTRY("a", ON("linux", "amd64") ",\"size\":1000")), NULL,
	  "a key given twice" },
};

static void one_is_chosen(void **state)
{
	(void)state;
	each_row(rows, row) {
		blob_digest digest = "";
		uint64_t size = 0;
		struct err err = { 0 };
		bool ok = index_choose(span_of(row->text), ARCH_AMD64, digest, &size, &err);

		check(ok == (row->chosen != NULL), "%s: %s", row->name, ok ? digest : err.text);
		if (ok)
			check(strcmp(digest, row->chosen) == 0 && size == 1000, "%s: %s %llu",
			      row->name, digest, (unsigned long long)size);
		else
			check(strstr(err.text, row->error) && digest[0] == 0, "%s: %s", row->name,
			      err.text);
	}
}

static void list_of_variants_is_bounded(void **state)
{
	CLEANUP_STR struct str text = { 0 };
	struct err err = { 0 };
	blob_digest digest;
	uint64_t size;

	(void)state;
	str_add(&text, "{\"schemaVersion\":2,\"manifests\":[" ENTRY("a", ON("linux", "arm64")));
	for (int i = 0; i < 1000; i++)
		str_add(&text, "," ENTRY("a", ON("linux-with-a-very-long-name", "ppc64le")));
	str_add(&text, "]}");
	assert_false(index_choose(str_span(&text), ARCH_AMD64, digest, &size, &err));
	assert_true(strlen(err.text) < 600);
	assert_non_null(strstr(err.text, "linux/arm64, linux-with-a-very-lo/ppc64le, "));
	assert_non_null(strstr(err.text, ", ..."));
}

static const struct {
	const char *name;
	const char *media_type;
	const char *text;
	bool is_index;
} kinds[] = {
	{ "served as an index", MEDIA_OCI_INDEX, "anything", true },
	{ "served as a list", MEDIA_DOCKER_LIST, "anything", true },
	{ "served as a manifest", MEDIA_OCI_MANIFEST, INDEX(""), false },
	{ "served as Docker's manifest", MEDIA_DOCKER_MANIFEST, INDEX(""), false },
	{ "served as something", "application/json", INDEX(""), true },
	{ "served as nothing", NULL, INDEX(""), true },
	{ "told by its members", NULL, "{\"schemaVersion\":2,\"manifests\":[]}", true },
	{ "with layers", NULL, "{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}", false },
	{ "a manifest by its own word", NULL,
	  "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"manifests\":[]}",
	  false },
	{ "no JSON", NULL, "{", false },
};

static void indexes_are_recognised(void **state)
{
	(void)state;
	each_row(kinds, row)
		check(manifest_is_index(span_of(row->text), row->media_type) == row->is_index, "%s",
		      row->name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_is_chosen),
		cmocka_unit_test(list_of_variants_is_bounded),
		cmocka_unit_test(indexes_are_recognised),
	};

	return unit_main(tests);
}
