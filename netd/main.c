/* SPDX-License-Identifier: Apache-2.0 */
/* tart-netd, the keeper of the VMs' network: its options, and starting it in the background. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/sock.h"
#include "base/version.h"
#include "netd/forwarding.h"
#include "netd/isolate.h"
#include "netd/links.h"
#include "netd/listener.h"
#include "netd/rootless.h"
#include "netd/rules.h"
#include "netd/serve.h"

#define LINGER_S     10
#define LINGER_MAX_S 86400
#define START_MS     20000 /* until a keeper in the background answers */
#define RETRY_MS     20

static const char usage[] =
	"usage: tart-netd [OPTION...]\n"
	"The keeper of the network of tart's virtual machines.\n"
	"\n"
	"  --dir DIR         keep everything below DIR: netd.sock, net/, addresses, network.conf\n"
	"  --conf FILE       network.conf is this file\n"
	"  --linger SECONDS  end when nobody has needed it for so long (default 10; 0 = never)\n"
	"  --background      return when it answers, or when another keeper does\n"
	"  --rootless DIR    the same for a user without privileges, by way of pasta; network.conf is\n"
	"                    DIR/../network.conf\n"
	"  --forwarder DIR   the part of --rootless that joins connections, started by it\n"
	"  --check FILE      tell whether this network.conf fits this host\n"
	"  --candidates      list interfaces for --net-bridged\n"
	"  --firewalls       list what other firewalls of this host do to virtual machines\n"
	"  --never-persist   tables as on a kernel before 6.9, for tests\n"
	"  --version, --help\n";

enum mode {
	MODE_SERVE,
	MODE_ROOTLESS,
	MODE_FORWARDER,
	MODE_CHECK,
	MODE_CANDIDATES,
	MODE_FIREWALLS
};

struct options {
	enum mode mode;
	const char *file;           /* --check, --forwarder */
	const char *linger;         /* as it was given, for the keeper below pasta */
	struct serve_options serve; /* `dir` and `conf` are --rootless's, too */
};

static int complain(const struct err *err)
{
	fprintf(stderr, "tart-netd: %s\n", err->text);
	return 1;
}

/* The file, against what the host has: a subnet that collides, interfaces that are not there are told. */
static bool check_file(const char *path, struct err *err)
{
	struct settings settings, fresh;
	struct links *links = NULL;
	CLEANUP_STR struct str warnings = { 0 };
	struct subnet subnet;
	bool ok;

	settings_init(&settings, path);
	ok = settings_read(&settings, &fresh, err);
	settings_done(&settings);
	if (!ok)
		return false;
	subnet = (struct subnet){ .cidr = fresh.conf.subnet, .gateway = fresh.conf.gateway };
	ok = links_open(NULL, &links, err) &&
	     (fresh.conf.subnet_auto || links_check_subnet(links, &subnet, &warnings, err) ||
	      err_context(err, "%s: subnet", path));
	links_close(links);
	settings_done(&fresh);
	return ok;
}

static bool print_candidates(struct err *err)
{
	bridged_candidates found = { 0 };
	struct links *links = NULL;
	bool ok = links_open(NULL, &links, err) && links_candidates(links, &found, err);

	vec_each(&found, candidate)
		printf("%s %s\n", candidate->name, candidate->is_bridge ? "bridge" : "device");
	vec_done(&found);
	links_close(links);
	return ok;
}

static bool print_firewalls(struct err *err)
{
	/* The usual subnet: for the commands that are shown. */
	const struct subnet subnet = { .cidr = { 0xc0a84000, 24 }, .gateway = 0xc0a84001 };
	CLEANUP_STR struct str lines = { 0 };

	if (!rules_foreign_here(&subnet, &lines, err))
		return false;
	fputs(str_text(&lines), stdout);
	return true;
}

