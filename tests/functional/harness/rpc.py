"""JSON-RPC over a unix socket or loopback TCP, by the standard library."""

import base64
import http.client
import json
import os
import socket


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class RpcError(Exception):
    def __init__(self, error, status):
        self.code = error.get("code")
        self.message = error.get("message")
        self.status = status
        super().__init__("%s (%s)" % (self.message, self.code))


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Rpc:
    """Calls as methods: rpc.getblockcount()."""

    def __init__(self, cookie, path=None, port=None, timeout=120):
        self._cookie = cookie
        self._path = path
        self._port = port
        self._timeout = timeout

    def connection(self):
        if self._path:
            return UnixConnection(self._path, self._timeout)
        return http.client.HTTPConnection("127.0.0.1", self._port,
                                          timeout=self._timeout)

    def auth(self):
        with open(self._cookie, "rb") as f:
            return "Basic " + base64.b64encode(f.read().strip()).decode()

    def post(self, body, auth=None, path="/", method="POST"):
        """The raw exchange: (status, bytes)."""
        c = self.connection()
        try:
            headers = {"Content-Type": "application/json"}
            auth = self.auth() if auth is None else auth
            if auth:
                headers["Authorization"] = auth
            c.request(method, path, body, headers)
            r = c.getresponse()
            return r.status, r.read()
        finally:
            c.close()

    def call(self, method, *params, **named):
        body = json.dumps({"id": 1, "method": method,
                           "params": named if named else list(params)})
        status, raw = self.post(body)
        if not raw:
            raise RpcError({"code": None, "message": "HTTP %d" % status},
                           status)
        try:
            answer = json.loads(raw)
        except ValueError:
            raise RpcError({"code": None, "message": "HTTP %d: %r" % (
                status, raw[:200])}, status)
        if answer.get("error"):
            raise RpcError(answer["error"], status)
        return answer["result"]

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *params, **named: self.call(name, *params, **named)

    def ready(self):
        return os.path.exists(self._cookie)
