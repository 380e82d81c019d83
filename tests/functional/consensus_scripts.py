"""What scripts may not do, by the reference node's words; and the witness:
commitments, programs, keys.  Each script is tried bare, in P2SH, in P2WSH and
in P2WSH inside P2SH."""

import struct

from harness.keys import (ALL, ANYONE, Key, sighash_legacy, sighash_taproot,
                          sighash_v0, tap_leaf)
from harness.primitives import (OP_TRUE, TxOut, merkle, script_number,
                                sha256d)
from harness.scene import Rules
from harness.script import FORMS, Form, asm, hash160, p2sh, p2wsh, push

rule = Rules()


def test_scripts(env):
    rule.run(env, "scripts")


def test_lock_scripts(env):
    rule.run(env, "locks")


def test_programs(env):
    rule.run(env, "programs")


def test_signatures(env):
    rule.run(env, "signatures")


def test_commitment(env):
    rule.run(env, "commitment")


def test_one_thread(env):
    """The same without helpers for the scripts."""
    rule.run(env, "signatures", args=["-par=1"])


def failed(text):
    return "block-script-verify-flag-failed (%s)" % text


def judge(s, txs, text):
    """A block with these transactions: refused for the text, or accepted."""
    if text:
        s.refuse(s.block(txs), failed(text))
    else:
        s.accept(s.block(txs))


def try_form(s, form, text, **kw):
    fund = s.fund(form.output)
    judge(s, [fund, s.spend(fund, script=form.sig, witness=form.witness,
                            **kw)], text)


def in_every_form(s, script, args, text, v0_text=None, **kw):
    for name in FORMS:
        if name == "bare" and script[:1] == b"\x6a":
            continue
        if name == "p2sh" and len(script) > 520:
            continue
        want = v0_text if v0_text and "wsh" in name else text
        try_form(s, Form(name, script, args), want, **kw)


# ---- scripts ----

FALSE = "Script evaluated without error but finished with a false/empty " \
    "top stack element"
CLEAN = "Stack size must be exactly one after execution"
STACK = "Operation not valid with the current stack size"
NUMBER = "Script number overflowed or is non-minimally encoded"
BAD_OP = "Opcode missing or not understood"


def cases(*list_):
    def test(s):
        for words, args, text, *v0 in list_:
            script = words if isinstance(words, bytes) else asm(words)
            in_every_form(s, script, args, text, *v0)
    return test


def rules_of_cases(**kw):
    for name, list_ in kw.items():
        f = cases(*list_)
        f.__name__ = name
        rule("scripts")(f)


