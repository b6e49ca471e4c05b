/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of nf_tables, and transactions of them, as bytes. */
#include "netd/rules_message.h"

#include <arpa/inet.h>
#include <assert.h>
#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#define TRIED_TABLE "tart_try"

static size_t put_open(struct str *out, uint16_t type)
{
	struct nlattr attr = { .nla_type = type };
	size_t start = out->len;

	str_add_span(out, span_make((const char *)&attr, sizeof(attr)));
	return start;
}

size_t rules_put_nest(struct str *out, uint16_t type)
{
	return put_open(out, type | NLA_F_NESTED);
}

static void put_padding(struct str *out)
{
	static const char zeroes[NLA_ALIGNTO];

	str_add_span(out, span_make(zeroes, (NLA_ALIGNTO - out->len % NLA_ALIGNTO) % NLA_ALIGNTO));
}

void rules_put_nest_end(struct str *out, size_t nest)
{
	size_t len = out->len - nest;
	struct nlattr attr;

	assert(len <= UINT16_MAX);
	memcpy(&attr, out->ptr + nest, sizeof(attr));
	attr.nla_len = (uint16_t)len;
	memcpy(out->ptr + nest, &attr, sizeof(attr));
	put_padding(out);
}

void rules_put_span(struct str *out, uint16_t type, struct span value)
{
	size_t start = put_open(out, type);

	str_add_span(out, value);
	rules_put_nest_end(out, start);
}

void rules_put_text(struct str *out, uint16_t type, const char *text)
{
	rules_put_span(out, type, span_make(text, strlen(text) + 1));
}

void rules_put_u32(struct str *out, uint16_t type, uint32_t value)
{
	uint32_t be = htobe32(value);

	rules_put_span(out, type, span_make((const char *)&be, sizeof(be)));
}

void rules_put_u64(struct str *out, uint16_t type, uint64_t value)
{
	uint64_t be = htobe64(value);

	rules_put_span(out, type, span_make((const char *)&be, sizeof(be)));
}

static size_t message_open(struct str *out, uint16_t type, uint16_t flags, uint32_t seq,
			   struct nfgenmsg family)
{
	struct nlmsghdr head = { .nlmsg_type = type,
				 .nlmsg_flags = NLM_F_REQUEST | flags,
				 .nlmsg_seq = seq };
	size_t start = out->len;

	str_add_span(out, span_make((const char *)&head, sizeof(head)));
	str_add_span(out, span_make((const char *)&family, sizeof(family)));
	return start;
}

static void message_close(struct str *out, size_t start)
{
	struct nlmsghdr head;

	memcpy(&head, out->ptr + start, sizeof(head));
	head.nlmsg_len = (uint32_t)(out->len - start);
	memcpy(out->ptr + start, &head, sizeof(head));
}

static uint16_t nft_type(uint16_t message)
{
	return (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message);
}

static void put_bracket(struct rules_batch *batch, uint16_t type, uint32_t seq)
{
	struct nfgenmsg family = { .res_id = htons(NFNL_SUBSYS_NFTABLES) };

	message_close(&batch->bytes, message_open(&batch->bytes, type, 0, seq, family));
}

void rules_batch_begin(struct rules_batch *batch)
{
	*batch = (struct rules_batch){ 0 };
	put_bracket(batch, NFNL_MSG_BATCH_BEGIN, 0);
}

/* The answer to the last message tells that all has been done: nothing else is answered but what is refused. */
void rules_batch_end(struct rules_batch *batch)
{
	struct nlmsghdr head;

	assert(batch->steps.n > 0);
	memcpy(&head, batch->bytes.ptr + batch->last, sizeof(head));
	head.nlmsg_flags |= NLM_F_ACK;
	memcpy(batch->bytes.ptr + batch->last, &head, sizeof(head));
	put_bracket(batch, NFNL_MSG_BATCH_END, (uint32_t)batch->steps.n + 1);
}

void rules_batch_done(struct rules_batch *batch)
{
	str_done(&batch->bytes);
	vec_done(&batch->steps);
}

static size_t step_open_in(struct rules_batch *batch, const char *table, uint16_t type,
			   uint16_t flags, bool arp, struct rules_step step)
{
	struct nfgenmsg family = { .nfgen_family = arp ? NFPROTO_ARP : NFPROTO_INET,
				   .version = NFNETLINK_V0 };
	size_t start;

	*vec_push(&batch->steps) = step;
	start = message_open(&batch->bytes, nft_type(type), flags, (uint32_t)batch->steps.n,
			     family);
	batch->last = start;
	rules_put_text(&batch->bytes, NFTA_TABLE_NAME, table);
	return start;
}

