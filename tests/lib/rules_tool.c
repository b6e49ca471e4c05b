/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of netd/rules.h by hand: reads commands from standard input, one a line, and answers each with "ok", what
 * was asked for and then "ok", or "error: ...". For tests/net/rules.bats and bench/.
 *
 *	open [plain] [peers] [net A.B.C.D/P] [dns A.B.C.D]   says "new" or "adopted", "persistent" or "plain"
 *	add N MODE [peer] [allow LIST] [block LIST] [expose LIST]   VM number N: tart-000000NN, gateway + N
 *	change N MODE ...   from what was last said of it
 *	remove N      forget N      count N      registered
 *	check         restore       foreign      close       keep        (check waits for a change)
 *	many N MODE ...   adds VMs 1 to N, removes the last of them; says how long each of these took, as median
 */
#include <inttypes.h>
#include <poll.h>
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

	if (!number(strtok_r(NULL, " ", rest), &n) ||
	    !rules_remove(tool->rules, &tool->nics[n], &tool->err))
		return false;
	tool->nics[n] = (struct nic){ 0 };
	return true;
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

static bool on_change(struct tool *tool, char **rest)
{
	struct nic nic = { 0 };
	struct nic *was;

	if (!parse_nic(tool, rest, &nic))
		return false;
	was = &tool->nics[nic.address - tool->options.subnet.gateway];
	if (!rules_change(tool->rules, was, &nic, &tool->err))
		return false;
	*was = nic;
	return true;
}

static bool on_count(struct tool *tool, char **rest)
{
	struct netd_count counts[NETD_COUNTERS];
	struct nic nic;
	unsigned n;

	if (!number(strtok_r(NULL, " ", rest), &n))
		return false;
	describe(tool, n, &nic);
	if (!rules_count(tool->rules, nic.tap, counts, &tool->err))
		return false;
	for (int i = 0; i < NETD_COUNTERS; i++)
		printf("%s%s %" PRIu64 " %" PRIu64, i > 0 ? ", " : "", netd_counter_names[i],
		       counts[i].packets, counts[i].bytes);
	printf("\n");
	return true;
}

static bool on_registered(struct tool *tool, char **rest)
{
	CLEANUP(tap_names_done) tap_names names = { 0 };

	(void)rest;
	if (!rules_registered(tool->rules, &names, &tool->err))
		return false;
	vec_each(&names, name)
		printf("%s ", *name);
	printf("\n");
	return true;
}

/* Waits for news first, where there can be any. */
static bool on_check(struct tool *tool, char **rest)
{
	struct pollfd watched = { .fd = rules_watch_fd(tool->rules), .events = POLLIN };
	bool gone;

	(void)rest;
	if (watched.fd >= 0)
		(void)poll(&watched, 1, 10000);
	if (!rules_check(tool->rules, &gone, &tool->err))
		return false;
	puts(gone ? "gone" : "there");
	return true;
}

/* All that were added, and not removed. */
static bool on_restore(struct tool *tool, char **rest)
{
	const struct nic *nics[VMS_MAX];
	size_t n = 0;

	(void)rest;
	for (size_t i = 0; i < VMS_MAX; i++)
		if (tool->nics[i].tap[0])
			nics[n++] = &tool->nics[i];
	return rules_restore(tool->rules, nics, n, &tool->err);
}

static bool on_foreign(struct tool *tool, char **rest)
{
	CLEANUP_STR struct str lines = { 0 };

	(void)rest;
	if (!rules_foreign(tool->rules, &lines, &tool->err))
		return false;
	fputs(str_text(&lines), stdout);
	return true;
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

static void print_times(const char *what, double times[LAST])
{
	qsort(times, LAST, sizeof(*times), compare);
	printf("%s %.0f us, at most %.0f\n", what, times[LAST / 2], times[LAST - 1]);
}

/* Of the last ones, with all the others there. */
static bool add_many(struct tool *tool, unsigned n, double times[LAST])
{
	for (unsigned i = 1; i <= n; i++) {
		double start = now_us();

		if (!rules_add(tool->rules, &tool->nics[i], &tool->err))
			return false;
		times[i % LAST] = now_us() - start;
	}
	return true;
}

static bool remove_some(struct tool *tool, unsigned n, double times[LAST])
{
	for (unsigned i = 0; i < LAST; i++) {
		double start = now_us();

		if (!rules_remove(tool->rules, &tool->nics[n - i], &tool->err))
			return false;
		times[i] = now_us() - start;
		tool->nics[n - i] = (struct nic){ 0 };
	}
	return true;
}

static bool on_many(struct tool *tool, char **rest)
{
	double times[LAST];
	unsigned n;

	if (!number(strtok_r(NULL, " ", rest), &n) || n < LAST)
		return false;
	for (unsigned i = 1; i <= n; i++) {
		CLEANUP_FREE char *line = xasprintf("%u %s", i, *rest);
		char *words = line;

		if (!parse_nic(tool, &words, &tool->nics[i]))
			return false;
	}
	if (!add_many(tool, n, times))
		return false;
	print_times("add", times);
	if (!remove_some(tool, n, times))
		return false;
	print_times("remove", times);
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
	{ "open", on_open },
	{ "add", on_add },
	{ "change", on_change },
	{ "remove", on_remove },
	{ "forget", on_forget },
	{ "count", on_count },
	{ "registered", on_registered },
	{ "check", on_check },
	{ "restore", on_restore },
	{ "foreign", on_foreign },
	{ "many", on_many },
	{ "close", on_close },
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
