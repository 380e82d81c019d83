"""cloister-cli, as a person and as scripts use it."""

import json
import os
import subprocess
import threading
import time

from harness.node import builddir
from harness.rpc import free_port

ADDRESS = "bcrt1qamhwamhwamhwamhwamhwamhwamhwamhwne2caj"


def check(r, status, out=None, err=()):
    assert r.returncode == status, (r.returncode, r.stdout, r.stderr)
    if out is not None:
        assert r.stdout == out, r.stdout
    for e in [err] if isinstance(err, str) else err:
        assert e in r.stderr, (e, r.stderr)
    if status == 0:
        assert r.stderr == "", r.stderr


def test_results_and_exit_status(env):
    node = env.offline()
    node.start()
    cli = node.cli
    check(cli("getblockcount"), 0, "0\n")
    check(cli("getbestblockhash"), 0, node.tip() + "\n")
    check(cli("gettxout", "00" * 32, "0"), 0, "")
    check(cli("echo", "1", "x"), 0, '[\n  "1",\n  "x"\n]\n')
    check(cli("echojson", "1", '{"a":[]}'), 0)
    check(cli("getblockhash", "9"), 8, "",
          ["error code: -8\nerror message:\nBlock height out of range\n"])
    check(cli("getblock", "00" * 32), 5, "", "Block not found")
    check(cli("nope"), 32601 % 256, "", "Method not found")
    check(cli("getblockhash", "nine"), 1, "", "Error parsing JSON: nine")
    check(cli("getblockhash"), 1, "", "getblockhash height")
    check(cli(), 1, "", "too few parameters")
    check(cli(options=["-nope"]), 1, "", '"nope"')
    check(cli("uptime", options=["-rpcwiat"]), 1, "", '"rpcwait"')
    check(cli("help", "getblock"), 0)
    r = cli("getblockchaininfo")
    assert json.loads(r.stdout)["chain"] == "regtest"
    assert '"difficulty": 4.656542373906925e-10,' in r.stdout, r.stdout
    node.stop()


def test_named_and_stdin(env):
    node = env.offline()
    node.start()
    node.rpc.generatetoaddress(2, ADDRESS)
    h = node.rpc.getblockhash(1)
    named = ["-named"]
    check(node.cli("getblockhash", "height=1", options=named), 0, h + "\n")
    r = node.cli("getblock", h, "verbosity=0", options=named)
    check(r, 0)
    assert len(r.stdout) > 200
    check(node.cli("getblock", "nope=1", options=named), 8, "",
          "Unknown named parameter nope")
    check(node.cli("getblock", options=["-stdin"], input=h + "\n0\n"), 0,
          r.stdout)
    check(node.cli("generatetodescriptor", "1", "raw(51)"), 0)
    check(node.cli("generateblock", ADDRESS, "[]"), 0)
    assert node.height() == 4
    node.stop()


def test_passwords(env):
    port = free_port()
    node = env.offline(args=["-rpcuser=me", "-rpcpassword=s3cret",
                             "-rpcbind=127.0.0.1", "-rpcport=%d" % port])
    # The harness speaks by cookie: it finds none here.
    node.start(wait=False)
    right = ["-rpcuser=me", "-rpcpassword=s3cret", "-rpcwait"]
    check(node.cli("getblockcount", options=right), 0, "0\n")
    # A port that is named is spoken to, though the unix socket is there.
    check(node.cli("getblockcount", options=right + ["-rpcport=%d" % port]),
          0, "0\n")
    check(node.cli("uptime", options=["-rpcuser=me", "-stdinrpcpass"],
                   input="s3cret\n"), 0)
    check(node.cli("uptime", options=["-rpcuser=me", "-rpcpassword=x"]), 1,
          "", "Authorization failed")
    check(node.cli("uptime"), 1, "", "Could not locate RPC credentials")
    # From the config file, which the client reads too.
    with open(os.path.join(node.datadir, "cloister.conf"), "w") as f:
        f.write("rpcuser=me\nrpcpassword=s3cret\ndebug=rpc\n")
    check(node.cli("uptime"), 0)
    check(node.cli("stop"), 0, "Cloister stopping\n")
    assert node.wait_exit() == 0
    assert "s3cret" not in node.log()
    node.proc = None


def test_waiting_for_the_node(env):
    node = env.offline()
    check(node.cli("uptime"), 1, "", ["credentials", "cloisterd"])
    start = time.time()
    check(node.cli("uptime", options=["-rpcwait", "-rpcwaittimeout=1"]), 1,
          "", "timeout on transient error")
    assert 1 <= time.time() - start < 10
    results = []
    t = threading.Thread(target=lambda: results.append(
        node.cli("getblockcount", options=["-rpcwait"])))
    t.start()
    node.start()
    t.join()
    check(results[0], 0, "0\n")
    node.stop()
    check(node.cli("uptime", options=["-rpcport=1", "-rpcuser=a",
                                      "-rpcpassword=b"]), 1, "",
          ["Could not connect to the server 127.0.0.1:1", "cloisterd"])


def test_speaks_to_this_machine_only(env):
    node = env.offline()
    node.start()
    for host in ("example.com", "192.0.2.1", "0.0.0.0", "[2001:db8::1]"):
        check(node.cli("uptime", options=["-rpcconnect=" + host]), 1, "",
              "loopback")
    # Proxies of the environment are not heeded.
    r = subprocess.run(
        [os.path.join(builddir(), "src", "cloister-cli"),
         "-datadir=" + node.datadir, "-regtest", "getblockcount"],
        env=dict(os.environ, http_proxy="http://127.0.0.1:9",
                 all_proxy="socks5://127.0.0.1:9"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        timeout=30)
    check(r, 0, "0\n")
    node.stop()


def test_getinfo(env):
    node = env.offline()
    node.start()
    node.rpc.generatetoaddress(3, ADDRESS)
    r = node.cli(options=["-getinfo"])
    check(r, 0)
    for line in ("Chain: regtest", "Blocks: 3", "Headers: 3",
                 "Verification progress: 100.0000%",
                 "Network: in 0, out 0, total 0", "Tor: not used"):
        assert line + "\n" in r.stdout, r.stdout
    node.stop()
