"""The walls around a running node: that they are there, that nothing is
missing for it inside them, and what happens where they cannot be raised."""

import json
import os
import pwd
import re
import shutil
import subprocess

from harness.node import wait_until
from harness.regtest import mine, mine_with_spends

WALLS = ("network_namespace", "seccomp", "no_new_privileges",
         "no_capabilities", "core_dumps_off")


def status(pid):
    with open("/proc/%d/status" % pid) as f:
        return dict(line.rstrip("\n").split(":", 1) for line in f)


def field(pid, name):
    return status(pid)[name].split()[0]


def namespace(pid):
    return os.readlink("/proc/%d/ns/net" % pid)


def node_pid(n):
    """The warden's child that runs our program."""
    return n.children()["exe"]


def threads(pid):
    return [int(t) for t in os.listdir("/proc/%d/task" % pid)]


def interfaces(pid):
    """{name: bytes} as the process sees them."""
    with open("/proc/%d/net/dev" % pid) as f:
        rows = [line.split() for line in f.readlines()[2:]]
    return {r[0].rstrip(":"): int(r[1]) + int(r[9]) for r in rows}


def check_node(n):
    pid, warden = node_pid(n), n.proc.pid
    assert namespace(pid) != namespace(warden)
    assert set(interfaces(pid)) <= {"lo", "tunl0", "sit0", "ip6tnl0"}
    assert not any(interfaces(pid).values())
    with open("/proc/%d/net/route" % pid) as f:
        assert len(f.readlines()) <= 1
    for t in threads(pid):
        assert field(t, "Seccomp") == "2"
        assert field(t, "NoNewPrivs") == "1"
        for caps in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
            assert int(field(t, caps), 16) == 0
    assert len(threads(pid)) >= 2
    assert re.search(r"^Max core file size +0 +0 ",
                     open("/proc/%d/limits" % pid).read(), re.M)
    assert field(warden, "Seccomp") == "2"
    assert field(warden, "NoNewPrivs") == "1"


def walled(env, n):
    """The node's answer, or the test is skipped: not all walls here."""
    w = n.rpc.getwalls()
    if w["missing"]:
        n.stop()
        env.skip("this system lacks walls: %s" % w["missing"])
    assert w["mode"] == "strict", w
    for wall in WALLS:
        assert w["node"][wall] is True, w
    assert w["node"]["landlock"] >= 1
    assert w["warden"]["seccomp"] and w["warden"]["no_new_privileges"]
    assert not w["warden"]["network_namespace"]
    assert w["tor"]["landlock"] >= 1 and w["tor"]["no_capabilities"]
    assert "walls: strict" in n.log()
    return w


def test_default_is_all_of_them(env):
    n = env.offline().start()
    w = walled(env, n)
    assert w["uid"] == os.getuid()
    check_node(n)
    # RPC comes through both kinds of inherited listener.
    mine_with_spends(n, 120)
    assert n.rpc.getblockcount() >= 120
    assert n.rpc.getblockchaininfo()["warnings"] in ("", [])
    n.restart()
    check_node(n)
    assert n.rpc.getblockcount() >= 120
    n.stop()
    assert n.stderr() == ""


def test_environment_stays_outside(env):
    n = env.offline(env={"SSH_CONNECTION": "203.0.113.9 22 203.0.113.7 22",
                         "HOME": env.dir}).start()
    with open("/proc/%d/environ" % n.proc.pid) as f:
        assert "203.0.113.7" in f.read()
    try:
        with open("/proc/%d/environ" % node_pid(n)) as f:
            text = f.read()
    except PermissionError:
        n.stop()
        env.skip("only root may look into the node")
    n.stop()
    assert text.startswith("CLOISTER_FDS="), text
    assert "203.0.113" not in text and "HOME" not in text, text


