#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Prints the path of the program docker-registry, for the demo and the tests: the installed one, else one unpacked from
# Debian's package into the user's cache. The package is not installed for that: it would start a service on port 5000.
set -euo pipefail

cache=${TART_TOOLS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tart-tools}

if installed=$(command -v docker-registry); then
	echo "$installed"
	exit 0
fi
if [ -x "$cache/docker-registry" ]; then
	echo "$cache/docker-registry"
	exit 0
fi

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif [ -t 0 ]; then
		sudo "$@"
	else
		sudo -n "$@"
	fi
}

mkdir -p "$cache"
work=$(mktemp -d "$cache/unpack.XXXXXX")
trap 'rm -rf -- "$work"' EXIT

# apt's own user, who downloads for root, may not be able to write here.
download() {
	(cd "$work" && apt-get -q -o APT::Sandbox::User=root download docker-registry) >"$work/log" 2>&1
}

# The index may be missing, or name a file that the mirror has replaced since.
if ! download && { ! as_root apt-get -q update >"$work/log" 2>&1 || ! download; }; then
	tail -n 5 "$work/log" >&2
	echo "docker-registry could not be downloaded; as root, type: apt-get update" >&2
	exit 1
fi
dpkg-deb -x "$work"/docker-registry_*.deb "$work/root"
mv -f "$work/root/usr/bin/docker-registry" "$cache/docker-registry"
echo "$cache/docker-registry"
