"""Where the domains of documents come from: a column, rules, or a classifier.

A column (or `domain` in a mix) needs nothing: `Batch.domains` holds it. Rules (`corpora.domain_rules`)
and the classifier (`scanners.domain_classifier`) give each batch new domains, through one function, a
`Labeller`. A `DomainSource` says for the report which it was and how far it can be trusted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pyarrow as pa

from corpora.documents import Batch

# The domain of each document, null where it has none; safe to call from several threads.
Labeller = Callable[[Batch], pa.LargeStringArray]


class DomainOrigin(StrEnum):
    """Who says what domain a document is of."""

    COLUMN = "column"
    RULES = "rules"
    CLASSIFIER = "classifier"


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """How a classifier did on examples that it was not fitted on.

    `confusion`: int64 (K, K), `[true, predicted]` examples; domains in the order of `domains`.
    """

    domains: Sequence[str]
    confusion: np.ndarray

    @property
    def examples(self) -> int:
        """How many examples were held out, each once."""
        return int(self.confusion.sum())

    @property
    def right(self) -> int:
        """How many of them got their own domain."""
        return int(np.trace(self.confusion))

    @property
    def accuracy(self) -> float:
        """`right` / `examples`, in [0, 1]."""
        return self.right / self.examples

    @property
    def recalls(self) -> np.ndarray:
        """float64 (K,): of the examples of each domain, the share that got it."""
        shares: np.ndarray = np.diagonal(self.confusion) / self.confusion.sum(axis=1)
        return shares


@dataclass(frozen=True, slots=True)
class DomainSource:
    """Where domains come from.

    Attributes:
        origin: a column, rules or a classifier.
        file: of the rules or of the examples, as the user named it.
        digest: SHA-256 of that file's bytes, in hexadecimal.
        identity: equal identities give a document equal domains; "" for a column.
        looks_at_paths: whether a document's domain depends on the path of its shard, so that a stored
            profile holds for that path only.
        given: the domains that rules give.
        default: the domain of documents that no rule fits; None: they have none.
        held_out: of a classifier.
    """

    origin: DomainOrigin = DomainOrigin.COLUMN
    file: str | None = None
    digest: str | None = None
    identity: str = ""
    looks_at_paths: bool = False
    given: tuple[str, ...] = ()
    default: str | None = None
    held_out: HeldOut | None = None
