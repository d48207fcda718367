"""What a step asks of the machine it runs on, told from its settings alone."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel

GPU: Final = "GPU"  # the name of the resource, on Dask and on Ray


def gpus_of(settings: BaseModel) -> int:
    """Return the GPUs that one step of these settings asks for: one where it is told to use CUDA.

    Only a transformer uses one: a search without the embedding scanner asks for none, and neither does what
    is made of static vectors. With the device "auto" a step takes what it finds, and asks for nothing.
    """
    scanners = getattr(settings, "scanners", ("embedding",))
    model = getattr(settings, "embedding_model", None)
    is_asked = getattr(settings, "device", None) == "cuda"
    return int(is_asked and "embedding" in scanners and model not in ("none", "static"))
