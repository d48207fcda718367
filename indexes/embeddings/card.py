"""What a model is: everything that decides which vector a text gets, as a value with a fingerprint.

An index names the card of the model that made it. Another card is refused, with the difference in words;
probe sentences, embedded again when an index is opened, catch what no card can say (another library, a
device whose arithmetic is off).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

PROBES: Final = (
    "A train leaves at 9:40 and arrives after 2 hours and 35 minutes; when does it arrive?",
    "Which gas do plants take from the air for photosynthesis?",
    "The committee postponed its decision until the auditors had reported.",
    "def mean(values): return sum(values) / len(values)",
    "Mrs. Okafor buys 3 boxes of 12 eggs and drops 5 of them on the way home.",
    "Der Zug fährt um 9:40 Uhr ab und kommt um 12:15 Uhr an.",
    "¿Qué gas toman las plantas del aire?",
    "The treaty of 1648 ended a war of thirty years.",
)
# Half and single precision, or two processors, agree to 0.9999 and better; 8-bit weights, which need
# thresholds of their own, reach 0.98 to 0.998 (shared/reference/embeddings-and-faiss.md, 2 and 6).
LEAST_AGREEMENT: Final = 0.999


class ModelCard(BaseModel):
    """What decides a text's vector. The device and the precision of its arithmetic do not belong to it.

    `normal_form` is that of the words a model is given, or "" where it is given the text as it stands;
    `dtype` is what the weights are stored as.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    files: dict[str, str]  # path within the model's folder -> SHA-256
    dimension: int = Field(ge=1)
    longest: int | None = Field(default=None, ge=1)  # tokens that are read of a text; None: all
    pooling: str = "mean"
    prompt: str = ""  # put before every text
    normal_form: str = ""
    dtype: str = "float32"

    @property
    def fingerprint(self) -> str:
        """Return 32 hexadecimal digits, equal where all but the name is equal."""
        content = self.model_dump(mode="json", exclude={"name"})
        text = json.dumps(content, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def differences(self, other: ModelCard) -> list[str]:
        """Return what `other` has otherwise, one short line each; nothing where they agree."""
        mine, its = self.model_dump(exclude={"name", "files"}), other.model_dump()
        lines = [
            f"{field} {its[field]!r} instead of {value!r}"
            for field, value in mine.items()
            if its[field] != value
        ]
        changed = sorted(
            path
            for path in self.files.keys() | other.files.keys()
            if self.files.get(path) != other.files.get(path)
        )
        return [*lines, *(f"another {path}" for path in changed)]


def probe_vectors(encode: Callable[[Sequence[str]], np.ndarray]) -> np.ndarray:
    """Return the vectors of the probe sentences: float16 (probes, dimension)."""
    return encode(PROBES).astype(np.float16)


def agreement(stored: np.ndarray, now: np.ndarray) -> float:
    """Return the least cosine, in [-1, 1], between stored and present vectors of the probes.

    A probe that one side has as zeros (a model without its letters) agrees only if both have it so; what
    is no number agrees with nothing (0), nor does another shape (-1).
    """
    if stored.shape != now.shape:
        return -1.0
    a, b = stored.astype(np.float64), now.astype(np.float64)
    sizes_a, sizes_b = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
    sizes = sizes_a * sizes_b
    cosines = np.where(
        sizes > 0, (a * b).sum(axis=1) / np.where(sizes > 0, sizes, 1), sizes_a == sizes_b
    )
    return float(np.min(cosines, initial=1.0))
