#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills push and pull with SIGKILL at random moments, starts them again until they are through, and counts what had to be
sent twice.

    tests/torture/registry_kill.py [--tart FILE] [--kills 200] [--mib 256] [--seed N] [--concurrency 4] FOLDER

Half of the kills hit pushes, half pulls. After each of them nothing half-made may be visible, and the next attempt may
send again at most what had been in flight, which is one layer per worker, and one more per worker that had arrived but
was not known to be safe. What was pulled at last must be what was pushed.
"""
import argparse
import hashlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LAYER_SLACK = 1 << 20  # a layer of random bytes is a little longer when compressed


class Server:
    """The registry of tests/lib/registry, without faults."""

    def __init__(self, folder):
        self.log = os.path.join(folder, "log")
        self.process = subprocess.Popen(
            [sys.executable, "-B", os.path.join(HERE, "../lib/registry"), "--root", os.path.join(folder, "root"),
             "--log", self.log, "--set", "mount=no"], stdout=subprocess.PIPE, text=True)
        ports = dict(word.split("=", 1) for word in self.process.stdout.readline().split())
        self.address = ports["main"].split("//")[1]
        host, port = ports["control"].split("//")[1].split(":")
        self.control = host, int(port)

    def requests_since(self, position):
        """The blobs' requests that ended since then, and where the log ends now."""
        with socket.create_connection(self.control) as connection:
            connection.sendall(b"sync\n")
            if connection.recv(100) != b"ok\n":
                raise SystemExit("the registry is still serving a client that is dead")
        with open(self.log, encoding="utf-8") as log:
            log.seek(position)
            lines = log.readlines()
            return [json.loads(line) for line in lines], log.tell()

    def stop(self):
        self.process.kill()
        self.process.wait()


class Bench:
    """Runs tart, kills it, and adds up."""

    def __init__(self, args, server):
        self.args, self.server = args, server
        self.random = random.Random(args.seed)
        self.home = os.path.join(args.folder, "home")
        self.position = 0
        self.problems = []

    def start(self, *words):
        environment = dict(os.environ, TART_HOME=self.home, HOME=self.args.folder, TART_RETRY_DELAY="1")
        log = open(os.path.join(self.args.folder, "output"), "wb")
        with log:
            return subprocess.Popen([self.args.tart, *words], env=environment, stdin=subprocess.DEVNULL,
                                    stdout=log, stderr=subprocess.STDOUT)

    def run(self, *words):
        process = self.start(*words)
        if process.wait(timeout=300) != 0:
            self.show_output()
            raise SystemExit("'tart %s' ended with %d" % (" ".join(words), process.returncode))

    def show_output(self):
        with open(os.path.join(self.args.folder, "output"), encoding="utf-8", errors="replace") as log:
            sys.stderr.write(log.read())

    def is_killed(self, seconds, *words):
        """Whether the kill came before its end."""
        process = self.start(*words)
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.wait()
        if process.returncode not in (0, -signal.SIGKILL):
            self.show_output()
            raise SystemExit("'tart %s' ended with %d" % (" ".join(words), process.returncode))
        return process.returncode != 0

    def attempts(self, what, full_seconds, check, *words):
        """Kills attempts until one gets through. Returns what each of them moved: {blob: bytes}."""
        moved = []
        while True:
            # Early moments are as interesting as late ones, of which there are more.
            seconds = full_seconds * self.random.random() ** 2
            killed = what.left > 0 and self.is_killed(seconds, *words)
            if what.left == 0:
                self.run(*words)
            what.left -= killed
            entries, self.position = self.server.requests_since(self.position)
            moved.append(moved_by(entries))
            if not killed:
                return moved
            check()


def moved_by(entries):
    """Bytes of layers by where they went. An upload has the name of its session until it is complete."""
    moved = {}
    for entry in entries:
        path, _, query = entry["path"].partition("?")
        size = entry["bytes"] if entry["method"] == "GET" else entry["request_bytes"]
        if "/blobs/" in path and size > 0:
            name = query.split("digest=")[-1].replace("%3A", ":") if "digest=" in query else path.split("/")[-1]
            moved[name] = moved.get(name, 0) + size
    return moved


