"""The documents of some rows: those of the whole file, at the cost of the rows alone."""

import bz2
import gzip
import hashlib
import http.client
import io
import json
import logging
import lzma
from pathlib import Path
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer

from corpora import line_offsets, places
from corpora.documents import read_batches
from corpora.problems import CorpusError, ReadLog
from corpora.rows import LineOffsets, read_rows, scan_file
from corpora.shards import Columns, Compression, Format, Shard, resolve

PACKERS = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": lambda data: pa.Codec("zstd").compress(data, asbytes=True),
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}
TABLES = ["a.parquet", "file.arrow", "stream.arrow"]
SEVERAL = Columns(text=("title", "message.content"), id="message.n", domain="meta.domain")


def shard_of(path: Path, columns: Columns | None = None) -> Shard:
    [shard] = resolve([path.as_posix()], columns or Columns())
    return shard


def as_tuples(batches) -> list[tuple]:
    """(row, text, id, domain) of every document; checks what a Batch promises."""
    found = []
    for batch in batches:
        assert len(batch.rows) > 0
        assert batch.rows.dtype == np.int64
        assert (batch.texts.offset, batch.texts.null_count) == (0, 0)
        batch.texts.validate(full=True)
        columns = (batch.texts, batch.ids, batch.domains)
        assert {column.type for column in columns} == {pa.large_string()}
        found += zip(batch.rows.tolist(), *(c.to_pylist() for c in columns), strict=True)
    return found


def rows_and_kinds(log: ReadLog) -> list[tuple[int | None, str]]:
    return [(problem.row, problem.kind) for problem in log.problems]


def some(
    shard: Shard, rows, offsets: LineOffsets | None = None, **options
) -> tuple[list[tuple], ReadLog]:
    """The documents of the rows, and the log; each row is a document or costs one."""
    log = ReadLog()
    found = as_tuples(read_rows(shard, np.array(rows, dtype=np.int64), offsets, log, **options))
    assert log.documents == len(found)
    assert log.bytes == sum(len(text.encode()) for _, text, _, _ in found)
    assert log.bad_documents == len(rows) - len(found)
    return found, log


def scanned(shard: Shard) -> LineOffsets | None:
    return scan_file(shard.path, shard.compression, shard.format).offsets


def check_law(shard: Shard, rows: list[int], **options) -> None:
    """The rows give what the whole file gives in these rows, and the same is said of bad ones."""
    log = ReadLog()
    whole = as_tuples(read_batches(shard, log, **options))
    expected = [document for document in whole if document[0] in rows]
    of_file = [kind for row, kind in rows_and_kinds(log) if row is None]
    bad = {row: kind for row, kind in rows_and_kinds(log) if row in rows}
    silent = set(rows) - bad.keys() - {row for row, *_ in expected}
    bad.update(dict.fromkeys(silent, "no document in this row"))
    for offsets in {id(o): o for o in (scanned(shard), None)}.values():
        found, log = some(shard, rows, offsets, **options)
        assert found == expected
        assert {row: kind for row, kind in rows_and_kinds(log) if row is not None} == bad
        assert {kind for row, kind in rows_and_kinds(log) if row is None} <= set(of_file)


# --- the law --------------------------------------------------------------------------------------

labels = st.none() | st.integers(0, 99) | st.text(max_size=3)
good_line = st.builds(
    lambda text, label, is_ascii: json.dumps(
        {"id": label, "text": text, "domain": label}, ensure_ascii=is_ascii
    ).encode(),
    st.text(max_size=12),
    labels,
    st.booleans(),
)
odd_line = st.sampled_from([
    b"", b" \t", b"\r", b"[1]", b"null", b'{"text": null}', b'{"text": 1}', b'{"id": 1}',
    b'{"text": "a"', b'{"text": "a"} {"text": "b"}', b'{"text": "a"}null{"text": "b"}',
    b'{"text": "\\ud800"}', b'{"text": "\xff"}', b'{"text": "a", "id": 12345678901234567890}',
])  # fmt: skip
json_lines = st.lists(good_line | good_line | odd_line, min_size=1, max_size=12)


