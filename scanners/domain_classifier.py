"""A classifier of domains for corpora without a usable domain column, fitted on labelled examples.

A linear model on hashed words and signs (`scanners.domain_features`): logistic regression by averaged
stochastic gradient descent, one domain against the rest, from scikit-learn (the extra `[classifier]`),
which is needed to fit and not to classify. Each example counts in inverse proportion to the size of its
domain: the shares of the examples say nothing about those of the corpus.

How well it does is measured by 5-fold cross-validation: every example is held out once. Examples that
are alike in all that the classifier sees are in one fold. Examples that are near copies, or parts of
one file, can still be on both sides, and a later version brings sources that no example is from: on new
data expect less than the measured accuracy.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa
from scipy import sparse

from corpora.documents import Batch
from corpora.domain_source import HeldOut
from corpora.problems import CorpusError
from scanners.domain_features import BUCKETS, CUT_BYTES, best_domains, document_buckets

FOLDS: Final = 5
LEAST_EXAMPLES: Final = 10  # of a domain: two in each fold
# Accuracy was flat from 1e-7 to 1e-5.
REGULARISATION: Final = 1e-6
# Steps of the descent that are enough (2,500 to 50,000 gave the same accuracy), and bounds of the
# passes over all examples that make them.
STEPS: Final = 10_000
LEAST_PASSES, MOST_PASSES = 5, 200


@dataclass(frozen=True, slots=True, eq=False)
class DomainClassifier:
    """A fitted classifier; `label` is a `corpora.domain_source.Labeller`.

    `weights`: float32 (BUCKETS, K); `intercepts`: float64 (K,); `domains` in alphabetical order.
    """

    domains: tuple[str, ...]
    weights: np.ndarray
    intercepts: np.ndarray

    def label(self, batch: Batch) -> pa.LargeStringArray:
        """The most likely domain of each document of a batch, judged by its first 4 KiB."""
        return self.label_texts(batch.texts)

    def label_texts(self, texts: pa.LargeStringArray) -> pa.LargeStringArray:
        """The most likely domain of each text; none is null."""
        best = best_domains(*_buffers(texts), self.weights, self.intercepts)
        return pa.array(self.domains, pa.large_string()).take(pa.array(best))

    @property
    def digest(self) -> str:
        """SHA-256 of the model: equal digests give equal texts equal domains."""
        digest = hashlib.sha256(repr(self.domains).encode())
        digest.update(self.weights.tobytes())
        digest.update(self.intercepts.tobytes())
        return digest.hexdigest()


def fit_classifier(
    texts: pa.LargeStringArray, domains: Sequence[str], seed: int = 0
) -> tuple[DomainClassifier, HeldOut]:
    """Fit a classifier on all examples, and measure it by cross-validation.

    The result does not depend on the order of the examples.

    Args:
        texts: of n examples, without nulls.
        domains: of each example.
        seed: of the folds and the descent.

    Raises:
        CorpusError: there is one domain only, a domain has too few examples, or scikit-learn is
            missing.
    """
    names, labels = np.unique(np.array(domains, dtype=object), return_inverse=True)
    keys = _keys(texts, seed)
    _refuse_few(names, labels, keys)
    order = np.lexsort((labels, keys))
    labels, keys = labels[order], keys[order]
    texts = texts.take(pa.array(order))
    features = _features(texts)
    folds = _folds(keys, labels)
    predicted = np.empty(len(labels), np.int64)
    for fold in range(FOLDS):
        is_held_out = folds == fold
        model = _fit(features[~is_held_out], labels[~is_held_out], tuple(names), seed)
        inside = texts.filter(pa.array(is_held_out))
        predicted[is_held_out] = best_domains(*_buffers(inside), model.weights, model.intercepts)
    confusion = np.zeros((len(names), len(names)), np.int64)
    np.add.at(confusion, (labels, predicted), 1)
    return _fit(features, labels, tuple(names), seed), HeldOut(tuple(names), confusion)


def _buffers(texts: pa.LargeStringArray) -> tuple[np.ndarray, np.ndarray]:
    """The UTF-8 of texts without nulls, uint8, and the bounds of each in it, int64 (n + 1,)."""
    _, offsets, data = texts.buffers()
    bounds = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return np.frombuffer(b"" if data is None else data, np.uint8), bounds


def _features(texts: pa.LargeStringArray) -> sparse.csr_array:
    """Rows of length 1, one for each text: float64 (n, BUCKETS)."""
    buckets, ends = document_buckets(*_buffers(texts))
    sizes = np.diff(ends)
    values = np.repeat(1 / np.sqrt(np.maximum(sizes, 1)), sizes)
    # scikit-learn takes 32-bit places only
    shape = (len(texts), BUCKETS)
    return sparse.csr_array((values, buckets.astype(np.int32), ends.astype(np.int32)), shape)


def _keys(texts: pa.LargeStringArray, seed: int) -> np.ndarray:
    """uint64 (n,): random by the seed, and equal for texts whose first 4 KiB are equal."""
    data, bounds = _buffers(texts)
    salt = seed.to_bytes(8, "little")
    digests = [
        hashlib.blake2b(data[first : min(last, first + CUT_BYTES)], digest_size=8, salt=salt)
        for first, last in pairwise(bounds.tolist())
    ]
    return np.frombuffer(b"".join(digest.digest() for digest in digests), np.uint64)


def _refuse_few(names: np.ndarray, labels: np.ndarray, keys: np.ndarray) -> None:
    if len(names) < 2:
        raise CorpusError(
            f"all examples are of the domain {names[0]!r}; give examples of at least two domains"
        )
    distinct = np.unique(np.stack([labels.astype(np.uint64), keys]), axis=1)[0]
    counts = np.bincount(distinct.astype(np.int64), minlength=len(names))
    few = [f"{names[k]!r} has {counts[k]}" for k in np.flatnonzero(counts < LEAST_EXAMPLES)]
    if few:
        raise CorpusError(
            f"a domain needs at least {LEAST_EXAMPLES} different examples; {', '.join(few)}; add "
            "examples, or leave these domains out"
        )


def _folds(keys: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The fold of each example, int64 (n,): domains spread evenly, equal keys together.

    `keys` are sorted, and by `labels` where equal; an example's fold is that of the first of its key.
    """
    _, firsts, inverse = np.unique(keys, return_index=True, return_inverse=True)
    key_labels = labels[firsts]
    folds = np.empty(len(firsts), np.int64)
    for label in np.unique(key_labels):
        members = np.flatnonzero(key_labels == label)
        folds[members] = np.arange(len(members)) % FOLDS
    spread: np.ndarray = folds[inverse]
    return spread


