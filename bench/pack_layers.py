#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes an image for skopeo with few layers of the bytes that another has in many: bench/pack_layers.py REGISTRY-ROOT DIR N

skopeo needs minutes for an image of two thousand layers, whatever is in them: that would be no measure for anything. What
comes out is a `dir:` image that no VM could be made of, with each different blob of a repository in exactly one layer.
"""
import hashlib
import json
import os
import sys


class Layer:
    def __init__(self, folder):
        self.path = os.path.join(folder, "layer")
        self.file = open(self.path, "wb")
        self.hash = hashlib.sha256()
        self.size = 0

    def add(self, data):
        self.file.write(data)
        self.hash.update(data)
        self.size += len(data)

    def finish(self, folder, media_type):
        self.file.close()
        name = self.hash.hexdigest()
        os.rename(self.path, os.path.join(folder, name))
        return {"mediaType": media_type, "digest": "sha256:" + name, "size": self.size}


def blobs(root):
    for folder, _, files in os.walk(os.path.join(root, "docker/registry/v2/blobs")):
        if "data" in files:
            yield os.path.join(folder, "data")


def main():
    root, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    os.mkdir(folder)
    paths = sorted(blobs(root))
    most = sum(map(os.path.getsize, paths)) // count + 1
    layers, layer = [], Layer(folder)
    for path in paths:
        with open(path, "rb") as file:
            layer.add(file.read())
        if layer.size >= most or path == paths[-1]:
            layers.append(layer.finish(folder, "application/vnd.cirruslabs.tart.disk.v2"))
            layer = Layer(folder) if path != paths[-1] else None
    config = Layer(folder)
    config.add(b'{"architecture":"amd64","os":"linux"}')
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": config.finish(folder, "application/vnd.oci.image.config.v1+json"), "layers": layers}
    with open(os.path.join(folder, "manifest.json"), "w", encoding="ascii") as file:
        json.dump(manifest, file)
    with open(os.path.join(folder, "version"), "w", encoding="ascii") as file:
        file.write("Directory Transport Version: 1.1\n")


if __name__ == "__main__":
    main()
