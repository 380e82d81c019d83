"""A node, the account of its chain that we keep ourselves, and the means to
break one rule at a time: every block that is submitted is checked for its
verdict, the tip and the MuHash of the coins."""

import atexit
import collections
import os
import random
import shutil
import struct
import tempfile
import time
import traceback

from .ledger import Ledger
from .primitives import (COIN, OP_TRUE, Block, Tx, TxIn, TxOut, coinbase)
from .rpc import RpcError

SEED = os.environ.get("CLOISTER_TEST_SEED") or str(time.time_ns() % 10**9)
TEMPLATE_HEIGHT = 140
SPACING = 600
SMALL_COINS = 80              # for each of two blocks

# The block is invalid for ever: submitted again, it is known as such.  What
# fails for other reasons fails in the same way again.
FOR_EVER = ("bad-txns-nonfinal", "bad-cb-height", "bad-blk-weight",
            "bad-txns-BIP30", "bad-cb-amount", "bad-txns-in-belowout",
            "bad-txns-inputs-missingorspent",
            "bad-txns-premature-spend-of-coinbase")


class Tally:
    """What was checked in this process, for the table at the end."""

    def __init__(self):
        self.rules = collections.Counter()
        self.verdicts = collections.Counter()
        self.accepted = 0

    def table(self):
        if not self.rules:
            return
        print("  seed %s: %d rules, %d refusals with %d verdicts, "
              "%d blocks accepted" % (
                  SEED, len(self.rules), sum(self.verdicts.values()),
                  len(self.verdicts), self.accepted))
        for verdict, n in sorted(self.verdicts.items()):
            print("    %4d  %s" % (n, verdict))


TALLY = Tally()
atexit.register(TALLY.table)


class Template:
    """A chain of bare OP_TRUE coinbases with some small coins, mined once;
    its data directory is copied for every node that begins with it."""

    def __init__(self, env):
        self.dir = tempfile.mkdtemp(prefix="cl-template-")
        atexit.register(shutil.rmtree, self.dir, True)
        node = env.offline("template").start()
        self.ledger = Ledger(node.rpc.getblockhash(0))
        self.blocks = []
        for height in range(1, TEMPLATE_HEIGHT + 1):
            b = Block(self.ledger.tip, height, self._fan_out(height),
                      when=self.ledger.times[-1] + SPACING).solve()
            assert node.rpc.submitblock(b.hex()) is None
            self.ledger.connect(b)
            self.blocks.append(b)
        assert node.muhash() == self.ledger.muhash()
        node.stop()
        shutil.copytree(node.chaindir, os.path.join(self.dir, "regtest"))

    def _fan_out(self, height):
        """From 101 on some coinbases become small coins."""
        if not 101 <= height <= 102:
            return []
        txid, n = next(k for k, c in self.ledger.coins.items()
                       if c.height == height - 100)
        value = 50 * COIN // SMALL_COINS
        return [Tx([TxIn(txid, n)], [TxOut(value, OP_TRUE)] * SMALL_COINS)]

    def place(self, node):
        os.makedirs(node.datadir)
        shutil.copytree(os.path.join(self.dir, "regtest"), node.chaindir)


_template = []


def template(env):
    if not _template:
        _template.append(Template(env))
    return _template[0]


