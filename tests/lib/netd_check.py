# SPDX-License-Identifier: Apache-2.0
"""Checks that report themselves: each is a line of TAP with a name of its own, so that the one that failed is named."""
import os
import sys
import time
import traceback

started = time.monotonic()
counts = {"passed": 0, "failed": 0}


def note(text):
    for line in str(text).splitlines():
        print(f"# {line}", flush=True)


def check(name, passed, detail=""):
    """`detail` explains a failure. Returns whether it passed."""
    counts["passed" if passed else "failed"] += 1
    print(f"{'ok' if passed else 'not ok'} {sum(counts.values())} - {name}", flush=True)
    if not passed and detail != "":
        note(detail() if callable(detail) else detail)
    return bool(passed)


def equal(name, found, expected):
    return check(name, found == expected, f"found    {found!r}\nexpected {expected!r}")


def empty(name, found):
    return check(name, not found, lambda: "\n".join(str(entry) for entry in list(found)[:40]))


def skip(name, why):
    counts["passed"] += 1
    print(f"ok {sum(counts.values())} - {name} # SKIP {why}", flush=True)


def attempt(name, function, *arguments):
    """A check whose function raises or returns False when it fails; what it raises is shown."""
    try:
        return check(name, function(*arguments) is not False)
    except Exception:  # pylint: disable=broad-except
        return check(name, False, traceback.format_exc())


class expects:  # pylint: disable=invalid-name
    """`with expects("name", Refused, code="limit") as caught:` the block must raise just that."""

    def __init__(self, name, kind, **attributes):
        self.name, self.kind, self.attributes = name, kind, attributes
        self.error = None

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind and not issubclass(kind, Exception):
            return False
        self.error = error
        passed = isinstance(error, self.kind) and all(
            getattr(error, name) == value for name, value in self.attributes.items())
        check(self.name, passed, f"expected {self.kind.__name__} {self.attributes}, found {error!r}")
        return True


def run_groups(groups, at_end=()):
    """Runs functions, each a group of checks that depends on no other; one that breaks fails under its name. Ends the
    program. Words in argv choose groups."""
    words = sys.argv[1:]
    for group in groups:
        if words and not any(word in group.__name__ for word in words):
            continue
        before = time.monotonic()
        try:
            group()
        except Exception:  # pylint: disable=broad-except
            check(f"{group.__name__}: runs to its end", False, traceback.format_exc())
        finally:
            for function in at_end:
                function()
        note(f"{group.__name__}: {time.monotonic() - before:.1f} s")
    print(f"1..{sum(counts.values())}", flush=True)
    sys.stdout.flush()
    os._exit(1 if counts["failed"] else 0)  # no thread or descriptor may hold us up
