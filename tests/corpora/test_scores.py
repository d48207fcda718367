"""Results by item: every layout, the items they are of, and one line for what is wrong."""

import json

import polars as pl
import pytest

from corpora.benchmarks import Benchmark, BenchmarkError, Item
from corpora.scores import match_scores, read_scores


def lines(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def benchmark(name="quiz", ids=("q0", "q1", "q2", "q3")):
    items = tuple(
        Item(ident, f"What is the colour of number {n} of {name}?", "red", "", ())
        for n, ident in enumerate(ids)
    )
    return Benchmark(name, f"{name}.jsonl", "", "sluicegate", items)


def samples(files, *benchmarks):
    matched = match_scores(files, benchmarks)
    return {
        model: {
            benchmarks[b].items[i].id: [round(score, 6) for score in scores]
            for (b, i), scores in by_item.items()
        }
        for model, by_item in matched.samples.items()
    }


PLAIN = [
    {"item_id": f"q{n}", "model": model, "correct": (n + shift) % 2 == 0}
    for shift, model in enumerate(("a", "b"))
    for n in range(4)
]
EXPECTED = {
    "a": {"q0": [1.0], "q1": [0.0], "q2": [1.0], "q3": [0.0]},
    "b": {"q0": [0.0], "q1": [1.0], "q2": [0.0], "q3": [1.0]},
}


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet", "json", "tsv"])
def test_plain_rows_of_any_kind_of_file(tmp_path, suffix):
    path = tmp_path / f"scores.{suffix}"
    frame = pl.DataFrame(PLAIN)
    if suffix == "jsonl":
        lines(path, PLAIN)
    elif suffix == "json":
        path.write_text(json.dumps(PLAIN))
    elif suffix == "parquet":
        frame.write_parquet(path)
    else:
        frame.write_csv(path, separator="," if suffix == "csv" else "\t")
    assert samples(read_scores([str(path)]), benchmark()) == EXPECTED


def test_a_row_id_beside_the_benchmark_id_is_not_the_item(tmp_path):
    rows = [
        {"id": f"{row['item_id']}|{row['model']}", "benchmark": "quiz", "benchmark_id": row["item_id"],
         "model": row["model"], "correct": row["correct"], "pred": "7"}
        for row in PLAIN
    ]  # fmt: skip
    assert samples(read_scores([lines(tmp_path / "long.jsonl", rows)]), benchmark()) == EXPECTED


def test_wide_tables_have_a_column_per_model(tmp_path):
    path = tmp_path / "wide.parquet"
    pl.DataFrame(
        {
            "item_id": ["q0", "q1", "q2", "q3"],
            "kind": list("wxyz"),
            "a": [1, 0, 1, 0],
            "b": [0.0, 0.25, None, 1.0],
        }
    ).write_parquet(path)
    (file,) = read_scores([str(path)])
    assert file.layout == "wide"
    assert file.skipped == {"a model has no score of the item": 1}
    assert samples([file], benchmark()) == {
        "a": {"q0": [1.0], "q1": [0.0], "q2": [1.0], "q3": [0.0]},
        "b": {"q0": [0.0], "q1": [0.25], "q3": [1.0]},
    }


def test_several_samples_of_an_item_are_kept(tmp_path):
    rows = [{"item_id": "q0", "model": "a", "score": s} for s in (0, 1, 1)]
    rows += [{"item_id": "q1", "model": "a", "score": [0, 1, 0, 1]}]
    assert samples(read_scores([lines(tmp_path / "s.jsonl", rows)]), benchmark()) == {
        "a": {"q0": [0.0, 1.0, 1.0], "q1": [0.5]}
    }


def harness_row(doc_id, question, right, **more):
    return {
        "doc_id": doc_id, "doc": {"question": question, "answer": "red"}, "target": "red",
        "arguments": [], "resps": [["x"]], "filtered_resps": ["x"], "exact_match": right, **more,
    }  # fmt: skip


def test_harness_logs_are_matched_by_question_not_by_row(tmp_path):
    quiz = benchmark()
    rows = [
        harness_row(n, item.question.upper(), float(n == 0), filter=name)
        for n, item in enumerate(reversed(quiz.items))
        for name in ("strict-match", "flexible-extract")
    ]
    path = tmp_path / "meta__llama" / "samples_quiz_2024-07-01T12-00-00.123456.jsonl"
    (file,) = read_scores([str(tmp_path)]) if lines(path, rows) else ()
    assert file.layout == "lm-evaluation-harness"
    assert file.skipped == {"filter 'flexible-extract'; 'strict-match' was read": 4}
    assert samples([file], quiz) == {
        "meta__llama": {"q3": [1.0], "q2": [0.0], "q1": [0.0], "q0": [0.0]}
    }


def test_harness_logs_without_questions_are_matched_by_id(tmp_path):
    rows = [
        {
            "doc_id": n,
            "doc": {"task_id": f"q{n}"},
            "filtered_resps": ["x"],
            "acc": 1.0,
            "acc_norm": 0.0,
        }
        for n in range(4)
    ]
    path = lines(tmp_path / "m" / "samples_quiz.jsonl", rows)
    assert samples(read_scores([path]), benchmark())["m"]["q2"] == [1.0]
    assert samples(read_scores([path], metric="acc_norm"), benchmark())["m"]["q2"] == [0.0]


def test_helm_instances_are_matched_by_the_text_beside_them(tmp_path):
    quiz = benchmark()
    run = tmp_path / "quiz:subset=all,model=openai_gpt,max=4"
    run.mkdir()
    stats = [
        {"instance_id": f"id{n}", "train_trial_index": trial,
         "stats": [{"name": {"name": "num_tokens", "split": "test"}, "count": 1, "sum": 9, "mean": 9},
                   {"name": {"name": "exact_match", "split": "test"}, "count": 1, "sum": n % 2}]}
        for n in range(4) for trial in range(2)
    ]  # fmt: skip
    stats.append({"instance_id": "id0", "perturbation": {"name": "typos"}, "stats": []})
    instances = [
        {"id": f"id{n}", "input": {"text": item.question}} for n, item in enumerate(quiz.items)
    ]
    (run / "per_instance_stats.json").write_text(json.dumps(stats))
    (run / "instances.json").write_text(json.dumps(instances))
    (file,) = read_scores([str(tmp_path)])
    assert file.skipped == {"a perturbed instance": 1}
    assert samples([file], quiz) == {
        "openai_gpt": {"q0": [0, 0], "q1": [1, 1], "q2": [0, 0], "q3": [1, 1]}
    }


def test_ids_of_several_benchmarks_are_told_apart_by_name(tmp_path):
    rows = [
        {"item_id": "q0", "benchmark": name, "model": "a", "correct": name == "one"}
        for name in ("one", "two")
    ]
    path = lines(tmp_path / "s.jsonl", rows)
    matched = match_scores(read_scores([path]), [benchmark("one"), benchmark("two")])
    assert dict(matched.samples["a"]) == {(0, 0): [1.0], (1, 0): [0.0]}
    assert matched.items_without_score == {"one": 3, "two": 3}


def test_ids_of_several_benchmarks_without_a_name_are_refused(tmp_path):
    path = lines(tmp_path / "s.jsonl", [{"item_id": "q0", "model": "a", "correct": True}])
    with pytest.raises(BenchmarkError, match='in several benchmarks; add a column "benchmark"'):
        match_scores(read_scores([path]), [benchmark("one"), benchmark("two")])


def test_items_without_a_partner_are_counted_on_both_sides(tmp_path):
    rows = [{"item_id": name, "model": "a", "correct": True} for name in ("q0", "q1", "zz")]
    path = lines(tmp_path / "s.jsonl", rows)
    matched = match_scores(read_scores([path]), [benchmark()])
    assert matched.items_without_score == {"quiz": 2}
    assert matched.scores_without_item == {path: 1}


def test_scores_of_another_benchmark_are_refused_with_ids_of_both(tmp_path):
    rows = [{"item_id": name, "model": "a", "correct": True} for name in ("q0", "x1", "x2")]
    path = lines(tmp_path / "s.jsonl", rows)
    with pytest.raises(BenchmarkError) as caught:
        match_scores(read_scores([path]), [benchmark()])
    assert str(caught.value) == (
        f"{path}: 2 of 3 items are in no benchmark, 'x1', 'x2' among them, where the benchmarks have "
        "'q0', 'q1', 'q2'; name the benchmark of these scores with --benchmarks, or use its ids"
    )


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"item_id": "q0", "model": "a", "correct": "maybe"}], "row 0: correct is 'maybe', not a number; write 0"),
        ([{"item_id": "q0", "score": 0.5}, {"item_id": "q1", "score": 71.3}], "row 1: score is '71.3', not in [0, 1]; divide"),
        ([{"item_id": "q0", "score": "nan"}], "not in [0, 1]"),
        ([{"question": "What?", "correct": 1}], "name no item and score; write"),
        ([{"item_id": "q0", "score": 1}, {"item_id": "q1"}], "row 1: the keys 'item_id' name no item and score"),
        ([{"doc_id": 0, "filtered_resps": [], "bleu": 3.0}], "row 0: the sample has not a known metric"),
        ([{"instance_id": "id0", "stats": [{"mean": 1}]}], "row 0: a statistic has no name"),
    ],
)  # fmt: skip
def test_one_line_names_file_row_and_mend(tmp_path, rows, message):
    path = lines(tmp_path / "s.jsonl", rows)
    with pytest.raises(BenchmarkError) as caught:
        read_scores([path])
    assert str(caught.value).startswith(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_and_unknown_files_are_refused(tmp_path):
    for name in ("none.jsonl", "results"):
        with pytest.raises(BenchmarkError, match=f"{name}: does not exist; check the path"):
            read_scores([str(tmp_path / name)])
    (tmp_path / "scores.xlsx").write_text("")
    with pytest.raises(BenchmarkError, match="not of a known kind"):
        read_scores([str(tmp_path / "scores.xlsx")])
    with pytest.raises(BenchmarkError, match="the folder holds no file"):
        read_scores([str(tmp_path)])


def test_published_scores_are_read_and_matched(shared_data):
    from corpora.benchmarks import read_benchmarks

    scores = shared_data / "scores"
    if not (scores / "gsm8k_12_models.jsonl.zst").exists():
        pytest.skip(f"the published scores are not at {scores}")
    read = read_benchmarks([str(shared_data / "benchmarks" / "gsm8k_test.jsonl.zst")])
    files = read_scores(
        [str(scores / f"gsm8k_{name}.jsonl.zst") for name in ("12_models", "openai_2021")]
    )
    matched = match_scores(files, read)
    assert len(matched.samples) == 16
    assert matched.items_without_score == {"gsm8k_test": 0}
    assert set(matched.scores_without_item.values()) == {0}
