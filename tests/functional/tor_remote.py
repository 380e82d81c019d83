"""A trusted peer's RPC through its private door, as cloister-cli -remote."""

import glob
import os
import signal
import socket
import ssl
import threading

from harness.node import wait_until
from harness.regtest import mine

TOR = True

ALONE = ["-trustedonly=1", "-debug=tls"]


def enrol(host, guest, guest_name, host_name, roles):
    """guest takes host's invite, and may do this at host's."""
    invite = host.rpc.peerinvite(guest_name, roles)["invite"]
    got = guest.rpc.peeraccept(invite, host_name)
    assert got["state"] == "trusted", got


def remote(node, name, *args):
    return node.cli("-remote=" + name, *args, timeout=180)


def answers(node, name, *args):
    """What it says, once the door is found."""
    last = [None]

    def there():
        last[0] = remote(node, name, *args)
        return last[0].returncode == 0
    wait_until(there, 120, text="%s answers" % name)
    return last[0].stdout.strip()


def forbidden(node, name, *args):
    out = remote(node, name, *args)
    assert out.returncode != 0, out
    assert "not for remote callers" in out.stderr, out.stderr


def test_methods_by_role(env):
    server = env.node("server", args=ALONE).start()
    reader = env.node("reader", args=ALONE).start()
    admin = env.node("admin", args=ALONE).start()
    friend = env.node("friend", args=ALONE).start()
    mine(server, 3)
    enrol(server, reader, "reader", "home", "rpc-read")
    enrol(server, admin, "admin", "home", "rpc-admin")
    enrol(server, friend, "friend", "home", "peer")
    # Reading, with the types of arguments and errors of the local client.
    assert answers(reader, "home", "getblockcount") == "3"
    tip = remote(reader, "home", "getblockhash", "3")
    assert tip.stdout.strip() == server.tip(), tip
    assert '"blocks": 3' in answers(reader, "home", "getblockchaininfo")
    out = remote(reader, "home", "getblockhash", "9")
    assert out.returncode == 8 and "out of range" in out.stderr, out
    # What a reader may not do is refused and does not happen.
    for call in (["stop"], ["peerlist"], ["peerrpcway", "admin"],
                 ["getpeerinfo"], ["gettorinfo"], ["getnetworkinfo"],
                 ["invalidateblock", server.tip()], ["peerexport"]):
        forbidden(reader, "home", *call)
    assert server.rpc.getblockcount() == 3
    # An administrator: all but who is trusted.
    assert "bootstrap" in answers(admin, "home", "gettorinfo")
    assert remote(admin, "home", "invalidateblock",
                  server.tip()).returncode == 0
    assert server.rpc.getblockcount() == 2
    for call in (["peerlist"], ["peerremove", "reader"], ["peerexport"],
                 ["peerrpcway", "reader"], ["peerinvite", "thief"]):
        forbidden(admin, "home", *call)
    assert len(server.rpc.peerlist()["peers"]) == 3
    # No role for it: there is no such port at that door.
    out = remote(friend, "home", "getblockcount")
    assert out.returncode == 1 and "Could not reach home" in out.stderr, out
    out = remote(friend, "nobody", "getblockcount")
    assert "no trusted peer named" in out.stderr, out
    # Removed: no more.
    server.rpc.peerremove("reader")
    out = remote(reader, "home", "getblockcount")
    assert out.returncode == 1 and not out.stdout, out


def raw(host, guest, request, own=True):
    """What the RPC port of host's one such door says to these bytes, sent
    with guest's certificate from inside of host's Tor."""
    way = guest.rpc.peerrpcway("home")
    pem = os.path.join(guest.datadir, "way.pem")
    with open(pem, "w") as f:
        f.write(way["certificate"] + way["key"])
    paths = glob.glob(os.path.join(host.chaindir, "run", "d" + "?" * 10 + "r"))
    assert len(paths) == 1, paths
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(60)
    s.connect(paths[0])
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname = False
    c.verify_mode = ssl.CERT_NONE
    if own:
        c.load_cert_chain(pem)
    got = b""
    try:
        with c.wrap_socket(s) as t:
            t.sendall(request)
            while b"\r\n\r\n" not in got or b"Length: 0" not in got:
                more = t.recv(65536)
                got += more
                if not more or got.endswith(b"\n") and b"}" in got:
                    break
    except OSError:
        pass
    return got


def post(body, more=b""):
    return (b"POST / HTTP/1.1\r\nHost: x\r\n" + more + b"Content-Length: %d"
            % len(body) + b"\r\n\r\n" + body)


def test_http_at_the_door(env):
    host = env.node("host", args=ALONE).start()
    guest = env.node("guest", args=ALONE).start()
    thief = env.node("thief", args=ALONE).start()
    enrol(host, guest, "guest", "home", "rpc-read")
    enrol(host, thief, "thief", "home", "peer")
    count = b'{"method":"getblockcount","id":7}'
    got = raw(host, guest, post(count))
    assert got.startswith(b"HTTP/1.1 200 ") and b'"result":0' in got, got
    # In a batch, each call is judged.
    got = raw(host, guest, post(b'[%s,{"method":"stop","id":8}]' % count))
    assert b'"result":0' in got and b"-32604" in got, got
    for request, status in (
            (b"GET / HTTP/1.1\r\n\r\n", b"405"),
            (b"POST /x HTTP/1.1\r\nContent-Length: 0\r\n\r\n", b"404"),
            (b"POST / HTTP/1.1\r\n\r\n", b"411"),
            (post(count, b"Transfer-Encoding: chunked\r\n"), b"411"),
            (post(count, b"Content-Length: 3\r\n"), b"400"),
            (post(count, b"Content-Length: -3\r\n"), b"400"),
            (b"POST / HTTP/1.1\r\nContent-Length: 4194304\r\n\r\n", b"413"),
            (b"x" * 9000, b"400"),
            (b"\0\r\n\r\n", b"400"),
            (post(b"{"), b"500")):
        got = raw(host, guest, request)
        assert got.startswith(b"HTTP/1.1 " + status), (request[:60], got)
    # Another trusted peer at this door, and nobody in particular.
    assert raw(host, thief, post(count)) == b""
    assert raw(host, guest, post(count), own=False) == b""
    assert host.rpc.getblockcount() == 0


def test_when_tor_dies_and_trust_ends(env):
    host = env.node("server2", args=ALONE).start()
    guest = env.node("client2", args=ALONE).start()
    enrol(host, guest, "guest", "home", "rpc-read")
    assert answers(guest, "home", "getblockcount") == "0"
    os.kill(host.children()["tor"], signal.SIGKILL)
    assert answers(guest, "home", "getblockcount") == "0"
    # A call that waits ends with the trust, on both sides.
    out = []
    waiting = threading.Thread(target=lambda: out.append(
        remote(guest, "home", "waitfornewblock")))
    waiting.start()

    def under_way():
        return any(c["method"] == "waitfornewblock" for c in
                   host.rpc.getrpcinfo()["active_commands"])
    wait_until(under_way, 60, text="the call waits")
    host.rpc.peerremove("guest")
    waiting.join(60)
    assert out and out[0].returncode == 1 and not out[0].stdout, out
    mine(host, 1)               # its answer is nobody's
    wait_until(lambda: not under_way(), 30, text="it is over")
