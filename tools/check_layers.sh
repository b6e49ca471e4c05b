#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Checks the layer rules of docs/ARCHITECTURE.md on the sources below ROOT (default: this project): includes point
# downwards, the library neither prints nor exits, headers compile alone, each .c file includes its own header first.
# With --objects BUILD, also that the built libraries hold no mutable globals. --table prints who may include whom.
set -u -o pipefail

# Folder below src/ (or at the top: netd, vsockd, guest, keyring), and what its files may include besides their own folder.
declare -A may_include=(
	[base]=''
	[proto]='base net'
	[net]='base'
	[http]='base'
	[trace]='base'
	[image]='base'
	[storage]='base net trace image'
	[rpc]='base proto'
	[agent]='base proto rpc storage'
	[vmnet]='base net proto storage'
	[registry]='base proto net http trace image storage'
	[machine]='base proto net trace image storage vmnet agent'
	[fleet]='base proto net http image storage vmnet agent registry machine'
	[cmd]='base proto net http trace image storage vmnet agent registry machine fleet'
	[main]='base cmd'
	[netd]='base net proto'
	[vsockd]='base proto'
	[guest]='base proto rpc'
	[keyring]='base proto'
)

# Files that may do what their layer may not, and why.
declare -A may_exit=(
	[src/base/mem.c]='out of memory ends the process through this one hook'
	[src/base/child.c]='a forked child whose exec failed'
	[src/machine/kvm_probe.c]='a forked child that has told its parent'
	[src/machine/network_probe.c]='a forked child that has told its parent'
	[src/base/random.c]='no random bytes from the kernel: nothing sensible is left to do'
)

# Mutable globals that have to be, and why.
declare -A may_be_global=(
	[libbase.a requested]='base/cancel.c: signals are process-wide, so is what they asked for'
)

usage() {
	echo "usage: ${0##*/} --table | [--objects BUILD] [ROOT]" >&2
	exit 64
}

if [ "${1-}" = --table ]; then
	for layer in "${!may_include[@]}"; do
		echo "$layer: ${may_include[$layer]}"
	done | LC_ALL=C sort
	exit 0
fi

objects=
if [ "${1-}" = --objects ]; then
	[ $# -ge 2 ] || usage
	objects=$(realpath "$2") || usage
	shift 2
fi
[ $# -le 1 ] || usage
cd "${1:-$(dirname "$0")/..}" || exit 64

problems=0
problem() {
	echo "$*"
	problems=$((problems + 1))
}

# The layer of a file: its folder's name, or "main".
layer_of() {
	local path=${1#src/}

	case $path in
	main.c) echo main ;;
	*) echo "${path%%/*}" ;;
	esac
}

# Code without comments and without the contents of string literals.
code_of() {
	gcc -fpreprocessed -dD -E -P -x c "$1" 2>/dev/null | sed -E 's/"([^"\\]|\\.)*"/""/g'
}

check_includes() {
	local file=$1 layer included target

	layer=$(layer_of "$file")
	if [ -z "${may_include[$layer]+known}" ]; then
		problem "$file: folder '$layer' has no row in the layer table of ${0##*/}"
		return
	fi
	while read -r included; do
		case $included in
		*..*) problem "$file: includes \"$included\": paths start at src/" ;;
		esac
		target=${included%%/*}
		case " $layer ${may_include[$layer]} " in
		*" $target "*) ;;
		*) problem "$file: includes \"$included\": $layer may not use $target" ;;
		esac
	done < <(sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"([^"]*)".*/\1/p' "$file")
}

check_own_header_first() {
	local file=$1 own=${1%.c}.h first

	[ -e "$own" ] || return 0
	own=${own#src/}
	first=$(sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]([^">]*)[">].*/\1/p' "$file" | head -n 1)
	[ "$first" = "$own" ] || problem "$file: includes \"$first\" first, not its own \"$own\""
}

# The library returns errors and calls callbacks; only cmd/ and main.c own the terminal and the exit code.
check_silent() {
	local file=$1 word code

	case $(layer_of "$file") in
	cmd | main | netd | vsockd | guest | keyring) return 0 ;;
	esac
	code=$(code_of "$file")
	for word in stdout stderr printf vprintf puts putchar perror psignal err errx warn warnx; do
		case $word in
		stdout | stderr) pattern="\\b$word\\b" ;;
		*) pattern="(^|[^A-Za-z0-9_>.])$word *\\(" ;;
		esac
		if grep -qE "$pattern" <<<"$code"; then
			problem "$file: uses $word: only cmd/ and main.c print"
		fi
	done
	[ -z "${may_exit[$file]-}" ] || return 0
	for word in exit _exit _Exit quick_exit abort; do
		if grep -qE "(^|[^A-Za-z0-9_>.])$word *\\(" <<<"$code"; then
			problem "$file: calls $word: the library returns errors"
		fi
	done
}

# Without the headers that the build force-includes.
check_header_alone() {
	local header=$1 output

	output=$(gcc -std=c17 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only -Isrc -I. -x c "$header" 2>&1) ||
		problem "$header: does not compile alone: $(head -n 1 <<<"$output")"
}

# .data.rel.ro is constant data that holds addresses; what else is writable belongs in a struct.
check_objects() {
	local library line

	for library in "$objects"/src/*/lib*.a; do
		[ -e "$library" ] || continue
		while read -r line; do
			[ -z "${may_be_global[${library##*/} $line]-}" ] || continue
			problem "${library#"$objects"/}: mutable global: $line"
		done < <(objdump -t "$library" |
			awk '$0 ~ / O / && $0 ~ /[ \t](\.data|\.bss|\.tdata|\.tbss|\*COM\*)(\.[^ \t]*)?[ \t]/ &&
				$0 !~ /\.data\.rel\.ro/ { print $NF }')
	done
}

count=0
while IFS= read -r file; do
	count=$((count + 1))
	check_includes "$file"
	check_silent "$file"
	case $file in
	*.h) check_header_alone "$file" ;;
	*.c) check_own_header_first "$file" ;;
	esac
done < <(find src netd vsockd guest keyring -name '*.[ch]' 2>/dev/null | LC_ALL=C sort)

[ "$count" -gt 0 ] || problem "no sources below $PWD"
[ -z "$objects" ] || check_objects

[ "$problems" -eq 0 ] || exit 1
echo "layers: $count files keep the rules"
