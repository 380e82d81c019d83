"""Chains for tests, made by the node's own generate calls."""

from .primitives import COIN, OP_TRUE, WSH_TRUE, Tx, TxIn, TxOut, rev

DESCRIPTOR = "raw(%s)" % WSH_TRUE.hex()


def coinbase_coin(node, height):
    """(txid on the wire, value) of the coinbase output at a height."""
    block = node.rpc.getblock(node.rpc.getblockhash(height), 2)
    tx = block["tx"][0]
    return rev(tx["txid"]), round(tx["vout"][0]["value"] * COIN)


def spend(txid, n, values, fee_from=None):
    """Spend one WSH_TRUE output into WSH_TRUE outputs of these values."""
    return Tx([TxIn(txid, n, witness=[OP_TRUE])],
              [TxOut(v, WSH_TRUE) for v in values])


def mine(node, n):
    return node.rpc.generatetodescriptor(n, DESCRIPTOR)


def mine_with_spends(node, blocks):
    """Mine so many blocks; once coinbases are mature, every block spends
    one into two outputs and one of these on."""
    start = node.height()
    first = min(blocks, max(0, 101 - start))
    if first:
        mine(node, first)
    previous = None
    for height in range(start + first + 1, start + blocks + 1):
        txid, value = coinbase_coin(node, height - 100)
        txs = [spend(txid, 0, [value // 2, value - value // 2])]
        if previous:
            txs.append(spend(previous[0], 1, [previous[1]]))
        node.rpc.generateblock(DESCRIPTOR, [t.hex() for t in txs])
        previous = (txs[0].txid(), value - value // 2)
    return node.height()
