#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart push, to a registry that we can ask what came, and to Debian's.

load ../lib/common
load ../lib/store
load ../lib/registry

MIB=1048576
LAYER=$((8 * MIB))

setup() {
	common_setup
	mkdir "$BATS_TEST_TMPDIR/work"
	cd "$BATS_TEST_TMPDIR/work" || return
}

teardown() {
	cd /
	common_teardown
}

# A VM of 100 MB (12 layers, the last one short) with data in the first three layers, in the tenth and in the last.
make_filled_vm() { # NAME
	make_vm "$1"
	truncate -s 99999744 "$TART_HOME/vms/$1/disk.img"
	write_disk "$1" 0 $((20 * MIB))
	write_disk "$1" $((9 * LAYER + 777)) 5000
	write_disk "$1" 99998744 1000
}

# Bytes that nobody can compress, never the same.
write_disk() { # NAME OFFSET LENGTH
	head -c "$3" /dev/urandom | dd of="$TART_HOME/vms/$1/disk.img" bs=64K oflag=seek_bytes seek="$2" conv=notrunc status=none
}

manifest() { # REPOSITORY REFERENCE
	curl -sf -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$registry/v2/$1/manifests/$2"
}

blob() { # REPOSITORY DIGEST
	curl -sf "http://$registry/v2/$1/blobs/$2"
}

digest_of_manifest() { # REPOSITORY REFERENCE
	echo "sha256:$(manifest "$1" "$2" | sha256sum | cut -d ' ' -f 1)"
}

# The digest of what the guest sees in a layer's place.
slice() { # FILE NUMBER
	echo "sha256:$(dd if="$1" bs=$LAYER skip="$2" count=1 status=none | sha256sum | cut -d ' ' -f 1)"
}

