/* SPDX-License-Identifier: Apache-2.0 */
/* Asking, with the echo off if need be. */
#include "cmd/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/secret.h"

/* A terminal takes lines up to this (N_TTY_BUF_SIZE of the kernel) and drops what is beyond. */
#define TERMINAL_LINE_MAX 4095

void prompt_open(struct prompt *ret)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	ret->is_ours = fd >= 0;
	ret->fd = fd >= 0 ? fd : STDIN_FILENO;
	ret->is_terminal = isatty(ret->fd) == 1;
}

void prompt_done(struct prompt *prompt)
{
	if (prompt->is_ours)
		(void)close(prompt->fd);
	*prompt = (struct prompt)PROMPT_INIT;
}

/* Ends early on cancellation, as everything here that waits for a person. */
static bool set_mode(int fd, const struct termios *mode, struct err *err)
{
	while (tcsetattr(fd, TCSAFLUSH, mode) < 0) {
		if (errno != EINTR)
			return err_sys(err, errno, "cannot change the terminal's mode");
		if (!cancel_check(err))
			return false;
	}
	return true;
}

/* The signals beside those of cancellation that would leave the terminal behind as it is. */
static void other_signals(sigset_t *ret)
{
	(void)sigemptyset(ret);
	(void)sigaddset(ret, SIGQUIT);
	(void)sigaddset(ret, SIGTSTP);
}

/* A terminal whose echo is off. */
struct hush {
	int fd;
	int signal_fd;
	bool is_hushed;
	struct termios before;
	sigset_t mask;
};

static bool hush_on(struct hush *hush, struct err *err)
{
	struct termios mode = hush->before;

	mode.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	hush->is_hushed = true;
	return set_mode(hush->fd, &mode, err);
}

static void hush_off(struct hush *hush)
{
	if (hush->is_hushed)
		while (tcsetattr(hush->fd, TCSAFLUSH, &hush->before) < 0 && errno == EINTR)
			;
	hush->is_hushed = false;
}

static bool hush_start(struct hush *hush, const struct prompt *prompt, struct err *err)
{
	sigset_t signals;

	hush->fd = prompt->fd;
	if (tcgetattr(hush->fd, &hush->before) < 0)
		return err_sys(err, errno, "cannot read the terminal's mode");
	other_signals(&signals);
	(void)sigprocmask(SIG_BLOCK, &signals, &hush->mask);
	hush->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (hush->signal_fd < 0) {
		(void)sigprocmask(SIG_SETMASK, &hush->mask, NULL);
		return err_sys(err, errno, "cannot watch signals");
	}
	return hush_on(hush, err);
}

static void hush_done(struct hush *hush)
{
	hush_off(hush);
	if (hush->signal_fd < 0)
		return;
	(void)close(hush->signal_fd);
	(void)sigprocmask(SIG_SETMASK, &hush->mask, NULL);
}

/* Lets a signal that has come do what it does, with the terminal as it was. *ret_resumed: it did, and we are still there. */
static bool obey(struct hush *hush, bool *ret_resumed, struct err *err)
{
	struct signalfd_siginfo info;
	sigset_t blocked;

	*ret_resumed = false;
	if (hush->signal_fd < 0 || read(hush->signal_fd, &info, sizeof(info)) != sizeof(info))
		return true;
	hush_off(hush);
	(void)sigprocmask(SIG_SETMASK, &hush->mask, &blocked);
	(void)raise((int)info.ssi_signo);
	(void)sigprocmask(SIG_SETMASK, &blocked, NULL);
	*ret_resumed = true;
	return hush_on(hush, err);
}

