"""Limits of a block from both sides: signature operations as each kind of
script counts them, size, weight."""

from harness.primitives import OP_TRUE, TxOut, compact, script_number
from harness.scene import Rules
from harness.script import Form, asm, push

MAX_COST = 80000
MAX_WEIGHT = 4000000
MANY = 20                # what OP_CHECKMULTISIG counts without a number
PER_SCRIPT = 199         # operations that fit beside OP_IF and OP_ENDIF
rule = Rules()


def test_sigops(env):
    rule.run(env, "sigops")


def test_size_and_weight(env):
    rule.run(env, "size")


# ---- signature operations ----

def unrun(sigops):
    """A script that counts so many without running any: true at the end."""
    many, one = divmod(sigops, MANY)
    # Behind OP_0 the count of keys is not known.
    return asm("0 IF", "CHECKMULTISIG " * many + "CHECKSIG " * one,
               "ENDIF 1")


def legacy(sigops):
    """An output that counts so many and is never spent."""
    return TxOut(0, b"\xac" * sigops)


def with_sigops(s, kind, total):
    """Transactions whose scripts of this kind count so many together."""
    forms, each = [], MANY * (PER_SCRIPT - MANY)
    while total:
        n = min(total, each)
        forms.append(Form(kind, unrun(n), []))
        total -= n
    fund = s.fund(*[f.output for f in forms])
    return [fund] + [s.spend(fund, i, script=f.sig, witness=f.witness)
                     for i, f in enumerate(forms)]


def edge(s, build, limit, again):
    """`limit` is accepted, one more is not."""
    s.refuse(build(limit + 1), "bad-blk-sigops", again=again)
    s.accept(build(limit))


