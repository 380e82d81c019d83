#!/usr/bin/python3
"""python-bitcoinlib as an oracle: serialisation, checks of transactions,
signature messages, and its script interpreter, which knows nothing newer than
BIP16 and NULLDUMMY (BIP66 is added here)."""

import os
import random
import subprocess
import sys

from bitcoin import core
from bitcoin.core import script as bscript
from bitcoin.core import key, scripteval
from bitcoin.core.key import CECKey
from bitcoin.core.script import CScript, RawSignatureHash, SignatureHash

SEED = os.environ.get('ORACLES_SEED', '1')
FLAGS = 1 | 4 | 16  # P2SH, DERSIG, NULLDUMMY
tests = []


class Test:
    def __init__(self, name):
        self.name = name
        self.random = random.Random(SEED + '/' + name)
        self.questions = []
        self.problems = []
        self.differences = {}

    def ask(self, line, judge):
        self.questions.append((line, judge))

    def expect(self, line, answer):
        self.ask(line, lambda got: None if got == answer else 'want ' + answer)

    def differ(self, reason):
        self.differences[reason] = self.differences.get(reason, 0) + 1

    def fail(self, text):
        self.problems.append(text)


def test(name):
    def run(make):
        t = Test(name)
        make(t, t.random)
        tests.append(t)
    return run


def finish():
    lines = [q[0] for t in tests for q in t.questions]
    answers = subprocess.run([os.environ['ORACLE_CLI']], check=True, input='\n'.join(lines) + '\n',
                             stdout=subprocess.PIPE, text=True).stdout.split('\n')
    if len(answers) != len(lines) + 1:
        sys.exit('oracle_cli: %d of %d answers' % (len(answers) - 1, len(lines)))
    failed = 0
    answers = iter(answers)
    for t in tests:
        for line, judge in t.questions:
            got = next(answers)
            wrong = 'not understood' if got == 'what' else judge(got)
            if wrong:
                t.fail('%s\n    said %s; %s' % (line[:3000], got[:600], wrong))
        if not t.questions:
            t.fail('no cases')
        notes = ''.join('; %d × %s' % (n, why) for why, n in t.differences.items())
        print('oracle python-bitcoinlib: %s: %d cases%s' % (t.name, len(t.questions), notes))
        if t.problems:
            failed += 1
            print('FAIL oracle python-bitcoinlib: %s: %d problems, the first:' % (t.name, len(t.problems)))
            for p in t.problems[:3]:
                print('  ' + p)
    print('oracle python-bitcoinlib: %d passed, %d failed, 0 skipped' % (len(tests) - failed, failed))
    sys.exit(1 if failed else 0)


# ---- random things ----

def rbytes(r, n):
    return bytes(r.randrange(256) for _ in range(n))


def flipped(r, data):
    data = bytearray(data)
    data[r.randrange(len(data))] ^= 1 << r.randrange(8)
    return bytes(data)


def random_script(r):
    return CScript(rbytes(r, r.choice([0, 1, 22, 25, 34, r.randrange(80), r.randrange(500)])))


def random_tx(r, witness):
    vin, wits = [], []
    for _ in range(1 + r.randrange(300 if r.random() < .02 else 5)):
        out = core.COutPoint(rbytes(r, 32), r.choice([0, 1, 0xffffffff, r.getrandbits(32)]))
        vin.append(core.CTxIn(out, random_script(r), r.choice([0, 0xfffffffe, 0xffffffff, r.getrandbits(32)])))
        items = [rbytes(r, r.choice([0, 1, 64, 72, 300])) for _ in range(r.randrange(4) if witness else 0)]
        wits.append(core.CTxInWitness(bscript.CScriptWitness(items)))
    vout = [core.CTxOut(r.choice([0, 1, r.getrandbits(50), r.getrandbits(64) - 2**63]), random_script(r))
            for _ in range(r.randrange(300 if r.random() < .02 else 5))]
    return core.CTransaction(vin, vout, r.choice([0, 1, 499999999, 500000000, r.getrandbits(32)]),
                             r.choice([1, 2, -1, r.getrandbits(32) - 2**31]), core.CTxWitness(wits))


def answer_of(tx):
    whole, plain = tx.serialize(), tx.serialize(dict(include_witness=False))
    return 'ok %s %s %d %s %s' % (tx.GetTxid().hex(), core.Hash(whole).hex(),
                                  3 * len(plain) + len(whole), whole.hex(), plain.hex())


