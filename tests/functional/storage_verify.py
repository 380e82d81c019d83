"""verifychain, -checkblocks and -checklevel."""

import os

from harness.regtest import mine_with_spends
from storage_prune import error, refuses_to_start


def damage_undo(n, count):
    """Flip a bit near the end of the undo data."""
    path = os.path.join(n.chaindir, "blocks", "rev00000.dat")
    with open(path, "r+b") as f:
        data = bytearray(f.read())
        data[-count] ^= 1
        f.seek(0)
        f.write(data)


def test_verifychain(env):
    n = env.offline().start()
    mine_with_spends(n, 220)
    for level in range(5):
        assert n.rpc.verifychain(level, 10) is True
    assert n.rpc.verifychain() is True
    assert n.rpc.verifychain(4, 0) is True
    assert n.rpc.verifychain(9, 3) is True, "levels are clamped"
    muhash = n.muhash()
    r = n.cli("verifychain", "4", "20")
    assert r.stdout == "true\n", r
    n.restart("-checkblocks=0", "-checklevel=4")
    assert "verified the newest 220 blocks, level 4" in n.log()
    assert n.muhash() == muhash
    assert error(n.rpc.verifychain, "x")[0] == -3
    n.stop()


def test_damage_is_found(env):
    n = env.offline().start()
    mine_with_spends(n, 220)
    n.stop()
    # Some blocks below the tip: the look at the tip does not see it.
    damage_undo(n, 700)
    n.start("-checkblocks=1")
    assert n.rpc.verifychain(1, 50) is True
    assert n.rpc.verifychain(2, 2) is True
    assert n.rpc.verifychain(2, 50) is False
    assert "wrong checksum" in n.log()
    # A fault found is told, and the node lives on.
    assert n.height() == 220
    n.stop()
    refuses_to_start(n, ["-checkblocks=50"], "Corrupted block database "
                     "detected", "rev00000.dat", "start with -reindex")
    n.start("-checkblocks=50", "-checklevel=1")
    n.restart("-reindex")
    n.wait_height(220)
    assert n.rpc.verifychain(4, 0) is True
    n.stop()


def test_pruned_blocks_are_no_fault(env):
    n = env.offline(args=["-fastprune", "-prune=1"]).start()
    mine_with_spends(n, 700)
    last = n.rpc.pruneblockchain(300)
    assert last > 0
    assert n.rpc.verifychain(4, 700 - last) is True
    # As in the reference node: not all that was asked for was seen.
    assert n.rpc.verifychain(4, 0) is False
    n.restart("-checkblocks=0")
    assert n.height() == 700
    n.stop()
