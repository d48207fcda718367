"""The gate on real text: for each kind of mix its verdict, exit status and first reason.

Mixes are drawn from the shared corpus by the hash of document ids, so they are always the same.
"""

import json
import subprocess
import sys
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpora.documents import read_batches
from corpora.problems import ReadLog
from corpora.shards import Columns, resolve
from reports.policy import DEFAULT_POLICY_FILE
from sluicegate.cli import main

COMMAND = Path(sys.executable).with_name("sluicegate")
ONE_IN = 16  # of the documents are in a mix: enough for half the code to be beyond noise
CODE = ("code_c", "code_python")
BENCHMARKS = ("gsm8k_test", "humaneval", "arc_challenge_test")
LEAKED = "contamination.contaminated.items"
SHARE = "contamination.contaminated.share"
WAIVER = """\
waivers:
  - {{rule: "contamination.contaminated.*", benchmark: gsm8k_test, reason: known, owner: ann, expires: {}}}
"""

pytestmark = pytest.mark.slow  # tests/pipelines/test_gate.py has the same matrix on made-up mixes


@pytest.fixture(scope="module")
def documents(shared_data):
    """The ids and texts of version 1 by domain."""
    found = {}
    for shard in resolve([str(shared_data / "corpora" / "mix" / "v1")], Columns()):
        for batch in read_batches(shard, ReadLog()):
            columns = (batch.ids.to_pylist(), batch.texts.to_pylist(), batch.domains.to_pylist())
            for doc_id, text, domain in zip(*columns, strict=True):
                found.setdefault(domain, []).append((doc_id, text))
    return found


@pytest.fixture(scope="module")
def items(shared_data):
    """The items of a benchmark of the shared data: `items(name)`."""

    def read(name):
        path = str(shared_data / "benchmarks" / f"{name}.jsonl.zst")
        with pa.CompressedInputStream(path, "zstd") as stream:
            return [json.loads(line) for line in stream.read().decode().splitlines()]

    return read


