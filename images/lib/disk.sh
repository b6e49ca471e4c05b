# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# FAT file systems and GPT disks as plain files: no loop device, no mount, no privilege.

# shellcheck disable=SC2034 # constants for those who source this

# Partition types of the UEFI specification and of the Discoverable Partitions Specification.
GPT_ESP=C12A7328-F81F-11D2-BA4B-00A0C93EC93B
GPT_ROOT_AMD64=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709
GPT_ROOT_ARM64=B921B045-1DF0-41C3-AF44-4C6F280D3FAE

# The first partition starts at 1 MiB, as everywhere; the backup partition table takes the last.
GPT_MARGIN_MIB=1

# esp_make FILE SIZE_MIB: an empty FAT32 file system labelled ESP. 33 MiB is the smallest that
# is FAT32 with one sector per cluster, which firmware expects.
esp_make() {
	local per_cluster=()

	[ "$2" -ge 128 ] || per_cluster=(-s 1)
	truncate -s "$2M" "$1"
	mkfs.vfat -F 32 "${per_cluster[@]}" -n ESP "$1" >/dev/null
}

# esp_put FILE SOURCE TARGET: copies SOURCE (- is standard input) to the absolute path TARGET,
# making the directories on the way.
esp_put() {
	local dir part

	dir=
	IFS=/ read -ra parts <<<"${3#/}"
	for part in "${parts[@]:0:${#parts[@]}-1}"; do
		dir=$dir/$part
		mdir -b -i "$1" "::$dir" >/dev/null 2>&1 || mmd -i "$1" "::$dir"
	done
	mcopy -o -m -i "$1" "$2" "::$3"
}

# disk_make FILE SIZE_MIB (PART_MIB TYPE NAME)...: an empty, sparse GPT disk with these partitions,
# the first at 1 MiB and each of the others right after the one before.
disk_make() {
	local file=$1 size_mib=$2 at_mib=$GPT_MARGIN_MIB table='label: gpt'

	shift 2
	while [ $# -gt 0 ]; do
		table+=$'\n'"start=${at_mib}MiB, size=$1MiB, type=$2, name=$3"
		at_mib=$((at_mib + $1))
		shift 3
	done
	truncate -s "${size_mib}M" "$file"
	sfdisk -q "$file" <<<"$table"
}

# disk_put FILE AT_MIB IMAGE: copies a file system into the partition that starts there.
disk_put() {
	dd if="$3" of="$1" bs=1M seek="$2" conv=notrunc,sparse status=none
}