@settings(max_examples=150, deadline=None)
@given(json_lines, st.data())
def test_rows_of_json_lines_are_those_of_the_whole_file(tmp_path_factory, lines, data):
    suffix = data.draw(st.sampled_from(["", "", *PACKERS]))
    end = data.draw(st.sampled_from([b"\n", b"\r\n"]))
    content = data.draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + b"".join(
        line + end for line in lines
    )
    content = content if data.draw(st.booleans()) else content.removesuffix(end)
    path = tmp_path_factory.mktemp("a") / f"a.jsonl{suffix}"
    path.write_bytes(PACKERS[suffix](content))
    rows = sorted(data.draw(st.sets(st.integers(0, len(lines) + 1))))
    with (
        mock.patch.object(line_offsets, "STRETCH_BYTES", data.draw(st.integers(1, 60))),
        mock.patch.object(line_offsets, "BLOCK_BYTES", data.draw(st.integers(1, 200))),
        mock.patch("corpora.rows.GAP_BYTES", data.draw(st.sampled_from([0, 1000]))),
    ):
        batch_bytes = data.draw(st.sampled_from([1, 50, 8 << 20]))
        try:
            as_tuples(read_batches(shard_of(path), ReadLog(), batch_bytes=batch_bytes))
        except CorpusError:
            return  # the text column is on no line of the first block
        check_law(shard_of(path), rows, batch_bytes=batch_bytes)


nested = st.fixed_dictionaries(
    {
        "title": st.none() | st.text(max_size=4),
        "message": st.none()
        | st.fixed_dictionaries(
            {"content": st.none() | st.text(max_size=4), "n": st.none() | st.integers(0, 9)}
        ),
        "meta.domain": st.none() | st.sampled_from(["x", "y"]),
    }
)
SCHEMA = pa.schema(
    [
        ("title", pa.string()),
        ("message", pa.struct([("content", pa.string()), ("n", pa.int64())])),
        ("meta.domain", pa.dictionary(pa.int32(), pa.string())),
    ]
)


@settings(max_examples=100, deadline=None)
@given(st.lists(nested, max_size=14), st.data())
def test_rows_of_tables_are_those_of_the_whole_file(tmp_path_factory, records, data):
    table = pa.Table.from_pylist(records, SCHEMA)
    path = tmp_path_factory.mktemp("a") / data.draw(st.sampled_from(TABLES))
    write(path, table, data.draw(st.integers(1, 6)), data.draw(st.sampled_from([None, "zstd"])))
    rows = sorted(data.draw(st.sets(st.integers(0, len(records) + 1))))
    check_law(
        shard_of(path, SEVERAL), rows, batch_bytes=data.draw(st.sampled_from([1, 40, 8 << 20]))
    )


def write(path: Path, table: pa.Table, rows_at_once: int, codec: str | None = "zstd") -> Path:
    if path.suffix == ".parquet":
        pq.write_table(table, path, row_group_size=rows_at_once, write_page_checksum=True)
        return path
    new = pa.ipc.new_stream if path.stem == "stream" else pa.ipc.new_file
    options = pa.ipc.IpcWriteOptions(compression=codec)
    # one dictionary for all record batches: an IPC file cannot replace it
    table = table.unify_dictionaries()
    with new(path.as_posix(), table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=rows_at_once)
    return path


@pytest.mark.parametrize("suffix", PACKERS)
def test_nested_and_several_columns_of_json_lines(tmp_path, suffix):
    data = b"""\
{"title": "T", "message": {"content": "C", "n": 3}, "meta": {"domain": "web"}}

{"title": null, "message": {"content": "D"}, "meta": null}
{"message": null, "title": "E"}
{"message": "F"}
"""
    path = tmp_path / f"a.jsonl{suffix}"
    path.write_bytes(PACKERS[suffix](data))
    shard = shard_of(path, SEVERAL)
    for rows in ([0], [3], [0, 2], [2, 3, 4], range(5)):
        check_law(shard, list(rows))
    assert some(shard, [2], scanned(shard))[0] == [(2, "D", None, None)]


@pytest.mark.parametrize("suffix", PACKERS)
def test_a_text_file_is_row_0(tmp_path, suffix):
    (tmp_path / f"a.txt{suffix}").write_bytes(PACKERS[suffix]("\ufeffone\ntwo".encode()))
    shard = shard_of(tmp_path / f"a.txt{suffix}")
    assert some(shard, [0])[0] == [(0, "one\ntwo", None, None)]
    assert rows_and_kinds(some(shard, [1])[1]) == [(1, "no document in this row")]


