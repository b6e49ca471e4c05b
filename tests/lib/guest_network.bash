# SPDX-License-Identifier: Apache-2.0
# VMs of `tart run` with real guests in a lab of their own: after common, images and netd.
#
#	setup()    { guest_network_setup; }
#	teardown() { lab_stop; common_teardown; }
#
#	@test 'a guest has an address' {
#		make_guest vm <<<'echo "what it does with it"'
#		start_run vm --net-softnet
#		await_address vm
#		stop_guest vm
#		assert_nothing_left
#	}

export WAIT_SECONDS=240

guest_network_setup() {
	common_setup
	unset TART_NETWORK_BACKEND
	export TART_ACCEL=tcg
	tiny=$(image_dir tiny amd64)
	lab_start
}

# The user alice can reach the programs and the home, wherever the checkout is: goes through our temporary folders and finds
# copies there.
let_alice_in() {
	local folder=$BATS_TEST_TMPDIR

	mkdir "$folder/bin"
	cp "$TART" "$BUILD/tart-netd" "$folder/bin/"
	chmod 755 "$folder/bin" "$folder/bin/"*
	TART=$folder/bin/tart
	chown -R 5001:5001 "$TART_HOME"
	while [ "$folder" != / ] && [ -O "$folder" ]; do
		chmod o+x "$folder"
		folder=$(dirname "$folder")
	done
}

# A VM that boots in seconds, without firmware. What it does once it has an address comes on standard input; port 7777
# answers with its name. Files given are in its /run/disk.
make_guest() { # NAME [FILE...]
	local vm=$TART_HOME/vms/$1 disk=$BATS_TEST_TMPDIR/$1.img

	mformat -C -f 1440 -i "$disk" ::
	[ $# -eq 1 ] || mcopy -i "$disk" "${@:2}" ::
	{
		# The kernel sees a partition on it, too, which would run this once more.
		echo 'mkdir /run/disk 2>/dev/null || exit 0'
		echo 'mount -t vfat -o ro /dev/vda /run/disk'
		echo '('
		echo 'until ip -4 -o address show eth0 | grep -q inet; do usleep 50000; done'
		echo "while :; do echo 'I am $1' | nc -l -p 7777; done &"
		cat
		echo ') >/dev/console 2>&1 &'
	} | mcopy -i "$disk" - ::/tiny.cmd
	"$TART" create "$1" --linux --disk-size 1 --arch amd64 3>&-
	"$TART" set "$1" --memory 512 --cpu 1 --disk "$disk" 3>&-
	cp "$tiny/vmlinuz" "$vm/kernel"
	cp "$tiny"/initrd.* "$vm/initramfs"
	jq '.tartLinux = {boot: {cmdline: "console=ttyS0 panic=-1 no_timer_check", initramfs: true}}' \
		"$vm/config.json" >"$disk.json"
	cat "$disk.json" >"$vm/config.json"
}

# A command in the lab, as $user when that is set.
in_lab_as_user() {
	in_lab ${user:+setpriv --reuid="$user" --regid="$user" --init-groups} "$@"
}

lab_tart() {
	run --separate-stderr in_lab_as_user timeout --kill-after=5 300 "$TART" "$@" </dev/null
}

# Starts `tart run` in the lab; $run_pid is its process id there, $run_job that of what waits for it here. $out and $err.
start_run() { # NAME [OPTION...]
	local name=$1

	shift
	out=$BATS_TEST_TMPDIR/$name.out
	err=$BATS_TEST_TMPDIR/$name.err
	rm -f "$TART_HOME/vms/$name/console.log" "$TART_HOME/run.pid"
	background in_lab_as_user sh -c 'echo $$ >"$TART_HOME/run.pid"; exec "$@"' sh "$TART" run "$name" --no-graphics "$@" \
		>"$out" 2>"$err" </dev/null
	run_job=$background_pid
	wait_until test -s "$TART_HOME/run.pid"
	run_pid=$(cat "$TART_HOME/run.pid")
}

kill_run() {
	in_lab kill -KILL "$run_pid"
	wait "$run_job" || true
}

# The address, once there is one: $address.
await_address() { # NAME [OPTION...]
	lab_tart ip "$@" --wait "$WAIT_SECONDS"
	assert_success
	address=$output
	[[ $address =~ ^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$ ]]
}

console_says() { # NAME PATTERN
	grep -aqsE -- "$2" "$TART_HOME/vms/$1/console.log"
}

# What answers at a port of that address, as seen from the lab's host or the world. nc in the guest serves one at a time.
answers_from() { # in_lab|in_net ADDRESS PORT TEXT
	[ "$("$1" timeout 10 nc -w 5 "$2" "$3" </dev/null | tr -d '\r' | head -n 1)" = "$4" ]
}

answers() { # ADDRESS PORT TEXT
	answers_from in_lab "$@"
}

# A server that says one line to whoever connects: on the host, or (in_net) in the world.
serve() { # in_lab|in_net ADDRESS PORT TEXT
	background "$1" python3 -c '
import socket, sys
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
while True:
    connection, _ = server.accept()
    connection.sendall(sys.argv[3].encode() + b"\n")
    connection.close()' "$2" "$3" "$4"
	wait_until "$1" sh -c "ss -Hltn 'sport = :$3' | grep -q ."
}

finish_run() {
	status=0
	wait "$run_job" || status=$?
	output=$(cat "$out")
	stderr=$(cat "$err")
}

stop_guest() { # NAME
	lab_tart stop "$1" --timeout 30
	assert_success
	finish_run
	assert_success
	assert_equal "$stderr" ''
}

has_no_vm_link() {
	! in_lab ip -o link | grep -q ' tart-'
}

has_no_element() {
	in_lab nft list ruleset | { ! grep -q '"tart-[0-9a-f]*"'; }
}

keeper_pids() {
	in_lab pgrep -x tart-netd
}

has_no_keeper() {
	[ -z "$(keeper_pids)" ]
}

# Of the VM. The keeper itself ends some seconds later.
assert_nothing_left() {
	wait_until has_no_vm_link
	wait_until has_no_element
	run in_lab pgrep -f qemu-system
	assert_output ''
	run in_lab ls -A /run/tart/net/vms
	assert_output ''
}
