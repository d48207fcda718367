"""The audit end to end: which scores can be quoted, on which items, and what it cannot see."""

import json

import numpy as np
import polars as pl
import pytest

import sluicegate
from corpora.benchmarks import BenchmarkError
from pipelines.audit import RESULT_FILES
from reports.audit_schema import adapter
from reports.schema import load_checked
from scanners.presets import NAMES

SUBJECTS = ("algebra", "history")


@pytest.fixture(scope="module")
def make(tmp_path_factory, vocabulary, write_benchmark, write_corpus):
    """Build a benchmark of n items, of which the first `n_leaked` are in the corpus, and scores."""

    def build(n, n_leaked, models, *, seed=0, samples=1):
        folder = tmp_path_factory.mktemp("audit")
        random = np.random.default_rng(seed)
        questions = [" ".join(vocabulary(20 * i, 20 * i + 20)) for i in range(n)]
        items = [
            {
                "id": f"q{i}",
                "question": text,
                "answer": str(i),
                "meta": {"subject": SUBJECTS[i % 4 == 0]},
            }
            for i, text in enumerate(questions)
        ]
        documents = [
            {"text": f"so: {text} {i}", "id": f"https://site{i % 2}.example/{i}", "domain": "forum"}
            for i, text in enumerate(questions[:n_leaked])
        ]
        documents.append({"text": " ".join(vocabulary(30_000, 30_060)), "id": "z", "domain": "web"})
        rows = [
            {"item_id": f"q{i}", "model": model, "correct": bool(random.random() < right + lift * (i < n_leaked))}
            for model, (right, lift) in models.items()
            for i in range(n)
            for _ in range(samples)
        ]  # fmt: skip
        (folder / "scores.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return (
            str(write_corpus(folder / "corpus.jsonl", documents)),
            str(write_benchmark(folder / "quiz.jsonl", items)),
            str(folder / "scores.jsonl"),
            folder,
        )

    return build


def run(corpus, benchmark, scores, **settings):
    settings = {"calibration": "off", "overlap": False} | settings
    return sluicegate.audit(corpus, benchmark, scores=scores, **settings)


def answers(result):
    return {score["model"]: score["answer"] for score in result.report["scores"]}


@pytest.fixture(scope="module")
def audited(make):
    corpus, benchmark, scores, folder = make(
        400, 100, {"lifted": (0.5, 0.35), "honest": (0.6, 0.0), "old": (0.5, 0.0)}
    )
    out = folder / "out"
    result = run(corpus, benchmark, scores, out=out, reference_models=("old",), overlap=True)
    return result, out


def test_a_lifted_score_is_not_to_be_quoted_and_an_honest_one_is_not_cleared(audited):
    result, _ = audited
    assert answers(result)["lifted"] == "no"
    assert answers(result)["honest"] != "no"
    lifted = result.gaps.filter(pl.col("model") == "lifted").row(0, named=True)
    assert lifted["n_dirty"] == 100
    assert lifted["n_clean"] == 300
    assert lifted["leak_low"] <= 0.25 * 0.35 <= lifted["leak_high"]
    assert lifted["epg_all_minus_clean"] == pytest.approx(0.25 * lifted["gap_dirty_minus_clean"])
    assert lifted["odds_low"] > 1
    assert lifted["reference_models"] == 1
    assert result.report["title"].startswith("1 of 3 scores should not be quoted")


def test_the_sentence_says_the_points_their_interval_and_what_to_quote(audited):
    result, _ = audited
    sentence = next(s["sentence"] for s in result.report["scores"] if s["model"] == "lifted")
    assert "points of it could be leakage (95% interval +" in sentence
    assert "on the 300 clean items" in sentence


def test_every_null_comes_with_what_could_be_seen(audited):
    result, _ = audited
    for score in result.report["scores"]:
        if score["answer"] == "cannot tell":
            assert "no gap between them under about" in score["sentence"]
            assert "100 leaked and 300 clean items" in score["sentence"]


