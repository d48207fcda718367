"""Profiles: mergeable statistics of documents, the ground on which drift is measured."""

from indexes.profile.builder import ProfileBuilder
from indexes.profile.file import ProfileError, from_bytes, to_bytes
from indexes.profile.merging import merge, weighted
from indexes.profile.sketches import duplicate_share, near_agreement
from indexes.profile.value import (
    GROUPS,
    LENGTH_EDGES,
    MOST_WORDS,
    RARE,
    RARE_NAME,
    WORDS,
    Profile,
    codes_of,
    empty_profile,
    names_of,
)  # fmt: skip
from indexes.tally_folds import FOLDS

__all__ = [
    "FOLDS", "GROUPS", "LENGTH_EDGES", "MOST_WORDS", "RARE", "RARE_NAME", "WORDS", "Profile",
    "ProfileBuilder", "ProfileError", "codes_of", "duplicate_share", "empty_profile", "from_bytes",
    "merge", "names_of", "near_agreement", "to_bytes", "weighted",
]  # fmt: skip
