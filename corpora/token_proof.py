"""Which cut gives a tokenizer's own ids: tried on awkward texts when it is loaded, and on samples later.

A cut is trusted when two things hold. By construction: pieces come from the tokenizer's own
pattern (`corpora.token_recipe`), and a cut before a space falls between two pieces of its
pre-tokenizer, or, where that has none, no token of the vocabulary reaches across it. By trial: the ids
of some thousand texts made to be awkward are the library's. Then `corpora.token_counter` compares
stretches of every batch.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from corpora.space_cuts import stretch_end
from corpora.token_encoders import Cut, Encoder, make_encoder, runs_of
from corpora.tokenizer import Tokenizer

if TYPE_CHECKING:
    from tokenizers import AddedToken
    from tokenizers import Tokenizer as Library

EXCERPT_BYTES: Final = 1024
SAMPLED_BYTES: Final = {Cut.PIECES: 1 << 20, Cut.SPACES: 1 << 18}  # text for each excerpt
SEED: Final = 5
N_RANDOM: Final = 400
# One character of each kind that patterns tell apart: all runs of three are tried.
KINDS: Final = [*"aAst1é中²", *" \n\r\t\u00a0\u3000", *"'-_.ſ", "\u0301", "\u200b", "😀"]
RARER_KINDS: Final = [
    *"zZlLvVeEdmß٣๑ǅʰªⅷかกक\u0903",
    *"\u2028\x00\x1c\u0085",
    *"’/,!<|€\ufe0f\ufffd\u200d",
]
AWKWARD: Final = (
    "",
    " ",
    "  \n \n\n  x",
    "it's I'LL we'Ve 'sx ’s 'ſ don't' ''s",
    "x1234567y 12 345,678.90 1²٣4 ٣٣٣٣",
    "a\u0301b\u0301 e\u0301\u0323 \u0301x \u1112\u1161\u11ab が か\u3099",
    "naïve Ünïcode ǅ ﬁ ŉ straße STRASSE İI ΣΑΣ",
    "中文，没有 空格。日本語テキスト กำลัง हिन्दी में العَرَبِيَّة עִבְרִית 한국어",
    "\tdef f(x):\n\t\treturn x  # ok\r\n\r\n    pass   \n",
    'https://a.b/c_d?e=f&g=%20#h {"k": [1, 2.5e-3]} <b>x</b> \\alpha_{1}^2 $$',
    "👩‍👩‍👧‍👦 👍🏽 🇩🇪 ☺️ a\u200bb\u200c c\u00add \ufeffe",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa---------------- ................................",
    " leading and trailing   ",
    "\x00a\x00 \x1f\x7f b",
    "x" * 300 + " " * 90 + "é" * 90,
)


@lru_cache(maxsize=8)
def finest_cut(tokenizer: Tokenizer) -> Cut:
    """Return the cut that gives the library's ids with the least work."""
    if tokenizer.native is not None and _agrees_on_battery(tokenizer, Cut.PIECES):
        return Cut.PIECES
    if _spaces_part(tokenizer) and _agrees_on_battery(tokenizer, Cut.SPACES):
        return Cut.SPACES
    return Cut.WHOLE


def excerpts(data: np.ndarray, bounds: np.ndarray, cut: Cut) -> tuple[np.ndarray, np.ndarray]:
    """Return stretches of documents, evenly spread, as documents of their own: data and bounds.

    Each is valid UTF-8 of at most `EXCERPT_BYTES`; every other one is the start of a document.
    """
    first, size = int(bounds[0]), int(bounds[-1] - bounds[0])
    n = 1 + size // SAMPLED_BYTES[cut] if size else 0
    places = first + (np.arange(n) * 2 + 1) * size // max(2 * n, 1)
    documents = np.searchsorted(bounds, places, side="right") - 1
    starts = np.where(np.arange(n) % 2 == 0, bounds[documents], places)
    starts = np.array([_at_character(data, at) for at in starts.tolist()], np.int64)
    wanted = np.minimum(starts + EXCERPT_BYTES, bounds[documents + 1]).tolist()
    limits = bounds[documents + 1].tolist()
    ends = [
        at if at == limit else _at_character(data, at)
        for at, limit in zip(wanted, limits, strict=True)
    ]
    return runs_of(data, starts, np.array(ends, np.int64))


def _at_character(data: np.ndarray, at: int) -> int:
    """Return the start of the character at a place."""
    while data[at] & 0xC0 == 0x80:
        at -= 1
    return at


