"""Every rule of headers, blocks, coinbases and transactions: broken by one
block, kept by the next one at the rule's very edge.  The verdict, the tip and
the coins are checked after each.  CLOISTER_TEST_SEED repeats a run."""

import copy
import struct

from harness.peer_scene import PeerScene
from harness.primitives import (COIN, OP_TRUE, TxIn, TxOut, Tx, Block,
                                coinbase, merkle, rev, script_number, subsidy)
from harness.rpc import RpcError
from harness.scene import TALLY, Rules

MAX_MONEY = 21000000 * COIN
TWO_HOURS = 7200
rule = Rules()


def test_headers(env):
    rule.run(env, "headers")


def test_shape(env):
    rule.run(env, "shape")


def test_transactions(env):
    rule.run(env, "transactions")


def test_inputs(env):
    rule.run(env, "inputs")


def test_coinbase(env):
    rule.run(env, "coinbase")


def test_early_heights(env):
    rule.run(env, "early", height=0)


def test_locks(env):
    rule.run(env, "locks")


# ---- headers ----

@rule("headers")
def high_hash(s):
    s.refuse(s.block().solve(valid=False), "high-hash", solve=False)
    s.accept(s.block())


@rule("headers")
def target_out_of_range(s):
    """Negative, zero, and above the limit of the chain."""
    for bits in (0x20ffffff, 0x20800001, 0, 0x207f0000 & 0xff000000,
                 0x21008000, 0x2100ffff, 0xff7fffff):
        b = s.block()
        b.bits = bits
        s.refuse(b, "high-hash", solve=False)


@rule("headers", "p2p")
def bad_diffbits(s):
    for bits in (0x207ffffe, 0x1f7fffff, 0x20700000):
        b = s.block()
        b.bits = bits
        s.refuse(b, "bad-diffbits")


@rule("headers", "p2p")
def time_at_median(s):
    mtp = s.ledger.mtp()
    s.refuse(s.block(when=mtp), "time-too-old")
    s.refuse(s.block(when=mtp - s.rng.randrange(1, 10000)), "time-too-old")
    s.accept(s.block(when=mtp + 1))


@rule("headers")
def time_two_hours_ahead(s):
    now = s.ledger.times[-1] + s.rng.randrange(1000)
    s.node.rpc.setmocktime(now)
    late = s.refuse(s.block(when=now + TWO_HOURS + 1), "time-too-new")
    s.accept(s.block(when=now + TWO_HOURS))
    # Not held against it: a second later its time has come.
    late = s.block(when=now + TWO_HOURS + 1).solve()
    s.refuse(late, "time-too-new", solve=False)
    s.node.rpc.setmocktime(now + 1)
    s.accept(late, solve=False)
    s.node.rpc.setmocktime(0)


@rule("headers", "p2p")
def old_versions(s):
    for version in (3, 2, 1, 0, -1, -0x80000000):
        s.refuse(s.block(version=version),
                 "bad-version(0x%08x)" % (version & 0xffffffff))
    s.accept(s.block(version=4))
    s.accept(s.block(version=s.rng.randrange(4, 0x7fffffff)))


@rule("headers")
def parent_unknown(s):
    first = s.block().solve()
    second = Block(first.hash(), s.next + 1, when=first.time + 1).solve()
    s.refuse(second, "prev-blk-not-found", solve=False)
    s.accept(first, solve=False)
    s.accept(second, solve=False)


@rule("headers")
def parent_invalid(s):
    b = s.block()
    b.txs[0].outs[0].value += 1
    s.refuse(b, "bad-cb-amount")
    child = Block(b.hash(), s.next + 1, when=b.time + 1)
    s.refuse(child, "bad-prevblk")
    # Its header too, by itself.
    try:
        s.node.rpc.submitheader(child.header().hex())
        raise AssertionError("the header was taken")
    except RpcError as e:
        assert e.code == -25 and e.message == "bad-prevblk", e
    # A block that fails before its header is looked at leaves no mark.
    b = s.block()
    b.txs[0].outs.clear()
    s.refuse(b, "bad-txns-vout-empty")
    child = Block(b.hash(), s.next + 1, when=b.time + 1)
    s.refuse(child, "prev-blk-not-found")


