#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Everything that finds mistakes without running the program; `make lint` calls it. Goes through all checks and ends
# with an error if one complained. --fix-format only applies the formatter (`make fmt`).
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1
export LC_ALL=C.UTF-8

jobs=$(nproc)
mapfile -t c_files < <(git ls-files -- '*.c')
mapfile -t c_and_h_files < <(git ls-files -- '*.[ch]')
mapfile -t scripts < <(git grep -lIE '^#! ?/bin/(ba)?sh' -- ':!tests/*.bats' ':!*.md')
mapfile -t tests < <(git ls-files -- 'tests/*.bash' 'tests/*.bats')

if [ "${1-}" = --fix-format ]; then
	exec clang-format -i -- "${c_and_h_files[@]}"
elif [ $# -gt 0 ]; then
	echo "usage: ${0##*/} [--fix-format]" >&2
	exit 64
fi

configure() { # FOLDER OPTION...
	local folder=$1

	shift
	[ -e "$folder/build.ninja" ] || meson setup "$folder" "$@" >/dev/null
}

check_format() {
	clang-format --dry-run -Werror -- "${c_and_h_files[@]}"
}

# What this machine compiles (some files are for one architecture only), with generated headers, hence a build. The
# static analyser stays out of the tests: it does not know what cmocka's assertions guarantee.
check_tidy() {
	local sources status=0

	configure build-tidy -Dtests=enabled && ninja -C build-tidy >/dev/null || return
	sources=$(jq -r '.[].file' build-tidy/compile_commands.json | LC_ALL=C sort -u)
	run_tidy "$(grep -v '^\.\./tests/' <<<"$sources")" || status=1
	run_tidy "$(grep '^\.\./tests/' <<<"$sources")" '--checks=-clang-analyzer-*' || status=1
	return $status
}

run_tidy() { # FILES [OPTION...]
	local files=$1

	shift
	(cd build-tidy && xargs -n 4 -P "$jobs" clang-tidy -p . --quiet "$@" <<<"$files") 2>&1 |
		sed -E '/^[0-9]+ warnings?|^Suppressed|^Use -/d'
}

# cppcheck cannot read __typeof__; what `void *` in its place makes it say about sizes, the compilers check truly.
check_cppcheck() {
	cppcheck --quiet --error-exitcode=1 --std=c17 --language=c -j "$jobs" --inline-suppr \
		--enable=warning,performance,portability \
		--suppress=arithOperationsOnVoidPointer --suppress=sizeofDereferencedVoidPointer \
		-Isrc -Itests/unit -I. --include=src/base/banned.h -D_GNU_SOURCE '-D__typeof__(x)=void *' -D__extension__= \
		"${c_files[@]}"
}

# Two more compilers' eyes on the product: gcc's analyser, and clang with every warning the build asks for.
check_analyzer() {
	configure build-analyze -Dtests=disabled -Dwerror=true -Dc_args=-fanalyzer && ninja -C build-analyze
}

check_clang() {
	CC=clang configure build-clang -Dtests=enabled -Dwerror=true && ninja -C build-clang
}

# bats sets and reads variables behind the back of shellcheck, runs each test in a subshell, and `bash -c` expands later.
check_scripts() {
	shellcheck -x -- "${scripts[@]}" &&
		shellcheck -x --exclude=SC2016,SC2030,SC2031,SC2034,SC2154 -- "${tests[@]}"
}

# Seeds of fuzz targets, blobs of images and word lists are no prose.
check_spelling() {
	git ls-files -z -- ':!fuzz/corpus' ':!tests/data/oci/layout' ':!fuzz/*.dict' ':!src/machine/wordlist.c' ':!LICENSE' | xargs -0 codespell
}

check_layers() {
	tools/check_layers.sh
}

failed=()
run() { # NAME COMMAND...
	local name=$1 output

	shift
	if output=$("$@" 2>&1); then
		echo "ok      $name"
	else
		printf '%s\nFAILED  %s\n' "$output" "$name"
		failed+=("$name")
	fi
}

run 'clang-format' check_format
run 'layers' check_layers
run 'shellcheck' check_scripts
run 'codespell' check_spelling
run 'cppcheck' check_cppcheck
run 'clang' check_clang
run 'gcc -fanalyzer' check_analyzer
run 'clang-tidy' check_tidy

[ ${#failed[@]} -eq 0 ] || {
	echo "lint: ${#failed[@]} checks failed: ${failed[*]}"
	exit 1
}
echo 'lint: no complaints'
