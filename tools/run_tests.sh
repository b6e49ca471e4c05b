#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# All tests of the project, plainly and with the sanitizers. Says which suites there are; run_suites.sh runs them.
#
#	tools/run_tests.sh             everything; ends with `N passed, N failed, N skipped`
#	tools/run_tests.sh cli/clone   only the suites whose name contains one of the words
#	tools/run_tests.sh --list      their names
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1
# Guest images and downloaded tools are kept between runs, though every suite has a HOME of its own.
images_cache=${TART_IMAGES_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/tart-images}
tools_cache=${TART_TOOLS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tart-tools}
unset "${!TART_@}" CI TRACEPARENT
export TART_IMAGES_CACHE="$images_cache" TART_TOOLS_CACHE="$tools_cache"
# No test makes network interfaces of this host: those of the network, in namespaces of their own, unset it.
export TART_NETWORK_BACKEND=user
export LC_ALL=C.UTF-8

# The sanitized programs are slower, and the machine may be busy with another suite.
readonly unit_seconds=120 cli_seconds=600 guest_seconds=1200

list=false
words=()
for argument in "$@"; do
	case $argument in
	--list) list=true ;;
	-*)
		echo "usage: ${0##*/} [--list] [WORD...]" >&2
		exit 64
		;;
	*) words+=("$argument") ;;
	esac
done
[ ${#words[@]} -gt 0 ] || words=('')

build() { # FOLDER OPTION...
	local folder=$1

	shift
	[ -e "$folder/build.ninja" ] ||
		meson setup "$folder" -Dwerror=true -Dtests=enabled "$@" || return
	ninja --quiet -C "$folder"
}

build_or_fail() { # FOLDER OPTION...
	local log

	log=$(mktemp) || exit 1
	if ! build "$@" >"$log" 2>&1; then
		tail -n 100 "$log"
		rm -f "$log"
		printf '\nFailed:\n  %s: does not build\n\n0 passed, 1 failed, 0 skipped\n' "$1"
		exit 1
	fi
	rm -f "$log"
	echo "built  $1"
}

suite() { # NAME FORMAT SECONDS COMMAND
	local word

	for word in "${words[@]}"; do
		[[ $1 == *"$word"* ]] || continue
		printf '%s\t%s\t%s\t%s\n' "$@"
		return
	done
}

# Every test program that Meson knows: unit tests and the replays of the fuzz corpora.
meson_suites() { # FOLDER KIND
	meson introspect --tests "$1" | jq -r '.[] | [.name, (.cmd | map(@sh) | join(" "))] | @tsv' |
		while IFS=$'\t' read -r name command; do
			suite "$name ($2)" tap "$unit_seconds" "CMOCKA_MESSAGE_OUTPUT=TAP exec $command"
		done
}

bats_suite() { # FILE FOLDER KIND SECONDS [BATS OPTION...]
	local file=$1 folder=$2 kind=$3 seconds=$4

	shift 4
	suite "$(basename "$(dirname "$file")")/$(basename "$file" .bats) ($kind)" tap "$seconds" \
		"BUILD=$PWD/$folder TART=$PWD/$folder/tart exec bats --tap $* $file"
}

# Programs that print TAP, on a host of their own: as whoever runs the tests, and if that is root, also as nobody.
net_suite() { # FILE FOLDER KIND [--user]
	suite "net/$(basename "$1" .py) ($3)" tap "$cli_seconds" "BUILD=$PWD/$2 exec tests/lib/netd_lab.sh --tap ${4-} $1"
}

net_suites() {
	local file

	for file in tests/net/*.py; do
		net_suite "$file" build-plain plain
		net_suite "$file" build-asan sanitized
		[ "$(id -u)" -ne 0 ] || net_suite "$file" build-plain 'plain, as nobody' --user
	done
}

# Guests first: they take longest, so that the others fill the gaps. What tests scripts, or preloads a library into the
# program, needs no second build, and the sanitized program meets real guests only where a test says so:
# `# bats test_tags=sanitized`.
all_suites() {
	local file

	for file in tests/guest/*.bats; do
		bats_suite "$file" build-plain plain "$guest_seconds"
	done
	for file in tests/guest/*.bats; do
		grep -qE '^# bats (file|test)_tags=.*\<sanitized\>' "$file" || continue
		bats_suite "$file" build-asan sanitized "$guest_seconds" --filter-tags sanitized
	done
	for file in tests/*/*.bats; do
		case $file in
		tests/guest/*) ;;
		tests/tools/* | tests/images/* | tests/torture/*) bats_suite "$file" build-plain plain "$cli_seconds" ;;
		*)
			bats_suite "$file" build-plain plain "$cli_seconds"
			bats_suite "$file" build-asan sanitized "$cli_seconds"
			;;
		esac
	done
	net_suites
	meson_suites build-plain plain
	meson_suites build-asan sanitized
	suite 'layers (objects)' exit 60 'tools/check_layers.sh --objects build-plain'
}

# A leak is an error, a report ends the program, and its exit code is not one that a test could expect.
export ASAN_OPTIONS=abort_on_error=0:exitcode=99:detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:exitcode=99

shopt -s nullglob
build_or_fail build-plain
build_or_fail build-asan -Db_sanitize=address,undefined -Db_lundef=false
if $list; then
	all_suites | cut -f 1
	exit
fi
all_suites | tools/run_suites.sh
