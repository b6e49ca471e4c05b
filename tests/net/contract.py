#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who reaches what: the table of network.md 2 for NAT, Softnet and host-only, row by row; expose, peers, refusals, counters.

    tests/lib/netd_lab.sh tests/net/contract.py [GROUP]
"""
import errno
import pathlib
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

# pylint: disable=wrong-import-position
import netd_frames as f
from netd_cast import (DNS_ANSWER, EAR, MODES, SERVICE, SOMEBODY, Cast, Resolver, dns_query, layer_two, raw_socket,
                       whole_cast)
from netd_check import check, empty, equal, expects, run_groups, skip
from netd_client import COUNTERS, Client
from netd_guest import Guest, marker
from netd_host import (HOST_LAN, HOST_PUBLIC, INTERNET, PRIVATE, WORLD_LAN, Ear, Keeper, inside, ip_json, listen_tcp, say,
                       sysctl, write_conf)

ICMP_RATEMASK = 6168  # the kernel's default
BROADCASTS = ("255.255.255.255", "10.99.0.255", "192.168.64.255")


def contract():
    """The rows of network.md 2, one mode after the other."""
    # The kernel's own limit of six ICMP errors, then one a second, for each VM: here every refusal shall be seen.
    sysctl("net.ipv4.icmp_ratemask", 0)
    with whole_cast() as cast:
        resolver = Resolver()
        cast.closing.append(resolver)
        for mode in MODES:
            guest = getattr(cast, mode)
            addresses(cast, guest)
            names(cast, guest)
            destinations(cast, guest)
            from_outside(cast, guest)
        equal("an honest VM has no drops but those of what it may not reach",
              {name: count for name, count in cast.nat.client.stats(cast.nat.name).items() if name != "inbound"},
              {name: 0 for name in COUNTERS if name != "inbound"})
        the_host_itself(cast)
        exposed(cast)
        peers(cast)
        refusals(cast)
        counters(cast)
    empty("contract: nothing is left", cast.left)


def addresses(cast, guest):
    mode = guest.mode
    answer = Guest.dhcp(guest)
    equal(f"{mode}: DHCP gives the reserved address", answer.address, guest.address)
    equal(f"{mode}: the router of DHCP", answer.address_of(3), None if mode == "host" else cast.gateway)
    equal(f"{mode}: the name server of DHCP", answer.address_of(6), cast.gateway)
    guest.forget()
    guest.send(f.arp_request(guest.mac, guest.address, cast.gateway))
    frame = guest.wait(lambda frame: frame.kind == f.ARP and frame.operation == 2 and frame.src == cast.gateway, "ARP")
    equal(f"{mode}: the gateway's MAC address", frame.sender_mac, f.GATEWAY_MAC)
    guest.send(f.arp_request(guest.mac, "0.0.0.0", guest.address))
    cast.settle(guest)
    check(f"{mode}: nobody defends the guest's own address against it",
          not guest.find(lambda frame: frame.kind == f.ARP and frame.operation == 2 and frame.src == guest.address))


def names(cast, guest):
    mode = guest.mode
    if not cast.status.dns_running:
        skip(f"{mode}: DNS", "no dnsmasq here")
        return
    with inside(guest.where):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sock:
        sock.settimeout(20)
        sock.sendto(dns_query(f"{mode}.example"), (cast.gateway, 53))
        check(f"{mode}: DNS at the gateway, UDP", sock.recv(4096).endswith(DNS_ANSWER))
    with guest.connect(cast.gateway, 53) as sock:
        query = dns_query(f"{mode}.example")
        sock.sendall(len(query).to_bytes(2, "big") + query)
        check(f"{mode}: DNS at the gateway, TCP", sock.recv(4096).endswith(DNS_ANSWER))


def destinations(cast, guest):
    mode = guest.mode
    nat, not_host = mode == "nat", mode != "host"
    rows = [("the internet", INTERNET, cast.world_ear, not_host),
            ("the host's LAN", [WORLD_LAN], cast.world_ear, nat),
            ("a private network", PRIVATE, cast.world_ear, nat),
            ("a service at the gateway", [cast.gateway], cast.host_ear, mode != "softnet"),
            ("the host's address in its LAN", [HOST_LAN], cast.host_ear, nat),
            ("the host's public address", [HOST_PUBLIC], cast.host_ear, nat)]
    for what, targets, ear, goes in rows:
        for target in targets:
            word = "reaches" if goes else "does not reach"
            guest.forget()
            check(f"{mode} {word} {what}: UDP {target}", cast.udp_goes(guest, target, ear, goes) == goes)
            check(f"{mode} {word} {what}: TCP {target}", cast.tcp_goes(guest, target, goes) == goes)
            if not goes:
                check(f"{mode} is told at once: {target}", cast.is_told(guest, target))
    for target, goes in (("8.8.8.8", not_host), (cast.gateway, True), (HOST_LAN, nat), (WORLD_LAN, nat)):
        check(f"{mode} {'pings' if goes else 'does not ping'} {target}", cast.ping_goes(guest, target, goes) == goes)
    if mode != "nat":
        for target in BROADCASTS:
            data = marker()
            guest.udp(target, EAR, data, dst_mac=f.BROADCAST)
            cast.settle(guest)
            check(f"{mode} is not heard at {target}", not cast.host_ear.find(data) and not cast.world_ear.find(data))
    if not_host:
        data = marker()
        guest.udp("8.8.8.8", EAR, data)
        equal(f"{mode}: the world sees the host's address", cast.world_ear.wait(data)[1], HOST_LAN)


def from_outside(cast, guest):
    """The host may come to the guest, the world may not."""
    mode = guest.mode
    ear, service = Ear(guest.where, EAR, echo=True), listen_tcp(guest.where, SERVICE)
    try:
        data = marker()
        port = say(None, guest.address, EAR, data, source=cast.gateway)
        ear.wait(data)
        check(f"host to {mode}: UDP, and the answer", guest_answers(guest, data, port, cast.gateway))
        with socket.create_connection((guest.address, SERVICE), timeout=60) as sock:
            with service.accept()[0] as accepted:
                accepted.sendall(data)
                check(f"host to {mode}: TCP, and the answer", sock.recv(100) == data)
        guest.forget()
        data = marker()
        say("net", guest.address, EAR, data)
        cast.settle_world()
        cast.settle(guest)
        check(f"LAN to {mode}: not unsolicited, UDP", not guest.has(data) and not ear.find(data))
        syn_from_world(guest.address, SERVICE)
        cast.settle_world()
        cast.settle(guest)
        check(f"LAN to {mode}: not unsolicited, TCP", not guest.find(is_syn))
    finally:
        ear.close()
        service.close()


def the_host_itself(cast):
    """What the host says to itself with an address of the VMs' network is not taken for a stranger's."""
    for name, target in (("the gateway's address", cast.gateway), ("its LAN's", HOST_LAN),
                         ("the subnet's broadcast", "192.168.64.255"), ("a multicast group", "224.0.0.251")):
        data = marker()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, Ear(None, EAR + 2) as ear:
            sock.bind((cast.gateway, 0))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            membership = socket.inet_aton("224.0.0.251") + socket.inet_aton(cast.gateway)
            ear.sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(cast.gateway))
            sock.sendto(data, (target, EAR + 2))
            equal(f"the host hears itself at {name}", ear.wait(data)[1], cast.gateway)


def guest_answers(guest, data, port, gateway):
    """The guest answers a datagram of the host's; its answer is in a socket of the host's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(60)
        sock.bind((gateway, port))
        guest.udp(gateway, port, data + b" answered", sport=EAR)
        while sock.recv(100) != data + b" answered":
            pass  # the ear's echo
        return True