@rule("headers")
def known_block_again(s):
    good = s.accept(s.block())
    assert s.deliver(good) == "duplicate"
    # And one beside the chain.
    side = s.block()
    side.prev = rev(s.ledger.hashes[-2])
    side.txs[0] = coinbase(s.ledger.height, extra=b"\x07side")
    side.solve()
    assert s.deliver(side) == "inconclusive"
    s.same()
    assert s.deliver(side) == "duplicate"
    s.same()


@rule("headers")
def header_first(s):
    """A header is known before its block turns out to be invalid; a better
    chain on another branch is taken."""
    bad = s.block()
    bad.txs[0].outs[0].value += 1
    bad.solve()
    s.node.rpc.submitheader(bad.header().hex())
    child = Block(bad.hash(), s.next + 1, when=bad.time + 1).solve()
    s.node.rpc.submitheader(child.header().hex())
    assert s.node.rpc.getblockchaininfo()["headers"] == s.next + 1
    s.refuse(bad, "bad-cb-amount", solve=False)
    assert s.node.rpc.getblockchaininfo()["headers"] == s.ledger.height
    assert s.deliver(child) == "duplicate-invalid"
    s.same()
    s.mine(2)


# ---- the block's shape ----

@rule("shape", "p2p")
def merkle_root(s):
    b = s.block([s.spend(s.coin())])
    b.root = bytes(32)
    s.refuse(b, "bad-txnmrklroot")
    b.root = merkle([b.txs[1].txid(), b.txs[0].txid()])
    s.refuse(b, "bad-txnmrklroot")
    # One bit of a transaction.
    b = s.block([s.spend(s.coin())]).solve()
    b.root = merkle([t.txid() for t in b.txs])
    b.txs[1].outs[0].value ^= 1
    s.refuse(b, "bad-txnmrklroot", solve=False)
    b.txs[1].outs[0].value ^= 1
    s.accept(b, solve=False)


@rule("shape", "p2p")
def no_transactions(s):
    b = s.block()
    b.txs = []
    b.root = bytes(32)
    s.refuse(b, "bad-blk-length")
    b.root = s.rng.randbytes(32)
    s.refuse(b, "bad-txnmrklroot")


@rule("shape", "p2p")
def coinbase_missing(s):
    b = s.block([s.spend(s.coin())])
    first = b.txs.pop(0)
    s.refuse(b, "bad-cb-missing")
    b.txs.append(first)          # there, but not in front
    s.refuse(b, "bad-cb-missing")
    # A null input beside another one does not make a coinbase.
    coin = s.coin()
    b = s.block()
    b.txs[0].ins.append(TxIn(coin.txid, coin.n))
    s.refuse(b, "bad-cb-missing")
    # Nor does a hash of zeros with another index, or the other way round.
    for txid, n in ((bytes(32), 0), (bytes(32), 0xfffffffe),
                    (b"\x01" + bytes(31), 0xffffffff)):
        b = s.block()
        b.txs[0].ins[0].txid, b.txs[0].ins[0].n = txid, n
        s.refuse(b, "bad-cb-missing")


@rule("shape", "p2p")
def coinbase_twice(s):
    b = s.block([s.spend(s.coin()), s.spend(s.coin())])
    b.txs.insert(s.rng.randrange(1, 4), coinbase(s.next, value=0))
    s.refuse(b, "bad-cb-multiple")


@rule("shape")
def repeated_tail(s):
    """CVE-2012-2459: the same root, other transactions."""
    for count, tail in ((2, 1), (5, 2), (9, 2), (11, 4)):
        good = s.block([s.spend(s.coin()) for _ in range(count)]).solve()
        bad = copy.copy(good)
        bad.txs = good.txs + good.txs[-tail:]
        assert bad.header() == good.header()
        s.refuse(bad, "bad-txns-duplicate", solve=False)
        s.accept(good, solve=False)
        # The block is known by now; this copy of it still is not it.
        s.refuse(bad, "bad-txns-duplicate", solve=False)


@rule("shape", "p2p")
def equal_neighbours(s):
    """Two equal transactions that pass for a repeated tail, and two that do
    not because they are no pair."""
    tx = s.spend(s.coin())
    other = s.spend(s.coin())
    s.refuse(s.block([other, tx, tx], fees=0), "bad-txns-duplicate")
    s.refuse(s.block([tx, tx], fees=0), "bad-txns-inputs-missingorspent")


