"""A whole import in a memory that leaves the caches no more than they were
promised: the kernel kills who takes more.
"""

import json
import os
import subprocess

SLOW = True

MIB = 1 << 20
CACHE = 100
# Beside the caches: the process itself, blocks in the air.
LIMIT = CACHE + 64
# Twice as many coins as fit.
SCALE = 2


class MemoryLimit:
    """A control group; both versions of the interface."""

    PLACES = [("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
              ("/sys/fs/cgroup", "memory.max")]

    def __init__(self, size_bytes):
        self.dir = None
        for top, name in self.PLACES:
            path = os.path.join(top, "cloister-test-%d" % os.getpid())
            try:
                os.mkdir(path)
            except OSError:
                continue
            try:
                with open(os.path.join(path, name), "w") as f:
                    f.write(str(size_bytes))
                self.dir = path
                return
            except OSError:
                os.rmdir(path)

    def wrap(self, command):
        return ["/bin/sh", "-c", 'echo $$ >"$0"; exec "$@"',
                os.path.join(self.dir, "cgroup.procs")] + command

    def remove(self):
        os.rmdir(self.dir)


def make_chain(env):
    """Blocks without signatures; their facts."""
    subprocess.run(["make", "-s", "-C", env.builddir,
                    "tests/bench/bench_chain"], check=True)
    path = os.path.join(env.dir, "nosig.dat")
    out = subprocess.run([os.path.join(env.builddir, "tests", "bench",
                                       "bench_chain"), "nosig", path,
                          str(SCALE)], stdout=subprocess.PIPE, check=True)
    return path, json.loads(out.stdout)


def test_import_within_the_memory_it_was_given(env):
    limit = MemoryLimit(LIMIT * MIB)
    if not limit.dir:
        env.skip("no right to make a control group")
    path, facts = make_chain(env)
    n = env.offline(args=["-dbcache=%d" % CACHE, "-loadblock=" + path])
    plain = n.command
    n.command = lambda *extra: limit.wrap(plain(*extra))
    try:
        n.start("-stopafterblockimport", wait=False)
        assert n.wait_exit(300) == 0, n.stderr() + n.log()[-2000:]
    finally:
        n.kill()
        os.unlink(path)
        limit.remove()
    assert "height=%d" % facts["blocks"] in n.log()
    assert "died" not in n.log(), n.log()[-2000:]
