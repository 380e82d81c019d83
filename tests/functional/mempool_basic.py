"""The mempool from outside: in, shown, mined, gone."""

from harness.primitives import rev
from harness.regtest import mine
from harness.wallet import Wallet, coins_of, pay, vsize
from rpc_calls import error_of


def test_sent_shown_mined(env):
    n = env.offline().start()
    rpc = n.rpc
    w = Wallet(n)
    info = rpc.getmempoolinfo()
    assert info["size"] == 0 and info["loaded"] is True
    assert info["maxmempool"] == 300000000
    assert info["permitbaremultisig"] is False
    coin = w.coin()
    tx = pay(coin, 1000, outputs=2)
    txid = rev(tx.txid())
    assert rpc.sendrawtransaction(tx.hex()) == txid
    # Again is no error.
    assert rpc.sendrawtransaction(tx.hex()) == txid
    assert rpc.getrawmempool() == [txid]
    assert rpc.getmempoolinfo()["size"] == 1
    e = rpc.getmempoolentry(txid)
    assert e["vsize"] == vsize(tx) == e["vsize_adjusted"]
    assert round(e["fees"]["base"] * 1e8) == 1000
    assert e["depends"] == [] and e["ancestorcount"] == 1
    child = pay(coins_of(tx)[0], 5000)
    cid = rev(child.txid())
    rpc.sendrawtransaction(child.hex())
    assert rpc.getmempoolentry(cid)["depends"] == [txid]
    assert rpc.getmempoolentry(txid)["spentby"] == [cid]
    assert rpc.getmempoolancestors(cid) == [txid]
    assert list(rpc.getmempooldescendants(txid, True)) == [cid]
    cluster = rpc.getmempoolcluster(txid)
    assert cluster["txcount"] == 2 and len(cluster["chunks"]) == 1
    assert cluster["chunks"][0]["txs"] == [txid, cid]
    assert rpc.getrawmempool(False, True) == {
        "txids": [txid, cid], "mempool_sequence": 3}
    assert rpc.gettxspendingprevout([coin.outpoint()])[0][
        "spendingtxid"] == txid
    assert rpc.getrawtransaction(txid) == tx.hex()
    assert "blockhash" not in rpc.getrawtransaction(txid, 2)
    assert rpc.getrawtransaction(txid, 2)["fee"] > 0
    assert rpc.gettxout(txid, 0) is None            # the child has it
    assert rpc.gettxout(txid, 1)["confirmations"] == 0
    assert rpc.gettxout(txid, 1, False) is None
    h = mine(n, 1)[0]
    assert rpc.getblock(h)["tx"][1:] == [txid, cid]
    info = rpc.getmempoolinfo()
    assert info["size"] == 0 and info["bytes"] == 0
    assert rpc.gettxout(txid, 1)["confirmations"] == 1
    assert error_of(rpc.getmempoolentry, txid).code == -5
    e = error_of(rpc.sendrawtransaction, tx.hex())
    assert e.code == -27
