"""Transactions between peers: told, asked for, judged, passed on."""

import socket
import struct
import time

from harness.node import wait_until
from harness.peer import Peer, inv_payload, parse_inv
from harness.primitives import rev
from harness.regtest import mine
from harness.wallet import Wallet, coins_of, pay, vsize
from p2p_sync import connect

TX, WTX, WITNESS_TX = 1, 5, 0x40000001


def peer_of(node, **version):
    """Rounds of announcements come at random times: be patient."""
    return Peer(node.p2p_port, timeout=90, **version)


def ids(node):
    return set(node.rpc.getrawmempool())


def txid(tx):
    return rev(tx.txid())


def told(peer, n=1):
    """The next n announcements of transactions: [(type, hash)]."""
    got = []
    while len(got) < n:
        got += [i for i in parse_inv(peer.expect("inv")) if i[0] != 2]
    return got


def asked(peer):
    return [i for i in parse_inv(peer.expect("getdata"))
            if i[0] & 0xffff != 2]


def give(peer, tx, kind=WTX):
    """Announce it and hand it over when asked."""
    peer.send("inv", inv_payload([(kind, tx.wtxid())]))
    assert (kind, tx.wtxid()) in asked(peer)
    peer.send("tx", tx.raw())
    peer.sync()


def in_pool(node, tx):
    wait_until(lambda: txid(tx) in ids(node), 20,
               text="%s in the mempool" % txid(tx))


def test_along_a_line_of_nodes(env):
    a, b, c = [env.plain(x).start() for x in "abc"]
    coins = Wallet(a).fan(10)
    connect(b, a)
    connect(c, b)
    c.wait_tip(a.tip())
    txs = [pay(coin, 1000 + i) for i, coin in enumerate(coins)]
    child = pay(coins_of(txs[0])[0], 3000)
    for t in txs + [child]:
        a.rpc.sendrawtransaction(t.hex())
    wait_until(lambda: len(ids(c)) == 11, 60, text="11 at the end")
    assert ids(c) == ids(a) == ids(b)
    # What replaces goes the same way.
    again = pay(coins[3], 5000)
    c.rpc.sendrawtransaction(again.hex())
    wait_until(lambda: txid(again) in ids(a), 60, text="the replacement")
    assert txid(txs[3]) not in ids(a) and len(ids(a)) == 11
    mine(c, 1)
    for n in (a, b):
        n.wait_tip(c.tip())
        assert ids(n) == set()
    for n in (a, b, c):
        n.stop()


def test_told_then_served(env):
    n = env.plain().start()
    coins = Wallet(n).fan(3)
    p, q = peer_of(n), peer_of(n)
    first, second = pay(coins[0], 1000), pay(coins[1], 1000)
    p.sync()
    q.sync()
    # Nobody gets what he was not told.
    p.send("getdata", inv_payload([(WTX, first.wtxid())]))
    assert parse_inv(p.expect("notfound")) == [(WTX, first.wtxid())]
    n.rpc.sendrawtransaction(first.hex())
    assert told(p) == [(WTX, first.wtxid())]
    p.send("getdata", inv_payload([(WTX, first.wtxid())]))
    assert p.expect("tx") == first.raw()
    p.send("getdata", inv_payload([(WITNESS_TX, first.txid())]))
    assert p.expect("tx") == first.raw()
    p.send("getdata", inv_payload([(TX, first.txid())]))
    assert p.expect("tx") == first.raw(False)
    # From one peer to another, and not back to the one.
    p.seen.clear()
    give(p, second)
    in_pool(n, second)
    assert (WTX, second.wtxid()) in told(q, 2)
    p.sock.settimeout(12)
    try:
        while True:
            got, payload = p.receive()
            assert got != "inv" or not any(
                h == second.wtxid() for _, h in parse_inv(payload))
    except socket.timeout:
        pass
    # Already known: not asked for again.
    q.send("inv", inv_payload([(WTX, first.wtxid())]))
    third = pay(coins[2], 1000)
    q.send("inv", inv_payload([(WTX, third.wtxid())]))
    assert asked(q) == [(WTX, third.wtxid())]
    n.stop()


