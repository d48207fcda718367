"""The scan from files to files: what it says, and what does not change it."""

import errno
import json

import polars as pl
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

import pipelines.files
import pipelines.scan as pipeline
import sluicegate
from pipelines.files import write_text, write_whole
from pipelines.scan import RESULT_FILES, write_result
from scanners.presets import NAMES

# The contract columns of the design, with their types in Parquet.
FINDINGS = {
    "benchmark": pl.String, "item_id": pl.String, "field": pl.String, "leak_type": pl.String,
    "kind": pl.String, "scanner": pl.String, "score": pl.Float64, "identity": pl.Float64,
    "coverage": pl.Float64, "longest_run": pl.Int64, "shard": pl.String, "row": pl.Int64,
    "doc_id": pl.String, "domain": pl.String, "item_start": pl.Int64, "item_end": pl.Int64,
    "doc_start": pl.Int64, "doc_end": pl.Int64, "excerpt": pl.String,
}  # fmt: skip
ITEMS = {
    "benchmark": pl.String, "item_id": pl.String, "status": pl.String, "score": pl.Float64,
    "leak_type": pl.String, "reason": pl.String, "n_documents": pl.Int64, "n_domains": pl.Int64,
    "words": pl.Int64, **dict.fromkeys(NAMES, pl.Boolean),
}  # fmt: skip
BYTE_EQUAL = [name for name in RESULT_FILES if name != "run.json"]


@pytest.fixture(scope="module")
def text(vocabulary):
    return lambda first, last: " ".join(vocabulary(first, last))


@pytest.fixture(scope="module")
def items(text):
    choices = [text(400 + 2 * n, 402 + 2 * n) for n in range(4)]
    return [
        {"id": "asked", "question": text(0, 30), "answer": text(50, 53)},
        {"id": "answered", "question": text(100, 130), "answer": text(150, 153)},
        {"id": "solved", "question": text(200, 230), "answer": text(250, 280)},
        {"id": "sibling", "question": f"{text(300, 320)} 17 {text(320, 340)}", "answer": ""},
        {"id": "quiz", "question": text(410, 440), "choices": choices, "answer": choices[2]},
        {"id": "quoted", "question": text(500, 530), "passage": text(550, 600), "answer": "yes"},
        {"id": "half", "question": text(610, 650), "answer": ""},
        {"id": "touched", "question": text(700, 800), "answer": ""},
        {"id": "elsewhere", "question": text(900, 930), "answer": ""},
        {"id": "what", "question": "Why?", "answer": "5"},
        {"id": "signs", "question": "?!", "answer": ""},
    ]


@pytest.fixture(scope="module")
def documents(text, items):
    by_id = {item["id"]: item for item in items}
    quiz = by_id["quiz"]
    listed = "\n".join(f"{x}) {c}" for x, c in zip("ABCD", quiz["choices"], strict=True))
    texts = [
        f"{text(1000, 1100)}\n{by_id['asked']['question']}\n{text(1100, 1150)}",
        text(1200, 1300),
        f"Q: {by_id['answered']['question']}\nA: {by_id['answered']['answer']}",
        f"{text(1300, 1350)} {by_id['solved']['answer']} {text(1350, 1400)}",
        by_id["sibling"]["question"].replace("17", "23"),
        f"{quiz['question']}\n{listed}\nAnswer: C\n",
        f"{text(1400, 1450)} {by_id['quoted']['passage']}",
        f"{text(610, 628)} {text(1500, 1550)}",
        f"{text(1600, 1650)} {text(740, 755)} {text(1650, 1700)}",
        f"été 学校 \U0001f600 {by_id['asked']['question']}",
        "",
        text(1700, 1800),
    ]
    return [
        {"id": f"d{row}", "domain": ("web", "books")[row % 2], "text": text}
        for row, text in enumerate(texts)
    ]


@pytest.fixture(scope="module")
def benchmark(items, write_benchmark, tmp_path_factory):
    return write_benchmark(tmp_path_factory.mktemp("benchmarks") / "quiz.jsonl", items)


