/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions of rules, as the kernel has them: a name and its data. */
#include "netd/rules_expression.h"

#include <assert.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/tcp.h>

#include "netd/rules_message.h"

struct expression {
	size_t element, data;
};

static struct expression expression_open(struct str *out, uint16_t type, const char *name)
{
	struct expression at = { .element = rules_put_nest(out, type) };

	rules_put_text(out, NFTA_EXPR_NAME, name);
	at.data = rules_put_nest(out, NFTA_EXPR_DATA);
	return at;
}

static void expression_close(struct str *out, struct expression at)
{
	rules_put_nest_end(out, at.data);
	rules_put_nest_end(out, at.element);
}

void rules_put_limit(struct str *out, uint16_t type, uint32_t per_second, uint32_t burst)
{
	struct expression limit = expression_open(out, type, "limit");

	rules_put_u64(out, NFTA_LIMIT_RATE, per_second);
	rules_put_u64(out, NFTA_LIMIT_UNIT, 1);
	rules_put_u32(out, NFTA_LIMIT_BURST, burst);
	rules_put_u32(out, NFTA_LIMIT_TYPE, NFT_LIMIT_PKTS);
	rules_put_u32(out, NFTA_LIMIT_FLAGS, 0);
	expression_close(out, limit);
}

void rules_put_counter(struct str *out, uint16_t type)
{
	expression_close(out, expression_open(out, type, "counter"));
}

void rules_put_meta(struct str *out, uint32_t key, uint32_t reg)
{
	struct expression meta = expression_open(out, NFTA_LIST_ELEM, "meta");

	rules_put_u32(out, NFTA_META_KEY, key);
	rules_put_u32(out, NFTA_META_DREG, reg);
	expression_close(out, meta);
}

void rules_put_payload(struct str *out, uint32_t base, uint32_t offset, uint32_t len, uint32_t reg)
{
	struct expression payload = expression_open(out, NFTA_LIST_ELEM, "payload");

	rules_put_u32(out, NFTA_PAYLOAD_DREG, reg);
	rules_put_u32(out, NFTA_PAYLOAD_BASE, base);
	rules_put_u32(out, NFTA_PAYLOAD_OFFSET, offset);
	rules_put_u32(out, NFTA_PAYLOAD_LEN, len);
	expression_close(out, payload);
}

void rules_put_ct(struct str *out, uint32_t key, uint32_t reg)
{
	struct expression ct = expression_open(out, NFTA_LIST_ELEM, "ct");

	rules_put_u32(out, NFTA_CT_KEY, key);
	rules_put_u32(out, NFTA_CT_DREG, reg);
	expression_close(out, ct);
}

