#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `tart list` with 1,000 VMs and 1,000 images, against `stat` of the same files.
#
#	bench/bench_list.sh [VMS] [ROUNDS]     TART=build/tart BENCH_DIR=/var/tmp
set -eu -o pipefail
cd "$(dirname "$0")/.."

vms=${1:-1000}
rounds=${2:-10}
tart=$(realpath "${TART:-build/tart}")
work=$(mktemp -d -p "${BENCH_DIR:-/var/tmp}" tart-bench.XXXXXX)
trap 'rm -rf "$work"' EXIT
export TART_HOME=$work/home

bundle() { # FOLDER
	mkdir -p "$1"
	echo '{"version":1,"os":"linux","arch":"amd64","cpuCountMin":1,"cpuCount":1,"memorySizeMin":1,"memorySize":1073741824,"macAddress":"2:0:0:0:0:1"}' >"$1/config.json"
	truncate -s 50G "$1/disk.img"
	: >"$1/nvram.bin"
}

for ((i = 0; i < vms; i++)); do
	bundle "$TART_HOME/vms/vm$i"
	digest=sha256:$(printf '%064x' "$i")
	bundle "$TART_HOME/cache/OCIs/registry.example/org/image$i/$digest"
	ln -s "$TART_HOME/cache/OCIs/registry.example/org/image$i/$digest" \
		"$TART_HOME/cache/OCIs/registry.example/org/image$i/latest"
done

best_of() { # COMMAND...
	local best=0 begin time

	for ((round = 0; round < rounds; round++)); do
		begin=${EPOCHREALTIME/./}
		"$@" >/dev/null
		time=$((${EPOCHREALTIME/./} - begin))
		((best > 0 && best < time)) || best=$time
	done
	echo "$best"
}

stat_all() { find "$TART_HOME" -name '*.*' -printf '%s %b %A@\n'; }

[ "$("$tart" list --quiet | wc -l)" -eq $((3 * vms)) ]
find_best=$(best_of stat_all)
list_best=$(best_of "$tart" list --format json)
local_best=$(best_of "$tart" list --source local --format json)
quiet_best=$(best_of "$tart" list --quiet)
echo "$vms VMs and as many images with a tag each, best of $rounds"
awk -v f="$find_best" -v l="$list_best" -v o="$local_best" -v q="$quiet_best" 'BEGIN {
	printf "%-34s %7.1f ms\n", "find -printf sizes and times", f / 1e3
	printf "%-34s %7.1f ms  %.2f of find\n", "tart list --format json", l / 1e3, l / f
	printf "%-34s %7.1f ms  %.2f of find\n", "tart list --source local", o / 1e3, o / f
	printf "%-34s %7.1f ms  %.2f of find\n", "tart list --quiet", q / 1e3, q / f
}'
