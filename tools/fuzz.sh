#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs the fuzz targets with libFuzzer and the sanitizers: tools/fuzz.sh SECONDS [TARGET...]; `make fuzz` calls it.
#
# What it learns stays in build-fuzz/corpus/. An input that breaks a target is left in build-fuzz/found/: give it
# a name that says what it shows and add it to fuzz/corpus/TARGET/, where `make test` replays it from then on.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1

seconds=${1-}
[[ $seconds =~ ^[0-9]+$ ]] || {
	echo "usage: ${0##*/} SECONDS [TARGET...]" >&2
	exit 64
}
shift

readonly build="build-fuzz"
if [ ! -e $build/build.ninja ]; then
	CC=clang meson setup $build -Dfuzz=true -Dtests=disabled -Db_sanitize=address,undefined -Db_lundef=false || exit
fi
ninja -C $build || exit

targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
	for program in "$build"/fuzz/fuzz_*; do
		[ ! -x "$program" ] || [ -d "$program" ] || targets+=("${program##*/fuzz_}")
	done
fi

failed=0
for target in "${targets[@]}"; do
	program=$build/fuzz/fuzz_$target
	if [ ! -x "$program" ]; then
		echo "There is no fuzz target '$target'." >&2
		exit 64
	fi
	mkdir -p "$build/corpus/$target" "$build/found" || exit
	options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0
		-artifact_prefix="$build/found/$target-")
	[ ! -e "fuzz/$target.dict" ] || options+=(-dict="fuzz/$target.dict")
	echo "fuzz: $target for $seconds seconds"
	if ! "$program" "${options[@]}" "$build/corpus/$target" "fuzz/corpus/$target"; then
		echo "fuzz: $target FAILED; the input is in $build/found/" >&2
		failed=1
	fi
done
exit $failed
