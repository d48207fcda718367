import bz2
import csv
import gzip
import hashlib
import io
import json
import lzma
import os
import sys
import types
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import corpora.records
from corpora.benchmarks import Benchmark, BenchmarkError, FieldMap, Item, read_benchmarks

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "benchmarks"
GSM = {"question": "How many?", "answer": "#### 4"}
EXAMPLE = "--fields question=prompt,answer=completion,choices=options,passage=context,id=task_id"
KNOWN = corpora.benchmarks.SUFFIXES


def write(path: Path, content: bytes | str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def lines(*records) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def read_one(path: str, fields: FieldMap | None = None) -> Benchmark:
    (benchmark,) = read_benchmarks([path], fields)
    return benchmark


def failure(path: str, fields: FieldMap | None = None) -> str:
    with pytest.raises(BenchmarkError) as caught:
        read_benchmarks([path], fields)
    message = str(caught.value)
    assert "\n" not in message
    return message


def zstd(data: bytes) -> bytes:
    return pa.Codec("zstd").compress(data, asbytes=True)


PACKERS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd}


# --- the shared files -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shared() -> list[Benchmark]:
    if not SHARED.is_dir():
        pytest.skip(f"the shared benchmarks are not at {SHARED}")
    return read_benchmarks([str(SHARED)])


def test_every_shared_benchmark_has_the_rows_its_readme_counts(shared):
    table = [
        line.split("|")[1:3]
        for line in (SHARED / "README.md").read_text().splitlines()
        if ".jsonl.zst |" in line
    ]
    counts = {Path(name.strip()).name.removesuffix(".jsonl.zst"): int(rows) for name, rows in table}
    assert len(counts) == 52
    assert {benchmark.name: len(benchmark.items) for benchmark in shared} == counts
    assert {benchmark.layout for benchmark in shared} == {"sluicegate"}


def test_shared_items_are_exactly_as_in_their_files(shared):
    for benchmark in shared:
        raw = Path(benchmark.path).read_bytes()
        text = pa.CompressedInputStream(pa.BufferReader(raw), "zstd").read().decode()
        expected = tuple(
            Item(
                record["id"],
                record["question"],
                record["answer"] or "",
                record.get("passage", ""),
                tuple(record.get("choices", ())),
            )
            for record in map(json.loads, filter(None, text.split("\n")))
        )
        assert benchmark.items == expected
        assert benchmark.digest == hashlib.sha256(raw).hexdigest()


# --- kinds of files -------------------------------------------------------------------------------


def test_json_lines_give_items_numbered_by_row(tmp_path):
    content = lines(GSM, GSM)
    benchmark = read_one(write(tmp_path / "gsm8k.jsonl", content))
    assert benchmark == Benchmark(
        "gsm8k",
        (tmp_path / "gsm8k.jsonl").as_posix(),
        hashlib.sha256(content.encode()).hexdigest(),
        "gsm8k",
        (
            Item("0", "How many?", "#### 4", "", ()),
            Item("1", "How many?", "#### 4", "", ()),
        ),
    )


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize("kind", [".jsonl", ".ndjson", ".json"])
def test_a_packed_file_reads_as_the_plain_one(tmp_path, kind, packing):
    path = write(tmp_path / f"b{kind}{packing}", PACKERS[packing](lines(GSM).encode()))
    benchmark = read_one(path)
    assert (benchmark.name, benchmark.items[0].question) == ("b", "How many?")


def test_several_packed_streams_in_one_file_are_all_read(tmp_path):
    for packing, pack in PACKERS.items():
        record = lines(GSM).encode()
        path = write(tmp_path / f"b.jsonl{packing}", pack(record) + pack(record))
        assert len(read_one(path).items) == 2


def test_only_a_line_feed_ends_a_json_line(tmp_path):
    record = {"question": "a\u2028b\u0085c\x0bd", "answer": "\u2029"}
    path = write(tmp_path / "b.jsonl", lines(record, record).replace("\n", "\r\n"))
    assert [item.question for item in read_one(path).items] == [record["question"]] * 2