class Scene:
    """height: how much of the template the node begins with (None: all)."""

    def __init__(self, env, name, args=(), height=None, make="offline"):
        self.env, self.args, self.height = env, args, height
        self.make, self.name = make, name
        self.starts = self.count = 0
        self.node = None
        self.rng = random.Random(SEED)
        self.start()

    def start(self):
        t = template(self.env)
        self.starts += 1
        self.node = getattr(self.env, self.make)(
            "%s-%d" % (self.name, self.starts), args=self.args)
        if self.height is None:
            t.place(self.node)
            self.node.start()
            self.ledger = t.ledger.copy()
        else:
            self.node.start()
            self.ledger = Ledger(t.ledger.hashes[0])
            for b in t.blocks[:self.height]:
                assert self.node.rpc.submitblock(b.hex()) is None
                self.ledger.connect(b)
        self.fill_pool()
        self.opened()
        self.same()

    def opened(self):
        """For those that need more than the node."""

    def again(self):
        """After a failure: from the beginning, on another node."""
        self.node.cleanup()
        self.start()

    # ---- making ----

    @property
    def next(self):
        return self.ledger.height + 1

    def fill_pool(self):
        self.pool = sorted(k for k, c in self.ledger.coins.items()
                           if c.script == OP_TRUE and not c.coinbase
                           and c.value >= COIN // 100)
        self.rng.shuffle(self.pool)

    def coin(self):
        """A small coin of OP_TRUE that nobody else is given meanwhile."""
        while True:
            key = self.pool.pop()
            if key in self.ledger.coins:
                return self.ledger.coins[key]

    def coinbase_coin(self, height):
        return next(c for c in self.ledger.coins.values()
                    if c.coinbase and c.height == height)

    def fund(self, *scripts):
        """A transaction that pays a small coin to these scripts."""
        coin = self.coin()
        share = coin.value // len(scripts)
        return Tx([TxIn(coin.txid, coin.n)],
                  [TxOut(share, s) for s in scripts])

    def spend(self, what, n=0, outs=None, script=b"", witness=(),
              sequence=0xffffffff, version=2, lock_time=0):
        """Spend a coin, or output n of a transaction."""
        if isinstance(what, Tx):
            txid, value = what.txid(), what.outs[n].value
        else:
            txid, n, value = what.txid, what.n, what.value
        return Tx([TxIn(txid, n, script, sequence, witness)],
                  outs or [TxOut(value, OP_TRUE)], version, lock_time)

    def fees(self, txs):
        made, total = {}, 0
        for tx in txs:
            for i in tx.ins:
                key = (i.txid, i.n)
                if key in self.ledger.coins:
                    total += self.ledger.coins[key].value
                else:
                    total += made.get(key, 0)
            total -= sum(o.value for o in tx.outs)
            txid = tx.txid()
            for n, o in enumerate(tx.outs):
                made[txid, n] = o.value
        return max(total, 0)

    def block(self, txs=(), when=None, **kw):
        """On the tip; the caller changes what it likes and solves it."""
        fees = kw.pop("fees", None)
        if fees is None:
            fees = self.fees(txs)
        self.count += 1              # no two blocks are the same
        kw.setdefault("coinbase_tx", coinbase(
            self.next, extra=b"\x04" + struct.pack("<I", self.count),
            fees=fees))
        return Block(self.ledger.tip, self.next, txs,
                     when=when or max(self.ledger.times[-1] + SPACING,
                                      self.ledger.mtp() + 1),
                     **kw)

    # ---- checking ----

    def same(self):
        """The node is where we think it is."""
        assert self.node.tip() == self.ledger.tip, "tip %s, not %s" % (
            self.node.tip(), self.ledger.tip)
        got, want = self.node.muhash(), self.ledger.muhash()
        assert got == want, "MuHash %s, not %s" % (got, want)

    def deliver(self, block):
        """The verdict; None: accepted."""
        return self.node.rpc.submitblock(block.hex())

    def refuse(self, block, verdict, again=None, solve=True):
        """The node must refuse it with this verdict, twice."""
        if solve:
            block.solve()
        if again is None:
            again = "duplicate-invalid" if verdict in FOR_EVER or \
                verdict.startswith("block-script") else verdict
        for want in (verdict, again):
            got = self.deliver(block)
            assert got == want, "verdict %r, not %r" % (got, want)
        self.same()
        TALLY.verdicts[verdict] += 1
        return block

    def accept(self, block, solve=True):
        if solve:
            block.solve()
        got = self.deliver(block)
        assert got is None, "verdict %r for a good block" % got
        self.ledger.connect(block)
        self.same()
        TALLY.accepted += 1
        return block

    def undecodable(self, data):
        try:
            self.node.rpc.submitblock(data.hex())
        except RpcError as e:
            assert e.code == -22 and e.message == "Block decode failed", e
            self.same()
            TALLY.verdicts["(Block decode failed)"] += 1
        else:
            raise AssertionError("the block was decoded")

    def mine(self, n=1, step=SPACING, when=None):
        for i in range(n):
            self.accept(self.block(when=when or
                                   self.ledger.times[-1] + step))

    def back(self):
        """Take the tip back; coins of the block below must be there."""
        tip = self.ledger.tip
        self.node.rpc.invalidateblock(tip)
        self.ledger.disconnect()
        self.same()
        return tip


class Rules:
    """Functions that take a scene, each for one rule."""

    def __init__(self):
        self.groups = collections.defaultdict(list)

    def __call__(self, *groups):
        def add(f):
            for g in groups:
                self.groups[g].append(f)
            return f
        return add

    def run(self, env, group, kind=Scene, **kw):
        """All of a group on one chain, in an order that the seed gives."""
        scene = kind(env, group, **kw)
        rules = list(self.groups[group])
        random.Random(SEED).shuffle(rules)
        bad = []
        for f in rules:
            scene.rng = random.Random("%s %s" % (SEED, f.__name__))
            scene.fill_pool()
            try:
                f(scene)
                TALLY.rules[f.__name__] += 1
            except (AssertionError, RpcError, OSError):
                print("rule %s.%s failed; CLOISTER_TEST_SEED=%s"
                      % (group, f.__name__, SEED))
                traceback.print_exc(limit=-4)
                bad.append(f.__name__)
                scene.again()
        assert not bad, "rules broken, seed %s: %s" % (SEED, ", ".join(bad))
        scene.node.stop()
