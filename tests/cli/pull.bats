#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart pull, and clones of images that are not cached: what is said and done when all is well.

load ../lib/common
load ../lib/store
load ../lib/registry
load ../lib/pulled

layout=$project/tests/data/oci/layout

setup() {
	common_setup
	start_registry --layout "$layout" images --layout "$layout" others
	image=$registry/images:ok
}

disk_blobs() { # REF
	jq -r '.layers[] | select(.mediaType | test("disk.v2")).digest' "$layout/blobs/$(case_of "$1" manifest | tr : /)"
}

# How often each layer of the disk was asked for: one number for all when they agree.
count_layers() { # REF
	local digest

	for digest in $(disk_blobs "$1" | sort -u); do
		count_requests GET "/blobs/$digest"
	done | sort -u
}

# Puts a manifest of our own under a tag.
put_manifest() { # NAMESPACE TAG <MANIFEST
	python3 -c 'import sys, urllib.request
body = sys.stdin.buffer.read()
urllib.request.urlopen(urllib.request.Request(sys.argv[1], body, method="PUT",
	headers={"Content-Type": "application/vnd.oci.image.manifest.v1+json"}))' "http://$registry/v2/$1/manifests/$2"
}

@test 'pull: an image, line by line' {
	tart pull --insecure "$image"
	assert_success
	assert_equal "$stderr" ''
	assert_equal "$output" "pulling $image...
pulling manifest...
pulling disk (0.0 GB compressed)...
0%
100%
pulling NVRAM..."
	assert_image_pulled "$image" ok
}

@test 'pull: files of a pulled image' {
	tart pull --insecure "$image"
	run ls -A "$(cached_dir "$image")"
	assert_output $'config.json\ndisk.img\ndisk.layers\nmanifest.json\nnvram.bin'
	run stat -c %a "$(cached_dir "$image")"
	assert_output 700
}

@test 'pull: what is there already' {
	local digest

	digest=$registry/images@$(case_of ok manifest)

	tart pull --insecure "$image"
	forget_requests
	tart pull --insecure "$image"
	assert_success
	assert_equal "$output" "pulling $image...
pulling manifest...
$digest image is already cached and linked!"
	tart pull --insecure "$digest"
	assert_success
	assert_equal "$output" "pulling $digest...
pulling manifest...
$digest image is already cached! creating a symlink..."
	assert_equal "$(count_requests GET /blobs/)" 0
	assert_exist "$(cached_dir "$image")/.explicitly-pulled"
	tart pull --insecure "$digest"
	assert_success
	assert_line "$digest image is already cached and linked!"
}

@test 'pull: by digest' {
	local digest

	digest=$registry/images@$(case_of ok manifest)

	tart pull --insecure "$digest"
	assert_success
	assert_image_files "$(image_dir_of "$digest")" ok
	tart prune --gc
	assert_success
	tart list --source oci --quiet
	assert_equal "$output" "$digest"
}

@test 'pull: of an index the part for this host' {
	tart pull --insecure "$registry/images:ext-index"
	assert_success
	run jq -r .arch "$(cached_dir "$registry/images:ext-index")/config.json"
	assert_output "$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')"
}

@test 'pull: a local VM' {
	make_vm debian
	tart pull debian
	assert_success
	assert_equal "$output$stderr" '"debian" is a local image, nothing to pull here!'
}

@test 'pull: names and options that are refused' {
	tart pull nosuch
	assert_failure 1
	assert_equal "$output" ''
	assert_regex "$stderr" '^failed to parse remote name: .*'
	tart pull "$registry/images@sha256:abc"
	assert_failure 1
	assert_regex "$stderr" '^failed to parse remote name: '
	tart pull --concurrency 0 "$image"
	assert_usage_error pull 'network concurrency cannot be less than 1'
	tart pull
	assert_usage_error pull "Missing expected argument '<remote-name>'"
	assert_nothing_kept
}

@test 'pull: images that are not there' {
	tart pull --insecure "$registry/images:nosuch"
	assert_one_error 'HTTP 404' images:nosuch 'private, misspelt, or log in'
	tart pull --insecure 127.0.0.1:1/a/b
	assert_one_error 127.0.0.1:1
	assert_nothing_kept
}

@test 'pull: any number of layers at once' {
	for n in 1 2 16 100000; do
		fresh_home
		tart pull --insecure --concurrency "$n" "$image"
		assert_success
		assert_image_pulled "$image" ok
	done
}

