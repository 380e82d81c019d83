"""What the functional tests share: nodes, a private Tor network, RPC."""
