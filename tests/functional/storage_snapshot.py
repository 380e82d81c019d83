"""Snapshots of the coins: written as the reference node writes them."""

import os
import threading

from chain_import import FULL, MAIN_SERIALIZED, MAIN_TIP, import_and_end
from harness.regtest import mine, mine_with_spends
from storage_prune import error


def dump_dir(n):
    return os.path.join(n.chaindir, "node")


def read(path):
    with open(path, "rb") as f:
        return f.read()


def test_dump_is_the_reference_nodes(env):
    n = env.offline(chain="main", args=FULL)
    import_and_end(n, env.vectors("chains", "mainnet-0-4312.blk00000.dat"))
    r = n.rpc.dumptxoutset("utxo.dat", "latest")
    path = os.path.join(dump_dir(n), "utxo.dat")
    assert r == {"coins_written": n.rpc.gettxoutsetinfo("none")["txouts"],
                 "base_hash": MAIN_TIP, "base_height": 4312, "path": path,
                 "txoutset_hash": MAIN_SERIALIZED, "nchaintx": 4371}, r
    assert read(path) == read(env.vectors("coredir", "utxo4312.dat"))
    n.stop()


def test_dump_of_an_earlier_block(env):
    there = os.path.join(env.dir, "snapshots")
    n = env.offline(args=["-snapshotdir=" + there]).start()
    mine_with_spends(n, 150)
    first = n.rpc.dumptxoutset("150.dat", "latest")
    mine_with_spends(n, 30)
    tip, muhash = n.tip(), n.muhash()
    again = n.rpc.dumptxoutset(os.path.join(there, "back.dat"), "rollback",
                               {"rollback": 150})
    assert {**again, "path": 0} == {**first, "path": 0}
    assert read(os.path.join(there, "150.dat")) == \
        read(os.path.join(there, "back.dat"))
    by_hash = n.rpc.dumptxoutset("hash.dat", "",
                                 {"rollback": n.rpc.getblockhash(150)})
    assert by_hash["txoutset_hash"] == first["txoutset_hash"]
    # The chain is where it was, and goes on.
    assert (n.tip(), n.muhash()) == (tip, muhash)
    mine(n, 1)
    n.restart()
    assert n.height() == 181
    assert n.rpc.verifychain(4, 0) is True
    assert sorted(os.listdir(there)) == ["150.dat", "back.dat", "hash.dat"]
    r = n.cli("-named", "dumptxoutset", "path=cli.dat", 'type=rollback',
              'options={"rollback":150}')
    assert r.returncode == 0, r.stderr
    n.stop()


def test_dump_refusals(env):
    n = env.offline().start()
    mine(n, 10)
    dump = n.rpc.dumptxoutset
    assert error(dump, "a.dat", "newest") == (
        -8, 'Invalid snapshot type "newest" specified. Please specify '
        '"rollback" or "latest"')
    assert error(dump, "a.dat")[0] == -8
    assert error(dump, "a.dat", "latest", {"rollback": 3}) == (
        -8, 'Invalid snapshot type "latest" specified with rollback option')
    assert error(dump, "a.dat", "rollback", {"rollback": 11}) == (
        -8, "Target block height 11 after current tip 10")
    assert error(dump, "a.dat", "rollback", {"rollback": -1}) == (
        -8, "Target block height -1 is negative")
    assert error(dump, "a.dat", "rollback", {"rollback": "00" * 32}) == (
        -5, "Block not found")
    dump("a.dat", "latest")
    code, text = error(dump, "a.dat", "latest")
    assert code == -8 and text.endswith(
        "a.dat already exists. If you are sure this is what you want, move "
        "it out of the way first."), text
    code, text = error(dump, "/nowhere/a.dat", "latest")
    assert code == -8 and "Couldn't open file /nowhere/a.dat" in text, text
    # The walls keep it in its directories.
    code, text = error(dump, os.path.join(n.datadir, "a.dat"), "latest")
    assert code == -8 and "Permission denied" in text, text
    assert os.listdir(dump_dir(n)).count("a.dat") == 1
    assert not any("incomplete" in f for f in os.listdir(dump_dir(n)))
    n.stop()


def test_statistics_do_not_hold_others_up(env):
    """Many coins: gettxoutsetinfo takes its time, in slices."""
    n = env.offline().start()
    many = "raw(51)"
    n.rpc.generatetodescriptor(3000, many)
    results = []

    def ask():
        results.append(n.rpc.gettxoutsetinfo("muhash"))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for t in threads:
        t.start()
    heights = []
    while any(t.is_alive() for t in threads):
        heights.append(n.rpc.getblockchaininfo()["blocks"])
    for t in threads:
        t.join()
    assert [r["txouts"] for r in results] == [3000] * 3, results
    assert len({r["muhash"] for r in results}) == 1
    assert len(heights) > 1
    # Stopped in the middle: the caller gets an answer, nothing is lost.
    t = threading.Thread(target=lambda: results.append(
        error(n.rpc.dumptxoutset, "x.dat", "rollback", {"rollback": 5})))
    t.start()
    n.stop()
    t.join()
    n.start()
    assert n.height() >= 5
    n.stop()