def battery(tokenizer: Tokenizer) -> list[str]:
    """Return texts that try a cut: awkward ones, all runs of three kinds, and random ones."""
    random = np.random.default_rng(SEED)
    runs = [KINDS[at] for at in de_bruijn(len(KINDS), 3)]
    texts = ["".join(runs[at : at + 200]) for at in range(0, len(runs), 197)]
    kinds = np.array(KINDS + RARER_KINDS)
    for _ in range(N_RANDOM):
        few = random.choice(kinds, 6)  # long runs of one kind, and few kinds beside each other
        texts.append("".join(np.repeat(random.choice(few, 12), random.geometric(0.3, 12)).tolist()))
    contents = sorted(token.content for token in tokenizer.added.values())[:16]
    texts += [f"{a}{b}x{a} {b} y\n{a}" for a, b in zip(contents, contents[::-1], strict=True)]
    return [*AWKWARD, *texts]


def de_bruijn(n_kinds: int, length: int) -> list[int]:
    """Return a sequence of numbers in which every run of some length appears once, round its end.

    By Lyndon words in order (Fredricksen and Maiorana 1978).
    """
    found: list[int] = []
    word = [0]
    while word:
        if length % len(word) == 0:
            found += word
        word = (word * length)[:length]
        while word and word[-1] == n_kinds - 1:
            word.pop()
        if word:
            word[-1] += 1
    return found


def agrees(tokenizer: Tokenizer, encoder: Encoder, data: np.ndarray, bounds: np.ndarray) -> bool:
    """Tell whether an encoder gives the library's ids for all of some documents."""
    ids, ends = encoder.encode(data, bounds)
    true_ids, true_ends = make_encoder(tokenizer, Cut.WHOLE).encode(data, bounds)
    return np.array_equal(ends, true_ends) and np.array_equal(ids, true_ids)


def _agrees_on_battery(tokenizer: Tokenizer, cut: Cut) -> bool:
    texts = [text.encode() for text in battery(tokenizer)]
    bounds = np.cumsum([0, *map(len, texts)])
    data = np.frombuffer(b"".join(texts), np.uint8)
    return agrees(tokenizer, make_encoder(tokenizer, cut), data, bounds)


def _spaces_part(tokenizer: Tokenizer) -> bool:
    """Tell whether nothing can reach across a cut before a space, by construction."""
    if any(_is_found_across(token, tokenizer.library) for token in tokenizer.added.values()):
        return False
    whole: list[list[str]] = []
    parts: list[list[str]] = []
    for text in battery(tokenizer):
        first, *others = stretches(text)
        whole.append(_pieces(tokenizer.library, text))
        parts.append(_pieces(tokenizer.library, first))
        for other in others:
            parts[-1] += _pieces(tokenizer.inner_library, other)
    if whole == parts:
        return True
    is_unsplit = all(len(pieces) <= 1 for pieces in whole)
    is_same = ["".join(pieces) for pieces in whole] == ["".join(pieces) for pieces in parts]
    return is_unsplit and is_same and _no_token_crosses(tokenizer)


def stretches(text: str) -> list[str]:
    """Return the stretches into which a text is cut before spaces; at least one, maybe empty."""
    data = np.frombuffer(text.encode(), np.uint8)
    size, found, first = len(data), [], 0
    while first < size:
        end = int(stretch_end(np.uint64(data.ctypes.data), np.uint64(first), np.uint64(size)))
        found.append(bytes(data[first:end]).decode())
        first = end
    return found or [""]


def _pieces(library: Library, text: str) -> list[str]:
    """Return what the model gets to see of a text, piece by piece."""
    normal = library.normalizer.normalize_str(text) if library.normalizer else text
    if not normal:
        return []
    if library.pre_tokenizer is None:
        return [normal]
    return [piece for piece, _ in library.pre_tokenizer.pre_tokenize_str(normal)]


def _no_token_crosses(tokenizer: Tokenizer) -> bool:
    """Tell whether no token of a BPE has, after another character, that which stands for a space."""
    if type(tokenizer.library.model).__name__ != "BPE":
        return False
    seen = "".join(_pieces(tokenizer.inner_library, "a b"))
    match = re.fullmatch(r".*a(.)b", seen, re.DOTALL)
    if match is None:
        return False
    space = re.escape(match[1])
    crossing = re.compile(f"[^{space}]{space}")
    vocabulary = tokenizer.library.get_vocab(with_added_tokens=False)
    return match[1] in vocabulary and not any(map(crossing.search, vocabulary))


def _is_found_across(token: AddedToken, library: Library) -> bool:
    """Tell whether an added token may be found in normalised text only, and across a cut."""
    if not token.normalized or library.normalizer is None:
        return False
    contents = token.content, library.normalizer.normalize_str(token.content)
    is_hard = token.lstrip or token.rstrip or token.single_word
    return is_hard or any(re.search(r"[^ ▁][ ▁]", content) for content in contents)
