"""The classifier tells near domains apart, is measured honestly, and depends on nothing but its examples."""

import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest

from corpora.problems import CorpusError
from scanners.domain_classifier import FOLDS, _folds, _keys, fit_classifier

pytest.importorskip("sklearn")

NAMES = ["graph", "node", "edge", "path", "weight", "tree", "queue", "cycle", "flow", "label"]


def code(rng):
    a, b, c = rng.choice(NAMES, 3, replace=False)
    return f"def {a}_{b}({c}):\n    for {b} in {c}.{a}():\n        yield {b}[{rng.integers(9)}]\n"


def docs(rng):
    """About the same things, with a line of code in it: a near domain."""
    a, b, c = rng.choice(NAMES, 3, replace=False)
    return f"``{a}_{b}({c})``\n\nReturns the {b} of each {a}, for example\n{c}.{a}()[{rng.integers(9)}].\n"


def prose(rng):
    a, b, c = rng.choice(NAMES, 3, replace=False)
    return f"The {a} of the {b} is a {c}, said the {rng.choice(NAMES)}, and went home."


def examples(n=60, seed=0):
    rng = np.random.default_rng(seed)
    kinds = {"code": code, "docs": docs, "prose": prose}
    rows = [(kinds[name](rng), name) for name in kinds for _ in range(n)]
    texts, domains = zip(*rows, strict=True)
    return pa.array(texts, pa.large_string()), list(domains)


def test_near_domains_are_told_apart_on_new_documents():
    classifier, held_out = fit_classifier(*examples())
    texts, domains = examples(seed=1)
    assert classifier.label_texts(texts).to_pylist() == domains
    assert held_out.domains == ("code", "docs", "prose")
    assert held_out.examples == 180
    assert held_out.accuracy > 0.98
    assert held_out.confusion.sum(axis=1).tolist() == [60, 60, 60]


def test_two_domains_work_as_well_as_three():
    texts, domains = examples()
    two = pa.array([domain != "prose" for domain in domains])
    classifier, held_out = fit_classifier(texts.filter(two), domains[:120])
    assert classifier.label_texts(texts).to_pylist()[:120] == domains[:120]
    assert held_out.confusion.shape == (2, 2)


def test_labels_without_meaning_are_measured_as_guesses():
    texts, _ = examples()
    rng = np.random.default_rng(0)
    _, held_out = fit_classifier(texts, list(rng.choice(["a", "b"], len(texts))))
    assert abs(held_out.accuracy - 0.5) < 4 * 0.5 / 180**0.5


def test_copies_of_an_example_are_never_on_both_sides():
    texts, _ = examples(n=20)
    rng = np.random.default_rng(0)
    domains = rng.choice(["a", "b"], len(texts))  # a classifier could only know them by heart
    _, held_out = fit_classifier(pa.concat_arrays([texts] * 5), list(domains) * 5)
    assert held_out.accuracy < 0.75


def test_folds_spread_each_domain_and_keep_equal_keys_together():
    keys = np.sort(np.random.default_rng(0).integers(0, 200, 500).astype(np.uint64))
    labels = (keys % 3).astype(np.int64)
    folds = _folds(keys, labels)
    for label in range(3):
        distinct = {(int(k), int(f)) for k, f in zip(keys, folds, strict=True) if k % 3 == label}
        counts = np.bincount([f for _, f in distinct], minlength=FOLDS)
        assert len({k for k, _ in distinct}) == len(distinct)
        assert counts.max() - counts.min() <= 1


def test_texts_are_alike_that_begin_alike():
    begin = "x" * 4096
    keys = _keys(pa.array([begin + "a", begin + "b", begin, begin[1:]], pa.large_string()), seed=0)
    assert keys[0] == keys[1] == keys[2] != keys[3]


def test_order_of_examples_batches_and_threads_change_nothing():
    texts, domains = examples()
    first, measured = fit_classifier(texts, domains, seed=3)
    order = np.random.default_rng(0).permutation(len(texts))
    second, again = fit_classifier(texts.take(pa.array(order)), [domains[i] for i in order], seed=3)
    assert first.digest == second.digest
    assert measured.confusion.tolist() == again.confusion.tolist()
    new, _ = examples(seed=2)
    whole = first.label_texts(new)
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda at: first.label_texts(new.slice(at, 7)), range(0, 180, 7)))
    assert pa.concat_arrays(parts).equals(whole)
    assert fit_classifier(texts, domains, seed=4)[0].digest != first.digest


def test_a_classifier_can_be_sent_to_another_process():
    texts, domains = examples()
    classifier, _ = fit_classifier(texts, domains)
    copied = pickle.loads(pickle.dumps(classifier.label_texts))
    assert copied(texts).equals(classifier.label_texts(texts))


@pytest.mark.parametrize(
    ("domains", "said"),
    [
        (["a"] * 60, "all examples are of the domain 'a'; give examples of at least two domains"),
        (["a"] * 51 + ["b"] * 9, "at least 10 different examples; 'b' has 9"),
    ],
)
def test_too_few_examples_are_refused(domains, said):
    texts, _ = examples(n=20)
    with pytest.raises(CorpusError, match=said):
        fit_classifier(texts, domains)


def test_copies_do_not_count_as_examples():
    texts = pa.array([f"text {i}" for i in range(20)] + ["copy"] * 20, pa.large_string())
    with pytest.raises(CorpusError, match="'b' has 1"):
        fit_classifier(texts, ["a"] * 20 + ["b"] * 20)


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(CorpusError, match=r"pip install 'sluicegate\[classifier\]'"):
        fit_classifier(*examples())
