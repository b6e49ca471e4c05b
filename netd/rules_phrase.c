/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Phrases of rules. A match loads fields one behind the other into registers, and compares that with a value or looks it up.
 * A field that only some packets have is preceded by a look at whether this is one, once in a rule.
 */
#include "netd/rules_phrase.h"

#include <arpa/inet.h>
#include <assert.h>
#include <linux/if_arp.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>

#include "base/attrs.h"
#include "base/number.h"
#include "net/ipv4.h"
#include "netd/rules_expression.h"

#define IFNAME_BYTES 16
#define IPV4_TYPE    0x0800 /* of Ethernet's payload */

enum layer { ANY, ETHERNET, IPV4, ARP, TRANSPORT_UDP, TRANSPORT_TCP, TRANSPORT_ICMP };
enum value { NAME, ADDRESS, PORT, NUMBER, BITS, NO_VALUE };

struct field {
	const char *name;
	enum layer layer;
	enum value value;
	const char *load;          /* the expression that loads it */
	uint32_t key, offset, len; /* key: of meta, ct; base of payload */
};

static const struct field fields[] = {
	{ "iifname", ANY, NAME, "meta", NFT_META_IIFNAME, 0, IFNAME_BYTES },
	{ "oifname", ANY, NAME, "meta", NFT_META_OIFNAME, 0, IFNAME_BYTES },
	{ "ether saddr", ETHERNET, NO_VALUE, "payload", NFT_PAYLOAD_LL_HEADER, 6, 6 },
	{ "ip saddr", IPV4, ADDRESS, "payload", NFT_PAYLOAD_NETWORK_HEADER, 12, 4 },
	{ "ip daddr", IPV4, ADDRESS, "payload", NFT_PAYLOAD_NETWORK_HEADER, 16, 4 },
	{ "arp saddr ether", ARP, NO_VALUE, "payload", NFT_PAYLOAD_NETWORK_HEADER, 8, 6 },
	{ "arp saddr ip", ARP, ADDRESS, "payload", NFT_PAYLOAD_NETWORK_HEADER, 14, 4 },
	{ "arp daddr ip", ARP, ADDRESS, "payload", NFT_PAYLOAD_NETWORK_HEADER, 24, 4 },
	{ "udp sport", TRANSPORT_UDP, PORT, "payload", NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2 },
	{ "udp dport", TRANSPORT_UDP, PORT, "payload", NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2 },
	{ "tcp dport", TRANSPORT_TCP, PORT, "payload", NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2 },
	{ "tcp flags", TRANSPORT_TCP, BITS, "payload", NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1 },
	{ "icmp type", TRANSPORT_ICMP, NUMBER, "payload", NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1 },
	{ "ct state", ANY, BITS, "ct", NFT_CT_STATE, 0, 4 },
	{ "ct status", ANY, BITS, "ct", NFT_CT_STATUS, 0, 4 },
	{ "fib daddr type", ANY, NUMBER, "fib", NFT_FIB_RESULT_ADDRTYPE, 0, 4 },
};

static const struct {
	const char *name;
	uint32_t value;
} constants[] = {
	{ "established", NF_CT_STATE_BIT(IP_CT_ESTABLISHED) },
	{ "related", NF_CT_STATE_BIT(IP_CT_RELATED) },
	{ "dnat", IPS_DST_NAT },
	{ "syn", TH_SYN },
	{ "echo-request", ICMP_ECHO },
	{ "local", RTN_LOCAL },
	{ "broadcast", RTN_BROADCAST },
	{ "multicast", RTN_MULTICAST },
};

static void need_ethernet(struct rules_rule *rule)
{
	static const uint16_t ethernet = ARPHRD_ETHER;

	if (rule->is_ethernet)
		return;
	rules_put_meta(rule->out, NFT_META_IIFTYPE, NFT_REG_1);
	rules_put_compare(rule->out, true, span_make((const char *)&ethernet, sizeof(ethernet)));
	rule->is_ethernet = true;
}

static void need_ipv4(struct rules_rule *rule)
{
	static const char protocol = NFPROTO_IPV4;
	uint16_t ipv4_type = htons(IPV4_TYPE);

	if (rule->is_ipv4)
		return;
	if (rule->is_ethernet) {
		rules_put_payload(rule->out, NFT_PAYLOAD_LL_HEADER, 12, 2, NFT_REG_1);
		rules_put_compare(rule->out, true,
				  span_make((const char *)&ipv4_type, sizeof(ipv4_type)));
	} else {
		rules_put_meta(rule->out, NFT_META_NFPROTO, NFT_REG_1);
		rules_put_compare(rule->out, true, span_make(&protocol, sizeof(protocol)));
	}
	rule->is_ipv4 = true;
}

