#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Shows a real Debian guest on its way through a registry: makes its image, creates a VM, pushes it, clones it from the
# registry into an empty home, boots it, logs in, stops it.
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
cat_pid=
registry_pid=
work=

finish() {
	[ -z "$cat_pid" ] || kill "$cat_pid" 2>/dev/null || true
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

# Shows what `tart run` says until it names the pseudo-terminal of the guest's console: $pty.
start_guest() {
	local line both_ends

	mkfifo "$work/run.out"
	exec {both_ends}<>"$work/run.out"
	step 'tart run demo --no-graphics --serial'
	# A process group of its own, so that Ctrl-C ends the demo and the demo ends the guest.
	set -m
	"$TART" run demo --no-graphics --serial >"$work/run.out" 2>"$work/run.err" </dev/null \
		{both_ends}>&- &
	run_pid=$!
	set +m
	exec {run_out}<"$work/run.out" {both_ends}>&-
	pty=
	while [ -z "$pty" ]; do
		IFS= read -r -t "$ANSWER_SECONDS" -u "$run_out" line || fail 'tart run did not start the guest'
		say "$line"
		[[ $line != 'Successfully open pty '* ]] || pty=${line##* }
	done
	stty -F "$pty" raw -echo
	# Through a pipe: bash changes the settings of a terminal that it reads single characters from.
	exec {console}< <(exec cat "$pty" 2>/dev/null)
	cat_pid=$!
}

# Shows what `tart run` has said since.
show_said() {
	local line

	while IFS= read -r -t 0.1 -u "$run_out" line; do
		say "$line"
	done
}

# hear TEXT SECONDS: reads the guest's console until TEXT has come; all of it is in $heard.
hear() {
	local char deadline=$((SECONDS + $2)) left

	heard=
	while [[ $heard != *"$1" ]]; do
		left=$((deadline - SECONDS))
		[ "$left" -gt 0 ] || fail "the guest did not say '$1' within $2 seconds"
		IFS= read -r -N 1 -t "$left" -u "$console" char || fail "the guest was not heard saying '$1'"
		heard+=$char
	done
}

type_line() {
	printf '%s\r' "$1" >"$pty"
}

# What a person would see: no carriage returns, no control sequences, not the start of the line
# that the prompt came on.
show_heard() {
	sed -e '$d' -e 's/\r//g' -e 's/\x1b\[[0-9;?]*[a-zA-Z]//g' -e 's/^/  /' <<<"$heard"
}

# The prompt that ends one answer begins the transcript of the next command.
log_in() {
	hear 'login: ' "$BOOT_SECONDS"
	show_said
	say "the guest asks for a login after $((SECONDS - started)) seconds; logging in as admin, password admin"
	type_line admin
	hear 'Password: ' "$ANSWER_SECONDS"
	type_line admin
	hear "$prompt" "$ANSWER_SECONDS"
}

ask_guest() {
	type_line "$1"
	hear "$prompt" "$ANSWER_SECONDS"
	heard=$prompt${heard%"$prompt"}
	show_heard
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
prompt='admin@debian:~$ '

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
started=$SECONDS
start_guest
say 'waiting for the guest to boot'
log_in
echo
ask_guest 'uname -a'
ask_guest 'cat /etc/os-release'
echo
stop_guest

cat <<END

That was a Debian guest, made here, sent through a registry, and run by tart. What to try next:

  tart create --linux --disk-size 20 box
  tart set box --disk $image/disk.img
  tart set box --disk-size 20
  tart run box --no-graphics --serial    # then: socat -,rawer /dev/pts/N    (admin, admin)
  tart list; tart clone box other; tart stop box; tart delete box
  tart login registry.example.com; tart push box registry.example.com/team/box:1
  tart clone registry.example.com/team/box:1 copy
  tart doctor; tart --help               # tart is $TART
END
