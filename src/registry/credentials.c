/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the providers in their order; storing with the best that there is. */
#include "registry/credentials.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/number.h"
#include "base/secret.h"
#include "registry/credential_file.h"
#include "registry/credential_helper.h"
#include "registry/docker_config.h"
#include "registry/keyring.h"
#include "storage/name.h"

void credentials_done(struct credentials *credentials)
{
	secret_free(credentials->user);
	secret_free(credentials->password);
	*credentials = (struct credentials){ 0 };
}

/* Both or nothing; a host name among them restricts them to it. */
static bool find_in_environment(const char *host, struct credentials *ret)
{
	const char *user = getenv("TART_REGISTRY_USERNAME");
	const char *password = getenv("TART_REGISTRY_PASSWORD");
	const char *only = getenv("TART_REGISTRY_HOSTNAME");

	if (!user || !password || (only && strcmp(only, host) != 0))
		return false;
	ret->user = xstrdup(user);
	ret->password = xstrdup(password);
	return true;
}

/* A provider that fails is no reason to give up; cancellation is. */
static bool tell_failure(const struct notice *notice, const char *provider, const struct err *why)
{
	if (why->kind == ERR_CANCELLED)
		return false;
	notice_tell(notice,
		    "Failed to retrieve credentials using %s credentials provider, "
		    "authentication may fail: %s",
		    provider, why->text);
	return true;
}

static bool find_in_docker_config(const char *host, const struct notice *notice,
				  struct credentials *ret, bool *ret_found, struct err *err)
{
	CLEANUP(docker_config_done) struct docker_config config = { 0 };
	const char *helper;

	if (!docker_config_load(&config, err))
		return tell_failure(notice, "Docker configuration", err);
	*ret_found = docker_config_find(&config, host, ret);
	helper = *ret_found ? NULL : docker_config_helper(&config, host);
	if (!helper)
		return true;
	switch (credential_helper_get(helper, host, ret, err)) {
	case HELPER_DONE:
		*ret_found = true;
		return true;
	case HELPER_NOT_FOUND:
		return true;
	default:
		return tell_failure(notice, "Docker configuration", err);
	}
}

static bool find_in_file(const char *host, const struct notice *notice, struct credentials *ret,
			 bool *ret_found, struct err *err)
{
	return credential_file_find(host, ret, ret_found, err) || tell_failure(notice, "Tart", err);
}

/* Silent unless it may well be what the user is missing. */
static bool find_in_keyring(const char *host, const struct notice *notice, struct credentials *ret,
			    bool *ret_found, struct err *err)
{
	switch (keyring_get(host, ret, err)) {
	case KEYRING_DONE:
		*ret_found = true;
		return true;
	case KEYRING_LOCKED:
		(void)err_set(
			err, ERR_GENERAL,
			"the keyring, which holds a password for %s, is locked; unlock it, or "
			"type 'tart login %s' to have one without it",
			host, host);
		return tell_failure(notice, "keyring", err);
	case KEYRING_FAILED:
		return tell_failure(notice, "keyring", err);
	default:
		return true;
	}
}

bool credentials_find(const char *host, const struct notice *notice, struct credentials *ret,
		      bool *ret_found, struct err *err)
{
	typedef bool provider_fn(const char *host, const struct notice *notice,
				 struct credentials *ret, bool *ret_found, struct err *err);
	static provider_fn *const providers[] = {
		find_in_docker_config,
		find_in_file,
		find_in_keyring,
	};

	*ret_found = find_in_environment(host, ret);
	for (size_t i = 0; i < ARRAY_LEN(providers) && !*ret_found; i++) {
		struct err problem = { 0 };

		if (!providers[i](host, notice, ret, ret_found, &problem)) {
			*err = problem;
			return false;
		}
	}
	return true;
}

#define ADVICE                                                                   \
	"set TART_REGISTRY_USERNAME and TART_REGISTRY_PASSWORD, or configure a " \
	"credential helper, to avoid that"

/* Why the place that comes next has to do, if it is worth telling. */
struct detour {
	struct err why;
	const char *advice;
};

static void tell_detour(const struct notice *notice, const struct detour *detour, const char *place)
{
	if (detour->why.kind != ERR_NONE)
		notice_tell(notice, "%s, storing the password in %s instead; %s", detour->why.text,
			    place, detour->advice);
}

/* What a lookup would find after the new one was removed, which by then nobody remembers. */
static void forget_in_keyring(const char *host)
{
	struct err ignored = { 0 };

	(void)keyring_erase(host, &ignored);
}

static void forget_in_file(const char *host)
{
	struct err ignored = { 0 };

	(void)credential_file_erase(host, &ignored);
}

/* *ret_stored = false: there is no helper, or it is not installed. */
static bool store_with_helper(const struct docker_config *config, const char *host,
			      const struct credentials *credentials, struct detour *detour,
			      bool *ret_stored, struct err *err)
{
	const char *helper = docker_config_helper(config, host);
	struct err why = { 0 };

	*ret_stored = false;
	if (!helper)
		return true;
	switch (credential_helper_store(helper, host, credentials, &why)) {
	case HELPER_DONE:
		forget_in_file(host);
		forget_in_keyring(host);
		*ret_stored = true;
		return true;
	case HELPER_MISSING:
		*detour = (struct detour){ why, "install it to avoid that" };
		return true;
	default:
		*err = why;
		return err_context(err, "cannot store the password");
	}
}