@test 'pull: five at once fetch once' {
	local pids=() pid

	for n in 1 2 3 4 5; do
		background "$TART" clone --insecure "$image" "vm$n" >"$BATS_TEST_TMPDIR/out$n" 2>&1
		pids+=("$background_pid")
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	assert_vms vm1 vm2 vm3 vm4 vm5
	assert_equal "$(count_layers ok)" 1
	for n in 1 2 3 4 5; do
		assert_equal "$(sha256sum <"$TART_HOME/vms/vm$n/disk.img")" "$(sha256sum <"$TART_HOME/vms/vm1/disk.img")"
	done
	assert_tmp_empty
}

@test 'pull: waits for another of the same registry, and says so' {
	local folder=$TART_HOME/cache/OCIs/${registry/:/%3A}

	mkdir -p "$folder"
	hold_lock flock "$folder"
	background "$TART" pull --insecure "$image" >"$BATS_TEST_TMPDIR/out" 2>&1
	pid=$background_pid
	wait_until grep -qx 'waiting for lock...' "$BATS_TEST_TMPDIR/out"
	release_lock
	wait "$pid"
	assert_image_pulled "$image" ok
}

@test 'pull: Ctrl-C while waiting' {
	local folder=$TART_HOME/cache/OCIs/${registry/:/%3A}

	mkdir -p "$folder"
	hold_lock flock "$folder"
	background env --default-signal=INT "$TART" pull --insecure "$image" >"$BATS_TEST_TMPDIR/out" 2>&1
	pid=$background_pid
	wait_until grep -qx 'waiting for lock...' "$BATS_TEST_TMPDIR/out"
	kill -INT "$pid"
	run wait "$pid"
	assert_failure
	assert_nothing_kept
}

@test 'pull: layers that a cached image has are not fetched' {
	tart pull --insecure "$image"
	forget_requests
	tart pull --insecure "$registry/images:ok-foreign-json"
	assert_success
	assert_equal "$(count_layers ok)" 0
	assert_image_files "$(cached_dir "$registry/images:ok-foreign-json")" ok
	# From another namespace; by its manifest alone, too.
	rm -f "$TART_HOME"/cache/OCIs/*/images/*/disk.layers
	forget_requests
	tart pull --insecure "$registry/others:ok-type-order"
	assert_success
	assert_equal "$(count_layers ok)" 0
	assert_image_files "$(cached_dir "$registry/others:ok-type-order")" ok
	assert_tmp_empty
}

@test 'pull: what a cached image has is not trusted' {
	local disk

	tart pull --insecure "$image"
	disk=$(cached_dir "$image")/disk.img
	printf 'damage' | dd of="$disk" bs=1 seek=5000 conv=notrunc status=none
	forget_requests
	tart pull --insecure "$registry/images:ok-foreign-json"
	assert_success
	assert_image_files "$(cached_dir "$registry/images:ok-foreign-json")" ok
	truncate -s 1000 "$disk"
	rm -r "$(cached_dir "$registry/images:ok-foreign-json")"
	tart pull --insecure "$registry/others:ok-type-order"
	assert_success
	assert_image_files "$(cached_dir "$registry/others:ok-type-order")" ok
}

@test 'pull: the same layer several times is fetched once, zeros never' {
	local zeros

	zeros=$(jq -r '.layers[] | select(.mediaType | test("disk.v2")).digest' \
		"$layout/blobs/$(case_of ok-repeated-layer manifest | tr : /)" | sort -u)
	tart pull --insecure "$registry/images:ok-repeated-layer"
	assert_success
	assert_image_pulled "$registry/images:ok-repeated-layer" ok-repeated-layer
	for digest in $zeros; do
		[ "$(count_requests GET "/blobs/$digest")" -le 1 ]
	done
}

