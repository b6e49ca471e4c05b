#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Takes OpenTelemetry traces on a loopback port and writes each request as a line of JSON.

usage: otlp_collector.py OUTPUT [silent]

Prints its port when it listens. "silent": takes the connection and the request, and never answers.
"""

import http.server
import json
import struct
import sys
import threading
import time

TEXT, BYTES, INT, TIME, MESSAGE = range(5)

VALUE = {}
PAIR = {1: ("key", TEXT), 2: ("value", MESSAGE, VALUE)}
VALUE.update({1: ("text", TEXT), 3: ("number", INT), 5: ("list", MESSAGE, {1: ("+values", MESSAGE, VALUE)})})
EVENT = {1: ("time", TIME), 2: ("name", TEXT), 3: ("+attributes", MESSAGE, PAIR)}
SPAN = {
    1: ("trace", BYTES), 2: ("span", BYTES), 3: ("state", TEXT), 4: ("parent", BYTES), 5: ("name", TEXT),
    6: ("kind", INT), 7: ("start", TIME), 8: ("end", TIME), 9: ("+attributes", MESSAGE, PAIR),
    11: ("+events", MESSAGE, EVENT), 15: ("status", MESSAGE, {2: ("message", TEXT), 3: ("code", INT)}),
}
SCOPE = {1: ("scope", MESSAGE, {1: ("name", TEXT), 2: ("version", TEXT)}), 2: ("+spans", MESSAGE, SPAN)}
RESOURCE = {1: ("resource", MESSAGE, {1: ("+attributes", MESSAGE, PAIR)}), 2: ("+scopes", MESSAGE, SCOPE)}
REQUEST = {1: ("+resources", MESSAGE, RESOURCE)}


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def convert(raw, kind, message):
    if kind == TEXT:
        return raw.decode("utf-8")
    if kind == BYTES:
        return raw.hex()
    if kind == MESSAGE:
        return decode(raw, message)
    return raw


def decode(data, message):
    """Every field must be one that is known here: an unknown one raises KeyError."""
    result = {}
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            raw, at = varint(data, at)
        elif key & 7 == 1:
            raw, at = struct.unpack_from("<Q", data, at)[0], at + 8
        elif key & 7 == 2:
            length, at = varint(data, at)
            if at + length > len(data):
                raise ValueError("a field reaches beyond its message")
            raw, at = data[at : at + length], at + length
        else:
            raise ValueError("unexpected wire type")
        name, kind, *rest = message[key >> 3]
        value = convert(raw, kind, rest[0] if rest else None)
        if name.startswith("+"):
            result.setdefault(name[1:], []).append(value)
        else:
            result[name] = value
    for name, *_ in message.values():
        if name.startswith("+"):
            result.setdefault(name[1:], [])
    return result


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        line = {"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()},
                "body": decode(body, REQUEST)}
        with self.server.lock, open(sys.argv[1], "a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")
        if "silent" in sys.argv[2:]:
            time.sleep(600)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.lock = threading.Lock()
    print(server.server_port, flush=True)
    server.serve_forever()


main()
