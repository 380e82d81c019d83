"""What leaves through one connection carries nothing that links it to
another: every byte of the handshake is compared between connections of one
node, and between two runs of it."""

import base64
import os
import socket
import struct
import threading
import time

from harness.node import wait_until
from harness.peer import Closed, Peer, onion_of, version_payload
from harness.primitives import compact, read_compact
from harness.regtest import mine


class Listener:
    """Accepts one connection and speaks as a peer from the inbound side."""

    def __init__(self, host="127.0.0.1"):
        self.host = host
        self.sock = socket.socket()
        self.sock.bind((host, 0))
        self.sock.listen(1)
        self.port = self.sock.getsockname()[1]
        self.peer = None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        conn, _ = self.sock.accept()
        conn.settimeout(20)
        p = Peer.__new__(Peer)
        p.sock, p.buffer, p.seen = conn, b"", []
        self.version = p.expect("version")
        p.send("version", version_payload())
        p.send("wtxidrelay")
        p.send("sendaddrv2")
        p.send("verack")
        p.expect("verack")
        self.peer = p

    def wait(self):
        self.thread.join(20)
        assert self.peer, "the node did not shake hands"
        return self


def fields(version):
    at = 0
    proto, services, when = struct.unpack("<IQq", version[:20])
    at = 20
    addrs = version[at:at + 52]
    nonce = version[at + 52:at + 60]
    n, p = read_compact(version, at + 60)
    agent = version[p:p + n]
    height, = struct.unpack("<I", version[p + n:p + n + 4])
    return {"proto": proto, "services": services, "time": when,
            "addrs": addrs, "nonce": nonce, "agent": agent,
            "height": height, "rest": version[p + n + 4:]}


def inbound_version(node):
    p = Peer(node.p2p_port, handshake=False)
    p.send("version", version_payload())
    return p, fields(p.expect("version"))


def collect(env, node):
    """The version messages of two outbound and two inbound connections."""
    out = []
    keep = []
    for _ in range(2):
        ear = Listener()
        node.rpc.addnode("127.0.0.1:%d" % ear.port, "onetry")
        keep.append(ear.wait())
        out.append(fields(ear.version))
    for _ in range(2):
        p, f = inbound_version(node)
        keep.append(p)
        out.append(f)
    return out, keep


def test_version_messages_tell_nothing_of_the_node(env):
    n = env.plain().start()
    mine(n, 3)
    wait_until(lambda: inbound_version(n)[1]["height"] == 3, 20,
               text="peers hear of the new height")
    versions, _ = collect(env, n)
    n.restart()
    more, _ = collect(env, n)
    versions += more
    # Fresh nonces, everywhere.
    nonces = [v["nonce"] for v in versions]
    assert len(set(nonces)) == len(nonces)
    assert bytes(8) not in nonces
    for v in versions:
        # No address of anybody, no port; the services inside are zero too
        # or the ones every node of this kind has.
        assert v["addrs"][8:24] == bytes(16) and v["addrs"][24:26] == bytes(2)
        assert v["addrs"][34:50] == bytes(16)
        assert v["addrs"][50:52] == bytes(2)
        # The time of day, to the minute: no clock's skew shows.
        assert v["time"] % 60 == 0, v["time"]
        assert v["height"] == 3
    # All else is the same for every connection and every run.
    same = [(v["proto"], v["services"], v["addrs"], v["agent"], v["rest"])
            for v in versions]
    assert len(set(same)) == 1, same
    n.stop()


def test_pings_and_order_of_messages(env):
    n = env.plain().start()
    mine(n, 3)
    orders, pings = [], []
    for _ in range(3):
        p = Peer(n.p2p_port, handshake=False)
        p.send("version", version_payload())
        p.send("wtxidrelay")
        p.send("sendaddrv2")
        p.send("verack")
        order = []
        while "ping" not in order:
            raw, payload = receive_raw(p)
            order.append(raw)
            if raw == "ping":
                pings.append(payload)
        orders.append(tuple(order))
    assert len(set(pings)) == 3
    assert len(set(orders)) == 1, orders
    n.stop()


def receive_raw(peer):
    """The next message without answering pings."""
    while True:
        if len(peer.buffer) >= 24:
            size = struct.unpack("<I", peer.buffer[16:20])[0]
            if len(peer.buffer) >= 24 + size:
                command = peer.buffer[4:16].rstrip(b"\0").decode()
                payload = peer.buffer[24:24 + size]
                peer.buffer = peer.buffer[24 + size:]
                return command, payload
        data = peer.sock.recv(65536)
        if not data:
            raise Closed("closed")
        peer.buffer += data


def addrv2(entries):
    """BIP155: (network id, address bytes) pairs."""
    b = compact(len(entries))
    for net, raw in entries:
        b += struct.pack("<I", int(time.time()) - 3600) + compact(1) + bytes([net]) + \
            compact(len(raw)) + raw + struct.pack(">H", 8333)
    return b


def test_addresses_of_other_networks_go_nowhere(env):
    """A hostile peer sends addresses of every kind: none is dialled, stored
    or told to anybody."""
    n = env.plain().start()
    mine(n, 1)
    ear = Listener()
    n.rpc.addnode("127.0.0.1:%d" % ear.port, "onetry")
    p = ear.wait().peer
    onion = onion_of(b"somebody")
    key = base64.b32decode(onion[:56].upper())[:32]
    p.send("addrv2", addrv2([
        (1, bytes([8, 8, 8, 8])), (2, bytes(16)), (3, os.urandom(10)),
        (4, key), (5, os.urandom(32)), (6, os.urandom(16)),
        (99, os.urandom(50))]))
    p.send("addr", compact(1) + struct.pack("<IQ", int(time.time()) - 3600, 1)
           + bytes(10) + b"\xff\xff\x08\x08\x08\x08" + b"\x20\x8d")
    p.sync()
    n.stop()
    with open(os.path.join(n.chaindir, "node", "peers.dat"), "rb") as f:
        data = f.read()
    assert key in data
    assert bytes([8, 8, 8, 8]) not in data
    # Asked for addresses, it tells of onions alone.
    n.start()
    q = Peer(n.p2p_port)
    q.send("getaddr")
    q.sync()
    assert "addr" not in q.seen
    n.stop()


def test_getaddr_is_no_fingerprint(env):
    """The answer is the same for everybody for a day, given once, and only
    of what several peers have told."""
    n = env.plain().start()
    entries = []
    for i in range(200):
        key = base64.b32decode(
            onion_of(b"peer%d" % i)[:56].upper())[:32]
        entries.append((4, key))
    ears = []
    for host in ("127.0.0.1", "127.0.0.2"):
        q = Peer(n.p2p_port)
        q.send("getaddr")
        q.sync()
        assert "addrv2" not in q.seen
        q.close()
        ears.append(Listener(host))
        n.rpc.addnode("%s:%d" % (host, ears[-1].port), "onetry")
        p = ears[-1].wait().peer
        p.send("addrv2", addrv2(entries))
        p.sync()
    # The empty answer is not kept for a day.
    answers = []
    for _ in range(2):
        q = Peer(n.p2p_port)
        q.send("getaddr")
        q.send("getaddr")
        got = q.expect("addrv2")
        q.sync()
        assert q.seen.count("addrv2") == 1
        answers.append(got)
        q.close()
    assert answers[0] == answers[1]
    wait_until(lambda: n.rpc.getconnectioncount() == 2, 20)
    n.stop()
