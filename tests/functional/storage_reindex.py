"""Index and coins made again from the block files, interrupted or not."""

import hashlib
import os
import random
import shutil
import time

from chain_import import FULL, MAIN_MUHASH, MAIN_TIP
from harness.node import wait_until
from harness.regtest import mine, mine_with_spends
from storage_prune import refuses_to_start

SEED = os.environ.get("CLOISTER_TEST_SEED") or str(random.randrange(10**9))


def files(n, kind="blk"):
    """{name: SHA-256 of its bytes}"""
    out = {}
    base = os.path.join(n.chaindir, "blocks")
    for name in os.listdir(base):
        if name.startswith(kind):
            with open(os.path.join(base, name), "rb") as f:
                out[name] = hashlib.sha256(f.read()).hexdigest()
    return out


def reindexed(n):
    wait_until(lambda: not os.path.exists(
        os.path.join(n.chaindir, "blocks", "rebuilding")), 120,
        text="the index is rebuilt")


def state(n):
    return n.height(), n.tip(), n.muhash()


def test_reindex(env):
    n = env.offline(args=["-fastprune"]).start()
    mine_with_spends(n, 500)
    # A branch that was left belongs to the index, too.
    left = n.rpc.getblockhash(497)
    n.rpc.invalidateblock(left)
    n.rpc.generatetodescriptor(6, "raw(52)")
    n.rpc.reconsiderblock(left)
    assert n.height() == 502
    before, tips = state(n), n.rpc.getchaintips()
    n.stop()
    blocks, undo = files(n), files(n, "rev")
    assert len(blocks) > 2, blocks
    n.start("-reindex")
    reindexed(n)
    assert state(n) == before
    assert sorted(t["height"] for t in n.rpc.getchaintips()) == \
        sorted(t["height"] for t in tips)
    for h in range(0, 503):
        n.rpc.getblock(n.rpc.getblockhash(h), 2)
    n.restart()
    assert state(n) == before
    assert files(n) == blocks, "block files are as they were"
    assert set(files(n, "rev")) == set(undo)
    mine(n, 300)
    before = state(n)
    n.kill()
    n.start()
    wait_until(lambda: n.height() == before[0])
    # What an unfinished flush left off is mined again below; first rebuild.
    n.restart("-reindex")
    reindexed(n)
    assert state(n) == before
    n.stop()


def test_reindex_chainstate(env):
    n = env.offline().start()
    mine_with_spends(n, 300)
    before = state(n)
    n.restart("-reindex-chainstate")
    wait_until(lambda: n.height() == before[0])
    assert state(n) == before
    n.kill()
    n.start()
    wait_until(lambda: n.height() == before[0])
    assert state(n) == before
    n.stop()


def core_directory(env, name):
    """The reference node's blocks/ in a data directory of ours."""
    src = env.vectors("coredir")
    n = env.offline(name, chain="main", args=FULL)
    blocks = os.path.join(n.chaindir, "blocks")
    os.makedirs(blocks)
    os.chmod(n.datadir, 0o700)
    for f in ("blk00000.dat", "rev00000.dat", "xor.dat"):
        shutil.copy(os.path.join(src, f), blocks)
        os.chmod(os.path.join(blocks, f), 0o600)
    return n


def test_blocks_of_the_reference_node(env):
    n = core_directory(env, "node")
    n.start(wait=False)
    assert n.wait_exit() == 1
    assert "start with -reindex" in n.stderr()
    blocks, undo = files(n), files(n, "rev")
    n.start("-reindex", "-stopafterblockimport", wait=False)
    assert n.wait_exit(120) == 0, n.stderr()
    # Undo data comes out as the reference node wrote it.
    assert files(n) == blocks
    assert files(n, "rev") == undo
    n.start()
    assert (n.height(), n.tip()) == (4312, MAIN_TIP)
    assert n.muhash() == MAIN_MUHASH
    n.stop()


def test_killed_again_and_again(env):
    rng = random.Random(SEED)
    n = core_directory(env, "node")
    blocks = files(n)
    seen = []
    for i in range(20):
        if i % 5 == 0:
            n.start("-reindex", wait=False)
            wait_until(lambda: any(os.path.exists(os.path.join(
                n.chaindir, "blocks", f)) for f in ("rebuilding", "index")),
                step=0.002, text="it has begun")
        else:
            n.start(wait=False)
        time.sleep(rng.uniform(0.01, 0.07))
        n.kill()
        seen.append(os.path.exists(
            os.path.join(n.chaindir, "blocks", "rebuilding")))
    n.start()
    reindexed(n)
    assert (n.height(), n.tip()) == (4312, MAIN_TIP), (SEED, n.height())
    assert n.muhash() == MAIN_MUHASH, SEED
    assert files(n) == blocks, SEED
    assert any(seen), "never interrupted (seed %s)" % SEED
    n.stop()


def test_interrupted_while_it_deletes(env):
    n = env.offline().start()
    mine_with_spends(n, 150)
    before = state(n)
    n.stop()
    shutil.rmtree(os.path.join(n.chaindir, "blocks", "index"))
    with open(os.path.join(n.chaindir, "blocks", "rebuilding"), "w") as f:
        f.write("wipe\n")
    n.start()
    reindexed(n)
    assert state(n) == before
    n.stop()


def test_pruned(env):
    a = env.offline(args=["-fastprune", "-prune=1"]).start()
    mine(a, 700)
    assert a.rpc.pruneblockchain(400) > 100
    a.stop()
    refuses_to_start(a, ["-reindex-chainstate"], "Prune mode is incompatible "
                     "with -reindex-chainstate. Use full -reindex instead.")
    a.args.remove("-prune=1")
    refuses_to_start(a, ["-reindex-chainstate"],
                     "rebuild the database using -reindex")
    a.args.append("-prune=1")
    a.start()
    assert a.height() == 700, "nothing was deleted by that"
    a.stop()
    a.start("-reindex")
    reindexed(a)
    assert a.height() == 0
    assert sorted(files(a)) == ["blk00000.dat"], files(a)
    info = a.rpc.getblockchaininfo()
    assert info["pruned"] and info["pruneheight"] == 0
    mine(a, 5)
    a.restart()
    assert a.height() == 5
    a.stop()