rules_of_cases(
    false_at_the_end=[
        ("0", [], FALSE), ("1 0", [], FALSE, CLEAN),
        ("NOP", [b""], FALSE), ("NOP", [b"\x80"], FALSE),
        ("NOP", [b"\0\0\x80"], FALSE), ("NOP", [b"\x80\0"], None),
        ("DROP", [b"\1"], FALSE, CLEAN), ("NOP", [b"\1"], None)],
    returned=[
        ("1 RETURN", [], "OP_RETURN was encountered"),
        ("1 0 IF RETURN ENDIF", [], None)],
    verifying=[
        ("VERIFY 1", [b""], "Script failed an OP_VERIFY operation"),
        ("EQUALVERIFY 1", [b"\1", b"\2"],
         "Script failed an OP_EQUALVERIFY operation"),
        ("NUMEQUALVERIFY 1", [b"\1", b"\2"],
         "Script failed an OP_NUMEQUALVERIFY operation"),
        ("0 0 CHECKSIGVERIFY 1", [],
         "Script failed an OP_CHECKSIGVERIFY operation"),
        (asm(1, b"\2" * 33, 1, "CHECKMULTISIGVERIFY 1"), [b"", b""],
         "Script failed an OP_CHECKMULTISIGVERIFY operation")],
    numbers=[
        ("1ADD", [b"\1" * 5], NUMBER), ("1ADD", [b"\1" * 4], None),
        ("1ADD", [b"\1\0\0"], None),         # as long as it fits
        ("PICK", [b"\1", b"\1" * 5], NUMBER),
        ("WITHIN", [b"\0", b"", b"\1"], None)],
    opcodes=[
        ("1 RESERVED", [], BAD_OP), ("1 VER", [], BAD_OP),
        ("1 0 IF RESERVED VER ENDIF", [], None),
        ("1 0 IF VERIF ENDIF", [], BAD_OP),
        ("1 0 IF VERNOTIF ENDIF", [], BAD_OP),
        ("0 0 0 CHECKSIGADD", [], BAD_OP),
        (b"\x51\xff", [], BAD_OP), (b"\x51\x02\x01", [], BAD_OP),
        (b"\x51\x4c", [], BAD_OP), (b"\x51\x4e\xff\xff\xff\xff", [], BAD_OP),
        ("1 0 IF RESERVED1 ENDIF RESERVED2", [], BAD_OP)],
    disabled=[
        ("1 0 IF %s ENDIF" % op, [], "Attempted to use a disabled opcode")
        for op in "CAT SUBSTR LEFT RIGHT INVERT AND OR XOR 2MUL 2DIV MUL "
        "DIV MOD LSHIFT RSHIFT".split()],
    stack_too_small=[
        ("ADD", [b"\1"], STACK), ("DROP", [], STACK), ("CSV", [], STACK),
        ("CLTV", [], STACK), ("CHECKSIG", [b"\1"], STACK),
        ("CHECKMULTISIG", [], STACK), ("1 2 ROLL", [], STACK),
        ("1 1NEGATE PICK", [], STACK),
        ("1 FROMALTSTACK", [],
         "Operation not valid with the current altstack size")],
    conditions=[
        (w, [], "Invalid OP_IF construction") for w in
        ("1 IF", "1 1 IF", "1 ENDIF", "1 ELSE", "1 1 IF ELSE",
         "1 1 IF ENDIF ENDIF")] + [("IF 1 ENDIF", [], STACK),
                                   ("NOTIF 1 ENDIF", [], STACK),
        ("IF 1 ELSE 0 ELSE 1 ENDIF", [b"\2"], None, CLEAN)],
    multisig_counts=[
        ("0 0 21 CHECKMULTISIG", [], "Pubkey count negative or limit "
         "exceeded"),
        ("0 0 -1 CHECKMULTISIG", [], "Pubkey count negative or limit "
         "exceeded"),
        ("0 1 0 CHECKMULTISIG", [], "Signature count negative or greater "
         "than pubkey count"),
        ("0 -1 0 CHECKMULTISIG", [], "Signature count negative or greater "
         "than pubkey count"),
        ("0 0 " + "0 " * 20 + "20 CHECKMULTISIG", [], None)],
    dummy=[
        ("0 0 CHECKMULTISIG", [d], t) for d, t in
        ((b"", None), (b"\1", "Dummy CHECKMULTISIG argument must be zero"),
         (b"\0", "Dummy CHECKMULTISIG argument must be zero"))],
    operations=[
        (asm("1", "NOP " * 201), [], None),
        (asm("1", "NOP " * 202), [], "Operation limit exceeded"),
        (asm("1 0 IF", "NOP " * 199, "ENDIF"), [], None),
        (asm("1 0 IF", "NOP " * 200, "ENDIF"), [],
         "Operation limit exceeded"),
        (asm("NOP " * 180, "0 0", "0 " * 20, "20 CHECKMULTISIG"), [], None),
        (asm("NOP " * 181, "0 0", "0 " * 20, "20 CHECKMULTISIG"), [],
         "Operation limit exceeded")],
    policies_are_no_rules=[
        ("NOP1 NOP4 NOP10 1", [], None), ("CODESEPARATOR 1", [], None),
        (b"\x4c\x01\x07", [], None),         # not the shortest push
        ("IF 1 ELSE 0 ENDIF", [b"\2"], None)],
)


@rule("scripts")
def unclean_stack(s):
    in_every_form(s, asm("1 1"), [], None, CLEAN)


