"""Texts kept beside an index: every document comes back as it was, and damage is told."""

import struct
import zlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.documents import Batch
from corpora.shards import Columns, Compression, Format, Shard
from indexes import texts
from indexes.texts import HEADER, TextsBuilder, TextsError, read_texts

SHARD = Shard("c.parquet", Format.PARQUET, Compression.NONE, Columns(), None, 0)
LABEL = st.none() | st.text(max_size=5)
DOCUMENTS = st.lists(st.tuples(st.text(max_size=60), LABEL, LABEL), max_size=40)


def batch_of(rows, documents):
    columns = zip(*documents, strict=True)
    return Batch(SHARD, np.array(rows), *(pa.array(c, pa.large_string()) for c in columns))


def files_of(rows, documents, sizes):
    """The files, with documents given in batches of these sizes, over and over."""
    builder, files, start = TextsBuilder(), [], 0
    while start < len(rows):
        stop = start + sizes[start % len(sizes)]
        files += builder.add(batch_of(rows[start:stop], documents[start:stop]))
        start = stop
    return [*files, *builder.finish()]


def read(files, rows):
    found = []
    for _, data in files:
        batch = read_texts(data, np.array(rows, np.int64), SHARD)
        if batch is not None:
            columns = (batch.texts, batch.ids, batch.domains)
            fields = zip(*(column.to_pylist() for column in columns), strict=True)
            found += zip(batch.rows.tolist(), fields, strict=True)
    return found


@given(
    documents=DOCUMENTS,
    gaps=st.lists(st.integers(1, 1 << 30), min_size=40, max_size=40),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    data=st.data(),
)
@settings(max_examples=80, deadline=None)
def test_documents_come_back_as_they_were_however_they_came(documents, gaps, sizes, data):
    rows = np.cumsum(gaps)[: len(documents)].tolist()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(texts, "BLOCK_BYTES", 50)
        patch.setattr(texts, "FILE_BYTES", 200)
        files = files_of(rows, documents, sizes)
        assert files == files_of(rows, documents, [1])
    places = [k for k in range(len(rows)) if data.draw(st.booleans())]
    assert read(files, [rows[k] for k in places]) == [(rows[k], documents[k]) for k in places]
    assert [first for first, _ in files] == sorted({first for first, _ in files} & set(rows))


def test_a_file_holds_about_as_much_as_it_should(monkeypatch):
    monkeypatch.setattr(texts, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(texts, "FILE_BYTES", 10_000)
    files = files_of(range(100), [("x" * 500, None, None)] * 100, [7])
    assert [first for first, _ in files] == [0, 20, 40, 60, 80]


@pytest.fixture(scope="module")
def made():
    documents = [(f"document {n} " * 30, f"id{n}", None) for n in range(400)]
    [(_, data)] = files_of(range(400), documents, [400])
    return data


@pytest.mark.parametrize("part", np.linspace(0, 1, 23).tolist())
def test_a_flipped_bit_is_told_where_it_is_read(made, part):
    data = bytearray(made)
    data[round(part * (len(data) - 1))] ^= 4
    with pytest.raises(TextsError):
        read([(0, bytes(data))], list(range(400)))


@pytest.mark.parametrize("length", [0, 5, HEADER.size, HEADER.size + 3, 300, -1])
def test_a_file_that_is_cut_off_is_told(made, length):
    with pytest.raises(TextsError):
        read([(0, made[:length])], list(range(400)))


def forged(block, size=None):
    """A file whose checksums are right, of one block for rows 0 to 9."""
    packed = struct.pack("<Q", len(block) if size is None else size)
    packed += pa.compress(block, codec="zstd", asbytes=True)
    at = HEADER.size + 40
    table = np.array([0, 9, at, len(packed), zlib.crc32(packed)], "<i8").tobytes()
    return HEADER.pack(texts.MAGIC, texts.VERSION, 1, zlib.crc32(table)) + table + packed


def numbers(*values):
    return np.array(values, "<i8").tobytes()


WHOLE = numbers(1, 3, 2) + b"ab" + numbers(-1) + numbers(0)


def test_a_forged_file_can_be_read_where_it_is_right():
    assert read([(0, forged(WHOLE))], [3]) == [(3, ("ab", None, ""))]


@pytest.mark.parametrize(
    "data",
    [
        forged(b""),
        forged(WHOLE[:-1]),
        forged(WHOLE + b"x"),
        forged(numbers(2, 3, 2) + b"ab" + numbers(-1) + numbers(0)),
        forged(numbers(1 << 62, 3, 2)),
        forged(numbers(1, 3, 1 << 62) + b"ab" + numbers(-1) + numbers(0)),
        forged(numbers(1, 3, (1 << 63) - 1, 7, 7)),
        forged(numbers(1, 3, 2) + b"\xff\xfe" + numbers(-1) + numbers(0)),
        forged(WHOLE, size=1 << 62),
        forged(WHOLE, size=3),
    ],
    ids=range(10),
)
def test_hostile_blocks_are_refused(data):
    with pytest.raises(TextsError):
        read([(0, data)], [3])
