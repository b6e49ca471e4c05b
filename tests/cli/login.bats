#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart login: what it asks, what it checks, what it keeps. tests/cli/keyring.bats has the desktop's keyring.

load ../lib/common
load ../lib/registry
load ../lib/credentials

start_private_registry() {
	start_registry --set auth=basic --set user=me:secret "$@"
}

assert_nothing_stored() {
	assert_not_exist "$HOME/.config"
}

@test 'login: a password that the registry accepts is kept' {
	start_private_registry
	run_apart "$TART" login "$registry" --username me --password-stdin --insecure <<<secret
	assert_success
	assert_equal "$stderr" ''
	assert_equal "$output" "$no_session"
	assert_equal "$(in_file "$registry")" me:secret
	assert_equal "$(stat -c '%a' "$HOME/.config/tart" "$(auth_file)")" $'700\n600'
	assert_equal "$(requests)" "GET /v2/ 401 - none
GET /v2/ 200 - basic:me:ok"
	assert_asked_as basic:me:ok
}

@test 'login: a password that it does not accept is not kept' {
	start_private_registry
	run_apart "$TART" login "$registry" --username me --password-stdin --insecure <<<wrong
	assert_failure 1
	assert_equal "$output" ''
	assert_equal "$stderr" "invalid credentials: doing ping of $registry: HTTP 401: UNAUTHORIZED: authentication required"
	assert_nothing_stored
	# Nor does it replace one that is.
	login "$registry" me secret
	run_apart "$TART" login "$registry" --username me --password-stdin --insecure <<<wrong
	assert_failure 1
	assert_equal "$(in_file "$registry")" me:secret
}

@test 'login: is tried with this password and no other' {
	start_private_registry
	login "$registry" me secret
	run_apart env TART_REGISTRY_USERNAME=me TART_REGISTRY_PASSWORD=secret "$TART" login "$registry" --username you \
		--password-stdin --insecure <<<secret
	assert_failure 1
	assert_equal "$(requests GET '' '.auth != "none"')" 'GET /v2/ 401 - basic:you:bad'
	assert_equal "$(in_file "$registry")" me:secret
}

@test 'login: by token' {
	start_private_registry --set auth=bearer
	run_apart "$TART" login "$registry" --username me --password-stdin --insecure <<<secret
	assert_success
	assert_equal "$(in_file "$registry")" me:secret
	run_apart "$TART" login "$registry" --username me --password-stdin --insecure <<<wrong
	assert_failure 1
	assert_equal "${stderr%%:*}" 'invalid credentials'
	assert_equal "$(in_file "$registry")" me:secret
}

@test "login: to Debian's registry" {
	start_docker_registry me secret
	run_apart "$TART" login "$registry" --username me --password-stdin --insecure <<<wrong
	assert_failure 1
	assert_equal "${stderr%%:*}" 'invalid credentials'
	assert_nothing_stored
	run_apart "$TART" login "$registry" --username me --password-stdin --insecure <<<secret
	assert_success
	assert_equal "$(in_file "$registry")" me:secret
}

@test 'login: what is no registry' {
	start_registry
	fault GET '^/v2/$' '*' status code=404
	run_apart "$TART" login "$registry" --username me --password-stdin --insecure <<<secret
	assert_failure 1
	assert_equal "${stderr%%:*}" 'invalid credentials'
	assert_nothing_stored
	# Nobody listens on a port that was just given back.
	kill "$registry_pid"
	wait "$registry_pid" || true
	run_apart "$TART" login "$registry" --username me --password-stdin --insecure <<<secret
	assert_failure 1
	assert_equal "$stderr" "invalid credentials: doing ping of $registry: cannot connect to $registry: Connection refused"
	assert_nothing_stored
}

@test 'login: https unless told otherwise' {
	make_certificate
	start_private_registry --tls "$tls_cert" "$tls_key"
	run_apart "$TART" login "$registry" --username me --password-stdin <<<secret
	assert_success
	assert_equal "$(in_file "$registry")" me:secret
	unset SSL_CERT_FILE
	run_apart "$TART" login "$registry" --username me --password-stdin <<<other
	assert_failure 1
	assert_equal "${stderr%%:*}" 'invalid credentials'
	assert_equal "$(in_file "$registry")" me:secret
}