static bool can_connect(const char *runtime_dir)
{
	CLEANUP_CLOSE int dirfd = open(runtime_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_CLOSE int fd = -1;
	struct err ignored = { 0 };

	return dirfd >= 0 && sock_connect_packets(dirfd, NETD_SOCKET, &fd, &ignored);
}

static void pause_ms(long ms)
{
	const struct timespec wait = { .tv_nsec = ms * 1000000 };

	(void)nanosleep(&wait, NULL);
}

/* Waits until somebody answers: ours, or the one that was faster. `pid`: our child, 0 = none. */
static bool wait_until_there(const char *runtime_dir, pid_t pid, struct err *err)
{
	for (int waited_ms = 0; waited_ms < START_MS; waited_ms += RETRY_MS) {
		int status = 0;

		if (can_connect(runtime_dir))
			return true;
		/* Its reason is on standard error already. */
		if (pid > 0 && waitpid(pid, &status, WNOHANG) == pid) {
			pid = 0;
			if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
				return false;
		}
		pause_ms(RETRY_MS);
	}
	return err_set(err, ERR_GENERAL, "the keeper does not answer in '%s'", runtime_dir);
}

static int run_serve(const struct options *options)
{
	struct err err = { 0 };

	switch (serve(&options->serve, &err)) {
	case SERVE_ENDED:
		return 0;
	case SERVE_BUSY:
		if (options->serve.in_background)
			return 0;
		(void)err_set(&err, ERR_GENERAL, "there is a keeper already");
		break;
	case SERVE_FAILED:
		break;
	}
	return complain(&err);
}

/* One forwarder for each folder; the next one finds the first one's keeper. */
static int run_rootless(const struct options *options)
{
	CLEANUP_FREE char *conf = options->serve.conf ?
					  xstrdup(options->serve.conf) :
					  xasprintf("%s/../network.conf", options->serve.dir);
	const struct rootless_options wish = { .dir = options->serve.dir,
					       .conf = conf,
					       .linger = options->linger };
	CLEANUP_CLOSE int dirfd = -1;
	CLEANUP_CLOSE int lock_fd = -1;
	struct err err = { 0 };

	if (!rootless_check(getenv("PATH"), &err) || !fs_make_dir(AT_FDCWD, wish.dir, 0700, &err) ||
	    !fs_open_dir(AT_FDCWD, wish.dir, &dirfd, &err))
		return complain(&err);
	lock_fd = openat(dirfd, "forwarder.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (lock_fd < 0 || lock_try(lock_fd, &err) != LOCK_TAKEN) {
		(void)err_set(&err, ERR_GENERAL, "there is a keeper already");
		return options->serve.in_background ? 0 : complain(&err);
	}
	return rootless_main(&wish, &err) ? 0 : complain(&err);
}

static int run_keeper(const struct options *options)
{
	return options->mode == MODE_ROOTLESS ? run_rootless(options) : run_serve(options);
}

/* No terminal, no session, no parent to die with; what it has to say until it answers goes to its starter. */
static int be_in_background(const struct options *options, int talk_fd)
{
	CLEANUP_CLOSE int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setsid();
	(void)signal(SIGPIPE, SIG_IGN);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(talk_fd, STDERR_FILENO) < 0)
		return 1;
	(void)close(talk_fd);
	return run_keeper(options);
}

static void pass_on(int fd)
{
	char text[2048];
	ssize_t n;

	if (fcntl(fd, F_SETFL, O_NONBLOCK) == 0 && (n = read(fd, text, sizeof(text))) > 0)
		(void)!write(STDERR_FILENO, text, (size_t)n);
}