# ---- serialisation ----

@test('transactions there and back')
def _(t, r):
    for _ in range(800):
        tx = random_tx(r, r.random() < .5)
        t.expect('tx ' + tx.serialize().hex(), answer_of(tx))


@test('damaged transactions')
def _(t, r):
    for _ in range(2000):
        raw = random_tx(r, r.random() < .5).serialize()
        if len(raw) > 3000:
            continue
        how = r.randrange(5)
        if how == 4 and raw[4] != 0:
            # One more way to write the number of inputs, which is small.
            raw = raw[:4] + b'\xfd' + raw[4:5] + b'\0' + raw[5:] if raw[4] < 253 else raw
        elif how == 0:
            raw = raw[:r.randrange(1, len(raw))]
        elif how == 1:
            raw += rbytes(r, 1 + r.randrange(4))
        else:
            raw = flipped(r, raw[:60]) + raw[60:] if how == 2 else flipped(r, raw)
        try:
            tx = core.CTransaction.deserialize(raw)
            theirs, same = answer_of(tx), tx.serialize() == raw
        except Exception:  # whatever they raise, it is a no
            theirs, same = 'bad', True

        def judge(got, theirs=theirs, same=same, raw=raw):
            if got == theirs:
                return None
            if got == 'bad' and not same and b'\x00\x01' == raw[4:6]:
                return t.differ('they take a witness form without any witness')
            if got == 'bad' and not same:
                return t.differ('they read a longer form than needed')
            return 'theirs: ' + theirs[:200]
        t.ask('tx ' + raw.hex(), judge)


# Where nothing has a witness, wtxids are txids, but the coinbase's is zero.
def root_of_wtxids(vtx):
    row = [b'\0' * 32] + [x.GetTxid() for x in vtx[1:]]
    while len(row) > 1:
        row += row[-1:] if len(row) % 2 else []
        row = [core.Hash(row[i] + row[i + 1]) for i in range(0, len(row), 2)]
    return row[0]


@test('blocks there and back')
def _(t, r):
    for _ in range(50):
        cb = core.CTransaction([core.CTxIn(core.COutPoint(), CScript(rbytes(r, 10)))], [core.CTxOut(50, random_script(r))])
        vtx = [cb] + [random_tx(r, r.random() < .5) for _ in range(r.randrange(r.choice([3, 20, 70])))]
        head = (r.getrandbits(32) - 2**31, rbytes(r, 32))
        root = core.CBlock.build_merkle_tree_from_txs(vtx)[-1]
        b = core.CBlock(head[0], head[1], root, r.getrandbits(32), 0x207fffff, r.getrandbits(32), vtx)
        wroot = core.CBlock.build_witness_merkle_tree_from_txs(vtx)[-1] if any(x.has_witness() for x in vtx) else root_of_wtxids(vtx)
        want = [b.GetHash().hex(), root.hex(), wroot.hex(), str(len(vtx))]
        t.ask('block ' + b.serialize().hex(),
              lambda got, want=want: None if got.split()[1:5] == want else 'want %s' % want)
        t.expect('block ' + b.serialize()[:-1 - r.randrange(100)].hex(), 'bad')


# ---- transactions by themselves ----

REASONS = {
    'vin empty': 'bad-txns-vin-empty', 'vout empty': 'bad-txns-vout-empty',
    'size limits failed': 'bad-txns-oversize', 'txout.nValue negative': 'bad-txns-vout-negative',
    'txout.nValue too high': 'bad-txns-vout-toolarge', 'txout total out of range': 'bad-txns-txouttotal-toolarge',
    'duplicate inputs': 'bad-txns-inputs-duplicate', 'coinbase script size': 'bad-cb-length',
    'prevout is null': 'bad-txns-prevout-null',
}


@test('checks of transactions by themselves')
def _(t, r):
    pool = [core.COutPoint(rbytes(r, 32), n) for n in range(4)]
    million = 10**6 * core.COIN
    for _ in range(3000):
        vin = []
        for _ in range(r.randrange(1, 4)):
            out = core.COutPoint() if r.random() < .2 else r.choice(pool + [core.COutPoint(rbytes(r, 32), 0)] * 8)
            vin.append(core.CTxIn(out, CScript(rbytes(r, r.choice([0, 1, 2, 3, 99, 100, 101])))))
        vout = [core.CTxOut(r.choice([0, 1, million, 20 * million, 21 * million, 21 * million + 1, -1, 2**62]
                                     if r.random() < .3 else [0, 1000, million]), CScript())
                for _ in range(r.randrange(0 if r.random() < .1 else 1, 4))]
        tx = core.CTransaction(vin, vout)
        want = 'ok'
        try:
            core.CheckTransaction(tx)
        except core.CheckTransactionError as e:
            want = REASONS[str(e).split(': ')[1] if ' : ' in str(e) else str(e).split(' : ')[-1]]
        t.expect('check ' + tx.serialize().hex(), want)


