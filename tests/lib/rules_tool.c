/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of netd/rules.h by hand: reads commands from standard input, one a line, and answers each with "ok", what
 * was asked for and then "ok", or "error: ...". For tests/net/rules.bats and bench/.
 *
 *	open [plain] [peers] [net A.B.C.D/P] [dns A.B.C.D]   says "new" or "adopted", "persistent" or "plain"
 *	add N MODE [peer] [allow LIST] [block LIST] [expose LIST]   VM number N: tart-000000NN, gateway + N
 *	change N MODE ...   from what was last said of it
 *	remove N      forget N      count N      registered
 *	check         restore       foreign      close       keep
 *	many N        adds VMs 1 to N, says how many microseconds the last ones took, adding and removing
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "netd/rules.h"

#define VMS_MAX 4096
#define LAST    50 /* of `many` */

struct tool {
	struct rules *rules;
	struct rules_options options;
	struct nic nics[VMS_MAX];
	struct err err;
};

static bool number(const char *word, unsigned *ret)
{
	return word && sscanf(word, "%u", ret) == 1 && *ret < VMS_MAX;
}

static void describe(const struct tool *tool, unsigned n, struct nic *ret)
{
	*ret = (struct nic){ .address = tool->options.subnet.gateway + n,
			     .mac = { { 0x52, 0x54, 0, 0xaa, (uint8_t)(n >> 8), (uint8_t)n } } };
	(void)snprintf(ret->tap, sizeof(ret->tap), NETD_TAP_PREFIX "%08x", n);
}

static bool parse_mode(const char *word, enum netd_mode *ret)
{
	if (word && strcmp(word, "nat") == 0)
		*ret = NETD_NAT;
	else if (word && strcmp(word, "softnet") == 0)
		*ret = NETD_SOFTNET;
	else if (word && strcmp(word, "host") == 0)
		*ret = NETD_HOST;
	else
		return false;
	return true;
}

/* N MODE and the rest of the line. */
static bool parse_nic(struct tool *tool, char **rest, struct nic *ret)
{
	unsigned n;
	const char *word;

	if (!number(strtok_r(NULL, " ", rest), &n))
		return err_set(&tool->err, ERR_USAGE, "which VM?");
	describe(tool, n, ret);
	if (!parse_mode(strtok_r(NULL, " ", rest), &ret->mode))
		return err_set(&tool->err, ERR_USAGE, "which mode?");
	while ((word = strtok_r(NULL, " ", rest)) != NULL) {
		bool ok = true;

		if (strcmp(word, "peer") == 0) {
			ret->peer = true;
			continue;
		}
		if (strcmp(word, "allow") == 0)
			ok = policy_list_parse(span_of(strtok_r(NULL, " ", rest)), "allow",
					       &ret->policy.allow, &tool->err);
		else if (strcmp(word, "block") == 0)
			ok = policy_list_parse(span_of(strtok_r(NULL, " ", rest)), "block",
					       &ret->policy.block, &tool->err);
		else if (strcmp(word, "expose") == 0)
			ok = expose_list_parse(span_of(strtok_r(NULL, " ", rest)), "expose",
					       &ret->expose, &tool->err);
		else
			ok = err_set(&tool->err, ERR_USAGE, "what is '%s'?", word);
		if (!ok)
			return false;
	}
	return true;
}

static bool on_open(struct tool *tool, char **rest)
{
	struct rules_options options = { .isolate_vms = true };
	enum rules_found found;
	const char *word;

	(void)cidr_parse(span_of("192.168.64.0/18"), &options.subnet.cidr);
	while ((word = strtok_r(NULL, " ", rest)) != NULL) {
		if (strcmp(word, "plain") == 0)
			options.never_persist = true;
		else if (strcmp(word, "peers") == 0)
			options.isolate_vms = false;
		else if (strcmp(word, "net") == 0)
			(void)cidr_parse(span_of(strtok_r(NULL, " ", rest)), &options.subnet.cidr);
		else if (strcmp(word, "dns") == 0)
			(void)ipv4_parse(span_of(strtok_r(NULL, " ", rest)), &options.dns[0]);
	}
	options.subnet.gateway = options.subnet.cidr.network + 1;
	tool->options = options;
	if (!rules_open(&options, &tool->rules, &found, &tool->err))
		return false;
	printf("%s %s\n", found == RULES_NEW ? "new" : "adopted",
	       rules_are_persistent(tool->rules) ? "persistent" : "plain");
	return true;
}

