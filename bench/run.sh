#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs every benchmark of this folder, one after another; `make bench` calls it. README.md says what each measures.
set -u
cd "$(dirname "$0")/.." || exit 1

failed=0
for bench in bench/bench_*.sh; do
	printf '== %s\n' "$bench"
	"$bench" || {
		echo "$bench failed" >&2
		failed=1
	}
	echo
done
exit $failed