@test('counts of signature operations')
def _(t, r):
    ops = [0xac, 0xad, 0xae, 0xaf, 0x51, 0x52, 0x60, 0x00, 0x4c, 0x76, 0x6a]
    for _ in range(1000):
        scripts = []
        for _ in range(4):
            s = b''
            for _ in range(r.randrange(15)):
                op = r.choice(ops)
                s += bytes([0x4c, 3]) + rbytes(r, 3) if op == 0x4c else bytes([op])
            scripts.append(CScript(s))
        tx = core.CTransaction([core.CTxIn(core.COutPoint(rbytes(r, 32), 0), scripts[0])],
                               [core.CTxOut(1, s) for s in scripts[1:]])
        t.expect('sigops ' + tx.serialize().hex(), str(core.GetLegacySigOpCount(tx)))


# ---- what signatures sign ----

def random_code(r):
    out = b''
    for _ in range(r.randrange(12)):
        out += r.choice([CScript([rbytes(r, r.randrange(90))]), b'\xab', bytes([r.choice([0, 0x51, 0x63, 0x68, 0x76, 0xac, 0xae])]),
                         b'\x4c\x01\x05', b'\x4d\x02\x00ab'])
    return CScript(out)


@test('messages of legacy signatures')
def _(t, r):
    for _ in range(1500):
        tx = random_tx(r, False)
        at = r.randrange(len(tx.vin))
        kind = r.choice([1, 2, 3, 0x81, 0x82, 0x83, 0, 4, 0x50, 0xff, r.getrandbits(31)])
        code = random_code(r)
        h, _ = RawSignatureHash(code, tx, at, kind)
        t.expect('legacy %s %d %d %s' % (tx.serialize().hex(), at, kind, code.hex() or '-'), h.hex())


@test('messages of BIP143')
def _(t, r):
    for _ in range(600):
        tx = random_tx(r, False)
        at = r.randrange(len(tx.vin))
        wit = [core.CTxInWitness(bscript.CScriptWitness([b'x']))] * len(tx.vin)
        tx = core.CTransaction(tx.vin, tx.vout, tx.nLockTime & 0x7fffffff, tx.nVersion, core.CTxWitness(wit))
        kind = r.choice([1, 2, 3, 0x81, 0x82, 0x83, 0, 4, 0x50, 0xff])
        code, value = random_code(r), r.getrandbits(50)
        h = SignatureHash(code, tx, at, kind, amount=value, sigversion=bscript.SIGVERSION_WITNESS_V0)
        spent = ','.join('%d:0014%s' % (value, '22' * 20) for _ in tx.vin)
        t.expect('v0 %s %d %d %s %s' % (tx.serialize().hex(), at, kind, code.hex() or '-', spent), h.hex())


# ---- keys ----

P = 2**256 - 2**32 - 977


