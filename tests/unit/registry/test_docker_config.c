/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of registry/docker_config.h. */
#include "registry/docker_config.h"

#include <fcntl.h>

#include "base/mem.h"
#include "temp_dir.h"

/* u:p, u:p:q, v:w */
#define UP  "{\"auth\":\"dTpw\"}"
#define UPQ "{\"auth\":\"dTpwOnE=\"}"
#define VW  "{\"auth\":\"djp3\"}"

#define ECR "\"(.*).dkr.ecr.(.*).amazonaws.com\":\"ecr-login\""

static const struct {
	const char *name;
	const char *config;
	const char *host;
	const char *user, *password; /* NULL: none */
	const char *helper;
} rows[] = {
	{ "nothing", "{}", "h", NULL, NULL, NULL },
	{ "other types", "{\"auths\":[],\"credHelpers\":\"x\",\"credsStore\":7}", "h", NULL, NULL,
	  NULL },
	{ "auth", "{\"auths\":{\"h\":" UP "}}", "h", "u", "p", NULL },
	{ "first colon", "{\"auths\":{\"h\":" UPQ "}}", "h", "u", "p:q", NULL },
	{ "other host", "{\"auths\":{\"i\":" UP "}}", "h", NULL, NULL, NULL },
	{ "with its port", "{\"auths\":{\"h\":" UP ",\"h:5000\":" VW "}}", "h:5000", "v", "w",
	  NULL },
	{ "without its port", "{\"auths\":{\"h\":" UP "}}", "h:5000", NULL, NULL, NULL },
	{ "undecodable", "{\"auths\":{\"h\":{\"auth\":\"*\"}}}", "h", NULL, NULL, NULL },
	{ "no text", "{\"auths\":{\"h\":{\"auth\":7}}}", "h", NULL, NULL, NULL },
	{ "no object", "{\"auths\":{\"h\":\"dTpw\"}}", "h", NULL, NULL, NULL },
	{ "identity token", "{\"auths\":{\"h\":{\"auth\":\"dTpw\",\"identitytoken\":\"t\"}}}", "h",
	  "<token>", "t", NULL },
	{ "empty identity token", "{\"auths\":{\"h\":{\"auth\":\"dTpw\",\"identitytoken\":\"\"}}}",
	  "h", "u", "p", NULL },
	/* spellings */
	{ "https", "{\"auths\":{\"https://h\":" UP "}}", "h", "u", "p", NULL },
	{ "https and path", "{\"auths\":{\"https://h/v1/\":" UP "}}", "h", "u", "p", NULL },
	{ "http, port and path", "{\"auths\":{\"http://h:5000/v2/\":" UP "}}", "h:5000", "u", "p",
	  NULL },
	{ "path only", "{\"auths\":{\"h/v2\":" UP "}}", "h", "u", "p", NULL },
	{ "exact before other spellings", "{\"auths\":{\"https://h/v1/\":" UP ",\"h\":" VW "}}",
	  "h", "v", "w", NULL },
	{ "an exact one without a password does not count",
	  "{\"auths\":{\"h\":{},\"https://h\":" UP "}}", "h", "u", "p", NULL },
	{ "first of two spellings", "{\"auths\":{\"https://h/v2/\":" UP ",\"https://h\":" VW "}}",
	  "h", "u", "p", NULL },
	{ "part of the host", "{\"auths\":{\"https://h.example\":" UP "}}", "h", NULL, NULL, NULL },
	/* helpers: cli.md 3.7 */
	{ "exact helper", "{\"credHelpers\":{" ECR ",\"gcr.io\":\"gcloud\"}}", "gcr.io", NULL, NULL,
	  "gcloud" },
	{ "pattern", "{\"credHelpers\":{" ECR ",\"gcr.io\":\"gcloud\"}}",
	  "123.dkr.ecr.eu-west-1.amazonaws.com", NULL, NULL, "ecr-login" },
	{ "pattern, other region", "{\"credHelpers\":{" ECR ",\"gcr.io\":\"gcloud\"}}",
	  "456.dkr.ecr.us-east-1.amazonaws.com", NULL, NULL, "ecr-login" },
	{ "no helper", "{\"credHelpers\":{" ECR ",\"gcr.io\":\"gcloud\"}}", "ghcr.io", NULL, NULL,
	  NULL },
	{ "no helper for what ends alike", "{\"credHelpers\":{" ECR ",\"gcr.io\":\"gcloud\"}}",
	  "x.gcr.io", NULL, NULL, NULL },
	{ "exact before patterns", "{\"credHelpers\":{\".*\":\"all\",\"h\":\"one\"}}", "h", NULL,
	  NULL, "one" },
	{ "first of the patterns", "{\"credHelpers\":{\"h.\":\"first\",\".i\":\"second\"}}", "hi",
	  NULL, NULL, "first" },
	{ "broken patterns are passed over",
	  "{\"credHelpers\":{\"(\":\"a\",\"*\":\"b\",\".*\":\"c\"}}", "h", NULL, NULL, "c" },
	{ "helpers that are no text", "{\"credHelpers\":{\"h\":7,\".*\":null,\".\":\"c\"}}", "h",
	  NULL, NULL, "c" },
	{ "store", "{\"credsStore\":\"secretservice\"}", "h", NULL, NULL, "secretservice" },
	{ "helper before the store", "{\"credsStore\":\"s\",\"credHelpers\":{\"h\":\"x\"}}", "h",
	  NULL, NULL, "x" },
	{ "store for the others", "{\"credsStore\":\"s\",\"credHelpers\":{\"i\":\"x\"}}", "h", NULL,
	  NULL, "s" },
	{ "no helper by name", "{\"credsStore\":\"s\",\"credHelpers\":{\"h\":\"\"}}", "h", NULL,
	  NULL, NULL },
	{ "empty store", "{\"credsStore\":\"\"}", "h", NULL, NULL, NULL },
	{ "as Docker writes it beside a store", "{\"auths\":{\"h\":{}},\"credsStore\":\"s\"}", "h",
	  NULL, NULL, "s" },
	{ "both", "{\"auths\":{\"h\":" UP "},\"credsStore\":\"s\"}", "h", "u", "p", "s" },
};

