"""How long until a peer is back, for each way of being hurt, mixed at random.
Prints a table (docs/tor.md has one); asserts that nothing is leaked and that
no round is a hang.  CLOISTER_ROUNDS sets how many rounds, CLOISTER_SEED their
order: 200 for a soak."""

import os
import pwd
import random
import shutil
import signal
import statistics
import subprocess
import time

from harness.netns import can_cut, cut, mend
from harness.node import wait_until
from harness.regtest import mine

TOR = True
SLOW = True
TIMEOUT = 7200
ROUNDS = int(os.environ.get("CLOISTER_ROUNDS", "24"))
SEED = int(os.environ.get("CLOISTER_SEED", "1"))
HANG = 120      # seconds; what is asked for is 10
USER = "nobody"

STATE = ("state", "cached-microdesc-consensus", "cached-microdescs.new",
         "cached-microdescs", "cached-certs")


# ---- two nodes, one of which may have a user of its own ----

def pair(env):
    """a listens, b dials it.  a's tor can be cut off where we may change
    routes: it then is another user's."""
    a = env.node("a", args=["-debug=net", "-debug=tor"])
    if can_cut():
        torrc = os.path.join(env.dir, "torrc")
        shutil.copy(env.torrc, torrc)
        os.chmod(torrc, 0o644)
        os.chmod(env.dir, 0o755)
        os.makedirs(a.datadir, mode=0o700)
        user = pwd.getpwnam(USER)
        os.chown(a.datadir, user.pw_uid, user.pw_gid)
        a.args = [x for x in a.args if not x.startswith("-torrc=")]
        a.args += ["-torrc=" + torrc, "-user=" + USER]
    a.start()
    mine(a, 1)
    wait_until(lambda: a.rpc.gettorinfo()["self_check"] == "ok", 90,
               text="a is reachable")
    b = env.node("b", args=["-connect=" + a.onion(), "-debug=net",
                           "-debug=tor"]).start()
    wait_until(lambda: handshaken(b), 90, text="b is connected")
    return a, b


def answers(node):
    try:
        node.rpc.getblockcount()
        return True
    except Exception:
        return False


def handshaken(node):
    try:
        return any(p["version"] for p in node.rpc.getpeerinfo())
    except Exception:
        return False


def back(a, b, since):
    """Seconds from `since` until a new block of a's is b's tip."""
    wait_until(lambda: answers(a), 60)
    mine(a, 1)
    b.wait_tip(a.tip(), timeout=HANG)
    return time.time() - since


def tor_of(node):
    return wait_until(lambda: node.children().get("tor"), 30,
                      text="%s has a tor" % node.name)


def everybody(node):
    """Its three processes, and the helper that starts programs."""
    out, todo = [], [node.proc.pid]
    while todo:
        pid = todo.pop()
        out.append(pid)
        try:
            with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
                todo += [int(p) for p in f.read().split()]
        except OSError:
            pass
    return out


# ---- causes: each returns when it has ended ----

def kill(node):
    os.kill(tor_of(node), signal.SIGKILL)


def kill_in_a_loop(node):
    for _ in range(5):
        kill(node)
        time.sleep(0.7)


def freeze(pids, seconds):
    for p in pids:
        os.kill(p, signal.SIGSTOP)
    time.sleep(seconds)
    for p in pids:
        os.kill(p, signal.SIGCONT)


def offline(seconds):
    uid = pwd.getpwnam(USER).pw_uid
    cut(uid)
    time.sleep(seconds)
    mend(uid)


def spoil(node, how):
    """What tor remembers is garbage, or cut short, and tor dies."""
    for name in STATE:
        path = os.path.join(node.chaindir, "tor", name)
        if os.path.exists(path):
            how(path)
    kill(node)


def garbage(path):
    with open(path, "r+b") as f:
        f.write(os.urandom(3000))


