/* SPDX-License-Identifier: Apache-2.0 */
/* Reading Docker's config.json. */
#include "registry/docker_config.h"

#include <errno.h>
#include <fcntl.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/user_dir.h"
#include "registry/basic.h"
#include "registry/host_pattern.h"

void docker_config_done(struct docker_config *config)
{
	json_wipe(config->tree);
	config->tree = NULL;
}

bool docker_config_parse(struct span text, struct docker_config *ret, struct err *err)
{
	CLEANUP_SECRET_JSON struct json *tree = NULL;

	if (!json_parse(text, &tree, err))
		return false;
	if (!json_is_object(tree))
		return err_set(err, ERR_GENERAL, "is no JSON object");
	ret->tree = TAKE_PTR(tree);
	return true;
}

char *docker_config_path(void)
{
	const char *given = getenv("DOCKER_CONFIG");
	CLEANUP_FREE char *home = NULL;

	if (given && *given)
		return xasprintf("%s/config.json", given);
	home = user_dir_home(getenv("HOME"));
	return home ? xasprintf("%s/.docker/config.json", home) : NULL;
}

bool docker_config_load(struct docker_config *ret, struct err *err)
{
	CLEANUP_SECRET_STR struct str text = STR_CAPPED(DOCKER_CONFIG_MAX);
	CLEANUP_FREE char *path = docker_config_path();

	if (!path)
		return true;
	if (!fs_read_file(AT_FDCWD, path, DOCKER_CONFIG_MAX, &text, err)) {
		if (err->sys != ENOENT && err->sys != ENOTDIR)
			return false;
		err_clear(err);
		return true;
	}
	if (!docker_config_parse(str_span(&text), ret, err))
		return err_context(err, "'%s'", path);
	return true;
}

/* A token that stands for the user, or "user:password" in Base64. */
static bool read_entry(const struct json *entry, struct credentials *ret)
{
	const char *token = json_member_text(entry, "identitytoken");
	const char *auth = json_member_text(entry, "auth");

	if (token && *token) {
		ret->user = xstrdup(CREDENTIALS_TOKEN_USER);
		ret->password = xstrdup(token);
		return true;
	}
	return auth && basic_decode(span_of(auth), ret);
}

/* Of "https://HOST/v1/", "HOST/v2": the host. */
static struct span host_of_key(const char *key)
{
	struct span text = span_of(key);

	if (span_starts_with(text, "https://"))
		text = span_from(text, strlen("https://"));
	else if (span_starts_with(text, "http://"))
		text = span_from(text, strlen("http://"));
	return span_first(text, span_find(text, '/'));
}

bool docker_config_find(const struct docker_config *config, const char *host,
			struct credentials *ret)
{
	const struct json *auths = json_member(config->tree, "auths");

	if (!json_is_object(auths))
		return false;
	if (read_entry(json_member(auths, host), ret))
		return true;
	for (size_t i = 0; i < json_count(auths); i++)
		if (span_is(host_of_key(json_key_at(auths, i)), host) &&
		    read_entry(json_at(auths, i), ret))
			return true;
	return false;
}

/* Its value, else NULL. Values that are no texts do not count. */
static const char *find_in_helpers(const struct json *helpers, const char *host)
{
	const char *exact = json_member_text(helpers, host);

	if (exact)
		return exact;
	for (size_t i = 0; i < json_count(helpers); i++) {
		const struct json *value = json_at(helpers, i);

		if (json_type(value) == JSON_STRING &&
		    host_pattern_matches(json_key_at(helpers, i), host))
			return json_text(value);
	}
	return NULL;
}

const char *docker_config_helper(const struct docker_config *config, const char *host)
{
	const struct json *helpers = json_member(config->tree, "credHelpers");
	const char *name = NULL;

	if (json_is_object(helpers))
		name = find_in_helpers(helpers, host);
	if (!name)
		name = json_member_text(config->tree, "credsStore");
	return name && *name ? name : NULL;
}
