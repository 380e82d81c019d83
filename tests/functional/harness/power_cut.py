"""Runs the power-cut simulator of tests/crash."""

import os
import subprocess
import tempfile


def program(env, name):
    path = os.path.join(env.builddir, "tests", "crash", name)
    if not os.path.exists(path):
        env.skip("%s is not built (make check_programs)" % path)
    return path


def small_files():
    """Where thousands of small files are cheap, if there is such a place."""
    return "/dev/shm" if os.path.isdir("/dev/shm") else None


def power_cuts(env, states, seed=1, *options):
    """So many states of the workload made from a seed."""
    sim, tap = program(env, "crash_sim"), program(env, "tap.so")
    with tempfile.TemporaryDirectory(prefix="cl-cut-",
                                     dir=small_files()) as d:
        p = subprocess.run(
            [sim, "--tap", tap, "--dir", d, "--states", str(states),
             "--seed", str(seed)] + list(options),
            env=dict(os.environ, TMPDIR=d, ASAN_OPTIONS="detect_leaks=0"),
            text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    print(p.stdout, end="")
    assert p.returncode == 0, p.stdout + p.stderr[-2000:]


class Chain:
    """A regtest chain with re-organisations in a file to import, and where
    it leads."""

    def __init__(self, env, blocks, seed=1):
        self.path = os.path.join(env.dir, "blocks.dat")
        subprocess.run([program(env, "crash_sim"), "--dir", env.dir,
                        "--chain", str(blocks), "--seed", str(seed)],
                       check=True, env=dict(os.environ, TMPDIR=env.dir))
        with open(os.path.join(env.dir, "expect")) as f:
            self.tip, self.muhash = f.read().split()
