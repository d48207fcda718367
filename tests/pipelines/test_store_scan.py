"""The scan through an index store: what it finds, what it reads, and what it refuses."""

import gzip
import http.client
import json
import logging
import os
import re
import shutil
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer
from pydantic import ValidationError

import pipelines.sources
import pipelines.stored_batteries
import pipelines.stored_shard
import sluicegate
from corpora.problems import CorpusError
from indexes.ngram import LONG_WORDS
from indexes.store import Recipe, Store, StoreError, VersionShard

FORMATS = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet", ".arrow", ".stream.arrow")
HOURS_AGO = 7200
LEAKED = {"leaked", "short"}


def write_shard(path, rows):
    """Write documents as the suffix says: Parquet in row groups of three, Arrow in batches of four."""
    table = pa.Table.from_pylist(rows)
    if path.name.endswith(".parquet"):
        pq.write_table(table, path, row_group_size=3)
    elif path.name.endswith(".arrow"):
        new = pa.ipc.new_stream if ".stream" in path.name else pa.ipc.new_file
        with new(path, table.schema) as writer:
            writer.write_table(table, max_chunksize=4)
    else:
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
        if path.suffix == ".gz":
            text = gzip.compress(text, mtime=0)
        elif path.suffix == ".zst":
            text = pa.compress(text, codec="zstd", asbytes=True)
        path.write_bytes(text)
    settle(path)


def settle(path, seconds=HOURS_AGO):
    """Give a file a date at which it has been at rest for long."""
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


