#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Cloning a 50 GB sparse disk that holds data, against what one would do by hand: `cp --sparse=always`, and
# `qemu-img create -b`, which makes an overlay and leaves everything else to the user.
#
#	bench/bench_clone.sh [ROUNDS]     TART=build/tart DATA_MIB=500 BENCH_DIR=/var/tmp
set -eu -o pipefail
cd "$(dirname "$0")/.."

rounds=${1:-5}
tart=$(realpath "${TART:-build/tart}")
data_mib=${DATA_MIB:-500}
work=$(mktemp -d -p "${BENCH_DIR:-/var/tmp}" tart-bench.XXXXXX)
trap 'rm -rf "$work"' EXIT
export TART_HOME=$work/home

"$tart" create --linux --disk-size 50 base
disk=$TART_HOME/vms/base/disk.img
# In pieces all over the disk, as file systems leave it.
for ((i = 0; i < data_mib; i++)); do
	dd if=/dev/urandom of="$disk" bs=1M count=1 seek=$((i * 47000 / data_mib)) conv=notrunc status=none
done
sync -f "$work"

clone() { TART_CLONE=$1 "$tart" clone base clone; }
by_cp() { cp --sparse=always --reflink=never "$disk" "$work/cp.img"; }
by_qemu_img() { qemu-img create -q -f qcow2 -F raw -b "$disk" "$work/overlay.qcow2"; }

declare -A best

# Microseconds that a command takes, synced: what is not on the disk yet is not cloned. The least of all rounds.
measure() { # NAME FUNCTION [ARGUMENT]
	local begin time

	rm -f "$work/cp.img" "$work/overlay.qcow2"
	[ ! -e "$TART_HOME/vms/clone" ] || "$tart" delete clone
	sync -f "$work"
	begin=${EPOCHREALTIME/./}
	"${@:2}" >/dev/null
	sync -f "$work"
	time=$((${EPOCHREALTIME/./} - begin))
	((${best[$1]:-0} > 0 && ${best[$1]:-0} < time)) || best[$1]=$time
}

# Side by side, since other work on the machine comes and goes. Overlays last: the first one changes what the source's
# disk is stored as.
for ((round = 0; round < rounds; round++)); do
	measure cp by_cp
	measure copy clone copy
done
for ((round = 0; round < rounds; round++)); do
	measure qemu by_qemu_img
	measure auto clone auto
done

echo "file system $(stat -f -c %T "$work"), $data_mib MiB of data in a disk of 50 GB, best of $rounds"
awk -v cp="${best[cp]}" -v copy="${best[copy]}" -v qemu="${best[qemu]}" -v auto="${best[auto]}" 'BEGIN {
	printf "%-34s %8.3f s  1.00 of cp\n", "cp --sparse=always", cp / 1e6
	printf "%-34s %8.3f s  %.2f of cp\n", "tart clone, TART_CLONE=copy", copy / 1e6, copy / cp
	printf "%-34s %8.3f s  %.2f of cp\n", "tart clone", auto / 1e6, auto / cp
	printf "%-34s %8.3f s  tart clone takes %.1f times that\n", "qemu-img create -b", qemu / 1e6, auto / qemu
}'
