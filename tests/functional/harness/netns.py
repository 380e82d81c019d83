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



def _rule(verb, uid):
    return subprocess.run(
        ["ip", "rule", verb, "pref", "5", "uidrange", "%d-%d" % (uid, uid),
         "blackhole"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True)


def can_cut():
    """Is this namespace ours, so that its routes are too?"""
    links = subprocess.run(["ip", "-o", "link"], stdout=subprocess.PIPE,
                           text=True).stdout
    return bool(os.environ.get("CLOISTER_TEST_NETNS")) and \
        os.getuid() == 0 and links.count("\n") == 1


def cut(uid):
    """No packet of this user's reaches anybody: its machine is offline."""
    first = subprocess.run(["ip", "rule"], stdout=subprocess.PIPE, text=True)
    if first.stdout.startswith("0:"):
        # Ahead of the rule for local addresses nothing can be put.
        for verb, pref in (("add", "10"), ("del", "0")):
            subprocess.run(["ip", "rule", verb, "pref", pref, "lookup",
                            "local"], check=True)
    done = _rule("add", uid)
    assert done.returncode == 0, done.stdout


def mend(uid):
    done = _rule("del", uid)
    assert done.returncode == 0, done.stdout
