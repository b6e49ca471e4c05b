/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plays QEMU for tests of `tart run`: finds the sockets on its command line and does what the script beside it says
 * (`<argv[0]>.script`), one step a line:
 *
 *	greet               QMP's greeting
 *	say TEXT            a line on the QMP connection, as it is
 *	boot                greet, answer all commands until `cont`, write FAKE-UP to the console
 *	answer COMMAND      the next command must be this one: {}
 *	refuse COMMAND WHY  the next command must be this one: an error
 *	serve               answer commands until `quit`, which ends it as QEMU ends; so does `system_powerdown` if obedient
 *	hears | deaf        what the register of the power button says from now on (hears)
 *	obedient | stubborn whether the guest follows the button (obedient)
 *	event NAME JSON     an event
 *	con TEXT            a line on the serial console
 *	flood con|hvc|stderr BYTES
 *	stderr TEXT         a line on stderr
 *	hang                does nothing any more, not even read
 *	close               ends the QMP connection
 *	exit N | signal N   ends
 *
 * At the end of the script it exits with 0. What goes against the script is exit code 70, said on stderr.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096

struct fake {
	int qmp, con, hvc;
	bool hears, obedient;
	char in[65536];
	size_t in_len;
};

static _Noreturn void wrong(const char *what, const char *detail)
{
	fprintf(stderr, "fake_qemu: %s: %s\n", what, detail);
	exit(70);
}

static void put(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		data += n;
		len -= (size_t)n;
	}
}

static void put_line(int fd, const char *text)
{
	put(fd, text, strlen(text));
	put(fd, "\r\n", 2);
}

/* "socket,id=NAME,fd=N" of a -chardev; -1 when it is another one. */
static int fd_of(const char *chardev, const char *name)
{
	char start[64];

	(void)snprintf(start, sizeof(start), "socket,id=%s,fd=", name);
	return strncmp(chardev, start, strlen(start)) == 0 ?
		       (int)strtol(chardev + strlen(start), NULL, 10) :
		       -1;
}

static void find_sockets(struct fake *fake, int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i++) {
		int *const slots[] = { &fake->qmp, &fake->con, &fake->hvc };
		const char *const names[] = { "qmp", "con", "hvc" };

		if (strcmp(argv[i], "-chardev") != 0)
			continue;
		for (int k = 0; k < 3; k++)
			if (fd_of(argv[i + 1], names[k]) >= 0)
				*slots[k] = fd_of(argv[i + 1], names[k]);
	}
	if (fake->qmp < 0 || fake->con < 0 || fake->hvc < 0)
		wrong("command line", "not all of the chardevs qmp, con and hvc");
}

/* The next command's line; false at the end of the connection. */
static bool read_command(struct fake *fake, char *ret)
{
	for (;;) {
		char *end = memchr(fake->in, '\n', fake->in_len);
		ssize_t n;

		if (end) {
			size_t len = (size_t)(end - fake->in) + 1;

			if (len > LINE_MAX_BYTES)
				wrong("command", "too long");
			memcpy(ret, fake->in, len);
			ret[len - 1] = '\0';
			memmove(fake->in, end + 1, fake->in_len - len);
			fake->in_len -= len;
			return true;
		}
		n = read(fake->qmp, fake->in + fake->in_len, sizeof(fake->in) - fake->in_len);
		if (n <= 0)
			return false;
		fake->in_len += (size_t)n;
	}
}

static bool is_command(const char *line, const char *name)
{
	char start[128];

	(void)snprintf(start, sizeof(start), "{\"execute\":\"%s\"", name);
	return strncmp(line, start, strlen(start)) == 0;
}

static long id_of(const char *line)
{
	const char *id = strstr(line, "\"id\":");

	return id ? strtol(id + strlen("\"id\":"), NULL, 10) : 0;
}

static void reply(const struct fake *fake, const char *line, const char *key, const char *value)
{
	char text[LINE_MAX_BYTES];

	(void)snprintf(text, sizeof(text), "{\"%s\": %s, \"id\": %ld}", key, value, id_of(line));
	put_line(fake->qmp, text);
}

static void greet(const struct fake *fake)
{
	put_line(fake->qmp,
		 "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 2, \"major\": 7}}, "
		 "\"capabilities\": []}}");
}

static _Noreturn void shut_down(const struct fake *fake, const char *guest, const char *reason)
{
	char text[LINE_MAX_BYTES];

	(void)snprintf(text, sizeof(text),
		       "{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": %s, \"reason\": \"%s\"}}",
		       guest, reason);
	put_line(fake->qmp, text);
	exit(0);
}

static void answer_any(const struct fake *fake, const char *line)
{
	if (is_command(line, "human-monitor-command"))
		reply(fake, line, "return",
		      fake->hears ? "\"portw[0x0602] = 0x0120\\r\\n\"" :
				    "\"portw[0x0602] = 0x0020\\r\\n\"");
	else
		reply(fake, line, "return", "{}");
	if (is_command(line, "quit"))
		shut_down(fake, "false", "host-qmp-quit");
	if (is_command(line, "system_powerdown"))
		put_line(fake->con, "FAKE-BUTTON");
	if (is_command(line, "system_powerdown") && fake->obedient)
		shut_down(fake, "true", "guest-shutdown");
}

