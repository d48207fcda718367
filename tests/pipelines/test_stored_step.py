"""Shards that are looked up together: each finds what it would alone, whatever befalls the others."""

import json
import shutil

import pytest

import sluicegate
from corpora.shards import Columns, Compression, Format, Shard
from indexes.store import Store
from pipelines.stored_step import MOST_SHARDS, groups

N_SHARDS = 40
LEAKY = {3: [1, 5], 4: [0], 17: [7], 18: [2], 39: [4]}  # by shard: the documents that hold an item


@pytest.fixture(scope="module")
def quiz(vocabulary, write_benchmark, tmp_path_factory):
    items = [
        {"id": str(n), "question": " ".join(vocabulary(100 * n, 100 * n + 20)), "answer": ""}
        for n in range(3)
    ]
    return write_benchmark(tmp_path_factory.mktemp("quiz") / "quiz.jsonl", items)


@pytest.fixture(scope="module")
def corpus(vocabulary, tmp_path_factory):
    """Forty shards of eight documents, six leaks in five of them; their store lies beside."""
    folder = tmp_path_factory.mktemp("made") / "corpus"
    folder.mkdir()
    for shard in range(N_SHARDS):
        rows = []
        for row in range(8):
            first = 1000 + 300 * shard + 30 * row
            text = " ".join(vocabulary(first, first + 30))
            if row in LEAKY.get(shard, []):
                item = (shard + row) % 3
                text += " " + " ".join(vocabulary(100 * item, 100 * item + 20)) + " " + text
            rows.append(json.dumps({"id": f"{shard}-{row}", "text": text}))
        (folder / f"{shard:02}.jsonl").write_text("\n".join(rows))
    sluicegate.build_index(folder, folder.parent / "store", name="v", keep_text=True)
    return folder


def leaks(result, *left_out):
    found = {(row["shard"], row["doc_id"], row["item_id"]) for row in result.findings.to_dicts()}
    assert len(found) == result.findings.height
    return {each for each in found if not each[0].endswith(left_out)} if left_out else found


def damage(store, shard, start):
    """Flip a bit in the middle of a stored file of a shard."""
    entries = Store.open(str(store)).version("v").shards
    [key] = [entry.key for entry in entries if entry.path.endswith(shard)]
    [path] = (store / "shards" / key).glob(f"{start}*")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("batch_bytes", [1, 2000, 8 << 20])
def test_shards_of_a_group_find_what_a_scan_of_the_corpus_does(corpus, quiz, jobs, batch_bytes):
    told = []
    direct = sluicegate.scan(corpus, quiz, calibration="off")
    stored = sluicegate.scan(
        [], quiz, store=str(corpus.parent / "store"), calibration="off", jobs=jobs,
        batch_bytes=batch_bytes, progress=told.append,
    )  # fmt: skip
    assert stored.findings.equals(direct.findings)
    assert {(shard[-8:-6], doc) for shard, doc, _ in leaks(stored)} == {
        (f"{shard:02}", f"{shard}-{row}") for shard, rows in LEAKY.items() for row in rows
    }
    assert stored.items.equals(direct.items)
    assert stored.run["read"]["fetched"] == sum(map(len, LEAKY.values()))
    assert stored.run["shards"] == direct.run["shards"]
    last = [progress for progress in told if progress.stage == "scanning"][-1]
    assert (last.shards, last.documents) == (N_SHARDS, 8 * N_SHARDS)


@pytest.mark.parametrize("start", ["ngram-", "texts-", "hosts"])
def test_a_damaged_shard_of_a_group_costs_itself_alone(corpus, quiz, tmp_path, start):
    calibration = "quick" if start == "hosts" else "off"  # the drawn documents are for a battery
    direct = sluicegate.scan(corpus, quiz, calibration="off")
    shutil.copytree(corpus.parent / "store", tmp_path / "store")
    damage(tmp_path / "store", "04.jsonl", start)
    for batch_bytes in (1, 8 << 20):
        result = sluicegate.scan(
            [],
            quiz,
            store=str(tmp_path / "store"),
            calibration=calibration,
            batch_bytes=batch_bytes,
        )
        assert not result.complete
        [problem] = result.report["corpus"]["problems"]
        assert problem["shard"].endswith("04.jsonl")
        assert "its index is damaged" in problem["reason"]
        assert leaks(result) == leaks(direct, "04.jsonl")


@pytest.mark.parametrize("n_shards", [1, 2, 11, 100, 5000])
@pytest.mark.parametrize("jobs", [1, 2, 16])
def test_every_shard_is_in_one_group_and_threads_have_several(n_shards, jobs):
    nothing = Columns()
    shards = [
        Shard(str(n), Format.JSONL, Compression.NONE, nothing, None, n) for n in range(n_shards)
    ]
    shared = groups(shards, jobs)
    assert [shard for group in shared for shard in group] == shards
    assert max(map(len, shared)) <= MOST_SHARDS
    assert len(shared) >= min(n_shards, 4 * jobs)