def test_types_are_learned_from_the_first_line_whichever_rows_are_asked_for(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(
        b'\n{"m.c": "a", "id": 1}\n{"m": {"c": "b"}}\n{"m.c": "c"}\n'
    )
    check_law(shard_of(tmp_path / "a.jsonl", Columns(text=("m.c",))), [2, 3])


def test_the_domain_of_a_mix_and_no_rows(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b'{"text": "a", "domain": "x"}\n')
    [plain] = resolve([str(tmp_path)], Columns())
    shard = Shard(plain.path, plain.format, plain.compression, plain.columns, "web", 29)
    assert some(shard, [0], scanned(shard))[0] == [(0, "a", None, "web")]
    gone = Shard("gone.jsonl", plain.format, plain.compression, plain.columns, None, 29)
    assert some(gone, []) == ([], ReadLog())


@pytest.mark.parametrize("name", TABLES)
def test_a_missing_text_column_is_an_error(tmp_path, name):
    path = write(tmp_path / name, pa.table({"content": ["a"]}), 1)
    with pytest.raises(CorpusError, match="did you mean 'content'"):
        some(shard_of(path, Columns(text=("contents",))), [0])


def test_lines_beyond_the_limit_are_named_and_cost_nothing_else(tmp_path):
    long = b'{"text": "' + b"x" * 3_000_000 + b'"}'
    lines = [b'{"text": "a"}', long, b'{"text": "b"}', long]
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(lines))
    shard = shard_of(tmp_path / "a.jsonl")
    check_law(shard, [0, 1, 2, 3], batch_bytes=1000, max_document_bytes=500_000)
    check_law(shard, [1, 2], batch_bytes=1000, max_document_bytes=500_000)
    check_law(shard, [1, 2], batch_bytes=1000)


def test_rows_of_many_row_groups_make_few_batches_and_none_too_large(tmp_path):
    table = pa.table({"text": [f"text {i:04}" for i in range(1000)]})  # 9 bytes each
    shard = shard_of(write(tmp_path / "a.parquet", table, 10))
    for batch_bytes, sizes in ((8 << 20, [100]), (300, [33, 33, 33, 1])):
        batches = read_rows(shard, np.arange(0, 1000, 10), None, ReadLog(), batch_bytes=batch_bytes)
        assert [len(batch.rows) for batch in batches] == sizes


# --- damage and change ----------------------------------------------------------------------------

MANY = b"".join(
    b'{"text": "line %d of some text %d"}\n' % (i, i * i * 7919 % 104729) for i in range(20_000)
)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data[:-1], "it is of"),
        (lambda data: data[: len(data) // 2], "it is of"),
        (lambda data: data + b'{"text": "more"}\n', "it is of"),
        (lambda data: b" " + data[:-1], "hold other lines than then"),
        (lambda data: data[:-30] + b"\n" + data[-30:-1], "hold other lines than then"),
    ],
)
def test_of_a_changed_file_no_cut_line_passes_as_a_document(tmp_path, change, said):
    path = tmp_path / "a.jsonl"
    path.write_bytes(MANY)
    shard = shard_of(path)
    offsets = scanned(shard)
    documents = {text for _, text, _, _ in as_tuples(read_batches(shard, ReadLog()))}
    path.write_bytes(change(MANY))
    found, log = some(shard, [5, 9_000, 19_998, 19_999], offsets)
    assert {text for _, text, _, _ in found} <= documents
    assert len(found) < 4
    assert log.problems[0].row is None
    assert log.problems[0].kind == "the file has changed since it was indexed"
    assert said in log.problems[0].reason


