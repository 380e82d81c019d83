"""Nothing leaves but by tor, and nothing that leaves ties one connection to
another.  In a namespace of its own, with a private Tor network of its own:
every packet in it that is not a relay's is caught, and every process of the
node under test runs under strace."""

import atexit
import base64
import os
import signal
import socket
import struct
import threading
import time

from harness.capture import Capture, counters, leave_network, \
    sockets_by_owner
from harness.node import wait_until
from harness.peer import Closed, Peer, onion_of, version_payload
from harness.primitives import compact
from harness.regtest import mine, mine_with_spends
from harness.services import Services, socks, stranger
from harness.tornet import TorNet
from harness.trace import Traces, calls

PORT = 15300                     # of the relays, and 50 more
RPC_PORT = 19951
NAMED = 18444                    # where something would be leaked to
NETS = []


def network(env):
    """The file's own; made by its first test."""
    if not NETS:
        leave_network()
        NETS.append(TorNet(env.dir + "-tor", port=PORT).start())
        atexit.register(NETS[0].stop)
    env.torrc = NETS[0].torrc
    return NETS[0]


def onion_up(n):
    wait_until(lambda: n.rpc.gettorinfo()["self_check"] == "ok", 120,
               text="%s's onion answers" % n.name)
    return n.onion()


# ---- hostile peers ----

def key_of(onion):
    return base64.b32decode(onion[:56].upper())[:32]


def addrv2(entries, services=9, age=60):
    """(network id, address bytes, port) each."""
    b = compact(len(entries))
    for net, raw, port in entries:
        b += struct.pack("<I", int(time.time()) - age) + compact(services) \
            + bytes([net]) + compact(len(raw)) + raw + struct.pack(">H", port)
    return b


def addr(ips, port):
    b = compact(len(ips))
    for ip in ips:
        b += struct.pack("<IQ", int(time.time()) - 60, 9) + bytes(10) \
            + b"\xff\xff" + socket.inet_aton(ip) + struct.pack(">H", port)
    return b


def hostile(p):
    """Addresses of every kind; those of this machine would be dialled, if
    any ever were."""
    v6 = bytes(15) + b"\x01"
    kinds = [(1, socket.inet_aton("127.0.0.1"), NAMED), (2, v6, NAMED),
             (1, socket.inet_aton("8.8.8.8"), 53),
             (2, bytes.fromhex("fd87d87eeb43") + os.urandom(10), NAMED),
             (3, os.urandom(10), NAMED), (5, os.urandom(32), NAMED),
             (6, b"\xfc" + os.urandom(15), NAMED),
             (4, key_of(onion_of(os.urandom(8))), NAMED),
             (99, os.urandom(200), NAMED)]
    for entry in kinds:
        p.send("addrv2", addrv2([entry]))
    p.send("addrv2", addrv2(kinds))
    p.send("addr", addr(["127.0.0.1", "8.8.8.8", "10.0.0.1"], NAMED))
    p.sync()


class Host:
    """Where onions of the test lead: it keeps what it was sent, and when."""

    def __init__(self, env, name, on_peer=None, slow=False):
        self.path = os.path.join(env.dir, name)
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(self.path)
        self.sock.listen(64)
        self.on_peer = on_peer
        self.release = threading.Event()     # may they shake hands?
        if not slow:
            self.release.set()
        self.met = []                        # (peer, its messages)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            conn, _ = self.sock.accept()
            met = (Peer.over(conn), [])
            self.met.append(met)
            threading.Thread(target=self.serve, args=met,
                             daemon=True).start()

    def serve(self, p, said):
        try:
            while True:
                what = p.receive()
                said.append(what)
                if what[0] == "version":
                    p.send("version", version_payload())
                    p.send("sendaddrv2")
                    self.release.wait(60)
                    p.send("verack")
                elif what[0] == "verack" and self.on_peer:
                    self.on_peer(p)
        except (Closed, OSError):
            said.append(("closed", b""))


class Trap:
    """Whoever follows an address of the clear net comes here."""

    def __init__(self):
        self.caught = []
        for port in (NAMED, 8333, 18333):
            s = socket.socket()
            s.bind(("127.0.0.1", port))
            s.listen(5)
            threading.Thread(target=self.run, args=(s,), daemon=True).start()

    def run(self, s):
        while True:
            conn, who = s.accept()
            self.caught.append(who)


# ---- a whole life ----

