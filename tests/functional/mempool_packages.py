"""Parents and children together: submitpackage, testmempoolaccept."""

from harness.primitives import COIN, WSH_TRUE, TxOut, rev
from harness.regtest import mine
from harness.wallet import Wallet, coins_of, pay, vsize

from mempool_basic import error_of
from mempool_policy import verdict
from mempool_replace import ids, pool, send


def submit(n, *txs):
    return n.rpc.submitpackage([t.hex() for t in txs])


def result(r, tx):
    return r["tx-results"][rev(tx.wtxid())]


def test_a_child_pays_for_its_parent(env):
    n = env.offline().start()
    w = Wallet(n)
    parent = pay(w.coin(), 0)
    child = pay(coins_of(parent)[0], 3000)
    # Neither goes alone.
    assert verdict(n, parent)[0]["reject-reason"] == "min relay fee not met"
    assert verdict(n, child)[0]["reject-reason"] == "missing-inputs"
    r = submit(n, parent, child)
    assert r["package_msg"] == "success", r
    both = vsize(parent) + vsize(child)
    for t, fee in ((parent, 0), (child, 3000)):
        one = result(r, t)
        assert one["txid"] == rev(t.txid())
        assert one["vsize"] == one["vsize_bip141"] == vsize(t)
        assert round(one["fees"]["base"] * COIN) == fee
        assert round(one["fees"]["effective-feerate"] * COIN) == \
            3000 * 1000 // both
        assert set(one["fees"]["effective-includes"]) == \
            {rev(parent.wtxid()), rev(child.wtxid())}
    assert r["replaced-transactions"] == []
    assert pool(n) == ids(parent, child)
    cluster = n.rpc.getmempoolcluster(rev(child.txid()))
    assert len(cluster["chunks"]) == 1
    # Again: they are there.
    r = submit(n, parent, child)
    assert r["package_msg"] == "success"
    assert "effective-feerate" not in result(r, child)["fees"]
    mine(n, 1)
    assert pool(n) == set()


