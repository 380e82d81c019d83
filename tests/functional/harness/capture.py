"""Every packet of a network namespace that is not a Tor relay's."""

import ctypes
import os
import socket
import struct
import subprocess
import threading

CLONE_NEWNET = 0x40000000
ETH_P_ALL = 3
SO_ATTACH_FILTER = 26
PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp6"}


def leave_network():
    """This process goes on in a namespace with nothing but loopback."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "no network namespace")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def bpf(code, jt, jf, k):
    return struct.pack("HBBI", code, jt, jf, k)


def all_but_tcp_ports(low, high):
    """A socket filter: IPv4 TCP packets with one end in that range are
    dropped by the kernel, so that nothing else is ever lost."""
    LDH, LDB, LDX, LDI = 0x28, 0x30, 0xb1, 0x48
    JEQ, JGE, JGT, RET = 0x15, 0x35, 0x25, 0x06
    # A cooked (SOCK_DGRAM) packet begins with its IP header.
    code = [
        bpf(LDB, 0, 0, 0), bpf(0x54, 0, 0, 0xf0),    # version
        bpf(JEQ, 0, 9, 0x40),
        bpf(LDB, 0, 0, 9), bpf(JEQ, 0, 7, 6),        # TCP
        bpf(LDX, 0, 0, 0),                           # header's length
        bpf(LDI, 0, 0, 0), bpf(JGE, 0, 1, low), bpf(JGT, 0, 4, high),
        bpf(LDI, 0, 0, 2), bpf(JGE, 0, 1, low), bpf(JGT, 0, 1, high),
        bpf(RET, 0, 0, 0xffff),                      # kept
        bpf(RET, 0, 0, 0),
    ]
    return b"".join(code), len(code)


class Capture:
    """Collects (protocol, source port, destination port) of each packet."""

    def __init__(self, relay_ports):
        self.seen = []
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                                  socket.htons(ETH_P_ALL))
        code, n = all_but_tcp_ports(*relay_ports)
        room = ctypes.create_string_buffer(code)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack(
            "HL", n, ctypes.addressof(room)))
        self.sock.settimeout(0.2)
        self.ended = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.ended:
            try:
                data, where = self.sock.recvfrom(2048)
            except socket.timeout:
                continue
            self.seen.append(self.describe(data, where[1]))

    @staticmethod
    def describe(data, ethertype):
        if ethertype != 0x800 or len(data) < 20:
            return "ethertype %04x" % ethertype, 0, 0
        name = PROTOCOLS.get(data[9], "protocol %d" % data[9])
        at = 4 * (data[0] & 15)
        if name not in ("tcp", "udp"):
            return name, 0, 0
        return (name,) + struct.unpack(">HH", data[at:at + 4])

    def stop(self):
        self.ended = True
        self.thread.join()
        self.sock.close()
        return set(self.seen)


def counters(pid):
    """Packets and bytes of every interface that this process can see."""
    out = {}
    with open("/proc/%d/net/dev" % pid) as f:
        for line in f.readlines()[2:]:
            name, numbers = line.split(":")
            v = list(map(int, numbers.split()))
            out[name.strip()] = (v[0], v[1], v[8], v[9])
    return out


def sockets_by_owner():
    """{(family, local port): pids} of this namespace's internet sockets."""
    inodes = {}
    for family in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6", "icmp",
                   "udplite", "packet"):
        try:
            with open("/proc/self/net/" + family) as f:
                rows = [r.split() for r in f.readlines()[1:]]
        except OSError:
            continue
        for r in rows:
            inode = r[8] if family == "packet" else r[9]
            port = 0 if family == "packet" else int(r[1].split(":")[1], 16)
            if inode != "0":
                inodes[inode] = (family, port)
    owners = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            for fd in os.listdir("/proc/%s/fd" % pid):
                link = os.readlink("/proc/%s/fd/%s" % (pid, fd))
                if link.startswith("socket:[") and link[8:-1] in inodes:
                    owners.setdefault(inodes[link[8:-1]],
                                      set()).add(int(pid))
        except OSError:
            pass
    return owners
