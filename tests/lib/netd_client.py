#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A client of tart-netd for tests, written from src/proto/netd.h alone: it shares no code with tart.

    netd_client.py [--socket PATH] [--as USER] REQUEST

    attach [--mode nat|softnet|host|bridged] [--mac MAC] [--vm NAME] [--allow LIST] [--block LIST] [--expose LIST]
           [--interface IF] [--once]
    reattach TAP [--once]         prints the answer, then keeps connection and tap until its stdin ends
    list [--after TAP] [--mac MAC]
    status | reload
    policy TAP [--allow LIST] [--block LIST] [--expose LIST]
    stats TAP
    connect TAP PORT              stdin and stdout are the connection then
    raw HEX                       a packet as it is

Answers are printed as JSON, one a line; descriptors that came are counted in "fds". An error of the keeper is such an
answer, too, and exit code 1.
"""
import argparse
import array
import ipaddress
import json
import os
import pwd
import random
import socket
import struct
import sys
import threading

MAGIC = 0x444E4154
VERSION = 1
MESSAGE_MAX = 65536
SOCKET = "/run/tart/netd.sock"

MODES = ["nat", "softnet", "host", "bridged"]
ERRORS = [None, "invalid", "denied", "limit", "exhausted", "mac-in-use", "port-in-use", "missing", "config", "kernel"]
COUNTERS = ["spoofed", "arp", "dhcp-server", "refused", "dropped", "peer", "inbound", "forged"]


# --- how one field is written: (encode, decode); decode takes a Cursor -------------------------------------------------

class Cursor:
    """What is left of a packet."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, length):
        if self.at + length > len(self.data):
            raise ValueError("the packet ends too early")
        self.at += length
        return self.data[self.at - length:self.at]


def number(letter):
    form = struct.Struct("<" + letter)
    return form.pack, lambda cursor: form.unpack(cursor.take(form.size))[0]


def mapped(kind, encode, decode):
    return lambda value: kind[0](encode(value)), lambda cursor: decode(kind[1](cursor))


U8, U16, U32, U64 = (number(letter) for letter in "BHIQ")
BOOL = mapped(U8, int, bool)
IPV4 = mapped(U32, lambda text: int(ipaddress.IPv4Address(text or 0)), lambda n: str(ipaddress.IPv4Address(n)) if n else None)
MODE = mapped(U8, lambda mode: MODES.index(mode) if mode in MODES else int(mode), lambda n: MODES[n])
ERROR = mapped(U8, ERRORS.index, lambda n: ERRORS[n])
MAC = (lambda text: bytes(int(part, 16) for part in text.split(":")) if text else bytes(6),
       lambda cursor: ":".join(f"{octet:02x}" for octet in cursor.take(6)))
RAW_IPV4 = mapped(U32, lambda text: int(ipaddress.IPv4Address(text)), lambda n: str(ipaddress.IPv4Address(n)))


def encode_text(text):
    data = text if isinstance(text, bytes) else text.encode()
    return U16[0](len(data)) + data


TEXT = (encode_text, lambda cursor: cursor.take(U16[1](cursor)).decode())


def listed(kind):
    def decode(cursor):
        return [kind[1](cursor) for _ in range(U16[1](cursor))]
    return lambda values: U16[0](len(values)) + b"".join(kind[0](value) for value in values), decode


def record(**fields):
    def decode(cursor):
        return {name: kind[1](cursor) for name, kind in fields.items()}
    return lambda values: b"".join(kind[0](values[name]) for name, kind in fields.items()), decode


def several(kind, n):
    return lambda values: b"".join(kind[0](values[i] if i < len(values) else 0) for i in range(n)), \
        lambda cursor: [kind[1](cursor) for _ in range(n)]


def optional(kind):
    """A flag, and the value only if it is set; None: not set."""
    return lambda value: BOOL[0](False) if value is None else BOOL[0](True) + kind[0](value), \
        lambda cursor: kind[1](cursor) if BOOL[1](cursor) else None