def under_strace(node, prefix):
    plain = node.command
    node.command = lambda *x: [
        "strace", "-D", "-ff", "-qq", "-s", "80", "-o", prefix] + plain(*x)
    # LeakSanitizer cannot be traced.
    node.env = {"ASAN_OPTIONS": "detect_leaks=0"}


def owners_are(allowed):
    """Every internet socket of this namespace is one of theirs."""
    for (family, port), pids in sockets_by_owner().items():
        assert pids <= allowed, (family, port, pids - allowed)


def no_packet_of(pid):
    seen = counters(pid)
    assert set(seen) <= {"lo", "sit0", "ip6tnl0", "tunl0", "gre0"}, seen
    assert all(v == (0, 0, 0, 0) for v in seen.values()), seen


def wrong_configurations(env):
    """Each is refused, or comes to nothing."""
    for i, option in enumerate((
            "-bind=0.0.0.0:8333", "-addnode=203.0.113.9:8333",
            "-seednode=seed.example.com", "-connect=node.example:8333",
            "-proxy=127.0.0.1:9050", "-externalip=203.0.113.9",
            "-rpcbind=203.0.113.9", "-torrc=/nonexistent/torrc")):
        m = env.offline("wrong%d" % i, chain="main")
        m.args = []
        m.start(option, wait=False)
        if option.startswith("-torrc"):
            # It may come to be; tor is not started without.
            m.wait_rpc()
            assert m.rpc.gettorinfo()["phase"] != "ready"
            for host in ("203.0.113.9:8333", "seed.example.com",
                         "127.0.0.1:%d" % NAMED, "[::1]:%d" % NAMED):
                for how in ("onetry", "add"):
                    try:
                        m.rpc.addnode(host, how)
                    except Exception as e:
                        assert "onion" in str(e), e
            time.sleep(1)
            m.stop()
        else:
            assert m.wait_exit() != 0, option
            assert m.stderr().startswith("Error: "), m.stderr()


def a_life(env, net, a, n, s):
    """Of n, that syncs from a; returns the node processes it had."""
    host = Host(env, "bad.sock", on_peer=hostile)
    bad, = s.add(1, "unix:" + host.path)
    onion = n.onion()
    others = {r.proc.pid for r in net.all} | {s.proc.pid, os.getpid()}
    nodes = []

    def look():
        tor = {x.children()["tor"] for x in (a, n)}
        kids = n.processes()
        rpc = {kids["spawner"], kids["exe"]}
        owners_are(others | tor | rpc)
        nodes.append(kids["exe"])
        no_packet_of(kids["exe"])

    look()
    # Hostile peers, both ways.
    evil = stranger(s.socks, onion, n.rpc.gettorinfo()["port"], "evil")
    hostile(evil)
    s.wait_uploaded()
    n.rpc.addnode(bad + ":8333", "add")
    wait_until(lambda: host.met and ("verack", b"") in host.met[-1][1], 60,
               text="it meets a hostile peer")
    look()
    # tor dies, and the node does.
    os.kill(n.children()["tor"], signal.SIGKILL)
    wait_until(lambda: n.rpc.gettorinfo()["restarts"] >= 1
               and n.rpc.gettorinfo()["self_check"] == "ok", 120,
               text="tor is back")
    look()
    os.kill(n.children()["exe"], signal.SIGABRT)
    wait_until(lambda: n.children().get("exe") not in (None, nodes[0]), 60)
    n.wait_rpc()
    onion_up(n)
    # Blocks in both directions.
    mine(a, 2)
    n.wait_tip(a.tip(), 120)
    mine(n, 1)
    a.wait_tip(n.tip(), 120)
    look()
    return sorted(set(nodes))


