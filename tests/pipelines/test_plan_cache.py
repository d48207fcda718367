"""What a check prepares is kept between runs, and never taken for another."""

import json
import os

import numpy as np
import pytest

import pipelines.plan_cache
import pipelines.sources
import sluicegate
from pipelines.plan_cache import KEPT_PLANS


@pytest.fixture
def plans(tmp_path, monkeypatch):
    """An empty cache that keeps small plans, too."""
    monkeypatch.setattr(pipelines.plan_cache, "cache_folder", lambda: tmp_path / "cache" / "plans")
    monkeypatch.setattr(pipelines.plan_cache, "LEAST_WORDS", 1)
    return tmp_path / "cache" / "plans"


@pytest.fixture
def prepared(monkeypatch):
    """How often patterns were made."""
    made = []
    build_patterns = pipelines.sources.build_patterns

    def noted(benchmarks, background):
        made.append([benchmark.name for benchmark in benchmarks])
        return build_patterns(benchmarks, background)

    monkeypatch.setattr(pipelines.sources, "build_patterns", noted)
    return made


@pytest.fixture
def quiz(tmp_path, vocabulary):
    """Items with choices, of which two leak."""
    items = [
        {
            "id": str(n),
            "question": " ".join(vocabulary(100 * n, 100 * n + (30 if n % 3 else 9))) + "?",
            "choices": [f"choice {n} {k}" for k in "abcd"],
            "answer": 2,
        }
        for n in range(20)
    ]
    path = tmp_path / "quiz.jsonl"
    path.write_text("".join(json.dumps(item) + "\n" for item in items))
    return path


@pytest.fixture
def store(tmp_path, quiz, vocabulary, write_corpus):
    texts = [" ".join(vocabulary(5000 + 60 * n, 5060 + 60 * n)) for n in range(30)]
    questions = [json.loads(line)["question"] for line in quiz.read_text().splitlines()]
    texts[4] += questions[1]
    texts[7] = f"{questions[3]} {texts[7]} {questions[5]}"
    write_corpus(tmp_path / "corpus" / "a.jsonl", texts)
    sluicegate.build_index(tmp_path / "corpus", tmp_path / "store")
    return str(tmp_path / "store")


def check(store, quiz):
    return sluicegate.scan([], quiz, store=store, calibration="off")


def test_a_second_check_prepares_nothing_and_says_the_same(plans, prepared, store, quiz):
    first = check(store, quiz)
    second = check(store, quiz)
    assert len(prepared) == 1
    assert len(list(plans.iterdir())) == 1
    assert set(first.contaminated()["item_id"]) == {"1", "3", "5"}
    assert second.findings.equals(first.findings)
    assert second.items.equals(first.items)
    assert second.report == first.report


def test_other_items_or_other_sources_are_prepared_anew(plans, prepared, store, quiz, monkeypatch):
    check(store, quiz)
    quiz.write_text(quiz.read_text().replace("choice 7 b", "another choice"))
    check(store, quiz)
    monkeypatch.setattr(pipelines.plan_cache, "_sources_digest", lambda: b"a later program")
    check(store, quiz)
    assert len(prepared) == 3
    assert len(list(plans.iterdir())) == 3


@pytest.mark.parametrize("place", [0.0, 0.0001, 0.3, 0.9])
@pytest.mark.parametrize("is_cut", [True, False])
def test_a_damaged_plan_is_made_again(plans, prepared, store, quiz, place, is_cut):
    first = check(store, quiz)
    [path] = plans.iterdir()
    data = bytearray(path.read_bytes())
    whole = bytes(data)
    at = int(place * len(data))
    if is_cut:
        del data[at:]
    else:
        data[at] ^= 4
    path.write_bytes(data)
    again = check(store, quiz)
    assert len(prepared) == 2
    assert again.findings.equals(first.findings)
    assert path.read_bytes() == whole


def test_a_cache_that_cannot_be_written_is_done_without(plans, prepared, store, quiz):
    plans.parent.write_text("a file where the folder should be")
    assert check(store, quiz).complete
    assert check(store, quiz).complete
    assert len(prepared) == 2


def test_the_last_few_plans_are_kept(plans, store, quiz):
    lines = quiz.read_text().splitlines(keepends=True)
    for n in range(KEPT_PLANS + 2):
        quiz.write_text("".join(lines[n:]))
        check(store, quiz)
        for path in plans.iterdir():
            os.utime(path, ns=(0, path.stat().st_mtime_ns - 10**9))
    assert len(list(plans.iterdir())) == KEPT_PLANS


def test_small_benchmarks_leave_nothing_behind(tmp_path, monkeypatch, prepared, store, quiz):
    monkeypatch.setattr(pipelines.plan_cache, "cache_folder", lambda: tmp_path / "cache")
    check(store, quiz)
    check(store, quiz)
    assert len(prepared) == 2
    assert not (tmp_path / "cache").exists()


def test_every_array_comes_back_as_it_was_and_may_be_written(plans, store, quiz, monkeypatch):
    kept = []
    save = pipelines.plan_cache._save

    def noted(path, made):
        kept.append(made)
        save(path, made)

    monkeypatch.setattr(pipelines.plan_cache, "_save", noted)
    check(store, quiz)
    [path] = plans.iterdir()
    loaded = pipelines.plan_cache._load(path)
    arrays = [[], []]
    trees = [
        pipelines.plan_cache._described(made, some)
        for made, some in zip((kept[0], loaded), arrays, strict=True)
    ]
    assert trees[0] == trees[1]
    for before, after in zip(*arrays, strict=True):
        assert (before.dtype, before.shape) == (after.dtype, after.shape)
        assert np.array_equal(before, after)
        assert after.flags.writeable
