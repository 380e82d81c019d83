"""Branches: long re-organisations, invalid blocks in the middle of a chain
with more work, blocks in any order.  The coins must be those of the winner, as
if nothing else had ever been seen."""

import random
import socket

from harness.node import wait_until
from harness.peer import Closed, Peer, headers_payload, parse_inv
from harness.primitives import OP_TRUE, Block, TxOut, coinbase, rev
from harness.rpc import RpcError
from harness.scene import SEED, TALLY, Rules, Scene, template

LONG = 1000
rule = Rules()


def test_branches(env):
    rule.run(env, "branches")


def test_a_thousand_blocks(env):
    rule.run(env, "long")


def test_any_order_from_peers(env):
    rule.run(env, "peers", kind=PlainScene)


class PlainScene(Scene):
    def __init__(self, env, name, args=()):
        super().__init__(env, name, args, make="plain")


class Branch:
    """A chain being made on the scene's tip, or on `depth` blocks below, with
    spends of its own; nobody is told of it yet."""

    def __init__(self, s, depth=0, name=0):
        self.s, self.name = s, name
        self.ledger = s.ledger.copy()
        for _ in range(depth):
            self.ledger.disconnect()
        self.blocks = []
        self.loose = []              # transactions whose output 0 is unspent

    def block(self, txs=()):
        b = Block(self.ledger.tip, self.ledger.height + 1, txs,
                  when=self.ledger.times[-1] + 60 + self.name,
                  coinbase_tx=coinbase(self.ledger.height + 1, extra=b"\4"
                                       + self.name.to_bytes(4, "little")))
        return b

    def add(self, b, valid=True):
        """valid=False: on it go others that nobody will accept."""
        b.solve()
        self.blocks.append(b)
        if valid:
            self.ledger.connect(b)
        else:
            self.ledger.hashes.append(b.hash())
            self.ledger.times.append(b.time)
            self.ledger.undo.append(([], []))
        return b

    def grow(self, n, coins=(), valid=True):
        """n blocks; some spend one of the coins, some what the branch
        itself has made."""
        coins = list(coins)
        for _ in range(n):
            txs = []
            if coins and self.s.rng.random() < 0.5:
                c = coins.pop()
                txs.append(self.s.spend(c, outs=[
                    TxOut(c.value - self.name, OP_TRUE)]))
            if self.loose and self.s.rng.random() < 0.5:
                txs.append(self.s.spend(self.loose.pop(
                    self.s.rng.randrange(len(self.loose)))))
            self.add(self.block(txs), valid)
            self.loose += txs
        return self

    def submit(self):
        return [self.s.deliver(b) for b in self.blocks]


def status(s, block_hash):
    return {t["hash"]: t["status"]
            for t in s.node.rpc.getchaintips()}.get(block_hash)


def coins_of(s, n):
    return [s.coin() for _ in range(n)]


def won(s, branch):
    s.ledger = branch.ledger
    s.same()


# ---- the tip goes to the most work ----

@rule("branches")
def first_seen_stays(s):
    """Of equal work the first one counts, whatever comes later."""
    coins = coins_of(s, 4)
    a = Branch(s, name=1).grow(3, coins)
    b = Branch(s, name=2).grow(3, coins)
    assert a.submit() == [None] * 3
    won(s, a)
    assert b.submit() == ["inconclusive"] * 3
    s.same()
    assert status(s, b.ledger.tip) == "valid-headers", \
        status(s, b.ledger.tip)
    b.grow(1)
    assert s.deliver(b.blocks[-1]) is None
    won(s, b)
    assert status(s, a.ledger.tip) == "valid-fork"


