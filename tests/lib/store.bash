# SPDX-License-Identifier: Apache-2.0
# VMs, cached images and locks for tests of the store: `load ../lib/store` after ../lib/common.

# A VM made by us, small and fast.
make_vm() { # NAME [OPTION...]
	"$TART" create --linux --disk-size 1 "$@" 3>&-
}

# A VM made by hand, whatever it is named and whatever is missing: the contents of its files say who made it.
make_bundle() { # FOLDER [MAC]
	mkdir -p "$1"
	cat >"$1/config.json" <<-EOF
		{"version":1,"os":"linux","arch":"amd64","cpuCountMin":1,"cpuCount":2,"memorySizeMin":1,
		"memorySize":1073741824,"macAddress":"${2:-7a:65:e4:3f:b2:01}"}
	EOF
	printf 'disk of %s' "$1" >"$1/disk.img"
	truncate -s 1024000 "$1/disk.img"
	printf 'nvram of %s' "$1" >"$1/nvram.bin"
}

make_suspended() { # NAME
	echo 'a saved machine' >"$TART_HOME/vms/$1/state.vzvmsave"
}

hex_of() { # DIGIT
	printf "$1%.0s" {1..64}
}

# A cached image; its digest consists of one digit, its name of HOST/NAMESPACE with the colon of a port as it is.
make_image() { # HOST/NAMESPACE DIGIT [TAG...]
	local folder digest

	folder=$TART_HOME/cache/OCIs/${1/:/%3A}
	digest=sha256:$(hex_of "$2")
	make_bundle "$folder/$digest"
	echo '{}' >"$folder/$digest/manifest.json"
	for tag in "${@:3}"; do
		ln -sfn "$folder/$digest" "$folder/$tag"
	done
}

image_folder() { # HOST/NAMESPACE DIGIT
	echo "$TART_HOME/cache/OCIs/${1/:/%3A}/sha256:$(hex_of "$2")"
}

# Somebody else holds the lock from now on, until release_lock.
hold_lock() { # record|flock PATH
	local said=$BATS_TEST_TMPDIR/lock.$RANDOM

	background "$BUILD/tests/lib/hold_lock" "$1" "$2" >"$said"
	lock_pid=$background_pid
	wait_until grep -q locked "$said"
}

# As if the VM were running.
hold_vm() { # NAME
	hold_lock record "$TART_HOME/vms/$1/config.json"
}

release_lock() {
	kill "$lock_pid"
	wait "$lock_pid" || true
}

# The value of a key in config.json.
config_of() { # NAME KEY
	jq -r ".$2" "$TART_HOME/vms/$1/config.json"
}

# Sets the access time of a bundle, in days before now.
age() { # FOLDER DAYS
	touch -a -d "$2 days ago" "$1"
}

accessed() { # FOLDER
	stat -c %X "$1"
}

assert_tmp_empty() {
	run ls -A "$TART_HOME/tmp"
	assert_output ''
}

assert_vms() { # NAME...
	run --separate-stderr "$TART" list --source local --quiet
	assert_success
	assert_equal "$output" "$(printf '%s\n' "$@")"
}
