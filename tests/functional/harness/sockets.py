"""The sockets a process has open, from /proc."""

import os
import re

FAMILIES = ("unix", "tcp", "tcp6", "udp", "udp6")
LISTEN = "0A"


def inodes_of(pid):
    found = set()
    for fd in os.listdir("/proc/%d/fd" % pid):
        try:
            m = re.match(r"socket:\[(\d+)\]",
                         os.readlink("/proc/%d/fd/%s" % (pid, fd)))
        except OSError:
            continue
        if m:
            found.add(m.group(1))
    return found


def table(net, family):
    """Rows of /proc/…/net/FAMILY: (inode, local address, state)."""
    try:
        with open("%s/%s" % (net, family)) as f:
            lines = f.readlines()[1:]
    except OSError:
        return
    for cols in map(str.split, lines):
        if family == "unix":
            yield cols[6], "", ""
        else:
            yield cols[9], cols[1], cols[3]


def count(pid):
    """{family: how many}.  A node inherits sockets of the namespace it was
    started in; its own is empty.  So both are looked at."""
    inodes, found = inodes_of(pid), {}
    for net in ("/proc/self/net", "/proc/%d/net" % pid):
        for family in FAMILIES:
            for inode, _, _ in table(net, family):
                if inode in inodes:
                    inodes.discard(inode)
                    found[family] = found.get(family, 0) + 1
    if inodes:
        found["other"] = len(inodes)
    return found


def tcp_listeners(pid):
    """Local addresses on which it listens for TCP."""
    inodes = inodes_of(pid)
    return [local for family in ("tcp", "tcp6")
            for inode, local, state in table("/proc/%d/net" % pid, family)
            if state == LISTEN and inode in inodes]
