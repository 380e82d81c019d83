"""Trusted peers on the shared private Tor network: enrolled by one string,
joined by mutual TLS behind doors that nobody else can find."""

import glob
import os
import pty
import re
import signal
import socket
import stat
import subprocess
import threading
import time

from harness import invite as invites
from harness.node import builddir, wait_until
from harness.regtest import mine, mine_with_spends
from harness.rpc import RpcError

TOR = True

ALONE = ["-trustedonly=1", "-debug=tls", "-debug=net"]


def trusted(node, name):
    for p in node.rpc.peerlist()["peers"]:
        if p["name"] == name:
            return p
    return None


def enrol(host, guest, guest_name, host_name, roles="peer"):
    """guest takes host's invite; both know each other then."""
    invite = host.rpc.peerinvite(guest_name, roles)["invite"]
    got = guest.rpc.peeraccept(invite, host_name)
    assert got["state"] == "trusted", got
    return invite


def joined(node, name, timeout=60):
    wait_until(lambda: (trusted(node, name) or {}).get("connected"), timeout,
               text="%s is connected with %s" % (node.name, name))
    return trusted(node, name)


def refused(text, call, *args):
    """The call fails, and says so with this text in it."""
    try:
        call(*args)
    except RpcError as e:
        assert text in str(e), (text, str(e))
        return
    raise AssertionError("no error, awaited: " + text)


def problem(node, name, *words):
    def told():
        p = trusted(node, name)
        return p and all(w in p.get("last_problem", "") for w in words)
    wait_until(told, 60, text="%s tells %s of %s" % (node.name, words, name))


def settled(node, count=1):
    """The ids of its connections, once both sides have stopped dialling."""
    seen = [None, 0]

    def same():
        now = sorted(p["id"] for p in node.rpc.getpeerinfo())
        if now != seen[0] or len(now) != count:
            seen[:] = [now, time.time()]
        return time.time() - seen[1] > 2
    wait_until(same, 90, text="%s has settled" % node.name)
    return seen[0]


def door_socket(node, port="p"):
    """The one private door of a node, from inside of its Tor: where a thief
    of the door's key ends up."""
    paths = glob.glob(os.path.join(node.chaindir, "run",
                                   "d" + "?" * 10 + port))
    assert len(paths) == 1, paths
    s = socket.socket(socket.AF_UNIX)
    s.connect(paths[0])
    return s


def on_a_terminal(node, *args):
    """What cloister-cli prints where a person looks on."""
    ours, its = pty.openpty()
    p = subprocess.Popen(
        [os.path.join(builddir(), "src", "cloister-cli"), "-datadir="
         + node.datadir, "-chain=" + node.chain] + list(args),
        stdin=subprocess.DEVNULL, stdout=its)
    os.close(its)
    out = b""
    try:
        while True:
            out += os.read(ours, 65536)
    except OSError:
        pass                    # the other end is closed
    os.close(ours)
    assert p.wait() == 0
    return out.decode()


def qr_modules(text):
    """Rows of 0 and 1 from half blocks; without the quiet zone."""
    rows = []
    for line in re.findall(r"\x1b\[30;107m(.*?)\x1b\[0m", text):
        for half in (1, 2):
            rows.append([int(bool(" \u2580\u2584\u2588".index(c) & half))
                         for c in line][2:-2])
    return [r for r in rows[2:] if len(r)][:len(rows[0])]


