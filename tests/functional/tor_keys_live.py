"""An encrypted onion key with a real tor, behind its walls, on the shared
private network: tor finds it in memory, also after it was killed."""

import os
import re
import signal

from harness.node import wait_until

TOR = True


def published(node, timeout=90):
    wait_until(lambda: node.rpc.gettorinfo()["descriptor"] == "reachable",
               timeout, text="%s's descriptor uploaded" % node.name)
    return node.onion()


def test_encrypted_key_is_published(env):
    p = os.path.join(env.dir, "pass")
    with open(p, "w") as f:
        f.write("correct horse\n")
    os.chmod(p, 0o600)
    a = env.node("a", args=["-keypassfile=" + p]).start()
    onion = published(a)
    torrc = os.path.join(a.chaindir, "tor", "torrc")
    with open(torrc) as f:
        d = re.search(r'HiddenServiceDir "(.*)"', f.read()).group(1)
    assert d.startswith("/dev/shm/"), d
    with open(os.path.join(d, "hostname")) as f:
        assert f.read().strip() == onion
    os.kill(a.children()["tor"], signal.SIGKILL)
    wait_until(lambda: a.rpc.gettorinfo()["restarts"] >= 1, 30,
               text="tor restarted")
    assert published(a) == onion
    # A peer gets through.
    b = env.node("b", args=["-connect=" + onion]).start()
    wait_until(lambda: b.rpc.getconnectioncount() == 1, 120,
               text="B connects")
    b.stop()
    a.stop()
    assert not os.path.exists(d)
    assert a.stderr() == "" and b.stderr() == ""
    # No file below the data directory has tor's form of a key.
    for where, _, names in os.walk(a.datadir):
        for n in names:
            path = os.path.join(where, n)
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    assert b"ed25519v1-secret" not in f.read(), path
