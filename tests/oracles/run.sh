#!/bin/bash
# Compare the consensus library with other people's programs.  For the full
# tests only: installs Debian's python3-bitcoinlib, and packages of node in
# BUILDDIR/oracles.  What cannot be installed is skipped.
#
# usage: run.sh BUILDDIR      ORACLES_SEED=N: other random cases
#
# The last line is `oracles: N passed, N failed, N skipped`.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=$(cd "${1:-.}" && pwd) || exit 2
. "$top/conf/build.sh"
export ORACLES_SEED="${ORACLES_SEED:-1}" ORACLE_CLI="$build/tests/oracles/oracle_cli"
export CLOISTER_BUILD="$build" NODE_PATH="$build/oracles/node_modules"
passed=0 failed=0 skipped=0

skip() { # reason, programs
	echo "oracles: skipped, $1"
	skipped=$((skipped + $2))
}
oracle() { # command…
	out=$build/oracles/$(basename "$2").out
	timeout 600 "$@" >"$out" 2>&1
	cat "$out"
	line=$(grep -E '^oracle [^:]*: [0-9]+ passed' "$out" | tail -n 1)
	if [ -z "$line" ]; then
		echo "FAIL oracles: $(basename "$2") did not finish"
		failed=$((failed + 1))
		return
	fi
	# shellcheck disable=SC2046
	set -- $(echo "$line" | sed -E 's/.*: //; s/[^0-9 ]//g')
	passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}
have_bitcoinlib() { /usr/bin/python3 -c 'import bitcoin.core' 2>/dev/null; }
have_node() { command -v node >/dev/null && command -v npm >/dev/null; }
# Installed before and the list has not changed: nothing to do, nobody to ask.
have_modules() { cmp -s "$here/package.json" "$build/oracles/package.json" && [ -d "$NODE_PATH" ]; }
install_modules() {
	rm -rf "$NODE_PATH"
	cp "$here/package.json" "$build/oracles/package.json"
	(cd "$build/oracles" && timeout 300 npm install --no-audit --no-fund \
		--no-package-lock --ignore-scripts >npm.out 2>&1) && return 0
	rm -f "$build/oracles/package.json"
	return 1
}

[ -x "$ORACLE_CLI" ] || { echo "oracles: $ORACLE_CLI is not built" >&2; exit 2; }
mkdir -p "$build/oracles"
echo "oracles: seed $ORACLES_SEED"
have_bitcoinlib || need_packages python3-bitcoinlib
if have_bitcoinlib; then oracle /usr/bin/python3 "$here/bitcoinlib.py"
else skip "no python3-bitcoinlib" 1; fi

have_node || need_packages nodejs npm
if ! have_node; then skip "no node with npm" 4
elif ! have_modules && ! install_modules; then skip "npm install failed (oracles/npm.out)" 4
else
	oracle node "$here/bitcoinjs.js"
	oracle node "$here/bitcoinjs_spend.js"
	oracle node "$here/bitcoinjs_node.js"
	oracle node "$here/bitcore.js"
fi
echo "oracles: $passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
