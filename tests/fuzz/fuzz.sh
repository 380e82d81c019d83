#!/bin/sh
# Let libFuzzer look for new inputs, each target for so many seconds, and say
# what it found.  Inputs are kept in fuzz-corpus/TARGET of the build; one that
# breaks a target stands there too, and ends the run.
#
# usage: fuzz.sh SECONDS TARGET…
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/fuzz/corpus.sh"
seconds=$1
shift
corpus_unpack || corpus=
stat_of() { sed -n "s/^stat::$1: *//p" "$2"; }
for t in "$@"; do
	name=$(basename "$t")
	dir=fuzz-corpus/$name
	mkdir -p "$dir"
	# shellcheck disable=SC2086
	"./$t" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=20 \
		-detect_leaks=1 -print_final_stats=1 \
		-artifact_prefix="fuzz-corpus/$name-" \
		"$dir" $corpus >"$dir.log" 2>&1
	status=$?
	echo "fuzz $name: $(stat_of number_of_executed_units "$dir.log") executions, $(stat_of new_units_added "$dir.log") new inputs"
	if [ $status != 0 ]; then
		grep -aE 'ERROR|SUMMARY|Test unit|check failed' "$dir.log"
		echo "FAIL fuzz $name: all of it is in $dir.log" >&2
		exit 1
	fi
done
