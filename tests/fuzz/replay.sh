#!/bin/sh
# Run every fuzz input this machine has through every fuzz target, once.
# Targets built without libFuzzer do this by themselves (replay.c).
#
# usage: replay.sh [BUILDDIR]
#
# The last line is `fuzz replay: N targets, N inputs: N passed, N failed,
# N skipped`.  Without inputs all targets are skipped (exit 77).
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "${1:-.}" && pwd) || exit 2
. "$top/tests/fuzz/corpus.sh"
# Two words that clang's and gcc's sanitizers both know.
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1}"

targets=0 passed=0 failed=0 skipped=0 inputs=0
corpus_unpack && inputs=$(find "$corpus" -type f | wc -l)
for t in "$build"/tests/fuzz/fuzz_*; do
	[ -f "$t" ] && [ -x "$t" ] || continue
	targets=$((targets + 1))
	if [ "$inputs" = 0 ]; then
		skipped=$((skipped + 1))
	elif "$t" -runs=0 -rss_limit_mb=2048 -timeout=20 "$corpus" \
		>"$t.out" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL fuzz replay: $(basename "$t"), at the input"
		"$t" -v "$corpus" 2>&1 | tail -n 40
	fi
done
if [ "$inputs" = 0 ]; then echo "fuzz replay: no $corpus_file"; fi
echo "fuzz replay: $targets targets, $inputs inputs: $passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] || exit 1
[ "$targets" != 0 ] || exit 1
[ "$inputs" != 0 ] || exit 77
