#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plays tart-netd for tests of tart: fake_keeper.py SOCKET FOLDER

Answers requests on SOCKET until it is killed. FOLDER/answers.json, read anew for each request, maps the name of a request
("attach", "list", ...) to what is answered: fields as netd_client.py has them, and

    "type"      "r_error", "close" (the connection ends), "silence"; without it, what is right for the request
    "fds"       how many descriptors (of /dev/null) come with it
    "to"        for "connect": a port of 127.0.0.1, a connection to which comes with it

or to a list of such answers, used in turn; the last one stays. What a test leaves out is filled in: a NIC of the right mode
with one descriptor; as "list", the NICs that are attached, each bound; as "status", something. FOLDER/log gets a JSON line
for each connection that is opened or closed and for each request.
"""
import array
import json
import os
import selectors
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import netd_client as proto  # pylint: disable=wrong-import-position

RIGHT = {"attach": "r_attached", "reattach": "r_attached", "reload": "r_done", "alias": "r_done", "connect": "r_connected",
         "forward": "r_forwards"}


class Keeper:
    def __init__(self, path, folder):
        self.folder = folder
        self.turns = {}  # how often each request has been answered
        self.nics = {}  # of each connection, by tap
        self.n_taps = self.n_connections = 0
        self.selector = selectors.DefaultSelector()
        self.log = open(os.path.join(folder, "log"), "a", buffering=1, encoding="utf-8")
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Who sees the name can connect.
        self.listener.bind(path + ".new")
        self.listener.listen()
        os.rename(path + ".new", path)
        self.selector.register(self.listener, selectors.EVENT_READ)

    def note(self, number, what, **fields):
        print(json.dumps({"connection": number, "type": what, **fields}), file=self.log)

    def accept(self):
        connection, _ = self.listener.accept()
        self.n_connections += 1
        self.selector.register(connection, selectors.EVENT_READ, self.n_connections)
        self.nics[self.n_connections] = {}
        self.note(self.n_connections, "opened")

    def close(self, connection, number):
        self.selector.unregister(connection)
        connection.close()
        del self.nics[number]
        self.note(number, "closed")

    def wanted(self, name):
        """What the test says about this request."""
        try:
            with open(os.path.join(self.folder, "answers.json"), encoding="utf-8") as file:
                answer = json.load(file).get(name, {})
        except FileNotFoundError:
            return {}
        if isinstance(answer, dict):
            return dict(answer)
        turn = self.turns.get(name, 0)
        self.turns[name] = turn + 1
        return dict(answer[min(turn, len(answer) - 1)])

    def add_nic(self, number, request, answer):
        """The NIC that was attached, as `list` shows it."""
        now = int(time.time())
        self.nics[number][answer["tap"]] = {
            "vm": request["vm"], "tap": answer["tap"], "uid": os.getuid(), "mac": request["mac"],
            "address": answer["address"], "forward": None, "mode": request["mode"], "bound_at_s": now,
            "expires_s": now + 3600, "seen_arp_s": 0}

    def fields_of(self, name, number, request):
        if name in ("attach", "reattach"):
            self.n_taps += 1
            routed = request.get("mode") != "bridged"
            return {"mode": request.get("mode", "nat"), "tap": request.get("tap", f"tart-{self.n_taps:08x}"),
                    "address": f"192.168.64.{10 + self.n_taps}" if routed else None,
                    "gateway": "192.168.64.1" if routed else None, "prefix": 24, "mtu": 1500, "macvtap": False,
                    "vhost": False, "warning": ""}
        if name == "list":
            nics = [nic for of_one in self.nics.values() for nic in of_one.values()]
            return {"nics": [nic for nic in nics if nic["tap"] > request["after"] and
                             (not request["has_mac"] or nic["mac"] == request["mac"])]}
        if name == "status":
            nics = sum(len(of_one) for of_one in self.nics.values())
            return {"pid": os.getpid(), "version": "fake", "rootless": False, "subnet": "192.168.64.0/24",
                    "gateway": "192.168.64.1", "nics": nics, "addresses": 253, "lease_s": 86400, "mtu": 1500,
                    "isolate_vms": True, "persistent_tables": True, "dns_running": True, "dns": ["192.168.64.1"],
                    "warnings": ""}
        if name in ("policy", "stats"):
            return {"tap": request["tap"], "allow": [], "block": [], "expose": [], "counts": [
                {"packets": 0, "bytes": 0} for _ in proto.COUNTERS]}
        return {"more": False, "vms": []}

    def answer(self, connection, number, packet):
        name, request = proto.decode(packet)
        self.note(number, name, **request)
        wanted = self.wanted(name)
        kind = wanted.pop("type", RIGHT.get(name, "r_" + name))
        port = wanted.pop("to", None)
        n_fds = wanted.pop("fds", 1 if name in ("attach", "connect") and kind != "r_error" else 0)
        if kind == "close":
            return False
        if kind == "silence":
            return True
        answer = {**(self.fields_of(name, number, request) if kind != "r_error" else {}), **wanted}
        if kind == "r_attached" and name == "attach":
            self.add_nic(number, request, answer)
        fds = [os.open("/dev/null", os.O_RDWR) for _ in range(n_fds)] if port is None else \
            [socket.create_connection(("127.0.0.1", port)).detach()]
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        try:
            connection.sendmsg([proto.encode(kind, **answer)], rights)
        finally:
            for fd in fds:
                os.close(fd)
        return True

    def serve(self, connection, number):
        try:
            packet = connection.recv(proto.MESSAGE_MAX)
            if packet and self.answer(connection, number, packet):
                return
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.close(connection, number)

    def run(self):
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.listener:
                    self.accept()
                else:
                    self.serve(key.fileobj, key.data)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    Keeper(*sys.argv[1:]).run()
