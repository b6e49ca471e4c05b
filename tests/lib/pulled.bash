# SPDX-License-Identifier: Apache-2.0
# What a pull left in the store: `load ../lib/pulled` after ../lib/common and ../lib/registry.

vectors=$project/tests/data/oci/expected.json

# An empty store and an empty log; the registry stays, without faults.
fresh_home() {
	rm -rf "$TART_HOME"
	no_faults
	forget_requests
}

# Runs a check, a function of assertions, for one row of a table; $tried is 0 when all of them held. Not for conditions:
# bash would not stop at the first that fails.
try() { # COMMAND...
	set +e
	(
		set -e
		"$@"
	)
	tried=$?
	set -e
}

# A field of an image of tests/data/oci, empty if it has none.
case_of() { # REF FIELD
	jq -r --arg ref "$1" ".cases[] | select(.ref == \$ref) | .$2 // empty" "$vectors"
}

image_dir_of() { # HOST:PORT/NAMESPACE@DIGEST
	echo "$TART_HOME/cache/OCIs/$(sed 's/:/%3A/; s|@|/|' <<<"$1")"
}

digest_of() { # FILE
	echo "sha256:$(sha256sum <"$1" | cut -d ' ' -f 1)"
}

# The bundle that a name stands for now.
cached_dir() { # NAME
	image_dir_of "$("$TART" fqn "$1")"
}

# Nothing is cached, no VM was made, and of temporary files there is at most what the next pull goes on with.
assert_nothing_kept() {
	run bash -c 'cd "$TART_HOME" && find . -mindepth 1 ! -type d ! -path "./tmp/pull-*"; ls -A vms 2>/dev/null
		find cache -name "sha256:*"; ls -A tmp 2>/dev/null | grep -v "^pull-"'
	assert_output ''
}

# One line on stderr that says these things, exit code 1, and nothing that harms a terminal. What a registry has answered
# without its usual form stands on a second line.
assert_one_error() { # [PART...]
	local part

	assert_failure 1
	assert_regex "${#stderr_lines[@]}" '^[12]$'
	[ "${#stderr_lines[@]}" -eq 1 ] || assert_regex "${stderr_lines[0]}" 'HTTP [1-9][0-9]{2}'
	! LC_ALL=C grep -q '[[:cntrl:]]' <<<"$stderr" || fail "control characters: $(cat -v <<<"$stderr")"
	for part; do
		[[ ${stderr_lines[0]} == *"$part"* ]] || fail "says '$stderr', not '$part'"
	done
}

# Exactly the files of an image of tests/data/oci, as its kind has them.
assert_image_files() { # FOLDER REF
	local name digest size file

	while read -r name size digest; do
		file=$1/$name
		assert_equal "$(stat -c %s "$file")" "$size"
		assert_equal "$(digest_of "$file")" "$digest"
	done < <(jq -r --arg ref "$2" '.cases[] | select(.ref == $ref) | . as $case | .disks | to_entries[] |
		"\(if .key == ($case.disks | keys_unsorted[0]) then "disk.img" else .key end) \(.value.size) \(.value.sha256)"' \
		"$vectors")
	[ -n "$name$file" ] || fail "no disks are known of $2"
	assert_small_enough "$1/disk.img" "$2"
	for name in config nvram; do
		digest=$(case_of "$2" "${name}_sha256")
		[ -z "$digest" ] || assert_equal "$(digest_of "$1/$(file_of "$name")")" "$digest"
	done
}

file_of() { # config|nvram
	case $1 in
	config) echo config.json ;;
	nvram) echo nvram.bin ;;
	esac
}

# Zeros take no space: at most a few blocks of the file system beyond the data.
assert_small_enough() { # FILE REF
	local data

	data=$(case_of "$2" data_bytes)
	[ -z "$data" ] || [ $(($(stat -c %b "$1") * 512)) -le $((data + 4 * 65536)) ] || fail "$1 is not sparse"
}

# The image is in the cache under its digest and linked, and nothing else happened.
assert_image_pulled() { # NAME REF [MANIFEST-DIGEST]
	local digest=${3:-$(case_of "$2" manifest)} dir

	dir=$(image_dir_of "${1%:*}@$digest")
	assert_image_files "$dir" "$2"
	assert_equal "$(digest_of "$dir/manifest.json")" "$digest"
	assert_equal "$(readlink "${dir%/*}/${1##*:}")" "$dir"
	assert_equal "$("$TART" list --source oci --quiet)" "$(printf '%s\n' "$1" "${1%:*}@$digest" | LC_ALL=C sort)"
	assert_equal "$("$TART" fqn "$1")" "${1%:*}@$digest"
	assert_tmp_empty
	assert_not_exist "$TART_HOME/vms"
}
