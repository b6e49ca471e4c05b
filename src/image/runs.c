/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of runs. */
#include "image/runs.h"

static uint64_t end_of(const struct run *run)
{
	return run->start + run->len;
}

/* Where the last run ends close enough, `run` becomes part of it; else a new last one. */
static void append(struct runs *runs, size_t *n, struct run run)
{
	struct run *last = *n > 0 ? &runs->list.v[*n - 1] : NULL;

	if (last && run.start - end_of(last) < runs->min_gap)
		last->len = end_of(&run) - last->start;
	else
		runs->list.v[(*n)++] = run;
}

static void shorten(struct runs *runs)
{
	size_t n = 0;

	runs->min_gap *= 2;
	for (size_t i = 0; i < runs->list.n; i++)
		append(runs, &n, runs->list.v[i]);
	runs->list.n = n;
}

void runs_add(struct runs *runs, uint64_t start, uint64_t len)
{
	size_t n = runs->list.n;

	(void)vec_push(&runs->list);
	append(runs, &n, (struct run){ .start = start, .len = len });
	runs->list.n = n;
	while (runs->list.n > RUNS_MAX)
		shorten(runs);
}

void runs_done(struct runs *runs)
{
	vec_done(&runs->list);
}
