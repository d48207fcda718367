"""Profiles of versions: what is read and how it adds up, weights, token counters, and the store."""

import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

import pipelines.profile_step
import pipelines.stored_profiles
import sluicegate
from corpora.domain_source import DomainOrigin, DomainSource
from corpora.problems import CorpusError
from corpora.shards import Columns, resolve
from indexes.profile import ProfileBuilder, from_bytes, merge, to_bytes, weighted
from indexes.store import Store, StoreError
from indexes.store.upkeep import plan_prune, prune, sizes, verify_store
from pipelines.domain_sources import Domains
from pipelines.drift_settings import DriftSettings
from pipelines.profile_step import TokenUnit, profile_shard
from pipelines.profile_sums import ProfileSum, balanced
from pipelines.profiles import profile_version
from pipelines.shard_step import text_buffers

N_ROWS = 60
LONG_AGO = 1_000_000_000


def write(path, rows):
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=7)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def make_rows(first):
    """Documents of random lengths over a vocabulary in which some words are frequent; some are equal."""
    random = np.random.default_rng(first)
    words = [f"w{n}" for n in range(400)] + ["Über", "学校", "7"]
    rows = []
    for number in range(N_ROWS):
        chosen = (random.pareto(0.7, random.integers(0, 60)) * 4).astype(np.int64) % len(words)
        text = " ".join(words[k] for k in chosen) if number % 9 else "always the same text"
        rows.append(
            {"id": str(first + number), "domain": ("web", "books", None)[number % 3], "text": text}
        )
    return rows


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    for number, name in enumerate(("a.jsonl", "b.parquet", "c.parquet", "d.jsonl")):
        write(folder / name, make_rows(1000 * number))
    return folder


def version(*corpus, unit=None, domains=None, **settings):
    return profile_version([str(path) for path in corpus], DriftSettings(**settings), unit, domains)


def whole(*files, label=None):
    """The profile of files by one builder."""
    return merge(
        [
            profile_shard(shard, label=label)
            for path in files
            for shard in resolve([str(path)], Columns())
        ]
    )


# --- what is read ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {"jobs": 3},
        {"batch_bytes": 100},
        {"part_bytes": 1},
        {"jobs": 2, "part_bytes": 300, "batch_bytes": 999},
    ],
)
def test_jobs_batches_and_parts_change_nothing(corpus, settings):
    plain, other = version(corpus), version(corpus, **settings)
    assert to_bytes(plain.profile) == to_bytes(other.profile)
    assert plain.log == other.log
    assert plain.shards == other.shards


def test_the_order_of_shards_changes_nothing(corpus, tmp_path):
    turned = tmp_path / "turned"
    turned.mkdir()
    for name, other in zip("abcd", "dcba", strict=True):
        path = next(corpus.glob(f"{name}.*"))
        write(turned / f"{other}{path.suffix}", make_rows(1000 * "abcd".index(name)))
    assert to_bytes(version(corpus).profile) == to_bytes(version(turned).profile)


def test_a_version_is_the_sum_of_its_shards_and_says_what_was_read(corpus):
    found = version(corpus)
    files = sorted(corpus.iterdir())
    assert to_bytes(found.profile) == to_bytes(whole(*files))
    rows = [row for number in range(4) for row in make_rows(1000 * number)]
    assert found.documents == len(rows) == found.log.documents == found.profile.total("documents")
    assert found.bytes == sum(len(row["text"].encode()) for row in rows) == found.log.bytes
    assert found.words == found.tokens == found.profile.total("words")
    assert [(shard.path, shard.stored_bytes) for shard in found.shards] == [
        (path.as_posix(), path.stat().st_size) for path in files
    ]
    assert all(len(shard.sha256) == 64 for shard in found.shards)
    assert (found.name, found.is_weighted, found.shards_unread) == (str(corpus), False, 0)
    assert found.is_complete()


def test_what_cannot_be_read_is_told(corpus):
    with (corpus / "a.jsonl").open("a") as file:
        file.write('{"text": 1\n')
    (corpus / "c.parquet").write_bytes(b"PAR1 and no more")
    found = version(corpus)
    assert found.log.bad_documents == 1
    assert [Path(problem.shard).name for problem in found.log.problems] == ["a.jsonl", "c.parquet"]
    assert (found.shards_unread, found.is_complete(skip_bad=True)) == (1, False)
    assert found.documents == 3 * N_ROWS
    (corpus / "c.parquet").unlink()
    found = version(corpus)
    assert (found.shards_unread, found.is_complete(), found.is_complete(skip_bad=True)) == (
        0,
        False,
        True,
    )


