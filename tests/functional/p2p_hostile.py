"""Peers that break the protocol: the node hangs up or ignores them, says so,
and serves everybody else."""

import os
import struct
import time

from harness.node import wait_until
from harness.peer import (MSG_BLOCK, MSG_WITNESS_BLOCK, Closed, Peer,
                          headers_payload, inv_payload, message,
                          parse_headers, parse_inv, version_payload)
from harness.primitives import (OP_TRUE, Block, Tx, TxIn,
                                TxOut, compact, rev, sha256d)
from harness.regtest import mine


def start(env, *args):
    n = env.plain(args=list(args)).start()
    mine(n, 10)
    return n


def next_time(node):
    return node.rpc.getblockheader(node.tip())["time"] + 1


def still_serves(node):
    p = Peer(node.p2p_port)
    tip = rev(node.tip())
    p.send("getdata", inv_payload([(MSG_WITNESS_BLOCK, tip)]))
    assert sha256d(p.expect("block")[:80]) == tip
    p.close()


def hung_up(node, data, handshake=True):
    p = Peer(node.p2p_port, handshake=handshake)
    try:
        p.raw(data)
    except Closed:
        pass
    assert p.closed(), "the node did not hang up"
    p.close()
    still_serves(node)


def tolerated(node, data):
    p = Peer(node.p2p_port)
    p.raw(data)
    p.sync()
    p.close()


