#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart push to a registry that misbehaves: the image is there, whole, or a clear error says why it is not; the VM is what
# it was. tests/lib/registry/faults.py has the faults.

load ../lib/common
load ../lib/store
load ../lib/registry
load ../lib/pulled
load ../lib/faults

setup() {
	common_setup
	# What a mount brings is not sent, so that nothing could go wrong with it.
	start_registry --set mount=no
	make_disk_vm vm
	before=$(vm_state)
	repositories=0
}

# Three layers of 8 MiB: data, almost nothing, the rest with an odd end. The same every time.
make_disk_vm() { # NAME
	local dir=$TART_HOME/vms/$1

	make_bundle "$dir"
	python3 - "$dir/disk.img" <<-'EOF'
		import random, sys
		source = random.Random(3)
		with open(sys.argv[1], "wb") as disk:
		    disk.truncate(20000512)
		    for at, size in ((0, 3 << 20), (5 << 20, 65536), (9 << 20, 100), (17 << 20, 1 << 20), (20000000, 512)):
		        disk.seek(at)
		        disk.write(source.randbytes(size))
	EOF
}

vm_state() {
	(cd "$TART_HOME/vms/vm" && sha256sum config.json disk.img nvram.bin)
}

# To a repository that knows nothing yet.
push() { # OPTION...
	repositories=$((repositories + 1))
	image=$registry/team/r$repositories:v1
	forget_requests
	tart push --insecure "$@" vm "$image"
}

# Settings as at the start, then these rules.
fresh() { # RULE...
	no_faults
	configure location=path location_query= resume=yes chunk_min=0 chunk_max=0 patch_status=202 put_status=201 mount=no
	spoil "$@"
}

assert_vm_unharmed() {
	assert_equal "$(vm_state)" "$before"
	assert_tmp_empty
	run "$TART" list --source local --format json
	assert_equal "$(jq -r '.[].State' <<<"$output")" stopped
}

# Read again by somebody else, it is the same disk.
assert_pushed() {
	no_faults
	TART_HOME=$BATS_TEST_TMPDIR/reader tart pull --insecure "$image"
	assert_success
	assert_equal "$(TART_HOME=$BATS_TEST_TMPDIR/reader digest_of_cached)" "$(digest_of "$TART_HOME/vms/vm/disk.img")"
	rm -rf "$BATS_TEST_TMPDIR/reader"
}

digest_of_cached() {
	digest_of "$(cached_dir "$image")/disk.img"
}

heals() { # RULE...
	fresh "$@"
	push "${options[@]}"
	assert_success
	assert_equal "$stderr" ''
	assert_met "$@"
	assert_vm_unharmed
	assert_pushed
}
options=()

fails() { # PART-OF-MESSAGE RULE...
	fresh "${@:2}"
	push "${options[@]}"
	assert_one_error "$1"
	why=${stderr_lines[0]}
	assert_met "${@:2}"
	assert_vm_unharmed
	# Nobody finds half an image.
	no_faults
	TART_HOME=$BATS_TEST_TMPDIR/reader tart pull --insecure "$image"
	assert_failure 1
	rm -rf "$BATS_TEST_TMPDIR/reader"
}

# With other settings of the registry, and no fault.
works() { # SETTING...
	fresh
	configure "$@"
	push "${options[@]}"
	assert_success
	assert_equal "$stderr" ''
	assert_vm_unharmed
	assert_pushed
}

# Bytes of blobs that the registry took.
sent_bytes() {
	request_log | jq -s '[.[] | select(.path | test("/uploads/|/elsewhere/")).request_bytes] | add'
}

