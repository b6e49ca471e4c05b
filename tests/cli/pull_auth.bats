#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Authentication of pull and push against registries that ask for it in every way: who is asked, who is told, and that
# nobody else is. tests/cli/login.bats has where credentials come from.

load ../lib/common
load ../lib/store
load ../lib/registry
load ../lib/pulled
load ../lib/faults

password='s3cr3t:pass,word"'

setup() {
	common_setup
	layout=$project/tests/data/oci/layout
	start_registry --layout "$layout" images --set "user='me:$password'"
	image=$registry/images:ok
	log_in
}

log_in() {
	export TART_REGISTRY_USERNAME=me TART_REGISTRY_PASSWORD=$password
}

log_out() {
	unset TART_REGISTRY_USERNAME TART_REGISTRY_PASSWORD
}

# Settings as at the start, then these.
fresh() { # SETTING...
	fresh_home
	configure auth=bearer 'realm={main}/token' service=registry.test challenge= anonymous= token_uses=0 \
		token_keys=token expires_in=300 issued_at= oauth=yes identity= "$@"
}

pulls() { # SETTING...
	fresh "$@"
	tart pull --insecure "$image" "${options[@]}"
	assert_success
	assert_image_pulled "$image" ok
	assert_nothing_told
}
options=()

refuses() { # PART-OF-MESSAGE SETTING...
	fresh "${@:2}"
	tart pull --insecure "$image"
	assert_one_error "$1"
	assert_nothing_kept
	assert_nothing_told
}

# Neither secrets of ours nor of the registry are shown, and only the registry and its realm got any.
assert_nothing_told() {
	local secret

	for secret in "$password" s3cr3t token-t "$(base64 -w 0 <<<"me:$password" | cut -c 1-20)"; do
		[[ $output$stderr != *"$secret"* ]] || fail "shows '$secret': $output$stderr"
	done
	assert_equal "$(request_log | jq -r 'select(.origin != "main" and .auth != "none" and (.path | test("^/token") | not)).path')" ''
}

tokens() {
	count_requests GET '^/token'
}

@test 'auth: Basic' {
	pulls auth=basic
	# Asked once, told always.
	assert_equal "$(count_requests '' . '.auth == "none"')" 1
	assert_equal "$(count_requests '' . '.status == 401')" 1
	pulls auth=basic challenge='basic realm=x'
	pulls auth=basic challenge='BASIC'
	TART_REGISTRY_PASSWORD=wrong refuses 401 auth=basic
	[ "$(count_requests '' . '.status == 401')" -le 2 ]
	log_out
	refuses 'private, misspelt, or log in' auth=basic
}

@test 'auth: Bearer' {
	pulls
	assert_equal "$(tokens)" 1
	assert_equal "$(requests GET '^/token' | cut -d ' ' -f 5)" basic:me:ok
	assert_regex "$(requests GET '^/token')" 'service=registry.test'
	assert_regex "$(requests GET '^/token')" 'scope=repository(%3A|:)images(%3A|:)pull'
	assert_equal "$(count_requests '' . '.status == 401')" 1
	pulls token_keys=access_token
	pulls token_keys=token,access_token
	TART_REGISTRY_PASSWORD=wrong refuses 401
	log_out
	pulls anonymous=yes
	refuses 401
	pulls auth=none
	assert_equal "$(tokens)" 0
}

@test 'auth: challenges in every spelling' {
	local bearer='realm="{realm}",service="{service}",scope="{scope}"'

	pulls challenge="bearer $bearer"
	pulls challenge="BEARER realm=\"{realm}\" , service=\"{service}\" ,  scope=\"{scope}\""
	pulls challenge="Negotiate||Bearer $bearer"
	pulls challenge="Negotiate, Bearer $bearer"
	pulls challenge="Basic realm=\"x\", Bearer $bearer"
	pulls challenge="Bearer $bearer, Basic realm=\"x\""
	pulls challenge="Bearer $bearer,error=\"insufficient_scope\",charset=\"a, b\\\"c\""
	pulls challenge='Bearer realm={realm},service={service},scope="{scope}"'
	pulls challenge="Bearer $bearer" 'realm={main}/token?account=x&y=1'
	assert_regex "$(requests GET '^/token')" 'account=x&y=1'
	refuses 'WWW-Authenticate header is missing' challenge=none
	refuses unsupported challenge='Negotiate'
	refuses unsupported challenge='Digest realm="x", nonce="y"'
	refuses '' challenge='Bearer'
	refuses '' challenge='Bearer '
	refuses '' challenge='Bearer whatever'
	refuses '' challenge='Bearer service="x"'
	refuses '' challenge="Bearer realm=\"{realm}"
	refuses '' challenge="Bearer realm=\"$(printf 'a%.0s' {1..9000})\""
	refuses '' challenge='Bearer realm=""'
}

@test 'auth: realms elsewhere' {
	pulls 'realm={other}/token'
	assert_equal "$(count_requests GET '^/token' '.origin == "other"')" 1
	pulls 'realm={host}/token'
	refuses '' 'realm=/token'
	refuses '' 'realm=file:///etc/passwd'
	refuses '' 'realm=ftp://127.0.0.1/token'
	refuses '' 'realm=http://127.0.0.1:1/token'
	refuses '' 'realm=http://me@127.0.0.1/token'
	refuses '' "realm=http://$(printf '%s' 'x y')/token"
}

