"""The walls while Tor is in use: the node never makes a socket, and tor sees
none of our keys."""

import glob
import os
import re
import shutil
import subprocess

from harness.node import wait_until
from harness.regtest import mine, mine_with_spends

TOR = True


def published(n, timeout=90):
    wait_until(lambda: n.rpc.gettorinfo()["descriptor"] == "reachable",
               timeout, text="%s's descriptor uploaded" % n.name)
    return n.onion()


def status(pid):
    with open("/proc/%d/status" % pid) as f:
        return dict(line.rstrip("\n").split(":", 1) for line in f)


def test_walls_of_all_three(env):
    n = env.node().start()
    published(n)
    w = n.rpc.getwalls()
    if w["missing"]:
        n.stop()
        env.skip("this system lacks walls: %s" % w["missing"])
    assert w["mode"] == "strict", w
    kids = n.children()
    for pid in (n.proc.pid, kids["exe"], kids["tor"]):
        s = status(pid)
        assert s["Seccomp"].strip() == "2", (pid, s)
        assert s["NoNewPrivs"].strip() == "1"
    for pid in (kids["exe"], kids["tor"]):
        for caps in ("CapEff", "CapPrm", "CapBnd"):
            assert int(status(pid)[caps], 16) == 0
    net = [os.readlink("/proc/%d/ns/net" % p)
           for p in (n.proc.pid, kids["tor"], kids["exe"])]
    assert net[0] == net[1] and net[0] != net[2]
    # tor made its socket where only it may write.
    assert os.path.exists(os.path.join(n.chaindir, "tor", "socks"))
    n.stop()


def calls(files):
    """{system call: lines} of those traces."""
    out = {}
    for f in files:
        with open(f, errors="replace") as fh:
            for line in fh:
                m = re.match(r"(\w+)\(", line)
                if m:
                    out.setdefault(m.group(1), []).append(line)
    return out


def test_node_makes_no_socket(env):
    """Under strace, through a whole life with peers both ways."""
    if not shutil.which("strace"):
        env.skip("strace is not installed")
    with open(os.path.join(env.builddir, "config.status")) as f:
        if "-fsanitize" in f.read():
            env.skip("LeakSanitizer does not work under strace")
    trace = os.path.join(env.dir, "trace")
    a = env.node("a").start()
    mine_with_spends(a, 120)
    onion = published(a)
    b = env.node("b", args=["-addnode=" + onion, "-listen=1"])
    plain = b.command
    b.command = lambda *x: ["strace", "-D", "-ff", "-qq", "-s", "80", "-o",
                            trace] + plain(*x)
    b.start()
    b.wait_tip(a.tip(), 180)
    bonion = published(b, 120)
    # In the other direction too.
    a.rpc.addnode(bonion, "onetry")
    wait_until(lambda: any(p["inbound"] for p in b.rpc.getpeerinfo()), 120,
               text="a peer comes in")
    mine(a, 3)
    b.wait_tip(a.tip())
    b.stop()
    a.stop()
    files = glob.glob(trace + ".*")
    main = [f for f in files if "landlock_restrict_self" in
            open(f, errors="replace").read()
            and "cloisterd: node" in open(f, errors="replace").read()]
    assert len(main) == 1, main
    pid = main[0].rsplit(".", 1)[1]
    # Its threads: those that it cloned.
    with open(main[0], errors="replace") as fh:
        text = fh.read()
    ids = re.findall(r"^clone\(.*CLONE_THREAD.*\) += (\d+)", text, re.M)
    assert len(ids) >= 2, (pid, ids)
    of_node = main + [trace + "." + i for i in ids]
    # From exec on: what precedes it is the warden's fork.
    after = text[text.index("cloisterd: node"):]
    with open(main[0], "w") as fh:
        fh.write(after)
    seen = calls(of_node)
    for never in ("socket", "connect", "bind", "listen", "execve", "fork",
                  "vfork", "ptrace", "sendmsg"):
        assert never not in seen, (never, seen[never][:5])
    assert len(seen["recvmsg"]) > 0 and len(seen["accept4"]) > 0
    # Nothing the node wants is refused once the walls are up.
    walled = after[after.index("seccomp(SECCOMP_SET_MODE_FILTER"):]
    with open(main[0], "w") as fh:
        fh.write(walled)
    for name, lines in calls(of_node).items():
        denied = [x for x in lines if re.search(r"= -1 E(PERM|ACCES)", x)
                  and ".cookie" not in x]     # the warden removes that
        assert not denied, (name, denied[:5])
