"""A disk that is full, damaged or read-only: a clear message, a clean end,
no verdict about any block, and nothing lost once the cause is gone."""

import glob
import os
import shutil
import subprocess

from harness.damage import flip
from harness.node import Node, wait_until
from harness.regtest import mine, mine_with_spends
from harness.rpc import RpcError


def small_disk(env, name, megabytes):
    """A tmpfs of that size to put a data directory on."""
    path = os.path.join(env.dir, name)
    os.makedirs(path)
    if os.getuid() != 0 or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=%dm" % megabytes, "tmpfs",
             path], stderr=subprocess.DEVNULL).returncode:
        env.skip("cannot mount a tmpfs here")
    return path


def node_on(env, disk):
    n = Node.offline(disk, "node")
    n.err_path = os.path.join(env.dir, "stderr")
    env.nodes.append(n)
    return n


def test_full_disk(env):
    disk = small_disk(env, "disk", 40)
    try:
        n = node_on(env, disk)
        n.start()
        filler = os.path.join(disk, "filler")
        mine_with_spends(n, 120)
        n.restart()
        with open(filler, "wb", buffering=0) as f:
            try:
                while True:
                    f.write(bytes(65536))
            except OSError:
                pass
        tip = None
        try:
            for _ in range(3000):
                tip = n.tip()
                mine(n, 10)
        except Exception:
            pass
        status = n.wait_exit(60)
        assert status == 1, status
        err = n.stderr()
        assert err.startswith("Error: ") and "No space left" in err, err
        assert disk in err, err
        assert "is invalid" not in n.log()
        os.unlink(filler)
        n.start()
        assert n.height() >= 120
        tips = n.rpc.getchaintips()
        assert all(t["status"] != "invalid" for t in tips), tips
        mine(n, 5)
        height, muhash = n.height(), n.muhash()
        n.restart()
        assert (n.height(), n.muhash()) == (height, muhash)
        assert tip is not None
        n.stop()
    finally:
        for n in env.nodes:
            n.cleanup()
        subprocess.run(["umount", disk], check=False)


def test_directory_becomes_read_only(env):
    disk = small_disk(env, "disk", 64)
    try:
        n = node_on(env, disk)
        n.start()
        mine_with_spends(n, 120)
        n.stop()
        height = 120
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        n.start(wait=False)
        assert n.wait_exit() == 1
        assert "Error: " in n.stderr() and "ead-only" in n.stderr()
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        n.start()
        assert n.height() == height
        n.stop()
    finally:
        for n in env.nodes:
            n.cleanup()
        subprocess.run(["umount", disk], check=False)


def chain(env, name="node"):
    n = env.offline(name).start()
    mine_with_spends(n, 200)
    n.stop()
    return n


def told(n, *words):
    """The start, or the first work, ends with one clear line."""
    n.start(wait=False)
    try:
        n.wait_rpc()
        n.rpc.gettxoutsetinfo()
        for h in range(n.height(), 0, -1):
            n.rpc.getblock(n.rpc.getblockhash(h), 2)
    except Exception:
        pass
    if n.proc.poll() is None:
        try:
            n.wait_exit(5)
        except AssertionError:
            pass
    text = n.stderr() + n.log()
    for w in words:
        assert w in text, (w, text[-3000:])
    n.cleanup()


def test_damaged_coins_database(env):
    n = chain(env)
    for f in glob.glob(os.path.join(n.chaindir, "chainstate", "*.log")) + \
            glob.glob(os.path.join(n.chaindir, "chainstate", "*.ldb")):
        if os.path.getsize(f):
            flip(f, 0.3)
    told(n, os.path.join(n.chaindir, "chainstate"))
    assert "missingorspent" not in n.log()


def test_damaged_index(env):
    n = chain(env)
    for f in glob.glob(os.path.join(n.chaindir, "blocks", "index", "*.log")) \
            + glob.glob(os.path.join(n.chaindir, "blocks", "index",
                                     "*.ldb")):
        if os.path.getsize(f):
            flip(f, 0.3)
    told(n, os.path.join(n.chaindir, "blocks", "index"))


def test_missing_coins_are_rebuilt_from_blocks(env):
    n = chain(env)
    n.start()
    height, muhash = n.height(), n.muhash()
    n.stop()
    shutil.rmtree(os.path.join(n.chaindir, "chainstate"))
    n.start()
    wait_until(lambda: n.height() == height, 60)
    assert n.muhash() == muhash
    n.stop()


def test_missing_block_file_is_named(env):
    n = chain(env)
    os.rename(os.path.join(n.chaindir, "blocks", "blk00000.dat"),
              os.path.join(env.dir, "blk"))
    told(n, "blk00000.dat")
    os.rename(os.path.join(env.dir, "blk"),
              os.path.join(n.chaindir, "blocks", "blk00000.dat"))
    n.start()
    assert n.height() == 200
    n.stop()


def test_flipped_bit_in_a_block_file_is_no_verdict(env):
    n = chain(env)
    n.start()
    muhash = n.muhash()
    n.stop()
    blocks = os.path.join(n.chaindir, "blocks", "blk00000.dat")
    flip(blocks, 0.5)
    n.start()
    for h in range(n.height() + 1):
        try:
            n.rpc.getblock(n.rpc.getblockhash(h), 2)
        except RpcError as e:
            assert "blk00000.dat" in str(e) and "height %d" % h in str(e)
    assert "blk00000.dat" in n.log() and "is invalid" not in n.log()
    n.stop()
    flip(blocks, 0.5)
    n.start()
    assert (n.height(), n.muhash()) == (200, muhash)
    for h in range(n.height() + 1):
        for verbosity in (0, 2):
            n.rpc.getblock(n.rpc.getblockhash(h), verbosity)
    assert [t["status"] for t in n.rpc.getchaintips()] == ["active"]
    n.stop()


def test_damaged_peers_file_is_set_aside(env):
    n = env.offline().start()
    n.stop()
    with open(os.path.join(n.chaindir, "node", "peers.dat"), "wb") as f:
        f.write(os.urandom(300))
    n.start()
    assert "peers.dat is damaged" in n.log()
    # Kept for whoever wants to look into it.
    aside = os.path.join(n.chaindir, "node", "peers.dat.damaged")
    assert os.path.getsize(aside) == 300
    n.stop()
