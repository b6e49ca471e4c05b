/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answering DHCP clients.
 *
 * There is one client on a link, one address for it, and no other server: what is asked for is either that address or a
 * wrong one. So no state is kept. By what a REQUEST carries, RFC 2131 section 4.3.2 tells four states of a client apart,
 * which all come down to one comparison:
 *
 *	SELECTING	server identifier (ours, else it is for somebody else) and requested address
 *	INIT-REBOOT	requested address; a client that woke up in another network is told so by a NAK
 *	RENEWING	address in ciaddr; comes by unicast
 *	REBINDING	address in ciaddr; comes by broadcast
 *
 * What the client says about itself (identifier, DUID, name) decides nothing: the link and the MAC address do, so that two
 * clones which send one DUID have two addresses. The destination in the IP header does not count either: no other
 * server could be meant on this link, and a client that renews with the server of another network learns of it sooner.
 */
#include "net/dhcp.h"

#include "net/dhcp_packet.h"

#define IPV4_HEADER   20
#define UDP_HEADER    8
#define BOOTP_FIXED   240 /* with the cookie */
#define BOOTP_MIN     300 /* RFC 951; shorter ones are dropped by some */
#define PAYLOAD_START (ETHERNET_HEADER + IPV4_HEADER + UDP_HEADER)

/*
 * Every client takes a datagram of 576 bytes (RFC 2131 section 2), which leaves 308 to options. Ours take at most 70:
 * 3 type, 6 server, 6 netmask, 6 router, 14 DNS, 4 MTU, 6 broadcast, 6 + 6 + 6 times, 1 end, and spare. The rest is for
 * the client identifier, which has to be sent back (RFC 6842).
 */
#define CLIENT_ID_MAX 236

static const struct mac everybody = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

struct writer {
	uint8_t *bytes;
	size_t len;
};

static void put(struct writer *w, size_t bytes, uint32_t value)
{
	while (bytes > 0)
		w->bytes[w->len++] = (uint8_t)(value >> 8 * --bytes);
}

static void put_bytes(struct writer *w, const void *data, size_t len)
{
	memcpy(w->bytes + w->len, data, len);
	w->len += len;
}

static void put_zeros(struct writer *w, size_t len)
{
	memset(w->bytes + w->len, 0, len);
	w->len += len;
}

static void put_option(struct writer *w, enum dhcp_option code, size_t bytes, uint32_t value)
{
	put(w, 1, code);
	put(w, 1, (uint32_t)bytes);
	put(w, bytes, value);
}

static void put_dns(struct writer *w, const struct dhcp_offer *offer)
{
	uint32_t n = 0;

	while (n < DHCP_DNS_MAX && offer->dns[n] != 0)
		n++;
	if (n == 0)
		return;
	put(w, 1, DHCP_OPT_DNS);
	put(w, 1, 4 * n);
	for (size_t i = 0; i < n; i++)
		put(w, 4, offer->dns[i]);
}

static void put_network(struct writer *w, const struct dhcp_offer *offer)
{
	ipv4 netmask = netmask_of(offer->prefix);

	put_option(w, DHCP_OPT_NETMASK, 4, netmask);
	if (!offer->no_router)
		put_option(w, DHCP_OPT_ROUTER, 4, offer->gateway);
	put_dns(w, offer);
	put_option(w, DHCP_OPT_MTU, 2, offer->mtu);
	put_option(w, DHCP_OPT_BROADCAST, 4, offer->address | ~netmask);
}

static void put_times(struct writer *w, uint32_t lease_s)
{
	put_option(w, DHCP_OPT_LEASE, 4, lease_s);
	put_option(w, DHCP_OPT_RENEWAL, 4, lease_s / 2);
	put_option(w, DHCP_OPT_REBINDING, 4, (uint32_t)((uint64_t)lease_s * 7 / 8));
}

/* What is sent where. */
struct answer {
	enum dhcp_type type;
	ipv4 to;
	const struct mac *ethernet_to;
	ipv4 ciaddr, yiaddr;
	bool has_network, has_times;
};