def encode_entry(text):
    if text == "@host":
        return BOOL[0](True) + U32[0](0) + U8[0](0)
    net = ipaddress.IPv4Network(text, strict=False)
    return BOOL[0](False) + U32[0](int(net.network_address)) + U8[0](net.prefixlen)


def decode_entry(cursor):
    host, address, prefix = BOOL[1](cursor), U32[1](cursor), U8[1](cursor)
    return "@host" if host else f"{ipaddress.IPv4Address(address)}/{prefix}"


CIDR = (lambda text: encode_entry(text)[1:],
        lambda cursor: f"{RAW_IPV4[1](cursor)}/{U8[1](cursor)}")
POLICY = listed((encode_entry, decode_entry))
EXPOSE = listed((lambda pair: b"".join(U16[0](int(port)) for port in pair.split(":")),
                 lambda cursor: f"{U16[1](cursor)}:{U16[1](cursor)}"))

NIC = record(vm=TEXT, tap=TEXT, uid=U32, mac=MAC, address=IPV4, forward=IPV4, mode=MODE, bound_at_s=U64, expires_s=U64,
             seen_arp_s=U64)
FORWARD = record(tap=TEXT, address=IPV4, alias=IPV4, ports=EXPOSE)

MESSAGES = {
    "attach": (1, record(mode=MODE, mac=MAC, vm=TEXT, interface=TEXT, allow=POLICY, block=POLICY, expose=EXPOSE)),
    "reattach": (2, record(tap=TEXT)),
    "list": (3, record(after=TEXT, has_mac=BOOL, mac=MAC)),
    "status": (4, record()),
    "policy": (5, record(tap=TEXT, allow=optional(POLICY), block=optional(POLICY), expose=optional(EXPOSE))),
    "stats": (6, record(tap=TEXT)),
    "connect": (7, record(tap=TEXT, port=U16)),
    "forward": (8, record()),
    "reload": (9, record()),
    "alias": (10, record(tap=TEXT, alias=IPV4)),
    "r_error": (0x100, record(code=ERROR, text=TEXT)),
    "r_attached": (0x101, record(mode=MODE, tap=TEXT, address=IPV4, gateway=IPV4, prefix=U8, mtu=U16, macvtap=BOOL,
                                 vhost=BOOL, warning=TEXT)),
    "r_list": (0x102, record(nics=listed(NIC))),
    "r_status": (0x103, record(pid=U32, version=TEXT, rootless=BOOL, subnet=CIDR, gateway=IPV4, nics=U32, addresses=U32,
                               lease_s=U32, mtu=U16, isolate_vms=BOOL, persistent_tables=BOOL, dns_running=BOOL,
                               dns=several(IPV4, 3), warnings=TEXT)),
    "r_policy": (0x104, record(tap=TEXT, allow=optional(POLICY), block=optional(POLICY), expose=optional(EXPOSE))),
    "r_stats": (0x105, record(tap=TEXT, counts=several(record(packets=U64, bytes=U64), len(COUNTERS)))),
    "r_connected": (0x106, record()),
    "r_forwards": (0x107, record(more=BOOL, vms=listed(FORWARD))),
    "r_done": (0x108, record()),
}
NAMES = {number: name for name, (number, _) in MESSAGES.items()}


def head(type_number, magic=MAGIC, version=VERSION):
    return struct.pack("<IHH", magic, version, type_number)


def encode(name, **fields):
    type_number, form = MESSAGES[name]
    return head(type_number) + form[0](fields)


def decode(packet):
    """The message's name and its fields. Strict: whatever is not exactly a message is a ValueError."""
    cursor = Cursor(packet)
    magic, version, type_number = struct.unpack("<IHH", cursor.take(8))
    if magic != MAGIC or version != VERSION or type_number not in NAMES:
        raise ValueError(f"not a message: {packet[:8].hex()}")
    name = NAMES[type_number]
    fields = MESSAGES[name][1][1](cursor)
    if cursor.at != len(packet):
        raise ValueError(f"{name}: {len(packet) - cursor.at} bytes too many")
    return name, fields


