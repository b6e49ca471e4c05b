#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at every step of a VM's life, and at random: whatever dies, nothing is left, and the next run works. network.md 4.1,
7, 10.4.

    tests/lib/netd_lab.sh tests/net/kills.py [GROUP]      TART_SEED: of the random kills; TART_TEST_LONG=1: every system call

strace stops or kills the keeper before its n-th system call of a kind, for n = 1, 2, … until the operation gets through.
"""
import json
import os
import pathlib
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

# pylint: disable=wrong-import-position
from netd_cast import EAR
from netd_check import check, empty, equal, note, run_groups, skip
from netd_client import Client, Gone, Refused, encode, random_mac
from netd_guest import Guest, marker
from netd_host import (LONG, NETD, Ear, Keeper, descendants, leftovers, named_for_vms, processes,
                       wait_clean, wait_until)

# What changes something, here or elsewhere; when there is time, also what only looks.
CALLS = ["sendto", "sendmsg", "ioctl", "write", "rename", "renameat", "unlink", "unlinkat", "mkdirat", "bind"]
if LONG:
    CALLS += ["openat", "close", "socket", "setsockopt", "recvfrom", "recvmsg", "read", "fsync", "fstat"]
WISH = {"mode": "softnet", "allow": "10.99.0.0/24,@host,0.0.0.0/0", "block": "10.99.0.2", "expose": "2222:22"}


def strays(keeper=None):
    """Processes of a keeper's family that should be gone."""
    family = [keeper.pid, *descendants(keeper.pid)] if keeper else []
    return [f"{name} {pid}" for pid, (_, name) in processes().items() if name in ("tart-netd", "dnsmasq") and pid not in family]


class Strace:
    """Sends a signal to a running keeper before its n-th system call of a name."""

    def __init__(self, pid, what, call, number):
        self.log = pathlib.Path("/run/strace.log")
        self.process = subprocess.Popen(["strace", "-o", self.log, "-p", str(pid), "-e", f"trace={call}", "-e",
                                         f"inject={call}:signal={what}:when={number}"], stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        if "attached" not in line:
            raise RuntimeError(f"strace: {line}")

    def end(self):
        """What it saw last."""
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()
        self.process.stderr.close()
        return last_call(self.log)


def last_call(log):
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if "(" in line]
    return re.sub(r"\s+", " ", lines[-1])[:110] if lines else "nothing"


def next_keeper_cleans(name):
    """After a keeper was killed, and no VM is held: the next one finds nothing that it does not take away, and works."""
    keeper = Keeper()
    left = wait_clean()
    check(name, not left, "\n".join(left))
    return keeper


def works(ear):
    """A VM's whole life."""
    with Client() as client:
        guest = Guest(client.attach())
        data = marker()
        guest.udp("8.8.8.8", EAR, data)
        ear.wait(data)
        return guest.dhcp().address == guest.address


def wait_dead_or(keeper, condition):
    wait_until(lambda: keeper.process.poll() is not None or condition(), "the keeper dies, or gets through")


def each_step(operation, prepare, run, through):
    """Kills the keeper before the first, second, … system call of each name that run() makes it do, until through() holds
    before it dies."""
    ear, keeper, steps = Ear("net", EAR), Keeper(), 0
    check(f"{operation}: a run works", works(ear))
    empty(f"{operation}: nothing is there before", wait_clean())
    fresh = named_for_vms()
    for call in CALLS:
        number = 0
        died = True
        while died:
            number += 1
            state = prepare()
            strace = Strace(keeper.pid, "SIGKILL", call, number)
            run(state)
            wait_dead_or(keeper, lambda state=state: through(state))
            step = strace.end()
            died = keeper.process.poll() is not None
            finish(state)
            if died:
                steps += 1
                keeper.wait()
                wait_until(lambda: not strays(), "the children of a killed keeper end")
                keeper = next_keeper_cleans(f"{operation}: killed before {call} {number}: {step}")
            else:
                left = wait_clean()
                check(f"{operation}: gets through before {call} {number}", not left, "\n".join(left))
    check(f"{operation}: there were steps to kill it at", steps > 3)
    empty(f"{operation}: no chain, set or map is left", named_for_vms() - fresh)
    check(f"{operation}: the next run works", works(ear))
    note(f"{operation}: {steps} steps")
    ear.close()
    keeper.kill()