def _fit(
    features: sparse.csr_array, labels: np.ndarray, domains: tuple[str, ...], seed: int
) -> DomainClassifier:
    passes = math.ceil(STEPS / len(labels))
    model = _scikit_learn().SGDClassifier(
        loss="log_loss",
        alpha=REGULARISATION,
        average=True,
        class_weight="balanced",
        max_iter=min(MOST_PASSES, max(LEAST_PASSES, passes)),
        tol=None,  # always all passes: no part of the examples is set aside to stop early
        random_state=seed % (1 << 32),
    )
    model.fit(features, labels)
    coefficients, intercepts = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # scikit-learn keeps the second of two only
        coefficients = np.concatenate([-coefficients, coefficients])
        intercepts = np.concatenate([-intercepts, intercepts])
    weights = np.zeros((BUCKETS, len(domains)), np.float32)
    weights[:, model.classes_] = coefficients.T
    # a domain of which all examples are held out, as others have their texts too, is never told
    all_intercepts = np.full(len(domains), -np.inf)
    all_intercepts[model.classes_] = intercepts
    return DomainClassifier(domains, weights, all_intercepts)


def _scikit_learn() -> Any:
    try:
        from sklearn import linear_model
    except ImportError as error:
        raise CorpusError(
            "domains by examples need scikit-learn; pip install 'sluicegate[classifier]'"
        ) from error
    return linear_model