static bool same(const char *a, const char *b)
{
	return !a == !b && (!a || strcmp(a, b) == 0);
}

static void finds_what_belongs_to_a_host(void **state)
{
	(void)state;
	each_row(rows, row) {
		CLEANUP(docker_config_done) struct docker_config config = { 0 };
		CLEANUP(credentials_done) struct credentials got = { 0 };
		struct err err = { 0 };
		const char *helper;

		check(docker_config_parse(span_of(row->config), &config, &err), "%s: %s", row->name,
		      err.text);
		check(docker_config_find(&config, row->host, &got) == !!row->user, "%s: found %s",
		      row->name, got.user ? got.user : "none");
		check(same(got.user, row->user) && same(got.password, row->password), "%s: %s, %s",
		      row->name, got.user, got.password);
		helper = docker_config_helper(&config, row->host);
		check(same(helper, row->helper), "%s: helper %s", row->name,
		      helper ? helper : "none");
	}
}

static const struct {
	const char *name; /* the text */
	const char *message;
} broken[] = {
	{ "[]", "no JSON object" },
	{ "", "" },
	{ "{\"auths\":{}", "" },
};

static void refuses_what_is_no_object(void **state)
{
	(void)state;
	each_row(broken, row) {
		CLEANUP(docker_config_done) struct docker_config config = { 0 };
		struct err err = { 0 };

		check(!docker_config_parse(span_of(row->name), &config, &err), "%s", row->name);
		check(strstr(err.text, row->message) && !config.tree, "%s: %s", row->name,
		      err.text);
	}
}

static void write_config(const struct temp_dir *dir, const char *folder, const char *text)
{
	CLEANUP_CLOSE int fd = -1;
	struct err err = { 0 };

	assert_true(fs_open_dir(dir->fd, folder, &fd, &err));
	assert_true(fs_replace_file(fd, "config.json", span_of(text), 0600, &err));
}

static bool load(struct docker_config *ret, struct err *err)
{
	docker_config_done(ret);
	err_clear(err);
	return docker_config_load(ret, err);
}

static void reads_the_file_that_the_environment_names(void **state)
{
	struct temp_dir *dir = *state;
	CLEANUP_FREE char *elsewhere = xasprintf("%s/elsewhere", dir->path);
	CLEANUP(docker_config_done) struct docker_config config = { 0 };
	struct err err = { 0 };

	(void)setenv("HOME", dir->path, 1);
	(void)unsetenv("DOCKER_CONFIG");
	assert_true(load(&config, &err));
	assert_null(config.tree);
	assert_true(fs_make_dir(dir->fd, ".docker", 0700, &err));
	assert_true(load(&config, &err));
	assert_null(config.tree);
	write_config(dir, ".docker", "{\"credsStore\":\"a\"}");
	assert_true(load(&config, &err));
	assert_string_equal(docker_config_helper(&config, "h"), "a");
	(void)setenv("DOCKER_CONFIG", elsewhere, 1);
	assert_true(load(&config, &err));
	assert_null(config.tree);
	assert_true(fs_make_dir(dir->fd, "elsewhere", 0700, &err));
	write_config(dir, "elsewhere", "{\"credsStore\":\"b\"}");
	assert_true(load(&config, &err));
	assert_string_equal(docker_config_helper(&config, "h"), "b");
	(void)setenv("DOCKER_CONFIG", "", 1);
	assert_true(load(&config, &err));
	assert_string_equal(docker_config_helper(&config, "h"), "a");
}

static void names_a_file_that_cannot_be_used(void **state)
{
	struct temp_dir *dir = *state;
	CLEANUP(docker_config_done) struct docker_config config = { 0 };
	CLEANUP_STR struct str large = { 0 };
	CLEANUP_FREE char *want = xasprintf("'%s/config.json': larger than 1048576 bytes",
					    dir->path);
	struct err err = { 0 };

	(void)setenv("DOCKER_CONFIG", dir->path, 1);
	assert_true(fs_replace_file(dir->fd, "config.json", span_of("{"), 0600, &err));
	assert_false(load(&config, &err));
	assert_non_null(strstr(err.text, "config.json': "));
	while (large.len <= DOCKER_CONFIG_MAX)
		str_add(&large, "{}                                                              ");
	assert_true(fs_replace_file(dir->fd, "config.json", str_span(&large), 0600, &err));
	assert_false(load(&config, &err));
	assert_string_equal(err.text, want);
	assert_true(fs_remove_tree(dir->fd, "config.json", &err));
	assert_true(fs_make_dir(dir->fd, "config.json", 0700, &err));
	assert_false(load(&config, &err));
	assert_non_null(strstr(err.text, "is not a regular file"));
	assert_null(config.tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_belongs_to_a_host),
		cmocka_unit_test(refuses_what_is_no_object),
		temp_dir_test(reads_the_file_that_the_environment_names),
		temp_dir_test(names_a_file_that_cannot_be_used),
	};

	return unit_main(tests);
}