static void need_protocol(struct rules_rule *rule, int protocol)
{
	char byte = (char)protocol;

	if (rule->protocol == protocol)
		return;
	rules_put_meta(rule->out, NFT_META_L4PROTO, NFT_REG_1);
	rules_put_compare(rule->out, true, span_make(&byte, sizeof(byte)));
	rule->protocol = protocol;
}

static void need_layer(struct rules_rule *rule, enum layer layer)
{
	switch (layer) {
	case ANY:
	case ARP:
		break;
	case ETHERNET:
		need_ethernet(rule);
		break;
	case IPV4:
		need_ipv4(rule);
		break;
	case TRANSPORT_UDP:
		need_protocol(rule, IPPROTO_UDP);
		break;
	case TRANSPORT_TCP:
		need_protocol(rule, IPPROTO_TCP);
		break;
	case TRANSPORT_ICMP:
		need_protocol(rule, IPPROTO_ICMP);
		break;
	}
}

static void load(struct rules_rule *rule, const struct field *field, uint32_t reg)
{
	switch (field->load[0]) {
	case 'm':
		rules_put_meta(rule->out, field->key, reg);
		break;
	case 'p':
		rules_put_payload(rule->out, field->key, field->offset, field->len, reg);
		break;
	case 'c':
		rules_put_ct(rule->out, field->key, reg);
		break;
	default:
		rules_put_fib(rule->out, field->key, reg);
		break;
	}
}

/* Whether these words come next, whole; then they are taken. */
static bool take(struct span *words, const char *wanted)
{
	size_t n = strlen(wanted);

	if (!span_starts_with(*words, wanted) || (words->len > n && words->ptr[n] != ' '))
		return false;
	*words = words->len > n ? span_from(*words, n + 1) : span_make(NULL, 0);
	return true;
}

static struct span take_any(struct span *words)
{
	struct span word = span_make(NULL, 0);

	(void)span_next(words, ' ', &word);
	return word;
}

static const struct field *take_field(struct span *words)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (take(words, fields[i].name))
			return &fields[i];
	return NULL;
}

#define KEY_FIELDS_MAX 4

/* iifname . ether saddr . ip saddr */
static size_t take_key(struct span *words, const struct field *ret[KEY_FIELDS_MAX])
{
	size_t n = 0;

	do {
		assert(n < KEY_FIELDS_MAX);
		ret[n] = take_field(words);
		if (!ret[n])
			return 0;
		n++;
	} while (take(words, "."));
	return n;
}

static uint32_t constant(struct span word)
{
	for (size_t i = 0; i < ARRAY_LEN(constants); i++)
		if (span_is(word, constants[i].name))
			return constants[i].value;
	assert(!"a word that rules have");
	return 0;
}

/* "tart-*" is all names that begin so. */
static void compare_name(struct rules_rule *rule, struct span word, bool equal)
{
	char name[IFNAME_BYTES] = { 0 };
	struct span text;
	bool is_prefix;

	assert(word.ptr && word.len > 2 && word.ptr[0] == '"');
	text = span_make(word.ptr + 1, word.len - 2);
	is_prefix = span_ends_with(text, "*");
	assert(text.len < sizeof(name));
	if (is_prefix)
		text.len--;
	memcpy(name, text.ptr, text.len);
	rules_put_compare(rule->out, equal, span_make(name, is_prefix ? text.len : sizeof(name)));
}

static void compare_address(struct rules_rule *rule, struct span word, bool equal)
{
	struct cidr cidr = { 0 };
	bool ok = cidr_parse(word, &cidr);
	uint32_t mask = htonl(netmask_of(cidr.prefix));
	uint32_t network = htonl(cidr.network);

	assert(ok);
	(void)ok;
	if (cidr.prefix < 32)
		rules_put_mask(rule->out, span_make((const char *)&mask, sizeof(mask)));
	rules_put_compare(rule->out, equal, span_make((const char *)&network, sizeof(network)));
}

static void compare_port(struct rules_rule *rule, struct span word, bool equal)
{
	uint64_t port = 0;
	bool ok = number_parse_u64(word, UINT16_MAX, &port);
	uint16_t be = htons((uint16_t)port);

	assert(ok);
	(void)ok;
	rules_put_compare(rule->out, equal, span_make((const char *)&be, sizeof(be)));
}

/* One of the names, or for bits several with commas between. */
static void compare_constant(struct rules_rule *rule, const struct field *field, struct span word)
{
	static const char zeroes[4];
	uint32_t value = 0;
	struct span name;
	char byte;
	struct span bytes;

	while (span_next(&word, ',', &name))
		value |= constant(name);
	byte = (char)value;
	bytes = field->len == 1 ? span_make(&byte, 1) :
				  span_make((const char *)&value, sizeof(value));
	if (field->value == BITS)
		rules_put_mask(rule->out, bytes);
	if (field->value == BITS)
		rules_put_compare(rule->out, false, span_make(zeroes, bytes.len));
	else
		rules_put_compare(rule->out, true, bytes);
}

