# SPDX-License-Identifier: Apache-2.0
"""What may never pass, for every mode: the list of network.md 10.1. For guests that a test plays, and for real ones."""
import os

import netd_frames as f
from netd_cast import EAR, MODES, SOMEBODY, layer_two, raw_socket, received
from netd_guest import Tap, marker, open_tap
from netd_host import HOST_LAN, HOST_PUBLIC, WORLD_LAN, Ear, ip, ip_json, say


def forbidden(cast):
    """(name, attempt, what happens without our rules). An attempt returns whether it got through."""
    for mode in MODES:
        for rows in (forged, forged_arp, foreign_servers, other_frames, neighbours_of):
            yield from rows(cast, getattr(cast, mode))
    yield from doors(cast)


def forged(cast, guest):
    """Frames that are not this VM's."""
    target, ear = (cast.gateway, cast.host_ear) if guest.mode == "host" else ("8.8.8.8", cast.world_ear)

    def attempt(**otherwise):
        def run():
            data = marker()
            guest.udp(target, EAR, data, **otherwise)
            cast.settle(guest)
            return ear.find(data) is not None
        return run

    victim = cast.victim
    yield f"{guest.mode}: a foreign MAC address", attempt(src_mac=SOMEBODY), True
    yield f"{guest.mode}: another VM's MAC address", attempt(src_mac=victim.mac), True
    yield f"{guest.mode}: a MAC address of many", attempt(src_mac="53:54:00:00:00:01"), True
    # The kernel's rp_filter stops these without us.
    yield f"{guest.mode}: another VM's IP address", attempt(src=victim.address), False
    yield f"{guest.mode}: another VM's IP and MAC address", attempt(src=victim.address, src_mac=victim.mac), False
    yield f"{guest.mode}: an IP address of nobody", attempt(src="192.168.64.250"), False
    yield f"{guest.mode}: an IP address of the world", attempt(src="33.33.33.33"), False
    yield f"{guest.mode}: the gateway's IP address", attempt(src=cast.gateway), False
    yield f"{guest.mode}: the host's IP address", attempt(src=HOST_LAN), False
    yield f"{guest.mode}: 127.0.0.1", attempt(src="127.0.0.1"), False


def forged_arp(cast, guest):
    """ARP that would take an address from somebody, or tell what the host has."""
    victim = cast.victim

    def stolen(frame):
        """The victim's packets, or the gateway's view of who has which address."""
        def run():
            before = neighbours()
            guest.send(frame)
            cast.settle(guest)
            data = marker()
            say(None, victim.address, 9, data)
            victim.wait_for(data)
            return guest.has(data) or neighbours() != before
        return run

    def answered(frame, address):
        def run():
            guest.forget()
            guest.send(frame)
            cast.settle(guest)
            return guest.find(lambda seen: seen.kind == f.ARP and seen.operation == 2 and seen.src == address) is not None
        return run

    mode, mac, own, gateway = guest.mode, guest.mac, guest.address, cast.gateway
    yield f"{mode}: an ARP reply takes a VM's address", stolen(f.arp_reply(mac, victim.address, f.GATEWAY_MAC, gateway)), False
    yield f"{mode}: gratuitous ARP takes a VM's address", stolen(f.arp_request(mac, victim.address, victim.address)), False
    yield f"{mode}: an ARP reply takes the gateway's address", stolen(f.arp_reply(mac, gateway, f.BROADCAST, gateway)), False
    yield f"{mode}: an ARP reply takes the LAN's router", stolen(f.arp_reply(mac, WORLD_LAN, f.GATEWAY_MAC, gateway)), False
    yield f"{mode}: an ARP request with another VM's address", stolen(f.arp_request(mac, victim.address, gateway)), False
    yield f"{mode}: an ARP request with a foreign address is answered", \
        answered(f.arp_request(mac, "192.168.64.250", gateway), gateway), False
    yield f"{mode}: an ARP request with a foreign hardware address in it is answered", \
        answered(f.arp_request(SOMEBODY, own, gateway, source=mac), gateway), True
    yield f"{mode}: an ARP request in a foreign frame is answered", \
        answered(f.arp_request(mac, own, gateway, source=SOMEBODY), gateway), True
    for address in (HOST_LAN, HOST_PUBLIC):
        yield f"{mode}: ARP tells that the host has {address}", answered(f.arp_request(mac, own, address), address), True
    yield f"{mode}: ARP tells that a VM has {victim.address}", \
        answered(f.arp_request(mac, own, victim.address), victim.address), False