def flip(path, at=None):
    """Flip a bit of a file, in its middle if it is not said where."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2 if at is None else at] ^= 1
    status = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def stored_file(folder, shard, start):
    """The only stored file of a shard of `v1` whose name begins so."""
    entries = Store.open(str(folder / "store")).version("v1").shards
    [key] = [entry.key for entry in entries if entry.path == shard.as_posix()]
    [path] = (folder / "store" / "shards" / key).glob(f"{start}*")
    return path


# --- the law ----------------------------------------------------------------------------------------


def random_items(random, words):
    """Items of many lengths, some of which quote each other or repeat themselves."""
    items = []
    for number in range(12):
        question = random.choice(words, random.integers(4, 45)).tolist()
        if number % 4 == 1:
            question = (question[:6] * 12)[:50]  # the same seeds over and over
        if number % 4 == 2:
            question += items[-1]["question"].split()[:20]
        answer = random.choice(words, random.integers(1, 30)).tolist()
        items.append(
            {"id": str(number), "question": " ".join(question), "answer": " ".join(answer)}
        )
    return items


def random_document(random, words, items):
    """A text with pieces of items, spelled otherwise at times, or with words exchanged."""
    parts = []
    for _ in range(random.integers(1, 5)):
        parts += random.choice(words, random.integers(0, 60)).tolist()
        if random.random() < 0.5:
            item = items[random.integers(len(items))]
            quoted = f"{item['question']} {item['answer']}".split()
            start = random.integers(0, max(1, len(quoted) - 5))
            quoted = quoted[start : start + random.integers(5, 60)]
            for _ in range(random.integers(0, 3)):
                quoted[random.integers(len(quoted))] = "exchanged"
            parts += quoted
    spell = [str, str.upper, lambda word: f"**{word}**,", lambda word: f"{word}.\n\n", str.title]
    way = spell[random.integers(len(spell))]
    return " ".join(way(word) for word in parts)


def random_corpus(folder, seed, words, n_documents=14):
    """A shard in each format, and the items."""
    random = np.random.default_rng(seed)
    items = random_items(random, words)
    folder.mkdir(parents=True)
    for suffix in FORMATS:
        rows = [
            {
                "id": f"{suffix}-{row}",
                "domain": ("web", "books", None)[random.integers(3)],
                "text": random_document(random, words, items),
            }
            for row in range(n_documents)
        ]
        write_shard(folder / f"part{suffix}", rows)
    return items


def sure(findings):
    """The findings that are guaranteed."""
    return findings.filter(pl.col("longest_run") >= LONG_WORDS)


@pytest.mark.parametrize("seed", range(5))
def test_every_run_of_13_words_is_found_as_by_a_scan_of_the_corpus(
    tmp_path, vocabulary, write_benchmark, seed
):
    # Few words in all: seeds meet by chance, and runs go on by chance.
    words = np.array(vocabulary(0, (30, 60, 200, 1000, 3000)[seed]))
    quiz = write_benchmark(
        tmp_path / "quiz.jsonl", random_items(np.random.default_rng(seed), words)
    )
    random_corpus(tmp_path / "corpus", seed, words)
    random = np.random.default_rng([seed, 1])
    direct = sluicegate.scan(tmp_path / "corpus", quiz, calibration="off")
    assert len(sure(direct.findings)) > 20
    sluicegate.build_index(
        tmp_path / "corpus",
        tmp_path / "store",
        jobs=int(random.integers(1, 4)),
        batch_bytes=int(random.choice([1, 700, 1 << 20])),
        keep_text=bool(seed % 2),
    )
    for jobs, batch_bytes in ((1, 8 << 20), (3, 1), (2, 900)):
        stored = sluicegate.scan(
            [], quiz, store=str(tmp_path / "store"), calibration="off", jobs=jobs,
            batch_bytes=batch_bytes,
        )  # fmt: skip
        assert sure(stored.findings).equals(sure(direct.findings))
        assert stored.findings.join(
            direct.findings, on=direct.findings.columns, how="anti", nulls_equal=True
        ).is_empty()
        assert contaminated_by_long_runs(stored) == contaminated_by_long_runs(direct)
        assert stored.complete
        counted = stored.report["corpus"] | {"name": direct.report["corpus"]["name"]}
        assert counted == direct.report["corpus"]
        assert stored.run["shards"] == direct.run["shards"]
        assert stored.run["read"]["fetched"] <= stored.run["read"]["documents"]


def contaminated_by_long_runs(result):
    return set(result.contaminated()["item_id"]) & set(sure(result.findings)["item_id"])


# --- a corpus with two leaks ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def text(vocabulary):
    return lambda first, last: " ".join(vocabulary(first, last))


@pytest.fixture(scope="module")
def quiz(text, write_benchmark, tmp_path_factory):
    items = [
        {"id": "leaked", "question": text(0, 30), "answer": text(50, 53)},
        {"id": "elsewhere", "question": text(100, 130), "answer": "no"},
        {"id": "short", "question": text(200, 213), "answer": ""},
    ]
    return write_benchmark(tmp_path_factory.mktemp("quiz") / "quiz.jsonl", items)


@pytest.fixture(scope="module")
def made(text, tmp_path_factory):
    """A corpus of two shards of 200 documents, two leaks in the first; and its store."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "corpus").mkdir()
    plain = [{"id": str(n), "text": text(1000 + 60 * n, 1100 + 60 * n)} for n in range(400)]
    leaky, clean = plain[:200], plain[200:]
    leaky[70] = {"id": "leak", "text": f"{text(9000, 9050)} {text(0, 30)} {text(50, 53)}"}
    leaky[150] = {"id": "brief", "text": f"{text(9100, 9150)} {text(200, 213)}"}
    write_shard(folder / "corpus" / "leaky.jsonl", leaky)
    write_shard(folder / "corpus" / "clean.parquet", clean)
    sluicegate.build_index(folder / "corpus", folder / "store", name="v1")
    return folder


@pytest.fixture
def folder(made, tmp_path):
    """The same, to be changed: `corpus` is where the store knows it, put back afterwards."""
    kept = tmp_path / "kept"
    shutil.copytree(made, kept)
    yield made
    shutil.rmtree(made)
    shutil.copytree(kept, made)


def scan(folder, quiz, **settings):
    settings = {"calibration": "off", **settings}
    return sluicegate.scan([], quiz, store=str(folder / "store"), **settings)


def test_only_nominated_documents_are_read(made, quiz, monkeypatch):
    asked = {}
    read_rows = pipelines.stored_shard.read_rows

    def noted(shard, rows, *others, **more):
        asked[shard.path] = rows.tolist()
        yield from read_rows(shard, rows, *others, **more)

    monkeypatch.setattr(pipelines.stored_shard, "read_rows", noted)
    result = scan(made, quiz)
    assert {path: rows for path, rows in asked.items() if rows} == {
        (made / "corpus" / "leaky.jsonl").as_posix(): [70, 150]
    }
    assert result.run["read"]["fetched"] == 2
    assert result.run["read"]["documents"] == 400
    assert set(result.contaminated()["item_id"]) == LEAKED
    assert result.run["settings"]["store"] == str(made / "store")
    assert {f["doc_id"] for f in result.findings.iter_rows(named=True)} == {"leak", "brief"}


