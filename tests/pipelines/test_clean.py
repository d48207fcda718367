"""The cleaning from files to files: what goes, what stays, and what it refuses."""

import gzip
import hashlib
import http.client
import json
import logging
import os
import shutil
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer

import sluicegate
from corpora.problems import CorpusError
from pipelines.clean import RESULT_FILES, CleanError
from reports.clean_schema import adapter


@pytest.fixture(scope="module")
def text(vocabulary):
    return lambda first, last: " ".join(vocabulary(first, last))


@pytest.fixture(scope="module")
def items(text):
    """Two items; `leak(n)` is a document's text that holds the one of number n."""
    return [{"id": f"i{n}", "question": text(100 * n, 100 * n + 30)} for n in range(4)]


@pytest.fixture
def quiz(items, write_benchmark, tmp_path, monkeypatch):
    """A benchmark in the current folder."""
    monkeypatch.chdir(tmp_path)
    write_benchmark(tmp_path / "quiz.jsonl", items)
    return "quiz.jsonl"


@pytest.fixture
def prose(text):
    """Text that is of no item: `prose(7)`."""
    return lambda n: text(5000 + 50 * n, 5030 + 50 * n)


@pytest.fixture
def leak(items, prose):
    """`leak(1, 7)`: item 1 in the midst of prose 7."""
    return lambda item, n: f"{prose(n)}. {items[item]['question']}? {prose(n + 1)}!"


@pytest.fixture
def write(tmp_path):
    """Write JSON lines of rows or texts; gives the path as it is named."""

    def write_lines(name, rows):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [{"text": row} if isinstance(row, str) else row for row in rows]
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
        return name

    return write_lines


@pytest.fixture
def scan(quiz):
    """Scan a corpus for the quiz; gives the result folder."""

    def run(*corpus, out="findings", **more):
        sluicegate.scan(list(corpus), quiz, out=out, calibration="off", **more)
        return out

    return run


def lines_of(path):
    return [json.loads(line)["text"] for line in Path(path).read_text().splitlines()]