def neighbours():
    """Who the host believes to be behind which address; not what the kernel does by itself: the LAN's, and broadcasts."""
    return sorted((entry["dst"], entry.get("lladdr"), entry["dev"]) for entry in ip_json("neigh", "show", "nud", "all")
                  if entry["dev"].startswith("tart") and entry.get("lladdr") and "NOARP" not in entry["state"])


def foreign_servers(cast, guest):
    """A guest that plays the network's server."""
    victim, mode = cast.victim, guest.mode

    def offer(data, **to):
        frame = f.dhcp_server_frame(guest.mac, guest.address, f.OFFER, 7, victim.mac, guest.address, **to)
        return f.udp_frame(to.get("to", f.BROADCAST), guest.mac, guest.address, to.get("dst", "255.255.255.255"), 67, 68,
                           f.Frame(frame).payload + data)

    def to_victim(**to):
        return lambda: cast.reaches_guest(lambda data: guest.send(offer(data, **to)), victim, guest)

    def to_host():
        data, ear = marker(), Ear(None, 68)
        guest.send(offer(data, dst=cast.gateway, to=f.GATEWAY_MAC))
        cast.settle(guest)
        heard = ear.find(data) is not None
        ear.close()
        return heard

    def advertised():
        guest.send(f.router_advertisement(guest.mac, f"fe80::{guest.name[-4:]}"))
        cast.settle(guest, victim)
        routes = ip_json("-6", "route", "show", "dev", guest.name)
        addresses = ip_json("-6", "address", "show", "to", "fd66::/64")
        return bool(routes) or any(entry.get("addr_info") for entry in addresses) or \
            victim.find(lambda frame: frame.kind == f.IP6) is not None

    yield f"{mode}: rogue DHCP to everybody", to_victim(), False
    yield f"{mode}: rogue DHCP to a VM", to_victim(dst=victim.address, to=f.GATEWAY_MAC), True
    yield f"{mode}: rogue DHCP to the host", to_host, True
    yield f"{mode}: a router advertisement", advertised, False


def other_frames(cast, guest):
    """Tags, other protocols, fragments."""
    mode, victim = guest.mode, cast.victim
    target, ear = (cast.gateway, cast.host_ear) if mode == "host" else ("8.8.8.8", cast.world_ear)

    def to_ear(make):
        def run():
            data = marker()
            frames = make(data)
            for frame in frames if isinstance(frames, list) else [frames]:
                guest.send(frame)
            cast.settle(guest, victim)
            return ear.find(data) is not None or victim.has(data)
        return run

    def honest(data, dst=target):
        return guest.udp_frame(dst, EAR, data)

    def forged_frame(data):
        return guest.udp_frame(target, EAR, data, src_mac=SOMEBODY)

    def on_the_lan(frame):
        def run():
            data = marker()
            wire = raw_socket("net", "lan")
            with wire:
                guest.send(frame(data))
                cast.settle(guest)
                return any(data in seen for seen in received(wire)) or victim.has(data)
        return run

    yield f"{mode}: VLAN 5", to_ear(lambda data: f.tagged(honest(data), (f.VLAN, 5))), False
    yield f"{mode}: VLAN 0 and a foreign MAC address", to_ear(lambda data: f.tagged(forged_frame(data), (f.VLAN, 0))), True
    yield f"{mode}: VLAN 0 to another VM", to_ear(
        lambda data: f.tagged(honest(data, victim.address), (f.VLAN, 0))), True
    yield f"{mode}: QinQ", to_ear(lambda data: f.tagged(honest(data), (f.QINQ, 5), (f.VLAN, 6))), False
    yield f"{mode}: QinQ of VLAN 0", to_ear(lambda data: f.tagged(forged_frame(data), (f.QINQ, 0), (f.VLAN, 0))), True
    yield f"{mode}: LLDP", on_the_lan(lambda data: f.lldp(guest.mac, data)), False
    yield f"{mode}: an unknown protocol", on_the_lan(lambda data: f.eth(f.BROADCAST, guest.mac, data, 0x88B5)), False
    yield f"{mode}: a frame of a bridge", on_the_lan(lambda data: f.eth("01:80:c2:00:00:00", guest.mac, data, 0x26)), False
    yield f"{mode}: fragments of what is forged", to_ear(lambda data: fragments(guest, target, data)), True


