"""The file of paraphrases: what it may be, and the one line that says what is wrong with it."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpora.benchmarks import Benchmark, BenchmarkError, Item
from pipelines.calibration.paraphrases import read_paraphrases

ROBE, EGGS, TWIN = (
    Item("robe", "How many bolts does a robe take?", "3", "", ()),
    Item("7", "How many eggs are left?", "9", "", ()),
    Item("7", "Why are there no eggs?", "", "", ()),
)
MATHS = Benchmark("maths", "maths.jsonl", "0" * 64, "fields", (ROBE, EGGS))
WHY = Benchmark("why", "why.jsonl", "0" * 64, "fields", (TWIN,))


@pytest.fixture
def write(tmp_path):
    """Write a file below the test's folder; gives its path."""

    def write_file(content, name="p.jsonl"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_file


def lines(*records):
    return "".join(json.dumps(record) + "\n" for record in records)


ROWS = [
    {"item_id": "robe", "text": "Bolts for one robe?"},
    {"item_id": "7", "text": "Count the eggs, please."},
    {"item_id": "robe", "text": "A robe, in bolts:"},
]


def as_parquet(path):
    pq.write_table(pa.Table.from_pylist(ROWS), path)


def as_table(delimiter):
    return lambda path: path.write_text(
        "\n".join(delimiter.join(f'"{cell}"' for cell in row.values()) for row in [HEAD, *ROWS])
    )


HEAD = {"item_id": "item_id", "text": "text"}
KINDS = {
    "p.jsonl": lambda path: path.write_text(lines(*ROWS)),
    "p.jsonl.gz": lambda path: path.write_bytes(gzip.compress(lines(*ROWS).encode())),
    "p.json": lambda path: path.write_text(json.dumps(ROWS)),
    "p.csv": as_table(","),
    "p.tsv": as_table("\t"),
    "p.parquet": as_parquet,
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_file_gives_the_texts_of_each_item(name, tmp_path):
    KINDS[name](tmp_path / name)
    read = read_paraphrases(tmp_path / name, [MATHS])
    assert read.texts == {
        ROBE: ["Bolts for one robe?", "A robe, in bolts:"],
        EGGS: ["Count the eggs, please."],
    }
    assert (read.n_texts, read.path, len(read.digest)) == (3, (tmp_path / name).as_posix(), 64)


def test_an_id_may_be_a_number_and_columns_may_be_more(write):
    path = write(lines({"item_id": 7, "text": "Eggs?", "benchmark": None, "by": {"me": 1}}))
    assert read_paraphrases(path, [MATHS]).texts == {EGGS: ["Eggs?"]}


def test_the_benchmark_tells_equal_ids_apart(write):
    row = {"item_id": "7", "text": "Eggs?"}
    path = write(lines({**row, "benchmark": "why"}, {**row, "benchmark": "maths"}))
    assert read_paraphrases(path, [MATHS, WHY]).texts == {TWIN: ["Eggs?"], EGGS: ["Eggs?"]}


def test_the_same_item_in_two_benchmarks_needs_no_telling_apart(write):
    copy = Benchmark("copy", "copy.jsonl", "1" * 64, "fields", (EGGS,))
    path = write(lines({"item_id": "7", "text": "Eggs?"}))
    assert read_paraphrases(path, [MATHS, copy]).texts == {EGGS: ["Eggs?"]}


GOOD = {"item_id": "robe", "text": "Bolts?"}
WRONG = {
    "no file": (None, None, ["does not exist", "check --paraphrases"]),
    "a folder": ("folder", None, ["is a folder", "name one file"]),
    "another kind": ("x", None, ["is not of a known kind", ".parquet"]),
    "nothing": ("", None, ["has no paraphrases", '{"item_id": ..., "text": ...}']),
    "not JSON": (lines(GOOD) + "{oops\n", 1, ["line 2 is not JSON", "mend or delete the line"]),
    "not UTF-8": (b'{"item_id": "\xff"}\n', None, ["line 1 is not UTF-8", "save the file as UTF-8"]),
    "not an object": (lines(GOOD, [1]), 1, ["not a JSON object", '{"item_id": ..., "text": ...}']),
    "no text column": (
        lines(GOOD, {"item_id": "7", "body": "x"}), 1,
        ["no column 'text' beside 'item_id', 'body'", "name the columns item_id and text"],
    ),
    "no id column": (lines({"id": "7", "text": "x"}), 0, ["no column 'item_id'"]),
    "empty text": (lines(GOOD, {"item_id": "7", "text": " \n"}), 1, ["the text is empty", "mend or"]),
    "no word": (lines({"item_id": "7", "text": "?!"}), 0, ["the text '?!' has no word"]),
    "text is null": (lines({"item_id": "7", "text": None}), 0, ["the text is None, not text"]),
    "text is a number": (lines({"item_id": "7", "text": 5}), 0, ["the text is 5, not text"]),
    "half a character": (
        '{"item_id": "7", "text": "a \\ud800"}\n', 0, ["the text holds half a character"],
    ),
    "empty id": (lines({"item_id": "", "text": "x"}), 0, ["the item_id is empty", "fill it"]),
    "id is null": (lines({"item_id": None, "text": "x"}), 0, ["the item_id is empty"]),
    "id is a list": (lines({"item_id": [7], "text": "x"}), 0, ["the item_id is [7]", "write it as"]),
    "benchmark is a list": (
        lines({**GOOD, "benchmark": [1]}), 0, ["the benchmark is [1], neither text nor a number"],
    ),
    "unknown id": (
        lines(GOOD, {"item_id": "8", "text": "x"}), 1,
        ["1 row has an item_id that is in no benchmark, the first '8'; write ids as items.parquet"],
    ),
    "unknown ids": (
        lines({"item_id": "a\x1b[2J\u202e", "text": "x"}, GOOD, {"item_id": "9", "text": "x"}), 0,
        ["2 rows have an item_id that is in no benchmark, the first 'a\\x1b[2J\\u202e'; write ids"],
    ),
    "unknown benchmark": (
        lines({**GOOD, "benchmark": "math"}), 0,
        ["the first 'robe' of 'math'; the benchmarks are maths, why"],
    ),
    "an id of another benchmark": (
        lines({**GOOD, "benchmark": "why"}), 0, ["the first 'robe' of 'why'; write ids as"],
    ),
    "an id of two benchmarks": (
        lines(GOOD, {"item_id": "7", "text": "x"}, {"item_id": "7", "text": "y"}), 1,
        ["2 rows have an item_id that several benchmarks have, the first '7' in maths and why; add a"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_in_one_line_with_file_row_and_mend(case, write, tmp_path):
    content, row, said = WRONG[case]
    path = tmp_path / ("p.txt" if case == "another kind" else "p.jsonl")
    if content == "folder":
        path.mkdir()
    elif content is not None:
        write(content, path.name)
    with pytest.raises(BenchmarkError) as caught:
        read_paraphrases(path, [MATHS, WHY])
    line = str(caught.value)
    assert "\n" not in line
    assert "\x1b" not in line
    assert line.startswith(path.as_posix() + (": " if row is None else f", row {row}: "))
    assert all(part in line for part in said), line


def test_a_table_without_the_columns_is_refused(write):
    path = write("id,words\n7,Eggs?\n", "p.csv")
    with pytest.raises(BenchmarkError, match="no column 'item_id' beside 'id', 'words'; name the"):
        read_paraphrases(path, [MATHS])