@rule("shape")
def undecodable(s):
    b = s.block([s.spend(s.coin())]).solve()
    raw = b.raw()
    s.undecodable(raw[:-1])
    s.undecodable(raw[:80])
    s.undecodable(raw[:s.rng.randrange(81, len(raw))])
    s.undecodable(raw[:80] + b"\x03" + raw[81:])
    s.undecodable(raw[:80] + b"\xfd\x02\x00" + raw[81:])
    s.undecodable(raw[:80] + b"\xff" + b"\xff" * 8)
    s.undecodable(b"")
    # A witness flag that nobody knows, and one without any witness.
    tx = b.txs[1].raw()
    for flag in (2, 3, 0x80):
        s.undecodable(raw[:-len(tx)] + tx[:4] + bytes([0, flag]) + tx[4:])
    s.undecodable(raw[:-len(tx)] + tx[:4] + b"\0\1" + tx[4:-4] + b"\0"
                  + tx[-4:])
    s.accept(b, solve=False)


@rule("shape", "p2p")
def transactions_of_64_bytes(s):
    """They could pass for inner nodes of the tree, but are no less valid."""
    tx = s.spend(s.coin(), outs=[TxOut(1000, b"\x6a\x01\x07\x51")])
    assert len(tx.raw()) == 64
    s.accept(s.block([tx]))
    s.accept(s.block([s.spend(s.coin(), outs=[TxOut(7, b"\x6a\x51\x51\x51")])
                      for _ in range(s.rng.randrange(2, 6))]))


# ---- transactions by themselves ----

@rule("transactions")
def no_inputs(s):
    s.refuse(s.block([Tx([], [])]), "bad-txns-vin-empty")


@rule("transactions", "p2p")
def no_outputs(s):
    tx = s.spend(s.coin())
    tx.outs.clear()
    s.refuse(s.block([tx]), "bad-txns-vout-empty")
    b = s.block()
    b.txs[0].outs.clear()
    s.refuse(b, "bad-txns-vout-empty")


def with_values(s, *values):
    return s.block([s.spend(s.coin(), outs=[TxOut(v, OP_TRUE)
                                            for v in values])], fees=0)


@rule("transactions", "p2p")
def value_negative(s):
    for v in (-1, -MAX_MONEY, -(1 << 63)):
        s.refuse(with_values(s, v), "bad-txns-vout-negative")
        s.refuse(with_values(s, 1, v), "bad-txns-vout-negative")
    b = s.block()
    b.txs[0].outs[0].value = -1
    s.refuse(b, "bad-txns-vout-negative")
    s.accept(with_values(s, 0))


@rule("transactions")
def value_too_large(s):
    s.refuse(with_values(s, MAX_MONEY + 1), "bad-txns-vout-toolarge")
    s.refuse(with_values(s, (1 << 63) - 1), "bad-txns-vout-toolarge")
    s.refuse(with_values(s, MAX_MONEY), "bad-txns-in-belowout")
    b = s.block()
    b.txs[0].outs[0].value = MAX_MONEY + 1
    s.refuse(b, "bad-txns-vout-toolarge")
    b.txs[0].outs[0].value = MAX_MONEY
    s.refuse(b, "bad-cb-amount")


@rule("transactions", "p2p")
def sum_too_large(s):
    s.refuse(with_values(s, MAX_MONEY, 1), "bad-txns-txouttotal-toolarge")
    half = MAX_MONEY // 2
    s.refuse(with_values(s, half, half, 1), "bad-txns-txouttotal-toolarge")
    s.refuse(with_values(s, half, half), "bad-txns-in-belowout")
    # Enough of them to overflow 64 bits.
    s.refuse(with_values(s, *[MAX_MONEY] * 4393),
             "bad-txns-txouttotal-toolarge")


@rule("transactions", "p2p")
def input_twice(s):
    """CVE-2018-17144, in small transactions and in large ones."""
    for n in (2, 12, 13, 40):
        coins = [s.coin() for _ in range(n - 1)]
        ins = [TxIn(c.txid, c.n) for c in coins]
        again = s.rng.choice(ins)
        ins.insert(s.rng.randrange(n), TxIn(again.txid, again.n,
                                            sequence=s.rng.randrange(9)))
        value = sum(c.value for c in coins)
        s.refuse(s.block([Tx(ins, [TxOut(value, OP_TRUE)])]),
                 "bad-txns-inputs-duplicate")
        ins = [TxIn(c.txid, c.n) for c in coins]
        s.accept(s.block([Tx(ins, [TxOut(value, OP_TRUE)])]))


