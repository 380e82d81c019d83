"""Templates for miners, and proposals: blocks made outside, from what
getblocktemplate says alone."""

import threading

from harness.primitives import Block, Tx
from harness.regtest import mine
from harness.wallet import Wallet, coins_of, pay
from rpc_calls import error_of

ASK = {"rules": ["segwit"]}


def block_of(t, **kw):
    txs = [Tx.parse(bytes.fromhex(x["data"])) for x in t["transactions"]]
    fees = sum(x["fee"] for x in t["transactions"])
    return Block(t["previousblockhash"], t["height"], txs, t["curtime"],
                 t["version"], int(t["bits"], 16), fees=fees, **kw)


def propose(n, block):
    return n.rpc.getblocktemplate({"rules": ["segwit"], "mode": "proposal",
                                   "data": block.hex()})


def filled(n):
    """A mempool of parents that pay little with children that pay much, and
    others between."""
    coins = Wallet(n).fan(12)
    for i, coin in enumerate(coins):
        parent = pay(coin, 200 + i)
        n.rpc.sendrawtransaction(parent.hex())
        if i % 3 == 0:
            child = pay(coins_of(parent)[0], 20000 + i)
            n.rpc.sendrawtransaction(child.hex())


def test_a_block_made_from_it(env):
    n = env.offline().start()
    filled(n)
    t = n.rpc.getblocktemplate(ASK)
    assert t["previousblockhash"] == n.tip()
    assert t["height"] == n.height() + 1
    assert t["rules"] == ["csv", "!segwit", "taproot"]
    assert t["coinbasevalue"] == 50 * 10 ** 8 + sum(
        x["fee"] for x in t["transactions"])
    assert (t["sigoplimit"], t["sizelimit"], t["weightlimit"]) == (
        80000, 4000000, 4000000)
    assert len(t["transactions"]) == n.rpc.getmempoolinfo()["size"] == 16
    # Parents before children; the best first.
    place = {x["txid"]: i + 1 for i, x in enumerate(t["transactions"])}
    for i, x in enumerate(t["transactions"]):
        entry = n.rpc.getmempoolentry(x["txid"])
        assert x["depends"] == [place[d] for d in entry["depends"]]
        assert all(d <= i for d in x["depends"])
        assert x["weight"] == entry["weight"]
    assert t["transactions"][1]["fee"] > 20000
    block = block_of(t)
    script = block.txs[0].outs[-1].script
    assert script.hex() == t["default_witness_commitment"]
    coins = n.muhash()
    # No proof of work is asked of a proposal, and nothing is kept of it.
    assert propose(n, block.solve(valid=False)) is None
    assert propose(n, block.solve(valid=False)) is None
    assert n.muhash() == coins and n.rpc.getchaintips()[0]["status"] == \
        "active" and len(n.rpc.getchaintips()) == 1
    assert n.rpc.submitblock(block.solve().hex()) is None
    assert n.tip() == block.hash() and n.rpc.getrawmempool() == []
    assert propose(n, block) == "duplicate"
    n.stop()


def test_what_is_wrong_with_a_proposal(env):
    n = env.offline().start()
    filled(n)
    t = n.rpc.getblocktemplate(ASK)
    good = block_of(t)
    coins = n.muhash()
    bad = block_of(t)
    bad.txs[0].outs[0].value += 1
    assert propose(n, bad) == "bad-cb-amount"
    bad = block_of(t)
    bad.root = bytes(32)
    assert propose(n, bad) == "bad-txnmrklroot"
    bad = block_of(t)
    bad.txs[2], bad.txs[1] = bad.txs[1], bad.txs[2]
    assert "bad-txns-inputs-missingorspent" in propose(n, Block(
        t["previousblockhash"], t["height"], bad.txs[1:], t["curtime"],
        fees=bad.txs[0].outs[0].value - 50 * 10 ** 8))
    late = block_of(t)
    late.time = t["curtime"] + 3 * 3600
    assert propose(n, late) == "time-too-new"
    early = block_of(t)
    early.time = t["mintime"] - 1
    assert propose(n, early) == "time-too-old"
    wrong = block_of(t)
    wrong.txs[1].ins[0].witness = [b"\x6a"]
    assert propose(n, Block(
        t["previousblockhash"], t["height"], wrong.txs[1:], t["curtime"],
        fees=t["coinbasevalue"] - 50 * 10 ** 8)).startswith(
            "block-script-verify-flag-failed")
    mine(n, 1)
    assert propose(n, good) == "inconclusive-not-best-prevblk"
    n.rpc.invalidateblock(n.tip())
    assert n.muhash() == coins
    assert propose(n, good) is None
    e = error_of(n.rpc.getblocktemplate, {"mode": "proposal"})
    assert e.code == -3 and "data" in e.message
    e = error_of(n.rpc.getblocktemplate, {"mode": "proposal", "data": "00"})
    assert e.code == -22
    n.stop()


def test_bad_requests(env):
    n = env.offline().start()
    e = error_of(n.rpc.getblocktemplate)
    assert e.code == -1
    e = error_of(n.rpc.getblocktemplate, {})
    assert e.code == -8 and "segwit" in e.message
    e = error_of(n.rpc.getblocktemplate, {"rules": [None, 5, {}]})
    assert e.code == -8 and "segwit" in e.message
    e = error_of(n.rpc.getblocktemplate, {"mode": "other"})
    assert e.code == -8 and e.message == "Invalid mode"
    e = error_of(n.rpc.getblocktemplate, {"mode": 5})
    assert e.code == -8
    for bad in ["", "x", "00" * 32, "00" * 32 + "x", 5]:
        e = error_of(n.rpc.getblocktemplate,
                     {"rules": ["segwit"], "longpollid": bad})
        assert e.code == -8 and "longpollid" in e.message, bad
    info = n.rpc.getmininginfo()
    assert info["blocks"] == 0 and info["next"]["height"] == 1
    assert info["chain"] == "regtest" and info["pooledtx"] == 0
    n.stop()


def test_longpoll_ends_with_a_new_tip(env):
    n = env.offline().start()
    mine(n, 1)
    t = n.rpc.getblocktemplate(ASK)
    got = []

    def wait():
        got.append(n.rpc.getblocktemplate(
            dict(ASK, longpollid=t["longpollid"])))

    # What it knows is old already: at once.
    old = n.rpc.getblocktemplate(
        dict(ASK, longpollid="11" * 32 + "1"))
    assert old["previousblockhash"] == n.tip()
    th = threading.Thread(target=wait)
    th.start()
    th.join(1)
    assert th.is_alive() and not got
    new = mine(n, 1)[0]
    th.join(20)
    assert got and got[0]["previousblockhash"] == new
    assert got[0]["height"] == t["height"] + 1
    # One that waits does not hold the node up when it stops.
    th = threading.Thread(target=lambda: error_of(
        n.rpc.getblocktemplate, dict(ASK, longpollid=got[0]["longpollid"])))
    th.start()
    th.join(0.5)
    assert th.is_alive()
    n.stop()
    th.join(20)
    assert not th.is_alive()
