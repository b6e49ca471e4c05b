/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON that credential helpers are told and answer. Pure. */
#include "registry/credential_helper.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/secret.h"

void credential_message_print(const char *host, const struct credentials *credentials,
			      struct str *out)
{
	CLEANUP_SECRET_JSON struct json *message = json_object();

	json_set(message, "ServerURL", json_string(host));
	json_set(message, "Username", json_string(credentials->user));
	json_set(message, "Secret", json_string(credentials->password));
	/* Every byte is six at most, "\u001f": the text does not move while it grows. */
	secret_reserve(out, 64 + 6 * (strlen(host) + strlen(credentials->user) +
				      strlen(credentials->password)));
	json_print(message, JSON_COMPACT, out);
}

bool credential_message_parse(struct span text, struct credentials *ret, struct err *err)
{
	CLEANUP_SECRET_JSON struct json *message = NULL;
	struct err problem = { 0 }; /* which may quote what it read */
	const char *user;
	const char *password;

	if (!json_parse(text, &message, &problem) || !json_is_object(message))
		return err_set(err, ERR_GENERAL, "its answer is no JSON object");
	user = json_member_text(message, "Username");
	password = json_member_text(message, "Secret");
	if (!user || !password)
		return err_set(err, ERR_GENERAL,
			       "its answer does not hold both 'Username' and 'Secret'");
	ret->user = xstrdup(user);
	ret->password = xstrdup(password);
	return true;
}
