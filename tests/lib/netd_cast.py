# SPDX-License-Identifier: Apache-2.0
"""The VMs, ears and barriers that the packet suites share.

A check that something does not arrive must not wait for time to pass. It sends a barrier behind what it tries: honest
packets on the same way, which the kernel handles in order, for this program stays on one CPU. When they have come, what
went before them has come, too, or never will.
"""
import os
import select
import socket
import struct
import threading

import netd_frames as f
from netd_client import Client
from netd_guest import Guest, RealGuest, marker
from netd_host import HOST_LAN, PATIENCE, WORLD_LAN, Ear, Keeper, inside, ip, listen_tcp, say, taps, wait_clean, wait_until

DNS_ANSWER = bytes([1, 2, 3, 4])
EAR, SERVICE = 7000, 7001  # the UDP and TCP ports where world and host listen
FLOW = 9  # a guest's port that the host talks to


class Cast:
    """A keeper and what goes on around it, for a `with`. vm() adds VMs. Afterwards, what they have left is in `left`."""

    def __init__(self, *options, conf="", world_knows_vms=True):
        self.keeper = Keeper(*options, conf=conf)
        with Client() as client:
            # The network comes with the first VM, and stays: an automatic subnet is not known before.
            client.attach()
            self.status = client.status()
        wait_until(lambda: not taps(), "the first VM is gone")
        self.set_up(world_knows_vms)

    @classmethod
    def beside(cls, keeper, status):
        """A cast for VMs that there are already. They are not this cast's to end."""
        cast = cls.__new__(cls)
        cast.keeper, cast.status = keeper, status
        cast.set_up(True)
        return cast

    def set_up(self, world_knows_vms):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        self.gateway = self.status.gateway
        self.clients, self.guests, self.closing, self.left, self.flows = [], [], [], [], {}
        self.world_ear, self.host_ear = Ear("net", EAR, echo=True), Ear(None, EAR, echo=True)
        self.closing += [self.world_ear, self.host_ear, *(listen_tcp(where, SERVICE) for where in ("net", None))]
        if world_knows_vms:
            ip("route", "replace", self.status.subnet, "via", HOST_LAN, where="net")
        # So that no first packet waits for an answer to ARP.
        data = marker()
        say(None, WORLD_LAN, EAR, data)
        self.world_ear.wait(data)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for guest in self.guests:
            if isinstance(guest, RealGuest):
                guest.close()
        for thing in self.closing + self.clients:
            thing.close()
        self.left = [] if kind else wait_clean(subnet=self.status.subnet, gateway=self.gateway)
        self.keeper.kill()

    def vm(self, mode, real=False, user=None, **wish):
        client = Client(user=user)
        self.clients.append(client)
        answer = client.attach(mode, vm=f"{mode}{len(self.clients)}", **wish)
        guest = RealGuest(answer) if real else Guest(answer)
        guest.mode, guest.client = mode, client
        self.guests.append(guest)
        return guest

    def forget(self):
        for guest in self.guests:
            guest.forget()
        self.world_ear.forget()
        self.host_ear.forget()

    # Barriers.

    def settle(self, *guests):
        """All that these guests have sent, what came of it in the world, and all that was sent to them, has arrived or never
        will. What the host has begun passes whatever a guest's lists say, so the barrier is such a flow."""
        for guest in guests:
            self.host_goes(guest)
        data = marker()
        say(None, WORLD_LAN, EAR, data)
        self.world_ear.wait(data)
        for guest in guests:
            self.to_guest(guest)

    def to_guest(self, guest):
        data = marker()
        self.flow(guest).sendto(data, (guest.address, FLOW))
        guest.wait_for(data)

    def flow(self, guest):
        if guest.name not in self.flows:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind((self.gateway, 0))
            sock.settimeout(PATIENCE)
            self.flows[guest.name] = sock
            self.closing.append(sock)
        return self.flows[guest.name]

    def flow_wait(self, guest, data):
        # Not connected: a guest's own stack, which knows nothing of the flow, sends errors.
        while self.flow(guest).recv(4096) != data:
            pass

    def host_goes(self, guest):
        """The host asks a guest, and is answered."""
        self.to_guest(guest)
        data = marker()
        guest.udp(self.gateway, self.flow(guest).getsockname()[1], data, sport=FLOW)
        self.flow_wait(guest, data)
        return True

    def settle_world(self):
        """The same for what the world has sent to the host."""
        data = marker()
        say("net", HOST_LAN, EAR, data)
        self.host_ear.wait(data)

    # Whether something got through. What should is waited for; what should not gets a barrier.

    def udp_goes(self, guest, address, ear, expected):
        """A datagram by way of the gateway to an ear, and its echo back."""
        data = marker()
        guest.udp(address, EAR, data)
        if expected:
            ear.wait(data)
            guest.wait_for(data)
            return True
        self.settle(guest)
        return ear.find(data) is not None

    def tcp_goes(self, guest, address, expected, port=SERVICE):
        """Whether a listener answers."""
        sport = guest.syn(address, port)

        def is_answer(frame):
            return frame.protocol == f.TCP and frame.src == address and frame.dport == sport and frame.flags & f.SYN

        if expected:
            guest.wait(is_answer, f"the answer of {address}:{port}")
        else:
            self.settle(guest)
        came = guest.find(is_answer) is not None
        if came:
            guest.reset(address, port, sport)
        return came

    def ping_goes(self, guest, address, expected):
        data = marker()
        guest.ping(address, data=data)

        def is_answer(frame):
            return frame.icmp == (0, 0) and frame.src == address and data in frame.data

        if expected:
            guest.wait(is_answer, f"the echo of {address}")
            return True
        self.settle(guest)
        return guest.find(is_answer) is not None

    def is_told(self, guest, address):
        """That it may not go there: ICMP "communication administratively prohibited"."""
        data = marker()
        guest.udp(address, EAR, data)
        guest.wait(lambda frame: frame.icmp == (3, 13) and data in frame.data, f"the refusal of {address}")
        return True

    def reaches_guest(self, send, guest, *others):
        """Whether the marker that send(marker) sends is on the guest's tap; `others` send barriers, too."""
        data = marker()
        send(data)
        self.settle(*others, guest)
        return guest.has(data)