@rule("transactions", "p2p")
def input_null(s):
    coin = s.coin()
    ins = [TxIn(coin.txid, coin.n), TxIn(bytes(32), 0xffffffff)]
    s.rng.shuffle(ins)
    s.refuse(s.block([Tx(ins, [TxOut(1, OP_TRUE)])]),
             "bad-txns-prevout-null")


# ---- transactions and the coins ----

@rule("inputs", "p2p")
def coin_unknown(s):
    tx = s.spend(s.coin())
    tx.ins[0].txid = s.rng.randbytes(32)
    s.refuse(s.block([tx], fees=0), "bad-txns-inputs-missingorspent")
    tx = s.spend(s.coin())
    tx.ins[0].n = 0x7fffffff
    s.refuse(s.block([tx], fees=0), "bad-txns-inputs-missingorspent")
    # The last of several inputs only.
    coins = [s.coin() for _ in range(5)]
    tx = Tx([TxIn(c.txid, c.n) for c in coins], [TxOut(1, OP_TRUE)])
    tx.ins[-1].n += 1000
    s.refuse(s.block([tx], fees=0), "bad-txns-inputs-missingorspent")


@rule("inputs", "p2p")
def coin_spent_before(s):
    coin = s.coin()
    s.accept(s.block([s.spend(coin)]))
    tx = s.spend(coin, outs=[TxOut(1, OP_TRUE)])
    s.refuse(s.block([tx], fees=0), "bad-txns-inputs-missingorspent")
    s.mine(2)
    s.refuse(s.block([tx], fees=0), "bad-txns-inputs-missingorspent")


@rule("inputs", "p2p")
def coin_spent_in_the_same_block(s):
    coin = s.coin()
    one = s.spend(coin)
    two = s.spend(coin, outs=[TxOut(1, OP_TRUE)])
    between = [s.spend(s.coin()) for _ in range(s.rng.randrange(5))]
    s.refuse(s.block([one] + between + [two], fees=0),
             "bad-txns-inputs-missingorspent")
    s.accept(s.block([one] + between))


@rule("inputs", "p2p")
def coin_of_a_later_transaction(s):
    first = s.spend(s.coin())
    second = s.spend(first)
    third = s.spend(second)
    s.refuse(s.block([second, first], fees=0),
             "bad-txns-inputs-missingorspent")
    s.refuse(s.block([first, third, second], fees=0),
             "bad-txns-inputs-missingorspent")
    s.accept(s.block([first, second, third]))


@rule("inputs")
def coin_of_the_same_coinbase(s):
    b = s.block()
    b.txs.append(s.spend(b.txs[0]))
    s.refuse(b, "bad-txns-premature-spend-of-coinbase")


@rule("inputs", "p2p")
def coin_that_never_was(s):
    """Outputs that cannot be spent are no coins."""
    fund = s.fund(b"\x6a", b"\x51" * 10001, b"\x51" * 10000)
    s.accept(s.block([fund]))
    for n in (0, 1):
        s.refuse(s.block([s.spend(fund, n)], fees=0),
                 "bad-txns-inputs-missingorspent")
    # 10,000 bytes are a coin still; more than 1,000 elements no stack.
    s.refuse(s.block([s.spend(fund, 2)]), "block-script-verify-flag-failed "
             "(Stack size limit exceeded)")


@rule("inputs")
def genesis_coin(s):
    """Its output was never spendable."""
    genesis = rev("4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7"
                  "afdeda33b")
    tx = Tx([TxIn(genesis, 0)], [TxOut(1, OP_TRUE)])
    s.refuse(s.block([tx]), "bad-txns-inputs-missingorspent")