def judge(t, nodes, relay_ports):
    """What each process called, in its whole life."""
    assert set(t.node) >= set(nodes) and len(nodes) == 2, (t.node, nodes)
    for pid in nodes:
        seen = calls(t.of_node(pid))
        for never in ("socket", "connect", "bind", "listen", "execve",
                      "fork", "vfork", "ptrace", "sendmsg", "sendmmsg"):
            assert never not in seen, (never, seen[never][:5])
        assert seen["recvmsg"] and seen["accept4"]
        assert not [x for x in seen["sendto"] if "sa_family" in x]
        # Nothing the node wants is refused once the walls are up.
        if "seccomp(SECCOMP_SET_MODE_FILTER" not in t.text[pid]:
            continue
        for text in [t.after(pid, "seccomp(SECCOMP_SET_MODE_FILTER")] + [
                t.text[i] for i in t.threads[pid]]:
            denied = [x for x in text.splitlines()
                      if " = -1 EPERM" in x or " = -1 EACCES" in x]
            # The warden removes the cookie; the C library is curious.
            assert not [x for x in denied if ".cookie" not in x
                        and "overcommit_memory" not in x], denied
    spawner, = t.spawner
    seen = calls([t.after(spawner, 'prctl(PR_SET_NAME, "spawner"')])
    for never in ("socket", "connect", "bind", "sendto"):
        assert not [x for x in seen.get(never, ()) if "NULL, 0)" not in x]
    # The warden: of internet sockets, RPC's listener, before its walls.
    rest = calls(t.text[i] for i in t.rest)
    for line in rest["socket"]:
        assert "AF_UNIX" in line or "AF_INET, SOCK_STREAM" in line, line
    for name in ("connect", "sendto", "sendmsg", "sendmmsg"):
        far = [x for x in rest.get(name, ()) if "AF_INET" in x]
        assert not far, far[:5]
    bound = [x for x in rest["bind"] if "AF_INET" in x]
    assert len(bound) == 1 and "htons(%d)" % RPC_PORT in bound[0], bound
    # tor: to relays alone.  (Port 9: it asks the kernel, by connecting a
    # UDP socket without sending, what this machine's address is.)
    tor = calls(t.text[i] for i in t.tor)
    far = [x for x in tor["connect"] if "AF_INET" in x]
    assert far
    for line in far:
        port = int(line.split("htons(")[1].split(")")[0])
        assert port in relay_ports or port == 9, line
    for name in ("sendto", "sendmsg", "sendmmsg"):
        assert not [x for x in tor.get(name, ()) if "sin_port" in x]


def test_nothing_leaves_but_by_tor(env):
    net = network(env)
    trap, cap = Trap(), Capture((PORT, PORT + 50))
    prefix = os.path.join(env.dir, "trace")
    a = env.node("a").start()
    n = env.node("n", args=["-listen=1", "-respawn=1", "-debug=net",
                            "-rpcbind=127.0.0.1:%d" % RPC_PORT])
    under_strace(n, prefix)
    mine_with_spends(a, 105)
    n.args.append("-addnode=" + onion_up(a))
    s = Services(env, "services")
    try:
        n.start()
        wrong_configurations(env)
        onion_up(n)
        n.wait_tip(a.tip(), 180)
        nodes = a_life(env, net, a, n, s)
        n.stop()
        a.stop()
    finally:
        s.kill()
    # The trap works, and so does the capture of what would betray us.
    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    u.sendto(b"is there anybody", ("127.0.0.1", 53))
    wait_until(lambda: [x for x in cap.seen if x[2] == 53], 10)
    seen = {x for x in cap.stop() if x[0] != "icmp"}
    assert len(seen) == 1 and not trap.caught, (seen, trap.caught)
    judge(Traces(prefix), nodes, {r.orport for r in net.all} | {net.dirport})


# ---- two sides of one node ----

def version_fields(payload):
    n = payload[80]
    return {"time": struct.unpack("<q", payload[12:20])[0],
            "nonce": payload[72:80], "agent": payload[81:81 + n],
            "addresses": payload[20:72],
            "rest": payload[:12] + payload[20:72] + payload[80:]}


def version_of(said):
    return version_fields(next(x[1] for x in said if x[0] == "version"))


def came_by(s, n, user, **version):
    """A connection to n's onion: (peer, its version message)."""
    for attempt in range(5):
        try:
            p = Peer.over(socks(s.socks, n.onion(),
                                n.rpc.gettorinfo()["port"], user))
            break
        except (AssertionError, OSError):
            time.sleep(1)
    p.send("version", version_payload(**version))
    return p, version_fields(p.expect("version"))


def staying(host):
    """The connections to that host that are meant to last."""
    return [m for m in host.met if ("getheaders" in [x[0] for x in m[1]]
                                    and ("closed", b"") not in m[1])]


