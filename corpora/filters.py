"""Which documents of a source belong to a mix: patterns on their ids and on their domain column."""

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import model_validator

from corpora.columns import Documents
from corpora.globs import Patterns, any_fits
from corpora.yaml_file import Strict


class ValueFilter(Strict):
    """A document stays if its value fits one of `keep` (where that is given) and none of `drop`."""

    keep: Patterns | None = None
    drop: Patterns | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "ValueFilter":
        if self.keep is None and self.drop is None:
            raise ValueError("give keep or drop, patterns of what stays or goes")
        return self


class Filters(Strict):
    """A document must pass all of them; `domain` looks at the domain column, not at the mix's domain."""

    id: ValueFilter | None = None
    domain: ValueFilter | None = None

    @model_validator(mode="after")
    def _looks_at_something(self) -> "Filters":
        if self.id is None and self.domain is None:
            raise ValueError("give id or domain, the column to look at")
        return self


def filtered(found: Documents, filters: Filters) -> Documents:
    """The documents that pass; rows keep their numbers. A document without a value fits no pattern."""
    passes = pa.array([True] * len(found.rows))
    for rule, values in ((filters.id, found.ids), (filters.domain, found.domains)):
        if rule is None:
            continue
        if rule.keep is not None:
            passes = pc.and_(passes, any_fits(rule.keep, values))
        if rule.drop is not None:
            passes = pc.and_(passes, pc.invert(any_fits(rule.drop, values)))
    return Documents(
        found.rows[passes.to_numpy(zero_copy_only=False)],
        found.texts.filter(passes),
        found.ids.filter(passes),
        found.domains.filter(passes),
    )
