"""How long until a peer is back, for each way of being hurt.  Prints a table
(docs/tor.md has one); bounds only what would be a hang.  CLOISTER_ROUNDS sets
how often tor is killed: 200 for a soak."""

import os
import shutil
import signal
import statistics
import time

from harness.node import wait_until
from harness.regtest import mine

TOR = True
SLOW = True
ROUNDS = int(os.environ.get("CLOISTER_ROUNDS", "5"))


def pair(env):
    a = env.node("a").start()
    mine(a, 1)
    wait_until(lambda: a.rpc.gettorinfo()["self_check"] == "ok", 90,
               text="a is reachable")
    b = env.node("b", args=["-connect=" + a.onion()]).start()
    wait_until(lambda: handshaken(b), 90, text="b is connected")
    return a, b


def handshaken(node):
    try:
        return any(p["version"] for p in node.rpc.getpeerinfo())
    except OSError:
        return False


def back(a, b, since):
    """Seconds from `since` until a new block of a's is b's tip."""
    wait_until(lambda: answers(a), 60)
    mine(a, 1)
    b.wait_tip(a.tip(), timeout=240)
    return time.time() - since


def answers(node):
    try:
        node.rpc.getblockcount()
        return True
    except Exception:
        return False


def open_files(node):
    pids = [node.proc.pid] + list(node.children().values())
    return sum(len(os.listdir("/proc/%d/fd" % p)) for p in pids)


def show(cause, times):
    print("recovery: %s: median %.1f s, worst %.1f s of %d" % (
        cause, statistics.median(times), max(times), len(times)), flush=True)


def test_recovery_times(env):
    a, b = pair(env)
    rounds = []
    files = open_files(a)
    for _ in range(ROUNDS):
        os.kill(a.children()["tor"], signal.SIGKILL)
        rounds.append(back(a, b, time.time()))
    show("tor of the listening node killed", rounds)
    assert open_files(a) <= files + 4, (files, open_files(a))
    assert len(a.children()) == 2, a.children()

    rounds = []
    for _ in range(ROUNDS):
        os.kill(b.children()["tor"], signal.SIGKILL)
        rounds.append(back(a, b, time.time()))
    show("tor of the dialling node killed", rounds)

    rounds = []
    for _ in range(min(ROUNDS, 5)):
        tor = a.children()["tor"]
        os.kill(tor, signal.SIGSTOP)
        time.sleep(10)
        os.kill(tor, signal.SIGCONT)
        rounds.append(back(a, b, time.time()))
    show("tor frozen for 10 s, from its thaw", rounds)

    rounds = []
    for _ in range(min(ROUNDS, 5)):
        since = time.time()
        a.restart()
        rounds.append(back(a, b, since))
    show("listening node restarted", rounds)

    rounds = []
    for _ in range(min(ROUNDS, 5)):
        a.stop()
        shutil.rmtree(os.path.join(a.chaindir, "tor"))
        since = time.time()
        a.start()
        rounds.append(back(a, b, since))
    show("tor's state lost, from the start", rounds)
    a.stop()
    b.stop()
