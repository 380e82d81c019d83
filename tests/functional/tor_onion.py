"""Nodes and their own Tor, on the shared private network: publishing,
dialling, restarting, healing; and what happens without a tor."""

import os
import re
import signal
import stat
import subprocess
import sys

from harness.node import wait_until
from harness.regtest import mine, mine_with_spends
from harness.sockets import tcp_listeners

TOR = True


def published(node, timeout=90):
    wait_until(lambda: node.rpc.gettorinfo()["descriptor"] == "reachable",
               timeout, text="%s's descriptor uploaded" % node.name)
    return node.onion()


def tor_pid(node):
    return node.children()["tor"]


def test_sync_through_onions(env):
    a = env.node("a").start()
    mine_with_spends(a, 150)
    onion = published(a)
    assert re.fullmatch(r"[a-z2-7]{56}\.onion", onion), onion
    # Nothing of tor listens on TCP.
    assert tcp_listeners(tor_pid(a)) == []
    # B knows A alone.
    b = env.node("b", args=["-connect=" + onion]).start()
    b.wait_tip(a.tip())
    assert b.muhash() == a.muhash()
    peers = b.rpc.getpeerinfo()
    assert [p["addr"].split(":")[0] for p in peers] == [onion]
    assert peers[0]["network"] == "onion"
    # A sees a circuit, nothing more.
    inbound = a.rpc.getpeerinfo()
    assert len(inbound) == 1 and inbound[0]["inbound"]
    assert inbound[0]["addr"].startswith("circuit-")
    # New blocks travel by themselves, in both directions.
    mine(a, 3)
    b.wait_tip(a.tip())
    mine(b, 2)
    a.wait_tip(b.tip())
    # B does not listen, so it has published nothing.
    assert b.rpc.gettorinfo()["onion"] == ""
    wait_until(lambda: a.rpc.gettorinfo()["circuits"] >= 1, 10,
               text="the circuit is counted")

    # The address is the same after a restart, and B comes back by itself.
    keys = os.path.join(a.chaindir, "keys")
    assert stat.S_IMODE(os.stat(keys).st_mode) == 0o700
    for f in os.listdir(keys):
        assert stat.S_IMODE(os.stat(os.path.join(keys, f)).st_mode) == 0o600
    a.restart()
    assert published(a) == onion
    wait_until(lambda: b.rpc.getconnectioncount() == 1, 90,
               text="B connects again")
    mine(a, 1)
    b.wait_tip(a.tip())

    # tor killed: it is started again, the address stays, peers come back.
    before = tor_pid(a)
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: a.rpc.gettorinfo()["restarts"] >= 1, 30,
               text="tor restarted")
    assert published(a) == onion
    assert tor_pid(a) != before
    assert a.rpc.gettorinfo()["last_problem"]
    wait_until(lambda: b.rpc.getconnectioncount() == 1, 120,
               text="B connects again after tor's death")
    mine(a, 1)
    b.wait_tip(a.tip())
    a.stop()
    b.stop()
    assert a.stderr() == "" and b.stderr() == ""


def test_everything_ends_with_the_warden(env):
    n = env.node().start()
    published(n)
    kids = n.children()
    assert "tor" in kids
    n.kill()
    wait_until(lambda: not any(os.path.exists("/proc/%d" % p)
                               for p in kids.values()), 5,
               text="tor and node end with a killed warden")


def test_without_a_tor(env):
    fake = os.path.join(env.dir, "no-such-tor")
    n = env.node(args=["-tor=" + fake]).start()
    mine(n, 1)
    wait_until(lambda: n.rpc.gettorinfo()["phase"] == "down", 20)
    info = n.rpc.gettorinfo()
    assert "no-such-tor" in info["last_problem"], info
    assert "no-such-tor" in n.log()
    # The cause is removed; the node carries on by itself.
    real = subprocess.run(["which", "tor"], stdout=subprocess.PIPE,
                          text=True).stdout.strip()
    os.symlink(real, fake)
    published(n, 120)
    n.stop()


def script(env, name, text):
    path = os.path.join(env.dir, name)
    with open(path, "w") as f:
        f.write("#!/bin/sh\n" + text)
    os.chmod(path, 0o755)
    return path


def problem(env, name, tor, *words):
    n = env.node(name, args=["-tor=" + tor]).start()
    wait_until(lambda: n.rpc.gettorinfo()["phase"] == "down", 30,
               text="phase down")
    text = n.rpc.gettorinfo()["last_problem"]
    for w in words:
        assert w in text, (w, text)
    assert n.height() == 0
    n.stop()


def test_bad_tors(env):
    old = script(env, "oldtor", 'echo "Tor version 0.4.7.1."\n')
    problem(env, "old", old, "0.4.7.1", "0.4.9.11")
    dying = script(env, "dyingtor",
                   'case "$*" in *--version*) echo "Tor version 0.4.9.11.";;'
                   ' *) echo "my last words"; exit 7;; esac\n')
    problem(env, "dying", dying, "my last words")
    plain = os.path.join(env.dir, "plainfile")
    with open(plain, "w") as f:
        f.write("no program\n")
    problem(env, "plain", plain, "plainfile")
    problem(env, "dir", env.dir, env.dir)


def test_config_that_tor_refuses(env):
    extra = os.path.join(env.dir, "extra.torrc")
    with open(extra, "w") as f:
        f.write("ThisIsNoTorOption 1\n")
    n = env.node("refused")
    n.args = ["-torrc=" + extra]
    n.start()
    wait_until(lambda: n.rpc.gettorinfo()["phase"] == "down", 30)
    assert "ThisIsNoTorOption" in n.rpc.gettorinfo()["last_problem"]
    n.stop()


def test_lost_key_is_not_replaced_silently(env):
    n = env.node().start()
    onion = published(n)
    n.stop()
    keys = os.path.join(n.chaindir, "keys")
    for f in os.listdir(keys):
        if f.endswith(".key"):
            os.rename(os.path.join(keys, f), os.path.join(env.dir, f))
    n.start()
    wait_until(lambda: n.rpc.gettorinfo()["descriptor"] == "failed", 60,
               text="the door says it failed")
    assert onion.split(".")[0] in n.log()
    n.stop()
    for f in os.listdir(env.dir):
        if f.endswith(".key"):
            os.rename(os.path.join(env.dir, f), os.path.join(keys, f))
    n.start()
    assert published(n) == onion
    n.stop()


def test_no_tor_where_none_is_needed(env):
    n = env.offline().start()
    assert "tor" not in n.children()
    assert not os.path.exists(os.path.join(n.chaindir, "tor"))
    assert n.rpc.gettorinfo()["phase"] == "off"
    n.stop()


def test_demonstration(env):
    path = env.vectors("chains", "mainnet-0-4312.blk00000.dat")
    r = subprocess.run(
        [sys.executable, os.path.join(env.srcdir, "tests", "functional",
                                      "demo.py"), path],
        env=dict(os.environ, CLOISTER_BUILD=env.builddir,
                 CLOISTER_DEMO_EXIT="1", CLOISTER_DEMO_PORT="15300"),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=300)
    assert r.returncode == 0, r.stdout
    muhash = "8ddda2747fb03d2bf57e08a23d4cab90f9e062c28bf5822760edc5238128" \
             "a7e5"
    assert r.stdout.count(muhash) == 2, r.stdout
    assert r.stdout.count("height 4312") >= 2
    shown = r.stdout.split("Open sockets")[1]
    assert re.search(r"B's node process: \d+ unix$", shown, re.M), shown
    assert "tcp" not in shown and "udp" not in shown, shown
