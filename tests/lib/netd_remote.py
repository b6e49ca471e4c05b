# SPDX-License-Identifier: Apache-2.0
"""Real VMs of `tart run`, whose frames are up to the test all the same: tests/guest/frames.c runs in them.

Their kernels go on with what they do: answer ARP requests, and send errors for what they do not know.
"""
import select
import socket
import struct
import time

from netd_cast import Cast
from netd_client import Client
from netd_guest import Guest
from netd_host import PATIENCE, Process, wait_until

PORT = 7000


class Wire:
    """As netd_guest.Tap, by a connection to frames.c."""

    def __init__(self, address):
        self.sock = connect(address)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.fd = self.sock.fileno()
        self.got = b""
        wait_until(lambda: self.receive() == b"", f"the guest at {address} is ready")

    def close(self):
        self.sock.close()

    def send(self, frame):
        self.sock.sendall(struct.pack(">H", len(frame)) + frame)

    def receive(self):
        while not self.is_whole():
            if not select.select([self.fd], [], [], 0)[0]:
                return None
            data = self.sock.recv(65536)
            if not data:
                raise EOFError("the guest has closed the connection")
            self.got += data
        end = 2 + struct.unpack(">H", self.got[:2])[0]
        frame, self.got = self.got[2:end], self.got[end:]
        return frame

    def is_whole(self):
        return len(self.got) >= 2 and len(self.got) >= 2 + struct.unpack(">H", self.got[:2])[0]


def connect(address):
    """The guest may not listen yet."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return socket.create_connection((address, PORT), PATIENCE)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


class RemoteGuest(Guest):
    """`nic`: what the keeper lists."""

    def __init__(self, nic, gateway):  # pylint: disable=super-init-not-called
        self.name, self.mac, self.address, self.mode = nic.tap, nic.mac, nic.address, nic.mode
        self.gateway = gateway
        self.tap = Wire(nic.address)
        self.seen = []
        self.ports = 20000

    def answer_arp(self, frame):
        """Its kernel does."""

    def close(self):
        self.tap.close()


def real_cast(names):
    """The VMs of these names, as attributes of a cast."""
    with Client() as client:
        status = client.status()
        nics = {nic.vm: nic for nic in client.list()}
    cast = Cast.beside(Process(status.pid), status)
    for name in names:
        guest = RemoteGuest(nics[name], status.gateway)
        cast.guests.append(guest)
        cast.closing.append(guest)
        setattr(cast, name, guest)
    return cast
