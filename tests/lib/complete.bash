#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What bash would offer: complete.bash SCRIPT WORD... prints the candidates for the last word, one a line, and what
# readline would keep in front of them not. The words are given as the user types them; they are split here as readline
# does, at ':' and '=', too.
set -u
# shellcheck source=/dev/null
source "$1"
shift

COMP_LINE=$*
COMP_POINT=${#COMP_LINE}
COMP_WORDS=()
for word; do
	COMP_WORDS+=('')
	while [[ $word == *[:=]* ]]; do
		[[ -n ${COMP_WORDS[-1]}${word%%[:=]*} ]] || unset 'COMP_WORDS[-1]'
		[[ -z ${word%%[:=]*} ]] || COMP_WORDS[-1]=${word%%[:=]*}
		word=${word#"${word%%[:=]*}"}
		COMP_WORDS+=("${word:0:1}" '')
		word=${word:1}
	done
	COMP_WORDS[-1]=$word
	[[ -n $word || ${#COMP_WORDS[@]} -lt 2 || ${COMP_WORDS[-2]} != [:=] ]] || unset 'COMP_WORDS[-1]'
done
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))

complete_function=$(complete -p "${COMP_WORDS[0]##*/}" | sed -nE 's/^complete .*-F ([^ ]+) .*/\1/p')
"$complete_function" "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" ''
[ ${#COMPREPLY[@]} -eq 0 ] || printf '%s\n' "${COMPREPLY[@]}"
