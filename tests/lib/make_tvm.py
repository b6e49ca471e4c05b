#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes an export with something wrong in it to stdout: make_tvm.py CASE [TEXT] | zstd > file."""
import hashlib
import io
import json
import sys
import tarfile

CONFIG = json.dumps({
    "version": 1, "os": "linux", "arch": "amd64", "cpuCountMin": 1, "cpuCount": 2,
    "memorySizeMin": 1, "memorySize": 1 << 30, "macAddress": "7a:65:e4:3f:b2:77",
}).encode()
FILES = {"config.json": CONFIG, "nvram.bin": b"nvram" * 100, "disk.img": b"disk" * 1000}


class Export:
    def __init__(self):
        self.files = dict(FILES)
        self.sizes = {}  # in tvm.json, where they are not the files' own
        self.version = 1
        self.members = None  # instead of one for each file
        self.tail = []  # after tvm.sha256
        self.sums = True

    def manifest(self):
        files = [{"name": name, "size": self.sizes.get(name, len(data))}
                 for name, data in self.files.items()]
        return json.dumps({"format": "tart-export", "version": self.version,
                           "files": files}).encode()

    def sum_lines(self):
        return "".join("%s  %s\n" % (hashlib.sha256(data).hexdigest(), name)
                       for name, data in self.files.items()).encode()

    def write(self, out):
        members = self.members
        if members is None:
            members = [regular(name, data) for name, data in self.files.items()]
        members = [regular("tvm.json", self.manifest())] + members
        if self.sums:
            members.append(regular("tvm.sha256", self.sum_lines()))
        with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar:
            for info, data in members + self.tail:
                tar.addfile(info, io.BytesIO(data))


def regular(name, data):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    return info, data


def link(name, target, kind):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info, b""


def with_member(export, name, member):
    export.members = [member if n == name else regular(n, d) for n, d in export.files.items()]


def main():
    case = sys.argv[1]
    text = sys.argv[2] if len(sys.argv) > 2 else ""
    export = Export()
    if case == "good":
        pass
    elif case == "file":  # also in the manifest
        export.files[text] = b"x"
    elif case == "member":  # only in the tar
        export.members = [regular(n, d) for n, d in export.files.items()] + [regular(text, b"x")]
    elif case == "symlink":
        with_member(export, "disk.img", link("disk.img", text, tarfile.SYMTYPE))
    elif case == "hardlink":
        with_member(export, "disk.img", link("disk.img", text, tarfile.LNKTYPE))
    elif case == "fifo":
        with_member(export, "disk.img", link("disk.img", "", tarfile.FIFOTYPE))
    elif case == "size":  # announced, of disk.img
        export.sizes["disk.img"] = int(text)
    elif case == "missing":
        del export.files[text]
    elif case == "twice":
        export.members = [regular(n, d) for n, d in export.files.items()]
        export.members.append(regular(text, export.files[text]))
    elif case == "after":
        export.tail = [regular("more", b"x")]
    elif case == "no-sums":
        export.sums = False
    elif case == "version":
        export.version = int(text)
    elif case == "config":
        export.files["config.json"] = text.encode()
    elif case == "state":
        export.files["state.vzvmsave"] = text.encode()
    elif case == "changed":
        with_member(export, "disk.img", regular("disk.img", b"dusk" * 1000))
    elif case == "zeros":  # data, not holes: TEXT MiB
        export.files["disk.img"] = bytes(int(text) << 20)
    elif case == "large":  # announced in both places, and not there
        size = int(text)
        info, _ = regular("disk.img", b"")
        info.size = size
        sys.stdout.buffer.write(large(export, info))
        return
    else:
        sys.exit("make_tvm.py: unknown case " + case)
    export.write(sys.stdout.buffer)


def large(export, info):
    export.sizes["disk.img"] = info.size
    out = io.BytesIO()
    for member in (regular("tvm.json", export.manifest()),
                   regular("config.json", export.files["config.json"]),
                   regular("nvram.bin", export.files["nvram.bin"]),
                   (info, b"")):
        out.write(member[0].tobuf(tarfile.PAX_FORMAT))
        out.write(member[1] + bytes(-len(member[1]) % 512))
    return out.getvalue() + bytes(65536)


main()