def test_what_is_enough_alone_pays_for_nobody(env):
    n = env.offline().start()
    w = Wallet(n)
    rich = pay(w.coin(), 5000)
    poor = pay(w.coin(), 1)
    child = pay([coins_of(rich)[0], coins_of(poor)[0]], 2000)
    r = submit(n, rich, poor, child)
    assert r["package_msg"] == "success", r
    assert result(r, rich)["fees"]["effective-includes"] == \
        [rev(rich.wtxid())]
    assert set(result(r, poor)["fees"]["effective-includes"]) == \
        {rev(poor.wtxid()), rev(child.wtxid())}
    # Just enough, of both.
    poor = pay(w.coin(), 5)
    kid = pay(coins_of(poor)[0], 0)
    need = -(-(vsize(poor) + vsize(kid)) * 100 // 1000)
    kid = pay(coins_of(poor)[0], need - 5)
    assert submit(n, poor, kid)["package_msg"] == "success"
    # Too little in all.
    poor = pay(w.coin(), 1)
    child = pay(coins_of(poor)[0], 10)
    r = submit(n, poor, child)
    assert r["package_msg"] == "transaction failed", r
    assert result(r, poor)["error"].startswith("min relay fee not met")
    # One bad apple: the others are not tried further.
    good, bad = pay(w.coin(), 2000), pay(w.coin(), 2000, version=9)
    child = pay([coins_of(good)[0], coins_of(bad)[0]], 9000)
    r = submit(n, good, bad, child)
    assert r["package_msg"] == "transaction failed"
    assert result(r, bad)["error"] == "version"
    assert "fees" in result(r, good)
    assert rev(good.txid()) in pool(n)


def test_shapes(env):
    n = env.offline().start()
    w = Wallet(n)
    a, b = pay(w.coin(), 1000), pay(w.coin(), 1000)
    child = pay(coins_of(a)[0], 1000)
    grand = pay(coins_of(child)[0], 1000)
    for txs in ((a, b), (a, child, grand), (child, a)):
        e = error_of(submit, n, *txs)
        assert e.code == -25 and str(e).startswith(
            "package topology disallowed. not child-with-parents or parents "
            "depend on each other."), e
    e = error_of(n.rpc.submitpackage, [])
    assert e.code == -8 and str(e).startswith(
        "Array must contain between 1 and 25 transactions.")
    # Tests take any order in which parents come first.
    for r in verdict(n, a, child, grand, b):
        assert r["allowed"] is True, r
    for txs, why in (((child, a), "package-not-sorted"),
                     ((a, a), "package-contains-duplicates"),
                     ((a, pay(_coin_of(w, a), 2000)),
                      "conflict-in-package")):
        for r in verdict(n, *txs):
            assert r["package-error"] == why and "allowed" not in r, r
    heavy = [pay(w.coin(), 50000, pad=60000) for _ in range(2)]
    assert verdict(n, *heavy)[0]["package-error"] == "package-too-large"
    # A failure leaves what depends on it open.
    poor = pay(w.coin(), 0)
    kid = pay(coins_of(poor)[0], 5000)
    r = verdict(n, poor, kid)
    assert r[0]["reject-reason"] == "min relay fee not met"
    assert "allowed" not in r[1]
    send(n, a)
    r = verdict(n, pay(_coin_of(w, a), 9000), b)
    assert r[0]["reject-reason"] == "bip125-replacement-disallowed"


def _coin_of(w, tx):
    from harness.wallet import Coin
    i = tx.ins[0]
    return Coin(i.txid, i.n, 50 * COIN)


def test_packages_replace(env):
    n = env.offline().start()
    w = Wallet(n)
    coin = w.coin()

    def package(parent_fee, child_fee):
        p = pay(coin, parent_fee, version=3)
        return p, pay(coins_of(p)[0], child_fee, version=3)

    first = package(0, 2000)
    assert submit(n, *first)["package_msg"] == "success"
    r = submit(n, *package(1, 2008))
    assert r["package_msg"].startswith(
        "package RBF failed: insufficient anti-DoS fees"), r
    second = package(1, 5000)
    r = submit(n, *second)
    assert r["package_msg"] == "success", r
    assert set(r["replaced-transactions"]) == ids(*first)
    assert pool(n) == ids(*second)
    # Parents and child of many cannot replace together.
    other = pay(w.coin(), 0)
    p, _ = package(2, 0)
    child = pay([coins_of(p)[0], coins_of(other)[0]], 90000)
    r = submit(n, p, other, child)
    assert r["package_msg"] != "success"
    assert pool(n) == ids(*second)


def test_fees_beyond_reason(env):
    n = env.offline().start()
    w = Wallet(n)
    parent = pay(w.coin(), 0)
    child = pay(coins_of(parent)[0], COIN)
    r = submit(n, parent, child)
    assert r["package_msg"] == "max feerate exceeded", r
    assert result(r, child)["error"] == "max feerate exceeded"
    assert pool(n) == set()
    r = n.rpc.submitpackage([parent.hex(), child.hex()], 0)
    assert r["package_msg"] == "success"
    burn = pay(w.coin(), 1000, extra=[TxOut(1000, b"\x6a")])
    e = error_of(submit, n, burn)
    assert e.code == -25
    r = n.rpc.submitpackage([burn.hex()], 0.1, "0.00001")
    assert r["package_msg"] == "success"


def test_the_same_txid_with_another_witness(env):
    n = env.offline().start()
    w = Wallet(n)
    import hashlib
    from harness.primitives import OP_TRUE, Tx, TxIn
    script = b"\x75" + OP_TRUE
    wsh = b"\x00\x20" + hashlib.sha256(script).digest()
    make = pay(w.coin(), 10000, extra=[TxOut(COIN, wsh)])
    send(n, make)
    mine(n, 1)
    out = [TxOut(COIN - 5000, WSH_TRUE)]
    one = Tx([TxIn(make.txid(), 1, witness=[b"\x01", script])], out)
    two = Tx([TxIn(make.txid(), 1, witness=[b"\x02", script])], out)
    send(n, one)
    child = pay(coins_of(two)[0], 1000)
    r = submit(n, two, child)
    assert r["package_msg"] == "success", r
    assert result(r, two)["other-wtxid"] == rev(one.wtxid())
    assert pool(n) == ids(one, child)
