# SPDX-License-Identifier: Apache-2.0
# `tart network` and `tart nc` with a keeper that says what a test wants: `load ../lib/network` after ../lib/common,
# ../lib/store and ../lib/fake_keeper.

# $TART is a copy beside a tart-netd that only looks at network.conf; see check_says.
network_setup() {
	common_setup
	unset TART_NETWORK_BACKEND
	checks=$BATS_TEST_TMPDIR/checks
	mkdir "$BATS_TEST_TMPDIR/bin" "$checks"
	ln "$TART" "$BATS_TEST_TMPDIR/bin/tart" 2>/dev/null || cp "$TART" "$BATS_TEST_TMPDIR/bin/tart"
	TART=$BATS_TEST_TMPDIR/bin/tart
	cat >"$BATS_TEST_TMPDIR/bin/tart-netd" <<-END
		#!/bin/sh
		[ "\$1" = --check ] || exit 64
		cp "\$2" '$checks/seen' || exit
		[ ! -e '$checks/complaint' ] || { sed "s|FILE|\$2|" '$checks/complaint' >&2; exit 1; }
	END
	chmod 755 "$BATS_TEST_TMPDIR/bin/tart-netd"
	chmod 755 "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR/bin"
	chmod 777 "$checks"
}

# What the keeper's program says of any network.conf from now on; FILE in it stands for the file's name.
check_says() { # TEXT
	echo "$1" >"$checks/complaint"
}

# A VM that seems to run, with a NIC at the fake keeper: nic NAME MAC TAP MODE [FIELDS] prints it as JSON.
nic() {
	jq -nc --arg vm "$1" --arg mac "$2" --arg tap "$3" --arg mode "$4" --argjson more "${5:-{\}}" \
		'{vm: $vm, mac: $mac, tap: $tap, mode: $mode, uid: 0, address: "192.168.64.11", forward: null, bound_at_s: 0,
		expires_s: 0, seen_arp_s: 0} + $more'
}

# Runs the VM as far as others see, and lets the keeper know its NIC; $vm_mac.
running_vm() { # NAME MODE
	vm_mac=52:54:00:00:00:01
	make_bundle "$TART_HOME/vms/$1" $vm_mac
	hold_vm "$1"
	keeper_answers "{\"list\": {\"nics\": [$(nic "$1" $vm_mac tart-00000001 "$2")]}}"
}

# More answers of the keeper, beside those that there are.
keeper_also_answers() { # JSON
	keeper_answers "$(jq -c ". + $1" "$keeper/answers.json")"
}

# tart on the host that netd.bash draws: like `tart`, as its root or as one of its users, to whom the folders of bats are
# closed; his tart-netd finds nothing wrong.
lab_tart() {
	run --separate-stderr in_lab timeout --kill-after=5 60 "$TART" "$@" </dev/null
}

lab_tart_as() { # USER ARGUMENT...
	local user=$1

	shift
	in_lab sh -c '[ -e /run/bin ] || { mkdir /run/bin && cp "$1" /run/bin && ln -s /bin/true /run/bin/tart-netd; }' sh "$TART"
	run --separate-stderr in_lab_as "$user" timeout --kill-after=5 60 /run/bin/tart "$@" </dev/null
}
