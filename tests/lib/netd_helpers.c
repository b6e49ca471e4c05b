/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper's starter, DHCP child and dnsmasq without the keeper, for tests: does what lines of stdin say, prints what comes of
 * it, and ends with stdin. An order that cannot be carried out prints "error: TEXT".
 *
 *	dhcp                                          ask for a DHCP child
 *	serve TAP MAC ADDRESS/PREFIX GATEWAY LEASE [DNS]   LEASE in seconds
 *	host TAP MAC ADDRESS/PREFIX GATEWAY LEASE [DNS]    the same without a router
 *	snoop TAP MAC
 *	forget TAP
 *	dns ADDRESS [UPSTREAM...]                     dnsmasq
 *	stop-dns
 *	isolate                                       become what the keeper is
 */
#include <net/if.h>
#include <stdio.h>
#include <unistd.h>

#include "base/number.h"
#include "netd/dhcp_link.h"
#include "netd/isolate.h"
#include "netd/nic.h"
#include "netd/starter.h"

#define WORDS_MAX 8
#define LINE_SIZE 512

struct helpers {
	struct loop *loop;
	struct starter *starter;
	struct dhcp_link *link;
	char line[LINE_SIZE];
	size_t len;
};

struct order {
	const char *words[WORDS_MAX + 1];
	size_t n;
};

static bool wants(const struct order *order, size_t n, struct err *err)
{
	return order->n >= n || err_set(err, ERR_GENERAL, "'%s' wants more words", order->words[0]);
}

static bool take_offer(const struct order *order, struct dhcp_offer *ret, struct err *err)
{
	struct span whole = span_of(order->words[3]);
	struct span address = { 0 };
	uint64_t prefix = 0;
	uint64_t lease_s = 0;

	if (!mac_parse(span_of(order->words[2]), &ret->mac) || !span_next(&whole, '/', &address) ||
	    !ipv4_parse(address, &ret->address) || !number_parse_u64(whole, 32, &prefix) ||
	    !ipv4_parse(span_of(order->words[4]), &ret->gateway) ||
	    !number_parse_u64(span_of(order->words[5]), UINT32_MAX, &lease_s) ||
	    (order->n > 6 && !ipv4_parse(span_of(order->words[6]), &ret->dns[0])))
		return err_set(err, ERR_GENERAL, "no such offer");
	if (order->n <= 6)
		ret->dns[0] = ret->gateway;
	ret->prefix = (uint8_t)prefix;
	ret->lease_s = (uint32_t)lease_s;
	ret->mtu = 1500;
	ret->gateway_mac = nic_gateway_mac;
	ret->no_router = strcmp(order->words[0], "host") == 0;
	return true;
}

static bool serve(struct helpers *helpers, const struct order *order, struct err *err)
{
	struct dhcp_offer offer = { 0 };

	return wants(order, 6, err) && take_offer(order, &offer, err) &&
	       dhcp_link_serve(helpers->link, order->words[1], (int)if_nametoindex(order->words[1]),
			       &offer, err);
}

static bool snoop(struct helpers *helpers, const struct order *order, struct err *err)
{
	struct mac mac;

	if (!wants(order, 3, err))
		return false;
	if (!mac_parse(span_of(order->words[2]), &mac))
		return err_set(err, ERR_GENERAL, "no such MAC address");
	return dhcp_link_snoop(helpers->link, order->words[1], (int)if_nametoindex(order->words[1]),
			       &mac, err);
}

static bool forget(struct helpers *helpers, const struct order *order, struct err *err)
{
	if (!wants(order, 2, err))
		return false;
	dhcp_link_forget(helpers->link, order->words[1]);
	return true;
}

static bool dhcp(struct helpers *helpers, const struct order *order, struct err *err)
{
	(void)order;
	return starter_want_dhcp(helpers->starter, err);
}

static bool dns(struct helpers *helpers, const struct order *order, struct err *err)
{
	struct starter_dns settings = { 0 };

	if (!wants(order, 2, err) || !ipv4_parse(span_of(order->words[1]), &settings.listen))
		return err_set(err, ERR_GENERAL, "no such address");
	for (size_t i = 2; i < order->n && i - 2 < STARTER_UPSTREAM_MAX; i++)
		if (!ipv4_parse(span_of(order->words[i]), &settings.upstream[i - 2]))
			return err_set(err, ERR_GENERAL, "no such upstream");
	return starter_want_dns(helpers->starter, &settings, err);
}

static bool stop_dns(struct helpers *helpers, const struct order *order, struct err *err)
{
	(void)order;
	(void)err;
	starter_stop_dns(helpers->starter);
	return true;
}

static bool isolate(struct helpers *helpers, const struct order *order, struct err *err)
{
	static const struct isolate_path keep[] = { { "/sys", false }, { "/proc", false }, { 0 } };

	(void)helpers;
	(void)order;
	if (!isolate_identity(ISOLATE_KEEPER, err) || !isolate_calls(ISOLATE_KEEPER, keep, err))
		return false;
	puts("isolated");
	return true;
}

