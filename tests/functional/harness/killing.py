"""An import that is killed at random instants, again and again."""

import os
import random
import re
import shutil
import time

from .node import wait_until
from .power_cut import Chain
from .processes import kill_all


LINE_BYTES = 75                 # that the log says of a connected block


def log_bytes(node):
    try:
        return os.path.getsize(os.path.join(node.chaindir, "debug.log"))
    except OSError:
        return 0


def tail(node):
    try:
        with open(os.path.join(node.chaindir, "debug.log"), "rb") as f:
            f.seek(0, 2)
            f.seek(max(0, f.tell() - 300))
            return f.read().decode(errors="replace")
    except OSError:
        return ""


def end_after(n, blocks, delay, end):
    """Start; end it about so many blocks later, or when the import is done."""
    until = log_bytes(n) + blocks * LINE_BYTES
    n.start(wait=False)
    while log_bytes(n) < until and n.proc.poll() is None:
        if "import done" in tail(n):
            break
        time.sleep(0.002)
    time.sleep(delay)
    assert n.proc.poll() is None, n.stderr()
    end(n.proc)
    n.proc = None


def stop(proc):
    proc.terminate()
    assert proc.wait(60) == 0


def flushes(node):
    return len(re.findall(r"flushed at height=\d+", node.log()))


def let_end(n, chain):
    """The same chain and the same coins as without a kill."""
    n.start()
    wait_until(lambda: n.tip() == chain.tip, 300, text="the import's end")
    assert n.muhash() == chain.muhash
    assert "is invalid" not in n.log() and "Error" not in n.stderr()
    tips = n.rpc.getchaintips()
    assert all(t["status"] != "invalid" for t in tips), tips
    n.stop()


def killed_import(env, rounds, blocks, *args):
    """Kill so many times over an import, with a clean stop now and then, so
    that it comes on; one that ends between two kills is looked at, and begun
    anew."""
    chain = Chain(env, blocks)
    seed = random.randrange(1 << 30)
    rng = random.Random(seed)
    n = env.offline("killed", args=["-dbcache=4", "-debug=chain",
                                    "-loadblock=" + chain.path] + list(args))
    kills = ends = flushed = 0
    while kills < rounds:
        if kills % 4 == 3:
            end_after(n, rng.randrange(1000), 0, stop)
        end_after(n, rng.randrange(1000), rng.uniform(0, 0.03), kill_all)
        if "import done" in n.log():
            ends += 1
            flushed += flushes(n)
            let_end(n, chain)
            shutil.rmtree(n.datadir)
        else:
            kills += 1
    flushed += flushes(n)
    let_end(n, chain)
    print("  %d kills during %d imports with %d flushes, seed %d"
          % (kills, ends + 1, flushed, seed))
    assert flushed > 1
