"""Documents out of every format: right rows, right text, every loss named, memory bounded."""

import bz2
import gzip
import json
import lzma
import math
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora import jsonl, places
from corpora.documents import Batch, read_batches
from corpora.lines import Block
from corpora.problems import CorpusError, Problem, ReadLog
from corpora.shards import Columns, Compression, Format, Shard, resolve, split

PACKERS = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": lambda data: pa.Codec("zstd").compress(data, asbytes=True),
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}
PACKED = [suffix for suffix in PACKERS if suffix]


def documents(shard: Shard, **options) -> tuple[list[tuple], ReadLog]:
    """(row, text, id, domain) of every document, and the log."""
    log = ReadLog()
    found = []
    for batch in read_batches(shard, log, **options):
        check_promises(batch)
        columns = (
            batch.rows.tolist(),
            *(c.to_pylist() for c in (batch.texts, batch.ids, batch.domains)),
        )
        found += zip(*columns, strict=True)
    assert log.documents == len(found)
    assert log.bytes == sum(len(text.encode()) for _, text, _, _ in found)
    return found, log


def check_promises(batch: Batch) -> None:
    assert len(batch.rows) > 0
    assert batch.rows.dtype == np.int64
    for column in (batch.texts, batch.ids, batch.domains):
        assert column.type == pa.large_string()
        assert len(column) == len(batch.rows)
        column.validate(full=True)
    assert batch.texts.offset == 0
    assert batch.texts.null_count == 0
    offsets = np.frombuffer(batch.texts.buffers()[1], dtype=np.int64)[: len(batch.rows) + 1]
    data = bytes(batch.texts.buffers()[2] or b"")
    assert data[offsets[0] : offsets[1]].decode() == batch.texts[0].as_py()


def shard_of(path: Path, columns: Columns | None = None) -> Shard:
    [shard] = resolve([str(path)], columns or Columns())
    return shard


def lines(tmp_path: Path, data: bytes, columns: Columns | None = None, **options):
    (tmp_path / "a.jsonl").write_bytes(data)
    return documents(shard_of(tmp_path / "a.jsonl", columns), **options)


def texts(found: list[tuple]) -> list[str]:
    return [text for _, text, _, _ in found]


def rows_and_kinds(log: ReadLog) -> list[tuple[int | None, str]]:
    return [(problem.row, problem.kind) for problem in log.problems]


# --- JSON lines -----------------------------------------------------------------------------------


def test_only_a_line_feed_ends_a_line(tmp_path):
    data = '{"text": "a\u2028b\u2029c\u0085d"}\r\n{"text": "e"}\n{"text": "f"}'.encode()
    found, log = lines(tmp_path, data)
    assert found == [
        (0, "a\u2028b\u2029c\u0085d", None, None),
        (1, "e", None, None),
        (2, "f", None, None),
    ]
    assert log.n_problems == 0


def test_blank_lines_count_as_rows_and_are_nothing_else(tmp_path):
    found, log = lines(tmp_path, b'\n \t\r\n{"text": "a"}\n\n{"text": "b"}\n\n')
    assert [row for row, *_ in found] == [2, 4]
    assert log.n_problems == 0


@pytest.mark.parametrize("batch_bytes", [1, 40, 8 << 20])
def test_every_bad_line_is_named_and_every_good_one_kept(tmp_path, batch_bytes):
    bad = {
        1: (b'{"text": "a"', "bad JSON"),
        2: (b'{"text": 12}', "text is not a string"),
        3: (b'{"text": null}', "no text"),
        4: (b'{"id": "x"}', "no text"),
        5: (b'{"text": "\\ud800"}', "lone surrogate"),
        6: (b'{"text": "\xff"}', "invalid UTF-8"),
        7: (b"[1]", "not a JSON object"),
        8: (b"null", "not a JSON object"),
        9: (b'{"text": "a"} {"text": "b"}', "bad JSON"),
        10: (b'{"text": "a"}null{"text": "b"}', "bad JSON"),
        11: (b'{"text": "a\tb"}', "bad JSON"),
        12: (b'{"text": "a", "other": "\xff"}', "invalid UTF-8"),
        13: (b'{"text": {"text": "a"}}', "text is not a string"),
    }
    good = b'{"text": "good"}'
    data = b"\n".join(bad[row][0] if row in bad else good for row in range(15))
    found, log = lines(tmp_path, data, batch_bytes=batch_bytes)
    assert [row for row, *_ in found] == [0, 14]
    assert rows_and_kinds(log) == [(row, kind) for row, (_, kind) in bad.items()]
    assert log.bad_documents == len(bad)
    assert all(problem.mend for problem in log.problems)


