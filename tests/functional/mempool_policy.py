"""Refusals, in the reference node's words."""

from harness.primitives import COIN, OP_TRUE, WSH_TRUE, Tx, TxIn, TxOut, rev
from harness.regtest import DESCRIPTOR, mine
from harness.rpc import RpcError
from harness.wallet import Coin, Wallet, coins_of, pay, vsize

from mempool_basic import error_of


def verdict(node, *txs, rate=0):
    return node.rpc.testmempoolaccept([t.hex() for t in txs], rate)


def refused(node, tx, reason, details=None):
    """testmempoolaccept and sendrawtransaction agree."""
    r = verdict(node, tx)[0]
    assert r["allowed"] is False, r
    assert r["reject-reason"] == reason, r
    if details is not None:
        full = reason + (", " + details if details else "")
        assert r["reject-details"] == full, r
        e = error_of(node.rpc.sendrawtransaction, tx.hex(), 0)
        assert e.code == -26 and str(e).startswith(full), e
    return r


def refused_by_script(node, tx, words):
    r = verdict(node, tx)[0]
    assert r["reject-reason"] == \
        "mempool-script-verify-flag-failed (%s)" % words, r
    prev = "%s:%d" % (rev(tx.ins[0].txid), tx.ins[0].n)
    assert r["reject-details"].endswith(
        "input 0 of %s (wtxid %s), spending %s" % (
            rev(tx.txid()), rev(tx.wtxid()), prev)), r


def script_coin(node, w, script, value=COIN):
    """A confirmed coin of this script."""
    coin = w.coin()
    tx = pay(coin, 10000, extra=[TxOut(value, script)])
    node.rpc.generateblock(DESCRIPTOR, [tx.hex()])
    return Coin(tx.txid(), len(tx.outs) - 1, value)


def test_the_transaction_itself(env):
    n = env.offline().start()
    w = Wallet(n)
    coin = w.coin()
    ok = pay(coin, 1000)
    r = verdict(n, ok)[0]
    assert r["allowed"] is True and r["vsize"] == vsize(ok)
    assert round(r["fees"]["base"] * COIN) == 1000
    assert r["fees"]["effective-includes"] == [rev(ok.wtxid())]
    assert round(r["fees"]["effective-feerate"] * COIN) == \
        1000 * 1000 // vsize(ok)
    assert n.rpc.getrawmempool() == []
    refused(n, Tx(ok.ins, []), "bad-txns-vout-empty", "")
    refused(n, Tx(ok.ins, [TxOut(-1, WSH_TRUE)]),
            "bad-txns-vout-negative", "")
    refused(n, Tx(ok.ins * 2, ok.outs), "bad-txns-inputs-duplicate", "")
    cb = n.rpc.getblock(n.rpc.getblockhash(5), 2)["tx"][0]
    r = n.rpc.testmempoolaccept([cb["hex"]])[0]
    assert r["reject-reason"] == "coinbase"
    refused(n, pay(coin, 1000, version=4), "version", "")
    refused(n, pay(coin, 1000, version=0), "version", "")
    # 64 bytes without the witness, the size of two hashes.
    small = Tx(ok.ins, [TxOut(0, b"\x6a\x02ab")])
    assert len(small.raw(False)) == 64
    refused(n, small, "tx-size-small", "")
    refused(n, pay(coin, 1000, extra=[TxOut(1000, b"\x61")]),
            "scriptpubkey", "")
    multisig = b"\x51" + (b"\x21" + b"\x02" + b"\x11" * 32) + b"\x51\xae"
    refused(n, pay(coin, 1000, extra=[TxOut(1000, multisig)]),
            "bare-multisig", "")
    refused(n, pay(coin, 1000, extra=[TxOut(329, WSH_TRUE)]), "dust",
            "tx with dust output must be 0-fee")
    refused(n, pay(coin, 0, extra=[TxOut(1, WSH_TRUE)] * 2), "dust", "")
    data = TxOut(0, b"\x6a\x4d\x50\xc3" + bytes(50000))
    assert verdict(n, pay(coin, 20000, extra=[data]))[0]["allowed"]
    sig = Tx([TxIn(coin.txid, coin.n, script=bytes(1651))], ok.outs)
    refused(n, sig, "scriptsig-size", "")
    sig.ins[0].script = b"\x61"
    refused(n, sig, "scriptsig-not-pushonly", "")
    outs = [TxOut(1000, WSH_TRUE)] * 2400
    refused(n, Tx(ok.ins, outs), "tx-size", "")
    e = error_of(n.rpc.sendrawtransaction, "00")
    assert e.code == -22
    assert str(e).startswith("TX decode failed. Make sure the tx has at "
                             "least one input.")
    # Of all data together, by the owner's limit.
    n.restart("-datacarriersize=60000")
    small = TxOut(0, b"\x6a\x4d\x20\x4e" + bytes(20000))
    assert verdict(n, pay(coin, 20000, extra=[data]))[0]["allowed"]
    assert verdict(n, pay(coin, 20000, extra=[small] * 2))[0]["allowed"]
    refused(n, pay(coin, 20000, extra=[small] * 3), "datacarrier", "")
    n.restart("-datacarrier=0")
    refused(n, pay(coin, 20000, extra=[small]), "datacarrier", "")


