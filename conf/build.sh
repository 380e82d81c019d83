# Sourced by run.sh and test.sh: install what is missing, and build.
# Expects $top, the root of the tree.

packages_run="gcc make autoconf automake pkg-config libc6-dev
	libsecp256k1-dev libssl-dev libleveldb-dev libevent-dev
	libcurl4-openssl-dev libjson-c-dev libseccomp-dev
	libqrencode-dev tor"
packages_test="libcmocka-dev python3 iproute2 xz-utils
	bzip2 strace"
packages_demo="python3 iproute2"

# need_packages NAME…: install those that are not there.
need_packages() {
	missing=
	for p in "$@"; do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null |
			grep -q 'ok installed' || missing="$missing $p"
	done
	[ -n "$missing" ] || return 0
	if ! command -v apt-get >/dev/null; then
		echo "Missing, and there is no apt-get here:$missing" >&2
		return 1
	fi
	as_root=
	if [ "$(id -u)" != 0 ]; then
		if ! command -v sudo >/dev/null; then
			echo "Missing packages; as root: apt-get install$missing" >&2
			return 1
		fi
		as_root=sudo
	fi
	echo "Installing:$missing"
	$as_root apt-get update -qq || true
	# shellcheck disable=SC2086
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
		--no-install-recommends $missing >/dev/null || {
		echo "apt-get install$missing failed" >&2
		return 1
	}
	# Debian's tor package starts a tor of its own; nobody asked for it.
	case "$missing" in
	*" tor"*) $as_root systemctl disable --now tor >/dev/null 2>&1 || true ;;
	esac
}

# build DIR CONFIGURE-ARGUMENT…: an out-of-tree build in DIR.
build() {
	dir=$1
	shift
	mkdir -p "$dir"
	if [ ! -x "$top/configure" ] || [ "$top/configure.ac" -nt "$top/configure" ]; then
		"$top/autogen.sh" >"$dir/autogen.out" 2>&1 || {
			cat "$dir/autogen.out" >&2
			return 1
		}
	fi
	if [ ! -e "$dir/config.status" ]; then
		(cd "$dir" && "$top/configure" "$@" >configure.out 2>&1) || {
			tail -n 20 "$dir/configure.out" >&2
			return 1
		}
	fi
	# One target after the other: two at once would share libraries.
	(
		for target in ${build_targets:-all}; do
			make -C "$dir" -j"$(nproc)" "$target" || exit 1
		done
	) >"$dir/make.out" 2>&1 || {
		grep -E 'error|Error|undefined' "$dir/make.out" | head -n 30 >&2
		echo "building failed; all of it is in $dir/make.out" >&2
		return 1
	}
}
