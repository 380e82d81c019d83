"""Keys of the onion service: encrypted, lost, damaged, backed up, restored on
another machine.  A script stands in for tor: no network is needed."""

import hashlib
import os
import pty
import re
import select
import shutil
import stat
import subprocess
import time

from harness.node import Node, builddir, wait_until

SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
ADDRESS = "25njqamcweflpvkl73j4szahhihoc4xt3ktcgjnpaingr5yhkenl5sid.onion"
PLAIN = "cloister-onion-seed-v1 " + SEED + "\n"
MAGIC = b"cloister-keybox\n"

FAKE_TOR = r"""#!/bin/sh
case $1 in --version) echo 'Tor version 0.4.9.11.'; exit 0;; esac
say() { printf '%s\r\n' "$1" >&3; }
b='STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=100 SUMMARY="Done"'
while read -r line <&3; do case $line in
SETCONF*) say '250 OK'; say "650 $b";;
*SHUTDOWN*) say '250 OK'; exit 0;;
*) say '250 OK';;
esac; done
"""


class Keys:
    """A data directory, and what is done to its keys."""

    def __init__(self, env, name="a"):
        self.env = env
        self.tor = os.path.join(env.dir, "tor.sh")
        if not os.path.exists(self.tor):
            with open(self.tor, "w") as f:
                f.write(FAKE_TOR)
            os.chmod(self.tor, 0o755)
        self.node = env._keep(Node(env.dir, name, args=[
            "-tor=" + self.tor, "-connect=0", "-listen=1"]))
        self.dir = os.path.join(self.node.chaindir, "keys")
        self.key = os.path.join(self.dir, "onion_public.key")
        self.addr = os.path.join(self.dir, "onion_public.addr")

    def put(self, content=PLAIN, mode=0o600):
        os.makedirs(self.dir, mode=0o700, exist_ok=True)
        with open(self.key, "w") as f:
            f.write(content)
        os.chmod(self.key, mode)
        return self

    def read(self):
        with open(self.key, "rb") as f:
            return f.read()

    def files(self, kind="onion_"):
        """Those of the onion service."""
        return sorted(f for f in os.listdir(self.dir) if f.startswith(kind))

    def identity(self):
        """Our node id, once the warden has signed for it."""
        wait_until(lambda: self.node.rpc.peerlist().get("id"), 30,
                   text="the node has a certificate")
        return self.node.rpc.peerlist()

    def run(self, *args, env=None, **kw):
        """cloisterd with these options, which make it exit."""
        return subprocess.run(
            [os.path.join(builddir(), "src", "cloisterd"), "-regtest",
             "-datadir=" + self.node.datadir] + list(args),
            stdin=kw.pop("stdin", subprocess.DEVNULL), text=True, timeout=60,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=dict(os.environ, **(env or {})), **kw)

    def ok(self, *args, **kw):
        r = self.run(*args, **kw)
        assert r.returncode == 0 and r.stderr == "", r.stderr
        return r.stdout

    def refused(self, *args, words, **kw):
        r = self.run(*args, **kw)
        assert r.returncode == 1, (args, r.stdout)
        lines = r.stderr.splitlines()
        assert len(lines) == 1 and lines[0].startswith("Error: "), r.stderr
        for w in words:
            assert w in r.stderr, "%r not in %r" % (w, r.stderr)

    def start(self, *args):
        """Start, and wait for what becomes of the onion service."""
        self.node.start(*args)
        return self.settled()

    def settled(self):
        wait_until(lambda: self.info()["onion"] or
                   self.info()["descriptor"] == "failed", 30,
                   text="the onion has an address or a reason")
        return self.info()

    def info(self):
        return self.node.rpc.gettorinfo()

    def fails(self, *args, words):
        """The node runs, without an onion service, and says why."""
        info = self.start(*args)
        text = " ".join(str(v) for v in info.values())
        assert info["descriptor"] == "failed" and not info["onion"], info
        for w in words:
            assert w in text, "%r not in %r" % (w, text)
            assert w in self.node.log(), w
        self.node.stop()

    def gives(self, address, *args):
        """The node runs, with this onion address."""
        info = self.start(*args)
        assert info["onion"] == address, info
        self.node.stop()


