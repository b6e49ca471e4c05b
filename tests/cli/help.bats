#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Help, version and the description of the commands; and that nothing of a command is missing: its man page, its tests,
# its options in every text.

load ../lib/common

commands() {
	"$TART" --experimental-dump-help | jq -r '.command.subcommands[].commandName'
}

# The options of a command as its texts write them: "--name" or "-x". FILTER chooses among them.
options_of() { # COMMAND [FILTER]
	"$TART" "$1" --experimental-dump-help |
		jq -r ".command.arguments[] | select(.kind != \"positional\") | select(${2:-true}) | .names[] |
			(if .kind == \"long\" then \"--\" else \"-\" end) + .name"
}

# Where a text explains an option: at the start of a line, behind a comma or a slash.
explains() { # OPTION TEXT
	grep -qE -- "^( *|.*[,/] *)$1([ ,/=]|\$)" <<<"$2"
}

@test 'help: of the program' {
	tart
	assert_success
	assert_equal "$stderr" ''
	assert_line --index 0 'USAGE: tart <subcommand>'
	assert_line 'OPTIONS:'
	assert_line 'SUBCOMMANDS:'
	assert_equal "${lines[-1]}" "  See 'tart help <subcommand>' for detailed help."
	local text=$output
	for arguments in --help -h help 'help nosuch' 'nosuch --help' '--help create'; do
		# shellcheck disable=SC2086
		tart $arguments
		assert_success
		assert_equal "$output$stderr" "$text"
	done
}

@test 'help: lists the commands in the order of the specification' {
	local all='create clone run set get list login logout ip exec pull push verify import export prune rename stop delete
		suspend doctor'
	local listed want=()

	tart
	listed=$(sed -n '/^SUBCOMMANDS:/,/^$/s/^  \([a-z]*\) .*/\1/p' <<<"$output")
	for command in $all; do
		! grep -qx "$command" <<<"$listed" || want+=("$command")
	done
	assert_equal "$listed" "$(printf '%s\n' "${want[@]}")"
}

@test 'help: of every command, in three ways' {
	for command in $(commands); do
		tart "$command" --help
		assert_success
		assert_line --index 0 --partial 'OVERVIEW: '
		assert_output --regexp $'\nUSAGE: tart '"$command"
		assert_line --regexp '^  -h, --help +Show help information\.$'
		local text=$output$stderr
		tart help "$command"
		assert_equal "$output$stderr" "$text"
		tart "$command" -h
		assert_equal "$output$stderr" "$text"
	done
}

@test 'help: keeps to the width' {
	for command in $(commands); do
		for columns in 60 80 120; do
			run_apart env COLUMNS=$columns "$TART" "$command" --help-hidden
			assert_success
			# The usage line is never broken, as in ArgumentParser.
			run awk -v n=$columns 'length($0) > n && !/^USAGE: / { print FILENAME ": " $0 }' <<<"$output"
			assert_output ''
		done
	done
}

@test 'help: says what every option does, hidden ones on request only' {
	for command in $(commands); do
		tart "$command" --help
		local shown=$output
		tart "$command" --help-hidden
		local all=$output
		for option in $(options_of "$command" .shouldDisplay); do
			explains "$option" "$shown" || fail "tart $command --help does not explain $option"
		done
		for option in $(options_of "$command" '.shouldDisplay | not'); do
			! explains "$option" "$shown" || fail "tart $command --help explains the hidden $option"
			explains "$option" "$all" || fail "tart $command --help-hidden does not explain $option"
		done
	done
}

@test 'version: one line' {
	tart --version
	assert_success
	assert_output --regexp '^(SNAPSHOT|[0-9]+\.[0-9]+\.[0-9]+)$'
	assert_equal "$stderr" ''
	local version=$output
	tart help --version
	assert_success
	assert_output "$version"
}

@test 'dump: valid JSON of all commands' {
	tart --experimental-dump-help
	assert_success
	run jq -r '[.serializationVersion, .command.commandName, (.command.subcommands | length > 0)] | join(" ")' <<<"$output"
	assert_output '0 tart true'
}

@test 'every command has its tests' {
	for command in $(commands); do
		assert_file_exist "$project/tests/cli/$command.bats"
	done
}

@test 'every command has its man page, and every man page its command' {
	local pages

	[ -e "$BUILD/man/tart.1" ] || skip 'needs scdoc'
	pages=$(cd "$BUILD/man" && printf '%s\n' tart-*.1 | sed 's/^tart-//; s/\.1$//' | LC_ALL=C sort)
	assert_equal "$pages" "$(commands | LC_ALL=C sort)"
	assert_equal "$(cd "$project/man" && printf '%s\n' *.scd)" \
		"$(cd "$BUILD/man" && printf '%s\n' *.1 | sed 's/\.1$/.scd/')"
}

@test 'every man page explains every option' {
	[ -e "$BUILD/man/tart.1" ] || skip 'needs scdoc'
	requires_program mandoc
	for command in $(commands); do
		run mandoc -T utf8 -O width=200 "$BUILD/man/tart-$command.1"
		assert_success
		local text
		text=${output//?$'\b'/}
		for option in $(options_of "$command"); do
			explains "$option" "$text" || fail "man tart-$command does not explain $option"
		done
		for section in NAME SYNOPSIS DESCRIPTION OPTIONS EXAMPLES; do
			grep -qx "$section" <<<"$text" || fail "man tart-$command has no section $section"
		done
	done
}

# scdoc writes more paragraph macros than mandoc likes, names in lower case, and long lines; all of them harmless.
@test 'man pages are clean' {
	[ -e "$BUILD/man/tart.1" ] || skip 'needs scdoc'
	requires_program mandoc
	for page in "$BUILD"/man/*.1; do
		run bash -c "mandoc -T lint -W style '$page' | grep -vE 'skipping paragraph macro|lower case character in document title|input text line longer than 80 bytes|referenced manual not found'"
		assert_output ''
	done
}
