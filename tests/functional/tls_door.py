"""A private door's unix socket, and the openssl program in front of it: as
if somebody had stolen the door's keys from Tor's side.  A script stands in
for tor: no network is needed."""

import glob
import os
import socket
import subprocess
import time

from harness.node import Node, wait_until
from tor_keys import FAKE_TOR, Keys

DAY = 86400
CHARS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def bech32m(hrp, data):
    """BIP350, of bytes."""
    acc = int.from_bytes(data, "big") << (-len(data) * 8) % 5
    n = (len(data) * 8 + 4) // 5
    values = [acc >> 5 * (n - 1 - i) & 31 for i in range(n)]
    c = 1
    for v in ([ord(x) >> 5 for x in hrp] + [0] + [ord(x) & 31 for x in hrp] +
              values + [0] * 6):
        top = c >> 25
        c = (c & 0x1ffffff) << 5 ^ v
        for i, g in enumerate((0x3b6a57b2, 0x26508e6d, 0x1ea119fa,
                               0x3d4233dd, 0x2a1462b3)):
            c ^= g if top >> i & 1 else 0
    c ^= 0x2bc830a3
    values += [c >> 5 * (5 - i) & 31 for i in range(6)]
    return hrp + "1" + "".join(CHARS[v] for v in values)


def openssl(*args, data=None):
    r = subprocess.run(["openssl"] + list(args), input=data, timeout=60,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert r.returncode == 0, (args, r.stderr.decode())
    return r.stdout


class Chain:
    """An identity as the openssl program makes it, and its leaf."""

    def __init__(self, env, name, leaf="ed25519", uri=None):
        self.base = os.path.join(env.dir, name)
        root, self.key = self.base + ".rootkey", self.base + ".key"
        self.root, self.leaf = self.base + ".root", self.base + ".leaf"
        openssl("genpkey", "-algorithm", "ed25519", "-out", root)
        public = openssl("pkey", "-in", root, "-pubout", "-outform", "DER")
        self.id = bech32m("clid", public[-32:])
        uri = uri or "cloister:" + self.id
        openssl("req", "-x509", "-new", "-key", root, "-days", "999",
                "-subj", "/CN=" + self.id, "-out", self.root,
                "-addext", "basicConstraints=critical,CA:TRUE,pathlen:0",
                "-addext", "keyUsage=critical,keyCertSign",
                "-addext", "subjectAltName=URI:" + uri)
        openssl("genpkey", "-out", self.key, "-algorithm", *leaf.split())
        openssl("req", "-new", "-key", self.key, "-out", self.base + ".csr",
                "-subj", "/CN=%s/OU=leaf" % self.id)
        with open(self.base + ".ext", "w") as f:
            f.write("basicConstraints=critical,CA:FALSE\n"
                    "keyUsage=critical,digitalSignature\n"
                    "extendedKeyUsage=serverAuth,clientAuth\n"
                    "subjectAltName=URI:%s\n" % uri)
        openssl("x509", "-req", "-in", self.base + ".csr", "-days", "30",
                "-CA", self.root, "-CAkey", root, "-CAcreateserial",
                "-extfile", self.base + ".ext", "-out", self.leaf)

    def args(self, roots=1):
        path = "%s.chain%d" % (self.base, roots)
        with open(self.root) as f:
            text = f.read()
        with open(path, "w") as f:
            f.write(text * roots)
        return ["-cert", self.leaf, "-key", self.key, "-cert_chain", path]


class Door:
    """A node, and a door that it made for somebody."""

    def __init__(self, env, name, *args):
        tor = os.path.join(env.dir, "tor.sh")
        with open(tor, "w") as f:
            f.write(FAKE_TOR)
        os.chmod(tor, 0o755)
        self.node = env._keep(Node(env.dir, name, args=[
            "-tor=" + tor, "-trustedonly=1", "-debug=tls"] + list(args)))
        self.node.start()
        wait_until(lambda: self.node.rpc.peerlist().get("id"), 30)
        assert self.node.rpc.peerinvite("bob", "peer")["invite"]
        self.enrol, = self.sockets("e")
        self.p2p, = self.sockets("p")
        self.seen = 0

    def sockets(self, kind):
        return glob.glob(os.path.join(self.node.chaindir, "run",
                                      "d??????????" + kind))

    def client(self, *args, path=None, alpn="cloister/enrol"):
        """s_client until the other side hangs up or three seconds pass."""
        cmd = ["openssl", "s_client", "-unix", path or self.enrol,
               "-showcerts"] + list(args)
        if alpn:
            cmd += ["-alpn", alpn]
        p = subprocess.Popen(cmd, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            out = p.communicate(b"", timeout=20)[0]
        finally:
            p.kill()
            p.wait()
        return out.decode(errors="replace")

    def log_after(self, words):
        """These words came into the log since the last time."""
        wait_until(lambda: words in self.node.log()[self.seen:], 20,
                   text="the log says '%s'" % words)
        self.seen = len(self.node.log())

    def refused(self, words, *args, **kw):
        out = self.client(*args, **kw)
        self.log_after(words)
        # What the other side is told: an alert, and no cause.
        for told in ("expired", "unknown id", "another", "revoked"):
            assert told not in out.lower(), out
        return out


def test_openssl_programs_at_a_door(env):
    door = Door(env, "a")
    bob = Chain(env, "bob")
    us = door.node.rpc.peerlist()["id"]
    out = door.client(*bob.args())
    door.log_after("TLS with")
    assert "ALPN protocol: cloister/enrol" in out, out
    assert "New, TLSv1.3" in out and "Session Ticket" not in out, out
    assert "Acceptable client certificate CA names" not in out, out
    # Our chain, as openssl's own rules see it.
    certs = out.split("-----BEGIN CERTIFICATE-----")[1:]
    assert len(certs) >= 2, out
    paths = []
    for i, c in enumerate(certs[:2]):
        paths.append(os.path.join(env.dir, "shown%d" % i))
        with open(paths[i], "w") as f:
            f.write("-----BEGIN CERTIFICATE-----" +
                    c.split("-----END CERTIFICATE-----")[0] +
                    "-----END CERTIFICATE-----\n")
    for purpose in "sslserver", "sslclient":
        openssl("verify", "-x509_strict", "-check_ss_sig", "-purpose",
                purpose, "-CAfile", paths[1], paths[0])
    text = openssl("x509", "-in", paths[0], "-noout", "-text").decode()
    assert "URI:cloister:" + us in text and "ED25519" in text, text
    # Who is no member yet does not pass the door for peers.
    out = door.client(*bob.args(), path=door.p2p, alpn="cloister/p2p")
    assert "no peer certificate available" in out, out
    door.refused("without its root", *bob.args(roots=0)[:4])
    door.refused("no certificate")
    door.refused("no TLS 1.3", *bob.args(), "-tls1_2")
    door.refused("another protocol", *bob.args(), alpn="cloister/p2p")
    door.refused("another protocol", *bob.args(), alpn=None)
    door.refused("too many certificates", *bob.args(roots=4))
    door.refused("too large", *bob.args(roots=100))
    door.refused("names another identity",
                 *Chain(env, "liar", uri="cloister:" + us).args())
    door.refused("no certificate",
                 *Chain(env, "rsa", leaf="RSA").args())
    p256 = Chain(env, "p256", leaf="EC -pkeyopt ec_paramgen_curve:P-256")
    door.client(*p256.args())
    door.log_after("TLS with")
    assert us == door.node.rpc.peerlist()["id"]
    door.node.stop()


def test_other_clocks_at_a_door(env):
    now = int(time.time())
    bob = Chain(env, "bob")
    for off, words in ((40, "has expired"), (30.5, "difference between clock"),
                       (-0.9, "difference between clock"),
                       (-3, "is not valid yet")):
        door = Door(env, "a%d" % (off * 10),
                    "-mocktime=%d" % (now + off * DAY))
        door.client(*bob.args())
        door.log_after(words)
        door.node.stop()


def test_no_tls_and_a_crowd_at_a_door(env):
    door = Door(env, "a")
    bob = Chain(env, "bob")
    for data in (b"GET / HTTP/1.1\r\n\r\n",
                 bytes.fromhex("fabfb5da") + b"version\0\0\0\0\0"):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(20)
            s.connect(door.enrol)
            s.sendall(data)
            while s.recv(100):
                pass
    door.log_after("does not speak TLS")
    # Five hundred that stall: bob gets in all the same.
    crowd = []
    for i in range(500):
        s = socket.socket(socket.AF_UNIX)
        s.connect(door.enrol)       # waits where the backlog is full
        crowd.append(s)
        try:
            s.sendall(b"\x16\x03\x01\x02\x00\x01")
        except BrokenPipeError:
            pass            # it gave way already
    door.client(*bob.args())
    door.log_after("TLS with")
    for s in crowd:
        s.close()
    assert door.node.rpc.getblockcount() == 0
    door.node.stop()
    assert door.node.stderr() == ""


def test_a_ca_and_its_list_at_a_door(env):
    club, stranger = Chain(env, "club"), Chain(env, "stranger")
    ca, crl = env.dir + "/ca", os.path.join(env.dir, "lists", "crl.pem")
    os.mkdir(os.path.dirname(crl))
    openssl("req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout",
            ca + ".key", "-out", ca + ".pem", "-subj", "/CN=The club")
    # A leaf that the CA signs itself, with the id as URI.
    openssl("x509", "-req", "-in", club.base + ".csr", "-days", "30",
            "-CA", ca + ".pem", "-CAkey", ca + ".key", "-CAcreateserial",
            "-extfile", club.base + ".ext", "-out", club.leaf)
    with open(ca + ".cnf", "w") as f:
        f.write("[ca]\ndefault_ca=d\n[d]\ndatabase=%s.db\n"
                "default_md=default\ndefault_crl_days=30\n" % ca)
    open(ca + ".db", "w").close()

    def publish():
        """By renaming, as one should."""
        openssl("ca", "-gencrl", "-config", ca + ".cnf", "-cert",
                ca + ".pem", "-keyfile", ca + ".key", "-out", crl + ".new")
        os.rename(crl + ".new", crl)

    publish()
    door = Door(env, "a", "-trustca=" + ca + ".pem", "-trustcrl=" + crl)
    me = ["-cert", club.leaf, "-key", club.key]
    door.client(*me)
    door.log_after("TLS with")
    door.client(*stranger.args())           # pinning goes on beside it
    door.log_after("TLS with")
    door.refused("no certificate", *stranger.args(roots=0)[:4])
    openssl("ca", "-revoke", club.leaf, "-config", ca + ".cnf", "-cert",
            ca + ".pem", "-keyfile", ca + ".key")
    publish()
    door.refused("the identity is revoked", *me)
    os.remove(crl)
    door.client(*me)
    door.log_after("nobody is accepted by the CA")
    door.node.stop()
    k = Keys(env, "b")
    k.refused("-trustcrl=" + crl, words=["-trustca=FILE"])
    k.refused("-trustca=" + club.leaf, words=[club.leaf, "is no CA's"])
    k.refused("-trustca=" + crl, words=[crl])
