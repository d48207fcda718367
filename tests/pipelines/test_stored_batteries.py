"""Batteries in a store: found again while all that they depend on is the same, and only then."""

import json
import os

import pytest

import pipelines.scan
import pipelines.stored_batteries
import sluicegate
from indexes.store import Store
from indexes.store.upkeep import plan_prune, verify_store
from pipelines.calibration import Calibration, Rate

LONG_AGO = 1_000_000_000
WORDS = [f"{letter}{letter}ing" for letter in "abcdefghijklmno"]


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def documents(first):
    """Long enough to be planted into."""
    return [
        {"text": " ".join(WORDS[(row * k) % 15] + str(first + k) for k in range(90))}
        for row in range(1, 5)
    ]


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    for number in range(3):
        write(folder / f"{number}.jsonl", documents(1000 * number))
    return folder


@pytest.fixture
def items(tmp_path):
    rows = [
        {"question": f"How many {' '.join(WORDS[k:] + WORDS[:k])} are there?", "answer": str(k)}
        for k in range(9)
    ]
    return write(tmp_path / "items.jsonl", rows)


@pytest.fixture
def scan(corpus, items, tmp_path, monkeypatch):
    """Scan through the store; `scan.played` counts batteries, `scan.passes` is what they say."""

    def play(_plan, hosts, *, size, paraphrases):
        del paraphrases
        run.played += 1
        run.hosts = sorted(hosts)
        rate = Rate(
            "recall", "verbatim", "all", "all", 3, 1, 1 / 3, 0.1, 0.7 + len(hosts) / 7, 1, 0
        )
        return Calibration((rate,), run.passes, () if run.passes else ("bad luck",), 0, size)

    def run(**settings):
        sluicegate.build_index(corpus, str(store))
        return sluicegate.scan([], items, store=str(store), **settings)

    store = tmp_path / "store"
    run.store, run.played, run.passes = store, 0, True
    monkeypatch.setattr(pipelines.scan, "run_battery", play)
    return run


def test_an_equal_battery_is_played_once_and_told_the_same(scan, monkeypatch):
    first = scan()
    again = scan(jobs=2)
    assert scan.played == 1
    assert again.calibration.equals(first.calibration)
    assert again.report == first.report
    assert first.calibration["ci_high"].to_list() == [0.7 + 12 / 7]
    assert list(verify_store(str(scan.store))) == []
    assert plan_prune(Store.open(str(scan.store))).doomed == ()
    with monkeypatch.context() as patch:  # nothing of the corpus is read for it
        patch.setattr(pipelines.sources.StoredVersion, "hosts", None)
        assert scan().calibration.equals(first.calibration)


def test_another_input_is_another_battery(scan, corpus, items, tmp_path, monkeypatch):
    scan()
    write(corpus / "more.jsonl", documents(9000))
    scan()
    assert (scan.played, len(scan.hosts)) == (2, 16)
    scan(calibration="full")
    assert scan.played == 3
    rows = [json.loads(line) for line in items.read_text().splitlines()]
    write(items, [*rows[:-1], rows[-1] | {"answer": "another"}])
    scan()
    assert scan.played == 4
    text = {"item_id": "1", "text": "The same said in other words, for all that it matters here?"}
    scan(paraphrases=write(tmp_path / "said.jsonl", [text]))
    assert scan.played == 5
    monkeypatch.setattr(pipelines.stored_batteries, "_program", lambda: "another program")
    scan()
    assert scan.played == 6
    scan()
    assert scan.played == 6


def test_a_battery_that_failed_is_played_again(scan):
    scan.passes = False
    scan()
    scan.passes = True
    assert scan().report["calibration"]["status"] == "CALIBRATED"
    scan()
    assert scan.played == 2


def test_a_battery_that_lacked_documents_is_played_again(scan, corpus, items):
    sluicegate.build_index(corpus, str(scan.store))
    (corpus / "2.jsonl").rename(corpus / "gone")
    first = sluicegate.scan([], items, store=str(scan.store))
    assert len(scan.hosts) == 8
    (corpus / "gone").rename(corpus / "2.jsonl")
    again = scan()
    assert (scan.played, len(scan.hosts)) == (2, 12)
    assert not again.calibration.equals(first.calibration)


@pytest.mark.parametrize("harm", ["flip", "remove", "other"])
def test_a_damaged_battery_is_played_again(scan, harm):
    first = scan()
    [path] = scan.store.glob("shards/*/battery-*.json")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    if harm == "remove":
        path.unlink()
    elif harm == "flip":
        path.write_bytes(data)
    else:
        (path.parent / "shard.json").write_text("{}")
    assert scan().calibration.equals(first.calibration)
    assert scan.played == 2
    assert list(verify_store(str(scan.store))) == []
    scan()
    assert scan.played == 2


def test_the_last_few_batteries_are_named(scan, corpus, monkeypatch):
    monkeypatch.setattr(pipelines.stored_batteries, "KEPT", 2)
    for number in range(4):
        write(corpus / f"more{number}.jsonl", documents(9000 + number * 500))
        scan()
    store = Store.open(str(scan.store))
    assert sum(name.startswith("calibration-") for name in store.versions()) == 2
    scan()
    assert scan.played == 4
    newest = [name for name in store.versions() if not name.startswith("calibration-")]
    assert len(newest) == 4  # batteries are no versions of the corpus
