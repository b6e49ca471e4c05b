/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper's rules.h as a program for tests: each argument is a step, one after the other in one process, which owns the
 * tables meanwhile. A step that fails says "error: TEXT"; the exit code is 1 if the last one did.
 *
 *	open [plain] [net A.B.C.D/P] [dns A.B.C.D]	says "new" or "adopted", "persistent" or "plain"
 *	add N MODE [peer] [allow LIST] [block LIST] [expose LIST]	VM number N: tart-0000000N, gateway + N
 *	change N MODE ...	from what was said of it last
 *	remove N, forget N, count N, registered
 *	check		says "gone" or "there", when tables have changed
 *	restore [N MODE ...]	all that were added, and this one
 *	foreign, close, keep
 *	many N MODE ...	adds VMs 1 to N and removes the last ones; says what each took, as median
 *	print [net ...] [dns ...]	the fixed rules as text, for nft
 *	sh COMMAND
 */
#include "netd/rules.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/number.h"
#include "netd/rules_text.h"

#define VMS_MAX    16384
#define SAMPLES    50 /* of `many` */
#define PATIENCE_S 20

struct doing {
	struct rules *rules;
	struct rules_options options;
	struct nic nics[VMS_MAX]; /* by number; those that are registered have a name */
};

typedef bool step_fn(struct doing *doing, struct span words, struct err *err);

static _Noreturn void misused(const char *what)
{
	(void)fprintf(stderr, "rules_do: %s\n", what);
	exit(64);
}

static struct span take_word(struct span *words)
{
	struct span word;

	if (!span_next(words, ' ', &word))
		misused("a step wants more words");
	return word;
}

static unsigned take_number(struct span *words)
{
	uint64_t n;

	if (!number_parse_u64(take_word(words), VMS_MAX - 1, &n))
		misused("that is no number of a VM");
	return (unsigned)n;
}

static enum netd_mode take_mode(struct span *words)
{
	struct span word = take_word(words);

	if (span_is(word, "nat"))
		return NETD_NAT;
	if (span_is(word, "host"))
		return NETD_HOST;
	if (!span_is(word, "softnet"))
		misused("that is no mode");
	return NETD_SOFTNET;
}

static void put_name(unsigned n, char ret[NETD_IF_SIZE])
{
	(void)snprintf(ret, NETD_IF_SIZE, NETD_TAP_PREFIX "%08x", n);
}

/* What follows the number. */
static void take_nic(const struct doing *doing, unsigned n, struct span words, struct nic *ret)
{
	struct err err = { 0 };
	bool ok = true;

	*ret = (struct nic){ .mode = take_mode(&words),
			     .address = doing->options.subnet.gateway + n,
			     .mac = { { 0x52, 0x54, 0, 0xaa, (uint8_t)(n >> 8), (uint8_t)n } } };
	put_name(n, ret->tap);
	while (ok && words.len > 0) {
		struct span word = take_word(&words);

		if (span_is(word, "peer"))
			ret->peer = true;
		else if (span_is(word, "allow"))
			ok = policy_list_parse(take_word(&words), "allow", &ret->policy.allow,
					       &err);
		else if (span_is(word, "block"))
			ok = policy_list_parse(take_word(&words), "block", &ret->policy.block,
					       &err);
		else if (span_is(word, "expose"))
			ok = expose_list_parse(take_word(&words), "expose", &ret->expose, &err);
		else
			misused("that is nothing a VM has");
	}
	if (!ok)
		misused(err.text);
}

static void forget_nic(struct doing *doing, unsigned n)
{
	nic_done(&doing->nics[n]);
	doing->nics[n] = (struct nic){ 0 };
}

static void take_options(struct span words, struct rules_options *ret)
{
	bool ok = cidr_parse(span_of("192.168.64.0/24"), &ret->subnet.cidr);

	while (ok && words.len > 0) {
		struct span word = take_word(&words);

		if (span_is(word, "plain"))
			ret->never_persist = true;
		else if (span_is(word, "net"))
			ok = cidr_parse(take_word(&words), &ret->subnet.cidr);
		else if (span_is(word, "dns"))
			ok = ipv4_parse(take_word(&words), &ret->dns[0]);
		else
			misused("that is no option of open");
	}
	if (!ok)
		misused("that is no address");
	ret->subnet.gateway = ret->subnet.cidr.network + 1;
}