def test_rpc_over_tcp_and_log_rotation(env):
    """What needs files or the machine's network comes from the warden."""
    n = env.offline(args=["-rpcbind=127.0.0.1:19871"])
    n.args = [a for a in n.args]
    n.start()
    walled(env, n)
    r = subprocess.run(
        [os.path.join(env.builddir, "src", "cloister-cli"), "-regtest",
         "-datadir=" + n.datadir, "-rpcport=19871", "getblockcount"],
        stdout=subprocess.PIPE, text=True)
    assert r.stdout.strip() == "0", r
    log = os.path.join(n.chaindir, "debug.log")
    os.rename(log, log + ".1")
    n.proc.send_signal(1)
    wait_until(lambda: os.path.exists(log), 10, text="a new log")
    mine(n, 2)
    wait_until(lambda: "height=2" in n.log(), 10,
               text="the node writes to the new log")
    assert "cannot" not in n.log()
    n.stop()


def test_import_from_elsewhere(env):
    """-loadblock names paths outside the data directory."""
    a = env.offline("a").start()
    walled(env, a)
    mine_with_spends(a, 110)
    tip = a.tip()
    a.stop()
    outside = os.path.join(env.dir, "outside")
    shutil.copytree(os.path.join(a.chaindir, "blocks"), outside)
    b = env.offline("b", args=["-loadblock=" + outside]).start()
    b.wait_tip(tip)
    b.stop()
    one = os.path.join(outside, "blk00000.dat")
    c = env.offline("c", args=["-loadblock=" + one]).start()
    c.wait_tip(tip)
    c.stop()


def test_killed_warden_takes_the_node_along(env):
    n = env.offline().start()
    pid = node_pid(n)
    n.kill()
    wait_until(lambda: not os.path.exists("/proc/%d" % pid), 10,
               text="the node ends with its warden")


def refused(args, *words, runner=(), env=None):
    exe = os.path.join(os.environ.get("CLOISTER_BUILD", "."), "src",
                       "cloisterd")
    r = subprocess.run(list(runner) + [exe] + args, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True, timeout=60,
                       env=env)
    assert r.returncode != 0, r
    for w in words:
        assert w in r.stderr, (w, r.stderr)
    return r.stderr


def test_off_is_for_regtest(env):
    for chain in ("main", "signet", "testnet4"):
        refused(["-datadir=" + env.dir + "/x", "-chain=" + chain,
                 "-walls=off"], "-walls=off works on regtest only")
    refused(["-datadir=" + env.dir + "/x", "-walls=high"], "-walls=high",
            "strict, auto or off")
    refused(["-datadir=" + env.dir + "/x", "-regtest", "-walls=strict",
             "-bind=127.0.0.1"], "exclude each other")
    assert not os.path.exists(env.dir + "/x")
    n = env.offline(args=["-walls=off"]).start()
    w = n.rpc.getwalls()
    assert w["mode"] == "off" and not w["node"]["seccomp"], w
    assert field(node_pid(n), "Seccomp") == "0"
    assert namespace(node_pid(n)) == namespace(n.proc.pid)
    assert "WALLS ARE OFF" in n.log()
    n.stop()


def test_plain_tcp_goes_without(env):
    n = env.plain().start()
    assert n.rpc.getwalls()["mode"] == "off"
    assert "PLAIN TCP" in n.log()
    n.stop()


# ---- users ----

def need_root(env):
    if os.getuid() != 0:
        env.skip("needs root")


def open_dir(env, name, uid):
    """A directory of that user's; all above it may be passed."""
    os.chmod(env.dir, 0o755)
    top = os.path.join(env.dir, name)
    os.makedirs(top)
    os.chown(top, uid, uid)
    return top


class Runner:
    """Makes a node start through another program."""

    def __init__(self, node, *prefix):
        self.node, self.prefix, self.command = node, prefix, node.command
        node.command = lambda *a: list(prefix) + self.command(*a)


UID = 54321
SETPRIV = ("setpriv", "--reuid=%d" % UID, "--regid=%d" % UID,
           "--clear-groups", "--inh-caps=-all", "--bounding-set=-all")


