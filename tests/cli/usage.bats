#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Usage errors of the program itself; tests/unit/cmd has those of the grammar.

load ../lib/common

@test 'usage: an unknown sub-command' {
	tart nosuch
	assert_usage_error '' "Unexpected argument 'nosuch'"
	assert_equal "${stderr_lines[1]}" 'Usage: tart <subcommand>'
	assert_equal "${#stderr_lines[@]}" 3
}

@test 'usage: several words that are no sub-command' {
	tart nosuch a b
	assert_usage_error '' "3 unexpected arguments: 'nosuch', 'a', 'b'"
}

@test 'usage: an unknown option of the program' {
	tart --foo
	assert_usage_error '' "Unknown option '--foo'"
}

@test 'usage: an unknown option of a sub-command' {
	tart help --foo
	assert_usage_error help "Unknown option '--foo'"
	assert_equal "${stderr_lines[1]}" 'Usage: tart help [<subcommands> ...]'
}

@test 'usage: three dashes' {
	tart ---foo
	assert_usage_error '' 'Invalid option: ---foo'
}

@test 'usage: control characters of an argument do not reach the terminal' {
	tart $'\e[2Jx\ny'
	assert_usage_error '' "Unexpected argument '\\x1b[2Jx\\x0ay'"
}

@test 'a full disk under stdout is an error' {
	run_apart bash -c '"$TART" --help >/dev/full'
	assert_failure 1
	assert_equal "$stderr" 'Error: cannot write to the standard output'
}

@test 'a closed stdout is no file to write to' {
	run_apart bash -c '"$TART" --help >&-'
	assert_success
	assert_equal "$output$stderr" ''
}
