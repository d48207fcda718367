"""Steps as workers do them: a worker that differs is refused, and one that waits does not wait for long."""

import json
import time
from dataclasses import replace

import pytest

from corpora.shards import Columns, resolve
from flows.steps import Brought, Expected, WorkerError, index_batch, profile_batch, tool_version
from indexes.store import Store
from pipelines.drift_settings import DriftSettings
from pipelines.drift_unit import profile_step
from pipelines.index_settings import IndexSettings
from pipelines.shard_index import recipe
from pipelines.stored_profiles import recipe_of

INDEX = Expected(tool_version(), recipe())


@pytest.fixture
def shards(corpus):
    return resolve([str(corpus)], Columns())


def test_a_batch_is_built_once_and_recognised_then(shards, tmp_path):
    store = str(tmp_path / "s")
    first = index_batch(shards[:4], store, IndexSettings(), INDEX)
    second = index_batch(shards, store, IndexSettings(), INDEX)
    assert (first.built, second.built, second.recognised) == (4, 2, 4)
    assert first + second == Brought(10, 6, 4, first.documents + second.documents, first.bytes + second.bytes)  # fmt: skip


def test_a_worker_of_another_version_is_refused(shards, tmp_path):
    with pytest.raises(WorkerError, match="install the same"):
        index_batch(shards, str(tmp_path), IndexSettings(), replace(INDEX, version="9.9"))
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_reads_other_rules_is_refused(shards, tmp_path):
    rules = tmp_path / "rules.yaml"
    rules.write_text("rules:\n  - {id: 'a*', domain: first}\n")
    settings = DriftSettings(domain_rules=rules)
    expected = Expected(tool_version(), recipe_of(profile_step(settings)))
    store = str(tmp_path / "s")
    assert profile_batch(shards, store, settings, expected).built == 6
    rules.write_text("rules:\n  - {id: 'b*', domain: first}\n")
    with pytest.raises(WorkerError, match="something else"):
        profile_batch(shards, store, settings, expected)


def test_a_lease_that_a_lost_worker_of_another_host_left_delays_a_batch_for_a_moment(
    shards, tmp_path
):
    index_batch(shards, str(tmp_path / "known"), IndexSettings(), INDEX)
    keys = Store.open(str(tmp_path / "known")).shard_keys()
    where = tmp_path / "s"
    store = Store.open(str(where), create=True)
    with store.lease(keys[0]) as lease:
        assert lease is not None
        path = where / "leases" / f"{keys[0]}.json"
        lost = json.loads(path.read_text()) | {"host": "elsewhere.00000000"}
        began = time.monotonic()
        path.write_text(json.dumps(lost))
        brought = index_batch(shards, str(where), IndexSettings(), INDEX, 1.0)
        assert 1 <= time.monotonic() - began < 30
    assert brought.built == 6
    assert store.shard_keys() == keys
