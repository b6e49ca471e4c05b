# SPDX-License-Identifier: Apache-2.0
"""Who may do what: passwords, tokens, and the challenges that ask for them."""
import base64
import json
import threading
import urllib.parse

from wire import Answer

PLAIN_CHALLENGE = {
    "basic": 'Basic realm="test"',
    "bearer": 'Bearer realm="{realm}",service="{service}",scope="{scope}"',
}


class Token:
    def __init__(self, name, scopes, uses):
        self.name, self.scopes, self.uses = name, scopes, uses


class Guard:
    """The state of authentication. Its settings may change while the server runs."""

    def __init__(self, settings):
        self.settings = settings
        self.tokens = {}
        self.lock = threading.Lock()

    def describe(self, header):
        """For the log, without secrets: none, basic:USER:ok, bearer:t1:ok, bearer:?:unknown."""
        if header is None:
            return "none"
        scheme, _, value = header.partition(" ")
        if scheme.lower() == "basic":
            user, password = decode_basic(value)
            good = self.settings.users.get(user) == password
            return "basic:%s:%s" % (user, "ok" if good else "bad")
        token = self.tokens.get(value)
        if token is None:
            return "%s:?:unknown" % scheme.lower()
        return "bearer:%s:%s" % (token.name, "used-up" if token.uses == 0 else "ok")

    def admit(self, header, needs):
        """Whether a request with this header may do what it needs: [(repository, action)]."""
        kind = self.settings.auth
        if kind == "none":
            return True
        if kind == "never" or header is None:
            return False
        scheme, _, value = header.partition(" ")
        if kind == "basic":
            user, password = decode_basic(value)
            return scheme.lower() == "basic" and self.settings.users.get(user) == password
        return scheme.lower() == "bearer" and self._spend(value, needs)

    def _spend(self, text, needs):
        with self.lock:
            token = self.tokens.get(text)
            if token is None or token.uses == 0:
                return False
            if any("%s:%s" % need not in token.scopes for need in needs):
                return False
            if token.uses is not None:
                token.uses -= 1
            return True

    def refuse(self, needs, realm):
        """401 with the challenge. `||` in the setting separates headers, `none` is no header."""
        settings = self.settings
        scope = " ".join("repository:%s:%s" % (repository, ",".join(actions))
                         for repository, actions in group(needs))
        pattern = settings.challenge or PLAIN_CHALLENGE.get(settings.auth, PLAIN_CHALLENGE["basic"])
        answer = Answer(401, [("Content-Type", "application/json")], error_body("UNAUTHORIZED",
                        "authentication required"))
        if pattern != "none":
            text = pattern.replace("{realm}", realm).replace("{scope}", scope)
            text = text.replace("{service}", settings.service)
            answer.headers += [("WWW-Authenticate", line) for line in text.split("||")]
        return answer

    def token_answer(self, request):
        """The token server: GET, and POST with a refresh token."""
        settings = self.settings
        if request.method == "POST":
            if settings.oauth != "yes":
                return Answer(int(settings.oauth), [], b"")
            form = urllib.parse.parse_qs(request.read_all().decode())
            if form.get("refresh_token") != [settings.identity]:
                return Answer(401, [], error_body("UNAUTHORIZED", "no such identity"))
            scopes = form.get("scope", [])
        else:
            header = request.header("Authorization")
            if header is None and not settings.anonymous:
                return Answer(401, [], error_body("UNAUTHORIZED", "who are you?"))
            if header is not None and not self.describe(header).endswith(":ok"):
                return Answer(401, [], error_body("UNAUTHORIZED", "incorrect username or password"))
            scopes = request.query.get("scope", [])
        return self._grant(" ".join(scopes).split())

    def _grant(self, scopes):
        settings = self.settings
        granted = set()
        for scope in scopes:
            _, _, rest = scope.partition(":")
            repository, _, actions = rest.rpartition(":")
            granted |= {"%s:%s" % (repository, action) for action in actions.split(",")}
        with self.lock:
            name = "t%d" % (len(self.tokens) + 1)
            text = "token-%s-%s" % (name, base64.b64encode(b"opaque \xff\xfe" * 3).decode())
            self.tokens[text] = Token(name, granted, settings.token_uses or None)
        answer = {key: text for key in settings.token_keys.split(",")}
        if settings.expires_in:
            answer["expires_in"] = json.loads(settings.expires_in)
        if settings.issued_at:
            answer["issued_at"] = settings.issued_at
        return Answer(200, [("Content-Type", "application/json")], json.dumps(answer).encode())


def group(needs):
    actions = {}
    for repository, action in needs:
        actions.setdefault(repository, []).append(action)
    return actions.items()


def decode_basic(value):
    try:
        user, _, password = base64.b64decode(value).decode().partition(":")
    except ValueError:
        return "?", None
    return user, password


def error_body(code, message):
    return json.dumps({"errors": [{"code": code, "message": message, "detail": None}]}).encode()
