# SPDX-License-Identifier: Apache-2.0
# A keeper of the network that answers what the test wants (tests/lib/fake_keeper.py), as this user's rootless one:
# `load ../lib/fake_keeper` after ../lib/common.

# Starts one; $keeper_pid. Whoever wants a network finds it.
start_keeper() {
	keeper=$BATS_TEST_TMPDIR/keeper
	mkdir -p "$TART_HOME/net" "$keeper"
	rm -f "$TART_HOME/net/netd.sock"
	background python3 "$project/tests/lib/fake_keeper.py" "$TART_HOME/net/netd.sock" "$keeper"
	keeper_pid=$background_pid
	wait_until test -S "$TART_HOME/net/netd.sock"
	export TART_NETWORK_BACKEND=rootless
}

# keeper_answers '{"attach": {"type": "r_error", "code": "exhausted", "text": "no address"}}'
keeper_answers() {
	jq . <<<"$1" >"$keeper/answers.json.new" && mv "$keeper/answers.json.new" "$keeper/answers.json"
}

# What was asked, as JSON lines; a filter for jq may choose: keeper_heard 'select(.type == "attach") | .vm'
keeper_heard() {
	jq -c "${1:-.}" "$keeper/log"
}

keeper_has_heard() { # FILTER
	[ -n "$(keeper_heard "$1")" ]
}
