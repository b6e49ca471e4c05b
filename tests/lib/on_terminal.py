#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
A program on a terminal of its own, and a person at it: on_terminal.py STEP... -- PROGRAM [ARGUMENT...]

    expect:TEXT   waits until the terminal shows this behind what earlier steps have seen
    send:TEXT     types it; \\n is Enter, \\x03 Ctrl-C
    kill:NAME     sends the program a signal: kill:TERM
    stopped       waits until the program has been stopped by a signal
    continue      brings it back, as the shell's `fg` does
    echo:on, echo:off   what is typed is seen or not

Afterwards, prints what was shown, then a line "echo on" or "echo off" of how the terminal is left behind. Exits like the
program, 128 + N for death by signal N, and 99 when a step did not come true in time.

Between us and the program stands a process that is to it what a shell is: it leads the session and gives the terminal
to the program's process group. Without one, a program cannot be stopped.
"""

import fcntl
import os
import select
import signal
import sys
import termios
import time

DEADLINE = time.monotonic() + 50


def shell(argv, orders, reports):
    """Runs the program as a job; b's' = it was stopped, b'e' + code = it has ended."""
    job = os.fork()
    if job == 0:
        os.setpgid(0, 0)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        os.tcsetpgrp(0, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.closerange(3, 64)
        os.execvp(argv[0], argv)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.write(reports, b"p%d\n" % job)
    while True:
        _, status = os.waitpid(job, os.WUNTRACED)
        if os.WIFSTOPPED(status):
            os.tcsetpgrp(0, os.getpid())
            os.write(reports, b"s\n")
            os.read(orders, 1)
            os.tcsetpgrp(0, job)
            os.kill(job, signal.SIGCONT)
            continue
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
        os.write(reports, b"e%d\n" % code)
        os.read(orders, 1)  # keeps the terminal until it was looked at
        os._exit(0)


class Terminal:
    def __init__(self, argv):
        orders, self.orders = os.pipe()
        self.reports, reports = os.pipe()
        self.master, self.slave = os.openpty()
        if os.fork() == 0:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for fd in (0, 1, 2):
                os.dup2(self.slave, fd)
            for fd in (self.orders, self.reports, self.master, self.slave):
                os.close(fd)
            shell(argv, orders, reports)
        os.close(orders)
        os.close(reports)
        self.shown = b""
        self.seen = 0
        self.said = b""

    def wait(self, what, is_true):
        while not is_true():
            left = DEADLINE - time.monotonic()
            if left <= 0:
                print(self.shown.decode(errors="backslashreplace"))
                print("in vain: " + what, file=sys.stderr)
                os.close(self.orders)
                sys.exit(99)
            for fd in select.select([self.master, self.reports], [], [], min(left, 0.05))[0]:
                if fd == self.master:
                    self.shown += os.read(fd, 4096)
                else:
                    self.said += os.read(fd, 4096)

    def report(self, letter):
        """The first report of this kind that was not taken yet, without its letter."""
        for line in self.said.split(b"\n")[:-1]:
            if line.startswith(letter):
                self.said = self.said.replace(line + b"\n", b"", 1)
                return line[1:]
        return None

    def wait_report(self, letter):
        found = []

        def is_there():
            value = self.report(letter)
            if value is not None:
                found.append(value)
            return bool(found)

        self.wait("report " + letter.decode(), is_there)
        return found[0]

    def echoes(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def expect(self, text):
        def is_shown():
            at = self.shown.find(text, self.seen)
            if at >= 0:
                self.seen = at + len(text)
            return at >= 0

        self.wait("expect " + repr(text), is_shown)

    def do(self, step, job):
        verb, _, rest = step.partition(":")
        text = rest.encode().decode("unicode_escape").encode("latin-1")
        if verb == "expect":
            self.expect(text)
        elif verb == "send":
            os.write(self.master, text)
        elif verb == "kill":
            os.kill(job, getattr(signal, "SIG" + rest))
        elif verb == "stopped":
            self.wait_report(b"s")
        elif verb == "continue":
            os.write(self.orders, b"c")
        elif verb == "echo":
            self.wait(step, lambda: self.echoes() == (rest == "on"))
        else:
            sys.exit("on_terminal.py: no step is called " + verb)

    def drain(self):
        while select.select([self.master], [], [], 0)[0]:
            self.shown += os.read(self.master, 4096)


def main():
    split = sys.argv.index("--")
    terminal = Terminal(sys.argv[split + 1 :])
    job = int(terminal.wait_report(b"p"))
    for step in sys.argv[1:split]:
        terminal.do(step, job)
    code = int(terminal.wait_report(b"e"))
    terminal.drain()
    print(terminal.shown.decode(errors="backslashreplace").replace("\r\n", "\n").rstrip("\n"))
    print("echo on" if terminal.echoes() else "echo off")
    os.write(terminal.orders, b"c")
    sys.exit(code)


main()
