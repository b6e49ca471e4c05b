#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart pull from a registry that misbehaves: right bytes or a clear error, and never a trace of a failure.
# tests/lib/registry/faults.py has the faults, tests/cli/pull_auth.bats those of authentication.

load ../lib/common
load ../lib/store
load ../lib/registry
load ../lib/pulled
load ../lib/faults

setup() {
	common_setup
	layout=$project/tests/data/oci/layout
	start_registry --layout "$layout" images
	image=$registry/images:ok
	big=$(layer_of ok 3)
	small=$(layer_of ok 2)
}

# A disk layer of an image, counted from 1.
layer_of() { # REF NUMBER
	jq -r --argjson n "$2" '[.layers[] | select(.mediaType | test("disk.v2")).digest][$n - 1]' "$(manifest_of "$1")"
}

manifest_of() { # REF
	echo "$layout/blobs/$(case_of "$1" manifest | tr : /)"
}

# The image comes right although these rules were met.
heals() { # RULE...
	fresh_home
	spoil "$@"
	tart pull --insecure "$image"
	assert_success
	assert_equal "$stderr" ''
	said=$output
	assert_image_pulled "$image" ok
	assert_met "$@"
}

# Nobody says which; what counts is that there is no third way.
heals_or_fails() { # RULE...
	fresh_home
	spoil "$@"
	tart pull --insecure "$image"
	if [ "$status" -eq 0 ]; then
		assert_image_pulled "$image" ok
	else
		assert_one_error
		assert_nothing_kept
	fi
	assert_met "$@"
}

# It does not: one line says why, and nothing is kept.
fails() { # PART-OF-MESSAGE RULE...
	fresh_home
	spoil "${@:2}"
	tart pull --insecure "$image"
	assert_one_error "$1"
	assert_nothing_kept
	assert_met "${@:2}"
}

# How often a blob was asked for, and with which Range each time.
ranges_of() { # DIGEST
	requests GET "/blobs/$1" | cut -d ' ' -f 4 | paste -sd ' '
}

# Bytes of blobs that were sent.
blob_bytes() {
	request_log | jq -s '[.[] | select(.path | test("/blobs/|/signed/")).bytes] | add'
}

