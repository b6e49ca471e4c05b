# SPDX-License-Identifier: Apache-2.0
"""Everything that can be wrong with a registry, and the rules that say when it is.

A rule is a line: METHOD PATH WHICH KIND [KEY=VALUE...]. METHOD is one or several joined with `|`, or `*`. PATH is a
regular expression that is found somewhere in path and query. WHICH counts the requests that match both: `*`, `1`,
`2-4`, `3-`, `1,5`. KIND is a function below: an `instead_` keeps the registry from seeing the request, a `while_`
disturbs the reading of its body, an `after_` spoils the answer.
"""
import os
import re
import shlex
import threading

from tokens import error_body
from wire import Answer, Body, Broken

HTML = (b"<!DOCTYPE html><html><head><title>Bad Gateway</title></head>\n"
        b"<body><h1>The proxy is not well</h1></body></html>\n")
BODIES = {
    "none": b"",
    "json": error_body("TOOMANYREQUESTS", "the registry's own words"),
    "html": HTML,
    "digest": error_body("DIGEST_INVALID", "provided digest did not match uploaded content"),
    "controls": error_body("DENIED", "red \x1b[31malert\x07\r\nfoo\x9b2J\u202eend"),
    "rawcontrols": b"\x1b]0;owned\x07\x1b[2J\xff\xfe\x00 bad",
    "huge": b"A" * (3 << 20),
    "deep": b'{"errors":' + b"[" * 100000,
    "text": b"no such luck",
}


class Rule:
    def __init__(self, line):
        words = shlex.split(line)
        method, path, which, self.kind = words[:4]
        self.params = dict(word.split("=", 1) for word in words[4:])
        self.methods = None if method == "*" else method.split("|")
        self.path = re.compile(path)
        self.ranges = [parse_range(text) for text in which.split(",")]
        self.count = 0
        self.phase, self.act = find_kind(self.kind)

    def matches(self, request):
        if self.methods is not None and request.method not in self.methods:
            return False
        if not self.path.search(request.target):
            return False
        if self.kind == "break" and int(request.header("Content-Length") or 0) <= int(self.params["at"]):
            return False
        if "origin" in self.params and self.params["origin"] != request.origin:
            return False
        self.count += 1
        return any(first <= self.count <= last for first, last in self.ranges)


def parse_range(text):
    if text == "*":
        return 1, 1 << 60
    first, dash, last = text.partition("-")
    return int(first), int(last) if last else 1 << 60 if dash else int(first)


def find_kind(kind):
    for phase in ("instead", "while", "after"):
        act = globals().get("%s_%s" % (phase, kind.replace("-", "_")))
        if act:
            return phase, act
    raise ValueError("no fault is called " + kind)


class Faults:
    def __init__(self):
        self.rules = []
        self.met = set()  # kinds that a request has met so far
        self.lock = threading.Lock()

    def add(self, line):
        rule = Rule(line)
        with self.lock:
            self.rules.append(rule)

    def clear(self):
        with self.lock:
            self.rules.clear()
            self.met.clear()

    def matching(self, request):
        with self.lock:
            rules = [rule for rule in self.rules if rule.matches(request)]
            self.met |= {rule.kind for rule in rules}
            return rules


# Instead of an answer of the registry: (context, request, params) -> Answer. The context is the server.

def instead_status(_server, request, params):
    """An error: code, body (of BODIES), after (Retry-After), drain=no leaves the request's body unread."""
    if params.get("drain", "yes") == "yes":
        request.read_all(1 << 40)
    body = BODIES[params.get("body", "json")]
    kind = "text/html" if params.get("body") == "html" else "application/json"
    answer = Answer(int(params["code"]), [("Content-Type", kind)], body)
    if "after" in params:
        answer.set("Retry-After", params["after"])
    answer.close = request.has_unread_body
    return answer


def instead_drop(_server, _request, _params):
    """The connection is closed."""
    raise Broken


def instead_reset(_server, _request, _params):
    """The connection is reset."""
    raise Broken(reset=True)


def instead_hang(server, request, _params):
    """Never says anything, whatever comes."""
    server.discard_until_gone(request)
    raise Broken


def instead_garbage(_server, _request, params):
    """Not HTTP."""
    answer = Answer(200)
    answer.raw = params.get("text", "SSH-2.0-OpenSSH_9.2\r\n").encode() + b"\x00\xff\x0a\x0a" * 8
    return answer


def instead_serve(_server, request, params):
    """The bytes of a file: file, type, code; other headers with after_header."""
    request.read_all(1 << 40)
    body = Body(path=params["file"], size=os.path.getsize(params["file"]))
    return Answer(int(params.get("code", 200)), [("Content-Type", params.get("type", "application/json"))], body)


def instead_challenge(server, request, params):
    """401 with the header (`||` separates several, `none` is none)."""
    answer = Answer(401, [("Content-Type", "application/json")], BODIES[params.get("body", "json")])
    if params["header"] != "none":
        for line in server.origins.expand(params["header"]).split("||"):
            answer.headers.append(("WWW-Authenticate", line))
    answer.close = request.has_unread_body
    return answer


def instead_redirect(server, request, params):
    """To an address that may name origins ({main}, {other}, {host}, {plain}) and use {path}; code."""
    target = server.origins.expand(params["to"]).replace("{path}", request.target)
    return Answer(int(params.get("code", 307)), [("Location", target)])


