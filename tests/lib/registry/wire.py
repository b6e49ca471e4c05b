# SPDX-License-Identifier: Apache-2.0
"""Requests and answers on a connection; answers can be sent in every wrong way that faults.py asks for."""
import os
import select
import socket
import struct
import time

PIECE = 64 * 1024


class Broken(Exception):
    """The connection ends here, without (the rest of) an answer."""

    def __init__(self, reset=False):
        super().__init__("connection given up")
        self.reset = reset


class Body:
    """Bytes in memory or a piece of a file, with flipped bits if wanted."""

    def __init__(self, data=b"", path=None, offset=0, size=None):
        self.data, self.path, self.offset = data, path, offset
        self.size = len(data) if path is None else size
        self.flips = []  # positions of bytes
        self.tail = b""  # behind it

    def slice(self, first, size):
        piece = Body(self.data[first:first + size], self.path, self.offset + first, size)
        piece.flips = [at - first for at in self.flips]
        return piece

    def pieces(self, piece=PIECE):
        at = 0
        for data in self._pieces(piece):
            if any(at <= flip < at + len(data) for flip in self.flips):
                data = bytearray(data)
                for flip in self.flips:
                    if at <= flip < at + len(data):
                        data[flip - at] ^= 0x10
            yield bytes(data)
            at += len(data)
        if self.tail:
            yield self.tail

    def _pieces(self, piece):
        if self.path is None:
            for at in range(0, len(self.data), piece):
                yield self.data[at:at + piece]
            return
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            left = self.size
            while left:
                data = file.read(min(piece, left))
                if not data:
                    return
                left -= len(data)
                yield data


class Answer:
    def __init__(self, status, headers=(), body=b""):
        self.status = status
        self.headers = list(headers)
        self.body = body if isinstance(body, Body) else Body(body)
        self.version = "HTTP/1.1"
        self.length = True  # announced truly; a number: that; None: not at all
        self.chunked = False
        self.close = False
        self.cut = None  # gives the connection up after so many bytes of the body
        self.reset = False  # with RST
        self.drip = None  # (bytes, seconds between)
        self.stall = None  # sends nothing more after so many bytes of the body
        self.raw = None  # instead of everything

    def set(self, name, value):
        self.drop(name)
        self.headers.append((name, value))

    def drop(self, name):
        self.headers = [pair for pair in self.headers if pair[0].lower() != name.lower()]

    def get(self, name):
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


def reset_connection(connection):
    """Closes it so that the other side gets RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())


class Sender:
    """Sends one answer; `sent` counts bytes of its body."""

    def __init__(self, out, answer, is_head, wait):
        self.out, self.answer, self.is_head, self.wait = out, answer, is_head, wait
        self.sent = 0

    def send(self):
        answer = self.answer
        if answer.raw is not None:
            self.out.write(answer.raw)
            raise Broken
        self.out.write(self._head())
        if not self.is_head:
            self._body()
        self.out.flush()

    def _head(self):
        answer = self.answer
        lines = ["%s %d %s" % (answer.version, answer.status, "Because")]
        lines += ["%s: %s" % pair for pair in answer.headers]
        if answer.chunked:
            lines.append("Transfer-Encoding: chunked")
        elif answer.length is True:
            if answer.status not in (204, 304):
                lines.append("Content-Length: %d" % (answer.body.size + len(answer.body.tail)))
        elif answer.length is not None:
            lines.append("Content-Length: %d" % answer.length)
        if answer.close:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _body(self):
        answer = self.answer
        step, pause = answer.drip or (PIECE, 0)
        for data in answer.body.pieces(step):
            for part in self._until_limits(data):
                self._write(part)
            if pause:
                self.out.flush()
                self.wait(pause)
        if answer.cut is not None:
            raise Broken(answer.reset)
        if answer.stall is not None:
            self._stall()
        if answer.chunked:
            self.out.write(b"0\r\n\r\n")

    def _until_limits(self, data):
        answer = self.answer
        limit = answer.cut if answer.cut is not None else answer.stall
        if limit is None or self.sent + len(data) < limit:
            yield data
            return
        yield data[:limit - self.sent]
        self.out.flush()
        if answer.cut is not None:
            raise Broken(answer.reset)
        self._stall()

    def _stall(self):
        self.out.flush()
        self.wait(None)
        raise Broken

    def _write(self, data):
        if not data:
            return
        self.out.write(b"%x\r\n%s\r\n" % (len(data), data) if self.answer.chunked else data)
        self.sent += len(data)


def read_exactly(stream, size, until=None, reset=False):
    """Pieces of a request's body; `until` gives the connection up after so many bytes."""
    left = size if until is None else min(size, until)
    while left:
        data = stream.read(min(left, PIECE))
        if not data:
            raise Broken
        left -= len(data)
        yield data
    if until is not None and until < size:
        raise Broken(reset)


def read_chunked(stream):
    while True:
        size = int(stream.readline(64).split(b";")[0], 16)
        if size:
            yield from read_exactly(stream, size)
        stream.readline(16)
        if not size:
            return


def discard_until_gone(connection):
    """Takes what comes until the client closes: its end would not arrive behind bytes that nobody takes."""
    try:
        while connection.recv(65536):
            pass
    except OSError:
        pass  # gone, too


def wait_until_gone(connection, seconds):
    """Waits so long (None: for ever) unless the client closes."""
    deadline = None if seconds is None else time.monotonic() + seconds
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLRDHUP)
    while True:
        left = 0.1 if deadline is None else deadline - time.monotonic()
        if left <= 0:
            return
        if poller.poll(min(left, 0.1) * 1000):
            raise Broken
