/* SPDX-License-Identifier: Apache-2.0 */
/* Joining and splitting. */
#include "registry/basic.h"

#include "base/base64.h"
#include "base/mem.h"
#include "base/secret.h"

void basic_add(struct str *out, const struct credentials *credentials)
{
	CLEANUP_SECRET_STR struct str both = { 0 };

	secret_reserve(&both, strlen(credentials->user) + 1 + strlen(credentials->password));
	str_add(&both, credentials->user);
	str_add_char(&both, ':');
	str_add(&both, credentials->password);
	base64_add(out, str_span(&both));
}

bool basic_decode(struct span text, struct credentials *ret)
{
	CLEANUP_SECRET_STR struct str both = { 0 };
	size_t colon;

	if (!base64_decode(text, &both))
		return false;
	while (both.len > 0 && both.ptr[both.len - 1] == '\0')
		str_truncate(&both, both.len - 1);
	colon = span_find(str_span(&both), ':');
	if (colon == both.len || both.len == 1 || memchr(both.ptr, '\0', both.len))
		return false;
	ret->user = xstrndup(both.ptr, colon);
	ret->password = xstrdup(both.ptr + colon + 1);
	return true;
}
