# SPDX-License-Identifier: Apache-2.0
"""The endpoints of the distribution API, done right; faults.py spoils them."""
import json
import os
import re

from store import digest_of
from tokens import error_body
from wire import Answer, Body, Broken

BLOB = re.compile(r"/v2/(.+)/blobs/(sha256:[0-9a-f]{64})$")
UPLOADS = re.compile(r"/v2/(.+)/blobs/uploads/$")
UPLOAD = re.compile(r"/v2/(.+)/blobs/uploads/(u\d+)$")
FOREIGN_UPLOAD = re.compile(r"/elsewhere/(.+)/(u\d+)$")
SIGNED = re.compile(r"/signed/(\d+)$")
MANIFEST = re.compile(r"/v2/(.+)/manifests/([^/]+)$")
TAGS = re.compile(r"/v2/(.+)/tags/list$")
MANIFEST_MAX = 16 << 20


def failure(status, code, message=""):
    return Answer(status, [("Content-Type", "application/json")], error_body(code, message))


class Api:
    def __init__(self, store, settings, guard, origins):
        self.store, self.settings, self.guard, self.origins = store, settings, guard, origins
        self.signed = []  # [path of a blob, uses left]

    def answer(self, request):
        path = request.path
        if path == "/token":
            return self.guard.token_answer(request)
        for pattern, handle in ((FOREIGN_UPLOAD, self.upload), (SIGNED, self.fetch_signed)):
            match = pattern.match(path)
            if match:
                if request.header("Authorization") is not None:
                    return failure(400, "UNSUPPORTED", "Only one auth mechanism allowed")
                return handle(request, *match.groups())
        needs = self.needs(request)
        if not self.guard.admit(request.header("Authorization"), needs):
            return self.guard.refuse(needs, self.realm())
        if path in ("/v2/", "/v2"):
            return Answer(200, [("Content-Type", "application/json")], b"{}")
        for pattern, handle in ((UPLOADS, self.start_upload), (UPLOAD, self.upload), (BLOB, self.blob),
                                (MANIFEST, self.manifest), (TAGS, self.list_tags)):
            match = pattern.match(path)
            if match:
                return handle(request, *match.groups())
        return failure(404, "NAME_UNKNOWN", "no such place")

    def realm(self):
        return self.origins.expand(self.settings.realm)

    def needs(self, request):
        match = re.match(r"/v2/(.+?)/(blobs|manifests|tags)/", request.path)
        if not match:
            return []
        repository = match.group(1)
        needs = [(repository, "pull")]
        if request.method not in ("GET", "HEAD") or "/blobs/uploads/" in request.path:
            needs.append((repository, "push"))
        for source in request.query.get("from", []):
            needs.append((source, "pull"))
        return needs

    # Blobs

    def blob(self, request, repository, digest):
        path = self.store.blob(repository, digest)
        if path is None:
            return failure(404, "BLOB_UNKNOWN", "blob unknown to registry")
        if request.method == "DELETE":
            del self.store.blobs[repository, digest]
            return Answer(202)
        return self.file_answer(request, path, digest)

    def fetch_signed(self, request, number):
        entry = self.signed[int(number)]
        if entry[1] <= 0:
            return Answer(403, [("Content-Type", "application/xml")],
                          b"<?xml version='1.0'?><Error><Code>AccessDenied</Code>"
                          b"<Message>Request has expired</Message></Error>")
        entry[1] -= 1
        return self.file_answer(request, entry[0], None)

    def sign(self, request, uses):
        """The path of a short-lived address of the blob that is asked for; None when there is no such blob."""
        path = self.blob_path(request)
        if not path:
            return None
        self.signed.append([path, uses])
        return "/signed/%d?Expires=20&Signature=c2lnbmVk%%3D" % (len(self.signed) - 1)

    def blob_path(self, request):
        match = BLOB.match(request.path)
        return self.store.blob(*match.groups()) if match else None

    def file_answer(self, request, path, digest):
        size = os.path.getsize(path)
        headers = [("Content-Type", "application/octet-stream"), ("Accept-Ranges", "bytes")]
        if digest:
            headers.append(("Docker-Content-Digest", digest))
        match = re.match(r"bytes=(\d+)-(\d*)$", request.header("Range") or "")
        if not match or request.method == "HEAD":
            return Answer(200, headers, Body(path=path, size=size))
        first = int(match.group(1))
        last = min(int(match.group(2) or size - 1), size - 1)
        if first >= size or last < first:
            return Answer(416, headers + [("Content-Range", "bytes */%d" % size)])
        headers.append(("Content-Range", "bytes %d-%d/%d" % (first, last, size)))
        return Answer(206, headers, Body(path=path, offset=first, size=last - first + 1))

    # Uploads

    def start_upload(self, request, repository):
        request.read_all()
        if request.method != "POST":
            return failure(405, "UNSUPPORTED")
        wanted = request.query.get("mount")
        if wanted and self.settings.mount == "yes":
            if self.store.mount(request.query.get("from", [""])[0], repository, wanted[0]):
                return self.created(repository, wanted[0])
        name = self.store.start_upload(repository)
        answer = Answer(202, self.session_headers(repository, name, 0))
        if self.settings.chunk_min:
            answer.set("OCI-Chunk-Min-Length", str(self.settings.chunk_min))
        return answer

    def session_headers(self, repository, name, size):
        headers = [("Docker-Upload-UUID", name), ("Range", "0-%d" % max(size - 1, 0))]
        path = "/v2/%s/blobs/uploads/%s" % (repository, name)
        form = self.settings.location
        if form == "none":
            return headers
        if form == "foreign":
            path = "{other}/elsewhere/%s/%s" % (repository, name)
        elif form == "absolute":
            path = "{main}" + path
        elif form == "relative":
            path = name
        if self.settings.location_query:
            path += "?" + self.settings.location_query
        return headers + [("Location", self.origins.expand(path))]

    def upload(self, request, repository, name):
        upload = self.store.uploads.get(name)
        if upload is None or upload.repository != repository:
            request.read_all()
            return failure(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        if self.settings.location_query and self.settings.location_query not in request.target:
            return failure(400, "BLOB_UPLOAD_INVALID", "the state in the query is missing")
        if request.method == "GET":
            if self.settings.resume != "yes":
                return failure(int(self.settings.resume), "UNSUPPORTED")
            return Answer(204, self.session_headers(repository, name, upload.size))
        if request.method == "DELETE":
            self.store.end_upload(name)
            return Answer(204)
        with upload.lock:
            return self.take_body(request, repository, name, upload)

    def take_body(self, request, repository, name, upload):
        first = re.match(r"(\d+)-(\d+)$", request.header("Content-Range") or "")
        if first and int(first.group(1)) != upload.size:
            request.read_all()
            return Answer(416, self.session_headers(repository, name, upload.size))
        before, saved = upload.size, upload.hash.copy()
        try:
            came = upload.add(request.body())
        except Broken:
            if request.forgets:
                upload.cut(before, saved)
            raise
        if request.method == "PATCH":
            return self.chunk_answer(repository, name, upload, came)
        return self.complete(request, repository, name, upload)

    def chunk_answer(self, repository, name, upload, came):
        settings = self.settings
        if settings.chunk_max and came > settings.chunk_max:
            self.store.end_upload(name)
            return failure(413, "SIZE_INVALID", "chunk too large")
        return Answer(settings.patch_status, self.session_headers(repository, name, upload.size))

    def complete(self, request, repository, name, upload):
        wanted = request.query.get("digest", [""])[0]
        found = "sha256:" + upload.hash.hexdigest()
        if wanted != found:
            self.store.end_upload(name)
            return failure(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        self.store.end_upload(name, wanted)
        return self.created(repository, wanted)

    def created(self, repository, digest):
        headers = [("Docker-Content-Digest", digest)]
        if self.settings.location != "none":
            headers.append(("Location", "/v2/%s/blobs/%s" % (repository, digest)))
        return Answer(self.settings.put_status, headers)

    # Manifests

    def manifest(self, request, repository, reference):
        if request.method == "PUT":
            return self.put_manifest(request, repository, reference)
        found = self.store.resolve(repository, reference)
        if found is None:
            return failure(404, "MANIFEST_UNKNOWN", "manifest unknown")
        data, media_type, digest = found
        if request.method == "DELETE":
            self.store.tags = {key: value for key, value in self.store.tags.items() if value != digest}
            self.store.manifests.pop((repository, digest), None)
            return Answer(202)
        return Answer(200, [("Content-Type", media_type), ("Docker-Content-Digest", digest)], data)

    def put_manifest(self, request, repository, reference):
        data = request.read_all(MANIFEST_MAX)
        try:
            parsed = json.loads(data)
            digests = [entry["digest"] for entry in parsed.get("layers", [])]
            digests += [parsed["config"]["digest"]] if "config" in parsed else []
        except (ValueError, KeyError, TypeError):
            return failure(400, "MANIFEST_INVALID", "manifest invalid")
        missing = [digest for digest in digests if self.store.blob(repository, digest) is None]
        if missing:
            return failure(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry: " + missing[0])
        if reference.startswith("sha256:") and reference != digest_of(data):
            return failure(400, "DIGEST_INVALID", "not the digest of this manifest")
        digest = self.store.put_manifest(repository, reference, data, request.header("Content-Type"))
        return Answer(201, [("Docker-Content-Digest", digest),
                            ("Location", "/v2/%s/manifests/%s" % (repository, digest))])

    def list_tags(self, _request, repository):
        tags = sorted(tag for name, tag in self.store.tags if name == repository)
        body = json.dumps({"name": repository, "tags": tags}).encode()
        return Answer(200, [("Content-Type", "application/json")], body)
