#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The keeper of a user without privileges, under pasta: a guest's packets reach the world, and do so again after each of the
processes between them was killed. Its VMs, rules and addresses stay.

    tests/lib/netd_lab.sh tests/net/rootless.py [GROUP]
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

# pylint: disable=wrong-import-position
from netd_check import check, equal, note, run_groups, skip
from netd_client import Client, Gone
from netd_guest import Guest, marker
from netd_host import IS_ROOT, NETD, Ear, processes, wait_until

EAR = 7000
HOME = pathlib.Path("/run/alice")


class Rootless:
    """alice's tart-netd --rootless."""

    def __init__(self):
        self.path = HOME / "net"
        self.socket = str(self.path / "netd.sock")
        shutil.rmtree(HOME, ignore_errors=True)
        HOME.mkdir()
        os.chown(HOME, 5001, 5001)
        # Programs lie where only their owner can go; a sanitized one's report goes to what it was started with.
        self.program = pathlib.Path("/run/bin/tart-netd")
        self.program.parent.mkdir(exist_ok=True)
        self.program.unlink(missing_ok=True)
        shutil.copy(NETD, self.program)
        self.log = open(HOME / "log", "ab")
        self.outer = None
        self.start()

    def command(self, *options):
        return subprocess.Popen(["setpriv", "--reuid=alice", "--regid=alice", "--init-groups", str(self.program), "--rootless",
                                 str(self.path), *options], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def start(self):
        self.outer = self.command("--linger", "0")
        wait_until(self.answers, "the rootless keeper answers")
        wait_until(self.forwarder, "there is a forwarder")

    def client(self):
        return Client(path=self.socket, user="alice")

    def answers(self):
        if self.outer.poll() is not None:
            raise RuntimeError(f"tart-netd ended with {self.outer.returncode}: {self.said()}")
        try:
            with self.client() as client:
                return client.status().pid
        except (OSError, Gone):
            return False

    def children(self, word):
        return [pid for pid in processes() if word in arguments(pid)]

    def forwarder(self):
        return next(iter(self.children("--forwarder")), None)

    def keeper(self):
        """The keeper's first process: its helpers are its children."""
        found = [pid for pid in self.children("--dir") if pathlib.Path(arguments(pid)[0]).name == "tart-netd"]
        return next((pid for pid in found if processes()[pid][0] not in found), None)

    def pasta(self):
        found = [pid for pid in processes() if "--config-net" in arguments(pid)]
        return next((pid for pid in found if processes()[pid][0] not in found), None)

    def said(self):
        files = [HOME / "log", self.path / "net" / "keeper.log"]
        return "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files if file.exists())

    def end(self):
        self.outer.kill()
        self.outer.wait()

        def none_is_left():
            left = self.children(str(self.path)) + self.children("--config-net")
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            return not left
        wait_until(none_is_left, "all of it ends")
        self.log.close()


def arguments(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace").split("\0")
    except OSError:
        return [""]


def kill(pid):
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: pid not in processes(), f"process {pid} ends")


def reaches_world(guest, ear):
    """Sends until something arrives: what is lost while there is no way out is lost."""
    sent = []

    def arrived():
        sent.append(marker())
        guest.drain()
        guest.udp("8.8.8.8", EAR, sent[-1])
        return any(ear.find(data) for data in sent)
    wait_until(arrived, "a guest's packet reaches the world")
    return True


def alias_of(keeper, tap):
    with keeper.client() as client:
        return next((nic.forward for nic in client.list() if nic.tap == tap and nic.forward not in (None, "0.0.0.0")), None)


def pasta_dies(keeper, ear):
    client = keeper.client()
    guest = Guest(client.attach("softnet"))
    check("a guest reaches the world", reaches_world(guest, ear))
    first = wait_until(lambda: alias_of(keeper, guest.name), "an alias")
    before = keeper.keeper()
    kill(keeper.pasta())
    check("pasta is killed: the guest reaches the world again", reaches_world(guest, ear))
    equal("pasta is killed: the keeper stays", keeper.keeper(), before)
    with keeper.client() as other:
        equal("pasta is killed: so does the VM", [nic.tap for nic in other.list()], [guest.name])
        guest.udp("10.1.2.3", EAR, b"x")
        wait_until(lambda: other.stats(guest.name)["refused"] > 0, "what Softnet refuses is refused")
    kill(keeper.pasta())
    check("the next pasta is killed: again", reaches_world(guest, ear))
    kill(keeper.forwarder())
    wait_until(lambda: keeper.forwarder() and alias_of(keeper, guest.name), "another forwarder")
    equal("the forwarder is killed: another one has the same address", alias_of(keeper, guest.name), first)
    client.close()


def outer_dies(keeper, ear):
    """With the pasta that made the namespaces, then with one that joined them. Who lives in a connection is let go, comes back
    and starts what is missing, as tart run does."""
    client = keeper.client()
    guest = Guest(client.attach("softnet"))
    check("a guest reaches the world", reaches_world(guest, ear))
    before = keeper.keeper()
    for which in ("tart-netd --rootless is killed", "the next one is killed"):
        keeper.outer.kill()
        keeper.outer.wait()
        check(f"{which}: the VM is let go", is_let_go(client))
        keeper.start()
        client = keeper.client()
        equal(f"{which}: its tart takes it back", client.reattach(guest.name).tap, guest.name)
        check(f"{which}: the guest reaches the world", reaches_world(guest, ear))
        check(f"{which}: it has an address of the loopback", wait_until(lambda: alias_of(keeper, guest.name), "an alias"))
    equal("the keeper has stayed all the time", keeper.keeper(), before)


def ends_alone(keeper, _):
    """A keeper without VMs and without a way out is of no use."""
    client = keeper.client()
    client.attach("nat")
    client.close()
    before = keeper.keeper()
    keeper.outer.kill()
    keeper.outer.wait()
    wait_until(lambda: before not in processes(), "the keeper ends")
    check("tart-netd --rootless is killed while no VM runs: the keeper ends", True)
    keeper.start()
    check("the next one starts another", keeper.keeper() != before)


def is_let_go(client):
    try:
        return client.sock.recv(1) == b""
    except ConnectionResetError:
        return True


def with_keeper(function):
    def group():
        if not IS_ROOT or not shutil.which("pasta"):
            skip(function.__name__, "no pasta here" if IS_ROOT else "needs a host with users")
            return
        keeper, ear = Rootless(), Ear("net", EAR)
        try:
            function(keeper, ear)
        except Exception:
            note(keeper.said())
            raise
        finally:
            keeper.end()
            ear.close()
    group.__name__ = function.__name__
    return group


run_groups([with_keeper(function) for function in (pasta_dies, outer_dies, ends_alone)])
