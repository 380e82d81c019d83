"""A disk that fails: the node ends with one line that names the file and the
cause, marks nothing invalid, and goes on when the fault is gone."""

import os

from harness.node import wait_until
from harness.peer import onion_of
from harness.power_cut import Chain
from harness.tap import (BUS, CHANGES, CREATE, EIO, ENOSPC, EROFS, OPEN, READ,
                         RENAME, SHORT, SYNC, WRITE, Tap, cause)

BLOCKS = 1200

# (calls, error, part of the path, after so many calls)
FAULTS = [
    (WRITE, ENOSPC, "blocks/blk", 700),
    (WRITE, EIO, "blocks/rev", 90),
    (WRITE, ENOSPC, "chainstate/0", 3),
    (WRITE, EIO, "blocks/index/0", 1),
    (WRITE, ENOSPC, "MANIFEST", 1),
    (SYNC, EIO, "blocks/blk", 0),
    (SYNC, EIO, "blocks/rev", 0),
    (SYNC, EIO, "blocks/index", 3),
    (SYNC, EIO, "chainstate", 8),
    (CREATE, EROFS, "blocks/rev", 0),
    (CHANGES, EROFS, "", 900),          # the disk becomes read-only
]
LATE_FAULTS = [                         # by the journal of a large flush
    (WRITE, ENOSPC, "flush.journal", 4),
    (SYNC, EIO, "flush.journal", 0),
    (WRITE, EIO, "chainstate/0", 20),
]

START_FAULTS = [                        # where logs become tables
    (CREATE, ENOSPC, ".ldb", 0),
    (WRITE, ENOSPC, ".ldb", 1),
    (SYNC, EIO, "MANIFEST", 0),
    (RENAME, EIO, "index/CURRENT", 0),
    (WRITE, EIO, "before-", 0),
]


def importer(env, name, chain, *args):
    n = env.offline(name, args=["-loadblock=" + chain.path] + list(args))
    return n, Tap(env, n)


def runs_into(n, tap, fault):
    """The node meets the fault on its way or at its end."""
    calls, error, path, skip = fault
    tap.arm(calls, error, path, skip)
    n.start(wait=False)
    try:
        n.wait_rpc()
        wait_until(lambda: n.proc.poll() is not None
                   or "import done" in n.log(), 120)
        n.rpc.stop()
    except (OSError, AssertionError):
        pass
    status = n.wait_exit(120)
    err = n.stderr()
    assert tap.hits() > 0, ("never met", fault, err)
    assert status == 1, (fault, status, err)
    tap.disarm()
    lines = [li for li in err.splitlines() if li.startswith("Error: ")]
    assert len(lines) == 1, (fault, err)
    assert cause(error) in lines[0], (fault, err)
    assert path.split("/")[0].rstrip("0") in lines[0], (fault, err)
    assert n.chaindir in lines[0], (fault, err)
    assert "is invalid" not in n.log(), fault
    os.unlink(n.err_path)


def goes_on(n, chain):
    n.start()
    wait_until(lambda: n.tip() == chain.tip, 120, text="the chain's tip")
    assert n.muhash() == chain.muhash
    assert all(t["status"] != "invalid" for t in n.rpc.getchaintips())
    n.stop()


def test_faults_while_importing(env):
    chain = Chain(env, BLOCKS)
    for i, fault in enumerate(FAULTS):
        n, tap = importer(env, "n%d" % i, chain, "-dbcache=4")
        runs_into(n, tap, fault)
        goes_on(n, chain)


def test_faults_in_a_large_flush(env):
    chain = Chain(env, 2000)
    for i, fault in enumerate(LATE_FAULTS):
        n, tap = importer(env, "n%d" % i, chain)
        runs_into(n, tap, fault)
        goes_on(n, chain)


def test_faults_at_the_start(env):
    chain = Chain(env, BLOCKS)
    n, tap = importer(env, "node", chain)
    for fault in START_FAULTS:
        goes_on(n, chain)
        runs_into(n, tap, fault)
    goes_on(n, chain)


def test_short_writes_are_continued(env):
    chain = Chain(env, BLOCKS)
    n, tap = importer(env, "node", chain, "-dbcache=4")
    tap.arm(WRITE, SHORT)
    goes_on(n, chain)
    assert tap.hits() > 1000


def test_failing_reads(env):
    chain = Chain(env, BLOCKS)
    n, tap = importer(env, "node", chain, "-dbcache=4")
    goes_on(n, chain)
    for calls, path in ((READ, "blocks/blk"), (OPEN, "blocks/blk"),
                        (READ, "chainstate/0"), (READ, "blocks/rev"),
                        (READ, "blocks/index/0"), (READ, "CURRENT")):
        tap.arm(calls, EIO, path)
        n.start(wait=False)
        assert n.wait_exit() == 1
        tap.disarm()
        err = n.stderr()
        assert err.startswith("Error: ") and cause(EIO) in err, (path, err)
        assert path.split("/")[-1] in err, (path, err)
        os.unlink(n.err_path)
    goes_on(n, chain)


def test_address_file_cannot_be_replaced(env):
    """Small state is worth a warning, and no more."""
    n = env.offline("node")
    tap = Tap(env, n)
    n.start()
    n.rpc.addpeeraddress(onion_of(b"somebody"), 8333)
    tap.arm(RENAME | WRITE, ENOSPC, "node/")
    n.stop()
    assert "peers.dat" in n.log() and cause(ENOSPC) in n.log()
    tap.disarm()
    n.start()
    n.stop()


def test_disk_fails_below_a_mapped_table(env):
    """LevelDB may read its tables through mappings: SIGBUS."""
    chain = Chain(env, BLOCKS)
    n, tap = importer(env, "node", chain, "-dbcache=4")
    goes_on(n, chain)
    n.start()
    tap.arm(READ, BUS, ".ldb")
    try:
        n.muhash()
    except OSError:
        pass
    assert n.wait_exit() == 1
    tap.disarm()
    err = n.stderr()
    assert err.startswith("Error: cannot read %s/chainstate/0" % n.chaindir)
    assert ".ldb: " in err and "bus error" in err, err
    assert "bus error" in n.log()
    os.unlink(n.err_path)
    goes_on(n, chain)