def passfile(env, text="correct horse battery", name="pass", mode=0o600):
    path = os.path.join(env.dir, name)
    with open(path, "w") as f:
        f.write(text + "\n")
    os.chmod(path, mode)
    return path


def onion_dir(k):
    """Where tor is told to look for the onion's key."""
    with open(os.path.join(k.node.chaindir, "tor", "torrc")) as f:
        return re.search(r'HiddenServiceDir "(.*)"', f.read()).group(1)


def test_show_onion(env):
    k = Keys(env)
    k.refused("-showonion", words=["no data directory"])
    assert not os.path.exists(k.node.datadir)
    k.put()
    assert k.ok("-showonion") == ADDRESS + "\n"
    assert k.files() == ["onion_public.key"]


def test_address_is_made_once_and_kept(env):
    k = Keys(env)
    info = k.start()
    address = info["onion"]
    assert re.fullmatch(r"[a-z2-7]{56}\.onion", address), info
    assert stat.S_IMODE(os.stat(k.dir).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(k.key).st_mode) == 0o600
    # tor's copy is beside the torrc, and goes when tor goes.
    copy = os.path.join(onion_dir(k), "hs_ed25519_secret_key")
    assert stat.S_IMODE(os.stat(copy).st_mode) == 0o600
    assert k.ok("-showonion") == address + "\n"
    k.node.stop()
    assert not os.path.exists(copy)
    k.gives(address)
    assert k.ok("-showonion") == address + "\n"


def test_encrypted_under_a_passphrase(env):
    k = Keys(env).put()
    p = "-keypassfile=" + passfile(env)
    # A passphrase that cannot be had stops the start, and changes nothing.
    k.refused("-keypassfile=" + os.path.join(env.dir, "none"),
              words=["cannot open"])
    k.refused("-keypassfile=" + passfile(env, name="open", mode=0o644),
              words=["chmod 600"])
    assert k.read() == PLAIN.encode()
    info = k.start(p)
    assert info["onion"] == ADDRESS
    text = k.read()
    assert text.startswith(MAGIC) and SEED.encode() not in text
    assert stat.S_IMODE(os.stat(k.key).st_mode) == 0o600
    # Nothing plain is on disk while it runs, either.
    d = onion_dir(k)
    assert d.startswith("/dev/shm/"), d
    assert stat.S_IMODE(os.stat(d).st_mode) == 0o700
    with open(os.path.join(d, "hs_ed25519_secret_key"), "rb") as f:
        expanded = f.read()[32:]
    h = bytearray(hashlib.sha512(bytes.fromhex(SEED)).digest())
    h[0] &= 248
    h[31] = h[31] & 127 | 64
    assert expanded == bytes(h)
    assert not os.path.exists(os.path.join(
        k.node.chaindir, "tor", "public", "hs_ed25519_secret_key"))
    # A crash of the warden leaves the copy; the next start takes it along.
    k.node.kill()
    assert os.path.exists(d)
    k.gives(ADDRESS, p)
    assert not os.path.exists(d)
    assert k.read() == text
    # Without, and with a wrong one: no onion, and nothing is changed.
    k.fails(words=["is encrypted", "-keypassfile"])
    k.fails("-keypassfile=" + passfile(env, "wrong", "p2"),
            words=["the passphrase is not that of"])
    assert k.read() == text
    assert k.files() == ["onion_public.addr", "onion_public.key"]
    k.refused("-showonion", words=["is encrypted"])
    assert k.ok("-showonion", p) == ADDRESS + "\n"


def test_new_key_is_encrypted_at_once(env):
    k = Keys(env)
    p = "-keypassfile=" + passfile(env)
    address = k.start(p)["onion"]
    k.node.stop()
    assert k.read().startswith(MAGIC)
    assert k.ok("-showonion", p) == address + "\n"


