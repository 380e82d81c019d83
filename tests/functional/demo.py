#!/usr/bin/env python3
"""The demonstration: two nodes, a private Tor network, real blocks.

usage: ./run.sh demo [BLOCKFILE]

Starts a private Tor network on loopback.  Node A imports BLOCKFILE (without
one it mines 300 regtest blocks with spends) and publishes its onion service.
Node B starts empty, knows A's onion address and nothing else, and syncs
through Tor.  Then both stay up to be talked to until ctrl-C, or until
CLOISTER_DEMO_EXIT is set (for tests).
"""

import os
import shutil
import signal
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from harness import sockets                # noqa: E402
from harness.netns import own_namespace    # noqa: E402
from harness.node import Node              # noqa: E402
from harness.regtest import mine_with_spends  # noqa: E402
from harness.tornet import TorNet          # noqa: E402

MAGICS = {"f9beb4d9": "main", "0b110907": "test", "1c163f28": "testnet4",
          "0a03cf40": "signet", "fabfb5da": "regtest"}
TTY = sys.stdout.isatty()


def say(text=""):
    print(text, flush=True)


def chain_of(path):
    """Which chain a block file or directory belongs to, by its magic."""
    if os.path.isdir(path):
        for sub in (path, os.path.join(path, "blocks")):
            f = os.path.join(sub, "blk00000.dat")
            if os.path.exists(f):
                path = f
                break
        else:
            sys.exit("demo: no blk00000.dat in %s" % path)
    try:
        with open(path, "rb") as f:
            head = f.read(4)
    except OSError as e:
        sys.exit("demo: cannot read %s: %s" % (path, e.strerror))
    xor = os.path.join(os.path.dirname(path), "xor.dat")
    if os.path.exists(xor):
        with open(xor, "rb") as f:
            key = f.read(4)
        head = bytes(a ^ b for a, b in zip(head, key))
    if head.hex() not in MAGICS:
        sys.exit("demo: %s does not begin as a block file of any known chain "
                 "(%s)" % (path, head.hex()))
    return MAGICS[head.hex()]


def bar(done, total, width=30):
    full = int(width * done / total) if total else width
    return "[" + "#" * full + "." * (width - full) + "]"


class Progress:
    """One line, redrawn on a terminal, now and then a new one elsewhere."""

    def __init__(self):
        self.last = 0

    def show(self, text, force=False):
        if TTY:
            print("\r\x1b[K" + text, end="", flush=True)
        elif force or time.time() - self.last > 2:
            self.last = time.time()
            say(text)

    def end(self, text):
        if TTY:
            print("\r\x1b[K" + text, flush=True)
        else:
            say(text)


def node_pid(node):
    """The node process: the warden's child that runs our program."""
    exe = os.readlink("/proc/%d/exe" % node.proc.pid)
    with open("/proc/%d/task/%d/children"
              % (node.proc.pid, node.proc.pid)) as f:
        for pid in f.read().split():
            with open("/proc/%s/comm" % pid) as comm:
                if comm.read() == "spawner\n":
                    continue
            if os.readlink("/proc/%s/exe" % pid) == exe:
                return int(pid)
    raise RuntimeError("no node process below %d" % node.proc.pid)