def test_a_line_that_now_begins_before_its_stretch_is_not_taken(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(MANY)
    shard = shard_of(path)
    offsets = scanned(shard)
    row, start = int(offsets.rows[2]), int(offsets.starts[2])
    path.write_bytes(MANY[: start - 1] + b" " + MANY[start:])
    found, log = some(shard, [row], offsets)
    assert (found, len(log.problems)) == ([], 2)


def test_a_line_that_reaches_the_end_is_not_taken_when_the_file_was_cut_in_it(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "a"}\n{"text": "b"}')
    shard = shard_of(path)
    offsets = scanned(shard)
    path.write_bytes(b'{"text": "a"}\n{"text": "b"')
    found, log = some(shard, [1], offsets)
    assert found == []
    assert [row for row, _ in rows_and_kinds(log)] == [None, 1]


@pytest.mark.parametrize("suffix", [s for s in PACKERS if s])
def test_rows_before_the_damage_of_a_packed_file_are_read_and_the_others_named(tmp_path, suffix):
    pack = PACKERS[suffix]
    path = tmp_path / f"a.jsonl{suffix}"
    path.write_bytes(pack(MANY[:300_000]) + pack(MANY[300_000:])[:-2000])
    shard = shard_of(path)
    found, log = some(shard, [3, 5_000])
    assert ([row for row, *_ in found], log.n_problems) == ([3, 5_000], 0)
    found, log = some(shard, [3, 19_999, 20_001])
    assert [row for row, *_ in found] == [3]
    assert rows_and_kinds(log) == [
        (None, "cannot be read to its end"),
        (19_999, "no document in this row"),
        (20_001, "no document in this row"),
    ]


def test_a_damaged_row_group_costs_the_rows_asked_for_only(tmp_path):
    table = pa.table({"text": [f"text number {i * i * 7919 % 104729}" for i in range(3000)]})
    path = write(tmp_path / "a.parquet", table, 1000)
    start = pq.ParquetFile(path).metadata.row_group(1).column(0).data_page_offset
    data = bytearray(path.read_bytes())
    data[start + 40 : start + 60] = b"\xaa" * 20
    path.write_bytes(data)
    found, log = some(shard_of(path), [7, 1500, 1600, 2999])
    assert [row for row, *_ in found] == [7, 2999]
    assert rows_and_kinds(log) == [
        (None, "damaged row group"),
        (1500, "no document in this row"),
        (1600, "no document in this row"),
    ]
    assert some(shard_of(path), [7, 2999])[1].n_problems == 0


def test_damage_in_a_column_that_nobody_asked_for_hides_no_record_batch(tmp_path):
    table = pa.table({"text": [f"text {i}" for i in range(100)], "n": np.arange(100)})
    path = write(tmp_path / "file.arrow", table, 10)
    data = bytearray(path.read_bytes())
    frames = [i for i in range(len(data)) if data[i : i + 4] == b"\x28\xb5\x2f\xfd"]  # zstd
    assert len(frames) >= 20
    for at in frames:
        if int.from_bytes(data[at - 8 : at], "little") == 80:  # unpacked bytes: 10 integers
            data[at : at + 4] = bytes(4)
    path.write_bytes(data)
    check_law(shard_of(path, Columns(id=None)), [3, 55, 99])


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("keep", [0, 3, 0.5])
def test_a_truncated_table_is_a_problem(tmp_path, name, keep):
    path = write(tmp_path / name, pa.table({"text": [f"text {i}" for i in range(100)]}), 10)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep) if keep < 1 else keep])
    found, log = some(shard_of(path), [1, 99])
    assert [row for row, *_ in found] == [1] * (name == "stream.arrow" and keep == 0.5)
    assert log.problems[0].row is None


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.zst", "a.txt", *TABLES])
def test_a_file_that_vanished_is_a_problem(tmp_path, name):
    (tmp_path / name).write_bytes(b'{"text": "a"}\n')
    shard = shard_of(tmp_path / name)
    offsets = scanned(shard)
    (tmp_path / name).unlink()
    _, log = some(shard, [0], offsets)
    assert rows_and_kinds(log)[-1] == (0, "no document in this row")
    assert "No such file" in log.problems[0].reason
    with pytest.raises(OSError, match="No such file"):
        scanned(shard)


# --- the scan of a file ---------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.integers(0, 40), max_size=30),
    st.booleans(),
    st.integers(1, 50),
    st.integers(1, 200),
)
def test_offsets_name_line_starts_at_short_distances(
    tmp_path_factory, sizes, is_ended, step, block
):
    lines = [b"x" * size + b"\n" for size in sizes]
    data = b"".join(lines)[: None if is_ended else -1]
    path = tmp_path_factory.mktemp("a") / "a.jsonl"
    path.write_bytes(data)
    with (
        mock.patch.object(line_offsets, "STRETCH_BYTES", step),
        mock.patch.object(line_offsets, "BLOCK_BYTES", block),
    ):
        scan = scan_file(path.as_posix(), Compression.NONE, Format.JSONL)
    assert (scan.digest, scan.size_bytes) == (hashlib.sha256(data).hexdigest(), len(data))
    rows, starts = scan.offsets.rows, scan.offsets.starts
    n_lines = data.count(b"\n") + (data != b"" and not data.endswith(b"\n"))
    assert (scan.offsets.n_lines, scan.offsets.size_bytes) == (n_lines, len(data))
    begins = np.cumsum([0, *(len(line) for line in data.splitlines(keepends=True))])
    assert starts.tolist() == begins[rows].tolist()
    assert rows[0] == 0
    assert np.all((np.diff(rows) == 1) | (np.diff(starts) < 2 * step))
    assert np.all(np.diff(rows) > 0)


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.txt", "a.parquet"])
def test_what_is_not_plain_lines_has_a_digest_and_no_offsets(tmp_path, name):
    (tmp_path / name).write_bytes(b"a\nb\n")
    shard = shard_of(tmp_path / name)
    scan = scan_file(shard.path, shard.compression, shard.format)
    assert (scan.digest, scan.offsets) == (hashlib.sha256(b"a\nb\n").hexdigest(), None)