def syn_from_world(address, port):
    with inside("net"):
        sock = socket.socket()
    sock.setblocking(False)
    sock.connect_ex((address, port))
    sock.close()


def is_syn(frame):
    return frame.protocol == f.TCP and frame.flags & (f.SYN | f.ACK) == f.SYN


def exposed(cast):
    """network.md 2.2: `exposed` has 2222 and 2223."""
    guest = cast.exposed
    for where, target, source in (("net", HOST_LAN, WORLD_LAN), (None, HOST_LAN, None), (None, cast.gateway, None)):
        guest.forget()
        syn_from(where, target, 2222)
        frame = guest.wait(lambda frame: is_syn(frame) and frame.dport == SERVICE, "the exposed port's SYN")
        name = f"expose: {'the LAN' if where else 'the host'} by {target}"
        if source:
            equal(f"{name}, seen with the client's address", frame.src, source)
        else:
            check(name, True)
    guest.forget()
    syn_from(None, "127.0.0.1", 2222)
    cast.settle(guest)
    check("expose: not at 127.0.0.1", not guest.find(is_syn))
    for mode in MODES:
        guest.forget()
        other = getattr(cast, mode)
        other.syn(HOST_LAN, 2222)
        other.syn(cast.gateway, 2222)
        cast.settle(other, guest)
        check(f"expose: not for another VM, {mode}", not guest.find(is_syn))
    syn_from("net", HOST_LAN, 2224)
    cast.settle_world()
    cast.settle(guest)
    check("expose: no other port", not guest.find(is_syn))