class Demo:
    def __init__(self, blockfile):
        self.blockfile = blockfile
        self.chain = chain_of(blockfile) if blockfile else "regtest"
        self.dir = tempfile.mkdtemp(prefix="cl-demo-")
        self.net = None
        self.nodes = []
        self.progress = Progress()

    def node(self, name, *args):
        common = ["-torrc=" + self.net.torrc, "-minimumchainwork=0",
                  "-assumevalid=0", "-debug=net"]
        n = Node(self.dir, name, self.chain, common + list(args))
        n.dies_with_us = True
        self.nodes.append(n)
        return n

    def wait(self, node, what, text):
        while not what():
            if node.proc.poll() is not None:
                sys.exit("demo: %s ended:\n%s" % (node.name, node.stderr()))
            tor = node.rpc.gettorinfo()
            self.progress.show("  %s: Tor %3d %%, descriptor %s, height %d"
                               % (text, tor["bootstrap_percent"],
                                  tor["descriptor"], node.height()))
            time.sleep(0.1)

    def start_a(self):
        say("Node A")
        args = ["-loadblock=" + self.blockfile] if self.blockfile else []
        a = self.node("A", *args)
        self.progress.show("  starting")
        a.start()
        if self.blockfile:
            def imported():
                return "import done" in a.log()
            self.wait(a, imported, "importing")
        else:
            self.progress.show("  mining 300 blocks")
            mine_with_spends(a, 300)
        self.progress.end("  at height %d" % a.height())
        self.wait(a, lambda: a.rpc.gettorinfo()["descriptor"]
                  == "reachable", "publishing")
        self.onion = a.onion()
        self.progress.end("  published at %s" % self.onion)
        return a

    def start_b(self, a):
        say("Node B (empty; knows A's onion address and nothing else)")
        target = a.height()
        b = self.node("B", "-connect=" + self.onion, "-listen=0")
        begun = time.time()
        first = None
        b.start()
        while b.height() < target:
            if b.proc.poll() is not None:
                sys.exit("demo: B ended:\n%s" % b.stderr())
            info = b.rpc.getblockchaininfo()
            if first is None and info["blocks"]:
                first = time.time()
            self.progress.show("  %s %d of %d blocks, %d headers, %d peer(s)"
                               % (bar(info["blocks"], target),
                                  info["blocks"], target, info["headers"],
                                  b.rpc.getconnectioncount()))
            time.sleep(0.1)
        end = time.time()
        self.progress.end("  %s %d of %d blocks" % (bar(1, 1), target,
                                                    target))
        self.took = end - begun
        self.sync = end - (first or begun)
        return b

    def report(self, a, b):
        say()
        for n in (a, b):
            stats = n.rpc.gettxoutsetinfo("muhash")
            say("%s: height %d  tip %s" % (n.name, stats["height"],
                                           stats["bestblock"]))
            say("   MuHash %s  (%d coins)" % (stats["muhash"],
                                              stats["txouts"]))
        if a.muhash() != b.muhash():
            sys.exit("demo: the two MuHashes differ")
        peers = b.rpc.getpeerinfo()
        received = sum(p["bytesrecv"] for p in peers)
        say()
        say("B's peers:")
        for p in peers:
            say("   %s  %s  %d bytes in, %d out" % (
                p["addr"], p["subver"], p["bytesrecv"], p["bytessent"]))
        say("B took %.1f s from its start (Tor included); %d blocks, %.1f kB "
            "through Tor" % (self.took, b.height(), received / 1000))
        say("   from the first block on: %.1f s, %.0f blocks/s, %.0f kB/s"
            % (self.sync, b.height() / max(self.sync, 0.05),
               received / 1000 / max(self.sync, 0.05)))
        say()
        say("Open sockets, from /proc:")
        for n in (a, b):
            found = sockets.count(node_pid(n))
            say("   %s's node process: %s" % (n.name, ", ".join(
                "%d %s" % (v, k) for k, v in sorted(found.items()))))
            if set(found) != {"unix"}:
                sys.exit("demo: a socket that is not a unix socket")
        say()

    def stay(self, a, b):
        top = os.path.abspath(os.path.join(HERE, "..", ".."))
        cli = "./run.sh cli" if os.getcwd() == top else os.path.join(
            os.environ["CLOISTER_BUILD"], "src", "cloister-cli")
        say("Both nodes stay up. Talk to them from another terminal:")
        for n in (a, b):
            say("   %s -datadir=%s -chain=%s -getinfo" % (cli, n.datadir,
                                                          self.chain))
        say("ctrl-C ends everything.")
        while True:
            time.sleep(1)

    def run(self):
        say("Private Tor network on loopback…")
        begun = time.time()
        self.net = TorNet(os.path.join(self.dir, "tornet"),
                          port=int(os.environ.get("CLOISTER_DEMO_PORT",
                                                  "15200")))
        self.net.tell = lambda text: self.progress.show("  " + text)
        self.net.start()
        self.progress.end("  ready in %.1f s: 1 authority, %d relays"
                          % (time.time() - begun, len(self.net.relays)))
        a = self.start_a()
        b = self.start_b(a)
        self.report(a, b)
        if not os.environ.get("CLOISTER_DEMO_EXIT"):
            self.stay(a, b)

    def clean(self):
        for n in self.nodes:
            n.cleanup()
        if self.net:
            self.net.stop()
        shutil.rmtree(self.dir, ignore_errors=True)


def on_signal(signum, frame):
    raise KeyboardInterrupt


def main():
    if len(sys.argv) > 2 or sys.argv[1:2] in (["-h"], ["--help"]):
        sys.exit(__doc__)
    own_namespace()
    for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(s, on_signal)
    blockfile = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else None
    demo = Demo(blockfile)
    try:
        demo.run()
    except KeyboardInterrupt:
        say("\nStopping…")
    finally:
        # An impatient second ctrl-C must not leave anything behind.
        for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(s, signal.SIG_IGN)
        demo.clean()


if __name__ == "__main__":
    main()
