#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Completion: real shells load the scripts and complete with them. What the tables can hold is tried with the fake
# program of tests/unit/cmd; what the program really offers, with the program.

load ../lib/common

setup() {
	common_setup
	requires_program bash zsh fish
	scripts=$BATS_TEST_TMPDIR/scripts
	mkdir "$scripts"
	PATH=$BUILD/tests/unit/cmd:$(dirname "$TART"):$PATH
	cd "$BATS_TEST_TMPDIR" || return
	mkdir files
	touch files/disk.img files/other
}

# Asks each shell what it offers at the end of LINE, and compares with the words that follow.
offers() { # LINE WORD...
	local line=$1 shell want

	shift
	want=$(printf '%s\n' "$@" | LC_ALL=C sort)
	for shell in bash zsh fish; do
		run --separate-stderr "offer_$shell" "${line%% *}" "$line"
		[ "$output" = "$want" ] ||
			fail "$shell offers for '$line':"$'\n'"$output"$'\n'"and not:"$'\n'"$want"$'\n'"$stderr"
	done
}

script_for() { # PROGRAM SHELL
	[ -e "$scripts/$1.$2" ] || command "$1" --generate-completion-script "$2" >"$scripts/$1.$2"
	echo "$scripts/$1.$2"
}

# readline replaces only what is behind the last ':' or '=' of a word: the rest of the word is put in front again.
offer_bash() {
	local words word kept

	read -r -a words <<<"$2"
	[[ $2 != *' ' ]] || words+=('')
	word=${words[-1]}
	kept=${word%"${word##*[:=]}"}
	timeout 20 bash "$project/tests/lib/complete.bash" "$(script_for "$1" bash)" "${words[@]}" |
		sed -e "s|^|$kept|" -e 's|\\ | |g' | trim_options
}

offer_zsh() {
	local word=${2##* }

	# zsh offers what is behind the equals sign or the last slash.
	timeout 20 zsh -f "$project/tests/lib/complete.zsh" "$(script_for "$1" zsh)" "$2" |
		case $word in
		--*=*) sed "s|^|${word%%=*}=|" ;;
		*/*) awk -v folder="${word%/*}/" '{ print ($0 ~ "/" ? "" : folder) $0 }' ;;
		*) cat ;;
		esac | trim_options
}

offer_fish() {
	timeout 20 fish --no-config -c 'source $argv[1]; complete -C $argv[2]' \
		"$(script_for "$1" fish)" "$2" | cut -f 1 | trim_options
}

# The options that every command has are tested once.
trim_options() {
	grep -vxE -- '--version|-h|--help' | LC_ALL=C sort
}

@test 'completion: sub-commands, without hidden ones' {
	offers 'fake ' paint push exec lab help
	offers 'fake p' paint push
	offers 'fake q'
}

@test 'completion: options of a sub-command, without hidden ones' {
	offers 'fake exec -' -i -t
	offers 'fake paint --dis' --disk --display-refit
	offers 'fake paint --no-' --no-display-refit
	offers 'fake paint --arc'
	offers 'fake paint --class'
	offers 'fake push --wa'
}

@test 'completion: words of an enumeration' {
	offers 'fake paint --color ' red green blue
	offers 'fake paint --color gr' green
	offers 'fake paint --color=' --color=red --color=green --color=blue
	offers 'fake paint --color=b' --color=blue
}

@test 'completion: words that are only proposed' {
	offers 'fake paint --disk ' small big
}

@test 'completion: values nobody can know' {
	offers 'fake paint --label '
	offers 'fake paint -t '
}

@test 'completion: names of VMs, with blanks and colons' {
	offers 'fake paint ' alpha 'beta gamma' c:d
	offers 'fake paint c:' c:d
	offers 'fake push g' ghcr.io/a/b:1 ghcr.io/a/b:2
	offers 'fake push ghcr.io/a/b:' ghcr.io/a/b:1 ghcr.io/a/b:2
	offers 'fake exec ' alpha
}

@test 'completion: values of options are not counted as operands' {
	offers 'fake paint --label x a' alpha
	offers 'fake paint -t 5 a' alpha
	offers 'fake paint --wait=5 -q a' alpha
}

@test 'completion: files' {
	offers 'fake paint alpha files/d' files/disk.img
}

@test 'completion: a double dash ends options' {
	offers 'fake paint -- a' alpha
	offers 'fake paint -- alpha files/o' files/other
}

@test 'completion: behind the name, options are those of the command that exec runs' {
	offers 'fake exec alpha -'
	offers 'fake exec -i a' alpha
}

@test 'completion: verbs of a group, without hidden ones' {
	offers 'fake lab ' mix tidy
	offers 'fake lab t' tidy
	offers 'fake lab q'
	offers 'fake lab -'
}

@test 'completion: options and operands of a verb' {
	offers 'fake lab mix --' --with
	offers 'fake lab mix -w ' small big
	offers 'fake lab mix --with=b' --with=big
	offers 'fake lab mix g' ghcr.io/a/b:1 ghcr.io/a/b:2
	offers 'fake lab mix --with x al' alpha
	offers 'fake lab mix alpha '
	offers 'fake lab tidy ' alpha 'beta gamma' c:d
	offers 'fake lab tidy alpha files/d' files/disk.img
}

@test 'completion: what help can be about' {
	offers 'fake help ' paint push exec lab help
	offers 'fake help l' lab
	offers 'fake help lab ' mix tidy
	offers 'fake help lab m' mix
	offers 'fake help lab mix '
	offers 'fake help paint '
	offers 'fake help nosuch '
}

@test 'completion: options of the program' {
	run bash "$project/tests/lib/complete.bash" "$(script_for fake bash)" fake --
	assert_output $'--version\n--help'
	run zsh -f "$project/tests/lib/complete.zsh" "$(script_for fake zsh)" 'fake --'
	assert_output $'--help\n--version'
	run fish --no-config -c 'source $argv[1]; complete -C "fake --"' "$(script_for fake fish)"
	assert_line --index 0 $'--help\tShow help information.'
	assert_line --index 1 $'--version\tShow the version.'
}

@test 'completion: zsh finds the script where it is installed' {
	mkdir site-functions
	command tart --generate-completion-script zsh >site-functions/_tart
	run timeout 20 zsh -f "$project/tests/lib/complete.zsh" "$PWD/site-functions" 'tart list --form'
	assert_output -- --format
	run timeout 20 zsh -f "$project/tests/lib/complete.zsh" "$PWD/site-functions" 'tart list --format '
	assert_output $'json\ntext'
}

@test 'completion: local VMs and cached images of the program itself' {
	local image

	image=$TART_HOME/cache/OCIs/ghcr.io%3A80/a/b/sha256:$(printf '%064d' 0)
	for bundle in "$TART_HOME/vms/debian" "$TART_HOME/vms/a:b" "$image"; do
		mkdir -p "$bundle"
		touch "$bundle"/{config.json,disk.img,nvram.bin}
	done
	ln -s "$image" "${image%/*}/latest"
	mkdir "$TART_HOME/vms/incomplete"

	offers 'tart get ' debian a:b
	offers 'tart set d' debian
	offers 'tart delete g' ghcr.io:80/a/b:latest "ghcr.io:80/a/b@${image##*/}"
	offers 'tart clone a' a:b
	offers 'tart clone debian '
	tart ---completion all
	assert_success
	assert_output "a\\:b
