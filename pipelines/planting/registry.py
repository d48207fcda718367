"""All forms by name; a module per way of changing an item, a line per form in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from corpora.benchmarks import Item
from pipelines.planting.characters import OTHER_CHARACTERS
from pipelines.planting.edits import EDITED
from pipelines.planting.forms import Form
from pipelines.planting.identifiers import RENAMED
from pipelines.planting.printed import PRINTED
from pipelines.planting.renderings import RENDERED
from pipelines.planting.texts import draw

Paraphrases = Mapping[Item, Sequence[str]]

PARAPHRASE: Final = "paraphrase"
FORMS: Final[dict[str, Form]] = PRINTED | OTHER_CHARACTERS | RENDERED | EDITED | RENAMED


def planted_forms(paraphrases: Paraphrases | None = None) -> dict[str, Form]:
    """Return all forms by name; supplied paraphrases of items (one or several) add one more."""
    if not paraphrases:
        return FORMS

    def plant(item: Item, random: np.random.Generator, _filler: Sequence[str]) -> str | None:
        texts = paraphrases.get(item)
        return draw(texts, random) if texts else None

    what = "a paraphrase that was supplied for the item"
    return FORMS | {PARAPHRASE: Form(plant, "suspect", what, only=paraphrases)}
