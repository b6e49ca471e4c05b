#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What Softnet's lists say, as the kernel does it: network.md 2.1, 10.2. The lists of VMs that start, the same lists given to
one that runs, and random lists, probed at every edge and compared with a plain longest-prefix match.

    tests/lib/netd_lab.sh tests/net/lists.py [GROUP]         TART_SEED: of the random lists
"""
import ipaddress
import os
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

# pylint: disable=wrong-import-position
from netd_cast import DNS_ANSWER, EAR, Cast, Resolver, dns_query
from netd_check import check, empty, equal, expects, note, run_groups, skip
from netd_client import Refused
from netd_guest import marker
from netd_host import HOST_LAN, LONG, WORLD_LAN, Keeper, ip

# allow, block: gateway, DNS there, the host in its LAN, the LAN, the internet. The host to the VM: always.
COMBINATIONS = {
    ("", ""): (0, 1, 0, 0, 1),
    ("10.99.0.0/24", ""): (0, 1, 1, 1, 1),
    ("10.99.0.1", ""): (0, 1, 0, 1, 1),
    ("@host", ""): (1, 1, 0, 0, 1),
    ("0.0.0.0/0", ""): (1, 1, 1, 1, 1),
    ("", "0.0.0.0/0"): (0, 0, 0, 0, 0),
    ("", "8.0.0.0/8"): (0, 1, 0, 0, 0),
    ("", "@host"): (0, 0, 0, 0, 1),
    ("0.0.0.0/0", "10.99.0.0/24"): (1, 1, 0, 0, 1),
    ("8.8.8.8", "0.0.0.0/0"): (0, 0, 0, 0, 1),
    ("10.99.0.0/24", "10.99.0.0/24"): (0, 1, 0, 0, 1),
    ("10.99.0.0/24,@host", "10.99.0.2,8.8.8.8/32"): (1, 1, 0, 1, 0),
    ("192.168.64.0/24", "@host"): (0, 0, 0, 0, 1),
}
NONGLOBAL = [ipaddress.ip_network(text) for text in (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/29",
    "192.0.0.8/32", "192.0.0.11/32", "192.0.0.12/30", "192.0.0.16/28", "192.0.0.32/27", "192.0.0.64/26", "192.0.0.128/25",
    "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3")]


def row(cast, guest, allow, block, how):
    """The checks of one combination."""
    gateway, names, host_lan, lan, internet = COMBINATIONS[allow, block]
    title = f"{how} allow={allow or '-'} block={block or '-'}"

    def reaches(what, address, ear, expected):
        guest.forget()
        came = cast.udp_goes(guest, address, ear, expected) + 2 * cast.tcp_goes(guest, address, expected)
        equal(f"{title}: {'reaches' if expected else 'does not reach'} {what}", came, 3 if expected else 0)

    reaches("the gateway", cast.gateway, cast.host_ear, gateway)
    if cast.status.dns_running:
        guest.forget()
        guest.udp(cast.gateway, 53, dns_query("a.example"))
        if names:
            guest.wait(lambda frame: frame.sport == 53 and frame.payload.endswith(DNS_ANSWER), "a DNS answer")
        cast.settle(guest)
        equal(f"{title}: DNS {'answers' if names else 'is closed'}", bool(guest.find(lambda frame: frame.sport == 53)), bool(names))
    else:
        skip(f"{title}: DNS", "no dnsmasq here")
    reaches("the host in its LAN", HOST_LAN, cast.host_ear, host_lan)
    reaches("the LAN", WORLD_LAN, cast.world_ear, lan)
    reaches("the internet", "8.8.8.8", cast.world_ear, internet)
    check(f"{title}: the host reaches it, and is answered", cast.host_goes(guest))


def at_start():
    """Each combination, from the start of a VM."""
    with Cast() as cast:
        cast.closing.append(Resolver())
        for allow, block in COMBINATIONS:
            row(cast, cast.vm("softnet", allow=allow, block=block), allow, block, "start:")
    empty("start: nothing is left", cast.left)


def while_running():
    """The same, changed under one VM that runs."""
    with Cast() as cast:
        cast.closing.append(Resolver())
        guest = cast.vm("softnet")
        for allow, block in COMBINATIONS:
            answer = guest.client.policy(guest.name, allow=allow, block=block)
            equal(f"policy: answers allow={allow} block={block}", (len(answer.allow), len(answer.block)),
                  (len([word for word in allow.split(",") if word]), len([word for word in block.split(",") if word])))
            row(cast, guest, allow, block, "policy:")
        half(cast, guest)
        open_flows(cast, guest)
    empty("policy: nothing is left", cast.left)


def half(cast, guest):
    """Lists that a request leaves out stay."""
    guest.client.policy(guest.name, allow="10.99.0.0/24", block="8.8.8.8")
    answer = guest.client.policy(guest.name, allow="@host")
    equal("policy: what is not set stays", (answer.allow, answer.block), (["@host"], ["8.8.8.8/32"]))
    answer = guest.client.policy(guest.name)
    equal("policy: a request that sets nothing tells", (answer.allow, answer.block), (["@host"], ["8.8.8.8/32"]))
    nat = cast.vm("nat")
    with expects("policy: only for Softnet", Refused, code="invalid"):
        nat.client.policy(nat.name, allow="@host")


def open_flows(cast, guest):
    """What is no longer allowed ends, even where it had begun; what the host has begun goes on."""
    guest.client.policy(guest.name, allow="10.99.0.0/24", block="")
    port, data = guest.new_port(), marker()
    guest.udp(WORLD_LAN, EAR, data, sport=port)
    cast.world_ear.wait(data)
    guest.wait_for(data)
    guest.client.policy(guest.name, allow="")
    data = marker()
    guest.udp(WORLD_LAN, EAR, data, sport=port)
    cast.settle(guest)
    check("policy: a connection that is open ends with its permission", not cast.world_ear.find(data))
    check("policy: what the host has begun goes on", cast.host_goes(guest))
    guest.client.policy(guest.name, allow="10.99.0.0/24")
    check("policy: and back again", cast.udp_goes(guest, WORLD_LAN, cast.world_ear, True))


# --- random lists ------------------------------------------------------------------------------------------------------

def random_lists(source):
    """Nested and neighbouring networks; a few of them in both lists."""
    networks = []
    for _ in range(source.randint(1, 12)):
        if networks and source.random() < 0.6:
            parent = source.choice(networks)
            prefix = min(32, parent.prefixlen + source.randint(0, 9))
            address = int(parent.network_address) + source.randrange(parent.num_addresses)
        else:
            prefix, address = source.choice([0, 1, 3, 8, 12, 16, 24, 32]), source.getrandbits(32)
        networks.append(ipaddress.ip_network((address, prefix), strict=False))
    allow = [network for network in networks if source.random() < 0.55]
    block = [network for network in networks if network not in allow or source.random() < 0.1]
    return allow, block


def expected(address, allow, block):
    """Longest prefix; block wins a tie; else the default."""
    covering = [(network.prefixlen, verdict) for networks, verdict in ((block, 1), (allow, 0)) for network in networks
                if address in network]
    if covering:
        return max(covering)[1] == 0
    return not any(address in network for network in NONGLOBAL)


def can_be_sent(address, pool):
    """Not what no router forwards, and not who is in this network."""
    unusable = [ipaddress.ip_network(text) for text in ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "10.99.0.0/24", "44.44.44.44")]
    return not any(address in network for network in [*unusable, pool])


def edges(networks, source):
    found = {ipaddress.ip_address(source.getrandbits(32)) for _ in range(3)}
    for network in networks:
        for number in (int(network.network_address) - 1, int(network.network_address), int(network.broadcast_address),
                       int(network.broadcast_address) + 1):
            if 0 <= number < 1 << 32:
                found.add(ipaddress.ip_address(number))
    return sorted(found)


def random_policies():
    """Every edge of random lists."""
    seed = int(os.environ.get("TART_SEED") or random.randrange(1 << 32))
    source = random.Random(seed)
    note(f"TART_SEED={seed}")
    with Cast() as cast:
        # All addresses are the world's; it does not answer from them.
        cast.world_ear.echo = False
        ip("route", "add", "local", "0.0.0.0/0", "dev", "lo", "table", "100", where="net")
        ip("rule", "add", "iif", "lan", "lookup", "100", where="net")
        guest, pool, probes, wrong = cast.vm("softnet"), ipaddress.ip_network(cast.status.subnet), 0, []
        rounds = 250 if LONG else 60
        for _ in range(rounds):
            allow, block = random_lists(source)
            guest.client.policy(guest.name, allow=map(str, allow), block=map(str, block))
            addresses = [address for address in edges(allow + block + source.sample(NONGLOBAL, 3), source)
                         if can_be_sent(address, pool)]
            wrong += probe(cast, guest, addresses, allow, block)
            probes += len(addresses)
        empty(f"random lists: {rounds} of them agree with a plain longest-prefix match", wrong)
        note(f"{probes} probes")
        guest.client.policy(guest.name, allow="", block="")
        many(cast)
        ip("rule", "del", "iif", "lan", "lookup", "100", where="net")
        ip("route", "flush", "table", "100", where="net")
    empty("random lists: nothing is left", cast.left)


def probe(cast, guest, addresses, allow, block):
    """The addresses where the kernel differs. Refusals are barrier enough: all are sent, then looked at once."""
    markers = {address: marker() for address in addresses}
    guest.forget()
    cast.world_ear.forget()
    for address, data in markers.items():
        guest.udp(str(address), EAR, data)
    cast.settle(guest)
    heard = b"".join(data for data, _, _ in cast.world_ear.listen().heard)
    return [f"{address}: {'passes' if data in heard else 'is stopped'}; allow={allow} block={block}"
            for address, data in markers.items() if (data in heard) != expected(address, allow, block)]


def many(cast):
    """As many entries as a list may have, at start and in a change."""
    allow = [f"10.{number >> 8}.{number & 255}.0/25" for number in range(1024)]
    block = [f"10.{number >> 8}.{number & 255}.64/32" for number in range(1024)]
    guest = cast.vm("softnet", allow=allow, block=block)
    inside = [ipaddress.ip_address(f"10.{number >> 8}.{number & 255}.{last}") for number in (0, 255, 256, 511, 1023)
              for last in (0, 63, 64, 65, 127, 128)]
    nets = [[ipaddress.ip_network(text) for text in texts] for texts in (allow, block)]
    empty("1024 entries in each list, from the start", probe(cast, guest, inside, *nets))
    guest.client.policy(guest.name, allow=block, block=allow)
    empty("1024 entries in each list, changed", probe(cast, guest, inside, nets[1], nets[0]))


run_groups([at_start, while_running, random_policies], at_end=[Keeper.end_all])