@test 'pull: a tag that moves between two attempts' {
	local manifest moved=$registry/images:moved last want

	manifest=$layout/blobs/$(case_of ok manifest | tr : /)

	last=$(disk_blobs ok | tail -n 1)
	put_manifest images moved <"$manifest"
	fault GET "/blobs/$last" '*' drop
	tart pull --insecure "$moved"
	assert_failure 1
	no_faults
	forget_requests
	# The last layer comes first now: all the others belong elsewhere.
	jq -c '(.layers | map(select(.mediaType | test("disk.v2")))) as $disk |
		.layers |= map(select(.mediaType | test("disk.v2") | not)) + [$disk[-1]] + $disk[:-1]' "$manifest" |
		put_manifest images moved
	tart pull --insecure "$moved"
	assert_success
	assert_equal "$(disk_blobs ok | while read -r digest; do count_requests GET "/blobs/$digest"; done | tr -d '\n')" 001
	tart pull --insecure "$image"
	want=$(cached_dir "$image")/disk.img
	n=$(jq '[.layers[] | select(.mediaType | test("disk.v2"))][-1].annotations |
		.["org.cirruslabs.tart.uncompressed-size"] | tonumber' "$manifest")
	cmp <(tail -c "$n" "$want"; head -c -"$n" "$want") "$(cached_dir "$moved")/disk.img"
	assert_tmp_empty
}

@test 'pull: the image that a tag named before goes, unless it is named otherwise' {
	local manifest moved=$registry/images:moved old

	manifest=$layout/blobs/$(case_of ok manifest | tr : /)

	put_manifest images moved <"$manifest"
	tart pull --insecure "$moved"
	old=$(cached_dir "$moved")
	jq . "$manifest" | put_manifest images moved
	tart pull --insecure "$moved"
	assert_success
	assert_not_exist "$old"
	assert_image_files "$(cached_dir "$moved")" ok
}

@test 'pull: connections that break are told about, and what they brought is kept' {
	fault GET "/blobs/$(disk_blobs ok | head -n 1)" 1-14 drop
	tart pull --insecure "$image"
	assert_success
	assert_regex "$output" 'Error pulling image: ".*", attempting to re-try\.\.\.'
	assert_image_pulled "$image" ok
}

@test 'clone: an image that is not cached' {
	tart clone --insecure "$image" vm
	assert_success
	assert_equal "$output" "pulling manifest...
pulling disk (0.0 GB compressed)...
0%
100%
pulling NVRAM..."
	assert_vms vm
	assert_equal "$(sha256sum <"$TART_HOME/vms/vm/disk.img")" "$(sha256sum <"$(cached_dir "$image")/disk.img")"
	assert_image_files "$(cached_dir "$image")" ok
	assert_tmp_empty
	forget_requests
	tart clone "$image" again
	assert_success
	assert_equal "$output$stderr" ''
	assert_equal "$(request_log)" ''
	tart clone --insecure "$registry/images:bad-content-digest" bad
	assert_one_error 'layer 1 of 1, sha256:'
	tart clone --insecure "$registry/images:nosuch" bad
	assert_one_error 'HTTP 404'
	assert_vms again vm
}

@test 'pull: the base of a clone serves, and stays what it was' {
	local disk want

	tart clone --insecure "$image" vm
	disk=$TART_HOME/vms/vm/disk.img
	want=$(sha256sum <"$disk")
	tart delete "$image"
	assert_success
	tart pull --insecure "$registry/images:ok-foreign-json"
	assert_success
	assert_equal "$(sha256sum <"$disk")" "$want"
}

@test 'pull: an ASIF disk is refused before it is fetched' {
	make_vm mac
	sed -i 's/"raw"/"asif"/' "$TART_HOME/vms/mac/config.json"
	tart push --insecure mac "$registry/images:asif"
	assert_success
	fresh_home
	tart pull --insecure "$registry/images:asif"
	assert_failure 1
	assert_equal "$(wc -l <<<"$stderr")" 1
	assert_regex "$stderr" 'ASIF.*push the VM with a raw disk'
	assert_equal "$(find "$TART_HOME/cache/OCIs" "$TART_HOME/tmp" -type f)" ''
}

@test 'pull: a containerDisk shows its progress, and fetches a layer that is there twice once' {
	head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/disk.raw"
	truncate -s 5M "$BATS_TEST_TMPDIR/disk.raw"
	python3 "$project/tests/lib/make_foreign.py" "$BATS_TEST_TMPDIR/foreign" container amd64 "$BATS_TEST_TMPDIR/disk.raw" 3
	start_registry --layout "$BATS_TEST_TMPDIR/foreign" team/vm
	tart pull --insecure --concurrency 3 "$registry/team/vm:image"
	assert_success
	assert_line '0%'
	assert_line '100%'
	# Its config and the layer.
	assert_equal "$(count_requests GET /blobs/)" 2
	cmp "$BATS_TEST_TMPDIR/disk.raw" "$TART_HOME/cache/OCIs/${registry/:/%3A}/team/vm/image/disk.img"
}