static bool store_in_keyring(const char *host, const struct credentials *credentials,
			     struct detour *detour, bool *ret_stored, struct err *err)
{
	struct err why = { 0 };
	enum keyring_state state = keyring_store(host, credentials, &why);
	const char *reason = keyring_state_text(state);

	*ret_stored = state == KEYRING_DONE;
	if (*ret_stored) {
		forget_in_file(host);
		return true;
	}
	if (why.kind == ERR_CANCELLED) {
		*err = why;
		return false;
	}
	if (detour->why.kind != ERR_NONE)
		return true;
	if (reason)
		(void)err_set(&why, ERR_GENERAL, "%s", reason);
	*detour = (struct detour){ why,
				   state == KEYRING_LOCKED ? "unlock it, or " ADVICE : ADVICE };
	return true;
}

static bool store_in_best_place(const struct docker_config *config, const char *host,
				const struct credentials *credentials, const struct notice *notice,
				struct err *err)
{
	CLEANUP_FREE char *path = credential_file_shown_path();
	struct detour detour = { .advice = NULL };
	bool stored;

	if (!store_with_helper(config, host, credentials, &detour, &stored, err))
		return false;
	if (stored)
		return true;
	if (!store_in_keyring(host, credentials, &detour, &stored, err))
		return false;
	if (stored) {
		tell_detour(notice, &detour, "the keyring");
		return true;
	}
	if (!credential_file_store(host, credentials, err))
		return err_context(err, "cannot store the password");
	tell_detour(notice, &detour, path);
	return true;
}

/* What is to be done with a Docker configuration that cannot be read: to go on as if there were none. */
static void load_docker_config(const struct notice *notice, struct docker_config *ret)
{
	struct err why = { 0 };

	if (!docker_config_load(ret, &why))
		notice_tell(notice, "the Docker configuration is not used: %s", why.text);
}

bool credentials_store(const char *host, const struct credentials *credentials,
		       const struct notice *notice, struct err *err)
{
	CLEANUP(docker_config_done) struct docker_config config = { 0 };
	CLEANUP(credentials_done) struct credentials other = { 0 };
	CLEANUP_FREE char *path = docker_config_path();

	load_docker_config(notice, &config);
	if (!store_in_best_place(&config, host, credentials, notice, err))
		return false;
	if (docker_config_find(&config, host, &other))
		notice_tell(
			notice,
			"%s holds a password for %s, which comes first; type 'docker logout %s' "
			"for the new one to be used",
			path, host, host);
	return true;
}

static bool erase_with_helper(const char *host, const struct notice *notice, struct err *err)
{
	CLEANUP(docker_config_done) struct docker_config config = { 0 };
	const char *helper;

	load_docker_config(notice, &config);
	helper = docker_config_helper(&config, host);
	return !helper || credential_helper_erase(helper, host, err) != HELPER_FAILED;
}

static bool erase_in_keyring(const char *host, struct err *err)
{
	switch (keyring_erase(host, err)) {
	case KEYRING_LOCKED:
		return err_set(
			err, ERR_GENERAL,
			"the keyring, which holds a password for %s, is locked; unlock it and "
			"log out again",
			host);
	case KEYRING_FAILED:
		return false;
	default:
		return true;
	}
}

bool credentials_erase(const char *host, const struct notice *notice, struct err *err)
{
	struct err errs[3] = { { 0 } };
	bool ok[3];

	ok[0] = erase_with_helper(host, notice, &errs[0]);
	ok[1] = credential_file_erase(host, &errs[1]);
	ok[2] = erase_in_keyring(host, &errs[2]);
	for (size_t i = 0; i < ARRAY_LEN(ok); i++) {
		if (ok[i])
			continue;
		*err = errs[i];
		return err_context(err, "cannot remove the password");
	}
	return true;
}

/* What no image's name can start with is no registry. */
static bool is_host(const char *host)
{
	CLEANUP(remote_name_done) struct remote_name name = { 0 };
	CLEANUP_FREE char *text = xasprintf("%s/a", host);
	struct err ignored = { 0 };
	const char *port = strchr(host, ':');
	uint64_t number = 1;

	return remote_name_parse(span_of(text), &name, &ignored) && strcmp(name.host, host) == 0 &&
	       (!port || number_parse_u64(span_of(port + 1), UINT16_MAX, &number)) && number > 0;
}

bool credentials_check_host(const char *host, struct err *err)
{
	const struct span text = span_of(host);

	if (is_host(host))
		return true;
	return err_set(err, ERR_HOST, "improperly formatted host \"%s\" was provided%s", host,
		       span_starts_with(text, "http://") || span_starts_with(text, "https://") ?
			       ", make sure that it doesn't start with http:// or https://" :
			       "");
}
