#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The desktop's keyring: GNOME's daemon on a bus of its own, unlocked, locked, absent, and deaf.

load ../lib/common
load ../lib/registry
load ../lib/credentials
load ../lib/keyring

setup() {
	common_setup
	[ -x "$BUILD/tart-keyring" ] || skip 'built without libsecret'
	requires_program dbus-daemon dbus-send dbus-monitor gnome-keyring-daemon
}

# For lookups; whoever is asked about has the password "secret".
start_private_registry() {
	start_registry --set auth=basic --set user=keyring:secret
	configure user=file:secret
}

assert_silent_success() {
	assert_success
	assert_equal "$output$stderr" ''
}

assert_stored_in_file() { # USER:PASSWORD REASON [HINT]
	assert_success
	assert_equal "$output" "$(stored_in_file "${@:2}")"
	assert_equal "$stderr" ''
	assert_equal "$(in_file "${host-h:5000}")" "$1"
}

failed() { # REASON
	echo "Failed to retrieve credentials using keyring credentials provider, authentication may fail: $1"
}

locked() { # HOST
	failed "the keyring, which holds a password for $1, is locked; unlock it, or type 'tart login $1' to have one without it"
}

deaf='the keyring does not answer'

@test 'keyring: unlocked, it keeps the password' {
	start_bus
	start_keyring
	login h:5000 me 'sec"ret:1'
	assert_silent_success
	assert_equal "$(in_keyring h:5000)" 'me:sec"ret:1'
	assert_equal "$(in_keyring h)$(in_keyring h:50)" ''
	assert_not_exist "$HOME/.config"
	assert_regex "$(<"$BATS_TEST_TMPDIR/spoken")" 'string "Tart Credentials"'
	assert_nobody_bothered
}

@test 'keyring: unlocked, lookups find it there' {
	start_private_registry
	start_bus
	start_keyring
	login "$registry" keyring secret
	assert_silent_success
	assert_asked_as basic:keyring:ok
	tart logout "$registry"
	assert_silent_success
	assert_asked_as none
	assert_nobody_bothered
}

@test 'keyring: one password for each host' {
	start_bus
	start_keyring
	for pair in me:1 you:2 me:3; do
		login h:5000 "${pair%:*}" "${pair#*:}"
		assert_silent_success
		assert_equal "$(in_keyring h:5000)" "$pair"
	done
	login h:5001 me 4
	assert_equal "$(in_keyring h:5000)" me:3
	tart logout h:5000
	assert_silent_success
	assert_equal "$(in_keyring h:5000)" ''
	assert_equal "$(in_keyring h:5001)" me:4
}

# assert_nobody_bothered can fail: what libsecret does by itself is to ask for a prompt.
@test 'keyring: these tests would notice a prompt' {
	requires_program secret-tool
	start_bus
	start_keyring
	login h:5000 me secret
	lock_keyring
	assert_nobody_bothered
	run timeout 20 secret-tool lookup application tart server h:5000
	assert_failure
	run assert_nobody_bothered
	assert_failure
	assert_output --partial member=Prompt
}

@test "keyring: another program's password for the host is not ours" {
	requires_program secret-tool
	start_bus
	start_keyring
	printf foreign | secret-tool store --label=Foreign server h:5000 user you
	assert_equal "$(in_keyring h:5000)" ''
	login h:5000 me secret
	assert_equal "$(in_keyring h:5000)" me:secret
	tart logout h:5000
	assert_silent_success
	assert_equal "$(in_keyring h:5000)" ''
	assert_equal "$(secret-tool lookup server h:5000 user you)" foreign
}

@test 'keyring: outlives its daemon' {
	start_bus
	start_keyring
	login h:5000 me secret
	end_keyring
	assert_equal "$(in_keyring h:5000)" ''
	start_keyring
	assert_equal "$(in_keyring h:5000)" me:secret
}

@test 'keyring: locked, the password goes into the file' {
	start_private_registry
	host=$registry
	start_bus
	start_keyring
	login "$registry" keyring secret
	lock_keyring
	login "$registry" file secret
	assert_stored_in_file file:secret 'the keyring is locked' 'unlock it, or '
	assert_asked_as basic:file:ok
	assert_nobody_bothered
	# Unlocked again, it is the file that has the newer one; the next login makes it one place again.
	end_keyring
	start_keyring
	assert_asked_as basic:file:ok
	login "$registry" keyring secret
	assert_silent_success
	assert_equal "$(in_file "$registry")" ''
	assert_asked_as basic:keyring:ok
}

@test 'keyring: locked since the session began' {
	start_private_registry
	host=$registry
	start_bus
	start_keyring
	login "$registry" keyring secret
	end_keyring
	start_locked_keyring
	assert_asked_as none "$(locked "$registry")"
	login "$registry" file secret
	assert_stored_in_file file:secret 'the keyring is locked' 'unlock it, or '
	assert_asked_as basic:file:ok
	assert_nobody_bothered
}