static const struct {
	const char *name;
	bool (*run)(struct helpers *helpers, const struct order *order, struct err *err);
} verbs[] = {
	{ "dhcp", dhcp },     { "serve", serve }, { "host", serve },        { "snoop", snoop },
	{ "forget", forget }, { "dns", dns },     { "stop-dns", stop_dns }, { "isolate", isolate },
};

static void obey(struct helpers *helpers, char *line)
{
	struct order order = { 0 };
	struct err err = { 0 };
	char *rest = NULL;

	for (char *word = strtok_r(line, " ", &rest); word && order.n < WORDS_MAX;
	     word = strtok_r(NULL, " ", &rest))
		order.words[order.n++] = word;
	for (size_t i = 0; i < ARRAY_LEN(verbs) && order.n > 0; i++) {
		if (strcmp(verbs[i].name, order.words[0]) != 0)
			continue;
		if (!verbs[i].run(helpers, &order, &err))
			printf("error: %s\n", err.text);
		return;
	}
	printf("error: no such order\n");
}

static void helpers_on_stdin(void *ctx, uint32_t events)
{
	struct helpers *helpers = ctx;
	char *end;
	ssize_t n = read(STDIN_FILENO, helpers->line + helpers->len,
			 sizeof(helpers->line) - helpers->len - 1);

	(void)events;
	if (n <= 0) {
		loop_stop(helpers->loop);
		return;
	}
	helpers->len += (size_t)n;
	helpers->line[helpers->len] = '\0';
	while ((end = strchr(helpers->line, '\n'))) {
		*end = '\0';
		obey(helpers, helpers->line);
		helpers->len -= (size_t)(end + 1 - helpers->line);
		memmove(helpers->line, end + 1, helpers->len + 1);
	}
}

static void on_dhcp_started(void *ctx, int fd)
{
	struct helpers *helpers = ctx;
	struct err err = { 0 };

	if (dhcp_link_connect(helpers->link, fd, &err))
		puts("dhcp started");
	else
		printf("error: %s\n", err.text);
}

static void on_dns_started(void *ctx)
{
	(void)ctx;
	puts("dns started");
}

static void on_dns_ended(void *ctx, enum starter_dns_end end, const char *why)
{
	static const char *const ends[] = { "missing", "port taken", "died" };

	(void)ctx;
	printf("dns %s: %s\n", ends[end], why);
}

static void on_failed(void *ctx, const char *why)
{
	(void)ctx;
	printf("starter failed: %s\n", why);
}

static void on_bound(void *ctx, const char *tap, int64_t now_s, uint32_t lease_s)
{
	(void)ctx;
	printf("bound %s %u%s\n", tap, lease_s, now_s > 0 ? "" : " at no time");
}

static void on_released(void *ctx, const char *tap)
{
	(void)ctx;
	printf("released %s\n", tap);
}

static void on_declined(void *ctx, const char *tap)
{
	(void)ctx;
	printf("declined %s\n", tap);
}

static void on_seen(void *ctx, const char *tap, const struct dhcp_sighting *sighting)
{
	char address[IPV4_TEXT_SIZE];

	(void)ctx;
	ipv4_print(sighting->address, address);
	printf("seen %s %s %s %u\n", tap, address, sighting->by_dhcp ? "dhcp" : "arp",
	       sighting->lease_s);
}

static void on_ended(void *ctx)
{
	struct helpers *helpers = ctx;
	struct err err = { 0 };

	puts("dhcp ended");
	if (!starter_want_dhcp(helpers->starter, &err))
		printf("error: %s\n", err.text);
}

static const struct starter_events starter_events = {
	.dhcp_started = on_dhcp_started,
	.dns_started = on_dns_started,
	.dns_ended = on_dns_ended,
	.failed = on_failed,
};

static const struct dhcp_link_events link_events = {
	.bound = on_bound,
	.released = on_released,
	.declined = on_declined,
	.seen = on_seen,
	.ended = on_ended,
};

static bool run(struct helpers *helpers, struct err *err)
{
	struct loop_source *source;

	return isolate_start(0, err) && isolate_from_gains(err) &&
	       starter_fork(&helpers->starter, err) && loop_new(&helpers->loop, err) &&
	       starter_watch(helpers->starter, helpers->loop, &starter_events, helpers, err) &&
	       dhcp_link_new(helpers->loop, &link_events, helpers, &helpers->link, err) &&
	       loop_add_fd(helpers->loop, STDIN_FILENO, EPOLLIN, helpers_on_stdin, helpers, &source,
			   err) &&
	       loop_run(helpers->loop, err);
}

int main(void)
{
	struct helpers helpers = { 0 };
	struct err err = { 0 };
	bool ok;

	(void)setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	ok = run(&helpers, &err);
	if (!ok)
		printf("error: %s\n", err.text);
	dhcp_link_free(helpers.link);
	starter_free(helpers.starter);
	loop_free(helpers.loop);
	puts("end");
	return ok ? 0 : 1;
}
