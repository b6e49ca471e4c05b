# SPDX-License-Identifier: Apache-2.0
"""Connections: reads requests, lets faults and the API answer them, writes each to the log."""
import http.server
import json
import socketserver
import threading
import traceback
import urllib.parse

import wire
from wire import Answer, Broken, Sender

SLOW = 10  # seconds that sync waits for requests that are still being served


class Journal:
    """The log; knows what is being served."""

    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8", buffering=1)
        self.idle = threading.Condition()
        self.active = 0
        self.number = 0

    def begin(self):
        with self.idle:
            self.active += 1
            self.number += 1
            return self.number

    def end(self, entry):
        with self.idle:
            if not self.file.closed:
                self.file.write(json.dumps(entry) + "\n")
            self.active -= 1
            self.idle.notify_all()

    def wait_until_idle(self):
        with self.idle:
            if not self.idle.wait_for(lambda: self.active == 0, SLOW):
                raise TimeoutError("requests are still being served")


class Request:
    """What was asked. The body is read at most once, by whoever wants it."""

    def __init__(self, handler):
        self.handler = handler
        self.method = handler.command
        self.target = handler.path
        self.origin = handler.server.origin
        self.path, _, query = handler.path.partition("?")
        self.path = urllib.parse.unquote(self.path)
        self.query = urllib.parse.parse_qs(query)
        self.body_bytes = 0
        self.break_at = None  # a fault: the connection ends after so many bytes of the body
        self.forgets = False  # and what came before that is forgotten
        self.break_resets = False
        self.is_read = False

    def header(self, name):
        return self.handler.headers.get(name)

    @property
    def has_unread_body(self):
        return not self.is_read and (self.header("Content-Length") or "0") != "0"

    def body(self):
        if self.is_read:
            return
        self.is_read = True
        self.handler.say_continue()
        if self.header("Transfer-Encoding"):
            pieces = wire.read_chunked(self.handler.rfile)
        else:
            size = int(self.header("Content-Length") or 0)
            pieces = wire.read_exactly(self.handler.rfile, size, self.break_at, self.break_resets)
        for data in pieces:
            self.body_bytes += len(data)
            yield data

    def read_all(self, limit=1 << 20):
        """The body; beyond the limit the connection is given up. A large limit is for throwing it away."""
        kept = bytearray()
        total = 0
        for data in self.body():
            total += len(data)
            if total > limit:
                raise Broken
            if limit < 1 << 30:
                kept += data
        return bytes(kept)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    is_told_to_wait = False

    def handle(self):
        try:
            if self.server.tls:
                self.connection.do_handshake()
            super().handle()
        except (OSError, Broken):
            self.close_connection = True

    def finish(self):
        try:
            super().finish()
        except OSError:
            pass

    def handle_one_request(self):
        self.raw_requestline = self.rfile.readline(65537)
        self.close_connection = True
        self.is_told_to_wait = False
        if not self.raw_requestline or not self.parse_request():
            return
        registry = self.server.registry
        number = registry.journal.begin()
        request = Request(self)
        entry = self.describe(request, number)
        try:
            self.answer(registry, request, entry)
        finally:
            entry["request_bytes"] = request.body_bytes
            registry.journal.end(entry)

    def handle_expect_100(self):
        self.is_told_to_wait = True
        return True

    def say_continue(self):
        """Only when the body is wanted: a fault may answer without it."""
        if self.is_told_to_wait:
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
            self.is_told_to_wait = False

    def describe(self, request, number):
        return {
            "n": number, "origin": request.origin, "method": request.method, "path": request.target,
            "range": request.header("Range"), "content_range": request.header("Content-Range"),
            "auth": self.server.registry.guard.describe(request.header("Authorization")),
            "cookie": request.header("Cookie"), "agent": request.header("User-Agent"),
            "accept": request.header("Accept"), "type": request.header("Content-Type"),
            "faults": [], "status": 0, "bytes": 0, "complete": False,
        }

    def answer(self, registry, request, entry):
        rules = registry.faults.matching(request)
        entry["faults"] = [rule.kind for rule in rules]
        try:
            answer = self.find_answer(registry, request, rules)
        except Broken as broken:
            self.give_up(broken)
            return
        if request.has_unread_body:
            answer.close = True
        if registry.settings.cookies:
            answer.headers.append(("Set-Cookie", "crumb=n%d; Path=/" % entry["n"]))
        entry["status"] = answer.status
        sender = Sender(self.wfile, answer, request.method == "HEAD",
                        lambda seconds: self.server.wait_until_gone(request, seconds))
        try:
            sender.send()
            entry["complete"] = True
            self.close_connection = answer.close or answer.version == "HTTP/1.0"
        except Broken as broken:
            self.give_up(broken)
        except OSError:
            self.close_connection = True  # the client has gone
        finally:
            entry["bytes"] = sender.sent

    def find_answer(self, registry, request, rules):
        answer = None
        for rule in rules:
            if rule.phase == "while":
                rule.act(self.server, request, rule.params)
        for rule in rules:
            if rule.phase == "instead" and answer is None:
                answer = rule.act(self.server, request, rule.params)
        if answer is None:
            answer = registry.api.answer(request)
        for rule in rules:
            if rule.phase == "after":
                rule.act(self.server, request, answer, rule.params)
        return answer

    def give_up(self, broken):
        if broken.reset:
            wire.reset_connection(self.connection)
        self.close_connection = True

    def log_message(self, *_args):
        pass


class Listener(socketserver.ThreadingTCPServer):
    """One address of the registry; faults see it as the server."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address, registry, origin, tls):
        self.registry, self.origin, self.tls = registry, origin, tls
        super().__init__(address, Handler)

    def get_request(self):
        connection, address = super().get_request()
        if self.tls:
            connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, request, client_address):
        traceback.print_exc()

    def wait_until_gone(self, request, seconds):
        wire.wait_until_gone(request.handler.connection, seconds)

    def discard_until_gone(self, request):
        wire.discard_until_gone(request.handler.connection)

    @property
    def api(self):
        return self.registry.api

    @property
    def origins(self):
        return self.registry.origins

    @property
    def settings(self):
        return self.registry.settings