def test_blank_lines_are_no_records_but_count_as_rows(tmp_path):
    path = write(tmp_path / "b.jsonl", "\n" + lines(GSM) + "  \n" + lines(GSM) + "\n\n")
    assert [item.id for item in read_one(path).items] == ["1", "3"]


def test_a_byte_order_mark_is_no_text(tmp_path):
    assert len(read_one(write(tmp_path / "b.jsonl", "\ufeff" + lines(GSM))).items) == 1
    benchmark = read_one(write(tmp_path / "c.csv", "\ufeffquestion,answer\nq,a\n"))
    assert benchmark.layout == "gsm8k"


def test_numbers_keep_the_digits_they_are_written_with(tmp_path):
    path = write(tmp_path / "b.jsonl", '{"question": "q", "answer": 1.50}\n')
    assert read_one(path).items[0].answer == "1.50"


@pytest.mark.parametrize(
    "content",
    [
        json.dumps([GSM, GSM], indent=1),
        json.dumps({"version": 1, "tags": [], "data": [GSM, GSM]}),
        lines(GSM, GSM),
    ],
)
def test_a_json_file_is_an_array_an_object_around_one_or_json_lines(tmp_path, content):
    assert len(read_one(write(tmp_path / "b.json", content)).items) == 2


def test_big_bench_hard_is_read_as_published(tmp_path):
    content = {"canary": "GUID", "examples": [{"input": "not True is", "target": "False"}]}
    benchmark = read_one(write(tmp_path / "boolean_expressions.json", json.dumps(content)))
    assert benchmark.layout == "bbh"
    assert benchmark.items == (Item("0", "not True is", "False", "", ()),)


def test_math_is_read_as_published_one_problem_to_a_file(tmp_path):
    content = {"problem": "1+1?", "level": "Level 1", "type": "Algebra", "solution": "2"}
    for number in (1, 2):
        write(tmp_path / f"{number}.json", json.dumps(content))
    first, second = read_benchmarks([str(tmp_path)])
    assert (first.name, second.name, first.layout) == ("1", "2", "math")
    assert first.items == (Item("0", "1+1?", "2", "", ()),)


def test_mmlu_csv_has_no_header_and_loses_no_row(tmp_path):
    content = 'Degree?,0,4,2,6,B\n"Which, ""here""?\nSay.",a,b,c,d,D\n'
    benchmark = read_one(write(tmp_path / "algebra_test.csv", content))
    assert benchmark.layout == "mmlu_csv"
    assert benchmark.items == (
        Item("0", "Degree?", "4", "", ("0", "4", "2", "6")),
        Item("1", 'Which, "here"?\nSay.', "d", "", ("a", "b", "c", "d")),
    )


def test_mgsm_tsv_has_no_header_and_quotes_in_it_are_text(tmp_path):
    content = '"Ja" sagt er. Wie viele?\t1,080\nWie "viele"?\t18\n'
    benchmark = read_one(write(tmp_path / "mgsm_de.tsv", content))
    assert benchmark.layout == "mgsm"
    assert [(item.question, item.answer) for item in benchmark.items] == [
        ('"Ja" sagt er. Wie viele?', "1,080"),
        ('Wie "viele"?', "18"),
    ]


@pytest.mark.parametrize(
    ("header", "row", "layout", "item"),
    [
        (
            "id,question,A,B,C,D,answer,explanation",
            "7,哪项,甲,乙,丙,丁,C,",
            "ceval",
            Item("7", "哪项", "丙", "", ("甲", "乙", "丙", "丁")),
        ),
        (
            ",Question,A,B,C,D,Answer",
            "0,哪项,甲,乙,丙,丁,C",
            "cmmlu",
            Item("0", "哪项", "丙", "", ("甲", "乙", "丙", "丁")),
        ),
        (
            "Type,Category,Question,Best Answer,Correct Answers,Incorrect Answers,Source",
            "Adversarial,Law,What happens?,Nothing,Nothing; Little,Death,https://x",
            "truthfulqa_csv",
            Item("0", "What happens?", "Nothing", "", ()),
        ),
        (",question,answer", "0,q,a", "gsm8k", Item("0", "q", "a", "", ())),
    ],
)
def test_tables_with_a_header_are_recognised_by_it(tmp_path, header, row, layout, item):
    benchmark = read_one(write(tmp_path / "b.csv", f"{header}\r\n{row}\r\n"))
    assert (benchmark.layout, benchmark.items) == (layout, (item,))