def test_ways_of_a_passphrase(env):
    k = Keys(env).put()
    k.gives(ADDRESS, "-keypassfile=" + passfile(env, "way"))
    # An inherited descriptor; a pipe is read once and held in memory.
    r, w = os.pipe()
    os.write(w, b"way\n")
    os.close(w)
    assert k.ok("-showonion", "-keypassfd=%d" % r,
                pass_fds=[r]) == ADDRESS + "\n"
    os.close(r)
    k.refused("-showonion", "-keypassfd=77", words=["-keypassfd=77"])
    k.refused("-showonion", "-keypassfd=1", words=["is an output"])
    with open(os.path.join(env.dir, "pass")) as f:
        assert k.ok("-showonion", "-keypassfd=0", stdin=f) == ADDRESS + "\n"
    # A credential of systemd, without any option.
    creds = os.path.join(env.dir, "creds")
    os.mkdir(creds)
    k.refused("-showonion", words=["is encrypted"],
              env={"CREDENTIALS_DIRECTORY": creds})
    shutil.copy(os.path.join(env.dir, "pass"),
                os.path.join(creds, "cloister.keypass"))
    assert k.ok("-showonion",
                env={"CREDENTIALS_DIRECTORY": creds}) == ADDRESS + "\n"
    k.node.env = {"CREDENTIALS_DIRECTORY": creds}
    info = k.start()
    assert info["onion"] == ADDRESS
    # The node process is not told where it lies.
    for pid in k.node.children().values():
        with open("/proc/%d/environ" % pid, "rb") as f:
            assert b"CREDENTIALS_DIRECTORY" not in f.read()
    k.node.stop()
    # No passphrase on the command line, none in the config file's name.
    k.refused("-keypass=x", words=["keypass"])
    k.refused("-keypassfile=x", "-keypassfd=3", words=["exclude"])


def test_another_passphrase(env):
    k = Keys(env).put()
    old = "-keypassfile=" + passfile(env, "the old one", "old")
    new = passfile(env, "the new one", "new")
    to_new = "-changekeypass=" + new
    k.refused(to_new, words=["no key", "is encrypted", "-keypassfile"])
    k.gives(ADDRESS, old)
    assert k.read().startswith(MAGIC)
    # Without the one they have, or with a wrong one, nothing is changed.
    before = k.read()
    k.refused(to_new, words=["no terminal"])
    k.refused(to_new, "-keypassfile=" + passfile(env, "wrong", "p3"),
              words=["the passphrase is not that of"])
    k.refused("-changekeypass=" + os.path.join(env.dir, "nothing"), old,
              words=["cannot open"])
    k.refused(to_new, "-removekeypass", old, words=["only one at a time"])
    # One key that cannot be opened: the others stay as they are.
    odd = os.path.join(k.dir, "odd.key")
    with open(odd, "w") as f:
        f.write("no key\n")
    os.chmod(odd, 0o600)
    k.refused(to_new, old, words=["odd.key", "does not begin"])
    assert k.read() == before
    os.remove(odd)
    # All of them; one that is plain waits for a start, which encrypts it.
    shutil.copy(k.key, os.path.join(k.dir, "copy.key"))
    with open(os.path.join(k.dir, "plain.key"), "w") as f:
        f.write(PLAIN)
    os.chmod(os.path.join(k.dir, "plain.key"), 0o600)
    assert "3 of 4 keys" in k.ok(to_new, old)
    with open(os.path.join(k.dir, "copy.key"), "rb") as f:
        text = f.read()
    assert text.startswith(MAGIC) and text not in (before, k.read())
    with open(os.path.join(k.dir, "plain.key")) as f:
        assert f.read() == PLAIN
    # Cut short, it is done again: what is done already is left alone.
    with open(k.key, "wb") as f:
        f.write(before)
    assert "1 of 4 keys" in k.ok(to_new, old)
    assert "0 of 4 keys" in k.ok(to_new, old)
    for name in ("copy.key", "plain.key"):
        os.remove(os.path.join(k.dir, name))
    # Not beside a running node.
    assert k.start("-keypassfile=" + new)["onion"] == ADDRESS
    k.refused("-removekeypass", "-keypassfile=" + new,
              words=["locked by process"])
    k.node.stop()
    assert "unencrypted" in k.ok("-removekeypass", "-keypassfile=" + new)
    assert k.read() == PLAIN.encode()


