#!/bin/bash
# Install what is missing, build, and run the tests.
#
#   ./test.sh           what every commit must pass (minutes)
#   ./test.sh --full    also with sanitizers, and the slow tests
#
# The last line is `N passed, N failed, N skipped`.
set -u
top=$(cd "$(dirname "$0")" && pwd)
. "$top/conf/build.sh"
full=0
case "${1:-}" in
"") ;;
--full) full=1 ;;
*) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac

passed=0 failed=0 skipped=0
count() { # passed failed skipped
	passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}
finish() {
	echo
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ] && exit 0
	exit 1
}
fail() { echo "FAIL: $1"; count 0 1 0; finish; }
# Sum of the numbers that a cmocka line such as `[  PASSED  ] 3 test(s)` has.
sum_of() { sed -nE "s/^\[ +$1 +\] ([0-9]+) test\(s\).*/\1/p" "$2" | awk '{n += $1} END {print n + 0}'; }

# lint DIR
lint() {
	for c in layers size source; do
		if "$top/tests/lint/check-$c" "$top"; then count 1 0 0
		else echo "FAIL lint: check-$c"; count 0 1 0; fi
	done
	for c in pure man warden; do
		if "$top/tests/lint/check-$c" "$1"; then count 1 0 0
		else echo "FAIL lint: check-$c"; count 0 1 0; fi
	done
}

# unit DIR
unit() {
	for t in "$1"/tests/unit/test_*; do
		[ -f "$t" ] && [ -x "$t" ] || continue
		out=$1/$(basename "$t").out
		(cd "$1" && srcdir="$top" timeout 900 "$t") >"$out" 2>&1
		status=$?
		p=$(sum_of PASSED "$out") f=$(sum_of FAILED "$out") s=$(sum_of SKIPPED "$out")
		if [ $status != 0 ] && [ "$f" = 0 ]; then f=1; fi
		# A program that checked nothing is a defect.
		if [ $((p + f + s)) = 0 ]; then f=1; fi
		count "$p" "$f" "$s"
		echo "unit $(basename "$t"): $p passed, $f failed, $s skipped"
		grep -aE '^vectors: ' "$out"
		if [ "$f" != 0 ]; then tail -n 60 "$out"; fi
	done
}

# fuzz_replay DIR: known fuzz inputs, one test per target.
fuzz_replay() {
	"$top/tests/fuzz/replay.sh" "$1" 2>&1 | tee "$1/fuzz-replay.out"
	line=$(grep -E '^fuzz replay: [0-9]+ targets' "$1/fuzz-replay.out" | tail -n 1)
	if [ -z "$line" ]; then echo "FAIL: fuzz inputs were not replayed"; count 0 1 0; return; fi
	# shellcheck disable=SC2046
	count $(echo "$line" | sed -E 's/.*: //; s/[^0-9 ]//g')
}

# oracles DIR: compare with other people's programs.
oracles() {
	"$top/tests/oracles/run.sh" "$1" 2>&1 | tee "$1/oracles.out"
	line=$(grep -E '^oracles: [0-9]+ passed' "$1/oracles.out" | tail -n 1)
	if [ -z "$line" ]; then echo "FAIL: the oracles did not finish"; count 0 1 0; return; fi
	# shellcheck disable=SC2046
	count $(echo "$line" | sed -E 's/[^0-9 ]//g')
}

# functional DIR ARGUMENT…
functional() {
	dir=$1
	shift
	out=$dir/functional.out
	CLOISTER_BUILD=$dir python3 "$top/tests/functional/run.py" "$@" 2>&1 | tee "$out"
	line=$(grep -E '^functional: ' "$out" | tail -n 1)
	if [ -z "$line" ]; then echo "FAIL: functional tests did not finish"; count 0 1 0; return; fi
	# shellcheck disable=SC2046
	count $(echo "$line" | sed -E 's/[^0-9 ]//g')
}

# shellcheck disable=SC2086
need_packages $packages_run $packages_test || fail "packages"
build_targets="all check_programs"

echo "== build"
build "$top/build" --enable-dev || fail "build"
echo "== lint"
lint "$top/build"
echo "== unit tests"
unit "$top/build"
echo "== fuzz inputs"
fuzz_replay "$top/build"
echo "== functional tests"
if [ $full = 1 ]; then functional "$top/build" --full
else functional "$top/build"; fi

if [ $full = 1 ]; then
	echo "== independent oracles"
	oracles "$top/build"
	echo "== unit and functional tests with AddressSanitizer and UndefinedBehaviorSanitizer"
	build "$top/build-asan" --enable-dev --enable-asan || fail "build with sanitizers"
	unit "$top/build-asan"
	fuzz_replay "$top/build-asan"
	functional "$top/build-asan"
fi
finish