def test_a_cell_may_be_longer_than_the_csv_module_allows_by_itself(tmp_path):
    limit = csv.field_size_limit()
    passage = "x" * (limit + 1)
    path = write(tmp_path / "b.csv", f"question,passage,answer\nq,{passage},a\n")
    assert read_one(path).items[0].passage == passage
    assert csv.field_size_limit() == limit


def test_parquet_of_the_hub_is_read(tmp_path):
    table = pa.table(
        {
            "id": ["Mercury_1"],
            "question": ["Which?"],
            "choices": [{"text": ["dry", "wet"], "label": ["A", "B"]}],
            "answerKey": ["B"],
        }
    )
    pq.write_table(table, tmp_path / "arc.parquet")
    benchmark = read_one(str(tmp_path / "arc.parquet"))
    assert benchmark.layout == "arc"
    assert benchmark.items == (Item("Mercury_1", "Which?", "wet", "", ("dry", "wet")),)


# --- round trips ----------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
# Letters alone and small numbers could mean a choice; they have tests of their own.
ANSWER = TEXT.map(lambda text: f"= {text}") | st.just("")
ITEMS = st.lists(
    st.builds(
        Item,
        id=st.just(""),
        question=TEXT.map(lambda text: f"{text}?"),
        answer=ANSWER,
        passage=TEXT,
        choices=st.lists(TEXT, max_size=4).map(tuple),
    ),
    min_size=1,
    max_size=5,
).map(
    lambda items: tuple(
        Item(f"i{n}", item.question, item.answer, item.passage, item.choices)
        for n, item in enumerate(items)
    )
)


def as_json_lines(records: list[dict]) -> bytes:
    return lines(*records).encode()


def as_table(records: list[dict], delimiter: str) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow(records[0])
    for record in records:
        writer.writerow({**record, "choices": json.dumps(record["choices"])}.values())
    return buffer.getvalue().encode()


def as_parquet(records: list[dict]) -> bytes:
    schema = pa.schema(
        [(key, pa.string()) for key in ("id", "question", "answer", "passage")]
        + [("choices", pa.list_(pa.string()))]
    )
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(records, schema), buffer)
    return buffer.getvalue()


WRITERS = {
    "b.jsonl": as_json_lines,
    "b.csv": lambda records: as_table(records, ","),
    "b.tsv": lambda records: as_table(records, "\t"),
    "b.parquet": as_parquet,
}


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=60, deadline=None)
@given(items=ITEMS)
def test_items_come_back_as_they_were_written(tmp_path_factory, name, items):
    records = [
        {
            "id": item.id,
            "question": item.question,
            "answer": item.answer,
            "passage": item.passage,
            "choices": list(item.choices),
        }
        for item in items
    ]
    path = write(tmp_path_factory.mktemp("trip") / name, WRITERS[name](records))
    assert read_one(path).items == items


# --- field maps -----------------------------------------------------------------------------------


def test_a_field_map_wins_over_recognition(tmp_path):
    path = write(tmp_path / "b.jsonl", lines({**GSM, "id": 3}))
    benchmark = read_one(path, FieldMap.parse("question=answer"))
    assert (benchmark.layout, benchmark.items) == ("fields", (Item("0", "#### 4", "", "", ()),))


def test_a_table_without_header_is_mapped_by_column_numbers(tmp_path):
    path = write(tmp_path / "b.csv", "q,a\nr,b\n")
    items = read_one(path, FieldMap.parse("question=0,answer=1")).items
    assert [(item.question, item.answer) for item in items] == [("q", "a"), ("r", "b")]


def test_a_key_may_be_missing_in_some_records_but_not_in_all(tmp_path):
    path = write(tmp_path / "b.jsonl", lines({"p": "one"}, {"p": "two", "hint": "h"}))
    assert len(read_one(path, FieldMap.parse("question=p,passage=hint")).items) == 2
    assert failure(path, FieldMap.parse("question=p,answer=a")) == (
        f"{path}: --fields names 'a', which no record has; check the keys"
    )