def test_two_nodes_sync_over_mutual_tls_only(env):
    a = env.node("a", args=ALONE).start()
    mine_with_spends(a, 150)
    b = env.node("b", args=ALONE).start()
    # As people do it.
    out = a.cli("peer", "invite", "bob", "peer", "witness", "expires=2h")
    assert out.returncode == 0, out.stderr
    invite = out.stdout.strip()
    assert re.fullmatch("clinv1[a-z2-7]+", invite)
    assert trusted(a, "bob")["state"] == "invited"
    out = b.cli("peer", "accept", invite, "alice")
    assert out.returncode == 0 and "trusted now" in out.stdout, out
    joined(a, "bob")
    b.wait_tip(a.tip())
    assert b.muhash() == a.muhash()
    mine(b, 2)
    a.wait_tip(b.tip())
    # Nothing else: one connection, TLS, no address of a door in the book.
    wait_until(lambda: len(a.rpc.getpeerinfo()) ==
               len(b.rpc.getpeerinfo()) == 1, 60, text="one connection")
    for n in (a, b):
        peer = n.rpc.getpeerinfo()[0]
        assert peer["transport_protocol_type"] == "tls", peer
        assert ".onion" not in peer["addr"], peer
        assert n.rpc.getnodeaddresses(0) == []
        assert n.rpc.gettorinfo()["onion"] == ""
    # On a terminal the invite is a QR code, too: three finder patterns.
    shown = on_a_terminal(a, "peer", "invite", "laptop", "expires=90m")
    assert re.search(r"^clinv1[a-z2-7]+\r?$", shown, re.M), shown
    code = qr_modules(shown)
    side = len(code)
    assert side >= 45 and side % 4 == 1 and len(code[0]) == side, side
    for row in (0, side - 7):
        assert code[row][:8] == [1] * 7 + [0], code[row]
        assert code[row + 6][:8] == [1] * 7 + [0]
        assert code[row + 3][:8] == [1, 0, 1, 1, 1, 0, 1, 0]
    assert code[0][-8:] == [0] + [1] * 7
    assert a.cli("peer", "remove", "laptop").returncode == 0
    # Each shows the other's id.
    bob, alice = trusted(a, "bob"), trusted(b, "alice")
    assert bob["id"] == b.rpc.peerlist()["id"]
    assert alice["words"] == a.rpc.peerlist()["words"]
    assert bob["roles"] == ["peer", "witness"]
    assert bob["door_state"] == "reachable" and bob["pingtime"] >= 0
    assert bob["bytessent"] > 0 and bob["last_seen"] > 0
    assert bob["door"] == alice["their_door"]
    assert bob["leaf_expires"] > time.time() + 20 * 86400
    # No key of a door or token is in the log or outside of 0600 files.
    assert invite not in a.log() + b.log()
    path = os.path.join(a.chaindir, "node", "trusted")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    out = a.cli("peer", "list")
    assert "bob  (trusted)" in out.stdout and bob["words"] in out.stdout
    out = a.cli("peer", "rename", "bob", "robert")
    assert out.returncode == 0 and trusted(a, "robert")["connected"]

    # Both come back by themselves, and the doors are the same.
    a.restart()
    b.restart()
    joined(a, "robert")
    assert trusted(a, "robert")["door"] == bob["door"]
    joined(b, "alice")
    # The node process crashes, tor and the doors stay.
    os.kill([pid for name, pid in a.children().items() if name != "tor"][0],
            signal.SIGKILL)
    wait_until(lambda: b.rpc.getconnectioncount() == 0, 30)
    a.wait_rpc()
    joined(a, "robert")
    assert trusted(a, "robert")["door"] == bob["door"]
    os.kill(a.children()["tor"], signal.SIGKILL)
    wait_until(lambda: a.rpc.gettorinfo()["restarts"] >= 1, 30)
    mine(a, 1)
    b.wait_tip(a.tip())

    # A new door: the old one goes when the new one has worked.
    out = a.cli("peer", "rotate", "robert")
    assert out.returncode == 0, out.stderr
    wait_until(lambda: trusted(b, "alice")["their_door"] != bob["door"] and
               not trusted(a, "robert")["rotating"], 90, text="rotated")
    assert trusted(a, "robert")["door"] == trusted(b, "alice")["their_door"]
    keys = os.listdir(os.path.join(a.chaindir, "keys"))
    assert len([k for k in keys if re.match(r"onion_d\w+\.key", k)]) == 1
    joined(a, "robert")
    mine(a, 1)
    b.wait_tip(a.tip())
    a.stop()
    b.stop()
    assert a.stderr() == "" and b.stderr() == ""


