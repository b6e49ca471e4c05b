#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Shows a real Debian guest on its way through a registry: makes its image, creates a VM, pushes it, clones it from the
# registry into an empty home, boots it, waits for its address, logs in with ssh, lets it fetch a page of the host, stops it.
#
# The registry and both homes live in a directory of their own below the build directory and are gone afterwards; the
# image stays in the cache of images/get.

set -euo pipefail
cd "$(dirname -- "$(readlink -f -- "$0")")/.."

BUILD=$(readlink -f -- "${BUILD:-build}")
TART=${TART:-$BUILD/tart}
# A bare emulated guest needs half a minute; ten are for a busy machine.
BOOT_SECONDS=600
ANSWER_SECONDS=120
STOP_SECONDS=120

run_pid=
page_pid=
registry_pid=
work=

finish() {
	[ -z "$page_pid" ] || kill "$page_pid" 2>/dev/null || true
	if [ -n "$run_pid" ]; then
		kill -TERM "$run_pid" 2>/dev/null || true
		wait "$run_pid" 2>/dev/null || true
	fi
	[ -z "$registry_pid" ] || kill "$registry_pid" 2>/dev/null || true
	[ -z "$work" ] || rm -rf -- "$work"
}
trap finish EXIT

step() {
	if [ -t 1 ]; then
		printf '\033[1m$ %s\033[0m\n' "$*"
	else
		printf '$ %s\n' "$*"
	fi
}

say() {
	printf '  %s\n' "$*"
}

# Ends the demo with what went wrong and what the VM's logs say last.
fail() {
	local file

	echo "demo: $*" >&2
	for file in "$work"/{registry.log,run.err} "$TART_HOME"/vms/demo/{qemu,console}.log; do
		[ -s "$file" ] || continue
		echo "--- the end of ${file##*/}:" >&2
		tail -n 15 "$file" | tr -d '\r' >&2
	done
	exit 1
}

tart() {
	step "tart $*"
	"$TART" "$@" || fail "this command failed"
}

# Starts a registry of Debian's package on a loopback port of the system's choice: $registry.
start_registry() {
	local deadline=$((SECONDS + ANSWER_SECONDS)) port='' program

	program=$(tools/docker_registry.sh) || fail 'there is no registry to show'
	mkdir "$work/registry"
	cat >"$work/registry.yml" <<-EOF
		version: 0.1
		log: {level: info, formatter: json, accesslog: {disabled: true}}
		storage: {filesystem: {rootdirectory: $work/registry}}
		http: {addr: '127.0.0.1:0'}
	EOF
	step 'docker-registry serve'
	"$program" serve "$work/registry.yml" >"$work/registry.log" 2>&1 </dev/null &
	registry_pid=$!
	while [ -z "$port" ]; do
		if [ "$SECONDS" -ge "$deadline" ] || ! kill -0 "$registry_pid" 2>/dev/null; then
			fail 'the registry does not start'
		fi
		sleep 0.1
		port=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$work/registry.log")
	done
	registry=127.0.0.1:$port
	say "a registry at $registry"
}

cpus() {
	local host

	host=$(nproc)
	echo $((host < 2 ? host : 2))
}

start_guest() {
	: >"$work/run.out"
	step 'tart run demo --no-graphics'
	# A process group of its own, so that Ctrl-C ends the demo and the demo ends the guest.
	set -m
	"$TART" run demo --no-graphics >"$work/run.out" 2>"$work/run.err" </dev/null &
	run_pid=$!
	set +m
}

# Shows what `tart run` has said since it was asked last.
said_lines=0
show_said() {
	tail -n "+$((said_lines + 1))" "$work/run.out" | sed 's/^/  /'
	said_lines=$(wc -l <"$work/run.out")
}

# The address comes from the network's own records; who logs in too early waits for sshd, not for the address.
await_guest() {
	local started=$SECONDS waiting

	step "tart ip --wait $BOOT_SECONDS demo"
	"$TART" ip --wait "$BOOT_SECONDS" demo >"$work/ip.out" 2>"$work/ip.err" &
	waiting=$!
	while kill -0 "$waiting" 2>/dev/null; do
		if ! kill -0 "$run_pid" 2>/dev/null; then
			kill "$waiting" 2>/dev/null || true
			fail 'tart run did not start the guest'
		fi
		sleep 0.2
	done
	show_said
	wait "$waiting" || {
		cat "$work/ip.err" >&2
		fail 'the guest has no address'
	}
	address=$(<"$work/ip.out")
	say "$address, after $((SECONDS - started)) seconds"
}

