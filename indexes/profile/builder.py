"""Documents in, a profile out: everything is counted as they come, and nothing of them is kept.

Memory grows with the number of different words, up to a bound, and of domains; not with documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa

from corpora.character_kinds import character_kinds, count_kinds, kinds_fingerprint
from corpora.normal_form import fingerprint
from corpora.problems import CorpusError
from indexes.profile.merging import merge, within
from indexes.profile.sketches import Sketches, sketch_frame
from indexes.profile.value import (
    COPY_KINDS,
    GROUPS,
    KEY_TYPES,
    LENGTH_EDGES,
    MOST_DOMAINS,
    MOST_WORDS,
    VALUES,
    WORDS,
    Profile,
    domain_column,
    token_frames,
)
from indexes.profile_words import GROUPS_PER_FOLD, Names, group_of, no_names, read_documents
from indexes.tally import MOST_COUNTED, N_ROWS, count_keys, empty_tally
from indexes.tally_folds import FOLDS
from indexes.tally_sums import counted

FIRST_DOMAINS: Final = 8
MEASURES: Final = ("documents", "bytes", "words", "tokens")


class ProfileBuilder:
    """Counts documents; `finish` gives their profile.

    `unit` is "words", or that of the token ids which `add` is given. `most_rows` bounds what is counted
    in memory at once, `most_words` the words of the profile.
    """

    def __init__(
        self, unit: str = WORDS, *, most_rows: int = MOST_WORDS, most_words: int = MOST_WORDS
    ) -> None:
        self.unit = unit
        self._most_rows, self._most_words = most_rows, most_words
        self._so_far: Profile | None = None
        self._start()

    def _start(self) -> None:
        kinds = character_kinds()
        self._domains: dict[str, int] = {}
        self._tally, self._names = empty_tally(), no_names()
        self._counted = 0
        self._sketches = Sketches()
        self._groups = np.zeros((FIRST_DOMAINS, GROUPS, len(MEASURES)), np.int64)
        self._squares = np.zeros(FIRST_DOMAINS, np.int64)
        # A row for each fold of each domain.
        self._lengths = np.zeros((FIRST_DOMAINS * FOLDS, len(LENGTH_EDGES)), np.int64)
        self._characters = np.zeros((FIRST_DOMAINS * FOLDS, len(kinds.names)), np.int64)
        self._scripts = np.zeros((FIRST_DOMAINS * FOLDS, len(kinds.scripts)), np.int64)

    def add(
        self,
        data: np.ndarray,
        bounds: np.ndarray,
        domains: pa.LargeStringArray,
        tokens: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> None:
        """Count the documents `data[bounds[d]:bounds[d + 1]]` (uint8 UTF-8, int64 (n + 1,)).

        `domains`: of each document, null where it has none. `tokens`: ids (unsigned) and where those of
        each document end (int64 (n + 1,)); where there are none, words are counted.

        Raises:
            CorpusError: there are more than MOST_DOMAINS different domains.
        """
        assert (tokens is None) == (self.unit == WORDS), f"{self.unit} are counted"
        codes = self._codes(domains)
        data, bounds = _read_only(data), _read_only(bounds)  # for which kernels are compiled
        self._tally, self._names, read = read_documents(
            data, bounds, codes, self._tally, self._names, counts=tokens is None
        )
        groups = group_of(read.text_hash)
        folds = groups // GROUPS_PER_FOLD
        lengths = read.words
        if tokens is not None:
            ids, ends = tokens
            lengths = np.diff(ends)
            self._tally = count_keys(ids, ends, codes, folds, self._tally)
        ones = np.ones(len(codes), np.int64)
        measures = np.stack([ones, np.diff(bounds), read.words, lengths], axis=1)
        np.add.at(self._groups, (codes, groups), measures)
        np.add.at(self._squares, codes, lengths * lengths)
        bins = np.searchsorted(LENGTH_EDGES, read.words, side="right") - 1
        rows = codes * FOLDS + folds
        np.add.at(self._lengths, (rows, bins), ones)
        scripts = count_kinds(data, bounds, rows, self._characters)
        np.add.at(self._scripts, (rows, scripts), ones)
        sets = codes * len(COPY_KINDS)
        self._sketches.add(sets, read.text_hash)
        self._sketches.add(sets + 1, read.near_key)
        self._counted += int(lengths.sum())
        if self._tally.sizes[N_ROWS] > self._most_rows or self._counted > MOST_COUNTED >> 1:
            self._so_far = self._merged()
            self._start()

    def finish(self) -> Profile:
        """Return the profile of all documents so far."""
        return self._merged()

    def _merged(self) -> Profile:
        own = within(self._profile(), self._most_words)
        return own if self._so_far is None else merge([self._so_far, own], self._most_words)

    def _codes(self, domains: pa.LargeStringArray) -> np.ndarray:
        """Return the number of each document's domain: int64 (n,)."""
        encoded = domains.fill_null("").dictionary_encode()
        known = self._domains
        numbers = [known.setdefault(name, len(known)) for name in encoded.dictionary.to_pylist()]
        if len(known) > MOST_DOMAINS:
            raise CorpusError(
                f"more than {MOST_DOMAINS} domains, among them {list(known)[-1]!r}; name a column with "
                "fewer values, or give rules for domains"
            )
        while len(known) > len(self._squares):
            for name in ("_groups", "_squares", "_lengths", "_characters", "_scripts"):
                array = getattr(self, name)
                setattr(self, name, np.concatenate([array, np.zeros_like(array)]))
        return np.array(numbers, np.int64)[encoded.indices.to_numpy()]

    def _profile(self) -> Profile:
        names = tuple(sorted(self._domains))
        order = np.array([self._domains[name] for name in names], np.int64)
        codes = np.argsort(order)
        found, row = counted(self._tally, codes)
        sets, hashes, documents = self._sketches.smallest()
        sets = codes[sets // len(COPY_KINDS)] * len(COPY_KINDS) + sets % len(COPY_KINDS)
        by_set = np.lexsort((hashes, sets))
        kinds = character_kinds()
        return Profile(
            self.unit,
            fingerprint(),
            groups=_groups_frame(names, self._groups[order]),
            domains=pl.DataFrame(
                {
                    "domain": domain_column(names, np.arange(len(names))),
                    "tokens_squared": self._squares[order],
                }
            ),
            **token_frames(names, found),
            names=_names_frame(found.key, row, self._names, spelled=self.unit == WORDS),
            lengths=_histogram(names, order, self._lengths, "bin", range(len(LENGTH_EDGES))),
            characters=_histogram(names, order, self._characters, "kind", kinds.names),
            scripts=_histogram(names, order, self._scripts, "script", kinds.scripts),
            sketches=sketch_frame(names, sets[by_set], hashes[by_set], documents[by_set]),
            kinds=kinds_fingerprint(),
        )


def _groups_frame(names: tuple[str, ...], groups: np.ndarray) -> pl.DataFrame:
    domain, group = np.nonzero(groups[:, :, 0])
    values = dict(zip(MEASURES, groups[domain, group].T, strict=True))
    return pl.DataFrame(
        {"domain": domain_column(names, domain), "group": group.astype(np.uint16)} | values
    )


def _names_frame(key: np.ndarray, row: np.ndarray, names: Names, *, spelled: bool) -> pl.DataFrame:
    """Return the names of keys, each once; `row` says which of `names` is that of a key."""
    n = len(row) if spelled else 0
    offsets = np.concatenate([np.zeros(1, np.int64), names.ends[:n]])
    letters = pa.LargeStringArray.from_buffers(
        n, pa.py_buffer(offsets), pa.py_buffer(names.letters)
    )
    keys, first = np.unique(key[:n], return_index=True)
    chosen = pl.Series("name", letters).gather(pl.Series(row[first], dtype=pl.UInt32))
    return pl.DataFrame({"key": keys, "name": chosen.cast(pl.String)})


def _histogram(
    names: tuple[str, ...],
    order: np.ndarray,
    counts: np.ndarray,
    column: str,
    values: Sequence[Any],
) -> pl.DataFrame:
    """Return counts (FOLDS rows a domain, values) that are not 0 as a frame, sorted.

    `order` has the rows' domains in the order of `names`.
    """
    by_value = sorted(range(len(values)), key=values.__getitem__)
    own = counts.reshape(-1, FOLDS, len(values))[order][:, :, by_value]
    domain, fold, place = np.nonzero(own)
    (measure,) = VALUES[{"bin": "lengths", "kind": "characters", "script": "scripts"}[column]]
    known = pl.Series([values[k] for k in by_value], dtype=KEY_TYPES[column])
    return pl.DataFrame(
        {
            "domain": domain_column(names, domain),
            "fold": fold.astype(np.uint8),
            column: known.gather(pl.Series(place, dtype=pl.UInt32)),
            measure: own[domain, fold, place],
        }
    )


def _read_only(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.flags.writeable = False
    return view
