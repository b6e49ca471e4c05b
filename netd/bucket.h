/* SPDX-License-Identifier: Apache-2.0 */
/* A token bucket: so much at once, so much for each second after that. Pure; times are milliseconds of any clock that does
 * not go backwards. */
#ifndef TART_NETD_BUCKET_H
#define TART_NETD_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
	uint64_t tokens;
	uint64_t filled_ms; /* up to when tokens have been added; 0 = never yet */
};

static inline void bucket_fill(struct bucket *bucket, uint64_t now_ms, uint64_t per_s,
			       uint64_t most)
{
	uint64_t elapsed_ms = now_ms > bucket->filled_ms ? now_ms - bucket->filled_ms : 0;
	uint64_t added;

	/* A full one stays full; also keeps the product small. */
	if (bucket->filled_ms == 0 || elapsed_ms >= most * 1000 / per_s) {
		bucket->tokens = bucket->filled_ms == 0 ? bucket->tokens : most;
		bucket->filled_ms = now_ms;
		return;
	}
	added = elapsed_ms * per_s / 1000;
	if (added == 0)
		return;
	bucket->tokens = bucket->tokens + added < most ? bucket->tokens + added : most;
	bucket->filled_ms += added * 1000 / per_s;
}

static inline bool bucket_take(struct bucket *bucket, uint64_t tokens)
{
	if (bucket->tokens < tokens)
		return false;
	bucket->tokens -= tokens;
	return true;
}

/* Until so many tokens are in, from when it was filled last; rounded up. */
static inline uint64_t bucket_wait_ms(const struct bucket *bucket, uint64_t tokens, uint64_t per_s)
{
	return bucket->tokens >= tokens ? 0 :
					  ((tokens - bucket->tokens) * 1000 + per_s - 1) / per_s;
}

#endif
