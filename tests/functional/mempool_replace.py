"""Replacement, and attempts to pin a transaction so that its owner cannot
raise its fee."""

from harness.primitives import COIN, OP_TRUE, WSH_TRUE, Tx, TxIn, TxOut, rev
from harness.regtest import mine
from harness.wallet import Coin, Wallet, coins_of, pay, vsize

from mempool_basic import error_of
from mempool_policy import refused, verdict

P2A = b"\x51\x02\x4e\x73"


def send(n, *txs):
    for t in txs:
        assert n.rpc.sendrawtransaction(t.hex(), 0) == rev(t.txid())


def pool(n):
    return set(n.rpc.getrawmempool())


def ids(*txs):
    return {rev(t.txid()) for t in txs}


def test_who_pays_more_wins(env):
    n = env.offline().start()
    w = Wallet(n)
    coin = w.coin()
    # No sequence number says that it may be replaced.
    a = pay(coin, 1000, sequence=0xffffffff)
    send(n, a)
    refused(n, pay(coin, 999), "insufficient fee",
            "rejecting replacement %s, less fees than conflicting txs; "
            "0.00000999 < 0.00001" % rev(pay(coin, 999).txid()))
    b = pay(coin, 1009)
    refused(n, b, "insufficient fee",
            "rejecting replacement %s, not enough additional fees to relay; "
            "0.00000009 < 0.0000001" % rev(b.txid()))
    b = pay(coin, 1010)
    send(n, b)
    assert pool(n) == ids(b)
    # Children go along, and count.
    child = pay(coins_of(b)[0], 50000)
    send(n, child)
    refused(n, pay(coin, 40000), "insufficient fee", None)
    c = pay(coin, 60000)
    send(n, c)
    assert pool(n) == ids(c)
    # Spending what it drives out is nonsense.
    d = Tx([TxIn(coin.txid, coin.n, witness=[OP_TRUE]),
            TxIn(c.txid(), 0, witness=[OP_TRUE])],
           [TxOut(COIN, WSH_TRUE)])
    refused(n, d, "bad-txns-spends-conflicting-tx",
            "%s spends conflicting transaction %s" % (
                rev(d.txid()), rev(c.txid())))


def test_more_fee_at_a_worse_rate_is_refused(env):
    """The diagram decides, not the sum."""
    n = env.offline().start()
    w = Wallet(n)
    coin = w.coin()
    a = pay(coin, 20000)
    send(n, a)
    b = pay(coin, 90000, pad=60000)
    refused(n, b, "replacement-failed",
            "insufficient feerate: does not improve feerate diagram")
    # Nor with a parent that nobody would mine.
    parent = pay(w.coin(), 6500, pad=60000)
    send(n, parent)
    b = pay([coin, coins_of(parent)[0]], 40000)
    refused(n, b, "replacement-failed", None)
    assert pool(n) == ids(a, parent)


def test_a_hundred_clusters_and_no_more(env):
    n = env.offline().start()
    w = Wallet(n)
    coins = w.fan(101)
    for c in coins:
        send(n, pay(c, 1000))
    b = pay(coins, 400000)
    refused(n, b, "too many potential replacements",
            "rejecting replacement %s; too many conflicting clusters "
            "(101 > 100)" % rev(b.txid()))
    b = pay(coins[:100], 400000)
    send(n, b)
    assert len(pool(n)) == 2


def test_a_heavy_witness_does_not_pin(env):
    """The same txid with a larger witness came first: the txid's owner
    replaces it by another txid, for its true weight."""
    n = env.offline().start()
    w = Wallet(n)
    script = b"\x75" + OP_TRUE                       # OP_DROP 1
    import hashlib
    wsh = b"\x00\x20" + hashlib.sha256(script).digest()
    make = pay(w.coin(), 10000, extra=[TxOut(COIN, wsh)])
    send(n, make)
    mine(n, 1)
    out = [TxOut(COIN - 5000, WSH_TRUE)]
    fat = Tx([TxIn(make.txid(), 1, witness=[bytes(80), script])], out)
    lean = Tx([TxIn(make.txid(), 1, witness=[b"", script])], out)
    assert fat.txid() == lean.txid()
    send(n, fat)
    refused(n, lean, "txn-same-nonwitness-data-in-mempool", None)
    out[0].value -= 10
    other = Tx([TxIn(make.txid(), 1, witness=[b"", script])], out)
    send(n, other)
    assert pool(n) == ids(other)


def test_a_replacement_cycle(env):
    """A rival drives the transaction out, then takes its rival back by
    replacing the other input: each step pays more than the last, and the
    transaction can come again at once."""
    n = env.offline().start()
    w = Wallet(n)
    x, y = w.coin(), w.coin()
    ours = pay(x, 1000)
    fee = 3000
    for _ in range(4):
        send(n, ours)
        send(n, pay([x, y], fee))
        refused(n, ours, "insufficient fee", None)
        away = pay(y, fee + 1000)
        refused(n, pay(y, fee), "insufficient fee", None)
        send(n, away)
        assert pool(n) == ids(away)
        send(n, ours)
        assert pool(n) == ids(ours, away)
        # The next round has both of these to beat.
        refused(n, pay([x, y], fee + 2000), "insufficient fee", None)
        fee *= 3


