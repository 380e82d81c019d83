"""Tor and the node process hurt in several ways: both come back."""

import os
import shutil
import signal
import subprocess
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
    # Every check is shown; nobody but ourselves has come in.
    wait_until(lambda: set(health(n).values()) == {"good", "unknown"}, 10)
    assert health(n) == dict.fromkeys(
        ["control", "network", "bootstrap", "circuits", "descriptor",
         "onion"], "good") | {"inbound": "unknown"}
    assert 0 < info["time_to_ready_ms"] < 60000
    # Our own dial is no peer for long.
    wait_until(lambda: n.rpc.getconnectioncount() == 0, 20)
    n.stop()


def health(node):
    return {c["check"]: c["state"] for c in node.rpc.gettorinfo()["health"]}


def test_tor_killed_again_and_again(env):
    n = env.node().start()
    onion = proven(n)
    for i in range(3):
        os.kill(n.children()["tor"], signal.SIGKILL)
        wait_until(lambda: n.rpc.gettorinfo()["restarts"] > i, 60,
                   text="restart %d" % (i + 1))
        assert proven(n) == onion
    info = n.rpc.gettorinfo()
    checks = {c["check"]: c for c in info["health"]}
    # What was bad is good again, and it is told how long that took.
    assert checks["control"]["state"] == "good"
    assert checks["control"]["last_bad_ms"] > 0
    assert info["last_recovery_ms"] >= checks["control"]["last_bad_ms"]
    assert "tor is well again, after" in n.log()
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


# A tor that is told the time by the network, and does not get on.
SKEWED = """\
case $1 in --version) echo 'Tor version 0.4.9.11.'; exit 0;; esac
say() { printf '%s\\r\\n' "$1" >&3; }
while read -r line <&3; do
	case $line in
	SETCONF*)
		say '250 OK'
		say '650 STATUS_GENERAL WARN CLOCK_SKEW SKEW=-7265 \
MIN_SKEW=-7265 SOURCE=OR:192.0.2.7:443'
		say '650 STATUS_CLIENT WARN BOOTSTRAP PROGRESS=10 TAG=conn_done \
SUMMARY="Connected to a relay" WARNING="Clock skew -7265 in NETINFO" \
REASON=CLOCK_SKEW COUNT=1 RECOMMENDATION=warn';;
	*SHUTDOWN*) say '250 OK'; exit 0;;
	*) say '250 OK';;
	esac
done
"""


def test_wrong_clock_is_named(env):
    fake = os.path.join(env.dir, "skewed-tor")
    with open(fake, "w") as f:
        f.write("#!/bin/sh\n" + SKEWED)
    os.chmod(fake, 0o755)
    n = env.node(args=["-tor=" + fake]).start()
    wait_until(lambda: "clock_skew" in n.rpc.gettorinfo(), 20)
    info = n.rpc.gettorinfo()
    assert info["clock_skew"] == -7265
    assert "clock is slow by 2 hours" in info["last_problem"], info
    assert "192.0.2.7" not in str(info)
    assert info["phase"] == "bootstrapping"
    # The clock is put right: tor goes on by itself.
    real = subprocess.run(["which", "tor"], stdout=subprocess.PIPE,
                          text=True).stdout.strip()
    os.unlink(fake)
    os.symlink(real, fake)
    os.kill(n.children()["skewed-tor"], signal.SIGKILL)
    proven(n)
    assert "clock_skew" not in n.rpc.gettorinfo()
    n.stop()
