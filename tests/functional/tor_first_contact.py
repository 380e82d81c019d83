"""First contact on mainnet, without an address of anybody: seeds' names are
given to tor, an exit of the test's own network looks them up, a seed of the
test's own answers.  Nothing but the exits asks a name server."""

import hashlib
import os
import re
import socket
import struct
import subprocess
import threading
import time

from harness.node import wait_until
from harness.peer import Closed, Peer, version_payload
from harness.primitives import compact
from harness.tornet import TorNet

TOR = False            # it brings a network of its own, with exits

MAGIC = bytes.fromhex("f9beb4d9")
NAMES = {"dnsseed.bluematt.me", "seed.bitcoin.jonasschnelli.ch",
         "seed.btc.petertodd.net", "seed.bitcoin.sprovoost.nl",
         "dnsseed.emzy.de", "seed.bitcoin.wiz.biz",
         "seed.mainnet.achownodes.xyz"}


def owner_of(port):
    """The process whose UDP socket has this local port."""
    with open("/proc/net/udp") as f:
        inodes = [c[9] for c in map(str.split, f.readlines()[1:])
                  if c[1].endswith(":%04X" % port)]
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            for fd in os.listdir("/proc/%s/fd" % pid):
                if os.readlink("/proc/%s/fd/%s" % (pid, fd)) in [
                        "socket:[%s]" % i for i in inodes]:
                    return int(pid)
        except OSError:
            pass
    return None


class NameServer:
    """Everything is at 127.0.0.1; and who asked for what."""

    def __init__(self, env):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.sock.bind(("127.0.0.1", 53))
        except OSError as e:
            env.skip("no name server can be run here: %s" % e)
        self.asked = []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            q, who = self.sock.recvfrom(1500)
            at, labels = 12, []
            while q[at]:
                labels.append(q[at + 1:at + 1 + q[at]].decode())
                at += 1 + q[at]
            kind = struct.unpack(">H", q[at + 1:at + 3])[0]
            question = q[12:at + 5]
            # Names come with random capitals from tor's resolver.
            self.asked.append((".".join(labels).lower(), owner_of(who[1])))
            found = kind == 1
            answer = b"\xc0\x0c" + struct.pack(
                ">HHIH", 1, 1, 60, 4) + bytes([127, 0, 0, 1])
            self.sock.sendto(q[:2] + b"\x81\x80" + struct.pack(
                ">HHHH", 1, int(found), 0, 0) + question
                + (answer if found else b""), who)


class Seed:
    """A clear-net node that knows onions, and others."""

    def __init__(self, env):
        self.count = 0
        self.asked = []
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self.sock.bind(("127.0.0.1", 8333))
        except OSError as e:
            env.skip("port 8333 is taken: %s" % e)
        self.sock.listen(16)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            conn, _ = self.sock.accept()
            self.count += 1
            threading.Thread(target=self.serve, args=(conn, self.count),
                             daemon=True).start()

    def addresses(self, n):
        now = int(time.time()) - 3600
        out = []
        for i in range(300):
            key = hashlib.sha256(b"%d %d" % (n, i)).digest()
            out.append(struct.pack("<I", now) + b"\xfd\x09\x04"
                       + b"\x04\x20" + key + b"\x20\x8d")
            out.append(struct.pack("<I", now) + b"\x01\x01\x04"
                       + key[:4] + b"\x20\x8d")
        return compact(len(out)) + b"".join(out)

    def serve(self, conn, n):
        p = Peer.__new__(Peer)
        p.sock, p.buffer, p.seen = conn, b"", []
        try:
            p.expect("version")
            p.send("version", version_payload(), magic=MAGIC)
            p.send("sendaddrv2", magic=MAGIC)
            p.send("verack", magic=MAGIC)
            p.expect("getaddr")
            assert "sendaddrv2" in p.seen
            time.sleep(1)        # to be seen in getpeerinfo
            p.send("addrv2", self.addresses(n), magic=MAGIC)
            while True:
                p.receive()
        except (Closed, OSError):
            pass
        self.asked.append(p.seen)


