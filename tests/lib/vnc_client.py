#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A VNC client (RFC 6143) for tests: connects, authenticates, fetches one picture.

usage: vnc_client.py unix:PATH | PORT [PASSWORD]

Prints "refused" (exit 1) or "WIDTHxHEIGHT N colours". DES comes from openssl's legacy provider.
"""
import socket
import struct
import subprocess
import sys


def read(sock, length):
    data = b""
    while len(data) < length:
        more = sock.recv(length - len(data))
        if not more:
            print("refused")
            sys.exit(1)
        data += more
    return data


def encrypt(challenge, password):
    # VNC takes the bits of each byte of the key in reverse.
    key = bytes(int(f"{byte:08b}"[::-1], 2) for byte in password.encode()[:8].ljust(8, b"\0"))
    command = ["openssl", "enc", "-des-ecb", "-nopad", "-provider", "legacy", "-provider", "default",
               "-K", key.hex()]
    return subprocess.run(command, input=challenge, stdout=subprocess.PIPE, check=True).stdout


def connect(where):
    if where.startswith("unix:"):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(where[5:])
    else:
        sock = socket.create_connection(("127.0.0.1", int(where)))
    sock.settimeout(120)
    return sock


def authenticate(sock, password):
    read(sock, 12)
    sock.sendall(b"RFB 003.008\n")
    types = read(sock, read(sock, 1)[0])
    if password is None:
        assert 1 in types, f"a password is wanted: {list(types)}"
        sock.sendall(b"\x01")
    else:
        assert list(types) == [2], f"no password is wanted: {list(types)}"
        sock.sendall(b"\x02")
        sock.sendall(encrypt(read(sock, 16), password))
    if struct.unpack(">I", read(sock, 4))[0] != 0:
        print("refused")
        sys.exit(1)


def fetch(sock):
    sock.sendall(b"\x01")
    width, height = struct.unpack(">HH", read(sock, 4))
    read(sock, 16)
    read(sock, struct.unpack(">I", read(sock, 4))[0])
    # 32 bits a pixel, raw encoding.
    sock.sendall(struct.pack(">BxxxBBBBHHHBBBxxx", 0, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0))
    sock.sendall(struct.pack(">BxHi", 2, 1, 0))
    sock.sendall(struct.pack(">BBHHHH", 3, 0, 0, 0, width, height))
    colours = set()
    while read(sock, 1) != b"\0":
        pass
    for _ in range(struct.unpack(">xH", read(sock, 3))[0]):
        _x, _y, w, h, encoding = struct.unpack(">HHHHi", read(sock, 12))
        assert encoding == 0, encoding
        pixels = read(sock, w * h * 4)
        colours |= {pixels[i:i + 3] for i in range(0, len(pixels), 4)}
    print(f"{width}x{height} {len(colours)} colours")


sock = connect(sys.argv[1])
authenticate(sock, sys.argv[2] if len(sys.argv) > 2 else None)
fetch(sock)