def test_a_good_block_with_nulls_stays_fast_and_names_them(tmp_path, monkeypatch):
    monkeypatch.setattr(jsonl, "_parse_slowly", None)
    found, log = lines(
        tmp_path, b'{"text": "a"}\n{"text": null}\n{"id": "x"}\n{"text": "b", "id": "y"}\n'
    )
    assert found == [(0, "a", None, None), (3, "b", "y", None)]
    assert rows_and_kinds(log) == [(1, "no text"), (2, "no text")]


def test_ids_of_any_kind_are_text(tmp_path):
    data = b'{"text":"a","id":7}\n{"text":"a","id":8}\n'
    assert [i for _, _, i, _ in lines(tmp_path, data)[0]] == ["7", "8"]
    data = b'{"text":"a","id":7}\n{"text":"a","id":1.5}\n{"text":"a","id":true}\n{"text":"a","id":[1]}\n{"text":"a","id":"\\ud800"}\n'
    assert [i for _, _, i, _ in lines(tmp_path, data)[0]] == ["7", "1.5", "true", "[1]", "\\ud800"]


def test_nested_keys_and_several_columns_are_reached_and_joined(tmp_path):
    data = b"""\
{"title": "T", "message": {"content": "C", "role": "user"}, "meta": {"domain": "web"}, "id": 3}
{"title": null, "message": {"content": "D"}, "meta": null}
{"message": null, "title": "E"}
{"message": "F"}
"""
    columns = Columns(text=("title", "message.content"), domain="meta.domain")
    found, log = lines(tmp_path, data, columns)
    assert found == [(0, "T\nC", "3", "web"), (1, "D", None, None), (2, "E", None, None)]
    assert rows_and_kinds(log) == [(3, "no text")]


def test_a_dotted_key_is_a_name_where_the_file_has_it(tmp_path):
    found, _ = lines(tmp_path, b'{"m.c": "a"}\n{"m.c": "b"}\n', Columns(text=("m.c",)))
    assert texts(found) == ["a", "b"]


@pytest.mark.parametrize(
    ("data", "columns"),
    [
        (b'{"txt": "a", "id": 1}\n{"txt": "b"}\n', Columns()),
        (b'{"text": "a"}\n', Columns(text=("text", "title"))),
        (b'{"m": {"contents": "a"}}\n', Columns(text=("m.content",))),
    ],
)
def test_a_text_column_on_no_line_is_an_error_that_lists_the_columns(tmp_path, data, columns):
    with pytest.raises(CorpusError) as caught:
        lines(tmp_path, data, columns)
    message = str(caught.value)
    assert "a.jsonl" in message
    assert repr(columns.text[-1]) in message
    assert "\n" not in message
    if columns == Columns():
        assert "did you mean 'txt'?" in message
        assert "it has txt, id" in message


def test_a_text_column_that_is_null_on_every_line_is_there(tmp_path):
    found, log = lines(tmp_path, b'{"text": null}\n{"text": null}\n')
    assert found == []
    assert rows_and_kinds(log) == [(0, "no text"), (1, "no text")]


@pytest.mark.parametrize(
    "data", [b'[\n{"text": "a"}\n]', b'[{"text": "a"}]', b'{\n "text": "a"\n}\n']
)
def test_other_json_is_one_problem_and_not_one_per_line(tmp_path, data):
    found, log = lines(tmp_path, data)
    assert found == []
    assert rows_and_kinds(log) == [(None, "not JSON lines")]


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_a_file_without_a_line_is_a_problem(tmp_path, data):
    found, log = lines(tmp_path, data)
    assert found == []
    assert rows_and_kinds(log) == [(None, "the file is empty")]


def test_a_byte_order_mark_is_passed_over(tmp_path):
    assert texts(lines(tmp_path, b'\xef\xbb\xbf{"text": "a"}\n')[0]) == ["a"]


def test_a_line_beyond_the_limit_is_named_and_dropped(tmp_path):
    long = b'{"text": "' + b"x" * 3_000_000 + b'"}'
    data = b'{"text": "a"}\n' + long + b'\n{"text": "b"}\n' + long
    found, log = lines(tmp_path, data, batch_bytes=1000, max_document_bytes=500_000)
    assert [(row, text) for row, text, *_ in found] == [(0, "a"), (2, "b")]
    assert rows_and_kinds(log) == [(1, "line too long"), (3, "line too long")]


