#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hosts that are in the way: firewalls, resolvers, networks and links of others. network.md 5.1, 6, 7, 10.5.

    tests/lib/netd_lab.sh tests/net/hostile_host.py [GROUP]
"""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

# pylint: disable=wrong-import-position
from netd_cast import EAR, Cast, Resolver
from netd_check import check, empty, equal, expects, run_groups, skip
from netd_client import Client, Refused
from netd_guest import Guest, marker
from netd_host import (NETD, PATIENCE, STATE, Keeper, command, has_tables, ip, ip_json, nft, sysctl, wait_clean,
                       wait_until)

DOCKER = """
table ip filter {
	chain FORWARD { type filter hook forward priority filter; policy drop; jump DOCKER-USER; oifname "docker0" accept; }
	chain DOCKER-USER { return; }
}
"""
FIREWALLD = """
table inet firewalld {
	chain filter_FORWARD { type filter hook forward priority filter + 10; policy accept;
		ct state { established, related } accept
		ct status dnat accept
		iifname "lo" accept
		reject with icmpx admin-prohibited
	}
}
"""


def filtered(cast, guest, name):
    """The VM's rules and its way out are as they should be."""
    check(f"{name}: the internet is reached", cast.udp_goes(guest, "8.8.8.8", cast.world_ear, True))
    check(f"{name}: a private network is not", not cast.udp_goes(guest, "10.1.2.3", cast.world_ear, False))
    data = marker()
    guest.udp("8.8.8.8", EAR, data, src_mac="52:54:00:66:66:66")
    cast.settle(guest)
    check(f"{name}: what is forged is stopped", not cast.world_ear.find(data))


def foreign_flush():
    """`nft flush ruleset`, as firewalls do when they are loaded anew."""
    with Cast() as cast:
        guest = cast.vm("softnet")
        if cast.status.persistent_tables:
            for _ in range(3):
                command("nft", "flush", "ruleset")
                equal("flush: our tables are not touched", has_tables(), ["arp", "inet"])
                filtered(cast, guest, "flush")
            nft("delete table inet tart\n", check=False)
            equal("flush: nor can they be deleted", has_tables(), ["arp", "inet"])
        else:
            skip("flush: our tables are not touched", "this kernel is older than 6.9")
    empty("flush: nothing is left", cast.left)


def flush_of_plain_tables():
    """Kernels before 6.9: the tables go, and come back."""
    with Cast("--never-persist") as cast:
        guest, nat = cast.vm("softnet"), cast.vm("nat")
        check("plain tables: status says so", not cast.status.persistent_tables)
        for what in ("flush ruleset", "delete table inet tart", "delete table arp tart"):
            command("nft", *what.split())
            wait_until(lambda: has_tables() == ["arp", "inet"], "both tables are back")
            wait_until(lambda guest=guest: ip_json("route", "show", f"{guest.address}/32"), "the route is back")
            wait_until(lambda: neighbour(guest) and neighbour(nat), "the neighbours are back")
            filtered(cast, guest, f"plain tables, {what}")
            check(f"plain tables, {what}: NAT is back", cast.udp_goes(nat, "10.1.2.3", cast.world_ear, True))
        equal("plain tables: DHCP answers", guest.dhcp().address, guest.address)
        guest.client.policy(guest.name, allow="10.1.2.3")
        check("plain tables: a policy can be changed", cast.udp_goes(guest, "10.1.2.3", cast.world_ear, True))
    empty("plain tables: nothing is left", cast.left)


def neighbour(guest):
    return [entry for entry in ip_json("neigh", "show", "nud", "permanent") if entry["dst"] == guest.address]


