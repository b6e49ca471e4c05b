#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The last column of the contract: --net-bridged, by a Linux bridge and by macvtap. network.md 2, 2.4.

    tests/lib/netd_lab.sh tests/net/bridged.py [GROUP]
"""
import os
import pathlib
import select
import struct
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

# pylint: disable=wrong-import-position
import netd_frames as f
from netd_cast import EAR, raw_socket
from netd_check import check, empty, equal, expects, run_groups, skip
from netd_client import Client, Refused
from netd_guest import Guest, marker
from netd_host import (HOST_LAN, IS_ROOT, LONG, STATE, WORLD_LAN, Ear, Keeper, command, ip, ip_json, leftovers, links, say,
                       state_files, taps, wait_until)


class LanServer:
    """The LAN's own DHCP server, at a device of the world's."""

    def __init__(self, device, address, pool):
        self.sock = raw_socket("net", device, f.IP)
        self.mac = ip_json("link", "show", device, where="net")[0]["address"]
        self.address, self.pool, self.given = address, pool, {}
        self.end, self.ending = os.pipe()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while self.end not in select.select([self.sock, self.end], [], [])[0]:
            data = self.sock.recv(4096)
            frame = f.Frame(data)
            if frame.protocol == f.UDP and frame.dport == 67 and len(frame.payload) > 242:
                self.answer(frame)

    def answer(self, frame):
        kind, xid = frame.payload[242], struct.unpack(">I", frame.payload[4:8])[0]
        if kind not in (f.DISCOVER, f.REQUEST):
            return
        mac = frame.src_mac
        address = self.given.setdefault(mac, f"{self.pool}{100 + len(self.given)}")
        options = [(54, f.ip_bytes(self.address)), (51, struct.pack(">I", 3600)), (1, f.ip_bytes("255.255.255.0")),
                   (3, f.ip_bytes(self.address)), (6, f.ip_bytes("8.8.8.8"))]
        answer = f.dhcp(2, f.OFFER if kind == f.DISCOVER else f.ACKNOWLEDGE, xid, mac, yiaddr=address, siaddr=self.address,
                        options=options)
        self.sock.send(f.udp_frame(mac, self.mac, self.address, address, 67, 68, answer))

    def close(self):
        os.close(self.ending)
        self.thread.join()
        os.close(self.end)
        self.sock.close()


class Lan:
    """One LAN for a test: a keeper that may bridge to it, its server, an ear in the world and one on the host."""

    def __init__(self, interface, device, address, host):
        self.interface, self.address, self.host = interface, address, host
        self.server = LanServer(device, address, address.rpartition(".")[0] + ".")
        self.mac = self.server.mac
        self.world_ear, self.host_ear = Ear("net", EAR, echo=True), Ear(None, EAR, echo=True)
        self.keeper = Keeper(conf=f"allow-bridged = {interface}\n")
        self.clients = []

    def vm(self, user=None):
        client = Client(user=user)
        self.clients.append(client)
        guest = Guest(client.attach("bridged", interface=self.interface, vm=f"vm{len(self.clients)}"))
        guest.client = client
        return guest

    def close(self):
        for thing in (*self.clients, self.server, self.world_ear, self.host_ear):
            thing.close()
        name = f"bridged to {self.interface}: nothing is left"
        try:
            wait_until(lambda: not leftovers(), name, 20)
        except TimeoutError:
            pass
        empty(name, leftovers() + state_files() + taps())
        self.keeper.kill()


def lease(lan, guest, title):
    """An address of the LAN's, which the keeper sees."""
    equal(f"{title}: the keeper reserves none", guest.address, None)
    answer = guest.dhcp()
    equal(f"{title}: the LAN's server answers", answer.address_of(54), lan.address)
    guest.address, guest.gateway = answer.address, lan.address
    nic = wait_until(lambda: next((nic for nic in guest.client.list() if nic.address == answer.address), None),
                     "the keeper sees the lease")
    check(f"{title}: the keeper has seen the lease", nic.bound_at_s > 0 and nic.expires_s - nic.bound_at_s == 3600, nic)
    guest.send(f.arp_request(guest.mac, guest.address, lan.address))
    guest.wait(lambda frame: frame.kind == f.ARP and frame.operation == 2 and frame.src == lan.address, "the LAN's ARP")
    wait_until(lambda: any(nic.seen_arp_s for nic in guest.client.list() if nic.tap == guest.name), "the keeper sees ARP")
    check(f"{title}: the keeper has seen ARP from it", True)


