#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs test suites, several at once, and counts every single test case; run_tests.sh decides which suites there are.
#
# Reads suites from standard input, one a line, in the order to start them:
#
#	NAME <tab> FORMAT <tab> SECONDS <tab> COMMAND
#
# FORMAT is `tap` (cmocka, bats: one case per test line) or `exit` (the whole command is one case). COMMAND runs in
# bash, in a process group of its own, with a fresh HOME and TMPDIR, and is killed after SECONDS.
#
# A case fails when it says so. A suite adds a failed case of its own when it is killed, ends with an error that no
# case explains, runs none or fewer cases than its plan says, or leaves processes behind: none of these may
# look like success. The last line is `N passed, N failed, N skipped`; the exit code is 0 when none failed.
set -u -o pipefail

jobs=${JOBS:-$(nproc)}
work=$(mktemp -d "${TMPDIR:-/tmp}/tart-test.XXXXXX") || exit 1
tab=$'\t'

declare -A suite_of_pid=()

stop_all() {
	local pid

	trap '' INT TERM HUP
	for pid in "${!suite_of_pid[@]}"; do
		kill -TERM "$pid" 2>/dev/null
	done
	left_behind '' kill >/dev/null
	wait
	rm -rf "$work"
	echo 'interrupted' >&2
	exit 130
}
trap stop_all INT TERM HUP

# One result a line: kind, suite, case, reason. The output of failed cases is in failures/.
record() { # DIR KIND CASE [REASON]
	printf '%s\t%s\t%s\t%s\n' "$2" "$(<"$1/name")" "$3" "${4-}" >>"$1/results"
}

# Turns TAP into `kind <tab> case <tab> reason`, the plan into `plan <tab> N`, and keeps the lines of failed cases:
# what was said before their line (by the test), and the comments after it (by cmocka or bats).
parse_tap() { # DIR
	awk -v failures="$1/failures" '
		function emit(kind, name, reason) { printf "%s\t%s\t%s\n", kind, name, reason }
		/^1\.\.[0-9]+/ {
			plan += substr($1, 4)
			planned = 1
			if (match($0, /# *[Ss][Kk][Ii][Pp]/))
				emit("skip", "(all)", substr($0, RSTART + RLENGTH + 1))
			next
		}
		/^(not )?ok([ \t]|$)/ {
			failed = /^not ok/
			name = $0
			sub(/^(not )?ok[ \t]*[0-9]*[ \t]*(- )?/, "", name)
			reason = ""
			skipped = 0
			if (match(name, /(^|[ \t])# *[Ss][Kk][Ii][Pp]([ \t:]|$)/)) {
				skipped = 1
				failed = 0	# cmocka says "not ok 3 # SKIP name"
				reason = substr(name, RSTART + RLENGTH)
				name = substr(name, 1, RSTART - 1)
				if (name == "") {
					name = reason
					reason = ""
				}
			}
			gsub(/\t/, " ", name)
			gsub(/\t/, " ", reason)
			cases++
			emit(failed ? "fail" : skipped ? "skip" : "pass", name, reason)
			if (failed)
				printf "--- %s\n%s", name, said > failures
			said = ""
			next
		}
		failed && /^#/ {
			print > failures
			next
		}
		length(said) < 20000 { said = said $0 "\n" }
		END {
			if (failed)
				printf "%s", said > failures
			if (planned)
				print "plan\t" plan
			print "cases\t" cases + 0
		}' "$1/log"
}

collect_tap() { # DIR STATUS
	local dir=$1 status=$2 kind a b plan='' cases=0 failed=0

	while IFS=$tab read -r kind a b; do
		case $kind in
		plan) plan=$a ;;
		cases) cases=$a ;;
		*)
			[ "$kind" != fail ] || failed=$((failed + 1))
			record "$dir" "$kind" "$a" "$b"
			;;
		esac
	done < <(parse_tap "$dir")

	if [ -z "$plan" ]; then
		suite_failed "$dir" "printed no test plan (exit code $status)"
	elif [ "$cases" -ne "$plan" ]; then
		suite_failed "$dir" "ran $cases of $plan tests (exit code $status)"
	elif [ ! -s "$dir/results" ]; then
		suite_failed "$dir" 'ran no test'
	elif [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
		suite_failed "$dir" "ended with exit code $status, but no test failed"
	fi
}

# A failure of the suite itself, shown with the end of its output.
suite_failed() { # DIR WHY
	record "$1" fail "$2"
	{
		echo "--- $2; its last output:"
		tail -n 40 "$1/log"
	} >>"$1/failures"
}

