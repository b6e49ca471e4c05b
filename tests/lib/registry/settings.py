# SPDX-License-Identifier: Apache-2.0
"""How the registry is today: settings that hold for all requests, and what names its addresses."""


class Settings:
    """Given as KEY=VALUE at the start (--set) and while it runs (the control command `set`)."""

    def __init__(self):
        self.auth = "none"  # none, basic, bearer; never: every request gets 401
        self.users = {}  # user=NAME:PASSWORD adds one
        self.anonymous = ""  # yes: the token server also grants to nobody in particular
        self.realm = "{main}/token"
        self.service = "registry.test"
        self.challenge = ""  # WWW-Authenticate, see tokens.py
        self.token_uses = 0  # requests a token is good for, 0 = any number
        self.token_keys = "token"  # and access_token
        self.expires_in = "300"  # JSON; empty: absent
        self.issued_at = ""
        self.identity = ""  # the refresh token that POST accepts
        self.oauth = "yes"  # or the status of POST to the token server
        self.mount = "yes"
        self.resume = "yes"  # or the status of GET on an upload
        self.location = "path"  # of uploads: path, relative, absolute, foreign, none
        self.location_query = ""  # of uploads; has to be sent back
        self.chunk_min = 0  # announced as OCI-Chunk-Min-Length
        self.chunk_max = 0  # larger chunks are refused with 413
        self.patch_status = 202
        self.put_status = 201
        self.cookies = ""  # yes: every answer sets one

    def set(self, key, value):
        if key == "user":
            name, _, password = value.partition(":")
            self.users[name] = password
            return
        known = getattr(self, key, None)
        if known is None or key.startswith("_") or callable(known):
            raise ValueError("no setting is called " + key)
        setattr(self, key, type(known)(value))


class Origins:
    """The addresses of this program: main, other (another port), host (another address), plain (http beside https)."""

    def __init__(self):
        self.addresses = {}  # name -> scheme://host:port

    def expand(self, text):
        for name, address in self.addresses.items():
            text = text.replace("{%s}" % name, address)
        return text
