/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kills a command of tart after each call that changes the disk, and makes each of these calls fail: `torture NAME
 * FOLDER` runs one scenario in an empty folder, `torture --list` names them. $TART is the program, $TORTURE_STORE that of
 * store_image.c, $TORTURE_SHIM the preloaded library.
 *
 * For n = 1, 2, ... the home is put back as the scenario's preparation left it, the command runs with the fault at
 * its n-th call, then a harmless command (`tart list`) runs, which collects temporary files. After a kill everything
 * must be as it was or as it is to be, with nothing left over; the command must then do its work when it is run
 * again. After a failing call the same must be true without the harmless command, and stderr must say it in one line.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/digest.h"
#include "base/fs.h"
#include "check.h"
#include "image/layers.h"
#include "scenarios.h"

#define CALLS_MAX 2000
#define WORDS_MAX 16

struct torture {
	const struct scenario *scenario;
	const char *tart;
	const char *store;
	const char *shim;
	char *root; /* everything is below it */
	char *home; /* root/home */
	struct snapshot before, after;
	int failures;
};

enum fault { FAULT_NONE, FAULT_KILL, FAULT_FAIL };

/* For what is wrong with the test itself. */
_Noreturn static void die(const char *what)
{
	fprintf(stderr, "torture: %s: %s\n", what, strerror(errno));
	exit(2);
}

static char *below(const struct torture *t, const char *name)
{
	return xasprintf("%s/%s", t->root, name);
}

/* A command line without quoting; '@' stands for the root. */
struct words {
	char *v[WORDS_MAX + 1];
	size_t n;
};

static void words_done(struct words *words)
{
	for (size_t i = 0; i < words->n; i++)
		free(words->v[i]);
	words->n = 0;
}

static void words_add(struct words *words, char *word)
{
	if (words->n == WORDS_MAX)
		die("too many words");
	words->v[words->n++] = word;
	words->v[words->n] = NULL;
}

static void set_environment(const struct torture *t, enum fault fault, long n)
{
	char text[24];

	(void)setenv("TART_HOME", t->home, 1);
	if (t->scenario->clone)
		(void)setenv("TART_CLONE", t->scenario->clone, 1);
	if (fault == FAULT_NONE)
		return;
	(void)snprintf(text, sizeof(text), "%ld", n);
	(void)setenv(fault == FAULT_KILL ? "TORTURE_KILL_AT" : "TORTURE_FAIL_AT", text, 1);
	if (t->scenario->no_exchange)
		(void)setenv("TORTURE_NO_EXCHANGE", "1", 1);
	(void)setenv("LD_PRELOAD", t->shim, 1);
}

/* Runs a program with stdout and stderr in files below the root; returns its wait status. */
static int run(const struct torture *t, char *const *argv, enum fault fault, long n)
{
	CLEANUP_FREE char *out = below(t, "stdout");
	CLEANUP_FREE char *err = below(t, "stderr");
	CLEANUP_FREE char *cwd = below(t, "out");
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		if (!freopen("/dev/null", "r", stdin) || !freopen(out, "w", stdout) ||
		    !freopen(err, "w", stderr) || chdir(cwd) < 0)
			_exit(126);
		set_environment(t, fault, n);
		(void)execvp(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		die("cannot run a program");
	return status;
}

static int run_program(const struct torture *t, const char *program, const char *line,
		       enum fault fault, long n)
{
	CLEANUP(words_done) struct words words = { .n = 0 };
	struct span rest = span_of(line);
	struct span word;

	words_add(&words, xstrdup(program));
	while (span_next(&rest, ' ', &word)) {
		bool rooted = word.len > 0 && word.ptr[0] == '@';

		words_add(&words,
			  rooted ? xasprintf("%s%.*s", t->root, (int)word.len - 1, word.ptr + 1) :
				   xstrndup(word.ptr, word.len));
	}
	return run(t, words.v, fault, n);
}

static int run_tart(const struct torture *t, const char *line, enum fault fault, long n)
{
	return run_program(t, t->tart, line, fault, n);
}

static int run_command(const struct torture *t, enum fault fault, long n)
{
	return run_program(t, t->scenario->stores ? t->store : t->tart, t->scenario->command, fault,
			   n);
}

static void run_tool(const struct torture *t, char *const *argv)
{
	if (run(t, argv, FAULT_NONE, 0) != 0)
		die(argv[0]);
}

static void remove_tree(const struct torture *t, char *path)
{
	char rm[] = "rm";
	char rf[] = "-rf";
	char *const argv[] = { rm, rf, path, NULL };

	run_tool(t, argv);
}

/* Hard links, time stamps and holes come along. */
static void copy_tree(const struct torture *t, char *from, char *to)
{
	char cp[] = "cp";
	char options[] = "-a";
	char *const argv[] = { cp, options, from, to, NULL };

	remove_tree(t, to);
	run_tool(t, argv);
}

static void write_at(const char *path, const char *text, off_t at)
{
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	struct err err = { 0 };

	if (fd < 0 || !fs_pwrite_all(fd, text, strlen(text), (uint64_t)at, &err))
		die(path);
}

/* Different in every VM, at both ends and in between. */
static void fill(const struct torture *t, const char *vm)
{
	CLEANUP_FREE char *disk = xasprintf("%s/vms/%s/disk.img", t->home, vm);
	CLEANUP_FREE char *data = xasprintf("data of %s", vm);

	write_at(disk, data, 0);
	write_at(disk, data, 123456789);
	write_at(disk, data, 999999900);
}

static void suspend(const struct torture *t, const char *vm)
{
	CLEANUP_FREE char *state = xasprintf("%s/vms/%s/state.vzvmsave", t->home, vm);

	write_at(state, "a saved machine", 0);
}

static void make_dir(const char *path)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		die(path);
}

