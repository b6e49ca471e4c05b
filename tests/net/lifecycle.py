#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Addresses that never run out, and VMs that leave nothing: network.md 2.3, 4, 10.4.

    tests/lib/netd_lab.sh tests/net/lifecycle.py [GROUP]         TART_TEST_LONG=1: 1,200 VMs through a /24
"""
import fcntl
import os
import pathlib
import signal
import socket
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

# pylint: disable=wrong-import-position
import netd_frames as f
from netd_cast import EAR, Cast
from netd_check import check, empty, equal, expects, note, run_groups
from netd_client import Client, Gone, Refused, random_mac
from netd_guest import Guest, marker
from netd_host import (LONG, Keeper, has_tables, inside, ip_json, leftovers, links, named_for_vms,
                       state_files, taps, wait_clean, wait_until)

TUNSETPERSIST, SIOCSIFHWADDR = 0x400454CB, 0x8924


def attach(mode="nat", **wish):
    """A VM of its own: client and guest."""
    client = Client()
    return client, Guest(client.attach(mode, **wish))


def in_sequence():
    """Many more VMs than addresses, one after the other; none is refused, the address that came free last comes last."""
    prefix, count, pool = (24, 1200, 253) if LONG else (26, 300, 61)
    with Cast(conf=f"subnet = 192.168.64.0/{prefix}\n") as cast:
        fresh = named_for_vms()
        equal("sequence: addresses in all", cast.status.addresses, pool)
        given, worst = [], 0.0
        for _ in range(count):
            before = time.monotonic()
            client, guest = attach()
            worst = max(worst, time.monotonic() - before)
            given.append(guest.address)
            data = marker()
            guest.udp("8.8.8.8", EAR, data)
            cast.world_ear.wait(data)
            client.close()
            # Its address must have come free before the next one asks, or this would not be a sequence.
            wait_until(lambda: not taps(), "the tap is gone")
        equal(f"sequence: {count} VMs through {pool} addresses", len(given), count)
        again = [number for number in range(pool, count) if given[number] in given[number - pool + 1:number]]
        empty("sequence: an address is given away again only when all others have been", again)
        empty("sequence: nothing is left", wait_clean(subnet=f"192.168.64.0/{prefix}"))
        empty("sequence: no chain, set or map is left", named_for_vms() - fresh)
        note(f"slowest attach {worst * 1000:.1f} ms")
    empty("sequence: nothing is left at the end", cast.left)


def all_at_once():
    """As many as there are addresses; one more is told so before it boots."""
    with Cast() as cast:
        fresh = named_for_vms()
        vms = [attach() for _ in range(253)]
        equal("253 VMs at once have 253 addresses", len({guest.address for _, guest in vms}), 253)
        equal("status counts them", cast.keeper and Client().status().nics, 253)
        listed = Client().list()
        equal("the list names them, page by page", sorted(nic.tap for nic in listed), sorted(guest.name for _, guest in vms))
        with Client() as late:
            with expects("the 254th is told", Refused, code="exhausted",
                         text="all 253 addresses of 192.168.64.0/24 are used by running VMs"):
                late.attach()
            check("the refused one can ask again", late.status().nics == 253)
            client, guest = vms.pop(100)
            client.close()
            wait_until(lambda: Client().status().nics == 252, "the keeper sees that one has ended")
            equal("when one ends, the next one gets its address", late.attach().address, guest.address)
        for number in (0, 100, 200, 251):
            guest = vms[number][1]
            equal(f"VM {number} gets its address by DHCP", guest.dhcp().address, guest.address)
            data = marker()
            guest.udp("8.8.8.8", EAR, data)
            cast.world_ear.wait(data)
        one, two = vms[3][1], vms[222][1]
        one.udp(two.address, EAR, marker())
        say_to = marker()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(say_to, (two.address, EAR))
        two.wait_for(say_to)
        check("they do not reach each other", not two.find(lambda frame: frame.src == one.address))
        for client, _ in vms:
            client.close()
        empty("all at once: nothing is left", wait_clean())
        empty("all at once: no chain, set or map is left", named_for_vms() - fresh)
    empty("all at once: nothing is left at the end", cast.left)


def same_address():
    """A VM keeps its address while nobody else needs it: network.md 2.3."""
    conf = "subnet = 192.168.64.0/29\n"
    where = {"subnet": "192.168.64.0/29"}
    keeper, mine = Keeper(conf=conf), random_mac()

    def once(mac=None):
        client, guest = attach(mac=mac)
        client.close()
        wait_until(lambda: not leftovers(**where), "the VM is gone")
        return guest.address

    first = once(mine)
    others = {once() for _ in range(4)}
    check("four others get other addresses", first not in others and len(others) == 4)
    equal("it has its address again", once(mine), first)
    keeper.kill()
    keeper = Keeper()
    equal("it has its address after the keeper has been killed", once(mine), first)
    keeper.end()
    keeper = Keeper()
    equal("it has its address after the keeper has ended", once(mine), first)
    for _ in range(4):
        once()
    equal("it has its address although all others have been given away anew", once(mine), first)
    vms = [attach() for _ in range(5)]
    equal("when all are needed, it goes", len({guest.address for _, guest in vms}), 5)
    with Client() as late, expects("and its VM is refused as long", Refused, code="exhausted"):
        late.attach(mac=mine)
    for client, _ in vms:
        client.close()
    empty("same address: nothing is left", wait_clean(**where))
    keeper.kill()


def reused_address():
    """What an address's last owner had open does not reach the next one."""
    with Cast(conf="subnet = 192.168.64.0/29\n") as cast:
        others = [attach() for _ in range(4)]
        client, old = attach()
        with inside("net"):
            peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        peer.bind(("8.8.8.8", 5555))
        peer.settimeout(60)
        old.udp("8.8.8.8", 5555, b"open", sport=4444)
        _, there = peer.recvfrom(100)
        data = marker()
        peer.sendto(data, there)
        old.wait_for(data)
        check("the flow is open as long as its VM runs", True)
        client.close()
        wait_until(lambda: Client().status().nics == 4, "the VM is gone")
        client, new = attach()
        equal("the next VM gets the same address", new.address, old.address)
        data = marker()
        peer.sendto(data, there)
        barrier(cast, new)
        check("a packet of the old flow does not reach the next VM", not new.has(data))
        new.udp("8.8.8.8", 5555, b"open", sport=4444)
        _, there = peer.recvfrom(100)
        peer.sendto(data, there)
        new.wait_for(data)
        check("its own flow with the same ports does", True)
        peer.close()
        for one, _ in others:
            one.close()
        client.close()
    empty("reused address: nothing is left", cast.left)


