"""Tips and what stands behind them: precious ones, thousands of them,
headers whose blocks never come, blocks asked of one peer."""

import hashlib
import struct

from harness.node import Node, wait_until
from harness.peer import Peer, headers_payload
from harness.primitives import rev
from harness.regtest import mine
from storage_prune import error


def test_preciousblock(env):
    n = env.offline().start()
    mine(n, 10)
    a = n.rpc.generatetodescriptor(1, "raw(51)")[0]
    n.rpc.invalidateblock(a)
    b = n.rpc.generatetodescriptor(1, "raw(52)")[0]
    n.rpc.reconsiderblock(a)
    assert n.tip() == a, "a came first"
    n.rpc.preciousblock(b)
    assert n.tip() == b
    n.rpc.preciousblock(a)
    assert n.tip() == a
    n.rpc.preciousblock(n.rpc.getblockhash(5))
    assert n.tip() == a, "less work does not win"
    assert {t["hash"]: t["status"] for t in n.rpc.getchaintips()} == {
        a: "active", b: "valid-fork"}
    assert error(n.rpc.preciousblock, "00" * 32) == (-5, "Block not found")
    n.rpc.generatetodescriptor(1, "raw(51)")
    n.rpc.preciousblock(b)
    assert n.height() == 12
    n.stop()


def test_ten_thousand_tips(env):
    n = env.offline().start()
    mine(n, 5)
    parent, when = n.rpc.getblockhash(4), n.rpc.getblockheader(n.tip())["time"]
    before = resident(n)
    count = 10000
    for i in range(count):
        n.rpc.submitheader(tip_header(parent, when, i).hex())
    tips = n.rpc.getchaintips()
    assert len(tips) == count + 1, len(tips)
    assert sum(t["status"] == "headers-only" for t in tips) == count
    grown = resident(n) - before
    if not n.rpc.getwalls().get("sanitizer_build"):
        assert grown < 40 << 20, grown
    mine(n, 3)
    assert n.height() == 8
    n.restart()
    assert len(n.rpc.getchaintips()) == count + 1
    mine(n, 1)
    n.stop()


def resident(n):
    with open("/proc/%d/statm" % n.children()["exe"]) as f:
        return int(f.read().split()[1]) * 4096


def tip_header(parent, when, salt):
    """80 bytes with proof of work."""
    for nonce in range(1 << 20):
        h = struct.pack("<i", 0x20000000) + rev(parent) + \
            hashlib.sha256(b"%d" % salt).digest() + \
            struct.pack("<III", when + 1, 0x207fffff, nonce)
        if hashlib.sha256(hashlib.sha256(h).digest()).digest()[31] < 0x7f:
            return h
    raise AssertionError


def test_headers_whose_blocks_never_come(env):
    n = env.plain().start()
    mine(n, 20)
    tip, when = n.tip(), n.rpc.getblockheader(n.tip())["time"]
    peer = Peer(n.p2p_port)
    parent, headers = tip, []
    for i in range(3000):
        h = tip_header(parent, when + i, i)
        parent = hashlib.sha256(hashlib.sha256(h).digest()).digest()
        parent = parent[::-1].hex()
        headers.append(h)
    n.rpc.setmocktime(when + 4000)
    for at in (0, 2000):
        peer.send("headers", headers_payload(headers[at:at + 2000]))
    wait_until(lambda: n.rpc.getblockchaininfo()["headers"] == 3020)
    assert n.tip() == tip
    tips = {t["status"]: t for t in n.rpc.getchaintips()}
    assert tips["headers-only"]["branchlen"] == 3000
    # The chain that is there goes on, and so after a restart.
    mine(n, 2)
    assert n.height() == 22
    peer.close()
    n.restart()
    assert n.height() == 22
    assert n.rpc.getblockchaininfo()["headers"] == 3020
    mine(n, 1)
    n.stop()


def test_getblockfrompeer(env):
    a = env.plain("a").start()
    mine(a, 700)
    b = env.plain("b", args=["-fastprune", "-prune=1"]).start()
    b.rpc.addnode("127.0.0.1:%d" % a.p2p_port, "onetry")
    b.wait_tip(a.tip())
    peer = b.rpc.getpeerinfo()[0]["id"]
    last = b.rpc.pruneblockchain(400)
    gone = b.rpc.getblockhash(last - 5)
    get = b.rpc.getblockfrompeer
    assert error(get, "00" * 32, peer) == (-1, "Block header missing")
    assert error(get, b.tip(), peer) == (-1, "Block already downloaded")
    assert error(get, gone, peer + 100) == (-1, "Peer does not exist")
    assert error(b.rpc.getblock, gone)[0] == -1
    assert get(gone, peer) == {}

    def there():
        try:
            return b.rpc.getblock(gone)["height"] == last - 5
        except Exception:
            return False
    wait_until(there, text="the block is there again")
    assert b.height() == 700
    b.restart()
    assert there() and b.height() == 700
    a.stop()
    b.stop()


def test_impossible_values(env):
    for args, words in ((["-par=1000"], "-1024 to 64"),
                        (["-dbcache=1"], "4 to 1048576"),
                        (["-checklevel=5"], "0 to 4"),
                        (["-testsnapshot=1:2"], "HEIGHT:BLOCK:COINS:TXS")):
        n = Node.offline(env.dir, "opt", args=args)
        n.start(wait=False)
        assert n.wait_exit() == 1
        assert words in n.stderr(), n.stderr()
