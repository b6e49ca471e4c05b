#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Callers that mean harm: nonsense, floods, other users. docs/PROTOCOL.netd.md has the limits; network.md 4, 10.5.

    tests/lib/netd_lab.sh tests/net/hostile_callers.py [GROUP]     TART_SEED: of the nonsense

The groups about users need a host with several: they run as root only.
"""
import os
import pathlib
import random
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

# pylint: disable=wrong-import-position
from netd_cast import EAR, Cast
from netd_check import check, empty, equal, expects, note, run_groups, skip
from netd_client import MESSAGE_MAX, SOCKET, Client, Gone, Refused, as_user, encode, head
from netd_guest import Guest, marker
from netd_host import IS_ROOT, LONG, STATE, Keeper, listen_tcp, wait_clean, wait_until

NO_TAP = "tart-00000000"
SAMPLES = {
    "attach": {"mode": "softnet", "mac": "52:54:00:aa:bb:cc", "vm": "sample", "interface": "", "allow": ["10.0.0.0/8", "@host"],
               "block": ["8.8.8.8"], "expose": ["2222:22"]},
    "reattach": {"tap": NO_TAP},
    "list": {"after": "", "has_mac": True, "mac": "52:54:00:aa:bb:cc"},
    "status": {},
    "policy": {"tap": NO_TAP, "allow": ["@host"], "block": None, "expose": ["1:2"]},
    "stats": {"tap": NO_TAP},
    "connect": {"tap": NO_TAP, "port": 22},
    "reload": {},
}


def answer_to(packet):
    """The type of the answer, "gone" without one, and whether the connection is closed then."""
    with Client() as client:
        try:
            client.send(packet)
            answer = client.receive()
        except Gone:
            return "gone", True
        except OSError as error:  # too long for the socket
            return f"errno {error.errno}", True
        kind = f"{answer.type} {answer.code}" if answer.type == "r_error" else answer.type
        answer.close()
        try:
            client.status()
            return kind, False
        except Gone:
            return kind, True


def nonsense():
    """Packets that are no requests: answered INVALID, and the connection ends."""
    seed = int(os.environ.get("TART_SEED") or random.randrange(1 << 32))
    source = random.Random(seed)
    note(f"TART_SEED={seed}")
    keeper = Keeper(conf="")
    refused = ("r_error invalid", True)
    good = encode("status")
    for name, packet in (("one byte", b"x"), ("half a head", good[:6]), ("a byte too many", good + b"\0"),
                         ("another magic", head(4, magic=1)), ("another version", head(4, version=2)),
                         ("an unknown type", head(99)), ("an answer that is none", encode("r_done") + b"x"),
                         ("zeros", bytes(100)), ("as long as may be", good + bytes(MESSAGE_MAX - len(good)))):
        equal(f"nonsense: {name}", answer_to(packet), refused)
    equal("nonsense: longer than may be", answer_to(good + bytes(MESSAGE_MAX))[1], True)
    # What decodes is only refused.
    for name, packet in (("an answer", encode("r_done")), ("an error", encode("r_error", code="invalid", text="no"))):
        equal(f"nonsense: {name}", answer_to(packet), ("r_error invalid", False))
    wrong = []
    for name, fields in SAMPLES.items():
        packet = encode(name, **fields)
        wrong += [f"{name} of {length} bytes: {found}" for length in range(1, len(packet))
                  if (found := answer_to(packet[:length])) != refused]
    empty("nonsense: every request cut at every byte", wrong)
    for name, fields in (
            ("a mode that there is not", {"mode": 9}), ("a VM without a name", {"vm": ""}),
            ("a name with control characters", {"vm": "a\nb"}), ("a name that is not UTF-8", {"vm": b"\xff\xfe"}),
            ("a name that is too long", {"vm": "x" * 256}), ("a MAC address of many", {"mac": "01:00:5e:00:00:01"}),
            ("no MAC address", {"mac": "00:00:00:00:00:00"}), ("an interface that is not bridged", {"interface": "eth0"}),
            ("an interface with a slash", {"mode": "bridged", "interface": "../x", "allow": [], "block": [], "expose": []}),
            ("lists without Softnet", {"mode": "nat"}), ("a port twice", {"expose": ["2222:22", "2222:23"]}),
            ("port 0", {"expose": ["0:22"]}), ("too many ports", {"expose": [f"{port}:22" for port in range(2000, 2257)]}),
            ("too many networks", {"allow": ["10.0.0.1"] * 1025})):
        equal(f"nonsense: {name}", answer_to(encode("attach", **SAMPLES["attach"] | fields)), refused)
    host_bits = encode("attach", **SAMPLES["attach"]).replace(struct.pack("<IB", 0x0A000000, 8),
                                                              struct.pack("<IB", 0x0A000001, 8))
    equal("nonsense: host bits in a network", answer_to(host_bits), refused)
    for name in ("../../../x", "tart0", "lo", "tart-0000000G", "tart-00000000\0"):
        equal(f"nonsense: statistics of {name!r}", answer_to(encode("stats", tap=name)), refused)
    for number in range(20000 if LONG else 2000):
        name = source.choice(list(SAMPLES))
        packet = bytearray(encode(name, **SAMPLES[name]))
        for _ in range(source.randint(1, 4)):
            # Mostly behind the head: what is wrong there is seen first.
            packet[source.randrange(8 if number % 4 and len(packet) > 8 else 0, len(packet))] = source.randrange(256)
        answer_to(bytes(packet))
    check("nonsense: the keeper is there after random changes", Client().status().pid == keeper.pid)
    empty("nonsense: nothing is left", wait_clean())
    keeper.kill()


def wrong_order():
    """Requests that make no sense where they come."""
    keeper = Keeper(conf="")
    for name in ("reattach", "policy", "stats", "connect"):
        with Client() as client, expects(f"order: {name} of no VM", Refused, code="missing"):
            client.ask(name, **SAMPLES[name])
    with Client() as client:
        with expects("order: an alias without forwarding", Refused):
            client.ask("alias", tap=NO_TAP, alias="127.64.0.2")
        check("order: the connection goes on", client.status().pid == keeper.pid)
        for _ in range(4):
            client.attach()
        with expects("order: a fifth NIC", Refused, code="limit"):
            client.attach()
        equal("order: the four are there", len(client.list()), 4)
        with Client() as other, expects("order: the same MAC address", Refused, code="mac-in-use"):
            other.attach(mac=client.attached[0].mac)
        with Client() as other, expects("order: an interface that there is not", Refused, code="missing"):
            other.attach("bridged", interface="nosuch0")
    empty("order: nothing is left", wait_clean())
    keeper.kill()


def descriptors():
    """Those that callers send are closed; those of callers that go, too."""
    keeper = Keeper(conf="")

    def held():
        return len(os.listdir(f"/proc/{keeper.pid}/fd"))

    with Client() as client:
        client.attach()
    wait_clean()
    before = held()
    for _ in range(20):
        with Client() as client:
            client.send(encode("status"), fds=[0, 1, 2])
            answer = client.receive()
            if (answer.type, answer.get("code")) != ("r_error", "invalid"):
                check("descriptors are refused", False, answer)
    wait_until(lambda: held() == before, "the keeper lets go of connections")
    check("descriptors that a caller sends are refused, and not kept", True)
    clients = [Client() for _ in range(50)]
    for client in clients:
        client.status()
    for client in clients:
        client.close()
    wait_until(lambda: held() == before, "the keeper lets go of connections")
    check("descriptors of callers that are gone are closed", True)
    keeper.kill()


def floods():
    """Who asks and asks, and does not listen, holds up himself."""
    with Cast(conf="") as cast:
        guest = cast.vm("nat")
        deaf = Client()
        deaf.sock.setblocking(False)
        sent = 0
        try:
            while sent < 20000:
                deaf.send(encode("list", after="", has_mac=False, mac=None))
                sent += 1
        except BlockingIOError:
            pass
        with Client() as other:
            for _ in range(20):
                other.status()
        check("floods: others are answered while one does not listen", sent > 0)
        equal("floods: a guest gets its address meanwhile", guest.dhcp().address, guest.address)
        deaf.close()
        with Client() as busy:
            for _ in range(3000 if LONG else 600):
                busy.send(encode("status"))
                busy.receive()
            check("floods: a busy one gets all of its answers, in time", busy.status().nics == 1)
        for _ in range(500):
            Client().close()
        check("floods: connections that say nothing", cast.keeper.process.poll() is None)
        data = marker()
        guest.udp("8.8.8.8", EAR, data)
        cast.world_ear.wait(data)
        check("floods: the VM goes on", True)
    empty("floods: nothing is left", cast.left)


def ports():
    """network.md 2.2: what may be exposed."""
    service, keeper = listen_tcp(None, 2500), Keeper(conf="expose-ports = 2000-3000\n")
    one, two = Client(), Client()
    guest = Guest(one.attach("softnet", expose="2222:22,2223:23"))
    for name, expose, code in (("a port of a program of the host", "2500:22", "port-in-use"),
                               ("a port of another VM", "2222:22", "port-in-use"),
                               ("one of several is taken", "2224:22,2223:22", "port-in-use"),
                               ("a port that is not to be exposed", "80:80", "denied" if not IS_ROOT else None),
                               ("a port beyond those", "3001:80", "denied" if not IS_ROOT else None)):
        with Client() as client:
            if code is None:  # root is not asked
                continue
            with expects(f"ports: {name}", Refused, code=code):
                client.attach("softnet", expose=expose)
    two_guest = Guest(two.attach("softnet"))
    with expects("ports: of another VM, by a change", Refused, code="port-in-use"):
        two.policy(two_guest.name, expose="2222:22")
    equal("ports: what failed has changed nothing", two.policy(two_guest.name).expose, [])
    two.policy(two_guest.name, expose="2224:22")
    one.policy(one.attached[0].tap, expose="2223:23")
    two.policy(two_guest.name, expose="2222:22,2224:22")
    check("ports: what one gives up another may have", True)
    two.close()
    wait_until(lambda: Client().status().nics == 1, "the VM is gone")
    with Client() as client:
        client.attach("softnet", expose="2222:22,2224:22")
        check("ports: what a VM had is free when it has ended", True)
    one.close()
    service.close()
    empty("ports: nothing is left", wait_clean())
    check("ports: guest was there", guest.address.startswith("192.168."))
    keeper.kill()


# --- users -------------------------------------------------------------------------------------------------------------

def strangers():
    """Who is not of the group may not even connect."""
    keeper = Keeper(conf="")
    with expects("strangers: a user who is not of the group", PermissionError):
        Client(user=7777)
    with Client(user="alice") as alice:
        check("strangers: one of the group may", alice.status().pid == keeper.pid)
    for path in (STATE / "vms", STATE):
        with expects(f"strangers: {path} is not for users", PermissionError):
            as_user("alice", lambda path=path: list(path.iterdir()))
    keeper.kill()
    keeper = Keeper(conf="users = bob\n")
    with Client(user="bob") as bob:
        check("users = bob: bob may", bob.status().pid == keeper.pid)
    try:
        with Client(user="alice") as alice:
            alice.status()
        check("users = bob: alice may not", False)
    except (PermissionError, Gone, Refused):
        check("users = bob: alice may not", True)
    keeper.kill()
    equal("strangers: the socket's folder", oct(os.stat(os.path.dirname(SOCKET)).st_mode & 0o022), "0o0")


def two_users():
    """They do not see, change or take what is the other's."""
    with Cast(conf="expose-ports = 2000-3000\n") as cast:
        alices = cast.vm("softnet", user="alice", expose="2222:22")
        bob = Client(user="bob")
        cast.clients.append(bob)
        equal("two users: alice sees hers", [nic.tap for nic in alices.client.list()], [alices.name])
        equal("two users: bob sees none", bob.list(), [])
        equal("two users: nor by its MAC address", bob.list(mac=alices.mac), [])
        equal("two users: root sees it", [nic.tap for nic in Client().list()], [alices.name])
        for name, ask in (("policy", lambda: bob.policy(alices.name, allow="0.0.0.0/0")),
                          ("what the policy is", lambda: bob.policy(alices.name)),
                          ("statistics", lambda: bob.stats(alices.name)),
                          ("a connection to it", lambda: bob.connect(alices.name, 22)),
                          ("its NIC", lambda: bob.reattach(alices.name))):
            with expects(f"two users: bob does not get {name}", Refused, code="missing"):
                ask()
        with expects("two users: bob does not get its MAC address", Refused, code="mac-in-use") as caught:
            bob.attach(mac=alices.mac)
        silent(caught.error, alices, "MAC address")
        with expects("two users: bob does not get its port", Refused, code="port-in-use") as caught:
            bob.attach("softnet", expose="2222:22")
        silent(caught.error, alices, "port")
        with expects("two users: a port below expose-ports", Refused, code="denied"):
            bob.attach("softnet", expose="80:80")
        with expects("two users: an interface that is not in allow-bridged", Refused, code="denied"):
            bob.attach("bridged", interface="uplink")
        bobs = Guest(bob.attach())
        bobs.mode = "nat"
        check("two users: bob's VM does not reach alice's", not cast.reaches_guest(
            lambda data: bobs.udp(alices.address, EAR, data), alices, bobs))
        # When the keeper dies, who is whose must not be lost.
        cast.keeper.kill()
        cast.keeper = Keeper()
        thief = Client(user="bob")
        with expects("two users: nor by the next keeper", Refused, code="missing"):
            thief.reattach(alices.name)
        back = Client(user="alice")
        equal("two users: alice gets it", back.reattach(alices.name).address, alices.address)
        thief.reattach(bobs.name)
        back.close()
        thief.close()
    empty("two users: nothing is left", cast.left)


