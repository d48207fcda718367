"""What a comparison counts, and the step that profiles by it: both made of settings alone.

A worker on another machine makes the same step of the same settings; `stored_profiles.recipe_of` tells
whether it did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from corpora.token_counter import TokenCounter
from corpora.tokenizer import Tokenizer, load_tokenizer
from indexes.profile import Profile
from indexes.profile.value import TOKENS
from pipelines.domain_sources import domains_of
from pipelines.drift_settings import DriftSettings
from pipelines.profile_step import ProfileStep, TokenUnit


@dataclass(frozen=True, slots=True)
class Unit:
    """What is counted: words of the normal form, or the tokens of a tokenizer."""

    tokenizer: Tokenizer | None
    name: str

    def counted(self) -> TokenUnit | None:
        """Return how tokens are counted; None for words."""
        tokenizer = self.tokenizer
        if tokenizer is None:
            return None
        return TokenUnit(f"{TOKENS}{tokenizer.digest}", lambda: TokenCounter(tokenizer))

    def names(self, profiles: Sequence[Profile]) -> Names:
        """Return what gives keys their texts."""
        return Names(self.tokenizer, profiles)


class Names:
    """The texts of keys: of the tokens of a tokenizer, else of the words of profiles."""

    def __init__(self, tokenizer: Tokenizer | None, profiles: Sequence[Profile]) -> None:
        self._tokenizer = tokenizer
        self._known = [] if tokenizer is not None else [profile.names for profile in profiles]

    def __call__(self, keys: np.ndarray) -> list[str]:
        """Return the text of each key, uint64 (n,); all of them are of one of the profiles."""
        return self.series(keys).to_list()

    def series(self, keys: np.ndarray) -> pl.Series:
        """Return the same as a column."""
        if self._tokenizer is not None:
            token = self._tokenizer.token
            return pl.Series([token(int(key)) for key in keys], dtype=pl.String)
        found = pl.Series([None] * len(keys), dtype=pl.String)
        for names in self._known:
            known = names["key"].to_numpy()
            places = np.searchsorted(known, keys).clip(max=max(len(known) - 1, 0))
            if len(known):
                is_there = pl.Series(known[places] == keys)
                own = names["name"].gather(pl.Series(places, dtype=pl.UInt32))
                found = found.zip_with(~is_there | found.is_not_null(), own)
        return found


def unit_of(settings: DriftSettings) -> Unit:
    """Return what is counted.

    Raises:
        CorpusError: where the tokenizer cannot be read.
    """
    if settings.tokenizer is None:
        return Unit(None, "words")
    return Unit(load_tokenizer(str(settings.tokenizer)), settings.tokenizer.name)


def profile_step(settings: DriftSettings) -> ProfileStep:
    """Return the step of a profile; a tokenizer, rules or examples are read, a classifier is fitted.

    Raises:
        CorpusError: where one of these cannot be read or is wrong.
    """
    domains = domains_of(settings.domain_rules, settings.domain_examples, settings.seed)
    return ProfileStep(settings.batch_bytes, unit_of(settings).counted(), domains)
