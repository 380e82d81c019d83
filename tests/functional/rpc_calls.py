"""RPC as tools meet it: HTTP codes, credentials, errors, batches; and
cloister-cli."""

import base64
import json
import subprocess
import threading
import time

from harness.node import Node, wait_until
from harness.primitives import Block, rev
from harness.regtest import (DESCRIPTOR, coinbase_coin, mine,
                             mine_with_spends, spend)
from harness.rpc import Rpc, RpcError


def error_of(call, *params, **named):
    try:
        call(*params, **named)
    except RpcError as e:
        return e
    raise AssertionError("no error")


def test_http(env):
    n = env.offline().start()
    rpc = n.rpc
    ok = json.dumps({"method": "getblockcount", "params": [], "id": 7})
    status, body = rpc.post(ok)
    assert status == 200 and json.loads(body) == {
        "result": 0, "error": None, "id": 7}
    # Credentials.
    status, _ = rpc.post(ok, auth="Basic " + base64.b64encode(
        b"__cookie__:wrong").decode())
    assert status == 401
    assert rpc.post(ok, auth="")[0] == 401
    assert rpc.post(ok, auth="Bearer x")[0] == 401
    # Methods and paths.
    assert rpc.post("", method="GET")[0] == 405
    assert rpc.post(ok, path="/nowhere")[0] == 404
    # Version 1.0: errors have HTTP codes of their own.
    unknown = json.dumps({"method": "nosuch", "id": 1})
    status, body = rpc.post(unknown)
    assert status == 404 and json.loads(body)["error"]["code"] == -32601
    status, body = rpc.post("{not json")
    assert status == 500 and json.loads(body)["error"]["code"] == -32700
    # Version 2.0: always 200, no null members; notifications get 204.
    status, body = rpc.post(json.dumps(
        {"jsonrpc": "2.0", "method": "nosuch", "id": 1}))
    assert status == 200
    assert json.loads(body)["error"]["code"] == -32601
    assert "result" not in json.loads(body)
    status, body = rpc.post(json.dumps(
        {"jsonrpc": "2.0", "method": "getblockcount"}))
    assert status == 204 and body == b""
    # A batch.
    status, body = rpc.post(json.dumps([
        {"method": "getblockcount", "id": 1}, {"method": "nosuch", "id": 2},
        {"jsonrpc": "2.0", "method": "uptime", "id": 3}]))
    answers = json.loads(body)
    assert status == 200 and [a["id"] for a in answers] == [1, 2, 3]
    assert answers[1]["error"]["code"] == -32601
    n.stop()


def test_tcp_and_fixed_credentials(env):
    Node.PLAIN_PORT += 1
    port = Node.PLAIN_PORT
    n = env.offline(args=["-rpcuser=alice", "-rpcpassword=s3cret"])
    n.args += ["-rpcport=%d" % port]
    n.command = lambda *extra: [a for a in Node.command(n, *extra)
                                if a != "-rpcbind=0"]
    n.start(wait=False)
    auth = "Basic " + base64.b64encode(b"alice:s3cret").decode()
    tcp = Rpc("/nonexistent", port=port)
    body = json.dumps({"method": "uptime", "id": 1})

    def up():
        try:
            return tcp.post(body, auth=auth)[0] == 200
        except OSError:
            return False
    wait_until(up, 30)
    assert tcp.post(body, auth="Basic " + base64.b64encode(
        b"alice:wrong").decode())[0] == 401
    r = n.cli("getblockcount", options=["-rpcport=%d" % port,
                                        "-rpcuser=alice",
                                        "-rpcpassword=s3cret"])
    assert r.returncode == 0 and r.stdout == "0\n", r
    r = n.cli("stop", options=["-rpcport=%d" % port, "-rpcuser=alice",
                               "-rpcpassword=s3cret"])
    assert r.returncode == 0, r
    assert n.wait_exit() == 0
    assert "s3cret" not in n.log()
    n.proc = None


