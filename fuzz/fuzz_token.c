/* SPDX-License-Identifier: Apache-2.0 */
/* Token answers: what is accepted can stand in a header and ends within a day. */
#include "registry/token.h"

#include "fuzz.h"

#define NOW INT64_C(1780000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(token_done) struct token token = { 0 };
	struct span input = span_make(size > 0 ? (const char *)data : "", size);
	struct err err = { 0 };
	int64_t when = 0;

	if (token_parse_time(input, &when))
		fuzz_check(when > INT64_C(-62200000000) && when < INT64_C(253500000000));
	if (!token_parse(input, NOW, &token, &err)) {
		fuzz_check(err.kind == ERR_GENERAL && !token.text);
		return 0;
	}
	fuzz_check(*token.text && strlen(token.text) <= TOKEN_TEXT_MAX);
	for (const char *c = token.text; *c; c++)
		fuzz_check(*c >= ' ' && *c <= '~');
	fuzz_check(token.expires_at > 0 && token.expires_at <= NOW + TOKEN_LIFE_MAX_S);
	fuzz_check(token.renew_at <= token.expires_at &&
		   token.renew_at >= token.expires_at - TOKEN_EARLY_S);
	fuzz_check(token_is_valid(&token, NOW) == (token.renew_at > NOW));
	return 0;
}