def test_all_files_are_there_and_the_report_is_one(audited):
    result, out = audited
    assert {path.name for path in out.iterdir()} == set(RESULT_FILES) - {"calibration.parquet"}
    report = load_checked(out / "report.json", {"sluicegate.audit/1": adapter})
    assert report == json.loads(json.dumps(result.report))
    lines = [json.loads(line) for line in (out / "clean_items.jsonl").read_text().splitlines()]
    assert {line["item_id"] for line in lines} == {f"q{i}" for i in range(100, 400)}
    assert json.loads((out / "run.json").read_text())["schema"] == "sluicegate.audit.run/1"


def test_items_keep_the_columns_of_a_scan_first(audited):
    result, out = audited
    columns = pl.read_parquet(out / "items.parquet").columns
    first = (
        "benchmark", "item_id", "status", "score", "leak_type", "reason", "n_documents", "n_domains", "words",
        *NAMES,
    )  # fmt: skip
    assert tuple(columns[: len(first)]) == first
    item = result.items.filter(pl.col("item_id") == "q3").row(0, named=True)
    assert item["leak_type"] == "question"
    assert item["sources"] == ["site1.example"]
    assert item["domains"] == ["forum"]
    assert item["best_row"] == 3
    assert item["longest_run"] >= 20
    assert item["subject"] == "algebra"
    assert item["answer_type"] == "number"


def test_weights_restore_the_mix_of_subjects(audited):
    result, _ = audited
    totals = result.clean_items.group_by("subject").agg(pl.col("weight").sum())
    shares = dict(totals.iter_rows())
    assert shares["history"] / sum(shares.values()) == pytest.approx(0.25)


def test_with_164_items_no_gap_under_32_points_can_be_seen(make):
    corpus, benchmark, scores, _ = make(164, 16, {"m": (0.6, 0.0)}, seed=3)
    result = run(corpus, benchmark, scores)
    (score,) = result.report["scores"]
    assert score["answer"] == "cannot tell"
    assert 0.29 <= score["minimal_detectable"] <= 0.36
    assert (
        "with 16 leaked and 148 clean items no gap between them under about 3" in score["sentence"]
    )
    assert "no effect" not in json.dumps(result.report)


def test_a_clean_model_takes_out_what_is_easy_for_everybody(make):
    corpus, benchmark, scores, _ = make(600, 150, {"clean": (0.4, 0.3), "ours": (0.4, 0.3)}, seed=1)
    assert answers(run(corpus, benchmark, scores)) == {"clean": "no", "ours": "no"}
    with_clean = run(corpus, benchmark, scores, clean_models=("clean",))
    assert answers(with_clean)["clean"] == "yes"
    assert answers(with_clean)["ours"] == "cannot tell"
    assert (
        with_clean.gaps.filter(pl.col("model") == "ours")["design"].item() == "against clean models"
    )


def test_samples_of_one_item_are_one_item(make):
    corpus, benchmark, scores, _ = make(100, 20, {"m": (0.5, 0.0)}, samples=4)
    row = run(corpus, benchmark, scores).gaps.row(0, named=True)
    assert (row["items"], row["samples"], row["n_dirty"]) == (100, 400, 20)


def test_without_scores_the_items_are_told_and_nothing_is_claimed(make):
    corpus, benchmark, _, _ = make(40, 4, {})
    report = run(corpus, benchmark, ()).report
    assert report["benchmarks"][0]["answer"] == "cannot tell"
    assert "4 of 40 items are in the corpus" in report["benchmarks"][0]["sentence"]


def test_an_unleaked_benchmark_can_be_quoted(make):
    corpus, benchmark, scores, _ = make(40, 0, {"m": (0.5, 0.0)})
    result = run(corpus, benchmark, scores)
    assert answers(result) == {"m": "yes"}
    assert result.report["title"] == "The score can be quoted"
    assert run(corpus, benchmark, ()).report["benchmarks"][0]["answer"] == "yes"


def test_the_order_of_score_files_and_jobs_change_nothing(make):
    corpus, benchmark, scores, folder = make(60, 15, {"a": (0.5, 0.2), "b": (0.5, 0.0)})
    rows = (folder / "scores.jsonl").read_text().splitlines(keepends=True)
    parts = [folder / "one.jsonl", folder / "two.jsonl"]
    parts[0].write_text("".join(rows[60:]))
    parts[1].write_text("".join(rows[:60]))
    whole = run(corpus, benchmark, scores)
    split = run(corpus, benchmark, [str(part) for part in parts], jobs=3)
    assert whole.gaps.equals(split.gaps)
    assert whole.items.equals(split.items)


