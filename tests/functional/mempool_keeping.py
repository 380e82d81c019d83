"""What the mempool keeps: across blocks, reorganisations and restarts,
within its memory and its time."""

import os
import time

from harness.primitives import COIN, rev
from harness.regtest import DESCRIPTOR, mine
from harness.node import wait_until
from harness.wallet import Wallet, coins_of, pay

from mempool_basic import error_of
from mempool_policy import refused
from mempool_replace import ids, pool, send


def path_of(n):
    return os.path.join(n.chaindir, "node", "mempool.dat")


def loaded(n):
    wait_until(lambda: n.rpc.getmempoolinfo()["loaded"], text="loaded")


def read_file(data):
    """The transactions of a mempool.dat: (raw, time, delta) each, then what
    follows them."""
    assert data[:9] == (2).to_bytes(8, "little") + b"\x08"
    key, head = data[9:17], 17
    clear = bytes(b ^ key[(head + i) % 8] for i, b in
                  enumerate(data[head:]))
    return int.from_bytes(clear[:8], "little"), clear[8:]


def test_reorganisation(env):
    n = env.offline().start()
    w = Wallet(n)
    a = pay(w.coin(), 2000, outputs=2)
    b = pay(coins_of(a)[0], 3000)
    c = pay(coins_of(b)[0], 4000)
    d = pay(coins_of(a)[1], 1500)
    send(n, a, b)
    first = mine(n, 1)[0]
    send(n, c)
    mine(n, 1)
    send(n, d)
    rivals = w.coin()
    e = pay(rivals, 5000)
    send(n, e)
    mine(n, 1)
    assert pool(n) == set()
    n.rpc.invalidateblock(first)
    assert pool(n) == ids(a, b, c, d, e)
    order = n.rpc.getrawmempool()
    assert order.index(rev(a.txid())) < order.index(rev(b.txid())) < \
        order.index(rev(c.txid()))
    entry = n.rpc.getmempoolentry(rev(c.txid()))
    assert entry["ancestorcount"] == 3
    assert n.rpc.getmempoolcluster(rev(d.txid()))["txcount"] == 4
    # Another branch takes one of them, and spends what another spends.
    rival = pay(rivals, 7000)
    n.rpc.generateblock(DESCRIPTOR, [a.hex(), rival.hex()])
    assert pool(n) == ids(b, c, d)
    assert n.rpc.getmempoolentry(rev(b.txid()))["depends"] == []
    n.rpc.reconsiderblock(first)
    assert n.height() == 123 and pool(n) == set()


def test_blocks_sequence_and_priorities(env):
    n = env.offline().start()
    w = Wallet(n)
    a, b = pay(w.coin(), 1000), pay(w.coin(), 2000)
    send(n, a, b)
    assert n.rpc.getrawmempool(False, True)["mempool_sequence"] == 3
    n.rpc.prioritisetransaction(rev(a.txid()), 0, 5000)
    assert n.rpc.getrawmempool() == [rev(a.txid()), rev(b.txid())]
    assert n.rpc.getprioritisedtransactions() == {rev(a.txid()): {
        "fee_delta": 5000, "in_mempool": True, "modified_fee": 6000}}
    e = n.rpc.getmempoolentry(rev(a.txid()))
    assert round(e["fees"]["base"] * COIN) == 1000
    assert round(e["fees"]["modified"] * COIN) == 6000
    diagram = n.rpc.getmempoolfeeratediagram()
    assert [round(p["fee"] * COIN) for p in diagram] == [0, 6000, 8000]
    # Mined ones do not count; ids in a block of one's own choice do.
    n.rpc.generateblock(DESCRIPTOR, [rev(b.txid())])
    assert pool(n) == ids(a)
    assert n.rpc.getrawmempool(False, True)["mempool_sequence"] == 3
    e = error_of(n.rpc.generateblock, DESCRIPTOR, [rev(b.txid())])
    assert e.code == -5
    mine(n, 1)
    assert n.rpc.getprioritisedtransactions() == {}
    e = error_of(n.rpc.prioritisetransaction, rev(a.txid()), 1, 5)
    assert e.code == -8
    e = error_of(n.rpc.getrawmempool, True, True)
    assert e.code == -8
    e = error_of(n.rpc.gettxspendingprevout, [])
    assert e.code == -8