@test 'keyring: locked, it is mentioned only if it holds what is looked for' {
	start_private_registry
	start_bus
	start_keyring
	login other:5000 me secret
	lock_keyring
	assert_asked_as none
	end_keyring
	start_keyring
	login "$registry" keyring secret
	lock_keyring
	assert_asked_as none "$(locked "$registry")"
	TART_REGISTRY_USERNAME=file TART_REGISTRY_PASSWORD=secret assert_asked_as basic:file:ok
	assert_nobody_bothered
}

@test 'keyring: locked, logout says what it could not remove' {
	start_bus
	start_keyring
	login h:5000 me secret
	lock_keyring
	login h:5000 you other
	tart logout h:5000
	assert_failure 1
	assert_equal "$output" ''
	assert_equal "$stderr" 'Error: cannot remove the password: the keyring, which holds a password for h:5000, is locked; unlock it and log out again'
	assert_equal "$(in_file h:5000)" ''
	tart logout other:5000
	assert_silent_success
	assert_nobody_bothered
}

@test 'keyring: a daemon without a keyring' {
	start_bus
	start_locked_keyring
	login h:5000 me secret
	assert_stored_in_file me:secret 'there is no default keyring yet'
	tart logout h:5000
	assert_silent_success
	assert_nobody_bothered
}

@test 'keyring: a bus without a daemon' {
	start_private_registry
	host=$registry
	start_bus
	assert_asked_as none
	login "$registry" file secret
	assert_stored_in_file file:secret 'no keyring is running'
	assert_asked_as basic:file:ok
	tart logout "$registry"
	assert_silent_success
	# Nor was one started.
	run grep StartServiceByName "$BATS_TEST_TMPDIR/spoken"
	assert_failure 1
	has_no_owner org.freedesktop.secrets
	assert_nobody_bothered
}

@test 'keyring: no bus' {
	start_private_registry
	export host=$registry DISPLAY=:77
	mkdir "$BATS_TEST_TMPDIR/run"
	# Neither are the ones that GLib and libdbus would start by themselves.
	for address in unset "unix:path=$BATS_TEST_TMPDIR/none" autolaunch: disabled: 'nonsense' unix: 'tcp:host=127.0.0.1,port=1' \
		"unixexec:path=touch,argv1=$BATS_TEST_TMPDIR/executed"; do
		export DBUS_SESSION_BUS_ADDRESS=$address
		[ "$address" != unset ] || unset DBUS_SESSION_BUS_ADDRESS
		assert_asked_as none
		login "$registry" file secret
		assert_stored_in_file file:secret 'there is no desktop session with a keyring'
		assert_asked_as basic:file:ok
		tart logout "$registry"
		assert_silent_success
	done
	assert_not_exist "$BATS_TEST_TMPDIR/executed"
	# A socket that nobody serves any more.
	unset DBUS_SESSION_BUS_ADDRESS
	export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run
	python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$XDG_RUNTIME_DIR/bus"
	login "$registry" file secret
	assert_stored_in_file file:secret 'there is no desktop session with a keyring'
}

@test 'keyring: the bus of a session over SSH' {
	start_bus
	start_keyring
	# As systemd makes it for a user: no address, only a place.
	unset DBUS_SESSION_BUS_ADDRESS
	export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR
	login h:5000 me secret
	assert_silent_success
	assert_equal "$(in_keyring h:5000)" me:secret
}

# Whoever is stopped goes on in the end, to be ended as all the others.
stop_process() { # PID
	kill -STOP "$1"
}

@test 'keyring: a daemon that never answers' {
	start_private_registry
	host=$registry
	start_bus
	start_keyring
	login "$registry" keyring secret
	stop_process "$keyring_pid"
	assert_asked_as none "$(failed "$deaf")"
	login "$registry" file secret
	assert_stored_in_file file:secret "$deaf"
	# The file is asked first: nobody waits.
	assert_asked_as basic:file:ok
	tart logout "$registry"
	assert_failure 1
	assert_equal "$stderr" "Error: cannot remove the password: $deaf"
	assert_equal "$(in_file "$registry")" ''
	kill -CONT "$keyring_pid"
	assert_asked_as basic:keyring:ok
}

@test 'keyring: a bus that never answers' {
	start_bus
	stop_process "$bus_pid"
	login h:5000 me secret
	assert_stored_in_file me:secret "$deaf"
}

@test 'keyring: waiting for it can be cancelled' {
	start_private_registry
	start_bus
	start_keyring
	stop_process "$keyring_pid"
	background "$TART" pull --insecure "$registry/images:none" >/dev/null 2>"$BATS_TEST_TMPDIR/stderr"
	wait_until pgrep -P "$background_pid" -f tart-keyring
	kill -TERM "$background_pid"
	status=0
	wait "$background_pid" || status=$?
	assert_equal "$status" 1
	assert_equal "$(<"$BATS_TEST_TMPDIR/stderr")" 'Error: cancelled'
}

