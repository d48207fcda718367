"""What stays keeps its bytes or values, in every format; what goes leaves no trace in the file."""

import bz2
import datetime
import decimal
import gzip
import io
import json
import lzma

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.shards import Columns, Compression, Format, Shard
from pipelines.clean_settings import CleanSettings
from pipelines.cleaning.edits import CleanError, Edits
from pipelines.cleaning.flatbuffer import body_compression
from pipelines.cleaning.plan import PLAN_SCHEMA
from pipelines.cleaning.step import clean_shard

LEAK = "LEAKED ITEM TEXT"
SPAN = CleanSettings(remove="span")
DOCUMENT = CleanSettings()
PACK = {
    Compression.NONE: lambda data: data,
    Compression.GZIP: gzip.compress,
    Compression.BZ2: bz2.compress,
    Compression.XZ: lzma.compress,
    Compression.ZSTD: lambda data: pa.compress(data, "zstd", asbytes=True),
}
UNPACK = {
    Compression.NONE: lambda data: data,
    Compression.GZIP: gzip.decompress,
    Compression.BZ2: bz2.decompress,
    Compression.XZ: lzma.decompress,
    Compression.ZSTD: lambda data: pa.CompressedInputStream(pa.BufferReader(data), "zstd").read(),
}


def planned(shard, places):
    """A plan that names `LEAK` at (row, start)."""
    rows = [
        (shard.path, row, None, None, "quiz", "item", start, start + len(LEAK), LEAK, 1, "found")
        for row, start in sorted(places)
    ]
    return pl.DataFrame(rows, schema=PLAN_SCHEMA, orient="row")


@pytest.fixture
def clean_file(tmp_path):
    """Clean a file: `clean_file(path, format, places, settings, ...)` gives what was written, and the bytes."""

    def run(
        path, kind, places, settings=DOCUMENT, compression=Compression.NONE, columns=None, bad=False
    ):
        shard = Shard(
            path.as_posix(), kind, compression, columns or Columns(), None, path.stat().st_size
        )
        target = tmp_path / "copy" / path.name
        before = path.read_bytes()
        written = clean_shard(
            shard, planned(shard, places), target, tmp_path / "temporary", settings,
            digest=None, has_unreadable=bad, batch_bytes=1 << 20, tell=lambda *_: None,
        )  # fmt: skip
        assert path.read_bytes() == before
        assert not (tmp_path / "temporary").exists()
        assert written.digest is None or written.size_bytes == target.stat().st_size
        return written, target.read_bytes() if target.exists() else None

    return run


# --- JSON lines -------------------------------------------------------------------------------------

lines = st.sampled_from(
    [
        ("kept", '{"text": "kept é", "n": 1.0e5}'),
        ("kept", '  {"id":7 , "text":"odd  spacing"}  '),
        ("kept", '{"text": "escaped \\u00e9\\/", "id": null}'),
        ("leak", json.dumps({"text": f"a {LEAK} b", "n": 0.1})),
        ("leak", '{"n":1.0e5,  "text" : "é ' + LEAK + '", "z":[ 1 ]}'),
        ("gone", json.dumps({"text": f" {LEAK}\n"})),
        ("blank", ""),
        ("blank", " \t"),
    ]
)


