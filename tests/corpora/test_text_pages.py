"""Some rows of a Parquet file by the pages that hold them: the same as out of the whole file, for less."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora import tables
from corpora.documents import read_batches
from corpora.problems import ReadLog
from corpora.rows import read_rows
from corpora.shards import Columns, resolve
from corpora.thrift_compact import ThriftError, read_struct

texts = st.none() | st.text(max_size=9) | st.sampled_from(["", "again and again", "è" * 300])
ways = st.fixed_dictionaries(
    {
        "compression": st.sampled_from(["none", "snappy", "gzip", "zstd", "brotli"]),
        "data_page_version": st.sampled_from(["1.0", "2.0"]),
        "use_dictionary": st.booleans(),
        "row_group_size": st.integers(1, 60),
        "data_page_size": st.sampled_from([1, 64, 1 << 20]),
        "write_batch_size": st.integers(1, 20),
        "dictionary_pagesize_limit": st.sampled_from([32, 1 << 20]),
        "write_page_checksum": st.booleans(),
        "write_statistics": st.booleans(),
    }
)


def shard_of(path, *names):
    columns = Columns(text=names or ("text",))
    return resolve([path.as_posix()], columns)[0]


def documents(batches):
    return [
        row
        for b in batches
        for row in zip(
            b.rows.tolist(), *(c.to_pylist() for c in (b.texts, b.ids, b.domains)), strict=True
        )
    ]


def some(shard, rows):
    log = ReadLog()
    return documents(read_rows(shard, np.array(rows, np.int64), None, log)), log


@pytest.fixture
def no_groups(monkeypatch):
    """Fails where a row group is decoded."""

    def refuse(*_):
        raise AssertionError("a row group was decoded")

    monkeypatch.setattr(tables, "_read_groups", refuse)


@settings(max_examples=80, deadline=None)
@given(st.data(), st.lists(texts, min_size=1, max_size=70), ways, st.booleans())
def test_some_rows_are_those_of_the_whole_file(tmp_path_factory, data, column, way, is_required):
    path = tmp_path_factory.mktemp("pages") / "a.parquet"
    if is_required:
        column = [text or "" for text in column]
    schema = pa.schema([pa.field("text", pa.string(), not is_required), ("id", pa.int64())])
    table = pa.table([column, range(len(column))], schema=schema)
    pq.write_table(table, path, **way)
    rows = sorted(data.draw(st.sets(st.integers(0, len(column) - 1), min_size=1)))
    whole, log = documents(read_batches(shard_of(path), ReadLog())), ReadLog()
    found = documents(read_rows(shard_of(path), np.array(rows), None, log))
    assert found == [document for document in whole if document[0] in rows]
    assert sorted(p.row for p in log.problems) == [row for row in rows if column[row] is None]
    assert {p.kind for p in log.problems} <= {"no text"}


@pytest.mark.parametrize("way", [
    {"compression": "zstd"}, {"compression": "none"}, {"use_dictionary": False},
    {"data_page_version": "2.0"}, {"data_page_size": 100, "write_batch_size": 7},
    {"compression": "gzip", "write_page_checksum": True},
])  # fmt: skip
def test_what_is_common_is_read_by_pages(tmp_path, no_groups, way):
    column = [f"text number {n}" if n % 7 else None for n in range(500)]
    names = [["a", "b", None][n % 3] for n in range(500)]
    table = pa.table({"text": column, "title": names, "domain": names, "id": range(500)})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=200, **way)
    found, log = some(shard_of(tmp_path / "a.parquet"), [1, 199, 200, 201, 497, 499])
    assert [row for row, *_ in found] == [1, 199, 200, 201, 499]
    assert found[2] == (200, "text number 200", "200", None)
    assert [(p.row, p.kind) for p in log.problems] == [(497, "no text")]
    found, _ = some(shard_of(tmp_path / "a.parquet", "title", "text"), [3, 4])
    assert [text for _, text, _, _ in found] == ["a\ntext number 3", "b\ntext number 4"]


def test_a_few_rows_of_a_large_row_group_cost_their_pages(tmp_path, monkeypatch):
    random = np.random.default_rng(5).integers(97, 122, (2000, 1000), np.uint8)
    table = pa.table({"text": [text.tobytes().decode() for text in random]})
    path = tmp_path / "a.parquet"
    pq.write_table(table, path, write_batch_size=10, data_page_size=10_000, use_dictionary=False)
    unpacked = []
    codec = pa.Codec

    class Counted:
        def __init__(self, name):
            self.codec = codec(name)

        def decompress(self, data, size):
            unpacked.append(size)
            return self.codec.decompress(data, size)

    monkeypatch.setattr(pa, "Codec", Counted)
    found, _ = some(shard_of(path), [15, 18, 1987])
    assert [row for row, *_ in found] == [15, 18, 1987]
    assert len(unpacked) == 2
    assert sum(unpacked) < 0.03 * random.nbytes


@pytest.mark.parametrize("way", [
    {"use_dictionary": False, "column_encoding": {"text": "DELTA_BYTE_ARRAY"}},
    {"use_dictionary": False, "column_encoding": {"text": "DELTA_LENGTH_BYTE_ARRAY"}},
    {"compression": "lz4"},
])  # fmt: skip
def test_what_is_not_known_here_is_read_by_row_groups(tmp_path, way):
    pq.write_table(
        pa.table({"text": [f"text {n}" for n in range(9)]}), tmp_path / "a.parquet", **way
    )
    found, log = some(shard_of(tmp_path / "a.parquet"), [2, 7])
    assert [text for _, text, _, _ in found] == ["text 2", "text 7"]
    assert log.n_problems == 0


@pytest.mark.parametrize("way", [{"write_page_checksum": True}, {"compression": "none"}])
def test_damage_is_told_as_by_the_reader_of_row_groups(tmp_path, way):
    path = tmp_path / "a.parquet"
    column = [f"text {n} of this file" for n in range(40)]
    pq.write_table(pa.table({"text": column}), path, use_dictionary=False, row_group_size=20, **way)
    data = bytearray(path.read_bytes())
    about = pq.ParquetFile(path).metadata.row_group(0).column(0)
    end = about.data_page_offset + about.total_compressed_size
    random = np.random.default_rng(0)
    n_refused = 0
    for _ in range(60):
        at = int(random.integers(about.data_page_offset, end))
        bad = data.copy()
        bad[at] ^= 1 << int(random.integers(8))
        path.write_bytes(bad)
        found, log = some(shard_of(path), [3, 30])
        assert (30, column[30], None, None) in found
        assert len(found) + log.bad_documents == 2
        if "write_page_checksum" in way and len(found) == 2:
            assert found[0][1] == column[3]  # the bit stands in a header, and says nothing
        n_refused += len(found) == 1
    assert n_refused > (20 if "write_page_checksum" in way else 0)


@pytest.mark.parametrize("data", [
    b"", b"\x15", b"\x15\x80", b"\x1c" * 40, b"\x19\xf5\xff\xff\xff\x0f", b"\x18\x7f" + b"a" * 9,
    b"\x1b", b"\x15" + b"\xff" * 20,
])  # fmt: skip
def test_bytes_that_are_no_struct_are_refused(data):
    with pytest.raises(ThriftError):
        read_struct(memoryview(data), 0)
