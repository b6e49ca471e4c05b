# SPDX-License-Identifier: Apache-2.0
"""A registry that misbehaves on request: python3 tests/lib/registry --root DIR --log FILE [OPTION...].

It serves on loopback ports that the system chooses, prints them as `NAME=SCHEME://HOST:PORT` in one line when it is
ready, and runs until it is killed. Every request becomes a line of JSON in the log. The control port takes one
command a connection: `rule LINE` (faults.py), `set KEY=VALUE...` (settings.py), `clear` (all rules), `sync` (answers
when no request is being served), `met KIND` (whether a request came that has this fault); it answers `ok` or says what is wrong.
"""
import argparse
import shlex
import socketserver
import ssl
import threading
import time

from api import Api
from faults import Faults
from server import Journal, Listener
from settings import Origins, Settings
from store import Store
from tokens import Guard


class Registry:
    """What all listeners share."""

    def __init__(self, args):
        self.settings, self.faults, self.origins = Settings(), Faults(), Origins()
        self.store = Store(args.root)
        self.guard = Guard(self.settings)
        self.api = Api(self.store, self.settings, self.guard, self.origins)
        self.journal = Journal(args.log)
        for layout, repository in args.layout:
            self.store.load_layout(layout, repository)
        for line in args.rule:
            self.faults.add(line)
        for line in args.set:
            self.apply(line)

    def apply(self, text):
        for word in shlex.split(text):
            self.settings.set(*word.split("=", 1))

    def control(self, line):
        command, _, rest = line.partition(" ")
        if command == "rule":
            self.faults.add(rest)
        elif command == "set":
            self.apply(rest)
        elif command == "clear":
            self.faults.clear()
        elif command == "met":
            if rest not in self.faults.met:
                raise ValueError("not yet")
        elif command == "sync":
            self.journal.wait_until_idle()
        else:
            raise ValueError("no command is called " + command)


class Control(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            self.server.registry.control(self.rfile.readline().decode().rstrip("\n"))
            self.wfile.write(b"ok\n")
        except Exception as error:  # pylint: disable=broad-except # the test is told, whatever it is
            self.wfile.write(("%s: %s\n" % (type(error).__name__, error)).encode())


class ControlServer(socketserver.ThreadingTCPServer):
    daemon_threads = True


def listen(registry, name, host, port, tls):
    listener = Listener((host, port), registry, name, tls)
    scheme = "https" if tls else "http"
    registry.origins.addresses[name] = "%s://%s:%d" % ((scheme,) + listener.server_address)
    return listener


def listen_pair(registry, tls):
    """main, and the same port of another address, which may be taken."""
    for _ in range(50):
        main = listen(registry, "main", "127.0.0.1", 0, tls)
        try:
            return [main, listen(registry, "host", "127.0.0.2", main.server_address[1], tls)]
        except OSError:
            main.server_close()
    raise SystemExit("no port is free on both 127.0.0.1 and 127.0.0.2")


def parse_args():
    parser = argparse.ArgumentParser(prog="registry", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--root", required=True, help="directory for what is pushed")
    parser.add_argument("--log", required=True, help="file for one line of JSON a request")
    parser.add_argument("--layout", nargs=2, action="append", default=[], metavar=("DIR", "REPOSITORY"))
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    parser.add_argument("--rule", action="append", default=[])
    parser.add_argument("--set", action="append", default=[])
    return parser.parse_args()


def main():
    args = parse_args()
    registry = Registry(args)
    tls = None
    if args.tls:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*args.tls)
    listeners = listen_pair(registry, tls)
    listeners.append(listen(registry, "other", "127.0.0.1", 0, tls))
    listeners.append(listen(registry, "plain", "127.0.0.1", 0, None))
    for listener in listeners:
        threading.Thread(target=listener.serve_forever, daemon=True).start()
    with ControlServer(("127.0.0.1", 0), Control) as control:
        control.registry = registry
        names = dict(registry.origins.addresses, control="tcp://127.0.0.1:%d" % control.server_address[1])
        print(" ".join("%s=%s" % pair for pair in names.items()), flush=True)
        control.serve_forever()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