@test 'push: uploads that break' {
	local whole

	heals
	whole=$(sent_bytes)
	heals 'PUT /uploads/ 1 break at=1000000'
	[ "$(count_requests GET /uploads/)" -ge 1 ]
	# It went on there: what had arrived was not sent again.
	[ "$(sent_bytes)" -le $((whole + 100000)) ]
	heals 'PUT /uploads/ 1 break at=1000000 keep=no'
	heals 'PUT /uploads/ 1 break at=1000000 reset=yes'
	heals 'PUT /uploads/ 1-3 break at=500000'
	heals 'PUT /uploads/ * break at=1000000'
	heals 'PUT /uploads/ 1 break at=0'
	heals 'PUT /uploads/ 1 break at=1'
	heals 'PUT|PATCH /uploads/ 1-2 drop' 'POST . 1-2 drop' 'HEAD . 1-2 drop' 'PUT /manifests/ 1-2 drop'
	heals 'PUT /uploads/ 1-2 reset' 'POST . 1 reset'
	fails '' 'PUT /uploads/ * drop'
	fails '' 'POST . * drop'
	fails '' 'PUT /manifests/ * drop'
	fails '' 'HEAD . * drop'
}

@test 'push: uploads that break where the registry cannot say how far it got' {
	works resume=404
	fresh 'PUT /uploads/ 1 break at=1000000'
	configure resume=404
	push
	assert_success
	assert_pushed
	fresh 'PUT /uploads/ 1-2 break at=1000000'
	configure resume=405
	push
	assert_success
	assert_pushed
	# It says nonsense.
	heals 'PUT /uploads/ 1 break at=1000000' 'GET /uploads/ 1 header name=Range value=0-99999999999'
	heals 'PUT /uploads/ 1 break at=1000000' "GET /uploads/ 1 header name=Range value='bytes=x-y'"
	heals 'PUT /uploads/ 1 break at=1000000' 'GET /uploads/ 1 header name=Range value=5-10'
	heals 'PUT /uploads/ 1 break at=1000000' 'GET /uploads/ 1 header name=Range remove=yes'
	heals 'PUT /uploads/ 1 break at=1000000' 'GET /uploads/ 1 status code=500'
	heals 'PUT /uploads/ 1 break at=1000000' 'GET /uploads/ 1-2 drop'
}

@test 'push: what was done, but the answer got lost' {
	heals 'POST . 1 lost'
	heals 'PUT /uploads/ 1 lost'
	heals 'PUT /uploads/ 1-2 lost reset=yes'
	heals 'PUT /manifests/ 1 lost'
}

@test 'push: a registry that is busy' {
	local code

	for code in 408 429 500 502 503 504; do
		heals "HEAD|POST|PUT . 1-2 status code=$code body=html" "PUT /manifests/ 1-2 status code=$code body=none"
	done
	heals 'POST . 1 status code=429 after=0' 'PUT /uploads/ 1 status code=503 after=0'
	# It says so without having read what we send.
	heals 'PUT /uploads/ 1 status code=503 drain=no'
	heals 'PUT /uploads/ 1 status code=429 drain=no after=0'
	fails 429 'POST . * status code=429 after=100000'
	assert_equal "$(requests POST | cut -d ' ' -f 2 | uniq -d)" ''
	fails 'HTTP 500' 'PUT /uploads/ * status code=500 body=html'
	fails 'HTTP 503' 'PUT /manifests/ * status code=503 body=html'
}

@test 'push: errors say what, where, the status and the words of the registry' {
	fails 'pushing blob (POST)' 'POST . * status code=400'
	assert_regex "$why" "^Error: .*$registry/team/r[0-9]+.*HTTP 400.*TOOMANYREQUESTS: the registry.s own words"
	fails 'log in' 'POST . * status code=403'
	fails 'HTTP 401' 'POST . * challenge header=none'
	fails 'HTTP 404' 'POST . * status code=404'
	fails 'pushing blob (PUT)' 'PUT /uploads/ * status code=400 body=controls'
	fails 'pushing manifest' 'PUT /manifests/ * status code=400 body=rawcontrols'
	fails 'HTTP 413' 'PUT /uploads/ * status code=413 body=html drain=no'
	fails '' 'POST . * code code=200'
	# It may have taken it, but does not say so.
	fresh 'PUT /manifests/ * code code=204'
	push
	assert_one_error 'pushing manifest' 204
	assert_vm_unharmed
}

