#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart verify, on images made by hand, and on some that were pulled.

load ../lib/common
load ../lib/store
load ../lib/registry

layout=$project/tests/data/oci/layout
mib=$((1 << 20))

sha_of() { # FILE [OFFSET LENGTH], in MiB
	if [ $# -gt 1 ]; then
		dd if="$1" bs=$mib skip="$2" count="$3" status=none
	else
		cat "$1"
	fi | sha256sum | cut -d' ' -f1
}

layer() { # TYPE FILE [OFFSET LENGTH]
	local digest

	digest=sha256:$(sha_of "${@:2}")
	if [ $# -gt 2 ]; then
		jq -cn --arg type "$1" --arg digest "$digest" --arg bytes $(($4 * mib)) '{mediaType: $type, size: 5000000,
			digest: ("sha256:" + "b" * 64), annotations: {
			"org.cirruslabs.tart.uncompressed-size": $bytes,
			"org.cirruslabs.tart.uncompressed-content-digest": $digest}}'
	else
		jq -cn --arg type "$1" --arg digest "$digest" --argjson size "$(stat -c %s "$2")" \
			'{mediaType: $type, digest: $digest, size: $size}'
	fi
}

# A cached image h/ns:t in $folder: 20 MiB of disk in three layers, the second of them a hole.
make_verifiable_image() {
	local made=$BATS_TEST_TMPDIR/made prefix=application/vnd.cirruslabs.tart

	make_bundle "$made"
	head -c $((6 * mib)) /dev/urandom >"$made/disk.img"
	truncate -s $((20 * mib)) "$made/disk.img"
	printf 'at the end' | dd of="$made/disk.img" bs=1 seek=$((20 * mib - 10)) conv=notrunc status=none
	jq -cn --argjson layers "$(
		{
			layer $prefix.config.v1 "$made/config.json"
			layer $prefix.disk.v2 "$made/disk.img" 0 8
			layer $prefix.disk.v2 "$made/disk.img" 8 8
			layer $prefix.disk.v2 "$made/disk.img" 16 4
			layer $prefix.nvram.v1 "$made/nvram.bin"
		} | jq -cs .
	)" '{schemaVersion: 2, config: {digest: ("sha256:" + "0" * 64), size: 7}, layers: $layers}' >"$made/manifest.json"
	digest=sha256:$(sha_of "$made/manifest.json")
	folder=$TART_HOME/cache/OCIs/h/ns/$digest
	mkdir -p "$(dirname "$folder")"
	mv "$made" "$folder"
	ln -s "$folder" "$TART_HOME/cache/OCIs/h/ns/t"
}