static int run_in_background(const struct options *options)
{
	const char *runtime_dir = options->serve.dir ? options->serve.dir : NETD_RUNTIME_DIR;
	struct err err = { 0 };
	int talk[2];
	pid_t pid;

	/* A rootless keeper may have lost what it has outside. */
	if (options->mode == MODE_SERVE && can_connect(runtime_dir))
		return 0;
	if (pipe2(talk, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		(void)err_sys(&err, errno, "cannot start a process");
		return complain(&err);
	}
	if (pid == 0) {
		(void)close(talk[0]);
		return be_in_background(options, talk[1]);
	}
	(void)close(talk[1]);
	if (wait_until_there(runtime_dir, pid, &err))
		return 0;
	pass_on(talk[0]);
	return *err.text ? complain(&err) : 1;
}

static bool read_linger(const char *text, uint64_t *ret_ms, struct err *err)
{
	uint64_t seconds;

	if (!number_parse_u64(span_of(text), LINGER_MAX_S, &seconds))
		return err_set(err, ERR_USAGE, "--linger: '%s' is not a number up to %d", text,
			       LINGER_MAX_S);
	*ret_ms = seconds * 1000;
	return true;
}

enum {
	OPT_DIR = 1,
	OPT_CONF,
	OPT_LINGER,
	OPT_BACKGROUND,
	OPT_ROOTLESS,
	OPT_FORWARDER,
	OPT_CHECK,
	OPT_CANDIDATES,
	OPT_FIREWALLS,
	OPT_NEVER_PERSIST,
	OPT_DIE_AT,
	OPT_VERSION,
	OPT_HELP
};

static const struct option long_options[] = {
	{ "dir", required_argument, NULL, OPT_DIR },
	{ "conf", required_argument, NULL, OPT_CONF },
	{ "linger", required_argument, NULL, OPT_LINGER },
	{ "background", no_argument, NULL, OPT_BACKGROUND },
	{ "rootless", required_argument, NULL, OPT_ROOTLESS },
	{ "forwarder", required_argument, NULL, OPT_FORWARDER },
	{ "check", required_argument, NULL, OPT_CHECK },
	{ "candidates", no_argument, NULL, OPT_CANDIDATES },
	{ "firewalls", no_argument, NULL, OPT_FIREWALLS },
	{ "never-persist", no_argument, NULL, OPT_NEVER_PERSIST },
	{ "die-at", required_argument, NULL, OPT_DIE_AT },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

/* False: the process is to end, with *ret_code. */
static bool take_option(int option, struct options *options, int *ret_code)
{
	struct err err = { 0 };

	switch (option) {
	case OPT_ROOTLESS:
		options->mode = MODE_ROOTLESS;
		options->serve.dir = optarg;
		return true;
	case OPT_DIR:
		options->serve.dir = optarg;
		return true;
	case OPT_CONF:
		options->serve.conf = optarg;
		return true;
	case OPT_LINGER:
		options->linger = optarg;
		if (read_linger(optarg, &options->serve.linger_ms, &err))
			return true;
		(void)complain(&err);
		*ret_code = 64;
		return false;
	case OPT_BACKGROUND:
		options->serve.in_background = true;
		return true;
	case OPT_FORWARDER:
		options->mode = MODE_FORWARDER;
		options->file = optarg;
		return true;
	case OPT_CHECK:
		options->mode = MODE_CHECK;
		options->file = optarg;
		return true;
	case OPT_CANDIDATES:
		options->mode = MODE_CANDIDATES;
		return true;
	case OPT_FIREWALLS:
		options->mode = MODE_FIREWALLS;
		return true;
	case OPT_NEVER_PERSIST:
		options->serve.never_persist = true;
		return true;
	case OPT_DIE_AT:
		options->serve.die_at = optarg;
		return true;
	case OPT_VERSION:
		puts(TART_VERSION);
		*ret_code = 0;
		return false;
	case OPT_HELP:
		fputs(usage, stdout);
		*ret_code = 0;
		return false;
	default:
		fputs(usage, stderr);
		*ret_code = 64;
		return false;
	}
}

static bool read_options(int argc, char **argv, struct options *ret, int *ret_code)
{
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		if (!take_option(option, ret, ret_code))
			return false;
	/* A test's way to die is nobody else's. */
	if (optind == argc && (ret->serve.dir || !ret->serve.die_at))
		return true;
	fputs(usage, stderr);
	*ret_code = 64;
	return false;
}

static int run_mode(const struct options *options)
{
	struct err err = { 0 };
	bool ok = false;

	/* pasta's command is root in a namespace because it is executed; rootless.c gives that up after it. */
	if (options->mode != MODE_ROOTLESS && !isolate_from_gains(&err))
		return complain(&err);

	switch (options->mode) {
	case MODE_SERVE:
	case MODE_ROOTLESS:
		return options->serve.in_background ? run_in_background(options) :
						      run_keeper(options);
	case MODE_FORWARDER:
		ok = forwarding_main(options->file, &err);
		break;
	case MODE_CHECK:
		ok = check_file(options->file, &err);
		break;
	case MODE_CANDIDATES:
		ok = print_candidates(&err);
		break;
	case MODE_FIREWALLS:
		ok = print_firewalls(&err);
		break;
	}
	return ok ? 0 : complain(&err);
}

int main(int argc, char **argv)
{
	struct options options = { .serve.linger_ms = LINGER_S * 1000 };
	struct err err = { 0 };
	int code = 0;

	if (!isolate_start(listener_n_passed(), &err))
		return complain(&err);
	if (!read_options(argc, argv, &options, &code))
		return code;
	return run_mode(&options);
}
