"""The same rules one block before they begin, and from then on; and what was
possible before BIP34: transactions that come a second time."""

from harness.keys import Key, der_int, sighash_legacy
from harness.primitives import (COIN, OP_TRUE, Tx, TxIn, TxOut, merkle,
                                script_number, sha256d, subsidy)
from harness.scene import Rules
from harness.script import asm, p2wsh

START = 150
rule = Rules()


def at(*names):
    return ["-testactivationheight=%s@%d" % (n, START) for n in names]


def test_versions(env):
    heights = {"bip34": 145, "dersig": 147, "cltv": 149}
    rule.run(env, "versions", args=["-testactivationheight=%s@%d" % item
                                    for item in heights.items()])


def test_bip34(env):
    rule.run(env, "bip34", args=at("bip34"))


def test_dersig(env):
    rule.run(env, "dersig", args=at("dersig"))


def test_cltv(env):
    rule.run(env, "cltv", args=at("cltv"))


def test_csv(env):
    rule.run(env, "csv", args=at("csv"))


def test_segwit(env):
    rule.run(env, "segwit", args=at("segwit"))


def test_repeated_transactions(env):
    rule.run(env, "bip30", args=["-testactivationheight=bip34@100000"])


def failed(text):
    return "block-script-verify-flag-failed (%s)" % text


def before(s):
    """So that the next block is the last one under the old rules."""
    assert s.next < START - 1
    while s.next < START - 1:
        s.mine()


@rule("versions")
def versions(s):
    for name, version, height in (("bip34", 1, 145), ("dersig", 2, 147),
                                  ("cltv", 3, 149)):
        while s.next < height - 1:
            s.accept(s.block(version=version + 1))
        s.accept(s.block(version=version))
        for old in range(version, -2, -1):
            s.refuse(s.block(version=old),
                     "bad-version(0x%08x)" % (old & 0xffffffff))
        s.accept(s.block(version=version + 1))
        # Once more, after a step back over the border.
        s.back()
        s.back()
        if version == 1:
            s.accept(s.block(version=-5))
        else:
            s.accept(s.block(version=version))
        s.refuse(s.block(version=version),
                 "bad-version(0x%08x)" % version)
        s.accept(s.block(version=version + 1))


@rule("bip34")
def height_in_coinbase(s):
    before(s)
    def block(script):
        b = s.block()
        b.txs[0].ins[0].script = script
        return b
    for _ in range(2):
        s.accept(block(s.rng.randbytes(9)))
        for script in (b"\0\0" + s.rng.randbytes(9),
                       script_number(s.next + 1) + b"\0",
                       script_number(s.next - 1) + b"\0"):
            s.refuse(block(script), "bad-cb-height")
        s.accept(block(script_number(s.next)))
        s.back()
        s.back()


@rule("dersig")
def strict_signatures(s):
    key = Key(s.rng.randrange(1, 1 << 250))
    code = asm(key.public(), "CHECKSIG")
    anything = asm(key.public(), "CHECKSIG NOT")
    fund = s.fund(code, code, anything, anything)
    s.accept(s.block([fund]))
    def lax(n):
        """A good signature whose R has a needless zero in front."""
        tx = s.spend(fund, n)
        sig = key.ecdsa(sighash_legacy(tx, 0, code))
        r = sig[4:4 + sig[3]]
        body = b"\x02" + bytes([len(r) + 1]) + b"\0" + r + sig[4 + len(r):]
        tx.ins[0].script = asm(b"\x30" + bytes([len(body)]) + body + b"\1")
        return tx
    assert der_int(128) == b"\x02\x02\0\x80"
    junk = [s.spend(fund, n, script=asm(b"\x30\1\1")) for n in (2, 3)]
    before(s)
    s.accept(s.block([lax(0), junk[0]]))
    for tx in (lax(1), junk[1]):
        s.refuse(s.block([tx]), failed("Non-canonical DER signature"))
    s.mine()
    s.refuse(s.block([lax(1)]), failed("Non-canonical DER signature"))
    s.back()
    s.back()
    s.accept(s.block([lax(1), junk[1]]))
    s.refuse(s.block([lax(0)]), failed("Non-canonical DER signature"))