@settings(deadline=None)
@given(
    st.lists(st.tuples(lines, st.sampled_from(["\n", "\r\n"])), max_size=12),
    st.booleans(),
    st.booleans(),
    st.sampled_from([DOCUMENT, SPAN]),
    st.sampled_from(list(Compression)),
)
def test_lines_that_stay_keep_their_bytes(
    tmp_path_factory, found, has_bom, ends_in_feed, how, packing
):
    folder = tmp_path_factory.mktemp("lines")
    rows = [(kind, line, feed) for (kind, line), feed in found]
    if rows and not ends_in_feed:
        rows[-1] = (*rows[-1][:2], "")
    bom = b"\xef\xbb\xbf" if has_bom else b""
    path = folder / "a.jsonl"
    path.write_bytes(PACK[packing](bom + "".join(line + feed for _, line, feed in rows).encode()))
    expected = bom
    places = []
    for row, (kind, line, feed) in enumerate(rows):
        if kind in ("leak", "gone"):
            places.append((row, json.loads(line)["text"].index(LEAK)))
        if kind == "leak" and how is SPAN:
            line = line.replace(LEAK, "")
        elif kind in ("leak", "gone"):
            continue
        expected += (line + feed).encode()
    shard = Shard(path.as_posix(), Format.JSONL, packing, Columns(), None, path.stat().st_size)
    written = clean_shard(
        shard, planned(shard, places), folder / "out", folder / "temporary", how,
        digest=None, has_unreadable=False, batch_bytes=1 << 20, tell=lambda *_: None,
    )  # fmt: skip
    if not places:
        assert (folder / "out").read_bytes() == path.read_bytes()
        assert written.action == "copied"
    elif expected.removeprefix(bom).strip():
        assert UNPACK[packing]((folder / "out").read_bytes()) == expected
        assert written.action == "rewritten"
    else:
        assert not (folder / "out").exists()
        assert written.action == "left out"
    assert written.documents["row"].to_list() == [row for row, _ in places]


def test_bad_lines_are_left_out_whatever_their_number(tmp_path, clean_file):
    good = '{"text": "good"}\n'
    bad = [
        '{"text": 1}\n',
        "{\n",
        '{"other": "x"}\n',
        '{"text": null}\n',
        "[1]\n",
        '{"text": "\\ud800"}\n',
    ]
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        (good + "".join(bad) + good).encode() + b'{"text": "\xff"}\n' * 300 + good.encode()
    )
    written, data = clean_file(path, Format.JSONL, [], bad=True)
    assert data == good.encode() * 3
    assert written.log["row"].to_list() == [*range(1, 7), *range(8, 308)]
    assert set(written.log["action"]) == {"unreadable"}
    assert written.log["reason"][-1].startswith("invalid UTF-8: byte 0xff")
    assert [reason.partition(":")[0] for reason in written.log["reason"][:6]] == [
        "text is not a string", "bad JSON", "no text", "no text", "not a JSON object", "lone surrogate",
    ]  # fmt: skip


def test_a_line_whose_text_stands_twice_goes_whole(tmp_path, clean_file):
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"text": "one", "text": "a {LEAK} b"}}\n{{"text": "two"}}\n')
    written, data = clean_file(path, Format.JSONL, [(0, 2)], SPAN)
    assert data == b'{"text": "two"}\n'
    assert written.log["action"].to_list() == ["document"]
    assert "cannot be taken apart" in written.log["reason"][0]


def test_the_packed_bytes_depend_on_nothing_else(tmp_path, clean_file):
    for packing in Compression:
        path = tmp_path / f"a-{packing.value}"
        path.write_bytes(PACK[packing](f'{{"text": "{LEAK}"}}\n{{"text": "x"}}\n'.encode()))
        first, second = (
            clean_file(path, Format.JSONL, [(0, 0)], compression=packing) for _ in "12"
        )
        assert first[1] == second[1]
        assert UNPACK[packing](first[1]) == b'{"text": "x"}\n'


@pytest.mark.parametrize("row", [5, 1])
def test_a_finding_that_is_not_there_is_refused(tmp_path, clean_file, row):
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"text": "{LEAK}"}}\n{{"text": "x"}}\n')
    with pytest.raises(CleanError, match=rf"a\.jsonl, row {row}: what the scan found there is not"):
        clean_file(path, Format.JSONL, [(row, 0)])
    assert not (tmp_path / "copy").exists()


# --- text files -------------------------------------------------------------------------------------


@pytest.mark.parametrize("packing", list(Compression))
def test_a_text_file_is_cut_or_left_out(tmp_path, clean_file, packing):
    path = tmp_path / "a.txt"
    path.write_bytes(PACK[packing](b"\xef\xbb\xbf" + f"é {LEAK}\r\nrest".encode()))
    written, data = clean_file(path, Format.TEXT, [(0, 2)], SPAN, packing)
    assert UNPACK[packing](data) == b"\xef\xbb\xbf" + "é \r\nrest".encode()
    written, data = clean_file(path, Format.TEXT, [(0, 2)], DOCUMENT, packing)
    assert (written.action, data) == ("left out", None)


