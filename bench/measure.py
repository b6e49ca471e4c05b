#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command and writes what it took to a file: seconds, seconds of CPU (user and system), peak memory in KiB.

    bench/measure.py FILE COMMAND...
"""
import os
import resource
import subprocess
import sys
import time


def peak_kib(pid):
    """Of the program itself: what wait() tells counts what this one had before it became that one."""
    try:
        with open("/proc/%d/status" % pid, encoding="ascii", errors="replace") as status:
            return next((int(line.split()[1]) for line in status if line.startswith("VmHWM:")), 0)
    except OSError:
        return 0


def main():
    begin = time.monotonic()
    process = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL)
    own = os.readlink("/proc/self/exe")
    peak = 0
    while process.poll() is None:
        try:
            if os.readlink("/proc/%d/exe" % process.pid) != own:
                peak = max(peak, peak_kib(process.pid))
        except OSError:
            pass
        time.sleep(0.005)
    seconds = time.monotonic() - begin
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(sys.argv[1], "w", encoding="ascii") as file:
        file.write("%.4f %.4f %d\n" % (seconds, usage.ru_utime + usage.ru_stime, peak))
    sys.exit(process.returncode)


if __name__ == "__main__":
    main()
