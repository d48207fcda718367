"""Kinds of characters: the table against unicodedata, the kernel against the table."""

import unicodedata
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.character_kinds import character_kinds, count_kinds, script_name
from pipelines.shard_step import text_buffers
from tools.build_character_kinds import kind_of

ANY_TEXTS = st.lists(st.text(max_size=40) | st.text("aZ7 .\n", max_size=40), max_size=6)


def kind(char):
    """The kind of a character by the table."""
    kinds = character_kinds()
    at = (int(kinds.table.page_of[ord(char) >> 8]) << 8) | ord(char) & 255
    return kinds.names[kinds.table.kinds[at]]


def count(texts, rows=None):
    data, bounds = text_buffers(pa.array(texts, pa.large_string()))
    rows = np.zeros(len(texts), np.int64) if rows is None else np.array(rows, np.int64)
    counts = np.zeros((int(rows.max(initial=0)) + 1, len(character_kinds().names)), np.int64)
    scripts = count_kinds(data, bounds, rows, counts)
    return counts, [character_kinds().scripts[script] for script in scripts]


def named(row):
    return {name: int(n) for name, n in zip(character_kinds().names, row, strict=True) if n}


def test_the_table_is_what_the_tool_makes_of_unicodedata():
    known = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) != "Cn"]
    different = [char for char in known if kind(char) not in (kind_of(char), "control")]
    assert different == []
    if unicodedata.unidata_version == "14.0.0":
        assert [char for char in known if kind(char) != kind_of(char)] == []


@pytest.mark.parametrize(
    ("char", "expected"),
    [
        ("a", "lower"), ("Z", "upper"), ("ß", "lower"), ("7", "digit"), ("٣", "digit"), ("½", "digit"),
        (" ", "space"), ("\t", "space"), ("\u00a0", "space"), ("\u3000", "space"), ("\n", "line break"),
        ("\r", "line break"), ("\u2028", "line break"), (".", "punctuation"), ("—", "punctuation"),
        ("+", "symbol"), ("😀", "symbol"), ("\u0301", "mark"), ("\x00", "control"), ("\u200b", "control"),
        ("\ue000", "control"), ("\U0010ffff", "control"), ("я", "letter:Cyrillic"), ("Ω", "letter:Greek"),
        ("学", "letter:Han"), ("ア", "letter:Katakana"), ("ｱ", "letter:Katakana"), ("Ａ", "upper"),
        ("ª", "letter:Latin"), ("한", "letter:Hangul"), ("𝐀", "letter:common"), ("𒀀", "letter:other"),
    ],
)  # fmt: skip
def test_kinds(char, expected):
    assert kind(char) == expected


@settings(deadline=None)
@given(ANY_TEXTS)
def test_every_character_counts_once(texts):
    counts, scripts = count(texts)
    assert named(counts[0]) == Counter(kind(char) for text in texts for char in text)
    for text, script in zip(texts, scripts, strict=True):
        letters = Counter(name for char in text if (name := script_name(kind(char))))
        most = max(letters.values(), default=0)
        best = sorted(name for name, n in letters.items() if n == most)
        assert script == (best[0] if best else "none")


def test_each_document_counts_in_its_row():
    counts, scripts = count(["abc", "я", "", "de я", "1"], [1, 0, 1, 0, 1])
    assert named(counts[0]) == {"lower": 2, "space": 1, "letter:Cyrillic": 2}
    assert named(counts[1]) == {"lower": 3, "digit": 1}
    assert scripts == ["Latin", "Cyrillic", "none", "Latin", "none"]