@test 'keyring: a helper comes first, and removes what is older' {
	start_bus
	start_keyring
	login h:5000 me secret
	docker_config <<<'{"credHelpers": {"h:5000": "good"}}'
	good_helper good
	login h:5000 you other
	assert_silent_success
	assert_equal "$(in_keyring h:5000)" ''
	docker_config <<<'{"credHelpers": {"h:5000": "absent"}}'
	login h:5000 me secret
	assert_success
	assert_equal "$output" 'docker-credential-absent not found in PATH, storing the password in the keyring instead; install it to avoid that'
	assert_equal "$(in_keyring h:5000)" me:secret
}

# A tart with another tart-keyring beside it, whose script comes from stdin.
with_keyring_program() {
	if [ ! -d "$BATS_TEST_TMPDIR/bin" ]; then
		mkdir "$BATS_TEST_TMPDIR/bin"
		cp "$TART" "$BATS_TEST_TMPDIR/bin/tart"
		TART=$BATS_TEST_TMPDIR/bin/tart
	fi
	{
		echo '#!/bin/bash'
		cat
	} >"$BATS_TEST_TMPDIR/bin/tart-keyring"
	chmod +x "$BATS_TEST_TMPDIR/bin/tart-keyring"
}

@test 'keyring: whatever its program does' {
	with_keyring_program <<<'exit 77'
	login h:5000 me secret
	assert_stored_in_file me:secret 'tart-keyring: exited with code 77'
	with_keyring_program <<<'echo "it is broken"; exit 1'
	login h:5000 me secret
	assert_stored_in_file me:secret 'tart-keyring: it is broken'
	with_keyring_program <<<'echo first >&2; echo last >&2; kill -SEGV $$'
	login h:5000 me secret
	assert_stored_in_file me:secret 'tart-keyring: was killed by signal 11 (Segmentation fault): last'
	with_keyring_program <<<'cat /dev/zero'
	login h:5000 me secret
	assert_success
	assert_regex "$output" 'tart-keyring: printed more than expected, storing '
	assert_equal "${#lines[@]}" 1
	start_private_registry
	with_keyring_program <<<'echo garbage'
	assert_asked_as none "$(failed 'tart-keyring: its answer is no JSON object')"
}

@test 'keyring: a tart without its program' {
	mkdir "$BATS_TEST_TMPDIR/bin"
	cp "$TART" "$BATS_TEST_TMPDIR/bin/tart"
	TART=$BATS_TEST_TMPDIR/bin/tart
	# Where an installation would have it, and PATH, are not for a test to fill.
	PATH=$BUILD:$PATH
	login h:5000 me secret
	assert_success
	if [ "$output" = "$no_session" ]; then
		skip 'a tart-keyring is installed on this machine'
	fi
	assert_stored_in_file me:secret 'this tart was built without support for keyrings'
}

@test 'keyring: tart itself knows no D-Bus' {
	run ldd "$TART"
	assert_success
	refute_output --regexp 'libsecret|libdbus|libgio|libglib'
}

@test 'keyring: its program by hand' {
	program=$BUILD/tart-keyring
	run_apart "$program" </dev/null
	assert_failure 1
	assert_equal "$stderr" 'usage: tart-keyring get|store|erase'
	run_apart "$program" list </dev/null
	assert_failure 1
	run_apart "$program" get <<<h
	assert_failure 10
	assert_equal "$output$stderr" ''
	start_bus
	run_apart "$program" get <<<h
	assert_failure 11
	assert_equal "$output$stderr" ''
	start_keyring
	for verb in get erase; do
		run_apart "$program" $verb <<<h
		assert_failure 1
		assert_equal "$output" "$not_found"
		run_apart "$program" $verb </dev/null
		assert_failure 1
		assert_equal "$output" 'no host was given'
	done
	for message in '' '{' '[]' '{"ServerURL":"h"}' '{"ServerURL":"","Username":"u","Secret":"s"}' '{"ServerURL":7,"Username":"u","Secret":"s"}'; do
		run_apart "$program" store <<<"$message"
		assert_failure 1
		assert_equal "$stderr" ''
		assert_equal "${#lines[@]}" 1
	done
	run_apart "$program" store < <(head -c 100000 /dev/zero)
	assert_failure 1
	assert_equal "$output" 'the input is too long'
	run_apart "$program" store <<<'{"ServerURL":"h","Username":"","Secret":"\u00e4\n\"x"}'
	assert_success
	run_apart "$program" get <<<h
	assert_success
	assert_equal "$(jq -c <<<"$output")" '{"ServerURL":"h","Username":"","Secret":"ä\n\"x"}'
}
