#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends a frame on eth0 in several shapes, an honest one last, and prints which were answered, one name a line. Questions are
answered in their order: once the last has its answer, the others have been passed over.

dhcp_ask.py FRAME SHAPE...    FRAME: a DISCOVER without IP options. Shapes: vlan, priority (VLAN 0), fragment, source-port
"""
import pathlib
import socket
import struct
import sys

honest = pathlib.Path(sys.argv[1]).read_bytes()

SHAPES = {
    "vlan": lambda f: f[:12] + b"\x81\x00\x00\x05" + f[12:],
    "priority": lambda f: f[:12] + b"\x81\x00\x00\x00" + f[12:],
    "fragment": lambda f: f[:20] + b"\x20\x00" + f[22:],
    "source-port": lambda f: f[:34] + b"\x30\x39" + f[36:],
    "honest": lambda f: f,
}
names = sys.argv[2:] + ["honest"]
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
link.bind(("eth0", 0))
ear = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
ear.bind(("eth0", 0x0800))
ear.settimeout(30)
for number, name in enumerate(names):
    link.send(SHAPES[name](honest[:46] + struct.pack(">I", number) + honest[50:]))
answered = None
while answered != "honest":
    frame = ear.recv(2000)
    if frame[34:36] != b"\0C":  # from port 67
        continue
    answered = names[struct.unpack(">I", frame[46:50])[0]]
    print(answered)