static void compare(struct rules_rule *rule, const struct field *field, struct span word,
		    bool equal)
{
	switch (field->value) {
	case NAME:
		compare_name(rule, word, equal);
		break;
	case ADDRESS:
		compare_address(rule, word, equal);
		break;
	case PORT:
		compare_port(rule, word, equal);
		break;
	case NUMBER:
	case BITS:
		assert(equal);
		compare_constant(rule, field, word);
		break;
	case NO_VALUE:
		assert(!"a field that is only looked up");
		break;
	}
}

/* A name's text with its NUL, as long as the rule is being made. */
#define NAME_MAX_SIZE 32
struct name {
	char text[NAME_MAX_SIZE];
};

static struct name name_of(struct span word)
{
	struct name name = { { 0 } };

	assert(word.ptr && word.len > 0 && word.len < sizeof(name.text));
	memcpy(name.text, word.ptr, word.len);
	return name;
}

static struct name take_set(struct span *words)
{
	struct span word = take_any(words);

	assert(word.len > 1 && span_starts_with(word, "@"));
	return name_of(span_from(word, 1));
}

static void load_key(struct rules_rule *rule, const struct field *const *key, size_t n)
{
	uint32_t reg = 0;

	for (size_t i = 0; i < n; i++)
		need_layer(rule, key[i]->layer);
	for (size_t i = 0; i < n; i++) {
		load(rule, key[i], NFT_REG32_00 + reg);
		reg += (key[i]->len + 3) / 4;
	}
}

static bool put_match(struct rules_rule *rule, struct span *words)
{
	const struct field *key[KEY_FIELDS_MAX];
	size_t n = take_key(words, key);
	bool inverted;

	if (n == 0)
		return false;
	load_key(rule, key, n);
	if (take(words, "vmap")) {
		rules_put_lookup(rule->out, take_set(words).text, false, NFT_REG_VERDICT);
		return true;
	}
	inverted = take(words, "!=");
	if (span_starts_with(*words, "@"))
		rules_put_lookup(rule->out, take_set(words).text, inverted, -1);
	else
		compare(rule, key[0], take_any(words), !inverted);
	return true;
}

/* The map says address and port, in the first two registers of four bytes. */
static void put_dnat(struct rules_rule *rule, struct span *words)
{
	const struct field *port = take_field(words);
	bool ok = port && take(words, "map");

	assert(ok);
	(void)ok;
	load_key(rule, &port, 1);
	rules_put_lookup(rule->out, take_set(words).text, false, NFT_REG_1);
	rules_put_dnat(rule->out, NFT_REG32_00, NFT_REG32_01);
}

static bool put_verdict(struct str *out, struct span *words)
{
	if (take(words, "accept"))
		rules_put_immediate(out, NF_ACCEPT, NULL);
	else if (take(words, "drop"))
		rules_put_immediate(out, NF_DROP, NULL);
	else if (take(words, "return"))
		rules_put_immediate(out, NFT_RETURN, NULL);
	else if (take(words, "jump"))
		rules_put_immediate(out, NFT_JUMP, name_of(take_any(words)).text);
	else if (take(words, "goto"))
		rules_put_immediate(out, NFT_GOTO, name_of(take_any(words)).text);
	else
		return false;
	return true;
}

static bool put_statement(struct rules_rule *rule, struct span *words)
{
	if (take(words, "reject with icmpx admin-prohibited"))
		rules_put_reject(rule->out);
	else if (take(words, "tcp option maxseg size set rt mtu"))
		rules_put_clamp(rule->out);
	else if (take(words, "dnat ip to"))
		put_dnat(rule, words);
	else if (take(words, "masquerade"))
		rules_put_masquerade(rule->out);
	else
		return false;
	return true;
}

bool rules_put_phrase(struct rules_rule *rule, struct span *words)
{
	return put_verdict(rule->out, words) || put_statement(rule, words) ||
	       put_match(rule, words);
}

bool rules_parse_addresses(struct span text, uint32_t *ret_first, uint32_t *ret_last)
{
	size_t dash = span_find(text, '-');
	struct cidr cidr;

	if (dash < text.len)
		return ipv4_parse(span_first(text, dash), ret_first) &&
		       ipv4_parse(span_from(text, dash + 1), ret_last);
	if (!cidr_parse(text, &cidr))
		return false;
	*ret_first = cidr.network;
	*ret_last = cidr_last(&cidr);
	return true;
}
