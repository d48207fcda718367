"""Waiting for what other processes do."""

import time
from pathlib import Path


def shards_in(store):
    """How many shards a store has."""
    return len(list(Path(store).glob("shards/[0-9a-f]*/shard.json")))


def wait_for_shards(store, n, run):
    """Wait until a run has built so many shards, or has ended; return how many there are."""
    while shards_in(store) < n and run.poll() is None:
        time.sleep(0.02)
    return shards_in(store)


def wait_until(condition, seconds=60):
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.05)
