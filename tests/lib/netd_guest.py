# SPDX-License-Identifier: Apache-2.0
"""A guest on a real tap of the keeper's: what it sends is up to the test.

Guest is a minimal stack that the test drives: it answers ARP requests for its address and nothing else by itself.
RealGuest is a namespace with the kernel's stack behind the tap, for real programs; frames can still be slipped in.
"""
import collections
import fcntl
import os
import random
import select
import socket
import struct
import threading
import time

import netd_frames as f
from netd_host import PATIENCE, command, inside, ip, sysctl

TUNSETIFF, TUNGETVNETHDRSZ, TUNSETVNETHDRSZ = 0x400454CA, 0x800454D7, 0x400454D8
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 2, 0x1000, 0x4000
CHECKSUM_MISSING = 1  # VIRTIO_NET_HDR_F_NEEDS_CSUM


def marker(source=random):
    """Bytes that no other packet has."""
    return b"<%016x>" % source.getrandbits(64)


class Tap:
    """The guest's end: a descriptor that gives and takes frames behind a virtio-net header."""

    def __init__(self, fd):
        self.fd = fd
        os.set_blocking(fd, False)
        size = fcntl.ioctl(fd, TUNGETVNETHDRSZ, struct.pack("i", 0))
        self.header = struct.unpack("i", size)[0]

    def send(self, frame):
        return os.write(self.fd, bytes(self.header) + frame)

    def receive(self):
        """A frame's bytes, or None when there is none now."""
        try:
            return os.read(self.fd, 65536 + self.header)[self.header:]
        except BlockingIOError:
            return None


class Guest:
    """One NIC: `answer` is what attach gave. Frames that came are in `seen`, until forget()."""

    def __init__(self, answer, mac=None):
        self.answer = answer
        self.name, self.mac = answer.tap, mac or answer.mac
        self.address, self.gateway = answer.address, answer.gateway
        self.tap = Tap(answer.fds[0])
        self.seen = []
        self.ports = 20000

    def send(self, frame):
        self.tap.send(frame)

    def drain(self):
        """Takes in what has come, and answers what a network card's owner has to."""
        while (data := self.tap.receive()) is not None:
            frame = f.Frame(data)
            self.seen.append(frame)
            self.answer_arp(frame)
        return self

    def answer_arp(self, frame):
        if frame.kind == f.ARP and frame.operation == 1 and frame.dst == self.address:
            self.send(f.arp_reply(self.mac, self.address, frame.sender_mac, frame.src))

    def forget(self):
        self.drain()
        self.seen.clear()

    def find(self, wanted):
        """The first frame that came for which wanted(frame) is true, or None. Does not wait."""
        self.drain()
        return next((frame for frame in self.seen if wanted(frame)), None)

    def wait(self, wanted, what="a frame", seconds=PATIENCE):
        deadline = time.monotonic() + seconds
        while not (frame := self.find(wanted)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name}: {what} has not come; but {self.seen[-5:]}")
            select.select([self.tap.fd], [], [], 1)
        return frame

    def has(self, data):
        """Whether bytes have come anywhere in a frame."""
        return self.find(lambda frame: data in frame.data) is not None

    def wait_for(self, data):
        return self.wait(lambda frame: data in frame.data, repr(data))

    # Honest traffic.

    def new_port(self):
        self.ports += 1
        return self.ports

    def udp(self, dst, port, data, sport=None, **otherwise):
        """A datagram by way of the gateway. `otherwise`: src, src_mac, dst_mac that are not as they should be."""
        self.send(self.udp_frame(dst, port, data, sport, **otherwise))

    def udp_frame(self, dst, port, data, sport=None, src=None, src_mac=None, dst_mac=None):
        return f.udp_frame(dst_mac or f.GATEWAY_MAC, src_mac or self.mac, src or self.address, dst, sport or self.new_port(),
                           port, data)

    def syn(self, dst, port, sport=None, dst_mac=None):
        """Begins a connection; the port that it is from."""
        sport = sport or self.new_port()
        self.send(f.tcp_frame(dst_mac or f.GATEWAY_MAC, self.mac, self.address, dst, sport, port, f.SYN))
        return sport

    def reset(self, dst, port, sport):
        self.send(f.tcp_frame(f.GATEWAY_MAC, self.mac, self.address, dst, sport, port, f.RST, seq=2))

    def ping(self, dst, ident=None, data=b""):
        ident = ident or self.new_port()
        self.send(f.eth(f.GATEWAY_MAC, self.mac, f.ipv4(self.address, dst, f.ping(ident, 1, data), f.ICMP)))

    def dhcp(self, address=None):
        """The four messages, again every second without an answer, as clients do; the ACK. `address`: ask for this one
        instead of taking what is offered."""
        xid = random.getrandbits(32)

        def ask(kind, *options):
            frame = f.dhcp_client_frame(self.mac, kind, xid, options=options)
            deadline = time.monotonic() + PATIENCE
            while True:
                self.send(frame)
                try:
                    return self.wait(is_answer, "DHCP", 1).dhcp()
                except TimeoutError:
                    if time.monotonic() > deadline:
                        raise

        def is_answer(frame):
            return frame.dhcp() and frame.dhcp().xid == xid and (frame.dhcp().type == f.OFFER) == discovering

        discovering = True
        offer = ask(f.DISCOVER)
        discovering = False
        return ask(f.REQUEST, (50, f.ip_bytes(address or offer.address)), (54, offer.options[54]))


