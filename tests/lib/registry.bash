# SPDX-License-Identifier: Apache-2.0
# Registries for tests: `load ../lib/registry` after ../lib/common. Both kinds end with the test. tart tries again after
# milliseconds, not seconds.

# A registry of our own that misbehaves as told; tests/lib/registry/faults.py and settings.py say how.
#
#	start_registry [--layout DIR REPOSITORY] [--set KEY=VALUE] [--rule RULE] [--tls CERT KEY]
#	fault GET '/blobs/sha256:' 1 short at=1000    # METHOD PATH-REGEX WHICH KIND [KEY=VALUE...]
#	configure auth=basic user=me:secret
#	tart pull --insecure "$registry/images:ok"
#	requests GET /blobs/                          # what came: METHOD PATH STATUS RANGE AUTHORIZATION, one a line
#
# $registry is HOST:PORT; $registry_other, $registry_host, $registry_plain are the other places where it listens:
# another port, another address, without TLS.
start_registry() {
	local number=$((++registry_count)) pair said

	export TART_RETRY_DELAY=1
	registry_log=$BATS_TEST_TMPDIR/registry.$number.log
	said=$BATS_TEST_TMPDIR/registry.$number.ports
	background python3 -B "$project/tests/lib/registry" --root "$BATS_TEST_TMPDIR/registry.$number" \
		--log "$registry_log" "$@" >"$said" 2>"$BATS_TEST_TMPDIR/registry.$number.stderr"
	registry_pid=$background_pid
	wait_until registry_is_up "$said" || {
		cat "$BATS_TEST_TMPDIR/registry.$number.stderr" >&2
		return 1
	}
	for pair in $(<"$said"); do
		case $pair in
		main=*) registry=${pair##*/} ;;
		control=*) registry_control=${pair##*:} ;;
		*) printf -v "registry_${pair%%=*}" %s "${pair##*/}" ;;
		esac
	done
}
registry_count=0

registry_is_up() { # FILE
	grep -q control= "$1" || ! kill -0 "$registry_pid"
}

# One command to the control port.
control() {
	local answer

	exec {registry_fd}<>"/dev/tcp/127.0.0.1/$registry_control" || return
	printf '%s\n' "$*" >&"$registry_fd"
	read -r answer <&"$registry_fd"
	exec {registry_fd}>&-
	[ "$answer" = ok ] || {
		echo "the registry says '$answer' to '$*'" >&2
		return 1
	}
}

fault() { # METHOD PATH-REGEX WHICH KIND [KEY=VALUE...]
	control "rule $(printf '%q ' "$@")"
}

no_faults() {
	control clear
}

# Whether a request came that has this fault; the request may still hang in it.
is_met() { # KIND
	control "met $1" 2>/dev/null
}

configure() { # KEY=VALUE...
	control "set $(printf '%q ' "$@")"
}

# The log so far, complete for every client that has ended; forget_requests starts it anew.
request_log() {
	control sync
	cat "$registry_log"
}

forget_requests() {
	control sync
	: >"$registry_log"
}

# METHOD PATH STATUS RANGE AUTHORIZATION of those requests that match, `-` where there is none.
requests() { # [METHOD [PATH-REGEX [jq-CONDITION]]]
	request_log | jq -r --arg method "${1-}" --arg path "${2-}" \
		"select((\$method == \"\" or .method == \$method) and (.path | test(\$path)) and (${3-true})) |
		\"\(.method) \(.path) \(.status) \(.range // \"-\") \(.auth)\""
}

# How many there were.
count_requests() { # [METHOD [PATH-REGEX [jq-CONDITION]]]
	requests "$@" | wc -l
}

# A certificate for 127.0.0.1 that only this test trusts: start_registry --tls "$tls_cert" "$tls_key"
make_certificate() {
	tls_cert=$BATS_TEST_TMPDIR/tls.crt
	tls_key=$BATS_TEST_TMPDIR/tls.key
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 \
		-addext 'subjectAltName=IP:127.0.0.1,IP:127.0.0.2,DNS:localhost' \
		-keyout "$tls_key" -out "$tls_cert" 2>/dev/null
	export SSL_CERT_FILE=$tls_cert
}

# Debian's own registry: $registry is HOST:PORT, what it holds lies in $docker_registry_root.
start_docker_registry() { # [USER PASSWORD]
	local folder=$BATS_TEST_TMPDIR/docker-registry program

	program=$("$project/tools/docker_registry.sh") || return
	export TART_RETRY_DELAY=1
	docker_registry_root=$folder/data
	mkdir -p "$docker_registry_root"
	[ $# -eq 0 ] || htpasswd -Bbn -C 5 "$1" "$2" >"$folder/htpasswd" || return
	docker_registry_config "$folder" "${1-}" >"$folder/config.yml"
	background "$program" serve "$folder/config.yml" >"$folder/log" 2>&1
	registry_pid=$background_pid
	wait_until docker_registry_is_up "$folder/log"
	registry=$(sed -n 's/.*listening on \(127\.0\.0\.1:[0-9]*\).*/\1/p' "$folder/log" | head -n 1)
	[ -n "$registry" ] || {
		cat "$folder/log" >&2
		return 1
	}
}

docker_registry_config() { # FOLDER USER
	cat <<-EOF
		version: 0.1
		log: {level: info, accesslog: {disabled: false}}
		storage: {filesystem: {rootdirectory: "$1/data"}, delete: {enabled: true}}
		http: {addr: "127.0.0.1:0", secret: "for one test"}
	EOF
	[ -z "$2" ] || echo "auth: {htpasswd: {realm: test, path: \"$1/htpasswd\"}}"
}

docker_registry_is_up() { # LOG
	grep -q 'listening on' "$1" || ! kill -0 "$registry_pid" 2>/dev/null
}
