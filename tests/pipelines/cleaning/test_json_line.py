"""Text values of JSON lines, replaced in place: all else keeps its bytes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.cleaning.json_line import take_apart

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
keys = st.text(max_size=4).filter(lambda key: key != "text")
PATHS = [("text",)]


@given(
    st.lists(st.tuples(keys, values), max_size=4, unique_by=lambda pair: pair[0]),
    st.text(max_size=10),
    st.text(max_size=10),
    st.integers(0, 4),
    st.booleans(),
    st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " :  ")]),
)
def test_only_the_text_changes(members, old, new, place, is_ascii, separators):
    members.insert(min(place, len(members)), ("text", old))
    line = json.dumps(dict(members), ensure_ascii=is_ascii, separators=separators) + "\r\n"
    taken = take_apart(line, PATHS)
    assert taken.editable
    assert taken.columns() == [old]
    token = json.dumps(old, ensure_ascii=is_ascii)
    start, end = taken.places[0]
    assert line[start:end] == token
    changed = taken.replaced([new])
    assert changed.startswith(line[:start])
    assert changed.endswith(line[end:])
    assert json.loads(changed) == dict(members) | {"text": new}
    assert taken.replaced([old]) == line


@pytest.mark.parametrize(
    "rest",
    [
        '"n": 1.0e5, "big": 12345678901234567890123456789, "f": 0.10000000000000000055',
        '"n": ' + "7" * 5000,
        '"a": {"text": "inner"}, "b": [{"text": "x"}, "}\\""]',
        '"e": "\\u00e9\\/\\ud83d\\ude00"',
        '"te\\u0078": 1',
    ],
)
def test_what_python_would_write_otherwise_keeps_its_bytes(rest):
    line = '{ "text" :"old",' + rest + "}"
    assert take_apart(line, PATHS).replaced(["new"]) == '{ "text" :"new",' + rest + "}"


def test_a_key_may_be_escaped():
    taken = take_apart('{"t\\u0065xt": "old"}', PATHS)
    assert taken.replaced(["new"]) == '{"t\\u0065xt": "new"}'


def test_a_text_is_escaped_as_the_old_one_was():
    assert take_apart('{"text": "caf\\u00e9!"}', PATHS).replaced(["é"]) == '{"text": "\\u00e9"}'
    assert take_apart('{"text": "café!"}', PATHS).replaced(["é"]) == '{"text": "é"}'
    assert take_apart('{"text": "cafe"}', PATHS).replaced(["…"]) == '{"text": "…"}'


def test_nested_texts_and_nulls():
    paths = [("m", "a"), ("m", "b"), ("c",)]
    line = '{"c": "3", "m": {"b": null, "x": {"a": "no"}, "a": "1"}, "a": "no"}'
    taken = take_apart(line, paths)
    assert taken.columns() == ["1", None, "3"]
    assert taken.replaced(["", None, "4"]) == line.replace('"1"', '""').replace('"3"', '"4"')


@pytest.mark.parametrize(
    ("line", "columns"),
    [
        ('{"text": "a", "text": "b"}', ["b"]),
        ('{"text": null, "text": "b"}', ["b"]),
    ],
)
def test_a_text_that_stands_twice_cannot_be_edited(line, columns):
    taken = take_apart(line, PATHS)
    assert not taken.editable
    assert taken.columns() == columns


def test_a_key_on_the_way_that_stands_twice_cannot_be_edited():
    taken = take_apart('{"m": {"t": "a"}, "m": {"t": "b"}}', [("m", "t")])
    assert not taken.editable
    assert taken.columns() == ["b"]


def test_a_line_that_is_nested_too_deeply_is_not_taken_apart():
    assert take_apart('{"x": ' + "[" * 100_000 + "]" * 100_000 + ', "text": "a"}', PATHS) is None
    assert take_apart("", PATHS) is None
    assert take_apart("[1]", PATHS) is None
