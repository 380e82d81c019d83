"""Flipped bits in each kind of file: told by checksums, located, and repaired
by fetching or making anew only what is damaged; else the message has the
command to run."""

import glob
import os

from harness.damage import flip
from harness.node import wait_until
from harness.regtest import mine_with_spends
from harness.rpc import RpcError

BLOCKS = 200


def blocks_file(n, name="blk00000.dat"):
    return os.path.join(n.chaindir, "blocks", name)


def content(path):
    with open(path, "rb") as f:
        return f.read()


def dial(a, b):
    a.rpc.addnode("127.0.0.1:%d" % b.p2p_port, "onetry")
    wait_until(lambda: a.rpc.getpeerinfo(), 30, text="%s dials" % a.name)


def unreadable(n):
    """Heights of blocks that cannot be shown."""
    out = []
    for h in range(n.height() + 1):
        try:
            n.rpc.getblock(n.rpc.getblockhash(h), 0)
        except RpcError as e:
            assert "blk00000.dat" in str(e), e
            out.append(h)
    return out


def pair(env):
    """Two nodes with one chain, and the second one's block file damaged."""
    a = env.plain("a").start()
    mine_with_spends(a, BLOCKS)
    b = env.plain("b").start()
    dial(b, a)
    b.wait_tip(a.tip())
    b.stop()
    sound = content(blocks_file(b))
    flip(blocks_file(b), 0.5)
    return a, b, sound


def test_damaged_block_is_fetched_again(env):
    a, b, sound = pair(env)
    b.start()
    bad = unreadable(b)
    assert len(bad) == 1 and 0 < bad[0] < BLOCKS, bad
    assert unreadable(b) == bad         # and it goes on
    assert "will be asked of peers again" in b.log()
    dial(b, a)
    wait_until(lambda: not unreadable(b), 60, text="the block is fetched")
    assert "height %d is mended" % bad[0] in b.log()
    assert content(blocks_file(b)) == sound
    assert b.muhash() == a.muhash()
    assert len(b.rpc.getchaintips()) == 1
    b.restart()
    assert not unreadable(b)
    b.stop()
    a.stop()


def test_damaged_block_is_not_passed_on(env):
    a, b, sound = pair(env)
    b.start()
    c = env.plain("c").start()
    dial(c, b)
    wait_until(lambda: "will be asked of peers again" in b.log(), 60)
    wait_until(lambda: 50 < c.height() < BLOCKS, 60)
    assert c.height() < BLOCKS and "invalid" not in c.log()
    # As soon as one of them has it, all have.
    dial(b, a)
    wait_until(lambda: content(blocks_file(b)) == sound, 60)
    dial(c, a)
    c.wait_tip(a.tip())
    assert c.muhash() == a.muhash()
    for n in (a, b, c):
        n.stop()


def chain(env):
    n = env.offline("node").start()
    mine_with_spends(n, BLOCKS)
    state = n.tip(), n.muhash()
    # Its logs become tables.
    n.restart()
    n.stop()
    return n, state


def tables(n, *path):
    return glob.glob(os.path.join(n.chaindir, *path, "*.ldb"))


def ends_saying(n, *words):
    n.start(wait=False)
    try:
        n.wait_rpc()
        n.rpc.gettxoutsetinfo("muhash")
        for h in range(n.height(), 0, -1):
            n.rpc.getblock(n.rpc.getblockhash(h), 2)
    except (OSError, AssertionError, RpcError):
        pass
    assert n.wait_exit() == 1
    err = n.stderr()
    assert err.count("Error: ") == 1, err
    for w in words:
        assert w in err, (w, err)
    assert "is invalid" not in n.log()
    os.unlink(n.err_path)


def mends(n, state, option):
    """What the message said to do."""
    n.start(option)
    wait_until(lambda: n.tip() == state[0], 120, text=option)
    assert n.muhash() == state[1]
    for h in range(1, n.height() + 1):
        n.rpc.getblock(n.rpc.getblockhash(h), 3)
    n.restart()
    assert (n.tip(), n.muhash()) == state
    n.stop()


def test_damaged_coins(env):
    n, state = chain(env)
    for f in tables(n, "chainstate"):
        flip(f, 0.3)
    ends_saying(n, os.path.join(n.chaindir, "chainstate"),
                "start with -reindex-chainstate")
    mends(n, state, "-reindex-chainstate")


def test_damaged_index(env):
    n, state = chain(env)
    for f in tables(n, "blocks", "index"):
        flip(f, 0.3)
    ends_saying(n, os.path.join(n.chaindir, "blocks", "index"),
                "start with -reindex")
    mends(n, state, "-reindex")


def test_torn_end_of_a_manifest(env):
    """As a power cut leaves it; mended behind the node's walls."""
    n, state = chain(env)
    for path in ("chainstate",), ("blocks", "index"):
        with open(os.path.join(n.chaindir, *path, "CURRENT")) as f:
            name = os.path.join(n.chaindir, *path, f.read().strip())
        # A record of 40 bytes that is zeros, but for its head.
        with open(name, "ab") as f:
            f.write(b"\1\2\3\4" + b"\x28\0" + b"\1" + b"\0" * 40)
    n.start()
    assert (n.tip(), n.muhash()) == state
    assert n.log().count("the last record was not written to its end") == 2
    n.stop()


def test_damaged_log_of_the_coins(env):
    """As after a power cut: what cannot be read was never written."""
    n = env.offline("node").start()
    mine_with_spends(n, BLOCKS)
    state = n.tip(), n.muhash()
    n.stop()
    log, = (f for f in glob.glob(os.path.join(n.chaindir, "chainstate",
                                              "*.log"))
            if os.path.getsize(f))
    flip(log, 0.6)
    n.start()
    wait_until(lambda: n.tip() == state[0], 60)
    assert n.muhash() == state[1]
    assert "was not closed cleanly" in n.log()
    n.stop()


def test_damaged_undo_data(env):
    n, state = chain(env)
    flip(blocks_file(n, "rev00000.dat"), 0.5)
    ends_saying(n, blocks_file(n, "rev00000.dat"),
                "start with -reindex-chainstate")
    mends(n, state, "-reindex-chainstate")


def test_damaged_small_files(env):
    """Set aside or left out, told, and made anew."""
    for name in ("peers.dat", "anchors.dat", "mempool.dat"):
        n = env.offline(name.split(".")[0]).start()
        n.stop()
        paths = [os.path.join(n.chaindir, d, name) for d in ("node", "")]
        path = next((p for p in paths if os.path.exists(p)), paths[0])
        with open(path, "wb") as f:
            f.write(os.urandom(300))
        n.start()
        assert name in n.log(), name
        n.stop()
        n.start()
        n.stop()