/* As a pull leaves it: a record of layers beside the disk, which clones get too. */
static void record_layers(const char *folder)
{
	CLEANUP(disk_layers_done) struct disk_layers layers = { .has_overlay = false };
	CLEANUP_CLOSE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct disk_layer *layer = vec_push(&layers.items);
	struct err err = { 0 };

	layer->data_bytes = 1000000000;
	layer->blob_bytes = 1;
	digest_of(span_of("some layer"), layer->data_digest);
	digest_of(span_of("its blob"), layer->blob_digest);
	if (fd < 0 || !disk_layers_store(fd, &layers, &err))
		die(folder);
}

/* Tags h/ns:TAG an image whose digest consists of the code of the tag's letter. */
static void make_image(const struct torture *t, const char *tag)
{
	static const char *const parents[] = { "cache", "cache/OCIs", "cache/OCIs/h",
					       "cache/OCIs/h/ns" };
	CLEANUP_STR struct str folder = { 0 };
	CLEANUP_FREE char *vm = NULL;
	CLEANUP_FREE char *link = xasprintf("%s/cache/OCIs/h/ns/%s", t->home, tag);
	char line[64];

	make_dir(t->home);
	for (size_t i = 0; i < ARRAY_LEN(parents); i++) {
		CLEANUP_FREE char *parent = xasprintf("%s/%s", t->home, parents[i]);

		make_dir(parent);
	}
	(void)snprintf(line, sizeof(line), "create --linux --disk-size 1 %s", tag);
	if (run_tart(t, line, FAULT_NONE, 0) != 0)
		die(line);
	fill(t, tag);
	vm = xasprintf("%s/vms/%s", t->home, tag);
	str_addf(&folder, "%s/cache/OCIs/h/ns/sha256:", t->home);
	for (int i = 0; i < 32; i++)
		str_addf(&folder, "%02x", (unsigned char)tag[0]);
	if (rename(vm, str_text(&folder)) < 0 || symlink(str_text(&folder), link) < 0)
		die(link);
	record_layers(str_text(&folder));
}

static void prepare(const struct torture *t)
{
	CLEANUP_FREE char *template = below(t, "template");

	for (const struct step *step = t->scenario->steps; step->kind != STEP_NONE; step++) {
		switch (step->kind) {
		case STEP_TART:
			if (run_tart(t, step->text, FAULT_NONE, 0) != 0)
				die(step->text);
			break;
		case STEP_FILL:
			fill(t, step->text);
			break;
		case STEP_SUSPEND:
			suspend(t, step->text);
			break;
		case STEP_IMAGE:
			make_image(t, step->text);
			break;
		case STEP_NONE:
			break;
		}
	}
	make_dir(t->home);
	copy_tree(t, t->home, template);
}

static void reset(const struct torture *t)
{
	CLEANUP_FREE char *template = below(t, "template");
	CLEANUP_FREE char *out = below(t, "out");

	copy_tree(t, template, t->home);
	remove_tree(t, out);
	make_dir(out);
}

static void complain(struct torture *t, const char *what, long n, const struct str *problem)
{
	if (problem->len == 0)
		return;
	t->failures++;
	printf("%s at call %ld:\n%s", what, n, str_text(problem));
}

/* Where names cannot be exchanged, what is replaced is found aside after a kill. */
static const struct snapshot *aside(const struct torture *t)
{
	return t->scenario->no_exchange ? &t->before : NULL;
}

static void check_state(const struct torture *t, struct str *problem)
{
	CLEANUP(snapshot_done) struct snapshot now = { .prints = { 0 } };
	CLEANUP_FREE char *out = below(t, "out");

	/* First: looking at the home opens it, which must not be what removes something. */
	leftovers_find(t->home, out, problem);
	snapshot_take(t->home, &now, problem);
	snapshot_compare(&t->before, &t->after, &now, aside(t), problem);
}