debian
ghcr.io\\:80/a/b\\:latest
ghcr.io\\:80/a/b@sha256\\:${image##*:}"
	assert_equal "$stderr" ''
}

# Holds the record lock that says "running", until it is ended.
hold_vm_lock() { # BUNDLE
	exec perl -e 'use Fcntl; open(my $file, "+<", "$ARGV[0]/config.json") or die;
		my $lock = pack("s s x4 q q i x4", F_WRLCK, 0, 0, 0, 0);
		fcntl($file, F_SETLK, $lock) or die;
		open(my $ready, ">", $ARGV[1]); close($ready); sleep' "$1" "$BATS_TEST_TMPDIR/held"
}

@test 'completion: running VMs of the program itself' {
	for bundle in "$TART_HOME/vms/running" "$TART_HOME/vms/stopped"; do
		mkdir -p "$bundle"
		touch "$bundle"/{config.json,disk.img,nvram.bin}
	done
	tart ---completion running
	assert_success
	assert_equal "$output$stderr" ''
	background hold_vm_lock "$TART_HOME/vms/running"
	wait_until test -e "$BATS_TEST_TMPDIR/held"
	tart ---completion running
	assert_output running
	tart ---completion local
	assert_output $'running\nstopped'
}

@test 'completion: static words and files of the program itself' {
	offers 'tart list --format ' text json
	offers 'tart create --disk-format ' raw asif
	offers 'tart prune --entries ' caches vms
	offers 'tart create --from-ipsw files/d' files/disk.img
	offers 'tart set vm --disk files/d' files/disk.img
}

@test 'completion: a shell that is not supported' {
	tart --generate-completion-script tcsh
	assert_usage_error '' "Can't generate completion scripts for 'tcsh'. Please use --generate-completion-script=<shell> with one of: zsh bash fish"
}

@test "completion: without a name, the user's shell" {
	local shell

	for shell in bash zsh fish; do
		run_apart env SHELL="/usr/bin/$shell" "$TART" --generate-completion-script
		assert_success
		assert_output --partial "$shell completion for tart"
		assert_equal "$output" "$("$TART" --generate-completion-script=$shell)"
	done
	run_apart env SHELL=/bin/sh "$TART" --generate-completion-script
	assert_failure 64
	run_apart env -u SHELL "$TART" --generate-completion-script
	assert_failure 64
}

@test 'completion: errors yield no candidates' {
	TART_HOME=/dev/null/x tart ---completion all
	assert_success
	assert_equal "$output$stderr" ''
	tart ---completion nosuch
	assert_success
	assert_equal "$output$stderr" ''
	tart ---completion
	assert_success
	assert_equal "$output$stderr" ''
}
