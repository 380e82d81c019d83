"""System calls that fail when a test says so: tests/crash/tap.so below a
node."""

import errno
import mmap
import os
import struct

from .power_cut import program

WRITE, SYNC, CREATE, READ, RENAME, UNLINK, MKDIR, TRUNCATE, OPEN = (
    1 << i for i in range(9))
CHANGES = WRITE | SYNC | CREATE | RENAME | UNLINK | MKDIR | TRUNCATE
SHORT = -1
BUS = -3
LAYOUT = "=IIiIIII100s"          # struct tap_control


class Tap:
    def __init__(self, env, node):
        self.path = node.datadir + ".tap"
        with open(self.path, "wb") as f:
            f.write(bytes(struct.calcsize(LAYOUT)))
        self.file = open(self.path, "r+b")
        self.map = mmap.mmap(self.file.fileno(), struct.calcsize(LAYOUT))
        node.env = dict(node.env or {}, LD_PRELOAD=program(env, "tap.so"),
                        TAP_ROOT=node.chaindir, TAP_CONTROL=self.path,
                        ASAN_OPTIONS="verify_asan_link_order=0")

    def arm(self, calls, error, path="", skip=0, times=0):
        """After `skip` matching calls `times` of them fail (0: all)."""
        body = struct.pack(LAYOUT, 1, calls, error, skip, times, 0, 0,
                           path.encode())
        self.map[4:] = body[4:]
        self.map[:4] = body[:4]

    def disarm(self):
        self.map[:4] = bytes(4)

    def hits(self):
        return struct.unpack(LAYOUT, self.map[:])[6]


def cause(error):
    return os.strerror(error)


ENOSPC, EIO, EROFS = errno.ENOSPC, errno.EIO, errno.EROFS