def tree(folder):
    """The files below a folder: {name: bytes}."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file()
    }


# --- by document ------------------------------------------------------------------------------------


def test_documents_with_items_are_left_out_and_the_copy_is_clean(write, leak, prose, scan):
    write("corpus/a.jsonl", [prose(0), leak(0, 2), prose(4), leak(1, 6)])
    write("corpus/deep/b.jsonl", [prose(8), prose(9)])
    result = sluicegate.clean("corpus", findings=scan("corpus"), out="out")
    assert result.is_clean
    assert result.copy == Path("out/corpus")
    assert lines_of("out/corpus/a.jsonl") == [prose(0), prose(4)]
    assert tree("out/corpus")["deep/b.jsonl"] == tree("corpus")["deep/b.jsonl"]
    assert sorted(path.name for path in Path("out").iterdir()) == sorted([*RESULT_FILES, "corpus"])
    log = result.removed
    assert log.select("shard", "row", "action", "benchmark", "item_id", "round").rows() == [
        ("corpus/a.jsonl", 1, "document", "quiz", "i0", 1),
        ("corpus/a.jsonl", 3, "document", "quiz", "i1", 1),
    ]
    assert log["removed_chars"].to_list() == [len(leak(0, 2)), len(leak(1, 6))]
    assert log["reason"][0] == "question of a contaminated item: 100% covered, longest run 30 words"
    removed = result.report["removed"]
    assert (removed["documents_left_out"], removed["documents_cut"]) == (2, 0)
    assert removed["characters"] == len(leak(0, 2)) + len(leak(1, 6))
    assert removed["share_of_documents"] == 2 / 6
    assert pl.read_parquet("out/removed.parquet").equals(log)
    assert adapter().validate_json(Path("out/clean.json").read_bytes()) == result.report
    assert json.loads(Path("out/run.json").read_bytes()) == result.run


@settings(
    deadline=None, max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    shards=st.lists(
        st.tuples(
            st.sampled_from(["jsonl", "parquet"]),
            st.lists(st.integers(-1, 3), min_size=1, max_size=8),
        ),
        min_size=1,
        max_size=4,
    ),
    jobs=st.integers(1, 3),
)
def test_the_rows_that_stay_are_exactly_those_that_are_not_named(
    shards, jobs, tmp_path_factory, items, quiz, prose, leak, write_corpus
):
    folder = tmp_path_factory.mktemp("property")
    expected = {}
    for number, (kind, rows) in enumerate(shards):
        path = folder / "corpus" / str(number % 2) / f"{number}.{kind}"
        texts = [prose(n) if item < 0 else leak(item, n) for n, item in enumerate(rows)]
        write_corpus(path, [{"text": t, "n": n} for n, t in enumerate(texts)], row_group_size=3)
        kept = [(n, texts[n]) for n, item in enumerate(rows) if item < 0]
        expected[path.relative_to(folder / "corpus").as_posix()] = kept
    corpus = [(folder / "corpus").as_posix()]
    before = tree(folder / "corpus")
    sluicegate.scan(corpus, quiz, out=folder / "findings", calibration="off")
    result = sluicegate.clean(corpus, findings=folder / "findings", out=folder / "out", jobs=jobs)
    assert tree(folder / "corpus") == before
    assert result.is_clean
    found = {}
    for name in tree(folder / "out" / "corpus"):
        path = folder / "out" / "corpus" / name
        frame = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_ndjson(path)
        found[name] = frame.select("n", "text").rows()
    assert found == {name: kept for name, kept in expected.items() if kept}
    named = set(result.removed.select("shard", "row").rows())
    leaked = {
        (f"{corpus[0]}/{number % 2}/{number}.{kind}", row)
        for number, (kind, rows) in enumerate(shards)
        for row, item in enumerate(rows)
        if item >= 0
    }
    assert named == leaked


def test_suspect_items_stay_unless_they_are_asked_for(write, text, items, prose, scan):
    half = f"{text(0, 17)} {prose(2)}"
    write("corpus/a.jsonl", [prose(0), half])
    findings = scan("corpus")
    assert (
        pl.read_parquet("findings/items.parquet")["status"].to_list() == ["suspect"] + ["clean"] * 3
    )
    result = sluicegate.clean("corpus", findings=findings, out="one")
    assert result.removed.height == 0
    assert tree("one/corpus") == tree("corpus")
    result = sluicegate.clean("corpus", findings=findings, out="two", status="suspect")
    assert lines_of("two/corpus/a.jsonl") == [prose(0)]
    assert result.removed["reason"][0].startswith("question of a suspect item: ")


def test_a_run_of_words_that_tells_nothing_of_the_item_stays(
    write, text, items, prose, write_benchmark, tmp_path, scan
):
    """As a line of a licence that stands in an item, too."""
    long = {"id": "long", "question": text(1000, 1100)}
    write_benchmark(tmp_path / "quiz.jsonl", [long])
    line = f"{prose(2)} {text(1040, 1055)} {prose(3)}"
    write("corpus/a.jsonl", [long["question"], line])
    findings = scan("corpus")
    assert pl.read_parquet("findings/findings.parquet")["row"].to_list() == [0, 1]
    result = sluicegate.clean("corpus", findings=findings, out="out")
    assert result.is_clean
    assert lines_of("out/corpus/a.jsonl") == [line]


# --- the defects of decon's purify (contamination-anchors.md, 2.7) ------------------------------------


def test_1_files_with_the_same_name_in_two_folders_never_mix(write, leak, prose, scan):
    write("x/p.jsonl", [leak(0, 0), prose(2)])
    write("y/p.jsonl", [prose(3), prose(4)])
    sluicegate.clean(["x", "y"], findings=scan("x", "y"), out="out")
    assert tree("out/corpus") == {
        "x/p.jsonl": (json.dumps({"text": prose(2)}) + "\n").encode(),
        "y/p.jsonl": Path("y/p.jsonl").read_bytes(),
    }


def test_2_a_file_with_bytes_that_are_no_text_is_not_copied_silently(write, prose, leak, scan):
    write("corpus/a.jsonl", [prose(0), leak(0, 2)])
    with Path("corpus/a.jsonl").open("ab") as file:
        file.write(b'{"text": "\xff"}\n')
    with pytest.raises(
        CleanError, match=r"incomplete: 1 documents could not be read; .* --skip-bad"
    ):
        sluicegate.clean("corpus", findings=scan("corpus"), out="out")
    assert not Path("out").exists()
    result = sluicegate.clean("corpus", findings=scan("corpus", skip_bad=True), out="out")
    assert lines_of("out/corpus/a.jsonl") == [prose(0)]
    assert result.removed.select("row", "action", "reason").rows()[1] == (
        2, "unreadable", "invalid UTF-8: byte 0xff at byte 10 of the line",
    )  # fmt: skip
    assert result.report["removed"]["documents_unreadable"] == 1
    assert result.report["before"]["documents"] == 3


@pytest.mark.parametrize("suffix", ["gz", "zst", "bz2", "xz"])
def test_3_packed_files_are_packed_as_they_were_and_readable(write, prose, leak, scan, suffix):
    write("corpus/a.jsonl", [prose(0), leak(0, 2), prose(4)])
    path = Path("corpus/a.jsonl")
    data = path.read_bytes()
    codec = {"gz": "gzip", "zst": "zstd", "bz2": "bz2"}.get(suffix)
    packed = Path(f"corpus/a.jsonl.{suffix}")
    if codec:
        with pa.CompressedOutputStream(str(packed), codec) as stream:
            stream.write(data)
    else:
        import lzma

        packed.write_bytes(lzma.compress(data))
    path.unlink()
    sluicegate.clean("corpus", findings=scan("corpus"), out="out")
    copy = Path(f"out/corpus/a.jsonl.{suffix}")
    if suffix == "xz":
        import lzma

        found = lzma.decompress(copy.read_bytes())
    else:
        with pa.CompressedInputStream(str(copy), codec) as stream:
            found = stream.read()
    assert copy.read_bytes()[:3] == packed.read_bytes()[:3]
    assert [json.loads(line)["text"] for line in found.splitlines()] == [prose(0), prose(4)]


def test_4_malformed_lines_and_missing_texts_are_left_out_and_counted(write, prose, scan):
    write("corpus/a.jsonl", [prose(0)])
    write("corpus/b.jsonl", [prose(1), prose(2)])
    bad = ['{"text": ', '{"body": "x"}', '{"text": null}', "7"]
    with Path("corpus/a.jsonl").open("a") as file:
        file.write("\n".join([*bad, ""]))
    with pytest.raises(CleanError, match="4 documents could not be read"):
        sluicegate.clean("corpus", findings=scan("corpus"), out="out")
    result = sluicegate.clean("corpus", findings=scan("corpus", skip_bad=True), out="out")
    assert lines_of("out/corpus/a.jsonl") == [prose(0)]
    assert tree("out/corpus")["b.jsonl"] == tree("corpus")["b.jsonl"]
    assert result.removed["action"].to_list() == ["unreadable"] * 4
    assert result.removed["row"].to_list() == [1, 2, 3, 4]
    assert result.report["removed"]["documents_unreadable"] == 4


def test_a_truncated_shard_is_refused_even_with_skip_bad(write, prose, scan):
    write("corpus/a.jsonl", [prose(n) for n in range(50)])
    data = gzip.compress(Path("corpus/a.jsonl").read_bytes())
    Path("corpus/a.jsonl").unlink()
    Path("corpus/a.jsonl.gz").write_bytes(data[: len(data) // 2])
    with pytest.raises(CleanError, match="1 shards could not be read to their end"):
        sluicegate.clean("corpus", findings=scan("corpus", skip_bad=True), out="out")


def test_5_same_inputs_same_bytes(write, prose, leak, scan, write_corpus, tmp_path):
    write("corpus/a.jsonl", [prose(0), leak(0, 2), leak(1, 3), prose(4)])
    write_corpus(tmp_path / "corpus/b.parquet", [prose(5), leak(2, 6)] * 20, row_group_size=7)
    findings = scan("corpus")
    for how in ({}, {"remove": "span"}):
        results = []
        for number, jobs in enumerate((1, 4, 2)):
            out = f"out-{len(how)}-{number}"
            sluicegate.clean("corpus", findings=findings, out=out, jobs=jobs, **how)
            results.append(tree(out))
            results[-1].pop("run.json")
            for name in ("clean.json", "summary.md"):
                results[-1][name] = results[-1][name].replace(out.encode(), b"OUT")
        assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("remove", ["document", "span"])
def test_6_full_width_and_zero_width_copies_go_too(write, items, prose, scan, remove):
    question = items[0]["question"]
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in question)
    hidden = "\u200b".join(question)
    write("corpus/a.jsonl", [f"{prose(0)} {wide} {prose(1)}", f"{prose(2)} {hidden} {prose(3)}"])
    result = sluicegate.clean("corpus", findings=scan("corpus"), out="out", remove=remove)
    assert result.is_clean
    if remove == "document":
        assert result.report["shards"]["names_left_out"] == ["corpus/a.jsonl"]
        assert tree("out/corpus") == {}
    else:
        assert lines_of("out/corpus/a.jsonl") == [
            f"{prose(0)}  {prose(1)}", f"{prose(2)}  {prose(3)}",
        ]  # fmt: skip


# --- by span ------------------------------------------------------------------------------------------


def test_matched_characters_are_cut_with_their_margin_or_masked(write, items, prose, leak, scan):
    write("corpus/a.jsonl", [{"n": 1.50, "text": leak(0, 2), "z": "é"}, prose(0)])
    findings = scan("corpus")
    before = Path("corpus/a.jsonl").read_text()
    question = items[0]["question"]
    for out, more, changed in [
        ("one", {}, before.replace(question, "")),
        ("two", {"mask": "[cut]"}, before.replace(question, "[cut]")),
        ("three", {"margin": 2, "mask": "…"}, before.replace(f". {question}? ", "…")),
    ]:
        result = sluicegate.clean("corpus", findings=findings, out=out, remove="span", **more)
        assert Path(out, "corpus/a.jsonl").read_text() == changed
        assert result.is_clean
        assert result.removed["action"].to_list() == ["span"]
        assert result.removed["removed_chars"].sum() == len(question) + 2 * more.get("margin", 0)
        assert result.report["removed"]["documents_cut"] == 1


def test_a_document_of_which_nothing_else_is_left_goes(write, items, prose, scan):
    write("corpus/a.jsonl", [f" {items[0]['question']}\n", prose(0)])
    for out, mask in [("one", None), ("two", "[cut]")]:
        result = sluicegate.clean(
            "corpus", findings=scan("corpus"), out=out, remove="span", mask=mask
        )
        assert lines_of(f"{out}/corpus/a.jsonl") == [prose(0)]
        assert result.removed["action"].to_list() == ["document"]
        assert result.removed["reason"][0].endswith("; nothing else is left of the document")


def test_what_a_cut_joins_is_found_by_the_second_scan_and_goes(write, items, text, prose, scan):
    """An item in two halves around another one: whole when that one is gone."""
    first, second = items[0]["question"], items[1]["question"]
    words = first.split()
    halves = " ".join(words[:15]), " ".join(words[15:])
    split = f"{prose(0)} {halves[0]} {second} {text(900, 910)} {second} {halves[1]} {prose(1)}"
    write("corpus/a.jsonl", [prose(2), split, prose(3)])
    findings = scan("corpus")
    assert pl.read_parquet("findings/items.parquet").filter(status="contaminated")[
        "item_id"
    ].to_list() == ["i1"]
    result = sluicegate.clean("corpus", findings=findings, out="out", remove="span")
    assert result.is_clean
    assert [each["items_remaining"] for each in result.report["rounds"]] == [1, 0]
    log = result.removed.filter(round=2)
    assert set(log["item_id"]) == {"i0"}
    start, end = split.index(halves[0]), split.index(halves[1]) + len(halves[1])
    assert (log["doc_start"].min(), log["doc_end"].max()) == (start, end)
    assert lines_of("out/corpus/a.jsonl") == [prose(2), f"{prose(0)}  {prose(1)}", prose(3)]
    # every character counts once
    assert result.removed["removed_chars"].sum() == end - start


def test_rows_of_a_later_round_are_those_of_the_corpus(write, items, text, prose, scan):
    """Rows that are left out before it do not shift it."""
    first, second = items[0]["question"], items[1]["question"]
    words = first.split()
    halves = " ".join(words[:15]), " ".join(words[15:])
    split = f"{prose(0)} {halves[0]} {second} {text(900, 910)} {second} {halves[1]} {prose(1)}"
    write("corpus/a.jsonl", [second, prose(2), items[2]["question"], split, second, prose(3)])
    result = sluicegate.clean("corpus", findings=scan("corpus"), out="out", remove="span")
    assert result.is_clean
    assert set(result.removed.filter(round=2)["row"]) == {3}
    assert lines_of("out/corpus/a.jsonl") == [prose(2), f"{prose(0)}  {prose(1)}", prose(3)]


def test_a_copy_that_stays_contaminated_is_kept_apart(write, items, leak, prose, scan):
    write("corpus/a.jsonl", [leak(0, 2), prose(0)])
    findings = scan("corpus")
    more = {"remove": "span", "mask": items[1]["question"]}
    result = sluicegate.clean("corpus", findings=findings, out="out", **more)
    assert not result.is_clean
    assert result.copy == Path("out/not-clean")
    assert not Path("out/corpus").exists()
    assert Path("out/not-clean/a.jsonl").exists()
    assert result.report["remaining_total"] == 1
    [remaining] = result.report["remaining"]
    assert remaining == {
        "benchmark": "quiz", "item_id": "i1", "status": "contaminated", "shard": "corpus/a.jsonl", "row": 0,
    }  # fmt: skip
    assert "NOT CLEAN" in Path("out/summary.md").read_text()
    again = sluicegate.clean("corpus", findings=findings, out="out", **more)
    assert again.was_there
    assert not again.is_clean


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_texts_of_several_nested_columns_are_cut_in_each(
    write, write_corpus, tmp_path, items, prose, scan, form
):
    words = items[0]["question"].split()
    rows = [
        {
            "m": {"q": f"{prose(0)} {' '.join(words[:15])}", "x": 1},
            "a": f"{' '.join(words[15:])} {prose(1)}",
        },
        {"m": {"q": prose(2), "x": 2}, "a": prose(3)},
    ]
    if form == "jsonl":
        write("corpus/a.jsonl", rows)
    else:
        write_corpus(tmp_path / "corpus/a.parquet", rows)
    findings = scan("corpus", text=("m.q", "a"))
    result = sluicegate.clean("corpus", findings=findings, out="out", remove="span")
    assert result.is_clean
    path = f"out/corpus/a.{form}"
    found = pq.read_table(path).to_pylist() if form == "parquet" else [
        json.loads(line) for line in Path(path).read_text().splitlines()
    ]  # fmt: skip
    assert found == [{"m": {"q": f"{prose(0)} ", "x": 1}, "a": f" {prose(1)}"}, rows[1]]


def test_text_files_are_cut_or_absent(tmp_path, leak, items, prose, scan):
    (tmp_path / "corpus").mkdir()
    Path("corpus/a.txt").write_text(leak(0, 2))
    Path("corpus/b.md").write_text(prose(0))
    findings = scan("corpus")
    sluicegate.clean("corpus", findings=findings, out="one")
    assert tree("one/corpus") == {"b.md": prose(0).encode()}
    sluicegate.clean("corpus", findings=findings, out="two", remove="span")
    assert tree("two/corpus") == {
        "a.txt": leak(0, 2).replace(items[0]["question"], "").encode(),
        "b.md": prose(0).encode(),
    }


# --- again and again ----------------------------------------------------------------------------------


def test_a_second_run_does_nothing_and_says_so(write, leak, prose, scan):
    write("corpus/a.jsonl", [leak(0, 2), prose(0)])
    findings = scan("corpus")
    first = sluicegate.clean("corpus", findings=findings, out="out")
    before = {path: path.stat().st_mtime_ns for path in Path("out").rglob("*")}
    again = sluicegate.clean("corpus", findings=findings, out="out", jobs=3)
    assert (first.was_there, again.was_there) == (False, True)
    assert again.report == first.report
    assert again.removed.equals(first.removed)
    assert {path: path.stat().st_mtime_ns for path in Path("out").rglob("*")} == before


def test_a_result_of_other_inputs_is_never_replaced(write, leak, prose, scan):
    write("corpus/a.jsonl", [leak(0, 2), prose(0)])
    findings = scan("corpus")
    sluicegate.clean("corpus", findings=findings, out="out")
    before = tree("out")
    with pytest.raises(CleanError, match="other inputs or with other settings; name another"):
        sluicegate.clean("corpus", findings=findings, out="out", remove="span")
    for name in ("findings", "elsewhere"):
        Path("elsewhere/corpus").mkdir(parents=True, exist_ok=True)
        with pytest.raises(CleanError):
            sluicegate.clean("corpus", findings=findings, out=name)
    assert tree("out") == before


def test_a_copy_that_was_changed_afterwards_is_not_called_done(write, leak, prose, scan):
    write("corpus/a.jsonl", [leak(0, 2), prose(0)])
    findings = scan("corpus")
    sluicegate.clean("corpus", findings=findings, out="out")
    Path("out/corpus/a.jsonl").write_text("{}\n")
    with pytest.raises(
        CleanError, match=r"out/corpus/a\.jsonl: it is not as it was written; remove"
    ):
        sluicegate.clean("corpus", findings=findings, out="out")


def test_cleaning_a_clean_copy_removes_nothing(write, leak, prose, scan):
    write("corpus/a.jsonl", [leak(0, 2), prose(0)])
    write("corpus/x/b.jsonl", [prose(3)])
    sluicegate.clean("corpus", findings=scan("corpus"), out="out", remove="span")
    again = sluicegate.clean(
        "out/corpus", findings=scan("out/corpus", out="again"), out="two", remove="span"
    )
    assert again.removed.height == 0
    assert tree("two/corpus") == tree("out/corpus")


# --- what it refuses ----------------------------------------------------------------------------------


@pytest.fixture
def findings(write, leak, prose, scan):
    write("corpus/a.jsonl", [leak(0, 2), prose(0)])
    write("corpus/b.jsonl", [prose(5)])
    return scan("corpus")


def refused(match, corpus="corpus", findings="findings", out="out", **more):
    with pytest.raises(CorpusError, match=match):
        sluicegate.clean(corpus, findings=findings, out=out, **more)
    assert not Path("out").exists()
    return True


def test_a_corpus_that_has_changed_is_refused(findings, write, prose, leak):
    data = Path("corpus/a.jsonl").read_bytes()
    Path("corpus/a.jsonl").write_bytes(data[:-3] + b'" }\n'[-3:])
    assert refused(r"corpus/a\.jsonl: it has changed since the scan; scan the corpus again")
    Path("corpus/a.jsonl").write_bytes(data + b"\n")
    assert refused(r"corpus/a\.jsonl: it has changed since the scan \(.* bytes, and .* then\)")
    Path("corpus/a.jsonl").write_bytes(data)
    write("corpus/c.jsonl", [prose(7)])
    assert refused(r"corpus/c\.jsonl: findings is of a scan without this shard; name the corpus as")
    Path("corpus/c.jsonl").unlink()
    assert refused(
        r"corpus/b\.jsonl: it was scanned and is not in the corpus now", "corpus/a.jsonl"
    )


def test_a_benchmark_that_has_changed_is_refused(findings, items, write_benchmark, tmp_path):
    write_benchmark(tmp_path / "quiz.jsonl", items[:2])
    assert refused(r"quiz\.jsonl: this benchmark has changed since the scan; put back")
    Path("quiz.jsonl").unlink()
    assert refused(r"quiz\.jsonl: this benchmark of the scan is not there; run clean in the folder")


def test_findings_that_are_no_result_of_a_scan_are_refused(findings, tmp_path):
    assert refused(r"nowhere/run\.json: no such file; --findings is", findings="nowhere")
    run = json.loads(Path("findings/run.json").read_text())
    for change, match in [
        ({"schema": "sluicegate.duplicates.run/1"}, "this is not the record of a scan"),
        ({"normal_form": "nf0"}, "another normal form"),
        ({"complete": False}, "the scan is incomplete"),
        ({"settings": run["settings"] | {"later": 1}}, r"settings that this version does not know \(later\)"),
    ]:  # fmt: skip
        Path("findings/run.json").write_text(json.dumps(run | change))
        assert refused(match)
    Path("findings/run.json").write_text("{")
    assert refused("it is damaged")
    Path("findings/run.json").write_text(json.dumps(run))
    Path("findings/findings.parquet").write_bytes(b"PAR1")
    assert refused(r"findings\.parquet: it is damaged")


def test_findings_of_another_place_are_refused(findings):
    """A shard at a URL has no digest; a finding that is not there is found out all the same."""
    frame = pl.read_parquet("findings/findings.parquet")
    frame.with_columns(pl.col("doc_start") + 1, pl.col("doc_end") + 1).write_parquet(
        "findings/findings.parquet"
    )
    with pytest.raises(
        CleanError, match=r"a\.jsonl, row 0: what the scan found there is not there now"
    ):
        sluicegate.clean("corpus", findings=findings, out="out")
    assert not Path("out/corpus").exists()


@pytest.mark.parametrize("out", ["corpus", "corpus/out", "findings", "findings/out"])
def test_nothing_is_written_into_the_corpus_or_the_findings(findings, out):
    before = tree("corpus"), tree("findings")
    with pytest.raises(CleanError, match="lies within the"):
        sluicegate.clean("corpus", findings=findings, out=out)
    assert (tree("corpus"), tree("findings")) == before


def test_another_command_s_results_are_not_overwritten(findings, scan):
    scan("corpus", out="other")
    before = tree("other")
    with pytest.raises(CleanError, match="the results of another command"):
        sluicegate.clean("corpus", findings=findings, out="other")
    assert tree("other") == before


# --- other ways to name a corpus ----------------------------------------------------------------------


def test_a_mix_keeps_its_columns_and_domains_and_goes_along(write, leak, prose, scan):
    write("mix/wiki/a.jsonl", [{"body": leak(0, 2)}, {"body": prose(0)}])
    write("mix/books/b.jsonl", [leak(1, 4), prose(1)])
    Path("mix/mix.yaml").write_text(
        "name: m\nversion: v1\nsources:\n"
        "  - {name: wiki, paths: [wiki], domain: encyclopedic, columns: {text: body}}\n"
        "  - {name: books, paths: ['books/*.jsonl'], domain: books}\n"
    )
    result = sluicegate.clean("mix/mix.yaml", findings=scan("mix/mix.yaml"), out="out")
    assert result.is_clean
    assert tree("out/corpus") == {
        "mix.yaml": Path("mix/mix.yaml").read_bytes(),
        "wiki/a.jsonl": (json.dumps({"body": prose(0)}) + "\n").encode(),
        "books/b.jsonl": (json.dumps({"text": prose(1)}) + "\n").encode(),
    }
    counts = {
        d["domain"]: (d["documents"], d["documents_left_out"]) for d in result.report["domains"]
    }
    assert counts == {"encyclopedic": (2, 1), "books": (2, 1)}
    again = sluicegate.scan("out/corpus/mix.yaml", "quiz.jsonl", calibration="off")
    assert again.contaminated().height == 0


def test_findings_of_a_scan_through_an_index_store(write, leak, prose, quiz):
    write("corpus/a.jsonl", [{"body": leak(0, 2)}, {"body": prose(0)}])
    sluicegate.build_index("corpus", "store", text=("body",), name="v1")
    sluicegate.scan([], quiz, store="store", out="findings", calibration="off")
    result = sluicegate.clean("corpus", findings="findings", out="out")
    assert result.is_clean
    assert Path("out/corpus/a.jsonl").read_text() == json.dumps({"body": prose(0)}) + "\n"


@pytest.fixture
def bucket(monkeypatch):
    """Put objects into s3://to-clean."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    _, port = server.get_host_and_port()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)

    def put(key, data):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        head = {
            "Authorization": "AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/s3/aws4_request"
        }
        connection.request("PUT", f"/to-clean{key}", data, head)
        assert connection.getresponse().status == 200
        connection.close()

    put("", b"")
    yield put
    server.stop()