@rule("cltv")
def checklocktimeverify(s):
    script = asm(500, "CLTV")            # the height is still ahead
    before(s)
    fund = s.fund(script, script, asm(-1, "CLTV"), asm(-1, "CLTV"))
    s.accept(s.block([fund, s.spend(fund, 0), s.spend(fund, 2)]))
    s.refuse(s.block([s.spend(fund, 1)]),
             failed("Locktime requirement not satisfied"))
    s.refuse(s.block([s.spend(fund, 3)]), failed("Negative locktime"))
    s.accept(s.block([s.fund(OP_TRUE)]))


@rule("csv")
def relative_locks(s):
    """BIP68, BIP112 and BIP113 begin together."""
    before(s)
    verify = asm(3, "CSV")
    fund = s.fund(OP_TRUE, OP_TRUE, verify, verify, OP_TRUE, OP_TRUE)
    b = s.block([fund])
    late = b.time - 1
    assert late > s.ledger.mtp()
    s.refuse(s.block([fund, s.spend(fund, 4, sequence=0,
                                    lock_time=late + 1)]),
             "bad-txns-nonfinal")
    s.accept(s.block([fund, s.spend(fund, 0, sequence=100),
                      s.spend(fund, 2, sequence=0),
                      s.spend(fund, 4, sequence=0, lock_time=late)]))
    s.refuse(s.block([s.spend(fund, 1, sequence=100)]), "bad-txns-nonfinal")
    s.refuse(s.block([s.spend(fund, 3, sequence=0)]),
             failed("Locktime requirement not satisfied"))
    s.refuse(s.block([s.spend(fund, 3, sequence=100, version=1)]),
             failed("Locktime requirement not satisfied"))
    mtp = s.ledger.mtp()
    b = s.block([s.spend(fund, 5, sequence=0, lock_time=mtp)])
    assert b.time > mtp
    s.refuse(b, "bad-txns-nonfinal")
    s.accept(s.block([s.spend(fund, 5, sequence=0, lock_time=mtp - 1),
                      s.spend(fund, 1, sequence=0)]))
    s.back()
    s.back()
    s.accept(s.block([fund, s.spend(fund, 0, sequence=100)]))


def committing(s, txs, nonce=bytes(32), junk=False):
    b = s.block(txs, commit=False)
    if nonce:
        b.txs[0].ins[0].witness = [nonce]
    root = merkle([bytes(32)] + [t.wtxid() for t in txs])
    b.txs[0].outs.append(TxOut(0, b"\x6a\x24\xaa\x21\xa9\xed" + (
        s.rng.randbytes(32) if junk else sha256d(root + bytes(32)))))
    return b


@rule("segwit")
def witness(s):
    before(s)
    fund = s.fund(*[p2wsh(OP_TRUE)] * 2)
    txs = [fund, s.spend(fund, 0, witness=[OP_TRUE])]
    unclean = s.fund(*[asm("0 0 CHECKMULTISIG")] * 2)
    s.refuse(committing(s, txs), "unexpected-witness")
    s.refuse(s.block(txs, commit=False), "unexpected-witness")
    s.refuse(committing(s, []), "unexpected-witness")
    # A program wants its witness at all times, and there cannot be one.
    s.refuse(s.block([fund, s.spend(fund)]),
             failed("Witness program was passed an empty witness"))
    # What looks like a commitment means nothing yet.
    s.accept(committing(s, [fund, unclean,
                            s.spend(unclean, 0, script=asm(1))],
                        nonce=None, junk=True))
    s.refuse(committing(s, [], nonce=None, junk=True),
             "bad-witness-merkle-match")
    s.refuse(s.block([s.spend(unclean, 1, script=asm(1))]),
             failed("Dummy CHECKMULTISIG argument must be zero"))
    spend = [s.spend(fund, 0, witness=[OP_TRUE])]
    s.refuse(s.block(spend, commit=False), "unexpected-witness")
    s.accept(committing(s, spend))
    s.back()
    s.back()
    s.accept(committing(s, [], nonce=None))
    s.accept(committing(s, [], nonce=None))


