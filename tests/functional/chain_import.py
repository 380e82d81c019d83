"""Block files of others: real chains, obfuscated, cut, damaged, restarted."""

import os
import shutil
import subprocess

from harness.node import wait_until
from harness.primitives import block_file

MAIN_TIP = "00000000a9da635727dce622d78361b153ce3334e6a60d4377fad529abfc7863"
MAIN_MUHASH = \
    "8ddda2747fb03d2bf57e08a23d4cab90f9e062c28bf5822760edc5238128a7e5"
MAIN_SERIALIZED = \
    "fa5670424a993c1c40c2ec80fdac5deaf80f14f3857ea2e16a1339ee7a596e62"
SIGNET_MUHASH = \
    "a0e968901678296996072f24a75f381740acea4ef28cb1409ce2739887faf58b"
REGTEST_MUHASH = \
    "99fe6181ed22d50f27486264ed5d1f538c9343042db64a088248bcc9912a869a"
FULL = ["-assumevalid=0", "-minimumchainwork=0"]


def import_and_end(node, path):
    """-stopafterblockimport ends the process with status 0."""
    node.start("-loadblock=" + path, "-stopafterblockimport", wait=False)
    assert node.wait_exit(120) == 0, node.stderr()
    node.start()


def imported(node):
    wait_until(lambda: "import done" in node.log(), text="import done")


def check_mainnet(node):
    stats = node.rpc.gettxoutsetinfo("muhash")
    assert stats["height"] == 4312, stats
    assert stats["bestblock"] == MAIN_TIP
    assert stats["muhash"] == MAIN_MUHASH, stats
    serialized = node.rpc.gettxoutsetinfo()["hash_serialized_3"]
    assert serialized == MAIN_SERIALIZED, serialized


def test_mainnet_0_to_4312(env):
    path = env.vectors("chains", "mainnet-0-4312.blk00000.dat")
    n = env.offline(chain="main", args=FULL)
    import_and_end(n, path)
    check_mainnet(n)
    n.restart()
    check_mainnet(n)
    # What it has, it skips.
    n.restart("-loadblock=" + path)
    wait_until(lambda: n.log().count("[node] import done") == 2)
    assert "0 blocks new, 4313 known" in n.log()
    check_mainnet(n)
    n.stop()


def test_directory_of_the_reference_node(env):
    path = env.vectors("coredir")
    n = env.offline(chain="main", args=FULL)
    import_and_end(n, path)
    check_mainnet(n)
    n.stop()


def test_blocks_directory_below_a_data_directory(env):
    src = env.vectors("coredir")
    blocks = os.path.join(env.dir, "core", "blocks")
    os.makedirs(blocks)
    for f in ("blk00000.dat", "xor.dat"):
        shutil.copy(os.path.join(src, f), blocks)
    n = env.offline(chain="main", args=FULL)
    import_and_end(n, os.path.join(env.dir, "core"))
    check_mainnet(n)
    n.stop()


def test_signet(env):
    path = env.vectors("chains", "signet-0-120.blk")
    n = env.offline(chain="signet", args=FULL)
    import_and_end(n, path)
    assert n.height() == 120
    assert n.muhash() == SIGNET_MUHASH
    n.stop()


def test_regtest(env):
    path = env.vectors("chains", "regtest-0-206.blk")
    n = env.offline()
    import_and_end(n, path)
    assert n.height() == 206
    assert n.muhash() == REGTEST_MUHASH
    n.stop()


def test_file_of_another_chain(env):
    path = env.vectors("chains", "regtest-0-206.blk")
    n = env.offline(chain="main", args=FULL)
    n.start("-loadblock=" + path)
    imported(n)
    assert n.height() == 0
    assert "cannot import" in n.log() and "no block of chain main" in n.log()
    n.stop()
    # Asked to end after it, the process says so by its exit status.
    n.start("-loadblock=" + path, "-stopafterblockimport", wait=False)
    assert n.wait_exit() == 1
    assert n.stderr() == "Error: cannot import: %s holds no block of " \
        "chain main\n" % path, n.stderr()


def test_missing_file_is_told(env):
    n = env.offline()
    n.start("-loadblock=" + os.path.join(env.dir, "nothing.dat"))
    imported(n)
    assert "cannot import" in n.log() and "nothing.dat" in n.log()
    n.stop()


def damaged(env, name, change):
    src = env.vectors("chains", "mainnet-0-4312.blk00000.dat")
    with open(src, "rb") as f:
        data = bytearray(f.read())
    path = os.path.join(env.dir, name)
    with open(path, "wb") as f:
        f.write(change(data))
    return path, src


def test_cut_in_the_middle_then_whole(env):
    path, src = damaged(env, "cut.dat", lambda d: d[:len(d) // 2 + 7])
    n = env.offline(chain="main", args=FULL)
    import_and_end(n, path)
    part = n.height()
    assert 1000 < part < 4312
    n.stop()
    import_and_end(n, src)
    check_mainnet(n)
    n.stop()


def test_flipped_bits_then_whole(env):
    def flip(d):
        for at in (200000, 400000, 400100, 700001):
            d[at] ^= 0x10
        return d
    path, src = damaged(env, "flipped.dat", flip)
    n = env.offline(chain="main", args=FULL)
    import_and_end(n, path)
    part = n.height()
    assert 0 < part < 4312
    n.stop()
    # The damaged copies are not held against the good ones.
    import_and_end(n, src)
    check_mainnet(n)
    n.stop()


def test_garbage_between_blocks(env):
    def garbage(d):
        out, magic = bytearray(b"\x00" * 99), bytes(d[:4])
        for i, raw in enumerate(block_file(env.vectors(
                "chains", "mainnet-0-4312.blk00000.dat"))):
            out += magic + len(raw).to_bytes(4, "little") + raw
            if i % 500 == 3:
                out += os.urandom(1000) + magic + b"\xff\xff\xff\x7f"
            if i % 700 == 5:
                out += magic + (300).to_bytes(4, "little")
        return out
    path, _ = damaged(env, "garbage.dat", garbage)
    n = env.offline(chain="main", args=FULL)
    import_and_end(n, path)
    check_mainnet(n)
    n.stop()


def test_blocks_out_of_order(env):
    def shuffle(d):
        raws = list(block_file(env.vectors(
            "chains", "mainnet-0-4312.blk00000.dat")))
        out, magic = bytearray(), bytes(d[:4])
        for at in range(0, len(raws), 50):
            for raw in reversed(raws[at:at + 50]):
                out += magic + len(raw).to_bytes(4, "little") + raw
        return out
    path, _ = damaged(env, "shuffled.dat", shuffle)
    n = env.offline(chain="main", args=FULL)
    import_and_end(n, path)
    check_mainnet(n)
    n.stop()


def test_killed_while_importing(env):
    path = env.vectors("chains", "mainnet-0-4312.blk00000.dat")
    n = env.offline(chain="main", args=FULL)
    for delay in (0.02, 0.05, 0.08, 0.12):
        n.start("-loadblock=" + path, wait=False)
        try:
            n.proc.wait(delay)
        except subprocess.TimeoutExpired:
            pass
        n.kill()
    import_and_end(n, path)
    check_mainnet(n)
    n.stop()


def test_rpc_answers_while_importing(env):
    path = env.vectors("chains", "mainnet-0-4312.blk00000.dat")
    n = env.offline(chain="main", args=FULL)
    n.start("-loadblock=" + path)
    heights = [n.height() for _ in range(50)]
    assert heights == sorted(heights)
    imported(n)
    assert n.height() == 4312
    n.stop()