def test_a_shard_without_nomination_is_not_even_opened(folder, quiz):
    (folder / "corpus" / "clean.parquet").unlink()
    result = scan(folder, quiz)
    assert result.complete
    assert result.run["read"]["documents"] == 400


def test_a_document_may_be_at_either_end_of_a_shard(tmp_path, text, quiz):
    (tmp_path / "corpus").mkdir()
    rows = [{"text": text(1000 + 60 * n, 1100 + 60 * n)} for n in range(130)]
    rows[0] = rows[-1] = {"text": text(0, 30)}
    for suffix in FORMATS:
        write_shard(tmp_path / "corpus" / f"a{suffix}", rows)
    sluicegate.build_index(tmp_path / "corpus", tmp_path / "store")
    result = scan(tmp_path, quiz)
    assert result.run["read"]["fetched"] == 2 * len(FORMATS)
    assert set(result.findings["row"]) == {0, 129}
    assert len(result.findings) == 2 * len(FORMATS)


def test_short_items_are_unsearchable_only_where_copies_of_them_may_be_missed(
    tmp_path, text, write_benchmark
):
    questions = [text(100 * n, 100 * n + 9) for n in range(80)]
    items = [{"id": str(n), "question": question} for n, question in enumerate(questions)]
    quiz = write_benchmark(tmp_path / "short.jsonl", items)
    around = [
        (text(20_000 + 99 * n, 20_050 + 99 * n), text(30_000 + 99 * n, 30_050 + 99 * n))
        for n in range(80)
    ]
    for name, leaks in (("clean", [""] * 80), ("leaky", questions)):
        rows = [
            {"text": f"{before} {leak} {after}"}
            for (before, after), leak in zip(around, leaks, strict=True)
        ]
        (tmp_path / name / "corpus").mkdir(parents=True)
        write_shard(tmp_path / name / "corpus" / "a.jsonl", rows)
        sluicegate.build_index(tmp_path / name / "corpus", tmp_path / name / "store")
    clean = scan(tmp_path / "clean", quiz).items.sort("item_id")
    searchable = clean["status"] == "clean"
    assert 30 < searchable.sum() < 75  # four fifths of all copies are shown, unequally
    reasons = clean.filter(~searchable)["reason"].to_list()
    assert all(
        re.fullmatch(r"under 13 words: .* about [0-9] in 10 copies of it; .*", r) for r in reasons
    )
    found = scan(tmp_path / "leaky", quiz).items.sort("item_id")["status"] == "contaminated"
    assert found.filter(searchable).sum() >= 0.95 * searchable.sum()
    assert found.filter(~searchable).sum() < 0.95 * (~searchable).sum()


def test_the_result_folder_is_that_of_a_scan(made, quiz, tmp_path):
    scan(made, quiz, out=tmp_path / "out")
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert run["complete"] is True
    assert run["read"]["fetched"] == 2
    assert "v1" in json.loads((tmp_path / "out" / "report.json").read_text())["corpus"]["name"]


# --- a store that keeps the texts -------------------------------------------------------------------


@pytest.fixture
def keeping(made, tmp_path):
    """A copy of the corpus, and a store that keeps its texts."""
    shutil.copytree(made / "corpus", tmp_path / "corpus")
    for path in (tmp_path / "corpus").iterdir():
        settle(path)
    sluicegate.build_index(tmp_path / "corpus", tmp_path / "store", name="v1", keep_text=True)
    return tmp_path


@pytest.mark.parametrize("calibration", ["off", "quick"])
def test_a_store_that_keeps_texts_needs_no_corpus(keeping, quiz, calibration):
    direct = sluicegate.scan(keeping / "corpus", quiz, calibration=calibration)
    shutil.rmtree(keeping / "corpus")
    result = scan(keeping, quiz, calibration=calibration)
    assert result.complete
    assert result.findings.equals(direct.findings)
    assert result.run["read"]["fetched"] == 2
    if calibration == "quick":
        assert result.report["calibration"]["status"] == direct.report["calibration"]["status"]


