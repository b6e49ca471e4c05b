/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the providers in their order. */
#include "registry/credentials.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/number.h"
#include "base/secret.h"
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

bool credentials_find(const char *host, const struct notice *notice, struct credentials *ret,
		      bool *ret_found, struct err *err)
{
	(void)notice;
	(void)err;
	*ret_found = find_in_environment(host, ret);
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
