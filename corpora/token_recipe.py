"""From a tokenizer's description to a recipe that needs no library, where it is of the usual kind.

The usual kind of today's models: byte-level BPE, split by patterns, with or without composing (NFC)
first. Whatever is not fully understood is refused, and the library encodes (`corpora.space_cuts`).
What is said here about the library is what its source does (huggingface/tokenizers 0.21 to 0.23:
`byte_level.rs`, `split.rs`, `bpe/model.rs`, `added_vocabulary.rs`), and each use is proven on samples.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from unicodedata import is_normalized

import numpy as np

from corpora.added_tokens import HARD, Trie, build_trie
from corpora.byte_level import Recipe, merges_to
from corpora.byte_pairs import (
    BYTES_ONLY,
    LARGEST_ID,
    LARGEST_RANK,
    Characters,
    Merges,
    build_merges,
)
from corpora.character_classes import TooManyClassesError
from corpora.character_joins import build_joins
from corpora.piece_cache import PieceCache, cache_of
from corpora.split_automaton import build_splitter
from corpora.split_pattern import Program, UnknownPatternError, parse_pattern
from corpora.written_spaces import Opening

if TYPE_CHECKING:
    from tokenizers import AddedToken

# What a ByteLevel pre-tokenizer splits by, GPT-2's pattern.
BYTE_LEVEL_PATTERN: Final = (
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
)
NEVER_IN_UTF_8: Final = frozenset({0xC0, 0xC1, *range(0xF5, 0x100)})
Stage = tuple[Program, bool]  # a pattern, and whether text between its matches is a piece


class NoRecipeError(ValueError):
    """The tokenizer is not of the usual kind; the text says in what."""


@dataclass(frozen=True, slots=True)
class Native:
    """A recipe, and what is done to the text before it."""

    recipe: Recipe
    composes: bool = False  # the text is put into the form NFC
    raw_tokens: tuple[str, ...] = ()  # those that are sought before the text is composed
    opening: Opening | None = None  # spaces are written as ▁; None: they are not
    hard_tokens: tuple[Trie, Trie] | None = None  # sought before spaces are written


def build_recipe(described: Mapping[str, Any], added: Mapping[int, AddedToken]) -> Native:
    """Return the recipe of a byte-level BPE, given as its JSON and its added tokens by id.

    Raises:
        NoRecipeError: where anything in it is not understood.
    """
    model = described["model"]
    check_model(model)
    composes = _composes(described["normalizer"])
    if composes and not all(is_normalized("NFC", token.content) for token in added.values()):
        raise NoRecipeError("an added token is not composed")
    try:
        stages = _stages(described["pre_tokenizer"])
        splitter = build_splitter(*zip(*stages, strict=True))
    except (UnknownPatternError, TooManyClassesError) as error:
        raise NoRecipeError(f"its pattern: {error}") from error
    merges = merge_table(model, _byte_ids(model["vocab"]))
    pieces = _pieces(model)
    words = build_words(pieces, merges, bool(model.get("ignore_merges")))
    recipe = Recipe(*tries(added), splitter, merges, build_joins(list(pieces)), words)
    raw_tokens = tuple(token.content for token in added.values() if not token.normalized)
    return Native(recipe, composes, raw_tokens)


def tries(added: Mapping[int, AddedToken], all_hard: bool = False) -> tuple[Trie, Trie]:
    """Return the added tokens that are sought in the raw text, and those in the normalised one."""
    kinds: tuple[dict[bytes, int], dict[bytes, int]] = ({}, {})
    for number, token in added.items():
        if token.content:
            is_hard = all_hard or token.lstrip or token.rstrip or token.single_word
            kinds[token.normalized][token.content.encode()] = HARD if is_hard else number
    return build_trie(kinds[False]), build_trie(kinds[True])


def byte_characters() -> dict[str, int]:
    """Return the byte that each of GPT-2's 256 printable characters stands for."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    found = {chr(byte): byte for byte in printable}
    return found | {chr(256 + number): byte for number, byte in enumerate(others)}


def _composes(normalizer: Mapping[str, Any] | None) -> bool:
    if normalizer is None:
        return False
    if normalizer["type"] == "Sequence":
        parts = [_composes(part) for part in normalizer["normalizers"]]  # each may be refused
        return any(parts)
    if normalizer["type"] != "NFC":
        raise NoRecipeError(f"its normalizer is {normalizer['type']}")
    return True