@test 'auth: a realm that redirects does not pass the password on' {
	fresh
	spoil 'GET ^/token * redirect to={other}/elsewhere'
	tart pull --insecure "$image"
	assert_failure 1
	assert_nothing_kept
	assert_nothing_told
	assert_equal "$(request_log | jq -r 'select(.origin == "other").auth' | sort -u)" none
}

@test 'auth: tokens that run out' {
	# One at a time, or they would take each other's.
	options=(--concurrency 1)
	pulls token_uses=1
	pulls token_uses=2
	options=()
	pulls expires_in=1
	pulls expires_in=0
	pulls expires_in=-5
	pulls expires_in=99999999999999999999
	pulls expires_in='"soon"'
	pulls expires_in=1.5
	pulls expires_in=
	pulls expires_in=300 issued_at=1970-01-01T00:00:00Z
	pulls expires_in=300 issued_at=2099-01-01T00:00:00Z
	pulls expires_in=300 issued_at=yesterday
}

@test 'auth: a token that runs out inside a blob' {
	fresh token_uses=1
	spoil 'GET /blobs/ 1-6 short at=1000'
	tart pull --insecure "$image" --concurrency 1
	assert_success
	assert_image_pulled "$image" ok
	[ "$(count_requests GET /blobs/ '.range != null and .status == 206')" -ge 1 ]
	[ "$(count_requests GET /blobs/ '.range != null and .status == 401')" -ge 1 ]
	assert_nothing_told
}

@test 'auth: a registry that is never content' {
	refuses 401 auth=never challenge='Bearer realm="{realm}",service="{service}",scope="{scope}"'
	# Asked, authenticated, asked again, and no more.
	[ "$(count_requests)" -le 4 ]
	refuses 401 auth=never challenge='Basic realm="x"'
	[ "$(count_requests)" -le 3 ]
	# Not from the start, but from the disk on.
	fresh
	spoil 'GET /blobs/ 2- set auth=never'
	tart pull --insecure "$image"
	assert_one_error 401
	assert_nothing_kept
	[ "$(count_requests)" -le 30 ]
}

@test 'auth: token servers that fail' {
	token_fault() { # RULE: it heals
		fresh
		spoil "GET ^/token $1"
		tart pull --insecure "$image"
		assert_success
		assert_image_pulled "$image" ok
		assert_nothing_told
	}
	token_failure() { # RULE: it does not
		fresh
		spoil "GET ^/token $1"
		tart pull --insecure "$image"
		assert_one_error
		assert_nothing_kept
		assert_nothing_told
		assert_met "GET ^/token $1"
	}
	local file=$BATS_TEST_TMPDIR/answer answer

	token_fault '1-2 status code=500 body=html'
	token_fault '1-2 status code=429 after=0'
	token_fault '1-2 drop'
	token_fault '1 short at=10'
	token_fault '* chunked'
	token_failure '* status code=500 body=html'
	[ "$(tokens)" -le 5 ]
	token_failure '* status code=403 body=controls'
	token_failure '* status code=404'
	token_failure '* garbage'
	token_failure '* status code=200 body=html'
	token_failure '* status code=200 body=deep'
	token_failure '* status code=200 body=huge'
	token_failure '* endless bytes=100000000'
	for answer in '' '{}' '[]' 'null' '"token"' '{"token":null}' '{"token":""}' '{"token":5}' '{"token":["a"]}' \
		'{"token":"a\r\nX-Injected: yes"}' '{"token":"a b"}' '{"token":"\u0000"}' '{"token":"é"}' '{"token":"a"'; do
		printf '%s' "$answer" >"$file"
		token_failure "* serve file=$file"
	done
}

@test 'auth: identity tokens' {
	log_out
	mkdir -p "$HOME/.docker"
	identity() { # DOCKER-CONFIG-FIELDS
		printf '{"auths":{"%s":{%s}}}' "$registry" "$1" >"$HOME/.docker/config.json"
	}

	identity '"auth":"'"$(printf '<token>:' | base64)"'","identitytoken":"my-identity"'
	pulls identity=my-identity
	assert_equal "$(count_requests POST '^/token')" 1
	assert_equal "$(tokens)" 0
	assert_equal "$(request_log | jq -r 'select(.method == "POST") | .type')" application/x-www-form-urlencoded
	refuses 401 identity=another
	# Servers without this endpoint are asked as before.
	pulls identity=my-identity oauth=404 user='<token>:my-identity'
	pulls identity=my-identity oauth=405
}

@test 'auth: with TLS' {
	kill "$registry_pid"
	make_certificate
	start_registry --layout "$layout" images --set "user='me:$password'" --tls "$tls_cert" "$tls_key"
	image=$registry/images:ok
	fresh
	tart pull "$image"
	assert_success
	assert_image_pulled "$image" ok
	fresh 'realm={other}/token'
	tart pull "$image"
	assert_success
	# A realm that everybody could listen to gets nothing.
	fresh 'realm={plain}/token'
	tart pull "$image"
	assert_one_error
	assert_nothing_kept
	assert_equal "$(count_requests '' . '.origin == "plain"')" 0
}

@test 'auth: blobs elsewhere get no credentials' {
	fresh
	spoil 'GET /v2/.*/blobs/ * signed'
	tart pull --insecure "$image"
	assert_success
	assert_image_pulled "$image" ok
	assert_nothing_told
	fresh
	spoil 'GET ^/v2/.*/blobs/ * redirect to={host}{path} origin=main'
	tart pull --insecure "$image"
	assert_one_error
	assert_nothing_told
	assert_equal "$(request_log | jq -r 'select(.origin == "host").auth' | sort -u)" none
	# Challenges of such places are not answered.
	assert_equal "$(tokens)" 1
}
