"""A network namespace of our own: nothing but loopback, so that not even a
mistake can send a packet anywhere."""

import os
import subprocess
import sys


def own_namespace():
    """Restart this program in a new namespace, where the system allows it."""
    if os.environ.get("CLOISTER_TEST_NETNS"):
        return
    os.environ["CLOISTER_TEST_NETNS"] = "1"
    flags = "-n" if os.getuid() == 0 else "-rn"
    up = "ip link set lo up"
    probe = subprocess.run(["unshare", flags, "sh", "-c", up],
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
    if probe.returncode == 0:
        os.execvp("unshare", ["unshare", flags, "sh", "-c",
                              up + " && exec \"$@\"", "sh",
                              sys.executable] + sys.argv)
    print("note: no network namespace can be made here; using the machine's "
          "loopback", flush=True)


def _rule(*args):
    return subprocess.run(["ip", "rule"] + list(args),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True)


def can_cut():
    """Are we in a namespace of our own, where routes are ours to change?"""
    return os.environ.get("CLOISTER_TEST_NETNS") == "1" and \
        _rule("list").returncode == 0 and len(os.listdir("/sys/class/net")) \
        and subprocess.run(["ip", "-o", "link"], stdout=subprocess.PIPE,
                           text=True).stdout.count("\n") == 1


def cut(address):
    """Drop every packet to this address of loopback, without a word: as a
    network does that is gone."""
    if "from all lookup local" in _rule("list").stdout.split("\n")[0] and \
            _rule("list").stdout.startswith("0:"):
        _rule("add", "pref", "10", "lookup", "local")
        _rule("del", "pref", "0", "lookup", "local")
    done = _rule("add", "pref", "5", "to", address, "blackhole")
    assert done.returncode == 0, done.stderr


def mend(address):
    done = _rule("del", "pref", "5", "to", address, "blackhole")
    assert done.returncode == 0, done.stderr
