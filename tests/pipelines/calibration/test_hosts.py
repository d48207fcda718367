"""Documents drawn from a corpus of which little is read."""

import pytest

from corpora.problems import CorpusError
from corpora.shards import Columns, resolve
from pipelines.calibration import hosts
from pipelines.calibration.hosts import draw_hosts


@pytest.fixture(scope="module")
def document(vocabulary):
    """A document of about 600 bytes, another for each number."""
    return lambda number: " ".join(vocabulary(70 * number, 70 * number + 70))


@pytest.fixture
def corpus(tmp_path, write_corpus, document):
    """Five shards of 20 long documents and as many short ones."""
    for shard in range(5):
        texts = [document(20 * shard + row) for row in range(20)]
        both = [text for long in texts for text in (long, "short")]
        write_corpus(tmp_path / f"{shard}.jsonl", both)
    return tmp_path


def shards_of(corpus):
    return resolve([str(corpus)], Columns())


def test_as_many_documents_as_wanted_from_all_shards_in_turn(corpus, document):
    drawn = draw_hosts(shards_of(corpus), wanted=10, seed=0)
    numbers = [next(n for n in range(100) if document(n) == text) for text in drawn.texts]
    assert sorted(number // 20 for number in numbers) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert len(set(numbers)) == 10
    assert (len(drawn.read), drawn.of_shards, drawn.log.documents) == (5, 5, 200)


def test_the_order_of_shards_and_the_number_of_jobs_change_nothing(corpus):
    shards = shards_of(corpus)
    drawn = draw_hosts(shards, wanted=10, seed=0)
    assert draw_hosts(shards[::-1], wanted=10, seed=0, jobs=3) == drawn


def test_another_seed_draws_others(corpus):
    shards = shards_of(corpus)
    assert draw_hosts(shards, wanted=10, seed=0) != draw_hosts(shards, wanted=10, seed=1)


def test_of_many_shards_only_some_are_read(corpus, monkeypatch):
    monkeypatch.setattr(hosts, "SHARDS_AT_ONCE", 2)
    shards = shards_of(corpus)
    few = draw_hosts(shards, wanted=10, seed=0)
    assert (len(few.texts), len(few.read), few.of_shards) == (10, 2, 5)
    more = draw_hosts(shards, wanted=50, seed=0)  # two shards have 40 that are long enough
    assert (len(more.texts), len(more.read)) == (50, 4)
    assert set(few.read) == set(more.read[:2])
    monkeypatch.setattr(hosts, "MOST_SHARDS", 3)
    assert len(draw_hosts(shards, wanted=1000, seed=0).read) == 3


def test_of_a_long_shard_only_the_beginning_is_read(tmp_path, write_corpus, document, monkeypatch):
    monkeypatch.setattr(hosts, "BATCH_BYTES", 1000)
    path = write_corpus(tmp_path / "long.jsonl", [document(n) for n in range(50)])
    drawn = draw_hosts(shards_of(path), wanted=5, seed=0)
    assert len(drawn.texts) == 5
    assert drawn.log.documents < 10


def test_reading_goes_on_behind_short_documents_but_not_for_ever(
    tmp_path, write_corpus, document, monkeypatch
):
    monkeypatch.setattr(hosts, "BATCH_BYTES", 1000)
    path = write_corpus(tmp_path / "c.jsonl", ["short"] * 1000 + [document(1)] + ["short"] * 1000)
    assert draw_hosts(shards_of(path), wanted=1, seed=0).texts == (document(1),)
    monkeypatch.setattr(hosts, "MOST_READ_BYTES", 2000)
    drawn = draw_hosts(shards_of(path), wanted=1, seed=0)
    assert drawn.texts == ()
    assert drawn.log.documents < 1000


def test_of_a_large_table_a_part_is_drawn(tmp_path, write_corpus, document, monkeypatch):
    monkeypatch.setattr(hosts, "PART_BYTES", 1)
    texts = [document(n) for n in range(12)]
    path = write_corpus(tmp_path / "c.parquet", texts, row_group_size=2)
    drawn = {draw_hosts(shards_of(path), wanted=2, seed=seed).read[0].part for seed in range(30)}
    assert drawn == {(n, n + 1) for n in range(6)}


def test_what_could_not_be_read_is_logged(corpus):
    (corpus / "1.jsonl").write_bytes(b"{oops\n")
    drawn = draw_hosts(shards_of(corpus), wanted=10, seed=0)
    assert [(p.shard, p.row) for p in drawn.log.problems] == [(f"{corpus}/1.jsonl", 0)]
    assert len(drawn.texts) == 10


def test_a_shard_without_the_text_column_is_refused(corpus, write_corpus):
    write_corpus(corpus / "9.jsonl", [{"body": "x"}])
    with pytest.raises(CorpusError, match="no column 'text'"):
        draw_hosts(shards_of(corpus), wanted=10, seed=0)
