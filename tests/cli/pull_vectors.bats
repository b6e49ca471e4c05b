#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart pull of every image of tests/data/oci: the good ones come right to the bit, the others leave nothing.

load ../lib/common
load ../lib/store
load ../lib/registry
load ../lib/pulled

setup() {
	common_setup
	layout=$project/tests/data/oci/layout
	start_registry --layout "$layout" images
}

# All but the index, which means another image on another machine.
refs() { # VERDICT KIND [STAGE]
	jq -r --arg verdict "$1" --arg kind "$2" --arg stage "${3-}" '.cases[] |
		select(.ref != "ext-index" and .verdict == $verdict and .kind == $kind and ($stage == "" or .stage == $stage)) | .ref' "$vectors"
}

blob_of() { # DIGEST
	echo "$layout/blobs/$(tr : / <<<"$1")"
}

pull() { # REF
	fresh_home
	tart pull --insecure "$registry/images:$1"
}

# Runs a check for each image of a list, and says which did not pass it.
each_ref() { # CHECK VERDICT KIND [STAGE]
	local ref number=0 bad=()

	for ref in $(refs "${@:2}"); do
		number=$((number + 1))
		try "$1" "$ref"
		[ "$tried" -eq 0 ] || bad+=("$ref")
	done
	[ "$number" -gt 0 ]
	[ ${#bad[@]} -eq 0 ] || fail "of $number images: ${bad[*]}"
}

comes_right() { # REF
	pull "$1"
	assert_success
	assert_equal "$stderr" ''
	assert_image_pulled "$registry/images:$1" "$1"
}

is_refused() { # REF
	pull "$1"
	assert_one_error
	assert_nothing_kept
}

# And no blob was asked for: the manifest says enough.
is_refused_at_once() { # REF
	is_refused "$1"
	assert_equal "$(count_requests GET /blobs/)" 0
}

# The small blob was, gigabytes were not.
is_refused_by_config() { # REF
	is_refused "$1"
	[ "$(count_requests GET /blobs/)" -le 2 ]
}

@test 'vectors: there are all of them' {
	assert_equal "$(jq '.cases | length' "$vectors")" 93
	assert_equal "$(refs accept tart | wc -l)" 8
	assert_equal "$(refs reject tart | wc -l)" 68
	assert_equal "$(refs accept vetu | wc -l) $(refs reject vetu | wc -l)" '2 5'
	assert_equal "$(refs accept containerdisk | wc -l) $(refs reject containerdisk | wc -l)" '3 6'
}

@test 'vectors: good images come right to the bit' {
	each_ref comes_right accept tart
}

@test 'vectors: a bad manifest is refused before any blob is fetched' {
	each_ref is_refused_at_once reject tart manifest
}

@test 'vectors: a bad configuration is refused before the disk is fetched' {
	each_ref is_refused_by_config reject tart config
}

@test 'vectors: a bad disk is refused' {
	each_ref is_refused reject tart disk
}

@test 'vectors: Vetu images' {
	each_ref comes_right accept vetu
	each_ref is_refused reject vetu
}

@test 'vectors: containerDisks' {
	each_ref comes_right accept containerdisk
	each_ref is_refused reject containerdisk
}

# One after another into one store, where each finds what the others brought.
@test 'vectors: all good images side by side, no blob twice' {
	local ref

	fresh_home
	for ref in $(refs accept tart); do
		tart pull --insecure "$registry/images:$ref"
		assert_success
		assert_image_files "$(cached_dir "$registry/images:$ref")" "$ref"
	done
	for ref in $(refs accept tart); do
		assert_image_files "$(cached_dir "$registry/images:$ref")" "$ref"
	done
	run bash -c 'sort "$1" | uniq -d' - <(disk_requests)
	assert_output ''
}

# Paths of the disk layers that were asked for.
disk_requests() {
	requests GET /blobs/ | cut -d ' ' -f 2 | grep -F -f <(disk_layers)
}

disk_layers() {
	cat "$layout"/blobs/sha256/* | jq -Rr 'fromjson? | .layers? // [] | .[]? |
		select(.mediaType | test("disk.v2")).digest' | sort -u
}

# A bad image under a tag that a good one had: the good one stays.
@test 'vectors: a tag that moved to a bad image' {
	local ref

	for ref in bad-blob-digest bad-usize-smaller bad-vmconfig-bad-mac bad-two-nvrams; do
		fresh_home
		tart pull --insecure "$registry/images:ok"
		assert_success
		fault GET /manifests/ok '*' serve file="$(blob_of "$(case_of "$ref" manifest)")"
		tart pull --insecure "$registry/images:ok"
		assert_one_error
		assert_image_files "$(cached_dir "$registry/images:ok")" ok
		assert_equal "$("$TART" fqn "$registry/images:ok")" "$registry/images@$(case_of ok manifest)"
	done
}

@test 'vectors: by digest' {
	local digest name

	digest=$(case_of ok manifest)
	name=$registry/images@$digest
	tart pull --insecure "$name"
	assert_success
	assert_equal "${lines[0]}" "pulling $name..."
	assert_image_files "$(image_dir_of "$name")" ok
	assert_exist "$(image_dir_of "$name")/.explicitly-pulled"
	assert_equal "$("$TART" list --source oci --quiet)" "$name"
	forget_requests
	tart pull --insecure "$name"
	assert_success
	assert_equal "${lines[-1]}" "$name image is already cached and linked!"
	assert_equal "$(count_requests GET /blobs/)" 0
	tart pull --insecure "$registry/images@sha256:$(printf 'a%.0s' {1..64})"
	assert_one_error 404
}

# What an index names for this machine, which decides what is cached.
chosen() {
	jq -r --arg arch "$(dpkg --print-architecture)" ".manifests[] | select(.platform.architecture == \$arch).digest" \
		"$(blob_of "$(case_of ext-index manifest)")"
}

@test 'vectors: an index leads to the image of this architecture' {
	local manifest config

	pull ext-index
	assert_success
	manifest=$(chosen)
	config=$(jq -r '.layers[] | select(.mediaType | test("tart.config")).digest' "$(blob_of "$manifest")")
	assert_equal "$("$TART" fqn "$registry/images:ext-index")" "$registry/images@$manifest"
	dir=$(image_dir_of "$registry/images@$manifest")
	assert_equal "$(digest_of "$dir/config.json")" "$config"
	assert_equal "$(digest_of "$dir/manifest.json")" "$manifest"
	assert_equal "$(digest_of "$dir/disk.img")" "$(case_of ext-index 'disks["disk.img"].sha256')"
	assert_equal "$(jq -r .arch "$dir/config.json")" "$(dpkg --print-architecture)"
}

@test 'vectors: an index by digest is linked under that digest' {
	local name

	name=$registry/images@$(case_of ext-index manifest)
	tart pull --insecure "$name"
	assert_success
	assert_equal "$("$TART" fqn "$name")" "$registry/images@$(chosen)"
	assert_equal "$("$TART" list --source oci --quiet)" \
		"$(printf '%s\n' "$name" "$registry/images@$(chosen)" | LC_ALL=C sort)"
	forget_requests
	tart pull --insecure "$name"
	assert_success
	assert_equal "$(count_requests GET /blobs/)" 0
}
