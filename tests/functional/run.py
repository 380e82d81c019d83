#!/usr/bin/env python3
"""Run the functional tests: real daemons, and one private Tor network for
those that need it.  Everything happens in a network namespace of its own with
nothing but loopback, where the system allows one.

usage: run.py [--jobs N] [--keep] [--list] [AREA_behaviour[.test_name] ...]

A test file holds functions test_*(env); `TOR = True` in it asks for the Tor
network, `SLOW = True` leaves it to --full, `TIMEOUT` is in seconds for the
whole file.  Prints one line per test and a summary.  Exit status 0 if nothing failed.
"""

import argparse
import glob
import importlib.util
import os
import subprocess
import sys
import tempfile
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from harness.env import Env, Skip          # noqa: E402
from harness.netns import own_namespace    # noqa: E402
from harness.node import Node              # noqa: E402
from harness.tornet import TorNet          # noqa: E402

FILE_TIMEOUT = 900


def load(path):
    name = os.path.basename(path)[:-3]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tests_of(module, only):
    names = [n for n in vars(module) if n.startswith("test_")]
    return [n for n in names if not only or n in only]


def run_file(path, only, torrc, keep):
    """Child process: run one file's tests, a line for each."""
    module = load(path)
    area = os.path.basename(path)[:-3]
    status = 0
    for name in tests_of(module, only):
        started = time.time()
        env = Env(torrc)
        try:
            getattr(module, name)(env)
            verdict, detail = "PASS", ""
        except Skip as e:
            verdict, detail = "SKIP", " (%s)" % e
        except BaseException:
            verdict, detail = "FAIL", ""
            status = 1
            traceback.print_exc(file=sys.stdout)
            for n in env.nodes:
                print("--- %s stderr: %s" % (n.name, n.stderr()))
                print("--- %s log: %s" % (n.name, n.log()[-4000:]))
        env.cleanup(keep and verdict == "FAIL")
        print("%s %s.%s %.1f s%s" % (verdict, area, name,
                                     time.time() - started, detail),
              flush=True)
    return status


class Runner:
    def __init__(self, files, only, keep):
        self.queue = list(files)
        self.only = only
        self.keep = keep
        self.lock = threading.Lock()
        self.count = {"PASS": 0, "FAIL": 0, "SKIP": 0}
        self.torrc = None
        self.tor_ready = threading.Event()

    def take(self):
        with self.lock:
            return self.queue.pop(0) if self.queue else None

    def work(self, slot):
        while True:
            item = self.take()
            if not item:
                return
            path, wants_tor, timeout = item
            if wants_tor:
                self.tor_ready.wait()
            self.run_one(path, slot, wants_tor, timeout)

    def run_one(self, path, slot, wants_tor, timeout):
        cmd = [sys.executable, os.path.abspath(__file__), "--child", path]
        if wants_tor and self.torrc:
            cmd += ["--torrc", self.torrc]
        if self.keep:
            cmd += ["--keep"]
        area = os.path.basename(path)[:-3]
        for o in self.only.get(area, ()):
            cmd += ["--only", o]
        env = dict(os.environ, CLOISTER_TEST_SLOT=str(slot))
        p = subprocess.Popen(cmd, stdout=subprocess.PIPE, text=True,
                             stderr=subprocess.STDOUT, env=env)
        timer = threading.Timer(timeout, p.terminate)
        timer.start()
        seen = 0
        for line in p.stdout:
            with self.lock:
                print(line, end="", flush=True)
                word = line.split(" ", 1)[0]
                if word in self.count:
                    self.count[word] += 1
                    seen += 1
        timer.cancel()
        if p.wait() not in (0, 1) or not seen:
            with self.lock:
                print("FAIL %s: the file ended with status %d after %d tests"
                      % (area, p.returncode, seen), flush=True)
                self.count["FAIL"] += 1

    def start_tor(self, base):
        try:
            started = time.time()
            net = TorNet(base).start()
            self.torrc = net.torrc
            print("Tor test network ready in %.1f s"
                  % (time.time() - started), flush=True)
            return net
        except Exception as e:
            print("FAIL tornet: the Tor test network did not start: %s" % e,
                  flush=True)
            self.count["FAIL"] += 1
            return None
        finally:
            self.tor_ready.set()


def choose(args):
    only, files = {}, []
    for path in sorted(glob.glob(os.path.join(HERE, "[a-z]*_*.py"))):
        area = os.path.basename(path)[:-3]
        wanted = [n for n in args.names if n.split(".")[0] == area]
        if args.names and not wanted:
            continue
        only[area] = [n.split(".")[1] for n in wanted if "." in n]
        module = load(path)
        if getattr(module, "SLOW", False) and not (args.full or wanted):
            continue
        if args.list:
            for n in tests_of(module, only[area]):
                print("%s.%s" % (area, n))
            continue
        files.append((path, getattr(module, "TOR", False),
                      getattr(module, "TIMEOUT", FILE_TIMEOUT)))
    # Those that need Tor go last: the network starts meanwhile.
    files.sort(key=lambda f: f[1])
    return files, only


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    ap.add_argument("names", nargs="*")
    ap.add_argument("--jobs", type=int, default=2)
    ap.add_argument("--keep", action="store_true",
                    help="keep the directories of failed tests")
    ap.add_argument("--full", action="store_true",
                    help="run the slow ones too")
    ap.add_argument("--list", action="store_true")
    ap.add_argument("--child", help=argparse.SUPPRESS)
    ap.add_argument("--only", action="append", help=argparse.SUPPRESS)
    ap.add_argument("--torrc", help=argparse.SUPPRESS)
    args = ap.parse_args()
    if args.child:
        slot = int(os.environ.get("CLOISTER_TEST_SLOT", "0"))
        Node.PLAIN_PORT += 300 * slot
        sys.exit(run_file(args.child, args.only, args.torrc, args.keep))
    files, only = choose(args)
    if args.list:
        return 0
    if not files:
        print("no such test; --list names them all")
        return 2
    own_namespace()
    runner = Runner(files, only, args.keep)
    net = None
    with tempfile.TemporaryDirectory(prefix="cl-tor-") as base:
        threads = [threading.Thread(target=runner.work, args=(i,))
                   for i in range(args.jobs)]
        for t in threads:
            t.start()
        if any(f[1] for f in files):
            net = runner.start_tor(os.path.join(base, "net"))
        for t in threads:
            t.join()
        if net:
            net.stop()
    c = runner.count
    print("functional: %d passed, %d failed, %d skipped"
          % (c["PASS"], c["FAIL"], c["SKIP"]), flush=True)
    return 1 if c["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())
