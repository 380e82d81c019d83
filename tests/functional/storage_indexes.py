"""Optional indexes: right, made in the background, switched on and off,
through crashes, reorganisations and pruning."""

import json
import os
import random
import time

from chain_import import FULL, import_and_end
from harness.node import wait_until
from harness.regtest import mine, mine_with_spends
from storage_prune import error, refuses_to_start

ALL = ["-txindex", "-blockfilterindex=basic", "-coinstatsindex"]
NAMES = {"txindex", "basic block filter index", "coinstatsindex"}


def synced(n, names=NAMES):
    def done():
        info = n.rpc.getindexinfo()
        return set(info) == set(names) and all(
            i == {"synced": True, "best_block_height": n.height()}
            for i in info.values())
    wait_until(done, text="indexes are synced: %s" % n.rpc.getindexinfo())


def check_all(n, step=1):
    """Every transaction is found; sums and filters at each height."""
    headers = set()
    for h in range(0, n.height() + 1, step):
        block = n.rpc.getblock(n.rpc.getblockhash(h), 1)
        f = n.rpc.getblockfilter(block["hash"])
        assert f["header"] not in headers
        headers.add(f["header"])
        assert n.rpc.gettxoutsetinfo("none", h)["height"] == h
        for txid in block["tx"] if h else []:
            tx = n.rpc.getrawtransaction(txid, 1)
            assert tx["blockhash"] == block["hash"], (h, tx)
            assert "in_active_chain" not in tx


def same_sums(n):
    """The index says what a walk over the coins says."""
    walk = n.rpc.gettxoutsetinfo("muhash", None, False)
    index = n.rpc.gettxoutsetinfo("muhash")
    for key in ("height", "bestblock", "txouts", "bogosize", "muhash",
                "total_amount"):
        assert walk[key] == index[key], (key, walk, index)
    assert "transactions" in walk and "transactions" not in index
    total = index["total_amount"] + index["total_unspendable_amount"]
    return index, total


def test_as_the_oracle_says(env):
    with open(env.vectors("chains", "mainnet-0-4312.oracle.json")) as f:
        oracle = json.load(f)
    n = env.offline(chain="main", args=FULL)
    import_and_end(n, env.vectors("chains", "mainnet-0-4312.blk00000.dat"))
    n.restart(*ALL)
    synced(n)
    seen = 0
    for at in oracle["points"]:
        f = n.rpc.getblockfilter(at["hash"], "basic")
        assert f["filter"] == at["filter"], at["height"]
        assert f["header"] == at["filter_header"], at["height"]
        stats = n.rpc.gettxoutsetinfo("muhash", at["height"])
        assert stats["muhash"] == at["muhash"], at["height"]
        assert stats["bestblock"] == at["hash"]
        assert stats == n.rpc.gettxoutsetinfo("muhash", at["hash"])
        seen += 1
    assert seen > 40
    same_sums(n)
    check_all(n, step=97)
    # 170 is the first with a spend: nothing is lost, nothing made.
    info = n.rpc.gettxoutsetinfo("none", 170)["block_info"]
    assert info == {
        "prevout_spent": 50, "coinbase": 50, "new_outputs_ex_coinbase": 50,
        "unspendable": 0, "unspendables": {
            "genesis_block": 0, "bip30": 0, "scripts": 0,
            "unclaimed_rewards": 0}}, info
    info = n.rpc.gettxoutsetinfo("none", 0)
    assert info["total_unspendable_amount"] == 50 and info["txouts"] == 0
    assert info["block_info"]["unspendables"]["genesis_block"] == 50
    n.stop()


def test_reorganisations(env):
    n = env.offline(args=ALL).start()
    mine_with_spends(n, 130)
    synced(n)
    old = n.rpc.getblock(n.rpc.getblockhash(129), 1)
    stats = n.rpc.gettxoutsetinfo("muhash", 128)
    n.rpc.invalidateblock(old["hash"])
    assert error(n.rpc.gettxoutsetinfo, "muhash", 129)[0] == -8
    synced(n)
    same_sums(n)
    n.rpc.generatetodescriptor(6, "raw(52)")
    synced(n)
    same_sums(n)
    check_all(n)
    assert n.rpc.gettxoutsetinfo("muhash", 128) == stats
    # A transaction of the branch that was left is not on the chain; the
    # mempool may have the others back.
    assert error(n.rpc.getrawtransaction, old["tx"][0])[0] == -5
    n.rpc.reconsiderblock(old["hash"])
    mine(n, 3)
    synced(n)
    check_all(n)
    same_sums(n)
    n.stop()


