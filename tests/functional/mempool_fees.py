"""What a transaction should pay, learnt from those that were mined."""

import os

from harness.wallet import Wallet, pay, vsize
from rpc_calls import error_of

RATES = [40, 10, 2]          # sat/vB
A_BLOCK = 6


def live(n, blocks):
    """In each block what pays 40 at once, 10 in the next but one, 2 never."""
    coins = Wallet(n).fan(blocks * A_BLOCK)
    waiting = []
    for i in range(blocks):
        for k in range(A_BLOCK):
            coin = coins.pop()
            rate = RATES[k % 3]
            tx = pay(coin, rate * vsize(pay(coin, 1000)))
            n.rpc.sendrawtransaction(tx.hex())
            waiting.append((i, rate, tx))
        due = [t for t in waiting
               if t[1] == 40 or (t[1] == 10 and i - t[0] == 2)]
        waiting = [t for t in waiting if t not in due]
        n.rpc.generateblock("raw(51)", [t[2].hex() for t in due])


def near(got, want):
    assert abs(got * 1e5 - want) < want * 0.06, (got, want)


def test_estimates(env):
    n = env.offline().start()
    rpc = n.rpc
    none = rpc.estimatesmartfee(6)
    assert none["errors"] == ["Insufficient data or no feerate found"]
    assert "feerate" not in none and none["mempool_feerate"] > 0
    live(n, 40)
    near(rpc.estimatesmartfee(2)["feerate"], 40)
    near(rpc.estimatesmartfee(8)["feerate"], 10)
    # Over a long time too little was seen to say so little.
    near(rpc.estimatesmartfee(8, "conservative")["feerate"], 40)
    assert rpc.estimatesmartfee(1)["blocks"] == 2
    for args, code, words in [((0,), -8, "between 1 and 1008"),
                              ((1009,), -8, "between 1 and 1008"),
                              ((6, "wild"), -8, "estimate_mode"),
                              (("six",), -3, "number")]:
        e = error_of(rpc.estimatesmartfee, *args)
        assert e.code == code and words in e.message, (args, e)
    # Over a restart, and over a crash up to the last file.
    n.restart()
    near(n.rpc.estimatesmartfee(2)["feerate"], 40)
    n.stop()
    path = os.path.join(n.chaindir, "node", "fee_estimates.dat")
    with open(path, "r+b") as f:
        f.seek(1000)
        f.write(b"\x55")
    n.start()
    assert "errors" in n.rpc.estimatesmartfee(2)
    assert "fee_estimates.dat is not used: it is damaged" in n.log()
    n.stop()
    os.utime(path, (1, 1))
    n.start()
    assert "more than 60 hours old" in n.log()
    n.stop()
