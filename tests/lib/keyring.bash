# SPDX-License-Identifier: Apache-2.0
# A desktop's keyring for one test: `load ../lib/keyring` after ../lib/common. All of it ends with the test.
#
#	start_bus              a session bus of our own, and somebody who listens to it: $bus_pid
#	start_keyring          GNOME's daemon on it, its keyring unlocked: $keyring_pid
#	start_locked_keyring   the same after a login that did not give it the password
#	lock_keyring
#	end_keyring

start_bus() {
	export DBUS_SESSION_BUS_ADDRESS=unix:path=$BATS_TEST_TMPDIR/bus

	# The folder of its services is the system's: it could start GNOME's daemon, and must not be asked to.
	background dbus-daemon --session --nofork --nopidfile --address="$DBUS_SESSION_BUS_ADDRESS" \
		2>"$BATS_TEST_TMPDIR/bus.log"
	bus_pid=$background_pid
	wait_until test -S "$BATS_TEST_TMPDIR/bus"
	background dbus-monitor --address "$DBUS_SESSION_BUS_ADDRESS" >"$BATS_TEST_TMPDIR/spoken" 2>/dev/null
	wait_until grep -q NameAcquired "$BATS_TEST_TMPDIR/spoken"
}

ask_bus() { # DESTINATION PATH METHOD [ARGUMENT...]
	dbus-send --session --print-reply --reply-timeout=20000 --dest="$1" "${@:2}"
}

has_owner() { # NAME
	ask_bus org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus.NameHasOwner "string:$1" | grep -q 'boolean true'
}

service=org.freedesktop.secrets
interface=org.freedesktop.Secret.Service

has_default_collection() {
	has_owner $service &&
		ask_bus $service /org/freedesktop/secrets $interface.ReadAlias string:default | grep -q /collection/
}

make_keyring_folders() {
	mkdir -p "$HOME/.local/share/keyrings" "$BATS_TEST_TMPDIR/control"
	chmod 700 "$BATS_TEST_TMPDIR/control"
}

start_keyring() {
	echo 'password of the keyring' >"$BATS_TEST_TMPDIR/password"
	make_keyring_folders
	# What runs in the background reads from nowhere unless it opens its own input.
	# shellcheck disable=SC2016 # the other shell expands it
	background bash -c 'exec gnome-keyring-daemon --foreground --unlock --components=secrets \
		--control-directory="$1/control" <"$1/password" >"$1/keyring.log" 2>&1' - "$BATS_TEST_TMPDIR"
	keyring_pid=$background_pid
	wait_until has_default_collection
}

# Without a password; with or without keyrings on disk.
start_locked_keyring() {
	make_keyring_folders
	background gnome-keyring-daemon --foreground --components=secrets \
		--control-directory="$BATS_TEST_TMPDIR/control" >"$BATS_TEST_TMPDIR/keyring.log" 2>&1
	keyring_pid=$background_pid
	wait_until has_owner $service
}

lock_keyring() {
	ask_bus $service /org/freedesktop/secrets $interface.Lock array:objpath:/org/freedesktop/secrets/aliases/default
}

has_no_owner() {
	! has_owner "$1"
}

end_keyring() {
	kill "$keyring_pid"
	wait "$keyring_pid" || true
	wait_until has_no_owner $service
}

# user:password that the keyring has for a host; nothing when it has none.
in_keyring() { # HOST
	"$BUILD/tart-keyring" get <<<"$1" | jq -r '.Username + ":" + .Secret' 2>/dev/null
}

# Nobody asked for anything to be unlocked or made that needs a person, or for a prompt.
assert_nobody_bothered() {
	run grep -E 'member=(Prompt|Unlock|CreateCollection|PromptReady|BeginPrompting)' "$BATS_TEST_TMPDIR/spoken"
	assert_failure 1
}
