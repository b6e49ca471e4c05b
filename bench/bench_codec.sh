#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What one thread can do with a layer: LZ4, SHA-256, zero scan, in MB of disk data per second of CPU time.
#
#	bench/bench_codec.sh [FILE]     BUILD=build BENCH_DIR=/var/tmp
set -eu -o pipefail
cd "$(dirname "$0")/.."

build=${BUILD:-build}
work=$(mktemp -d -p "${BENCH_DIR:-/var/tmp}" tart-bench.XXXXXX)
trap 'rm -rf "$work"' EXIT

file=${1-}
if [ -z "$file" ]; then # what a disk holds most of: programs and libraries
	file=$work/data
	find /usr/lib /usr/bin -type f -size +64k -print0 | sort -z | xargs -0 cat 2>/dev/null | head -c 256M >"$file" || true
fi
ninja -C "$build" bench/bench_codec >/dev/null
"$build/bench/bench_codec" "$file"
