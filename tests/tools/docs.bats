#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Documents that repeat what the code says, against the code.

bats_require_minimum_version 1.5.0
load ../lib/bats

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || return
}

# Of a line "LAYER: A B C", those of A B C that exist in src/, sorted, in one line.
existing() {
	local folder

	for folder in $1; do
		[ ! -d "src/$folder" ] || echo "$folder"
	done | LC_ALL=C sort | paste -sd ' '
}

@test "the layer table of ARCHITECTURE.md is the one that is checked" {
	local layer enforced documented

	for layer in $(cd src && printf '%s\n' */ | tr -d /) main; do
		enforced=$(existing "$(tools/check_layers.sh --table | sed -n "s/^$layer: *//p")")
		documented=$(sed -nE "s/^\| \`$layer\` \|[^|]*\|([^|]*)\|\$/\1/p" docs/ARCHITECTURE.md)
		[ -n "$documented" ] || fail "no row for $layer"
		assert_equal "$layer: $(existing "$(tr -d '`' <<<"$documented")")" "$layer: $enforced"
	done
}

@test "every path that a document names exists" {
	local document path

	for document in README.md CONTRIBUTING.md docs/*.md; do
		for path in $(grep -oE '`(src|tools|tests|docs|images|fuzz|bench|man)/[A-Za-z0-9_./-]+`' "$document" | tr -d '`'); do
			# CONTRIBUTING.md adds a command of this name.
			[ -e "$path" ] || [[ $path == *frob.* ]] || fail "$document names $path"
		done
		for path in $(grep -oE '\]\([^)#:]+\)' "$document" | tr -d ']()'); do
			[ -e "$(dirname "$document")/$path" ] || fail "$document links to $path"
		done
	done
}

@test "every make target that a document names exists" {
	local target

	while read -r target; do
		grep -q "^$target:" Makefile || fail "no target $target"
	done < <(grep -ohE '\bmake (run|test|lint|fmt|fuzz|bench|docs|install|clean)\b' README.md CONTRIBUTING.md docs/*.md |
		cut -d ' ' -f 2 | LC_ALL=C sort -u)
}
