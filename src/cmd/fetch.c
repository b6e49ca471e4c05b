/* SPDX-License-Identifier: Apache-2.0 */
/* Pulling for commands. */
#include "cmd/fetch.h"

#include <stdlib.h>

#include "base/mem.h"
#include "cmd/fresh_nvram.h"
#include "cmd/transfer.h"
#include "registry/pull.h"
#include "registry/user_agent.h"

bool fetch_validate(const struct fetch_args *args, struct err *err)
{
	return args->concurrency >= 1 ||
	       err_set(err, ERR_USAGE, "network concurrency cannot be less than 1");
}

bool fetch_image(const struct home *home, const struct remote_name *name,
		 const struct fetch_args *args, enum fetch_voice voice, struct err *err)
{
	CLEANUP(transfer_end) struct transfer transfer;
	CLEANUP_FREE char *user_agent = registry_user_agent();
	struct pull_request request = {
		.name = name,
		.user_agent = user_agent,
		.is_insecure = args->insecure,
		.concurrency = args->concurrency,
		.deduplicate = args->deduplicate,
		.auto_prune = !getenv("TART_NO_AUTO_PRUNE"),
		.is_quiet = voice == FETCH_QUIET,
		.make_nvram = fresh_nvram,
	};

	transfer_start(&transfer);
	request.notice = transfer_notice(&transfer);
	request.progress = transfer_progress(&transfer);
	return image_pull(home, &request, err);
}
