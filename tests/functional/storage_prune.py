"""Pruning: what is removed, what is kept, what is said, and to whom."""

import os

from harness.node import Node, wait_until
from harness.peer import MSG_WITNESS_BLOCK, Peer, inv_payload
from harness.primitives import rev
from harness.regtest import mine, mine_with_spends
from harness.rpc import RpcError

FAST = ["-fastprune", "-prune=1"]


def error(call, *args):
    try:
        call(*args)
    except RpcError as e:
        return e.code, e.message
    raise AssertionError("no error")


def block_files(n):
    return sorted(f for f in os.listdir(os.path.join(n.chaindir, "blocks"))
                  if f.startswith(("blk", "rev")))


def refuses_to_start(n, args, *words):
    """The start ends with one line."""
    os.truncate(n.err_path, 0)
    n.start(*args, wait=False)
    assert n.wait_exit() == 1
    n.proc = None
    for w in words:
        assert w in n.stderr(), n.stderr()


def test_by_hand(env):
    n = env.plain(args=FAST).start()
    rpc = n.rpc
    mine(n, 99)
    assert error(rpc.pruneblockchain, 10) == (
        -1, "Blockchain is too short for pruning.")
    mine_with_spends(n, 800)
    info = rpc.getblockchaininfo()
    assert info["pruned"] and info["pruneheight"] == 0, info
    assert info["automatic_pruning"] is False
    assert "prune_target_size" not in info
    assert error(rpc.pruneblockchain, -1) == (-8, "Negative block height.")
    assert error(rpc.pruneblockchain, 900) == (
        -8, "Blockchain is shorter than the attempted prune height.")
    assert error(rpc.pruneblockchain, 2000000000) == (
        -8, "Could not find block with at least the specified timestamp.")
    assert rpc.pruneblockchain(0) == -1
    size, muhash = info["size_on_disk"], n.muhash()

    last = rpc.pruneblockchain(450)
    assert 100 < last <= 450, last
    info = rpc.getblockchaininfo()
    assert info["pruneheight"] == last + 1, info
    assert info["size_on_disk"] < size
    files = block_files(n)
    assert "blk00000.dat" not in files and "rev00000.dat" not in files, files

    gone, kept = rpc.getblockhash(last), rpc.getblockhash(last + 1)
    for verbosity in 0, 1, 2:
        assert error(rpc.getblock, gone, verbosity) == (
            -1, "Block not available (pruned data)")
    txid = rpc.getblock(kept)["tx"][0]
    assert error(rpc.getrawtransaction, txid, 1, gone) == (
        -1, "Block not available")
    assert rpc.getblockheader(gone)["height"] == last
    assert rpc.getblock(kept, 3)["height"] == last + 1

    # The newest 288 stay whatever is asked for.
    last = rpc.pruneblockchain(n.height())
    assert last <= n.height() - 288, last
    for height in range(n.height() - 288, n.height() + 1):
        rpc.getblock(rpc.getblockhash(height), 2)

    # The way back ends where the undo data does.
    code, text = error(rpc.invalidateblock, rpc.getblockhash(last))
    assert code == -20 and "pruned away" in text, text
    assert n.muhash() == muhash
    state = (n.height(), rpc.getblockchaininfo()["pruneheight"], muhash)
    n.restart()
    assert state == (n.height(), rpc.getblockchaininfo()["pruneheight"],
                     n.muhash())
    n.kill()
    # What an interrupted pruning left is removed.
    with open(os.path.join(n.chaindir, "blocks", "blk00000.dat"), "w") as f:
        f.write("left")
    n.start()
    assert state == (n.height(), rpc.getblockchaininfo()["pruneheight"],
                     n.muhash())
    assert "blk00000.dat" not in block_files(n)
    mine(n, 3)
    n.stop()

    n.args.remove("-prune=1")
    refuses_to_start(n, [], "You need to rebuild the database using -reindex to "
                     "go back to unpruned mode.  This will redownload the "
                     "entire blockchain")
    assert not os.path.exists(os.path.join(n.chaindir, "blocks",
                                           "blk00000.dat"))