def test_its_place_in_time(env):
    n = env.offline().start()
    w = Wallet(n)
    height = n.height()
    coin = w.coin()
    refused(n, pay(coin, 1000, lock_time=height + 1), "non-final", "")
    ok = pay(coin, 1000, lock_time=height)
    assert verdict(n, ok)[0]["allowed"]
    # Relative: a coin of the tip, so many blocks deep.
    old = w.coin()
    fresh = pay(old, 1000)
    n.rpc.generateblock(DESCRIPTOR, [fresh.hex()])
    young = coins_of(fresh)[0]
    refused(n, pay(young, 1000, sequence=2), "non-BIP68-final", "")
    assert verdict(n, pay(young, 1000, sequence=1))[0]["allowed"]
    # Version 1 has no relative locks.
    assert verdict(n, pay(young, 1000, sequence=9, version=1))[0]["allowed"]
    mine(n, 1)
    assert verdict(n, pay(young, 1000, sequence=2))[0]["allowed"]
    refused(n, pay(young, 1000, sequence=(1 << 22) | 5),
            "non-BIP68-final", "")
    tip = n.rpc.getblock(n.rpc.getbestblockhash(), 2)["tx"][0]
    immature = Coin(rev(tip["txid"]), 0, 50 * COIN)
    refused(n, pay(immature, 1000), "bad-txns-premature-spend-of-coinbase",
            "tried to spend coinbase at depth 1")


