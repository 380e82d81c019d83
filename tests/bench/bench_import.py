#!/usr/bin/env python3
"""Measure the import of generated chains: time, memory, disk, latency.

    bench_import.py [WHAT ...] [--runs N] [--scale N] [--first] [--json FILE]

WHAT (default: all of them)
    sig        every signature checked, dbcache 450
    nosig      no signatures: hashing and coins, dbcache 450
    small      the same with dbcache 4, maxmempool 5
    latency    getblockcount asked every 5 ms while sig and nosig run
    day        144 blocks of 2000 transactions, all seen before, arrive at
               the tip, with a flush after each sixth
    memory     peak memory over dbcache, four times the coins
    growth     nosig with 1, 4 and 16 times the coins, which do not fit
    headers    a start with a million headers

Times are compared with T, the time of one ECDSA verification on one thread,
taken by bench_verify right before and after each run.  Needs the programs of
`make bench-programs`; CLOISTER_BUILD names the build directory.  Generated
chains are kept in $TMPDIR/cloister-bench (or /tmp/cloister-bench).
"""

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "functional"))

from harness.node import builddir  # noqa: E402
from harness.rpc import Rpc, RpcError, UnixConnection  # noqa: E402

CORES = 2
CHAIN_OF = {"sig": "sig", "nosig": "nosig", "small": "nosig"}
OTHERS = ["latency", "day", "memory", "growth", "headers"]
ALL = list(CHAIN_OF) + OTHERS
CACHE_OF = {"sig": ["-dbcache=450"], "nosig": ["-dbcache=450"],
            "small": ["-dbcache=4", "-maxmempool=5"]}
# A coin's key and value, on average.
COIN_BYTES = {"sig": 66, "nosig": 50}
MIB = 1 << 20


def program(name):
    path = os.path.join(builddir(), "tests", "bench", name)
    if not os.path.exists(path):
        sys.exit("%s is missing: make bench-programs" % path)
    return path


def keep_dir():
    path = os.path.join(tempfile.gettempdir(), "cloister-bench")
    os.makedirs(path, exist_ok=True)
    return path


def chain_file(kind, scale):
    """The generated chain and what it holds; made anew only when the
    generator has changed."""
    h = hashlib.sha256()
    for name in ("bench_chain.c", "bench_coin.c"):
        with open(os.path.join(HERE, name), "rb") as f:
            h.update(f.read())
    stamp = h.hexdigest()[:12]
    base = os.path.join(keep_dir(), "%s-%d" % (kind, scale))
    path, facts = base + ".dat", base + ".json"
    try:
        with open(facts) as f:
            known = json.load(f)
        if known["stamp"] == stamp and \
                os.path.getsize(path) == known["bytes"]:
            return path, known
    except (OSError, ValueError, KeyError):
        pass
    print("making %s" % path, file=sys.stderr)
    out = subprocess.run([program("bench_chain"), kind, path, str(scale)],
                         stdout=subprocess.PIPE, check=True).stdout
    known = dict(json.loads(out), stamp=stamp)
    with open(facts, "w") as f:
        json.dump(known, f)
    return path, known


def verify_times():
    out = subprocess.run([program("bench_verify"), "5"],
                         stdout=subprocess.PIPE, check=True).stdout
    return json.loads(out)


def write_bytes(name="write_bytes:"):
    """Of this process and of all the children it has waited for."""
    with open("/proc/self/io") as f:
        for line in f:
            if line.startswith(name):
                return int(line.split()[1])
    raise RuntimeError("/proc/self/io has no " + name)


def cancelled_bytes():
    """Written to files that were removed before they reached the disk."""
    return write_bytes("cancelled_write_bytes:")


def useful_bytes(chaindir, facts):
    """Blocks, undo data, and each coin of the end once."""
    blocks = os.path.join(chaindir, "blocks")
    sizes = [os.path.getsize(os.path.join(blocks, name))
             for name in os.listdir(blocks) if name.endswith(".dat")]
    return sum(sizes) + facts["coins"] * COIN_BYTES[facts["kind"]]


