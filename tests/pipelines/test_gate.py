"""The gate over real files: for each kind of mix the right verdict, exit status and first reason."""

import json
from datetime import date
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import pipelines.drift
import pipelines.scan
from corpora.problems import CorpusError
from pipelines.gate import RESULT_FILES, gate, write_result
from pipelines.gate_settings import GateSettings
from reports.verdict_markdown import render_verdict_markdown
from tests.pipelines.drift_corpora import documents, write

TODAY = date(2026, 6, 1)
POLICY = """\
format: 1
name: test
contamination:
  default: {contaminated: {items: {warn: 0}, share: {fail: 0.02}}}
searchable: {default: {incomplete: 0.9}}
coverage: {shards: {incomplete: 1.0}, documents: {incomplete: 1.0}}
calibration: {required: false}
drift:
  domains:
    default: {change: {fail: 0.03}}
"""
WAIVER = """\
waivers:
  - {{rule: contamination.contaminated.share, benchmark: bench, reason: known, owner: ann, expires: {}}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("gate")


@pytest.fixture(scope="module")
def items(vocabulary):
    """A hundred items of words that no document has."""
    rng = np.random.default_rng(3)
    words = vocabulary(5000, 9000)
    return [
        {"id": f"q{n}", "question": " ".join(rng.choice(words, 40)), "answer": words[n]}
        for n in range(100)
    ]


@pytest.fixture(scope="module")
def bench(folder, items):
    path = folder / "bench.jsonl"
    path.write_text("".join(json.dumps(item) + "\n" for item in items), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def judge(folder, bench, vocabulary):
    """Gate the records of a mix against the same baseline: judge(name, records, policy)."""
    baseline = _mix(folder, "baseline", documents(vocabulary, 1200, seed=1))

    def run(
        name, records, policy=POLICY, benchmark=bench, damage=None, calibration="off", **settings
    ):
        mix = _mix(folder, name, records)
        if damage is not None:
            damage(folder / name)
        (folder / f"{name}-policy.yaml").write_text(policy, encoding="utf-8")
        return gate(
            mix, baseline, str(folder / f"{name}-policy.yaml"), [benchmark],
            GateSettings(calibration=calibration, **settings), today=TODAY, tool_version="0",
        )  # fmt: skip

    return run


@pytest.fixture(scope="module")
def records(vocabulary):
    return documents(vocabulary, 1200, seed=2)


def _mix(folder, name, records):
    """Write a mix.yaml of one source for each domain, and return its path."""
    sources = []
    for domain in sorted({record["domain"] for record in records}):
        own = [record for record in records if record["domain"] == domain]
        write(folder / name / domain, own, shards=2)
        sources.append({"name": domain, "paths": [f"{name}/{domain}/*.jsonl"], "domain": domain})
    path = folder / f"{name}.yaml"
    lines = [f"name: {name}", 'version: "1"', "sources:"]
    lines += [f"  - {json.dumps(source)}" for source in sources]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def leaked(records, items):
    """Return the records, with items planted into the documents of the domain `web`."""
    out = [dict(record) for record in records]
    hosts = [record for record in out if record["domain"] == "web"]
    for host, item in zip(hosts, items, strict=False):
        host["text"] += f" {item['question']} {item['answer']}"
    return out


def first(result):
    reasons = result.verdict["reasons"]
    return (reasons[0]["rule"], reasons[0]["scope"]["name"]) if reasons else None


def test_a_clean_mix_passes(judge, records):
    result = judge("clean", records, calibration="quick")
    assert (result.verdict["verdict"], result.verdict["exit_status"], first(result)) == (
        "pass", 0, None,
    )  # fmt: skip


def test_benchmarks_are_read_once(judge, records, monkeypatch):
    def again(*_):
        raise AssertionError("the gate has read them")

    for module in (pipelines.scan, pipelines.drift):
        monkeypatch.setattr(module, "read_benchmarks", again)
    assert judge("once", records).drift.run["benchmarks"][0]["items"] == 100


def test_one_leaked_item_warns_and_is_shown_with_its_place(judge, records, items):
    result = judge("one", leaked(records, items[:1]))
    assert (result.verdict["verdict"], result.verdict["exit_status"]) == ("warn", 0)
    assert first(result) == ("contamination.contaminated.items", "bench")
    (evidence,) = next(
        r["evidence"] for r in result.verdict["results"]
        if r["rule"] == "contamination.contaminated.items" and r["status"] == "warn"
    )  # fmt: skip
    assert evidence["name"].endswith("q0")
    assert "/one/web/" in evidence["shard"]
    assert evidence["place"]["file"].endswith("one.yaml")
    assert evidence["place"]["line"] == 7  # the source `web`


def test_many_leaked_items_violate(judge, records, items):
    result = judge("many", leaked(records, items[:5]))
    assert (result.verdict["verdict"], result.verdict["exit_status"]) == ("fail", 1)
    assert first(result) == ("contamination.contaminated.share", "bench")
    assert judge("many", leaked(records, items[:5]), fail_on="warn").verdict["exit_status"] == 1


def test_half_the_code_violates_and_names_the_domain(judge, records):
    code = [r for r in records if r["domain"] == "code"]
    kept = [r for r in records if r["domain"] != "code"] + code[::2]
    result = judge("half", kept)
    assert (result.verdict["verdict"], result.verdict["exit_status"]) == ("fail", 1)
    assert first(result) == ("drift.domains.change", "code")


def test_a_truncated_shard_is_incomplete(judge, records):
    def damage(folder):
        shard = folder / "news" / "0.jsonl"
        shard.write_bytes(shard.read_bytes()[:-400])

    result = judge("truncated", records, damage=damage)
    assert (result.verdict["verdict"], result.verdict["exit_status"]) == ("incomplete", 3)
    assert first(result)[0].startswith("coverage.")


def test_an_unsearchable_benchmark_is_incomplete(judge, folder, records):
    short = folder / "short.jsonl"
    lines = [json.dumps({"id": str(n), "question": "so?", "answer": str(n)}) for n in range(20)]
    short.write_text("\n".join(lines), encoding="utf-8")
    result = judge("unsearchable", records, benchmark=str(short))
    assert (result.verdict["verdict"], result.verdict["exit_status"]) == ("incomplete", 3)
    assert first(result) == ("searchable", "short")


@pytest.mark.parametrize(
    ("expires", "verdict"), [("2026-06-01", "warn"), ("2026-05-31", "fail")], ids=["held", "lapsed"]
)
def test_a_waiver_holds_until_its_day_and_lapses_by_itself(judge, records, items, expires, verdict):
    policy = POLICY + WAIVER.format(expires)
    result = judge(f"waiver-{expires}", leaked(records, items[:5]), policy)
    assert result.verdict["verdict"] == verdict
    (waiver,) = result.verdict["waivers"]
    assert (waiver["owner"], waiver["in_force"]) == ("ann", verdict == "warn")


def test_without_a_baseline_drift_is_not_judged_and_does_not_pass(folder, bench, records):
    mix = _mix(folder, "alone", records)
    result = gate(
        mix, None, None, [bench], GateSettings(calibration="off"), today=TODAY, tool_version="0"
    )
    assert result.verdict["verdict"] == "incomplete"
    assert result.drift is None


def test_an_uncalibrated_scan_does_not_pass_the_shipped_policy(judge, folder, bench, records):
    baseline, mix = str(folder / "baseline.yaml"), _mix(folder, "uncalibrated", records)
    settings = GateSettings(calibration="off")
    result = gate(mix, baseline, None, [bench], settings, today=TODAY, tool_version="0")
    assert result.verdict["verdict"] == "incomplete"
    assert first(result)[0] == "calibration"


def test_a_store_gives_the_same_verdict_and_reads_only_what_is_new(judge, folder, records, items):
    mix = leaked(records, items[:5])
    store = str(folder / "store")
    direct = judge("stored", mix)
    result = judge("stored", mix, store=store)
    again = judge("stored", mix, store=store)
    assert result.verdict["verdict"] == direct.verdict["verdict"] == "fail"
    assert first(result) == first(direct)
    assert again.verdict == result.verdict
    assert render_verdict_markdown(result.verdict) == render_verdict_markdown(direct.verdict)
    contaminated = direct.scan.contaminated()["item_id"].to_list()
    assert result.scan.contaminated()["item_id"].to_list() == contaminated


def test_short_items_that_a_store_does_not_show_are_searched_in_the_mix_itself(
    judge, folder, records, items
):
    short = [
        {
            "id": f"s{n}",
            "question": " ".join(item["question"].split()[:9]),
            "answer": item["answer"],
        }
        for n, item in enumerate(items[60:])
    ]
    bench = folder / "some-short.jsonl"
    bench.write_text("\n".join(map(json.dumps, items[:60] + short)), encoding="utf-8")
    mix = leaked(records, short[:5])
    direct = judge("short", mix, benchmark=str(bench))
    stored = judge("short", mix, benchmark=str(bench), store=str(folder / "short-store"))
    assert first(direct) == ("contamination.contaminated.share", "some-short")
    assert stored.verdict["reasons"] == direct.verdict["reasons"]
    assert stored.scan.items.equals(direct.scan.items)
    policy = POLICY.replace(
        "{incomplete: 0.9}}", "{incomplete: 0.9}, benchmarks: {some-short: {incomplete: 0.5}}}"
    )
    accepted = judge("short", mix, policy, benchmark=str(bench), store=str(folder / "short-store"))
    assert "unsearchable" in accepted.scan.items["status"]  # the policy can do without them
    assert "unsearchable" not in stored.scan.items["status"]


def test_all_files_are_written(judge, folder, records, items):
    result = judge("files", leaked(records, items[:1]))
    write_result(result, folder / "out")
    assert {path.name for path in (folder / "out").iterdir()} == set(RESULT_FILES) - {
        "calibration.parquet"
    }
    suites = ET.parse(folder / "out" / "junit.xml").getroot()
    assert suites.tag == "testsuites"
    sarif = json.loads((folder / "out" / "results.sarif").read_text(encoding="utf-8"))
    assert sarif["version"] == "2.1.0"
    run = json.loads((folder / "out" / "run.json").read_text(encoding="utf-8"))
    assert run["verdict"] == "warn"
    assert run["scan"]["shards"][0]["sha256"]
    assert run["drift"]["shards"]["candidate"][0]["sha256"]


def test_a_policy_with_a_mistake_is_refused_with_its_line(judge, records):
    with pytest.raises(CorpusError, match=r"wrong-policy.yaml, line 8: unknown key 'drif'"):
        judge(
            "wrong",
            records[:40],
            POLICY.replace("drift:", "drif:"),
        )