@rule("sigops")
def legacy_in_outputs(s):
    def build(n):
        part = s.rng.randrange(1, n)
        coin = s.coin()
        return s.block([s.spend(coin, outs=[
            TxOut(coin.value, OP_TRUE), legacy(part), legacy(n - part)])])
    edge(s, build, MAX_COST // 4, "bad-blk-sigops")


@rule("sigops")
def legacy_in_the_coinbase(s):
    def build(n):
        b = s.block()
        b.txs[0].ins[0].script = script_number(s.next) + b"\xad" * 90
        b.txs[0].outs.append(legacy(n - 90))
        return b
    edge(s, build, MAX_COST // 4, "bad-blk-sigops")


@rule("sigops")
def legacy_in_inputs(s):
    """Whatever the script does with them, they count."""
    sig = asm("0 IF", "CHECKSIG " * 190, "ENDIF")
    def build(n):
        coin = s.coin()
        return s.block([s.spend(coin, script=sig, outs=[
            TxOut(coin.value, OP_TRUE), legacy(n - 190)])])
    edge(s, build, MAX_COST // 4, "bad-blk-sigops")


@rule("sigops")
def legacy_multisig_counts_twenty(s):
    """Even where the number of keys is plain to see."""
    script = asm(*["2 CHECKMULTISIG", "3 CHECKMULTISIGVERIFY"] * 500)
    def build(n):
        coin = s.coin()
        return s.block([s.spend(coin, outs=[
            TxOut(coin.value, OP_TRUE), TxOut(0, script),
            legacy(n - 1000 * MANY)])])
    edge(s, build, MAX_COST // 4, "bad-blk-sigops")


@rule("sigops")
def pushed_bytes_are_no_operations(s):
    for script in (push(b"\xac" * 520) * 40, b"\x4e\xff\xff\xff\x7f"
                   + b"\xac" * 30000, b"\x4c", b"\x05" + b"\xac" * 4):
        coin = s.coin()
        s.accept(s.block([s.spend(coin, outs=[
            TxOut(coin.value, OP_TRUE), TxOut(0, script),
            legacy(MAX_COST // 4)])]))


@rule("sigops")
def inside_p2sh(s):
    def build(n):
        return s.block(with_sigops(s, "p2sh", n))
    edge(s, build, MAX_COST // 4, "duplicate-invalid")


@rule("sigops")
def inside_p2wsh(s):
    def build(n):
        return s.block(with_sigops(s, "p2wsh", n))
    edge(s, build, MAX_COST, "duplicate-invalid")


@rule("sigops")
def inside_p2wsh_inside_p2sh(s):
    def build(n):
        return s.block(with_sigops(s, "p2sh-p2wsh", n))
    edge(s, build, MAX_COST, "duplicate-invalid")


@rule("sigops")
def mixed(s):
    """Four for each of the old kinds, one for the witness's."""
    old, sh = s.rng.randrange(1, 9000), s.rng.randrange(1, 9000)
    def build(n):
        coin = s.coin()
        txs = [s.spend(coin, outs=[TxOut(coin.value, OP_TRUE),
                                   legacy(old)])]
        for kind, count in (("p2sh", sh), ("p2wsh", n - 4 * (old + sh))):
            txs += with_sigops(s, kind, count)
        return s.block(txs)
    edge(s, build, MAX_COST, "duplicate-invalid")


@rule("sigops")
def exact_counts_of_keys(s):
    """In P2SH and in the witness a number before OP_CHECKMULTISIG counts."""
    script = asm("0 IF", *["2 CHECKMULTISIG", "16 CHECKMULTISIG",
                           "17 CHECKMULTISIG"] * 20, "ENDIF 1")
    per = 20 * (2 + 16 + MANY)
    for kind, scale in (("p2sh", 4), ("p2wsh", 1)):
        form = Form(kind, script, [])
        def build(n):
            coin = s.coin()
            fund = s.fund(form.output)
            cost = n - scale * per
            txs = [fund, s.spend(fund, script=form.sig,
                                 witness=form.witness),
                   s.spend(coin, outs=[TxOut(coin.value, OP_TRUE),
                                       legacy(cost // 4)])]
            rest = cost % 4
            return s.block(txs + (with_sigops(s, "p2wsh", rest)
                                  if rest else []))
        edge(s, build, MAX_COST, "duplicate-invalid")


@rule("sigops")
def key_hash_programs_count_one(s):
    """Each, whatever the witness holds; those of later versions none."""
    n = 40
    fund = s.fund(*[asm(2, b"\1" * 32)] * n)
    witness = [b"\xac" * 5000]
    coin = s.coin()
    s.accept(s.block([fund] + [s.spend(fund, i, witness=witness)
                               for i in range(n)]
                     + [s.spend(coin, outs=[TxOut(coin.value, OP_TRUE),
                                            legacy(MAX_COST // 4)])]))
    # The count comes before the scripts, which would fail here.
    fund = s.fund(*[asm(0, b"\1" * 20)] * 4)
    coin = s.coin()
    txs = [fund] + [s.spend(fund, i, witness=[b"", b""]) for i in range(4)]
    def build(old):
        return s.block(txs + [s.spend(coin, outs=[
            TxOut(coin.value, OP_TRUE), legacy(old)])])
    s.refuse(build(MAX_COST // 4), "bad-blk-sigops",
             again="duplicate-invalid")
    s.refuse(build(MAX_COST // 4 - 1), "block-script-verify-flag-failed "
             "(Script failed an OP_EQUALVERIFY operation)")


# ---- size and weight ----

def weight(b):
    stripped = 80 + len(compact(len(b.txs))) + sum(
        len(t.raw(False)) for t in b.txs)
    return 3 * stripped + len(b.raw())


def filled(s, total, witness):
    """A block of exactly this weight; `witness`: bytes of witness in it
    (None: none)."""
    coin = s.coin()
    spend = s.spend(coin, outs=[TxOut(coin.value, OP_TRUE),
                                TxOut(0, b"\x6a" * 70000)])
    txs = [spend]
    if witness is not None:
        fund = s.fund(asm(2, b"\1" * 32))
        txs += [fund, s.spend(fund, witness=[bytes(witness)])]
    b = s.block(txs)
    left = total - weight(b)
    spend.outs[1].script += b"\x6a" * (left // 4)
    if witness is not None:
        txs[2].ins[0].witness[0] += bytes(left % 4)
    b = s.block(txs)
    assert weight(b) == total, (weight(b), total)
    return b


@rule("size")
def size_without_witness(s):
    s.accept(filled(s, MAX_WEIGHT, None))
    s.refuse(filled(s, MAX_WEIGHT + 4, None), "bad-blk-length")


@rule("size")
def size_beside_a_witness(s):
    """The stripped block alone must fit: there the weight is four times
    its size, and the witness comes on top."""
    s.refuse(filled(s, MAX_WEIGHT + 600, 100), "bad-blk-length")
    s.refuse(filled(s, MAX_WEIGHT + 80, 100), "bad-blk-weight")


@rule("size")
def weight_with_witness(s):
    for witness in (s.rng.randrange(70000, 3000000), 300):
        s.refuse(filled(s, MAX_WEIGHT + 1, witness), "bad-blk-weight")
        s.accept(filled(s, MAX_WEIGHT, witness))


@rule("size")
def nearly_all_witness(s):
    coin = s.fund(asm(2, b"\1" * 32))
    for n, verdict in ((MAX_WEIGHT + 1, "bad-blk-weight"),
                       (MAX_WEIGHT, None)):
        spend = s.spend(coin, witness=[bytes(3900000)])
        b = s.block([coin, spend])
        spend.ins[0].witness[0] += bytes(n - weight(b))
        b = s.block([coin, spend])
        assert weight(b) == n and len(b.raw()) > 3990000
        if verdict:
            s.refuse(b, verdict)
        else:
            s.accept(b)
    # Back and forth with the largest block there is.
    s.back()
    s.mine()


@rule("size")
def many_transactions(s):
    """As many as fit: 10,000 in a chain through one block."""
    txs = [s.spend(s.coin())]
    while len(txs) < 10000:
        txs.append(s.spend(txs[-1]))
    again = s.spend(txs[-2], outs=[TxOut(1, OP_TRUE)])
    s.refuse(s.block(txs + [again], fees=0),
             "bad-txns-inputs-missingorspent")
    s.accept(s.block(txs))
    s.back()
    s.mine()
