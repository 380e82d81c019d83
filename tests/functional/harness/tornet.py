"""A private Tor network on loopback: one directory authority, some relays.

It is quick because nothing waits for a timer: the first vote is set off as
soon as the authority has heard of every relay, and the relays are told at
once that a consensus exists.  A node joins by the lines in `torrc` (option
-torrc=FILE of cloisterd).
"""

import os
import re
import shutil
import signal
import subprocess
import time

from .control import Control, ControlError

INTERVAL = 1800  # seconds between votes; longer than any test run

COMMON = """\
TestingTorNetwork 1
DataDirectory {dir}
Nickname {name}
Address 127.0.0.1
ORPort 127.0.0.1:{orport} IPv4Only
ControlPort 0
ControlSocket {dir}/control
CookieAuthentication 0
SocksPort 0
Log notice file {dir}/log
SafeLogging 0
GeoIPFile /dev/null
GeoIPv6File /dev/null
AvoidDiskWrites 1
ShutdownWaitLength 0
AssumeReachable 1
ExitRelay 0
NumCPUs 1
MaxMemInQueues 256 MB
BandwidthRate 1 GB
BandwidthBurst 1 GB
PublishServerDescriptor 1
ServerDNSAllowBrokenConfig 1
ServerDNSDetectHijacking 0
ExtraInfoStatistics 0
TestingMinTimeToReportBandwidth 1 day
V3AuthNIntervalsValid 48
KISTSchedRunInterval 1 msec
"""

EXIT = """\
ExitRelay 1
ExitPolicy accept *:*
ExitPolicyRejectPrivate 0
ServerDNSResolvConfFile {resolv}
ServerDNSSearchDomains 0
"""

AUTHORITY = """\
DirPort 127.0.0.1:{dirport} IPv4Only
AuthoritativeDirectory 1
V3AuthoritativeDirectory 1
ContactInfo nobody@example.invalid
V3AuthVotingInterval {interval}
V3AuthVoteDelay 2
V3AuthDistDelay 2
TestingV3AuthInitialVotingInterval {interval}
TestingV3AuthInitialVoteDelay 2
TestingV3AuthInitialDistDelay 2
TestingV3AuthVotingStartOffset {offset}
TestingDirAuthVoteHSDir *
TestingDirAuthVoteGuard *
TestingMinExitFlagThreshold 0
AuthDirVoteStableGuaranteeMinUptime 0
AuthDirVoteStableGuaranteeMTBF 0
"""


class TorNetError(Exception):
    pass


class Relay:
    def __init__(self, base, name, orport):
        self.name = name
        self.dir = os.path.join(base, name)
        self.orport = orport
        self.proc = None

    def start(self, torrc):
        path = os.path.join(self.dir, "torrc")
        with open(path, "w") as f:
            f.write(torrc)
        self.out = open(os.path.join(self.dir, "output"), "wb")
        self.proc = subprocess.Popen(
            ["tor", "--defaults-torrc", "/nonexistent", "-f", path,
             "--quiet", "__OwningControllerProcess", str(os.getpid())],
            stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.out)

    def control(self, until):
        while True:
            if self.proc.poll() is not None:
                raise TorNetError("%s ended with status %s: see %s" % (
                    self.name, self.proc.returncode, self.dir))
            try:
                return Control(os.path.join(self.dir, "control"))
            except (OSError, ControlError):
                if time.time() > until:
                    raise
                time.sleep(0.05)

    def fingerprint(self):
        with open(os.path.join(self.dir, "fingerprint")) as f:
            return f.read().split()[1]

    def stop(self):
        if self.proc and self.proc.poll() is None:
            self.proc.send_signal(signal.SIGTERM)
            try:
                self.proc.wait(5)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait()
        self.proc = None


