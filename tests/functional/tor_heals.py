"""Tor and the node process hurt in several ways: both come back."""

import os
import shutil
import signal
import time

from harness.node import wait_until
from harness.regtest import mine

TOR = True


def proven(node, timeout=90):
    wait_until(lambda: node.rpc.gettorinfo()["self_check"] == "ok", timeout,
               text="%s's onion answers its own dial" % node.name)
    return node.onion()


def test_address_is_proven_by_dialling_it(env):
    n = env.node().start()
    proven(n)
    info = n.rpc.gettorinfo()
    assert info["self_check_ms"] < 30000
    assert abs(info["self_check_time"] - time.time()) < 60
    # Our own dial is no peer for long.
    wait_until(lambda: n.rpc.getconnectioncount() == 0, 20)
    n.stop()


def test_tor_killed_again_and_again(env):
    n = env.node().start()
    onion = proven(n)
    for i in range(3):
        os.kill(n.children()["tor"], signal.SIGKILL)
        wait_until(lambda: n.rpc.gettorinfo()["restarts"] > i, 60,
                   text="restart %d" % (i + 1))
        assert proven(n) == onion
    kids = n.children()
    assert sorted(kids) == sorted(set(kids)) and len(kids) == 2, kids
    n.stop()


def test_corrupt_tor_state(env):
    n = env.node().start()
    onion = proven(n)
    n.stop()
    tor = os.path.join(n.chaindir, "tor")
    for name in os.listdir(tor):
        path = os.path.join(tor, name)
        if os.path.isfile(path) and name != "torrc":
            with open(path, "wb") as f:
                f.write(os.urandom(5000))
    n.start()
    assert proven(n, 120) == onion
    n.stop()
    shutil.rmtree(tor)
    n.start()
    assert proven(n, 120) == onion
    n.stop()


def crash(node):
    """Kill the node process (not the warden) as a bug would."""
    comm = [k for k in node.children() if k != "tor"]
    os.kill(node.children()[comm[0]], signal.SIGABRT)


def test_crashed_node_is_started_again_once(env):
    n = env.node().start()
    onion = proven(n)
    mine(n, 5)
    n.restart()
    proven(n)
    tor = n.children()["tor"]
    before = n.log().count("[node] started")
    crash(n)
    wait_until(lambda: n.log().count("[node] started") > before, 60,
               text="the node is started again")
    n.wait_rpc()
    # tor was left as it was; the address answers again.
    assert n.children()["tor"] == tor
    assert proven(n) == onion
    assert n.height() == 5
    assert "please report" in n.log()
    # The second crash is one too many: loud, and everything ends.
    crash(n)
    assert n.wait_exit(30) == 1
    assert "Error: the node process died" in n.stderr()
    wait_until(lambda: not os.path.exists("/proc/%d" % tor), 10,
               text="tor ends too")
    n.proc = None


def test_no_respawn_where_it_is_not_wanted(env):
    n = env.offline(args=["-respawn=0"]).start()
    crash(n)
    assert n.wait_exit(30) == 1
    n.proc = None


def test_frozen_tor_comes_back(env):
    n = env.node().start()
    proven(n)
    tor = n.children()["tor"]
    os.kill(tor, signal.SIGSTOP)
    time.sleep(3)
    os.kill(tor, signal.SIGCONT)
    m = env.node("m", args=["-connect=" + n.onion()]).start()
    mine(n, 2)
    m.wait_tip(n.tip())
    m.stop()
    n.stop()
