#!/usr/bin/zsh -f
# SPDX-License-Identifier: Apache-2.0
# What zsh would offer: complete.zsh SCRIPT LINE prints the candidates at the end of the line, one a line. SCRIPT is
# sourced, or is a folder of scripts that zsh finds by itself. An interactive zsh in a terminal of its own completes
# the line; its `compadd` also tells us what it is given.
zmodload zsh/zpty

script=$1
text=$2
out=$(mktemp) # no trap removes it: zpty's fork would run that, too

cat >$out.setup <<-SETUP
	PROMPT= RPROMPT=
	[[ ! -d ${(q)script} ]] || fpath=(${(q)script} \$fpath)
	autoload -Uz compinit
	compinit -u -d $out.dump
	rm -f $out.dump
	[[ -d ${(q)script} ]] || source ${(q)script}
	zstyle ':completion:*' insert-tab false
	setopt no_beep no_list_beep
	compadd() {
		local -a hits
		if [[ \${@[1,(i)(-|--)]} != *-(O|A|D)* ]]; then
			builtin compadd -O hits "\$@"
			(( \$#hits == 0 )) || print -rl -- \$hits >>$out
		fi
		builtin compadd "\$@"
	}
	leave() { exit }
	comppostfuncs=(leave)
	bindkey '^I' complete-word
	print rea''dy
SETUP

zpty shell zsh -f -i
zpty -w shell ". $out.setup"
zpty -r shell line '*ready*'
zpty -w -n shell "$text"$'\t'
while zpty -r shell line; do :; done
sort -u $out | sed '/^$/d'
rm -f $out $out.setup
