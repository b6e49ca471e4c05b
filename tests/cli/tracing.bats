#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# OpenTelemetry: what a collector gets from commands that run with TRACEPARENT in their environment.

load ../lib/common
load ../lib/store

setup() {
	common_setup
	spans=$BATS_TEST_TMPDIR/spans
	: >"$spans"
	parent=00-00000000000000000000000000000001-0000000000000001-01
}

# start_collector [silent]: $endpoint
start_collector() {
	local port=$BATS_TEST_TMPDIR/port

	background python3 "$BATS_TEST_DIRNAME/../lib/otlp_collector.py" "$spans" "$@" >"$port"
	wait_until test -s "$port"
	endpoint=http://127.0.0.1:$(<"$port")/v1/traces
}

traced() {
	run_apart env TRACEPARENT="$parent" OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="$endpoint" "${settings[@]}" "$TART" "$@"
}

# What jq makes of the only request.
got() {
	assert_equal "$(wc -l <"$spans")" 1
	jq -c "$1" "$spans"
}

@test "tracing: a simple command is one request with one span" {
	start_collector
	settings=('CIRRUS_SENTRY_TAGS=A=B,nothing,C=D' TRACESTATE=vendor=x)
	traced list
	assert_success
	assert_equal "$(got .path)" '"/v1/traces"'
	assert_equal "$(got '.headers["content-type"]')" '"application/x-protobuf"'
	assert_equal "$(got '.body.resources | length')" 1
	assert_equal "$(got '.body.resources[0].resource.attributes | map({(.key): .value.text}) | add | .["service.name"]')" '"tart"'
	assert_equal "$(got '.body.resources[0].resource.attributes | map({(.key): .value.text}) | add | .["service.version"]')" \
		"\"$("$TART" --version)\""
	assert_equal "$(got '.body.resources[0].scopes | length')" 1
	assert_equal "$(got '.body.resources[0].scopes[0].spans | length')" 1
	span='.body.resources[0].scopes[0].spans[0]'
	assert_equal "$(got "${span}.name")" '"list"'
	assert_equal "$(got "${span}.trace")" '"00000000000000000000000000000001"'
	assert_equal "$(got "${span}.parent")" '"0000000000000001"'
	assert_equal "$(got "${span}.state")" '"vendor=x"'
	assert_equal "$(got "${span}.status")" null
	assert_equal "$(got "${span}.end >= ${span}.start")" true
	assert_equal "$(got "${span}.attributes | map(select(.value.text)) | map([.key, .value.text])")" '[["A","B"],["C","D"]]'
	assert_equal "$(got "${span}.attributes[] | select(.key == \"Command-line arguments\") | .value.list.values | map(.text) | .[1:]")" \
		'["list"]'
}

@test "tracing: an error is an exception event, and the command's own error comes first" {
	start_collector
	traced get nosuch
	assert_failure 2
	assert_equal "$output" ''
	assert_equal "$stderr" 'the specified VM "nosuch" does not exist'
	span='.body.resources[0].scopes[0].spans[0]'
	assert_equal "$(got "${span}.status.code")" 2
	assert_equal "$(got "${span}.events | length")" 1
	assert_equal "$(got "${span}.events[0].name")" '"exception"'
	assert_equal "$(got "${span}.events[0].attributes | map({(.key): .value.text}) | add | .[\"exception.message\"]")" \
		'"the specified VM \"nosuch\" does not exist"'
}

@test "tracing: headers and resource attributes of the environment" {
	start_collector
	settings=('OTEL_EXPORTER_OTLP_HEADERS=x-key=a%20b,x-other=c'
		'OTEL_RESOURCE_ATTRIBUTES=host=h%2C1,service.name=mine')
	traced list
	assert_success
	assert_equal "$(got '.headers["x-key"], .headers["x-other"]' | tr '\n' ' ')" '"a b" "c" '
	assert_equal "$(got '.body.resources[0].resource.attributes | map({(.key): .value.text}) | add | [.host, .["service.name"]]')" \
		'["h,1","mine"]'
}

@test "tracing: making room is a span below that of the clone" {
	start_collector
	make_vm source
	traced clone source copy
	assert_success
	assert_equal "$(got '.body.resources[0].scopes[0].spans | map(.name)')" '["clone","prune"]'
	spans_of='.body.resources[0].scopes[0].spans'
	assert_equal "$(got "${spans_of}[1].parent == ${spans_of}[0].span")" true
	assert_equal "$(got "${spans_of}[1].attributes | map(.key)")" \
		'["prune.required-bytes","prune.volume-available-capacity-bytes"]'
	assert_equal "$(got "${spans_of}[1].attributes[0].value.number > 900000000")" true
}

@test "tracing: a traceparent that cannot be read begins a trace" {
	start_collector
	parent=garbage
	traced list
	assert_success
	assert_equal "$(got '.body.resources[0].scopes[0].spans[0].parent')" null
	assert_equal "$(got '.body.resources[0].scopes[0].spans[0].trace | length')" 32
}

@test "tracing: usage errors, help and a program without TRACEPARENT send nothing" {
	start_collector
	traced list --nosuch
	assert_failure 64
	traced list --help
	assert_success
	run_apart env OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="$endpoint" "$TART" list
	assert_success
	assert_equal "$(wc -c <"$spans")" 0
}

@test "tracing: nobody listens, in silence" {
	endpoint=http://127.0.0.1:1/v1/traces
	traced list
	assert_success
	assert_equal "$stderr" ''
	endpoint='no address at all'
	traced list
	assert_success
	assert_equal "$stderr" ''
}

@test "tracing: a collector that never answers does not hold the command up for long" {
	start_collector silent
	TART_TIMEOUT=20 traced list
	assert_success
	assert_equal "$stderr" ''
	assert_equal "$(wc -l <"$spans")" 1
}