static bool say(const struct prompt *prompt, const char *text, struct err *err)
{
	struct span rest = span_of(text);

	while (prompt->is_terminal && rest.len > 0) {
		ssize_t n = write(prompt->fd, rest.ptr, rest.len);

		if (n < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot write to the terminal");
		if (!cancel_check(err))
			return false;
		rest = span_from(rest, n > 0 ? (size_t)n : 0);
	}
	return true;
}

enum input { INPUT_BYTE, INPUT_END, INPUT_NOT_YET, INPUT_RESUMED, INPUT_FAILED };

static enum input next_byte(const struct prompt *prompt, struct hush *hush, char *ret,
			    struct err *err)
{
	struct pollfd fds[2] = { { .fd = prompt->fd, .events = POLLIN },
				 { .fd = hush->signal_fd, .events = POLLIN } };
	bool resumed;
	ssize_t n;

	if (poll(fds, 2, -1) < 0 && errno != EINTR) {
		(void)err_sys(err, errno, "cannot poll");
		return INPUT_FAILED;
	}
	if (!cancel_check(err) || !obey(hush, &resumed, err))
		return INPUT_FAILED;
	if (resumed)
		return INPUT_RESUMED;
	if (fds[0].revents == 0)
		return INPUT_NOT_YET;
	n = read(prompt->fd, ret, 1);
	if (n == 1)
		return INPUT_BYTE;
	return n < 0 && errno == EINTR ? INPUT_NOT_YET : INPUT_END;
}

static bool read_line(const struct prompt *prompt, const char *question, struct hush *hush,
		      struct str *out, struct err *err)
{
	for (;;) {
		char c = 0;

		switch (next_byte(prompt, hush, &c, err)) {
		case INPUT_BYTE:
			if (c == '\n')
				return true;
			str_add_char(out, c);
			break;
		case INPUT_END:
			return true;
		case INPUT_NOT_YET:
			break;
		case INPUT_RESUMED: /* the terminal has forgotten what was typed */
			str_clear(out);
			if (!say(prompt, question, err))
				return false;
			break;
		case INPUT_FAILED:
			return false;
		}
	}
}

static bool ask(const struct prompt *prompt, const char *question, enum prompt_echo echo,
		struct str *out, struct err *err)
{
	CLEANUP(hush_done) struct hush hush = { .signal_fd = -1 };
	bool unseen = echo == PROMPT_UNSEEN && prompt->is_terminal;
	struct err ignored = { 0 };
	bool ok;

	if (unseen && !hush_start(&hush, prompt, err))
		return false;
	ok = say(prompt, question, err) && read_line(prompt, question, &hush, out, err);
	if (unseen) /* the newline that was typed is not seen either */
		(void)say(prompt, "\n", &ignored);
	return ok;
}

/* What was read becomes an answer. */
static bool take(struct str *text, const char *what, char **ret, struct err *err)
{
	if (text->overflow)
		return err_set(err, ERR_GENERAL, "the %s is longer than %d characters", what,
			       PROMPT_MAX);
	while (text->len > 0 && strchr("\r\n", text->ptr[text->len - 1]))
		str_truncate(text, text->len - 1);
	if (text->len == 0)
		return err_set(err, ERR_GENERAL, "no %s was given", what);
	if (memchr(text->ptr, '\0', text->len))
		return err_set(err, ERR_GENERAL, "the %s holds a NUL character", what);
	*ret = str_take(text);
	return true;
}

bool prompt_ask(const struct prompt *prompt, const char *question, enum prompt_echo echo,
		const char *what, char **ret, struct err *err)
{
	CLEANUP_SECRET_STR struct str text = STR_CAPPED(PROMPT_MAX);

	secret_reserve(&text, PROMPT_MAX);
	if (!ask(prompt, question, echo, &text, err))
		return false;
	if (prompt->is_terminal && text.len >= TERMINAL_LINE_MAX)
		return err_set(err, ERR_GENERAL,
			       "the %s is longer than a terminal can take: use --password-stdin",
			       what);
	return take(&text, what, ret, err);
}

bool prompt_read_stdin(const char *what, char **ret, struct err *err)
{
	CLEANUP_SECRET_STR struct str text = STR_CAPPED(PROMPT_MAX + 2); /* and a newline */
	ssize_t n = 1;

	secret_reserve(&text, PROMPT_MAX + 2);
	while (n != 0 && !text.overflow) {
		char c;

		n = read(STDIN_FILENO, &c, 1);
		if (n < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot read the %s", what);
		if (!cancel_check(err))
			return false;
		if (n > 0)
			str_add_char(&text, c);
	}
	if (!take(&text, what, ret, err))
		return false;
	if (strlen(*ret) <= PROMPT_MAX)
		return true;
	secret_free(TAKE_PTR(*ret));
	return err_set(err, ERR_GENERAL, "the %s is longer than %d characters", what, PROMPT_MAX);
}
