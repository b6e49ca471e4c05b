#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Push and pull of a 20 GB disk with 1 GiB of mixed data, with Debian's registry on loopback, against `skopeo copy` of the
# same bytes from and to a directory: that neither compresses, decodes, verifies contents nor writes a disk. The bytes are
# in 40 layers for skopeo, which takes minutes for the image as it is.
#
#	bench/bench_registry.sh [ROUNDS]     TART=build/tart DATA_MIB=1024 BENCH_DIR=/var/tmp
set -eu -o pipefail
cd "$(dirname "$0")/.."

rounds=${1:-3}
tart=$(realpath "${TART:-build/tart}")
data_mib=${DATA_MIB:-1024}
program=$(tools/docker_registry.sh)
work=$(mktemp -d -p "${BENCH_DIR:-/var/tmp}" tart-bench.XXXXXX)
registry_pid=
registries=0
trap 'stop_registry; rm -rf "$work"' EXIT
export TART_HOME=$work/home HOME=$work/user
mkdir "$HOME"

# With nothing in it; $registry is where.
start_registry() {
	registries=$((registries + 1))
	root=$work/registry.$registries
	mkdir "$root"
	cat >"$root.yml" <<-EOF
		version: 0.1
		log: {accesslog: {disabled: false}, level: info}
		storage: {filesystem: {rootdirectory: "$root"}}
		http: {addr: "127.0.0.1:0", secret: bench}
	EOF
	: >"$root.log"
	"$program" serve "$root.yml" >"$root.log" 2>&1 &
	registry_pid=$!
	until grep -q 'listening on' "$root.log"; do
		kill -0 "$registry_pid"
		sleep 0.05
	done
	registry=$(sed -n 's/.*listening on \(127\.0\.0\.1:[0-9]*\).*/\1/p' "$root.log" | head -n 1)
}

stop_registry() {
	[ -n "$registry_pid" ] || return 0
	kill "$registry_pid" 2>/dev/null || true
	wait "$registry_pid" 2>/dev/null || true
	registry_pid=
	rm -rf "$root"
}

declare -A seconds cpu peak

# The fastest of all rounds, and the most memory of any.
measure() { # NAME COMMAND...
	local name=$1 time used memory

	sync -f "$work"
	bench/measure.py "$work/measured" "${@:2}" >"$work/output" 2>&1 || {
		cat "$work/output" >&2
		return 1
	}
	read -r time used memory <"$work/measured"
	if [ -z "${seconds[$name]-}" ] || awk -v a="$time" -v b="${seconds[$name]}" 'BEGIN { exit !(a < b) }'; then
		seconds[$name]=$time
		cpu[$name]=$used
	fi
	[ "${peak[$name]-0}" -ge "$memory" ] || peak[$name]=$memory
}

# What the disk is known to hold goes with its times: the next push reads it again.
forget_layers() {
	touch "$TART_HOME/vms/vm/disk.img"
}

skopeo_copy() { # NAME FROM TO
	rm -rf "$HOME/.local"
	measure "$1" skopeo --insecure-policy copy --quiet --src-tls-verify=false --dest-tls-verify=false "$2" "$3"
}

pull_into() { # HOME NAME IMAGE
	TART_HOME=$1 measure "$2" "$tart" pull --insecure "$3"
}

blob_bytes() {
	du -sb "$root/docker/registry/v2/blobs" | cut -f 1
}

uploads() {
	grep -cE 'http.request.method=(POST|PUT|PATCH) .*/blobs/uploads/' "$root.log" || true
}

# Bytes of blobs that were fetched.
fetched_bytes() {
	grep -E 'http.request.method=GET .*http.request.uri="[^"]*/blobs/sha256' "$root.log" |
		sed -n 's/.*http.response.written=\([0-9]*\).*/\1/p' | awk '{ sum += $1 } END { print sum + 0 }'
}