def syn_from(where, address, port):
    if where:
        syn_from_world(address, port)
        return
    with socket.socket() as sock:
        sock.setblocking(False)
        sock.connect_ex((address, port))


def peers(cast):
    """softnet VMs that may go to 0.0.0.0/0 reach each other, by IP."""
    one, two = cast.peer, cast.peer2
    cast.forget()
    data = marker()
    one.udp(two.address, EAR, data)
    two.wait_for(data)
    two.udp(one.address, EAR, data + b"!")
    one.wait_for(data + b"!")
    check("peers: UDP to each other", True)
    one.syn(two.address, SERVICE)
    two.wait(is_syn, "a peer's SYN")
    check("peers: TCP to each other", True)
    one.forget()
    one.send(f.arp_request(one.mac, one.address, two.address))
    frame = one.wait(lambda frame: frame.kind == f.ARP and frame.operation == 2 and frame.src == two.address, "ARP")
    equal("peers: ARP for each other is answered with the gateway's MAC address", frame.sender_mac, f.GATEWAY_MAC)
    for other in (cast.softnet, cast.nat):
        check(f"peers: none reaches {other.mode}", not cast.reaches_guest(
            lambda data, other=other: one.udp(other.address, EAR, data), other, one))
        check(f"peers: {other.mode} reaches none", not cast.reaches_guest(
            lambda data, other=other: other.udp(one.address, EAR, data), one, other))
        other.forget()
        other.send(f.arp_request(other.mac, other.address, one.address))
        cast.settle(other)
        check(f"peers: ARP of {other.mode} for one is not answered",
              not other.find(lambda frame: frame.kind == f.ARP and frame.src == one.address))
    for name, frame, routed in layer_two(one, two):
        if not routed:
            check(f"peers: {name} does not pass", not cast.reaches_guest(
                lambda data, frame=frame: one.send(frame(data)), two, one))


def refusals(cast):
    """Softnet issue 31: a guest that may not go somewhere learns it, and does not hang."""
    for mode in ("softnet", "host"):
        guest = getattr(cast, mode)
        with expects(f"{mode}: connect() to a private address fails at once", OSError, errno=errno.EHOSTUNREACH):
            guest.connect("10.1.2.3", SERVICE).close()
    refused_by_defaults(cast)
    for guest in (cast.softnet, cast.nat):
        guest.forget()
        guest.send(f.udp_frame(f.GATEWAY_MAC, SOMEBODY, guest.address, "8.8.8.8", 9, EAR, marker()))
        cast.settle(guest)
        check(f"{guest.mode}: what is forged is dropped without a word",
              not guest.find(lambda frame: frame.icmp and frame.icmp[0] == 3))


def refused_by_defaults(cast):
    """The same with what the kernel lets through by default."""
    sysctl("net.ipv4.icmp_ratemask", ICMP_RATEMASK)
    fresh = cast.vm("softnet", real=True)
    for address in ("10.1.2.3", HOST_LAN, cast.gateway, WORLD_LAN):
        with expects(f"with the kernel's limit of ICMP: {address} is refused at once", OSError, errno=errno.EHOSTUNREACH):
            fresh.connect(address, SERVICE).close()
    sysctl("net.ipv4.icmp_ratemask", 0)