static bool do_open(struct doing *doing, struct span words, struct err *err)
{
	enum rules_found found;

	doing->options = (struct rules_options){ 0 };
	take_options(words, &doing->options);
	if (!rules_open(&doing->options, &doing->rules, &found, err))
		return false;
	printf("%s %s\n", found == RULES_NEW ? "new" : "adopted",
	       rules_are_persistent(doing->rules) ? "persistent" : "plain");
	return true;
}

/* As nft would have it, for a ruleset that is empty. */
static bool do_print(struct doing *doing, struct span words, struct err *err)
{
	CLEANUP_STR struct str text = { 0 };
	struct rules_options options = { 0 };

	(void)doing;
	(void)err;
	take_options(words, &options);
	rules_text(&options, &text);
	printf("add table arp tart\nadd table inet tart\n%s", str_text(&text));
	return true;
}

static bool do_add(struct doing *doing, struct span words, struct err *err)
{
	unsigned n = take_number(&words);

	nic_done(&doing->nics[n]);
	take_nic(doing, n, words, &doing->nics[n]);
	if (rules_add(doing->rules, &doing->nics[n], err))
		return true;
	forget_nic(doing, n);
	return false;
}

static bool do_change(struct doing *doing, struct span words, struct err *err)
{
	unsigned n = take_number(&words);
	struct nic nic;
	bool ok;

	take_nic(doing, n, words, &nic);
	ok = rules_change(doing->rules, &doing->nics[n], &nic, err);
	nic_done(ok ? &doing->nics[n] : &nic);
	if (ok)
		doing->nics[n] = nic;
	return ok;
}

static bool do_remove(struct doing *doing, struct span words, struct err *err)
{
	unsigned n = take_number(&words);

	if (!doing->nics[n].tap[0])
		take_nic(doing, n, span_of("nat"), &doing->nics[n]);
	if (!rules_remove(doing->rules, &doing->nics[n], err))
		return false;
	forget_nic(doing, n);
	return true;
}

static bool do_forget(struct doing *doing, struct span words, struct err *err)
{
	unsigned n = take_number(&words);
	char tap[NETD_IF_SIZE];

	put_name(n, tap);
	return rules_forget(doing->rules, tap, err);
}

static bool do_count(struct doing *doing, struct span words, struct err *err)
{
	unsigned n = take_number(&words);
	struct netd_count counts[NETD_COUNTERS];
	bool any = false;

	if (!rules_count(doing->rules, &doing->nics[n], counts, err))
		return false;
	for (int i = 0; i < NETD_COUNTERS; i++) {
		if (counts[i].packets == 0)
			continue;
		printf("%s %" PRIu64 " ", netd_counter_names[i], counts[i].packets);
		any = true;
	}
	puts(any ? "" : "nothing");
	return true;
}

static bool do_registered(struct doing *doing, struct span words, struct err *err)
{
	CLEANUP(tap_names_done) tap_names names = { 0 };

	(void)words;
	if (!rules_registered(doing->rules, &names, err))
		return false;
	printf("registered:");
	vec_each(&names, name)
		printf(" %s", *name);
	printf("\n");
	return true;
}

static bool do_check(struct doing *doing, struct span words, struct err *err)
{
	struct pollfd watched = { .fd = rules_watch_fd(doing->rules), .events = POLLIN };
	bool gone;

	(void)words;
	if (watched.fd >= 0 && poll(&watched, 1, PATIENCE_S * 1000) != 1)
		return err_set(err, ERR_GENERAL, "nothing has changed");
	if (!rules_check(doing->rules, &gone, err))
		return false;
	puts(gone ? "gone" : "there");
	return true;
}