static bool on_add(struct tool *tool, char **rest)
{
	struct nic nic = { 0 };

	if (!parse_nic(tool, rest, &nic))
		return false;
	tool->nics[nic.address - tool->options.subnet.gateway] = nic;
	return rules_add(tool->rules, &nic, &tool->err);
}

static bool on_remove(struct tool *tool, char **rest)
{
	unsigned n;

	return number(strtok_r(NULL, " ", rest), &n) &&
	       rules_remove(tool->rules, &tool->nics[n], &tool->err);
}

static bool on_forget(struct tool *tool, char **rest)
{
	struct nic nic;
	unsigned n;

	if (!number(strtok_r(NULL, " ", rest), &n))
		return false;
	describe(tool, n, &nic);
	return rules_forget(tool->rules, nic.tap, &tool->err);
}

static double now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	const double *x = a;
	const double *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Removes the last ones and adds them again: the median of both, with all the others there. */
static bool on_many(struct tool *tool, char **rest)
{
	double adds[LAST];
	double removals[LAST];
	struct nic nic = { 0 };
	unsigned n;

	if (!number(strtok_r(NULL, " ", rest), &n) || n < LAST)
		return false;
	for (unsigned i = 1; i <= n; i++) {
		char words[] = "0 softnet allow 10.99.0.0/24,@host block 8.8.8.8";
		char *cursor = words;

		nic = (struct nic){ 0 };
		if (*rest && strstr(*rest, "lists")) {
			(void)parse_nic(tool, &cursor, &nic);
		}
		struct nic base;
		describe(tool, i, &base);
		base.mode = NETD_SOFTNET;
		base.policy = nic.policy;
		double start = now_us();
		if (!rules_add(tool->rules, &base, &tool->err))
			return false;
		if (i > n - LAST)
			adds[i - (n - LAST) - 1] = now_us() - start;
		tool->nics[i] = base;
	}
	for (unsigned i = 0; i < LAST; i++) {
		double start = now_us();
		if (!rules_remove(tool->rules, &tool->nics[n - i], &tool->err))
			return false;
		removals[i] = now_us() - start;
	}
	qsort(adds, LAST, sizeof(*adds), compare);
	qsort(removals, LAST, sizeof(*removals), compare);
	printf("add %.0f us (max %.0f), remove %.0f us (max %.0f)\n", adds[LAST / 2],
	       adds[LAST - 1], removals[LAST / 2], removals[LAST - 1]);
	return true;
}

static bool on_close(struct tool *tool, char **rest)
{
	(void)rest;
	rules_close(TAKE_PTR(tool->rules), false);
	return true;
}

static bool on_keep(struct tool *tool, char **rest)
{
	(void)rest;
	rules_close(TAKE_PTR(tool->rules), true);
	return true;
}

static const struct {
	const char *name;
	bool (*run)(struct tool *tool, char **rest);
} commands[] = {
	{ "open", on_open },     { "add", on_add },   { "remove", on_remove },
	{ "forget", on_forget }, { "many", on_many }, { "close", on_close },
	{ "keep", on_keep },
};

static bool run(struct tool *tool, char *line)
{
	char *rest = NULL;
	const char *name = strtok_r(line, " ", &rest);

	for (size_t i = 0; name && i < ARRAY_LEN(commands); i++)
		if (strcmp(name, commands[i].name) == 0)
			return commands[i].run(tool, &rest);
	return err_set(&tool->err, ERR_USAGE, "what is '%s'?", name);
}

int main(void)
{
	static struct tool tool;
	char line[65536];

	(void)setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		err_clear(&tool.err);
		if (run(&tool, line))
			puts("ok");
		else
			printf("error: %s\n", tool.err.text);
	}
	rules_close(tool.rules, true);
	return 0;
}
