"""What a benchmark is made of, and hypotheses that say what they rest on."""

import numpy as np
import pytest

from scanners.composition import HALVING, composition, hypothesis, published_domain

LN_2 = np.log(2)


def mix(totals_of, before, after):
    """Two versions with so many equal documents of each domain, and the domains' numbers."""
    versions = [
        [(name, f"{name}a {name}b") for name, n in version.items() for _ in range(n)]
        for version in (before, after)
    ]
    first, second = totals_of(*versions)
    return first, second, {name: number for number, name in enumerate(first.domains)}


def test_a_mixture_of_domains_is_taken_apart(made_up):
    corpus = made_up(0, n_documents=3_000, n_words=1_000)
    totals = corpus.totals(np.arange(3_000))
    shares = totals.counts.toarray() / totals.domain_tokens[:, None]
    found = composition(np.array([0.2, 0.0, 0.8]) @ shares, totals.counts)
    assert found == pytest.approx([0.2, 0.0, 0.8], abs=0.03)
    assert found.sum() == pytest.approx(1)


def test_what_no_domain_holds_has_no_composition(totals_of):
    (totals,) = totals_of([("a", "x"), ("b", "y")])
    assert composition(np.zeros(2), totals.counts).tolist() == [0, 0]
    assert composition(np.array([3, 0]), totals.counts)[0] > 0.95


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("github", "github"), ("code_python", "github"), ("code/c", "github"), ("Code", "github"),
        ("Stack Exchange", "stackexchange"), ("wikipedia-en", "wikipedia"),
        ("DM Mathematics", "dm_math"), ("Pile-CC", "pile_cc"), ("arXiv", "arxiv"),
        ("math_latex", None), ("docs_tech", None), ("web_misc", None), ("decode", None), ("", None),
    ],
)  # fmt: skip
def test_only_a_name_that_says_so_is_a_published_domain(name, expected):
    assert published_domain(name) == expected


def test_half_the_share_costs_what_was_published(totals_of):
    first, second, number = mix(totals_of, {"github": 40, "web": 60}, {"github": 20, "web": 80})
    weights = np.zeros(2)
    weights[number["github"]] = 1
    found = hypothesis(weights, first, second, np.array([True, True]))
    assert found.risk == pytest.approx(HALVING["github"])
    assert (found.direction, found.grade, found.known) == ("worse", "B", 1)
    (effect,) = found.effects
    assert effect.loss == pytest.approx(0.080)
    assert (effect.baseline, effect.candidate) == (pytest.approx(0.4), pytest.approx(0.2))
    assert effect.published == "github"


def test_a_domain_without_a_published_elasticity_gives_the_sign_only(totals_of):
    first, second, number = mix(totals_of, {"github": 40, "web": 60}, {"github": 60, "web": 40})
    weights = np.zeros(2)
    weights[number["web"]] = 1
    found = hypothesis(weights, first, second, np.array([True, True]))
    assert (found.risk, found.direction, found.grade, found.known) == (None, "worse", "C", 0)


def test_measured_elasticities_take_the_place_of_published_ones(totals_of):
    first, second, number = mix(totals_of, {"github": 40, "web": 60}, {"github": 20, "web": 80})
    weights = np.zeros(2)
    weights[number["github"]], weights[number["web"]] = 0.9, 0.1
    found = hypothesis(weights, first, second, np.array([True, True]), measured={"github": 0.2})
    assert found.risk == pytest.approx(0.9 * 0.2 * LN_2)
    assert (found.direction, found.grade) == ("worse", "A")
    assert [effect.grade for effect in found.effects] == ["A", "C"]


def test_a_share_that_moved_by_chance_says_nothing(totals_of):
    first, second, number = mix(totals_of, {"github": 40, "web": 60}, {"github": 30, "web": 70})
    weights = np.full(2, 0.5)
    found = hypothesis(weights, first, second, np.array([False, False]))
    assert (found.risk, found.direction) == (0, "none")
    assert len(number) == 2


def test_a_domain_that_is_gone_costs_no_more_than_was_ever_measured(totals_of):
    first, second, _ = mix(totals_of, {"github": 40, "web": 60}, {"web": 60})
    found = hypothesis(np.array([1.0, 0.0]), first, second, np.array([True, True]))
    assert 1.0 < found.risk < 1.3  # +1.30 nats without any GitHub (RegMix, 60M parameters)


@pytest.mark.parametrize(
    ("exposure", "expected"),
    [(0.0, ("worse", "B")), (0.3, ("worse", "B")), (-0.3, ("none", "C"))],
)
def test_mix_and_exposure_must_not_contradict_each_other(totals_of, exposure, expected):
    first, second, _ = mix(totals_of, {"github": 40, "web": 60}, {"github": 20, "web": 80})
    found = hypothesis(np.array([1.0, 0.0]), first, second, np.ones(2, bool), exposure)
    assert (found.direction, found.grade) == expected


@pytest.mark.parametrize(("exposure", "direction"), [(0.2, "worse"), (-0.2, "better"), (0, "none")])
def test_exposure_alone_gives_a_direction_of_the_lowest_grade(totals_of, exposure, direction):
    first, second, _ = mix(totals_of, {"github": 40, "web": 60}, {"github": 40, "web": 60})
    found = hypothesis(np.array([1.0, 0.0]), first, second, np.zeros(2, bool), exposure)
    assert (found.direction, found.grade) == (direction, "C")
