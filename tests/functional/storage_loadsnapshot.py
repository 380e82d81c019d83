"""Starting from a snapshot of the coins: usable at once, its history
validated behind, and refused with the reason where it is not right."""

import os
import random
import time

from chain_import import FULL, MAIN_MUHASH, MAIN_SERIALIZED, MAIN_TIP
from harness.node import wait_until
from harness.primitives import rev
from harness.regtest import mine, mine_with_spends
from storage_prune import error
from storage_snapshot import dump_dir, read

MAIN_KNOWN = "-testsnapshot=4312:%s:%s:4371" % (MAIN_TIP, MAIN_SERIALIZED)


def known(dump):
    return "-testsnapshot=%d:%s:%s:%d" % (
        dump["base_height"], dump["base_hash"], dump["txoutset_hash"],
        dump["nchaintx"])


def give(n, data, name="utxo.dat"):
    os.makedirs(dump_dir(n), exist_ok=True)
    with open(os.path.join(dump_dir(n), name), "wb") as f:
        f.write(data)
    return name


def submit_headers(n, headers):
    for h in headers:
        n.rpc.submitheader(h.hex())


def main_headers(env):
    raw = read(env.vectors("headers", "mainnet-0-10236.raw"))
    return [raw[80 * i:80 * i + 80] for i in range(1, 4313)]


def headers_of(n, top):
    return [bytes.fromhex(n.rpc.getblockheader(n.rpc.getblockhash(h), False))
            for h in range(1, top + 1)]


def refused(n, name, words):
    code, text = error(n.rpc.loadtxoutset, name)
    path = os.path.join(dump_dir(n), name)
    assert code == -32603, (code, text)
    assert text == "Unable to load UTXO snapshot: %s. (%s)" % (words, path) \
        or words in text, text
    # Nothing of it stays.
    assert not os.path.exists(os.path.join(n.chaindir, "chainstate",
                                           "snapshot"))
    assert len(n.rpc.getchainstates()["chainstates"]) == 1


def proven(n):
    wait_until(lambda: "the snapshot was right" in n.log(),
               text="history is validated: %s" % n.rpc.getchainstates())


def test_the_reference_nodes_file(env):
    good = read(env.vectors("coredir", "utxo4312.dat"))
    n = env.offline(chain="main", args=FULL + [MAIN_KNOWN]).start()
    give(n, good)
    refused(n, "utxo.dat", "The base block header (%s) must appear in the "
            "headers chain. Make sure all headers are syncing, and call "
            "loadtxoutset again" % MAIN_TIP)
    submit_headers(n, main_headers(env))
    assert n.height() == 0

    # Cut short, too long, changed, of another kind.
    rng = random.Random(7)
    for cut in [60, len(good) - 1] + [rng.randrange(52, len(good))
                                      for _ in range(4)]:
        refused(n, give(n, good[:cut], "cut.dat"),
                "Bad snapshot format or truncated snapshot after "
                "deserializing")
    refused(n, give(n, good + b"\0", "long.dat"),
            "Bad snapshot - coins left over after deserializing 4149 coins")
    changed = bytearray(good)
    changed[51 + 32 + 1 + 1 + 1] ^= 1      # the first coin's amount
    refused(n, give(n, bytes(changed), "changed.dat"),
            "Bad snapshot content hash: expected %s, got " % MAIN_SERIALIZED)
    refused(n, give(n, b"nothing" * 20, "none.dat"),
            "Invalid UTXO set snapshot magic bytes. Please check if this is "
            "indeed a snapshot file or if you are using an outdated snapshot "
            "format.")
    refused(n, give(n, good[:5] + b"\1\0" + good[7:], "old.dat"),
            "Version of snapshot 1 does not match any of the supported "
            "versions.")
    refused(n, give(n, good[:7] + b"\xfa\xbf\xb5\xda" + good[11:],
                    "regtest.dat"), "another network")
    refused(n, give(n, good[:11] + bytes(32) + good[43:], "zero.dat"),
            "assumeutxo block hash in snapshot metadata not recognized "
            "(hash: %s). The following snapshot heights are available: "
            "840000, 880000, 910000, 935000, 4312" % ("00" * 32))
    code, text = error(n.rpc.loadtxoutset, "missing.dat")
    assert code == -8 and "Couldn't open file" in text, text
    assert n.height() == 0

    r = n.rpc.loadtxoutset("utxo.dat")
    assert r == {"coins_loaded": 4149, "tip_hash": MAIN_TIP,
                 "base_height": 4312,
                 "path": os.path.join(dump_dir(n), "utxo.dat")}, r

    def stands_there():
        wait_until(lambda: n.height() == 4312)
        assert n.rpc.gettxoutsetinfo()["hash_serialized_3"] == \
            MAIN_SERIALIZED
        assert n.muhash() == MAIN_MUHASH

    stands_there()
    states = n.rpc.getchainstates()
    assert states["headers"] == 4312
    back, front = states["chainstates"]
    assert (back["blocks"], back["validated"]) == (0, True), states
    assert (front["blocks"], front["validated"]) == (4312, False), states
    assert front["snapshot_blockhash"] == MAIN_TIP
    code, text = error(n.rpc.loadtxoutset, "utxo.dat")
    assert "Can't activate a snapshot-based chainstate more than once" in text
    code, text = error(n.rpc.invalidateblock, n.rpc.getblockhash(4000))
    assert "stands on a snapshot" in text, text
    n.restart()
    stands_there()
    n.kill()
    n.start()
    stands_there()

    # The blocks come, out of the blue, with crashes in between.
    path = env.vectors("chains", "mainnet-0-4312.blk00000.dat")
    n.stop()
    for _ in range(5):
        n.start("-loadblock=" + path, wait=False)
        time.sleep(rng.uniform(0.05, 0.3))
        n.kill()
    n.start("-loadblock=" + path)
    proven(n)
    stands_there()
    assert [s["validated"] for s in n.rpc.getchainstates()["chainstates"]] \
        == [True]
    n.restart()
    stands_there()
    assert n.rpc.verifychain(4, 100) is True
    n.restart("-reindex-chainstate")
    wait_until(lambda: n.height() == 4312)
    assert n.muhash() == MAIN_MUHASH
    assert not os.path.exists(os.path.join(n.chaindir, "chainstate",
                                           "snapshot"))
    n.stop()