def traced(node, path):
    """strace on every process of a node."""
    pids = [node.proc.pid] + list(node.processes().values())
    cmd = ["strace", "-f", "-qq", "-o", path, "-e", "trace=connect,sendto,"
           "sendmsg,sendmmsg,socket"]
    for pid in pids:
        cmd += ["-p", str(pid)]
    return subprocess.Popen(cmd, stderr=subprocess.DEVNULL)


def test_names_go_to_tor_alone(env):
    names, seed = NameServer(env), Seed(env)
    resolv = os.path.join(env.dir, "resolv.conf")
    with open(resolv, "w") as f:
        f.write("nameserver 127.0.0.1\n")
    net = TorNet(os.path.join(env.dir, "net"), port=15200,
                 resolv=resolv).start()
    trace = None
    try:
        env.torrc = net.torrc
        n = env.node(chain="main", args=["-listen=0", "-debug=net"]).start()
        trace = traced(n, os.path.join(env.dir, "trace"))
        met = set()

        def asked():
            met.update((p["network"], p["addr"].split(":")[0])
                       for p in n.rpc.getpeerinfo()
                       if p["connection_type"] == "addr-fetch")
            return len(seed.asked) >= 4

        # Several seeds, by several circuits, then no more of it.
        wait_until(asked, 90,
                   text="four seeds were asked (%d)" % len(seed.asked))
        assert met and {m[0] for m in met} == {"exit"}, met
        assert {m[1] for m in met} <= NAMES, met
        info = n.rpc.getaddrmaninfo()
        assert info["onion"]["new"] > 200, info
        assert info["all_networks"]["total"] == info["onion"]["total"]
        time.sleep(12)
        assert len(seed.asked) == 4
        for seen in seed.asked:
            assert seen.index("sendaddrv2") < seen.index("verack")
        assert all(a["address"].endswith(".onion")
                   for a in n.rpc.getnodeaddresses(0))
        # Seeds are left; whoever is dialled now is an onion.
        assert not [p for p in n.rpc.getpeerinfo()
                    if p["connection_type"] == "addr-fetch"]
        dialled = re.findall(r"connecting to (\S+):(\d+) \(([^)]*)\)",
                             n.log())
        by_name = {h for h, _, kind in dialled if kind == "addr-fetch"}
        assert len(by_name) == 4 and by_name <= NAMES, by_name
        assert all(h.endswith(".onion") for h, _, kind in dialled
                   if kind != "addr-fetch")
        # Only the exits looked names up.
        relays = {r.proc.pid for r in net.all}
        looked_up = {(name, pid) for name, pid in names.asked
                     if name in NAMES}
        assert {name for name, _ in looked_up} == by_name, looked_up
        assert {pid for _, pid in looked_up} <= relays, looked_up
        # Once there is a book, a restart asks nobody.
        n.stop()
        before = len(names.asked), seed.count
        n.start()
        wait_until(lambda: n.rpc.gettorinfo()["phase"] == "ready", 60)
        time.sleep(3)
        assert seed.count == before[1]
        assert not [x for x in names.asked[before[0]:] if x[0] in NAMES]
        n.stop()
        if trace:
            trace.wait(20)
            with open(os.path.join(env.dir, "trace")) as f:
                calls = f.read()
            assert "AF_UNIX" in calls or "sendmsg" in calls, "it traced"
            assert "htons(53)" not in calls
            far = re.findall(r'connect\(.*sin_port=htons\((\d+)\)', calls)
            # Port 9: by connecting a UDP socket, and sending nothing, tor
            # learns from the kernel what this machine's address is.
            ports = {r.orport for r in net.all} | {net.dirport, 9}
            assert set(map(int, far)) <= ports, set(far)
    finally:
        if trace and trace.poll() is None:
            trace.kill()
        net.stop()


def test_it_can_be_switched_off(env):
    n = env.offline(chain="main").start()
    assert not os.path.exists(os.path.join(n.chaindir, "tor"))
    n.stop()
    for args, second in ((["-dnsseed=0"], False), ([], True)):
        m = env.offline("m%d" % second, chain="main")
        m.args = ["-listen=0"] + args
        m.start()
        torrc = os.path.join(m.chaindir, "tor", "torrc")
        wait_until(lambda: os.path.exists(torrc), 20)
        with open(torrc) as f:
            text = f.read()
        assert ("socks-seeds" in text) == second, text
        assert text.count("OnionTrafficOnly") == 1
        m.stop()