def test_a_line_longer_than_the_batch_is_read_whole(tmp_path):
    data = b'{"text": "a"}\n{"text": "' + b"x" * 3_000_000 + b'"}\n{"text": "b"}\n'
    found, _ = lines(tmp_path, data, batch_bytes=1000)
    assert [len(text) for text in texts(found)] == [1, 3_000_000, 1]


def test_what_python_cannot_parse_is_judged_as_the_fast_way_does(tmp_path):
    deep = b'{"text": "deep", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    digits = b'{"text": "digits", "x": ' + b"1" * 5000 + b"}"
    for rest in (b"", b"\nbad", b"\n\n"):
        found, log = lines(
            tmp_path, deep + b'\n{"text": "b"}\n' + digits.replace(b"1" * 5000, b"7") + rest
        )
        assert texts(found) == ["deep", "b", "digits"]
        assert log.n_problems == (rest == b"\nbad")


keys = st.sampled_from(["text", "id", "domain", "m", "c", "x", "te\u2028xt", "a.b", ""])
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec=None), max_size=6)
    | st.sampled_from(["\u2028", "😀", "\x00", '"\\/', "}null{", "}\n{"])
)
values = st.recursive(
    scalars, lambda v: st.lists(v, max_size=2) | st.dictionaries(keys, v, max_size=3), max_leaves=5
)
rest_of_line = st.dictionaries(keys, values, max_size=3)
text_value = st.text(max_size=8)
objects = rest_of_line | st.builds(
    lambda o, t: {**o, "text": t, "m": {"c": t}}, rest_of_line, text_value
)


@st.composite
def json_line(draw) -> bytes:
    value = draw(objects)
    line = json.dumps(
        value,
        ensure_ascii=draw(st.booleans()),
        separators=draw(st.sampled_from([(",", ":"), (", ", ": ")])),
    )
    if draw(st.integers(0, 9)) == 0:
        line = line[:-1] + ',"text":"twice"}' if value else line
    if draw(st.integers(0, 19)) == 0:
        line = draw(
            st.sampled_from(["", " ", line[:-1], line + line, "null", line + "null" + line, "[]"])
        )
    return line.encode("utf-8", "surrogatepass")


@settings(max_examples=400, deadline=None)
@given(
    st.lists(json_line(), min_size=1, max_size=6),
    st.sampled_from(["text", "m.c"]),
    st.sampled_from([b"\n", b"\r\n"]),
)
def test_the_fast_way_and_the_slow_way_agree(found_lines, name, end):
    columns = Columns(text=(name,))
    shard = Shard("a", Format.JSONL, Compression.NONE, columns, None, 0)
    block = Block(b"".join(line + end for line in found_lines), 5, len(found_lines))
    plan = jsonl._plan(columns, block)
    logs = ReadLog(), ReadLog()
    fast = jsonl._parse(shard, logs[0], plan, block)
    slow = jsonl._parse_slowly(shard, logs[1], plan, block)
    for a, b in zip(
        (fast.texts, fast.ids, fast.domains), (slow.texts, slow.ids, slow.domains), strict=True
    ):
        assert a.to_pylist() == b.to_pylist()
    assert fast.rows.tolist() == slow.rows.tolist()
    assert logs[0] == logs[1]
    alone = jsonl._parse_slowly(shard, ReadLog(), plan, block)
    assert alone.rows.tolist() == [
        5 + i
        for i, line in enumerate(found_lines)
        if len(jsonl._parse(shard, ReadLog(), plan, Block(line + end, 0, 1)).rows)
    ]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=30), min_size=1), st.integers(1, 200))
def test_the_batch_size_changes_no_document(tmp_path_factory, wanted, batch_bytes):
    path = tmp_path_factory.mktemp("a") / "a.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in wanted))
    found, _ = documents(shard_of(path), batch_bytes=batch_bytes)
    assert [(row, text) for row, text, *_ in found] == list(enumerate(wanted))


# --- packed files ---------------------------------------------------------------------------------

MANY = b"".join(
    b'{"text": "line %d of some text %d"}\n' % (i, i * i * 7919 % 104729) for i in range(20_000)
)


