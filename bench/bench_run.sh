#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `tart run` until the guest's firmware prints its first byte, against a bare QEMU with the same arguments; and what
# memory the supervisor takes.
set -eu -o pipefail
cd "$(dirname "$0")/.."
rounds=${1:-5}
tart=${TART:-$PWD/build/tart}

work=$(mktemp -d "${BENCH_DIR:-/var/tmp}/bench_run.XXXXXX")
trap 'rm -rf "$work"' EXIT
export TART_HOME=$work/home
# No interfaces of this host are made, and none are wanted.
export TART_NETWORK_BACKEND=user
# The same user for both.
[ "$(id -u)" -ne 0 ] || export TART_QEMU_USER=root
"$tart" create vm --linux --disk-size 1 --arch amd64
"$tart" set vm --cpu 1 --memory 512
python3 bench/bench_run.py "$tart" "$TART_HOME/vms/vm" vm "$rounds"
