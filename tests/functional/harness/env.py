"""What a test is given: directories, nodes, vectors, the Tor network."""

import os
import shutil
import tempfile

from .node import Node, builddir


class Skip(Exception):
    """Raised by a test whose data or means are not there."""


class Env:
    def __init__(self, tor_torrc=None):
        self.torrc = tor_torrc
        self.nodes = []
        self.dir = tempfile.mkdtemp(prefix="cl-")
        self.builddir = builddir()
        self.srcdir = os.path.abspath(os.path.join(
            os.path.dirname(__file__), "..", "..", ".."))

    # ---- nodes ----

    def _keep(self, node):
        self.nodes.append(node)
        return node

    def plain(self, name="node", args=(), **kw):
        """Regtest, plain TCP on loopback."""
        return self._keep(Node.plain(self.dir, name, args, **kw))

    def offline(self, name="node", chain="regtest", args=(), **kw):
        """No peers, no Tor."""
        return self._keep(Node.offline(self.dir, name, chain, args, **kw))

    def node(self, name="node", chain="regtest", args=(), **kw):
        """As an owner starts it: with a managed Tor."""
        if not self.torrc:
            raise Skip("no Tor test network")
        return self._keep(Node(self.dir, name, chain,
                               ["-torrc=" + self.torrc] + list(args), **kw))

    # ---- data ----

    def vectors(self, *path):
        """Path of third-party data, or the test is skipped."""
        base = os.environ.get("CLOISTER_VECTORS") or os.path.join(
            self.srcdir, "..", "shared", "vectors")
        full = os.path.join(base, *path)
        if not os.path.exists(full):
            raise Skip("no test data at %s" % full)
        return full

    def skip(self, why):
        raise Skip(why)

    def cleanup(self, keep):
        for n in self.nodes:
            n.cleanup()
        if keep:
            print("  kept: %s" % self.dir, flush=True)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)
