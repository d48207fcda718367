import pytest

from flows.resources import gpus_of
from pipelines.drift_settings import DriftSettings
from pipelines.gate_settings import GateSettings
from pipelines.index_settings import IndexSettings
from pipelines.settings import ScanSettings

BOTH = ("ngram", "embedding")


@pytest.mark.parametrize("kind", [ScanSettings, GateSettings])
@pytest.mark.parametrize(
    ("settings", "gpus"),
    [
        ({"scanners": BOTH, "device": "cuda"}, 1),
        ({"scanners": BOTH, "device": "auto"}, 0),
        ({"scanners": BOTH, "device": "cpu"}, 0),
        ({"scanners": BOTH, "device": "cuda", "embedding_model": "none"}, 0),
        ({"scanners": ("ngram",), "device": "cuda"}, 0),
    ],
)
def test_what_runs_a_transformer_on_cuda_asks_for_a_gpu(kind, settings, gpus):
    assert gpus_of(kind(**settings)) == gpus


@pytest.mark.parametrize("settings", [IndexSettings(), DriftSettings()])
def test_what_counts_words_asks_for_none(settings):
    assert gpus_of(settings) == 0
