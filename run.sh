#!/bin/sh
# Build what is missing and run a node.
#
#   ./run.sh [cloisterd options]    a mainnet node with its own Tor
#   ./run.sh demo [BLOCKFILE]       two nodes over a private Tor network
#   ./run.sh cli [arguments]        cloister-cli for the node above
set -eu
top=$(cd "$(dirname "$0")" && pwd)
. "$top/conf/build.sh"

case "${1:-}" in
-h|--help)
	sed -n '2,7s/^# \{0,1\}//p' "$0"
	exit 0
	;;
esac

if [ "${1:-}" = cli ]; then
	shift
	if [ ! -x "$top/build/src/cloister-cli" ]; then
		echo "Nothing is built yet: ./run.sh builds and starts a node." >&2
		exit 1
	fi
	exec "$top/build/src/cloister-cli" "$@"
fi
# shellcheck disable=SC2086
need_packages $packages_run
if [ "${1:-}" = demo ]; then
	# shellcheck disable=SC2086
	need_packages $packages_demo
	case "${2:-}" in
	-*)
		exec python3 "$top/tests/functional/demo.py" --help
		;;
	esac
fi
if [ -x "$top/build/src/cloisterd" ]; then
	echo "Building what has changed (in build/)…"
else
	echo "Building (in build/; the first time takes a minute or two)…"
fi
build "$top/build"
if [ "${1:-}" = demo ]; then
	shift
	CLOISTER_BUILD="$top/build" exec python3 "$top/tests/functional/demo.py" "$@"
fi
echo "Starting a node; ctrl-C ends it. In another terminal: ./run.sh cli -getinfo"
exec "$top/build/src/cloisterd" -printtoconsole "$@"