@test 'login: without asking the registry' {
	login nowhere.invalid:5000 me secret
	assert_success
	assert_equal "$output$stderr" "$no_session"
	assert_equal "$(in_file nowhere.invalid:5000)" me:secret
	login nowhere.invalid:5000 you other
	assert_success
	assert_equal "$(in_file nowhere.invalid:5000)" you:other
	login nowhere.invalid me third
	assert_equal "$(in_file nowhere.invalid:5000)$(in_file nowhere.invalid)" you:otherme:third
}

@test 'login: both options or none' {
	tart login h --username me
	assert_usage_error login 'both --username and --password-stdin are required'
	run_apart "$TART" login h --password-stdin <<<secret
	assert_usage_error login 'both --username and --password-stdin are required'
	tart login
	assert_failure 64
	assert_nothing_stored
}

@test 'login: hosts' {
	for host in https://ghcr.io http://127.0.0.1:5000; do
		login "$host" me secret
		assert_failure 1
		assert_equal "$stderr" "improperly formatted host \"$host\" was provided, make sure that it doesn't start with http:// or https://"
	done
	for host in ghcr.io/ ghcr.io/a 'ghcr io' ' ghcr.io' ghcr.io:x ghcr.io:65536 '' user@ghcr.io; do
		login "$host" me secret
		assert_failure 1
		assert_equal "$output" ''
		assert_equal "$stderr" "improperly formatted host \"$host\" was provided"
	done
	assert_nothing_stored
}

@test 'login: what counts as the password' {
	for pair in 'secret\n:secret' 'secret\r\n\n:secret' 'sec ret :sec ret ' ' \tx:_\tx' 'a\nb\n:a\nb'; do
		wanted=$(printf %b "${pair#*:}" | tr _ ' ')
		run_apart "$TART" login h --username me --password-stdin --no-validate < <(printf %b "${pair%%:*}")
		assert_success
		assert_equal "$(in_file h)" "me:$wanted"
	done
	rm -r "$HOME/.config"
	for nothing in '' '\n' '\r\n\n'; do
		run_apart "$TART" login h --username me --password-stdin --no-validate < <(printf %b "$nothing")
		assert_failure 1
		assert_equal "$stderr" 'Error: no password was given'
	done
	run_apart "$TART" login h --username me --password-stdin --no-validate < <(printf 'a\0b')
	assert_failure 1
	assert_equal "$stderr" 'Error: the password holds a NUL character'
	login h '' secret
	assert_failure 1
	assert_equal "$stderr" 'Error: no user name was given'
	login h me:you secret
	assert_failure 1
	assert_equal "$stderr" 'Error: a user name cannot have a colon in it'
	assert_nothing_stored
}

@test 'login: the longest password' {
	long=$(printf '%08192d' 7)
	login h me "$long"
	assert_success
	assert_equal "$(in_file h)" "me:$long"
	login h me "${long}8"
	assert_failure 1
	assert_equal "$stderr" 'Error: the password is longer than 8192 characters'
	assert_equal "$(in_file h)" "me:$long"
	# One without an end is not waited for.
	run_apart "$TART" login h --username me --password-stdin --no-validate </dev/zero
	assert_failure 1
}

@test 'login: the password is in no output and no other file' {
	start_private_registry
	configure user=me:s3cr3t-right
	for password in s3cr3t-right s3cr3t-wrong; do
		run_apart "$TART" login "$registry" --username me --password-stdin --insecure <<<"$password"
		refute_regex "$output$stderr" s3cr3t
	done
	run grep -rl s3cr3t "$HOME"
	assert_failure
	assert_equal "$(in_file "$registry")" me:s3cr3t-right
}

on_terminal() { # STEP... -- ARGUMENT...
	local steps=()

	while [ "$1" != -- ]; do
		steps+=("$1")
		shift
	done
	run timeout --kill-after=5 60 python3 -B "$project/tests/lib/on_terminal.py" "${steps[@]}" -- "$TART" "${@:2}"
}

questions=('expect:User: ' echo:on 'send:me\n' 'expect:Password: ' echo:off)

@test 'login: asks on the terminal' {
	on_terminal "${questions[@]}" 'send:secret\n' -- login h --no-validate
	assert_success
	assert_output "User: me
Password: 
$no_session
echo on"
	assert_equal "$(in_file h)" me:secret
}

