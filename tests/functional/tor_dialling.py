"""Dialling through a real Tor: a book of mostly dead onions, wrong addresses,
tor away for a while, anchors; and strangers who misbehave at our door."""

import hashlib
import os
import re
import signal
import socket
import threading
import time

from harness.node import wait_until
from harness.peer import Closed, Peer, onion_of, version_payload
from harness.services import Services, stranger

TOR = True


class Host:
    """Peers without a chain, behind one unix socket."""

    def __init__(self, env):
        self.path = os.path.join(env.dir, "host.sock")
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(self.path)
        self.sock.listen(64)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            conn, _ = self.sock.accept()
            threading.Thread(target=self.serve, args=(conn,),
                             daemon=True).start()

    def serve(self, conn):
        p = Peer.__new__(Peer)
        p.sock, p.buffer, p.seen = conn, b"", []
        try:
            p.expect("version")
            p.send("version", version_payload())
            p.send("verack")
            while True:
                if p.receive()[0] == "getheaders":
                    p.send("headers", b"\0")
        except (Closed, OSError):
            pass


def outbound(node):
    """Those who have shaken hands."""
    return [p["addr"] for p in node.rpc.getpeerinfo()
            if p["connection_type"] == "outbound-full-relay"
            and p["version"]]


def ready(node, timeout=60):
    wait_until(lambda: node.rpc.gettorinfo()["phase"] == "ready", timeout,
               text="%s's tor is ready" % node.name)


def test_slots_fill_from_a_book_of_dead_onions(env):
    host = Host(env)
    live = Services(env, "live")
    gone = Services(env, "gone")
    try:
        live.add(12, "unix:" + host.path)
        gone.add(14, "unix:" + host.path)
        live.wait_uploaded()
        gone.wait_uploaded()
        # Their descriptors are there still; nobody answers.
        gone.kill()
        never = [onion_of(b"never %d" % i) for i in range(14)]
        n = env.node(args=["-listen=0", "-debug=net"]).start()
        for onion in live.onions + gone.onions + never:
            assert n.rpc.addpeeraddress(onion, 8333) == {"success": True}
        assert n.rpc.getaddrmaninfo()["onion"] == {
            "new": 40, "tried": 0, "total": 40}
        ready(n)
        started = time.time()
        wait_until(lambda: len(outbound(n)) == 10, 60,
                   text="10 slots filled (%d)" % len(outbound(n)))
        took = time.time() - started
        print("10 slots from 12 of 40 in %.1f s" % took)
        assert took < 60
        assert set(outbound(n)) <= {o + ":8333" for o in live.onions}
        tried = n.rpc.getaddrmaninfo()["onion"]["tried"]
        assert 10 <= tried <= 12, tried
        # Addresses are shown, and come back after a restart; the first to
        # be dialled then are two old friends.
        shown = n.rpc.getnodeaddresses(0)
        assert {a["address"] for a in shown} >= set(live.onions)
        assert all(a["network"] == "onion" for a in shown)
        friends = [p["addr"] for p in n.rpc.getpeerinfo()][:2]
        n.stop()
        anchors = os.path.join(n.chaindir, "node", "anchors.dat")
        assert os.path.getsize(anchors) == 8 + 2 * 34 + 32
        n.start()
        assert not os.path.exists(anchors)
        assert n.rpc.getaddrmaninfo()["onion"]["tried"] == tried
        ready(n)
        wait_until(lambda: len(outbound(n)) >= 2, 30)
        log = n.log().split("node process for")[-1]
        first = re.findall(r"connecting to (\S+) \(outbound", log)[:2]
        assert sorted(first) == sorted(friends), (first, friends)
        n.stop()
        assert n.stderr() == ""
    finally:
        live.kill()
        gone.kill()