static void read_stderr(const struct torture *t, struct str *out)
{
	CLEANUP_FREE char *path = below(t, "stderr");
	struct err err = { 0 };

	if (!fs_read_file(AT_FDCWD, path, 1 << 20, out, &err))
		die(path);
}

/* Says nothing and succeeds, whatever it finds. */
static void run_list(const struct torture *t, struct str *problem)
{
	CLEANUP_STR struct str text = { 0 };

	if (run_tart(t, "list --quiet", FAULT_NONE, 0) != 0)
		str_add(problem, "tart list fails\n");
	read_stderr(t, &text);
	str_add_span(problem, str_span(&text));
}

/* The command does its work when it is run again. */
static void run_again(const struct torture *t, struct str *problem)
{
	CLEANUP(snapshot_done) struct snapshot now = { .prints = { 0 } };
	CLEANUP_STR struct str text = { 0 };

	if (t->scenario->once)
		return;
	if (run_command(t, FAULT_NONE, 0) != 0) {
		read_stderr(t, &text);
		str_addf(problem, "it fails when run again: %s", str_text(&text));
	}
	snapshot_take(t->home, &now, problem);
	snapshot_compare(&t->after, &t->after, &now, aside(t), problem);
}

/* The number of calls that there are: one less than the first n at which the command ends by itself. */
static long kill_at_each(struct torture *t)
{
	for (long n = 1; n < CALLS_MAX; n++) {
		CLEANUP_STR struct str problem = { 0 };
		int status;

		reset(t);
		status = run_command(t, FAULT_KILL, n);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			return n - 1;
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
			str_add(&problem, "it was neither killed nor successful: ");
			read_stderr(t, &problem);
		}
		run_list(t, &problem);
		check_state(t, &problem);
		run_again(t, &problem);
		complain(t, "killed", n, &problem);
	}
	die("too many calls");
}

static bool is_one_line(const struct str *text)
{
	return text->len > 1 && span_find(str_span(text), '\n') == text->len - 1;
}

static void fail_at_each(struct torture *t, long calls)
{
	for (long n = 1; n <= calls; n++) {
		CLEANUP_STR struct str problem = { 0 };
		CLEANUP_STR struct str text = { 0 };
		int status;

		reset(t);
		status = run_command(t, FAULT_FAIL, n);
		read_stderr(t, &text);
		if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
			str_addf(&problem, "wait status %d\n", status);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 1 && !is_one_line(&text))
			str_addf(&problem, "stderr is not one line: '%s'\n", str_text(&text));
		check_state(t, &problem);
		run_list(t, &problem);
		complain(t, "full disk", n, &problem);
	}
}

static void take(const struct torture *t, struct snapshot *snapshot)
{
	CLEANUP_STR struct str problem = { 0 };

	snapshot_take(t->home, snapshot, &problem);
	if (problem.len > 0)
		die(problem.ptr);
}

/* Two runs without a fault say what there is before and after it. */
static void learn(struct torture *t)
{
	reset(t);
	take(t, &t->before);
	if (run_command(t, FAULT_NONE, 0) != 0)
		die("the command fails without a fault");
	take(t, &t->after);
}

static int torture(struct torture *t)
{
	CLEANUP_FREE char *out = below(t, "out");
	long calls;

	make_dir(out);
	prepare(t);
	learn(t);
	calls = kill_at_each(t);
	fail_at_each(t, calls);
	printf("%s: %ld calls, %d failures\n", t->scenario->name, calls, t->failures);
	snapshot_done(&t->before);
	snapshot_done(&t->after);
	/* A command that changes nothing has been tortured by nothing. */
	return t->failures > 0 || calls < 1;
}

static const struct scenario *find(const char *name)
{
	const struct scenario *scenario = scenarios;

	while (scenario->name && strcmp(scenario->name, name) != 0)
		scenario++;
	return scenario->name ? scenario : NULL;
}

static int list(void)
{
	for (const struct scenario *scenario = scenarios; scenario->name; scenario++)
		printf("%s\n", scenario->name);
	return 0;
}

int main(int argc, char **argv)
{
	struct torture t = { .tart = getenv("TART"),
			     .store = getenv("TORTURE_STORE"),
			     .shim = getenv("TORTURE_SHIM") };
	int result;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && strcmp(argv[1], "--list") == 0)
		return list();
	if (argc == 3)
		t.scenario = find(argv[1]);
	if (!t.scenario || !t.tart || !t.store || !t.shim) {
		fprintf(stderr,
			"usage: TART=... TORTURE_STORE=... TORTURE_SHIM=... torture SCENARIO FOLDER\n"
			"       torture --list\n");
		return 64;
	}
	t.root = xstrdup(argv[2]);
	t.home = below(&t, "home");
	result = torture(&t);
	free(t.home);
	free(t.root);
	return result;
}