@rule("scripts")
def sizes(s):
    for n, text in ((520, None), (521, "Push value size limit exceeded")):
        try_form(s, Form("bare", asm(bytes(n), "DROP 1"), []), text)
        try_form(s, Form("bare", asm("DROP 1"), [bytes(n)]), text)
        try_form(s, Form("p2wsh", asm("DROP 1"), [bytes(n)]), text)
        try_form(s, Form("p2wsh", asm(bytes(n), "DROP 1"), []), text)
    for n, text in ((10000, None), (10001, "Script is too big")):
        fill = asm(*[bytes(500), "DROP"] * 19)
        rest = n - len(fill) - 1
        fill += asm(bytes(rest - 7 - 300), "DROP", bytes(300), "DROP 1")
        assert len(fill) == n
        try_form(s, Form("p2wsh", fill, []), text)
        if not text:
            try_form(s, Form("bare", fill, []), text)
        sig = asm(*[bytes(500)] * 19)
        sig += asm(bytes(n - len(sig) - 4), 1)
        assert len(sig) == n
        fund = s.fund(asm("NOP"))
        judge(s, [fund, s.spend(fund, script=sig)], text)
    for n, text in ((1000, None), (1001, "Stack size limit exceeded")):
        fund = s.fund(asm("NOP"))
        judge(s, [fund, s.spend(fund, script=asm("1 " * n))], text)
        # Beside the stack, too.
        fund = s.fund(asm("TOALTSTACK " * 200))
        judge(s, [fund, s.spend(fund, script=asm("1 " * n))], text)


@rule("scripts")
def script_sig_of_p2sh(s):
    redeem = asm("1")
    fund = s.fund(p2sh(redeem))
    only = "Only push operators allowed in signatures"
    for sig, text in ((asm("NOP") + push(redeem), only),
                      (asm("1 DROP") + push(redeem), only),
                      (push(redeem) + asm("NOP"), only),
                      (asm("2 DROP", redeem), only),
                      (push(asm("0")), FALSE), (b"", STACK),
                      (asm("RESERVED 1") + push(redeem), BAD_OP)):
        judge(s, [fund, s.spend(fund, script=sig)], text)
    judge(s, [fund, s.spend(fund, script=asm("1 16 1NEGATE", redeem))], None)


@rule("scripts")
def failure_anywhere_in_the_block(s):
    """One bad input among many, after and before good ones."""
    good = [s.spend(s.coin()) for _ in range(30)]
    fund = s.fund(asm("0"))
    spend = s.spend(fund)
    txs = list(good)
    at = s.rng.randrange(len(good))
    txs[at:at] = [fund, spend]
    judge(s, txs, FALSE)
    txs.remove(spend)
    judge(s, txs, None)


# ---- OP_CHECKLOCKTIMEVERIFY and OP_CHECKSEQUENCEVERIFY ----

UNSATISFIED = "Locktime requirement not satisfied"
NEGATIVE = "Negative locktime"


@rule("locks")
def checklocktimeverify(s):
    h, old = s.next, 500000000
    for asked, lock, sequence, text in (
            (100, 100, 0, None), (100, 101, 0, None),
            (0, 0, 0, None), (100, 99, 0, UNSATISFIED),
            (100, 100, 0xfffffffe, None),
            (100, 100, 0xffffffff, UNSATISFIED),
            (old, old, 0, None), (old + 7, old + 6, 0, UNSATISFIED),
            (old - 1, old, 0, UNSATISFIED), (old, h - 1, 0, UNSATISFIED),
            (100, old, 0, UNSATISFIED), (-1, 100, 0, NEGATIVE),
            (1 << 39, 100, 0, NUMBER), (0xffffffff, 100, 0, UNSATISFIED),
            ((1 << 39) - 1, 100, 0, UNSATISFIED)):
        in_every_form(s, asm(asked, "CLTV DROP 1"), [], text,
                      lock_time=lock, sequence=sequence)
    # Not the shortest form is fine, six bytes are not.
    in_every_form(s, asm(b"\x64\0\0\0\0", "CLTV DROP 1"), [], None,
                  lock_time=100, sequence=0)
    in_every_form(s, asm(b"\x64\0\0\0\0\0", "CLTV DROP 1"), [], NUMBER,
                  lock_time=100, sequence=0)
    # The element stays where it is.
    in_every_form(s, asm("1 CLTV"), [], None, lock_time=1, sequence=0)


