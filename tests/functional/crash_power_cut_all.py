"""The same for some thousands of states of several workloads."""

from harness.power_cut import power_cuts

SLOW = True


def test_power_cuts(env):
    for seed in (2, 3, 5):
        power_cuts(env, 700, seed)


def test_power_cuts_while_pruning(env):
    for seed in (8, 12):
        power_cuts(env, 200, seed)