@test 'push: addresses for uploads, in every form' {
	works location=relative
	works location=absolute
	works location=path location_query='state=abc%2Fdef%3D&x=1'
	works location=absolute location_query='_state=a+b'
	works location=foreign
	# The place elsewhere got the blobs, and nothing else.
	[ "$(count_requests PUT /elsewhere/)" -ge 3 ]
	assert_equal "$(request_log | jq -r 'select(.origin != "main" and .auth != "none").path')" ''
	fails Location 'POST . * header name=Location remove=yes'
	fails '' "POST . * header name=Location value=file:///etc/passwd"
	fails '' "POST . * header name=Location value='http://[bad'"
	fails '' "POST . * header name=Location value='http://a b/'"
	fails '' "POST . * header name=Location value='//user@127.0.0.1/x'"
	fails '' "POST . * header name=Location value=/v2/nowhere"
}

@test 'push: credentials stay with the registry' {
	configure auth=basic user=me:s3cr3t
	export TART_REGISTRY_USERNAME=me TART_REGISTRY_PASSWORD=s3cr3t
	fresh
	configure location=foreign
	push
	assert_success
	[ "$(count_requests PUT /elsewhere/)" -ge 3 ]
	assert_equal "$(request_log | jq -r 'select(.origin != "main" and .auth != "none").path')" ''
	assert_equal "$(count_requests POST . '.auth == "basic:me:ok"')" "$(count_requests POST . '.status == 202')"
	[[ $output$stderr != *s3cr3t* ]]
	assert_vm_unharmed
	assert_pushed
	# Elsewhere asks for them, in vain.
	fresh "PUT /elsewhere/ * challenge header='Basic realm=\"elsewhere\"'"
	configure location=foreign
	push
	assert_one_error 401
	assert_equal "$(request_log | jq -r 'select(.origin != "main" and .auth != "none").path')" ''
	assert_vm_unharmed
}

@test 'push: tokens' {
	configure auth=bearer user=me:s3cr3t
	export TART_REGISTRY_USERNAME=me TART_REGISTRY_PASSWORD=s3cr3t
	fresh
	push
	assert_success
	assert_vm_unharmed
	# One to look, one to write, and those for all requests.
	[ "$(count_requests GET '^/token')" -le 2 ]
	assert_regex "$(requests GET '^/token')" 'push'
	assert_pushed
	for uses in 1 2 3; do
		fresh
		configure token_uses=$uses
		push --concurrency 1
		assert_success
		configure token_uses=0
		assert_pushed
	done
	# In the middle of an upload.
	fresh 'PUT /uploads/ 1-3 break at=100000'
	configure token_uses=1
	push --concurrency 1
	assert_success
	configure token_uses=0
	assert_pushed
	# Refused before the body was read, which then has to be sent again from its start.
	fresh
	spoil "PUT /uploads/ 1,3,5 challenge header='Bearer realm=\"{main}/token\",service=\"s\",scope=\"repository:team/r$((repositories + 1)):pull,push\"'"
	push
	assert_success
	assert_pushed
}

@test 'push: in chunks' {
	options=(--chunk-size 1)
	heals
	[ "$(count_requests PATCH /uploads/)" -ge 3 ]
	assert_equal "$(request_log | jq -r 'select(.method == "PATCH").content_range' | head -n 1)" 0-999999
	works location=relative
	works location=absolute location_query=state=5
	works location=foreign
	works patch_status=201 put_status=202
	works patch_status=202 put_status=201 location=path
	heals 'PATCH /uploads/ 1 break at=300000'
	heals 'PATCH /uploads/ 2 break at=300000 keep=no'
	heals 'PATCH /uploads/ 2 lost'
	heals 'PATCH /uploads/ 1-2 status code=503'
	heals 'PATCH /uploads/ 2 status code=416'
	heals 'PUT /uploads/ 1 status code=500'
	# Another address for each chunk.
	heals 'PATCH /uploads/ * header name=X-Nothing value=1'
	fails 'HTTP 416' 'PATCH /uploads/ * status code=416'
	fails 'HTTP 400' 'PATCH /uploads/ * status code=400'
	fails 'HTTP 404' 'PATCH /uploads/ * status code=404'
}