def barrier(cast, guest):
    guest.mode = "nat"
    cast.settle_world()
    cast.settle(guest)


def hostile_holder():
    """Who holds a tap may do things to it; it goes all the same, and its name never comes again."""
    with Cast() as cast:
        client, guest = attach()
        fcntl.ioctl(guest.tap.fd, TUNSETPERSIST, 1)
        client.close()
        empty("a tap that its holder has made persistent goes", wait_clean())

        client, guest = attach()
        fcntl.ioctl(guest.tap.fd, SIOCSIFHWADDR, struct.pack("16sH6s8x", b"", 1, bytes.fromhex("525400abcdef")))
        other_client, other = attach()
        data = marker()
        guest.udp(other.address, EAR, data)
        other.mode = "nat"
        cast.settle(other)
        check("a tap with another MAC address of its own is filtered as before", not other.has(data))
        client.close()
        other_client.close()
        empty("a tap with another MAC address of its own goes", wait_clean())

        # The connection is gone, the descriptor is not: QEMU that hangs on to it.
        client, guest = attach()
        kept = os.dup(guest.tap.fd)
        client.close()
        empty("without its connection a tap goes, even while somebody holds its descriptor", wait_clean())
        os.close(kept)

        # And the other way round, as QEMU does: the connection's duplicate keeps it.
        client, guest = attach()
        duplicate = client.sock.dup()
        client.sock.close()
        data = marker()
        guest.udp("8.8.8.8", EAR, data)
        cast.world_ear.wait(data)
        check("a duplicate of the connection keeps the VM's network", links("tart-") == [guest.name])
        duplicate.close()
        empty("the last duplicate ends it", wait_clean())
        client.attached[0].close()
    empty("hostile holder: nothing is left", cast.left)


def without_waiting():
    """Clients that go before they are answered."""
    keeper = Keeper()
    from netd_client import encode  # pylint: disable=import-outside-toplevel
    for number in range(200 if LONG else 60):
        client = Client()
        for _ in range(1 + number % 3):
            client.send(encode("attach", mode=("nat", "softnet", "host")[number % 3], mac=random_mac(), vm="v", interface="",
                               allow=["0.0.0.0/0"] if number % 3 == 1 else [], block=[], expose=[]))
        client.sock.close()
    empty("clients that go before they are answered leave nothing", wait_clean())
    check("the keeper answers", Client().status().nics == 0)
    keeper.kill()