@pytest.mark.parametrize("suffix", PACKERS)
def test_packed_files_of_several_members_are_read_to_the_end(tmp_path, suffix):
    pack = PACKERS[suffix]
    path = tmp_path / f"a.jsonl{suffix}"
    path.write_bytes(pack(MANY[:100_001]) + pack(MANY[100_001:]) + pack(b'{"text": "last"}'))
    found, log = documents(shard_of(path), batch_bytes=10_000)
    assert len(found) == 20_001
    assert found[-1][:2] == (20_000, "last")
    assert log.n_problems == 0


@pytest.mark.parametrize("suffix", PACKED)
@pytest.mark.parametrize("keep", [0.6, 0.999])
def test_of_a_truncated_file_all_whole_lines_before_the_damage_are_read(tmp_path, suffix, keep):
    pack = PACKERS[suffix]
    member = pack(MANY[:300_000])  # whole members are recoverable whatever the packing
    path = tmp_path / f"a.jsonl{suffix}"
    path.write_bytes(member + pack(MANY[300_000:])[: int(len(pack(MANY[300_000:])) * keep)])
    found, log = documents(shard_of(path))
    assert [row for row, *_ in found] == list(range(len(found)))
    assert len(found) >= MANY[:300_000].count(b"\n")
    assert len(found) < 20_000
    assert [problem.row for problem in log.problems] == [None]
    assert f"from row {len(found)} on" in log.problems[0].reason


@pytest.mark.parametrize("suffix", PACKED)
def test_a_file_that_is_not_packed_as_its_name_says_is_a_problem(tmp_path, suffix):
    path = tmp_path / f"a.jsonl{suffix}"
    path.write_bytes(MANY)
    found, log = documents(shard_of(path))
    assert found == []
    assert len(log.problems) == 1


# --- text files -----------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", PACKERS)
def test_a_text_file_is_one_document(tmp_path, suffix):
    path = tmp_path / f"a.txt{suffix}"
    path.write_bytes(PACKERS[suffix]("\ufeffone\r\ntwo\u2028é".encode()))
    assert documents(shard_of(path))[0] == [(0, "one\r\ntwo\u2028é", None, None)]


def test_bad_text_files_are_problems(tmp_path):
    for name, data, problem in [
        ("a.txt", b"", (None, "the file is empty")),
        ("b.txt", b"caf\xe9 noir", (0, "invalid UTF-8")),
        ("c.txt", b"x" * 2000, (0, "document too long")),
    ]:
        (tmp_path / name).write_bytes(data)
        found, log = documents(shard_of(tmp_path / name), max_document_bytes=1000)
        assert found == []
        assert rows_and_kinds(log) == [problem]


