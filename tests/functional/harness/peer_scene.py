"""A scene whose blocks come from a peer: header first, the block when it is
asked for.  The verdict is read from the log."""

import os
import re
import socket

from .node import wait_until
from .peer import Closed, Peer, headers_payload, parse_inv
from .primitives import rev
from .scene import TALLY, Scene

NOTHING = object()
QUIET = ("prev-blk-not-found", "time-too-new")


class PeerScene(Scene):
    def __init__(self, env, name, args=(), **kw):
        super().__init__(env, name, ["-debug=p2p"] + list(args),
                         make="plain", **kw)

    def opened(self):
        self.peer = None
        self.now = self.ledger.times[-1]

    def connection(self):
        if not self.peer:
            self.peer = Peer(self.node.p2p_port)
            self.peer.sock.settimeout(0.01)
        return self.peer

    def _seen(self, block, mark):
        """What the log says since then about this block."""
        with open(self.log_path, errors="replace") as f:
            f.seek(mark)
            text = f.read()
        found = re.search(r"block=%s height=\d+ is invalid: (.*)|"
                          r"(?:block|headers) of peer=\d+: (.*)"
                          % block.hash(), text)
        if found:
            return found.group(1) or found.group(2)
        return None if self.node.tip() == block.hash() else NOTHING

    def _answer(self, peer, block):
        """Give the block if the peer asks for it."""
        try:
            command, payload = peer.receive()
        except socket.timeout:
            return
        except Closed:
            self.peer = None
            return
        if command == "getdata" and rev(block.hash()) in [
                h for _, h in parse_inv(payload)]:
            peer.send("block", block.raw())

    def deliver(self, block):
        self.now = max(self.now, block.time)
        self.node.rpc.setmocktime(self.now)
        self.log_path = os.path.join(self.node.chaindir, "debug.log")
        peer = self.connection()
        mark = os.path.getsize(self.log_path)
        peer.send("headers", headers_payload([block.header()]))

        def verdict():
            if self.peer:
                self._answer(peer, block)
            v = self._seen(block, mark)
            return v is not NOTHING and [v]
        return wait_until(verdict, 10, 0, "a verdict")[0]

    def refuse(self, block, verdict, again=None, solve=True):
        if solve:
            block.solve()
        got = self.deliver(block)
        assert got == verdict, "verdict %r, not %r" % (got, verdict)
        self.same()
        if self.peer and verdict not in QUIET:
            assert self.peer.closed(), "the peer may stay"
            self.peer = None
        TALLY.verdicts[verdict] += 1
        return block
