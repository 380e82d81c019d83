"""States that a disk may hold after a power cut: each is opened, carries on
to the same tip and MuHash, and replays no more than a flush interval."""

from harness.power_cut import power_cuts


def test_power_cuts(env):
    power_cuts(env, 100, 1)


def test_power_cuts_while_pruning(env):
    power_cuts(env, 25, 4)