# ---- BIP30 ----

def repeatable(s, *outs):
    """A coinbase that does not depend on its height."""
    return Tx([TxIn(bytes(32), 0xffffffff, b"\2" + s.rng.randbytes(8))],
              list(outs) or [TxOut(COIN, OP_TRUE)])


def again(s, tx, txs=(), **kw):
    return s.block(txs, coinbase_tx=tx, **kw)


@rule("bip30")
def unspent_coinbase(s):
    tx = repeatable(s)
    s.accept(again(s, tx))
    s.refuse(again(s, tx), "bad-txns-BIP30")
    s.mine()
    s.refuse(again(s, tx), "bad-txns-BIP30")
    # As soon as the first one is gone, the second is the first.
    s.back()
    s.back()
    s.accept(again(s, tx, when=s.ledger.times[-1] + 5))
    s.back()


@rule("bip30")
def coinbase_without_coins(s):
    """Nothing to overwrite: it may come as often as it likes."""
    tx = repeatable(s, TxOut(0, b"\x6a"), TxOut(COIN, b"\x6a\x51"),
                    TxOut(1, b"\x51" * 10001))
    for _ in range(3):
        s.accept(again(s, tx))
    s.back()
    s.accept(again(s, tx, when=s.ledger.times[-1] + 7))


@rule("bip30")
def spent_coinbase_and_its_spender(s):
    tx = repeatable(s, TxOut(COIN // 4, OP_TRUE), TxOut(COIN // 4, OP_TRUE))
    s.accept(again(s, tx))
    first = s.ledger.height
    while s.next < first + 100:
        s.mine()
    one, two = (s.spend(tx, n, outs=[TxOut(COIN // 4 - 7, OP_TRUE)])
                for n in (0, 1))
    s.accept(s.block([one]))
    s.refuse(again(s, tx), "bad-txns-BIP30")     # one output is left
    # Spent by the same block is too late, too.
    s.refuse(again(s, tx, [two]), "bad-txns-BIP30")
    s.accept(s.block([two]))
    below = s.ledger.muhash()
    s.accept(again(s, tx))
    second = s.ledger.height
    assert s.ledger.coins[tx.txid(), 0].height == second
    s.refuse(again(s, tx), "bad-txns-BIP30")
    # Taken back and done again, with another height.
    s.back()
    assert s.ledger.muhash() == below
    s.mine()
    s.accept(again(s, tx))
    s.refuse(s.block([one]), "bad-txns-BIP30")
    repeated_spender(s, tx, one, two)


def repeated_spender(s, tx, one, two):
    """An ordinary transaction comes again with what it spends."""
    since = s.ledger.height
    # A spender whose own output is gone may come again, once ripe.
    s.accept(s.block([s.spend(one)]))
    s.refuse(s.block([one]), "bad-txns-premature-spend-of-coinbase")
    while s.next < since + 100:
        s.mine()
    s.refuse(s.block([two]), "bad-txns-BIP30")   # its output is unspent
    s.accept(s.block([one]))
    s.refuse(again(s, tx), "bad-txns-BIP30")
    s.back()
    s.accept(s.block([one], when=s.ledger.times[-1] + 9))
    s.accept(s.block([s.spend(two, outs=[TxOut(3, OP_TRUE)]),
                      s.spend(tx, 1)]))
    s.accept(again(s, tx))
    for _ in range(4):
        s.back()
    assert subsidy(s.next) > COIN // 2