# --- names and paths ------------------------------------------------------------------------------


def names(*paths: str) -> list[str]:
    return [benchmark.name for benchmark in read_benchmarks(paths)]


def test_namesakes_are_told_apart_by_just_enough_folders_in_any_order(tmp_path):
    files = ["a/mmlu/test.jsonl", "b/arc/test.csv", "b/mmlu/test.jsonl.gz", "dev.jsonl"]
    contents = [
        lines(GSM),
        "question,answer\nq,a\n",
        gzip.compress(lines(GSM).encode()),
        lines(GSM),
    ]
    paths = [write(tmp_path / file, text) for file, text in zip(files, contents, strict=True)]
    expected = ["a/mmlu/test", "b/arc/test", "b/mmlu/test", "dev"]
    assert names(*paths) == names(*reversed(paths)) == names(str(tmp_path)) == expected
    assert names(*paths[:2]) == ["arc/test", "mmlu/test"]


def test_files_with_one_stem_in_one_folder_keep_their_suffixes(tmp_path):
    write(tmp_path / "test.jsonl", lines(GSM))
    write(tmp_path / "test.csv", "question,answer\nq,a\n")
    assert names(str(tmp_path)) == ["test.csv", "test.jsonl"]


def test_only_known_suffixes_leave_the_name(tmp_path):
    assert names(write(tmp_path / "mmlu-v1.5.JSONL.GZ", gzip.compress(lines(GSM).encode()))) == [
        "mmlu-v1.5"
    ]


def test_a_file_given_several_times_is_read_once(tmp_path, monkeypatch):
    write(tmp_path / "b.jsonl", lines(GSM))
    (tmp_path / "link.jsonl").symlink_to("b.jsonl")
    monkeypatch.chdir(tmp_path)
    for paths in (["b.jsonl", "./b.jsonl", str(tmp_path / "b.jsonl")], ["link.jsonl", "b.jsonl"]):
        assert names(*paths) == names(*reversed(paths)) == ["b"]


def test_a_glob_takes_files_of_known_kinds_and_folders(tmp_path):
    write(tmp_path / "x" / "one.jsonl", lines(GSM))
    write(tmp_path / "x" / "README.md", "text")
    write(tmp_path / "x" / "deep" / "two.jsonl", lines(GSM))
    assert names(str(tmp_path / "x" / "*")) == ["one", "two"]
    assert names(str(tmp_path / "**" / "*.jsonl")) == ["one", "two"]


def test_a_file_whose_name_looks_like_a_glob_is_that_file(tmp_path):
    assert names(write(tmp_path / "b[1].jsonl", lines(GSM))) == ["b[1]"]


def test_hidden_files_and_folders_are_passed_over(tmp_path):
    write(tmp_path / "b.jsonl", lines(GSM))
    write(tmp_path / ".b.jsonl", "broken")
    write(tmp_path / ".cache" / "b.jsonl", "broken")
    assert names(str(tmp_path)) == ["b"]


# --- bad input ------------------------------------------------------------------------------------


def test_no_path_at_all_is_an_error():
    with pytest.raises(BenchmarkError, match=r"no benchmark is named; name at least one"):
        read_benchmarks([])


def test_a_missing_file_is_named_with_its_nearest_neighbour(tmp_path):
    there = write(tmp_path / "gsm8k_test.jsonl", lines(GSM))
    missing = str(tmp_path / "gsm8k_tset.jsonl")
    assert failure(missing) == f"{missing}: does not exist; did you mean {there!r}?"
    far = str(tmp_path / "zzz")
    assert failure(far) == f"{far}: does not exist; check the path"
    gone = str(tmp_path / "no" / "b.jsonl")
    folder = (tmp_path / "no").as_posix()
    assert failure(gone) == (
        f"{gone}: does not exist; the folder {folder!r} cannot be listed: check the path"
    )


def test_a_folder_glob_or_file_of_no_known_kind_lists_the_kinds(tmp_path):
    readme = write(tmp_path / "README.md", "text")
    known = f"known are {', '.join(KNOWN)}"
    pattern = str(tmp_path / "*.md")
    assert (
        failure(str(tmp_path)) == f"{tmp_path}: the folder holds no file of a known kind; {known}"
    )
    assert failure(pattern) == f"{pattern}: matches no file of a known kind; {known}"
    assert failure(readme) == f"{readme}: is not of a known kind; {known}"