@pytest.fixture(scope="module")
def corpus(documents, write_corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    write_corpus(folder / "a.parquet", documents[:7], row_group_size=2)
    write_corpus(folder / "b.parquet", documents[7:], row_group_size=2)
    return folder


@pytest.fixture(scope="module")
def result(corpus, benchmark):
    return sluicegate.scan(corpus, benchmark)


def test_every_item_has_the_status_and_leak_type_that_was_planted(result):
    assert set(result.items.select("item_id", "status", "leak_type").iter_rows()) == {
        ("asked", "contaminated", "question"),
        ("answered", "contaminated", "question+answer"),
        ("solved", "contaminated", "answer"),
        ("sibling", "suspect", "template"),
        ("quiz", "contaminated", "question+answer"),
        ("quoted", "suspect", "passage"),
        ("half", "suspect", "question"),
        ("touched", "clean", None),
        ("elsewhere", "clean", None),
        ("what", "unsearchable", None),
        ("signs", "unsearchable", None),
    }
    assert set(result.contaminated()["item_id"]) == {"asked", "answered", "solved", "quiz"}


def test_every_finding_is_where_it_was_planted(result, corpus):
    a, b = (corpus / "a.parquet").as_posix(), (corpus / "b.parquet").as_posix()
    columns = "item_id", "field", "kind", "shard", "row", "doc_id", "domain"
    assert set(result.findings.select(columns).iter_rows()) == {
        ("asked", "question", "verbatim", a, 0, "d0", "web"),
        ("asked", "question", "verbatim", b, 2, "d9", "books"),
        ("answered", "question", "verbatim", a, 2, "d2", "web"),
        ("solved", "answer", "verbatim", a, 3, "d3", "books"),
        ("sibling", "question", "near", a, 4, "d4", "web"),
        ("quiz", "question", "verbatim", a, 5, "d5", "books"),
        ("quoted", "passage", "verbatim", a, 6, "d6", "web"),
        ("half", "question", "verbatim", b, 0, "d7", "books"),
        ("touched", "question", "verbatim", b, 1, "d8", "web"),
    }
    assert result.findings["scanner"].unique().to_list() == ["ngram"]


def test_offsets_of_every_finding_point_to_the_excerpt(result, documents):
    by_id = {row["id"]: row["text"] for row in documents}
    for finding in result.findings.iter_rows(named=True):
        locus = by_id[finding["doc_id"]][finding["doc_start"] : finding["doc_end"]]
        assert finding["excerpt"] == locus or " … " in finding["excerpt"]


def test_counts_and_reasons_of_items(result):
    rows = {row["item_id"]: row for row in result.items.iter_rows(named=True)}
    assert (rows["asked"]["n_documents"], rows["asked"]["n_domains"]) == (2, 2)
    assert (rows["touched"]["n_documents"], rows["touched"]["n_domains"]) == (0, 0)
    assert rows["asked"]["words"] == 33
    assert rows["elsewhere"]["reason"] is None
    assert rows["touched"]["reason"] == "a shared run of 15 words, too little of the item"
    assert rows["what"]["reason"].startswith("fewer than 5 words")
    assert rows["signs"]["reason"] == "no words: symbols or white space only"
    assert all(rows["asked"][name] for name in NAMES if name != "olmo3")
    assert not any(rows["elsewhere"][name] for name in NAMES)


def test_tables_have_the_columns_of_the_contract(result, corpus, benchmark, tmp_path):
    write_result(result, tmp_path)
    assert dict(pl.read_parquet(tmp_path / "findings.parquet").schema) == FINDINGS
    assert list(pl.read_parquet(tmp_path / "findings.parquet").schema) == list(FINDINGS)
    assert list(pl.read_parquet(tmp_path / "items.parquet").schema.items()) == list(ITEMS.items())
    assert result.findings.equals(pl.read_parquet(tmp_path / "findings.parquet"))
    assert result.items.equals(pl.read_parquet(tmp_path / "items.parquet"))


def test_tables_keep_their_columns_where_nothing_is_found(text, write_corpus, benchmark, tmp_path):
    found = sluicegate.scan(write_corpus(tmp_path / "c.jsonl", [text(5000, 5050)]), benchmark)
    assert found.findings.is_empty()
    assert dict(found.findings.schema) == FINDINGS
    assert dict(found.items.schema) == ITEMS
    assert set(found.items["status"]) == {"clean", "unsearchable"}


def test_findings_and_items_are_sorted(result):
    order = ["benchmark", "item_id", "shard", "row", "doc_start"]
    assert result.findings.equals(result.findings.sort(order, maintain_order=True))
    assert result.items.equals(result.items.sort("benchmark", "item_id"))
    assert all(
        result.findings[name].is_between(0, 1).all() for name in ("score", "identity", "coverage")
    )


# --- what changes nothing -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(result, tmp_path_factory):
    """The result files of the plain scan, by name."""
    out = tmp_path_factory.mktemp("out")
    write_result(result, out)
    assert sorted(path.name for path in out.iterdir()) == sorted(RESULT_FILES)
    return {name: (out / name).read_bytes() for name in BYTE_EQUAL}


@pytest.mark.parametrize(
    "settings",
    [
        {"jobs": 1},
        {"jobs": 2},
        {"jobs": 4},
        {"batch_bytes": 1},
        {"part_bytes": 1},
        {"jobs": 4, "part_bytes": 1, "batch_bytes": 100},
    ],
    ids=str,
)
def test_jobs_batches_and_parts_do_not_change_a_byte(corpus, benchmark, files, tmp_path, settings):
    sluicegate.scan(corpus, benchmark, out=tmp_path, **settings)
    assert {name: (tmp_path / name).read_bytes() for name in BYTE_EQUAL} == files


def test_the_order_of_shards_does_not_change_the_tables(corpus, benchmark, files, tmp_path):
    shards = sorted(corpus.iterdir(), reverse=True)
    sluicegate.scan(shards, benchmark, out=tmp_path)
    for name in ("findings.parquet", "items.parquet"):
        assert (tmp_path / name).read_bytes() == files[name]


def test_json_lines_give_the_same_findings(result, documents, benchmark, write_corpus, tmp_path):
    write_corpus(tmp_path / "c" / "a.jsonl", documents[:7])
    write_corpus(tmp_path / "c" / "b.jsonl", documents[7:])
    other = sluicegate.scan(tmp_path / "c", benchmark)
    assert other.findings.drop("shard").equals(result.findings.drop("shard"))
    assert other.items.equals(result.items)


def test_what_the_corpus_holds_often_weighs_no_less(
    result, documents, benchmark, write_corpus, tmp_path
):
    often = sluicegate.scan(write_corpus(tmp_path / "c.jsonl", documents * 40), benchmark)
    same = ["item_id", "status", "score", "leak_type", *NAMES]
    assert often.items.select(same).equals(result.items.select(same))


# --- reading ----------------------------------------------------------------------------------------


@pytest.fixture
def damaged(documents, write_corpus, tmp_path):
    """JSON lines of which the second is not JSON."""
    path = write_corpus(tmp_path / "damaged.jsonl", documents)
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([lines[0], b'{"text": "broken', *lines[2:]]))
    return path


