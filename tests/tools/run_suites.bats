#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tools/run_suites.sh: whatever a suite does, what it did is counted right, and the last line and exit code say so.

bats_require_minimum_version 1.5.0
load ../lib/bats

setup() {
	project=$(realpath "$BATS_TEST_DIRNAME/../..")
}

# Runs suites given as NAME FORMAT SECONDS COMMAND, four arguments each.
suites() {
	printf '%s\t%s\t%s\t%s\n' "$@" >"$BATS_TEST_TMPDIR/suites"
	run --separate-stderr env -u TART_TEST_SUITE TMPDIR="$BATS_TEST_TMPDIR" \
		"$project/tools/run_suites.sh" <"$BATS_TEST_TMPDIR/suites"
	[ -z "$stderr" ]
}

# The counts are the last line, so that a script can read them; nothing else may look like them.
counted() {
	assert_equal "${lines[-1]}" "$1"
	assert_equal "$(grep -cE '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' <<<"$output")" 1
	assert_equal "$(find "$BATS_TEST_TMPDIR" -name 'tart-test.*' | wc -l)" 0
}

@test "passing, skipping and failing cases are counted one by one" {
	suites a tap 10 'printf "1..4\nok 1 - one\nok 2 two\nok 3 three # skip no key\nnot ok 4 - four\n# wrong\n"; exit 1' \
		b exit 10 true
	assert_failure 1
	assert_line '  a: three: no key'
	assert_line '  a: four'
	assert_line '# wrong'
	counted '3 passed, 1 failed, 1 skipped'
}

@test "only passing suites end with success" {
	suites a tap 10 'printf "1..1\nok 1 one\n"' b exit 10 true
	assert_success
	counted '2 passed, 0 failed, 0 skipped'
}

@test "real bats output" {
	printf '%s\n' '@test "good" { true; }' '@test "bad" { echo shown; false; }' '@test "later" { skip "no moon"; }' \
		>"$BATS_TEST_TMPDIR/x.bats"
	suites a tap 30 "bats --tap '$BATS_TEST_TMPDIR/x.bats'"
	assert_failure 1
	assert_line '# shown'
	assert_line '  a: later: no moon'
	counted '1 passed, 1 failed, 1 skipped'
}

@test "real cmocka output, with a failed check, a skip and a crash" {
	cat >"$BATS_TEST_TMPDIR/x.c" <<-EOF
		#include "unit.h"
		static void good(void **s) { (void)s; }
		static void bad(void **s) { (void)s; fail_msg("told why"); }
		static void later(void **s) { (void)s; skip(); }
		static void crash(void **s) { (void)s; *(volatile int *)8 = 1; }
		int main(void)
		{
			const struct CMUnitTest tests[] = { cmocka_unit_test(good), cmocka_unit_test(bad),
				cmocka_unit_test(later), cmocka_unit_test(crash) };
			return unit_main(tests);
		}
	EOF
	gcc -I"$project/tests/unit" -I"$project/src" "$BATS_TEST_TMPDIR/x.c" -o "$BATS_TEST_TMPDIR/x" -lcmocka
	suites a tap 30 "CMOCKA_MESSAGE_OUTPUT=TAP '$BATS_TEST_TMPDIR/x'"
	assert_failure 1
	assert_output --partial 'told why'
	assert_line --partial '  a: later: '
	assert_line '  a: bad'
	assert_line '  a: crash'
	counted '1 passed, 2 failed, 1 skipped'
}

@test "a suite that crashes half-way" {
	# shellcheck disable=SC2016
	suites a tap 10 'echo 1..3; echo ok 1 one; kill -SEGV $$'
	assert_failure 1
	assert_line '  a: ran 1 of 3 tests (exit code 139)'
	counted '1 passed, 1 failed, 0 skipped'
}

@test "a suite that stops half-way but ends with success" {
	suites a tap 10 'echo 1..3; echo ok 1 one'
	assert_failure 1
	counted '1 passed, 1 failed, 0 skipped'
}

@test "a suite without a plan" {
	suites a tap 10 'echo ok 1 one'
	assert_failure 1
	assert_line '  a: printed no test plan (exit code 0)'
	counted '1 passed, 1 failed, 0 skipped'
}

@test "a suite that runs no test" {
	suites a tap 10 'echo 1..0' b tap 10 true c exit 10 true
	assert_failure 1
	assert_line '  a: ran no test'
	assert_line '  b: printed no test plan (exit code 0)'
	counted '1 passed, 2 failed, 0 skipped'
}

@test "a suite that skips all of itself says why" {
	suites a tap 10 'echo "1..0 # SKIP no network"' b exit 10 true
	assert_success
	assert_line '  a: (all): no network'
	counted '1 passed, 0 failed, 1 skipped'
}

@test "an error code that no case explains" {
	suites a tap 10 'printf "1..1\nok 1 one\n"; exit 7' b exit 10 'exit 3'
	assert_failure 1
	assert_line '  a: ended with exit code 7, but no test failed'
	assert_line '  b: ended with exit code 3'
	counted '1 passed, 2 failed, 0 skipped'
}

@test "a suite that hangs is killed at its limit, what ran before it counts" {
	suites a tap 1 'echo 1..2; echo ok 1 one; sleep 1000' b exit 1 'sleep 1000'
	assert_failure 1
	assert_line '  a: was killed after 1 seconds'
	assert_line '  b: was killed after 1 seconds'
	counted '1 passed, 2 failed, 0 skipped'
}

@test "a suite that ends with timeout's own code long before its limit" {
	suites a exit 1000 'exit 124' b exit 1000 'exit 137'
	assert_failure 1
	assert_line '  a: ended with exit code 124'
	assert_line '  b: ended with exit code 137'
	counted '0 passed, 2 failed, 0 skipped'
}

@test "a process left running is a failure, and is ended" {
	[ -e /proc/self/environ ] || skip 'needs /proc'
	suites a exit 60 "setsid sleep 987 & echo \$! >'$BATS_TEST_TMPDIR/pid'"
	assert_failure 1
	assert_line '  a: left processes running'
	assert_output --partial 'sleep 987'
	counted '1 passed, 1 failed, 0 skipped'
	# An ended process stays visible as a zombie until its new parent looks.
	run ps -o stat= -p "$(<"$BATS_TEST_TMPDIR/pid")"
	refute_output --regexp '^[^Z]'
}

@test "no suite at all is no success" {
	run "$project/tools/run_suites.sh" </dev/null
	assert_failure 1
	counted '0 passed, 0 failed, 0 skipped'
}

@test "a suite sees an empty home of its own and nothing on standard input" {
	# shellcheck disable=SC2016
	suites a exit 10 '[ -z "$(ls -A "$HOME")" ] && [ -d "$TMPDIR" ] && ! read -r line'
	assert_success
	counted '1 passed, 0 failed, 0 skipped'
}
