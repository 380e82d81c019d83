"""The same for some thousands of states of several workloads."""

from harness.power_cut import power_cuts

SLOW = True
STATES = 800
SEEDS = (2, 3, 4)


def test_power_cuts(env):
    for seed in SEEDS:
        power_cuts(env, STATES, seed)
