from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.shards import Columns, Compression, Format, Shard
from flows.batches import anywhere, batches_of


def shards(sizes):
    return [
        Shard(f"s{n}.jsonl", Format.JSONL, Compression.NONE, Columns(), None, size)
        for n, size in enumerate(sizes)
    ]


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(1, 4), st.integers(1, 100))
def test_every_shard_is_in_one_batch_and_no_batch_is_too_large(sizes, slots, task_bytes):
    own = shards(sizes)
    batches = batches_of(own, slots, task_bytes)
    assert sorted((s for batch in batches for s in batch), key=lambda s: s.path) == sorted(
        own, key=lambda s: s.path
    )
    for batch in batches:
        assert batch
        assert len(batch) == 1 or sum(shard.size_bytes for shard in batch) <= task_bytes


def test_a_small_corpus_still_gives_every_slot_a_batch():
    assert len(batches_of(shards([10] * 64), 4, 1 << 30)) == 4


def test_a_corpus_of_middle_size_gives_every_slot_some_batches():
    assert len(batches_of(shards([10 << 20] * 64), 4, 1 << 30)) == 16


def test_a_task_is_not_much_smaller_than_what_it_costs_to_have_one():
    assert len(batches_of(shards([8 << 20] * 16), 2, 1 << 30)) == 4


def test_a_large_corpus_gives_tasks_of_the_size_asked_for():
    assert len(batches_of(shards([10] * 1000), 2, 100)) == 100


@pytest.mark.parametrize("url", ["s3://bucket/x.jsonl", "file:///x.jsonl"])
def test_a_url_means_the_same_anywhere(url):
    (shard,) = [Shard(url, Format.JSONL, Compression.NONE, Columns(), None, 1)]
    assert anywhere(shard) == shard


def test_a_path_is_made_absolute_for_workers_in_other_folders():
    assert anywhere(shards([1])[0]).path == str(Path.cwd() / "s0.jsonl")
