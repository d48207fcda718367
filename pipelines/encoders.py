"""Which transformer the embedding scanner asks, and how a run names its models."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from indexes.embeddings.encoder import Encoder, load_encoder
from indexes.embeddings.model_files import packaged_folder
from indexes.embeddings.probes import translation_scale
from indexes.embeddings.static import load_static
from pipelines.settings import SearchSettings
from scanners.examine import EMBEDDING

NO_MODEL: Final = "none"
LIBRARY: Final = "sentence_transformers"


def encoder_of(settings: SearchSettings) -> Encoder | None:
    """Return the transformer that the settings name.

    None where the embedding scanner is not asked for, where none is wanted, and where none is named
    or needed and the packaged one is not installed.

    Raises:
        EncoderError: the model that is named, or the device, cannot be used, or translations are asked
            for and the model does not bring them together.
    """
    if EMBEDDING not in settings.scanners or settings.embedding_model == NO_MODEL:
        return None
    is_there = packaged_folder() is not None and find_spec(LIBRARY) is not None
    is_needed = settings.translations or not settings.prefilter
    if settings.embedding_model is None and not is_needed and not is_there:
        return None
    encoder = load_encoder(settings.embedding_model, settings.device)
    if settings.translations:
        translation_scale(encoder)  # refused now, before anything is read
    return encoder


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
