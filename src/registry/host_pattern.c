/* SPDX-License-Identifier: Apache-2.0 */
/* Counting what a pattern costs, then the C library's matcher. */
#include "registry/host_pattern.h"

#include <regex.h>
#include <string.h>

#include "base/number.h"
#include "base/reader.h"

#define DEPTH_MAX 16 /* of groups */

/* A group that is open; the whole pattern is the outermost. */
struct level {
	uint64_t cost;
	bool some_empty;   /* of the alternatives before this one, one may be empty */
	bool before_empty; /* what this alternative had before its last element may be */
};

struct count {
	struct reader in;
	struct level levels[DEPTH_MAX];
	size_t depth;
	/* The last element: what a repetition would repeat. */
	uint64_t last_cost;
	bool last_empty; /* it may be; nothing at all is empty */
};

static struct level *level_of(struct count *c)
{
	return &c->levels[c->depth];
}

static bool add_cost(struct count *c, uint64_t cost)
{
	level_of(c)->cost += cost;
	return level_of(c)->cost <= HOST_PATTERN_COST_MAX;
}

static bool add_element(struct count *c, uint64_t cost, bool may_be_empty)
{
	level_of(c)->before_empty &= c->last_empty;
	c->last_cost = cost;
	c->last_empty = may_be_empty;
	return add_cost(c, cost);
}

static void start_alternative(struct count *c)
{
	level_of(c)->before_empty = true;
	c->last_cost = 0;
	c->last_empty = true;
}

static bool end_alternative(struct count *c)
{
	level_of(c)->some_empty |= level_of(c)->before_empty && c->last_empty;
	return add_cost(c, 1);
}

/* A class ends at the first "]" that is not its first member, "[:alpha:]" and the like left aside: their own end is
 * taken for the end of the class, which makes the count larger, never smaller. */
static bool take_class(struct count *c)
{
	if (reader_peek(&c->in) == '^')
		(void)reader_skip(&c->in, 1);
	if (reader_peek(&c->in) == ']')
		(void)reader_skip(&c->in, 1);
	return reader_skip(&c->in, span_find(reader_rest(&c->in), ']')) && reader_skip(&c->in, 1) &&
	       add_element(c, 1, false);
}

/* What may be empty cannot be repeated. The cost is at most 2048 * 2049: nothing overflows. */
static bool repeat(struct count *c, uint64_t times, bool may_be_none)
{
	uint64_t all = c->last_cost * (times > 0 ? times : 1) + may_be_none;
	uint64_t more = all - c->last_cost;

	if (c->last_empty)
		return false;
	c->last_cost = all;
	c->last_empty = may_be_none;
	return add_cost(c, more);
}

/* "N}", "N,}", "N,M}" or ",M}". */
static bool take_bounds(struct count *c)
{
	struct span inside = { 0 };
	struct span least;
	struct span most;
	size_t comma;
	uint64_t n = 0;
	uint64_t m = 0;

	if (!reader_take(&c->in, span_find(reader_rest(&c->in), '}'), &inside) ||
	    !reader_skip(&c->in, 1))
		return false;
	comma = span_find(inside, ',');
	least = span_first(inside, comma);
	if (least.len > 0 && !number_parse_u64(least, HOST_PATTERN_COST_MAX, &n))
		return false;
	if (comma == inside.len)
		return least.len > 0 && repeat(c, n, n == 0);
	most = span_from(inside, comma + 1);
	if (most.len == 0)
		return least.len > 0 && repeat(c, n + 1, n == 0);
	return number_parse_u64(most, HOST_PATTERN_COST_MAX, &m) && repeat(c, m, n == 0);
}

/* Back references, and what stands for a place in the text ("\\b"), as "^" and "$" do. */
static bool take_escaped(struct count *c)
{
	int next = reader_peek(&c->in);

	return next > 0 && !strchr("0123456789", next) && reader_skip(&c->in, 1) &&
	       add_element(c, 1, strchr("bB<>`'", next));
}

static bool open_group(struct count *c)
{
	level_of(c)->before_empty &= c->last_empty;
	if (c->depth + 1 == DEPTH_MAX)
		return false;
	c->depth++;
	*level_of(c) = (struct level){ 0 };
	start_alternative(c);
	return true;
}

static bool close_group(struct count *c)
{
	struct level group;

	if (c->depth == 0 || !end_alternative(c))
		return false;
	group = *level_of(c);
	c->depth--;
	c->last_empty = true; /* open_group() has counted what was before */
	return add_element(c, group.cost, group.some_empty);
}

static bool take_next(struct count *c)
{
	int next = reader_peek(&c->in);

	(void)reader_skip(&c->in, 1);
	switch (next) {
	case '\\':
		return take_escaped(c);
	case '[':
		return take_class(c);
	case '(':
		return open_group(c);
	case ')':
		return close_group(c);
	case '|':
		if (!end_alternative(c))
			return false;
		start_alternative(c);
		return true;
	case '*':
	case '?':
		return repeat(c, 1, true);
	case '+': /* compiled like {1,} */
		return repeat(c, 2, false);
	case '{':
		return take_bounds(c);
	default:
		return add_element(c, 1, next == '^' || next == '$');
	}
}

bool host_pattern_cost(struct span pattern, uint64_t *ret)
{
	struct count count = { .in = reader_of(pattern) };

	start_alternative(&count);
	while (reader_peek(&count.in) >= 0)
		if (!take_next(&count))
			return false;
	*ret = count.levels[0].cost;
	return count.depth == 0;
}

/* The longest of the matches that begin furthest left is the whole host, if there is such a match. */
bool host_pattern_matches(const char *pattern, const char *host)
{
	size_t len = strlen(host);
	regex_t compiled;
	regmatch_t at = { 0 };
	uint64_t cost;
	bool matches;

	if (strlen(pattern) > HOST_PATTERN_MAX || len > HOST_PATTERN_MAX ||
	    !host_pattern_cost(span_of(pattern), &cost) ||
	    regcomp(&compiled, pattern, REG_EXTENDED) != 0)
		return false;
	matches = regexec(&compiled, host, 1, &at, 0) == 0 && at.rm_so == 0 &&
		  (size_t)at.rm_eo == len;
	regfree(&compiled);
	return matches;
}
