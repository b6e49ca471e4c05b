#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Plays `tart run` for tests of `tart stop`: holds the record lock, writes down each signal, ends at one of them.

usage: signalled_vm.py CONFIG LOG SIGNAL      SIGNAL: INT, TERM, or KILL (none of the others ends it)
"""
import fcntl
import os
import signal
import sys

config, log, last = sys.argv[1:]


def note(text):
    fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(fd, (text + "\n").encode())
    os.close(fd)


def on_signal(number, _frame):
    name = signal.Signals(number).name[3:]
    note(name)
    if name == last:
        os._exit(0)


for name in ("INT", "TERM", "USR2"):
    signal.signal(getattr(signal, "SIG" + name), on_signal)
fd = os.open(config, os.O_RDWR)
fcntl.lockf(fd, fcntl.LOCK_EX)
note("locked")
while True:
    signal.pause()