def instead_loop(_server, request, params):
    """To somewhere else, again and again, when the rule matches that too."""
    step = int(re.search(r"step=(\d+)", request.target).group(1)) if "step=" in request.target else 0
    target = "%s?step=%d" % (request.path, step + 1) if params.get("grow", "yes") == "yes" else request.path
    return Answer(302, [("Location", target)])


def instead_signed(server, request, params):
    """To an address of another origin, good for `uses` requests, that takes no credentials."""
    path = server.api.sign(request, int(params.get("uses", 1)))
    if path is None:
        return Answer(404)
    origin = "{%s}" % params.get("to", "other")
    return Answer(307, [("Location", server.origins.expand(origin) + path)])


# While the request's body is read.

def while_break(_server, request, params):
    """The connection ends after `at` bytes of those that are longer; keep=no forgets those, reset=yes resets it."""
    request.break_at = int(params["at"])
    request.forgets = params.get("keep", "yes") != "yes"
    request.break_resets = params.get("reset") == "yes"


def while_slow_read(server, request, params):
    """Waits so many `ms` before the body is read."""
    server.wait_until_gone(request, int(params["ms"]) / 1000)


# After the registry did what was asked: (server, request, answer, params) changes the answer.

def after_code(_server, _request, answer, params):
    """Another status: code."""
    answer.status = int(params["code"])


def after_lost(_server, _request, _answer, params):
    """It was done, but nobody is told."""
    raise Broken(reset=params.get("reset") == "yes")


def after_flip(_server, _request, answer, params):
    """A bit of the byte at `at` differs."""
    answer.body.flips.append(int(params["at"]))


def after_replace(_server, _request, answer, params):
    """The bytes of another file."""
    answer.body = Body(path=params["file"], size=os.path.getsize(params["file"]))


def after_zeros(_server, _request, answer, params):
    """As long as it should be, but zeros."""
    answer.body = Body(b"\0" * answer.body.size)


def after_short(_server, _request, answer, params):
    """Closed after `at` bytes of what was announced (a negative number counts from the end)."""
    at = int(params["at"])
    answer.cut = at if at >= 0 else max(answer.body.size + at, 0)
    answer.reset = params.get("reset") == "yes"


def after_cut(_server, _request, answer, params):
    """So many `bytes` are missing at the end, as announced."""
    answer.body = answer.body.slice(0, max(answer.body.size - int(params["bytes"]), 0))


def after_long(_server, _request, answer, params):
    """More `bytes` than announced."""
    answer.length = answer.body.size
    answer.body.tail = b"+" * int(params["bytes"])
    answer.close = True


def after_extend(_server, _request, answer, params):
    """More `bytes`, and announced so."""
    answer.body.tail = b"+" * int(params["bytes"])


def after_endless(_server, _request, answer, params):
    """So many `bytes` more without announcing a length."""
    answer.body.tail = b"+" * int(params["bytes"])
    answer.length = None
    answer.close = True


def after_length(_server, _request, answer, params):
    """Announces another length: `value`, then closes."""
    answer.length = int(params["value"])
    answer.close = True


def after_no_length(_server, _request, answer, _params):
    """No Content-Length: the end is where the connection ends."""
    answer.length = None
    answer.close = True


def after_chunked(_server, _request, answer, _params):
    """Transfer-Encoding: chunked."""
    answer.chunked = True


def after_http10(_server, _request, answer, _params):
    """An HTTP/1.0 answer, without a length."""
    answer.version = "HTTP/1.0"
    answer.length = None
    answer.close = True


def after_whole(server, request, answer, _params):
    """200 and everything, whatever Range was asked for."""
    if answer.status not in (206, 416):
        return
    path = answer.body.path or server.api.blob_path(request)
    answer.status = 200
    answer.body = Body(path=path, size=os.path.getsize(path))
    answer.drop("Content-Range")


def after_range(_server, _request, answer, params):
    """Content-Range with another start or total: start=+N, total=+N; value=TEXT; missing=yes."""
    match = re.match(r"bytes (\d+)-(\d+)/(\d+)", answer.get("Content-Range") or "")
    if not match:
        return
    first, last, total = map(int, match.groups())
    answer.drop("Content-Range")
    if params.get("missing") == "yes":
        return
    text = "bytes %d-%d/%d" % (first + int(params.get("start", 0)), last, total + int(params.get("total", 0)))
    answer.set("Content-Range", params.get("value", text))


def after_header(server, _request, answer, params):
    """Sets a header: name, value (which may name origins); remove=yes takes it away; add=yes adds to what is there."""
    if params.get("remove") == "yes":
        answer.drop(params["name"])
    elif params.get("add") == "yes":
        answer.headers.append((params["name"], server.origins.expand(params["value"])))
    else:
        answer.set(params["name"], server.origins.expand(params["value"]))


def after_headers(_server, _request, answer, params):
    """So many `bytes` of headers."""
    for number in range(int(params["bytes"]) // 1000):
        answer.headers.append(("X-Filler-%d" % number, "x" * 980))


def after_drip(_server, _request, answer, params):
    """Slowly: `bytes` at a time, `ms` between."""
    answer.drip = int(params["bytes"]), int(params["ms"]) / 1000


def after_stall(_server, _request, answer, params):
    """Nothing more after `at` bytes, and the connection stays."""
    answer.stall = int(params["at"])


def after_set(server, _request, _answer, params):
    """Changes settings from now on, as the control command `set` does."""
    for key, value in params.items():
        if key != "origin":
            server.settings.set(key, value)
