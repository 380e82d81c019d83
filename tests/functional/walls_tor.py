"""The walls while Tor is in use (what goes through them: proof_no_leak)."""

import os

from harness.node import wait_until

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