def firewalls():
    """Another chain's drop cannot be overruled: it is said, with the commands that help."""
    for name, text, word in (("Docker", DOCKER, "DOCKER-USER"), ("firewalld", FIREWALLD, "firewall-cmd")):
        nft(text)
        with Cast() as cast:
            client = Client()
            cast.clients.append(client)
            warning = client.attach().warning + client.status().warnings
            check(f"{name}: there is a warning with its command", word in warning, warning)
            guest = cast.vm("softnet")
            data = marker()
            guest.udp("8.8.8.8", EAR, data)
            cast.settle(guest)
            check(f"{name}: as said, the guest does not get out", not cast.world_ear.find(data))
            if name == "Docker":
                # What its command does.
                nft('insert rule ip filter DOCKER-USER iifname "tart-*" oifname != "docker0" accept\n'
                    'insert rule ip filter DOCKER-USER oifname "tart-*" ct state established,related accept\n')
                filtered(cast, guest, "Docker, after its command")
        empty(f"{name}: nothing is left", cast.left)
        command("nft", "flush", "ruleset")


class Deaf:
    """Has port 53 of all addresses, and says nothing."""

    def __init__(self):
        import socket  # pylint: disable=import-outside-toplevel
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("0.0.0.0", 53))

    def close(self):
        self.sock.close()


def resolvers():
    """Somebody else has port 53."""
    for name, other, expected in (("one that answers", lambda: Resolver("0.0.0.0", where=None), "192.168.64.1"),
                                  ("one that is silent", Deaf, "8.8.8.8")):
        resolver = other()
        keeper = Keeper(conf="")
        with Client() as client:
            guest = Guest(client.attach())
            wait_until(lambda client=client, expected=expected: client.status().dns[0] == expected,
                       f"with {name} at port 53, guests are told of {expected}")
            equal(f"a foreign resolver, {name}: what DHCP says", guest.dhcp().address_of(6), expected)
        empty(f"a foreign resolver, {name}: nothing is left", wait_clean())
        resolver.close()
        keeper.kill()


def colliding_networks():
    """192.168.64.0/24 is somebody else's."""
    ip("link", "add", "other0", "type", "bridge")
    ip("address", "add", "192.168.64.7/24", "dev", "other0")
    ip("link", "set", "other0", "up")
    fresh_host()
    keeper = Keeper(conf="")
    with Client() as client:
        equal("a subnet that is taken: the next one is chosen", client.attach().gateway, "192.168.65.1")
        check("a subnet that is taken: that is said", "192.168.65.0/24" in client.status().warnings + keeper.said())
    empty("a subnet that is taken: nothing is left", wait_clean(subnet="192.168.65.0/24", gateway="192.168.65.1"))
    keeper.kill()
    fresh_host()
    keeper = Keeper(conf="subnet = 192.168.64.0/24\n")
    with Client() as client:
        with expects("a subnet that is set and taken: no VM starts", Refused, code="config") as caught:
            client.attach()
        check("a subnet that is set and taken: by whom", "other0" in caught.error.text, caught.error.text)
    keeper.kill()
    ip("link", "delete", "other0")
    ip("route", "add", "192.168.0.0/16", "via", "10.99.0.1")
    fresh_host()
    keeper = Keeper(conf="")
    with Client() as client:
        equal("a wider route: our subnet wins", client.attach().gateway, "192.168.64.1")
        check("a wider route: a warning", "192.168.0.0/16" in client.status().warnings + keeper.said())
    ip("route", "delete", "192.168.0.0/16")
    empty("a wider route: nothing is left", wait_clean())
    keeper.kill()
    fresh_host()


def fresh_host():
    """As after a reboot."""
    for name in ("tart0",):
        ip("link", "delete", name, check=False)
    for family in has_tables():
        command("nft", "delete", "table", family, "tart", check=False)
    command("rm", "-rf", str(STATE))


def foreign_link():
    """A tart0 that is not ours is left alone."""
    fresh_host()
    ip("link", "add", "tart0", "type", "bridge")
    ip("address", "add", "10.55.0.1/24", "dev", "tart0")
    keeper = Keeper(conf="")
    with Client() as client:
        with expects("a foreign tart0: no VM starts", Refused) as caught:
            client.attach()
        check("a foreign tart0: it is named", "tart0" in caught.error.text, caught.error.text)
    keeper.kill()
    equal("a foreign tart0: it is as it was", [entry["local"] for entry in ip_json("-4", "address", "show", "dev", "tart0")[0][
        "addr_info"]], ["10.55.0.1"])
    empty("a foreign tart0: nothing is left", wait_clean())
    ip("link", "delete", "tart0")
    fresh_host()


