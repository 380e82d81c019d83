"""kill -9 two hundred times over one import, and over one that prunes."""

from harness.killing import killed_import

SLOW = True


def test_killed_while_importing(env):
    killed_import(env, 200, 20000)


def test_killed_while_pruning(env):
    killed_import(env, 200, 20000, "-prune=2", "-fastprune")
