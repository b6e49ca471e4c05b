/* SPDX-License-Identifier: Apache-2.0 */
/* libnftables; the only file that knows it. */
#include "netd/rules_kernel.h"

#include <nftables/libnftables.h>

#include "base/attrs.h"
#include "base/mem.h"
#include "base/number.h"

struct rules_kernel {
	struct nft_ctx *nft;
};

struct rules_kernel *rules_kernel_new(void)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
	struct rules_kernel *kernel;

	if (!nft)
		return NULL;
	kernel = xcalloc(1, sizeof(*kernel));
	kernel->nft = nft;
	return kernel;
}

void rules_kernel_free(struct rules_kernel *kernel)
{
	if (!kernel)
		return;
	nft_ctx_free(kernel->nft);
	free(kernel);
}

/* "<where>:3:1-40: Error: Could not process rule: No such file or directory", then the line and a mark below it. */
static bool explain(const char *said, size_t *ret_line, struct err *err)
{
	static const char sign[] = ": Error: ";
	const char *text = strstr(said, sign);
	struct span where = span_make(said, text ? (size_t)(text - said) : 0);
	struct span line;
	struct span rest;
	uint64_t number = 0;

	rest = span_from(where, span_find(where, ':'));
	if (rest.len > 0)
		rest = span_from(rest, 1);
	line = span_first(rest, span_find(rest, ':'));
	if (ret_line)
		*ret_line = number_parse_u64(line, SIZE_MAX, &number) ? (size_t)number : 0;
	text = text ? text + strlen(sign) : said;
	return err_set(err, ERR_GENERAL, "packet filter: %.*s", (int)strcspn(text, "\n"), text);
}

bool rules_kernel_run(struct rules_kernel *kernel, const char *commands, size_t *ret_line,
		      struct err *err)
{
	/* To buffer what is buffered empties it. */
	if (nft_ctx_buffer_error(kernel->nft) != 0 || nft_ctx_buffer_output(kernel->nft) != 0)
		mem_exhausted();
	if (nft_run_cmd_from_buffer(kernel->nft, commands) == 0)
		return true;
	return explain(nft_ctx_get_error_buffer(kernel->nft), ret_line, err);
}

bool rules_kernel_list(struct rules_kernel *kernel, struct str *ret, struct err *err)
{
	bool ok;

	nft_ctx_output_set_flags(kernel->nft, NFT_CTX_OUTPUT_TERSE | NFT_CTX_OUTPUT_STATELESS);
	ok = rules_kernel_run(kernel, "list ruleset", NULL, err);
	if (ok)
		str_add(ret, nft_ctx_get_output_buffer(kernel->nft));
	nft_ctx_output_set_flags(kernel->nft, 0);
	return ok;
}