def test_from_a_peer(env):
    a = env.plain("a").start()
    mine_with_spends(a, 150)
    dump = a.rpc.dumptxoutset("utxo.dat", "latest")
    data = read(dump["path"])
    mine_with_spends(a, 60)
    b = env.plain("b", args=[known(dump)]).start()
    submit_headers(b, headers_of(a, 210))
    b.rpc.loadtxoutset(give(b, data))
    assert b.height() == 150
    # It pays to go on at once: new blocks need no history.
    b.rpc.addnode("127.0.0.1:%d" % a.p2p_port, "onetry")
    b.wait_tip(a.tip())
    proven(b)
    assert b.muhash() == a.muhash()
    for h in (1, 75, 150, 210):
        b.rpc.getblock(b.rpc.getblockhash(h), 3)
    mine(a, 2)
    b.wait_tip(a.tip())
    b.restart("-txindex", "-coinstatsindex")
    wait_until(lambda: all(
        i["synced"] for i in b.rpc.getindexinfo().values()))
    assert b.rpc.verifychain(4, 0) is True
    a.stop()
    b.stop()


def test_a_snapshot_that_history_disproves(env):
    """Its coins are other than those of its block, and somebody vouched for
    them."""
    a = env.plain("a").start()
    mine(a, 120)
    x = env.offline("x").start()
    x.rpc.generatetodescriptor(120, "raw(52)")
    dump = x.rpc.dumptxoutset("utxo.dat", "latest")
    data = read(dump["path"])
    x.stop()
    data = data[:11] + rev(a.tip()) + data[43:]
    b = env.plain("b", args=[known(dict(dump, base_hash=a.tip()))]).start()
    submit_headers(b, headers_of(a, 120))
    b.rpc.loadtxoutset(give(b, data))
    assert b.height() == 120
    b.rpc.addnode("127.0.0.1:%d" % a.p2p_port, "onetry")
    assert b.wait_exit(60) == 1
    assert "the snapshot of the coins does not follow from the chain's " \
        "history (expected " in b.stderr(), b.stderr()
    b.start()
    assert len(b.rpc.getchainstates()["chainstates"]) == 1
    b.wait_tip(a.tip())
    assert b.muhash() == a.muhash()
    assert b.rpc.verifychain(4, 0) is True
    a.stop()
    b.stop()
