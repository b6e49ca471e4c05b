#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Our images in the hands of others: skopeo copies and shows them, Debian's registry keeps them, and they still pull.

load ../lib/common
load ../lib/store
load ../lib/registry
load ../lib/pulled

skopeo() {
	run_apart skopeo --insecure-policy "$@"
}

# A disk of three layers with data in the first and the last.
make_source() {
	local disk=$TART_HOME/vms/vm/disk.img

	make_bundle "$TART_HOME/vms/vm"
	truncate -s 20000512 "$disk"
	head -c 1000000 /dev/urandom | dd of="$disk" conv=notrunc status=none
	head -c 100000 /dev/urandom | dd of="$disk" bs=1k seek=17000 conv=notrunc status=none
	want=$(digest_of "$disk")
}

push_source() { # NAME [OPTION...]
	tart push --insecure vm "$@"
	assert_success
}

assert_pulls() { # NAME
	rm -rf "$BATS_TEST_TMPDIR/reader"
	TART_HOME=$BATS_TEST_TMPDIR/reader tart pull --insecure "$1"
	assert_success
	assert_equal "$(TART_HOME=$BATS_TEST_TMPDIR/reader cached_disk "$1")" "$want"
}

cached_disk() { # NAME
	digest_of "$(cached_dir "$1")/disk.img"
}

@test 'skopeo: registry to directory and back' {
	local digest

	requires_program skopeo
	start_docker_registry
	make_source
	push_source "$registry/team/vm:v1"
	skopeo copy --src-tls-verify=false "docker://$registry/team/vm:v1" "dir:$BATS_TEST_TMPDIR/copy"
	assert_success
	digest=$(digest_of "$BATS_TEST_TMPDIR/copy/manifest.json")
	skopeo copy --dest-tls-verify=false "dir:$BATS_TEST_TMPDIR/copy" "docker://$registry/others/vm:v2"
	assert_success
	assert_pulls "$registry/others/vm:v2"
	# The same bytes, hence the same digest.
	assert_equal "$(TART_HOME=$BATS_TEST_TMPDIR/reader "$TART" fqn "$registry/others/vm:v2")" "$registry/others/vm@$digest"
	assert_pulls "$registry/others/vm@$digest"
}

@test 'skopeo: to an OCI layout, and from registry to registry' {
	requires_program skopeo
	start_docker_registry
	make_source
	push_source "$registry/team/vm:v1"
	skopeo copy --src-tls-verify=false "docker://$registry/team/vm:v1" "oci:$BATS_TEST_TMPDIR/copy:v1"
	assert_success
	skopeo copy --dest-tls-verify=false "oci:$BATS_TEST_TMPDIR/copy:v1" "docker://$registry/a/vm:v1"
	assert_success
	assert_pulls "$registry/a/vm:v1"
	skopeo copy --src-tls-verify=false --dest-tls-verify=false "docker://$registry/a/vm:v1" "docker://$registry/b/vm:v1"
	assert_success
	assert_pulls "$registry/b/vm:v1"
}

@test 'skopeo: inspect' {
	requires_program skopeo
	start_docker_registry
	make_source
	push_source "$registry/team/vm:v1" --label org.example.team=tools --label 'note= a = b ' --label empty
	skopeo inspect --tls-verify=false "docker://$registry/team/vm:v1"
	assert_success
	assert_equal "$(jq -r .Architecture <<<"$output")" amd64
	assert_equal "$(jq -r .Os <<<"$output")" linux
	assert_equal "$(jq -r '.Labels["org.cirruslabs.tart.disk.format"]' <<<"$output")" raw
	assert_equal "$(jq -r '.Labels["org.example.team"]' <<<"$output")" tools
	assert_equal "$(jq -r '.Labels.note' <<<"$output")" ' a = b'
	assert_equal "$(jq -r '.Labels.empty' <<<"$output")" ''
	assert_equal "$(jq -r '.RepoTags[]' <<<"$output")" v1
	skopeo inspect --raw --tls-verify=false "docker://$registry/team/vm:v1"
	assert_success
	assert_equal "$(jq -r '[.layers[].mediaType | select(test("tart.disk.v2"))] | length' <<<"$output")" 3
	assert_equal "$(jq -r '.annotations["org.cirruslabs.tart.uncompressed-disk-size"]' <<<"$output")" 20000512
}

@test 'docker-registry: push, pull, clone, delete and pull again' {
	start_docker_registry
	make_source
	push_source "$registry/team/vm:v1" "$registry/team/vm:v2"
	assert_pulls "$registry/team/vm:v1"
	assert_pulls "$registry/team/vm:v2"
	tart clone --insecure "$registry/team/vm:v1" copy
	assert_success
	tart delete "$registry/team/vm:v1"
	assert_success
	tart pull --insecure "$registry/team/vm:v1"
	assert_success
	assert_equal "$(cached_disk "$registry/team/vm:v1")" "$want"
	# In chunks, too.
	push_source --chunk-size 5 "$registry/chunks/vm:v1"
	assert_pulls "$registry/chunks/vm:v1"
	tart pull --insecure "$registry/team/vm:nosuch"
	assert_one_error 'HTTP 404' 'MANIFEST_UNKNOWN' "$registry/team/vm:nosuch"
}

@test 'docker-registry: what another repository has is mounted' {
	start_docker_registry
	make_source
	push_source "$registry/team/vm:v1"
	push_source "$registry/other/vm:v1"
	assert_pulls "$registry/other/vm:v1"
	grep -q 'mount=' "$BATS_TEST_TMPDIR/docker-registry/log"
	# One blob is one file, however often it is mounted; uploads that were given up are gone.
	assert_equal "$(find "$docker_registry_root" -path '*_uploads*' -name data | wc -l)" 0
}

@test 'docker-registry: with passwords' {
	start_docker_registry me 's3cr3t:x'
	make_source
	tart push --insecure vm "$registry/team/vm:v1"
	assert_one_error 'HTTP 401'
	run_apart "$TART" login --insecure --username me --password-stdin "$registry" <<<'wrong'
	assert_failure 1
	assert_regex "$stderr" 'invalid credentials'
	run_apart "$TART" login --insecure --username me --password-stdin "$registry" <<<'s3cr3t:x'
	assert_success
	assert_equal "$stderr" ''
	push_source "$registry/team/vm:v1"
	assert_pulls "$registry/team/vm:v1"
	tart logout "$registry"
	assert_success
	rm -rf "$BATS_TEST_TMPDIR/reader"
	TART_HOME=$BATS_TEST_TMPDIR/reader tart pull --insecure "$registry/team/vm:v1"
	assert_one_error 'HTTP 401' 'log in'
	export TART_REGISTRY_USERNAME=me TART_REGISTRY_PASSWORD=s3cr3t:x
	assert_pulls "$registry/team/vm:v1"
	unset TART_REGISTRY_USERNAME TART_REGISTRY_PASSWORD
	# Credentials of Docker and skopeo are credentials of ours.
	mkdir -p "$HOME/.docker"
	jq -n --arg host "$registry" --arg auth "$(printf 'me:s3cr3t:x' | base64 -w 0)" \
		'{auths: {($host): {auth: $auth}}}' >"$HOME/.docker/config.json"
	assert_pulls "$registry/team/vm:v1"
}
