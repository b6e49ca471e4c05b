#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks a resolver for an A record and prints the address: dns_ask.py SERVER NAME [udp|tcp]. Nothing when there is no answer."""
import socket
import struct
import sys

server, name, kind = (sys.argv[1:] + ["udp"])[:3]
labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
question = struct.pack(">6H", 0x4242, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"
try:
    if kind == "tcp":
        with socket.create_connection((server, 53), 5) as connection:
            connection.sendall(struct.pack(">H", len(question)) + question)
            answer = connection.recv(2000)[2:]
    else:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
            ear.settimeout(2)
            ear.connect((server, 53))
            ear.send(question)
            answer = ear.recv(2000)
except OSError as error:
    print(error, file=sys.stderr)
    sys.exit(1)
# One answer, whose data is the last of it.
if len(answer) >= len(question) + 16 and answer[:2] == b"BB" and answer[6:8] == b"\0\1":
    print(socket.inet_ntoa(answer[len(question) + 12:len(question) + 16]))
