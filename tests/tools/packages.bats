#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tools/packages.sh, on a system made of stubs that note how they were called.

bats_require_minimum_version 1.5.0
load ../lib/bats

setup() {
	project=$(realpath "$BATS_TEST_DIRNAME/../..")
	stubs=$BATS_TEST_TMPDIR/bin
	calls=$BATS_TEST_TMPDIR/calls
	mkdir "$stubs"
	: >"$calls"
	for program in bash env cat sed grep sort tr tail mktemp rm dirname uname; do
		ln -s "$(command -v "$program")" "$stubs/$program"
	done
	stub dpkg 'echo amd64'
	stub dpkg-query "cat '$BATS_TEST_TMPDIR/installed'"
	stub apt-get "echo apt-get \"\$@\" >>'$calls'"
	stub id 'echo 0'
	echo 'installed gcc' >"$BATS_TEST_TMPDIR/installed"
}

stub() { # NAME SCRIPT
	printf '#!/bin/bash\n%s\n' "$2" >"$stubs/$1"
	chmod +x "$stubs/$1"
}

packages() {
	run --separate-stderr env PATH="$stubs" TMPDIR="$BATS_TEST_TMPDIR" bash "$project/tools/packages.sh" "$@" </dev/null
}

all_installed() {
	packages --list build demo test lint
	printf "installed %s\n" "${lines[@]}" >"$BATS_TEST_TMPDIR/installed"
}

@test "does nothing and says nothing when all is there" {
	all_installed
	packages build demo test lint
	assert_success
	assert_equal "$output$stderr" ''
	assert_equal "$(<"$calls")" ''
}

@test "installs what is missing, without questions and recommendations" {
	all_installed
	sed -i -e '/ meson$/d' -e 's/^installed scdoc$/config-files scdoc/' "$BATS_TEST_TMPDIR/installed"
	stub apt-get "echo apt-get \"\$@\" \$DEBIAN_FRONTEND >>'$calls'"
	packages build
	assert_success
	assert_output 'Installing Debian packages: meson scdoc'
	run tail -n 1 "$calls"
	assert_output --regexp '^apt-get -y .* install --no-install-recommends meson scdoc noninteractive$'
}

@test "reads the index again when what it knows does not install" {
	stub apt-get "echo apt-get \"\$@\" >>'$calls'
		case \" \$* \" in
		*' update '*) : >'$BATS_TEST_TMPDIR/updated' ;;
		*) [ -e '$BATS_TEST_TMPDIR/updated' ] ;;
		esac"
	packages build
	assert_success
	run grep -c ' update$' "$calls"
	assert_output 1
	run tail -n 1 "$calls"
	assert_output --partial ' install '
}

@test "shows why an installation failed" {
	stub apt-get 'echo no route to the mirror >&2; exit 100'
	packages build
	assert_failure 1
	assert_equal "${stderr_lines[0]}" 'no route to the mirror'
	[[ ${stderr_lines[-1]} == 'Packages could not be installed: '*meson* ]]
	assert_equal "$(find "$BATS_TEST_TMPDIR" -name 'tmp.*')" ''
}

@test "uses sudo when it has to" {
	stub id 'echo 1000'
	# shellcheck disable=SC2016
	stub sudo "echo sudo \"\$1\" >>'$calls'; shift; \"\$@\""
	packages build
	assert_success
	assert_equal "$(head -n 1 "$calls")" 'sudo -n'
	run tail -n 1 "$calls"
	assert_output --partial ' install '
}

@test "without root and sudo it says what to install" {
	stub id 'echo 1000'
	packages build
	assert_failure 1
	assert_equal "${#stderr_lines[@]}" 1
	[[ $stderr == 'Packages are missing; as root, type: apt-get install --no-install-recommends '*meson* ]]
	assert_equal "$(<"$calls")" ''
}

@test "on another distribution it names what is needed and goes on" {
	rm "$stubs/dpkg-query"
	packages build
	assert_success
	assert_equal "${#stderr_lines[@]}" 1
	[[ $stderr == 'This is not Debian; '*meson* ]]
}

@test "firmware and emulator are those of the host" {
	packages --list demo
	assert_line qemu-system-x86
	refute_line qemu-system-arm
	stub dpkg 'echo arm64'
	packages --list demo
	assert_line qemu-efi-aarch64
	refute_line qemu-system-x86
	packages --list test
	assert_line qemu-system-x86
}

@test "an unknown purpose, or none" {
	packages build dinner
	assert_failure 64
	packages
	assert_failure 64
	assert_equal "$(<"$calls")" ''
}