def raw_socket(where, device, kind=3):
    """An AF_PACKET socket: what comes and goes at a device."""
    with inside(where):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(kind))
    sock.bind((device, kind))
    sock.setblocking(False)
    return sock


def received(sock):
    """What has come there."""
    frames = []
    while True:
        try:
            frames.append(sock.recv(65536))
        except BlockingIOError:
            return frames


class Resolver:
    """The world's DNS server: every name is 1.2.3.4 there."""

    def __init__(self, address="8.8.8.8", where="net"):
        with inside(where):
            self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((address, 53))
        self.end, self.ending = os.pipe()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while self.end not in select.select([self.sock, self.end], [], [])[0]:
            data, source = self.sock.recvfrom(4096)
            name_and_type = data[12:data.index(b"\0", 12) + 5]
            self.sock.sendto(data[:2] + b"\x81\x80" + struct.pack(">HHHH", 1, 1, 0, 0) + name_and_type +
                             b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + DNS_ANSWER, source)

    def close(self):
        os.close(self.ending)
        self.thread.join()
        os.close(self.end)
        self.sock.close()


def dns_query(name, ident=0x7461):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">HHHHHH", ident, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", 1, 1)



MODES = ("nat", "softnet", "host")
SOMEBODY = "52:54:00:66:66:66"  # nobody's MAC address


def whole_cast(*options, conf=""):
    """VMs of every mode, with the kernel's stack each; and as raw taps a victim, one with exposed ports, and two peers."""
    cast = Cast(*options, conf=conf)
    for mode in MODES:
        setattr(cast, mode, cast.vm(mode, real=True))
    cast.victim = cast.vm("nat")
    cast.exposed = cast.vm("softnet", expose="2222:7001,2223:7002")
    cast.peer, cast.peer2 = (cast.vm("softnet", allow="0.0.0.0/0") for _ in range(2))
    return cast


def layer_two(attacker, target):
    """Ways to another VM past the router: name, what makes the frame from a marker, whether an ordinary router lets it
    through."""
    def frame(dst_mac, dst):
        return lambda data: attacker.udp_frame(dst, EAR, data, dst_mac=dst_mac)
    return [("a frame to its MAC address", frame(target.mac, target.address), False),
            ("a packet by way of the gateway", frame(f.GATEWAY_MAC, target.address), True),
            ("its address in a frame to everybody", frame(f.BROADCAST, target.address), False),
            ("a limited broadcast", frame(f.BROADCAST, "255.255.255.255"), False),
            ("the subnet's broadcast", frame(f.BROADCAST, "192.168.64.255"), False),
            ("the subnet's broadcast by way of the gateway", frame(f.GATEWAY_MAC, "192.168.64.255"), False),
            ("multicast DNS", lambda data: f.udp_frame("01:00:5e:00:00:fb", attacker.mac, attacker.address, "224.0.0.251",
                                                       5353, 5353, data), False)]