@rule("locks")
def checksequenceverify(s):
    kind = 1 << 22
    off = 1 << 31
    for asked, sequence, version, text in (
            (0, 0, 2, None), (1, 0, 2, UNSATISFIED), (0, 0, 1, UNSATISFIED),
            (0, off, 2, UNSATISFIED), (off, 0, 2, None),
            (off, off, 1, None), (off | 5, 0xffffffff, 2, None),
            (kind, 0, 2, UNSATISFIED), (0, kind, 2, UNSATISFIED),
            (kind, kind, 2, None), (kind + 1, kind, 2, UNSATISFIED),
            (0x10000, 0, 2, None), (0x3f0000, 0, 2, None),
            (-1, 0, 2, NEGATIVE), (1 << 39, 0, 2, NUMBER),
            (off << 1, 0, 2, None), ((off << 1) | 1, 0, 2, UNSATISFIED),
            (0, 0, 0xffffffff, None), (0, 0, 0, UNSATISFIED)):
        in_every_form(s, asm(asked, "CSV DROP 1"), [], text,
                      sequence=sequence, version=version)


@rule("locks")
def checksequenceverify_of_old_coins(s):
    n = s.rng.randrange(2, 5)
    fund = s.fund(*[asm(n, "CSV DROP 1")] * 3)
    s.accept(s.block([fund]))
    s.mine(n)
    judge(s, [s.spend(fund, 0, sequence=n - 1)], UNSATISFIED)
    judge(s, [s.spend(fund, 1, sequence=n)], None)
    judge(s, [s.spend(fund, 2, sequence=n + 1)], None)


# ---- witness programs ----

EMPTY = "Witness program was passed an empty witness"
MISMATCH = "Witness program hash mismatch"


@rule("programs")
def program_of_version_0(s):
    for n in (2, 19, 21, 31, 33, 40):
        fund = s.fund(asm(0, b"\1" * n))
        judge(s, [fund, s.spend(fund, witness=[OP_TRUE])],
              "Witness program has incorrect length")
    # Too short and too long for a program: an ordinary script.
    for n in (1, 41):
        fund = s.fund(asm(0, b"\1" * n))
        judge(s, [fund, s.spend(fund)], None)
    fund = s.fund(p2wsh(OP_TRUE))
    judge(s, [fund, s.spend(fund)], EMPTY)
    judge(s, [fund, s.spend(fund, witness=[asm("1 1 DROP")])], MISMATCH)
    judge(s, [fund, s.spend(fund, witness=[OP_TRUE, b""])], MISMATCH)
    judge(s, [fund, s.spend(fund, witness=[OP_TRUE], script=asm("1"))],
          "Witness requires empty scriptSig")
    judge(s, [fund, s.spend(fund, witness=[b"", OP_TRUE])], CLEAN)
    judge(s, [fund, s.spend(fund, witness=[OP_TRUE])], None)
    fund = s.fund(asm(0, hash160(OP_TRUE)))
    for w, text in (([b""], MISMATCH), ([OP_TRUE], MISMATCH), ([], MISMATCH),
                    ([b"", b"", OP_TRUE], MISMATCH)):
        judge(s, [fund, s.spend(fund, witness=w)], text)