def silent(error, guest, what):
    """An error tells nothing of other people's VMs."""
    words = [guest.name, "alice", "5001", "softnet1", guest.address]
    check(f"two users: the refusal of a {what} does not say whose it is", not any(word in error.text for word in words),
          error.text)


def fair_shares():
    """One user who takes all he can get leaves something."""
    keeper = Keeper(conf="subnet = 192.168.64.0/27\n")
    where = {"subnet": "192.168.64.0/27"}
    bobs_first = Client(user="bob")
    bobs_first.attach()
    clients, refused = [], None
    while refused is None:
        clients.append(Client(user="alice"))
        try:
            clients[-1].attach()
        except Refused as error:
            refused = error
    equal("shares: alice is told", refused.code, "limit")
    check("shares: alice has most of 29", 14 <= len(clients) - 1 < 28, len(clients) - 1)
    mine = []
    for _ in range(4):
        mine.append(Client(user="bob"))
        mine[-1].attach()
    check("shares: bob gets his", True)
    with Client() as root:
        root.attach()
        check("shares: root gets one", True)
    for client in [*clients, *mine, bobs_first]:
        client.close()
    empty("shares: nothing is left", wait_clean(**where))

    idle = []
    try:
        while len(idle) < 70:
            idle.append(Client(user="alice"))
            idle[-1].status()
        check("shares: connections without a VM have a limit", False)
    except (Gone, OSError):
        equal("shares: connections of one user without a VM", len(idle) - 1, 64)
    with Client(user="bob") as bob:
        check("shares: bob is answered", bob.status().pid == keeper.pid)
    with Client() as root:
        check("shares: root is answered", root.status().pid == keeper.pid)
    for client in idle:
        client.close()
    busy = Client(user="alice")
    for _ in range(1500):
        busy.sock.setblocking(False)
        try:
            busy.send(encode("list", after="", has_mac=False, mac=None))
        except BlockingIOError:
            break
    with Client(user="bob") as bob:
        for _ in range(50):
            bob.status()
    check("shares: bob is answered while alice asks without end", True)
    busy.close()
    keeper.kill()


groups = [nonsense, wrong_order, descriptors, floods, ports]
users = [strangers, two_users, fair_shares]
if IS_ROOT:
    groups += users
else:
    for group in users:
        skip(group.__name__, "needs a host with several users: root")
run_groups(groups, at_end=[Keeper.end_all])
