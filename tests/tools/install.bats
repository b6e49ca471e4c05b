#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What an installation consists of.

bats_require_minimum_version 1.5.0
load ../lib/bats

setup() {
	: "${BUILD:=$BATS_TEST_DIRNAME/../../build}"
	root=$BATS_TEST_TMPDIR/root
	meson install -C "$BUILD" --no-rebuild --quiet --destdir "$root"
	prefix=$root$(meson introspect --buildoptions "$BUILD" | jq -r '.[] | select(.name == "prefix").value')
}

@test "the program works from where it was put" {
	run --separate-stderr "$prefix/bin/tart" --version
	assert_success
	assert_output SNAPSHOT
}

@test "each command has a man page, and the program one" {
	local command commands

	commands=$("$prefix/bin/tart" help | sed -n '/^SUBCOMMANDS:/,/^$/s/^  \([a-z-]*\) .*/\1/p')
	[ "$(wc -w <<<"$commands")" -ge 10 ]
	for command in $commands; do
		assert_file_not_empty "$prefix/share/man/man1/tart-$command.1"
	done
	assert_file_not_empty "$prefix/share/man/man1/tart.1"
}

@test "completion scripts are where shells look" {
	assert_file_contains "$prefix/share/bash-completion/completions/tart" complete
	assert_file_contains "$prefix/share/zsh/site-functions/_tart" '#compdef tart'
	assert_file_contains "$prefix/share/fish/vendor_completions.d/tart.fish" 'complete -c tart'
}

@test "nothing else is installed" {
	run find "$root" -type f ! -path '*/man1/tart*.1' ! -name tart ! -name _tart ! -name tart.fish
	assert_output ''
}