def lan_rows(lan, guest, title):
    """What a machine in the LAN can do, a bridged VM can."""
    for what, address in (("the LAN", lan.address), ("the internet, by the LAN's router", "8.8.8.8"),
                          ("private networks", "10.1.2.3")):
        data = marker()
        guest.udp(address, EAR, data, dst_mac=lan.mac)
        heard = lan.world_ear.wait(data)
        equal(f"{title}: reaches {what}, as itself", heard[1], guest.address)
        guest.wait_for(data)
    data = marker()
    say("net", guest.address, EAR, data)
    guest.wait_for(data)
    check(f"{title}: the LAN reaches it, unsolicited", True)
    data = marker()
    guest.udp(lan.address, EAR, data, dst_mac=lan.mac, src_mac="52:54:00:66:66:66" if lan.interface == "br1" else None,
              src=guest.address)
    lan.world_ear.wait(data)
    check(f"{title}: is not filtered", True)


def by_bridge():
    """IF is a Linux bridge: the tap is a port of it."""
    ip("link", "add", "br1", "type", "bridge")
    ip("link", "add", "up1", "type", "veth", "peer", "name", "lan1", "netns", "net")
    ip("link", "set", "up1", "master", "br1", "up")
    ip("address", "add", "10.98.0.2/24", "dev", "br1")
    ip("link", "set", "br1", "up")
    ip("address", "add", "10.98.0.1/24", "dev", "lan1", where="net")
    ip("link", "set", "lan1", "up", where="net")
    lan = Lan("br1", "lan1", "10.98.0.1", "10.98.0.2")
    guest, other = lan.vm(), lan.vm()
    equal("bridge: the tap is a port of it", sorted(link["ifname"] for link in ip_json("link", "show", "master", "br1")),
          sorted(["up1", guest.name, other.name]))
    check("bridge: it is no macvtap, and needs no warning", not guest.answer.macvtap and guest.answer.warning == "")
    lease(lan, guest, "bridge")
    other.address = other.dhcp().address
    lan_rows(lan, guest, "bridge")
    bridge_mac = ip_json("link", "show", "br1")[0]["address"]
    data = marker()
    guest.udp(lan.host, EAR, data, dst_mac=bridge_mac)
    lan.host_ear.wait(data)
    check("bridge: reaches the host", True)
    data = marker()
    say(None, guest.address, EAR, data)
    wait_until(lambda: guest.has(data), "the host's packet, which waits for ARP")
    check("bridge: the host reaches it", True)
    data = marker()
    guest.udp(other.address, EAR, data, dst_mac=other.mac)
    other.wait_for(data)
    check("bridge: reaches another VM", True)
    ear6 = Ear("net", EAR, "::")
    ip("address", "add", "fd98::1/64", "dev", "lan1", "nodad", where="net")
    data = marker()

    def heard_in_ipv6():  # again and again: a busy kernel adds the address's route a while after the address
        guest.send(f.udp6_frame(lan.mac, guest.mac, "fd98::66", "fd98::1", 9, EAR, data))
        return ear6.find(data)

    wait_until(heard_in_ipv6, "the guest's packet in IPv6")
    check("bridge: IPv6 of the LAN", True)
    ear6.close()
    lan.close()
    ports = [link["ifname"] for link in ip_json("link", "show", "master", "br1")]
    equal("bridge: it has its own port only, again", ports, ["up1"])
    ip("link", "delete", "up1")
    ip("link", "delete", "br1")


