"""Rules that tell the domain of a document from its shard's path, its id and one column.

    rules:
      - domain: code_python
        path: "*.py"
      - domain: docs
        value: ["*.readthedocs.io/*", "https://docs.*"]
      - domain: code_python
        path: "github/*"
        id: "*.py"
    default: web

The first rule that fits wins; a document that none fits gets `default`, or no domain without one.

* `path` is the path of the shard as findings show it, a URL without its query. A part of a corpus
  that is one file is best told by its path.
* `id` is the document's id (`--id COLUMN`).
* `value` is what stands in the domain column, and that column is chosen by `--domain`: with
  `--domain url` the rules see URLs, with `--domain meta.source` the names of sources. Where a mix names
  the domain of a source, `value` is that domain. Rows without the column have no value and no id, and
  only rules without these keys fit them.

Each is a pattern or a list of patterns, of which one must fit; a rule with two keys wants both. A
pattern fits the whole text, and case counts: `*` is any run of characters, slashes too, `?` any one
character, `[a-z]` one of these, `[!a-z]` one of the others, and `[*]` an asterisk.
"""

import hashlib
from dataclasses import dataclass
from typing import Annotated, Final

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from corpora.documents import Batch
from corpora.domain_source import DomainOrigin, DomainSource
from corpora.globs import Patterns, any_fits
from corpora.places import is_url
from corpora.yaml_file import Strict, read_yaml

KIND: Final = "rules for domains (YAML with the key rules)"

_Name = Annotated[str, Field(min_length=1)]


class Rule(Strict):
    """Patterns by what they look at, and the domain of the documents that they fit."""

    domain: _Name
    path: Patterns | None = None
    id: Patterns | None = None
    value: Patterns | None = None

    @model_validator(mode="after")
    def _looks_at_something(self) -> "Rule":
        if self.path is None and self.id is None and self.value is None:
            raise ValueError("the rule has no pattern; give path, id or value, or use default")
        return self


class Rules(Strict):
    """The rules of a file in order, and the domain of what none of them fits."""

    rules: tuple[Rule, ...] = Field(min_length=1)
    default: _Name | None = None


@dataclass(frozen=True, slots=True)
class DomainRules:
    """Rules that are ready to be used; `label` is a `Labeller`."""

    rules: Rules
    source: DomainSource

    def label(self, batch: Batch) -> pa.LargeStringArray:
        """The domain of each document of a batch; null where no rule fits and there is no default."""
        rules = self.rules.rules
        domains = [*(rule.domain for rule in rules), self.rules.default]
        chosen = pa.repeat(pa.scalar(len(rules), pa.int32()), len(batch.rows))
        for place in reversed(range(len(rules))):
            chosen = pc.if_else(_fits(rules[place], batch), pa.scalar(place, pa.int32()), chosen)
        return pa.array(domains, pa.large_string()).take(chosen)


def read_rules(path: str) -> DomainRules:
    """Read and check a file of rules; raises CorpusError naming file, line, key and mend."""
    file = read_yaml(path, Rules, KIND)
    rules = file.value
    # of what the rules say: a comment in the file does not make stored profiles worthless
    meaning = hashlib.sha256(rules.model_dump_json().encode()).hexdigest()
    source = DomainSource(
        DomainOrigin.RULES,
        path,
        file.digest,
        identity=f"rules:{meaning}",
        looks_at_paths=any(rule.path is not None for rule in rules.rules),
        given=tuple(dict.fromkeys(rule.domain for rule in rules.rules)),
        default=rules.default,
    )
    return DomainRules(rules, source)


def _fits(rule: Rule, batch: Batch) -> pa.BooleanArray | pa.BooleanScalar:
    """Whether a rule fits each document, or, if it only looks at the path, all of them."""
    fits = pa.scalar(True)
    path = batch.shard.path.partition("?")[0] if is_url(batch.shard.path) else batch.shard.path
    looked_at = (rule.path, pa.scalar(path)), (rule.id, batch.ids), (rule.value, batch.domains)
    for patterns, texts in looked_at:
        if patterns is not None:
            fits = pc.and_(fits, any_fits(patterns, texts))
    return fits
