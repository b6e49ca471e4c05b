/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what the kernel answers. */
#include "netd/rules_attr.h"

#include <endian.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>

/* Without the two bits for nesting and byte order; <linux/netlink.h> has it as a negative number. */
#define TYPE_MASK 0x3fff

bool rules_next_attr(struct span *rest, uint16_t *ret_type, struct span *ret_value)
{
	struct nlattr attr;
	size_t whole;

	if (rest->len < sizeof(attr))
		return false;
	memcpy(&attr, rest->ptr, sizeof(attr));
	if (attr.nla_len < sizeof(attr) || attr.nla_len > rest->len)
		return false;
	*ret_type = attr.nla_type & TYPE_MASK;
	*ret_value = span_make(rest->ptr + sizeof(attr), attr.nla_len - sizeof(attr));
	whole = ((size_t)attr.nla_len + NLA_ALIGNTO - 1) & ~((size_t)NLA_ALIGNTO - 1);
	*rest = whole < rest->len ? span_from(*rest, whole) : span_make(NULL, 0);
	return true;
}

struct span rules_attr(struct span attrs, uint16_t type)
{
	uint16_t found;
	struct span value;

	while (rules_next_attr(&attrs, &found, &value))
		if (found == type)
			return value;
	return span_make(NULL, 0);
}

uint32_t rules_attr_u32(struct span attrs, uint16_t type)
{
	struct span value = rules_attr(attrs, type);
	uint32_t be = 0;

	if (value.len == sizeof(be))
		memcpy(&be, value.ptr, sizeof(be));
	return be32toh(be);
}

uint64_t rules_attr_u64(struct span attrs, uint16_t type)
{
	struct span value = rules_attr(attrs, type);
	uint64_t be = 0;

	if (value.len == sizeof(be))
		memcpy(&be, value.ptr, sizeof(be));
	return be64toh(be);
}

void rules_each_element(struct span answer, rules_element_fn *fn, void *ctx)
{
	struct span list = rules_attr(answer, NFTA_SET_ELEM_LIST_ELEMENTS);
	struct span element;
	uint16_t type;

	while (rules_next_attr(&list, &type, &element))
		fn(ctx, rules_attr(rules_attr(element, NFTA_SET_ELEM_KEY), NFTA_DATA_VALUE),
		   rules_attr(rules_attr(element, NFTA_SET_ELEM_DATA), NFTA_DATA_VALUE), element);
}

static struct netd_count count_in(struct span expression)
{
	struct span name = rules_attr(expression, NFTA_EXPR_NAME);
	struct span data = rules_attr(expression, NFTA_EXPR_DATA);

	if (!span_equal(name, span_make("counter", sizeof("counter"))))
		return (struct netd_count){ 0 };
	return (struct netd_count){ .packets = rules_attr_u64(data, NFTA_COUNTER_PACKETS),
				    .bytes = rules_attr_u64(data, NFTA_COUNTER_BYTES) };
}

/* One expression stands by itself, several in a list. */
struct netd_count rules_element_count(struct span attrs)
{
	struct netd_count count = count_in(rules_attr(attrs, NFTA_SET_ELEM_EXPR));
	struct span list = rules_attr(attrs, NFTA_SET_ELEM_EXPRESSIONS);
	struct span expression;
	uint16_t type;

	while (rules_next_attr(&list, &type, &expression)) {
		struct netd_count more = count_in(expression);

		count.packets += more.packets;
		count.bytes += more.bytes;
	}
	return count;
}
