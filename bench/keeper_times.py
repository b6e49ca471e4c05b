#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long tart-netd takes over a VM's start, its DHCP answers and its end. Run by bench_network.sh, in netd_lab.sh.

    keeper_times.py [--quick]

VMs come and go one after the other, each with a MAC address that was never there before: more of them than a /24 has
addresses.
"""
import pathlib
import socket
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "lib"))
# pylint: disable=wrong-import-position
from netd_client import Client  # noqa: E402
from netd_guest import Guest  # noqa: E402
from netd_host import PATIENCE, Keeper, leftovers  # noqa: E402

VMS, VMS_QUICK = 1200, 60


def is_link(name):
    try:
        return socket.if_nametoindex(name) > 0
    except OSError:
        return False


def wait_gone(observer, tap, mac):
    """Until there is neither link nor entry; the keeper drops the entry last."""
    deadline = time.monotonic() + PATIENCE
    while is_link(tap) or observer.list(mac=mac):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{tap} is still there")


def mac_of(number):
    return f"52:54:00:be:{number >> 8:02x}:{number & 255:02x}"


def live(observer, number):
    """One VM: milliseconds until it has its TAP, per answer to its DHCP, until all of it is gone."""
    begin = time.monotonic()
    with Client() as client:
        answer = client.attach("softnet", mac=mac_of(number), vm=f"vm{number}")
        attached = time.monotonic()
        lease = Guest(answer).dhcp()
        leased = time.monotonic()
        if lease.address != answer.address:
            raise ValueError(f"{answer.tap}: {lease.address} is not {answer.address}")
        closing = time.monotonic()
    wait_gone(observer, answer.tap, answer.mac)
    gone = time.monotonic()
    return (attached - begin) * 1e3, (leased - attached) * 1e3 / 2, (gone - closing) * 1e3


def show(what, times, most):
    times = sorted(times)
    middle, slow = statistics.median(times), times[len(times) * 99 // 100]
    print(f"  {what:<34} {middle:6.1f} ms, 99 of 100 within {slow:.1f}")
    print(f"  goal <= {most} ms, median: {'met' if middle <= most else 'MISSED'}")


def main():
    n_vms = VMS_QUICK if "--quick" in sys.argv[1:] else VMS
    Keeper(conf="subnet = 192.168.64.0/24\n")
    try:
        with Client() as observer:
            times = [live(observer, number) for number in range(n_vms)]
        left = leftovers()
    finally:
        Keeper.end_all()
    print(f"{n_vms} VMs one after the other, all with an address of their own from a /24; left behind: {left or 'nothing'}")
    show("attached", [entry[0] for entry in times], 10)
    show("DHCP, per answer", [entry[1] for entry in times], 5)
    show("closed until all is gone", [entry[2] for entry in times], 50)
    sys.exit(bool(left))


if __name__ == "__main__":
    main()
