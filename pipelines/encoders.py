"""Which transformer the embedding scanner asks, and how a run names its models."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from indexes.embeddings.encoder import Encoder, load_encoder
from indexes.embeddings.model_files import packaged_folder
from indexes.embeddings.static import load_static
from pipelines.settings import SearchSettings
from scanners.examine import EMBEDDING

NO_MODEL: Final = "none"
LIBRARY: Final = "sentence_transformers"


def encoder_of(settings: SearchSettings) -> Encoder | None:
    """Return the transformer that the settings name.

    None where the embedding scanner is not asked for, where none is wanted, and where none is named
    and the packaged one is not installed.

    Raises:
        EncoderError: the model that is named, or the device, cannot be used.
    """
    if EMBEDDING not in settings.scanners or settings.embedding_model == NO_MODEL:
        return None
    if settings.embedding_model is None and (packaged_folder() is None or not find_spec(LIBRARY)):
        return None
    return load_encoder(settings.embedding_model, settings.device)


def model_names(settings: SearchSettings, encoder: Encoder | None) -> dict[str, str]:
    """Return the names of the models that a scan used, with what tells them from others."""
    if EMBEDDING not in settings.scanners:
        return {}
    static = load_static().card
    return {
        "static_model": f"{static.name} ({static.fingerprint})",
        "embedding_model": NO_MODEL
        if encoder is None
        else f"{encoder.card.name} ({encoder.card.fingerprint})",
    }
