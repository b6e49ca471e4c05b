#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart network, the group; its verbs have files of their own.

load ../lib/common

@test 'network: alone, it explains itself' {
	local text

	tart network
	assert_success
	assert_equal "$stderr" ''
	assert_line --index 0 'OVERVIEW: Set up and look at the network of VMs'
	assert_line 'USAGE: tart network <subcommand>'
	assert_equal "${lines[-1]}" "  See 'tart help network <subcommand>' for detailed help."
	text=$output
	for arguments in 'network --help' 'network -h' 'help network' 'help network nosuch' 'network nosuch --help'; do
		# shellcheck disable=SC2086
		tart $arguments
		assert_success
		assert_equal "$output$stderr" "$text"
	done
}

@test 'network: help of a verb, in three ways' {
	tart network show --help
	assert_success
	assert_line --index 1 'USAGE: tart network show [<key>] [--format <format>]'
	local text=$output
	tart help network show
	assert_equal "$output$stderr" "$text"
}

@test 'network: no such verb' {
	tart network nosuch
	assert_usage_error network "Unexpected argument 'nosuch'"
	assert_equal "${stderr_lines[1]}" 'Usage: tart network <subcommand>'
	tart network --format json show
	assert_usage_error network "Unknown option '--format'"
}

@test 'network: its description has the verbs' {
	tart network --experimental-dump-help
	assert_success
	assert_equal "$(jq -r '.command.subcommands | map(.commandName) | join(" ")' <<<"$output")" \
		'show set reset leases status doctor policy stats'
	assert_equal "$(jq -c '.command.subcommands[0].superCommands' <<<"$output")" '["tart","network"]'
}
