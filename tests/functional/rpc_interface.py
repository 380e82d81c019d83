"""JSON-RPC as tools speak it: listeners, passwords, batches, load."""

import base64
import json
import os
import shutil
import socket
import stat
import subprocess
import threading
import time

from harness.node import wait_until
from harness.rpc import Rpc, RpcError, free_port

ADDRESS = "bcrt1qamhwamhwamhwamhwamhwamhwamhwamhwne2caj"
# The password "secret" under the salt "pepper".
RPCAUTH = ("tool:pepper$"
           "804e6d854739162fdea0d455b3aafe67f40d2919406186a27be601596ac6d306")


def basic(user, password):
    pair = ("%s:%s" % (user, password)).encode()
    return "Basic " + base64.b64encode(pair).decode()


def body(method, *params, **more):
    return json.dumps(dict({"method": method, "params": list(params),
                            "id": 1}, **more))


def fails(node, code, method, *params, **named):
    try:
        got = node.rpc.call(method, *params, **named)
    except RpcError as e:
        assert e.code == code, (e.code, e.message)
        return e.message
    raise AssertionError("%s%r gave %r" % (method, params, got))


def test_both_listeners(env):
    port = free_port()
    node = env.offline(args=["-rpcbind=127.0.0.1", "-rpcport=%d" % port])
    node.start()
    tcp = Rpc(os.path.join(node.chaindir, ".cookie"), port=port)
    for rpc in (node.rpc, tcp):
        assert rpc.getblockcount() == 0
        assert rpc.post("", method="GET")[0] == 405
        assert rpc.post(body("uptime"), path="/rest/")[0] == 404
        for auth in ("", "Bearer x", basic("__cookie__", "wrong")):
            assert rpc.post(body("uptime"), auth=auth)[0] == 401, auth
        start = time.time()
        assert rpc.post(body("uptime"), auth=basic("a", "b"))[0] == 401
        assert time.time() - start >= 0.2
    node.stop()


def test_cookie_comes_and_goes(env):
    node = env.offline()
    node.start()
    path = os.path.join(node.chaindir, ".cookie")
    with open(path) as f:
        first = f.read()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    user, key = first.split(":")
    assert user == "__cookie__" and len(key) == 64, first
    node.stop()
    assert not os.path.exists(path)
    node.start()
    with open(path) as f:
        assert f.read() != first
    node.stop()


def test_passwords(env):
    node = env.offline(args=["-rpcauth=" + RPCAUTH])
    node.start()
    status, _ = node.rpc.post(body("uptime"), basic("tool", "secret"))
    assert status == 200
    for user, password in (("tool", "Secret"), ("tools", "secret"),
                           ("tool", ""), ("", "secret")):
        status, _ = node.rpc.post(body("uptime"), basic(user, password))
        assert status == 401, (user, password, status)
    node.stop()
    assert "secret" not in node.log()


def test_versions_and_notifications(env):
    node = env.offline()
    node.start()
    post = node.rpc.post
    status, raw = post(body("getblockcount"))
    assert (status, json.loads(raw)) == (
        200, {"result": 0, "error": None, "id": 1})
    assert json.loads(post(body("uptime", id="x"))[1])["id"] == "x"
    status, raw = post(body("getblockcount", jsonrpc="2.0"))
    assert (status, json.loads(raw)) == (
        200, {"jsonrpc": "2.0", "result": 0, "id": 1})
    status, raw = post(body("nope"))
    answer = json.loads(raw)
    assert (status, answer["error"]["code"]) == (404, -32601)
    assert answer["result"] is None
    status, raw = post(body("nope", jsonrpc="2.0"))
    answer = json.loads(raw)
    assert (status, answer["error"]["code"]) == (200, -32601)
    assert "result" not in answer
    assert post(body("getblockhash", 99))[0] == 500
    assert post(body("getblockhash", 99, jsonrpc="2.0"))[0] == 200
    status, raw = post("{not json")
    assert (status, json.loads(raw)["error"]["code"]) == (500, -32700)
    assert post(json.dumps({"jsonrpc": "2.0", "method": "uptime"})) == (
        204, b"")
    assert fails(node, -32601, "getwalletinfo") == "Method not found"
    assert fails(node, -8, "getblockhash", 99) == "Block height out of range"
    assert fails(node, -5, "getblock", "00" * 32) == "Block not found"
    assert node.rpc.getblockhash(height=0) == node.rpc.getblockhash(0)
    node.stop()


def test_batch_of_many(env):
    node = env.offline()
    node.start()
    node.rpc.generatetoaddress(20, ADDRESS)
    n = 3000
    batch = [{"method": "getblockhash", "params": [i % 22], "id": i}
             for i in range(n)]
    status, raw = node.rpc.post(json.dumps(batch))
    answers = json.loads(raw)
    assert status == 200 and len(answers) == n
    assert [a["id"] for a in answers] == list(range(n))
    for a in answers:
        if a["id"] % 22 == 21:
            assert a["error"]["code"] == -8, a
        else:
            assert len(a["result"]) == 64, a
    # Versions and errors side by side.
    status, raw = node.rpc.post(json.dumps([
        {"method": "getblockcount", "id": 1}, {"method": "nope", "id": 2},
        {"jsonrpc": "2.0", "method": "getblockcount", "id": 3}]))
    assert status == 200 and json.loads(raw)[2] == {
        "jsonrpc": "2.0", "result": 20, "id": 3}
    assert [(a["id"], (a.get("error") or {}).get("code"))
            for a in json.loads(raw)] == [(1, None), (2, -32601), (3, None)]
    node.stop()