def test_what_peers_get(env):
    n = env.plain(args=FAST).start()
    mine(n, 400)
    info = n.rpc.getnetworkinfo()
    assert info["localservices"] == "0000000000000408", info
    assert info["localservicesnames"] == ["WITNESS", "NETWORK_LIMITED"], info
    peer = Peer(n.p2p_port)

    def ask(height):
        peer.send("getdata", inv_payload([
            (MSG_WITNESS_BLOCK, rev(n.rpc.getblockhash(height)))]))
        while True:
            command, _ = peer.receive()
            if command in ("block", "notfound"):
                return command

    # Stored, but more than a limited node promises.
    assert n.rpc.getblock(n.rpc.getblockhash(100))["height"] == 100
    assert ask(100) == "notfound"
    assert ask(400 - 290) == "block"
    assert ask(400) == "block"
    peer.close()
    n.stop()


def test_by_size(env):
    # 6 KB of script in each block: 64 KiB files of ten blocks.
    n = env.offline(args=["-fastprune", "-prune=2"]).start()
    big = "raw(51%s)" % ("61" * 6000)
    info = n.rpc.getblockchaininfo()
    assert info["automatic_pruning"] is True
    assert info["prune_target_size"] == 2 << 20
    n.rpc.generatetodescriptor(300, big)
    assert n.rpc.getblockchaininfo()["pruneheight"] == 0
    seen = 0
    for _ in range(6):
        n.rpc.generatetodescriptor(100, big)
        info = n.rpc.getblockchaininfo()
        assert info["pruneheight"] >= seen
        seen = info["pruneheight"]
        assert n.height() - seen >= 287, info
        assert info["size_on_disk"] < (2 << 20) + (1 << 17), info
        on_disk = sum(os.path.getsize(os.path.join(n.chaindir, "blocks", f))
                      for f in block_files(n))
        assert abs(on_disk - info["size_on_disk"]) < 4096, (on_disk, info)
    assert seen > 200, seen
    muhash = n.muhash()
    n.kill()
    n.start()
    # Coins are never behind what was removed: what a crash took from memory
    # is made again from blocks that are there.
    wait_until(lambda: n.height() == 900, text="all blocks again")
    assert n.muhash() == muhash
    n.stop()


def test_a_branch_whose_blocks_are_gone_is_fetched_again(env):
    """A branch was left, its blocks pruned; it grows longer than ours."""
    a = env.plain("a", args=FAST).start()
    b = env.plain("b").start()
    mine(a, 120)
    for h in range(1, 121):
        b.rpc.submitblock(a.rpc.getblock(a.rpc.getblockhash(h), 0))
    b.rpc.generatetodescriptor(5, "raw(52)")
    branch = [b.rpc.getblockhash(h) for h in range(121, 126)]
    mine(a, 3)
    for h in branch:                  # now a knows both, and takes the longer
        a.rpc.submitblock(b.rpc.getblock(h, 0))
    assert a.tip() == branch[-1]
    a.rpc.invalidateblock(branch[0])
    mine(a, 500)
    a.rpc.reconsiderblock(branch[0])
    assert a.height() == 623
    last = a.rpc.pruneblockchain(330)
    assert last > 125, last
    assert error(a.rpc.getblock, branch[0]) == (
        -1, "Block not available (pruned data)")
    a.restart()
    b.rpc.generatetodescriptor(503, "raw(52)")
    assert b.height() == 628
    tip = a.tip()
    a.rpc.addnode("127.0.0.1:%d" % b.p2p_port, "onetry")
    # Its blocks come again; but the way to it leads through undo data that
    # is pruned, and that ends the node, with a reason and no verdict.
    assert a.wait_exit(90) == 1
    assert "pruned away; start with -reindex" in a.stderr(), a.stderr()
    assert "is invalid" not in a.log()
    a.start()
    assert a.tip() == tip
    a.cleanup()
    b.stop()


def test_options(env):
    for args, words in (
            (["-prune=100"], "Prune configured below the minimum of 550 MiB."
             "  Please use a higher number."),
            (["-prune=-1"],
             "Prune cannot be configured with a negative value."),
            (["-prune=x"], "whole number"),
            (["-chain=signet", "-fastprune"], "regtest only")):
        n = Node.offline(env.dir, "opt", args=args)
        n.start(wait=False)
        assert n.wait_exit() == 1
        assert words in n.stderr(), n.stderr()
    n = env.offline("full").start()
    assert error(n.rpc.pruneblockchain, 1) == (
        -1, "Cannot prune blocks because node is not in prune mode.")
    info = n.rpc.getblockchaininfo()
    assert info["pruned"] is False and "pruneheight" not in info
    n.stop()
