# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Packages of the Debian archive for any architecture, without touching the host's package state.
#
# apt gets its own state, cache and sources below one directory. The mirrors are those of the host's
# own sources, so that a local mirror or proxy is used; signatures are always checked against
# Debian's keyring, and the host's apt hooks do not run.

# Mirrors and networks fail for a moment now and then.
FETCH_RETRIES=3
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# archive_sources: the lines of a sources.list for our release.
# shellcheck disable=SC2016,SC2153 # apt's own $(NAMES); SUITE is of common.sh
archive_sources() {
	local uri suite origin found=

	while IFS='|' read -r uri suite origin; do
		case $suite in
		"$SUITE" | "$SUITE-updates" | "$SUITE-security") ;;
		*) continue ;;
		esac
		case $origin in
		Debian | '$('*) ;;
		*) continue ;;
		esac
		[ "$suite" != "$SUITE" ] || found=y
		printf 'deb [signed-by=%s] %s %s main\n' "$KEYRING" "$uri" "$suite"
	done < <(apt-get indextargets --format '$(REPO_URI)|$(RELEASE)|$(ORIGIN)' \
		'Created-By: Packages' 'Component: main' 2>/dev/null | sort -u)

	[ -n "$found" ] || die "apt has no source of Debian $SUITE (component main) here: add a mirror" \
		"in /etc/apt/sources.list.d and run apt-get update"
}

# archive_open DIR ARCH: makes DIR a private apt for ARCH and fetches the package lists.
archive_open() {
	local dir=$1 arch=$2

	mkdir -p "$dir/state/lists/partial" "$dir/cache/archives/partial" "$dir/debs"
	: >"$dir/state/status"
	archive_sources >"$dir/sources.list"
	cat >"$dir/apt.conf" <<-END
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		#clear APT::Architectures;
		APT::Architecture "$arch";
		APT::Architectures { "$arch"; };
		APT::Sandbox::User "";
		Acquire::Languages "none";
		Acquire::Retries "$FETCH_RETRIES";
		Dir::State "$dir/state";
		Dir::State::status "$dir/state/status";
		Dir::Cache "$dir/cache";
		Dir::Cache::pkgcache "pkgcache.bin";
		Dir::Etc::sourcelist "$dir/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
	END
	ARCHIVE=$dir
	archive_apt get -qq update || die "cannot fetch the package lists of Debian $SUITE $arch"
}

# archive_apt get|cache ARGUMENT...: apt-get or apt-cache on the private state.
archive_apt() {
	local tool=apt-$1

	shift
	"$tool" -c "$ARCHIVE/apt.conf" "$@"
}

# archive_kernel ARCH: name of the kernel package that Debian's cloud kernel currently stands for.
archive_kernel() {
	archive_apt cache show --no-all-versions "linux-image-cloud-$1" |
		sed -n 's/^Depends: .*\(linux-image-[0-9][^ ,]*\).*/\1/p'
}

# archive_unpack DIR PACKAGE...: downloads packages and unpacks them below DIR, running nothing.
archive_unpack() {
	local dir=$1 deb

	shift
	(cd "$ARCHIVE/debs" && archive_apt get -qq download "$@") ||
		die "cannot download packages: $*"
	mkdir -p "$dir"
	for deb in "$ARCHIVE"/debs/*.deb; do
		dpkg-deb -x "$deb" "$dir" || die "cannot unpack ${deb##*/}"
		rm "$deb"
	done
}