def test_as_an_ordinary_user(env):
    need_root(env)
    n = env.offline("u")
    n.datadir = os.path.join(open_dir(env, "of-user", UID), "data")
    n.chaindir = os.path.join(n.datadir, "regtest")
    n.rpc = type(n.rpc)(os.path.join(n.chaindir, ".cookie"),
                        path=os.path.join(n.chaindir, "run", "rpc.sock"))
    Runner(n, *SETPRIV)
    n.start()
    w = walled(env, n)
    assert w["uid"] == UID
    check_node(n)
    assert os.stat(os.path.join(n.chaindir, "blocks")).st_uid == UID
    mine(n, 3)
    pid = node_pid(n)
    assert namespace(pid) != namespace(n.proc.pid)
    assert os.readlink("/proc/%d/ns/user" % pid) != \
        os.readlink("/proc/%d/ns/user" % n.proc.pid)
    n.kill()
    wait_until(lambda: not os.path.exists("/proc/%d" % pid), 10,
               text="the node ends with its warden")
    n.start()
    assert n.height() <= 3
    n.stop()


def test_user_option(env):
    need_root(env)
    try:
        user = pwd.getpwnam("nobody")
    except KeyError:
        env.skip("there is no user nobody")
    n = env.offline("v", args=["-user=nobody"])
    n.datadir = os.path.join(open_dir(env, "of-nobody", user.pw_uid), "d")
    n.chaindir = os.path.join(n.datadir, "regtest")
    n.rpc = type(n.rpc)(os.path.join(n.chaindir, ".cookie"),
                        path=os.path.join(n.chaindir, "run", "rpc.sock"))
    n.start()
    w = walled(env, n)
    assert w["uid"] == user.pw_uid
    for pid in (n.proc.pid, node_pid(n)):
        assert status(pid)["Uid"].split() == [str(user.pw_uid)] * 4
        assert status(pid)["Gid"].split() == [str(user.pw_gid)] * 4
        assert int(field(pid, "CapEff"), 16) == 0
    check_node(n)
    st = os.stat(n.datadir)
    assert st.st_uid == user.pw_uid and st.st_mode & 0o777 == 0o700
    n.stop()
    # What root has is not taken over silently.
    mine_ = os.path.join(env.dir, "of-root")
    os.makedirs(mine_, 0o700)
    refused(["-datadir=" + mine_ + "/d", "-regtest", "-user=nobody",
             "-connect=0", "-listen=0"], "ermission denied")
    refused(["-datadir=" + env.dir + "/x", "-regtest", "-user=no-such-one"],
            "there is no such user")
    refused(["-datadir=" + env.dir + "/x", "-regtest", "-user=root"],
            "that is root")
    refused(["-regtest", "-user=nobody"], "-user=nobody needs -datadir",
            env=dict(os.environ, HOME=env.dir))


# ---- where there are no user namespaces ----

# A user namespace of its own in which no further ones are allowed.
NO_NAMESPACES = ("unshare", "-Ur", "sh", "-c",
                 "echo 0 >/proc/sys/user/max_user_namespaces && "
                 "echo 0 >/proc/sys/user/max_net_namespaces && exec \"$@\"",
                 "sh")


def test_strict_refuses_and_auto_continues(env):
    r = subprocess.run(list(NO_NAMESPACES) + ["true"],
                       stderr=subprocess.PIPE, text=True)
    if r.returncode:
        env.skip("cannot forbid namespaces here: %s" % r.stderr.strip())
    text = refused(["-datadir=" + os.path.join(env.dir, "s"), "-regtest",
                    "-connect=0", "-listen=0", "-rpcbind=0",
                    "-walls=strict"],
                   "-walls=strict", "network_namespace",
                   "max_user_namespaces is 0", "-walls=auto",
                   runner=NO_NAMESPACES)
    assert text.count("Error:") == 1, text
    # auto, and the default, which does not insist either
    for name, args in (("a", ["-walls=auto"]), ("b", [])):
        n = env.offline(name, args=args)
        Runner(n, *NO_NAMESPACES)
        n.start()
        w = n.rpc.getwalls()
        assert w["mode"] == "auto", w
        assert [m["wall"] for m in w["missing"]] == ["network_namespace"], w
        assert "max_user_namespaces" in w["missing"][0]["why"]
        assert w["node"]["seccomp"] and not w["node"]["network_namespace"]
        assert "the wall network_namespace is missing" in n.log()
        said = json.dumps(n.rpc.getnetworkinfo()["warnings"])
        assert "network_namespace" in said, said
        assert field(node_pid(n), "Seccomp") == "2"
        mine(n, 1)
        n.stop()
