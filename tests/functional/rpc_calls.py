"""RPC calls: what they answer, on a chain of which everything is known."""

import json
import time

from harness.node import wait_until
from harness.primitives import Block, rev
from harness.regtest import (DESCRIPTOR, coinbase_coin, mine,
                             mine_with_spends, spend)
from harness.rpc import RpcError


def error_of(call, *params, **named):
    try:
        call(*params, **named)
    except RpcError as e:
        return e
    raise AssertionError("no error")


def test_chain_calls(env):
    n = env.offline().start()
    rpc = n.rpc
    mine_with_spends(n, 110)
    info = rpc.getblockchaininfo()
    assert info["chain"] == "regtest" and info["blocks"] == 110
    assert info["bestblockhash"] == rpc.getbestblockhash()
    assert info["size_on_disk"] > 10000
    h = rpc.getblockhash(105)
    head = rpc.getblockheader(h)
    assert head["height"] == 105 and head["confirmations"] == 6
    assert head["nextblockhash"] == rpc.getblockhash(106)
    raw = rpc.getblockheader(h, False)
    assert len(raw) == 160
    block = rpc.getblock(h, 2)
    assert rpc.getblock(h, 0).startswith(raw)
    assert rpc.getblock(h)["tx"] == [t["txid"] for t in block["tx"]]
    coinbase = block["tx"][0]
    assert block["coinbase_tx"] == {
        "version": coinbase["version"], "locktime": coinbase["locktime"],
        "sequence": coinbase["vin"][0]["sequence"],
        "coinbase": coinbase["vin"][0]["coinbase"],
        "witness": coinbase["vin"][0]["txinwitness"][0]}
    assert "fee" in block["tx"][1]
    # A transaction, by its block.
    txid = block["tx"][1]["txid"]
    tx = rpc.getrawtransaction(txid, True, h)
    assert tx["blockhash"] == h and tx["in_active_chain"]
    raw_tx = rpc.getrawtransaction(txid, False, h)
    assert rpc.decoderawtransaction(raw_tx)["txid"] == txid
    e = error_of(rpc.getrawtransaction, txid, True, rpc.getblockhash(1))
    assert e.code == -5
    # Coins.
    coin = rpc.gettxout(rpc.getblock(rpc.getblockhash(109))["tx"][0], 0)
    assert coin["coinbase"] and coin["confirmations"] == 2
    assert coin["scriptPubKey"]["type"] == "witness_v0_scripthash"
    spent = rpc.getblock(rpc.getblockhash(2))["tx"][0]
    assert rpc.gettxout(spent, 0) is None
    stats = rpc.gettxoutsetinfo("none")
    assert "muhash" not in stats and stats["txouts"] > 100
    # Errors in the usual words.
    assert error_of(rpc.getblockhash, 1000).code == -8
    e = error_of(rpc.getblock, "00" * 32)
    assert e.code == -5 and e.message == "Block not found"
    assert error_of(rpc.getblock, "xyz").code == -8
    assert error_of(rpc.getblockhash).code == -1
    assert error_of(rpc.getblockhash, "one").code == -3
    assert error_of(rpc.nosuchcall).code == -32601
    n.stop()


def test_mining_and_submitting(env):
    n = env.offline().start()
    rpc = n.rpc
    mine(n, 101)
    # generatetoaddress pays to an address of this chain.
    addr = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
    h = rpc.generatetoaddress(1, addr)[0]
    out = rpc.getblock(h, 2)["tx"][0]["vout"][0]
    assert out["scriptPubKey"]["address"] == addr
    assert error_of(rpc.generatetoaddress, 1, "nonsense").code == -5
    # A block with a transaction of ours.
    txid, value = coinbase_coin(n, 1)
    tx = spend(txid, 0, [value - 1000])
    got = rpc.generateblock(DESCRIPTOR, [tx.hex()])
    assert rev(tx.txid()) in rpc.getblock(got["hash"])["tx"]
    # The same coin again is refused, in the usual words.
    again = spend(txid, 0, [value - 2000])
    e = error_of(rpc.generateblock, DESCRIPTOR, [again.hex()])
    assert "bad-txns-inputs-missingorspent" in e.message, e.message
    tip = n.tip()

    def block(**kw):
        when = rpc.getblockheader(n.tip())["time"] + 1
        return Block(n.tip(), n.height() + 1, when=when, **kw)

    # submitblock: null for a good one, the reason for others.
    good = block().solve()
    assert rpc.submitblock(good.hex()) is None
    assert n.tip() == good.hash()
    assert rpc.submitblock(good.hex()) == "duplicate"
    bad = block()
    bad.txs[0].outs[0].value += 1
    bad.solve()
    assert rpc.submitblock(bad.hex()) == "bad-cb-amount"
    assert rpc.submitblock(bad.hex()) == "duplicate-invalid"
    weak = block().solve(valid=False)
    assert rpc.submitblock(weak.hex()) == "high-hash"
    root = block()
    root.root = b"\x55" * 32
    root.solve()
    assert rpc.submitblock(root.hex()) == "bad-txnmrklroot"
    old = block()
    old.version = 1
    old.solve()
    assert rpc.submitblock(old.hex()) == "bad-version(0x00000001)"
    late = block()
    late.time = int(time.time()) + 3 * 3600
    late.solve()
    assert rpc.submitblock(late.hex()) == "time-too-new"
    early = block()
    early.time = 1296688602
    early.solve()
    assert rpc.submitblock(early.hex()) == "time-too-old"
    assert error_of(rpc.submitblock, "zz").code == -22
    assert n.tip() == good.hash() and tip
    n.stop()


def test_invalidate_and_reconsider(env):
    n = env.offline().start()
    rpc = n.rpc
    mine_with_spends(n, 130)
    tip, muhash = n.tip(), n.muhash()
    at = rpc.getblockhash(121)
    rpc.invalidateblock(at)
    assert n.height() == 120
    states = {t["height"]: t["status"] for t in rpc.getchaintips()}
    assert states == {120: "active", 130: "invalid"}, states
    n.restart()
    assert n.height() == 120
    rpc.generatetodescriptor(3, "raw(52)")
    assert n.height() == 123
    rpc.reconsiderblock(at)
    wait_until(lambda: n.tip() == tip, 20)
    assert n.muhash() == muhash
    assert error_of(rpc.invalidateblock, "00" * 32).code == -5
    n.stop()


def test_regtest_calls_are_refused_elsewhere(env):
    n = env.offline(chain="main").start()
    for call, params in (
            ("generateblock", ["raw(51)", []]),
            ("generatetoaddress", [1, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"]),
            ("generatetodescriptor", [1, "raw(51)"]), ("setmocktime", [1])):
        e = error_of(getattr(n.rpc, call), *params)
        assert e.code == -1 and "regression testing" in e.message, (call, e)
    assert n.height() == 0
    n.stop()


def test_help(env):
    n = env.offline().start()
    text = n.rpc.help()
    for call in ("getblockchaininfo", "gettorinfo", "stop", "submitblock"):
        assert call in text
    assert "height" in n.rpc.help("getblockhash")
    n.stop()


def test_the_amounts_have_eight_decimals(env):
    n = env.offline().start()
    mine(n, 1)
    _, raw = n.rpc.post(json.dumps({
        "method": "getblock", "params": [n.tip(), 2], "id": 1}))
    assert b'"value":50.00000000' in raw.replace(b" ", b""), raw[:2000]
    n.stop()