@rule("programs")
def program_inside_p2sh(s):
    inner = p2wsh(OP_TRUE)
    fund = s.fund(p2sh(inner))
    malleated = "Witness requires only-redeemscript scriptSig"
    for sig, w, text in (
            (push(inner), [], EMPTY),
            (asm("1", inner), [OP_TRUE], malleated),
            (b"\x4c" + push(inner), [OP_TRUE], malleated),
            (push(p2wsh(b"")), [OP_TRUE],
             "Script evaluated without error but finished with a "
             "false/empty top stack element"),
            (push(inner), [asm("0")], MISMATCH),
            (push(inner), [OP_TRUE], None)):
        judge(s, [fund, s.spend(fund, script=sig, witness=w)], text)


@rule("programs")
def witness_where_none_belongs(s):
    text = "Witness provided for non-witness script"
    judge(s, [s.spend(s.coin(), witness=[b""])], text)
    fund = s.fund(p2sh(OP_TRUE))
    judge(s, [fund, s.spend(fund, script=push(OP_TRUE), witness=[b"\1"])],
          text)


@rule("programs")
def programs_of_the_future(s):
    """Anyone may spend them, with or without a witness."""
    for version in range(1, 17):
        n = 32 if version > 1 else s.rng.choice([2, 20, 31, 33, 40])
        fund = s.fund(*[asm(version, b"\1" * n)] * 2)
        judge(s, [fund, s.spend(fund, 0, witness=[s.rng.randbytes(9)]),
                  s.spend(fund, 1)], None)
    fund = s.fund(asm(2, b"\1" * 32))
    judge(s, [fund, s.spend(fund, script=asm("1"))],
          "Witness requires empty scriptSig")
    # Taproot inside P2SH means nothing (yet).
    inner = asm(1, b"\1" * 32)
    fund = s.fund(p2sh(inner))
    judge(s, [fund, s.spend(fund, script=push(inner))], None)


# ---- signatures ----

def new_key(s):
    return Key(s.rng.randrange(1, 1 << 250))


def damage(s, data, first=0, last=None):
    at = s.rng.randrange(first, last or len(data))
    return data[:at] + bytes([data[at] ^ 1 << s.rng.randrange(8)]) \
        + data[at + 1:]


@rule("signatures")
def pay_to_public_key_hash(s):
    for compressed in (True, False):
        key = new_key(s)
        pub = key.public(compressed)
        code = asm("DUP HASH160", hash160(pub), "EQUALVERIFY CHECKSIG")
        fund = s.fund(code)
        tx = s.spend(fund)
        digest = sighash_legacy(tx, 0, code)
        sig = key.ecdsa(digest) + bytes([ALL])
        for script, text in (
                (asm(damage(s, sig, 42, 60), pub), FALSE),
                (asm(sig[:-1] + b"\x02", pub), FALSE),
                (asm(b"", pub), FALSE),
                (asm(new_key(s).ecdsa(digest) + b"\1", pub), FALSE),
                (asm(sig, damage(s, pub)),
                 "Script failed an OP_EQUALVERIFY operation"),
                (asm(sig + b"\1", pub), "Non-canonical DER signature"),
                (asm(sig[:-1], pub), "Non-canonical DER signature")):
            tx.ins[0].script = script
            judge(s, [fund, tx], text)
        # A high S is against policy only.
        if compressed:
            sig = key.ecdsa(digest, low_s=False) + bytes([ALL])
        tx.ins[0].script = asm(sig, pub)
        tx.outs[0].value -= 1
        judge(s, [fund, tx], FALSE)
        tx.outs[0].value += 1
        judge(s, [fund, tx], None)


@rule("signatures")
def anyone_can_pay(s):
    key = new_key(s)
    code = asm(key.public(), "CHECKSIG")
    fund = s.fund(code)
    tx = s.spend(fund)
    tx.ins[0].script = asm(key.ecdsa(sighash_legacy(tx, 0, code, ALL | ANYONE)
                                     ) + bytes([ALL | ANYONE]))
    other = s.coin()
    tx.ins.append(s.spend(other).ins[0])
    judge(s, [fund, tx], None)