"$tart" create --linux --disk-size 20 vm
bench/mixed_disk.py fill "$TART_HOME/vms/vm/disk.img" "$data_mib"
read -r sha_plain lz4 sha_packed lz4_back < <(bench/mixed_disk.py cost "$TART_HOME/vms/vm/disk.img" "$data_mib")

for ((round = 0; round < rounds; round++)); do
	start_registry
	forget_layers
	measure push "$tart" push --insecure vm "$registry/a/vm:v1"
	before=$(uploads)
	measure again "$tart" push --insecure vm "$registry/a/vm:v1"
	[ "$(uploads)" -eq "$before" ] || echo 'The second push sent blobs.'
	rm -rf "$work/packed" "$work/copy" "$work/pulled"
	pull_into "$work/pulled" pull "$registry/a/vm:v1"
	bench/pack_layers.py "$root" "$work/packed" 40
	stop_registry
	start_registry
	skopeo_copy skopeo_push "dir:$work/packed" "docker://$registry/b/vm:v1"
	skopeo_copy skopeo_pull "docker://$registry/b/vm:v1" "dir:$work/copy"
	stop_registry
done

start_registry
"$tart" push --insecure vm "$registry/a/vm:v1" >"$work/output"
rm -rf "$work/pulled"
TART_HOME=$work/pulled "$tart" pull --insecure "$registry/a/vm:v1" >"$work/output"
image_bytes=$(blob_bytes)
layer_bytes=$(jq '[.layers[] | select(.mediaType | test("disk.v2")).annotations["org.cirruslabs.tart.uncompressed-size"] |
	tonumber] | max' "$work"/pulled/cache/OCIs/*/a/vm/v1/manifest.json)

bench/mixed_disk.py change "$TART_HOME/vms/vm/disk.img" 7
measure push_changed "$tart" push --insecure vm "$registry/a/vm:v2"
pushed=$(($(blob_bytes) - image_bytes))
fetched=$(fetched_bytes)
pull_into "$work/pulled" pull_changed "$registry/a/vm:v2"
fetched=$(($(fetched_bytes) - fetched))
cmp "$work"/pulled/cache/OCIs/*/a/vm/v2/disk.img "$TART_HOME/vms/vm/disk.img"

echo "file system $(stat -f -c %T "$work"), $data_mib MiB of data in a disk of 20 GB, $((image_bytes >> 20)) MiB compressed," \
	"layers of $((layer_bytes >> 20)) MiB, best of $rounds"
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
row() { # NAME WHAT REFERENCE
	printf '%-28s %8.3f s %s  %6.1f MiB peak\n' "$2" "${seconds[$1]}" "$3" "$(ratio "${peak[$1]}" 1024)"
}
row skopeo_pull 'skopeo copy to a directory' '1.00 of skopeo'
row pull 'tart pull' "$(ratio "${seconds[pull]}" "${seconds[skopeo_pull]}") of skopeo"
row skopeo_push 'skopeo copy from a directory' '1.00 of skopeo'
row push 'tart push' "$(ratio "${seconds[push]}" "${seconds[skopeo_push]}") of skopeo"
row again 'tart push, nothing changed' ''
row push_changed 'tart push, 1 MiB changed' "sends $(ratio "$pushed" 1048576) MiB"
row pull_changed 'tart pull, 1 MiB changed' "fetches $(ratio "$fetched" 1048576) MiB"
awk -v push="${cpu[push]}" -v pull="${cpu[pull]}" -v mib="$data_mib" -v sha="$sha_plain" -v lz4="$lz4" -v packed="$sha_packed" \
	-v back="$lz4_back" 'BEGIN {
	push *= 1024 / mib; pull *= 1024 / mib
	printf "CPU per GiB: push %.2f s, %.2f of SHA-256 and LZ4 alone (%.2f s)\n", push, push / (sha + lz4 + packed), sha + lz4 + packed
	printf "CPU per GiB: pull %.2f s, %.2f of SHA-256 and LZ4 alone (%.2f s)\n", pull, pull / (sha + back + packed), sha + back + packed
}'
