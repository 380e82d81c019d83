"""A tor of the test's own: onion services for others to dial, and a way to
come to the onions of others."""

import os
import re
import signal
import socket
import subprocess
import time

from .control import Control
from .node import wait_until
from .peer import Peer, version_payload


class Services:
    """A tor of the test's own: onion services that lead to a simple peer,
    and a SOCKS port to come in by."""

    def __init__(self, env, name):
        self.dir = os.path.join(env.dir, name)
        os.makedirs(self.dir, mode=0o700)
        self.socks = os.path.join(self.dir, "socks")
        control = os.path.join(self.dir, "control")
        path = os.path.join(self.dir, "torrc")
        with open(env.torrc) as f:
            lines = f.read()
        with open(path, "w") as f:
            f.write(lines + "DataDirectory %s/data\nControlSocket %s\n"
                    "CookieAuthentication 0\nSocksPort unix:%s "
                    "IsolateSOCKSAuth KeepAliveIsolateSOCKSAuth\n"
                    "GeoIPFile /dev/null\nGeoIPv6File /dev/null\n"
                    "ORPort 0\nLog notice file %s/log\n"
                    % (self.dir, control, self.socks, self.dir))
        self.proc = subprocess.Popen(
            ["tor", "--defaults-torrc", "/nonexistent", "-f", path,
             "--quiet", "__OwningControllerProcess", str(os.getpid())],
            stdin=subprocess.DEVNULL)
        wait_until(lambda: os.path.exists(control), 20)
        self.control = Control(control)
        self.events = Control(control)
        wait_until(lambda: "PROGRESS=100" in self.control.info(
            "status/bootstrap-phase"), 60, text="the test's tor is ready")
        self.events.command("SETEVENTS HS_DESC")
        self.onions = []

    def add(self, n, target, extra=""):
        new = []
        for _ in range(n):
            flags = "DiscardPK" + (",V3Auth" if extra else "")
            r = self.control.command(
                "ADD_ONION NEW:ED25519-V3 Flags=%s Port=8333,%s%s"
                % (flags, target, extra))
            new.append(re.search(r"ServiceID=(\w+)", r[0]).group(1))
        self.onions += [o + ".onion" for o in new]
        return [o + ".onion" for o in new]

    def wait_uploaded(self, timeout=60):
        """Every service at some directories, and none comes any more."""
        missing = {o[:56] for o in self.onions}
        until, quiet = time.time() + timeout, 3
        self.events.sock.settimeout(quiet)
        while True:
            try:
                line = self.events.file.readline().decode()
            except (socket.timeout, OSError):
                # A file that timed out is of no more use.
                self.events.file = self.events.sock.makefile("rb")
                if not missing:
                    return
                line = ""
            m = re.search(r"HS_DESC UPLOADED (\w+)", line)
            if m:
                missing.discard(m.group(1))
            assert time.time() < until, missing

    def kill(self):
        if self.proc.poll() is None:
            self.proc.send_signal(signal.SIGKILL)
            self.proc.wait()


def socks(path, onion, port, user, timeout=40):
    """A stream through a SOCKS port on a unix socket."""
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(timeout)
    s.connect(path)
    s.sendall(b"\x05\x01\x02")
    assert s.recv(2) == b"\x05\x02"
    u = user.encode()
    s.sendall(b"\x01" + bytes([len(u)]) + u + b"\x01x")
    assert s.recv(2) == b"\x01\x00"
    h = onion.encode()
    s.sendall(b"\x05\x01\x00\x03" + bytes([len(h)]) + h
              + port.to_bytes(2, "big"))
    head = s.recv(4)
    assert head[1] == 0, "SOCKS error %d" % head[1]
    s.recv({1: 4, 3: 1, 4: 16}[head[3]] + 2)
    return s


def stranger(path, onion, port, user, **version):
    """A peer that came to an onion and has shaken hands."""
    for attempt in range(5):
        try:
            sock = socks(path, onion, port, user)
            break
        except (AssertionError, OSError):
            time.sleep(1)
    p = Peer.over(sock)
    p.send("version", version_payload(**version))
    p.expect("version")
    p.send("sendaddrv2")
    p.send("verack")
    p.expect("verack")
    return p
