#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A TCP server of 127.0.0.1 for tests: port.py FILE WHAT writes its port to FILE, and serves until it is killed.

    echo    sends back what it gets, to its end
    count   reads to the end, then sends how many bytes that were
    greet   sends "welcome" and ends its sending; what it gets to the end is counted into FILE.heard
    reset   resets the connection
    silent  says nothing

FILE.heard also gets a line "opened" for each connection.
"""
import os
import socket
import struct
import sys
import threading


def read_all(connection):
    total = 0
    while data := connection.recv(65536):
        total += len(data)
    return total


def serve(connection, what, heard):
    print("opened", file=heard)
    if what == "echo":
        while data := connection.recv(65536):
            connection.sendall(data)
    elif what == "count":
        connection.sendall(str(read_all(connection)).encode())
    elif what == "greet":
        connection.sendall(b"welcome\n")
        connection.shutdown(socket.SHUT_WR)
        print(read_all(connection), file=heard)
    elif what == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif what == "silent":
        read_all(connection)
    connection.close()


def main():
    path, what = sys.argv[1:]
    heard = open(path + ".heard", "a", buffering=1, encoding="utf-8")
    listener = socket.create_server(("127.0.0.1", 0))
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(str(listener.getsockname()[1]))
    os.rename(path + ".new", path)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, what, heard), daemon=True).start()


if __name__ == "__main__":
    main()
