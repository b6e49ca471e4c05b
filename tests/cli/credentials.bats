#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Where passwords of registries come from, and in which order. What asks for one is a pull.

load ../lib/common
load ../lib/registry
load ../lib/credentials

setup() {
	common_setup
	start_registry --set auth=basic
	for user in environment docker helper file; do
		configure user=$user:secret
	done
}

failed() { # PROVIDER REASON
	echo "Failed to retrieve credentials using $1 credentials provider, authentication may fail: $2"
}

docker='Docker configuration'

auths_of() { # USER:PASSWORD
	echo "{\"auths\": {\"$registry\": {\"auth\": \"$(printf %s "$1" | base64)\"}}}"
}

@test 'credentials: none' {
	assert_asked_as none
	assert_equal "$(requests | wc -l)" 1
	assert_regex "$stderr" 'HTTP 401'
}

@test 'credentials: the first of four places' {
	login "$registry" file secret
	assert_asked_as basic:file:ok
	docker_config <<<"{\"credHelpers\": {\"$registry\": \"h\"}}"
	helper h <<<"echo '{\"Username\": \"helper\", \"Secret\": \"secret\"}'"
	assert_asked_as basic:helper:ok
	auths_of docker:secret | docker_config
	assert_asked_as basic:docker:ok
	export TART_REGISTRY_USERNAME=environment TART_REGISTRY_PASSWORD=secret
	assert_asked_as basic:environment:ok
	# Wrong ones are tried, not passed over.
	export TART_REGISTRY_PASSWORD=wrong
	assert_asked_as basic:environment:bad
	assert_regex "$stderr" 'HTTP 401'
}

@test 'credentials: of the environment, for one host' {
	export TART_REGISTRY_USERNAME=environment
	assert_asked_as none
	export TART_REGISTRY_PASSWORD=secret
	assert_asked_as basic:environment:ok
	TART_REGISTRY_HOSTNAME=$registry assert_asked_as basic:environment:ok
	for host in "${registry%:*}" other "http://$registry" ''; do
		TART_REGISTRY_HOSTNAME=$host assert_asked_as none
	done
}

@test 'credentials: are not asked for before the registry does' {
	configure auth=none
	docker_config <<<'{"credsStore": "h"}'
	helper h <<<'exit 1'
	ask_registry
	assert_equal "$asked_as" none
	assert_equal "$(helper_calls)" ''
	configure auth=basic
	ask_registry
	assert_equal "$(helper_calls)" 'h get'
}

@test "credentials: of Docker's configuration, elsewhere" {
	mkdir "$HOME/elsewhere"
	auths_of docker:secret >"$HOME/elsewhere/config.json"
	assert_asked_as none
	DOCKER_CONFIG=$HOME/elsewhere assert_asked_as basic:docker:ok
	DOCKER_CONFIG=$HOME/nowhere assert_asked_as none
}

@test 'credentials: a password with colons' {
	configure user=docker:a:b:
	auths_of docker:a:b: | docker_config
	assert_asked_as basic:docker:ok
}

@test "credentials: Docker's configuration is broken" {
	login "$registry" file secret
	docker_config <<<'{"auths": '
	ask_registry
	assert_equal "$asked_as" basic:file:ok
	assert_regex "$told" "^$(failed "$docker" "'$HOME/.docker/config.json': ")"
	assert_equal "$(wc -l <<<"$told")" 1
	truncate -s 2M "$HOME/.docker/config.json"
	assert_asked_as basic:file:ok "$(failed "$docker" "'$HOME/.docker/config.json': larger than 1048576 bytes")"
	rm "$HOME/.docker/config.json"
	mkfifo "$HOME/.docker/config.json"
	assert_asked_as basic:file:ok "$(failed "$docker" "'$HOME/.docker/config.json' is not a regular file")"
}

@test 'credentials: an identity token' {
	configure auth=bearer identity=refresh
	docker_config <<<"{\"auths\": {\"$registry\": {\"auth\": \"$(printf x:y | base64)\", \"identitytoken\": \"refresh\"}}}"
	ask_registry
	assert_regex "$asked_as" '^bearer:.*:ok$'
	docker_config <<<"{\"credHelpers\": {\"$registry\": \"h\"}}"
	helper h <<<'echo "{\"Username\": \"<token>\", \"Secret\": \"refresh\"}"'
	ask_registry
	assert_regex "$asked_as" '^bearer:.*:ok$'
}

# A helper, what is said, and that the file is asked next.
assert_passed_over() { # REASON <SCRIPT
	helper h
	assert_asked_as basic:file:ok "$(failed "$docker" "$1")"
}

@test 'credentials: helpers that fail' {
	login "$registry" file secret
	docker_config <<<'{"credsStore": "h"}'
	assert_asked_as basic:file:ok "$(failed "$docker" 'docker-credential-h not found in PATH')"
	assert_passed_over 'docker-credential-h: Docker helper failed! It exited with code 1: it is broken' <<<'echo "it is broken"; exit 1'
	assert_passed_over 'docker-credential-h: Docker helper failed! It exited with code 3: on stderr' <<<'echo first >&2; echo "on stderr" >&2; exit 3'
	assert_passed_over 'docker-credential-h: Docker helper output is empty!' <<<':'
	assert_passed_over 'docker-credential-h: its answer is no JSON object' <<<'echo garbage'
	assert_passed_over 'docker-credential-h: its answer is no JSON object' <<<'printf "\\033[2Jgarbage"'
	assert_passed_over 'docker-credential-h: printed more than expected' <<<'head -c 1048576 /dev/zero'
	assert_passed_over 'docker-credential-h: printed more than expected' <<<'cat /dev/zero'
	docker_config <<<'{"credsStore": "../h"}'
	assert_asked_as basic:file:ok "$(failed "$docker" "'../h' is no name of a credential helper")"
}

