"""States that a disk may hold after a power cut: each is opened, carries on
to the same tip and MuHash, and replays no more than a flush interval."""

from harness.power_cut import power_cuts

STATES = 100


def test_power_cuts(env):
    power_cuts(env, STATES)