def test_lost_key_is_not_replaced(env):
    k = Keys(env)
    first = k.start()["onion"]
    k.node.stop()
    os.remove(k.key)
    k.fails(words=["is missing", "-newonion", first])
    k.fails(words=["is missing"])
    assert k.files() == ["onion_public.addr"]
    k.refused("-newonion", "-listen=0", words=["no onion service"])
    second = k.start("-newonion")["onion"]
    assert second and second != first
    assert "set aside" in k.node.log()
    k.node.stop()
    files = k.files()
    assert len(files) == 3 and re.fullmatch(
        r"onion_public\.addr\.old-\d{8}-\d{6}", files[1]), files
    with open(os.path.join(k.dir, files[1])) as f:
        assert f.read().strip() == first
    k.gives(second)
    # It is obeyed where nothing is lost, too, and nothing is deleted.
    old = k.read()
    third = k.start("-newonion=1")["onion"]
    k.node.stop()
    assert third not in (first, second)
    kept = [f for f in k.files() if f.startswith("onion_public.key.old-")]
    assert len(kept) == 1
    with open(os.path.join(k.dir, kept[0]), "rb") as f:
        assert f.read() == old
    # Not a thing for a config file: that would be a new one at each start.
    conf = os.path.join(k.node.datadir, "cloister.conf")
    with open(conf, "w") as f:
        f.write("newonion=1\n")
    k.refused(words=["newonion"])


def test_wrong_kinds_of_key_file(env):
    k = Keys(env).put()
    k.gives(ADDRESS)

    def case(words, put=None, mode=0o600):
        if put is not None:
            k.put(put, mode)
        before = os.lstat(k.key)
        k.refused("-showonion", words=words)
        now = os.lstat(k.key)
        assert (now.st_ino, now.st_size, now.st_mode) == (
            before.st_ino, before.st_size, before.st_mode)

    case(["does not begin"], "cloister-onion-seed-v7 " + SEED + "\n")
    case(["87 bytes", "88"], PLAIN[:-1])
    case(["does not begin"], "")
    case(["64 hex digits"], PLAIN.replace("9d61", "xd61"))
    case(["chmod 600 '%s'" % k.key], PLAIN, 0o644)
    case(["chmod 600 '%s'" % k.key], PLAIN, 0o660)
    if os.getuid() == 0:
        k.put()
        os.chown(k.key, 4242, 4242)
        case(["belongs to another user", "4242", "chown"])
    os.remove(k.key)
    os.mkdir(k.key)
    case(["is a directory"])
    k.fails(words=["is a directory"])
    os.rmdir(k.key)
    os.symlink("/dev/zero", k.key)
    case(["symbolic link"])
    os.remove(k.key)
    # Another key than the recorded address has.
    k.put("cloister-onion-seed-v1 " + SEED.replace("9d", "9c") + "\n")
    k.fails(words=["says otherwise"])


def test_backup_and_restore_elsewhere(env):
    a, b = Keys(env, "a"), Keys(env, "b")
    p = "-keypassfile=" + passfile(env)
    backup = os.path.join(env.dir, "backup.keys")
    a.refused("-backupkeys=" + backup, p, words=["no data directory"])
    address = a.start()["onion"]
    # Not beside a running node.
    a.refused("-backupkeys=" + backup, p, words=["locked by process"])
    a.node.stop()
    plain = a.read()
    out = a.ok("-backupkeys=" + backup, p)
    assert address in out and backup in out, out
    assert stat.S_IMODE(os.stat(backup).st_mode) == 0o600
    with open(backup, "rb") as f:
        content = f.read()
    assert content.startswith(MAGIC)
    assert plain.split()[1] not in content
    assert address[:-6].encode() not in content
    assert a.read() == plain
    # Once written, never again.
    a.refused("-backupkeys=" + backup, p, words=["exists already"])
    with open(backup, "rb") as f:
        assert f.read() == content
    assert not [f for f in os.listdir(env.dir) if f.endswith(".part")]
    # Without a passphrase, or with a wrong one: nothing is made.
    b.refused("-restorekeys=" + backup, words=["-keypassfile", "terminal"])
    b.refused("-restorekeys=" + backup,
              "-keypassfile=" + passfile(env, "wrong", "p2"),
              words=["passphrase is not that of"])
    assert not os.path.exists(b.dir)
    out = b.ok("-restorekeys=" + backup, p)
    assert address in out and "encrypted" in out, out
    assert b.read().startswith(MAGIC)
    b.gives(address, p)
    # Again: nothing to do.
    text = b.read()
    assert "already" in b.ok("-restorekeys=" + backup, p)
    assert b.read() == text