def go_first():
    """On a machine with other work: ahead of it."""
    try:
        os.setsid()
    except OSError:
        pass                             # leads its group already
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -20)
        with open("/proc/self/autogroup", "w") as f:
            f.write("-20")
    except OSError as e:
        sys.exit("--first: %s" % e)


class Prober(threading.Thread):
    """Asks getblockcount every 5 ms over one connection to the socket."""

    STEP = 0.005

    def __init__(self, chaindir):
        super().__init__(daemon=True)
        self.dir = chaindir
        self.stop = False
        self.ms = []
        self.heights = []

    def connect(self):
        rpc = Rpc(os.path.join(self.dir, ".cookie"))
        self.head = {"Content-Type": "application/json",
                     "Authorization": rpc.auth()}
        return UnixConnection(os.path.join(self.dir, "run", "rpc.sock"), 60)

    def ask(self, conn):
        conn.request("POST", "/", b'{"id":1,"method":"getblockcount"}',
                     self.head)
        return json.loads(conn.getresponse().read())

    def run(self):
        conn = None
        while not self.stop:
            start = time.perf_counter()
            try:
                conn = conn or self.connect()
                answer = self.ask(conn)
            except (OSError, ValueError, RpcError, RuntimeError):
                conn = None              # not up yet, or going down
                time.sleep(self.STEP)
                continue
            except Exception:            # http.client's own
                conn = None
                continue
            took = time.perf_counter() - start
            if answer.get("error") is None:
                self.ms.append(1000 * took)
                self.heights.append(answer["result"])
            time.sleep(max(0, self.STEP - took))


def import_once(path, cache, facts, probe=False):
    """One import into a fresh directory, to the end of the process."""
    base = tempfile.mkdtemp(prefix="cloister-bench-")
    chaindir = os.path.join(base, "regtest")
    prober = Prober(chaindir) if probe else None
    command = [os.path.join(builddir(), "src", "cloisterd"),
               "-datadir=" + base, "-regtest", "-connect=0", "-listen=0",
               "-rpcbind=0", "-loadblock=" + path, "-stopafterblockimport",
               "-par=%d" % CORES, "-assumevalid=0"] + cache
    try:
        written, cancelled = write_bytes(), cancelled_bytes()
        start = time.perf_counter()
        proc = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        if prober:
            prober.start()
        _, status, use = os.wait4(proc.pid, 0)
        wall = time.perf_counter() - start
        proc.returncode = os.waitstatus_to_exitcode(status)
        if prober:
            prober.stop = True
            prober.join()
        with open(os.path.join(chaindir, "debug.log")) as f:
            log = f.read()
        if proc.returncode:
            sys.exit("cloisterd ended with %d:\n%s" % (proc.returncode,
                                                       log[-2000:]))
        return {"wall": wall, "user": use.ru_utime, "sys": use.ru_stime,
                "rss": use.ru_maxrss * 1024,
                "written": write_bytes() - written,
                "cancelled": cancelled_bytes() - cancelled,
                "useful": useful_bytes(chaindir, facts), "log": log,
                "ms": prober.ms if prober else []}
    finally:
        shutil.rmtree(base, ignore_errors=True)


def check_complete(run, facts):
    want = "height=%d, %d blocks new, 0 known, 0 bad" % (facts["blocks"],
                                                         facts["blocks"])
    if want not in run["log"]:
        sys.exit("the import is not complete:\n" + run["log"][-2000:])


def measure(what, scale, cache=None):
    path, facts = chain_file(CHAIN_OF[what], scale)
    before = verify_times()
    run = import_once(path, cache or CACHE_OF[what], facts)
    after = verify_times()
    check_complete(run, facts)
    run["T"] = (before["ecdsa_us"] + after["ecdsa_us"]) / 2
    run["Ts"] = (before["schnorr_us"] + after["schnorr_us"]) / 2
    run["cpu"] = run["user"] + run["sys"]
    checks = facts["ecdsa"] + facts["schnorr"]
    if checks:
        run["limit"] = checks * run["T"] * 1e-6 / CORES
        run["wall_ratio"] = run["wall"] / run["limit"]
        run["cpu_ratio"] = run["cpu"] / run["limit"] / CORES
    per = 1e6 / facts["inputs"] / run["T"]
    run["input_wall"] = run["wall"] * per
    run["input_cpu"] = run["cpu"] * per
    run["busy"] = run["cpu"] / run["wall"]
    del run["log"], run["ms"]
    return run, facts


