#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What VMs that mean harm do, in the lab of tests/guest/attackers.bats. The VMs "nat", "softnet" and "host" are called as their
modes; "victim" is another one, with NAT.

    attack.py bother MAC    the LAN that a VM with this MAC address boots in; "ready", then on and on until killed
    attack.py stopped       checks that nothing gets through that may not; exit code 1: something did
    attack.py control       the same without rules: what they had stopped must get through now
"""
import random
import sys
import time

import netd_frames as f
from netd_check import check, run_groups
from netd_cast import MODES
from netd_client import Client
from netd_forbidden import forbidden
from netd_host import command, has_tables
from netd_remote import real_cast

LEASE = "192.168.64.66"


def lies(guest, mac):
    """That this guest is the DHCP server, the gateway, the router."""
    for kind in (f.OFFER, f.ACKNOWLEDGE):
        xid = random.getrandbits(32)
        yield f.dhcp_server_frame(guest.mac, guest.address, kind, xid, mac, LEASE)
        yield f.dhcp_server_frame(guest.mac, guest.gateway, kind, xid, mac, LEASE, to=mac)
        yield f.dhcp_server_frame(guest.mac, guest.address, kind, xid, mac, LEASE, dst=LEASE, to=f.GATEWAY_MAC)
    yield f.arp_reply(guest.mac, guest.gateway, f.BROADCAST, guest.gateway)
    yield f.arp_request(guest.mac, guest.gateway, guest.gateway)
    yield f.arp_reply(guest.mac, guest.gateway, mac, LEASE)
    yield f.router_advertisement(guest.mac)


def bother(mac):
    cast = real_cast(MODES)
    while True:
        for guest in cast.guests:
            for frame in lies(guest, mac):
                guest.send(frame)
            guest.forget()
        print("ready", flush=True)
        time.sleep(0.02)


def stopped():
    """With our rules."""
    cast = real_cast((*MODES, "victim"))
    for guest in cast.guests:
        check(f"{guest.mode}: hears, and is heard", cast.host_goes(guest))
    for name, attempt, _ in forbidden(cast):
        cast.forget()
        check(f"stopped: {name}", not attempt())
    with Client() as client:
        for mode in MODES:
            counts = client.stats(getattr(cast, mode).name)
            for counter in ("spoofed", "arp", "dhcp-server", "peer", "forged"):
                check(f"{mode}: counted as {counter}", counts[counter] > 0, counts)


def control():
    """Without rules, which the keeper, halted, cannot put back."""
    cast = real_cast((*MODES, "victim"))
    cast.keeper.stop()
    command("nft", "flush", "ruleset")
    check("control: the rules are gone", not has_tables())
    for name, attempt, goes in forbidden(cast):
        cast.forget()
        check(f"control, without rules: {name} {'arrives' if goes else 'is still stopped'}", attempt() == goes)
    cast.keeper.go_on()


if sys.argv[1] == "bother":
    bother(sys.argv[2])
run_groups([stopped, control])
