"""Options, config file, data directory: what a person meets first."""

import os
import stat
import subprocess

from harness.node import builddir


def run(*args, env=None):
    return subprocess.run(
        [os.path.join(builddir(), "src", "cloisterd")] + list(args),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, timeout=30, env=env)


def refused(args, *words):
    r = run(*args)
    assert r.returncode != 0, "accepted: %s" % (args,)
    lines = r.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("Error: "), r.stderr
    for w in words:
        assert w in r.stderr, "%r not in %r" % (w, r.stderr)
    assert r.stdout == "", r.stdout


def test_help_and_version(env):
    r = run("-help")
    assert r.returncode == 0 and r.stderr == ""
    for option in ("-datadir=DIR", "-loadblock=FILE", "-printtoconsole",
                   "-tor=PROGRAM"):
        assert option in r.stdout, option
    assert all(len(line) < 80 for line in r.stdout.splitlines())
    r = run("--version")
    assert r.returncode == 0 and "Cloister version" in r.stdout


def test_mistakes_are_named_and_nothing_is_made(env):
    d = os.path.join(env.dir, "data")
    base = ["-datadir=" + d]
    refused(base + ["-dbcahce=100"], "dbcahce", '"dbcache"')
    refused(base + ["-dbcache=1"], "4 to 1048576")
    refused(base + ["-dbcache=x"], "whole number")
    refused(base + ["-chain=moon"], "moon", "testnet4")
    refused(base + ["-regtest", "-signet"], "regtest", "signet")
    refused(base + ["-conf=none.conf"], "none.conf", "does not exist")
    refused(base + ["stop"], "unexpected argument")
    refused(base + ["-bind=127.0.0.1"], "regtest only")
    refused(base + ["-regtest", "-bind=10.1.2.3"], "loopback")
    refused(base + ["-regtest", "-bind=0.0.0.0"], "loopback")
    refused(base + ["-connect=example.com"], "onion")
    refused(base + ["-connect=127.0.0.1"], "regtest only")
    refused(base + ["-addnode=%s.onion" % ("a" * 56)], "checksum")
    refused(base + ["-regtest", "-addnode=10.1.2.3:8333"], "onion")
    refused(base + ["-rpcbind=0.0.0.0"], "loopback")
    refused(base + ["-rpcbind=192.168.1.1"], "loopback")
    refused(base + ["-rpcuser=a"], "rpcpassword")
    refused(base + ["-assumevalid=xyz"], "block hash")
    refused(base + ["-minimumchainwork=zz"], "hex")
    refused(base + ["-testactivationheight=bip34@5"], "regtest only")
    refused(base + ["-regtest", "-testactivationheight=bip99@5"], "bip34")
    refused(base + ["-stopafterblockimport"], "-loadblock")
    refused(base + ["-torversion=old"], "any")
    refused(base + ["-trustedonly=1", "-connect=0"], "contradict")
    refused(base + ["-trustedonly=1", "-publiconion=1"], "contradict")
    refused(base + ["-publiconion=1", "-listen=0"], "contradict")
    assert not os.path.exists(d), "a refused start made the directory"


def test_config_file(env):
    n = env.offline()
    os.makedirs(n.datadir, mode=0o700)
    conf = os.path.join(n.datadir, "cloister.conf")

    def write(text):
        with open(conf, "w") as f:
            f.write(text)

    write("dbcache=10\n\nlsiten=0\n")
    refused(["-datadir=" + n.datadir, "-regtest"], "cloister.conf:3",
            "lsiten", '"listen"')
    write("[regtset]\n")
    refused(["-datadir=" + n.datadir], "cloister.conf:1", "section")
    write("-listen=0\n")
    refused(["-datadir=" + n.datadir], "without the dash")
    # A chain's section speaks for that chain alone.
    write("debug=rpc\n[regtest]\ndbcache=7\n[main]\ndbcache=8\n")
    n.start()
    assert "dbcache 7 MiB" in n.log()
    n.stop()
    # The command line wins.
    n.start("-dbcache=9")
    assert "dbcache 9 MiB" in n.log()
    n.stop()


def test_data_directory_is_private_and_locked(env):
    n = env.offline()
    old = os.umask(0)
    try:
        n.start()
    finally:
        os.umask(old)
    for d in (n.datadir, n.chaindir, os.path.join(n.chaindir, "run")):
        assert stat.S_IMODE(os.stat(d).st_mode) == 0o700, d
    cookie = os.path.join(n.chaindir, ".cookie")
    assert stat.S_IMODE(os.stat(cookie).st_mode) == 0o600
    # A second one says who has it, and the first is not disturbed.
    refused(["-datadir=" + n.datadir, "-regtest", "-connect=0",
             "-listen=0", "-rpcbind=0"],
            "locked by process %d" % n.proc.pid)
    assert n.height() == 0
    n.stop()
    assert not os.path.exists(cookie)
    assert not os.path.exists(os.path.join(n.chaindir, "run", "rpc.sock"))
    # Nothing is there that was not used.
    known = {"blocks", "chainstate", "run", "debug.log", ".lock",
             "node"}
    assert set(os.listdir(n.chaindir)) <= known, os.listdir(n.chaindir)


def test_silence_unless_something_is_wrong(env):
    n = env.offline().start()
    n.stop()
    assert n.stderr() == "", n.stderr()


def test_paths_too_long_for_a_socket(env):
    d = os.path.join(env.dir, "x" * 120)
    refused(["-datadir=" + d, "-regtest", "-connect=0", "-listen=0"],
            "unix socket", "shorter -datadir")


def test_signals_stop_it_cleanly(env):
    import signal
    for sig in (signal.SIGINT, signal.SIGTERM):
        n = env.offline("node%d" % sig).start()
        n.proc.send_signal(sig)
        assert n.wait_exit(20) == 0
        assert "exit status 0" in n.log()
        assert n.stderr() == ""


def test_log_reopens_after_rotation(env):
    import signal
    from harness.node import wait_until
    n = env.offline().start()
    log = os.path.join(n.chaindir, "debug.log")
    os.rename(log, log + ".1")
    n.proc.send_signal(signal.SIGHUP)
    wait_until(lambda: os.path.exists(log), 10, text="a new debug.log")
    n.stop()
    assert "end, exit status 0" in n.log()


def test_node_process_is_not_started_by_hand(env):
    r = run(env=dict(os.environ, CLOISTER_FDS="link=3"))
    assert r.returncode != 0 and r.stderr.startswith("Error: ")


def test_warden_killed_takes_all_with_it(env):
    from harness.node import wait_until
    n = env.offline().start()
    kids = list(n.children().values())
    assert kids
    n.kill()
    wait_until(lambda: not any(os.path.exists("/proc/%d" % k) for k in kids),
               5, text="the node process ends with the warden")
    # And the directory can be used again at once.
    n.start()
    n.stop()


def test_read_only_directory(env):
    if os.getuid() == 0:
        d = os.path.join(env.dir, "ro")
        os.makedirs(d)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", d],
                          stderr=subprocess.DEVNULL).returncode:
            env.skip("cannot mount a read-only tmpfs here")
        try:
            refused(["-datadir=" + d, "-regtest", "-connect=0",
                     "-listen=0"], d, "ead-only")
        finally:
            subprocess.run(["umount", d], check=True)
    else:
        d = os.path.join(env.dir, "ro")
        os.makedirs(d, mode=0o500)
        refused(["-datadir=" + d, "-regtest", "-connect=0", "-listen=0"],
                d, "ermission")