def test_a_corpus_in_a_bucket_is_cleaned_into_a_local_folder(bucket, prose, leak, scan):
    rows = [json.dumps({"text": text}) + "\n" for text in (leak(0, 2), prose(0))]
    bucket("/v1/deep/a.jsonl", "".join(rows).encode())
    bucket("/v1/b.jsonl", rows[1].encode())
    result = sluicegate.clean("s3://to-clean/v1", findings=scan("s3://to-clean/v1"), out="out")
    assert result.is_clean
    assert tree("out/corpus") == {"deep/a.jsonl": rows[1].encode(), "b.jsonl": rows[1].encode()}
    bucket("/v1/deep/a.jsonl", "".join(reversed(rows)).encode())
    with pytest.raises(CleanError, match="what the scan found there is not there now"):
        sluicegate.clean("s3://to-clean/v1", findings="findings", out="two")


# --- killed -------------------------------------------------------------------------------------------


def test_a_run_that_fails_anywhere_is_finished_by_the_next_one(
    write, leak, prose, items, text, scan, monkeypatch
):
    """At every rename in turn the run ends; the next one gives the same bytes."""
    words = items[0]["question"].split()
    second = items[1]["question"]
    split = f"{prose(0)} {' '.join(words[:15])} {second} {text(900, 910)} {second} {' '.join(words[15:])} {prose(1)}"
    write("corpus/a.jsonl", [prose(2), split, prose(3)])
    write("corpus/b.jsonl", [leak(2, 4)])
    write("corpus/c.jsonl", [prose(7)])
    findings = scan("corpus")
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    arguments = {"findings": findings, "remove": "span"}
    sluicegate.clean("corpus", out="whole", **arguments)
    expected = tree("whole")
    rename = os.rename
    steps = 0
    while True:
        out = f"out-{steps}"
        left = [steps]

        def fail(source, target, *, left=left, **more):
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            rename(source, target, **more)

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", fail)
            patch.setattr(os, "rename", fail)
            try:
                sluicegate.clean("corpus", out=out, **arguments)
                break
            except KeyboardInterrupt:
                pass
        assert not Path(out, "run.json").exists()
        result = sluicegate.clean("corpus", out=out, **arguments)
        assert result.is_clean
        assert not result.was_there
        found = tree(out)
        assert found.keys() == expected.keys()
        same = {name: data for name, data in found.items() if name.startswith("corpus/")}
        assert same == {n: data for n, data in expected.items() if n.startswith("corpus/")}
        assert found["removed.parquet"] == expected["removed.parquet"]
        assert found["clean.json"].replace(out.encode(), b"whole") == expected["clean.json"]
        steps += 1
    assert steps > 20