def test_a_broken_link_is_unreadable(tmp_path):
    (tmp_path / "b.jsonl").symlink_to("gone.jsonl")
    path = str(tmp_path / "b.jsonl")
    assert failure(path) == (
        f"{path}: cannot be read: No such file or directory; check the file and its permissions"
    )


def test_a_file_without_permission_is_named(tmp_path, monkeypatch):
    path = write(tmp_path / "b.jsonl", lines(GSM))

    def refuse(self):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert failure(path) == (
        f"{path}: cannot be read: Permission denied; check the file and its permissions"
    )


def test_a_folder_that_cannot_be_listed_is_not_passed_over(tmp_path, monkeypatch):
    write(tmp_path / "b.jsonl", lines(GSM))
    (tmp_path / "locked").mkdir()
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert failure(str(tmp_path)) == (
        f"{tmp_path}/locked: cannot be listed: Permission denied; give read permission"
    )


@pytest.mark.parametrize("content", ["", "\n \n"])
@pytest.mark.parametrize("name", ["b.jsonl", "b.json", "b.csv", "b.tsv"])
def test_an_empty_file_has_no_items(tmp_path, name, content):
    path = write(tmp_path / name, "" if name.endswith("sv") else content)
    assert failure(path) == f"{path}: has no items; name a file with at least one record"


def test_an_empty_array_table_or_parquet_file_has_no_items(tmp_path):
    pq.write_table(pa.table({"question": pa.array([], pa.string())}), tmp_path / "b.parquet")
    paths = [
        write(tmp_path / "b.json", '{"examples": []}'),
        write(tmp_path / "c.json", "[]"),
        write(tmp_path / "b.csv", "question,answer\n"),
        str(tmp_path / "b.parquet"),
    ]
    for path in paths:
        assert failure(path) == f"{path}: has no items; name a file with at least one record"


def test_a_line_that_is_not_json_is_named(tmp_path):
    path = write(tmp_path / "b.jsonl", lines(GSM) + '{"question": "q", \n')
    assert failure(path).startswith(
        f"{path}, row 1: line 2 is not JSON: Expecting property name enclosed in double quotes"
    )


@pytest.mark.parametrize("line", ["[" * 100_000, "1" * 5000])
def test_json_that_breaks_the_parser_is_an_error_like_any_other(tmp_path, line):
    assert "line 1 is not JSON" in failure(write(tmp_path / "b.jsonl", line + "\n"))


@pytest.mark.parametrize(("line", "kind"), [("[1]", "list"), ('"x"', "str"), ("3", "int")])
def test_a_line_that_is_no_object_is_named(tmp_path, line, kind):
    path = write(tmp_path / "b.jsonl", line)
    assert failure(path) == (
        f"{path}, row 0: the record is a JSON {kind}, not an object;"
        ' write {"question": ..., "answer": ...}'
    )


def test_bytes_that_are_not_utf8_are_named_with_their_line(tmp_path):
    path = write(tmp_path / "b.jsonl", lines(GSM).encode() + b'{"question": "caf\xe9"}\n')
    assert failure(path) == f"{path}: line 2 is not UTF-8: byte 0xe9; save the file as UTF-8"


def test_half_a_surrogate_pair_is_named_with_its_row(tmp_path):
    path = write(tmp_path / "b.jsonl", lines(GSM) + '{"question": "\\ud83d", "answer": "a"}\n')
    assert failure(path) == (
        f"{path}, row 1: the text holds half a character, '\\ud83d';"
        " write the whole surrogate pair or the character itself"
    )


@pytest.mark.parametrize("packing", PACKERS)
def test_a_truncated_or_wrongly_named_packed_file_is_an_error(tmp_path, packing):
    packed = PACKERS[packing](lines(*[{**GSM, "answer": str(n)} for n in range(500)]).encode())
    for content in (packed[:-12], lines(GSM).encode()):
        path = write(tmp_path / f"b.jsonl{packing}", content)
        message = failure(path)
        assert message.startswith(f"{path}: is truncated or not {packing}: ")
        assert message.endswith("; fetch or pack the file again")