def no_service():
    """An address whose checksum is right and whose key is none: no point of
    the curve has this y."""
    p = 2 ** 255 - 19
    d = -121665 * pow(121666, p - 2, p) % p
    for i in range(100):
        key = hashlib.sha256(b"no point %d" % i).digest()
        y = int.from_bytes(key, "little") & (2 ** 255 - 1)
        x2 = (y * y - 1) * pow(d * y * y + 1, p - 2, p) % p
        if pow(x2, (p - 1) // 2, p) == p - 1:
            return onion_of(b"no point %d" % i)


def test_what_only_the_owner_can_mend(env):
    host = Host(env)
    s = Services(env, "services")
    try:
        key = "A" * 51 + "Q"
        open_, = s.add(1, "unix:" + host.path)
        closed, = s.add(1, "unix:" + host.path, " ClientAuthV3=" + key)
        s.wait_uploaded()
        typo = ("b" if open_[0] != "b" else "c") + open_[1:]
        refused = env.node("typo", args=["-connect=" + typo])
        refused.start(wait=False)
        assert refused.wait_exit() == 1 and typo in refused.stderr()
        typo = no_service()
        n = env.node(args=["-listen=0", "-connect=%s:8333" % open_,
                           "-connect=%s:8333" % closed,
                           "-connect=" + typo]).start()
        ready(n)
        wait_until(lambda: n.rpc.getconnectioncount() == 1, 30)
        wait_until(lambda: "whose client key" in n.log(), 30)
        wait_until(lambda: "mistyped?" in n.log(), 30)
        warned = [l for l in n.log().splitlines() if "mistyped?" in l]
        assert len(warned) == 1 and typo in warned[0]
        # Tor goes away and comes back: the peer is dialled at once then.
        os.kill(n.children()["tor"], signal.SIGKILL)
        wait_until(lambda: n.rpc.getconnectioncount() == 0, 20)
        wait_until(lambda: n.rpc.gettorinfo()["restarts"] >= 1, 30)
        ready(n)
        back = time.time()
        wait_until(lambda: n.rpc.getconnectioncount() == 1, 15,
                   text="connected again soon after tor is ready")
        print("connected %.1f s after tor was" % (time.time() - back))
        n.stop()
    finally:
        s.kill()


def circuits(node):
    return [p["addr"] for p in node.rpc.getpeerinfo() if p["inbound"]]


def test_an_abusive_circuit_loses_all_it_has(env):
    n = env.node(args=["-debug=p2p"]).start()
    s = Services(env, "services")
    try:
        wait_until(lambda: n.rpc.gettorinfo()["self_check"] == "ok", 90)
        onion, port = n.onion(), n.rpc.gettorinfo()["port"]
        bad = [stranger(s.socks, onion, port, "bad") for _ in range(3)]
        good = [stranger(s.socks, onion, port, "good%d" % i)
                for i in range(2)]
        wait_until(lambda: len(circuits(n)) == 5, 20)
        assert len(set(circuits(n))) == 3, circuits(n)
        bad[1].raw(b"\x5a" * 200)
        for p in bad:
            assert p.closed(), "all of the circuit is closed"
        for p in good:
            p.sync()
        assert len(circuits(n)) == 2
        assert re.search(r"circuit=\d+ is cut with its 2 peers", n.log())
        n.stop()
    finally:
        s.kill()


def test_onions_nobody_has_ever_met(env):
    """Ten thousand from one stranger: few are kept, the known ones stay."""
    n = env.plain().start()
    known = [onion_of(b"known %d" % i) for i in range(20)]
    for o in known:
        assert n.rpc.addpeeraddress(o, 8333, True) == {"success": True}
    assert n.rpc.addpeeraddress(known[0], 8333, True) == {
        "success": False, "error": "failed-adding-to-tried"}
    p = Peer(n.p2p_port)
    now = int(time.time()) - 60
    for i in range(10):
        items = b"".join(
            now.to_bytes(4, "little") + b"\xfd\x09\x04" + b"\x04\x20"
            + hashlib.sha256(b"%d %d" % (i, k)).digest() + b"\x20\x8d"
            for k in range(1000))
        p.send("addrv2", b"\xfd\xe8\x03" + items)
    p.sync()
    info = n.rpc.getaddrmaninfo()["onion"]
    # One at once, one more each ten seconds.
    assert info["tried"] == 20 and info["new"] <= 5, info
    mine, = n.rpc.getpeerinfo()
    assert mine["addr_rate_limited"] >= 9990
    n.stop()


# A tor that is always ready and reaches nobody; it writes down what SOCKS
# asks for: user, password, host.
DEAF_TOR = '''#!/usr/bin/python3
import os, socket, sys, threading
if sys.argv[1] == "--version":
    print("Tor version 0.4.9.11.")
    sys.exit(0)
here = os.path.dirname(sys.argv[4])
def serve(c):
    c.recv(300)
    c.sendall(b"\\x05\\x02")
    a = c.recv(600)
    n = a[1]
    c.sendall(b"\\x01\\x00")
    r = c.recv(600)
    with open(here + "/asked", "a") as f:
        f.write("%s %s %s\\n" % (a[2:2 + n].decode(), a[3 + n:].decode(),
                                r[5:5 + r[4]].decode()))
    c.sendall(b"\\x05\\xf2\\x00\\x01" + bytes(6))
    c.close()
def socks():
    s = socket.socket(socket.AF_UNIX)
    s.bind(here + "/socks")
    s.listen(64)
    while True:
        threading.Thread(target=serve, args=(s.accept()[0],)).start()
threading.Thread(target=socks, daemon=True).start()
control = socket.socket(fileno=3)
for line in control.makefile("r"):
    control.sendall(b"250 OK\\r\\n")
    if line.startswith("SETCONF"):
        control.sendall(b"650 STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=100 "
                        b"TAG=done SUMMARY=\\"Done\\"\\r\\n")
'''


def test_credentials_are_never_used_twice(env):
    if not os.access("/usr/bin/python3", os.X_OK):
        env.skip("no /usr/bin/python3 for a fake tor")
    fake = os.path.join(env.dir, "deaf-tor")
    with open(fake, "w") as f:
        f.write(DEAF_TOR)
    os.chmod(fake, 0o755)
    hosts = [onion_of(b"never %d" % i) for i in range(4)]
    n = env.node(args=["-tor=" + fake, "-listen=0"]
                 + ["-connect=" + h for h in hosts]).start()
    path = os.path.join(n.chaindir, "tor", "asked")

    def asked():
        try:
            with open(path) as f:
                return [line.split() for line in f]
        except OSError:
            return []
    wait_until(lambda: len(asked()) >= 14, 60, text="some dials")
    n.stop()
    got = asked()
    # Every host several times, and never by what was used before.
    assert {h for _, _, h in got} == set(hosts)
    users, passwords = [a[0] for a in got], [a[1] for a in got]
    assert len(set(users)) == len(got) and len(set(passwords)) == len(got)
    assert all(re.fullmatch("[0-9a-f]{32}", c) for c in users + passwords)