def test_malformed_messages(env):
    n = start(env)
    # Another network's magic, and noise.
    hung_up(n, message("ping", bytes(8), magic=bytes.fromhex("f9beb4d9")))
    hung_up(n, os.urandom(64))
    hung_up(n, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", handshake=False)
    # Longer than any message may be.
    hung_up(n, message("block", b"", length=4000001))
    hung_up(n, message("block", b"", length=0xffffffff))
    # A wrong checksum costs the message, not the connection.
    tolerated(n, message("ping", bytes(8), sum_=b"\0\0\0\0"))
    # Unknown ones are ignored.
    tolerated(n, message("nonsense", os.urandom(1000)))
    # Truncated inside.
    hung_up(n, message("headers", compact(2000) + bytes(81)))
    hung_up(n, message("getdata", compact(5) + bytes(36)))
    hung_up(n, message("block", bytes(79)))
    # More elements than allowed.
    hung_up(n, message("headers", headers_payload([bytes(80)] * 2001)))
    hung_up(n, message("inv", inv_payload([(1, bytes(32))] * 50001)))
    hung_up(n, message("getdata", inv_payload([(1, bytes(32))] * 50001)))
    hung_up(n, message("getheaders", struct.pack("<I", 70016) + compact(102)
                       + bytes(32 * 103)))
    hung_up(n, message("addrv2", compact(1001) + bytes(20000)))
    # A count that cannot be true.
    hung_up(n, message("inv", b"\xff" + b"\xff" * 8))
    n.stop()


def test_half_a_message_then_nothing(env):
    n = start(env)
    p = Peer(n.p2p_port)
    p.raw(message("block", bytes(1000))[:500])
    p.close()
    q = Peer(n.p2p_port, handshake=False)
    q.raw(message("version", version_payload())[:30])
    q.close()
    wait_until(lambda: n.rpc.getconnectioncount() == 0, 20)
    still_serves(n)
    n.stop()


def test_handshake_order(env):
    n = start(env)
    # Anything before version is ignored or ends the connection, never more.
    p = Peer(n.p2p_port, handshake=False)
    p.send("getheaders", struct.pack("<I", 70016) + compact(0) + bytes(32))
    p.send("version", version_payload())
    try:
        p.expect("version")
    except Closed:
        pass
    p.close()
    # Too old to speak with.
    p = Peer(n.p2p_port, handshake=False)
    p.send("version", version_payload(version=209))
    assert p.closed()
    # A second version.
    p = Peer(n.p2p_port)
    p.send("version", version_payload())
    try:
        p.sync()
    except Closed:
        pass
    still_serves(n)
    n.stop()


def chain_headers(node, count, when=None, bits=None):
    """So many valid headers on the tip, without blocks."""
    prev, height = node.tip(), node.height()
    when = when or node.rpc.getblockheader(prev)["time"] + 1
    out = []
    for i in range(count):
        b = Block(prev, height + 1 + i, when=when + i)
        if bits:
            b.bits = bits
        b.solve()
        out.append(b.header())
        prev = b.hash()
    return out


def test_headers_that_break_rules(env):
    n = start(env)
    good = chain_headers(n, 3)
    # Not a chain.
    hung_up(n, message("headers", headers_payload([good[0], good[2]])))
    # No proof of work.
    b = Block(n.tip(), n.height() + 1, when=int(time.time()))
    b.solve(valid=False)
    hung_up(n, message("headers", headers_payload([b.header()])))
    # Wrong difficulty.
    b = Block(n.tip(), n.height() + 1, when=int(time.time()))
    b.bits = 0x1f7fffff
    b.solve()
    hung_up(n, message("headers", headers_payload([b.header()])))
    assert n.rpc.getblockchaininfo()["headers"] == n.height()
    # Too far in the future: refused, not remembered as bad.
    b = Block(n.tip(), n.height() + 1, when=int(time.time()) + 3 * 3600)
    b.solve()
    p = Peer(n.p2p_port)
    p.send("headers", headers_payload([b.header()]))
    p.closed(3)
    p.close()
    assert n.rpc.getblockchaininfo()["headers"] == n.height()
    still_serves(n)
    n.stop()


def test_invalid_block_is_refused_and_a_better_one_taken(env):
    n = start(env)
    tip, height = n.tip(), n.height()
    bad = Block(tip, height + 1, when=next_time(n))
    bad.txs[0].outs[0].value += 1
    bad.solve()
    p = Peer(n.p2p_port)
    p.send("headers", headers_payload([bad.header()]))
    want = parse_inv(p.expect("getdata"))
    assert want[0][1] == rev(bad.hash())
    p.send("block", bad.raw())
    assert p.closed()
    assert n.tip() == tip
    assert "bad-cb-amount" in n.log()
    good = Block(tip, height + 1, when=next_time(n) + 1).solve()
    q = Peer(n.p2p_port)
    q.send("headers", headers_payload([good.header()]))
    q.expect("getdata")
    q.send("block", good.raw())
    n.wait_tip(good.hash())
    states = {t["hash"]: t["status"] for t in n.rpc.getchaintips()}
    assert states[bad.hash()] == "invalid", states
    n.stop()


def test_mutated_block_is_not_held_against_the_good_one(env):
    n = start(env)
    good = Block(n.tip(), n.height() + 1, when=next_time(n)).solve()
    # The same header with other bytes behind it.
    p = Peer(n.p2p_port)
    p.send("headers", headers_payload([good.header()]))
    p.expect("getdata")
    other = Block(n.tip(), n.height() + 1, when=good.time)
    other.txs[0].outs[0].script = OP_TRUE + OP_TRUE
    p.send("block", good.header() + compact(1) + other.txs[0].raw())
    assert p.closed()
    assert n.tip() != good.hash()
    q = Peer(n.p2p_port)
    q.send("headers", headers_payload([good.header()]))
    q.expect("getdata")
    q.send("block", good.raw())
    n.wait_tip(good.hash())
    n.stop()


def test_a_peer_that_stalls_is_replaced(env):
    a = env.plain("a").start()
    mine(a, 40)
    b = env.plain("b").start()
    headers = []
    ask = Peer(a.p2p_port)
    ask.send("getheaders", struct.pack("<I", 70016) + compact(1)
             + rev(a.rpc.getblockhash(0)) + bytes(32))
    headers = parse_headers(ask.expect("headers"))
    assert len(headers) == 40
    # Promises everything, delivers nothing.
    staller = Peer(b.p2p_port, height=40)
    staller.expect("getheaders")
    staller.send("headers", headers_payload(headers))
    staller.expect("getdata")
    b.rpc.addnode("127.0.0.1:%d" % a.p2p_port, "onetry")
    b.wait_tip(a.tip(), timeout=180)
    a.stop()
    b.stop()


def test_headers_for_ever(env):
    """A low-work chain without end costs the node no memory for headers."""
    n = start(env, "-minimumchainwork=ff00000000", "-debug=p2p")
    p = Peer(n.p2p_port, height=1000000)
    p.expect("getheaders")
    prev, height = n.rpc.getblockhash(0), 0
    when = n.rpc.getblockheader(prev)["time"]
    for _ in range(6):
        batch = []
        for i in range(2000):
            height += 1
            b = Block(prev, height, when=when + height)
            b.txs = []
            b.root = bytes(32)
            b.solve()
            batch.append(b.header())
            prev = b.hash()
        p.send("headers", headers_payload(batch))
        try:
            p.sync()
        except Closed:
            break
    assert n.rpc.getblockchaininfo()["headers"] <= 10
    # Still there; but a chain of so little work is not shown to anybody.
    q = Peer(n.p2p_port)
    q.send("getdata", inv_payload([(MSG_WITNESS_BLOCK, rev(n.tip()))]))
    q.expect("notfound")
    n.stop()


def test_blocks_nobody_asked_for(env):
    n = start(env)
    tip = n.tip()
    # Unrelated to anything we know.
    orphan = Block("11" * 32, 5, when=int(time.time())).solve()
    p = Peer(n.p2p_port)
    p.send("block", orphan.raw())
    try:
        p.sync()
    except Closed:
        pass
    assert n.tip() == tip
    still_serves(n)
    n.stop()


def test_serving(env):
    n = start(env)
    p = Peer(n.p2p_port)
    genesis = rev(n.rpc.getblockhash(0))
    p.send("getheaders", struct.pack("<I", 70016) + compact(1) + genesis
           + bytes(32))
    headers = parse_headers(p.expect("headers"))
    assert len(headers) == 10
    assert rev(sha256d(headers[-1])) == n.tip()
    # Unknown blocks are answered with notfound, or not at all.
    p.send("getdata", inv_payload([(MSG_BLOCK, b"\x77" * 32)]))
    p.sync()
    assert "block" not in p.seen
    # A new block is announced.
    mine(n, 1)
    while True:
        command, payload = p.receive()
        if command in ("inv", "headers"):
            break
    got = parse_inv(payload)[0][1] if command == "inv" else \
        sha256d(parse_headers(payload)[-1])
    assert rev(got) == n.tip()
    n.stop()


def test_witness_is_given_to_those_who_ask(env):
    from harness.regtest import mine_with_spends
    n = env.plain().start()
    mine_with_spends(n, 103)
    tip = rev(n.tip())
    p = Peer(n.p2p_port)
    p.send("getdata", inv_payload([(MSG_WITNESS_BLOCK, tip)]))
    full = p.expect("block")
    assert full.hex() == n.rpc.getblock(n.tip(), 0)
    p.send("getdata", inv_payload([(MSG_BLOCK, tip)]))
    stripped = p.expect("block")
    assert len(stripped) < len(full) and stripped[:80] == full[:80]
    n.stop()


def test_many_connections(env):
    n = start(env, "-maxconnections=20")
    peers = []
    for _ in range(40):
        try:
            peers.append(Peer(n.p2p_port, timeout=5))
        except (Closed, OSError):
            pass
    assert n.rpc.getconnectioncount() <= 20
    for p in peers:
        p.close()
    wait_until(lambda: n.rpc.getconnectioncount() == 0, 30)
    still_serves(n)
    n.stop()


def test_unsolicited_transactions_do_no_harm(env):
    n = start(env)
    tx = Tx([TxIn(b"\x01" * 32, 0)], [TxOut(1, OP_TRUE)])
    p = Peer(n.p2p_port)
    p.send("tx", tx.raw())
    p.send("inv", inv_payload([(5, tx.wtxid())]))
    p.send("feefilter", struct.pack("<q", 1000))
    p.send("sendcmpct", b"\0" + struct.pack("<Q", 2))
    p.sync()
    # The mempool is not for strangers.
    p.send("mempool")
    assert p.closed()
    still_serves(n)
    n.stop()
