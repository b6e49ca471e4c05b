#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What may never pass (netd_forbidden.py); and the negative control, which takes the rules away and sees that what they had
stopped arrives: a check that cannot fail would be noticed there.

    tests/lib/netd_lab.sh tests/net/matrix.py [GROUP]
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

# pylint: disable=wrong-import-position
from netd_cast import whole_cast
from netd_check import check, empty, run_groups
from netd_forbidden import forbidden
from netd_host import Keeper, command, has_tables


def stopped():
    """With the rules that the kernel would keep."""
    with whole_cast() as cast:
        for name, attempt, _ in forbidden(cast):
            cast.forget()
            check(f"stopped: {name}", not attempt())
    empty("matrix: nothing is left", cast.left)


def control():
    """The same with plain tables, then without any. The keeper, halted, cannot put them back."""
    with whole_cast("--never-persist") as cast:
        for name, attempt, _ in forbidden(cast):
            cast.forget()
            check(f"plain tables: {name}", not attempt())
        cast.keeper.stop()
        command("nft", "flush", "ruleset")
        check("control: the rules are gone", not has_tables())
        for name, attempt, goes in forbidden(cast):
            cast.forget()
            check(f"control, without rules: {name} {'arrives' if goes else 'is still stopped'}", attempt() == goes)
        cast.keeper.go_on()
    empty("control: nothing is left", cast.left)


run_groups([stopped, control], at_end=[Keeper.end_all])