@rule("branches")
def back_and_forth(s):
    """Two branches that spend the same coins overtake each other."""
    coins = coins_of(s, 20)
    a, b = Branch(s, name=1), Branch(s, name=2)
    for turn in range(6):
        ahead, other = (a, b) if turn % 2 else (b, a)
        n = len(other.blocks) - len(ahead.blocks) + s.rng.randrange(1, 4)
        before = len(ahead.blocks)
        ahead.grow(n, coins[:len(coins) // 2] if turn < 2 else ())
        got = [s.deliver(x) for x in ahead.blocks[before:]]
        assert got[-1] is None and set(got) <= {None, "inconclusive"}, got
        won(s, ahead)


@rule("branches")
def invalid_in_the_middle(s):
    """More work, but not valid all the way: the node returns, and keeps
    what is valid if that is better."""
    coins = coins_of(s, 8)
    a = Branch(s, name=1).grow(5, coins)
    a.submit()
    won(s, a)
    for good, break_it in ((2, too_much), (3, spends_twice), (0, too_much),
                           (4, false_script)):
        b = Branch(s, depth=5, name=10 + good)
        b.grow(good, coins)
        bad = b.add(break_it(s, b, coins), valid=False)
        b.grow(6 - good, valid=False)
        got = b.submit()
        # Nobody asks about it alone until it is tried; then it is known.
        assert got[:5] == ["inconclusive"] * 5, (good, got)
        assert got[5] == "inconclusive" or b.blocks[5] is bad, (good, got)
        assert got[6] == "bad-prevblk", got
        s.same()
        assert status(s, b.blocks[5].hash()) == "invalid"
        for x in b.blocks[good:6]:
            assert s.deliver(x) == "duplicate-invalid"
        s.refuse(Block(b.blocks[5].hash(), a.ledger.height + 1,
                       when=b.blocks[5].time + 99), "bad-prevblk")
    # The valid part of such a chain can win by itself.
    b = Branch(s, depth=5, name=30)
    b.grow(7, coins)
    bad = b.block()
    bad.txs[0].outs[0].value += 1
    assert b.submit()[-1] is None
    won(s, b)
    s.refuse(bad, "bad-cb-amount")


def too_much(s, branch, coins):
    b = branch.block()
    b.txs[0].outs[0].value += 1
    return b


def spends_twice(s, branch, coins):
    coin = coins[0]
    return branch.block([s.spend(coin), s.spend(coin, outs=[
        TxOut(1, OP_TRUE)])])


def false_script(s, branch, coins):
    fund = s.fund(b"\0")
    return branch.block([fund, s.spend(fund)])


@rule("branches")
def better_up_to_the_fault(s):
    """The fault comes so late that the chain below it is better already."""
    a = Branch(s, name=1).grow(3)
    a.submit()
    won(s, a)
    b = Branch(s, depth=3, name=2)
    b.grow(4)
    bad = b.add(too_much(s, b, ()), valid=False)
    b.grow(2, valid=False)
    late = b.blocks[0]
    # All but the first, by headers; then that one: all connect at once.
    for x in b.blocks:
        s.node.rpc.submitheader(x.header().hex())
    for x in b.blocks[1:]:
        assert s.deliver(x) == "inconclusive"
    s.same()
    assert s.deliver(late) is None
    for _ in range(3):
        b.ledger.disconnect()
    won(s, b)
    assert s.deliver(bad) == "duplicate-invalid"
    assert status(s, b.blocks[-1].hash()) == "invalid"
    s.mine()


@rule("branches")
def children_before_parents(s):
    b = Branch(s, name=3).grow(12, coins_of(s, 6))
    order = list(b.blocks[1:])
    s.rng.shuffle(order)
    for x in order:
        if x.prev != rev(b.blocks[0].hash()):
            s.refuse(x, "prev-blk-not-found", solve=False)
    # With the headers known, any order will do.
    for x in b.blocks:
        s.node.rpc.submitheader(x.header().hex())
    for x in order:
        assert s.deliver(x) == "inconclusive"
        s.same()
    assert s.deliver(b.blocks[0]) is None
    won(s, b)


@rule("branches")
def header_of_unknown_parent(s):
    b = Branch(s).grow(2)
    try:
        s.node.rpc.submitheader(b.blocks[1].header().hex())
        raise AssertionError("a header without a parent was taken")
    except RpcError as e:
        assert e.code == -25 and e.message.startswith(
            "Must submit previous header"), e
    s.same()


@rule("branches")
def restart_on_the_way(s):
    """Branches, marks and coins outlive the process."""
    a = Branch(s, name=1).grow(3, coins_of(s, 3))
    a.submit()
    won(s, a)
    b = Branch(s, depth=3, name=2).grow(3)
    b.submit()
    bad = s.refuse(too_much(s, a, ()), "bad-cb-amount")
    s.node.restart()
    s.same()
    assert s.deliver(bad) == "duplicate-invalid"
    b.grow(1)
    assert s.deliver(b.blocks[-1]) is None
    won(s, b)


# ---- a thousand blocks ----

@rule("long")
def thousand_blocks(s):
    coins = coins_of(s, 100)
    a = Branch(s, name=1).grow(LONG, coins)
    b = Branch(s, name=2).grow(LONG + 1, coins)
    assert a.ledger.muhash() != b.ledger.muhash()
    assert a.submit() == [None] * LONG
    start = s.ledger
    won(s, a)
    got = b.submit()
    assert got == ["inconclusive"] * LONG + [None]
    won(s, b)
    TALLY.accepted += 2 * LONG + 1
    # One that only ever saw the winner.
    other = s.env.offline("winner-%d" % s.starts)
    template(s.env).place(other)
    other.start()
    assert other.tip() == start.tip
    for x in b.blocks:
        assert other.rpc.submitblock(x.hex()) is None
    assert other.muhash() == s.node.muhash() == b.ledger.muhash()
    assert other.rpc.gettxoutsetinfo()["hash_serialized_3"] == \
        s.node.rpc.gettxoutsetinfo()["hash_serialized_3"]
    other.stop()
    # And back by the owner's word.
    s.node.rpc.invalidateblock(b.blocks[0].hash())
    won(s, a)
    s.node.rpc.reconsiderblock(b.blocks[0].hash())
    won(s, b)
    s.node.restart()
    s.same()


# ---- from peers ----

def serve(s, peer, blocks, rng, until):
    """Answer what the node asks for, shuffled, until the tip is there."""
    by_hash = {rev(b.hash()): b for b in blocks}
    peer.sock.settimeout(0.02)
    asked, order = [], []

    def done():
        try:
            while True:
                command, payload = peer.receive()
                if command == "getdata":
                    asked.extend(h for _, h in parse_inv(payload)
                                 if h in by_hash)
        except (socket.timeout, Closed):
            pass
        rng.shuffle(asked)
        while asked:
            h = asked.pop()
            order.append(by_hash[h])
            try:
                peer.send("block", by_hash[h].raw())
            except Closed:
                asked.clear()
        return s.node.tip() == until
    wait_until(done, 60, 0, "tip %s" % until)
    return order


@rule("peers")
def blocks_in_random_order(s):
    b = Branch(s, name=1).grow(120, coins_of(s, 40))
    s.node.rpc.setmocktime(b.blocks[-1].time)
    peer = Peer(s.node.p2p_port)
    peer.send("headers", headers_payload([x.header() for x in b.blocks]))
    order = serve(s, peer, b.blocks, random.Random(SEED), b.ledger.tip)
    assert order != sorted(order, key=lambda x: x.height)
    won(s, b)
    # A better branch from somebody else.
    c = Branch(s, depth=60, name=2).grow(70, coins_of(s, 10))
    s.node.rpc.setmocktime(c.blocks[-1].time)
    other = Peer(s.node.p2p_port)
    other.send("headers", headers_payload([x.header() for x in c.blocks]))
    serve(s, other, c.blocks, random.Random(SEED), c.ledger.tip)
    won(s, c)
    for p in (peer, other):
        p.close()


@rule("peers")
def invalid_block_of_a_better_chain(s):
    """Its peer goes; another one's shorter chain is taken."""
    a = Branch(s, name=1).grow(4)
    bad = Branch(s, name=2).grow(2)
    fault = bad.add(too_much(s, bad, ()), valid=False)
    bad.grow(5, valid=False)
    s.node.rpc.setmocktime(bad.blocks[-1].time)
    peer = Peer(s.node.p2p_port)
    peer.send("headers", headers_payload([x.header() for x in bad.blocks]))
    serve(s, peer, bad.blocks[:3], random.Random(SEED), bad.blocks[1].hash())
    assert peer.closed()
    wait_until(lambda: status(s, bad.blocks[-1].hash()) == "invalid", 20)
    other = Peer(s.node.p2p_port)
    other.send("headers", headers_payload([x.header() for x in a.blocks]))
    serve(s, other, a.blocks, random.Random(SEED), a.ledger.tip)
    won(s, a)
    assert "%s height=%d is invalid: bad-cb-amount" % (
        fault.hash(), fault.height) in s.node.log()
    other.close()


@rule("peers")
def withheld_blocks(s):
    """Headers without blocks, of whatever work, keep nobody from the blocks
    that others have."""
    a = Branch(s, name=1).grow(5, coins_of(s, 5))
    b = Branch(s, name=2).grow(2, coins_of(s, 2))
    s.node.rpc.setmocktime(a.blocks[-1].time)
    withholder = Peer(s.node.p2p_port)
    withholder.send("headers", headers_payload([x.header()
                                                for x in a.blocks]))
    withholder.expect("getdata")
    other = Peer(s.node.p2p_port)
    for i in (0, 1):
        other.send("headers", headers_payload([b.blocks[i].header()]))
        serve(s, other, b.blocks, random.Random(SEED), b.blocks[i].hash())
    won(s, b)
    # It gives them after all.
    for x in a.blocks:
        withholder.send("block", x.raw())
    s.node.wait_tip(a.ledger.tip)
    won(s, a)
    for p in (withholder, other):
        p.close()
