"""kill -9 at random instants over one import: the same end."""

from harness.killing import killed_import


def test_killed_while_importing(env):
    killed_import(env, 12, 2500)


def test_killed_while_pruning(env):
    killed_import(env, 4, 800, "-prune=2", "-fastprune")