def cut_short(path):
    os.truncate(path, os.path.getsize(path) // 3)


def causes(a, b):
    out = [
        ("tor of the listening node killed", lambda: kill(a)),
        ("tor of the dialling node killed", lambda: kill(b)),
        ("tor killed five times in a row, listening node",
         lambda: kill_in_a_loop(a)),
        ("tor killed five times in a row, dialling node",
         lambda: kill_in_a_loop(b)),
        ("tor frozen for 6 s, listening node",
         lambda: freeze([tor_of(a)], 6)),
        ("tor frozen for 6 s, dialling node",
         lambda: freeze([tor_of(b)], 6)),
        ("all processes suspended for 8 s",
         lambda: freeze(everybody(a), 8)),
        ("tor's state garbage", lambda: spoil(a, garbage)),
        ("tor's state cut short", lambda: spoil(a, cut_short)),
        ("listening node restarted", a.restart),
        ("dialling node restarted", b.restart),
    ]
    if can_cut():
        out.append(("network lost for 5 s", lambda: offline(5)))
        out.append(("network lost for 20 s", lambda: offline(20)))
    return out


# ---- leaks ----

def open_files(node):
    """{what: descriptors} of warden, spawner, node, tor."""
    out = {}
    for pid in everybody(node):
        try:
            with open("/proc/%d/comm" % pid) as f:
                name = f.read().strip()
            n = len(os.listdir("/proc/%d/fd" % pid))
        except OSError:
            continue
        name = "tor" if name == "tor" else "ours"
        out[name] = out.get(name, 0) + n
    return out


def files(node):
    """What Tor and peers are the cause of."""
    out = set()
    for below in ("tor", "run", "keys", "node"):
        for base, _, names in os.walk(os.path.join(node.chaindir, below)):
            out |= {os.path.join(base, n) for n in names}
    return out


def count(node):
    return {"fds": open_files(node), "processes": len(everybody(node)),
            "files": files(node), "peers": len(node.rpc.getpeerinfo())}


def check_leaks(node, before):
    """Some come and go (circuits, tables of LevelDB, files written once): a
    few are allowed.  One in ten rounds is more than that."""
    def calm():
        now = count(node)
        return (now["processes"] == before["processes"] and
                now["peers"] <= before["peers"] and
                now["fds"]["ours"] <= before["fds"]["ours"] + 8 and
                now["fds"].get("tor", 0) <= before["fds"]["tor"] + 8 and
                len(now["files"] - before["files"]) <= 8)
    try:
        wait_until(calm, 40)
    except AssertionError:
        now = count(node)
        raise AssertionError("%s leaks: %s, was %s; new files %s" % (
            node.name, {k: now[k] for k in ("fds", "processes", "peers")},
            {k: before[k] for k in ("fds", "processes", "peers")},
            sorted(now["files"] - before["files"])))


def show(cause, times):
    times = sorted(times)
    print("recovery | %s | %d | %.1f | %.1f | %.1f |" % (
        cause, len(times), statistics.median(times),
        times[int(0.9 * (len(times) - 1) + 0.5)], times[-1]), flush=True)


def test_recovery_times(env):
    a, b = pair(env)
    todo = causes(a, b)
    times = {name: [] for name, _ in todo}
    rng = random.Random(SEED)
    before = {}
    for i in range(ROUNDS):
        # Every cause as often as any other, in an order by chance.
        if i % len(todo) == 0:
            rng.shuffle(todo)
        name, hurt = todo[i % len(todo)]
        hurt()
        took = back(a, b, time.time())
        times[name].append(took)
        print("round %d: %s: %.1f s" % (i, name, took), flush=True)
        # A connection is of use for a while, as others are.
        time.sleep(2)
        if i == 4:
            before = {n.name: count(n) for n in (a, b)}
        if i > 4 and i % 10 == 9:
            for n in (a, b):
                check_leaks(n, before[n.name])
    print("recovery | cause | rounds | median s | 90 % | worst |")
    for name in sorted(times):
        if times[name]:
            show(name, times[name])
    show("all", [t for ts in times.values() for t in ts])
    for n in (a, b):
        assert "health" in n.rpc.gettorinfo()
        n.stop()
        assert n.stderr() == "", n.stderr()


def checks(node):
    return {c["check"]: c for c in node.rpc.gettorinfo()["health"]}


def test_tor_that_answers_no_more(env):
    """Nothing thaws it: that it does not answer is noticed, and mended."""
    a, b = pair(env)
    stuck = tor_of(a)
    since = time.time()
    os.kill(stuck, signal.SIGSTOP)
    wait_until(lambda: checks(a)["control"]["repairs"] == 1, 60,
               text="it is noticed")
    noticed = time.time() - since
    assert checks(a)["control"]["last_repair"] == "tor is started again"
    print("stuck tor: noticed after %.1f s, peer back %.1f s later" % (
        noticed, back(a, b, time.time())))
    assert not os.path.exists("/proc/%d" % stuck)
    assert "tor has stopped answering" in a.log()
    a.stop()
    b.stop()


def fill(path):
    with open(path, "ab", buffering=0) as f:
        try:
            while True:
                f.write(bytes(1024))
        except OSError:
            pass


def test_full_disk(env):
    """Tor's directory is a small disk of its own, and full."""
    a, b = pair(env)
    a.stop()
    tor = os.path.join(a.chaindir, "tor")
    if os.getuid() or subprocess.run(
            ["unshare", "-m", "mount", "-t", "tmpfs", "none",
             tor]).returncode:
        env.skip("no disk can be mounted here")
    command = a.command
    mount = "mount -t tmpfs -o size=12m,mode=700,uid=%d none %s && " \
        "exec \"$@\"" % (os.stat(tor).st_uid, tor)
    a.command = lambda *x: ["unshare", "-m", "sh", "-c", mount, "sh"] + \
        command(*x)
    a.start()
    print("on a small disk: %.1f s" % back(a, b, time.time()))
    filler = "/proc/%d/root%s/filler" % (a.proc.pid, tor)
    until = time.time() + 20
    killed = 0
    while time.time() < until:
        fill(filler)
        pid = a.children().get("tor")
        if pid and not killed % 20:
            os.kill(pid, signal.SIGKILL)
        killed += 1
        time.sleep(0.1)
    os.unlink(filler)
    print("full disk: peer back after %.1f s" % back(a, b, time.time()))
    a.stop()
    b.stop()