def finish(state):
    for client in state.values():
        if isinstance(client, Client):
            client.close()


def receive_attached(client):
    """Whether an answer with descriptors has come."""
    if not select.select([client.sock], [], [], 0)[0]:
        return False
    try:
        answer = client.receive()
    except Gone:
        return False
    if answer.type != "r_attached":
        raise Refused(answer.code, answer.text)
    client.attached.append(answer)
    return True


def send_attach(state):
    state["client"].send(encode("attach", mac=random_mac(), vm="v", interface="",
                                **{key: value if key == "mode" else value.split(",") for key, value in WISH.items()}))


def keeper_while_attaching():
    each_step("attach", lambda: {"client": Client()}, send_attach, lambda state: receive_attached(state["client"]))


def attached_client():
    client = Client()
    client.attach(**WISH)
    return {"client": client}


def keeper_while_detaching():
    each_step("detach", attached_client, finish, lambda state: not leftovers())


def keeper_while_changing():
    def change(state):
        client = state["client"]
        client.send(encode("policy", tap=client.attached[0].tap, allow=["8.8.8.8/32"], block=["0.0.0.0/0"],
                           expose=["2223:22", "2224:23"]))

    def answered(state):
        return bool(select.select([state["client"].sock], [], [], 0)[0])

    each_step("policy", attached_client, change, answered)


def keeper_while_starting():
    """With one VM that lives and one that died without a keeper: neither may be lost, nor remain."""
    ear, keeper, steps = Ear("net", EAR), Keeper(), 0
    for call in CALLS:
        # There are many, much alike; which of them are tried differs from run to run.
        stride = 1 if LONG or call != "sendto" else 9
        number, died = random.randrange(stride) + 1, True
        while died:
            alive, dead = Client(), Client()
            guest = Guest(alive.attach(**WISH))
            dead.attach(**WISH | {"expose": "2223:22"})
            keeper.kill()
            dead.close()
            died, step = start_and_die(call, number)
            keeper = Keeper()
            name = f"start: killed before {call} {number}: {step}" if died else f"start: gets through before {call} {number}"
            found = [nic.tap for nic in Client().list()]
            equal(f"{name}: the next one has the VM that lives, only", found, [guest.name])
            data = marker()
            guest.udp("8.8.8.8", EAR, data)
            ear.wait(data)
            alive.close()
            left = wait_clean()
            check(f"{name}: nothing is left", not left, "\n".join(left))
            number += stride
            steps += died
    check("start: there were steps to kill it at", steps > 5)
    check("start: the next run works", works(ear))
    ear.close()
    keeper.kill()