def test_restore_does_not_overwrite(env):
    a, b = Keys(env, "a").put(), Keys(env, "b")
    p = "-keypassfile=" + passfile(env)
    backup = os.path.join(env.dir, "backup.keys")
    a.ok("-backupkeys=" + backup, p)
    other = b.start()["onion"]
    b.node.stop()
    text = b.read()
    b.refused("-restorekeys=" + backup, p, words=[other, "-restoreforce=1"])
    assert b.read() == text
    b.refused("-restoreforce=1", p, words=["-restorekeys"])
    b.ok("-restorekeys=" + backup, p, "-restoreforce=1")
    assert b.ok("-showonion", p) == ADDRESS + "\n"
    kept = [f for f in b.files() if ".key.old-" in f]
    assert len(kept) == 1
    with open(os.path.join(b.dir, kept[0]), "rb") as f:
        assert f.read() == text
    # A lost key comes back without force.
    os.remove(b.key)
    b.ok("-restorekeys=" + backup, p)
    b.gives(ADDRESS, p)


def test_what_is_no_backup(env):
    a, b = Keys(env, "a").put(), Keys(env, "b")
    p = "-keypassfile=" + passfile(env)
    backup = os.path.join(env.dir, "backup.keys")
    a.ok("-backupkeys=" + backup, p)
    with open(backup, "rb") as f:
        good = f.read()
    path = os.path.join(env.dir, "bad.keys")

    def bad(content, *words):
        with open(path, "wb") as f:
            f.write(content)
        b.refused("-restorekeys=" + path, p, words=words)

    bad(b"", "not a backup")
    bad(PLAIN.encode(), "not a backup")
    bad(bytes(100000), "not a backup", "too long")
    bad(good[:-1], "damaged")
    bad(good[:80], "damaged")
    bad(good + b"\0", "damaged")
    flipped = bytearray(good)
    flipped[100] ^= 4
    bad(flipped, "damaged")
    newer = bytearray(good)
    newer[16] = 2
    bad(newer, "newer version")
    assert not os.path.exists(b.node.datadir)
    # The checksum made right again: it is the seal that counts.
    flipped[-32:] = hashlib.sha256(flipped[:-32]).digest()
    bad(flipped, "passphrase is not that of")
    a.gives(ADDRESS, p)
    bad(a.read(), "single key file")
    b.refused("-restorekeys=" + os.path.join(env.dir, "none"), p,
              words=["cannot open"])
    assert not os.path.exists(b.dir)
    b.refused("-backupkeys=x", "-restorekeys=y", p, words=["only one"])