@pytest.fixture(scope="module")
def mixes(documents, items, tmp_path_factory):
    """The folder with all mixes of the matrix, each `NAME.yaml`."""
    folder = tmp_path_factory.mktemp("real")

    def drawn(is_chosen):
        return {
            domain: [row for row in rows if is_chosen(zlib.crc32(row[0].encode()))]
            for domain, rows in documents.items()
        }

    def leaking(mix, number):
        asked = items("gsm8k_test")
        chosen = asked[:: len(asked) // number][:number]
        told = [(f"leak/{item['id']}", f"{item['question']}\n{item['answer']}") for item in chosen]
        return mix | {"instruct": mix["instruct"] + told}

    # a hundredth of the documents is new, as from one version to the next
    clean = drawn(lambda crc: crc % ONE_IN == 0 or crc % (100 * ONE_IN) == 1)
    write(folder, "baseline", drawn(lambda crc: crc % ONE_IN == 0))
    write(folder, "clean", clean)
    write(folder, "redrawn", drawn(lambda crc: crc % ONE_IN == 1))
    write(folder, "one", leaking(clean, 1))
    write(folder, "percent", leaking(clean, 14))
    write(folder, "halved", {d: rows[::2] if d in CODE else rows for d, rows in clean.items()})
    for name, shard in (("cut_stream", "news.jsonl.zst"), ("cut_table", "code_c.parquet")):
        write(folder, name, clean)
        data = (folder / name / shard).read_bytes()
        (folder / name / shard).write_bytes(data[: len(data) * 2 // 3])
    short = [{"id": i["id"], "question": i["answer"]} for i in items("nq_open_validation")[:500]]
    (folder / "short.jsonl").write_text("\n".join(map(json.dumps, short)), encoding="utf-8")
    return folder


def write(folder, name, rows_by_domain):
    """Write a mix: a source and a shard for each domain, Parquet or packed JSON lines."""
    (folder / name).mkdir()
    lines = [f"name: {name}", "version: '1'", "sources:"]
    for source, rows in rows_by_domain.items():
        path = folder / name / f"{source}.{'parquet' if source in CODE else 'jsonl.zst'}"
        table = pa.table({"id": [row[0] for row in rows], "text": [row[1] for row in rows]})
        if source in CODE:
            pq.write_table(table, path)
        else:
            with pa.CompressedOutputStream(str(path), "zstd") as stream:
                stream.write("".join(f"{json.dumps(row)}\n" for row in table.to_pylist()).encode())
        domain = "code" if source in CODE else source
        lines.append(f"  - {{name: {source}, domain: {domain}, paths: [{name}/{path.name}]}}")
    (folder / f"{name}.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def arguments(mixes, shared_data):
    """The arguments of a gate of a mix by the shipped policy: `arguments(name, *more, benchmarks, against)`."""

    def build(name, *more, benchmarks=BENCHMARKS, against="baseline", out=None):
        paths = [
            str(shared_data / "benchmarks" / f"{b}.jsonl.zst" if b in BENCHMARKS else mixes / b)
            for b in benchmarks
        ]
        baseline = [] if against is None else ["--against", str(mixes / f"{against}.yaml")]
        return [
            "gate", str(mixes / f"{name}.yaml"), *baseline, *more, "--benchmarks", *paths,
            "--out", str(mixes / f"out-{out or name}"), "--quiet",
        ]  # fmt: skip

    return build


@pytest.fixture(scope="module")
def gate(arguments, mixes):
    """Gate a mix, once; (verdict, exit status, its reasons as (status, rule, scope))."""
    answers = {}

    def run(name, *more, **chosen):
        told = tuple(arguments(name, *more, **chosen))
        if told not in answers:
            status = main(list(told))
            text = (mixes / f"out-{name}" / "report.json").read_text(encoding="utf-8")
            answers[told] = json.loads(text), status
        verdict, status = answers[told]
        assert status == verdict["exit_status"]
        reasons = [(r["status"], r["rule"], r["scope"]["name"]) for r in verdict["reasons"]]
        return verdict, status, reasons

    return run


def short_answer(answer):
    verdict, status, reasons = answer
    return verdict["verdict"], status, reasons


@pytest.mark.parametrize("name", ["clean", "redrawn"])
def test_a_clean_mix_passes_be_it_the_next_version_or_other_documents(name, gate):
    assert short_answer(gate(name)) == ("pass", 0, [])


def test_one_leaked_item_is_told_and_does_not_stop_a_release(gate):
    assert short_answer(gate("one")) == ("warn", 0, [("warn", LEAKED, "gsm8k_test")])


def test_a_hundredth_of_a_benchmark_violates(gate):
    verdict, status, reasons = gate("percent")
    assert (verdict["verdict"], status, reasons) == ("fail", 1, [("fail", SHARE, "gsm8k_test")])
    (judged,) = [b for b in verdict["judged"]["benchmarks"] if b["benchmark"] == "gsm8k_test"]
    assert judged["contaminated"] == 14


def test_half_the_code_violates_and_code_is_named(gate):
    verdict, status, reasons = gate("halved")
    assert (verdict["verdict"], status) == ("fail", 1)
    assert reasons[0] == ("fail", "drift.domains.change", "code")
    assert "drift.domains.factor" in verdict["reasons"][0]["also"]


@pytest.mark.parametrize("name", ["cut_stream", "cut_table"])
def test_a_truncated_shard_is_incomplete_and_what_it_lacks_is_no_violation(name, gate):
    verdict, status, reasons = gate(name)
    assert (verdict["verdict"], status) == ("incomplete", 3)
    assert reasons[0] == ("incomplete", "coverage.shards", "mix")
    assert all(found != "fail" for found, _, _ in reasons)


def test_a_benchmark_of_short_answers_cannot_be_searched_and_is_incomplete(gate):
    answer = gate("clean", benchmarks=(*BENCHMARKS, "short.jsonl"))
    assert short_answer(answer) == ("incomplete", 3, [("incomplete", "searchable", "short")])


@pytest.mark.parametrize(
    ("expires", "expected"),
    [
        ("2999-12-31", ("pass", 0, [])),
        ("2020-01-01", ("fail", 1, [("fail", SHARE, "gsm8k_test"), ("warn", "policy.waivers", None)])),
    ],
    ids=["valid", "expired"],
)  # fmt: skip
def test_a_waiver_accepts_the_leaks_until_it_expires(expires, expected, gate, mixes):
    policy = mixes / f"until-{expires}.yaml"
    shipped = DEFAULT_POLICY_FILE.read_text(encoding="utf-8")
    policy.write_text(shipped + WAIVER.format(expires), encoding="utf-8")
    verdict, status, reasons = gate("percent", "--policy", str(policy))
    told = [(s, rule, None if rule == "policy.waivers" else scope) for s, rule, scope in reasons]
    assert (verdict["verdict"], status, told) == expected
    assert [waiver["owner"] for waiver in verdict["waivers"]] == ["ann"]


def test_without_a_baseline_it_is_incomplete(gate):
    answer = gate("clean", against=None)
    assert short_answer(answer) == ("incomplete", 3, [("incomplete", "drift.baseline", "")])


def test_a_baseline_that_is_not_there_is_wrong_usage(arguments, capsys):
    assert main(arguments("clean", against="lost")) == 2
    assert capsys.readouterr().err.endswith(
        "lost.yaml: no such file; give the path of a mix.yaml\n"
    )


def test_a_store_gives_the_same_reasons_and_the_same_drift(gate, mixes):
    store = ["--store", str(mixes / "store")]
    direct, _, reasons = gate("percent")
    stored, status, same = gate("percent", *store, benchmarks=("gsm8k_test",))
    assert (status, same) == (1, reasons)
    assert stored["drift"] == direct["drift"]


@pytest.mark.skipif(not COMMAND.exists(), reason=f"the command is not installed at {COMMAND}")
@pytest.mark.parametrize(
    ("against", "status", "first"), [("baseline", 1, "FAIL: "), (None, 3, "INCOMPLETE: ")],
    ids=["fail", "incomplete"],
)  # fmt: skip
def test_the_command_exits_as_the_verdict_says(against, status, first, arguments):
    if against is None:
        told = arguments("clean", against=None, benchmarks=("humaneval",), out="command")
    else:
        told = arguments("percent", benchmarks=("gsm8k_test",), out="command")
    answer = subprocess.run([COMMAND, *told], capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout[: len(first)], answer.stderr) == (status, first, "")