static void put_bootp(struct writer *w, const struct dhcp_offer *offer,
		      const struct dhcp_packet *asked, const struct answer *answer)
{
	put(w, 1, DHCP_BOOTREPLY);
	put(w, 1, 1); /* Ethernet, and the length of its addresses */
	put(w, 1, sizeof(asked->chaddr.octets));
	put(w, 1, 0);
	put(w, 4, asked->xid);
	put(w, 2, 0);
	put(w, 2, asked->broadcast ? 0x8000 : 0);
	put(w, 4, answer->ciaddr);
	put(w, 4, answer->yiaddr);
	put(w, 4, 0);
	put(w, 4, 0);
	put_bytes(w, asked->chaddr.octets, sizeof(asked->chaddr.octets));
	put_zeros(w, 16 - sizeof(asked->chaddr.octets) + 64 + 128);
	put(w, 4, 0x63825363);
	put_option(w, DHCP_OPT_TYPE, 1, answer->type);
	put_option(w, DHCP_OPT_SERVER, 4, offer->gateway);
	if (answer->has_times)
		put_times(w, offer->lease_s);
	if (answer->has_network)
		put_network(w, offer);
	if (asked->client_id.len > 0 && asked->client_id.len <= CLIENT_ID_MAX) {
		put(w, 1, DHCP_OPT_CLIENT_ID);
		put(w, 1, (uint32_t)asked->client_id.len);
		put_bytes(w, asked->client_id.ptr, asked->client_id.len);
	}
	put(w, 1, DHCP_OPT_END);
}

/* RFC 1071, over an even number of bytes and perhaps one more. */
static uint32_t sum16(const uint8_t *bytes, size_t len, uint32_t sum)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	return len % 2 == 0 ? sum : sum + ((uint32_t)bytes[len - 1] << 8);
}