flip() { # FILE OFFSET
	printf 'X' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

differences() {
	jq -c '.Differences | map([.File, .Offset, .Length])' <<<"$output"
}

@test 'verify: an image that is as it was' {
	make_verifiable_image
	age "$folder" 5
	accessed=$(accessed "$folder")
	for name in h/ns:t "h/ns@$digest"; do
		tart verify "$name"
		assert_success
		assert_equal "$stderr" ''
		assert_line --index 0 "verifying h/ns@$digest..."
		assert_line '0%'
		assert_line '100%'
		assert_line --index -1 "$name: nothing differs (6 files and layers, 21 MB)"
	done
	assert_equal "$(accessed "$folder")" "$accessed"
	tart verify h/ns:t --format json
	assert_success
	assert_equal "$(jq -r '[.Name, .Against, .Image, .Checked > 20000000, .Differences == [], .Note] | @csv' <<<"$output")" \
		"\"h/ns:t\",\"manifest\",\"h/ns@$digest\",true,true,"
}

@test 'verify: names what differs' {
	make_verifiable_image
	flip "$folder/disk.img" $((3 * mib))
	flip "$folder/disk.img" $((9 * mib))
	flip "$folder/nvram.bin" 3
	tart verify h/ns:t
	assert_failure 1
	assert_equal "$stderr" 'Error: h/ns:t: 3 of 6 files and layers differ from the manifest'
	assert_line "disk.img, bytes 0 to 8388607: should be $(expected 1), is sha256:$(sha_of "$folder/disk.img" 0 8)"
	assert_line "disk.img, bytes 8388608 to 16777215: should be $(expected 2), is sha256:$(sha_of "$folder/disk.img" 8 8)"
	assert_line --regexp "^nvram.bin: should be sha256:[0-9a-f]{64}, is sha256:$(sha_of "$folder/nvram.bin")\$"
	refute_line --partial 'nothing differs'
	tart verify h/ns:t --format json
	assert_failure 1
	assert_equal "$(differences)" '[["disk.img",0,8388608],["disk.img",8388608,8388608],["nvram.bin",0,'"$(stat -c %s "$folder/nvram.bin")"']]'
}

expected() { # LAYER
	jq -r ".layers[$1].annotations[\"org.cirruslabs.tart.uncompressed-content-digest\"]" "$folder/manifest.json"
}

@test 'verify: a disk that is too short, or too long' {
	make_verifiable_image
	truncate -s $((17 * mib)) "$folder/disk.img"
	tart verify h/ns:t
	assert_failure 1
	assert_line "disk.img, bytes 16777216 to 20971519: should be $(expected 3), is nothing"
	printf 'at the end' | dd of="$folder/disk.img" bs=1 seek=$((20 * mib - 10)) conv=notrunc status=none
	tart verify h/ns:t
	assert_success
	truncate -s $((21 * mib)) "$folder/disk.img"
	tart verify h/ns:t --format json
	assert_failure 1
	assert_equal "$(jq -c '.Differences | map([.Offset, .Length, .Expected])' <<<"$output")" '[[20971520,1048576,null]]'
}

@test 'verify: a configuration in another form is the same' {
	make_verifiable_image
	jq -cS . "$folder/config.json" | tr -d '\n' >"$BATS_TEST_TMPDIR/compact"
	old=$(sha_of "$folder/config.json")
	sed -i "s/$old/$(sha_of "$BATS_TEST_TMPDIR/compact")/" "$folder/manifest.json"
	tart verify h/ns:t --format json
	assert_failure 1
	assert_equal "$(differences)" '[["manifest.json",0,'"$(stat -c %s "$folder/manifest.json")"']]'
	sed -i 's/"cpuCount":2/"cpuCount":3/' "$folder/config.json"
	tart verify h/ns:t --format json
	assert_failure 1
	assert_equal "$(jq -c '[.Differences[].File]' <<<"$output")" '["manifest.json","config.json"]'
}

@test 'verify: a manifest that cannot be read' {
	make_verifiable_image
	flip "$folder/manifest.json" 0
	tart verify h/ns:t
	assert_failure 1
	assert_line --regexp "^manifest.json: should be $digest, is sha256:"
	assert_line --partial 'nothing else was checked, since the manifest cannot be read: invalid JSON'
	assert_equal "$stderr" 'Error: h/ns:t: 1 of 1 files and layers differ from the manifest'
	rm "$folder/manifest.json"
	tart verify h/ns:t
	assert_success
	assert_output 'h/ns:t was cached without its manifest: there is nothing to verify it against'
}

@test 'verify: a clone whose base is the disk of an image' {
	make_verifiable_image
	TART_CLONE=overlay tart clone h/ns:t vm
	assert_success
	tart set vm --cpu 3
	echo more >>"$TART_HOME/vms/vm/nvram.bin"
	tart verify vm
	assert_success
	assert_line --index 0 "verifying the base of vm, which is the disk of h/ns@$digest..."
	assert_line --index -1 'vm: nothing differs (3 files and layers, 21 MB)'
	chmod u+w "$folder/disk.img"
	flip "$folder/disk.img" $((19 * mib))
	tart verify vm --format json
	assert_failure 1
	assert_equal "$(jq -r .Image <<<"$output") $(differences)" "h/ns@$digest [[\"disk.img\",16777216,4194304]]"
	assert_equal "$stderr" 'Error: vm: 1 of 3 files and layers differ from the manifest'
}

@test 'verify: a VM of which no image is known' {
	make_vm vm
	tart verify vm
	assert_success
	assert_output 'vm does not know of an image that its disk was made from: there is nothing to verify it against'
	tart verify vm --format json
	assert_success
	assert_equal "$(jq -c '[.Against, .Image, .Checked, .Differences]' <<<"$output")" '["nothing",null,0,[]]'
	assert_equal "$(jq -r .Note <<<"$output")" \
		'vm does not know of an image that its disk was made from: there is nothing to verify it against'
}

@test 'verify: what is not there' {
	for name in nosuch h/ns:t "h/ns@sha256:$(hex_of 1)"; do
		tart verify "$name"
		assert_failure 2
		assert_equal "$output" ''
		assert_equal "$stderr" "the specified VM \"$name\" does not exist"
	done
	make_bundle "$TART_HOME/vms/half"
	rm "$TART_HOME/vms/half/nvram.bin"
	tart verify half
	assert_failure 1
	assert_equal "$stderr" 'VM is missing some of its files (config.json, disk.img or nvram.bin)'
	tart verify
	assert_failure 64
}

@test 'verify: no file of an image leads out of it' {
	make_verifiable_image
	mv "$folder/nvram.bin" "$BATS_TEST_TMPDIR/elsewhere"
	ln -s "$BATS_TEST_TMPDIR/elsewhere" "$folder/nvram.bin"
	tart verify h/ns:t
	assert_failure 1
	assert_equal "$stderr" "Error: cannot open 'nvram.bin': Too many levels of symbolic links"
}

@test 'verify: images that were pulled' {
	start_registry --layout "$layout" images
	for ref in ok ok-foreign-json ok-type-order ok-repeated-layer ok-unknown-config-keys ok-darwin ext-index; do
		tart pull --insecure "$registry/images:$ref"
		assert_success
		tart verify "$registry/images:$ref"
		assert_success
		assert_line --partial 'nothing differs'
		assert_equal "$stderr" ''
	done
}

@test 'verify: a copy of a pulled image, by the record of its layers, as long as nobody writes to it' {
	start_registry --layout "$layout" images
	TART_CLONE=copy tart clone --insecure "$registry/images:ok" vm
	assert_success
	disk=$TART_HOME/vms/vm/disk.img
	tart verify vm
	assert_success
	assert_line --index 0 'verifying the disk of vm against the record of its layers...'
	assert_line --index -1 'vm: nothing differs (3 files and layers, 5.8 MB)'
	# A bit that the disk itself has lost: no time of the file tells.
	touch -r "$disk" "$BATS_TEST_TMPDIR/time"
	flip "$disk" 1048577
	touch -r "$BATS_TEST_TMPDIR/time" "$disk"
	tart verify vm --format json
	assert_failure 1
	assert_equal "$stderr" 'Error: vm: 1 of 3 files and layers differ from the record'
	assert_equal "$(jq -r .Against <<<"$output") $(differences)" 'record [["disk.img",1048576,4259840]]'
	flip "$disk" 1048577
	tart verify vm
	assert_success
	assert_output 'the disk of vm has been written to since its layers were known: there is nothing to verify it against'
}

@test 'verify: a clone of a clone knows what its base was' {
	start_registry --layout "$layout" images
	export TART_CLONE=overlay
	tart clone --insecure "$registry/images:ok" one
	assert_success
	tart clone one two
	tart delete "$registry/images:ok" one
	assert_success
	tart verify two
	assert_success
	assert_line --index 0 'verifying the disk of two against the record of its layers...'
	assert_line --index -1 'two: nothing differs (3 files and layers, 5.8 MB)'
}

@test 'verify: images of other kinds' {
	start_registry --layout "$layout" images
	tart pull --insecure "$registry/images:vetu-ok"
	assert_success
	tart verify "$registry/images:vetu-ok" --format json
	assert_success
	assert_equal "$(jq -c '[.Checked > 450000, .Differences, .Note]' <<<"$output")" '[true,[],null]'
	folder=$(image_folder_of "$registry/images:vetu-ok")
	flip "$folder/data.img" 699
	flip "$folder/kernel" 0
	tart verify "$registry/images:vetu-ok" --format json
	assert_failure 1
	assert_equal "$(jq -c '[.Differences[].File]' <<<"$output")" '["kernel","data.img"]'
	tart pull --insecure "$registry/images:cd-raw"
	assert_success
	tart verify "$registry/images:cd-raw"
	assert_success
	assert_line 'the disk was made from the files of a container image, of which the manifest says nothing: only that is checked'
}

image_folder_of() { # NAME
	tart fqn "$1"
	echo "$TART_HOME/cache/OCIs/$(sed 's/:/%3A/; s|@|/|' <<<"$output")"
}

@test 'verify: a VM that was pushed, and the image that it left in the cache' {
	start_registry
	make_vm vm
	head -c $((3 * mib)) /dev/urandom | dd of="$TART_HOME/vms/vm/disk.img" conv=notrunc status=none
	tart push --insecure --populate-cache vm "$registry/pushed:t"
	assert_success
	for name in vm "$registry/pushed:t"; do
		tart verify "$name"
		assert_success
		assert_line --partial 'nothing differs'
	done
}
