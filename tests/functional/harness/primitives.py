"""Transactions and blocks as bytes, written independently of the node."""

import hashlib
import io
import struct
import time

REGTEST_MAGIC = bytes.fromhex("fabfb5da")
REGTEST_BITS = 0x207fffff
COIN = 100000000

OP_TRUE = b"\x51"
# P2WSH of OP_TRUE: anyone may spend it, with a witness.
WSH_TRUE = b"\x00\x20" + hashlib.sha256(OP_TRUE).digest()


def sha256d(b):
    return hashlib.sha256(hashlib.sha256(b).digest()).digest()


def compact(n):
    if n < 0xfd:
        return bytes([n])
    if n <= 0xffff:
        return b"\xfd" + struct.pack("<H", n)
    if n <= 0xffffffff:
        return b"\xfe" + struct.pack("<I", n)
    return b"\xff" + struct.pack("<Q", n)


def read_compact(b, at):
    n = b[at]
    if n < 0xfd:
        return n, at + 1
    size = {0xfd: 2, 0xfe: 4, 0xff: 8}[n]
    return int.from_bytes(b[at + 1:at + 1 + size], "little"), at + 1 + size


def rev(hex_or_bytes):
    """Between the order on the wire (bytes) and the one people see (hex)."""
    if isinstance(hex_or_bytes, str):
        return bytes.fromhex(hex_or_bytes)[::-1]
    return hex_or_bytes[::-1].hex()


def script_number(n):
    """A number as a script pushes it (BIP34 heights)."""
    if n == 0:
        return b"\x00"
    if 1 <= n <= 16:
        return bytes([0x50 + n])
    out = bytearray()
    v = abs(n)
    while v:
        out.append(v & 0xff)
        v >>= 8
    if out[-1] & 0x80:
        out.append(0x80 if n < 0 else 0)
    elif n < 0:
        out[-1] |= 0x80
    return bytes([len(out)]) + bytes(out)


class TxIn:
    def __init__(self, txid, n, script=b"", sequence=0xffffffff, witness=()):
        self.txid, self.n = txid, n          # txid: wire order
        self.script, self.sequence = script, sequence
        self.witness = list(witness)


class TxOut:
    def __init__(self, value, script):
        self.value, self.script = value, script


class Tx:
    def __init__(self, ins, outs, version=2, lock_time=0):
        self.ins, self.outs = list(ins), list(outs)
        self.version, self.lock_time = version, lock_time

    def raw(self, witness=True):
        witness = witness and any(i.witness for i in self.ins)
        b = struct.pack("<I", self.version)
        if witness:
            b += b"\x00\x01"
        b += compact(len(self.ins))
        for i in self.ins:
            b += i.txid + struct.pack("<I", i.n) + compact(len(i.script))
            b += i.script + struct.pack("<I", i.sequence)
        b += compact(len(self.outs))
        for o in self.outs:
            b += struct.pack("<q", o.value) + compact(len(o.script)) + o.script
        if witness:
            for i in self.ins:
                b += compact(len(i.witness))
                for w in i.witness:
                    b += compact(len(w)) + w
        return b + struct.pack("<I", self.lock_time)

    @classmethod
    def parse(cls, raw):
        """From either form; with inputs."""
        f = io.BytesIO(raw)

        def number(fmt):
            return struct.unpack(fmt, f.read(struct.calcsize(fmt)))[0]

        def size():
            n = f.read(1)[0]
            return n if n < 253 else number({253: "<H", 254: "<I",
                                             255: "<Q"}[n])

        version = number("<I")
        n = size()
        witness = n == 0
        if witness:
            assert f.read(1) == b"\x01"
            n = size()
        ins = [TxIn(f.read(32), number("<I"), f.read(size()), number("<I"))
               for _ in range(n)]
        outs = [TxOut(number("<q"), f.read(size())) for _ in range(size())]
        for i in ins if witness else ():
            i.witness = [f.read(size()) for _ in range(size())]
        return cls(ins, outs, version, number("<I"))

    def txid(self):
        return sha256d(self.raw(False))

    def wtxid(self):
        return sha256d(self.raw(True))

    def hex(self):
        return self.raw().hex()


def merkle(hashes):
    hashes = list(hashes)
    if not hashes:
        return bytes(32)
    while len(hashes) > 1:
        if len(hashes) % 2:
            hashes.append(hashes[-1])
        hashes = [sha256d(hashes[i] + hashes[i + 1])
                  for i in range(0, len(hashes), 2)]
    return hashes[0]


def subsidy(height, interval=150):
    return (50 * COIN) >> (height // interval) if height // interval < 64 else 0


def coinbase(height, value=None, script=OP_TRUE, extra=b"\x00", fees=0):
    if value is None:
        value = subsidy(height) + fees
    return Tx([TxIn(bytes(32), 0xffffffff, script_number(height) + extra)],
              [TxOut(value, script)])


class Block:
    """A regtest block on `prev` (hex as people see it)."""

    def __init__(self, prev, height, txs=(), when=None, version=0x20000000,
                 bits=REGTEST_BITS, coinbase_tx=None, fees=0, commit=True):
        self.prev = rev(prev)
        self.height = height
        self.time = int(time.time()) if when is None else when
        self.version, self.bits, self.nonce = version, bits, 0
        self.txs = [coinbase_tx or coinbase(height, fees=fees)] + list(txs)
        if commit and any(i.witness for t in txs for i in t.ins):
            self.add_commitment()
        self.root = None

    def add_commitment(self):
        reserved = bytes(32)
        self.txs[0].ins[0].witness = [reserved]
        root = merkle([bytes(32)] + [t.wtxid() for t in self.txs[1:]])
        self.txs[0].outs.append(TxOut(0, b"\x6a\x24\xaa\x21\xa9\xed"
                                      + sha256d(root + reserved)))

    def header(self):
        root = self.root or merkle([t.txid() for t in self.txs])
        return struct.pack("<I", self.version & 0xffffffff) + self.prev + \
            root + struct.pack("<III", self.time, self.bits, self.nonce)

    def hash(self):
        return rev(sha256d(self.header()))

    def target(self):
        size, word = self.bits >> 24, self.bits & 0x7fffff
        return word << (8 * (size - 3))

    def solve(self, valid=True):
        """Find a nonce whose hash is below (or, valid=False, above) the
        target."""
        head = self.header()[:76]
        target = self.target()
        for nonce in range(1 << 32):
            h = sha256d(head + struct.pack("<I", nonce))
            if (int.from_bytes(h, "little") <= target) == valid:
                self.nonce = nonce
                return self
        raise AssertionError("no nonce")

    def raw(self):
        return self.header() + compact(len(self.txs)) + b"".join(
            t.raw() for t in self.txs)

    def hex(self):
        return self.raw().hex()


def block_record(raw, magic=REGTEST_MAGIC):
    """As in a block file."""
    return magic + struct.pack("<I", len(raw)) + raw


def block_file(path):
    """Yield the raw blocks of a block file."""
    with open(path, "rb") as f:
        data = f.read()
    at = 0
    while at + 8 <= len(data):
        n = struct.unpack("<I", data[at + 4:at + 8])[0]
        if n == 0:
            return
        yield data[at + 8:at + 8 + n]
        at += 8 + n