def test_a_bad_document_makes_the_run_incomplete_and_is_named(damaged, benchmark, result):
    found = sluicegate.scan(damaged, benchmark)
    assert not found.complete
    assert not found.report["complete"]
    assert not found.run["complete"]
    corpus = found.report["corpus"]
    assert (corpus["bad_documents"], corpus["documents"]) == (1, 11)
    assert [(p["shard"], p["row"]) for p in corpus["problems"]] == [(damaged.as_posix(), 1)]
    assert found.items["status"].equals(result.items["status"])  # everything else was scanned


def test_skip_bad_completes_the_run_and_still_counts(damaged, benchmark):
    found = sluicegate.scan(damaged, benchmark, skip_bad=True)
    assert found.complete
    assert found.report["corpus"]["bad_documents"] == 1
    assert found.report["corpus"]["problems"][0]["row"] == 1


def test_a_shard_that_breaks_off_is_incomplete_even_with_skip_bad(corpus, benchmark, tmp_path):
    data = (corpus / "a.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(data[: len(data) // 2])
    found = sluicegate.scan([corpus, tmp_path / "cut.parquet"], benchmark, skip_bad=True)
    assert not found.complete
    assert found.report["corpus"]["shards_unread"] == 1
    assert found.report["corpus"]["shards"] == 3


def test_a_whole_run_is_complete_and_counted(result, documents, corpus):
    assert result.complete
    read = result.run["read"]
    assert (read["shards"], read["documents"], read["bad_documents"]) == (2, len(documents), 0)
    assert read["bytes"] == sum(len(row["text"].encode()) for row in documents)
    assert [shard["stored_bytes"] for shard in result.run["shards"]] == [
        (corpus / name).stat().st_size for name in ("a.parquet", "b.parquet")
    ]


def test_several_text_columns_and_nested_keys_are_one_document(
    items, benchmark, write_corpus, tmp_path
):
    words = items[0]["question"].split()
    row = {"chat": {"ask": " ".join(words[:15]), "say": " ".join(words[15:])}, "key": 7}
    path = write_corpus(tmp_path / "c.jsonl", [row])
    found = sluicegate.scan(path, benchmark, text=("chat.ask", "chat.say"), id="key", domain=None)
    (finding,) = found.findings.iter_rows(named=True)
    assert (finding["item_id"], finding["doc_id"], finding["domain"]) == ("asked", "7", None)
    assert finding["longest_run"] == 30


def test_an_unknown_setting_is_refused(corpus, benchmark):
    with pytest.raises(ValidationError, match="jbos"):
        sluicegate.scan(corpus, benchmark, jbos=2)


def test_progress_ends_with_all_documents_and_findings(corpus, benchmark, result, documents):
    told = []
    sluicegate.scan(corpus, benchmark, progress=told.append)
    assert [progress.stage for progress in told][:2] == ["reading benchmarks", "loading kernels"]
    assert told[-1].stage == "calibrating"
    assert told[-2].documents == len(documents)
    assert told[-2].findings == len(result.findings)


# --- files --------------------------------------------------------------------------------------------


def test_run_json_tells_what_was_judged_and_with_what(result, tmp_path, benchmark):
    write_result(result, tmp_path)
    run = json.loads((tmp_path / "run.json").read_text())
    assert run["complete"] is True
    assert run["schema"] == "sluicegate.run/1"
    assert [b["path"] for b in run["benchmarks"]] == [benchmark.as_posix()]
    assert {"tool", "libraries", "normal_form", "settings", "read", "shards", "timings"} <= set(run)
    assert all(len(shard["sha256"]) == 64 for shard in run["shards"])


def test_report_json_is_the_report(result, files):
    assert json.loads(files["report.json"]) == json.loads(json.dumps(result.report))


def test_a_failed_write_leaves_the_old_file_whole_and_no_other(tmp_path):
    path = tmp_path / "result.txt"
    write_text(path, "old")

    def fail(file):
        file.write(b"half of the n")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_whole(path, fail)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["result.txt"]


def test_a_file_in_writing_has_not_its_name_yet(tmp_path):
    seen = []
    write_whole(tmp_path / "a", lambda file: seen.extend(p.name for p in tmp_path.iterdir()))
    assert "a" not in seen
    assert len(seen) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("broken", ["items.parquet", "summary.md", "run.json"])
def test_a_result_written_in_part_has_no_run_json(result, tmp_path, monkeypatch, broken):
    write_result(result, tmp_path)
    monkeypatch.setattr(pipelines.files, "write_whole", failing_at(broken, write_whole))
    monkeypatch.setattr(pipeline, "write_text", failing_at(broken, write_text))
    with pytest.raises(OSError, match="No space left"):
        write_result(result, tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == set(RESULT_FILES) - {"run.json"}
    assert pq.read_table(tmp_path / "findings.parquet").num_rows == len(result.findings)


def failing_at(name, write):
    def fail(path, content):
        if path.name == name:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write(path, content)

    return fail