def test_of_a_damaged_text_file_the_readable_part_is_a_document(tmp_path):
    whole = "äöü".encode() * 50_000
    data = gzip.compress(whole)
    (tmp_path / "a.txt.gz").write_bytes(data[: len(data) // 2])
    [(row, text, _, _)], log = documents(shard_of(tmp_path / "a.txt.gz"))
    assert row == 0
    assert whole.startswith(text.encode())
    assert rows_and_kinds(log) == [(None, "cannot be read to its end")]


# --- Parquet and Arrow IPC ------------------------------------------------------------------------

TABLE = pa.table({
    "text": ["a", None, "c\u2028", "", "é" * 10],
    "id": pa.array([1, 2, None, 4, 5]),
    "domain": ["x", "y", None, "x", "z"],
    "other": [b"\xff"] * 5,
})  # fmt: skip
EXPECTED = [
    (0, "a", "1", "x"),
    (2, "c\u2028", None, None),
    (3, "", "4", "x"),
    (4, "é" * 10, "5", "z"),
]


def write(path: Path, table: pa.Table, rows_at_once: int = 2, codec: str | None = "zstd") -> Path:
    if path.suffix == ".parquet":
        pq.write_table(table, path, row_group_size=rows_at_once, write_page_checksum=True)
        return path
    new = pa.ipc.new_stream if path.stem == "stream" else pa.ipc.new_file
    options = pa.ipc.IpcWriteOptions(compression=codec)
    with new(path.as_posix(), table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=rows_at_once)
    return path


TABLES = ["a.parquet", "file.arrow", "stream.arrow"]


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("batch_bytes", [1, 8 << 20])
def test_tables_give_their_documents_and_name_rows_without_text(tmp_path, name, batch_bytes):
    found, log = documents(shard_of(write(tmp_path / name, TABLE)), batch_bytes=batch_bytes)
    assert found == EXPECTED
    assert rows_and_kinds(log) == [(1, "no text")]


STRING_TYPES = {
    "string": pa.string(),
    "large_string": pa.large_string(),
    "string_view": pa.string_view(),
    "dictionary": pa.dictionary(pa.int32(), pa.string()),
    "large dictionary": pa.dictionary(pa.int8(), pa.large_string()),
    "binary": pa.binary(),
    "large_binary": pa.large_binary(),
    "binary_view": pa.binary_view(),
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("kind", STRING_TYPES)
def test_every_string_like_type_is_text(tmp_path, name, kind):
    values = ["a", None, "longer than an inlined view", "é"]
    column = pa.array(
        [v.encode() if v and "binary" in kind else v for v in values],
        pa.large_binary() if "binary" in kind else pa.string(),
    )
    column = column.cast(STRING_TYPES[kind])
    table = pa.table({"text": column, "id": column, "domain": column})
    found, log = documents(shard_of(write(tmp_path / name, table, 4)))
    assert found == [(row, v, v, v) for row, v in enumerate(values) if v is not None]
    assert rows_and_kinds(log) == [(1, "no text")]


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("is_declared_text", [False, True])
def test_rows_of_invalid_utf8_are_named_and_the_others_kept(tmp_path, name, is_declared_text):
    column = pa.array([b"a", b"caf\xe9", b"c", None], pa.large_binary())
    column = column.view(pa.large_string()) if is_declared_text else column
    table = pa.table({"text": column, "id": column})
    found, log = documents(shard_of(write(tmp_path / name, table, 4)))
    assert found == [(0, "a", "a", None), (2, "c", "c", None)]
    assert rows_and_kinds(log) == [(3, "no text"), (1, "invalid UTF-8")]


@pytest.mark.parametrize("name", TABLES)
def test_nested_and_several_columns_of_tables(tmp_path, name):
    table = pa.table({
        "message": pa.array([{"content": "a", "n": 1}, None, {"content": None, "n": 2}]),
        "title": ["T", "U", None],
        "meta.domain": ["x", "y", "z"],
    })  # fmt: skip
    columns = Columns(text=("title", "message.content"), id="message.n", domain="meta.domain")
    found, log = documents(shard_of(write(tmp_path / name, table), columns))
    assert found == [(0, "T\na", "1", "x"), (1, "U", None, "y")]
    assert rows_and_kinds(log) == [(2, "no text")]


@pytest.mark.parametrize("name", TABLES)
def test_missing_and_unfit_columns_of_tables(tmp_path, name):
    table = pa.table({"content": ["a"], "n": [1], "m": [{"text": "a"}], "tags": [["x"]]})
    path = write(tmp_path / name, table)
    for column, said in [
        (
            "contents",
            "there is no column 'contents'; did you mean 'content'?; it has content, n, m.text, tags",
        ),
        ("n", "the column 'n' is of type int64 and holds no text"),
        ("m.txt", "did you mean 'm.text'?"),
    ]:
        with pytest.raises(CorpusError) as caught:
            documents(shard_of(path, Columns(text=(column,))))
        assert said in str(caught.value)
        assert str(path) in str(caught.value)
    with pytest.raises(CorpusError, match="cannot be an id"):
        documents(shard_of(path, Columns(text=("content",), id="tags")))
    assert documents(shard_of(path, Columns(text=("content",))))[0] == [(0, "a", None, None)]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_without_rows_is_no_problem(tmp_path, name):
    found, log = documents(shard_of(write(tmp_path / name, TABLE.slice(0, 0))))
    assert (found, log.n_problems) == ([], 0)


@pytest.mark.parametrize("name", ["a.parquet", "file.arrow"])
def test_the_parts_of_a_split_shard_are_the_shard(tmp_path, name):
    table = pa.table({"text": [f"text {i}" for i in range(100)]})
    shard = shard_of(write(tmp_path / name, table, 7))
    parts = split(shard, 1)
    assert len(parts) == math.ceil(100 / 7)
    assert [d for part in parts for d in documents(part)[0]] == documents(shard)[0]


def test_the_domain_of_a_mix_overrides_the_column(tmp_path):
    shard = shard_of(write(tmp_path / "a.parquet", TABLE))
    shard = Shard(
        shard.path, shard.format, shard.compression, shard.columns, "web", shard.size_bytes
    )
    assert {domain for *_, domain in documents(shard)[0]} == {"web"}


def test_a_damaged_page_costs_its_row_group_only(tmp_path):
    table = pa.table({"text": [f"text number {i * i * 7919 % 104729}" for i in range(3000)]})
    path = write(tmp_path / "a.parquet", table, 1000)
    start = pq.ParquetFile(path).metadata.row_group(1).column(0).data_page_offset
    data = bytearray(path.read_bytes())
    data[start + 40 : start + 60] = b"\xaa" * 20
    path.write_bytes(data)
    found, log = documents(shard_of(path))
    assert [row for row, *_ in found] == [*range(1000), *range(2000, 3000)]
    assert rows_and_kinds(log) == [(None, "damaged row group")]
    assert log.bad_documents == 1000


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("keep", [0, 3, 0.5])
def test_a_truncated_table_is_a_problem(tmp_path, name, keep):
    path = write(tmp_path / name, pa.table({"text": [f"text {i}" for i in range(100)]}), 10)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep) if keep < 1 else keep])
    found, log = documents(shard_of(path))
    assert [row for row, *_ in found] == list(range(len(found)))
    assert [problem.row for problem in log.problems] == [None]
    if name == "stream.arrow" and keep == 0.5:
        assert len(found) >= 20  # the batches before the cut


