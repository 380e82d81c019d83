"""A small client of tor's control protocol, for the relays of the test
network (never for the tor that a node manages)."""

import socket


class ControlError(Exception):
    pass


class Control:
    """One synchronous conversation over a unix socket."""

    def __init__(self, path, timeout=20):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(timeout)
        self.sock.connect(path)
        self.file = self.sock.makefile("rb")
        self.command("AUTHENTICATE")

    def command(self, line):
        """Send one command; the reply's lines without their codes."""
        self.sock.sendall(line.encode() + b"\r\n")
        out = []
        while True:
            raw = self.file.readline()
            if not raw:
                raise ControlError("control connection closed")
            text = raw.decode("latin1").rstrip("\r\n")
            code, sep, rest = text[:3], text[3:4], text[4:]
            if code.startswith("6"):
                continue
            out.append(rest)
            if sep == "+":
                while True:
                    data = self.file.readline().decode("latin1").rstrip("\r\n")
                    if data == ".":
                        break
                    out.append(data)
            if sep == " ":
                if not code.startswith("25"):
                    raise ControlError(text)
                return out

    def info(self, key):
        lines = self.command("GETINFO " + key)
        first = lines[0].split("=", 1)[1]
        return "\n".join([first] + lines[1:-1])

    def close(self):
        self.file.close()
        self.sock.close()
