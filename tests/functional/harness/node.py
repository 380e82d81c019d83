"""One cloisterd in a directory of its own."""

import ctypes
import os
import signal
import subprocess
import time

from .rpc import Rpc, RpcError

SUBDIR = {"main": "", "regtest": "regtest", "signet": "signet",
          "testnet4": "testnet4", "test": "testnet3"}


def builddir():
    return os.environ.get("CLOISTER_BUILD") or os.path.abspath(
        os.path.join(os.path.dirname(__file__), "..", "..", ".."))


def wait_until(what, timeout=60, step=0.05, text="condition"):
    """Poll until what() is true (its value is returned); tests assert no
    times, this bound only ends a hang."""
    end = time.time() + timeout
    while True:
        value = what()
        if value:
            return value
        if time.time() > end:
            raise AssertionError("timed out after %d s: %s" % (timeout, text))
        time.sleep(step)


def die_with_parent():
    """In a child, before its program: end when the starting thread does."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)   # PR_SET_PDEATHSIG


class Node:
    PLAIN_PORT = 19000

    def __init__(self, base, name="node", chain="regtest", args=(), env=None):
        self.name = name
        self.chain = chain
        self.datadir = os.path.join(base, name)
        self.chaindir = os.path.join(self.datadir, SUBDIR[chain]).rstrip("/")
        self.err_path = self.datadir + ".stderr"
        self.args = list(args)
        self.env = env
        self.proc = None
        self.dies_with_us = False       # even if we are killed
        self.rpc = Rpc(os.path.join(self.chaindir, ".cookie"),
                       path=os.path.join(self.chaindir, "run", "rpc.sock"))
        self.p2p_port = None

    @classmethod
    def plain(cls, base, name="node", args=(), **kw):
        """A regtest node that listens on loopback, without Tor."""
        Node.PLAIN_PORT += 1
        port = Node.PLAIN_PORT
        n = cls(base, name, "regtest",
                ["-bind=127.0.0.1:%d" % port] + list(args), **kw)
        n.p2p_port = port
        return n

    @classmethod
    def offline(cls, base, name="node", chain="regtest", args=(), **kw):
        return cls(base, name, chain,
                   ["-connect=0", "-listen=0"] + list(args), **kw)

    def command(self, *extra):
        return [os.path.join(builddir(), "src", "cloisterd"),
                "-datadir=" + self.datadir, "-chain=" + self.chain,
                "-rpcbind=0"] + self.args + list(extra)

    def start(self, *extra, wait=True):
        os.makedirs(os.path.dirname(self.datadir), exist_ok=True)
        env = dict(os.environ, **(self.env or {}))
        with open(self.err_path, "ab") as err:
            self.proc = subprocess.Popen(
                self.command(*extra), stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=err, env=env,
                preexec_fn=die_with_parent if self.dies_with_us else None)
        if wait:
            self.wait_rpc()
        return self

    def stderr(self):
        try:
            with open(self.err_path) as f:
                return f.read()
        except OSError:
            return ""

    def log(self):
        try:
            with open(os.path.join(self.chaindir, "debug.log"),
                      errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def wait_rpc(self, timeout=60):
        def ready():
            if self.proc.poll() is not None:
                raise AssertionError("%s ended with status %d:\n%s\n%s" % (
                    self.name, self.proc.returncode, self.stderr(),
                    self.log()[-3000:]))
            try:
                self.rpc.getblockcount()
                return True
            except (OSError, RpcError) as e:
                if isinstance(e, RpcError) and e.code not in (-28, None):
                    raise
                return False
        wait_until(ready, timeout, text="%s answers RPC" % self.name)
        return self

    def wait_exit(self, timeout=60):
        try:
            return self.proc.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError("%s does not end:\n%s" % (
                self.name, self.log()[-3000:]))

    def stop(self, timeout=60):
        """Stop by RPC; the exit status must be 0."""
        self.rpc.stop()
        status = self.wait_exit(timeout)
        assert status == 0, "exit status %d:\n%s" % (status, self.stderr())
        self.proc = None

    def kill(self, sig=signal.SIGKILL):
        self.proc.send_signal(sig)
        self.proc.wait()
        self.proc = None

    def restart(self, *extra):
        self.stop()
        return self.start(*extra)

    def cleanup(self):
        if self.proc and self.proc.poll() is None:
            self.proc.terminate()
            try:
                self.proc.wait(30)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait()
        self.proc = None

    def cli(self, *args, input=None, options=(), timeout=60):
        """Run cloister-cli against this node: CompletedProcess."""
        return subprocess.run(
            [os.path.join(builddir(), "src", "cloister-cli"),
             "-datadir=" + self.datadir, "-chain=" + self.chain]
            + list(options) + list(args),
            input=input, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, timeout=timeout)

    # ---- common questions ----

    def height(self):
        return self.rpc.getblockcount()

    def tip(self):
        return self.rpc.getbestblockhash()

    def muhash(self):
        return self.rpc.gettxoutsetinfo("muhash")["muhash"]

    def wait_height(self, height, timeout=120):
        wait_until(lambda: self.height() >= height, timeout,
                   text="%s at height %d (is %s)" % (self.name, height,
                                                     self.height()))

    def wait_tip(self, tip, timeout=120):
        wait_until(lambda: self.tip() == tip, timeout,
                   text="%s at tip %s" % (self.name, tip))

    def children(self):
        """Process ids of the node and of tor: {command: pid}."""
        out = self.processes()
        out.pop("spawner", None)
        return out

    def processes(self):
        """All below the warden."""
        out = {}
        path = "/proc/%d/task/%d/children" % (self.proc.pid, self.proc.pid)
        with open(path) as f:
            for pid in f.read().split():
                try:
                    with open("/proc/%s/comm" % pid) as c:
                        out[c.read().strip()] = int(pid)
                except OSError:
                    pass
        return out

    def onion(self):
        return self.rpc.gettorinfo()["onion"]