@pytest.mark.parametrize("same_size", [True, False])
def test_a_changed_file_is_told_though_its_texts_are_kept(keeping, quiz, same_size):
    path = keeping / "corpus" / "leaky.jsonl"
    rows = path.read_text().splitlines(keepends=True)
    path.write_text("".join(reversed(rows) if same_size else rows[1:]))
    result = scan(keeping, quiz)
    assert refused(result, path, "it has changed since it was indexed")
    assert result.findings.is_empty()


def test_a_file_that_was_only_touched_is_read_again_once(keeping, quiz, monkeypatch):
    settle(keeping / "corpus" / "leaky.jsonl", 99)
    read = []
    scan_file = pipelines.stored_shard.scan_file

    def noted(path, *others):
        read.append(path)
        return scan_file(path, *others)

    monkeypatch.setattr(pipelines.stored_shard, "scan_file", noted)
    for _ in range(2):
        assert scan(keeping, quiz).complete
    assert read == [(keeping / "corpus" / "leaky.jsonl").as_posix()]


def test_a_file_of_another_size_is_told_though_nothing_of_it_is_nominated(folder, quiz):
    leaky = (folder / "corpus" / "leaky.jsonl").as_posix()
    path = min(p for p in (folder / "corpus").iterdir() if p.as_posix() != leaky)
    path.write_bytes(path.read_bytes() + b"\n")
    result = scan(folder, quiz)
    assert refused(result, path, "it has changed since it was indexed")
    assert set(result.contaminated()["item_id"]) == {"leaked", "short"}


def test_the_texts_are_the_same_files_however_they_were_read(keeping):
    sluicegate.build_index(
        keeping / "corpus", keeping / "again", keep_text=True, jobs=3, batch_bytes=900
    )
    files = [
        {path.name: path.read_bytes() for path in (keeping / store).glob("shards/*/texts-*")}
        for store in ("store", "again")
    ]
    assert len(files[0]) == 2
    assert files[0] == files[1]


def test_a_store_has_both_kinds_side_by_side(keeping, quiz):
    sluicegate.build_index(keeping / "corpus", keeping / "store", name="lean")
    versions = [scan(keeping, quiz, version=version) for version in ("v1", "lean")]
    assert versions[0].findings.equals(versions[1].findings)
    shards = [
        {s.key for s in Store.open(str(keeping / "store")).version(v).shards}
        for v in ("v1", "lean")
    ]
    assert not shards[0] & shards[1]


@pytest.mark.parametrize("part", [0.0, 0.001])
def test_a_flipped_bit_in_texts_that_are_read_is_found(keeping, quiz, part):
    leaky = keeping / "corpus" / "leaky.jsonl"
    path = stored_file(keeping, leaky, "texts-")
    flip(path, round(part * (path.stat().st_size - 1)))
    result = scan(keeping, quiz)
    assert refused(result, leaky, "its index is damaged")
    assert result.findings.is_empty()


def test_missing_texts_are_named(keeping, quiz):
    leaky = keeping / "corpus" / "leaky.jsonl"
    stored_file(keeping, leaky, "texts-").unlink()
    assert refused(scan(keeping, quiz), leaky, "its index is damaged", "is missing")


# --- a store and a corpus in an object store --------------------------------------------------------