def test_no_documents_are_no_error(tmp_path):
    path = write(tmp_path / "none.parquet", [{"text": None}])
    found = version(path)
    assert (found.documents, found.tokens, found.log.bad_documents) == (0, 0, 1)
    assert len(found.profile.tokens) == 0


def test_a_missing_text_column_ends_the_run(corpus):
    with pytest.raises(CorpusError, match="no column 'body'"):
        version(corpus, text=("body",), jobs=2)


def test_progress_tells_every_document_once(corpus):
    told = []
    profile_version([str(corpus)], DriftSettings(), stage="profiling v1", progress=told.append)
    assert told[0].stage == "loading kernels"
    assert {progress.stage for progress in told[1:]} == {"profiling v1"}
    assert (told[-1].documents, told[-1].parts_done, told[-1].parts) == (4 * N_ROWS, 4, 4)


@tried(deadline=None, max_examples=25)
@given(st.integers(1, 20), st.randoms(use_true_random=False))
def test_sums_are_the_same_in_whatever_order_profiles_come(n, random):
    profiles = []
    for number in range(n):
        builder = ProfileBuilder()
        text = pa.array([f"word{number % 5} common"], pa.large_string())
        builder.add(*text_buffers(text), pa.nulls(1, pa.large_string()))
        profiles.append(builder.finish())
    expected = to_bytes(merge(profiles))
    order = list(range(n))
    random.shuffle(order)
    total = ProfileSum(balanced(range(n)))
    for number in order:
        total.take(number, profiles[number])
    assert to_bytes(total.total()) == expected


# --- domains and weights --------------------------------------------------------------------------


def by_length(batch):
    """A labeller: long texts and short ones, and none for the empty."""
    _, bounds = text_buffers(batch.texts)
    names = np.array(["short", "long"], object)[(np.diff(bounds) > 100).astype(int)]
    return pa.array(np.where(np.diff(bounds) == 0, None, names), pa.large_string())


def test_domains_come_from_whoever_is_asked(corpus):
    found = version(
        corpus, domains=Domains(DomainSource(DomainOrigin.RULES, identity="r"), by_length)
    )
    assert found.profile.domain_names == ("", "long", "short")
    assert version(corpus).profile.domain_names == ("", "books", "web")


@pytest.fixture
def mix(corpus):
    path = corpus.parent / "mix.yaml"
    path.write_text(
        'name: m\nversion: "1"\nsources:\n'
        "  - {name: heavy, paths: [corpus/a.jsonl, corpus/b.parquet], weight: 2.5}\n"
        "  - {name: plain, paths: [corpus/c.parquet], domain: other}\n"
        "  - {name: light, paths: [corpus/d.jsonl], weight: 0.1}\n"
    )
    return path


def test_weights_of_a_mix_multiply_what_is_counted(corpus, mix):
    found = version(mix)
    assert found.is_weighted
    assert [shard.weight for shard in found.shards] == [2.5, 2.5, 1.0, 0.1]
    shards = resolve([str(mix)], Columns())
    profiles = [profile_shard(shard) for shard in shards]
    expected = merge([weighted(profiles[3], 0.1), profiles[2], weighted(merge(profiles[:2]), 2.5)])
    assert to_bytes(found.profile) == to_bytes(expected)
    assert found.documents == 4 * N_ROWS
    assert found.profile.total("documents") == pytest.approx(N_ROWS * (2 * 2.5 + 1 + 0.1))
    sums = merge(profiles[:2]).groups["tokens"].sum() * 2.5 + profiles[2].groups["tokens"].sum()
    assert found.profile.total("tokens") == pytest.approx(
        sums + profiles[3].groups["tokens"].sum() * 0.1
    )
    assert found.words == sum(profile.total("words") for profile in profiles)
    again = version(mix, jobs=3, part_bytes=1, batch_bytes=50)
    assert to_bytes(again.profile) == to_bytes(found.profile)