def test_unknown_models_are_refused_with_those_there_are(make):
    corpus, benchmark, scores, _ = make(10, 2, {"a": (0.5, 0.0)})
    with pytest.raises(
        BenchmarkError, match=r"--clean-model 'gpt' is no model of the scores; they have a"
    ):
        run(corpus, benchmark, scores, clean_models=("gpt",))


def test_versions_of_a_store_tell_first_and_last(make, write_corpus, tmp_path):
    corpus, benchmark, _, folder = make(6, 3, {})
    store = str(tmp_path / "store")
    sluicegate.build_index(corpus, store, name="v1")
    rows = [json.loads(line) for line in (folder / "corpus.jsonl").read_text().splitlines()]
    later = write_corpus(tmp_path / "later.jsonl", rows[1:])
    sluicegate.build_index(str(later), store, name="v2")
    sluicegate.duplicates(str(later), store=store)  # a store may hold versions of other things, too
    result = sluicegate.audit(
        [], benchmark, store=store, all_versions=True, calibration="off", overlap=False
    )
    held = {
        row["item_id"]: (row["first_version"], row["last_version"])
        for row in result.items.iter_rows(named=True)
        if row["first_version"]
    }
    assert held == {"q0": ("v1", "v1"), "q1": ("v1", "v2"), "q2": ("v1", "v2")}
    assert result.report["versions"] == ["v1", "v2"]


def test_items_that_benchmarks_share_are_told(make, write_benchmark, vocabulary):
    corpus, benchmark, _, folder = make(6, 0, {})
    same, near = " ".join(vocabulary(0, 20)), " ".join(vocabulary(20, 40))
    twin = " ".join(vocabulary(9000, 9020))
    other = write_benchmark(
        folder / "train.jsonl",
        [
            {"id": "a", "question": same.upper(), "answer": "0"},
            {"id": "b", "question": f"Before we begin, {near} and so on to the end", "answer": "9"},
            {"id": "c", "question": twin, "answer": "1"},
            {"id": "d", "question": twin, "answer": "1"},
        ],
    )
    result = run(corpus, [benchmark, str(other)], (), overlap=True)
    pairs = {
        (row["kind"], frozenset((row["item_id"], row["other_item_id"])))
        for row in result.overlaps.iter_rows(named=True)
    }
    assert pairs == {
        ("equal", frozenset({"q0", "a"})),
        ("near", frozenset({"q1", "b"})),
        ("equal", frozenset({"c", "d"})),
    }


def test_published_scores_of_gsm8k_with_planted_leaks(shared_data, write_corpus, tmp_path):
    """16 systems; 132 items drawn at random are put into a corpus that no system has seen: all are null."""
    scores = shared_data / "scores"
    if not (scores / "gsm8k_12_models.jsonl.zst").exists():
        pytest.skip(f"the published scores are not at {scores}")
    from corpora.benchmarks import read_benchmarks

    path = str(shared_data / "benchmarks" / "gsm8k_test.jsonl.zst")
    (read,) = read_benchmarks([path])
    drawn = np.random.default_rng(0).choice(len(read.items), 132, replace=False)
    corpus = write_corpus(
        tmp_path / "c.jsonl", [f"{read.items[i].question}\n{read.items[i].answer}" for i in drawn]
    )
    clean = tuple(
        f"gpt3_{size}_{way}" for size in ("6b", "175b") for way in ("finetuning", "verification")
    )
    result = run(
        str(corpus),
        path,
        [str(scores / f"gsm8k_{name}.jsonl.zst") for name in ("12_models", "openai_2021")],
        clean_models=clean,
        reference_models=clean,
    )
    assert result.gaps.height == 16
    assert result.gaps["n_dirty"].unique().to_list() in (
        [132],
        [133],
        [134],
    )  # GSM8K has near twins
    assert set(answers(result).values()) <= {"yes", "cannot tell"}
    tested = result.gaps.filter(pl.col("design") == "against clean models")
    assert tested.height == 12
    assert (tested["did_low"] <= 0).all()
    assert ((tested["seen_from"] > 0.07) & (tested["seen_from"] < 0.12)).all()
