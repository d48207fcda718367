"""The heavy libraries, each imported at one place, when it is first needed, or refused in words.

Nothing else imports torch, sentence-transformers or FAISS, so a scan that needs none never loads one.
"""

from __future__ import annotations

import os
import warnings
from importlib import import_module
from typing import Any, Final

from indexes.embeddings.errors import EncoderError

TRANSFORMERS: Final = "pip install 'sluicegate[transformers]'"
SEMANTIC: Final = "pip install 'sluicegate[semantic]'"


def load_torch() -> Any:
    """Return the module torch; EncoderError where it cannot be imported."""
    return _load("torch", TRANSFORMERS)


def load_sentence_transformers() -> Any:
    """Return the module sentence_transformers; EncoderError where it cannot be imported."""
    load_torch()
    # Threads that tokenize are the scan's own; without this the tokenizers warn of every fork.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    return _load("sentence_transformers", TRANSFORMERS)


def load_faiss() -> Any:
    """Return the module faiss, told to use one thread; EncoderError where it cannot be imported.

    The scan has threads of its own, one for each job; those of OpenMP would spin beside them.
    """
    faiss = _load("faiss", SEMANTIC)
    faiss.omp_set_num_threads(1)
    return faiss


def _load(name: str, mend: str) -> Any:
    try:
        with warnings.catch_warnings():  # of SWIG's types, and of what the libraries deprecate
            warnings.simplefilter("ignore")
            return import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name:
            raise EncoderError(f"{name} is not installed", mend) from error
        raise EncoderError(f"{name} lacks the module {error.name!r}", mend) from error
    except (ImportError, OSError) as error:
        first = str(error).strip().partition("\n")[0]
        raise EncoderError(
            f"{name} cannot be imported: {first}", "see sluicegate doctor"
        ) from error