def test_its_coins_and_fees(env):
    n = env.offline().start()
    w = Wallet(n)
    coin = w.coin()
    nothing = Coin(b"\x07" * 32, 0, COIN)
    r = verdict(n, pay(nothing, 1000))[0]
    assert r["reject-reason"] == "missing-inputs"
    assert "reject-details" not in r
    e = error_of(n.rpc.sendrawtransaction, pay(nothing, 1000).hex())
    assert e.code == -25
    assert str(e).startswith("bad-txns-inputs-missingorspent")
    refused(n, pay(coin, -1000), "bad-txns-in-belowout",
            "value in (50.00) < value out (50.00001)")
    tx = pay(coin, 9)
    need = -(-vsize(tx) * 100 // 1000)
    refused(n, pay(coin, need - 1), "min relay fee not met",
            "%d < %d" % (need - 1, need))
    ok = pay(coin, need)
    assert n.rpc.sendrawtransaction(ok.hex()) == rev(ok.txid())
    refused(n, ok, "txn-already-in-mempool", None)
    other = Tx(ok.ins, ok.outs)
    other.ins = [TxIn(coin.txid, coin.n, sequence=0xfffffffd,
                      witness=[b"\x01", OP_TRUE])]
    refused(n, other, "txn-same-nonwitness-data-in-mempool", None)
    mine(n, 1)
    refused(n, ok, "txn-already-known", None)
    # Absurd fees, only by the caller's word.
    coin = w.coin()
    rich = pay(coin, COIN // 5)
    r = n.rpc.testmempoolaccept([rich.hex()])[0]
    assert (r["allowed"], r["reject-reason"]) == (False, "max-fee-exceeded")
    e = error_of(n.rpc.sendrawtransaction, rich.hex())
    assert e.code == -25 and str(e).startswith(
        "Fee exceeds maximum configured by user (e.g. -maxtxfee, "
        "maxfeerate)")
    e = error_of(n.rpc.sendrawtransaction, rich.hex(), 1)
    assert e.code == -8
    assert n.rpc.sendrawtransaction(rich.hex(), "0") == rev(rich.txid())
    # Coins burnt, only by the caller's word.
    burn = pay(w.coin(), 1000, extra=[TxOut(5000, b"\x6a")])
    e = error_of(n.rpc.sendrawtransaction, burn.hex())
    assert e.code == -25 and str(e).startswith(
        "Unspendable output exceeds maximum configured by user "
        "(maxburnamount)")
    assert n.rpc.sendrawtransaction(burn.hex(), 0.1, "0.00005")
    e = error_of(n.rpc.sendrawtransaction, burn.hex(), "x")
    assert e.code == -3 and str(e).startswith("Invalid amount")


def test_scripts(env):
    n = env.offline().start()
    w = Wallet(n)
    coin = w.coin()
    tx = pay(coin, 1000)
    tx.ins[0].witness = [b"\x00"]
    refused_by_script(n, tx, "Witness program hash mismatch")
    # By txid the same, with the right witness: it is not held against it.
    good = pay(coin, 1000)
    assert good.txid() == tx.txid()
    stripped = pay(coin, 1000)
    stripped.ins[0].witness = []
    refused_by_script(n, stripped,
                      "Witness program was passed an empty witness")
    assert verdict(n, good)[0]["allowed"]
    # A stack that is not clean is a matter of policy in a P2SH.
    import hashlib
    p2sh = b"\xa9\x14" + hashlib.new("ripemd160", hashlib.sha256(
        OP_TRUE).digest()).digest() + b"\x87"
    c = script_coin(n, w, p2sh)
    unclean = Tx([TxIn(c.txid, c.n, script=b"\x51\x01\x51")],
                 [TxOut(c.value - 1000, WSH_TRUE)])
    refused_by_script(n, unclean, "Stack size must be exactly one after "
                      "execution")
    n.rpc.generateblock(DESCRIPTOR, [unclean.hex()])
    # Unknown programs may be paid, not spent.
    c = script_coin(n, w, b"\x60\x02\x01\x02")
    spend = Tx([TxIn(c.txid, c.n)], [TxOut(c.value - 1000, WSH_TRUE)])
    refused(n, spend, "bad-txns-nonstandard-inputs",
            "input 0 witness program is undefined")
    # Pay to anchor: spent with nothing at all.
    c = script_coin(n, w, b"\x51\x02\x4e\x73")
    spend = Tx([TxIn(c.txid, c.n)], [TxOut(c.value - 1000, WSH_TRUE)])
    assert verdict(n, spend)[0]["allowed"]
    spend.ins[0].witness = [b"\x01"]
    refused(n, spend, "bad-witness-nonstandard", "")


def test_what_the_owner_may_choose(env):
    n = env.offline(args=("-acceptnonstdtxn", "-minrelaytxfee=0.00005",
                          "-permitbaremultisig",
                          "-limitclustercount=2")).start()
    w = Wallet(n)
    coin = w.coin()
    info = n.rpc.getmempoolinfo()
    assert info["permitbaremultisig"] is True
    assert info["limitclustercount"] == 2
    tx = pay(coin, 4 * 94, extra=[TxOut(1000, b"\x61")])
    refused(n, tx, "min relay fee not met", None)
    tx = pay(coin, 5000, extra=[TxOut(1000, b"\x61")], version=7)
    n.rpc.sendrawtransaction(tx.hex())
    two = pay(coins_of(tx)[0], 5000)
    n.rpc.sendrawtransaction(two.hex())
    refused(n, pay(coins_of(two)[0], 5000), "too-large-cluster", "")
    n.stop()
    err = env.offline(name="main", chain="main",
                      args=("-acceptnonstdtxn",))
    err.start(wait=False)
    assert err.wait_exit() != 0
    assert "test chains only" in err.stderr()
