"""The coins as they must be: a second account of the chain, kept in Python,
whose MuHash is compared with the node's."""

import hashlib
import struct

from .primitives import compact

GENESIS_TIME = 1296688602
PRIME = (1 << 3072) - 1103717
MASK = 0xffffffff
MAX_SCRIPT = 10000


def chacha20_block(key, counter):
    """One block of key stream; the nonce is zero."""
    start = list(struct.unpack("<4I", b"expand 32-byte k")) + \
        list(struct.unpack("<8I", key)) + [counter, 0, 0, 0]
    x = list(start)
    quarters = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))
    for _ in range(10):
        for i, j, k, m in quarters:
            a, b, c, d = x[i], x[j], x[k], x[m]
            a = a + b & MASK
            d ^= a
            d = (d << 16 | d >> 16) & MASK
            c = c + d & MASK
            b ^= c
            b = (b << 12 | b >> 20) & MASK
            a = a + b & MASK
            d ^= a
            d = (d << 8 | d >> 24) & MASK
            c = c + d & MASK
            b ^= c
            x[i], x[j], x[k], x[m] = a, (b << 7 | b >> 25) & MASK, c, d
    return struct.pack("<16I", *((a + b) & MASK for a, b in zip(x, start)))


def muhash_element(data):
    key = hashlib.sha256(data).digest()
    stream = b"".join(chacha20_block(key, i) for i in range(6))
    return int.from_bytes(stream, "little") % PRIME


def is_unspendable(script):
    return script[:1] == b"\x6a" or len(script) > MAX_SCRIPT


class Coin:
    def __init__(self, txid, n, out, height, coinbase):
        self.txid, self.n = txid, n
        self.value, self.script = out.value, out.script
        self.height, self.coinbase = height, coinbase
        self._element = None

    def element(self):
        if self._element is None:
            self._element = muhash_element(
                self.txid + struct.pack("<II", self.n,
                                        2 * self.height + self.coinbase)
                + struct.pack("<q", self.value) + compact(len(self.script))
                + self.script)
        return self._element


class Ledger:
    """Coins and blocks of one chain, from genesis on."""

    def __init__(self, genesis):
        self.hashes = [genesis]              # as people see them
        self.times = [GENESIS_TIME]
        self.coins = {}
        self.up, self.down = 1, 1
        self.undo = [None]

    def copy(self):
        other = Ledger(self.hashes[0])
        other.hashes, other.times = list(self.hashes), list(self.times)
        other.coins, other.undo = dict(self.coins), list(self.undo)
        other.up, other.down = self.up, self.down
        return other

    @property
    def tip(self):
        return self.hashes[-1]

    @property
    def height(self):
        return len(self.hashes) - 1

    def mtp(self, height=None):
        """Median time past at a height (the tip)."""
        end = (self.height if height is None else height) + 1
        last = sorted(self.times[max(0, end - 11):end])
        return last[len(last) // 2]

    def _add(self, key, coin):
        self.coins[key] = coin
        self.up = self.up * coin.element() % PRIME

    def _remove(self, key):
        coin = self.coins.pop(key)
        self.down = self.down * coin.element() % PRIME
        return coin

    def connect(self, block):
        spent, made = [], set()
        height = self.height + 1
        for i, tx in enumerate(block.txs):
            if i:
                for txin in tx.ins:
                    key = (txin.txid, txin.n)
                    spent.append((key, self._remove(key)))
            txid = tx.txid()
            for n, out in enumerate(tx.outs):
                if not is_unspendable(out.script):
                    self._add((txid, n), Coin(txid, n, out, height, i == 0))
                    made.add((txid, n))
        self.hashes.append(block.hash())
        self.times.append(block.time)
        self.undo.append((spent, made))

    def disconnect(self):
        spent, made = self.undo.pop()
        for key in made:
            if key in self.coins:
                self._remove(key)
        for key, coin in spent:
            if key not in made:      # else it lived inside the block only
                self._add(key, coin)
        self.hashes.pop()
        self.times.pop()

    def muhash(self):
        value = self.up * pow(self.down, -1, PRIME) % PRIME
        return hashlib.sha256(value.to_bytes(384, "little")).digest()[
            ::-1].hex()