def test_two_sides_of_a_node_cannot_be_joined(env):
    """The adversary has two onions that the node dials, and knocks at the
    node's own."""
    network(env)
    n = env.node("n", args=["-listen=1", "-debug=p2p"]).start()
    mine(n, 3)
    mine_key = key_of(onion_up(n))
    s = Services(env, "services")
    held = Host(env, "held.sock", slow=True)
    hosts = [Host(env, "x%d.sock" % i) for i in range(2)]
    try:
        xs = [s.add(1, "unix:" + h.path)[0] for h in hosts]
        x3, = s.add(1, "unix:" + held.path)
        s.wait_uploaded()
        # Nonces: that of a connection half open, said at our onion.
        n.rpc.addnode(x3 + ":8333", "onetry")
        wait_until(lambda: held.met and held.met[0][1], 60)
        nonce = version_of(held.met[0][1])["nonce"]
        p, _ = came_by(s, n, "replay", nonce=nonce)
        p.send("verack")
        p.expect("verack")
        p.sync()
        assert ("closed", b"") not in held.met[0][1]
        # Those are met with all that a node says.
        for x in xs:
            assert n.rpc.addpeeraddress(x, 8333) == {"success": True}
        wait_until(lambda: all(staying(h) for h in hosts), 90,
                   text="both are dialled")
        outs = [staying(h)[0] for h in hosts]
        ins = [came_by(s, n, "in%d" % i) for i in range(2)]
        compare(outs, [v for _, v in ins] + [
            version_of(held.met[0][1])], ins)
        planted(n, outs, ins)
        # Our address is told: on a connection that is made for it.
        wait_until(lambda: tellers(hosts, mine_key), 120,
                   text="somebody is told of the onion")
        mine(n, 1)
        for _, said in outs:
            wait_until(lambda: {x[0] for x in said} & {"inv", "headers"}, 30)
        for p, said in outs:
            assert ("closed", b"") not in said
            assert mine_key not in b"".join(x[1] for x in said)
        for said in tellers(hosts, mine_key):
            wait_until(lambda: said[-1][0] == "closed", 30,
                       text="such a connection ends")
            names = [x[0] for x in said]
            assert set(names) <= {"version", "wtxidrelay", "sendaddrv2",
                                  "verack", "addrv2", "ping", "closed"}
            assert version_of(said)["rest"] == version_of(outs[0][1])["rest"]
        n.stop()
    finally:
        held.release.set()
        s.kill()


def tellers(hosts, key):
    return [said for h in hosts for _, said in h.met
            if any(x[0] == "addrv2" and key in x[1] for x in said)]


def compare(outs, others, ins):
    versions = [version_of(said) for _, said in outs]
    nonces = [v["nonce"] for v in versions + others]
    assert len(set(nonces)) == len(nonces)
    for v in versions:
        assert v["time"] == 0
        assert v["addresses"][8:26] == bytes(18)
        assert v["addresses"][34:52] == bytes(18)
    for _, v in ins:
        assert v["time"] % 60 == 0 and v["time"] > 0
    # All else is the same whoever asks.
    assert len({v["rest"] for v in versions + others}) == 1
    order = {tuple(x[0] for x in said)[:6] for _, said in outs}
    assert order == {("version", "wtxidrelay", "sendaddrv2", "verack",
                      "getaddr", "getheaders")}, order
    orders = set()
    for p, _ in ins:
        p.send("sendaddrv2")
        p.send("verack")
        p.sync()
        orders.add(tuple(p.seen[:5]))
    assert len(orders) == 1, orders


def planted(n, outs, ins):
    """Told at one side, to be found at the other?"""
    keys = [key_of(onion_of(b"planted %d" % i)) for i in range(60)]
    p, _ = outs[0]
    p.send("addrv2", addrv2([(4, k, 8333) for k in keys], age=3600))
    fresh = key_of(onion_of(b"fresh"))
    p.send("addrv2", addrv2([(4, fresh, 8333)]))
    wait_until(lambda: onion_of(b"fresh") in [
        a["address"] for a in n.rpc.getnodeaddresses(0)], 30,
               text="they are taken")
    door = key_of(onion_of(b"at the door"))
    q, _ = ins[0]
    q.send("addrv2", addrv2([(4, door, 8333)]))
    q.sync()
    assert onion_of(b"at the door") not in [
        a["address"] for a in n.rpc.getnodeaddresses(0)]
    q, _ = ins[1]
    q.send("getaddr")
    got = b""
    nonce = os.urandom(8)
    q.send("ping", nonce)
    while True:
        what, payload = q.receive()
        if what == "pong" and payload == nonce:
            break
        got += payload if what == "addrv2" else b""
    assert not [k for k in keys + [fresh, door] if k in got]
