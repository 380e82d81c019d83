"""conf/cloisterd.service: strict enough, and not too strict for what the
programs do."""

import glob
import os
import re
import shutil
import subprocess

from harness.regtest import mine

HERE = os.path.dirname(os.path.abspath(__file__))
NEEDED_BY_WALLS = """unshare prctl capset seccomp landlock_create_ruleset
    landlock_add_rule landlock_restrict_self prlimit64 execve clone
    socketpair""".split()


def unit(env):
    return os.path.join(env.srcdir, "conf", "cloisterd.service")


def analyze(env, *args):
    if not shutil.which("systemd-analyze"):
        env.skip("systemd-analyze is not installed")
    return subprocess.run(["systemd-analyze"] + list(args),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)


def test_threat_model_names_real_tests(env):
    tests = set()
    for path in glob.glob(os.path.join(HERE, "[a-z]*_*.py")):
        area = os.path.basename(path)[:-3]
        tests.add(area)
        with open(path) as f:
            tests |= {area + "." + t for t in
                      re.findall(r"^def (test_\w+)", f.read(), re.M)}
    with open(os.path.join(env.srcdir, "docs", "threat-model.md")) as f:
        text = f.read()
    named = re.findall(r"`([a-z0-9_]*\.test_\w+)`", text)
    assert len(named) > 10
    for path in re.findall(
            r"`((?:tests/(?:unit|lint|fuzz)|docs|src|conf)/[\w/.-]+)`", text):
        assert os.path.exists(os.path.join(env.srcdir, path)), path
    with open(os.path.join(env.srcdir, "tests", "unit",
                           "test_p2p_links.c")) as f:
        links = set(re.findall(r"^static void (\w+)\(void", f.read(), re.M))
    told = set(re.findall(r"`([a-z]+(?:_[a-z]+){3,})`", text))
    assert len(told & links) >= 8 and told <= links, told - links
    area = ""
    for name in named:
        area = name.split(".")[0] or area
        full = area + "." + name.split(".")[1]
        assert full in tests, full


def test_exposure(env):
    r = analyze(env, "security", "--offline=true", unit(env))
    m = re.search(r"Overall exposure level for cloisterd.service: ([0-9.]+)",
                  r.stdout)
    if not m:
        env.skip("this systemd-analyze cannot do it: %s" % r.stdout[-200:])
    assert float(m.group(1)) < 2.0, r.stdout


class Filter:
    """SystemCallFilter= spelled out."""

    def __init__(self, env):
        self.env, self.groups, self.allowed = env, {}, set()
        with open(unit(env)) as f:
            for line in f:
                if line.startswith("SystemCallFilter="):
                    self.apply(line.strip().split("=", 1)[1])

    def apply(self, value):
        calls = set()
        for word in value.lstrip("~").split():
            calls |= self.expand(word)
        if value.startswith("~"):
            self.allowed -= calls
        else:
            self.allowed |= calls

    def expand(self, name):
        if not name.startswith("@"):
            return {name}
        if name not in self.groups:
            out = set()
            text = analyze(self.env, "syscall-filter", name).stdout
            for line in text.splitlines()[1:]:
                word = line.strip()
                if word and not word.startswith("#"):
                    out |= self.expand(word)
            assert out, (name, text)
            self.groups[name] = out
        return self.groups[name]


def test_filter_lets_the_walls_be_raised(env):
    f = Filter(env)
    missing = [c for c in NEEDED_BY_WALLS if c not in f.allowed]
    assert not missing, missing
    for never in ("mount", "bpf", "init_module", "reboot", "keyctl",
                  "perf_event_open", "ptrace", "swapon"):
        assert never not in f.allowed, never


def test_filter_lets_the_programs_live(env):
    if not shutil.which("strace"):
        env.skip("strace is not installed")
    with open(os.path.join(env.builddir, "config.status")) as fh:
        if "-fsanitize" in fh.read():
            env.skip("LeakSanitizer does not work under strace")
    f = Filter(env)
    trace = os.path.join(env.dir, "trace")
    n = env.offline()
    plain = n.command
    n.command = lambda *x: ["strace", "-D", "-ff", "-qq", "-o",
                            trace] + plain(*x)
    n.start()
    mine(n, 20)
    n.stop()
    seen = set()
    for path in glob.glob(trace + ".*"):
        with open(path, errors="replace") as fh:
            seen |= set(re.findall(r"^(\w+)\(", fh.read(), re.M))
    assert {"execve", "seccomp", "fdatasync", "accept4"} <= seen
    assert seen <= f.allowed, sorted(seen - f.allowed)