def test_offsets_that_point_outside_are_damage_and_not_foreign_memory(tmp_path):
    offsets = pa.py_buffer(np.array([0, 1 << 40, 3], dtype=np.int64))
    texts_ = pa.LargeStringArray.from_buffers(2, offsets, pa.py_buffer(b"abc"))
    path = write(tmp_path / "file.arrow", pa.table({"text": texts_}), 2, codec=None)
    found, log = documents(shard_of(path))
    assert (found, len(log.problems)) == ([], 1)


# --- access ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["a.jsonl", "a.jsonl.xz", "a.jsonl.zst", "a.txt", "a.parquet", "a.arrow"]
)
@pytest.mark.parametrize("error", [FileNotFoundError, PermissionError])
def test_a_file_that_cannot_be_opened_is_a_problem(tmp_path, monkeypatch, name, error):
    (tmp_path / name).write_bytes(b"x")
    shard = shard_of(tmp_path / name)
    if error is FileNotFoundError:
        (tmp_path / name).unlink()
    else:  # the tests may run as root, for whom nothing is forbidden

        def refuse(path):
            raise PermissionError(13, "Permission denied", path)

        monkeypatch.setattr(places.pa, "OSFile", refuse)
        monkeypatch.setattr(places.pa, "memory_map", refuse)
    found, log = documents(shard)
    assert found == []
    [problem] = log.problems
    assert isinstance(problem, Problem)
    assert (problem.shard, problem.row) == (shard.path, None)
    assert ("No such file" if error is FileNotFoundError else "Permission denied") in problem.reason


def test_memory_does_not_grow_with_the_file(tmp_path):
    """Peak memory over a 160 MB file stays within what a 16 MB file takes, and some slack."""
    line = json.dumps({"text": "some words of text " * 50, "id": "x"}).encode() + b"\n"
    peaks = []
    for name, n_lines in (("a.jsonl", 16_000), ("b.jsonl", 160_000)):
        with (tmp_path / name).open("wb") as file:
            for _ in range(n_lines // 1000):
                file.write(line * 1000)
        peaks.append(peak_mib(tmp_path / name))
    assert peaks[1] - peaks[0] < 40


def peak_mib(path: Path) -> float:
    program = """
        import resource, sys
        from corpora.documents import read_batches
        from corpora.problems import ReadLog
        from corpora.shards import Columns, resolve
        for _ in read_batches(*resolve(sys.argv[1:], Columns()), ReadLog()):
            pass
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(path)]
    root = Path(__file__).parents[2]
    return float(subprocess.run(command, check=True, capture_output=True, cwd=root).stdout)


def test_a_document_behind_a_megabyte_of_blank_lines_is_read(tmp_path):
    path = tmp_path / "blank.jsonl"
    path.write_bytes(b"\n" * (1 << 20) + b'{"text": "here"}\n')
    (shard,) = resolve([str(path)], Columns())
    log = ReadLog()
    (batch,) = read_batches(shard, log)
    assert batch.texts.to_pylist() == ["here"]
    assert batch.rows.tolist() == [1 << 20]
    assert log.n_problems == 0
