"""What the calibration battery plants: items in the forms in which they leak, and what is no leak.

A form turns an item into the text that a leaking document would hold, or into None where it does not
apply (choices cannot be shuffled where there are none). Words are those of the normal form, so forms
work in scripts without spaces, too. All randomness comes from the generator that is given, and words
that edits bring in are words of the document that the text is planted into.
"""

from pipelines.planting.forms import Form
from pipelines.planting.nulls import NULLS, Null, Subject
from pipelines.planting.registry import FORMS, PARAPHRASE, Paraphrases, planted_forms
from pipelines.planting.texts import whole, word_texts

__all__ = [
    "FORMS",
    "NULLS",
    "PARAPHRASE",
    "Form",
    "Null",
    "Paraphrases",
    "Subject",
    "planted_forms",
    "whole",
    "word_texts",
]