def middle(runs):
    return {k: statistics.median(r[k] for r in runs) for k in runs[0]}


def report(what, runs, facts):
    m = middle(runs)
    print("%s: %d blocks, %d txs, %d inputs, %d outputs, %.1f MB; %s; "
          "median of %d" % (what, facts["blocks"], facts["txs"],
                            facts["inputs"], facts["outputs"],
                            facts["bytes"] / 1e6, " ".join(CACHE_OF[what]),
                            len(runs)))
    print("  wall %.2f s (%s), user %.2f s, sys %.2f s, cores busy %.2f" % (
        m["wall"], " ".join("%.2f" % r["wall"] for r in runs), m["user"],
        m["sys"], m["busy"]))
    print("  %.0f blocks/s, %.0f txs/s, %.0f inputs/s" % (
        facts["blocks"] / m["wall"], facts["txs"] / m["wall"],
        facts["inputs"] / m["wall"]))
    print("  peak memory %.1f MB, written %.1f MB (%.1f MB of it removed "
          "before it reached the disk), %.2f x what is useful" % (
              m["rss"] / 1e6, m["written"] / 1e6, m["cancelled"] / 1e6,
              m["written"] / m["useful"]))
    print("  T %.2f us (ECDSA), %.2f us (Schnorr)" % (m["T"], m["Ts"]))
    if "limit" in m:
        print("  limit %.2f s (%d + %d verifications x T / %d): wall %.3f x, "
              "CPU %.3f x" % (m["limit"], facts["ecdsa"], facts["schnorr"],
                              CORES, m["wall_ratio"], m["cpu_ratio"]))
    else:
        print("  per input: wall %.4f T, CPU %.4f T" % (m["input_wall"],
                                                       m["input_cpu"]))
    return m