def test_an_unfinished_copy_of_other_inputs_is_refused(findings, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("pipelines.cleaning.rounds.Rounds._scan", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            sluicegate.clean("corpus", findings=findings, out="out")
    assert not Path("out/corpus").exists()
    with pytest.raises(CleanError, match="an unfinished copy of other inputs"):
        sluicegate.clean("corpus", findings=findings, out="out", remove="span")
    assert sluicegate.clean("corpus", findings=findings, out="out").is_clean


def test_a_finished_shard_is_not_written_again(findings, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("pipelines.cleaning.rounds.Rounds._scan", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            sluicegate.clean("corpus", findings=findings, out="out")
    with monkeypatch.context() as patch:
        patch.setattr("pipelines.cleaning.rounds.clean_shard", lambda *_: 1 / 0)
        assert sluicegate.clean("corpus", findings=findings, out="out").is_clean


def test_a_copy_that_was_damaged_before_it_was_scanned_is_found_out(findings, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("pipelines.cleaning.rounds.Rounds._scan", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            sluicegate.clean("corpus", findings=findings, out="out")
    path = Path("out/.sluicegate-clean/corpus/b.jsonl")
    path.write_bytes(path.read_bytes().replace(b"a", b"o"))
    with pytest.raises(OSError, match="does not read back as it was written"):
        sluicegate.clean("corpus", findings=findings, out="out")
    assert not Path("out/corpus").exists()
    assert sluicegate.clean("corpus", findings=findings, out="out").is_clean
    assert tree("out/corpus")["b.jsonl"] == tree("corpus")["b.jsonl"]


def test_the_corpus_is_only_read(findings):
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in tree("corpus").items()}
    for path in Path("corpus").iterdir():
        path.chmod(0o444)
    sluicegate.clean("corpus", findings=findings, out="out")
    assert {n: hashlib.sha256(d).hexdigest() for n, d in tree("corpus").items()} == digests
    shutil.rmtree("out")


def test_a_shard_that_was_scanned_in_parts(write_corpus, tmp_path, leak, prose, scan):
    rows = [prose(0), leak(0, 2), prose(3), prose(4), leak(1, 5)]
    write_corpus(tmp_path / "corpus/a.parquet", rows, row_group_size=2)
    findings = scan("corpus", part_bytes=1)
    result = sluicegate.clean("corpus", findings=findings, out="out")
    assert result.is_clean
    assert pq.read_table("out/corpus/a.parquet")["text"].to_pylist() == [rows[0], rows[2], rows[3]]
    assert result.removed["row"].to_list() == [1, 4]


def test_findings_of_a_gate_are_those_of_its_scan(findings):
    path = Path("findings/run.json")
    gate = {
        "schema": "sluicegate.gate.run/1",
        "complete": False,
        "scan": json.loads(path.read_text()),
    }
    path.write_text(json.dumps(gate))
    assert sluicegate.clean("corpus", findings=findings, out="out").is_clean