def is_point(pub):
    if len(pub) == 33 and pub[0] in (2, 3):
        x = int.from_bytes(pub[1:], 'big')
        return x < P and pow(x**3 + 7, (P - 1) // 2, P) == 1
    if len(pub) == 65 and pub[0] in (4, 6, 7):
        x, y = int.from_bytes(pub[1:33], 'big'), int.from_bytes(pub[33:], 'big')
        return x < P and y < P and (y * y - x**3 - 7) % P == 0 and (pub[0] == 4 or pub[0] % 2 == y % 2)
    return False


def is_der(sig):
    """BIP66, without the byte of the hash type."""
    def number(at):
        n = sig[at + 1]
        body = sig[at + 2:at + 2 + n]
        good = sig[at] == 2 and 0 < n == len(body) and body[0] < 128
        return at + 2 + n, good and not (n > 1 and body[0] == 0 and body[1] < 128)
    try:
        s_at, r_good = number(2)
        end, s_good = number(s_at)
        return sig[0] == 0x30 and sig[1] == len(sig) - 2 and r_good and s_good and end == len(sig) <= 72
    except IndexError:
        return False


class SafeKey(CECKey):
    """Theirs, over the system's OpenSSL, which crashes on keys that are no
    points and follows BIP66 no more than it."""

    def set_pubkey(self, pub):
        self.good = is_point(pub)
        return super().set_pubkey(pub) if self.good else 0

    def verify(self, message, sig):
        if not is_der(sig):
            raise ValueError('BIP66')
        return self.good and super().verify(message, sig)


key.CECKey = SafeKey

# ---- scripts ----

NUMBER = [(0x8b, 1, 1), (0x8c, 1, 1), (0x8f, 1, 1), (0x90, 1, 1), (0x91, 1, 1), (0x92, 1, 1),
          (0x93, 2, 1), (0x94, 2, 1), (0x9a, 2, 1), (0x9b, 2, 1), (0x9c, 2, 1), (0x9d, 2, 0),
          (0x9e, 2, 1), (0x9f, 2, 1), (0xa0, 2, 1), (0xa1, 2, 1), (0xa2, 2, 1), (0xa3, 2, 1),
          (0xa4, 2, 1), (0xa5, 3, 1)]
ANY = [(0x61, 0, 0), (0x69, 1, 0), (0x6b, 1, 0), (0x6d, 2, 0), (0x6e, 2, 4), (0x6f, 3, 6),
       (0x70, 4, 6), (0x71, 6, 6), (0x72, 4, 4), (0x73, 1, 2), (0x74, 0, 1), (0x75, 1, 0),
       (0x76, 1, 2), (0x77, 2, 1), (0x78, 2, 3), (0x79, 2, 2), (0x7a, 2, 1), (0x7b, 3, 3),
       (0x7c, 2, 2), (0x7d, 2, 3), (0x82, 1, 2), (0x87, 2, 1), (0x88, 2, 0), (0xa6, 1, 1),
       (0xa7, 1, 1), (0xa8, 1, 1), (0xa9, 1, 1), (0xaa, 1, 1), (0xab, 0, 0), (0xb0, 0, 0),
       (0xb9, 0, 0)]
RARE = [0x50, 0x62, 0x65, 0x66, 0x6a, 0x6c, 0x7e, 0x80, 0x83, 0x89, 0x8d, 0x95, 0x99, 0xac, 0xae, 0xba, 0xff]

# These leave a zero byte for false, where it should be nothing: 0NOTEQUAL
# behind them makes it that.
ZERO_BYTE = (0xa5, 0xac, 0xae)


def push(data):
    if len(data) == 1 and 1 <= data[0] <= 16:
        return bytes([0x50 + data[0]])
    return bytes(CScript([data])) if data else b'\0'


def random_push(r):
    return r.choice([
        lambda: push(b''), lambda: bytes([0x51 + r.randrange(16)]), lambda: b'\x4f',
        lambda: push(rbytes(r, 1 + r.randrange(5))),
        lambda: b'\x4c\x01\x05',
        lambda: push(r.choice([b'\0', b'\x80', b'\0\x80', b'\1\0', b'\xff\xff\xff\x7f', b'\xff' * 4, b'\0\0\0\x80\0'])),
        lambda: push(rbytes(r, r.choice([20, 32, 75, 76, 255, 256, 520])))])()


def random_program(r, depth):
    out, open_ifs = b'', 0
    for _ in range(2 + r.randrange(25)):
        if r.random() < .01:
            op = r.choice(RARE)
            out += bytes([op]) + (b'\x92' if op in ZERO_BYTE else b'')
        elif r.random() < .06:
            out += bytes([r.choice([0, 0x51]), r.choice([0x63, 0x64])])
            open_ifs += 1
        elif open_ifs and r.random() < .25:
            op = 0x68 if r.random() < .6 else 0x67
            out += bytes([op])
            open_ifs -= op == 0x68
        elif depth == 0 or r.random() < .45:
            out += random_push(r)
            depth += 1
        else:
            op, taken, left = r.choice([o for o in (NUMBER if r.random() < .5 else ANY) if o[1] <= depth] or [(0x61, 0, 0)])
            if op in (0x79, 0x7a):
                n = r.randrange(min(depth, 4))
                out += push(bytes([n]) if n else b'')
            out += bytes([op])
            out += b'\x92' if op in ZERO_BYTE else b''
            depth += left - taken
    return out + b'\x68' * open_ifs


def verdict(sig, out, tx):
    try:
        scripteval.VerifyScript(sig, out, tx, 0, (scripteval.SCRIPT_VERIFY_P2SH, scripteval.SCRIPT_VERIFY_NULLDUMMY))
        return 'ok'
    except Exception as e:  # their evaluator raises many things
        return 'no (%s)' % e


def spend_of(sig):
    return core.CTransaction([core.CTxIn(core.COutPoint(b'\7' * 32, 0), CScript(sig))], [core.CTxOut(1000, CScript(b'\x51'))])


def ask_verify(t, tx, out, theirs, note=''):
    def judge(got):
        if (got == 'ok') == (theirs == 'ok'):
            return None
        return 'theirs: %s %s' % (theirs, note)
    t.ask('verify %s %d 5000:%s' % (tx.serialize().hex(), FLAGS, out.hex() or '-'), judge)


def compare_scripts(t, r, p2sh):
    ran = 0
    for _ in range(1500):
        items = [rbytes(r, r.choice([0, 1, 1, 2, 4, 5, 32])) for _ in range(r.randrange(5))]
        program = random_program(r, len(items))
        stack = list(items)
        try:
            scripteval.EvalScript(stack, CScript(program), spend_of(b''), 0)
            # Not only the outcome is compared, but all that is left.
            longer = program + b''.join(push(x) + b'\x88' for x in reversed(stack)) + b'\x51'
            if len(longer) < 520 or not p2sh:
                program, ran = longer, ran + 1
        except Exception:
            pass
        if p2sh and len(program) > 520:
            continue
        sig = b''.join(push(x) for x in items) + (push(program) if p2sh else b'')
        out = CScript(b'\xa9\x14' + core.Hash160(program) + b'\x87') if p2sh else CScript(program)
        tx = spend_of(sig)
        ask_verify(t, tx, out, verdict(CScript(sig), out, tx), program.hex())
    if ran < 300:
        t.fail('only %d scripts ran to their end' % ran)


@test('scripts: legacy')
def _(t, r):
    compare_scripts(t, r, False)


@test('scripts: P2SH')
def _(t, r):
    compare_scripts(t, r, True)


# ---- signing ----

def new_key(r):
    k = CECKey()
    k.set_secretbytes(rbytes(r, 32))
    k.set_compressed(r.random() < .7)
    return k


def signature(r, k, code, tx):
    kind = r.choice([1, 1, 2, 3, 0x81, 0x82, 0x83])
    h, _ = RawSignatureHash(code, tx, 0, kind)
    return k.sign(h) + bytes([kind])


def signed_spend(r):
    tx = spend_of(b'')
    keys = [new_key(r) for _ in range(1 + r.randrange(3))]
    kind = r.randrange(3)
    if kind == 0:
        out = CScript([keys[0].get_pubkey(), bscript.OP_CHECKSIG])
        sig = CScript([signature(r, keys[0], out, tx)])
    elif kind == 1:
        pub = keys[0].get_pubkey()
        out = CScript(b'\x76\xa9\x14' + core.Hash160(pub) + b'\x88\xac')
        sig = CScript([signature(r, keys[0], out, tx), pub])
    else:
        need = 1 + r.randrange(len(keys))
        redeem = CScript([need] + [k.get_pubkey() for k in keys] + [len(keys), bscript.OP_CHECKMULTISIG])
        out = CScript(b'\xa9\x14' + core.Hash160(redeem) + b'\x87')
        sig = CScript([0] + [signature(r, k, redeem, tx) for k in keys[-need:]] + [redeem])
    return spend_of(sig), out


@test('signed P2PK, P2PKH and P2SH multisig, and with any one bit changed')
def _(t, r):
    for _ in range(250):
        tx, out = signed_spend(r)
        sig = tx.vin[0].scriptSig
        if verdict(sig, out, tx) != 'ok':
            t.fail('they refuse their own signature: %s' % verdict(sig, out, tx))
        ask_verify(t, tx, out, 'ok')
        for _ in range(3):
            bad_sig, bad_out = sig, out
            if r.random() < .7:
                bad_sig = CScript(flipped(r, sig))
            else:
                bad_out = CScript(flipped(r, out))
            bad = spend_of(bad_sig)
            ask_verify(t, bad, bad_out, verdict(bad_sig, bad_out, bad))


finish()
