"""Keys and signatures of secp256k1, plainly: for tests, not for secrets."""

import hashlib
import hmac
import struct

from .primitives import compact, sha256d

P = 2**256 - 2**32 - 977
N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141
G = (0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798,
     0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8)
ALL, NONE, SINGLE, ANYONE = 1, 2, 3, 0x80


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if a[1] != b[1]:
            return None
        m = 3 * a[0] * a[0] * pow(2 * a[1], -1, P)
    else:
        m = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (m * m - a[0] - b[0]) % P
    return x, (m * (a[0] - x) - a[1]) % P


def mul(k, point=G):
    out = None
    while k:
        if k & 1:
            out = add(out, point)
        point = add(point, point)
        k >>= 1
    return out


def num(b):
    return int.from_bytes(b, "big")


def b32(n):
    return n.to_bytes(32, "big")


def tagged(tag, data):
    t = hashlib.sha256(tag.encode()).digest()
    return hashlib.sha256(t + t + data).digest()


def der_int(n):
    b = n.to_bytes(n.bit_length() // 8 + 1, "big")
    return b"\x02" + bytes([len(b)]) + b


class Key:
    def __init__(self, secret):
        self.d = secret % N
        self.point = mul(self.d)

    def public(self, compressed=True):
        x, y = self.point
        if compressed:
            return bytes([2 + (y & 1)]) + b32(x)
        return b"\x04" + b32(x) + b32(y)

    def x_only(self):
        return b32(self.point[0])

    def _nonce(self, digest):
        """RFC 6979."""
        v, k = b"\x01" * 32, bytes(32)
        seed = b32(self.d) + b32(num(digest) % N)
        for sep in (b"\0", b"\1"):
            k = hmac.digest(k, v + sep + seed, "sha256")
            v = hmac.digest(k, v, "sha256")
        v = hmac.digest(k, v, "sha256")
        return num(v)

    def ecdsa(self, digest, low_s=True):
        k = self._nonce(digest)
        r = mul(k)[0] % N
        s = pow(k, -1, N) * (num(digest) + r * self.d) % N
        if (s > N // 2) == low_s:
            s = N - s
        body = der_int(r) + der_int(s)
        return b"\x30" + bytes([len(body)]) + body

    def schnorr(self, digest):
        """BIP340, with auxiliary data of zeros."""
        d = self.d if self.point[1] % 2 == 0 else N - self.d
        t = b32(d ^ num(tagged("BIP0340/aux", bytes(32))))
        k = num(tagged("BIP0340/nonce", t + self.x_only() + digest)) % N
        r = mul(k)
        if r[1] & 1:
            k = N - k
        e = num(tagged("BIP0340/challenge",
                       b32(r[0]) + self.x_only() + digest)) % N
        return b32(r[0]) + b32((k + e * d) % N)

    def tweaked(self, root=b""):
        """The key of a Taproot output (BIP341)."""
        d = self.d if self.point[1] % 2 == 0 else N - self.d
        return Key(d + num(tagged("TapTweak", self.x_only() + root)))


def sighash_legacy(tx, n, code, kind=ALL):
    """Without the odd kinds: for ALL and ALL|ANYONE."""
    b = struct.pack("<I", tx.version)
    ins = [tx.ins[n]] if kind & ANYONE else tx.ins
    b += compact(len(ins))
    for i in ins:
        script = code if i is tx.ins[n] else b""
        b += i.txid + struct.pack("<I", i.n) + compact(len(script)) + script \
            + struct.pack("<I", i.sequence)
    b += compact(len(tx.outs)) + _outs(tx)
    return sha256d(b + struct.pack("<II", tx.lock_time, kind))


def _outs(tx):
    return b"".join(struct.pack("<q", o.value) + compact(len(o.script))
                    + o.script for o in tx.outs)


def _prevouts(tx):
    return b"".join(i.txid + struct.pack("<I", i.n) for i in tx.ins)


def _sequences(tx):
    return b"".join(struct.pack("<I", i.sequence) for i in tx.ins)


def sighash_v0(tx, n, code, value):
    """BIP143, ALL."""
    i = tx.ins[n]
    return sha256d(
        struct.pack("<I", tx.version) + sha256d(_prevouts(tx))
        + sha256d(_sequences(tx)) + i.txid + struct.pack("<I", i.n)
        + compact(len(code)) + code + struct.pack("<qI", value, i.sequence)
        + sha256d(_outs(tx)) + struct.pack("<II", tx.lock_time, ALL))


def sighash_taproot(tx, n, spent, leaf=None):
    """BIP341, default type; spent: all outputs; leaf: of a script path."""
    def h(b):
        return hashlib.sha256(b).digest()
    b = b"\0\0" + struct.pack("<II", tx.version, tx.lock_time)
    b += h(_prevouts(tx))
    b += h(b"".join(struct.pack("<q", o.value) for o in spent))
    b += h(b"".join(compact(len(o.script)) + o.script for o in spent))
    b += h(_sequences(tx)) + h(_outs(tx))
    b += bytes([2 if leaf else 0]) + struct.pack("<I", n)
    if leaf:
        b += leaf + b"\0" + struct.pack("<I", 0xffffffff)
    return tagged("TapSighash", b)


def tap_leaf(script, version=0xc0):
    return tagged("TapLeaf", bytes([version]) + compact(len(script)) + script)
