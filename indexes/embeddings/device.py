"""Which device does the work: asked for by name, resolved here and nowhere else."""

from __future__ import annotations

import warnings
from typing import Any, Final

from indexes.embeddings.errors import EncoderError
from indexes.embeddings.libraries import load_torch

DEVICES: Final = ("auto", "cpu", "cuda")


def resolve_device(asked: str) -> str:
    """Return "cpu" or "cuda"; `auto` is CUDA where torch sees a device, and never an error.

    Raises:
        EncoderError: CUDA was asked for and torch is missing, built for the CPU, or sees no device.
    """
    if asked not in DEVICES:
        raise EncoderError(f"device {asked!r} is none", f"name one of {', '.join(DEVICES)}")
    if asked == "cpu":
        return "cpu"
    try:
        reason = cuda_problem(load_torch())
    except EncoderError as error:
        if asked == "auto":
            return "cpu"
        raise EncoderError(f"device 'cuda' needs torch: {error.reason}", error.mend) from error
    if reason is None:
        return "cuda"
    if asked == "auto":
        return "cpu"
    raise EncoderError(f"device 'cuda' cannot be used: {reason}", "use --device auto or cpu")


def cuda_problem(torch: Any) -> str | None:
    """Return why torch cannot use a CUDA device, in words; None where it can."""
    if torch.version.cuda is None:
        return f"torch {torch.__version__} is a build for the CPU"
    with warnings.catch_warnings(record=True) as said:  # torch warns of drivers that do not fit
        warnings.simplefilter("always")
        if torch.cuda.is_available():
            return None
    why = f" ({str(said[0].message).strip().partition(chr(10))[0]})" if said else ""
    return f"torch {torch.__version__} sees no device{why}: no GPU here, or no driver for it"