@test 'credentials: helpers that have nothing, or make noise' {
	login "$registry" file secret
	docker_config <<<'{"credsStore": "h"}'
	helper h <<<"echo '$not_found'; exit 1"
	assert_asked_as basic:file:ok
	helper h <<<'echo noise >&2; echo "{\"Username\": \"helper\", \"Secret\": \"secret\"}"; echo more noise >&2'
	assert_asked_as basic:helper:ok
	assert_equal "$stderr" "${stderr/noise/}"
	helper h <<<'read -r host; [ "$host" = "'"$registry"'" ] && ! read -r more && echo "{\"Username\": \"helper\", \"Secret\": \"secret\"}"'
	assert_asked_as basic:helper:ok
}

@test 'credentials: a helper that hangs is ended, with all it has started' {
	login "$registry" file secret
	docker_config <<<'{"credsStore": "h"}'
	mkfifo "$BATS_TEST_TMPDIR/held"
	helper h <<-EOF
		trap '' TERM INT HUP
		exec 9>"$BATS_TEST_TMPDIR/held"
		sleep 1000 &
		wait
		wait
	EOF
	exec {held}<>"$BATS_TEST_TMPDIR/held"
	assert_asked_as basic:file:ok "$(failed "$docker" 'docker-credential-h: did not answer within 10 seconds')"
	# Nobody but us holds the FIFO any more.
	exec {reader}<"$BATS_TEST_TMPDIR/held" {held}>&-
	run timeout 30 cat <&"$reader"
	assert_success
	exec {reader}<&-
}

@test 'credentials: waiting for a helper can be cancelled' {
	docker_config <<<'{"credsStore": "h"}'
	helper h <<<'touch "$here/started"; sleep 1000'
	background "$TART" pull --insecure "$registry/images:none" >/dev/null 2>"$HOME/stderr"
	wait_until test -e "$BATS_TEST_TMPDIR/helpers/started"
	kill -TERM "$background_pid"
	status=0
	wait "$background_pid" || status=$?
	assert_equal "$status" 1
	assert_equal "$(cat "$HOME/stderr")" 'Error: cancelled'
}

@test 'credentials: our file is open to others' {
	login "$registry" file secret
	chmod 644 "$(auth_file)"
	file=${no_session#*password in }
	file=${file% instead*}
	assert_asked_as none "$(failed Tart "$file: is not used, since others can get at its passwords (mode 0644); type 'chmod 600 $file', and consider new passwords")"
	login "$registry" file secret
	assert_success
	assert_equal "$(stat -c %a "$(auth_file)")" 600
	assert_asked_as basic:file:ok
}

@test 'credentials: our file, elsewhere' {
	export XDG_CONFIG_HOME=$HOME/settings
	login "$registry" file secret
	assert_success
	assert_equal "$output" "${no_session/.config/settings}"
	assert_asked_as basic:file:ok
	unset XDG_CONFIG_HOME
	assert_asked_as none
}

@test 'credentials: login with a helper' {
	login "$registry" file secret
	docker_config <<<'{"credsStore": "good"}'
	good_helper good
	login "$registry" helper secret
	assert_success
	assert_equal "$output$stderr" ''
	assert_equal "$(jq -c . "$BATS_TEST_TMPDIR/helpers/kept")" "{\"ServerURL\":\"$registry\",\"Username\":\"helper\",\"Secret\":\"secret\"}"
	assert_equal "$(in_file "$registry")" ''
	assert_asked_as basic:helper:ok
}

@test 'credentials: login with a helper that fails' {
	docker_config <<<'{"credsStore": "bad"}'
	helper bad <<<'echo "cannot store $(cat)"; exit 1'
	login "$registry" me s3cr3t
	assert_failure 1
	assert_equal "$output" ''
	assert_equal "$stderr" 'Error: cannot store the password: docker-credential-bad: Docker helper failed! It exited with code 1'
	assert_not_exist "$HOME/.config"
}

@test 'credentials: login with a helper that is not there' {
	docker_config <<<'{"credsStore": "absent"}'
	login "$registry" file secret
	assert_success
	assert_equal "$output" 'docker-credential-absent not found in PATH, storing the password in ~/.config/tart/auth.json instead; install it to avoid that'
	assert_equal "$(in_file "$registry")" file:secret
}

@test 'credentials: login where Docker has a password already' {
	auths_of docker:secret | docker_config
	login "$registry" file secret
	assert_success
	assert_line --index 0 "$no_session"
	assert_line --index 1 "$HOME/.docker/config.json holds a password for $registry, which comes first; type 'docker logout $registry' for the new one to be used"
	assert_equal "${#lines[@]}" 2
	assert_asked_as basic:docker:ok
}