def start_and_die(call, number):
    """Whether a keeper that starts dies before that call, and what it was."""
    log = pathlib.Path("/run/strace.log")
    process = subprocess.Popen(["strace", "-D", "-o", log, "-e", f"trace={call}", "-e",
                                f"inject={call}:signal=SIGKILL:when={number}", NETD, "--linger", "0"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: process.poll() is not None or answers(), "the keeper dies, or answers")
    died = process.poll() is not None
    process.kill()
    process.wait()
    wait_until(lambda: not strays(), "the children of a killed keeper end")
    return died, last_call(log)


def answers():
    try:
        with Client() as client:
            return client.status().pid > 0
    except (OSError, Gone):
        return False


def client_while_attaching():
    """Halts the keeper before each step, lets the client die, and goes on."""
    ear, keeper, steps = Ear("net", EAR), Keeper(), 0
    check("client: a run works", works(ear))
    empty("client: nothing is there before", wait_clean())
    fresh = named_for_vms()
    for call in CALLS:
        number, halted = 0, True
        while halted:
            number += 1
            state = {"client": Client()}
            strace = Strace(keeper.pid, "SIGSTOP", call, number)
            send_attach(state)
            wait_until(lambda: is_halted(strace) or receive_attached(state["client"]), "the keeper halts, or gets through")
            halted = is_halted(strace)
            finish(state)
            # Killed, strace leaves the keeper to us; asked to end, it would wait for it.
            strace.process.kill()
            step = strace.end()
            keeper.go_on()
            left = wait_clean()
            check(f"client: dies before the keeper's {call} {number}: {step}" if halted else
                  f"client: gets through before {call} {number}", not left, "\n".join(left))
            steps += halted
    check("client: there were steps to kill it at", steps > 3)
    empty("client: no chain, set or map is left", named_for_vms() - fresh)
    check("client: the keeper is the same", keeper.process.poll() is None)
    check("client: the next run works", works(ear))
    ear.close()
    keeper.kill()


def is_halted(strace):
    return "stopped by SIGSTOP" in strace.log.read_text(encoding="utf-8", errors="replace")


# --- the keeper's children ---------------------------------------------------------------------------------------------

def family(keeper):
    """By role: whom the keeper has started."""
    roles = {"dnsmasq": "dnsmasq", "tart-netd-start": "starter", "tart-netd-open": "opener", "tart-netd-dhcp": "dhcp"}
    found, all_of_them = {}, processes()
    for pid in descendants(keeper.pid):
        _, name = all_of_them.get(pid, (0, ""))
        if name in roles:
            found[roles[name]] = pid
    return found


def children():
    """A keeper that has lost a child gets another; one that has lost the opener or the starter says so and goes on."""
    keeper, ear = Keeper(), Ear("net", EAR)
    client = Client()
    guest = Guest(client.attach())
    check("children: DHCP answers", guest.dhcp().address == guest.address)
    for _ in range(3):
        before = family(keeper)["dhcp"]
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: family(keeper).get("dhcp", before) != before, "another DHCP child")
        check("children: DHCP answers after its child was killed", guest.dhcp().address == guest.address)
    if "dnsmasq" in family(keeper):
        before = family(keeper)["dnsmasq"]
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: family(keeper).get("dnsmasq", before) != before, "another dnsmasq")
        wait_until(lambda: client.status().dns_running, "DNS again")
        check("children: another dnsmasq after the first was killed", True)
    else:
        skip("children: another dnsmasq after the first was killed", "no dnsmasq here")
    os.kill(family(keeper)["opener"], signal.SIGKILL)
    wait_until(lambda: "opener" not in family(keeper), "the opener's end")
    check("children: without the opener the VM goes on", guest.dhcp().address == guest.address)
    os.kill(family(keeper)["starter"], signal.SIGKILL)
    wait_until(lambda: keeper.process.poll() is not None or "starter" not in family(keeper), "the starter's end")
    data = marker()
    guest.udp("8.8.8.8", EAR, data)
    ear.wait(data)
    check("children: without the starter the VM goes on", True)
    if keeper.process.poll() is None:
        keeper.kill()
    wait_until(lambda: not strays(), "the rest of the family ends")
    keeper = Keeper()
    with Client() as again:
        again.reattach(guest.name)
        check("children: with the next keeper DHCP answers", guest.dhcp().address == guest.address)
    client.close()
    empty("children: nothing is left", wait_clean())
    ear.close()
    keeper.kill()


# --- at random ---------------------------------------------------------------------------------------------------------

def stand_in():
    """What `tart run` does, with a child that holds what QEMU would: says "up TAP" and answers lines: "dhcp", "end"."""
    client = connect_again()
    wish = json.loads(sys.argv[2])
    while True:
        try:
            answer = client.attach(**wish)
            break
        except Gone:  # the keeper has died of the same accident: nothing is lost yet
            client.close()
            client = connect_again()
    guest = Guest(answer)
    if os.fork() == 0:
        signal.pause()
    print("up", guest.name, flush=True)
    holders = [client]
    while True:
        ready = select.select([0, holders[-1].sock], [], [])[0]
        if holders[-1].sock in ready:
            again = connect_again()
            try:
                again.reattach(guest.name)
                holders.append(again)
                print("back", flush=True)
            except (Gone, Refused) as error:
                if isinstance(error, Refused):
                    print("lost", error, flush=True)
                    os._exit(1)
                again.close()
        if 0 in ready:
            word = sys.stdin.readline().strip()
            if word != "dhcp":
                os.killpg(0, signal.SIGKILL)
            print(guest.dhcp().address == guest.address, flush=True)