@rule("inputs", "p2p")
def coinbase_maturity(s):
    height = s.next - 99
    coin = s.coinbase_coin(height)
    s.refuse(s.block([s.spend(coin)]), "bad-txns-premature-spend-of-coinbase")
    # Beside a ripe one, too.
    ripe = s.coinbase_coin(height - 1)
    tx = Tx([TxIn(ripe.txid, ripe.n), TxIn(coin.txid, coin.n)],
            [TxOut(1, OP_TRUE)])
    s.refuse(s.block([tx]), "bad-txns-premature-spend-of-coinbase")
    s.accept(s.block([s.spend(ripe)]))
    s.accept(s.block([s.spend(coin)]))


@rule("inputs", "p2p")
def more_out_than_in(s):
    coin = s.coin()
    tx = s.spend(coin, outs=[TxOut(coin.value + 1, OP_TRUE)])
    s.refuse(s.block([tx], fees=0), "bad-txns-in-belowout")
    # Another transaction's fees do not help.
    rich = s.spend(s.coin(), outs=[TxOut(1, OP_TRUE)])
    s.refuse(s.block([rich, tx], fees=0), "bad-txns-in-belowout")
    two = s.coin()
    both = Tx([TxIn(coin.txid, coin.n), TxIn(two.txid, two.n)],
              [TxOut(coin.value + two.value, OP_TRUE)])
    s.accept(s.block([both]))


@rule("inputs", "p2p")
def long_chain_in_one_block(s):
    txs = [s.spend(s.coin())]
    for _ in range(60):
        txs.append(s.spend(txs[-1]))
    broken = list(txs)
    i = s.rng.randrange(len(txs) - 1)
    broken[i], broken[i + 1] = broken[i + 1], broken[i]
    s.refuse(s.block(broken, fees=0), "bad-txns-inputs-missingorspent")
    s.accept(s.block(txs))
    s.back()
    s.accept(s.block(txs, when=s.ledger.times[-1] + 77))


# ---- the coinbase ----

@rule("coinbase", "p2p")
def amount(s):
    b = s.block()
    b.txs[0].outs[0].value += 1
    s.refuse(b, "bad-cb-amount")
    b = s.block()
    b.txs[0].outs[0].value -= s.rng.randrange(COIN)
    s.accept(b)


@rule("coinbase", "p2p")
def amount_with_fees(s):
    coins = [s.coin() for _ in range(4)]
    txs = [s.spend(c, outs=[TxOut(c.value - s.rng.randrange(1, 9999),
                                  OP_TRUE)]) for c in coins]
    fees = s.fees(txs)
    s.refuse(s.block(txs, fees=fees + 1), "bad-cb-amount")
    # Spread over several outputs it counts the same.
    b = s.block(txs, fees=fees)
    b.txs[0].outs.append(TxOut(1, OP_TRUE))
    s.refuse(b, "bad-cb-amount")
    s.accept(s.block(txs, fees=fees))