def test_weights_of_one_keep_integers(corpus, mix):
    mix.write_text(mix.read_text().replace("2.5", "1").replace("0.1", "1.0"))
    found = version(mix)
    assert not found.is_weighted
    assert found.profile.tokens["count"].dtype == pl.Int64
    assert to_bytes(found.profile) == to_bytes(
        merge([profile_shard(shard) for shard in resolve([str(mix)], Columns())])
    )


# --- tokens ---------------------------------------------------------------------------------------


class Letters:
    """A counter whose tokens are bytes; the first that is made finds out in the third batch of each shard
    that its cut is wrong."""

    made = 0

    def __init__(self):
        Letters.made += 1
        self.shy = Letters.made == 1
        self.begin_shard()

    def begin_shard(self):
        self.cut = "fine"
        self.batches = 0

    def tokens(self, data, bounds):
        self.batches += 1
        if self.shy and self.batches == 3:
            self.cut = "coarse"
        ids = data[bounds[0] : bounds[-1]].astype(np.uint32)
        if self.shy and self.cut == "fine":
            ids = ids + 1  # wrong, as is found out later
        return ids, bounds - bounds[0]


@pytest.fixture
def letters():
    Letters.made = 0
    return TokenUnit("tokens:letters", Letters)


@pytest.mark.parametrize("jobs", [1, 3])
def test_tokens_are_counted_and_a_shard_is_done_again_where_the_cut_was_wrong(
    corpus, letters, jobs
):
    found = version(corpus, unit=letters, jobs=jobs, batch_bytes=500)
    rows = [row for number in range(4) for row in make_rows(1000 * number)]
    expected = Counter(byte for row in rows for byte in row["text"].encode())
    counts = found.profile.tokens.group_by("key").agg(pl.col("count").sum())
    assert dict(counts.iter_rows()) == expected
    assert found.profile.unit == "tokens:letters"
    assert found.tokens == found.bytes
    assert found.words == version(corpus).words
    assert found.documents == 4 * N_ROWS
    assert len(found.profile.names) == 0
    assert Letters.made <= jobs


def test_documents_are_told_once_though_a_shard_is_done_again(corpus, letters):
    told = []
    profile_version([str(corpus)], DriftSettings(batch_bytes=500), letters, progress=told.append)
    assert told[-1].documents == 4 * N_ROWS


# --- the store ------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def profiled(monkeypatch):
    """The names of the shards that are profiled from their files."""
    names = []
    original = pipelines.profile_step.read_batches

    def noted(shard, *others, **more):
        names.append(Path(shard.path).name)
        return original(shard, *others, **more)

    monkeypatch.setattr(pipelines.profile_step, "read_batches", noted)
    return names


def test_a_shard_is_profiled_once(corpus, store, profiled, mix):
    plain = version(corpus)
    profiled.clear()
    first = version(corpus, store=str(store))
    assert sorted(profiled) == ["a.jsonl", "b.parquet", "c.parquet", "d.jsonl"]
    profiled.clear()
    for again in (version(corpus, store=str(store)), version(corpus, store=str(store), jobs=3)):
        assert to_bytes(again.profile) == to_bytes(first.profile) == to_bytes(plain.profile)
        assert again.log == first.log == plain.log
        assert again.shards == first.shards == plain.shards
    assert profiled == []
    write(corpus / "e.jsonl", make_rows(9000))
    assert to_bytes(version(corpus, store=str(store)).profile) == to_bytes(
        whole(*sorted(corpus.iterdir()))
    )
    assert profiled[0] == "e.jsonl"
    profiled.clear()
    weighed = version(mix, store=str(store))  # weights are no matter of the store; a domain is
    assert profiled == ["c.parquet"]
    assert to_bytes(weighed.profile) == to_bytes(version(mix).profile)


def test_another_unit_or_other_domains_are_other_profiles(corpus, store, profiled, letters):
    rules = Domains(DomainSource(DomainOrigin.RULES, identity="rules:1"), by_length)
    other = Domains(DomainSource(DomainOrigin.RULES, identity="rules:2"), lambda batch: batch.ids)
    for options in ({}, {"unit": letters}, {"domains": rules}, {"domains": other}):
        profiled.clear()
        kept = version(corpus, store=str(store), **options)
        assert set(profiled) == {"a.jsonl", "b.parquet", "c.parquet", "d.jsonl"}
        Letters.made = 5
        assert to_bytes(kept.profile) == to_bytes(version(corpus, **options).profile)
    assert len(Store.open(str(store)).versions()) == 4