def _stages(pre_tokenizer: Mapping[str, Any] | None) -> list[Stage]:
    """Return the patterns by which text is split, in turn."""
    *splits, last = list(_flat(pre_tokenizer))
    if last["type"] != "ByteLevel" or last["add_prefix_space"]:
        raise NoRecipeError("its last pre-tokenizer is not a plain ByteLevel")
    stages = [_stage(split) for split in splits]
    if last.get("use_regex", True):
        stages.append((parse_pattern(BYTE_LEVEL_PATTERN), True))
    if not stages:
        raise NoRecipeError("it does not split text")
    return stages


def _flat(pre_tokenizer: Mapping[str, Any] | None) -> Iterable[Mapping[str, Any]]:
    if pre_tokenizer is None:
        raise NoRecipeError("it has no pre-tokenizer")
    if pre_tokenizer["type"] != "Sequence":
        yield pre_tokenizer
        return
    for part in pre_tokenizer["pretokenizers"]:
        yield from _flat(part)


def _stage(split: Mapping[str, Any]) -> Stage:
    if split["type"] == "Digits":
        return parse_pattern(r"\p{N}" if split["individual_digits"] else r"\p{N}+"), True
    if split["type"] != "Split":
        raise NoRecipeError(f"its pre-tokenizer {split['type']}")
    pattern = split["pattern"]
    text = pattern["Regex"] if "Regex" in pattern else re.escape(pattern["String"])
    match split["behavior"], split["invert"]:
        case "Isolated", _:
            return parse_pattern(text), True
        case "Removed", True:
            return parse_pattern(text), False
        case behavior, _:
            raise NoRecipeError(f"it splits with the behavior {behavior}")


def check_model(model: Mapping[str, Any]) -> None:
    """Raise NoRecipeError where a model is not a BPE, or one with more to it."""
    if model["type"] != "BPE" or model.get("dropout"):
        raise NoRecipeError(f"its model is {model['type']}")
    if model.get("continuing_subword_prefix") or model.get("end_of_word_suffix"):
        raise NoRecipeError("its pieces have a prefix or a suffix")


def merge_table(
    model: Mapping[str, Any], byte_ids: Sequence[int], characters: Characters = BYTES_ONLY
) -> Merges:
    """Return the merges of a model.

    Raises:
        NoRecipeError: where they are too many.
    """
    vocabulary, listed = model["vocab"], model["merges"]
    if len(listed) > LARGEST_RANK or max(vocabulary.values(), default=0) > LARGEST_ID:
        raise NoRecipeError("its vocabulary is too large")
    pairs = {}
    for rank, (left, right) in enumerate(map(pair_of, listed)):
        pairs[vocabulary[left], vocabulary[right]] = rank, vocabulary[left + right]
    return build_merges(byte_ids, pairs, characters)


def pair_of(merge: str | Sequence[str]) -> Sequence[str]:
    """Return the two pieces of a merge, which older files write as one text."""
    return merge.split(" ") if isinstance(merge, str) else merge


def _byte_ids(vocabulary: Mapping[str, int]) -> list[int]:
    byte_ids = [0] * 256
    for character, byte in byte_characters().items():
        if character in vocabulary:
            byte_ids[byte] = vocabulary[character]
        elif byte not in NEVER_IN_UTF_8:
            raise NoRecipeError(f"its vocabulary lacks the byte {byte:#04x}")
    return byte_ids


def _pieces(model: Mapping[str, Any]) -> dict[bytes, int]:
    """Return the pieces of the vocabulary as bytes, and their ids."""
    bytes_of = byte_characters()
    table = str.maketrans({character: chr(byte) for character, byte in bytes_of.items()})
    return {
        piece.translate(table).encode("latin-1"): number
        for piece, number in model["vocab"].items()
        if piece and bytes_of.keys() >= set(piece)
    }


def build_words(
    pieces: Mapping[bytes, int], merges: Merges, ignore_merges: bool = False
) -> PieceCache:
    """Return the pieces that are one token.

    Those are the pieces that merging makes one token, so that they need not be merged again, and with
    `ignore_merges` all of the vocabulary.
    """
    words, ids = list(pieces), list(pieces.values())
    is_one = np.ones(len(words), bool) if ignore_merges else merges_to(words, ids, merges)
    kept: list[int] = np.flatnonzero(is_one).tolist()
    return cache_of([words[at] for at in kept], [ids[at] for at in kept])