def test_a_flood_of_children_is_bounded(env):
    """A cluster is full at 64; what a replacement must pay is bounded by
    what the children paid."""
    n = env.offline().start()
    w = Wallet(n)
    coin = w.coin()
    parent = pay(coin, 1000, outputs=63)
    send(n, parent)
    for c in coins_of(parent):
        send(n, pay(c, 1000))
    refused(n, pay(coins_of(pay(coins_of(parent)[0], 1000))[0], 1000),
            "too-large-cluster", "")
    # 64 transactions pay 64,000.
    refused(n, pay(coin, 64000), "insufficient fee", None)
    b = pay(coin, 64010)
    send(n, b)
    assert pool(n) == ids(b)


def test_version_3_keeps_room_for_a_fee(env):
    """One small child, which anybody's better one may evict."""
    n = env.offline().start()
    w = Wallet(n)
    parent = pay(w.coin(), 1000, outputs=2, version=3)
    send(n, parent)
    a, b = coins_of(parent)
    names = "%s (wtxid=%s)" % (rev(parent.txid()), rev(parent.wtxid()))
    plain = pay(a, 1000)
    refused(n, plain, "TRUC-violation",
            "non-version=3 tx %s (wtxid=%s) cannot spend from version=3 tx "
            "%s" % (rev(plain.txid()), rev(plain.wtxid()), names))
    big = pay(a, 20000, version=3, pad=950)
    refused(n, big, "TRUC-violation",
            "version=3 child tx %s (wtxid=%s) is too big: %d > 1000 virtual "
            "bytes" % (rev(big.txid()), rev(big.wtxid()), vsize(big)))
    huge = pay(w.coin(), 20000, version=3, pad=10000)
    refused(n, huge, "TRUC-violation", None)
    pin = pay(a, 2000, version=3)
    send(n, pin)
    grandchild = pay(coins_of(pin)[0], 1000, version=3)
    refused(n, grandchild, "TRUC-violation",
            "tx %s (wtxid=%s) would have too many ancestors" % (
                rev(grandchild.txid()), rev(grandchild.wtxid())))
    # The sibling may go, for a price.
    cheap = pay(b, 2000, version=3)
    r = verdict(n, cheap)[0]
    assert r["reject-reason"] == \
        "insufficient fee (including sibling eviction)", r
    better = pay(b, 3000, version=3)
    send(n, better)
    assert pool(n) == ids(parent, better)
    # Version 3 spends no unconfirmed others.
    other = pay(w.coin(), 1000)
    send(n, other)
    mixed = pay(coins_of(other)[0], 1000, version=3)
    refused(n, mixed, "TRUC-violation",
            "version=3 tx %s (wtxid=%s) cannot spend from non-version=3 tx "
            "%s (wtxid=%s)" % (rev(mixed.txid()), rev(mixed.wtxid()),
                               rev(other.txid()), rev(other.wtxid())))
    mine(n, 1)
    assert pool(n) == set()


def test_dust_left_behind_is_refused(env):
    """An anchor of nothing, spent by every child."""
    n = env.offline().start()
    w = Wallet(n)
    parent = pay(w.coin(), 0, version=3, extra=[TxOut(0, P2A)])
    anchor = Coin(parent.txid(), 1, 0)
    r = verdict(n, parent)[0]
    assert r["reject-reason"] == "min relay fee not met"
    paid = pay(w.coin(), 500, version=3, extra=[TxOut(0, P2A)])
    refused(n, paid, "dust", "tx with dust output must be 0-fee")

    def child(coins, fee):
        t = pay(coins, fee, version=3)
        for i in t.ins:
            if i.txid == anchor.txid and i.n == 1:
                i.witness = []
        return t

    forgets = child([coins_of(parent)[0]], 5000)
    r = n.rpc.submitpackage([parent.hex(), forgets.hex()])
    assert r["package_msg"] == "unspent-dust", r
    assert "missing-ephemeral-spends, tx %s (wtxid=%s) did not spend " \
        "parent's ephemeral dust" % (rev(forgets.txid()),
                                     rev(forgets.wtxid())) == \
        r["tx-results"][rev(forgets.wtxid())]["error"]
    good = child([coins_of(parent)[0], anchor], 5000)
    r = n.rpc.submitpackage([parent.hex(), good.hex()])
    assert r["package_msg"] == "success", r
    assert pool(n) == ids(parent, good)
    forgets = child([coins_of(parent)[0]], 50000)
    refused(n, forgets, "missing-ephemeral-spends", None)
    better = child([anchor, w.coin()], 50000)
    send(n, better)
    assert pool(n) == ids(parent, better)
    mine(n, 1)
    assert pool(n) == set()


def test_too_many_signature_operations(env):
    """Witness operations count as size: 16,000 of cost and no more."""
    n = env.offline().start()
    w = Wallet(n)
    import hashlib
    # 0 IF … ENDIF 1, with 160 OP_CHECKMULTISIG of 20 each.
    script = b"\x00\x63" + b"\xae" * 160 + b"\x68\x51"
    wsh = b"\x00\x20" + hashlib.sha256(script).digest()
    make = pay(w.coin(), 10000, extra=[TxOut(COIN, wsh)] * 6)
    send(n, make)
    mine(n, 1)

    def spend(k):
        ins = [TxIn(make.txid(), 1 + i, witness=[script]) for i in range(k)]
        return Tx(ins, [TxOut(COIN, WSH_TRUE)])

    r = verdict(n, spend(5))[0]
    assert r["allowed"] and r["vsize"] == 5 * 3200 * 20 // 4, r
    assert r["vsize_bip141"] == vsize(spend(5))
    refused(n, spend(6), "bad-txns-too-many-sigops", "19200")