def counters(cast):
    """`tart network stats` counts what was sent, each frame under one reason."""
    guest, victim = cast.vm("softnet"), cast.victim

    def by_rule(name, expected, send, times=7):
        before = guest.client.stats(guest.name)
        for _ in range(times):
            send()
        cast.settle(guest)
        after = guest.client.stats(guest.name)
        equal(f"stats: {name}", {key: after[key] - before[key] for key in COUNTERS if after[key] != before[key]},
              {key: times * count for key, count in expected.items()})

    by_rule("a boot's DHCP counts nowhere", {}, lambda: Guest.dhcp(guest), times=2)
    by_rule("a forged MAC address", {"spoofed": 1}, lambda: guest.udp("8.8.8.8", EAR, b"x", src_mac=SOMEBODY))
    by_rule("a forged IP address", {"spoofed": 1}, lambda: guest.udp("8.8.8.8", EAR, b"x", src=victim.address))
    # Nobody sees it: the kernel drops it on a link without IPv6 before it asks the rules.
    by_rule("IPv6 counts nowhere", {}, lambda: guest.send(
        f.udp6_frame(f.GATEWAY_MAC, guest.mac, "fd99::66", "fd99::2", 9, EAR, b"x")))
    by_rule("ARP for another", {"arp": 1}, lambda: guest.send(
        f.arp_reply(guest.mac, victim.address, f.GATEWAY_MAC, cast.gateway)))
    by_rule("ARP for the host's other address", {"arp": 1}, lambda: guest.send(
        f.arp_request(guest.mac, guest.address, HOST_LAN)))
    by_rule("a DHCP server's answer", {"dhcp-server": 1}, lambda: guest.send(
        f.dhcp_server_frame(guest.mac, guest.address, f.OFFER, 1, victim.mac, victim.address)))
    by_rule("a destination that is refused", {"refused": 1}, lambda: guest.udp("10.1.2.3", EAR, b"x"))
    by_rule("a service of the host", {"refused": 1}, lambda: guest.udp(cast.gateway, EAR, b"x"))
    by_rule("a broadcast", {"dropped": 1}, lambda: guest.udp("255.255.255.255", EAR, b"x", dst_mac=f.BROADCAST))
    by_rule("another VM", {"peer": 1}, lambda: guest.udp(victim.address, EAR, b"x"))

    def from_lan():
        say("net", guest.address, EAR, b"x")
        cast.settle_world()
    by_rule("what nobody asked for", {"inbound": 1}, from_lan)
    lan, uplink = (ip_json("link", "show", name, where=where)[0]["address"] for name, where in (("lan", "net"), ("uplink", None)))

    def in_its_name():
        with raw_socket("net", "lan") as wire:
            wire.send(f.udp_frame(uplink, lan, guest.address, "8.8.8.8", 9, EAR, b"x"))
        cast.settle_world()
    by_rule("what comes from outside with its address", {"forged": 1}, in_its_name)

    before = guest.client.stats(guest.name)
    for _ in range(500):
        guest.udp("10.1.2.3", EAR, b"x")
    cast.settle(guest)
    after = guest.client.stats(guest.name)
    refused, dropped = (after[key] - before[key] for key in ("refused", "dropped"))
    check("stats: a flood is answered within a rate, and all of it counted", refused + dropped == 500 and refused < 500,
          f"refused {refused}, dropped {dropped}")
    answers = sum(frame.icmp == (3, 13) for frame in guest.drain().seen)
    check("stats: each refusal was an answer", answers >= refused, f"{answers} answers, {refused} refused")


def not_isolated():
    """isolate-vms = no: NAT VMs are peers."""
    with Cast(conf="isolate-vms = no\n") as cast:
        one, two, softnet = cast.vm("nat"), cast.vm("nat"), cast.vm("softnet")
        check("isolate-vms = no: one NAT VM reaches another", cast.reaches_guest(
            lambda data: one.udp(two.address, EAR, data), two, one))
        check("isolate-vms = no: none reaches a Softnet VM", not cast.reaches_guest(
            lambda data: one.udp(softnet.address, EAR, data), softnet, one))
        check("isolate-vms = no: a Softnet VM reaches none", not cast.reaches_guest(
            lambda data: softnet.udp(one.address, EAR, data), one, softnet))
    empty("isolate-vms = no: nothing is left", cast.left)


def settings():
    """What network.conf says by now reaches VMs that run."""
    with Cast() as cast:
        guest = cast.vm("softnet")
        write_conf("mtu = 1400\nlease-time = 600\n")
        with Client() as client:
            client.reload()
        equal("a new MTU: the tap has it", ip_json("link", "show", guest.name)[0]["mtu"], 1400)
        answer = guest.dhcp()
        equal("a new MTU: the guest hears of it", int.from_bytes(answer.options[26], "big"), 1400)
        equal("a new lease time: so it does", int.from_bytes(answer.options[51], "big"), 600)
    write_conf("")


run_groups([contract, not_isolated, settings], at_end=[Keeper.end_all])