def test_restart(env):
    n = env.offline().start()
    w = Wallet(n)
    a = pay(w.coin(), 2000, outputs=2)
    b = pay(coins_of(a)[0], 9000)
    send(n, a, b)
    n.rpc.prioritisetransaction(rev(b.txid()), 0, 123)
    before = n.rpc.getrawmempool(True)
    time.sleep(1.1)
    n.restart()
    loaded(n)
    after = n.rpc.getrawmempool(True)
    assert after == before, (before, after)
    assert os.stat(path_of(n)).st_mode & 0o777 == 0o600
    # What was mined meanwhile (elsewhere), or is too old, does not return.
    assert n.rpc.savemempool()["filename"] == path_of(n)
    saved = open(path_of(n), "rb").read()
    count, rest = read_file(saved)
    assert count == 2
    # Parents first; each with its time and what was added to its fee.
    for tx, delta in ((a, 0), (b, 123)):
        when = before[rev(tx.txid())]["time"]
        one = tx.raw() + when.to_bytes(8, "little") + \
            delta.to_bytes(8, "little")
        assert rest.startswith(one)
        rest = rest[len(one):]
    # No other deltas; both are unbroadcast.
    assert rest[:2] == b"\x00\x02" and len(rest) == 2 + 64
    assert {rest[2:34], rest[34:]} == {a.txid(), b.txid()}
    mine(n, 1)
    n.stop()
    open(path_of(n), "wb").write(saved)
    n.start()
    loaded(n)
    assert pool(n) == set()
    assert "2 refused" in n.log()
    # Import: by hand, from where the node may read.
    n.rpc.invalidateblock(n.tip())
    c = pay(w.coin(), 1000)
    send(n, c)
    n.rpc.savemempool()
    os.rename(path_of(n), path_of(n) + ".kept")
    mine(n, 1)
    n.rpc.invalidateblock(n.tip())
    n.stop()
    os.remove(path_of(n))
    n.start("-persistmempool=0")
    loaded(n)
    assert pool(n) == set()
    e = error_of(n.rpc.importmempool, "/etc/hostname")
    assert e.code == -1 and str(e).startswith(
        "Unable to import mempool file"), e
    assert n.rpc.importmempool(path_of(n) + ".kept") == {}
    assert pool(n) == ids(a, b, c)
    assert n.rpc.getprioritisedtransactions() == {}
    n.stop()
    assert not os.path.exists(path_of(n))


def test_a_damaged_file(env):
    n = env.offline().start()
    w = Wallet(n)
    a, b = pay(w.coin(), 9000), pay(w.coin(), 1000)
    send(n, a, b)
    n.stop()
    whole = open(path_of(n), "rb").read()
    future = (3).to_bytes(8, "little") + whole[8:]
    for data, left, said in (
            (whole[:-20], ids(a, b), "ends or makes no sense after 2"),
            (whole[:17 + 8 + 200], ids(a), "ends or makes no sense after 1"),
            (whole[:12], set(), "cut short"),
            (b"", set(), "cut short"),
            (future, set(), "version 3")):
        open(path_of(n), "wb").write(data)
        n.start()
        loaded(n)
        assert pool(n) == left, (said, pool(n))
        assert said in n.log()
        n.stop()


def test_memory_is_bounded(env):
    n = env.offline(args=("-maxmempool=5",)).start()
    w = Wallet(n)
    coins = w.fan(120)
    for i, c in enumerate(coins):
        tx = pay(c, 70000 + 100 * i, pad=64000)
        try:
            n.rpc.sendrawtransaction(tx.hex(), 0)
        except Exception as e:
            assert "mempool min fee not met" in str(e) or \
                "mempool full" in str(e), e
        info = n.rpc.getmempoolinfo()
        assert info["usage"] <= 5000000
    assert 60 < info["size"] < 80
    assert info["mempoolminfee"] > info["minrelaytxfee"]
    rate = round(info["mempoolminfee"] * COIN)
    cheap = pay(w.coin(), 500)
    cheap = pay(w.coin(), 94 * rate // 1000 - 1)
    refused(n, cheap, "mempool min fee not met", None)
    # A child may pay for it yet.
    poor = pay(w.coin(), 100)
    child = pay(coins_of(poor)[0], 20000)
    r = n.rpc.submitpackage([poor.hex(), child.hex()])
    assert r["package_msg"] == "success", r
    assert n.rpc.getmempoolinfo()["usage"] <= 5000000


def test_time_is_bounded(env):
    n = env.offline(args=("-mempoolexpiry=10",)).start()
    w = Wallet(n)
    now = int(time.time())
    n.rpc.setmocktime(now)
    a = pay(w.coin(), 1000)
    b = pay(coins_of(a)[0], 1000)
    send(n, a)
    n.rpc.setmocktime(now + 5 * 3600)
    send(n, b)
    n.rpc.setmocktime(now + 10 * 3600 + 1)
    c = pay(w.coin(), 1000)
    send(n, c)
    assert pool(n) == ids(c)
