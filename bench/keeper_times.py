#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long tart-netd takes over a VM's start, its DHCP answers and its end. Run by bench_network.sh, in netd_lab.sh.

    keeper_times.py [--quick]

VMs come and go one after the other, each with a MAC address that was never there before: more of them than a /24 has
addresses.
"""
import pathlib
import select
import socket
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "lib"))
# pylint: disable=wrong-import-position
import netd_frames as f  # noqa: E402
from netd_client import Client  # noqa: E402
from netd_guest import Guest  # noqa: E402
from netd_host import PATIENCE, Keeper, descendants, leftovers  # noqa: E402

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


def wait_served(guest):
    """No guest's system asks as early as this one, within a millisecond of ATTACH: what it says then may get lost."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        guest.send(f.dhcp_client_frame(guest.mac, f.DISCOVER, 1))
        if select.select([guest.tap.fd], [], [], 0.005)[0]:
            guest.forget()
            return
    raise TimeoutError(f"{guest.name}: DHCP has not answered")


def live(observer, number):
    """One VM: milliseconds until it has its TAP, until DHCP has answered at all, per answer then, until all of it is gone."""
    begin = time.monotonic()
    with Client() as client:
        answer = client.attach("softnet", mac=mac_of(number), vm=f"vm{number}")
        attached = time.monotonic()
        guest = Guest(answer)
        wait_served(guest)
        asked = time.monotonic()
        lease = guest.dhcp()
        leased = time.monotonic()
        if lease.address != answer.address:
            raise ValueError(f"{answer.tap}: {lease.address} is not {answer.address}")
        closing = time.monotonic()
    wait_gone(observer, answer.tap, answer.mac)
    gone = time.monotonic()
    return (attached - begin) * 1e3, (asked - attached) * 1e3, (leased - asked) * 1e3 / 2, (gone - closing) * 1e3


def cpu_ms(pids):
    return sum(int(pathlib.Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0]) for pid in pids) / 1e6


def show(what, times, most):
    times = sorted(times)
    middle, slow = statistics.median(times), times[len(times) * 99 // 100]
    print(f"  {what:<34} {middle:6.1f} ms, 99 of 100 within {slow:.1f}")
    print(f"  goal <= {most} ms, median: {'met' if middle <= most else 'MISSED'}")


def main():
    n_vms = VMS_QUICK if "--quick" in sys.argv[1:] else VMS
    keeper = Keeper(conf="subnet = 192.168.64.0/24\n")
    try:
        family = [keeper.pid, *descendants(keeper.pid)]
        used = cpu_ms(family)
        with Client() as observer:
            times = [live(observer, number) for number in range(n_vms)]
        used = (cpu_ms(family) - used) / n_vms
        left = leftovers()
    finally:
        Keeper.end_all()
    print(f"{n_vms} VMs one after the other, all with an address of their own from a /24; left behind: {left or 'nothing'}")
    show("attached", [entry[0] for entry in times], 10)
    show("first answer to DHCP after that", [entry[1] for entry in times], 5)
    show("DHCP, per answer", [entry[2] for entry in times], 5)
    show("closed until all is gone", [entry[3] for entry in times], 50)
    print(f"  {'CPU time of the keeper, all of it':<34} {used:6.1f} ms per VM")
    sys.exit(bool(left))


if __name__ == "__main__":
    main()
