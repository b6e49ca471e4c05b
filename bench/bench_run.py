#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Times `tart run` to the guest's first console byte against a bare QEMU with the same arguments. See bench_run.sh.

usage: bench_run.py TART VM-DIRECTORY NAME ROUNDS
"""
import os
import signal
import socket
import statistics
import subprocess
import sys
import time

tart, bundle, name, rounds = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
console = os.path.join(bundle, "console.log")


def child_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return int(file.read().split()[0])


def peak_kib(pid):
    with open(f"/proc/{pid}/status") as file:
        return int(next(line.split()[1] for line in file if line.startswith("VmHWM:")))


def read_command(pid):
    """The arguments of a QEMU, and the files behind its -add-fd: {number: (path, access mode)}.

    QEMU has closed those numbers by now; tart, its parent, still has the same ones open.
    """
    with open(f"/proc/{child_of(pid)}/cmdline", "rb") as file:
        argv = file.read().decode().split("\0")[:-1]
    fds = {}
    for option, value in zip(argv, argv[1:]):
        if option != "-add-fd":
            continue
        number = value[len("fd="):].split(",")[0]
        with open(f"/proc/{pid}/fdinfo/{number}") as file:
            flags = int(next(line.split()[1] for line in file if line.startswith("flags:")), 8)
        fds[int(number)] = (os.readlink(f"/proc/{pid}/fd/{number}"), flags & os.O_ACCMODE)
    return argv, fds


def run_tart():
    """(milliseconds to the first byte, peak memory of tart, arguments of its QEMU)"""
    if os.path.exists(console):
        os.unlink(console)
    start = time.monotonic()
    process = subprocess.Popen([tart, "run", name, "--no-graphics", "--accel", "tcg"], stdout=subprocess.DEVNULL)
    while not (os.path.exists(console) and os.stat(console).st_size):
        time.sleep(0.0005)
    took = (time.monotonic() - start) * 1000
    command = read_command(process.pid)
    peak = peak_kib(process.pid)
    process.send_signal(signal.SIGTERM)
    process.wait()
    return took, peak, command


def far_end(argv, chardev):
    return next(int(a.rsplit("=", 1)[1]) for a in argv if a.startswith(f"socket,id={chardev},fd="))


def prepare(argv, fds):
    """Descriptors at the numbers the command line names; returns them and our ends of the sockets."""
    wanted, ours = {}, {}
    for chardev in ("qmp", "con", "hvc"):
        near, far = socket.socketpair()
        ours[chardev] = near
        wanted[far_end(argv, chardev)] = os.dup(far.fileno())
    for number, (path, mode) in fds.items():
        wanted[number] = os.open(path, mode)
    memory = next(a for a in argv if a.startswith("memory-backend-file"))
    ram = os.memfd_create("ram")
    os.ftruncate(ram, int(memory.split("size=")[1].split("M")[0]) << 20)
    wanted[int(memory.split("/proc/self/fd/")[1].split(",")[0])] = ram
    return wanted, ours


def run_bare(argv, fds):
    wanted, ours = prepare(argv, fds)
    high = {number: os.dup2(fd, 500 + number, inheritable=False) for number, fd in wanted.items()}
    argv = [a for a in argv if a != "-S"]

    def place():
        for number, fd in high.items():
            os.dup2(fd, number, inheritable=True)

    start = time.monotonic()
    process = subprocess.Popen(argv, preexec_fn=place, close_fds=False, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL)
    ours["con"].settimeout(60)
    assert ours["con"].recv(1)
    took = (time.monotonic() - start) * 1000
    process.kill()
    process.wait()
    for fd in list(wanted.values()) + list(high.values()):
        os.close(fd)
    return took


pairs = []
peaks = []
_, _, (arguments, descriptors) = run_tart()  # also warms the caches
for _ in range(rounds):
    ours_ms, peak_kb, _ = run_tart()
    bare_ms = run_bare(arguments, descriptors)
    peaks.append(peak_kb)
    pairs.append((ours_ms, bare_ms))
    print(f"tart run {ours_ms:7.0f} ms   bare QEMU {bare_ms:7.0f} ms   ratio {ours_ms / bare_ms:.2f}")
print(f"median ratio {statistics.median(a / b for a, b in pairs):.2f}, "
      f"median difference {statistics.median(a - b for a, b in pairs):.0f} ms, "
      f"peak memory of tart {max(peaks) / 1024:.1f} MiB")