@rule("signatures")
def strict_der(s):
    """No signature at all is needed to see a wrong form."""
    der = b"\x30\x06\x02\x01\x01\x02\x01\x01\x01"
    script = asm(new_key(s).public(), "CHECKSIG NOT")
    in_every_form(s, script, [der], None)
    in_every_form(s, script, [b""], None)
    for wrong in (b"\x01", b"\x30", der[:-1], der + b"\1",
                  b"\x31" + der[1:], b"\x30\x07" + der[2:],
                  b"\x30\x06\x03" + der[3:],
                  b"\x30\x06\x02\x01\x81" + der[5:],
                  b"\x30\x07\x02\x02\x00\x01\x02\x01\x01\x01",
                  b"\x30\x05\x02\x00\x02\x01\x01\x01\x01",
                  b"\x30\x06\x02\x01\x01\x02\x01\x80\x01",
                  b"\x30\x47\x02\x22" + bytes(1) + b"\x80" * 33
                  + b"\x02\x21" + b"\0" + b"\x80" * 32 + b"\x01"):
        in_every_form(s, script, [wrong], "Non-canonical DER signature")


@rule("signatures")
def multisig(s):
    keys = [new_key(s) for _ in range(3)]
    code = asm(2, *[k.public() for k in keys], 3, "CHECKMULTISIG")
    fund = s.fund(code)
    tx = s.spend(fund)
    digest = sighash_legacy(tx, 0, code)
    a, b, c = (k.ecdsa(digest) + b"\1" for k in keys)
    for sigs, text in (((b, a), FALSE), ((a, a), FALSE), ((b"", b""), FALSE),
                       ((a,), STACK), ((a, c), None)):
        tx.ins[0].script = asm(0, *sigs)
        judge(s, [fund, tx], text)


@rule("signatures")
def pay_to_witness_public_key_hash(s):
    key = new_key(s)
    program = hash160(key.public())
    fund = s.fund(asm(0, program))
    tx = s.spend(fund)
    code = asm("DUP HASH160", program, "EQUALVERIFY CHECKSIG")
    value = fund.outs[0].value
    sig = key.ecdsa(sighash_v0(tx, 0, code, value)) + b"\1"
    other = key.ecdsa(sighash_v0(tx, 0, code, value + 1)) + b"\1"
    legacy = key.ecdsa(sighash_legacy(tx, 0, code)) + b"\1"
    for w, text in (([other, key.public()], FALSE),
                    ([legacy, key.public()], FALSE),
                    ([sig], MISMATCH),
                    ([sig, new_key(s).public()],
                     "Script failed an OP_EQUALVERIFY operation"),
                    ([sig + bytes(600), key.public()],
                     "Push value size limit exceeded"),
                    ([sig, key.public()], None)):
        tx.ins[0].witness = w
        judge(s, [fund, tx], text)


@rule("signatures")
def taproot_by_key(s):
    key = new_key(s)
    out = key.tweaked()
    fund = s.fund(asm(1, out.x_only()))
    tx = s.spend(fund)
    sig = out.schnorr(sighash_taproot(tx, 0, [fund.outs[0]]))
    schnorr = "Invalid Schnorr signature"
    for w, text in (([damage(s, sig)], schnorr),
                    ([key.schnorr(sighash_taproot(tx, 0, fund.outs))],
                     schnorr),
                    ([sig[:-1]], schnorr + " size"),
                    ([sig + b"\1\1"], schnorr + " size"), ([b""],
                                                          schnorr + " size"),
                    ([sig + b"\0"], schnorr + " hash type"),
                    ([sig + b"\x04"], schnorr + " hash type"),
                    ([sig + b"\1"], schnorr), ([], EMPTY),
                    ([sig, b"\x50annex"], schnorr), ([sig], None)):
        tx.ins[0].witness = w
        judge(s, [fund, tx], text)


def tap_output(key, script, version=0xc0):
    leaf = tap_leaf(script, version)
    out = key.tweaked(leaf)
    return asm(1, out.x_only()), leaf, \
        bytes([version | (out.point[1] & 1)]) + key.x_only()


