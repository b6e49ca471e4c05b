#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kill -9 at random moments of push and pull: registry_kill.py does it and says what it counts. By hand, for longer:
# TART_KILLS=200 TART_SEED=1 bats tests/torture/registry_kill.bats

load ../lib/common

kills=${TART_KILLS:-60}
seed=${TART_SEED:-20}

setup() {
	common_setup
	# Where syncing costs nothing, if there is such a place.
	folder=$(mktemp -d -p /dev/shm tart-kill.XXXXXX) || folder=$(mktemp -d -p "$BATS_TEST_TMPDIR")
}

teardown() {
	rm -rf "$folder"
	common_teardown
}

@test 'kill -9 of push and pull at random moments: little is sent twice' {
	run timeout --kill-after=5 550 "$BATS_TEST_DIRNAME/registry_kill.py" --tart "$TART" --kills "$kills" --seed "$seed" "$folder"
	printf '# %s\n' "${lines[@]}" >&3
	assert_success
}
