/* SPDX-License-Identifier: Apache-2.0 */
/* Warning headers of registries (distribution-spec 1.1.1, "Warnings"): told once, acted on never. */
#include <string.h>

#include "base/vec.h"
#include "registry/headers.h"
#include "registry/session_private.h"

/* True the first time. */
static bool remember(struct registry *registry, const char *text)
{
	bool is_new;

	pthread_mutex_lock(&registry->warnings_lock);
	is_new = registry->warnings.n < WARNINGS_MAX;
	vec_each(&registry->warnings, known)
		is_new = is_new && strcmp(*known, text) != 0;
	if (is_new)
		*vec_push(&registry->warnings) = xstrdup(text);
	pthread_mutex_unlock(&registry->warnings_lock);
	return is_new;
}

void registry_tell_warnings(struct registry *registry, const struct http_exchange *exchange)
{
	const char *header;

	for (size_t n = 0; (header = http_header(exchange, "Warning", n)); n++) {
		CLEANUP_STR struct str text = { 0 };

		if (warning_parse(span_of(header), &text) && remember(registry, str_text(&text)))
			notice_tell(&registry->notice, "Warning from the registry %s: %s",
				    registry->host, str_text(&text));
	}
}
