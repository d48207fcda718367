"""A sentence-transformers model on a device: batches of tokens in, vectors out.

What decides a text's vector must not depend on its neighbours in a batch. So a text is padded to its own
length rounded up, never to the longest beside it, and meets only texts of that length (the vectors are
then equal in all bits on the processors we tried; see tests/indexes/test_encoder.py).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from indexes.embeddings.errors import EncoderError
from indexes.embeddings.libraries import load_sentence_transformers, load_torch

PAD_TO: Final = 16  # tokens
CPU_BATCH: Final = 8  # texts: on two cores 8 were 22 % faster than 32, and no slower than 1
CUDA_TOKENS: Final = 1 << 16  # of a batch on a CUDA device


class Prepared:
    """Texts as a model reads them: `lengths` in tokens as padded, 0 for all where there are no pads."""

    def __init__(self, features: dict[str, Any], rows: int) -> None:
        self.features = features
        self.lengths = np.zeros(rows, np.int64)
        self.tokens = np.zeros(rows, np.int64)  # without pads, after cutting
        mask = features.get("attention_mask")
        if mask is not None:
            self.tokens = mask.sum(1).numpy().astype(np.int64)
            self.lengths = np.minimum(-(-self.tokens // PAD_TO) * PAD_TO, mask.shape[1])
            self._pads_left = bool((mask[:, 0] == 0).any())

    def part(self, rows: np.ndarray, device: str) -> dict[str, Any]:
        """Return the features of rows of one length, without the pads of longer ones."""
        mask = self.features.get("attention_mask")
        if mask is None:
            return dict(self.features)
        width, length = mask.shape[1], int(self.lengths[rows[0]])
        columns = slice(width - length, width) if self._pads_left else slice(0, length)
        return {
            name: value[rows][:, columns].to(device)
            if getattr(value, "shape", None) == mask.shape
            else value
            for name, value in self.features.items()
        }


class SentenceNetwork:
    """The network of a folder that `model_files.check_model` has passed; `half`: 16 bits a number.

    On the CPU torch is told to use one thread, for all of the process: its own scale badly at this size
    (1.04 times for two), and spin where the scan's threads are at work. Threads may share a network.

    Raises:
        EncoderError: the libraries are missing, or the model cannot be loaded.
    """

    def __init__(self, folder: Path, device: str, *, half: bool) -> None:
        library, self._torch = load_sentence_transformers(), load_torch()
        try:
            self._model = library.SentenceTransformer(
                str(folder), device=device, local_files_only=True, trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            first = str(error).strip().partition("\n")[0]
            raise EncoderError(f"{folder} cannot be loaded: {first}", "name a model") from error
        self._model = (self._model.half() if half else self._model.float()).eval()
        self.device = device
        self.dimension = int(self._model.get_embedding_dimension())
        longest = self._model.max_seq_length
        self.longest = int(longest) if longest is not None and longest < 1 << 30 else None
        self._pads = hasattr(self._model[0], "processing_kwargs")
        self._lock = threading.Lock()  # a tokenizer is told how to pad before it is used
        if device == "cpu":
            self._torch.set_num_threads(1)

    def prepare(self, texts: Sequence[str], prompt: str) -> Prepared:
        """Return texts as tokens, cut at the longest that the model reads."""
        more = {"processing_kwargs": {"text": {"pad_to_multiple_of": PAD_TO}}} if self._pads else {}
        with self._lock:
            features = self._model.preprocess(list(texts), prompt=prompt or None, **more)
        return Prepared(features, len(texts))

    def batch_rows(self, length: int) -> int:
        """Return how many texts of this many tokens make a batch; all where nothing is padded."""
        if length == 0:
            return 1 << 30
        if self.device == "cpu":
            return CPU_BATCH
        return max(1, CUDA_TOKENS // length)

    def vectors(self, prepared: Prepared, rows: np.ndarray) -> np.ndarray:
        """Return the vectors of rows of one length: float32 (rows, dimension), of any length."""
        with self._torch.inference_mode():
            out = self._model(prepared.part(rows, self.device))["sentence_embedding"]
            found: np.ndarray = out.float().cpu().numpy()
        return found

    def n_tokens(self, texts: Sequence[str]) -> np.ndarray:
        """Return the tokens of each text, nothing cut: int64."""
        tokenizer = self._model.tokenizer
        with self._lock:
            if callable(tokenizer):
                rows = tokenizer(list(texts), truncation=False, padding=False, verbose=False)
                return np.array([len(row) for row in rows["input_ids"]], np.int64)
            found = tokenizer.encode_batch(list(texts), add_special_tokens=False)
            return np.array([len(row.ids) for row in found], np.int64)