class TorNet:
    def __init__(self, base, relays=4, port=15100, resolv=None):
        """resolv: the relays are exits, and ask the name server that this
        resolv.conf names."""
        self.base = base
        self.resolv = resolv
        self.dirport = port + 50
        self.auth = Relay(base, "authority", port)
        self.relays = [Relay(base, "relay%d" % i, port + 1 + i)
                       for i in range(relays)]
        self.torrc = os.path.join(base, "node.torrc")
        self.all = [self.auth] + self.relays
        self.tell = lambda text: None   # what start() is at

    # ---- keys ----

    def _make_keys(self):
        jobs = []
        keys = os.path.join(self.auth.dir, "keys")
        for r in self.all:
            os.makedirs(os.path.join(r.dir, "keys"), mode=0o700,
                        exist_ok=True)
            os.chmod(r.dir, 0o700)
        gencert = subprocess.Popen(
            ["tor-gencert", "--create-identity-key", "--passphrase-fd", "0",
             "-m", "12", "-a", "127.0.0.1:%d" % self.dirport,
             "-i", keys + "/authority_identity_key",
             "-s", keys + "/authority_signing_key",
             "-c", keys + "/authority_certificate"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        gencert.stdin.write(b"test\n")
        gencert.stdin.close()
        jobs.append(gencert)
        for r in self.all:
            jobs.append(subprocess.Popen(
                ["tor", "--defaults-torrc", "/nonexistent", "-f",
                 "/nonexistent", "--ignore-missing-torrc", "--quiet",
                 "--list-fingerprint", "--DataDirectory", r.dir,
                 "--ORPort", "127.0.0.1:%d" % r.orport,
                 "--Nickname", r.name, "--SocksPort", "0"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL))
        for j in jobs:
            if j.wait(60):
                raise TorNetError("making keys failed (%s)" % j.args[0])

    def _authority_line(self):
        path = os.path.join(self.auth.dir, "keys", "authority_certificate")
        with open(path) as f:
            v3 = re.search(r"^fingerprint (\w+)", f.read(), re.M).group(1)
        return "DirAuthority authority orport=%d no-v2 v3ident=%s " \
               "127.0.0.1:%d %s\n" % (self.auth.orport, v3, self.dirport,
                                      self.auth.fingerprint())

    # ---- life ----

    def _launch(self):
        line = self._authority_line()
        # Far from now: the first vote must not fall into the start.
        offset = int(time.time() + INTERVAL / 2) % INTERVAL
        for r in self.all:
            v = dict(dir=r.dir, name=r.name, orport=r.orport,
                     dirport=self.dirport, interval=INTERVAL, offset=offset)
            text = COMMON.format(**v)
            if self.resolv:
                text = text.replace("ExitRelay 0\n",
                                    EXIT.format(resolv=self.resolv))
            if r is self.auth:
                text += AUTHORITY.format(**v)
                if self.resolv:
                    text += "TestingDirAuthVoteExit *\n"
            r.start(text + line)
        with open(self.torrc, "w") as f:
            f.write("TestingTorNetwork 1\nKISTSchedRunInterval 1 msec\n"
                    + line)

    def _wait_descriptors(self, control, until):
        while True:
            seen = control.info("desc/all-recent")
            if len(re.findall(r"^router ", seen, re.M)) == len(self.all):
                return
            if time.time() > until:
                raise TorNetError("relays did not register in time")
            time.sleep(0.05)

    def _wait_consensus(self, control, until):
        while True:
            try:
                if len(re.findall(r"^s ", control.info("ns/all"),
                                  re.M)) == len(self.all):
                    return
            except ControlError:
                pass
            if time.time() > until:
                raise TorNetError("no consensus in time")
            time.sleep(0.05)

    def _wait_ready(self, until):
        waiting = {r: r.control(until) for r in self.all}
        poked = 0
        while waiting:
            for r in list(waiting):
                if waiting[r].info("status/enough-dir-info").strip() == "1":
                    waiting.pop(r).close()
            if not waiting:
                return
            if time.time() > until:
                raise TorNetError("not ready: %s"
                                  % [r.name for r in waiting])
            if time.time() - poked > 0.5:
                poked = time.time()
                for r in waiting:
                    r.proc.send_signal(signal.SIGHUP)
            time.sleep(0.05)

    def _try_start(self):
        until = time.time() + 45
        self.tell("making keys")
        self._make_keys()
        self.tell("starting %d relays" % len(self.all))
        self._launch()
        control = self.auth.control(until)
        self._wait_descriptors(control, until)
        control.command('SETCONF TestingV3AuthVotingStartOffset='
                        '"%d seconds"' % (int(time.time() + 5) % INTERVAL))
        self.tell("the authority votes")
        self._wait_consensus(control, until)
        control.close()
        self.tell("relays fetch the consensus")
        self._wait_ready(until)

    def start(self):
        for attempt in range(3):
            shutil.rmtree(self.base, ignore_errors=True)
            os.makedirs(self.base, mode=0o700)
            try:
                self._try_start()
                return self
            except (TorNetError, OSError, ControlError) as e:
                self.stop()
                if attempt == 2:
                    raise
                print("test network: %s; again" % e, flush=True)

    def stop(self):
        for r in self.all:
            r.stop()
