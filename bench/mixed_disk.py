#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fills a sparse disk with what guests hold, the same bytes each time: a third random, a third text, a third in between.

    bench/mixed_disk.py fill DISK MIB     MIB of data in pieces of 16 MiB all over the disk
    bench/mixed_disk.py change DISK SEED  one MiB of it, somewhere in the middle of a piece
    bench/mixed_disk.py cost DISK MIB     seconds of CPU per GiB of that data: SHA-256 and LZ4 alone, 64 KiB at a time

The last prints: SHA-256 of the data, LZ4 of it, SHA-256 of what that makes, LZ4 back.
"""
import ctypes
import hashlib
import os
import random
import sys
import time

PIECE = 16 << 20
BLOCK = 65536
WORDS = ["".join(random.Random(n).choices("etaoinshrdlucmfwypvbgk", k=2 + n % 9)) for n in range(3000)]


def texts(source):
    """256 bytes that look like a line of a log or a source file."""
    return [(" ".join(source.choices(WORDS, k=60))[:255] + "\n").encode() for _ in range(4096)]


def piece(number, lines):
    source = random.Random(number)
    if number % 3 == 0:
        return source.randbytes(PIECE)
    if number % 3 == 1:
        return b"".join(source.choices(lines, k=PIECE // 256))
    # Every other page of random bytes, the rest of short repetitions.
    pages = (source.randbytes(4096) if n % 2 else source.randbytes(64) * 64 for n in range(PIECE // 4096))
    return b"".join(pages)


def place(size, number, count):
    return number * (size - PIECE) // count // 4096 * 4096


def fill(path, mib):
    lines = texts(random.Random(0))
    count = mib * 2**20 // PIECE
    size = os.path.getsize(path)
    with open(path, "r+b") as disk:
        for number in range(count):
            disk.seek(place(size, number, count))
            disk.write(piece(number, lines))


def change(path, seed):
    count = 1024 * 2**20 // PIECE
    with open(path, "r+b") as disk:
        disk.seek(place(os.path.getsize(path), seed % count, count) + PIECE // 2)
        disk.write(random.Random(seed).randbytes(1 << 20))


def blocks(path, mib):
    count = mib * 2**20 // PIECE
    size = os.path.getsize(path)
    with open(path, "rb") as disk:
        for number in range(count):
            disk.seek(place(size, number, count))
            for _ in range(PIECE // BLOCK):
                yield disk.read(BLOCK)


def cost(path, mib):
    lz4 = ctypes.CDLL("liblz4.so.1")
    room = ctypes.create_string_buffer(lz4.LZ4_compressBound(BLOCK))
    back = ctypes.create_string_buffer(BLOCK)
    seconds = [0.0] * 4
    plain, packed = hashlib.sha256(), hashlib.sha256()
    for data in blocks(path, mib):
        times = [time.process_time()]
        plain.update(data)
        times.append(time.process_time())
        size = lz4.LZ4_compress_default(data, room, len(data), len(room))
        times.append(time.process_time())
        coded = room.raw[:size]
        times.append(time.process_time())
        packed.update(coded)
        times.append(time.process_time())
        lz4.LZ4_decompress_safe(coded, back, size, BLOCK)
        times.append(time.process_time())
        for n, (first, last) in enumerate(((0, 1), (1, 2), (3, 4), (4, 5))):
            seconds[n] += times[last] - times[first]
    print(" ".join("%.4f" % (value * 1024 / mib) for value in seconds))


def main():
    path, number = sys.argv[2], int(sys.argv[3])
    {"fill": fill, "change": change, "cost": cost}[sys.argv[1]](path, number)


if __name__ == "__main__":
    main()