class RealGuest(Guest):
    """A namespace of the guest's own, `self.where`, with the tap as its eth0."""

    count = 0

    def __init__(self, answer, mac=None, configure=True):
        super().__init__(answer, mac)
        RealGuest.count += 1
        self.where = f"guest{RealGuest.count}"
        self.lock = threading.Lock()
        self.seen = collections.deque(maxlen=4096)
        ip("netns", "add", self.where)
        with inside(self.where):
            sysctl("net.ipv6.conf.default.disable_ipv6", 1)
            self.card = Tap(open_tap("eth0", self.tap.header))
        ip("link", "set", "eth0", "address", self.mac, "mtu", str(answer.mtu), where=self.where)
        ip("link", "set", "lo", "up", where=self.where)
        ip("link", "set", "eth0", "up", where=self.where)
        self.quit, self.quitter = os.pipe()
        self.pump = threading.Thread(target=self.run, daemon=True)
        self.pump.start()
        if configure:
            self.configure()

    def configure(self):
        ip("address", "add", f"{self.address}/{self.answer.prefix}", "dev", "eth0", where=self.where)
        ip("route", "add", "default", "via", self.gateway, where=self.where)

    def run(self):
        """Carries frames with their headers, so that checksums may stay unfinished, as in a real guest."""
        other = {self.tap.fd: self.card.fd, self.card.fd: self.tap.fd}
        poll = select.poll()
        for fd in (*other, self.quit):
            poll.register(fd, select.POLLIN)
        while True:
            for fd, events in poll.poll():
                if fd == self.quit or events & ~select.POLLIN:
                    return
                self.carry(fd, other[fd])

    def carry(self, fd, other):
        for _ in range(64):
            try:
                data = os.read(fd, 65536 + self.tap.header)
            except OSError:
                return
            if fd == self.tap.fd:
                with self.lock:
                    self.seen.append(f.Frame(data[self.tap.header:]))
            try:
                os.write(other, data)
            except OSError:
                pass  # the link is down or its queue full: frames get lost

    def drain(self):
        return self

    def find(self, wanted):
        with self.lock:
            return next((frame for frame in self.seen if wanted(frame)), None)

    def wait(self, wanted, what="a frame", seconds=PATIENCE):
        deadline = time.monotonic() + seconds
        while not (frame := self.find(wanted)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name}: {what} has not come; but {list(self.seen)[-5:]}")
            time.sleep(0.002)
        return frame

    def forget(self):
        with self.lock:
            self.seen.clear()

    def close(self):
        os.close(self.quitter)
        self.pump.join()
        os.close(self.card.fd)
        os.close(self.quit)
        ip("netns", "delete", self.where)

    # Programs and sockets in it.

    def run_there(self, *words, check=True):
        return command(*words, where=self.where, check=check)

    def connect(self, address, port, seconds=PATIENCE):
        """A connected socket; raises what connect() raises."""
        with inside(self.where):
            sock = socket.socket()
        sock.settimeout(seconds)
        try:
            sock.connect((address, port))
        except OSError:
            sock.close()
            raise
        return sock


def open_tap(name, header):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
    fcntl.ioctl(fd, TUNSETVNETHDRSZ, struct.pack("i", header))
    return fd