@test 'login: asks on the terminal, whatever stdin is' {
	on_terminal "${questions[@]}" 'send:secret\n' -- login h --no-validate </dev/null
	run timeout 60 python3 -B "$project/tests/lib/on_terminal.py" "${questions[@]}" 'send:secret\n' -- \
		bash -c 'echo noise | exec "$@"' - "$TART" login h --no-validate
	assert_success
	assert_equal "$(in_file h)" me:secret
}

@test 'login: answers that are none' {
	on_terminal 'expect:User: ' 'send:\n' -- login h --no-validate
	assert_failure 1
	assert_output $'User: \nError: no user name was given\necho on'
	on_terminal "${questions[@]}" 'send:\n' -- login h --no-validate
	assert_failure 1
	assert_output $'User: me\nPassword: \nError: no password was given\necho on'
	on_terminal "${questions[@]}" 'send:\x04' -- login h --no-validate
	assert_failure 1
	assert_output $'User: me\nPassword: \nError: no password was given\necho on'
	# What the terminal itself cuts off is not taken for the whole.
	on_terminal "${questions[@]}" "send:$(printf '%04200d' 7)\\n" -- login h --no-validate
	assert_failure 1
	assert_output --partial 'Error: the password is longer than a terminal can take: use --password-stdin'
	assert_nothing_stored
}

@test 'login: signals leave the terminal as it was' {
	for keys in 'send:\x03' kill:TERM kill:HUP kill:INT; do
		on_terminal "${questions[@]}" send:sec "$keys" -- login h --no-validate
		assert_failure 1
		assert_output $'User: me\nPassword: \nError: cancelled\necho on'
	done
	on_terminal "${questions[@]}" send:sec 'send:\x1c' -- login h --no-validate
	assert_failure 131
	assert_output $'User: me\nPassword: \necho on'
	assert_nothing_stored
}

@test 'login: may be put aside while it asks' {
	on_terminal "${questions[@]}" send:sec 'send:\x1a' stopped echo:on continue 'expect:Password: ' echo:off \
		'send:secret\n' -- login h --no-validate
	assert_success
	assert_output "User: me
Password: Password: 
$no_session
echo on"
	assert_equal "$(in_file h)" me:secret
	on_terminal "${questions[@]}" kill:TSTP stopped echo:on kill:KILL continue -- login h --no-validate
	assert_failure 137
	assert_output --partial 'echo on'
}

@test 'login: without a terminal, the answers come from stdin' {
	run_apart setsid --wait "$TART" login h --no-validate <<<$'me\nsecret'
	assert_success
	assert_equal "$output$stderr" "$no_session"
	assert_equal "$(in_file h)" me:secret
	rm -r "$HOME/.config"
	run_apart setsid --wait "$TART" login h --no-validate <<<me
	assert_failure 1
	assert_equal "$output" ''
	assert_equal "$stderr" 'Error: no password was given'
	run_apart setsid --wait "$TART" login h --no-validate </dev/null
	assert_failure 1
	assert_equal "$stderr" 'Error: no user name was given'
	assert_nothing_stored
}

@test 'login: needs no home of VMs' {
	run_apart env TART_HOME=/dev/null/x "$TART" login h --username me --password-stdin --no-validate <<<secret
	assert_success
}

@test 'login: a file that cannot be written' {
	mkdir "$HOME/.config"
	touch "$HOME/.config/tart"
	login h me secret
	assert_failure 1
	assert_equal "$output" ''
	assert_equal "$stderr" "Error: cannot store the password: ~/.config/tart/auth.json: cannot create directory '$HOME/.config/tart': Not a directory"
	rm "$HOME/.config/tart"
	mkdir "$HOME/.config/tart"
	echo '{' >"$(auth_file)"
	login h me secret
	assert_failure 1
	assert_equal "${stderr%%auth.json*}" 'Error: cannot store the password: ~/.config/tart/'
	assert_equal "$(cat "$(auth_file)")" '{'
}

@test 'login: many at once' {
	for i in $(seq 20); do
		background bash -c 'echo "p$1" | "$0" login "h$1" --username "u$1" --password-stdin --no-validate' "$TART" "$i" >/dev/null
	done
	wait "${background_pids[@]}"
	for i in $(seq 20); do
		assert_equal "$(in_file "h$i")" "u$i:p$i"
	done
}
