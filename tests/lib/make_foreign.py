#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes an OCI image layout with one image, named "image", as tools other than ours make them.

usage: make_foreign.py LAYOUT vetu ARCH CMDLINE KERNEL INITRAMFS DISK...
       make_foreign.py LAYOUT container ARCH DISK [LAYERS]

Disks of Vetu travel as LZ4 frames, two parts each, made by the program lz4; that of a container in a gzipped tar, which
is one layer or the same layer so many times.
"""

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile

OCI = "application/vnd.oci.image."
VETU = "application/vnd.cirruslabs.vetu."


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Layout:
    def __init__(self, path):
        self.path = path
        os.makedirs(os.path.join(path, "blobs/sha256"))
        self.write("oci-layout", json.dumps({"imageLayoutVersion": "1.0.0"}).encode())

    def write(self, name, data):
        with open(os.path.join(self.path, name), "wb") as out:
            out.write(data)

    def add(self, media_type, data, annotations=None):
        self.write("blobs/" + digest(data).replace(":", "/"), data)
        descriptor = {"mediaType": media_type, "digest": digest(data), "size": len(data)}
        return {**descriptor, "annotations": annotations} if annotations else descriptor

    def finish(self, config, layers):
        manifest = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "config": config, "layers": layers}
        entry = self.add(OCI + "manifest.v1+json", json.dumps(manifest).encode())
        entry["annotations"] = {"org.opencontainers.image.ref.name": "image"}
        self.write("index.json", json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode())


def read(path):
    with open(path, "rb") as file:
        return file.read()


def lz4(data):
    return subprocess.run(["lz4", "-q", "-c", "-B7", "-BI"], input=data, stdout=subprocess.PIPE, check=True).stdout


def parts(layout, path):
    data = read(path)
    for part in (data[: len(data) // 2], data[len(data) // 2 :]):
        yield layout.add(VETU + "disk.v1", lz4(part), {
            "org.cirruslabs.vetu.name": os.path.basename(path),
            "org.cirruslabs.vetu.uncompressed-size": str(len(part)),
            "org.cirruslabs.vetu.uncompressed-digest": digest(part),
        })


def vetu(layout, arch, cmdline, kernel, initramfs, *disks):
    config = {"version": 1, "arch": arch, "cmdline": cmdline, "cpuCount": 1, "memorySize": 512 << 20,
              "disks": [{"name": os.path.basename(disk)} for disk in disks]}
    layers = [layout.add(VETU + "config.v1", json.dumps(config).encode()),
              layout.add(VETU + "kernel.v1", read(kernel)),
              layout.add(VETU + "initramfs.v1", read(initramfs))]
    for disk in disks:
        layers += parts(layout, disk)
    layout.finish(layout.add(OCI + "config.v1+json", b"{}"), layers)


def container(layout, arch, disk, count=1):
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        archive.add(disk, "disk/" + os.path.basename(disk))
    config = {"architecture": arch, "os": "linux", "rootfs": {"type": "layers", "diff_ids": [digest(tar.getvalue())] * int(count)}}
    layout.finish(layout.add(OCI + "config.v1+json", json.dumps(config).encode()),
                  [layout.add(OCI + "layer.v1.tar+gzip", gzip.compress(tar.getvalue(), 1))] * int(count))


def main():
    layout = Layout(sys.argv[1])
    {"vetu": vetu, "container": container}[sys.argv[2]](layout, *sys.argv[3:])


main()