@pytest.mark.parametrize("packing", PACKERS)
def test_unpacking_is_bounded(tmp_path, packing, monkeypatch):
    monkeypatch.setattr(corpora.records, "MAX_BYTES", 1 << 20)
    path = write(tmp_path / f"b.jsonl{packing}", PACKERS[packing](b" " * ((1 << 20) + 1)))
    assert failure(path) == f"{path}: is larger than 1 MiB unpacked; split the file"


def test_parquet_is_bounded_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(corpora.records, "MAX_BYTES", 1 << 20)
    table = pa.table({"question": ["x" * (2 << 20)]})
    pq.write_table(table, tmp_path / "b.parquet", compression="zstd", use_dictionary=False)
    path = str(tmp_path / "b.parquet")
    assert failure(path) == f"{path}: is larger than 1 MiB unpacked; split the file"


def test_damaged_parquet_is_an_error(tmp_path):
    pq.write_table(pa.table(GSM | {"answer": ["a"], "question": ["q"]}), tmp_path / "b.parquet")
    whole = (tmp_path / "b.parquet").read_bytes()
    for content in (whole[:-20], b"", b"PAR1"):
        path = write(tmp_path / "b.parquet", content)
        assert failure(path).startswith(f"{path}: is not readable Parquet: ")


def test_parquet_text_that_is_not_utf8_is_an_error(tmp_path):
    bad = pa.array([b"caf\xe9"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"question": bad, "answer": ["a"]}), tmp_path / "b.parquet")
    assert "Invalid UTF8" in failure(str(tmp_path / "b.parquet"))


def test_an_unknown_layout_shows_the_keys_and_an_example(tmp_path):
    path = write(tmp_path / "b.jsonl", lines({"frage": "q", "antwort": "a"}))
    assert failure(path) == (
        f"{path}, row 0: no known layout has the keys 'frage', 'antwort';"
        f" say which key holds what, for example {EXAMPLE}"
    )


def test_a_record_of_another_layout_is_not_read_as_the_first(tmp_path):
    path = write(tmp_path / "b.jsonl", lines(GSM, {"problem": "p", "solution": "s"}))
    assert failure(path) == (
        f"{path}, row 1: the keys 'problem', 'solution' do not fit the layout 'gsm8k' of the rows"
        f" before; keep one layout to a file, or name the keys: {EXAMPLE}"
    )


def test_an_item_without_any_text_is_named(tmp_path):
    path = write(tmp_path / "b.jsonl", lines(GSM, {"question": "", "answer": None}))
    assert failure(path) == (
        f"{path}, row 1: the item has neither question, choices, answer nor passage;"
        " fill or delete the record"
    )


def test_a_field_of_the_wrong_type_is_named_with_its_row(tmp_path):
    path = write(tmp_path / "b.jsonl", lines(GSM, {"question": {"x": 1}, "answer": "a"}))
    assert failure(path) == f"{path}, row 1: question is an object, not text; mend the record"


def test_duplicate_ids_are_named_with_their_rows(tmp_path):
    records = [{"id": f"i{n % 6}", **GSM} for n in range(13)]
    path = write(tmp_path / "b.jsonl", lines(*records, {"id": "alone", **GSM}))
    assert failure(path) == (
        f"{path}: 6 ids are not unique: 'i0' in rows 0, 6, 12; 'i1' in rows 1, 7;"
        " 'i2' in rows 2, 8; 'i3' in rows 3, 9; 'i4' in rows 4, 10;"
        " make them unique, or leave the id out of --fields to number the items by row"
    )
    assert len(read_one(path, FieldMap.parse("question=question,answer=answer")).items) == 14


def test_a_ragged_table_is_named_with_its_row(tmp_path):
    path = write(tmp_path / "b.csv", "question,answer\nq,a\nq,a,b\n")
    assert failure(path) == (
        f"{path}, row 1: the row has 3 cells, the first 2;"
        " quote cells that hold the delimiter or a line break"
    )