def fragments(guest, dst, data):
    """A datagram from a foreign MAC address in two pieces; the second has no port to look at."""
    datagram = f.udp(9, EAR, data.ljust(64), guest.address, dst)
    more = 0x2000
    return [f.eth(f.GATEWAY_MAC, SOMEBODY, f.ipv4(guest.address, dst, piece, f.UDP, ident=77, flags=flags))
            for piece, flags in ((datagram[:48], more), (datagram[48:], 48 // 8))]


def neighbours_of(cast, guest):
    """Other VMs."""
    for name, frame, routed in layer_two(guest, cast.victim):
        yield f"{guest.mode} to another VM: {name}", lambda frame=frame: cast.reaches_guest(
            lambda data: guest.send(frame(data)), cast.victim, guest), routed


def in_their_name(cast):
    """The world with a VM's address: the uplink's rp_filter is off. Were it let through, answers would come to the VM."""
    wire = raw_socket("net", "lan")
    cast.closing.append(wire)
    lan, uplink = (ip_json("link", "show", name, where=where)[0]["address"] for name, where in (("lan", "net"), ("uplink", None)))

    def attempt(src, dst, ear):
        def run():
            data = marker()
            wire.send(f.udp_frame(uplink, lan, src, dst, 9, EAR, data))
            cast.settle_world()
            cast.settle(cast.nat)
            return ear.find(data) is not None
        return run

    for name, src in (*((getattr(cast, mode).mode, getattr(cast, mode).address) for mode in MODES),
                      ("nobody", "192.168.64.250")):
        yield f"the LAN in the name of {name}: the internet", attempt(src, "8.8.8.8", cast.world_ear), True
        yield f"the LAN in the name of {name}: the host", attempt(src, HOST_LAN, cast.host_ear), True
        yield f"the LAN in the name of {name}: the gateway", attempt(src, cast.gateway, cast.host_ear), True
    # The kernel knows its own without us.
    yield "the LAN in the name of the gateway: the host", attempt(cast.gateway, HOST_LAN, cast.host_ear), False
    # Where the host has looked for nobody, to answer.
    ip("neigh", "delete", "192.168.64.250", "dev", "tart0", check=False)


def doors(cast):
    """What the world, and a tap that nobody has registered, may not."""
    def from_lan(guest):
        def run():
            data = marker()
            say("net", guest.address, EAR, data)
            cast.settle_world()
            cast.settle(guest)
            return guest.has(data)
        return run

    for guest in (getattr(cast, mode) for mode in MODES):
        yield f"the LAN to {guest.mode}, unsolicited", from_lan(guest), True
    yield from in_their_name(cast)

    # As one that a hostile holder has made persistent: the name is of ours, no element is.
    stray, address, mac = "tart-ffffffff", "192.168.64.200", "52:54:00:00:02:00"
    tap = Tap(open_tap(stray, 12))
    ip("link", "set", stray, "address", f.GATEWAY_MAC, "up")
    ip("route", "add", f"{address}/32", "dev", stray)
    ip("neigh", "replace", address, "lladdr", mac, "dev", stray, "nud", "permanent")

    def from_stray(dst, ear):
        def run():
            data = marker()
            tap.send(f.udp_frame(f.GATEWAY_MAC, mac, address, dst, 9, EAR, data))
            cast.settle(cast.nat)
            return ear.find(data) is not None
        return run

    def stray_arp():
        tap.send(f.arp_request(mac, address, cast.gateway))
        cast.settle(cast.nat)
        frames = []
        while (frame := tap.receive()) is not None:
            frames.append(f.Frame(frame))
        return any(frame.kind == f.ARP and frame.operation == 2 for frame in frames)

    yield "a tap that is not registered: the internet", from_stray("8.8.8.8", cast.world_ear), True
    yield "a tap that is not registered: the gateway", from_stray(cast.gateway, cast.host_ear), True
    yield "a tap that is not registered: another VM", lambda: cast.reaches_guest(
        lambda data: tap.send(f.udp_frame(f.GATEWAY_MAC, mac, address, cast.victim.address, 9, EAR, data)), cast.victim), True
    yield "a tap that is not registered: ARP", stray_arp, True
    os.close(tap.fd)