def test_wishes_of_peers(env):
    n = env.plain().start()
    coins = Wallet(n).fan(4)
    quiet = peer_of(n, relay=0)
    dear = peer_of(n)
    dear.send("feefilter", struct.pack("<Q", 20000))
    dear.sync()
    fee = struct.unpack("<Q", peer_of(n).expect("feefilter"))[0]
    assert 100 <= fee <= 121, fee
    cheap = pay(coins[0], 2 * vsize(pay(coins[0], 0)))
    rich = pay(coins[1], 50 * vsize(pay(coins[1], 0)))
    n.rpc.sendrawtransaction(cheap.hex())
    n.rpc.sendrawtransaction(rich.hex())
    assert told(dear) == [(WTX, rich.wtxid())]
    quiet.sync()
    assert "inv" not in quiet.seen
    # The mempool is not shown to strangers.
    quiet.send("mempool")
    assert quiet.closed()
    n.stop()


def test_orphans_wait_for_parents(env):
    n = env.plain().start()
    coins = Wallet(n).fan(4)
    p = peer_of(n)
    parents = [pay(coins[0], 1000), pay(coins[1], 1000)]
    child = pay([coins_of(t)[0] for t in parents], 2000)
    grandchild = pay(coins_of(child)[0], 2000)
    give(p, grandchild)
    assert asked(p) == [(WITNESS_TX, child.txid())]
    p.send("tx", child.raw())
    assert {h for _, h in asked(p)} == {t.txid() for t in parents}
    for t in parents:
        p.send("tx", t.raw())
    for t in parents + [child, grandchild]:
        in_pool(n, t)
    # A flood of them is bounded, and harms nobody else's.
    q = peer_of(n)
    lone = pay(coins_of(pay(coins[2], 1000))[0], 1000)
    give(q, lone)
    for i in range(3000):
        p.send("tx", pay(coins_of(pay(coins[3], 500 + i))[0], 700).raw())
    p.sync()
    q.send("tx", pay(coins[2], 1000).raw())
    in_pool(n, lone)
    n.stop()


def test_parent_and_paying_child(env):
    n = env.plain(args=["-minrelaytxfee=0.00005"]).start()
    coins = Wallet(n).fan(2)
    p = peer_of(n)
    parent = pay(coins[0], 100)
    child = pay(coins_of(parent)[0], 20000)
    give(p, parent)
    give(p, child)
    assert asked(p) == [(WITNESS_TX, parent.txid())]
    p.send("tx", parent.raw())
    in_pool(n, child)
    assert txid(parent) in ids(n)
    n.stop()


def test_bad_ones(env):
    n = env.plain().start()
    coins = Wallet(n).fan(3)
    p, q = peer_of(n), peer_of(n)
    bad = pay(coins[0], 1000)
    bad.ins[0].witness = [b"\x00"]
    give(p, bad)
    # Refused: nobody is asked for it again; the same with a good witness is.
    q.send("inv", inv_payload([(WTX, bad.wtxid())]))
    good = pay(coins[0], 1000)
    assert good.txid() == bad.txid()
    q.send("inv", inv_payload([(WTX, good.wtxid())]))
    assert asked(q) == [(WTX, good.wtxid())]
    q.send("tx", good.raw())
    in_pool(n, good)
    # Without its witness.
    stripped = pay(coins[1], 1000)
    p.send("tx", stripped.raw(False))
    p.sync()
    give(q, stripped)
    in_pool(n, stripped)
    p.send("tx", good.raw()[:-1])
    assert p.closed()
    n.stop()


def test_blocks_only(env):
    n = env.plain(args=["-blocksonly"]).start()
    coins = Wallet(n).fan(2)
    p = peer_of(n)
    tx = pay(coins[0], 1000)
    p.send("inv", inv_payload([(WTX, tx.wtxid())]))
    p.send("tx", tx.raw())
    p.sync()
    time.sleep(1)
    p.sync()
    assert "getdata" not in p.seen and ids(n) == set()
    # Its own are told.
    p.sync()
    own = pay(coins[1], 1000)
    n.rpc.sendrawtransaction(own.hex())
    assert told(p) == [(WTX, own.wtxid())]
    n.stop()