def test_an_open_quote_in_csv_swallows_nothing(tmp_path):
    path = write(tmp_path / "b.csv", 'question,answer\n"q,a\nr,b\n')
    assert failure(path) == (
        f"{path}: is not CSV: unexpected end of data;"
        ' double the quotes inside a quoted cell ("") and close the last one'
    )


def test_json_with_several_arrays_of_records_is_not_guessed_at(tmp_path):
    path = write(tmp_path / "b.json", json.dumps({"train": [GSM], "test": [GSM]}))
    assert failure(path) == f"{path}: holds several arrays: 'train', 'test'; keep one to a file"


def test_an_error_carries_its_file_and_row(tmp_path):
    path = write(tmp_path / "b.jsonl", lines(GSM) + "x\n")
    with pytest.raises(BenchmarkError) as caught:
        read_benchmarks([path])
    assert (caught.value.path, caught.value.row) == (path, 1)


# --- the hub --------------------------------------------------------------------------------------


class HubError(OSError):
    """Stands for the root error of the HTTP client."""


class HfHubHTTPError(HubError):
    """Stands for the error of that name."""


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A stand-in for huggingface_hub that serves the files under tmp_path; returns its calls."""
    calls = []

    def hf_hub_download(repo, name, *, repo_type, revision):
        calls.append((repo, name, repo_type, revision))
        if not (tmp_path / name).exists():
            raise HfHubHTTPError("404\n\nnot found")
        return str(tmp_path / name)

    def list_repo_files(repo, *, repo_type, revision):
        return [file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*.*")]

    package = types.ModuleType("huggingface_hub")
    package.errors = types.ModuleType("huggingface_hub.errors")
    package.errors.HfHubHTTPError = HfHubHTTPError
    package.hf_hub_download, package.list_repo_files = hf_hub_download, list_repo_files
    monkeypatch.setitem(sys.modules, "huggingface_hub", package)
    monkeypatch.setitem(sys.modules, "huggingface_hub.errors", package.errors)
    write(tmp_path / "main" / "test.jsonl", lines(GSM))
    write(tmp_path / "main" / "train.jsonl", lines(GSM, GSM))
    write(tmp_path / "README.md", "text")
    return calls


def test_a_file_of_the_hub_is_fetched_and_named_after_its_data_set(hub):
    url = "hf://datasets/openai/gsm8k@refs/convert/parquet/main/test.jsonl"
    (benchmark,) = read_benchmarks([url])
    assert hub == [("openai/gsm8k", "main/test.jsonl", "dataset", "refs/convert/parquet")]
    assert (benchmark.name, benchmark.path) == ("gsm8k/main/test", url)
    assert len(benchmark.items) == 1


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", ["gsm8k/main/test", "gsm8k/main/train"]),
        ("/main", ["gsm8k/main/test", "gsm8k/main/train"]),
        ("/main/tr*.jsonl", ["gsm8k/main/train"]),
    ],
)
def test_a_data_set_folder_or_pattern_of_the_hub_gives_its_files(hub, path, expected):
    assert names(f"hf://openai/gsm8k{path}") == expected


def test_what_the_hub_does_not_have_is_an_error(hub):
    url = "hf://datasets/openai/gsm8k/gone.jsonl"
    assert failure(url) == (
        f"{url}: cannot be fetched: HfHubHTTPError: 404 not found;"
        " check the address and the network, or download the file and name its path"
    )
    assert failure("hf://openai/gsm8k/nowhere") == (
        "hf://openai/gsm8k/nowhere: the hub holds no file of a known kind under 'nowhere';"
        f" known are {', '.join(KNOWN)}"
    )


def test_an_address_without_owner_is_an_error():
    assert failure("hf://gsm8k") == (
        "'hf://gsm8k' is not an address of a dataset;"
        " write hf://datasets/OWNER/NAME[@REVISION][/path/in/repo.parquet]"
    )


def test_without_huggingface_hub_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    url = "hf://datasets/openai/gsm8k/main/test.parquet"
    assert failure(url) == (
        f"{url}: reading from the Hugging Face hub needs the package huggingface_hub;"
        " run `pip install 'sluicegate[hub]'`, or download the file and name its path"
    )