def forwarding():
    """net.ipv4.ip_forward is off: it is turned on, or that it cannot be is said."""
    sysctl("net.ipv4.ip_forward", 0)
    keeper = Keeper(conf="")
    with Client() as client:
        client.attach()
        equal("ip_forward was off: it is on", sysctl("net.ipv4.ip_forward"), "1")
        check("ip_forward was off: that is said", "ip_forward" in keeper.said())
        sysctl("net.ipv4.ip_forward", 0)
        client.attach()
        equal("ip_forward is turned off while a VM runs: the next one turns it on", sysctl("net.ipv4.ip_forward"), "1")
    wait_clean()
    keeper.kill()
    fresh_host()
    # A container's read-only /proc/sys: here a file that nobody can write to.
    fixed = pathlib.Path("/run/ip_forward")
    fixed.write_text("0\n", encoding="ascii")
    command("mount", "--bind", str(fixed), "/proc/sys/net/ipv4/ip_forward")
    command("mount", "-o", "remount,bind,ro", "/proc/sys/net/ipv4/ip_forward")
    keeper = Keeper(conf="")
    with Client() as client:
        for mode in ("nat", "softnet"):
            with expects(f"ip_forward cannot be turned on: no {mode} VM starts", Refused) as caught:
                client.attach(mode)
            check(f"ip_forward cannot be turned on: {mode} is told", "forward" in caught.error.text, caught.error.text)
        guest = Guest(client.attach("host"))
        equal("ip_forward cannot be turned on: host-only works", guest.dhcp().address, guest.address)
    empty("ip_forward cannot be turned on: nothing is left", wait_clean())
    keeper.kill()
    command("umount", "/proc/sys/net/ipv4/ip_forward")
    fresh_host()


def two_keepers():
    """There is one."""
    keeper = Keeper(conf="")
    client = Client()
    guest = Guest(client.attach())
    others = [subprocess.Popen([NETD, "--linger", "0"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True) for _ in range(4)]
    said = [other.communicate(timeout=PATIENCE)[0] for other in others]
    check("two keepers: the others end", all(other.returncode is not None for other in others), said)
    equal("two keepers: the first one has its VM", [nic.tap for nic in Client().list()], [guest.name])
    equal("two keepers: and serves it", guest.dhcp().address, guest.address)
    equal("two keepers: status", Client().status().pid, keeper.pid)
    client.close()
    empty("two keepers: nothing is left", wait_clean())
    keeper.kill()
    # All at once, without one before.
    keepers = [Keeper(wait=False) for _ in range(5)]
    results = wait_until(lambda: [keeper for keeper in keepers if keeper.process.poll() is None] if sum(
        keeper.process.poll() is None for keeper in keepers) == 1 else None, "one of five stays")
    equal("five keepers at once: one stays", Client().status().pid, results[0].pid)
    for other in keepers:
        if other is not results[0]:
            Keeper.running.remove(other)
    results[0].wait_ready().kill()


def spoilt_files():
    """What is found in the keeper's folders may be anything."""
    fresh_host()
    (STATE / "vms").mkdir(parents=True)
    for number, text in enumerate((b"", b"{", b"\0" * 5000, b'{"tap": "../../etc/passwd"}', b'{"tap": "eth0", "uid": -1}')):
        (STATE / "vms" / f"tart-0000000{number}.json").write_bytes(text)
    (STATE / "vms" / "something").write_bytes(b"else")
    pathlib.Path("/var/lib/tart/addresses").write_bytes(b"\xff\n52:54:00:00:00:01 1.2.3.4 5\nx y z\n" * 100)
    keeper = Keeper(conf="")
    with Client() as client:
        guest = Guest(client.attach())
        equal("spoilt files: a VM works all the same", guest.dhcp().address, guest.address)
        check("spoilt files: the address is of the pool", guest.address.startswith("192.168.64."))
    wait_until(lambda: Client().status().nics == 0, "the VM is gone")
    keeper.kill()
    fresh_host()


run_groups([foreign_flush, flush_of_plain_tables, firewalls, resolvers, colliding_networks, foreign_link, forwarding,
            two_keepers, spoilt_files], at_end=[Keeper.end_all])
