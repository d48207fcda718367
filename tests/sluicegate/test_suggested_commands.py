"""The commands that a verdict suggests, run as they stand: each works, and shows what it was named for."""

import json
import shlex

import polars as pl
import pytest

from sluicegate.cli import main
from tests.pipelines.drift_corpora import documents

POLICY = """\
format: 1
name: p
contamination: {default: {contaminated: {items: {fail: 0}}}}
calibration: {required: true}
drift:
  domains: {default: {change: {fail: 0.03}}}
  copies: {increase: {fail: 0.001}}
"""


@pytest.fixture(scope="module")
def reasons(tmp_path_factory, vocabulary):
    """Gate a mix of renamed columns that leaks, lost code and gained copies; (folder, its reasons)."""
    folder = tmp_path_factory.mktemp("suggested")
    words = vocabulary(5000, 9000)
    items = [{"key": f"q{n}", "ask": " ".join(words[40 * n : 40 * n + 40])} for n in range(20)]
    (folder / "bench.jsonl").write_text("\n".join(map(json.dumps, items)), encoding="utf-8")
    old = documents(vocabulary, 800, seed=1)
    new = [r for r in old if r["domain"] != "code"] + [r for r in old if r["domain"] == "code"][::2]
    new += [r for r in old if r["domain"] == "math"][:40]  # once more
    new.append({"id": "leak", "domain": "web", "text": items[7]["ask"]})
    for name, records in (("old", old), ("new", new)):
        (folder / name).mkdir()
        lines = [f"name: {name}", "version: '1'", "sources:"]
        for domain, text in (("code", "source"), ("math", "body"), ("news", "body"), ("web", "page.body")):  # fmt: skip
            own = [r for r in records if r["domain"] == domain]
            rows = [
                {"url": r["id"]} | ({"page": {"body": r["text"]}} if "." in text else {text: r["text"]})
                for r in own
            ]  # fmt: skip
            (folder / name / f"{domain}.jsonl").write_text(
                "\n".join(map(json.dumps, rows)), encoding="utf-8"
            )
            columns = "" if text == "body" else f", columns: {{text: {text}}}"
            lines.append(
                f"  - {{name: {domain}, domain: {domain}, paths: [{name}/{domain}.jsonl]{columns}}}"
            )
        (folder / f"{name}.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        status = main(
            ["gate", "new.yaml", "--against", "old.yaml", "--policy", "policy.yaml", "--text", "body", "--id", "url",
             "--benchmarks", "bench.jsonl", "--fields", "id=key,question=ask", "--calibration", "off", "--out", "gate", "--quiet"]
        )  # fmt: skip
    assert status == 1
    verdict = json.loads((folder / "gate" / "report.json").read_text(encoding="utf-8"))
    return folder, {reason["rule"]: reason for reason in verdict["reasons"]}


def test_the_suggested_scan_finds_the_item_though_the_columns_have_other_names(
    reasons, monkeypatch, capsys
):
    folder, found = reasons
    monkeypatch.chdir(folder)
    command = found["contamination.contaminated.items"]["command"]
    assert command.startswith("sluicegate scan new/web.jsonl --text page.body --id url ")
    assert main(shlex.split(command)[1:]) == 0
    (item,) = pl.read_parquet("evidence/findings.parquet").select("item_id", "doc_id").unique().rows()  # fmt: skip
    assert item == ("q7", "leak")


@pytest.mark.parametrize("rule", ["drift.domains.change", "drift.copies.increase", "calibration"])
def test_every_other_suggested_command_runs_as_it_stands(rule, reasons, monkeypatch, capsys):
    folder, found = reasons
    monkeypatch.chdir(folder)
    command = found[rule]["command"]
    assert "--text body --id url" in command
    assert main(shlex.split(command)[1:]) == 0, capsys.readouterr().err