# Lists what a suite's processes left running, and with `kill` ends it. Every process of a suite carries its directory
# in its environment, even one that has left the session. Without /proc there is nothing to look at.
left_behind() { # DIR, or '' for all suites; [kill]
	local file pid

	grep -lazE "^TART_TEST_SUITE=${1:-$work/[0-9]+}\$" /proc/[0-9]*/environ 2>/dev/null | while read -r file; do
		pid=${file//[!0-9]/}
		echo "$pid $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | cut -c 1-200)"
		[ "${2-}" != kill ] || kill -KILL "$pid" 2>/dev/null
	done
}

# A process that has just been killed needs a moment to die, more so a large one.
check_left_behind() { # DIR
	local dir=$1 left tries

	for tries in {1..30}; do
		left=$(left_behind "$dir")
		[ -n "$left" ] || return 0
		sleep 0.1
	done
	left=$(left_behind "$dir" kill)
	[ -n "$left" ] || return 0
	suite_failed "$dir" 'left processes running'
	printf 'left running after %s looks:\n%s\n' "$tries" "$left" >>"$dir/failures"
}

# The status alone does not tell: a suite may end with 124 itself, and the kernel kills with 137 when memory is short.
ran_out_of_time() { # DIR STATUS
	[ "$2" -eq 124 ] || [ "$2" -eq 137 ] || return 1
	[ "$(($(date +%s) - $(<"$1/started")))" -ge "$(<"$1/limit")" ]
}

collect() { # DIR STATUS
	local dir=$1 status=$2 format

	format=$(<"$dir/format")
	if ran_out_of_time "$dir" "$status"; then
		[ "$format" = exit ] || collect_tap_of_killed "$dir"
		suite_failed "$dir" "was killed after $(<"$dir/limit") seconds"
	elif [ "$format" = tap ]; then
		collect_tap "$dir" "$status"
	elif [ "$status" -eq 0 ]; then
		record "$dir" pass 'whole'
	else
		suite_failed "$dir" "ended with exit code $status"
	fi
	check_left_behind "$dir"
}

# What had run before a suite was killed counts; its plan no longer does.
collect_tap_of_killed() { # DIR
	local kind a b

	while IFS=$tab read -r kind a b; do
		case $kind in
		pass | fail | skip) record "$1" "$kind" "$a" "$b" ;;
		esac
	done < <(parse_tap "$1")
}

count() { # KIND FILE...
	local kind=$1

	shift
	cat -- "$@" 2>/dev/null | grep -c "^$kind$tab"
}

report_progress() { # DIR
	local dir=$1 verdict=ok passed failed skipped

	passed=$(count pass "$dir/results")
	failed=$(count fail "$dir/results")
	skipped=$(count skip "$dir/results")
	[ "$failed" -eq 0 ] || verdict=FAILED
	printf '%-6s %5ss  %s: %s passed, %s failed, %s skipped\n' "$verdict" \
		"$(($(date +%s) - $(<"$dir/started")))" "$(<"$dir/name")" "$passed" "$failed" "$skipped"
}

# The subshell is there so that what bash says about a crash lands in the log.
start() { # DIR
	local dir=$1

	mkdir "$dir/home" "$dir/tmp" || exit 1
	date +%s >"$dir/started"
	(
		export HOME="$dir/home" TMPDIR="$dir/tmp" TART_TEST_SUITE="$dir"
		timeout -k 10 "$(<"$dir/limit")" bash -c "$(<"$dir/command")"
		exit
	) >"$dir/log" 2>&1 </dev/null &
	suite_of_pid[$!]=$dir
}

finish_one() {
	local pid status dir

	wait -n -p pid
	status=$?
	dir=${suite_of_pid[$pid]}
	unset "suite_of_pid[$pid]"
	collect "$dir" "$status"
	report_progress "$dir"
	rm -rf "${dir:?}"/{home,tmp}
}

number=0
while IFS=$tab read -r name format limit command; do
	number=$((number + 1))
	dir=$work/$number
	mkdir "$dir" || exit 1
	: >"$dir/results"
	echo "$name" >"$dir/name"
	echo "$format" >"$dir/format"
	echo "$limit" >"$dir/limit"
	echo "$command" >"$dir/command"
	[ "${#suite_of_pid[@]}" -lt "$jobs" ] || finish_one
	start "$dir"
done
while [ "${#suite_of_pid[@]}" -gt 0 ]; do
	finish_one
done

shopt -s nullglob
results=("$work"/*/results)
for file in "$work"/*/failures; do
	printf '\nFAILED in %s:\n' "$(<"${file%/*}/name")"
	head -n 200 "$file"
done
if [ "$(count skip "${results[@]}")" -gt 0 ]; then
	printf '\nSkipped:\n'
	awk -F '\t' '$1 == "skip" { print "  " $2 ": " $3 ": " ($4 == "" ? "no reason given" : $4) }' "${results[@]}"
fi
if [ "$(count fail "${results[@]}")" -gt 0 ]; then
	printf '\nFailed:\n'
	awk -F '\t' '$1 == "fail" { print "  " $2 ": " $3 }' "${results[@]}"
fi

passed=$(count pass "${results[@]}")
failed=$(count fail "${results[@]}")
skipped=$(count skip "${results[@]}")
rm -rf "$work"
echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