def report_latency(scale, n):
    out = {}
    for what in ("sig", "nosig"):
        path, facts = chain_file(CHAIN_OF[what], scale)
        ms = []
        for _ in range(n):
            run = import_once(path, CACHE_OF[what], facts, probe=True)
            check_complete(run, facts)
            ms += run["ms"]
        ms.sort()
        if not ms:
            sys.exit("latency: not one answer while importing %s" % what)
        out[what] = {"n": len(ms), "p50": ms[len(ms) // 2],
                     "p99": ms[len(ms) * 99 // 100], "max": ms[-1]}
        print("latency of getblockcount during %s: %d answers, p50 %.2f ms, "
              "p99 %.2f ms, max %.2f ms" % (what, len(ms), out[what]["p50"],
                                            out[what]["p99"],
                                            out[what]["max"]))
    return out


def run_json(*command):
    out = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return json.loads(out)


def report_day(n):
    """Time of blocks whose scripts are known, and bytes written."""
    path, facts = chain_file("day", 1)
    runs = []
    for _ in range(n):
        before = verify_times()
        with tempfile.TemporaryDirectory(prefix="cloister-bench-") as base:
            run = run_json(program("bench_day"), path, str(facts["blocks"]),
                           base)
        after = verify_times()
        run["T"] = (before["ecdsa_us"] + after["ecdsa_us"]) / 2
        run["ratio"] = run["us_per_tx"] / run["T"]
        run["wear"] = run["written"] / run["useful"]
        runs.append(run)
    m = middle(runs)
    print("day: 144 blocks of 2000 txs; median of %d" % n)
    print("  a block of known transactions: %.2f us per transaction, %.3f T "
          "(%s)" % (m["us_per_tx"], m["ratio"],
                    " ".join("%.3f" % r["ratio"] for r in runs)))
    print("  written %.1f MB, useful %.1f MB: %.2f x" % (
        m["written"] / 1e6, m["useful"] / 1e6, m["wear"]))
    return {"runs": runs, "median": m}


def report_memory():
    """What a larger cache costs, and what stands beside it."""
    out = []
    print("memory: nosig, 4 x the coins")
    for mib in (40, 80, 120, 160, 200):
        cache = ["-dbcache=%d" % mib, "-maxmempool=5"]
        run, _ = measure("nosig", 4, cache)
        first = out[0] if out else None
        out.append({"mib": mib, "rss": run["rss"],
                    "written": run["written"] / run["useful"]})
        print("  dbcache %3d MiB (%.0f MB): peak %.1f MB%s; written %.2f x "
              "what is useful" % (
                  mib, mib * MIB / 1e6, run["rss"] / 1e6,
                  ", %.2f x as much more as asked for" % (
                      (run["rss"] - first["rss"]) / MIB /
                      (mib - first["mib"])) if first else "",
                  out[-1]["written"]))
    return out


def report_growth(n):
    """Time per input as the coins outgrow the cache."""
    out = []
    print("growth: nosig, -dbcache=100 (the coins of 4 x need 250 MB); "
          "median of %d" % n)
    for scale in (1, 4, 16):
        runs = []
        for _ in range(n):
            run, facts = measure("nosig", scale, ["-dbcache=100"])
            runs.append(run)
        m = middle(runs)
        out.append({"scale": scale, "median": m})
        print("  %2d x: %d coins, wall %.1f s, per input wall %.4f T, CPU "
              "%.4f T; peak %.1f MB; written %.0f MB, %.2f x what is "
              "useful" % (scale, facts["coins"], m["wall"], m["input_wall"],
                          m["input_cpu"], m["rss"] / 1e6, m["written"] / 1e6,
                          m["written"] / m["useful"]))
    return out


def report_headers(n):
    with tempfile.TemporaryDirectory(prefix="cloister-bench-") as base:
        made = run_json(program("bench_headers"), "make", base, "1000000")
        runs = [run_json(program("bench_headers"), "open", base)
                for _ in range(n)]
    m = middle(runs)
    print("headers: a start with 1,000,000: %.2f s, CPU %.2f s, peak memory "
          "%.1f MB; median of %d (taking them: CPU %.2f s with mining)" % (
              m["wall"], m["cpu"], m["rss"] / 1e6, n, made["cpu"]))
    return {"runs": runs, "median": m}


def main():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("what", nargs="*", metavar="WHAT",
                   help=", ".join(ALL))
    p.add_argument("--runs", type=int, default=3, metavar="N")
    p.add_argument("--scale", type=int, default=1, metavar="N",
                   help="coins and traffic times N")
    p.add_argument("--first", action="store_true",
                   help="take the processors before others do (root)")
    p.add_argument("--json", metavar="FILE", help="also write all there")
    a = p.parse_args()
    if a.first:
        go_first()
    what = a.what or ALL
    for w in what:
        if w not in ALL:
            p.error("%s is none of %s" % (w, ", ".join(ALL)))
    print("load %.2f %.2f %.2f before" % os.getloadavg())
    reports = {"latency": lambda: report_latency(a.scale, a.runs),
               "day": lambda: report_day(a.runs),
               "memory": report_memory,
               "growth": lambda: report_growth(1),
               "headers": lambda: report_headers(a.runs)}
    out = {}
    for w in what:
        if w in reports:
            out[w] = reports[w]()
            continue
        runs = []
        for _ in range(a.runs):
            run, facts = measure(w, a.scale)
            runs.append(run)
        out[w] = {"facts": facts, "median": report(w, runs, facts),
                  "runs": runs}
    if "nosig" in out and "small" in out:
        large, small = out["nosig"]["median"], out["small"]["median"]
        print("small cache: wall %.2f x, CPU %.2f x the large one's" % (
            small["wall"] / large["wall"], small["cpu"] / large["cpu"]))
    print("load %.2f %.2f %.2f after" % os.getloadavg())
    if a.json:
        with open(a.json, "w") as f:
            json.dump(out, f, indent=1)


if __name__ == "__main__":
    main()
