"""What a profile holds, and in which order.

Counts are int64 and exact; in a weighted profile they are float64. Frames are sorted by their keys,
those of `KEYS`, so equal profiles have equal bytes. `domain` is a polars Enum of the profile's domains in
alphabetical order; it compares with text, and `dtype.categories` lists the names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from corpora.character_kinds import kinds_fingerprint
from corpora.normal_form import fingerprint
from indexes.profile_words import GROUPS_PER_FOLD
from indexes.tally_folds import FOLDS
from indexes.tally_sums import Counted

WORDS: Final = "words"
TOKENS: Final = "tokens:"  # and the SHA-256 of tokenizer.json
GROUPS: Final = FOLDS * GROUPS_PER_FOLD
MOST_DOMAINS: Final = 1024
# Distinct words in a profile: 4 million take about 0.5 GB while they are counted. What is beyond is
# folded into RARE, the rarest first.
MOST_WORDS: Final = 4_000_000
RARE: Final = 0
RARE_NAME: Final = "(rare words)"
EXACT, NEAR = "exact", "near"
COPY_KINDS: Final = (EXACT, NEAR)

KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "groups": ("domain", "group"),
    "domains": ("domain",),
    "tokens": ("domain", "key"),
    "folds": ("domain", "key", "fold"),
    "names": ("key",),
    "lengths": ("domain", "fold", "bin"),
    "characters": ("domain", "fold", "kind"),
    "scripts": ("domain", "fold", "script"),
    "sketches": ("domain", "kind", "hash"),
}
# To which power of a document's weight each sum goes, in the order of the columns; sketches are of the
# documents as they lie there, unweighted.
VALUES: Final[Mapping[str, Mapping[str, int]]] = {
    "groups": {"documents": 1, "bytes": 1, "words": 1, "tokens": 1},
    "domains": {"tokens_squared": 2},
    "tokens": {"count": 1, "documents": 1, "sum_squares": 2, "sum_lengths": 2},
    "folds": {"count": 1},
    "names": {},
    "lengths": {"documents": 1},
    "characters": {"characters": 1},
    "scripts": {"documents": 1},
    "sketches": {"documents": 0},
}
KEY_TYPES: Final[Mapping[str, Any]] = {
    "group": pl.UInt16,
    "key": pl.UInt64,
    "fold": pl.UInt8,
    "bin": pl.UInt8,
    "kind": pl.String,
    "script": pl.String,
    "hash": pl.UInt64,
}


def _length_edges() -> np.ndarray:
    """Return 0 and the smallest integers from 2^(i/4) on, each once."""
    edges = [0]
    for quarter in range(4 * 40):
        edge = max(edges[-1], int(2 ** (quarter / 4)) - 1)
        while edge**4 < 1 << quarter:
            edge += 1
        if edge > edges[-1]:
            edges.append(edge)
    return np.array(edges, np.int64)


# A document of n words is in bin b where LENGTH_EDGES[b] <= n < LENGTH_EDGES[b + 1].
LENGTH_EDGES: Final = _length_edges()


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """Statistics of documents that can be added up: of a shard, a part of one, or a corpus version.

    A key is the hash of a word of the normal form, or a token's id; a document's length is its number of
    them. Documents are in 256 groups by the hash of their words, so equal texts are in one group,
    everywhere; groups are the clusters of the bootstrap, and fold = group // 8.

    Attributes:
        unit: what is counted: "words", or "tokens:" and the SHA-256 of the tokenizer's file.
        normal_form: of the words.
        groups: domain, group -> documents, bytes, words, tokens (equal to words where those are counted).
        domains: domain -> tokens_squared, the sum over documents of length squared.
        tokens: domain, key -> count, documents, sum_squares and sum_lengths: sums over documents of x,
            of 1 where x > 0, of x^2 and of x times the length, for x occurrences in a document.
        folds: domain, key, fold -> count.
        names: key -> name, the word as the normal form spells it; empty where tokens are counted.
        lengths: domain, fold, bin of LENGTH_EDGES -> documents, by their length in words.
        characters: domain, fold, kind -> characters, kinds of `corpora.character_kinds`.
        scripts: domain, fold, script -> documents, by the script of most letters; "none" without letters.
        sketches: domain, kind ("exact", "near"), hash -> documents, for the smallest hashes of each
            domain and kind: `indexes.profile.sketches`.
        rare_words: how many words were folded into the key RARE, those of each merge added up. Of that
            key the count is exact, and the other sums are those of its words. 0 below MOST_WORDS
            distinct words, and then merging is exact: the profile of a whole is that of its parts.
        kinds: the table of character kinds.
    """

    unit: str
    normal_form: str
    groups: pl.DataFrame
    domains: pl.DataFrame
    tokens: pl.DataFrame
    folds: pl.DataFrame
    names: pl.DataFrame
    lengths: pl.DataFrame
    characters: pl.DataFrame
    scripts: pl.DataFrame
    sketches: pl.DataFrame
    rare_words: int = 0
    kinds: str = ""

    @property
    def domain_names(self) -> tuple[str, ...]:
        """All domains, in alphabetical order; "" is that of documents without one."""
        return names_of(self.groups)

    def total(self, measure: str) -> float:
        """Return the number of documents, bytes, words or tokens."""
        return self.groups[measure].sum()


def names_of(frame: pl.DataFrame) -> tuple[str, ...]:
    """Return the names that the column `domain` of a frame can have."""
    return tuple(frame.schema["domain"].categories)  # type: ignore[attr-defined]  # an Enum


def codes_of(frame: pl.DataFrame) -> np.ndarray:
    """Return which of `names_of` the domain of each row is: unsigned integers."""
    return frame["domain"].to_physical().to_numpy()


def domain_column(names: tuple[str, ...], codes: np.ndarray) -> pl.Series:
    """Return the column `domain` from the numbers of names."""
    known = pl.Series("domain", names, pl.Enum(names))
    return known.gather(pl.Series(codes, dtype=pl.UInt32))


def token_frames(names: tuple[str, ...], found: Counted) -> dict[str, pl.DataFrame]:
    """Return the frames `tokens` and `folds` of what was counted in domains of these names."""
    count, documents, squares, lengths = found.sums
    domains = found.domain.astype(np.uint32)
    tokens = {
        "domain": domain_column(names, domains),
        "key": found.key,
        "count": count,
        "documents": documents,
        "sum_squares": squares,
        "sum_lengths": lengths,
    }
    folds = {
        "domain": domain_column(names, np.repeat(domains, found.n_folds)),
        "key": np.repeat(found.key, found.n_folds),
        "fold": found.fold,
        "count": found.fold_count,
    }
    return {"tokens": pl.DataFrame(tokens), "folds": pl.DataFrame(folds)}


def folds_per_word(profile: Profile) -> np.ndarray:
    """Return of how many folds each row of `tokens` has counts: int64 (n,)."""
    keys, domains = profile.folds["key"].to_numpy(), codes_of(profile.folds)
    is_first = np.ones(len(keys), np.bool_)
    is_first[1:] = (keys[1:] != keys[:-1]) | (domains[1:] != domains[:-1])
    return np.diff(np.flatnonzero(is_first), append=len(keys))


def empty_profile(unit: str = WORDS) -> Profile:
    """Return the profile of no documents."""
    frames = {}
    for frame, keys in KEYS.items():
        schema = {key: pl.Enum([]) if key == "domain" else KEY_TYPES[key] for key in keys}
        text = {"name": pl.String} if frame == "names" else {}
        values = dict.fromkeys(VALUES[frame], pl.Int64)
        frames[frame] = pl.DataFrame(schema=schema | text | values)
    return Profile(unit, fingerprint(), **frames, kinds=kinds_fingerprint())