def test_a_text_file_that_is_no_text_is_left_out(tmp_path, clean_file):
    path = tmp_path / "a.txt"
    path.write_bytes(b"a\xff")
    written, data = clean_file(path, Format.TEXT, [], bad=True)
    assert (written.action, data) == ("left out", None)
    assert written.log["action"].to_list() == ["unreadable"]


# --- tables -----------------------------------------------------------------------------------------

N = 24
LEAKED = (2, 3, 11, 20, 21, 22, 23)


def texts():
    return [f"row {n} {LEAK} end" if n in LEAKED else f"row {n} é" for n in range(N)]


def table(text_type=None):
    """A table with the types that are easily lost."""
    stamp = datetime.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=datetime.UTC)
    number = np.arange(N, dtype=np.float32)
    number[5] = -0.0
    columns = {
        "id": pa.array([f"d{n}" for n in range(N)]),
        "text": pa.array(texts(), text_type or pa.string()),
        "domain": pa.array(["web", "books"] * (N // 2)).dictionary_encode(),
        "number": pa.array(number, mask=number == 7),
        "small": pa.array(range(N), pa.int8()),
        "day": pa.array([datetime.date(2026, 1, 1)] * N),
        "stamp": pa.array([stamp] * N, pa.timestamp("us", "Europe/Berlin")),
        "nano": pa.array(range(N), pa.timestamp("ns")),
        "money": pa.array([decimal.Decimal("1.50")] * N, pa.decimal128(9, 2)),
        "list": pa.array([[n, None] if n % 3 else None for n in range(N)], pa.list_(pa.int32())),
        "large": pa.array([["x"] * (n % 3) for n in range(N)], pa.large_list(pa.large_string())),
        "struct": pa.array([{"a": n, "b": None} if n % 2 else None for n in range(N)],
                           pa.struct([("a", pa.int64()), pa.field("b", pa.string())])),
        "map": pa.array([[("k", n)] for n in range(N)], pa.map_(pa.string(), pa.int64())),
        "blob": pa.array([b"\x00\xff"] * N, pa.binary()),
        "fixed": pa.array([b"abcd"] * N, pa.binary(4)),
        "null": pa.nulls(N),
    }  # fmt: skip
    fields = [pa.field(name, array.type, nullable=name != "id") for name, array in columns.items()]
    fields[2] = fields[2].with_metadata({"of": "domain"})
    schema = pa.schema(fields, metadata={"huggingface": '{"info": 1}', "pandas": "{}"})
    return pa.table(list(columns.values()), schema=schema)


def expected(source, how):
    """What is to be there."""
    if how is DOCUMENT:
        return source.filter(pa.array([n not in LEAKED for n in range(N)]))
    column = pa.array([text.replace(LEAK, "") for text in texts()]).cast(
        source.schema.field("text").type
    )
    return source.set_column(1, source.schema.field("text"), column)


PLACES = [(n, len(f"row {n} ")) for n in LEAKED]


@pytest.mark.parametrize("how", [DOCUMENT, SPAN])
@pytest.mark.parametrize("codec", ["NONE", "SNAPPY", "GZIP", "ZSTD", "LZ4", "BROTLI"])
def test_parquet_keeps_schema_values_groups_and_compression(tmp_path, clean_file, how, codec):
    path = tmp_path / "a.parquet"
    source = table()
    pq.write_table(
        source,
        path,
        row_group_size=10,
        compression=codec,
        use_dictionary=["domain"],
        write_page_index=True,
    )
    written, data = clean_file(path, Format.PARQUET, PLACES, how)
    copy, old = pq.ParquetFile(io.BytesIO(data)), pq.ParquetFile(path)
    assert copy.schema_arrow.equals(old.schema_arrow, check_metadata=True)
    assert copy.schema.equals(old.schema)
    assert copy.read().equals(expected(old.read(), how))
    sizes = [copy.metadata.row_group(n).num_rows for n in range(copy.num_row_groups)]
    assert sizes == ([8, 9] if how is DOCUMENT else [10, 10, 4])
    for name in range(copy.metadata.num_columns):
        was, now = (f.metadata.row_group(0).column(name) for f in (old, copy))
        assert now.compression == was.compression
        assert now.has_dictionary_page == was.has_dictionary_page
        assert now.has_column_index == was.has_column_index
    assert codec != "NONE" or LEAK.encode() not in data
    assert written.documents["row"].to_list() == list(LEAKED)


def test_a_row_group_of_which_nothing_is_left_is_not_written(tmp_path, clean_file):
    path = tmp_path / "a.parquet"
    pq.write_table(table(), path, row_group_size=4)
    _, data = clean_file(path, Format.PARQUET, PLACES)
    copy = pq.ParquetFile(io.BytesIO(data))
    assert [copy.metadata.row_group(n).num_rows for n in range(copy.num_row_groups)] == [
        2,
        4,
        3,
        4,
        4,
    ]


def test_parquet_of_which_nothing_is_left_is_left_out(tmp_path, clean_file):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": [LEAK]}), path)
    assert clean_file(path, Format.PARQUET, [(0, 0)])[0].action == "left out"


@pytest.mark.parametrize("how", [DOCUMENT, SPAN])
def test_parquet_without_an_arrow_schema(tmp_path, clean_file, how):
    path = tmp_path / "a.parquet"
    source = pa.table({"text": texts(), "l": [[n] for n in range(N)]})
    pq.write_table(source, path, store_schema=False, version="1.0")
    with pq.ParquetWriter(tmp_path / "b.parquet", source.schema, store_schema=False) as writer:
        writer.add_key_value_metadata({"org.apache.spark": "x"})
        writer.write_table(source)
    for name in ("a", "b"):
        _, data = clean_file(tmp_path / f"{name}.parquet", Format.PARQUET, PLACES, how)
        copy, old = pq.ParquetFile(io.BytesIO(data)), pq.ParquetFile(tmp_path / f"{name}.parquet")
        assert copy.metadata.metadata == old.metadata.metadata
        assert copy.schema.equals(old.schema)
        assert copy.metadata.format_version == old.metadata.format_version
        assert copy.read().num_rows == (N if how is SPAN else N - len(LEAKED))


def test_parquet_with_int96_and_field_ids(tmp_path, clean_file):
    path = tmp_path / "a.parquet"
    fields = [
        pa.field("text", pa.string(), metadata={"PARQUET:field_id": "7"}),
        pa.field("at", pa.timestamp("ns"), metadata={"PARQUET:field_id": "3"}),
    ]
    source = pa.table([texts(), pa.array(range(N), pa.timestamp("ns"))], schema=pa.schema(fields))
    pq.write_table(source, path, use_deprecated_int96_timestamps=True, store_schema=False)
    _, data = clean_file(path, Format.PARQUET, PLACES)
    copy, old = pq.ParquetFile(io.BytesIO(data)), pq.ParquetFile(path)
    assert copy.schema.equals(old.schema)
    assert str(copy.schema).count("field_id=7") == 1
    assert copy.read().equals(expected(old.read(), DOCUMENT).select(["text", "at"]))


def test_parquet_that_polars_wrote(tmp_path, clean_file):
    path = tmp_path / "a.parquet"
    frame = pl.DataFrame({"text": texts(), "l": [[n] for n in range(N)]}).with_columns(
        c=pl.Series(["x", "y"] * (N // 2), dtype=pl.Categorical)
    )
    frame.write_parquet(path, row_group_size=10)
    for how in (DOCUMENT, SPAN):
        _, data = clean_file(path, Format.PARQUET, PLACES, how)
        copy = pl.read_parquet(data)
        assert copy.schema == frame.schema
        kept = [n for n in range(N) if n not in LEAKED or how is SPAN]
        assert copy.drop("text").equals(frame.drop("text")[kept])
        assert copy["text"].to_list() == [texts()[n].replace(LEAK, "") for n in kept]


TEXT_TYPES = [
    pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.string_view(), pa.binary_view(),
    pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int32(), pa.large_string()),
]  # fmt: skip


@pytest.mark.parametrize("kind", TEXT_TYPES, ids=str)
@pytest.mark.parametrize("how", [DOCUMENT, SPAN])
@pytest.mark.parametrize("form", ["parquet", "file", "stream"])
def test_every_type_of_text_is_cut_and_leaves_no_trace(tmp_path, clean_file, kind, how, form):
    source = pa.table(
        {"n": pa.array(range(N)), "text": pa.array(texts()).cast(kind.value_type).dictionary_encode().cast(kind)
         if pa.types.is_dictionary(kind) else pa.array(texts()).cast(kind)}
    )  # fmt: skip
    path = tmp_path / f"a.{form}"
    if form == "parquet":
        pq.write_table(source, path, row_group_size=10, compression="NONE")
        _, data = clean_file(path, Format.PARQUET, PLACES, how)
        copy = pq.ParquetFile(io.BytesIO(data)).read()
        assert copy.schema.equals(pq.read_schema(path))
    else:
        new = pa.ipc.new_file if form == "file" else pa.ipc.new_stream
        with new(path, source.schema) as writer:
            writer.write_table(source, max_chunksize=10)
        assert LEAK.encode() in path.read_bytes()
        _, data = clean_file(path, Format.ARROW, PLACES, how)
        copy = (pa.ipc.open_file if form == "file" else pa.ipc.open_stream)(data).read_all()
        assert copy.schema.equals(source.schema)
    assert LEAK.encode() not in data
    kept = [n for n in range(N) if n not in LEAKED or how is SPAN]
    assert copy["n"].to_pylist() == kept
    found = [
        text.decode() if isinstance(text, bytes) else text for text in copy["text"].to_pylist()
    ]
    assert found == [texts()[n].replace(LEAK, "") for n in kept]


@pytest.mark.parametrize("how", [DOCUMENT, SPAN])
@pytest.mark.parametrize("codec", [None, "lz4", "zstd"])
@pytest.mark.parametrize("is_file", [True, False])
def test_arrow_keeps_schema_values_batches_and_compression(
    tmp_path, clean_file, how, codec, is_file
):
    path = tmp_path / "a.arrow"
    source = table()
    options = pa.ipc.IpcWriteOptions(compression=codec)
    new = pa.ipc.new_file if is_file else pa.ipc.new_stream
    with new(path, source.schema, options=options) as writer:
        for number, batch in enumerate(source.to_batches(max_chunksize=10)):
            writer.write_batch(batch, custom_metadata={"n": str(number)})
    _, data = clean_file(path, Format.ARROW, PLACES, how)
    assert body_compression(pa.BufferReader(data), is_file=is_file) == codec
    if is_file:
        reader = pa.ipc.open_file(data)
        found = [reader.get_batch_with_custom_metadata(n) for n in range(reader.num_record_batches)]
    else:
        reader = pa.ipc.open_stream(data)
        found = list(reader.iter_batches_with_custom_metadata())
    assert reader.schema.equals(source.schema, check_metadata=True)
    assert pa.Table.from_batches([each.batch for each in found]).equals(expected(source, how))
    assert [each.batch.num_rows for each in found] == ([8, 9] if how is DOCUMENT else [10, 10, 4])
    assert [each.custom_metadata[b"n"] for each in found] == [b"0", b"1", b"2"][: len(found)]


@pytest.mark.parametrize("form", ["parquet", "arrow", "jsonl"])
def test_several_and_nested_text_columns(tmp_path, clean_file, form):
    rows = [
        {"m": {"q": "why", "x": 1}, "a": "so"},
        {"m": {"q": f"a {LEAK}", "x": 2}, "a": None},
        {"m": None, "a": f"{LEAK} b"},
        {"m": {"q": "LEAKED ITEM", "x": None}, "a": "TEXT c"},
        {"m": {"q": None, "x": 4}, "a": "d"},
        {"m": {"q": LEAK, "x": 5}, "a": " \t"},
    ]
    places = [(1, 2), (2, 0), (3, 0), (5, 0)]
    columns = Columns(text=("m.q", "a"))
    path = tmp_path / f"a.{form}"
    schema = pa.schema([
        ("m", pa.struct([("q", pa.string()), ("x", pa.int64())])), ("a", pa.large_string())
    ])  # fmt: skip
    source = pa.Table.from_pylist(rows, schema)
    if form == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        kind = Format.JSONL
    elif form == "parquet":
        pq.write_table(source, path)
        kind = Format.PARQUET
    else:
        with pa.ipc.new_file(path, schema) as writer:
            writer.write_table(source)
        kind = Format.ARROW
    shard = Shard(path.as_posix(), kind, Compression.NONE, columns, None, 0)
    plan = planned(shard, places).with_columns(
        excerpt=pl.when(pl.col("row") == 3).then(pl.lit("LEAKED ITEM\nTEXT")).otherwise("excerpt")
    )
    target = tmp_path / "out"
    written = clean_shard(
        shard, plan, target, tmp_path / "temporary", CleanSettings(remove="span", mask="#"),
        digest=None, has_unreadable=False, batch_bytes=1 << 20, tell=lambda *_: None,
    )  # fmt: skip
    found = {
        "jsonl": lambda: [json.loads(line) for line in target.read_text().splitlines()],
        "parquet": lambda: pq.read_table(target).to_pylist(),
        "arrow": lambda: pa.ipc.open_file(target.read_bytes()).read_all().to_pylist(),
    }[form]()
    assert found == [
        rows[0],
        {"m": {"q": "a #", "x": 2}, "a": None},
        {"m": None, "a": "# b"},
        {"m": {"q": "#", "x": None}, "a": "# c"},
        rows[4],
    ]
    assert written.log["action"].to_list() == ["span", "span", "span", "document"]
    assert written.log["removed_chars"].to_list() == [16, 16, 15, len(LEAK) + 3]


def test_text_of_fixed_width_cannot_be_cut(tmp_path, clean_file):
    path = tmp_path / "a.parquet"
    rows = [LEAK.encode() + b"xx", b"y" * 18]
    pq.write_table(pa.table({"text": pa.array(rows, pa.binary(18))}), path)
    with pytest.raises(CleanError, match="no shorter text fits; use --remove document"):
        clean_file(path, Format.PARQUET, [(0, 0)], SPAN)
    _, data = clean_file(path, Format.PARQUET, [(0, 0)])
    assert pq.ParquetFile(io.BytesIO(data)).read()["text"].to_pylist() == rows[1:]


def test_rows_without_text_are_left_out(tmp_path, clean_file):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": pa.array([b"a", None, b"\xff", b"b"])}), path)
    written, data = clean_file(path, Format.PARQUET, [], bad=True)
    assert pq.ParquetFile(io.BytesIO(data)).read()["text"].to_pylist() == [b"a", b"b"]
    assert written.log.select("row", "reason").rows() == [
        (1, "no text"), (2, "invalid UTF-8: byte 0xff at byte 0"),
    ]  # fmt: skip


def test_edits_of_a_shard_that_holds_nothing_of_the_plan():
    shard = Shard("a", Format.TEXT, Compression.NONE, Columns(), None, 0)
    edits = Edits("a", None, planned(shard, []), {}, SPAN)
    assert len(edits.affected) == 0
    assert edits.log().height == edits.documents().height == edits.cuts().height == 0


@pytest.mark.parametrize("how", [DOCUMENT, SPAN])
def test_parquet_with_a_tensor_column(tmp_path, clean_file, how):
    """Its list is named otherwise than that of a list column."""
    path = tmp_path / "a.parquet"
    tensor = pa.FixedShapeTensorArray.from_numpy_ndarray(np.arange(2 * N).reshape(N, 2))
    pq.write_table(
        pa.table({"text": texts(), "tensor": tensor, "l": [[n] for n in range(N)]}), path
    )
    _, data = clean_file(path, Format.PARQUET, PLACES, how)
    copy, old = pq.ParquetFile(io.BytesIO(data)), pq.ParquetFile(path)
    assert copy.schema.equals(old.schema)
    assert copy.schema_arrow.equals(old.schema_arrow, check_metadata=True)
    kept = pa.array([n not in LEAKED or how is SPAN for n in range(N)])
    assert copy.read().drop(["text"]).equals(old.read().drop(["text"]).filter(kept))
