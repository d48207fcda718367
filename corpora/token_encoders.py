"""Three ways from text to token ids, from the fastest to the one that is right by definition.

Each way has the same face: `encode(data, bounds)` gives the ids of documents of UTF-8 text, and where each
document's end. What a way keeps between calls changes no result.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Final, Protocol

import numpy as np

from corpora.byte_level import encode_documents
from corpora.composed_form import compose, surely_composed
from corpora.piece_cache import Encoded, new_cache
from corpora.space_cuts import encode_stretches, encode_whole
from corpora.token_recipe import Native
from corpora.tokenizer import Tokenizer
from corpora.written_spaces import write_spaces

Ids = tuple[np.ndarray, np.ndarray]  # ids uint32 (m,), ends int64 (n + 1,)


class Cut(IntEnum):
    """Where text is cut so that a part that was met before need not be encoded again."""

    WHOLE = 0  # nowhere
    SPACES = 1  # before a space that follows a character that is no space
    PIECES = 2  # where the tokenizer's own pattern splits it; no library


class Encoder(Protocol):
    """A way from text to ids; not shared between threads."""

    def encode(self, data: np.ndarray, bounds: np.ndarray) -> Ids:
        """Return the ids of documents `data[bounds[d]:bounds[d + 1]]`, uint8, valid UTF-8."""


def make_encoder(tokenizer: Tokenizer, cut: Cut) -> Encoder:
    """Return a new encoder.

    Raises:
        ValueError: where the tokenizer has no recipe and the cut needs one.
    """
    return ENCODERS[cut](tokenizer)


class WholeEncoder:
    """Each document goes to the library as it is."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def encode(self, data: np.ndarray, bounds: np.ndarray) -> Ids:
        """See `Encoder`."""
        encoded = encode_whole(data, bounds, self._tokenizer.encode)
        return encoded.ids, encoded.ends


class SpacesEncoder:
    """Each different stretch of text between spaces goes to the library once."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._cache = new_cache()

    def encode(self, data: np.ndarray, bounds: np.ndarray) -> Ids:
        """See `Encoder`."""
        tokenizer = self._tokenizer
        encoded, self._cache = encode_stretches(
            data, bounds, tokenizer.hard_tokens, self._cache, tokenizer.encode,
            tokenizer.encode_inner,
        )  # fmt: skip
        return _with_left(encoded, data, bounds, tokenizer)


class PiecesEncoder:
    """The recipe of a BPE; only odd documents go to the library."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        if tokenizer.native is None:
            raise ValueError(f"{tokenizer.name}: no recipe: {tokenizer.no_recipe}")
        self._tokenizer = tokenizer
        self._native = tokenizer.native
        self._cache = new_cache()

    def encode(self, data: np.ndarray, bounds: np.ndarray) -> Ids:
        """See `Encoder`."""
        native = self._native
        text, text_bounds = data, bounds
        refused = np.zeros(len(bounds) - 1, bool)
        if native.composes:
            unsure = ~surely_composed(data, bounds)
            if unsure.any():
                text, text_bounds, refused = _composed(data, bounds, unsure, native)
        if native.opening is not None and native.hard_tokens is not None:
            text, text_bounds, refused = write_spaces(
                data, bounds, native.opening, native.hard_tokens
            )
        encoded, self._cache = encode_documents(text, text_bounds, native.recipe, self._cache)
        encoded = encoded._replace(left=encoded.left | refused)
        return _with_left(encoded, data, bounds, self._tokenizer)


ENCODERS: Final[dict[Cut, Callable[[Tokenizer], Encoder]]] = {
    Cut.WHOLE: WholeEncoder,
    Cut.SPACES: SpacesEncoder,
    Cut.PIECES: PiecesEncoder,
}


def _composed(
    data: np.ndarray, bounds: np.ndarray, unsure: np.ndarray, native: Native
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return documents with the unsure ones composed, and which of them must go to the library.

    Those are empty in the text that is returned. An added token stands in the way of composing:
    what is next to it must not compose with it.
    """
    parts, sizes = [], np.diff(bounds)
    refused = np.zeros(len(sizes), bool)
    done = bounds[0]
    for document in np.flatnonzero(unsure).tolist():
        start, end = bounds[document], bounds[document + 1]
        text = bytes(data[start:end]).decode()
        form = compose(text)
        if form is None or any(token in text for token in native.raw_tokens):
            refused[document], form = True, ""
        raw = form.encode()
        parts += [data[done:start], np.frombuffer(raw, np.uint8)]
        sizes[document] = len(raw)
        done = end
    parts.append(data[done : bounds[-1]])
    return np.concatenate(parts), np.concatenate([[0], np.cumsum(sizes)]), refused


def _with_left(encoded: Encoded, data: np.ndarray, bounds: np.ndarray, tokenizer: Tokenizer) -> Ids:
    """Return the ids of all documents, those that were left by the library."""
    ids, ends, left = encoded
    if not left.any():
        return ids, ends
    sizes = np.diff(ends)
    at = np.flatnonzero(left)
    texts, text_bounds = documents_at(data, bounds, at)
    others = encode_whole(texts, text_bounds, tokenizer.encode)
    sizes[at] = np.diff(others.ends)
    is_other = np.repeat(left, sizes)
    merged = np.empty(len(is_other), np.uint32)
    merged[is_other], merged[~is_other] = others.ids, ids
    return merged, np.concatenate([[0], np.cumsum(sizes)])


def documents_at(data: np.ndarray, bounds: np.ndarray, at: np.ndarray) -> Ids:
    """Return some documents, by number, as text of their own: data and bounds."""
    starts, ends = bounds[:-1][at], bounds[1:][at]
    return runs_of(data, starts, ends)


def runs_of(data: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> Ids:
    """Return stretches `data[starts[k]:ends[k]]` as documents of their own: data and bounds."""
    runs = [data[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    bounds = np.concatenate([[0], np.cumsum(ends - starts)]).astype(np.int64)
    return np.concatenate([np.empty(0, np.uint8), *runs]), bounds
