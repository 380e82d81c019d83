"""What strace saw of a whole daemon, process by process."""

import glob
import re


class Traces:
    """Files of `strace -ff -o PREFIX`, sorted by which process it was."""

    def __init__(self, prefix):
        self.text = {}
        for path in glob.glob(prefix + ".*"):
            with open(path, errors="replace") as f:
                self.text[int(path.rsplit(".", 1)[1])] = f.read()
        self.node, self.tor, self.spawner, self.rest = [], [], [], []
        for pid, text in self.text.items():
            self.sort(pid, text)
        self.threads = {}
        for pid in self.node:
            self.threads[pid] = [
                int(t) for t in re.findall(
                    r"^clone3?\(.*CLONE_THREAD.*\) += (\d+)",
                    self.text[pid], re.M)]

    def sort(self, pid, text):
        if '["cloisterd: node"' in text:
            self.node.append(pid)
        elif re.search(r'^execve\("[^"]*tor"', text, re.M):
            self.tor.append(pid)
        elif 'prctl(PR_SET_NAME, "spawner"' in text:
            self.spawner.append(pid)
        else:
            self.rest.append(pid)

    def after(self, pid, mark):
        """From the last line with these words on."""
        text = self.text[pid]
        at = text.rindex(mark)
        return text[at:]

    def of_node(self, pid):
        """Its own calls, from exec on, and its threads'."""
        return [self.after(pid, '["cloisterd: node"')] + [
            self.text[t] for t in self.threads[pid]]


def calls(texts):
    """{system call: lines} of those traces."""
    out = {}
    for text in texts:
        for line in text.splitlines():
            m = re.match(r"(\w+)\(", line)
            if m:
                out.setdefault(m.group(1), []).append(line)
    return out