def test_another_client(env):
    if not shutil.which("curl"):
        env.skip("no curl here")
    node = env.offline()
    node.start()
    cookie = os.path.join(node.chaindir, ".cookie")
    with open(cookie) as f:
        r = subprocess.run(
            ["curl", "-s", "--unix-socket",
             os.path.join(node.chaindir, "run", "rpc.sock"), "-u",
             f.read().strip(), "-d", '{"method":"getblockcount"}',
             "http://localhost/"], stdout=subprocess.PIPE, timeout=30)
    assert json.loads(r.stdout)["result"] == 0
    node.stop()


def test_load_while_the_chain_works(env):
    node = env.offline(args=["-rpcworkqueue=100"])
    node.start()
    done, wrong = [], []

    def ask():
        while not done:
            try:
                info = node.rpc.getblockchaininfo()
                # One answer shows one state.
                if node.rpc.getblockheader(
                        info["bestblockhash"])["height"] != info["blocks"]:
                    wrong.append(info)
            except Exception as e:
                wrong.append(e)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for t in threads:
        t.start()
    try:
        for _ in range(10):
            node.rpc.generatetoaddress(20, ADDRESS)
    finally:
        done.append(True)
        for t in threads:
            t.join()
    assert not wrong, wrong[:3]
    assert node.height() == 200
    node.stop()


def test_too_many_calls(env):
    node = env.offline(args=["-rpcworkqueue=2"])
    node.start()
    answers = []

    def wait():
        answers.append(node.rpc.post(body("waitfornewblock", 20000)))

    threads = [threading.Thread(target=wait) for _ in range(2)]
    for t in threads:
        t.start()
    status = wait_until(lambda: [s for s in [node.rpc.post(
        body("uptime"))] if s[0] == 503], text="the queue is full")
    assert status[0][1] == b"Work queue depth exceeded", status
    # Stopping ends the waits with an answer, and the node ends well.
    node.proc.terminate()
    assert node.wait_exit() == 0
    for t in threads:
        t.join()
    assert [json.loads(raw)["result"]["height"]
            for _, raw in answers] == [0, 0], answers
    node.proc = None


def test_rude_callers(env):
    node = env.offline()
    node.start()

    def raw(data):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.settimeout(20)
        s.connect(os.path.join(node.chaindir, "run", "rpc.sock"))
        s.sendall(data)
        return s

    head = ("POST / HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\n"
            % node.rpc.auth()).encode()
    # Leaves in the middle of a request, and before the answer.
    raw(head + b"Content-Length: 100\r\n\r\n{").close()
    raw(head + b"Content-Length: 37\r\n\r\n"
        b'{"method":"waitfornewblock","id":1}  ').close()
    # Announces more than is taken.
    s = raw(head + b"Content-Length: 40000000\r\n\r\n")
    assert b" 413 " in s.recv(100)
    s.close()
    # A header that does not end.
    s = raw(b"POST / HTTP/1.1\r\nX: " + b"a" * 20000)
    assert b" 400 " in s.recv(100)
    s.close()
    s = raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
    s.recv(100)
    s.close()
    for text in ("[" * 5000, '{"a":' * 5000, "[1," * 100000, "\0",
                 '{"method":"uptime","id":' + "[" * 500 + "]" * 500 + "}"):
        status, _ = node.rpc.post(text)
        assert status == 500, (text[:20], status)
    assert node.rpc.getblockcount() == 0
    node.rpc.generatetoaddress(1, ADDRESS)
    assert node.rpc.getblockcount() == 1
    node.stop()


def test_headers_as_the_oracle_says(env):
    path = env.vectors("chains", "mainnet-0-4312.blk00000.dat")
    with open(env.vectors("chains", "mainnet-0-4312.oracle.json")) as f:
        oracle = json.load(f)
    node = env.offline(chain="main", args=["-minimumchainwork=0"])
    node.start("-loadblock=" + path)
    node.wait_height(4312)
    for row in oracle["points"]:
        h = node.rpc.getblockheader(node.rpc.getblockhash(row["height"]))
        for key in ("hash", "chainwork", "mediantime"):
            assert h[key] == row[key], (row["height"], key, h[key])
    block = node.rpc.getblock(node.rpc.getblockhash(170), 3)
    spend = block["tx"][1]
    assert spend["fee"] == 0 and len(spend["vout"]) == 2
    prevout = spend["vin"][0]["prevout"]
    assert (prevout["height"], prevout["value"], prevout["generated"]) == (
        9, 50, True)
    assert prevout["scriptPubKey"]["type"] == "pubkey"
    tx = node.rpc.getrawtransaction(spend["txid"], 2, block["hash"])
    assert tx["hex"] == spend["hex"] and tx["in_active_chain"]
    assert node.rpc.gettxout(spend["txid"], 0)["value"] == 10
    node.stop()