def test_bad_invites(env):
    a = env.node("a", args=ALONE).start()
    b = env.node("b", args=ALONE).start()
    c = env.node("c", args=ALONE).start()
    main = env.node("main", chain="main", args=ALONE).start()
    good = a.rpc.peerinvite("bob")["invite"]
    accept = b.rpc.peeraccept
    refused("checksum", accept, good[:50] + ("a" if good[50] != "a" else "b")
            + good[51:], "alice")
    refused("not whole", accept, good[:-1], "alice")
    refused("no invite", accept, "hello", "alice")
    refused("another version", accept, good.replace("clinv1", "clinv9"),
            "alice")
    refused("no name", accept, good, "Alice!")
    refused("no role", accept, good, "alice", "peer,king")
    refused("this node's own", a.rpc.peeraccept, good, "me")
    refused("another chain", main.rpc.peeraccept, good, "alice")
    refused("already", a.rpc.peerinvite, "bob")
    refused("one minute", a.rpc.peerinvite, "eve", "peer", 5)
    main.stop()

    # Expired, by the guest's clock.
    b.rpc.setmocktime(int(time.time()) + 2 * 86400)
    refused("expired", accept, good, "alice")
    b.rpc.setmocktime(0)
    # A guessed token, by somebody who has all the rest.
    forged = invites.changed(good, token=bytes(16))
    refused("not known there", c.rpc.peeraccept, forged, "alice")
    problem(a, "bob", "wrong token", c.rpc.peerlist()["id"])
    assert c.rpc.peerlist()["peers"] == []
    assert trusted(a, "bob")["state"] == "invited"
    # Somebody else answers than the invite promises.
    forged = invites.changed(good, id=bytes(range(32)))
    got = c.rpc.peeraccept(forged, "alice", "peer", 8)
    assert got["state"] == "accepting", got
    problem(c, "alice", "at its door")
    c.rpc.peerremove("alice")

    # A thief is faster: it is seen who, and the friend is told no.
    assert c.rpc.peeraccept(good, "alice")["state"] == "trusted"
    refused("somebody else used", accept, good, "alice")
    problem(a, "bob", "refused", b.rpc.peerlist()["id"], "unknown")
    bob = trusted(a, "bob")
    assert bob["id"] == c.rpc.peerlist()["id"] and bob["enrolled"] > 0
    assert "redeemed by " + bob["id"] in a.log()
    assert b.rpc.peerlist()["peers"] == []
    joined(c, "alice")
    a.rpc.peerremove("bob")
    wait_until(lambda: c.rpc.getconnectioncount() == 0, 10)

    # Two at once: exactly one.
    race = a.rpc.peerinvite("race")["invite"]
    won = {}

    def take(node):
        try:
            won[node.name] = node.rpc.peeraccept(race, "alice")["state"]
        except RpcError as e:
            won[node.name] = str(e)
    c.rpc.peerremove("alice")
    threads = [threading.Thread(target=take, args=(n,)) for n in (b, c)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(v == "trusted" for v in won.values()) == [False, True], won
    winner = b if won["b"] == "trusted" else c
    assert trusted(a, "race")["id"] == winner.rpc.peerlist()["id"]
    a.rpc.peerremove("race")

    # Expired at the host: the door is gone.
    a.rpc.peerinvite("late")
    a.rpc.setmocktime(int(time.time()) + 2 * 86400)
    wait_until(lambda: trusted(a, "late") is None, 10)
    assert glob.glob(os.path.join(a.chaindir, "run", "d*")) == []
    a.rpc.setmocktime(0)
    for n in (a, b, c):
        n.stop()


def test_a_circle_and_those_outside(env):
    nodes = [env.node(x, args=ALONE).start() for x in "abc"]
    a, b, c = nodes
    mine_with_spends(a, 120)
    opened = enrol(a, b, "b", "a")
    wait_until(lambda: a.rpc.getconnectioncount() == 1, 60)

    # C has the keys to B's door and a sound identity, and is nobody there.
    def knocks(why):
        refused("", c.rpc.peeraccept, opened, "a")
        problem(a, "b", "refused", c.rpc.peerlist()["id"], why)
    knocks("unknown")
    warnings = a.rpc.getblockchaininfo()["warnings"]
    assert any(c.rpc.peerlist()["id"] in w and "rotate b" in w
               for w in warnings), warnings

    # Others at that door, each with the door's key: plain text, TLS 1.2,
    # silence, 500 at once.  B is not disturbed.
    hello = bytes.fromhex("16030100310100002d0303") + bytes(32) + \
        bytes.fromhex("00000600ff002f00350100")
    for text in (b"GET / HTTP/1.1\r\n\r\n", hello):
        s = door_socket(a)
        s.settimeout(40)
        s.sendall(text)
        assert len(s.recv(100)) < 100
        s.close()
    many = [door_socket(a) for _ in range(500)]
    for s in many[::2]:
        try:
            s.send(b"\x16\x03\x01")
        except OSError:
            pass                # no room for it: hung up
    mine(a, 1)
    b.wait_tip(a.tip())
    assert len(a.rpc.getpeerinfo()) == 1
    for s in many:
        s.close()

    enrol(b, c, "c", "b")
    enrol(c, a, "a", "c")
    # A trusted one, at another's door.
    refused("trusted already", c.rpc.peeraccept, opened, "x")
    for n in nodes:
        wait_until(lambda: n.rpc.getconnectioncount() == 2, 90,
                   text="%s has two connections" % n.name)
    c.wait_tip(a.tip())
    for n in nodes:
        mine(n, 1)
        for m in nodes:
            m.wait_tip(n.tip())
    assert a.muhash() == b.muhash() == c.muhash()

    # A damaged record: told, left out, the other works.
    a.stop()
    path = os.path.join(a.chaindir, "node", "trusted")
    with open(path) as f:
        lines = f.read().split("\n")
    lines[1] = lines[1][:-1] + ("0" if lines[1][-1] != "0" else "1")
    with open(path, "w") as f:
        f.write("\n".join(lines))
    a.start()
    assert trusted(a, "b") is None
    joined(a, "c")
    assert "1 of 2 records are damaged" in a.log()
    assert any("damaged" in w for w in
               a.rpc.getblockchaininfo()["warnings"])
    assert os.path.exists(path + ".damaged")
    # B still believes in A, and is let in nowhere.
    assert len(a.rpc.getpeerinfo()) == 1
    for n in nodes:
        n.stop()


def test_revocation_takes_less_than_a_second(env):
    a = env.node("a", args=ALONE).start()
    b = env.node("b", args=ALONE).start()
    mine_with_spends(a, 130)
    c = env.node("c", args=ALONE).start()
    enrol(a, b, "b", "a")
    joined(a, "b")
    # In the middle of a handshake at B's door, and one that says nothing.
    slow, mute = door_socket(a), door_socket(a, "e")
    slow.send(b"\x16\x03\x01\x02\x00\x01")
    enrol(a, c, "c", "a")
    joined(a, "c")
    before = settled(c)
    # Under load: blocks for both.
    for _ in range(4):
        mine_with_spends(a, 30)
    started = time.time()
    a.rpc.peerremove("b")
    answered = time.time() - started
    assert len(a.rpc.getpeerinfo()) == 1
    for s in (slow, mute):
        s.settimeout(5)
        assert s.recv(100) == b""
    wait_until(lambda: b.rpc.getconnectioncount() == 0, 10, step=0.01)
    ended = time.time() - started
    print("revoked: answered after %.3f s, gone at the other side after "
          "%.3f s" % (answered, ended))
    assert ended < 1.0, ended
    assert len(glob.glob(os.path.join(a.chaindir, "run", "d*p"))) == 1
    assert len(glob.glob(os.path.join(a.chaindir, "keys", "onion_d*.key"))) \
        == 1
    # The other one has noticed nothing.
    c.wait_tip(a.tip())
    assert [p["id"] for p in c.rpc.getpeerinfo()] == before
    # For good: not after restarts either.
    b.restart()
    mine(a, 1)
    c.wait_tip(a.tip())
    assert b.rpc.getconnectioncount() == 0 and b.height() < a.height()
    refused("no trusted peer", a.rpc.peerremove, "b")
    # Unless invited again.
    b.rpc.peerremove("a")
    enrol(a, b, "b", "a")
    b.wait_tip(a.tip())
    a.rpc.peerremove("b")

    # Backups.
    backup = os.path.join(env.dir, "peers.backup")
    passfile = os.path.join(env.dir, "pass")
    with open(passfile, "w") as f:
        f.write("correct horse\n")
    os.chmod(passfile, 0o600)
    out = a.cli("peer", "export", backup, "passfile=" + passfile)
    assert out.returncode == 0, out.stderr
    door = trusted(a, "c")["door"]
    with open(backup, "rb") as f:
        assert trusted(a, "c")["their_door"][:20].encode() not in f.read()
    a.stop()
    # All but the identity is lost: its door gets another address, of which
    # C is told at C's door.
    os.remove(os.path.join(a.chaindir, "node", "trusted"))
    for path in glob.glob(os.path.join(a.chaindir, "keys", "onion_d*")):
        os.remove(path)
    a.start()
    assert a.rpc.peerlist()["peers"] == []
    with open(passfile, "w") as f:
        f.write("wrong\n")
    out = a.cli("peer", "import", backup, "passfile=" + passfile)
    assert out.returncode == 1 and "passphrase" in out.stderr
    with open(passfile, "w") as f:
        f.write("correct horse\n")
    out = a.cli("peer", "import", backup, "passfile=" + passfile)
    assert "1 trusted peers added" in out.stdout, out
    joined(a, "c", 120)
    wait_until(lambda: trusted(c, "a")["their_door"] != door, 120,
               text="C hears of the new door")
    assert trusted(c, "a")["their_door"] == trusted(a, "c")["door"]
    mine(a, 1)
    c.wait_tip(a.tip())
    for n in (a, b, c):
        n.stop()
