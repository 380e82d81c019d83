"""Processes below one that we started."""

import os
import signal


def descendants(pid):
    out = []
    try:
        for task in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/children" % (pid, task)) as f:
                for child in map(int, f.read().split()):
                    out += [child] + descendants(child)
    except OSError:
        pass
    return out


def kill_all(proc):
    """The process and all below it, at once and without warning."""
    for pid in descendants(proc.pid) + [proc.pid]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    proc.wait()
