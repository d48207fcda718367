"""Texts to vectors of unit length, in batches of one length, the same on every device.

`load_encoder` gives the transformer of the embedding scanner's second stage. The same code serves CPU and
CUDA: a device has batches of its own size, and CUDA computes in half precision.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

import numpy as np

from indexes.embeddings.card import ModelCard
from indexes.embeddings.device import resolve_device
from indexes.embeddings.errors import EncoderError
from indexes.embeddings.model_files import check_model, model_card, model_folder, own_prompt
from indexes.embeddings.network import Prepared, SentenceNetwork

__all__ = ["Encoder", "EncoderError", "SentenceEncoder", "load_encoder"]

CHUNK: Final = 1024  # texts that are tokenized at a time, sorted by length


class Encoder(Protocol):
    """A model of texts."""

    card: ModelCard

    @property
    def dimension(self) -> int:
        """Return how long a vector is."""
        ...

    @property
    def longest(self) -> int | None:
        """Return how many tokens of a text are read; None: all."""
        ...

    @property
    def truncated(self) -> int:
        """Return how many texts were cut at `longest` so far, each as often as it was given."""
        ...

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return float32 (texts, dimension): rows of unit length, zeros for texts without words."""
        ...

    def n_tokens(self, texts: Sequence[str]) -> np.ndarray:
        """Return the tokens of each text, the prompt's and special ones included: int64 (texts,)."""
        ...


class Network(Protocol):
    """What computes: `indexes.embeddings.network.SentenceNetwork`."""

    dimension: int
    longest: int | None

    def prepare(self, texts: Sequence[str], prompt: str) -> Prepared: ...

    def batch_rows(self, length: int) -> int: ...

    def vectors(self, prepared: Prepared, rows: np.ndarray) -> np.ndarray: ...

    def n_tokens(self, texts: Sequence[str]) -> np.ndarray: ...


def load_encoder(
    model: str | None = None, device: str = "auto", *, prompt: str | None = None
) -> SentenceEncoder:
    """Return the encoder of a model: None is the packaged one, a folder, or a name on the hub.

    `prompt` stands before every text; None is what the model's makers put before queries. Nothing is
    fetched unless the user has set HF_HUB_OFFLINE=0, no pickle is read and no code of a model is run.

    Raises:
        EncoderError: the model, the device or a library is missing, with what to install.
    """
    resolved = resolve_device(device)
    name, folder = model_folder(model)
    check_model(folder)
    network = SentenceNetwork(folder, resolved, half=resolved != "cpu")
    card = model_card(
        name,
        folder,
        dimension=network.dimension,
        longest=network.longest,
        prompt=own_prompt(folder) if prompt is None else prompt,
    )
    return SentenceEncoder(network, card)


class SentenceEncoder:
    """An encoder over a network; threads may share it.

    Equal texts are computed once. Row i is text i's, and does not depend on the texts beside it.
    """

    def __init__(self, network: Network, card: ModelCard) -> None:
        self.card = card
        self._network = network
        self._lock = threading.Lock()
        self._truncated = 0

    @property
    def dimension(self) -> int:
        """Return how long a vector is."""
        return self._network.dimension

    @property
    def longest(self) -> int | None:
        """Return how many tokens of a text are read; None: all."""
        return self._network.longest

    @property
    def truncated(self) -> int:
        """Return how many texts were cut at `longest` so far, each as often as it was given."""
        return self._truncated

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return float32 (texts, dimension): rows of unit length, zeros for texts without words.

        Raises:
            EncoderError: the network gave what is no number.
        """
        out = np.zeros((len(texts), self.dimension), np.float32)
        places: dict[str, list[int]] = {}
        for place, text in enumerate(texts):
            if text and not text.isspace():
                places.setdefault(text, []).append(place)
        ordered = sorted(places, key=lambda text: (len(text), text))
        for first in range(0, len(ordered), CHUNK):
            chunk = ordered[first : first + CHUNK]
            prepared = self._network.prepare(chunk, self.card.prompt)
            self._count_cut(chunk, prepared, places)
            vectors = np.zeros((len(chunk), self.dimension), np.float32)
            for rows in batches(prepared.lengths, self._network.batch_rows):
                vectors[rows] = self._network.vectors(prepared, rows)
            if not np.isfinite(vectors).all():
                raise EncoderError(
                    f"{self.card.name} gave vectors that are no numbers", "try --device cpu"
                )
            for text, vector in zip(chunk, unit_rows(vectors), strict=True):
                out[places[text]] = vector
        return out

    def n_tokens(self, texts: Sequence[str]) -> np.ndarray:
        """Return the tokens of each text, the prompt's and special ones included: int64 (texts,)."""
        if not texts:
            return np.zeros(0, np.int64)
        return self._network.n_tokens([self.card.prompt + text for text in texts])

    def _count_cut(
        self, chunk: list[str], prepared: Prepared, places: dict[str, list[int]]
    ) -> None:
        """Count the texts that were cut; only those that fill the model are tokenized again."""
        if self.longest is None:
            return
        full = [chunk[row] for row in np.flatnonzero(prepared.tokens >= self.longest).tolist()]
        n_tokens = self.n_tokens(full).tolist()
        cut = sum(
            len(places[text])
            for text, n in zip(full, n_tokens, strict=True)
            if n > self.longest
        )  # fmt: skip
        with self._lock:
            self._truncated += cut


def batches(lengths: np.ndarray, rows_of: Callable[[int], int]) -> Iterator[np.ndarray]:
    """Yield the rows of each batch: all of one length, `rows_of(length)` at most, the longest first.

    The largest batch comes first, so a device whose memory does not suffice says so at once.
    """
    order = np.argsort(-lengths, kind="stable")
    starts = np.flatnonzero(np.diff(lengths[order], prepend=-1))
    for group in np.split(order, starts[1:]):
        if len(group):
            most = rows_of(int(lengths[group[0]]))
            for first in range(0, len(group), most):
                yield group[first : first + most]


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Return float32 rows of unit length; rows of zeros stay zeros."""
    sizes = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))[:, None]
    return np.divide(vectors, sizes, out=np.zeros_like(vectors, np.float32), where=sizes > 0)