def by_macvtap():
    """IF is another device: macvtap. Its node in /dev is for those who may open it: not in a user's namespace."""
    if not IS_ROOT:
        skip("macvtap", "needs root: device nodes")
        return
    command("mount", "-t", "sysfs", "sysfs", "/sys")  # of this namespace: it says which node a macvtap has
    command("sed", "-i", "/^tart-netd:/d", "/etc/passwd")  # the node is root's: there is no udev here that would give it away
    command("rm", "-rf", "/run/tart", "/var/lib/tart")
    lan = Lan("uplink", "lan", WORLD_LAN, HOST_LAN)
    guest = lan.vm()
    check("macvtap: it is one, and the user is warned", guest.answer.macvtap and guest.answer.warning != "", guest.answer)
    lease(lan, guest, "macvtap")
    lan_rows(lan, guest, "macvtap")
    uplink_mac = ip_json("link", "show", "uplink")[0]["address"]
    data, behind = marker(), marker()
    guest.udp(HOST_LAN, EAR, data, dst_mac=uplink_mac)
    guest.udp(lan.address, EAR, behind, dst_mac=lan.mac)
    lan.world_ear.wait(behind)
    check("macvtap: as warned, it does not reach the host", not lan.host_ear.find(data))
    # A keeper that dies leaves the link, which does not go with the descriptor. The next one cannot know whether a VM has it:
    # one that it has a file of has two minutes to come back.
    lan.keeper.kill()
    equal("macvtap: without a keeper the link stays", links("tart-"), [guest.name])
    lan.keeper = Keeper()
    with Client() as again:
        again.reattach(guest.name)
        data = marker()
        guest.udp(lan.address, EAR, data, dst_mac=lan.mac)
        lan.world_ear.wait(data)
        check("macvtap: its VM comes back to the next keeper", True)
    lan.clients.pop().close()
    wait_until(lambda: not taps(), "the link is gone with the VM")
    guest = lan.vm()
    lan.keeper.kill()
    lan.clients.pop().close()
    (STATE / "vms" / f"{guest.name}.json").unlink()
    lan.keeper = Keeper()
    equal("macvtap: the next keeper takes away what is nobody's", taps(), [])
    guest = lan.vm()
    if LONG:
        lan.keeper.kill()
        lan.clients.pop().close()
        lan.keeper = Keeper()
        wait_until(lambda: not taps(), "the VM has not come back", 180)
        check("macvtap: and, when its VM does not come back, what was that one's", True)
    lan.close()


def refused():
    """What cannot be bridged says why, and what to do."""
    ip("link", "add", "br1", "type", "bridge")
    ip("link", "add", "up1", "type", "veth", "peer", "name", "lan1")
    ip("link", "set", "up1", "master", "br1")
    keeper = Keeper(conf="allow-bridged = up1, lo\n")
    with Client() as client:
        client.attach()
        for name, word in (("up1", "br1"), ("lo", "lo"), ("tart0", "tart0"), ("nosuch0", "nosuch0")):
            with expects(f"bridged to {name}: refused", Refused) as caught:
                client.attach("bridged", interface=name)
            check(f"bridged to {name}: the reason names {word}", word in getattr(caught.error, "text", ""), caught.error)
        with expects("bridged to a VM's tap: refused", Refused):
            client.attach("bridged", interface=client.attached[0].tap)
    wait_until(lambda: not leftovers(), "nothing is left")
    if IS_ROOT:
        ip("link", "set", "lan1", "up")
        with Client(user="alice") as alice:
            with expects("bridged: a user, to what is not in allow-bridged", Refused, code="denied"):
                alice.attach("bridged", interface="br1")
            write = pathlib.Path("/etc/tart/network.conf")
            write.write_text("allow-bridged = br1\n", encoding="ascii")
            Client().reload()
            check("bridged: a user, to what is", alice.attach("bridged", interface="br1").address is None)
    else:
        skip("bridged: a user, to what is not in allow-bridged", "needs a host with several users: root")
    wait_until(lambda: not leftovers(), "nothing is left")
    keeper.kill()
    command("ip", "link", "delete", "up1")
    command("ip", "link", "delete", "br1")


run_groups([by_bridge, by_macvtap, refused], at_end=[Keeper.end_all])
