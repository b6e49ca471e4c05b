# SPDX-License-Identifier: Apache-2.0
# Passwords of registries: `load ../lib/credentials` after ../lib/common.

advice='set TART_REGISTRY_USERNAME and TART_REGISTRY_PASSWORD, or configure a credential helper, to avoid that'
not_found='credentials not found in native keychain'

# What login says when the password had to go into the file.
stored_in_file() { # REASON [HINT]
	echo "$1, storing the password in ~/.config/tart/auth.json instead; ${2-}$advice"
}

no_session=$(stored_in_file 'there is no desktop session with a keyring')

# Logs in with options, without asking the registry.
login() { # HOST USER PASSWORD [OPTION...]
	run_apart "$TART" login "$1" --username "$2" --password-stdin --no-validate "${@:4}" <<<"$3"
}

auth_file() {
	echo "$HOME/.config/tart/auth.json"
}

# user:password that our file has for a host; nothing when it has none.
in_file() { # HOST
	[ ! -e "$(auth_file)" ] || jq -r --arg host "$1" '.auths[$host].auth // empty | @base64d' "$(auth_file)"
}

# Docker's configuration, from stdin.
docker_config() {
	mkdir -p "$HOME/.docker"
	cat >"$HOME/.docker/config.json"
}

# A credential helper in PATH; its script comes from stdin. It runs in bash, with the verb in $1 and its own folder in $here.
helper() { # NAME
	local folder=$BATS_TEST_TMPDIR/helpers

	mkdir -p "$folder"
	{
		printf '#!/bin/bash\nhere=%q\necho "%s $1" >>"$here/calls"\n' "$folder" "$1"
		cat
	} >"$folder/docker-credential-$1"
	chmod +x "$folder/docker-credential-$1"
	case $PATH in
	"$folder":*) ;;
	*) PATH=$folder:$PATH ;;
	esac
}

# One that keeps what it is told in a file, as a good one does.
good_helper() { # NAME
	helper "$1" <<-'EOF'
		case $1 in
		store) cat >"$here/kept" ;;
		get)
			read -r host
			if [ -e "$here/kept" ] && [ "$(jq -r .ServerURL "$here/kept")" = "$host" ]; then
				cat "$here/kept"
			else
				echo 'credentials not found in native keychain'
				exit 1
			fi
			;;
		erase) rm -f "$here/kept" ;;
		esac
	EOF
}

helper_calls() {
	cat "$BATS_TEST_TMPDIR/helpers/calls" 2>/dev/null
}

# Asks a registry that wants a password (start_registry --set auth=basic) for an image that it does not have. *asked_as* is
# who asked: `basic:USER:ok` and the like, `none` for nobody in particular. *told* are the lines about passwords.
ask_registry() {
	forget_requests
	tart pull --insecure "$registry/images:none"
	assert_failure 1
	asked_as=$(requests GET /manifests/ | tail -n 1 | cut -d ' ' -f 5)
	told=$(grep -v '^pulling ' <<<"$output" || true)
}

assert_asked_as() { # WHO [LINE]
	ask_registry
	assert_equal "$asked_as" "$1"
	assert_equal "$told" "${2-}"
}