# --- asking ------------------------------------------------------------------------------------------------------------

class Refused(Exception):
    """The keeper's R_ERROR."""

    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")
        self.code, self.text = code, text


class Gone(Exception):
    """The keeper has closed the connection."""


class Answer(dict):
    """An answer's fields as attributes, too, with `type` and `fds`. The descriptors are whoever's who takes them out."""

    __getattr__ = dict.__getitem__

    def close(self):
        while self["fds"]:
            os.close(self["fds"].pop())


def random_mac(source=random):
    return "52:54:00:" + ":".join(f"{source.randrange(256):02x}" for _ in range(3))


def words(text):
    """A list of options as users write it."""
    return [word for word in text.split(",") if word] if isinstance(text, str) else list(text)


def as_user(user, function):
    """What the function returns, run as another user: credentials of a thread of its own, as the kernel has them."""
    ids = pwd.getpwnam(user) if isinstance(user, str) else None
    uid, gid = (ids.pw_uid, ids.pw_gid) if ids else (user, user)
    groups = os.getgrouplist(ids.pw_name, gid) if ids else []
    result = []

    def run():
        try:
            change_credentials(uid, gid, groups)
            result.append((function(), None))
        except BaseException as error:  # pylint: disable=broad-except
            result.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    value, error = result[0]
    if error:
        raise error
    return value


def change_credentials(uid, gid, groups):
    # The C library changes all threads; the system calls only this one.
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    numbers = {"x86_64": (116, 119, 117), "aarch64": (159, 149, 147)}[os.uname().machine]
    array_of_groups = (ctypes.c_uint32 * len(groups))(*groups)
    for call in ((numbers[0], len(groups), array_of_groups), (numbers[1], gid, gid, gid), (numbers[2], uid, uid, uid)):
        if libc.syscall(*call) != 0:
            raise OSError(ctypes.get_errno(), "cannot become another user")


class Client:
    """One connection. Used as a context manager it closes connection and descriptors."""

    def __init__(self, path=SOCKET, user=None, timeout=60):
        def connect():
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            sock.settimeout(timeout)
            try:
                sock.connect(path)
            except OSError:
                sock.close()
                raise
            return sock
        self.sock = as_user(user, connect) if user is not None else connect()
        self.attached = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the connection, and with it the VM; taps first, as when QEMU has died."""
        for answer in self.attached:
            answer.close()
        self.attached = []
        self.sock.close()

    def send(self, packet, fds=()):
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        try:
            self.sock.sendmsg([packet], rights)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Gone from error

    def receive(self):
        """An Answer of any type. Raises Gone."""
        try:
            packet, rights, _, _ = self.sock.recvmsg(MESSAGE_MAX + 1, socket.CMSG_SPACE(16 * 4), socket.MSG_CMSG_CLOEXEC)
        except ConnectionResetError as error:
            raise Gone from error
        fds = array.array("i")
        for level, kind, data in rights:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(data[:len(data) - len(data) % fds.itemsize])
        if not packet:
            raise Gone
        name, fields = decode(packet)
        return Answer(fields, type=name, fds=list(fds))

    def ask_raw(self, packet):
        self.send(packet)
        return self.receive()

    def ask(self, name, **fields):
        """The answer of the request's kind; raises Refused, Gone."""
        answer = self.ask_raw(encode(name, **fields))
        expected = {"attach": "r_attached", "reattach": "r_attached", "connect": "r_connected", "forward": "r_forwards",
                    "reload": "r_done", "alias": "r_done"}.get(name, "r_" + name)
        if answer.type == "r_error":
            raise Refused(answer.code, answer.text)
        if answer.type != expected:
            raise ValueError(f"{answer.type} is no answer to {name}")
        return answer

    def attach(self, mode="nat", mac=None, vm="vm", allow="", block="", expose="", interface=""):
        mac = mac or random_mac()
        answer = self.ask("attach", mode=mode, mac=mac, vm=vm, interface=interface, allow=words(allow), block=words(block),
                          expose=words(expose))
        answer["mac"] = mac
        self.attached.append(answer)
        return answer

    def reattach(self, tap):
        answer = self.ask("reattach", tap=tap)
        self.attached.append(answer)
        return answer

    def list(self, mac=None):
        """All pages."""
        nics, after = [], ""
        while True:
            page = self.ask("list", after=after, has_mac=mac is not None, mac=mac).nics
            nics += page
            if not page:
                return [Answer(nic) for nic in nics]
            after = page[-1]["tap"]

    def status(self):
        return self.ask("status")

    def policy(self, tap, allow=None, block=None, expose=None):
        """Lists that are None stay as they are."""
        lists = {"allow": allow, "block": block, "expose": expose}
        return self.ask("policy", tap=tap, **{name: None if value is None else words(value) for name, value in lists.items()})

    def stats(self, tap):
        """Packets by counter's name."""
        counts = self.ask("stats", tap=tap).counts
        return {name: count["packets"] for name, count in zip(COUNTERS, counts)}

    def connect(self, tap, port):
        """A connected socket of the VM's port."""
        answer = self.ask("connect", tap=tap, port=port)
        return socket.socket(fileno=answer.fds.pop())

    def reload(self):
        return self.ask("reload")