# The manifest describes this disk: its length, and each layer's digest.
assert_describes() { # REPOSITORY REFERENCE FILE
	local number=0 digest

	manifest "$1" "$2" >"$BATS_TEST_TMPDIR/manifest"
	assert_equal "$(jq -r '.annotations["org.cirruslabs.tart.uncompressed-disk-size"]' "$BATS_TEST_TMPDIR/manifest")" \
		"$(stat -c %s "$3")"
	for digest in $(jq -r '.layers[] | select(.mediaType | endswith(".disk.v2")) |
		.annotations["org.cirruslabs.tart.uncompressed-content-digest"]' "$BATS_TEST_TMPDIR/manifest"); do
		assert_equal "$digest" "$(slice "$3" $number)"
		number=$((number + 1))
	done
	assert_equal $number $((($(stat -c %s "$3") + LAYER - 1) / LAYER))
}

# All blobs of a manifest are there, whole.
assert_whole() { # REPOSITORY REFERENCE
	local digest size

	while read -r digest size; do
		blob "$1" "$digest" >"$BATS_TEST_TMPDIR/blob"
		assert_equal "$digest $size" \
			"sha256:$(sha256sum <"$BATS_TEST_TMPDIR/blob" | cut -d ' ' -f 1) $(stat -c %s "$BATS_TEST_TMPDIR/blob")"
	done < <(manifest "$1" "$2" | jq -r '[.config, .layers[]] | unique_by(.digest)[] | "\(.digest) \(.size)"')
}

assert_pushed() {
	assert_success
	assert_equal "$stderr" ''
	[ -z "$(ls -A "$TART_HOME/tmp")" ]
}

# How many blobs were sent.
sent() {
	count_requests 'PUT' /blobs/uploads/
}

@test 'push: to a registry of Debian' {
	start_docker_registry
	make_filled_vm a
	make_suspended a
	echo x | tee "$TART_HOME/vms/a/"{qemu.log,console.log,efivars.fd,own.txt,manifest.json} >/dev/null
	tart push a "$registry/vms/a" --insecure
	assert_pushed
	assert_equal "$output" "pushing a to $registry/vms/a:latest...
pushing config...
pushing disk... this will take a while...
$(grep % <<<"$output")
pushing NVRAM...
pushing manifest for latest..."
	assert_line 100%
	assert_describes vms/a latest "$TART_HOME/vms/a/disk.img"
	assert_whole vms/a latest
	manifest vms/a latest >text
	assert_equal "$(jq -r '[.layers[].mediaType] | unique | join(" ")' text)" \
		'application/vnd.cirruslabs.tart.config.v1 application/vnd.cirruslabs.tart.disk.v2 application/vnd.cirruslabs.tart.nvram.v1 application/vnd.tart.disk-index.v1'
	assert_equal "$(jq -r '[.layers[].mediaType | select(endswith("disk.v2") | not)] | length' text)" 3
	assert_equal "$(jq -cS . text)" "$(cat text)"
	config=$(blob vms/a "$(jq -r '.layers[] | select(.mediaType | endswith("tart.config.v1")).digest' text)")
	assert_equal "$config" "$(jq -cS . "$TART_HOME/vms/a/config.json")"
	nvram=$(jq -r '.layers[] | select(.mediaType | endswith("nvram.v1")).digest' text)
	assert_equal "$nvram" "sha256:$(sha256sum <"$TART_HOME/vms/a/nvram.bin" | cut -d ' ' -f 1)"
	assert_equal "$(blob vms/a "$(jq -r .config.digest text)" | jq -c .)" \
		'{"architecture":"amd64","config":{"Labels":{"org.cirruslabs.tart.disk.format":"raw"}},"os":"linux"}'
	# And the VM is what it was.
	assert_file_exist "$TART_HOME/vms/a/state.vzvmsave"
	tart get a --format json
	assert_equal "$(jq -r .State <<<"$output")" suspended
}

@test 'push: again, without a change' {
	start_registry
	make_filled_vm a
	tart push a "$registry/vms/a:1" --insecure
	assert_pushed
	manifest vms/a 1 >first
	# Nothing of the disk is read: it is another by now, and nobody has noticed.
	touch -r "$TART_HOME/vms/a/disk.img" stamp
	write_disk a 100 100
	touch -r stamp "$TART_HOME/vms/a/disk.img"
	forget_requests
	tart push a "$registry/vms/a:1" --insecure
	assert_pushed
	manifest vms/a 1 >second
	cmp first second
	assert_equal "$(requests | grep -v 'GET .*manifests/1 200 - none$' | cut -d ' ' -f 1-3)" "PUT /v2/vms/a/manifests/1 201"
	# Under another tag of the repository.
	forget_requests
	tart push a "$registry/vms/a:2" --insecure
	assert_pushed
	assert_equal "$(sent)" 0
}

@test 'push: a record that is wrong is found out where it matters' {
	start_registry --set mount=no
	make_filled_vm a
	tart push a "$registry/vms/a:1" --insecure
	touch -r "$TART_HOME/vms/a/disk.img" stamp
	write_disk a 100 100
	write_disk a $((6 * LAYER)) 100
	touch -r stamp "$TART_HOME/vms/a/disk.img"
	tart push a "$registry/vms/b:1" --insecure
	assert_pushed
	assert_describes vms/b 1 "$TART_HOME/vms/a/disk.img"
	assert_whole vms/b 1
}

@test 'push: what changed' {
	start_registry
	make_filled_vm a
	tart push a "$registry/vms/a" --insecure
	assert_pushed
	forget_requests
	# A MiB that lies in two layers.
	write_disk a $((2 * LAYER - MIB / 2)) $MIB
	tart push a "$registry/vms/a" --insecure
	assert_pushed
	# The index, too.
	assert_equal "$(sent)" 3
	assert_describes vms/a latest "$TART_HOME/vms/a/disk.img"
	assert_whole vms/a latest
	forget_requests
	"$TART" set a --cpu 7
	tart push a "$registry/vms/a" --insecure
	assert_pushed
	assert_equal "$(sent)" 1
	# Another file with the same bytes: read, but neither compressed nor sent.
	forget_requests
	touch "$TART_HOME/vms/a/disk.img"
	tart push a "$registry/vms/a" --insecure
	assert_pushed
	assert_equal "$(sent)" 0
	assert_whole vms/a latest
}

@test 'push: a clone with an overlay' {
	start_registry
	make_filled_vm a
	tart push a "$registry/vms/a" --insecure
	assert_pushed
	TART_CLONE=overlay tart clone a b
	assert_success
	qemu-io -f qcow2 -c "write -P 7 $LAYER 64k" -c 'write -z 0 64k' "$TART_HOME/vms/b/overlay.qcow2" >/dev/null
	qemu-img convert -f qcow2 -O raw "$TART_HOME/vms/b/overlay.qcow2" flat
	tart push b "$registry/vms/b" --insecure
	assert_pushed
	assert_describes vms/b latest flat
	assert_whole vms/b latest
	# Again: all is known, with the overlay. And when that is written to again, the rest is.
	manifest vms/b latest >first
	forget_requests
	tart push b "$registry/vms/b" --insecure
	assert_pushed
	assert_equal "$(sent)" 0
	cmp <(manifest vms/b latest) first
	qemu-io -f qcow2 -c "write -P 9 60M 64k" "$TART_HOME/vms/b/overlay.qcow2" >/dev/null
	qemu-img convert -f qcow2 -O raw "$TART_HOME/vms/b/overlay.qcow2" flat
	tart push b "$registry/vms/b" --insecure
	assert_pushed
	assert_equal "$(sent)" 2
	assert_describes vms/b latest flat
}

@test 'push: the same disk gives the same image' {
	start_registry
	make_filled_vm a
	export SOURCE_DATE_EPOCH=1700000000
	tart push a "$registry/one/a" --insecure --concurrency 1
	assert_pushed
	assert_equal "$(manifest one/a latest | jq -r '.annotations["org.cirruslabs.tart.upload-time"]')" 2023-11-14T22:13:20Z
	# No holes, no memory, another order of work.
	cp --sparse=never "$TART_HOME/vms/a/disk.img" copy
	mv copy "$TART_HOME/vms/a/disk.img"
	rm "$TART_HOME/vms/a/disk.layers"
	tart push a "$registry/two/a" --insecure --concurrency 7
	assert_pushed
	cmp <(manifest one/a latest) <(manifest two/a latest)
	SOURCE_DATE_EPOCH=soon tart push a "$registry/two/a" --insecure
	assert_failure 1
	assert_equal "$stderr" "Error: SOURCE_DATE_EPOCH must be a number of seconds since 1970, not 'soon'"
}

@test 'push: more at once than there are descriptors for' {
	start_registry
	make_filled_vm a
	run_apart bash -c 'ulimit -Sn 64 && exec "$@"' - "$TART" push a "$registry/a" --insecure --concurrency 100000
	assert_pushed
	assert_whole a latest
}

@test 'push: mounts what another repository has' {
	start_registry
	make_filled_vm a
	tart push a "$registry/vms/a" --insecure
	forget_requests
	tart push a "$registry/other/a" --insecure
	assert_pushed
	# Settings, variables, index and labels are small.
	assert_equal "$(sent)" 4
	assert_equal "$(count_requests POST 'mount=.*from=vms')" 6
	assert_whole other/a latest
	# A registry that cannot is not asked for long.
	configure mount=no
	forget_requests
	tart push a "$registry/third/a" --insecure
	assert_pushed
	assert_equal "$(sent)" 10
	[ "$(count_requests POST mount=)" -le 8 ]
	assert_whole third/a latest
}

@test 'push: several tags, repositories and registries' {
	start_docker_registry
	first=$registry
	start_registry
	make_filled_vm a
	tart push a "$registry/x/a:1" "$first/x/a" "$registry/x/a:2" "$registry/x/b:1" "$registry/x/a:1" --insecure
	assert_pushed
	assert_line "pushing a to $registry/x/a{:1,:2}..."
	assert_line "pushing a to $first/x/a:latest..."
	assert_line "pushing a to $registry/x/b:1..."
	assert_equal "$(grep -c 'pushing manifest for' <<<"$output")" 4
	digest=$(digest_of_manifest x/a 1)
	assert_equal "$(digest_of_manifest x/a 2)" "$digest"
	assert_equal "$(digest_of_manifest x/b 1)" "$digest"
	assert_whole x/b 1
	registry=$first
	assert_equal "$(digest_of_manifest x/a latest)" "$digest"
	assert_whole x/a latest
}

labels_of() { # REPOSITORY
	blob "$1" "$(manifest "$1" latest | jq -r .config.digest)" | jq -c .config.Labels
}

@test 'push: labels' {
	start_registry
	make_vm a
	tart push a "$registry/a" --insecure --label b=1 --label ' a = x=y ' --label none --label =no --label '' --label b=2 \
		--label org.cirruslabs.tart.disk.format=asif --label 'ü="\ '
	assert_pushed
	assert_equal "$(labels_of a)" \
		'{"a ":" x=y","b":"2","none":"","org.cirruslabs.tart.disk.format":"raw","ü":"\"\\"}'
	tart push a "$registry/b" --insecure --label $'\xff=1'
	assert_usage_error push 'a label has to be UTF-8'
}

@test 'push: in chunks' {
	start_registry --set chunk_max=1000000
	make_filled_vm a
	tart push a "$registry/a" --insecure --chunk-size 1
	assert_pushed
	[ "$(count_requests PATCH)" -ge 20 ]
	assert_whole a latest
	assert_describes a latest "$TART_HOME/vms/a/disk.img"
	# The registry wants larger ones.
	configure chunk_max=0 chunk_min=5000000
	forget_requests
	rm "$TART_HOME/vms/a/disk.layers"
	tart push a "$registry/b" --insecure --chunk-size 1
	assert_pushed
	[ "$(count_requests PATCH)" -le 10 ]
	assert_whole b latest
}

@test 'push: a blob that the registry lost although a manifest names it' {
	start_registry
	make_filled_vm a
	tart push a "$registry/a" --insecure
	assert_pushed
	for digest in $(manifest a latest | jq -r '[.layers[].digest] | .[0,2,-1]'); do
		curl -sf -X DELETE "http://$registry/v2/a/blobs/$digest"
	done
	forget_requests
	tart push a "$registry/a" --insecure
	assert_pushed
	assert_equal "$(sent)" 3
	assert_whole a latest
	assert_describes a latest "$TART_HOME/vms/a/disk.img"
}

@test 'push: what an interrupted one has done is not done again' {
	start_registry
	make_filled_vm a
	fault PUT /manifests/ 1 status code=403 body=json
	tart push a "$registry/a" --insecure
	assert_failure 1
	assert_regex "$stderr" '^Error: .*403'
	assert_tmp_empty
	# The disk is not read any more: nobody notices that it is another.
	touch -r "$TART_HOME/vms/a/disk.img" stamp
	cp "$TART_HOME/vms/a/disk.img" before
	write_disk a 100 100
	touch -r stamp "$TART_HOME/vms/a/disk.img"
	forget_requests
	tart push a "$registry/a" --insecure
	assert_pushed
	assert_equal "$(sent)" 0
	assert_describes a latest before
	assert_whole a latest
}

@test 'push: one layer cannot be sent' {
	start_registry
	make_filled_vm a
	fault PUT /blobs/uploads/ 3- status code=400
	tart push a "$registry/a" --insecure --concurrency 2
	assert_failure 1
	assert_regex "$stderr" '^Error: .*400'
	assert_tmp_empty
	no_faults
	tart push a "$registry/a" --insecure
	assert_pushed
	assert_whole a latest
	assert_describes a latest "$TART_HOME/vms/a/disk.img"
}

@test 'push: connections that break' {
	start_registry
	make_filled_vm a
	fault PUT /blobs/uploads/ 2,4 break at=300000
	fault POST /blobs/uploads/ 3 status code=503
	fault HEAD /blobs/ 5 reset
	fault PUT /manifests/ 1 drop
	tart push a "$registry/a" --insecure
	assert_equal "$stderr" ''
	assert_success
	assert_whole a latest
	assert_describes a latest "$TART_HOME/vms/a/disk.img"
}

@test 'push: the disk changes meanwhile' {
	start_registry
	make_filled_vm a
	fault PUT /blobs/uploads/ 2 slow-read ms=5000
	background "$TART" push a "$registry/a" --insecure >said 2>&1
	pusher=$background_pid
	wait_until pushes_layers
	tart get a --format json
	assert_equal "$(jq -r .State <<<"$output")" running
	tart push a "$registry/b" --insecure
	assert_failure 1
	assert_equal "$stderr" 'VM "a" is running'
	write_disk a 0 100
	wait "$pusher" || status=$?
	assert_equal "$status" 1
	assert_equal "$(tail -n 1 said)" 'Error: the disk of VM "a" was changed while it was pushed'
	assert_equal "$(count_requests PUT /manifests/)" 0
	tart push a "$registry/a" --insecure
	assert_pushed
	assert_describes a latest "$TART_HOME/vms/a/disk.img"
	assert_whole a latest
}

pushes_layers() {
	grep -q 'pushing disk' said
}

@test 'push: a signal ends it' {
	start_registry
	make_filled_vm a
	fault PUT /blobs/uploads/ 3- slow-read ms=60000
	background "$TART" push a "$registry/a" --insecure >said 2>&1
	wait_until pushes_layers
	kill -TERM "$background_pid"
	status=0
	wait "$background_pid" || status=$?
	assert_equal "$status" 1
	assert_equal "$(tail -n 1 said)" 'Error: cancelled'
	assert_tmp_empty
	tart get a --format json
	assert_equal "$(jq -r .State <<<"$output")" stopped
}

# Without waiting for requests that hang.
has_sent() { # N
	[ "$(jq -c 'select(.method == "PUT" and .status == 201)' "$registry_log" | wc -l)" -ge "$1" ]
}

@test 'push: kill -9 loses what was on its way' {
	start_registry
	make_filled_vm a
	# Ten blobs in all; the hanging third one of each attempt is lost with it.
	for _ in 1 2; do
		fault PUT /blobs/uploads/ 3- hang
		forget_requests
		background "$TART" push a "$registry/a" --insecure --concurrency 1 >said 2>&1
		pusher=$background_pid
		wait_until has_sent 2
		kill -KILL "$pusher"
		wait "$pusher" || true
		no_faults
		# Nothing is left, not even until the next command.
		[ -z "$(ls -A "$TART_HOME/tmp")" ]
		tart get a --format json
		assert_equal "$(jq -r .State <<<"$output")" stopped
	done
	forget_requests
	tart push a "$registry/a" --insecure
	assert_pushed
	assert_equal "$(sent)" 6
	assert_describes a latest "$TART_HOME/vms/a/disk.img"
	assert_whole a latest
}

@test 'push: into the cache, too' {
	start_registry
	make_filled_vm a
	make_suspended a
	tart push a "$registry/vms/a:1" "$registry/vms/a:2" --insecure --populate-cache
	assert_pushed
	digest=$(digest_of_manifest vms/a 1)
	folder=$TART_HOME/cache/OCIs/${registry/:/%3A}/vms/a/$digest
	tart list --source oci --quiet
	assert_output "$registry/vms/a:1
$registry/vms/a:2
$registry/vms/a@$digest"
	run ls -A "$folder"
	assert_output $'config.json\ndisk.img\ndisk.layers\nmanifest.json\nnvram.bin'
	cmp "$folder/manifest.json" <(manifest vms/a 1)
	for file in config.json nvram.bin disk.img; do
		cmp "$folder/$file" "$TART_HOME/vms/a/$file"
	done
	tart fqn "$registry/vms/a:2"
	assert_output "$registry/vms/a@$digest"
	# It is there already.
	tart push a "$registry/vms/a:3" --insecure --populate-cache
	assert_pushed
	[ -L "$TART_HOME/cache/OCIs/${registry/:/%3A}/vms/a/3" ]
	# A tag moves, and takes the image with it that nobody names any more.
	write_disk a 0 100
	tart push a "$registry/vms/a:"{1,2,3} --insecure --populate-cache
	assert_pushed
	assert_not_exist "$folder"
	# The flat disk of an overlay.
	"$TART" stop a
	TART_CLONE=overlay tart clone a b
	assert_success
	qemu-io -f qcow2 -c "write -P 7 $LAYER 64k" "$TART_HOME/vms/b/overlay.qcow2" >/dev/null
	qemu-img convert -f qcow2 -O raw "$TART_HOME/vms/b/overlay.qcow2" flat
	tart push b "$registry/vms/b" --insecure --populate-cache
	assert_pushed
	cmp flat "$TART_HOME/cache/OCIs/${registry/:/%3A}/vms/b/latest/disk.img"
	forget_requests
	tart push "$registry/vms/b" "$registry/vms/b:again" --insecure --populate-cache
	assert_pushed
	assert_equal "$(sent)" 0
}

@test 'push: not into the place of another name in the cache' {
	start_registry
	make_vm a
	make_image "$registry/vms" 1 a
	tart push a "$registry/vms/a:1" --insecure --populate-cache
	assert_failure 1
	assert_equal "$output" ''
	assert_equal "$(count_requests)" 0
}

@test 'push: a cached image goes as it is' {
	start_registry
	make_filled_vm a
	tart push a "$registry/vms/a:1" --insecure --label x=1 --populate-cache
	assert_pushed
	digest=$(digest_of_manifest vms/a 1)
	"$TART" delete a
	# Another tag of its repository.
	forget_requests
	tart push "$registry/vms/a:1" "$registry/vms/a:2" --insecure
	assert_pushed
	assert_equal "$output" "pushing $registry/vms/a:1 to $registry/vms/a:2...
pushing manifest for 2..."
	assert_equal "$(requests | cut -d ' ' -f 1,3 | xargs)" 'GET 200 PUT 201'
	assert_equal "$(digest_of_manifest vms/a 2)" "$digest"
	# Another repository of its registry.
	forget_requests
	tart push "$registry/vms/a@$digest" "$registry/mirror/a" --insecure
	assert_pushed
	assert_equal "$(sent)" 0
	assert_equal "$(digest_of_manifest mirror/a latest)" "$digest"
	assert_whole mirror/a latest
}

@test 'push: a cached image goes to another registry' {
	start_docker_registry
	other=$registry
	start_registry
	make_filled_vm a
	tart push a "$registry/vms/a:1" --insecure --populate-cache
	"$TART" delete a
	digest=$(digest_of_manifest vms/a 1)
	source=$registry/vms/a:1
	registry=$other
	# Its blobs are made again, and come out the same.
	tart push "$source" "$registry/x/a" --insecure
	assert_pushed
	refute_output --partial 'another image'
	assert_equal "$(digest_of_manifest x/a latest)" "$digest"
	assert_whole x/a latest
	# With labels it is another image, of the same disk.
	tart push "$source" "$registry/x/a:labelled" --insecure --label a=b
	assert_pushed
	assert_line --regexp "^$registry/x/a gets another image of the same VM, sha256:.*: labels belong to the image\$"
	assert_equal "$(labels_of_tag x/a labelled)" '{"a":"b","org.cirruslabs.tart.disk.format":"raw"}'
}

labels_of_tag() { # REPOSITORY TAG
	blob "$1" "$(manifest "$1" "$2" | jq -r .config.digest)" | jq -c .config.Labels
}

@test 'push: a cached image that cannot be made again gets another digest' {
	start_docker_registry
	other=$registry
	start_registry
	make_filled_vm a
	SOURCE_DATE_EPOCH=1 "$TART" push a "$registry/vms/a:1" --insecure --populate-cache
	folder=$(readlink "$TART_HOME/cache/OCIs/${registry/:/%3A}/vms/a/1")
	source=$registry/vms/a:1
	registry=$other
	# As other programs leave it.
	rm "$folder/manifest.json" "$folder/disk.layers"
	"$TART" delete a
	tart push "$source" "$registry/x/a" --insecure
	assert_pushed
	assert_line --regexp "^$registry/x/a gets another image of the same VM, $(digest_of_manifest x/a latest): it could not get all blobs of the cached one\$"
	assert_describes x/a latest "$folder/disk.img"
	assert_whole x/a latest
}

@test 'push: what was pushed is pulled as it was' {
	start_docker_registry
	make_filled_vm a
	tart push a "$registry/vms/a" --insecure
	assert_pushed
	tart pull "$registry/vms/a" --insecure
	assert_success
	folder=$TART_HOME/cache/OCIs/${registry/:/%3A}/vms/a/latest
	for file in disk.img nvram.bin; do
		cmp "$TART_HOME/vms/a/$file" "$folder/$file"
	done
	assert_equal "$(jq -cS . "$folder/config.json")" "$(jq -cS . "$TART_HOME/vms/a/config.json")"
	digest=$(digest_of_manifest vms/a latest)
	# What was pulled, and what was cloned from it, is known; whatever way it was cloned.
	for policy in overlay copy; do
		"$TART" delete "$policy" 2>/dev/null || true
		TART_CLONE=$policy "$TART" clone "$registry/vms/a" "$policy"
		touch -r "$TART_HOME/vms/$policy/disk.img" stamp
		chmod u+w "$TART_HOME/vms/$policy/disk.img"
		if [ "$policy" = copy ]; then
			# Nobody reads it: who would would send this.
			write_disk copy 5 5
			touch -r stamp "$TART_HOME/vms/copy/disk.img"
		fi
		tart push "$policy" "$registry/vms/$policy" --insecure
		assert_pushed
		assert_equal "$(manifest "vms/$policy" latest | jq -c '[.layers[1:][].digest]')" \
			"$(manifest vms/a latest | jq -c '[.layers[1:][].digest]')"
		assert_whole "vms/$policy" latest
	done
}

@test 'push: skopeo copies it, and it is the same' {
	requires_program skopeo
	start_docker_registry
	make_filled_vm a
	tart push a "$registry/vms/a" --insecure --label of=us
	assert_pushed
	skopeo copy -q --insecure-policy --src-tls-verify=false "docker://$registry/vms/a" "dir:$PWD/copy"
	skopeo copy -q --insecure-policy --dest-tls-verify=false "dir:$PWD/copy" "docker://$registry/copied/a"
	assert_equal "$(digest_of_manifest copied/a latest)" "$(digest_of_manifest vms/a latest)"
	skopeo inspect --tls-verify=false "docker://$registry/vms/a" >inspected
	assert_equal "$(jq -r '.Labels.of, .Architecture, .Os' inspected)" $'us\namd64\nlinux'
	tart pull "$registry/copied/a" --insecure
	assert_success
	cmp "$TART_HOME/vms/a/disk.img" "$TART_HOME/cache/OCIs/${registry/:/%3A}/copied/a/latest/disk.img"
}

# Images of other writers: their layers are not ours to make again.
@test 'push: cached images of others' {
	start_docker_registry
	other=$registry
	start_registry --layout "$project/tests/data/oci/layout" images
	tart pull "$registry/images:ok" --insecure
	assert_success
	digest=$(digest_of_manifest images ok)
	tart push "$registry/images:ok" "$registry/mirror:1" --insecure
	assert_pushed
	assert_equal "$(digest_of_manifest mirror 1)" "$digest"
	tart pull "$registry/images:vetu-ok" --insecure
	assert_success
	tart push "$registry/images:vetu-ok" "$registry/mirror:vetu" --insecure
	assert_pushed
	assert_equal "$(digest_of_manifest mirror vetu)" "$(digest_of_manifest images vetu-ok)"
	folder=$(readlink "$TART_HOME/cache/OCIs/${registry/:/%3A}/images/ok")
	tart push "$registry/images:vetu-ok" "$other/x" --insecure
	assert_failure 1
	assert_regex "$stderr" '^Error: VM ".*:vetu-ok": it boots a kernel of its own'
	source=$registry/images:ok
	registry=$other
	tart push "$source" "$registry/x:ok" --insecure
	assert_pushed
	assert_line --partial "$registry/x gets another image of the same VM, $(digest_of_manifest x ok)"
	assert_describes x ok "$folder/disk.img"
	assert_whole x ok
}

@test 'push: a file system without nameless files' {
	start_registry
	make_filled_vm a
	run_apart "$BUILD/tests/lib/no_tmpfile" "$TART" push a "$registry/a" --insecure
	assert_pushed
	assert_describes a latest "$TART_HOME/vms/a/disk.img"
	assert_whole a latest
}

@test 'push: VMs of macOS go as they are' {
	start_registry
	make_bundle "$TART_HOME/vms/mac"
	echo '{"version":1,"arch":null,"ecid":"AAEC","hardwareModel":"AwQF","cpuCountMin":4,
		"cpuCount":4,"memorySizeMin":4294967296,"memorySize":18446744073709551615,"diskFormat":"asif",
		"macAddress":"7a:65:e4:3f:b2:09","future":[1.50e-7]}' >"$TART_HOME/vms/mac/config.json"
	printf shdw | dd of="$TART_HOME/vms/mac/disk.img" conv=notrunc status=none
	tart push mac "$registry/mac" --insecure
	assert_pushed
	assert_equal "$(blob mac "$(manifest mac latest | jq -r '.layers[0].digest')")" \
		'{"arch":"arm64","cpuCount":4,"cpuCountMin":4,"diskFormat":"asif","ecid":"AAEC","future":[1.50e-7],"hardwareModel":"AwQF","macAddress":"7a:65:e4:3f:b2:09","memorySize":18446744073709551615,"memorySizeMin":4294967296,"os":"darwin","version":1}'
	assert_equal "$(blob mac "$(manifest mac latest | jq -r .config.digest)")" \
		'{"architecture":"arm64","config":{"Labels":{"org.cirruslabs.tart.disk.format":"asif"}},"os":"darwin"}'
	assert_describes mac latest "$TART_HOME/vms/mac/disk.img"
}