def test_domains_by_path_are_not_kept(corpus, store):
    source = DomainSource(DomainOrigin.RULES, identity="r", looks_at_paths=True)
    found = version(corpus, store=str(store), domains=Domains(source, by_length))
    assert not store.exists()
    assert to_bytes(found.profile) == to_bytes(whole(*sorted(corpus.iterdir()), label=by_length))


def test_list_verify_and_prune_know_profiles(corpus, store):
    version(corpus, store=str(store))
    opened = Store.open(str(store))
    [name] = opened.versions()
    assert name.startswith("profile-")
    [size] = sizes(opened).versions
    assert (size.missing_shards, len(size.manifest.shards)) == (0, 4)
    assert list(verify_store(str(store))) == []
    assert plan_prune(opened).doomed == ()
    opened.drop_version(name)
    assert len([one for one in prune(opened).doomed if "shards" in one.path]) == 4
    assert opened.shard_keys() == []


@pytest.mark.parametrize("harm", ["flip", "cut", "remove"])
def test_a_damaged_profile_is_made_anew(corpus, store, profiled, harm):
    first = version(corpus, store=str(store))
    path = sorted(store.glob("shards/*/profile-*.arrow"))[2]
    data = bytearray(path.read_bytes())
    if harm == "flip":
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    elif harm == "cut":
        path.write_bytes(data[:-10])
    else:
        path.unlink()
    profiled.clear()
    again = version(corpus, store=str(store))
    assert len(profiled) == 1
    assert to_bytes(again.profile) == to_bytes(first.profile)
    assert list(verify_store(str(store))) == []


def test_what_cannot_be_read_is_told_from_the_store_too(corpus, store):
    with (corpus / "a.jsonl").open("a") as file:
        file.write('{"text": 1\n')
    for path in corpus.iterdir():
        os.utime(path, (LONG_AGO, LONG_AGO))
    plain = version(corpus)
    for _ in range(2):
        found = version(corpus, store=str(store))
        assert found.log == plain.log
        assert not found.is_complete()


def test_a_shard_that_is_not_there_leaves_no_version(corpus, store, monkeypatch):
    def failing(path, *_):
        if path.endswith("b.parquet"):
            raise PermissionError(13, "Permission denied")
        return original(path)

    original = pipelines.shard_builder.file_stat
    monkeypatch.setattr(pipelines.shard_builder, "file_stat", failing)
    found = version(corpus, store=str(store), jobs=2)
    assert [problem.reason for problem in found.log.problems] == [
        "cannot be read: Permission denied"
    ]
    assert (found.shards_unread, found.is_complete(skip_bad=True), found.documents) == (
        1,
        False,
        3 * N_ROWS,
    )
    assert Store.open(str(store)).versions() == []


def test_a_scan_of_the_store_takes_no_profiles_for_the_newest_version(corpus, store, tmp_path):
    items = tmp_path / "items.jsonl"
    items.write_text(
        json.dumps({"question": "Is this always the same text, or is it not so?", "answer": "x"})
    )
    version(corpus, store=str(store))
    with pytest.raises(StoreError, match="no corpus version in it"):
        sluicegate.scan([], items, store=str(store), calibration="off")
    sluicegate.build_index(corpus, str(store))
    version(corpus, store=str(store))
    result = sluicegate.scan([], items, store=str(store), calibration="off")
    assert result.complete
    assert result.run["read"]["documents"] == 4 * N_ROWS


def test_a_store_within_the_corpus_is_refused(corpus):
    with pytest.raises(StoreError, match="within the corpus"):
        version(corpus, store=str(corpus / "store"))


def test_stored_profiles_are_those_of_whole_shards(corpus, store):
    version(corpus, store=str(store))
    found = [from_bytes(path.read_bytes()) for path in store.glob("shards/*/profile-*.arrow")]
    assert sum(profile.total("documents") for profile in found) == 4 * N_ROWS
    assert len(found) == 4