# --- from a shell ------------------------------------------------------------------------------------------------------

def show(answer):
    print(json.dumps(dict(answer, fds=len(answer["fds"]))), flush=True)


def splice(sock):
    """stdin to the connection, the connection to stdout, each until it ends."""
    def send():
        while data := os.read(0, 65536):
            sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
    threading.Thread(target=send, daemon=True).start()
    while data := sock.recv(65536):
        os.write(1, data)


def arguments():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--socket", default=SOCKET)
    parser.add_argument("--as", dest="user")
    requests = parser.add_subparsers(dest="request", required=True)
    for name in ("attach", "policy"):
        request = requests.add_parser(name)
        for option in ("allow", "block", "expose"):
            request.add_argument("--" + option, default="" if name == "attach" else None)
        if name == "policy":
            request.add_argument("tap")
            continue
        request.add_argument("--mode", default="nat", choices=MODES)
        request.add_argument("--mac")
        request.add_argument("--vm", default="vm")
        request.add_argument("--interface", default="")
        request.add_argument("--once", action="store_true")
    for name in ("reattach", "stats", "connect"):
        requests.add_parser(name).add_argument("tap")
    requests.choices["reattach"].add_argument("--once", action="store_true")
    requests.choices["connect"].add_argument("port", type=int)
    request = requests.add_parser("list")
    request.add_argument("--after", default="")
    request.add_argument("--mac")
    requests.add_parser("raw").add_argument("hex")
    for name in ("status", "reload"):
        requests.add_parser(name)
    return parser.parse_args()


def main():
    args = arguments()
    client = Client(args.socket, args.user)
    try:
        if args.request in ("attach", "reattach"):
            answer = client.reattach(args.tap) if args.request == "reattach" else \
                client.attach(args.mode, args.mac, args.vm, args.allow, args.block, args.expose, args.interface)
            show(answer)
            if not args.once:
                sys.stdin.buffer.read()
        elif args.request == "list":
            show(client.ask("list", after=args.after, has_mac=args.mac is not None, mac=args.mac))
        elif args.request == "policy":
            show(client.policy(args.tap, args.allow, args.block, args.expose))
        elif args.request == "stats":
            show(client.ask("stats", tap=args.tap))
        elif args.request == "connect":
            splice(client.connect(args.tap, args.port))
        elif args.request == "raw":
            show(client.ask_raw(bytes.fromhex(args.hex)))
        else:
            show(client.ask(args.request))
    except Refused as error:
        print(json.dumps({"type": "r_error", "code": error.code, "text": error.text}))
        sys.exit(1)
    except Gone:
        print(json.dumps({"type": "gone"}))
        sys.exit(1)


if __name__ == "__main__":
    main()