def test_switched_on_and_off(env):
    n = env.offline().start()
    mine_with_spends(n, 140)
    assert n.rpc.getindexinfo() == {}
    assert error(n.rpc.getblockfilter, n.tip()) == (
        -1, "Index is not enabled for filtertype basic")
    assert error(n.rpc.gettxoutsetinfo, "none", 5) == (
        -8, "Querying specific block heights requires coinstatsindex")
    txid = n.rpc.getblock(n.rpc.getblockhash(139))["tx"][1]
    assert error(n.rpc.getrawtransaction, txid) == (
        -5, "No such mempool transaction. Use -txindex or provide a block "
        "hash to enable blockchain transaction queries. Use gettransaction "
        "for wallet transactions.")
    assert not os.path.exists(os.path.join(n.chaindir, "indexes"))
    n.restart("-txindex")
    synced(n, {"txindex"})
    assert n.rpc.getrawtransaction(txid, 2)["fee"] is not None
    assert n.rpc.getindexinfo("nothing") == {}
    n.restart()
    mine_with_spends(n, 20)
    n.restart(*ALL)
    synced(n)
    check_all(n)
    same_sums(n)
    assert error(n.rpc.getblockfilter, n.tip(), "extended") == (
        -5, "Unknown filtertype")
    assert error(n.rpc.getblockfilter, "00" * 32) == (-5, "Block not found")
    assert error(n.rpc.gettxoutsetinfo, "hash_serialized_3", 5) == (
        -8, "hash_serialized_3 hash type cannot be queried for a specific "
        "block")
    assert error(n.rpc.gettxoutsetinfo, "muhash", 500) == (
        -8, "Target block height 500 after current tip 160")
    assert error(n.rpc.getrawtransaction, "11" * 32) == (
        -5, "No such mempool or blockchain transaction. Use gettransaction "
        "for wallet transactions.")
    r = n.cli("getindexinfo", "txindex")
    assert json.loads(r.stdout)["txindex"]["synced"] is True
    n.stop()


def test_killed_again_and_again(env):
    seed = os.environ.get("CLOISTER_TEST_SEED") or str(time.time_ns())
    rng = random.Random(seed)
    later = int(time.time())
    n = env.offline(args=ALL).start()
    for _ in range(6):
        mine_with_spends(n, rng.randrange(20, 60))
        time.sleep(rng.uniform(0, 0.05))
        n.kill()
        n.start()
        wait_until(lambda: n.rpc.getblockchaininfo()["blocks"] ==
                   n.rpc.getblockchaininfo()["headers"])
        if rng.random() < 0.5 and n.height() > 5:
            n.rpc.invalidateblock(n.rpc.getblockhash(n.height() - 3))
            later += 60
        n.rpc.setmocktime(later)     # not the same blocks again
    mine_with_spends(n, 3)
    synced(n)
    check_all(n)
    same_sums(n)
    n.stop()


def test_with_pruning(env):
    args = ["-fastprune", "-prune=1"]
    n = env.offline(args=args).start("-blockfilterindex=1",
                                     "-coinstatsindex")
    mine(n, 700)
    synced(n, NAMES - {"txindex"})
    last = n.rpc.pruneblockchain(400)
    assert last > 100
    # Filters and sums of pruned blocks are still there.
    n.rpc.getblockfilter(n.rpc.getblockhash(10))
    assert n.rpc.gettxoutsetinfo("muhash", 10)["txouts"] == 10
    same_sums(n)
    n.restart()
    mine(n, 700)
    n.rpc.pruneblockchain(1000)
    n.stop()
    refuses_to_start(
        n, ["-coinstatsindex"], "coinstatsindex best block of the index goes "
        "beyond pruned data. Please disable the index or reindex (which will "
        "download the whole blockchain again)")
    refuses_to_start(n, ["-txindex"],
                     "Prune mode is incompatible with -txindex.")
    refuses_to_start(n, ["-blockfilterindex=v0"],
                     "Unknown -blockfilterindex value v0.")
    n.start()
    n.stop()
