"""How long a test waits for another process before it takes it for hung: far longer than the slowest machine needs."""

HUNG = 1_800.0
"""Seconds. A guard against waiting for ever, and nothing that a test expects: nothing here depends on how fast a machine is."""