def test_chain_calls(env):
    n = env.offline().start()
    rpc = n.rpc
    mine_with_spends(n, 110)
    info = rpc.getblockchaininfo()
    assert info["chain"] == "regtest" and info["blocks"] == 110
    assert info["bestblockhash"] == rpc.getbestblockhash()
    assert info["size_on_disk"] > 10000
    h = rpc.getblockhash(105)
    head = rpc.getblockheader(h)
    assert head["height"] == 105 and head["confirmations"] == 6
    assert head["nextblockhash"] == rpc.getblockhash(106)
    raw = rpc.getblockheader(h, False)
    assert len(raw) == 160
    block = rpc.getblock(h, 2)
    assert rpc.getblock(h, 0).startswith(raw)
    assert rpc.getblock(h)["tx"] == [t["txid"] for t in block["tx"]]
    assert "fee" in block["tx"][1]
    # A transaction, by its block.
    txid = block["tx"][1]["txid"]
    tx = rpc.getrawtransaction(txid, True, h)
    assert tx["blockhash"] == h and tx["in_active_chain"]
    raw_tx = rpc.getrawtransaction(txid, False, h)
    assert rpc.decoderawtransaction(raw_tx)["txid"] == txid
    e = error_of(rpc.getrawtransaction, txid, True, rpc.getblockhash(1))
    assert e.code == -5
    # Coins.
    coin = rpc.gettxout(rpc.getblock(rpc.getblockhash(109))["tx"][0], 0)
    assert coin["coinbase"] and coin["confirmations"] == 2
    assert coin["scriptPubKey"]["type"] == "witness_v0_scripthash"
    spent = rpc.getblock(rpc.getblockhash(2))["tx"][0]
    assert rpc.gettxout(spent, 0) is None
    stats = rpc.gettxoutsetinfo("none")
    assert "muhash" not in stats and stats["txouts"] > 100
    # Errors in the usual words.
    assert error_of(rpc.getblockhash, 1000).code == -8
    e = error_of(rpc.getblock, "00" * 32)
    assert e.code == -5 and e.message == "Block not found"
    assert error_of(rpc.getblock, "xyz").code == -8
    assert error_of(rpc.getblockhash).code == -1
    assert error_of(rpc.getblockhash, "one").code == -3
    assert error_of(rpc.nosuchcall).code == -32601
    n.stop()


def test_mining_and_submitting(env):
    n = env.offline().start()
    rpc = n.rpc
    mine(n, 101)
    # generatetoaddress pays to an address of this chain.
    addr = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
    h = rpc.generatetoaddress(1, addr)[0]
    out = rpc.getblock(h, 2)["tx"][0]["vout"][0]
    assert out["scriptPubKey"]["address"] == addr
    assert error_of(rpc.generatetoaddress, 1, "nonsense").code == -5
    # A block with a transaction of ours.
    txid, value = coinbase_coin(n, 1)
    tx = spend(txid, 0, [value - 1000])
    got = rpc.generateblock(DESCRIPTOR, [tx.hex()])
    assert rev(tx.txid()) in rpc.getblock(got["hash"])["tx"]
    # The same coin again is refused, in the usual words.
    again = spend(txid, 0, [value - 2000])
    e = error_of(rpc.generateblock, DESCRIPTOR, [again.hex()])
    assert "bad-txns-inputs-missingorspent" in e.message, e.message
    tip = n.tip()

    def block(**kw):
        when = rpc.getblockheader(n.tip())["time"] + 1
        return Block(n.tip(), n.height() + 1, when=when, **kw)

    # submitblock: null for a good one, the reason for others.
    good = block().solve()
    assert rpc.submitblock(good.hex()) is None
    assert n.tip() == good.hash()
    assert rpc.submitblock(good.hex()) == "duplicate"
    bad = block()
    bad.txs[0].outs[0].value += 1
    bad.solve()
    assert rpc.submitblock(bad.hex()) == "bad-cb-amount"
    assert rpc.submitblock(bad.hex()) == "duplicate-invalid"
    weak = block().solve(valid=False)
    assert rpc.submitblock(weak.hex()) == "high-hash"
    root = block()
    root.root = b"\x55" * 32
    root.solve()
    assert rpc.submitblock(root.hex()) == "bad-txnmrklroot"
    old = block()
    old.version = 1
    old.solve()
    assert rpc.submitblock(old.hex()) == "bad-version(0x00000001)"
    late = block()
    late.time = int(time.time()) + 3 * 3600
    late.solve()
    assert rpc.submitblock(late.hex()) == "time-too-new"
    early = block()
    early.time = 1296688602
    early.solve()
    assert rpc.submitblock(early.hex()) == "time-too-old"
    assert error_of(rpc.submitblock, "zz").code == -22
    assert n.tip() == good.hash() and tip
    n.stop()