@test 'pull: a connection that breaks inside a blob goes on there' {
	local whole

	heals
	whole=$(blob_bytes)
	heals "GET /blobs/$big 1 short at=100000"
	assert_equal "$(ranges_of "$big")" '- bytes=100000-'
	assert_equal "$(blob_bytes)" "$whole"
	# At the worst moments: before the first byte, the first byte, the last; with a reset what was under way is lost.
	heals "GET /blobs/$big 1 short at=0"
	assert_equal "$(ranges_of "$big")" '- -'
	heals "GET /blobs/$big 1 short at=1"
	assert_equal "$(ranges_of "$big")" '- bytes=1-'
	heals "GET /blobs/$big 1 short at=-1"
	assert_equal "$(ranges_of "$big")" "- bytes=$(($(stat -c %s "$layout/blobs/${big/://}") - 1))-"
	heals "GET /blobs/$big 1 short at=90000 reset=yes"
	heals "GET /blobs/ * short at=90000"
	heals 'GET /blobs/ 1 short at=10'
}

@test 'pull: a connection that breaks again and again' {
	heals "GET /blobs/$big 1-4 short at=1000"
	assert_equal "$(ranges_of "$big")" '- bytes=1000- bytes=2000- bytes=3000- bytes=4000-'
	heals "GET /blobs/$big 1-4 drop"
	heals "GET /blobs/$big 1-2 reset" "GET /blobs/$small 1-2 reset"
	heals 'GET /manifests/ 1-4 drop'
	heals 'GET /manifests/ 1-2 short at=100'
	fails 'no valid HTTP' "GET /blobs/$big 1 garbage"
	fails '' 'GET /manifests/ * drop'
	assert_equal "$(count_requests GET /manifests/)" 5
	fails '' "GET /blobs/$big * short at=0"
	fails '' "GET /blobs/$big * reset"
	fails '' 'GET /manifests/ * garbage'
}

@test 'pull: what was fetched before the registry failed is not fetched again' {
	fails '' "GET /blobs/$big * drop"
	no_faults
	forget_requests
	tart pull --insecure "$image"
	assert_success
	assert_image_pulled "$image" ok
	assert_equal "$(count_requests GET "/blobs/$(layer_of ok 1)")" 0
	assert_equal "$(count_requests GET "/blobs/$small")" 0
	assert_equal "$(count_requests GET "/blobs/$big")" 1
}

@test 'pull: a registry that answers a Range with something else' {
	# Everything, which is said honestly: the blob starts again.
	heals "GET /blobs/$big 1 short at=50000" "GET /blobs/$big 2 whole"
	heals "GET /blobs/$big 1-2 short at=50000" "GET /blobs/$big 2-3 whole"
	# Another part, a wrong length, nothing: such bytes are not used.
	fails '' "GET /blobs/$big 1 short at=50000" "GET /blobs/$big 2 range start=-1"
	fails '' "GET /blobs/$big 1 short at=50000" "GET /blobs/$big 2- range start=+1"
	fails '' "GET /blobs/$big 1 short at=50000" "GET /blobs/$big 2- range start=-50000"
	fails '' "GET /blobs/$big 1 short at=50000" "GET /blobs/$big 2- range total=+1"
	fails '' "GET /blobs/$big 1 short at=50000" "GET /blobs/$big 2- range missing=yes"
	fails '' "GET /blobs/$big 1 short at=50000" "GET /blobs/$big 2- range value='bytes 5x-9/*'"
	fails 416 "GET /blobs/$big 1 short at=50000" "GET /blobs/$big 2- status code=416"
	# Nobody asked for a part.
	fails '' "GET /blobs/$big * code code=206"
}

@test 'pull: bytes that are not those of the digest' {
	# Damaged on the way: once more from the start, then it is final.
	heals "GET /blobs/$big 1 flip at=100001"
	assert_equal "$(ranges_of "$big")" '- -'
	heals "GET /blobs/$big 1 zeros"
	heals 'GET /blobs/ 1 flip at=3'
	fails digest "GET /blobs/$big * flip at=170000"
	assert_equal "$(count_requests GET "/blobs/$big")" 2
	fails '' "GET /blobs/$big * zeros"
	fails '' "GET /blobs/$big * replace file=$(manifest_of ok)"
	fails '' "GET /blobs/ * flip at=7"
	# The damage is in one part of a resumed blob.
	heals "GET /blobs/$big 1 short at=100000" "GET /blobs/$big 2 flip at=70000"
	fails '' "GET /blobs/$big * short at=100000" "GET /blobs/$big * flip at=5"
}

@test 'pull: bodies of another length' {
	fails '' "GET /blobs/$big * cut bytes=1"
	fails '' "GET /blobs/$big * extend bytes=1"
	fails '' "GET /blobs/$big * zeros" "GET /blobs/$big * extend bytes=1000"
	heals "GET /blobs/$big 1 cut bytes=1"
	# Bytes behind what was announced are nobody's.
	heals "GET /blobs/$big * long bytes=100"
	heals "GET /blobs/$big 1 length value=1000000"
	heals_or_fails "GET /blobs/$big * length value=99999999999999999999"
	heals_or_fails "GET /blobs/$big * length value=-1"
	# Without an end: no more is read than the blob has, and a buffer.
	fails '' "GET /blobs/$big * endless bytes=100000000"
	[ "$(blob_bytes)" -lt 20000000 ]
	fails '' 'GET /manifests/ * endless bytes=100000000'
	[ "$(request_log | jq -s '[.[].bytes] | add')" -lt 50000000 ]
}

@test 'pull: other ways to send a body' {
	heals 'GET . * chunked'
	heals 'GET . * http10'
	heals 'GET . * no-length'
	heals 'GET /blobs/ 1-4 no-length' "GET /blobs/$big 1 short at=70000"
	heals 'GET /blobs/ * chunked' "GET /blobs/$big 1 short at=70000"
	heals 'GET . * drip bytes=20000 ms=2'
	heals 'GET . * http10' 'GET . * drip bytes=50000 ms=1'
	heals 'GET . * header name=Content-Type value=text/html remove=yes'
	heals "GET /manifests/ * header name=Content-Type value='application/vnd.oci.image.manifest.v1+json; charset=utf-8'"
	heals "GET /blobs/ * header name=Content-Type value='text/html'"
	heals 'GET . * header name=Docker-Content-Digest remove=yes'
	heals 'GET . * headers bytes=20000'
	fails '' 'GET . * headers bytes=200000'
}

@test 'pull: a registry that is busy' {
	local code

	for code in 408 429 500 502 503 504; do
		heals "GET . 1-2 status code=$code body=html" "GET /blobs/$big 1-2 status code=$code body=none"
	done
	heals 'GET /manifests/ 1 status code=429 after=0' 'GET /blobs/ 1-2 status code=503 after=0'
	heals "GET /blobs/$big 1 status code=429 after='Wed, 21 Oct 2015 07:28:00 GMT'"
	heals "GET /blobs/$big 1 status code=429 after=soon"
	fails 429 'GET /manifests/ * status code=429 after=100000'
	assert_equal "$(count_requests GET)" 1
	fails 503 "GET /blobs/$big * status code=503 body=html"
	assert_equal "$(count_requests GET "/blobs/$big")" 5
}

@test 'pull: errors say what, where, the status and the words of the registry' {
	fails "pulling manifest of $image" 'GET /manifests/ * status code=400'
	assert_regex "$stderr" '^Error: .*HTTP 400.*TOOMANYREQUESTS: the registry.s own words'
	fails 'private, misspelt, or log in' 'GET /manifests/ * status code=404 body=none'
	fails 'HTTP 403' "GET /blobs/$big * status code=403 body=controls"
	fails "$registry/images" "GET /blobs/$big * status code=404 body=html"
	fails 'HTTP 418' 'GET /manifests/ * status code=418 body=rawcontrols'
	fails 'HTTP 400' 'GET /manifests/ * status code=400 body=huge'
	[ "${#stderr}" -lt 1500 ]
	fails 'HTTP 400' 'GET /manifests/ * status code=400 body=deep'
	[ "${#stderr}" -lt 1500 ]
	fails 'HTTP 204' 'GET /manifests/ * code code=204'
	fails '' 'GET /manifests/ * code code=299'
	fails '' 'GET /manifests/ * code code=304'
	fails '' 'GET /manifests/ * code code=999'
}

@test 'pull: manifests that are none' {
	local file=$BATS_TEST_TMPDIR/manifest

	serve_manifest() { # PART-OF-MESSAGE
		fails "$1" "GET /manifests/ * serve file=$file type=application/vnd.oci.image.manifest.v1+json"
		assert_equal "$(count_requests GET /blobs/)" 0
	}

	# Larger than 4 MiB, though perfect.
	python3 - "$(manifest_of ok)" >"$file" <<-'EOF'
		import json, sys
		manifest = json.load(open(sys.argv[1]))
		manifest["annotations"]["filler"] = "x" * 5000000
		print(json.dumps(manifest))
	EOF
	[ "$(stat -c %s "$file")" -gt 5000000 ]
	serve_manifest ''
	: >"$file"
	serve_manifest ''
	printf 'null' >"$file"
	serve_manifest ''
	printf '<!DOCTYPE html><title>Sign in</title>' >"$file"
	serve_manifest ''
	sed 's/"schemaVersion"/"schemaVersion":2,"schemaVersion"/' "$(manifest_of ok)" >"$file"
	serve_manifest ''
	sed 's/"layers"/"layers":[],"layers"/' "$(manifest_of ok)" >"$file"
	serve_manifest ''
	sed 's/upload-time/\xff\xfe/' "$(manifest_of ok)" >"$file"
	serve_manifest ''
	{ head -c -1 "$(manifest_of ok)" && printf ',"x":%s1%s}' "$(printf '[%.0s' {1..70})" "$(printf ']%.0s' {1..70})"; } >"$file"
	serve_manifest ''
	{ cat "$(manifest_of ok)" && echo '{}'; } >"$file"
	serve_manifest ''
}

@test 'pull: a digest that the registry names is checked' {
	fails digest "GET /manifests/ * header name=Docker-Content-Digest value=sha256:$(printf 'a%.0s' {1..64})"
	image=$registry/images@$(case_of ok manifest)
	fails digest "GET /manifests/ * serve file=$(manifest_of ok-type-order)"
	image=$registry/images:ok
	heals 'GET /manifests/ * header name=Docker-Content-Digest value=md5:00'
}

@test 'pull: a manifest that changes meanwhile' {
	# The tag moves while the disk is fetched: what comes is the image that was asked for first, whole.
	fresh_home
	spoil "GET /blobs/$big 1-4 drop" "GET /manifests/ 2- serve file=$(manifest_of ok-type-order)"
	tart pull --insecure "$image"
	assert_success
	assert_image_files "$(cached_dir "$image")" ok
	assert_equal "$(digest_of "$(cached_dir "$image")/manifest.json")" "$("$TART" fqn "$image" | cut -d @ -f 2)"
}

@test 'pull: a tag that moved between a failed pull and the next' {
	fails '' "GET /blobs/$big * drop"
	no_faults
	spoil "GET /manifests/ * serve file=$(manifest_of ok-repeated-layer)"
	tart pull --insecure "$image"
	assert_success
	assert_image_files "$(cached_dir "$image")" ok-repeated-layer
	assert_tmp_empty
}

@test 'pull: redirects' {
	heals 'GET /blobs/ * redirect to={other}{path} origin=main'
	heals 'GET /blobs/ 1- redirect to={host}{path} origin=main code=302'
	heals 'GET . * redirect to={other}{path} origin=main code=301'
	heals 'GET /blobs/sha256:[0-9a-f]*$ * redirect to={path}?again=1 code=308'
	fails '' 'GET /blobs/ * loop'
	[ "$(count_requests GET step=)" -le 10 ]
	fails '' 'GET /manifests/ * loop grow=no'
	fails '' 'GET /blobs/ * redirect to=file:///etc/passwd'
	fails '' 'GET /blobs/ * redirect to=ftp://127.0.0.1/x'
	fails '' "GET /blobs/ * redirect to='http://user:secret@127.0.0.1/x'"
	fails '' "GET /blobs/ * redirect to=''"
	fails '' "GET /blobs/ * redirect to='http://[::1'"
	fails '' "GET /blobs/ * redirect to=http://127.0.0.1:0/"
	fails '' 'GET /blobs/ * status code=307 body=none'
	fails '' "GET /blobs/ * redirect to=http://$(printf 'a%.0s' {1..300})/"
}

@test 'pull: addresses that expire' {
	heals 'GET /v2/.*/blobs/ * signed'
	assert_equal "$(request_log | jq -r 'select(.origin == "other").auth' | sort -u)" none
	# Good for one request, and that breaks: the registry is asked for a new one, which goes on.
	heals 'GET /v2/.*/blobs/ * signed uses=1' 'GET /signed/ 1-4 short at=1000'
	[ "$(count_requests GET '/signed/' '.range != null')" -ge 1 ]
	# It had expired when it was handed out.
	heals 'GET /v2/.*/blobs/ 1 signed uses=0' 'GET /v2/.*/blobs/ 2- signed'
	fails '' 'GET /v2/.*/blobs/ * signed uses=0'
}

@test 'pull: cookies are not sent back, warnings are told once' {
	configure cookies=yes
	heals "GET . * header name=Warning value='299 - \"this registry closes\"'"
	assert_equal "$(request_log | jq -r 'select(.cookie != null).path')" ''
	assert_equal "$(grep -c 'this registry closes' <<<"$said")" 1
	heals "GET . * header name=Warning value='299 - \"red $(printf '\033')[31m\"'"
	[[ $said != *$'\e'* ]]
	heals "GET . * header name=Warning value=299"
	configure cookies=
}

@test 'pull: decompression bombs' {
	local ref

	for ref in bad-lz4-bomb-4gib bad-lz4-bomb-wrap bad-lz4-bomb-stored bad-lz4-ratio bad-usize-huge; do
		fresh_home
		# Less than the headers promise; the sanitizers need more than that for themselves.
		if ldd "$TART" | grep -q 'lib[at]san'; then
			tart pull --insecure "$registry/images:$ref"
		else
			run_apart bash -c 'ulimit -v 2000000; exec "$@"' - "$TART" pull --insecure "$registry/images:$ref"
		fi
		assert_one_error
		assert_nothing_kept
	done
}

@test 'pull: a registry that says nothing is given up on a signal' {
	local rule

	for rule in 'GET /manifests/ * hang' "GET /blobs/$big * hang" "GET /blobs/$big * stall at=60000" \
		"GET /blobs/$big * drip bytes=1 ms=1000" 'GET /manifests/ * status code=503'; do
		fresh_home
		export TART_RETRY_DELAY=60000
		spoil "$rule"
		background "$TART" pull --insecure "$image" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
		wait_until is_met "$(cut -d ' ' -f 4 <<<"$rule")"
		kill -TERM "$background_pid"
		wait "$background_pid" && status=0 || status=$?
		assert_equal "$status" 1
		assert_nothing_kept
	done
	# What had come is not lost.
	export TART_RETRY_DELAY=1
	no_faults
	tart pull --insecure "$image"
	assert_success
	assert_image_pulled "$image" ok
}

@test 'pull: a registry that is not there' {
	local port

	fresh_home
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	tart pull --insecure "127.0.0.1:$port/images:ok"
	assert_one_error "127.0.0.1:$port"
	assert_nothing_kept
	tart pull --insecure "no-such-host.invalid/images:ok"
	assert_one_error no-such-host.invalid
	assert_nothing_kept
	# https where http is spoken, and the other way round.
	tart pull "$image"
	assert_one_error "$registry"
	assert_nothing_kept
}

@test 'pull: TLS' {
	kill "$registry_pid"
	make_certificate
	start_registry --layout "$layout" images --tls "$tls_cert" "$tls_key"
	image=$registry/images:ok
	tart pull "$image"
	assert_success
	assert_image_pulled "$image" ok
	fresh_home
	tart pull --insecure "$image"
	assert_one_error
	assert_nothing_kept
	# Nothing leads to where everybody can listen.
	fresh_home
	spoil 'GET /blobs/ * redirect to={plain}{path}'
	tart pull "$image"
	assert_one_error
	assert_nothing_kept
	assert_equal "$(count_requests GET . '.origin == "plain"')" 0
	fresh_home
	spoil 'GET /v2/.*/blobs/ * signed' "GET /signed/ 1-3 short at=1000"
	tart pull "$image"
	assert_success
	assert_image_pulled "$image" ok
	unset SSL_CERT_FILE
	fresh_home
	tart pull "$image"
	assert_one_error certificate
	assert_nothing_kept
	assert_equal "$(count_requests)" 0
}

@test 'pull: five at once fetch each blob once' {
	local n pids=()

	for n in {1..5}; do
		background "$TART" pull --insecure "$image" >"$BATS_TEST_TMPDIR/out.$n" 2>&1
		pids+=("$background_pid")
	done
	for n in "${pids[@]}"; do
		wait "$n"
	done
	assert_image_pulled "$image" ok
	assert_equal "$(requests GET /blobs/ | cut -d ' ' -f 2 | sort | uniq -d)" ''
}
