#!/usr/bin/env python3
"""Summarise gcov's branch counts of some folders of sources.

usage: branches.py [--min PERCENT] [--list] BUILDDIR FOLDER...

Run it after the tests, on a build configured with --enable-coverage.  A
branch is one way out of a condition, as gcov counts them.  --list names every
branch that no test took.  Exits 1 below PERCENT.
"""
import argparse
import collections
import glob
import json
import os
import subprocess
import sys


def records(build, folder):
    """gcov's JSON for every object whose source is in the folder."""
    for name in sorted(glob.glob(os.path.join(build, folder, "*.gcda"))):
        out = subprocess.run(["gcov", "-b", "-j", "-t", name], check=True,
                             stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, cwd=build).stdout
        for line in out.splitlines():
            yield json.loads(line)


def collect(build, folders):
    """{source: {(line, branch): [count, text]}} and {source: {line: count}}."""
    branches = collections.defaultdict(dict)
    lines = collections.defaultdict(dict)
    for folder in folders:
        for record in records(build, folder):
            for f in record["files"]:
                path = os.path.normpath(os.path.join(
                    record["current_working_directory"], f["file"]))
                at = path.rfind("/" + folder + "/")
                if at < 0:
                    continue
                merge(branches[path[at + 1:]], lines[path[at + 1:]], f, path)
    return branches, lines


def merge(branches, lines, f, path):
    with open(path, encoding="utf-8") as source:
        text = source.read().splitlines()
    for line in f["lines"]:
        n = line["line_number"]
        lines[n] = lines.get(n, 0) + line["count"]
        for i, branch in enumerate(line["branches"]):
            old = branches.setdefault((n, i), [0, text[n - 1].strip()])
            old[0] += branch["count"]


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--min", type=float, default=0)
    p.add_argument("--list", action="store_true")
    p.add_argument("build")
    p.add_argument("folder", nargs="+")
    a = p.parse_args()
    branches, lines = collect(a.build, a.folder)
    if not lines:
        sys.exit("branches.py: no counts: run the tests first")
    sums = [0, 0, 0, 0]
    missed = []
    print("%-42s %15s %15s" % ("file", "lines", "branches"))
    for path in sorted(lines):
        run = sum(1 for c in lines[path].values() if c)
        b = branches[path]
        taken = sum(1 for k in b if b[k][0])
        print("%-42s %7d /%6d %7d /%6d" % (path, run, len(lines[path]),
                                          taken, len(b)))
        sums = [s + v for s, v in zip(sums, (run, len(lines[path]), taken,
                                             len(b)))]
        missed += ["%s:%d: branch %d: %s" % (path, n, i, b[n, i][1])
                   for n, i in sorted(b) if b[n, i][0] == 0]
    percent = 100.0 * sums[2] / max(sums[3], 1)
    print("%-42s %7d /%6d %7d /%6d  %.1f %% of branches" %
          ("all", *sums, percent))
    if a.list:
        print("\n".join(missed))
    if percent < a.min:
        sys.exit("branches.py: %.1f %% of branches, less than %g %%" %
                 (percent, a.min))


if __name__ == "__main__":
    main()
