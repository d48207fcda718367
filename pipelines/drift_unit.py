"""What a comparison counts, and the step that profiles by it: both made of settings alone.

A worker on another machine makes the same step of the same settings; `stored_profiles.recipe_of` tells
whether it did.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

    def names(self, profiles: Sequence[Profile]) -> Callable[[np.ndarray], list[str]]:
        """Return what gives keys their texts."""
        if self.tokenizer is not None:
            token = self.tokenizer.token
            return lambda keys: [token(int(key)) for key in keys]
        known = pl.concat([profile.names for profile in profiles]).unique("key").sort("key")
        sorted_keys, texts = known["key"].to_numpy(), known["name"]

        def of(keys: np.ndarray) -> list[str]:
            return texts.gather(np.searchsorted(sorted_keys, keys)).to_list()

        return of


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
