#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Help, version and the description of the commands; and that nothing of a command is missing: its man page, its tests,
# its options in every text.

load ../lib/common

commands() {
	"$TART" --experimental-dump-help | jq -r '.command.subcommands[].commandName'
}

# "network", "network show": one a line, each group before its verbs.
commands_and_verbs() {
	"$TART" --experimental-dump-help |
		jq -r '.command.subcommands[] | recurse(.subcommands[]?) | .superCommands[1:] + [.commandName] | join(" ")'
}

# Runs a function for every command and verb.
each_command() { # FUNCTION
	local paths path

	mapfile -t paths < <(commands_and_verbs)
	[ ${#paths[@]} -ge 20 ]
	for path in "${paths[@]}"; do
		"$1" "$path"
	done
}

# The options of a command as its texts write them: "--name" or "-x". FILTER chooses among them.
options_of() { # COMMAND [FILTER]
	# shellcheck disable=SC2086
	"$TART" $1 --experimental-dump-help |
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
		suspend nc network doctor'
	local listed want=()

	tart
	listed=$(sed -n '/^SUBCOMMANDS:/,/^$/s/^  \([a-z]*\) .*/\1/p' <<<"$output")
	for command in $all; do
		! grep -qx "$command" <<<"$listed" || want+=("$command")
	done
	assert_equal "$listed" "$(printf '%s\n' "${want[@]}")"
}

check_help() { # COMMAND
	local text

	# shellcheck disable=SC2086
	tart $1 --help
	assert_success
	assert_line --index 0 --partial 'OVERVIEW: '
	assert_output --regexp $'\nUSAGE: tart '"$1"
	assert_line --regexp '^  -h, --help +Show help information\.$'
	text=$output$stderr
	# shellcheck disable=SC2086
	tart help $1
	assert_equal "$output$stderr" "$text"
	# shellcheck disable=SC2086
	tart $1 -h
	assert_equal "$output$stderr" "$text"
}

@test 'help: of every command, in three ways' {
	each_command check_help
}

check_width() { # COMMAND
	local columns

	for columns in 60 80 120; do
		# shellcheck disable=SC2086
		run_apart env COLUMNS=$columns "$TART" $1 --help-hidden
		assert_success
		# The usage line is never broken, as in ArgumentParser.
		run awk -v n=$columns 'length($0) > n && !/^USAGE: / { print FILENAME ": " $0 }' <<<"$output"
		assert_output ''
	done
}

@test 'help: keeps to the width' {
	each_command check_width
}

check_options() { # COMMAND
	local shown all option

	# shellcheck disable=SC2086
	tart $1 --help
	shown=$output
	# shellcheck disable=SC2086
	tart $1 --help-hidden
	all=$output
	for option in $(options_of "$1" .shouldDisplay); do
		explains "$option" "$shown" || fail "tart $1 --help does not explain $option"
	done
	for option in $(options_of "$1" '.shouldDisplay | not'); do
		! explains "$option" "$shown" || fail "tart $1 --help explains the hidden $option"
		explains "$option" "$all" || fail "tart $1 --help-hidden does not explain $option"
	done
}

@test 'help: says what every option does, hidden ones on request only' {
	each_command check_options
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

@test 'dump: of one command it is that part of the whole' {
	local whole

	whole=$("$TART" --experimental-dump-help)
	check_part() {
		# shellcheck disable=SC2086
		tart $1 --experimental-dump-help
		assert_success
		assert_equal "$(jq -c .command <<<"$output")" "$(jq -c --arg path "$1" '.command.subcommands[] |
			recurse(.subcommands[]?) | select(.superCommands[1:] + [.commandName] | join(" ") == $path)' <<<"$whole")"
	}
	each_command check_part
}

check_tests() { # COMMAND
	assert_file_exist "$project/tests/cli/${1// /_}.bats"
}

@test 'every command has its tests' {
	each_command check_tests
}

@test 'every command has its man page, and every man page its command' {
	local pages

	[ -e "$BUILD/man/tart.1" ] || skip 'needs scdoc'
	pages=$(cd "$BUILD/man" && printf '%s\n' tart-*.1 | sed 's/^tart-//; s/\.1$//' | LC_ALL=C sort)
	assert_equal "$pages" "$(commands | LC_ALL=C sort)"
	assert_equal "$(cd "$project/man" && printf '%s\n' *.scd)" \
		"$(cd "$BUILD/man" && printf '%s\n' *.1 | sed 's/\.1$/.scd/')"
}

# The page of a command; a verb's is its group's.
page_of() { # COMMAND
	mandoc -T utf8 -O width=200 "$BUILD/man/tart-${1%% *}.1" | sed 's/.\x08//g'
}

# The part of a group's page that is about one verb.
part_of() { # COMMAND PAGE
	case $1 in
	*' '*) sed -n "/^ *tart $1\$/,/^ *tart ${1%% *} [a-z]*\$\|^[A-Z]/{//!p}" <<<"$2" ;;
	*) echo "$2" ;;
	esac
}

check_page() { # COMMAND
	local page text option operand section

	page=$(page_of "$1")
	text=$(part_of "$1" "$page")
	for option in $(options_of "$1" '.names[-1].name | IN("help", "version") | not'); do
		explains "$option" "$text" || fail "man tart-${1%% *} does not explain $option of tart $1"
	done
	# shellcheck disable=SC2086
	for operand in $("$TART" $1 --experimental-dump-help |
		jq -r '.command.arguments[] | select(.kind == "positional") | "<\(.valueName)>"'); do
		grep -q "^ *$operand" <<<"$text" || fail "man tart-${1%% *} does not explain $operand of tart $1"
	done
	for option in --help -h --version; do
		explains "$option" "$page" || fail "man tart-${1%% *} does not explain $option"
	done
	for section in NAME SYNOPSIS DESCRIPTION OPTIONS EXAMPLES; do
		grep -qx "$section" <<<"$page" || fail "man tart-${1%% *} has no section $section"
	done
}

@test 'every man page explains every option' {
	[ -e "$BUILD/man/tart.1" ] || skip 'needs scdoc'
	requires_program mandoc
	each_command check_page
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