static bool do_restore(struct doing *doing, struct span words, struct err *err)
{
	const struct nic *nics[VMS_MAX + 1];
	CLEANUP(nic_done) struct nic another = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < VMS_MAX; i++)
		if (doing->nics[i].tap[0])
			nics[n++] = &doing->nics[i];
	if (words.len > 0) {
		unsigned number = take_number(&words);

		take_nic(doing, number, words, &another);
		nics[n++] = &another;
	}
	return rules_restore(doing->rules, nics, n, err);
}

static bool do_foreign(struct doing *doing, struct span words, struct err *err)
{
	CLEANUP_STR struct str lines = { 0 };

	(void)words;
	if (!rules_foreign(doing->rules, &lines, err))
		return false;
	(void)fputs(str_text(&lines), stdout);
	return true;
}

/* Of our own time, which is the kernel's, too, as it does what it is told before the call returns: others do not count. */
static double now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	const double *x = a;
	const double *y = b;

	return (*x > *y) - (*x < *y);
}

static void print_times(const char *what, double times[SAMPLES])
{
	qsort(times, SAMPLES, sizeof(*times), compare);
	printf("%s %.0f us, at most %.0f\n", what, times[SAMPLES / 2], times[SAMPLES - 1]);
}

static bool remove_some(struct doing *doing, unsigned n, double times[SAMPLES], struct err *err)
{
	for (unsigned i = 0; i < SAMPLES; i++) {
		double start = now_us();

		if (!rules_remove(doing->rules, &doing->nics[n - i], err))
			return false;
		times[i] = now_us() - start;
		forget_nic(doing, n - i);
	}
	return true;
}

static bool do_many(struct doing *doing, struct span words, struct err *err)
{
	unsigned n = take_number(&words);
	double times[SAMPLES] = { 0 };

	if (n < SAMPLES)
		misused("that is not many");
	for (unsigned i = 1; i <= n; i++) {
		double start;

		nic_done(&doing->nics[i]);
		take_nic(doing, i, words, &doing->nics[i]);
		start = now_us();
		if (!rules_add(doing->rules, &doing->nics[i], err))
			return false;
		times[i % SAMPLES] = now_us() - start;
	}
	print_times("add", times);
	if (!remove_some(doing, n, times, err))
		return false;
	print_times("remove", times);
	return true;
}

static bool do_close(struct doing *doing, struct span words, struct err *err)
{
	(void)words;
	(void)err;
	rules_close(TAKE_PTR(doing->rules), false);
	return true;
}

static bool do_keep(struct doing *doing, struct span words, struct err *err)
{
	(void)words;
	(void)err;
	rules_close(TAKE_PTR(doing->rules), true);
	return true;
}

static bool do_sh(struct doing *doing, struct span words, struct err *err)
{
	int status = 0;
	pid_t pid = fork();

	(void)doing;
	if (pid == 0) {
		/* The last of the step's text, which is a C string. */
		(void)execl("/bin/sh", "sh", "-c", words.ptr, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		misused("cannot run a shell");
	return status == 0 || err_set(err, ERR_GENERAL, "status %d", WEXITSTATUS(status));
}

static const struct {
	const char *name;
	step_fn *fn;
} steps[] = {
	{ "open", do_open },       { "add", do_add },
	{ "change", do_change },   { "remove", do_remove },
	{ "forget", do_forget },   { "count", do_count },
	{ "check", do_check },     { "registered", do_registered },
	{ "restore", do_restore }, { "foreign", do_foreign },
	{ "many", do_many },       { "close", do_close },
	{ "print", do_print },     { "keep", do_keep },
	{ "sh", do_sh },
};

static bool do_step(struct doing *doing, const char *text, struct err *err)
{
	struct span words = span_of(text);
	struct span name = take_word(&words);

	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (span_is(name, steps[i].name))
			return steps[i].fn(doing, words, err);
	misused("no such step");
}

int main(int argc, char **argv)
{
	static struct doing doing;
	bool ok = true;

	(void)setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	for (int i = 1; i < argc; i++) {
		struct err err = { 0 };

		ok = do_step(&doing, argv[i], &err);
		if (!ok)
			printf("error: %s\n", err.text);
	}
	rules_close(doing.rules, true);
	for (size_t i = 0; i < VMS_MAX; i++)
		nic_done(&doing.nics[i]);
	return ok ? 0 : 1;
}