# in_guest COMMAND: by ssh, with the image's password. The guest's key was made when it booted.
in_guest() {
	SSH_ASKPASS=$work/password SSH_ASKPASS_REQUIRE=force ssh -q -T -o BatchMode=no -o ConnectTimeout=30 \
		-o PubkeyAuthentication=no -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		-o NumberOfPasswordPrompts=1 "admin@$address" "$@" </dev/null
}

log_in() {
	local deadline=$((SECONDS + BOOT_SECONDS))

	printf '#!/bin/sh\necho admin\n' >"$work/password"
	chmod 700 "$work/password"
	until in_guest true 2>/dev/null; do
		[ "$SECONDS" -lt "$deadline" ] || fail "nobody can log in at $address"
		kill -0 "$run_pid" 2>/dev/null || fail 'the guest has gone'
		sleep 1
	done
}

ask_guest() {
	step "ssh admin@$address $1"
	in_guest "$1" | sed 's/^/  /' || fail 'the guest did not do this'
}

# A page on the address that the guest knows as its gateway, for the guest alone.
serve_page() {
	local deadline=$((SECONDS + ANSWER_SECONDS)) port=''

	gateway=$(in_guest "ip route" | sed -n 's/^default via \([0-9.]*\).*/\1/p')
	[ -n "$gateway" ] || fail 'the guest knows no gateway'
	if ! ip -o -4 address show 2>/dev/null | grep -qF " $gateway/"; then
		say "the gateway $gateway is not an address of this host (see \"tart network status\"): no page from there"
		return 1
	fi
	mkdir "$work/page"
	echo 'Greetings from the host.' >"$work/page/index.html"
	step "python3 -m http.server --bind $gateway"
	python3 -u -m http.server --bind "$gateway" --directory "$work/page" 0 >"$work/page.log" 2>&1 </dev/null &
	page_pid=$!
	while [ -z "$port" ]; do
		if [ "$SECONDS" -ge "$deadline" ] || ! kill -0 "$page_pid" 2>/dev/null; then
			fail 'the page server does not start'
		fi
		sleep 0.1
		port=$(sed -n 's/^Serving HTTP on .* port \([0-9]*\) .*/\1/p' "$work/page.log")
	done
	page=$gateway/$port
}

stop_guest() {
	local stopping=$SECONDS status=0

	step 'tart stop demo'
	"$TART" stop demo --timeout "$STOP_SECONDS" || fail 'the guest could not be stopped'
	wait "$run_pid" || status=$?
	run_pid=
	show_said
	[ "$status" -eq 0 ] || fail "tart run ended with exit code $status"
	say "tart run ended with exit code 0 after $((SECONDS - stopping)) seconds"
}

[ -x "$TART" ] || {
	echo "demo: $TART is not built; type: make" >&2
	exit 1
}
arch=$(dpkg --print-architecture)
step "images/get debian $arch"
image=$(images/get debian "$arch")
say "$image"

work=$(mktemp -d "$BUILD/demo.XXXXXX")
export TART_HOME=$work/home

tart create --linux --disk-size 5 source
tart set source --disk "$image/disk.img" --cpu "$(cpus)" --memory 1024
echo
start_registry
tart push --insecure source "$registry/demo/debian:12"
echo
export TART_HOME=$work/other-home
say 'an empty home, as on another machine'
tart clone --insecure "$registry/demo/debian:12" demo
tart list
echo
start_guest
await_guest
log_in
echo
ask_guest 'uname -a'
ask_guest 'cat /etc/os-release'
if serve_page; then
	ask_guest "exec 3<>/dev/tcp/$page; printf 'GET / HTTP/1.0\r\n\r\n' >&3; sed -n '\$p' <&3"
fi
echo
stop_guest

cat <<END

That was a Debian guest, made here, sent through a registry, and run by tart. What to try next:

  tart create --linux --disk-size 20 box
  tart set box --disk $image/disk.img
  tart set box --disk-size 20
  tart run box --no-graphics &
  ssh admin@\$(tart ip --wait 60 box)     # password: admin
  tart list; tart clone box other; tart stop box; tart delete box
  tart login registry.example.com; tart push box registry.example.com/team/box:1
  tart clone registry.example.com/team/box:1 copy
  tart network status; tart doctor; tart --help               # tart is $TART
END