@rule("coinbase")
def halving(s):
    """At 150 (and 300) the subsidy halves."""
    border = 150 if s.next <= 150 else 300
    while s.next < border - 1:
        s.mine()
    full = 50 * COIN >> (border // 150 - 1)
    for height, value in ((border - 1, full), (border, full // 2),
                          (border + 1, full // 2)):
        assert height == s.next and subsidy(height) == value
        s.refuse(s.block(coinbase_tx=coinbase(height, value + 1)),
                 "bad-cb-amount")
        s.accept(s.block(coinbase_tx=coinbase(height, value)))


def coinbase_script(s, script):
    b = s.block()
    b.txs[0].ins[0].script = script
    return b


@rule("coinbase", "p2p")
def script_length(s):
    head = script_number(s.next)
    for n in (0, 1, 101, 102, 200, 1000):
        s.refuse(coinbase_script(s, (head + bytes(1000))[:n]),
                 "bad-cb-length")
    s.accept(coinbase_script(s, head + s.rng.randbytes(100 - len(head))))


@rule("coinbase", "p2p")
def height_in_script(s):
    h = s.next
    assert 127 < h < 32768
    right = script_number(h)
    wrong = [script_number(h - 1), script_number(h + 1), script_number(-h),
             b"\x04" + struct.pack("<I", h),       # not the shortest
             b"\x03" + struct.pack("<I", h)[:3],
             b"\x4c" + right, b"\x01" + right[1:2], b"\x00" + right,
             right[1:], b"\x51" + right]
    for script in wrong:
        s.refuse(coinbase_script(s, script + bytes(2)), "bad-cb-height")
    s.refuse(coinbase_script(s, right[:-1]), "bad-cb-height")
    # What follows it is nobody's business, not even an invalid push.
    s.accept(coinbase_script(s, script_number(s.next) + b"\x4e\xff"))
    s.accept(coinbase_script(s, script_number(s.next)))


@rule("coinbase")
def sequence_and_outputs_are_free(s):
    b = s.block(coinbase_tx=Tx(
        [TxIn(bytes(32), 0xffffffff, script_number(s.next) + b"\0",
              sequence=s.rng.randrange(1 << 32))],
        [TxOut(0, b"\x6a"), TxOut(1, b""), TxOut(2, b"\xff" * 20)],
        version=0xffffffff))
    s.accept(b)


@rule("early")
def heights_and_short_scripts(s):
    """From the first block on: 1 to 16 are opcodes, 17 is a push, 128 needs
    a second byte; two bytes of script are enough, one is not."""
    while s.next <= 131:
        h = s.next
        push = script_number(h)
        if h in (1, 15, 16, 17, 18, 127, 128, 129):
            if h <= 16:
                s.refuse(coinbase_script(s, bytes([1, h])), "bad-cb-height")
            if h < 128:
                s.refuse(coinbase_script(s, bytes([2, h, 0])),
                         "bad-cb-height")
            else:
                s.refuse(coinbase_script(s, bytes([1, h & 0xff, 0])),
                         "bad-cb-height")
            s.refuse(coinbase_script(s, bytes([3, h, 0, 0])),
                     "bad-cb-height")
            s.refuse(coinbase_script(s, script_number(h + 1) + b"\0"),
                     "bad-cb-height")
            s.refuse(coinbase_script(s, push[:1]), "bad-cb-length")
            s.accept(coinbase_script(s, (push + b"\0")[:max(2, len(push))]))
        else:
            s.mine()


@rule("early")
def coinbase_spent_too_soon(s):
    while s.next <= 101:
        s.mine()
    coin = s.coinbase_coin(s.next - 99)
    s.refuse(s.block([s.spend(coin)]), "bad-txns-premature-spend-of-coinbase")


# ---- absolute and relative locks ----

@rule("locks", "p2p")
def lock_by_height(s):
    for last in (0, 0xfffffffe):
        h = s.next
        s.refuse(s.block([s.spend(s.coin(), lock_time=h, sequence=last)]),
                 "bad-txns-nonfinal")
        s.accept(s.block([s.spend(s.coin(), lock_time=h - 1, version=1,
                                  sequence=last)]))
    # Sequences that are final make the lock void; one that is not, counts.
    s.accept(s.block([s.spend(s.coin(), lock_time=499999999)]))
    tx = Tx([TxIn(c.txid, c.n) for c in (s.coin(), s.coin(), s.coin())],
            [TxOut(1, OP_TRUE)], version=1, lock_time=s.next)
    s.rng.choice(tx.ins).sequence = 0xfffffffe
    s.refuse(s.block([tx]), "bad-txns-nonfinal")
    tx.lock_time -= 1
    s.accept(s.block([tx]))
    # The largest height is a height, the next number a time long ago.
    one = s.coin()
    s.refuse(s.block([s.spend(one, lock_time=499999999, sequence=0)]),
             "bad-txns-nonfinal")
    s.accept(s.block([s.spend(one, lock_time=500000000, sequence=0)]))


@rule("locks", "p2p")
def lock_by_time(s):
    mtp, coin = s.ledger.mtp(), s.coin()
    for lock in (mtp, mtp + 1, 0xffffffff):
        b = s.block([s.spend(coin, lock_time=lock, sequence=0)])
        assert b.time > mtp + 1          # the block's own time is no matter
        s.refuse(b, "bad-txns-nonfinal")
    s.accept(s.block([s.spend(coin, lock_time=mtp - 1, sequence=0)]))


@rule("locks")
def lock_of_the_coinbase(s):
    b = s.block()
    b.txs[0].ins[0].sequence, b.txs[0].lock_time = 0, s.next
    s.refuse(b, "bad-txns-nonfinal")
    b.txs[0].lock_time -= 1
    s.accept(b)


@rule("locks", "p2p")
def relative_lock_by_blocks(s):
    n = s.rng.randrange(2, 6)
    fund = s.fund(OP_TRUE)
    s.accept(s.block([fund]))
    height = s.ledger.height
    while s.next < height + n:
        s.refuse(s.block([s.spend(fund, sequence=n)]), "bad-txns-nonfinal")
        # Bits without a meaning do not change that.
        s.refuse(s.block([s.spend(fund, sequence=n | 0x7fbf0000)]),
                 "bad-txns-nonfinal")
        s.mine()
    s.refuse(s.block([s.spend(fund, sequence=n + 1)]), "bad-txns-nonfinal")
    s.accept(s.block([s.spend(fund, sequence=n)]))


@rule("locks", "p2p")
def relative_lock_in_the_same_block(s):
    fund = s.fund(OP_TRUE)
    s.refuse(s.block([fund, s.spend(fund, sequence=1)]), "bad-txns-nonfinal")
    s.refuse(s.block([fund, s.spend(fund, sequence=0x400001)]),
             "bad-txns-nonfinal")
    s.accept(s.block([fund, s.spend(fund, sequence=0)]))


@rule("locks")
def relative_lock_by_time(s):
    fund = s.fund(OP_TRUE)
    # Bring the median to where it does not move by itself.
    s.accept(s.block([fund]))
    since = s.ledger.mtp(s.ledger.height - 1)
    n = (s.ledger.times[-1] - since) // 512 + s.rng.randrange(2, 9)
    until = since + 512 * n
    spend = s.spend(fund, sequence=0x400000 | n)
    while s.ledger.mtp() < until - 1:
        s.mine(when=until - 1)
    s.refuse(s.block([spend]), "bad-txns-nonfinal")
    while s.ledger.mtp() < until:
        s.refuse(s.block([spend]), "bad-txns-nonfinal")
        s.mine(when=until)
    s.refuse(s.block([s.spend(fund, sequence=0x400001 + n)]),
             "bad-txns-nonfinal")
    s.accept(s.block([spend]))


@rule("locks", "p2p")
def relative_lock_void(s):
    """Switched off, of version 1, or of a version that is not negative."""
    fund = s.fund(*[OP_TRUE] * 4)
    s.accept(s.block([fund]))
    for version in (2, 3, 0x7fffffff, 0x80000000, 0xffffffff):
        s.refuse(s.block([s.spend(fund, 0, sequence=500, version=version)]),
                 "bad-txns-nonfinal")
    s.accept(s.block([s.spend(fund, 0, sequence=500, version=1)]))
    s.accept(s.block([s.spend(fund, 1, sequence=500, version=0)]))
    s.accept(s.block([s.spend(fund, 2, sequence=0x80000000 | 500)]))
    # The strictest of several inputs counts.
    coins = [s.coin() for _ in range(3)]
    tx = Tx([TxIn(fund.txid(), 3, sequence=4)]
            + [TxIn(c.txid, c.n, sequence=4) for c in coins],
            [TxOut(1, OP_TRUE)])
    at = s.ledger.height - 3             # where fund's coins came
    while s.next < at + 4:
        s.refuse(s.block([tx]), "bad-txns-nonfinal")
        s.mine()
    s.accept(s.block([tx]))


def test_by_a_peer(env):
    """Most of the above once more, from a peer that is dropped for it."""
    rule.run(env, "p2p", kind=PeerScene)


def test_list_is_complete(env):
    """What this file must have seen of the reference node's reasons."""
    want = """bad-txns-inputs-missingorspent bad-txns-duplicate bad-cb-amount
        bad-txns-premature-spend-of-coinbase bad-txns-nonfinal bad-cb-length
        bad-blk-length time-too-old time-too-new high-hash
        bad-version(0x00000001) bad-txns-in-belowout bad-txnmrklroot
        bad-diffbits bad-cb-multiple bad-cb-missing bad-cb-height
        bad-prevblk prev-blk-not-found bad-txns-vin-empty
        bad-txns-vout-empty bad-txns-vout-negative bad-txns-vout-toolarge
        bad-txns-txouttotal-toolarge bad-txns-inputs-duplicate
        bad-txns-prevout-null"""
    if len(TALLY.rules) < 40:
        env.skip("not all tests were asked for")
    missing = [v for v in want.split() if not TALLY.verdicts[v]]
    assert not missing, missing
