"""Runs the power-cut simulator of tests/crash."""

import os
import subprocess
import tempfile


def power_cuts(env, states, seed=1, *options):
    """So many states of the workload made from a seed."""
    sim = os.path.join(env.builddir, "tests", "crash", "crash_sim")
    tap = os.path.join(env.builddir, "tests", "crash", "tap.so")
    if not (os.path.exists(sim) and os.path.exists(tap)):
        env.skip("tests/crash is not built (make check_programs)")
    # Thousands of small files, synced all the time: memory, if there is any.
    base = "/dev/shm" if os.path.isdir("/dev/shm") else env.dir
    with tempfile.TemporaryDirectory(prefix="cl-cut-", dir=base) as d:
        p = subprocess.run(
            [sim, "--tap", tap, "--dir", d, "--states", str(states),
             "--seed", str(seed)] + list(options),
            env=dict(os.environ, TMPDIR=d), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    print(p.stdout, end="")
    assert p.returncode == 0, p.stdout + p.stderr[-2000:]