static uint16_t checksum(uint32_t sum)
{
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void set16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put_headers(struct writer *w, const struct dhcp_offer *offer,
			const struct answer *answer, size_t payload)
{
	put_bytes(w, answer->ethernet_to->octets, sizeof(answer->ethernet_to->octets));
	put_bytes(w, offer->gateway_mac.octets, sizeof(offer->gateway_mac.octets));
	put(w, 2, ETHERTYPE_OF_IPV4);
	put(w, 2, 0x4500);
	put(w, 2, (uint32_t)(IPV4_HEADER + UDP_HEADER + payload));
	put(w, 4, 0);
	put(w, 2, 0x4011); /* 64 hops, UDP */
	put(w, 2, 0);      /* checksum */
	put(w, 4, offer->gateway);
	put(w, 4, answer->to);
	put(w, 2, DHCP_SERVER_PORT);
	put(w, 2, DHCP_CLIENT_PORT);
	put(w, 2, (uint32_t)(UDP_HEADER + payload));
	put(w, 2, 0); /* checksum */
}

static void set_checksums(uint8_t *frame, size_t payload)
{
	uint8_t *ip = frame + ETHERNET_HEADER;
	uint8_t *udp = ip + IPV4_HEADER;
	size_t len = UDP_HEADER + payload;
	uint16_t of_udp = checksum(sum16(udp, len, sum16(ip + 12, 8, 17 + (uint32_t)len)));

	set16(ip + 10, checksum(sum16(ip, IPV4_HEADER, 0)));
	set16(udp + 6, of_udp != 0 ? of_udp : 0xffff); /* 0 would mean that there is none */
}

static size_t compose(const struct dhcp_offer *offer, const struct dhcp_packet *asked,
		      const struct answer *answer, uint8_t frame[DHCP_FRAME_MAX])
{
	struct writer payload = { .bytes = frame + PAYLOAD_START };
	struct writer headers = { .bytes = frame };

	put_bootp(&payload, offer, asked, answer);
	if (payload.len < BOOTP_MIN)
		put_zeros(&payload, BOOTP_MIN - payload.len);
	put_headers(&headers, offer, answer, payload.len);
	set_checksums(frame, payload.len);
	return PAYLOAD_START + payload.len;
}

/* With an address: to it, unless the client says that it cannot hear that yet. RFC 2131 section 4.1. */
static struct answer addressed(const struct dhcp_offer *offer, const struct dhcp_packet *asked,
			       enum dhcp_type type)
{
	bool shout = asked->ciaddr == 0 && asked->broadcast;

	return (struct answer){
		.type = type,
		.to = shout ? UINT32_MAX : offer->address,
		.ethernet_to = shout ? &everybody : &offer->mac,
		.ciaddr = type == DHCP_ACK ? asked->ciaddr : 0,
		.yiaddr = offer->address,
		.has_network = true,
		.has_times = true,
	};
}

static enum dhcp_event decide_request(const struct dhcp_offer *offer,
				      const struct dhcp_packet *asked, struct answer *ret)
{
	ipv4 wanted = asked->requested != 0 ? asked->requested : asked->ciaddr;

	if (wanted == 0 || (asked->server != 0 && asked->server != offer->gateway))
		return DHCP_NOTHING;
	if (wanted == offer->address) {
		*ret = addressed(offer, asked, DHCP_ACK);
		return DHCP_BOUND;
	}
	*ret = (struct answer){ .type = DHCP_NAK, .to = UINT32_MAX, .ethernet_to = &everybody };
	return DHCP_REFUSED;
}

/* The client has an address of its own; only its link hears the answer, whatever address that is. */
static enum dhcp_event decide_inform(const struct dhcp_packet *asked, struct answer *ret)
{
	if (asked->ciaddr == 0)
		return DHCP_NOTHING;
	*ret = (struct answer){
		.type = DHCP_ACK,
		.to = asked->ciaddr,
		.ethernet_to = &asked->chaddr,
		.ciaddr = asked->ciaddr,
		.has_network = true,
	};
	return DHCP_INFORMED;
}

static enum dhcp_event decide(const struct dhcp_offer *offer, const struct dhcp_packet *asked,
			      struct answer *ret)
{
	switch (asked->type) {
	case DHCP_DISCOVER:
		*ret = addressed(offer, asked, DHCP_OFFER);
		return DHCP_OFFERED;
	case DHCP_REQUEST:
		return decide_request(offer, asked, ret);
	case DHCP_INFORM:
		return decide_inform(asked, ret);
	case DHCP_RELEASE:
		return asked->ciaddr == offer->address ? DHCP_RELEASED : DHCP_NOTHING;
	case DHCP_DECLINE:
		return asked->requested == offer->address ? DHCP_DECLINED : DHCP_NOTHING;
	default:
		return DHCP_NOTHING;
	}
}

/* A relay's message (giaddr) is not the client's own, and would be answered to another link. */
static bool is_of_client(const struct dhcp_offer *offer, const struct dhcp_packet *packet)
{
	return packet->port_to == DHCP_SERVER_PORT && packet->op == DHCP_BOOTREQUEST &&
	       packet->giaddr == 0 && mac_equal(&packet->chaddr, &offer->mac) &&
	       mac_equal(&packet->ethernet_from, &offer->mac) &&
	       (mac_equal(&packet->ethernet_to, &everybody) ||
		mac_equal(&packet->ethernet_to, &offer->gateway_mac));
}

enum dhcp_event dhcp_answer(const struct dhcp_offer *offer, struct span frame,
			    uint8_t ret_answer[DHCP_FRAME_MAX], size_t *ret_len)
{
	struct dhcp_packet asked;
	struct answer answer = { 0 };
	enum dhcp_event event = DHCP_NOTHING;

	*ret_len = 0;
	if (dhcp_packet_parse(frame, &asked) && is_of_client(offer, &asked))
		event = decide(offer, &asked, &answer);
	if (answer.type != 0)
		*ret_len = compose(offer, &asked, &answer, ret_answer);
	return event;
}