@test 'push: VMs that cannot be pushed' {
	make_vm a
	tart push nosuch 127.0.0.1:1/a --insecure
	assert_failure 2
	assert_equal "$output" ''
	assert_equal "$stderr" 'the specified VM "nosuch" does not exist'
	tart push ghcr.io/a/b 127.0.0.1:1/a --insecure
	assert_failure 2
	assert_equal "$stderr" 'the specified VM "ghcr.io/a/b:latest" does not exist'
	hold_vm a
	tart push a 127.0.0.1:1/a --insecure
	assert_failure 1
	assert_equal "$stderr" 'VM "a" is running'
	release_lock
	: >"$TART_HOME/vms/a/nvram.bin"
	tart push a 127.0.0.1:1/a --insecure
	assert_failure 1
	assert_equal "$stderr" "Error: VM \"a\": 'nvram.bin' is empty: no other Tart could use such an image"
	rm "$TART_HOME/vms/a/nvram.bin"
	tart push a 127.0.0.1:1/a --insecure
	assert_failure 1
	assert_equal "$stderr" 'VM is missing some of its files (config.json, disk.img or nvram.bin)'
	make_bundle "$TART_HOME/vms/b"
	jq '. + {tartLinux: {boot: {cmdline: "x"}}}' "$TART_HOME/vms/b/config.json" >config
	cp config "$TART_HOME/vms/b/config.json"
	touch "$TART_HOME/vms/b/kernel"
	tart push b 127.0.0.1:1/a --insecure
	assert_failure 1
	assert_regex "$stderr" '^Error: VM "b": it boots a kernel of its own'
	jq '. + {tartLinux: {disks: ["data.img"]}}' config >"$TART_HOME/vms/b/config.json"
	tart push b 127.0.0.1:1/a --insecure
	assert_failure 1
	assert_regex "$stderr" "^Error: VM \"b\": it has further disks \('data.img'\)"
	make_bundle "$TART_HOME/vms/c"
	: >"$TART_HOME/vms/c/disk.img"
	tart push c 127.0.0.1:1/a --insecure
	assert_failure 1
	assert_equal "$stderr" 'Error: VM "c": the disk is empty: there is nothing to push'
}

@test 'push: names that cannot be' {
	start_registry
	make_vm a
	for name in a UPPER: 'host/a:b:c' "$registry/a@sha256:1" 'https://x/y'; do
		tart push a "$registry/ok" "$name" --insecure
		assert_failure 1
		assert_equal "$output" ''
		assert_regex "$stderr" '^failed to parse remote name: '
	done
	tart push a "$registry/ok" "$registry/a@sha256:$(hex_of 1)" --insecure
	assert_failure 1
	assert_equal "$stderr" "failed to parse remote name: '$registry/a@sha256:$(hex_of 1)' names a digest, which is not for the sender to choose; push to a tag"
	assert_equal "$(count_requests)" 0
}

@test 'push: arguments' {
	tart push
	assert_usage_error push "Missing expected argument '<local-name>'"
	tart push a
	assert_usage_error push "Missing expected argument '<remote-names> ...'"
	tart push a h/a --concurrency 0
	assert_usage_error push 'network concurrency cannot be less than 1'
	tart push a h/a --chunk-size=-1
	assert_usage_error push 'chunk size cannot be negative'
}