def keeper_dies():
    """The VMs of a keeper that was killed go on, filtered; the next keeper finds them."""
    for options in ((), ("--never-persist",)):
        title = "plain tables" if options else "keeper dies"
        with Cast(*options) as cast:
            client, guest = attach("softnet", vm="survivor", expose="2222:7001")
            guest.mode = "softnet"
            lost_client, lost = attach()
            cast.keeper.kill()
            with expects(f"{title}: its clients see it", Gone):
                client.status()
            data, stopped = marker(), marker()
            guest.udp("8.8.8.8", EAR, data)
            cast.world_ear.wait(data)
            check(f"{title}: the VM goes on", True)
            guest.udp("10.1.2.3", EAR, stopped)
            guest.udp("8.8.8.8", EAR, stopped, src_mac="52:54:00:66:66:66")
            cast.settle(guest)
            check(f"{title}: filtered as before", not cast.world_ear.find(stopped))
            lost_client.close()
            wait_until(lambda: lost.name not in taps(), "the kernel drops the tap")
            cast.keeper = Keeper(*options)
            with Client() as again:
                nics = again.list()
                equal(f"{title}: the next keeper has the VM", [(nic.vm, nic.tap, nic.address, nic.mode) for nic in nics],
                      [("survivor", guest.name, guest.address, "softnet")])
                with expects(f"{title}: who has ended meanwhile is forgotten", Refused, code="missing"):
                    again.reattach(lost.name)
                answer = again.reattach(guest.name)
                equal(f"{title}: reattached, with the same address and no descriptor", (answer.address, answer.fds),
                      (guest.address, []))
                with Client() as thief, expects(f"{title}: reattached once only", Refused, code="denied"):
                    thief.reattach(guest.name)
                equal(f"{title}: its lists are as they were", dict(again.policy(guest.name))["expose"], ["2222:7001"])
                equal(f"{title}: DHCP answers again", guest.dhcp().address, guest.address)
                data, stopped = marker(), marker()
                guest.udp("8.8.8.8", EAR, data)
                cast.world_ear.wait(data)
                guest.udp("10.1.2.3", EAR, stopped)
                cast.settle(guest)
                check(f"{title}: filtered as before by the next one", not cast.world_ear.find(stopped))
            # Reattached: the connection is its life again, whoever holds the descriptor.
            empty(f"{title}: with the new connection the VM ends", wait_clean())
            client.close()

            client, guest = attach()
            cast.keeper.kill()
            cast.keeper = Keeper(*options)
            equal(f"{title}: one that does not come back is kept as long as its tap is there",
                  [nic.tap for nic in Client().list()], [guest.name])
            client.close()
            empty(f"{title}: and ends with it", wait_clean())

            client, guest = attach()
            fcntl.ioctl(guest.tap.fd, TUNSETPERSIST, 1)
            cast.keeper.kill()
            client.close()
            cast.keeper = Keeper(*options)
            empty(f"{title}: a tap that was made persistent, without anybody, goes", wait_clean())

            if options:
                continue
            client, guest = attach()
            cast.keeper.kill()
            cast.keeper = Keeper(*options)
            fcntl.ioctl(guest.tap.fd, TUNSETPERSIST, 1)
            client.close()
            empty(f"{title}: also when it is left after the next keeper has found it", wait_clean())
        empty(f"{title}: nothing is left", cast.left)


def lingering():
    """A keeper that nobody needs goes, and takes all of its own with it."""
    keeper = Keeper(linger=1)
    client, _ = attach()
    before = len(links())
    client.close()
    code = keeper.wait()
    equal("linger: ends by itself", code, 0)
    check("linger: there was something to take away", before == 2)
    empty("linger: no link of ours is left", links())
    empty("linger: no table of ours is left", has_tables())
    empty("linger: nothing is left", leftovers() + state_files())
    routes = [route for route in ip_json("route", "show", "table", "all") if route.get("dev") == "tart0"]
    empty("linger: no route of ours is left", routes)
    keeper = Keeper(linger=1)
    client, guest = attach()
    check("linger: the next one works", guest.dhcp().address == guest.address)
    client.close()
    keeper.wait()


def orderly_end():
    """SIGTERM, as by systemd: VMs go on, a restarted keeper has them."""
    keeper = Keeper()
    client, guest = attach()
    equal("SIGTERM: exit code", keeper.end(signal.SIGTERM), 0)
    equal("SIGTERM: the VM is still there", taps(), [guest.name])
    keeper = Keeper()
    with Client() as again:
        again.reattach(guest.name)
    client.close()
    empty("SIGTERM: nothing is left", wait_clean())
    keeper.kill()


def restarted_from_files():
    """After a reboot all is as the files say."""
    mac = random_mac()
    keeper = Keeper(conf="subnet = 192.168.77.1\nnetmask = 255.255.0.0\nlease-time = 600\n")
    where = {"subnet": "192.168.0.0/16", "gateway": "192.168.77.1"}
    client, guest = attach(mac=mac)
    answer = guest.dhcp()
    equal("a subnet of one's own: the gateway", guest.gateway, "192.168.77.1")
    equal("a wider mask: the prefix", (guest.answer.prefix, answer.options[1]), (16, f.ip_bytes("255.255.0.0")))
    equal("a shorter lease", [answer.seconds_of(option) for option in (51, 58, 59)], [600, 300, 525])
    address = guest.address
    client.close()
    wait_clean(**where)
    keeper.kill()
    # What a reboot leaves: files, no links, no tables, no /run.
    from netd_host import command, ip  # pylint: disable=import-outside-toplevel
    ip("link", "delete", "tart0")
    for family in has_tables():
        command("nft", "delete", "table", family, "tart", check=False)
    command("rm", "-rf", "/run/tart")
    keeper = Keeper()
    client, guest = attach(mac=mac)
    equal("after a reboot: the same address", (guest.address, guest.gateway), (address, "192.168.77.1"))
    client.close()
    empty("after a reboot: nothing is left", wait_clean(**where))
    keeper.kill()


run_groups([in_sequence, all_at_once, same_address, reused_address, hostile_holder, without_waiting, keeper_dies, lingering,
            orderly_end, restarted_from_files], at_end=[Keeper.end_all])
