#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart logout. tests/cli/keyring.bats has the desktop's keyring.

load ../lib/common
load ../lib/credentials

assert_silent_success() {
	assert_success
	assert_equal "$output$stderr" ''
}

@test 'logout: forgets one password and no other' {
	login h me secret
	login h:5000 you other
	tart logout h
	assert_silent_success
	assert_equal "$(in_file h)" ''
	assert_equal "$(in_file h:5000)" you:other
	assert_equal "$(stat -c %a "$(auth_file)")" 600
}

@test 'logout: nothing to forget' {
	tart logout h
	assert_silent_success
	assert_not_exist "$HOME/.config"
	login h me secret
	cp -a "$(auth_file)" "$HOME/before"
	tart logout i
	assert_silent_success
	cmp "$HOME/before" "$(auth_file)"
	tart logout h
	tart logout h
	assert_silent_success
}

@test 'logout: hosts' {
	tart logout https://ghcr.io
	assert_failure 1
	assert_equal "$stderr" "improperly formatted host \"https://ghcr.io\" was provided, make sure that it doesn't start with http:// or https://"
	tart logout ghcr.io/a
	assert_failure 1
	assert_equal "$stderr" 'improperly formatted host "ghcr.io/a" was provided'
	tart logout
	assert_failure 64
}

@test 'logout: tells the helper' {
	docker_config <<<'{"credsStore": "good"}'
	good_helper good
	login h me secret
	assert_silent_success
	assert_exist "$BATS_TEST_TMPDIR/helpers/kept"
	tart logout h
	assert_silent_success
	assert_not_exist "$BATS_TEST_TMPDIR/helpers/kept"
	assert_equal "$(helper_calls)" $'good store\ngood erase'
}

@test "logout: leaves Docker's configuration alone" {
	docker_config <<<'{"auths": {"h": {"auth": "bWU6c2VjcmV0"}}, "credHelpers": {"i": "none"}}'
	cp "$HOME/.docker/config.json" "$HOME/before"
	for host in h i; do
		tart logout "$host"
		assert_silent_success
	done
	cmp "$HOME/before" "$HOME/.docker/config.json"
}

@test 'logout: a helper that fails does not keep the others from it' {
	login h me secret
	docker_config <<<'{"credsStore": "bad"}'
	helper bad <<<'echo "it is broken"; exit 1'
	tart logout h
	assert_failure 1
	assert_equal "$output" ''
	assert_equal "$stderr" 'Error: cannot remove the password: docker-credential-bad: Docker helper failed! It exited with code 1: it is broken'
	assert_equal "$(in_file h)" ''
	helper bad <<<"echo '$not_found'; exit 1"
	tart logout h
	assert_silent_success
}

@test 'logout: a file that cannot be read stays' {
	mkdir -p "$HOME/.config/tart"
	echo '{' >"$(auth_file)"
	tart logout h
	assert_failure 1
	assert_equal "${stderr%%auth.json*}" 'Error: cannot remove the password: ~/.config/tart/'
	assert_equal "$(cat "$(auth_file)")" '{'
}
