"""Trusted peers on the shared private Tor network: enrolled by one string,
joined by mutual TLS behind doors that nobody else can find."""

from harness.node import wait_until
from harness.regtest import mine, mine_with_spends

TOR = True

ALONE = ["-trustedonly=1"]


def trusted(node, name):
    for p in node.rpc.peerlist()["peers"]:
        if p["name"] == name:
            return p
    return None


def enrol(host, guest, guest_name, host_name, roles="peer"):
    """guest takes host's invite; both know each other then."""
    invite = host.rpc.peerinvite(guest_name, roles)["invite"]
    got = guest.rpc.peeraccept(invite, host_name)
    assert got["state"] == "trusted", got
    return invite


def joined(node, name, timeout=60):
    wait_until(lambda: (trusted(node, name) or {}).get("connected"), timeout,
               text="%s is connected with %s" % (node.name, name))
    return trusted(node, name)


def test_two_nodes_sync_over_mutual_tls_only(env):
    a = env.node("a", args=ALONE + ["-debug=tls", "-debug=net"]).start()
    mine_with_spends(a, 150)
    b = env.node("b", args=ALONE + ["-debug=tls", "-debug=net"]).start()
    enrol(a, b, "bob", "alice")
    joined(a, "bob")
    b.wait_tip(a.tip())
    assert b.muhash() == a.muhash()
    peers = a.rpc.getpeerinfo() + b.rpc.getpeerinfo()
    assert [p["transport_protocol_type"] for p in peers] == ["tls"] * 2, peers
    mine(b, 2)
    a.wait_tip(b.tip())
    a.stop()
    b.stop()
    assert a.stderr() == "" and b.stderr() == ""
