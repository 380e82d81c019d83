"""A peer in Python: speaks, and misspeaks, the P2P protocol."""

import hashlib
import os
import socket
import struct
import time

from .primitives import REGTEST_MAGIC, compact, read_compact, sha256d


def checksum(payload):
    return sha256d(payload)[:4]


def message(command, payload=b"", magic=REGTEST_MAGIC, length=None, sum_=None):
    if isinstance(command, str):
        command = command.encode()
    return magic + command.ljust(12, b"\0") + struct.pack(
        "<I", len(payload) if length is None else length) + (
        checksum(payload) if sum_ is None else sum_) + payload


def version_payload(version=70016, services=9, height=0, nonce=None,
                    agent=b"/test:1/", relay=1):
    addr = struct.pack("<Q", services) + bytes(16) + bytes(2)
    return struct.pack("<IQq", version, services, int(time.time())) + addr + \
        addr + (nonce or os.urandom(8)) + compact(len(agent)) + agent + \
        struct.pack("<IB", height, relay)


class Closed(Exception):
    pass


class Peer:
    """One connection to a node that listens on loopback."""

    def __init__(self, port, handshake=True, timeout=20, **version):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout)
        self.buffer = b""
        self.seen = []
        if handshake:
            self.send("version", version_payload(**version))
            self.expect("version")
            self.send("wtxidrelay")
            self.send("sendaddrv2")
            self.send("verack")
            self.expect("verack")

    @classmethod
    def over(cls, sock):
        """A peer that speaks on a socket that is there; no handshake yet."""
        p = cls.__new__(cls)
        p.sock, p.buffer, p.seen = sock, b"", []
        return p

    def raw(self, data):
        try:
            self.sock.sendall(data)
        except OSError as e:
            raise Closed(str(e))

    def send(self, command, payload=b"", **kw):
        self.raw(message(command, payload, **kw))

    def receive(self):
        """The next message: (command, payload).  Pings are answered."""
        while True:
            while len(self.buffer) >= 24:
                size = struct.unpack("<I", self.buffer[16:20])[0]
                if len(self.buffer) < 24 + size:
                    break
                command = self.buffer[4:16].rstrip(b"\0").decode()
                payload = self.buffer[24:24 + size]
                assert self.buffer[20:24] == checksum(payload)
                self.buffer = self.buffer[24 + size:]
                self.seen.append(command)
                if command == "ping":
                    self.send("pong", payload)
                    continue
                return command, payload
            try:
                data = self.sock.recv(65536)
            except ConnectionError as e:
                raise Closed(str(e))
            if not data:
                raise Closed("closed by the node")
            self.buffer += data

    def expect(self, command):
        """Skip to the next message of that name; its payload."""
        while True:
            got, payload = self.receive()
            if got == command:
                return payload

    def sync(self):
        """All that was sent has been handled."""
        nonce = os.urandom(8)
        self.send("ping", nonce)
        while self.expect("pong") != nonce:
            pass

    def closed(self, timeout=20):
        """Wait until the node hangs up."""
        self.sock.settimeout(timeout)
        try:
            while True:
                self.receive()
        except Closed:
            return True
        except socket.timeout:
            return False

    def close(self):
        self.sock.close()


def headers_payload(headers):
    return compact(len(headers)) + b"".join(h + b"\0" for h in headers)


def parse_headers(payload):
    n, at = read_compact(payload, 0)
    out = []
    for _ in range(n):
        out.append(payload[at:at + 80])
        at += 81
    return out


def inv_payload(items):
    return compact(len(items)) + b"".join(
        struct.pack("<I", kind) + h for kind, h in items)


def parse_inv(payload):
    n, at = read_compact(payload, 0)
    return [(struct.unpack("<I", payload[at + 36 * i:at + 36 * i + 4])[0],
             payload[at + 36 * i + 4:at + 36 * i + 36]) for i in range(n)]


MSG_BLOCK = 2
MSG_WITNESS_BLOCK = 0x40000002


def onion_of(seed):
    """A well-formed v3 onion address (nobody's)."""
    import base64
    pub = hashlib.sha256(seed).digest()
    check = hashlib.sha3_256(b".onion checksum" + pub + b"\x03").digest()[:2]
    return base64.b32encode(pub + check + b"\x03").decode().lower() + ".onion"
