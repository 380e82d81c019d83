"""Coins that anybody can spend (P2WSH of OP_TRUE), and transactions that
spend them with a chosen fee."""

from .primitives import COIN, OP_TRUE, WSH_TRUE, Tx, TxIn, TxOut, rev
from .regtest import DESCRIPTOR, mine


class Coin:
    def __init__(self, txid, n, value):
        self.txid, self.n, self.value = txid, n, value

    def outpoint(self):
        return {"txid": rev(self.txid), "vout": self.n}


def coins_of(tx):
    """The coins a transaction makes, those of WSH_TRUE."""
    return [Coin(tx.txid(), n, o.value) for n, o in enumerate(tx.outs)
            if o.script == WSH_TRUE]


def pay(coins, fee, outputs=1, version=2, sequence=0xfffffffd, lock_time=0,
        extra=(), pad=0):
    """Spend all of coins into equal outputs, less fee.  extra: further
    outputs; pad: bytes of data in an OP_RETURN output."""
    coins = coins if isinstance(coins, list) else [coins]
    rest = sum(c.value for c in coins) - fee - sum(o.value for o in extra)
    outs = [TxOut(rest // outputs, WSH_TRUE) for _ in range(outputs)]
    if outs:
        outs[0].value += rest - rest // outputs * outputs
    outs += list(extra)
    if pad:
        data = b"\x6a" + (bytes([0x4d]) + pad.to_bytes(2, "little")
                          if pad > 255 else bytes([0x4c, pad])) + bytes(pad)
        outs.append(TxOut(0, data))
    ins = [TxIn(c.txid, c.n, sequence=sequence, witness=[OP_TRUE])
           for c in coins]
    return Tx(ins, outs, version=version, lock_time=lock_time)


class Wallet:
    """Mature coinbases of a node, one after the other."""

    def __init__(self, node, count=20):
        self.node, self.next = node, 1
        mine(node, 100 + count)

    def coin(self):
        block = self.node.rpc.getblock(self.node.rpc.getblockhash(self.next),
                                       2)
        self.next += 1
        tx = block["tx"][0]
        return Coin(rev(tx["txid"]), 0,
                    round(tx["vout"][0]["value"] * COIN))

    def fan(self, n, value=None):
        """n confirmed coins of equal value."""
        tx = pay(self.coin(), 10000, outputs=n)
        self.node.rpc.generateblock(DESCRIPTOR, [tx.hex()])
        return coins_of(tx)


def vsize(tx):
    """BIP141's."""
    return (3 * len(tx.raw(False)) + len(tx.raw()) + 3) // 4