void rules_put_fib(struct str *out, uint32_t result, uint32_t reg)
{
	struct expression fib = expression_open(out, NFTA_LIST_ELEM, "fib");

	rules_put_u32(out, NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
	rules_put_u32(out, NFTA_FIB_RESULT, result);
	rules_put_u32(out, NFTA_FIB_DREG, reg);
	expression_close(out, fib);
}

void rules_put_compare(struct str *out, bool equal, struct span value)
{
	struct expression compare = expression_open(out, NFTA_LIST_ELEM, "cmp");

	rules_put_u32(out, NFTA_CMP_SREG, NFT_REG_1);
	rules_put_u32(out, NFTA_CMP_OP, equal ? NFT_CMP_EQ : NFT_CMP_NEQ);
	rules_put_value(out, NFTA_CMP_DATA, value);
	expression_close(out, compare);
}

void rules_put_mask(struct str *out, struct span mask)
{
	static const char zeroes[4];
	struct expression bitwise = expression_open(out, NFTA_LIST_ELEM, "bitwise");

	assert(mask.len <= sizeof(zeroes));
	rules_put_u32(out, NFTA_BITWISE_SREG, NFT_REG_1);
	rules_put_u32(out, NFTA_BITWISE_DREG, NFT_REG_1);
	rules_put_u32(out, NFTA_BITWISE_LEN, (uint32_t)mask.len);
	rules_put_value(out, NFTA_BITWISE_MASK, mask);
	rules_put_value(out, NFTA_BITWISE_XOR, span_make(zeroes, mask.len));
	expression_close(out, bitwise);
}

void rules_put_immediate(struct str *out, int code, const char *chain)
{
	struct expression immediate = expression_open(out, NFTA_LIST_ELEM, "immediate");

	rules_put_u32(out, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	rules_put_verdict(out, NFTA_IMMEDIATE_DATA, code, chain);
	expression_close(out, immediate);
}

void rules_put_lookup(struct str *out, const char *set, bool inverted, int reg)
{
	struct expression lookup = expression_open(out, NFTA_LIST_ELEM, "lookup");

	rules_put_text(out, NFTA_LOOKUP_SET, set);
	rules_put_u32(out, NFTA_LOOKUP_SREG, NFT_REG_1);
	if (reg >= 0)
		rules_put_u32(out, NFTA_LOOKUP_DREG, (uint32_t)reg);
	if (inverted)
		rules_put_u32(out, NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
	expression_close(out, lookup);
}

/* size: bytes 2 and 3 of option 2, made of what the route allows. */
void rules_put_clamp(struct str *out)
{
	static const char option = TCPOPT_MAXSEG;
	struct expression at = expression_open(out, NFTA_LIST_ELEM, "rt");

	rules_put_u32(out, NFTA_RT_KEY, NFT_RT_TCPMSS);
	rules_put_u32(out, NFTA_RT_DREG, NFT_REG_1);
	expression_close(out, at);
	at = expression_open(out, NFTA_LIST_ELEM, "byteorder");
	rules_put_u32(out, NFTA_BYTEORDER_SREG, NFT_REG_1);
	rules_put_u32(out, NFTA_BYTEORDER_DREG, NFT_REG_1);
	rules_put_u32(out, NFTA_BYTEORDER_OP, NFT_BYTEORDER_HTON);
	rules_put_u32(out, NFTA_BYTEORDER_LEN, 2);
	rules_put_u32(out, NFTA_BYTEORDER_SIZE, 2);
	expression_close(out, at);
	at = expression_open(out, NFTA_LIST_ELEM, "exthdr");
	rules_put_u32(out, NFTA_EXTHDR_SREG, NFT_REG_1);
	rules_put_span(out, NFTA_EXTHDR_TYPE, span_make(&option, sizeof(option)));
	rules_put_u32(out, NFTA_EXTHDR_OFFSET, 2);
	rules_put_u32(out, NFTA_EXTHDR_LEN, 2);
	rules_put_u32(out, NFTA_EXTHDR_OP, NFT_EXTHDR_OP_TCPOPT);
	expression_close(out, at);
}

void rules_put_reject(struct str *out)
{
	static const char code = NFT_REJECT_ICMPX_ADMIN_PROHIBITED;
	struct expression reject = expression_open(out, NFTA_LIST_ELEM, "reject");

	rules_put_u32(out, NFTA_REJECT_TYPE, NFT_REJECT_ICMPX_UNREACH);
	rules_put_span(out, NFTA_REJECT_ICMP_CODE, span_make(&code, sizeof(code)));
	expression_close(out, reject);
}

void rules_put_dnat(struct str *out, uint32_t address_reg, uint32_t port_reg)
{
	struct expression nat = expression_open(out, NFTA_LIST_ELEM, "nat");

	rules_put_u32(out, NFTA_NAT_TYPE, NFT_NAT_DNAT);
	rules_put_u32(out, NFTA_NAT_FAMILY, NFPROTO_IPV4);
	rules_put_u32(out, NFTA_NAT_REG_ADDR_MIN, address_reg);
	rules_put_u32(out, NFTA_NAT_REG_PROTO_MIN, port_reg);
	expression_close(out, nat);
}

void rules_put_masquerade(struct str *out)
{
	expression_close(out, expression_open(out, NFTA_LIST_ELEM, "masq"));
}