@test 'push: chunks of the size that the registry wants' {
	options=(--chunk-size 1)
	works chunk_min=2000000
	assert_equal "$(request_log | jq -r 'select(.method == "PATCH" and .content_range != null) |
		.content_range | split("-") | (.[1] | tonumber) - (.[0] | tonumber) + 1 | select(. < 2000000)')" ''
	options=(--chunk-size 3)
	fresh
	configure chunk_max=2000000
	push "${options[@]}"
	assert_one_error 413
	assert_vm_unharmed
	options=()
	works chunk_min=2000000
}

@test 'push: a registry that forgets' {
	# The session.
	heals 'PUT /uploads/ 1 status code=404'
	heals 'PUT /uploads/ 1 break at=500000' 'GET /uploads/ 1 status code=404'
	# What it says it has.
	fresh "HEAD /blobs/ 1-4 status code=200 body=none"
	push
	[ "$status" -eq 0 ] || assert_one_error MANIFEST_BLOB_UNKNOWN
	assert_vm_unharmed
	fresh
	tart push --insecure vm "$image"
	assert_success
	assert_pushed
	fails 'DIGEST_INVALID' 'PUT /uploads/ * status code=400 body=digest'
	# It says that it took something else.
	fresh "PUT /manifests/ * header name=Docker-Content-Digest value=sha256:$(hex_of a)"
	push
	assert_one_error digest
	assert_vm_unharmed
}

@test 'push: mounts' {
	push
	assert_success
	configure mount=yes
	push
	assert_success
	[ "$(count_requests POST '[?&]mount=.*from=team(/|%2F)r1')" -ge 3 ]
	[ "$(sent_bytes)" -lt 100000 ]
	assert_pushed
	heals 'POST mount= * code code=202'
	configure mount=no
	push
	assert_success
	assert_pushed
	heals 'POST mount= 1 status code=405'
	heals 'POST mount= 1 status code=403'
	heals 'POST mount= 1 status code=404'
}

@test 'push: nothing twice' {
	push
	assert_success
	forget_requests
	tart push --insecure vm "$image"
	assert_success
	assert_equal "$(count_requests 'POST')" 0
	assert_equal "$(count_requests 'PUT' /uploads/)" 0
	# Another tag, the same blobs.
	tart push --insecure vm "${image%:*}:v2" "${image%:*}:v3"
	assert_success
	assert_equal "$(count_requests POST)" 0
	assert_equal "$(count_requests PUT /manifests/v2)" 1
	assert_equal "$(count_requests PUT /manifests/v3)" 1
	# Names are checked before anything is sent.
	forget_requests
	tart push --insecure vm "${image%:*}:v4" 'not a name'
	assert_one_error 'failed to parse remote name'
	tart push --insecure vm "${image%:*}@sha256:$(hex_of a)"
	assert_one_error
	assert_equal "$(count_requests)" 0
}

@test 'push: stopped by a signal' {
	local rule

	for rule in 'HEAD . 1 hang' 'POST . 1 hang' 'PUT /uploads/ 1 hang' 'PUT /uploads/ 1 slow-read ms=100000' 'PUT /manifests/ 1 hang'; do
		fresh "$rule"
		repositories=$((repositories + 1))
		background "$TART" push --insecure vm "$registry/team/r$repositories:v1" >"$BATS_TEST_TMPDIR/out" 2>&1
		wait_until is_met "$(cut -d ' ' -f 4 <<<"$rule")"
		kill -TERM "$background_pid"
		wait "$background_pid" && status=0 || status=$?
		assert_equal "$status" 1
		assert_vm_unharmed
	done
}

@test 'push: TLS' {
	kill "$registry_pid"
	make_certificate
	start_registry --tls "$tls_cert" "$tls_key"
	image=$registry/team/vm:v1
	tart push vm "$image"
	assert_success
	TART_HOME=$BATS_TEST_TMPDIR/reader tart pull "$image"
	assert_success
	# Uploads do not go where everybody can listen.
	spoil 'POST . * header name=Location value={plain}/elsewhere/x/u1'
	tart push vm "$registry/team/other:v1"
	assert_one_error
	assert_equal "$(count_requests '' . '.origin == "plain"')" 0
	assert_vm_unharmed
}