def connect_again():
    return wait_until(connected, "a keeper")


def connected():
    try:
        return Client()
    except OSError:
        return None


class StandIn:
    """A `tart run` with its QEMU: a process group."""

    def __init__(self, wish):
        self.process = subprocess.Popen([sys.executable, __file__, "--vm", json.dumps(wish)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, start_new_session=True)

    def members(self):
        return [self.process.pid, *descendants(self.process.pid)]

    def end(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def at_random():
    """Lives of three VMs each, in which something is killed at some moment."""
    seed = int(os.environ.get("TART_SEED") or random.randrange(1 << 32))
    source = random.Random(seed)
    note(f"TART_SEED={seed}")
    ear, keeper = Ear("net", EAR), Keeper()
    check("random kills: a run works", works(ear))
    fresh = named_for_vms()
    wishes = [{"mode": "nat"}, WISH, {"mode": "host"}]
    for life in range(400 if LONG else 50):
        standing = [StandIn({**wish, "mac": random_mac(source)}) for wish in source.sample(wishes, source.randint(1, 3))]
        killed = []
        for _ in range(source.randint(1, 3)):
            time.sleep(source.random() ** 2 * 0.15)  # a moment, not a wait
            killed.append(kill_somebody(source, keeper, standing))
            if keeper.process.poll() is not None:
                keeper.wait()
                keeper = Keeper()
        name = f"life {life + 1} of seed {seed}: {', '.join(killed)}"
        for one in standing:
            one.end()
        left = wait_clean()
        wait_until(lambda: not strays(keeper), "no other keeper's child is there")
        check(name, not left and Client().status().nics == 0, "\n".join(left))
    empty("random kills: no chain, set or map is left", named_for_vms() - fresh)
    check("random kills: the next run works", works(ear))
    ear.close()
    keeper.kill()
    wait_until(lambda: not strays(), "no process is left")
    check("random kills: no process is left", not strays())


def kill_somebody(source, keeper, standing):
    """One process; what it was."""
    which = source.choice(["keeper", "dhcp", "dnsmasq", "run", "qemu", "all of a VM"])
    if which == "keeper":
        pid = keeper.pid
    elif which in ("dhcp", "dnsmasq"):
        pid = family(keeper).get(which)
    else:
        one = source.choice(standing)
        if which == "all of a VM":
            one.end()
            return which
        pids = one.members()
        pid = pids[0] if which == "run" else pids[-1]
    if pid is None:
        return f"no {which}"
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return f"no {which}"
    if which == "keeper":
        keeper.process.wait()
    return which


def survivors():
    """VMs whose keeper dies again and again, and who come back to each next one."""
    keeper = Keeper()
    standing = [StandIn({"mode": "nat"}), StandIn(WISH)]
    names = sorted(one.process.stdout.readline().split()[1] for one in standing)
    for number in range(5):
        keeper.kill()
        keeper = Keeper()
        equal(f"survivors: both come back to keeper {number + 2}", [one.process.stdout.readline() for one in standing],
              ["back\n"] * 2)
        equal(f"survivors: keeper {number + 2} has both", sorted(nic.tap for nic in Client().list()), names)
        for one in standing:
            one.process.stdin.write("dhcp\n")
            one.process.stdin.flush()
            check(f"survivors: keeper {number + 2} answers DHCP", one.process.stdout.readline() == "True\n")
    for one in standing:
        one.end()
    empty("survivors: nothing is left", wait_clean())
    keeper.kill()


if sys.argv[1:2] == ["--vm"]:
    stand_in()
steps = [keeper_while_attaching, keeper_while_detaching, keeper_while_changing, keeper_while_starting, client_while_attaching]
if not shutil.which("strace"):
    for group in steps:
        skip(group.__name__, "needs strace")
    steps = []
run_groups([*steps, children, at_random, survivors], at_end=[Keeper.end_all])
