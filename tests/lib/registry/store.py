# SPDX-License-Identifier: Apache-2.0
"""What a registry holds: blobs and manifests of repositories, and uploads that are not complete."""
import hashlib
import json
import os
import threading

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Upload:
    """A session; its bytes are in a file."""

    def __init__(self, path, repository):
        self.path, self.repository = path, repository
        self.size = 0
        self.hash = hashlib.sha256()
        self.lock = threading.Lock()
        open(path, "xb").close()

    def add(self, pieces):
        """Keeps what came, however it ends. Returns the bytes that came."""
        before = self.size
        with open(self.path, "r+b") as file:
            file.seek(self.size)
            for data in pieces:
                file.write(data)
                self.hash.update(data)
                self.size += len(data)
        return self.size - before

    def cut(self, size, saved_hash):
        os.truncate(self.path, size)
        self.size, self.hash = size, saved_hash


class Store:
    def __init__(self, root):
        self.root = root
        self.lock = threading.Lock()
        self.blobs = {}  # (repository, digest) -> path
        self.manifests = {}  # (repository, digest) -> (bytes, media type)
        self.layout_types = {}  # (repository, digest) -> media type
        self.tags = {}  # (repository, tag) -> digest
        self.uploads = {}  # id -> Upload
        self.serial = 0
        for folder in ("blobs", "uploads"):
            os.makedirs(os.path.join(root, folder), exist_ok=True)

    def load_layout(self, folder, repository):
        """Everything of an OCI layout, whatever its blobs are named after; the references are tags."""
        blobs = os.path.join(folder, "blobs", "sha256")
        for name in os.listdir(blobs):
            self.blobs[repository, "sha256:" + name] = os.path.join(blobs, name)
        with open(os.path.join(folder, "index.json"), "rb") as file:
            index = json.load(file)
        for entry in index["manifests"]:
            tag = entry["annotations"]["org.opencontainers.image.ref.name"]
            self.tags[repository, tag] = entry["digest"]
            self.layout_types[repository, entry["digest"]] = entry["mediaType"]

    def blob(self, repository, digest):
        return self.blobs.get((repository, digest))

    def resolve(self, repository, reference):
        """(bytes, media type, digest), or None."""
        digest = self.tags.get((repository, reference), reference)
        if (repository, digest) in self.manifests:
            return self.manifests[repository, digest] + (digest,)
        path = self.blob(repository, digest)
        if path is None or os.path.getsize(path) > 8 << 20:
            return None
        with open(path, "rb") as file:
            data = file.read()
        return data, self.layout_types.get((repository, digest)) or media_type_of(data), digest

    def put_manifest(self, repository, reference, data, media_type):
        digest = digest_of(data)
        with self.lock:
            self.manifests[repository, digest] = data, media_type
            if not reference.startswith("sha256:"):
                self.tags[repository, reference] = digest
        return digest

    def start_upload(self, repository):
        with self.lock:
            self.serial += 1
            name = "u%d" % self.serial
            upload = Upload(os.path.join(self.root, "uploads", name), repository)
            self.uploads[name] = upload
        return name

    def end_upload(self, name, digest=None):
        """Makes it a blob, or forgets it."""
        with self.lock:
            upload = self.uploads.pop(name)
            if digest is None:
                os.unlink(upload.path)
                return
            path = os.path.join(self.root, "blobs", digest.split(":")[1])
            os.rename(upload.path, path)
            self.blobs[upload.repository, digest] = path

    def mount(self, source, repository, digest):
        with self.lock:
            path = self.blobs.get((source, digest))
            if path is not None:
                self.blobs[repository, digest] = path
        return path is not None


def media_type_of(data):
    """As a registry would say that was told when the manifest was pushed."""
    try:
        return json.loads(data).get("mediaType", MANIFEST)
    except (ValueError, AttributeError, RecursionError):
        return MANIFEST