# --- cost -----------------------------------------------------------------------------------------


class CountedFile(io.FileIO):
    """A file that adds up the bytes read from it and its like."""

    n_bytes = 0

    def read(self, size: int = -1) -> bytes:
        data = super().read(size)
        CountedFile.n_bytes += len(data)
        return data


@pytest.fixture
def counted(monkeypatch):
    def open_counted(path: str) -> pa.PythonFile:
        return pa.PythonFile(CountedFile(path), mode="r")

    monkeypatch.setattr(places.pa, "OSFile", open_counted)
    monkeypatch.setattr(places.pa, "memory_map", open_counted)
    monkeypatch.setattr(CountedFile, "n_bytes", 0)
    return CountedFile


def test_a_few_lines_cost_the_head_and_a_stretch_each(tmp_path, counted):
    line = json.dumps({"text": "some words of text " * 50}).encode() + b"\n"
    (tmp_path / "a.jsonl").write_bytes(line * 20_000)
    shard = shard_of(tmp_path / "a.jsonl")
    offsets = scanned(shard)
    assert counted.n_bytes == shard.size_bytes
    assert offsets.rows.nbytes + offsets.starts.nbytes < shard.size_bytes / 4000
    counted.n_bytes = 0
    found, _ = some(shard, range(0, 20_000, 5_000), offsets)
    assert len(found) == 4
    assert counted.n_bytes < (1 << 20) + 4 * 2 * line_offsets.STRETCH_BYTES
    counted.n_bytes = 0
    found, _ = some(shard, range(10_000, 10_500), offsets)  # one range, not one per line
    assert len(found) == 500
    assert counted.n_bytes < (1 << 20) + 500 * len(line) + 2 * line_offsets.STRETCH_BYTES


@pytest.mark.parametrize("name", ["a.parquet", "file.arrow"])
def test_a_few_rows_of_a_table_cost_their_row_groups(tmp_path, counted, name):
    texts = np.random.default_rng(5).integers(97, 122, (1000, 5000), np.uint8)
    table = pa.table({"text": [text.tobytes().decode() for text in texts], "n": range(1000)})
    path = write(tmp_path / name, table, 10)
    size_bytes = path.stat().st_size
    found, _ = some(shard_of(path), [15, 18, 512, 987])
    assert [row for row, *_ in found] == [15, 18, 512, 987]
    assert counted.n_bytes < 0.03 * size_bytes + 70_000  # three of a hundred, and the footer


# --- URLs -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def port():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    yield server.get_host_and_port()[1]
    server.stop()


def put(port: int, path: str, data: bytes) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    authorization = "AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/s3/aws4_request"
    connection.request("PUT", path, data, {"Authorization": authorization})
    assert connection.getresponse().status == 200
    connection.close()


def test_rows_of_objects_are_read_by_ranges(tmp_path, monkeypatch, port):
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    put(port, "/rows", b"")
    (tmp_path / "a.jsonl").write_bytes(MANY)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(MANY))
    table = pa.table({"text": [f"text {i}" for i in range(100)], "id": range(100)})
    write(tmp_path / "c.parquet", table, 10)
    write(tmp_path / "file.arrow", table, 10)
    for path in tmp_path.iterdir():
        put(port, f"/rows/{path.name}", path.read_bytes())
        [shard] = resolve([f"s3://rows/{path.name}"], Columns())
        check_law(shard, [3, 57, 99])
        [shard] = resolve([path.as_uri()], Columns())
        check_law(shard, [3, 57, 99])