def test_invalidate_and_reconsider(env):
    n = env.offline().start()
    rpc = n.rpc
    mine_with_spends(n, 130)
    tip, muhash = n.tip(), n.muhash()
    at = rpc.getblockhash(121)
    rpc.invalidateblock(at)
    assert n.height() == 120
    states = {t["height"]: t["status"] for t in rpc.getchaintips()}
    assert states == {120: "active", 130: "invalid"}, states
    n.restart()
    assert n.height() == 120
    rpc.generatetodescriptor(3, "raw(52)")
    assert n.height() == 123
    rpc.reconsiderblock(at)
    wait_until(lambda: n.tip() == tip, 20)
    assert n.muhash() == muhash
    assert error_of(rpc.invalidateblock, "00" * 32).code == -5
    n.stop()


def test_regtest_calls_are_refused_elsewhere(env):
    n = env.offline(chain="main").start()
    for call in ("invalidateblock", "reconsiderblock", "generateblock",
                 "generatetoaddress", "setmocktime"):
        e = error_of(getattr(n.rpc, call), *{
            "generateblock": ["raw(51)", []],
            "generatetoaddress": [1, "x"],
            "setmocktime": [1]}.get(call, ["00" * 32]))
        assert e.code != -32601, (call, e)
    assert n.height() == 0
    n.stop()


def test_help(env):
    n = env.offline().start()
    text = n.rpc.help()
    for call in ("getblockchaininfo", "gettorinfo", "stop", "submitblock"):
        assert call in text
    assert "height" in n.rpc.help("getblockhash")
    n.stop()


def test_cli(env):
    n = env.offline().start()
    mine_with_spends(n, 105)
    r = n.cli("getblockcount")
    assert (r.returncode, r.stdout, r.stderr) == (0, "105\n", ""), r
    r = n.cli("getbestblockhash")
    assert r.stdout.strip() == n.tip()
    assert json.loads(n.cli("getblock", n.tip(), "2").stdout)["height"] == 105
    assert n.cli("-named", "getblockhash", "height=7").stdout.strip() == \
        n.rpc.getblockhash(7)
    assert n.cli("-stdin", "getblockhash", input="9\n").stdout.strip() == \
        n.rpc.getblockhash(9)
    # The exit status is the error's code.
    r = n.cli("getblockhash", "5000")
    assert r.returncode == 8 and "out of range" in r.stderr, r
    assert n.cli("nosuchcall").returncode == (-32601 & 0xff) or \
        n.cli("nosuchcall").returncode != 0
    r = n.cli("getblockhash", "five")
    assert r.returncode != 0 and r.stderr
    # -getinfo.
    r = n.cli("-getinfo")
    assert r.returncode == 0 and "105" in r.stdout, r
    # Unknown options name the nearest.
    r = n.cli("-rpcwiat", "uptime")
    assert r.returncode != 0 and "rpcwait" in r.stderr, r
    r = n.cli("-rpcconnect=8.8.8.8", "uptime")
    assert r.returncode != 0 and "loopback" in r.stderr, r
    n.stop()
    # Nobody there.
    r = n.cli("getblockcount")
    assert r.returncode == 1 and "cloisterd" in r.stderr, r
    # -rpcwait waits for the start.
    out = []
    t = threading.Thread(target=lambda: out.append(
        n.cli("-rpcwait", "getblockcount")))
    t.start()
    time.sleep(0.5)
    n.start()
    t.join()
    assert out[0].stdout == "105\n", out
    n.stop()
    r = n.cli("-rpcwait", "-rpcwaittimeout=1", "uptime")
    assert r.returncode == 1, r


def test_the_amounts_have_eight_decimals(env):
    n = env.offline().start()
    mine(n, 1)
    _, raw = n.rpc.post(json.dumps({
        "method": "getblock", "params": [n.tip(), 2], "id": 1}))
    assert b'"value":50.00000000' in raw.replace(b" ", b""), raw[:2000]
    n.stop()


def test_curl_as_documented(env):
    n = env.offline().start()
    with open(n.rpc._cookie) as f:
        cookie = f.read().strip()
    if subprocess.run(["which", "curl"],
                      stdout=subprocess.DEVNULL).returncode:
        env.skip("no curl here")
    r = subprocess.run(["curl", "-s", "--unix-socket", n.rpc._path, "-u",
                        cookie, "-d", '{"method":"getblockcount"}',
                        "http://localhost/"], stdout=subprocess.PIPE)
    assert json.loads(r.stdout)["result"] == 0
    n.stop()