static void boot(struct fake *fake)
{
	char line[LINE_MAX_BYTES];

	greet(fake);
	do {
		if (!read_command(fake, line))
			wrong("boot", "the connection ended before `cont`");
		answer_any(fake, line);
	} while (!is_command(line, "cont"));
	put_line(fake->con, "FAKE-UP");
}

static void serve(struct fake *fake)
{
	char line[LINE_MAX_BYTES];

	while (read_command(fake, line))
		answer_any(fake, line);
}

static void answer(struct fake *fake, const char *name, const char *key, const char *value)
{
	char line[LINE_MAX_BYTES];

	if (!read_command(fake, line) || !is_command(line, name))
		wrong("expected another command", name);
	reply(fake, line, key, value);
}

static void refuse(struct fake *fake, char *rest)
{
	char *why = strchr(rest, ' ');
	char value[LINE_MAX_BYTES];

	if (!why)
		wrong("refuse", rest);
	*why++ = '\0';
	(void)snprintf(value, sizeof(value), "{\"class\": \"GenericError\", \"desc\": \"%s\"}",
		       why);
	answer(fake, rest, "error", value);
}

static void event(const struct fake *fake, char *rest)
{
	char *data = strchr(rest, ' ');
	char text[LINE_MAX_BYTES];

	if (!data)
		wrong("event", rest);
	*data++ = '\0';
	(void)snprintf(text, sizeof(text), "{\"event\": \"%s\", \"data\": %s}", rest, data);
	put_line(fake->qmp, text);
}

static void flood(const struct fake *fake, const char *rest)
{
	char block[1024];
	int fd = strncmp(rest, "con ", 4) == 0 ? fake->con :
		 strncmp(rest, "hvc ", 4) == 0 ? fake->hvc :
						 STDERR_FILENO;
	long left = strtol(strchr(rest, ' '), NULL, 10);

	memset(block, 'f', sizeof(block));
	block[sizeof(block) - 1] = '\n';
	for (; left > 0; left -= (long)sizeof(block))
		put(fd, block, sizeof(block));
}

/* As a program without a handler: the sanitizers bring one for some signals. */
static void die_by(int signum)
{
	(void)signal(signum, SIG_DFL);
	(void)raise(signum);
}

static void step(struct fake *fake, char *line)
{
	char *rest = strchr(line, ' ');

	if (rest)
		*rest++ = '\0';
	else
		rest = line + strlen(line);
	if (strcmp(line, "greet") == 0)
		greet(fake);
	else if (strcmp(line, "say") == 0)
		put_line(fake->qmp, rest);
	else if (strcmp(line, "boot") == 0)
		boot(fake);
	else if (strcmp(line, "answer") == 0)
		answer(fake, rest, "return", "{}");
	else if (strcmp(line, "refuse") == 0)
		refuse(fake, rest);
	else if (strcmp(line, "serve") == 0)
		serve(fake);
	else if (strcmp(line, "hears") == 0 || strcmp(line, "deaf") == 0)
		fake->hears = line[0] == 'h';
	else if (strcmp(line, "obedient") == 0 || strcmp(line, "stubborn") == 0)
		fake->obedient = line[0] == 'o';
	else if (strcmp(line, "event") == 0)
		event(fake, rest);
	else if (strcmp(line, "con") == 0)
		put_line(fake->con, rest);
	else if (strcmp(line, "flood") == 0)
		flood(fake, rest);
	else if (strcmp(line, "stderr") == 0)
		put_line(STDERR_FILENO, rest);
	else if (strcmp(line, "hang") == 0)
		for (;;)
			(void)pause();
	else if (strcmp(line, "close") == 0)
		(void)close(fake->qmp);
	else if (strcmp(line, "exit") == 0)
		exit((int)strtol(rest, NULL, 10));
	else if (strcmp(line, "signal") == 0)
		die_by((int)strtol(rest, NULL, 10));
	else
		wrong("unknown step", line);
}

int main(int argc, char **argv)
{
	static struct fake fake = {
		.qmp = -1, .con = -1, .hvc = -1, .hears = true, .obedient = true
	};
	char path[LINE_MAX_BYTES];
	char line[LINE_MAX_BYTES];
	FILE *script;

	(void)snprintf(path, sizeof(path), "%s.script", argv[0]);
	script = fopen(path, "re");
	if (!script)
		wrong(path, strerror(errno));
	find_sockets(&fake, argc, argv);
	while (fgets(line, sizeof(line), script)) {
		line[strcspn(line, "\n")] = '\0';
		step(&fake, line);
	}
	(void)fclose(script);
	return 0;
}
