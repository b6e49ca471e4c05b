#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart fqn.

load ../lib/common
load ../lib/store

@test 'fqn: a cached tag' {
	make_image 127.0.0.1:5000/org/img 1 latest v2
	tart fqn 127.0.0.1:5000/org/img
	assert_success
	assert_equal "$output" "127.0.0.1:5000/org/img@sha256:$(hex_of 1)"
	assert_equal "$stderr" ''
	tart fqn 127.0.0.1:5000/org/img:v2
	assert_equal "$output" "127.0.0.1:5000/org/img@sha256:$(hex_of 1)"
}

@test 'fqn: a digest, cached or not' {
	tart fqn "h/ns@sha256:$(hex_of a)"
	assert_success
	assert_equal "$output" "h/ns@sha256:$(hex_of a)"
}

@test 'fqn: what is not remote comes back unchanged' {
	for name in debian debian:latest a//b ghcr.io/a@md5:ab ''; do
		tart fqn "$name"
		assert_success
		assert_equal "$output" "$name"
	done
}

@test 'fqn: tags that are not cached, or lead to no digest' {
	tart fqn ghcr.io/a/b
	assert_failure 1
	assert_equal "$output" ''
	assert_equal "$stderr" \
		"OCI storage error: ghcr.io/a/b:latest is not a digest and doesn't point to a digest"

	make_bundle "$TART_HOME/cache/OCIs/h/ns/odd"
	ln -s odd "$TART_HOME/cache/OCIs/h/ns/t"
	tart fqn h/ns:t
	assert_failure 1
	assert_equal "$stderr" "OCI storage error: h/ns:t is not a digest and doesn't point to a digest"
}

@test 'fqn: works, and no list mentions it' {
	tart --help
	refute_output --partial fqn
	tart fqn --help
	assert_success
	assert_line 'USAGE: tart fqn <name>'
}
