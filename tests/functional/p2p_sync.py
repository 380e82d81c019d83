"""Nodes syncing from each other over plain loopback (regtest)."""

import signal

from harness.node import wait_until
from harness.regtest import mine, mine_with_spends


def connect(a, b):
    """a dials b, and both know it."""
    a.rpc.addnode("127.0.0.1:%d" % b.p2p_port, "onetry")
    wait_until(lambda: any(p["addr"] == "127.0.0.1:%d" % b.p2p_port
                           and p["version"] for p in a.rpc.getpeerinfo()),
               20, text="%s connects to %s" % (a.name, b.name))


def test_initial_sync_and_new_blocks(env):
    a = env.plain("a").start()
    mine_with_spends(a, 250)
    b = env.plain("b").start()
    connect(b, a)
    b.wait_tip(a.tip())
    assert b.muhash() == a.muhash()
    mine(a, 1)
    b.wait_tip(a.tip())
    mine(b, 1)
    a.wait_tip(b.tip())
    info = b.rpc.getpeerinfo()[0]
    assert info["subver"].startswith("/Cloister:")
    assert info["version"] == 70016
    assert info["synced_blocks"] >= 250, info
    assert info["bytesrecv_per_msg"]["block"] > 0
    a.stop()
    b.stop()


def test_from_several_peers(env):
    source = env.plain("source").start()
    mine_with_spends(source, 300)
    peers = [source]
    for i in range(3):
        p = env.plain("peer%d" % i).start()
        connect(p, source)
        p.wait_tip(source.tip())
        peers.append(p)
    n = env.plain("new").start()
    # Connected before it asks for blocks from any.
    for p in peers:
        connect(n, p)
    n.wait_tip(source.tip())
    gave = [p["bytesrecv_per_msg"].get("block", 0)
            for p in n.rpc.getpeerinfo()]
    assert len(gave) == 4
    assert n.muhash() == source.muhash()
    for p in peers + [n]:
        p.stop()


def test_reorganisation_between_nodes(env):
    a = env.plain("a").start()
    b = env.plain("b").start()
    mine_with_spends(a, 120)
    connect(b, a)
    b.wait_tip(a.tip())
    a.rpc.setnetworkactive(False)
    wait_until(lambda: b.rpc.getconnectioncount() == 0)
    mine(a, 5)
    # Another coinbase script, or the first five would be the same blocks.
    b.rpc.generatetodescriptor(9, "raw(52)")
    assert a.tip() != b.tip()
    a.rpc.setnetworkactive(True)
    connect(a, b)
    a.wait_tip(b.tip())
    assert a.height() == 129
    assert a.muhash() == b.muhash()
    states = sorted((t["status"], t["branchlen"])
                    for t in a.rpc.getchaintips())
    assert states == [("active", 0), ("valid-fork", 5)], states
    a.stop()
    b.stop()


def test_killed_in_the_middle_of_a_sync(env):
    a = env.plain("a").start()
    mine_with_spends(a, 400)
    b = env.plain("b", args=["-addnode=127.0.0.1:%d" % a.p2p_port])
    for height in (1, 100, 200):
        b.start()
        b.wait_height(height)
        b.kill(signal.SIGKILL)
    b.start()
    b.wait_tip(a.tip())
    assert b.muhash() == a.muhash()
    # Exactly where it stopped, after a clean end.
    b.stop()
    a.rpc.setnetworkactive(False)
    b.start()
    assert b.height() == 400
    a.stop()
    b.stop()


def test_connections_are_managed(env):
    a = env.plain("a").start()
    b = env.plain("b").start()
    addr = "127.0.0.1:%d" % b.p2p_port
    a.rpc.addnode(addr, "add")
    wait_until(lambda: a.rpc.getconnectioncount() == 1, 20)
    assert a.rpc.getaddednodeinfo()[0]["connected"]
    # An added node is dialled again.
    a.rpc.disconnectnode(addr)
    wait_until(lambda: a.rpc.getconnectioncount() == 0, 20)
    wait_until(lambda: a.rpc.getconnectioncount() == 1, 60)
    b.restart()
    wait_until(lambda: a.rpc.getconnectioncount() == 1
               and a.rpc.getpeerinfo()[0]["version"], 90)
    a.rpc.addnode(addr, "remove")
    assert a.rpc.getaddednodeinfo() == []
    a.stop()
    b.stop()


def test_connect_means_only_these(env):
    a = env.plain("a").start()
    mine(a, 5)
    b = env.plain("b", args=["-connect=127.0.0.1:%d" % a.p2p_port]).start()
    b.wait_tip(a.tip())
    assert b.rpc.getconnectioncount() == 1
    a.stop()
    b.stop()