class Tally:
    """What was moved again after kills, and the most after a single one."""

    def __init__(self, kills):
        self.left = self.kills = kills
        self.rounds = self.needed = self.moved = self.again = self.most = 0

    def add(self, attempts):
        """Attempts of one round: everything that a later one moved again was lost by the kill."""
        self.rounds += 1
        for number, moved in enumerate(attempts):
            self.moved += sum(moved.values())
            later = set().union(*attempts[number + 1:])
            lost = sum(size for name, size in moved.items() if name in later)
            self.again += lost
            self.most = max(self.most, lost)
        self.needed += sum(sum(moved.values()) for moved in attempts)
        self.needed -= sum(sum(size for name, size in moved.items() if name in set().union(*attempts[number + 1:]))
                           for number, moved in enumerate(attempts))

    def report(self, what, bound):
        print("%s: %d kills in %d rounds; %.1f MiB needed, %.1f MiB moved, %.1f MiB again; after one kill at most "
              "%.1f MiB, allowed %.1f MiB" % (what, self.kills, self.rounds, self.needed / 2**20, self.moved / 2**20,
                                             self.again / 2**20, self.most / 2**20, bound / 2**20))
        return self.most <= bound


def make_vm(bench, mib):
    """A disk of random bytes with holes, for which no layer is like another."""
    bench.run("create", "--linux", "--disk-size", "1", "vm")
    path = os.path.join(bench.home, "vms/vm/disk.img")
    source = random.Random(bench.args.seed)
    with open(path, "r+b") as disk:
        for number in range(mib // 4):
            disk.seek(number * (15 << 18))
            disk.write(source.randbytes(15 << 18))
    return hash_of(path)


def hash_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seconds_of(run, *words):
    begin = time.monotonic()
    run(*words)
    return time.monotonic() - begin


def remove(path):
    subprocess.run(["rm", "-rf", path], check=True)


def torture_push(bench, kills, want):
    tally = Tally(kills)
    disk = os.path.join(bench.home, "vms/vm/disk.img")
    full = seconds_of(bench.run, "push", "--insecure", "vm", bench.server.address + "/push/warm:v1")
    _, bench.position = bench.server.requests_since(bench.position)

    def check():
        if os.listdir(os.path.join(bench.home, "tmp")):
            bench.problems.append("push left temporary files")
        if subprocess.run([bench.args.tart, "list", "--quiet"], env=dict(os.environ, TART_HOME=bench.home),
                          capture_output=True, check=True, text=True).stdout != "vm\n":
            bench.problems.append("push changed what is listed")

    while tally.left > 0:
        name = "%s/push/r%d:v1" % (bench.server.address, tally.rounds)
        tally.add(bench.attempts(tally, full, check, "push", "--insecure", "--concurrency",
                                 str(bench.args.concurrency), "vm", name))
    if hash_of(disk) != want:
        bench.problems.append("push changed the disk")
    return tally, name


def torture_pull(bench, kills, want, name):
    tally = Tally(kills)
    home, bench.home = bench.home, os.path.join(bench.args.folder, "pulled")
    full = seconds_of(bench.run, "pull", "--insecure", name)
    remove(bench.home)
    _, bench.position = bench.server.requests_since(bench.position)
    caches = os.path.join(bench.home, "cache")

    def check():
        for folder, folders, files in os.walk(caches):
            if files or any(word.startswith("sha256:") or os.path.islink(os.path.join(folder, word)) for word in folders):
                bench.problems.append("an unfinished pull is visible in " + folder)

    while tally.left > 0:
        tally.add(bench.attempts(tally, full, check, "pull", "--insecure", "--concurrency",
                                 str(bench.args.concurrency), name))
        found = subprocess.run(["find", caches, "-name", "disk.img"], capture_output=True, check=True, text=True)
        if [hash_of(path) for path in found.stdout.split("\n")[:-1]] != [want]:
            bench.problems.append("what was pulled is not what was pushed")
        remove(bench.home)
    bench.home = home
    return tally


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder")
    parser.add_argument("--tart", default="build/tart")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--mib", type=int, default=256)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--concurrency", type=int, default=4)
    return parser.parse_args()


def main():
    args = parse_args()
    args.tart = os.path.abspath(args.tart)
    args.folder = os.path.abspath(args.folder)
    print("seed %d" % args.seed)
    server = Server(args.folder)
    try:
        bench = Bench(args, server)
        want = make_vm(bench, args.mib)
        pushes, name = torture_push(bench, args.kills // 2, want)
        pulls = torture_pull(bench, args.kills - args.kills // 2, want, name)
    finally:
        server.stop()
    layer = max(os.path.getsize(entry.path) for entry in os.scandir(os.path.join(args.folder, "root/blobs")))
    # In flight, and arrived but not known to be safe: a layer each for every worker. Small blobs come on top.
    bound = 2 * args.concurrency * layer + LAYER_SLACK
    ok = pushes.report("push", bound)
    ok = pulls.report("pull", bound) and ok
    for problem in sorted(set(bench.problems)):
        print("problem: " + problem)
    sys.exit(0 if ok and not bench.problems else 1)


if __name__ == "__main__":
    main()