@rule("signatures")
def taproot_by_script(s):
    key = new_key(s)
    script = asm(key.x_only(), "CHECKSIG")
    output, leaf, control = tap_output(key, script)
    fund = s.fund(output)
    tx = s.spend(fund)
    sig = key.schnorr(sighash_taproot(tx, 0, [fund.outs[0]], leaf))
    size = "Invalid Taproot control block size"
    for w, text in (([sig, script, control[:-1]], size),
                    ([sig, script, control + b"\1"], size),
                    ([sig, script, control + bytes(32 * 129)], size),
                    ([sig, script, control + bytes(32)], MISMATCH),
                    ([sig, script, damage(s, control, 1)], MISMATCH),
                    ([sig, asm("1"), control], MISMATCH),
                    ([damage(s, sig), script, control],
                     "Invalid Schnorr signature"),
                    ([b"", script, control], FALSE),
                    ([b"", sig, script, control], CLEAN),
                    ([sig, script, control], None)):
        tx.ins[0].witness = w
        judge(s, [fund, tx], text)


@rule("signatures")
def tapscript(s):
    key = new_key(s)
    minimal = "OP_IF/NOTIF argument must be minimal in tapscript"
    gone = "OP_CHECKMULTISIG(VERIFY) is not available in tapscript"
    for script, args, text in (
            (asm("IF 1 ENDIF"), [b"\2"], minimal),
            (asm("IF 1 ENDIF"), [b"\1"], None),
            (asm("0 0 0 CHECKMULTISIG"), [], gone),
            (asm("0 0 0 CHECKMULTISIGVERIFY"), [], gone),
            (asm("0 0 CHECKSIG"), [], "Empty public key in tapscript"),
            (asm("0 0", key.x_only(), "CHECKSIGADD 0 EQUAL"), [], None),
            (asm(b"\1" * 33, "CHECKSIG"), [b"\1"], None),
            (asm(b"\1" * 33, "CHECKSIG"), [b""], FALSE),
            (b"\x50", [], None), (b"\xfe\xff", [], None),   # OP_SUCCESS
            (asm("0 IF CAT ENDIF RETURN"), [], None),
            (asm("1", "NOP " * 300), [], None),      # no count any more
            (asm(*["1 DROP"] * 6000, 1), [], None),  # nor a size
            (b"\x51\x51", [], CLEAN), (asm("0"), [], FALSE),
            (asm("1 RESERVED1"), [], None),
            (asm("1 0 IF VERIF ENDIF"), [], BAD_OP),
            (asm(*["DUP", b"\1" * 33, "CHECKSIG DROP"] * 2, 1), [b"\1"],
             CLEAN)):
        output, _, control = tap_output(key, script)
        fund = s.fund(output)
        judge(s, [fund, s.spend(fund, witness=args + [script, control])],
              text)
    # Each signature uses fifty units of the witness's own size.
    for n, text in ((1, None), (30, "Too much signature validation relative "
                                "to witness weight")):
        script = asm(b"\1" * 33, "SWAP", *["2DUP SWAP CHECKSIGVERIFY"] * n,
                     "2DROP 1")
        output, _, control = tap_output(key, script)
        fund = s.fund(output)
        judge(s, [fund, s.spend(fund, witness=[b"\1", script, control])],
              text)
    # Another leaf version: no rules yet.
    output, _, control = tap_output(key, asm("0"), 0xc2)
    fund = s.fund(output)
    judge(s, [fund, s.spend(fund, witness=[asm("0"), control])], None)


# ---- the commitment to the witness ----

def with_witness(s):
    fund = s.fund(p2wsh(OP_TRUE))
    return [fund, s.spend(fund, witness=[OP_TRUE])]


def commitment(block, nonce=bytes(32)):
    root = merkle([bytes(32)] + [t.wtxid() for t in block.txs[1:]])
    return sha256d(root + nonce)


HEAD = b"\x6a\x24\xaa\x21\xa9\xed"


def committing(s, script, nonce=bytes(32), txs=None):
    """A block whose coinbase has this output besides, and this nonce."""
    b = s.block(with_witness(s) if txs is None else txs, commit=False)
    if nonce is not None:
        b.txs[0].ins[0].witness = nonce if isinstance(nonce, list) \
            else [nonce]
    if callable(script):
        script = script(b)
    b.txs[0].outs.append(TxOut(0, script))
    return b


