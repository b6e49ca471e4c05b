#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A guest with the kernel's network stack, attached at the keeper of the lab (netd_lab.sh), for tests of tart's commands.

    lab_vm.py FIFO NAME MAC [--mode MODE] [--allow LIST] [--block LIST] [--expose LIST]

Serves an echo on TCP port 7 until it is killed, and does what it reads from FIFO, answering each line with one on stdout:

    connect ADDRESS PORT    "yes", or why not
    stop                    nothing: the end
"""
import argparse
import os
import socket
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import netd_client  # pylint: disable=wrong-import-position
import netd_guest  # pylint: disable=wrong-import-position
from netd_host import inside  # pylint: disable=wrong-import-position


def echo(connection):
    while data := connection.recv(65536):
        connection.sendall(data)
    connection.close()


def serve(listener):
    while True:
        threading.Thread(target=echo, args=(listener.accept()[0],), daemon=True).start()


def connect(guest, address, port):
    try:
        guest.connect(address, int(port), seconds=20).close()
    except OSError as error:
        return os.strerror(error.errno) if error.errno else str(error)
    return "yes"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("fifo")
    parser.add_argument("name")
    parser.add_argument("mac")
    for option in ("--mode", "--allow", "--block", "--expose"):
        parser.add_argument(option, default="nat" if option == "--mode" else "")
    args = parser.parse_args()
    client = netd_client.Client()
    guest = netd_guest.RealGuest(client.attach(args.mode, args.mac, args.name, args.allow, args.block, args.expose))
    with inside(guest.where):
        listener = socket.create_server(("0.0.0.0", 7))
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    print("ready", flush=True)
    # For writing, too, so that it does not end.
    with os.fdopen(os.open(args.fifo, os.O_RDWR), encoding="utf-8") as orders:
        for line in orders:
            if line == "stop\n":
                os._exit(0)
            _, address, port = line.split()
            print(connect(guest, address, port), flush=True)


if __name__ == "__main__":
    main()
