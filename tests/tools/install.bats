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

# This installation was moved as a whole: the program finds its helpers relative to itself.
@test "programs that only tart calls" {
	[ -x "$BUILD/tart-keyring" ] || skip 'built without libsecret'
	[ -x "$prefix/libexec/tart/tart-keyring" ]
	run env -i HOME="$BATS_TEST_TMPDIR" "$prefix/bin/tart" login h --username u --password-stdin --no-validate <<<p
	assert_success
	assert_output --partial 'there is no desktop session with a keyring'
}

@test "what other programs of a host are to know is where they look" {
	local lib=$prefix/lib

	assert_file_contains "$lib/systemd/system/tart-netd.service" \
		"^ExecStart=${prefix#"$root"}/libexec/tart/tart-netd --linger 0$"
	[ -x "$prefix/libexec/tart/tart-netd" ]
	assert_file_exist "$lib/systemd/system/tart-netd.socket"
	assert_file_exist "$lib/sysusers.d/tart.conf"
	assert_file_exist "$lib/tmpfiles.d/tart.conf"
	assert_file_exist "$lib/sysctl.d/60-tart.conf"
	assert_file_exist "$lib/systemd/network/10-tart.link"
	assert_file_exist "$lib/systemd/network/10-tart.network"
	assert_file_exist "$lib/NetworkManager/conf.d/tart.conf"
	assert_file_exist "$lib/udev/rules.d/60-tart.rules"
}

@test "nothing else is installed" {
	run find "$root" -type f ! -path '*/man1/tart*.1' ! -name tart ! -name _tart ! -name tart.fish \
		! -path '*/libexec/tart/tart-keyring' ! -path '*/libexec/tart/tart-netd' ! -path '*/lib/*/tart-netd.s*' \
		! -path '*/lib/*/tart.conf' ! -path '*/lib/sysctl.d/60-tart.conf' ! -path '*/lib/*/10-tart.*' ! -path '*/lib/udev/*/60-tart.rules'
	assert_output ''
}