def right(b):
    return HEAD + commitment(b)


@rule("commitment")
def commitment_missing(s):
    txs = with_witness(s)
    s.refuse(s.block(txs, commit=False), "unexpected-witness")
    # A nonce without a commitment, and nothing to commit to.
    b = s.block(commit=False)
    b.txs[0].ins[0].witness = [bytes(32)]
    s.refuse(b, "unexpected-witness")
    # Nearly commitments.
    for script in (HEAD + bytes(31), b"\x6a\x25" + HEAD[2:] + bytes(32),
                   HEAD[:5] + b"\xec" + bytes(32), b"\x51" + HEAD[1:]
                   + bytes(32), b"\x6a\x4c" + HEAD[1:] + bytes(32)):
        s.refuse(committing(s, script, txs=txs), "unexpected-witness")
    s.accept(committing(s, right, txs=txs))


@rule("commitment")
def commitment_wrong(s):
    s.refuse(committing(s, HEAD + s.rng.randbytes(32)),
             "bad-witness-merkle-match")
    s.refuse(committing(s, right, nonce=b"\1" + bytes(31)),
             "bad-witness-merkle-match")
    # It counts even if no transaction has a witness.
    s.refuse(committing(s, HEAD + bytes(32), txs=[]),
             "bad-witness-merkle-match")
    s.accept(committing(s, right, txs=[]))
    nonce = s.rng.randbytes(32)
    s.accept(committing(s, lambda b: HEAD + commitment(b, nonce), nonce))


@rule("commitment")
def nonce_wrong(s):
    for nonce in (bytes(31), bytes(33), b"", [bytes(32)] * 2,
                  [bytes(32), b""]):
        s.refuse(committing(s, right, nonce=nonce),
                 "bad-witness-nonce-size")


@rule("commitment")
def nonce_left_out(s):
    """submitblock puts it in where it is all zeros."""
    b = committing(s, right, nonce=None)
    s.accept(b)
    s.refuse(committing(s, HEAD + bytes(32), nonce=None),
             "bad-witness-merkle-match")


@rule("commitment")
def last_of_two_counts(s):
    txs = with_witness(s)
    for scripts, verdict in (
            ((right, lambda b: HEAD + bytes(32)), "bad-witness-merkle-match"),
            ((lambda b: HEAD + bytes(32), right), None)):
        b = committing(s, scripts[0], txs=txs)
        b.txs[0].outs.append(TxOut(0, scripts[1](b)))
        b.txs[0].outs.append(TxOut(0, HEAD[:-1] + bytes(33)))
        if verdict:
            s.refuse(b, verdict)
        else:
            s.accept(b)


@rule("commitment")
def longer_output_commits_too(s):
    s.accept(committing(s, lambda b: right(b) + s.rng.randbytes(20)))


@rule("commitment")
def witness_changed_or_stripped(s):
    """Another witness under the same header is not the block's fault."""
    good = s.block(with_witness(s)).solve()
    spend = good.txs[-1]
    witness = spend.ins[0].witness
    for other in ([b"\x52"], [b"", OP_TRUE], []):
        spend.ins[0].witness = other
        s.refuse(good, "bad-witness-merkle-match", solve=False)
    spend.ins[0].witness = witness
    nonce = good.txs[0].ins[0].witness
    good.txs[0].ins[0].witness = [bytes(31)]
    s.refuse(good, "bad-witness-nonce-size", solve=False)
    good.txs[0].ins[0].witness = nonce
    s.accept(good, solve=False)


@rule("commitment")
def height_comes_before_witness(s):
    """Of two faults the first in the reference node's order is named."""
    b = committing(s, HEAD + bytes(32))
    b.txs[0].ins[0].script = script_number(s.next + 1) + struct.pack("<I", 7)
    s.refuse(b, "bad-cb-height")
