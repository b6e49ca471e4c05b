#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tools/check_layers.sh: this tree passes, and a tree that breaks a rule is refused with the file and the rule.

bats_require_minimum_version 1.5.0
load ../lib/bats

setup() {
	project=$(realpath "$BATS_TEST_DIRNAME/../..")
	tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree"/src/{base,image,storage,cmd}
	put src/base/text.h '#include <stddef.h>' 'size_t text_len(const char *text);'
	put src/base/text.c '#include "base/text.h"' 'size_t text_len(const char *text) { return *text ? 1 : 0; }'
	put src/storage/home.h '#include "base/text.h"' 'size_t home_len(void);'
	put src/main.c '#include <stdio.h>' '#include "cmd/table.h"' 'int main(void) { return puts(""); }'
	put src/cmd/table.h 'extern const int table_size;'
}

put() {
	local file=$tree/$1

	shift
	printf '%s\n' "$@" >"$file"
}

check() {
	run --separate-stderr "$project/tools/check_layers.sh" "$@" "$tree"
}

refused() {
	check
	assert_failure 1
	assert_output "$1"
}

@test "this project keeps the rules" {
	run "$project/tools/check_layers.sh"
	assert_success
}

@test "a tree that keeps the rules passes" {
	check
	assert_success
	assert_output 'layers: 5 files keep the rules'
}

@test "an include that points upwards" {
	put src/base/text.c '#include "base/text.h"' '#include "storage/home.h"'
	refused 'src/base/text.c: includes "storage/home.h": base may not use storage'
}

@test "an include that points upwards, from a header, with spaces" {
	put src/storage/home.h '#  include  "cmd/table.h"'
	refused 'src/storage/home.h: includes "cmd/table.h": storage may not use cmd'
}

@test "main may use cmd only" {
	put src/main.c '#include "storage/home.h"'
	refused 'src/main.c: includes "storage/home.h": main may not use storage'
}

@test "a relative path" {
	put src/storage/home.h '#include "../base/text.h"'
	check
	assert_failure 1
	assert_line 'src/storage/home.h: includes "../base/text.h": paths start at src/'
}

@test "a folder that the table does not know" {
	mkdir "$tree/src/misc"
	put src/misc/thing.c 'extern int thing;'
	refused "src/misc/thing.c: folder 'misc' has no row in the layer table of check_layers.sh"
}

@test "another header before the own one" {
	put src/base/text.c '#include <stddef.h>' '#include "base/text.h"'
	refused 'src/base/text.c: includes "stddef.h" first, not its own "base/text.h"'
}

@test "a header that needs another before it" {
	put src/base/text.h 'size_t text_len(const char *text);'
	check
	assert_failure 1
	assert_output --partial 'src/base/text.h: does not compile alone: '
}

@test "printing below cmd" {
	local call

	for call in 'printf("x")' 'puts ("x")' 'fputs("x", stderr)' 'perror("x")' 'fprintf(stdout, "x")'; do
		put src/base/text.c '#include "base/text.h"' "void f(void) { $call; }"
		check
		assert_failure 1
		assert_output --partial 'src/base/text.c: uses '
	done
}

@test "exiting below cmd" {
	put src/base/text.c '#include "base/text.h"' 'void f(void) { if (1) exit(1); }'
	refused 'src/base/text.c: calls exit: the library returns errors'
}

@test "words in comments, strings and other names are no calls" {
	put src/base/text.c '#include "base/text.h"' '/* printf("x"), exit(1) */' '// stderr' \
		'const char *t = "exit(1) \"puts(x)\" stdout";' 'int on_exit_now(void);' \
		'int snprintf(char *, size_t, const char *, ...); int f(void) { return on_exit_now(); }'
	check
	assert_success
}

@test "a tree without sources" {
	rm -r "$tree/src"
	check
	assert_failure 1
}

@test "a mutable global in a built library, but not a constant table of addresses" {
	mkdir -p "$tree/out/src/base"
	put src/base/text.c '#include "base/text.h"' 'static int calls;' \
		'static const char *const names[] = { "a", "b" };' \
		'size_t text_len(const char *t) { return (size_t)++calls + (names[(int)*t] != t); }'
	gcc -fPIE -I"$tree/src" -c "$tree/src/base/text.c" -o "$tree/out/text.o"
	ar rcs "$tree/out/src/base/libbase.a" "$tree/out/text.o"
	check --objects "$tree/out"
	assert_failure 1
	assert_output 'src/base/libbase.a: mutable global: calls'
}