@pytest.fixture
def bucket(monkeypatch):
    """A bucket of a local S3-compatible server: its URL, and what puts an object into it."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    _, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    def put(key, data):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        signed = "AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/s3/aws4_request"
        connection.request("PUT", f"/bucket/{key}", data, {"Authorization": signed})
        assert connection.getresponse().status == 200
        connection.close()

    put("", b"")
    yield "s3://bucket", put
    server.stop()


def test_corpus_and_store_may_be_urls(bucket, made, quiz):
    url, put = bucket
    for path in (made / "corpus").iterdir():
        put(f"corpus/{path.name}", path.read_bytes())
    built = sluicegate.build_index(f"{url}/corpus", f"{url}/store")
    assert (built.built, built.complete) == (2, True)
    again = sluicegate.build_index(f"{url}/corpus", f"{url}/store", name="again")
    assert (again.built, again.recognised) == (0, 2)  # by their ETags
    direct = sluicegate.scan(f"{url}/corpus", quiz, calibration="off")
    stored = sluicegate.scan([], quiz, store=f"{url}/store", calibration="off")
    assert stored.complete
    assert stored.findings.equals(direct.findings)
    assert stored.run["read"]["fetched"] == 2
    changed = (made / "corpus" / "leaky.jsonl").read_bytes().replace(b" ", b"-")
    put("corpus/leaky.jsonl", changed)
    stored = sluicegate.scan([], quiz, store=f"{url}/store", calibration="off")
    [problem] = stored.report["corpus"]["problems"]
    assert not stored.complete
    assert problem["shard"] == f"{url}/corpus/leaky.jsonl"
    assert problem["reason"] == "it has changed since it was indexed"


# --- documents and files that could not be read -----------------------------------------------------


def test_bad_documents_are_named_as_by_a_scan_of_the_corpus(tmp_path, text, quiz):
    path = tmp_path / "corpus.jsonl"
    path.write_text(f'{json.dumps({"text": text(0, 30)})}\n{{"text": "bro\n{{"text": 7}}\n')
    built = sluicegate.build_index(path, tmp_path / "store")
    assert built.manifest is not None
    assert not built.complete
    direct = sluicegate.scan(path, quiz, calibration="off")
    for skip_bad in (False, True):
        stored = scan(tmp_path, quiz, skip_bad=skip_bad)
        assert stored.complete is skip_bad
        assert stored.report["complete"] is skip_bad
        assert stored.report["corpus"]["problems"] == direct.report["corpus"]["problems"]
        assert stored.run["read"]["problems"] == direct.run["read"]["problems"]
        assert stored.findings.equals(direct.findings)


def test_a_shard_that_breaks_off_is_incomplete_as_by_a_scan_of_the_corpus(tmp_path, text, quiz):
    (tmp_path / "corpus").mkdir()
    whole = tmp_path / "corpus" / "a.jsonl.gz"
    rows = [{"text": text(0, 30)}, *({"text": text(99 * n, 99 * n + 90)} for n in range(30, 90))]
    write_shard(whole, rows)
    whole.write_bytes(whole.read_bytes()[:-2000])
    direct = sluicegate.scan(tmp_path / "corpus", quiz, calibration="off", skip_bad=True)
    assert not direct.complete
    assert set(direct.contaminated()["item_id"]) == {"leaked"}
    built = sluicegate.build_index(tmp_path / "corpus", tmp_path / "store")
    assert (built.broken_off, built.complete) == (1, False)
    stored = scan(tmp_path, quiz, skip_bad=True)
    assert not stored.complete
    assert stored.findings.equals(direct.findings)
    assert stored.report["corpus"]["problems"] == direct.report["corpus"]["problems"]
    assert stored.report["corpus"]["shards_unread"] == 1


# --- a corpus or a store that is not what it was ----------------------------------------------------


def refused(result, path, *reasons):
    """Whether the scan is incomplete for this file alone, with these words as the reason."""
    assert not result.complete
    assert not result.report["complete"]
    [problem] = result.report["corpus"]["problems"]
    assert problem["shard"] == path.as_posix()
    assert problem["row"] is None
    assert problem["mend"]
    assert result.report["corpus"]["shards_unread"] == 1
    for reason in reasons:
        assert reason in problem["reason"]
    return True


def test_a_changed_file_is_refused_and_named(folder, quiz):
    path = folder / "corpus" / "leaky.jsonl"
    rows = path.read_text().splitlines(keepends=True)
    path.write_text("".join(reversed(rows)))  # the same size
    result = scan(folder, quiz, skip_bad=True)
    assert refused(result, path, "it has changed since it was indexed")
    assert result.findings.is_empty()  # and not the wrong document


def test_a_file_that_was_only_touched_is_read(folder, quiz):
    settle(folder / "corpus" / "leaky.jsonl", 99)
    result = scan(folder, quiz)
    assert result.complete
    assert result.run["read"]["fetched"] == 2


def test_a_removed_file_is_named_where_it_should_be_read(folder, quiz):
    path = folder / "corpus" / "leaky.jsonl"
    path.unlink()
    assert refused(scan(folder, quiz), path, "cannot be read")


@pytest.mark.parametrize("start", ["ngram-", "lines", "hosts", "shard.json"])
@pytest.mark.parametrize("part", [0.0, 0.01, 0.5, 1.0])
def test_a_flipped_bit_in_the_store_is_never_a_wrong_answer(folder, quiz, start, part):
    leaky = folder / "corpus" / "leaky.jsonl"
    path = stored_file(folder, leaky, start)
    flip(path, round(part * (path.stat().st_size - 1)))
    result = scan(folder, quiz, calibration="quick")
    assert refused(result, leaky, "its index is damaged", path.name)
    assert result.findings.is_empty()
    sluicegate.build_index(folder / "corpus", folder / "store", name="v1", verify=True)
    mended = scan(folder, quiz)
    assert mended.complete
    assert set(mended.contaminated()["item_id"]) == LEAKED


@pytest.mark.parametrize("start", ["ngram-", "lines", "hosts", "shard.json"])
def test_a_missing_or_short_file_in_the_store_is_named(folder, quiz, start):
    leaky = folder / "corpus" / "leaky.jsonl"
    path = stored_file(folder, leaky, start)
    asked = {"calibration": "quick" if start == "hosts" else "off"}  # drawn for a battery
    os.truncate(path, path.stat().st_size - 1)
    assert refused(scan(folder, quiz, **asked), leaky, "its index is damaged")
    path.unlink()
    assert refused(scan(folder, quiz, **asked), leaky, "its index is damaged", "is missing")


def test_a_flipped_bit_in_a_shard_that_nominates_nothing_is_found_too(folder, quiz):
    clean = folder / "corpus" / "clean.parquet"
    path = stored_file(folder, clean, "ngram-")
    flip(path)
    result = scan(folder, quiz)
    assert refused(result, clean, "its index is damaged")
    assert set(result.contaminated()["item_id"]) == LEAKED  # the other shard was checked


# --- which store and which version ------------------------------------------------------------------


@pytest.mark.parametrize("field", ["normal_form", "fingerprints"])
def test_a_store_made_with_another_recipe_is_refused_with_the_reason(tmp_path, quiz, made, field):
    where = tmp_path / "store"
    shutil.copytree(made / "store", where)
    store = Store.open(str(where))
    ours = store.version("v1")
    other = Recipe(**{**ours.recipe.model_dump(), field: "another/1"})
    shards = []
    for entry in ours.shards:
        draft = entry.parameters(other)
        moved = VersionShard(**{**entry.model_dump(), "key": draft.key(entry.digest)})
        record = store.record(entry.key)
        with store.write_shard(draft, entry.digest) as writer:
            for file in record.files:
                writer.write(file.name, store.open_file(record, file.name))
            writer.finish(record.read.read_log(entry.path), record.counts)
        shards.append(moved)
    created = datetime.now(UTC) + timedelta(hours=1)
    update = {"name": "v2", "recipe": other, "shards": tuple(shards), "created": created}
    store.write_version(ours.model_copy(update=update))
    for version in (None, "v2"):
        with pytest.raises(StoreError, match="another/1"):
            scan(tmp_path, quiz, version=version)
    assert scan(tmp_path, quiz, version="v1").run["read"]["documents"] == 400


def test_the_newest_version_is_the_default(folder, quiz, text):
    write_shard(folder / "corpus" / "new.jsonl", [{"text": text(100, 130)}])
    sluicegate.build_index(folder / "corpus", folder / "store", name="a-later-one")
    assert set(scan(folder, quiz).contaminated()["item_id"]) == LEAKED | {"elsewhere"}
    assert set(scan(folder, quiz, version="v1").contaminated()["item_id"]) == LEAKED


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"store": "nowhere"}, StoreError, "nowhere: there is no store here; make one with"),
        ({"store": ""}, StoreError, "no store is named"),
        ({"version": "v2"}, StoreError, "there is no version 'v2'"),
        ({"version": "../v1"}, StoreError, "cannot name a version"),
        ({"corpus": "corpus"}, CorpusError, "name a corpus or a store, not both"),
        ({"corpus": "corpus", "store": None, "version": "v1"}, CorpusError, "name the store, too"),
        ({"scanners": ("ngram", "minhash")}, ValidationError, "an index store holds n-grams"),
        ({"scanners": ("minhash",)}, ValidationError, '"ngram" must be among the scanners'),
    ],
    ids=str,
)
def test_what_cannot_be_scanned_is_refused_with_the_reason(
    made, quiz, monkeypatch, arguments, error, said
):
    monkeypatch.chdir(made)
    corpus = arguments.get("corpus", [])
    settings = {"store": "store"} | {k: v for k, v in arguments.items() if k != "corpus"}
    with pytest.raises(error, match=said.replace("(", r"\(")):
        sluicegate.scan(corpus, quiz, **settings)


def test_a_store_without_a_version_is_refused(made, quiz, tmp_path):
    shutil.copytree(made / "store", tmp_path / "store")
    Store.open(str(tmp_path / "store")).drop_version("v1")
    with pytest.raises(StoreError, match="no corpus version in it; build one with"):
        scan(tmp_path, quiz)


@pytest.mark.parametrize("part", [0.0, 0.5, 1.0])
def test_a_damaged_manifest_is_refused(made, quiz, tmp_path, part):
    shutil.copytree(made / "store", tmp_path / "store")
    path = tmp_path / "store" / "versions" / "v1.json"
    flip(path, round(part * (path.stat().st_size - 1)))
    with pytest.raises(StoreError, match=r"v1\.json"):
        scan(tmp_path, quiz)


# --- calibration ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exam(text, write_benchmark, tmp_path_factory):
    """As many items as the battery asks for."""
    items = [
        {"id": str(n), "question": text(first, first + 30), "answer": text(first + 30, first + 34)}
        for n, first in enumerate(range(25_100, 27_900, 35))
    ]
    return write_benchmark(tmp_path_factory.mktemp("exam") / "exam.jsonl", items)


def test_the_battery_plants_into_documents_of_the_corpus_and_passes(made, exam):
    result = scan(made, exam, calibration="quick")
    assert result.report["calibration"]["status"] == "CALIBRATED"
    assert result.run["read"]["fetched"] == 0  # what is drawn for the battery is not nominated
    rates = result.calibration.filter(kind="recall", form="verbatim")
    assert rates["found"].to_list() == rates["trials"].to_list() != [0]


def test_the_battery_fails_where_the_index_nominates_nothing(made, exam, monkeypatch):
    monkeypatch.setattr(
        pipelines.sources, "nominate", lambda segment, queries: np.zeros(0, np.int64)
    )
    # another program, so what the store has of an equal battery does not hold
    monkeypatch.setattr(pipelines.stored_batteries, "_program", lambda: "nominates nothing")
    result = scan(made, exam, calibration="quick")
    assert result.report["calibration"]["status"] == "UNCALIBRATED"
    rates = result.calibration.filter(kind="recall", form="verbatim")
    assert set(rates["found"]) == {0}
    assert not {0} & set(rates["trials"])


def test_documents_for_the_battery_come_from_shards_that_are_whole(folder, exam, monkeypatch):
    monkeypatch.setattr(pipelines.stored_batteries, "_program", lambda: "nothing played yet")
    for lines in (folder / "store").glob("shards/*/lines-*"):
        flip(lines)
    result = scan(folder, exam, calibration="quick")
    assert result.complete  # nothing of that shard is needed
    assert result.report["calibration"]["status"] == "CALIBRATED"  # by the Parquet shard
    (folder / "corpus" / "clean.parquet").unlink()
    result = scan(folder, exam, calibration="quick")
    assert result.report["calibration"]["status"] == "UNCALIBRATED"
    assert "nothing to plant" in result.report["calibration"]["reason"]


def test_a_scan_without_anything_to_find_reads_nothing(made, tmp_path, text, write_benchmark):
    quiz = write_benchmark(tmp_path / "quiz.jsonl", [{"id": "1", "question": text(28000, 28040)}])
    result = scan(made, quiz)
    assert result.run["read"]["fetched"] == 0
    assert result.findings.is_empty()
    assert result.items["status"].to_list() == ["clean"]
