"""Exact token ids of documents, in batches, as fast as they can be had.

`TokenCounter` chooses the way (`corpora.token_proof`), keeps what it has learnt from batch to batch, and
compares stretches of each batch with the library. Where they differ, it goes on with a coarser cut, and
says so.
"""

from __future__ import annotations

import numpy as np

from corpora.token_encoders import Cut, make_encoder
from corpora.token_proof import agrees, excerpts, finest_cut
from corpora.tokenizer import Tokenizer


class TokenCounter:
    """Turns documents into token ids; one for each thread.

    `cut` is where text is cut now. The ids of a batch do not depend on the batches before it, but for
    the cut: where `fell_back` is true after a batch, a sample of it was not right with the finer cut,
    and the earlier batches of the shard are to be done again (without `begin_shard`).
    """

    def __init__(self, tokenizer: Tokenizer, cut: Cut | None = None) -> None:
        self.tokenizer = tokenizer
        self._finest = finest_cut(tokenizer) if cut is None else cut
        self._encoders = {self._finest: make_encoder(tokenizer, self._finest)}
        self.cut = self._finest

    @property
    def fell_back(self) -> bool:
        """Whether the cut became coarser since the shard began."""
        return self.cut != self._finest

    def begin_shard(self) -> None:
        """Go back to the finest cut."""
        self.cut = self._finest

    def tokens(self, data: np.ndarray, bounds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the ids of documents `data[bounds[d]:bounds[d + 1]]`, and where each document's end.

        `data` is uint8 of valid UTF-8, `bounds` int64 (n + 1,) that need not begin with 0. The ids are uint32
        (m,), the ends int64 (n + 1,) beginning with 0: document d has `ids[ends[d]:ends[d + 1]]`. No
        special tokens are put around a document.
        """
        while self.cut != Cut.WHOLE:
            encoder = self._encoders.setdefault(self.cut, make_encoder(self.tokenizer, self.cut))
            if agrees(self.tokenizer, encoder, *excerpts(data, bounds, self.cut)):
                return encoder.encode(data, bounds)
            self.cut = Cut(self.cut - 1)
        return make_encoder(self.tokenizer, Cut.WHOLE).encode(data, bounds)
