#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends one frame on eth0 as fast as it goes, until SIGTERM: dhcp_flood.py FRAME RESULT. The result file gets a line "SENT
ANSWERED SECONDS", first as soon as one answer has come, last at the end."""
import pathlib
import signal
import socket
import sys
import time

frame = pathlib.Path(sys.argv[1]).read_bytes()
result = pathlib.Path(sys.argv[2])
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
out.bind(("eth0", 0))
ear = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
ear.bind(("eth0", 0x0800))
ear.setblocking(False)
stopped = []
signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))


def say():
    part = result.with_suffix(".part")
    part.write_text(f"{sent} {answered} {int(time.monotonic() - start)}\n")
    part.rename(result)


start = time.monotonic()
sent = answered = 0
while not stopped:
    try:
        out.send(frame)
        sent += 1
    except OSError:  # no room for it right now
        pass
    try:
        while True:
            if ear.recv(2000)[34:36] == b"\0C":  # from port 67
                answered += 1
                if answered == 1:
                    say()
    except BlockingIOError:
        pass
say()