size_t rules_step_open(struct rules_batch *batch, uint16_t type, uint16_t flags, bool arp,
		       struct rules_step step)
{
	return step_open_in(batch, RULES_TABLE, type, flags, arp, step);
}

void rules_step_close(struct rules_batch *batch, size_t message)
{
	message_close(&batch->bytes, message);
}

static void put_table(struct rules_batch *batch, const char *name, uint16_t type,
		      uint16_t message_flags, bool arp, uint32_t flags)
{
	struct rules_step step = { .what = "the table",
				   .need = arp ? "NF_TABLES_ARP" : "NF_TABLES_INET" };
	size_t start = step_open_in(batch, name, type, message_flags, arp, step);

	if (type == NFT_MSG_NEWTABLE)
		rules_put_u32(&batch->bytes, NFTA_TABLE_FLAGS, flags);
	message_close(&batch->bytes, start);
}

void rules_put_trial(struct rules_batch *batch, uint32_t flags)
{
	put_table(batch, TRIED_TABLE, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL, false, flags);
	put_table(batch, TRIED_TABLE, NFT_MSG_DELTABLE, 0, false, 0);
}

void rules_put_tables(struct rules_batch *batch, uint32_t flags)
{
	for (int arp = 0; arp <= 1; arp++)
		put_table(batch, RULES_TABLE, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL, arp != 0,
			  flags);
}

void rules_put_claim(struct rules_batch *batch, uint32_t flags)
{
	for (int arp = 0; arp <= 1; arp++)
		put_table(batch, RULES_TABLE, NFT_MSG_NEWTABLE, 0, arp != 0, flags);
}

void rules_put_table_end(struct rules_batch *batch, bool arp)
{
	put_table(batch, RULES_TABLE, NFT_MSG_DELTABLE, 0, arp, 0);
}

void rules_put_chain(struct rules_batch *batch, uint16_t type, bool arp, const char *name)
{
	uint16_t flags = type == NFT_MSG_NEWCHAIN ? NLM_F_CREATE : 0;
	size_t start = rules_step_open(batch, type, flags, arp,
				       (struct rules_step){ .what = "a chain" });

	rules_put_text(&batch->bytes, NFTA_CHAIN_NAME, name);
	rules_step_close(batch, start);
}

void rules_put_value(struct str *out, uint16_t type, struct span value)
{
	size_t start = rules_put_nest(out, type);

	rules_put_span(out, NFTA_DATA_VALUE, value);
	rules_put_nest_end(out, start);
}

void rules_put_verdict(struct str *out, uint16_t type, int code, const char *chain)
{
	size_t data = rules_put_nest(out, type);
	size_t verdict = rules_put_nest(out, NFTA_DATA_VERDICT);

	rules_put_u32(out, NFTA_VERDICT_CODE, (uint32_t)code);
	if (chain)
		rules_put_text(out, NFTA_VERDICT_CHAIN, chain);
	rules_put_nest_end(out, verdict);
	rules_put_nest_end(out, data);
}

struct rules_elements rules_elements_open(struct rules_batch *batch, uint16_t type, bool arp,
					  const char *set, struct rules_step step)
{
	/* EXCL: one that is there already is an error, not the same as done. */
	uint16_t flags = type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE | NLM_F_EXCL : 0;
	struct rules_elements at = { .message = rules_step_open(batch, type, flags, arp, step) };

	rules_put_text(&batch->bytes, NFTA_SET_ELEM_LIST_SET, set);
	at.list = rules_put_nest(&batch->bytes, NFTA_SET_ELEM_LIST_ELEMENTS);
	return at;
}

void rules_elements_close(struct rules_batch *batch, struct rules_elements at)
{
	rules_put_nest_end(&batch->bytes, at.list);
	rules_step_close(batch, at.message);
}

size_t rules_element_open(struct str *out, struct span key)
{
	size_t element = rules_put_nest(out, NFTA_LIST_ELEM);

	rules_put_value(out, NFTA_SET_ELEM_KEY, key);
	return element;
}

void rules_put_interval_end(struct str *out, uint32_t after)
{
	uint32_t be = htobe32(after);
	size_t element = rules_put_nest(out, NFTA_LIST_ELEM);

	rules_put_u32(out, NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
	rules_put_value(out, NFTA_SET_ELEM_KEY, span_make((const char *)&be, sizeof(be)));
	rules_put_nest_end(out, element);
}

size_t rules_ask_open(struct str *out, uint16_t type, uint16_t flags, uint32_t seq, uint8_t family)
{
	return message_open(out, nft_type(type), flags, seq,
			    (struct nfgenmsg){ .nfgen_family = family, .version = NFNETLINK_V0 });
}

void rules_ask_close(struct str *out, size_t message)
{
	message_close(out, message);
}