def typing(k, args, answers):
    """Run on a terminal; type the answer to each prompt.  Gives the status
    and all that the terminal showed."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(os.path.join(builddir(), "src", "cloisterd"),
                 ["cloisterd", "-regtest", "-datadir=" + k.node.datadir]
                 + args)
    seen, end = "", time.time() + 60
    while time.time() < end:
        if select.select([fd], [], [], 1)[0]:
            try:
                got = os.read(fd, 4096).decode()
            except OSError:
                break
            if not got:
                break
            seen += got
            if answers and seen.rstrip(" ").endswith(answers[0][0]):
                os.write(fd, answers.pop(0)[1].encode() + b"\n")
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(fd)
    assert not answers, "not asked: %s\n%s" % (answers, seen)
    return status, seen


def test_typed_on_a_terminal(env):
    a, b = Keys(env, "a").put(), Keys(env, "b")
    backup = os.path.join(env.dir, "backup.keys")
    status, seen = typing(a, ["-backupkeys=" + backup], [
        ("for the backup:", "typed secret"), ("again:", "another")])
    assert status == 1 and "differ" in seen, seen
    assert not os.path.exists(backup)
    status, seen = typing(a, ["-backupkeys=" + backup], [
        ("for the backup:", "typed secret"), ("again:", "typed secret")])
    assert status == 0 and ADDRESS in seen, seen
    assert "typed secret" not in seen
    status, seen = typing(b, ["-restorekeys=" + backup], [
        ("of the backup:", "typed secret")])
    assert status == 0 and "not encrypted" in seen, seen
    # What was typed once could not be typed at a start: it is kept plain.
    assert b.read() == PLAIN.encode()
    b.gives(ADDRESS)
    # Encrypted keys: asked once, for both.
    a.gives(ADDRESS, "-keypassfile=" + passfile(env, "third word"))
    backup += ".2"
    status, seen = typing(a, ["-backupkeys=" + backup], [
        ("and of the backup:", "third word")])
    assert status == 0, seen
    c = Keys(env, "c")
    c.ok("-restorekeys=" + backup, "-keypassfile=" + passfile(
        env, "third word"))
    c.gives(ADDRESS, "-keypassfile=" + passfile(env, "third word"))


def test_identity_is_kept_backed_up_and_never_replaced_in_silence(env):
    a, b = Keys(env, "a"), Keys(env, "b")
    p = "-keypassfile=" + passfile(env)
    backup = os.path.join(env.dir, "backup.keys")
    a.refused("-showidentity", words=["no data directory"])
    a.start()
    us = a.identity()
    assert re.fullmatch(r"clid1[a-z0-9]{58}", us["id"]), us
    key = os.path.join(a.dir, "node_identity.key")
    assert stat.S_IMODE(os.stat(key).st_mode) == 0o600
    assert a.ok("-showidentity") == us["id"] + "\n" + us["words"] + "\n"
    a.node.stop()
    out = a.ok("-backupkeys=" + backup, p)
    assert us["id"] in out and ".onion" in out, out
    # The same identity elsewhere, encrypted.
    assert us["id"] in b.ok("-restorekeys=" + backup, p)
    b.refused("-showidentity", words=["is encrypted"])
    b.start(p)
    assert b.identity()["id"] == us["id"]
    b.node.stop()
    # Lost: the node runs on without one, and says what to do.
    os.remove(key)
    a.start()
    wait_until(lambda: "no identity for trusted peers" in a.node.log(), 30)
    assert "-newidentity" in a.node.log()
    assert a.node.rpc.peerlist().get("id") is None
    assert not os.path.exists(key)
    a.node.stop()
    a.refused("-newidentity", "-newonion", words=["only one at a time"])
    a.start("-newidentity")
    assert a.identity()["id"] != us["id"]
    assert "set aside" in a.node.log()
    a.node.stop()
    kept = [f for f in a.files("node_") if ".id.old-" in f]
    assert len(kept) == 1, a.files("node_")
    with open(os.path.join(a.dir, kept[0])) as f:
        assert f.read().strip() == us["id"]
    # The backup does not overwrite it; force sets it aside.
    a.refused("-restorekeys=" + backup, p, words=["node id", "-restoreforce"])
    a.ok("-restorekeys=" + backup, p, "-restoreforce=1")
    assert us["id"] in a.ok("-showidentity", p)


def test_leaves_are_renewed_and_the_node_never_has_the_key(env):
    k = Keys(env)
    k.start("-leaflife=6")
    first = k.identity()
    assert first["leaf_expires"] <= time.time() + 7
    wait_until(lambda: k.identity()["leaf_expires"] >
               first["leaf_expires"] + 6, 60, text="renewed, twice")
    assert k.identity()["id"] == first["id"]
    # The walls keep the node out of keys/; what it has is in memory alone.
    with open(os.path.join(k.dir, "node_identity.key")) as f:
        seed = f.read().split()[1]
    for where, _, files in os.walk(k.node.chaindir):
        for name in files:
            path = os.path.join(where, name)
            if path.startswith(k.dir) or not os.path.isfile(path):
                continue
            with open(path, "rb") as f:
                data = f.read()
            assert seed.encode() not in data, path
            assert bytes.fromhex(seed) not in data, path
    k.node.stop()
