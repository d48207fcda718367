"""The recipe of a BPE over characters that writes spaces as ▁: Llama 2, Mistral, Gemma and their kin.

As SentencePiece does it: whole texts are merged, and a character that the vocabulary lacks becomes
its bytes. No token has a ▁ behind another character, so a text can be cut before each run of ▁
(`corpora.token_recipe` has the rest: what is not understood is refused, what is understood is proven).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from corpora.added_tokens import build_trie
from corpora.byte_level import Recipe
from corpora.byte_pairs import NO_CHARACTER, Characters
from corpora.character_classes import N_PAGES, PAGE, as_pages
from corpora.character_joins import build_joins
from corpora.split_automaton import build_splitter
from corpora.split_pattern import parse_pattern
from corpora.token_recipe import (
    NEVER_IN_UTF_8,
    Native,
    NoRecipeError,
    build_words,
    check_model,
    merge_table,
    pair_of,
    tries,
)
from corpora.written_spaces import MARK, Opening

if TYPE_CHECKING:
    from tokenizers import AddedToken

BYTE_TOKEN: Final = re.compile("<0x([0-9A-F]{2})>")
RUNS_OF_MARKS: Final = f"{MARK}*[^{MARK}]+|{MARK}+"
EACH_MARK: Final = f"{MARK}[^{MARK}]*|[^{MARK}]+"
CROSSING: Final = re.compile(f"[^{MARK}]{MARK}")
REPLACE: Final = {"type": "Replace", "pattern": {"String": " "}, "content": MARK}
PREPEND: Final = {"type": "Prepend", "prepend": MARK}
SPLIT_AT_SPACES: Final = {"type": "Split", "pattern": {"String": " "}}


def build_spaced_recipe(described: Mapping[str, Any], added: Mapping[int, AddedToken]) -> Native:
    """Return the recipe of a tokenizer, given as its JSON and its added tokens by id.

    Raises:
        NoRecipeError: where anything in it is not understood.
    """
    model = described["model"]
    check_model(model)
    if not model.get("byte_fallback") or model.get("ignore_merges"):
        raise NoRecipeError("it has no bytes for characters that it lacks")
    opening, is_split = _writing(described["normalizer"], described["pre_tokenizer"])
    merges = merge_table(model, *_characters(model["vocab"]))
    if not is_split and any(map(CROSSING.search, model["vocab"])):
        raise NoRecipeError("its tokens reach across words")
    pieces = {
        piece.encode(): number
        for piece, number in model["vocab"].items()
        if piece and not BYTE_TOKEN.fullmatch(piece)
    }
    if any(BYTE_TOKEN.fullmatch(part) for merge in model["merges"] for part in pair_of(merge)):
        raise NoRecipeError("it merges bytes")
    hard, soft = _sought(added, opening)
    recipe = Recipe(
        build_trie(soft),
        build_trie({}),
        build_splitter([parse_pattern(EACH_MARK if is_split else RUNS_OF_MARKS)], [True]),
        merges,
        build_joins(list(pieces)),
        build_words(pieces, merges),
    )
    return Native(
        recipe,
        composes=False,
        raw_tokens=(),
        opening=opening,
        hard_tokens=tries(hard, all_hard=True),
    )


def _writing(
    normalizer: Mapping[str, Any] | None, pre_tokenizer: Mapping[str, Any] | None
) -> tuple[Opening, bool]:
    """Return what is put before a text, and whether it is split at each ▁."""
    parts = [normalizer] if normalizer else []
    if normalizer and normalizer["type"] == "Sequence":
        parts = normalizer["normalizers"]
    if any(part not in (REPLACE, PREPEND) for part in parts) or parts.count(PREPEND) > 1:
        raise NoRecipeError("its normalizer does more than write spaces")
    opening = Opening.MARK if PREPEND in parts else Opening.NOTHING
    if pre_tokenizer and pre_tokenizer["type"] == "Metaspace" and not parts:
        if pre_tokenizer["replacement"] != MARK:
            raise NoRecipeError("it writes spaces in its own way")
        if pre_tokenizer["prepend_scheme"] != "never":
            opening = Opening.MARK_UNLESS_THERE
        return opening, pre_tokenizer["split"]
    is_idle = pre_tokenizer is None or SPLIT_AT_SPACES.items() <= pre_tokenizer.items()
    if REPLACE not in parts or not is_idle:
        raise NoRecipeError("it does not write spaces, or splits text at other places")
    return opening, False


def _characters(vocabulary: Mapping[str, int]) -> tuple[list[int], Characters]:
    """Return the ids of bytes, and of all characters of the vocabulary."""
    byte_ids = [0] * 256
    for byte in range(256):
        name = f"<0x{byte:02X}>"
        if name in vocabulary:
            byte_ids[byte] = vocabulary[name]
        elif byte not in NEVER_IN_UTF_8:
            raise NoRecipeError(f"its vocabulary lacks the byte {name}")
    dense = np.full(N_PAGES * PAGE, NO_CHARACTER, np.uint32)
    for piece, number in vocabulary.items():
        if len(piece) == 1:
            dense[ord(piece)] = number
    return byte_ids, Characters(*as_pages(dense))


def _sought(
    added: Mapping[int, AddedToken], opening: Opening
) -> tuple[dict[int, AddedToken], dict[bytes, int]]:
    """Return the added tokens by which a document is left to the library, and those that are looked for.

    The latter are those that look the same with spaces written, where nothing is put behind them.
    """
    hard: dict[int, AddedToken] = {}
    soft: dict[bytes, int] = {}
    for number, token in added.items():
        has_space = " " in token.content or MARK in token.content
        looks_round = token.lstrip or token.rstrip or token.single_word
        if token.normalized and (has_space or looks_round):
            raise NoRecipeError("an added token is sought in normalised text")
        if opening != Opening.NOTHING or has_space or looks_round or token.normalized:
            hard[number] = token
        elif token.content:
            soft[token.content.encode()] = number
    return hard, soft
