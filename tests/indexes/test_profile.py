"""Profiles: every number against a count by hand, and that parts add up to the whole, byte for byte."""

import math
import random
from collections import Counter, defaultdict
from functools import partial
from itertools import pairwise

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import indexes.profile.sketches as sketches
from corpora.normal_form import word_hashes
from corpora.problems import CorpusError
from corpora.reference_form import reference_words
from indexes.document_signatures import sign_documents
from indexes.profile import (
    FOLDS,
    GROUPS,
    LENGTH_EDGES,
    RARE,
    RARE_NAME,
    ProfileBuilder,
    ProfileError,
    codes_of,
    duplicate_share,
    empty_profile,
    from_bytes,
    merge,
    near_agreement,
    to_bytes,
    weighted,
)
from indexes.profile.merging import within
from indexes.profile.value import KEYS, MOST_DOMAINS, VALUES
from indexes.profile_words import NEAR_HASHES, group_of, no_names, read_documents
from indexes.seeds import seed_hashes
from indexes.tally import count_keys, empty_tally
from indexes.tally_sums import counted
from pipelines.shard_step import text_buffers

TOKENS = "tokens:feed"
WORDS = st.sampled_from(
    ["a", "b", "c", "The", "Über", "7", "x—y", "学校学", "n\u0303o", "!!", "\n", "𐐨"]
)
TEXTS = st.lists(WORDS, max_size=40).map(" ".join) | st.text(max_size=30)
DOMAINS = st.sampled_from([None, "", "web", "books", "Büro"])
IDS = st.lists(st.integers(0, 12), max_size=60)
DOCUMENTS = st.lists(st.tuples(TEXTS, DOMAINS, IDS), max_size=12)


def buffers(texts):
    return text_buffers(pa.array(texts, pa.large_string()))


def profile(documents, unit="words", batches=(), **options):
    """The profile of (text, domain, ids) documents, in batches that end where `batches` says."""
    builder = ProfileBuilder(unit, **options)
    for first, last in pairwise([0, *sorted(batches), len(documents)]):
        some = documents[first:last]
        ids = np.array([i for _, _, own in some for i in own], np.uint32)
        ends = np.cumsum([0, *(len(own) for _, _, own in some)], dtype=np.int64)
        builder.add(
            *buffers([text for text, _, _ in some]),
            pa.array([domain for _, domain, _ in some], pa.large_string()),
            None if unit == "words" else (ids, ends),
        )
    return builder.finish()


def rows(frame):
    """A frame with its domains as text."""
    is_by_domain = "domain" in frame.columns
    return frame.with_columns(pl.col("domain").cast(pl.String)) if is_by_domain else frame


def as_dict(frame, keys):
    return {row[: len(keys)]: row[len(keys) :] for row in rows(frame).iter_rows()}


def words_of(text):
    return [word for word, _, _ in reference_words(text)]


def key_of(word):
    return int(word_hashes(word)[0])


def by_hand(documents, unit):
    """The frames of a profile as dicts, counted one document at a time."""
    found = {name: defaultdict(partial(np.zeros, len(VALUES[name]), np.int64)) for name in KEYS}
    hashes = sign_documents(*buffers([text for text, _, _ in documents])).text_hashes
    for (text, domain, ids), group in zip(documents, group_of(hashes).tolist(), strict=True):
        domain = domain or ""
        words = words_of(text)
        keys = [key_of(word) for word in words] if unit == "words" else ids
        fold = group // (GROUPS // FOLDS)
        add(found["groups"][domain, group], 1, len(text.encode()), len(words), len(keys))
        add(found["domains"][domain,], len(keys) ** 2)
        for key, x in Counter(keys).items():
            add(found["tokens"][domain, key], x, 1, x * x, x * len(keys))
            add(found["folds"][domain, key, fold], x)
        edges = LENGTH_EDGES.tolist()
        add(
            found["lengths"][
                domain, fold, max(b for b, edge in enumerate(edges) if edge <= len(words))
            ],
            1,
        )
    return {
        name: {key: tuple(sums.tolist()) for key, sums in own.items()}
        for name, own in found.items()
    }


def add(sums, *more):
    for at, number in enumerate(more):
        sums[at] += number


# --- what is counted ------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(DOCUMENTS, st.sampled_from(["words", TOKENS]))
def test_every_sum_is_that_of_a_count_by_hand(documents, unit):
    found = profile(documents, unit)
    expected = by_hand(documents, unit)
    for name in ("groups", "domains", "tokens", "folds", "lengths"):
        assert as_dict(getattr(found, name), KEYS[name]) == expected[name], name
    names = {key_of(word): word for text, _, _ in documents for word in words_of(text)}
    assert dict(found.names.iter_rows()) == (names if unit == "words" else {})
    n_chars = Counter()
    for text, domain, _ in documents:
        n_chars[domain or ""] += len(text)
    by_domain = rows(found.characters).group_by("domain").agg(pl.col("characters").sum())
    assert dict(by_domain.iter_rows()) == {d: n for d, n in n_chars.items() if n}
    assert found.scripts["documents"].sum() == len(documents)
    assert found.domain_names == tuple(sorted({domain or "" for _, domain, _ in documents}))


@settings(deadline=None, max_examples=60)
@given(DOCUMENTS)
def test_frames_are_sorted_by_their_keys_and_typed(documents):
    for found in (profile(documents), empty_profile()):
        for name, keys in KEYS.items():
            frame = getattr(found, name)
            assert frame.equals(frame.sort(keys)), name
            assert frame.select(keys).is_unique().all()
            assert frame.columns[: len(keys)] == list(keys)
            kinds = {"key": pl.UInt64, "group": pl.UInt16, "fold": pl.UInt8, "bin": pl.UInt8}
            for column, kind in frame.schema.items():
                assert kind == kinds.get(column, kind)
            assert all(frame.schema[value] == pl.Int64 for value in VALUES[name])
            if "domain" in keys:
                assert tuple(frame.schema["domain"].categories) == found.domain_names
                assert len(codes_of(frame)) == len(frame)


def test_equal_texts_are_in_one_group_whatever_their_case_and_punctuation():
    found = profile(
        [("The  quick fox.", "a", []), ("the QUICK fox", "b", []), ("the fox", "b", [])]
    )
    groups = rows(found.groups).select("domain", "group").rows()
    assert len({group for _, group in groups}) == 2
    assert len(groups) == 3


def test_groups_are_about_equally_large():
    texts = [(f"document {n} of many", None, []) for n in range(20_000)]
    sizes = profile(texts).groups["documents"].to_numpy()
    assert len(sizes) == GROUPS
    expected = len(texts) / GROUPS
    chi_squared = ((sizes - expected) ** 2 / expected).sum()
    assert chi_squared < GROUPS + 5 * math.sqrt(2 * GROUPS)


def test_edges_of_lengths_are_quarter_octaves_in_integers():
    edges = LENGTH_EDGES.tolist()
    assert edges[:14] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20]
    assert [edge for edge in edges if edge and edge & (edge - 1) == 0] == [
        1 << k for k in range(40)
    ]
    for edge in edges[
        1:
    ]:  # the smallest integer from some 2^(i/4) on: both sides raised to the fourth
        assert any(edge**4 >= 1 << i > (edge - 1) ** 4 for i in range(160))
    assert len(edges) <= 256


@pytest.mark.parametrize("piece_bytes", [1, 7, 64])
def test_pieces_change_nothing(piece_bytes):
    texts = ["a b c the Über x—y 学校学 n\u0303o " * n for n in (0, 1, 3, 40)] + [
        "a" * 300,
        "",
        "one two",
    ]
    data, bounds = buffers(texts)
    domains = np.array([0, 1, 0, 1, 0, 0, 1])

    def read(**options):
        tally, names, of_each = read_documents(
            data, bounds, domains, empty_tally(), no_names(), counts=True, **options
        )
        found, row = counted(tally, np.arange(2))
        domain, key, sums, *folds = found
        return [
            domain,
            key,
            *sums,
            *folds,
            row,
            *of_each,
            names.letters[: names.ends[len(row) - 1]],
        ]

    whole, pieces = read(), read(piece_bytes=piece_bytes)
    # Rows come into being in the same order, too: names are the same bytes.
    assert all(np.array_equal(one, other) for one, other in zip(whole, pieces, strict=True))


@settings(deadline=None)
@given(st.lists(TEXTS, max_size=8))
def test_what_is_known_of_documents_does_not_depend_on_counting(texts):
    data, bounds = buffers(texts)
    domains = np.zeros(len(texts), np.int64)
    *_, one = read_documents(data, bounds, domains, empty_tally(), no_names(), counts=True)
    *_, other = read_documents(data, bounds, domains, empty_tally(), no_names(), counts=False)
    assert [a.tolist() for a in one] == [b.tolist() for b in other]
    signed = sign_documents(data, bounds)
    assert one.words.tolist() == signed.words.tolist()
    assert one.text_hash.tolist() == signed.text_hashes.tolist()
    by_smallest = {}
    for text, n, text_hash, key in zip(texts, *(a.tolist() for a in one), strict=True):
        smallest = np.unique(seed_hashes(word_hashes(text), 5))[:NEAR_HASHES]
        assert key == (by_smallest.setdefault(smallest.tobytes(), key) if n >= 5 else text_hash)
    assert len(set(by_smallest.values())) == len(by_smallest)


def test_large_counts_of_one_fold_leave_the_row_for_a_block():
    # More of one key than the 26 bits in a row hold, in two steps, and a key that stays in its row.
    size = (1 << 25) + 1
    keys = np.zeros(size, np.uint8)
    tally = empty_tally()
    for fold in (3, 3, 1):
        tally = count_keys(
            keys, np.array([0, size]), np.zeros(1, np.int64), np.array([fold]), tally
        )
    tally = count_keys(
        np.array([9], np.uint8), np.array([0, 1]), np.zeros(1, np.int64), np.array([31]), tally
    )
    found, _ = counted(tally, np.zeros(1, np.int64))
    assert found.key.tolist() == [0, 9]
    assert found.fold.tolist() == [1, 3, 31]
    assert found.fold_count.tolist() == [size, 2 * size, 1]
    assert [sums[0] for sums in found.sums] == [3 * size, 3, 3 * size**2, 3 * size**2]


@pytest.mark.parametrize("seed", range(3))
def test_a_table_that_grows_counts_right(seed):
    random = np.random.default_rng(seed)
    ends = np.concatenate([[0], np.cumsum(random.integers(0, 3000, 120))])
    keys = (random.pareto(0.5, ends[-1]) * 3).clip(max=2**40).astype(np.uint64)
    domains, folds = random.integers(0, 3, 120), random.integers(0, FOLDS, 120)
    tally = count_keys(keys, ends, domains, folds, empty_tally())
    found, _ = counted(tally, np.array([2, 0, 1]))
    expected, by_fold = defaultdict(lambda: [0] * 4), Counter()
    for document, (first, last) in enumerate(pairwise(ends.tolist())):
        domain = [2, 0, 1][domains[document]]
        for key, x in Counter(keys[first:last].tolist()).items():
            add(expected[domain, key], x, 1, x * x, x * (last - first))
            by_fold[domain, key, int(folds[document])] += x
    order = sorted(expected)
    assert list(zip(found.domain.tolist(), found.key.tolist(), strict=True)) == order
    assert np.array(found.sums).T.tolist() == [expected[key] for key in order]
    rows_of = np.repeat(np.arange(len(order)), found.n_folds).tolist()
    folds_found = zip(rows_of, found.fold.tolist(), found.fold_count.tolist(), strict=True)
    assert [((*order[row], fold), n) for row, fold, n in folds_found] == sorted(by_fold.items())


def test_too_many_domains_are_refused_with_a_mend():
    documents = [("a", f"https://example.org/{n}", []) for n in range(MOST_DOMAINS + 1)]
    with pytest.raises(CorpusError, match=r"more than 1024 domains.*name a column with fewer"):
        profile(documents)


# --- parts and the whole --------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(DOCUMENTS, st.sampled_from(["words", TOKENS]), st.data())
def test_merging_profiles_of_parts_is_profiling_the_whole(documents, unit, data):
    whole = to_bytes(profile(documents, unit))
    n_parts = data.draw(st.integers(1, 5))
    part_of = data.draw(
        st.lists(st.integers(0, n_parts - 1), min_size=len(documents), max_size=len(documents))
    )
    parts = [
        profile([d for d, p in zip(documents, part_of, strict=True) if p == part], unit)
        for part in range(n_parts)
    ]
    assert to_bytes(merge(parts)) == whole
    assert to_bytes(merge(data.draw(st.permutations(parts)))) == whole
    left = parts[0]
    for part in parts[1:]:
        left = merge([left, part])
    assert to_bytes(left) == whole


@settings(deadline=None, max_examples=50)
@given(DOCUMENTS, st.sampled_from(["words", TOKENS]), st.data())
def test_batches_and_the_order_of_documents_change_nothing(documents, unit, data):
    whole = to_bytes(profile(documents, unit))
    batches = data.draw(st.lists(st.integers(0, len(documents)), max_size=4))
    assert to_bytes(profile(documents, unit, batches)) == whole
    assert to_bytes(profile(data.draw(st.permutations(documents)), unit)) == whole


@settings(deadline=None, max_examples=50)
@given(DOCUMENTS, st.data())
def test_emptying_the_table_on_the_way_changes_nothing(documents, data):
    batches = data.draw(st.lists(st.integers(0, len(documents)), max_size=4))
    assert to_bytes(profile(documents, "words", batches, most_rows=1)) == to_bytes(
        profile(documents)
    )


def test_unlike_profiles_are_not_merged():
    with pytest.raises(ValueError, match=r"the unit of one is 'words', of another 'tokens:feed'"):
        merge([empty_profile(), empty_profile(TOKENS)])
    with pytest.raises(ValueError, match="no profiles to merge"):
        merge([])


def test_merging_with_nothing_changes_nothing():
    found = profile([("a b c", "x", [])])
    assert to_bytes(merge([empty_profile(), found, empty_profile()])) == to_bytes(found)


# --- too many words -------------------------------------------------------------------------------


def test_the_rarest_words_are_folded_first_by_documents_then_by_key():
    documents = [("a b b b", "x", []), ("a c", "y", []), ("a d d", "x", []), ("c", "y", [])]
    found = within(profile(documents), most_words=3)
    rare = sorted(["b", "d"], key=key_of)[0]
    kept = {"a", "b", "c", "d"} - {rare}
    assert dict(found.names.iter_rows()) == {key_of(w): w for w in kept} | {RARE: RARE_NAME}
    assert found.rare_words == 1
    sums = as_dict(found.tokens, KEYS["tokens"])
    n, length = (3, 4) if rare == "b" else (2, 3)
    assert sums["x", RARE] == (n, 1, n * n, n * length)
    assert found.total("tokens") == found.tokens["count"].sum() == found.folds["count"].sum()
    for name in ("tokens", "folds", "names"):
        frame = getattr(found, name)
        assert frame.equals(frame.sort(KEYS[name]))
    again = within(found, most_words=2)
    assert again.rare_words == 2
    assert len(again.names) == 3
    assert again.tokens["count"].sum() == found.tokens["count"].sum()
    assert to_bytes(within(again, most_words=2)) == to_bytes(again)
    assert to_bytes(from_bytes(to_bytes(again))) == to_bytes(again)


@settings(deadline=None, max_examples=30)
@given(DOCUMENTS, DOCUMENTS, st.integers(1, 6))
def test_below_the_bound_nothing_is_folded_and_above_all_is_counted(one, other, most):
    words = {word for text, _, _ in one + other for word in words_of(text)}
    merged = merge(
        [profile(one, most_words=most), profile(other, most_words=most)], most_words=most
    )
    assert len(merged.names.filter(pl.col("key") != RARE)) <= most
    assert (merged.rare_words > 0) == (len(words) > most)
    assert (
        merged.tokens["count"].sum()
        == merged.total("tokens")
        == profile(one + other).total("tokens")
    )
    if len(words) <= most:
        assert to_bytes(merged) == to_bytes(profile(one + other))


# --- weights --------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=30)
@given(DOCUMENTS)
def test_a_weight_of_two_is_every_document_twice_but_for_squares(documents):
    one, twice = profile(documents), profile(documents * 2)
    doubled = weighted(one, 2)
    for name, powers in VALUES.items():
        for column, power in powers.items():
            ours, theirs = getattr(doubled, name)[column], getattr(twice, name)[column]
            if name == "sketches":  # of the documents as they lie there
                assert ours.equals(getattr(one, name)[column])
            elif power == 1:
                assert ours.dtype == pl.Float64
                assert ours.to_list() == theirs.to_list()
            else:  # a sum over documents of w^2 x^2
                assert ours.to_list() == (2 * theirs).to_list()


def test_a_weight_of_one_keeps_integers():
    found = profile([("a b", "x", [])])
    assert weighted(found, 1.0) is found
    assert to_bytes(from_bytes(to_bytes(weighted(found, 0.3)))) == to_bytes(weighted(found, 0.3))


def test_weighted_profiles_are_merged_with_others():
    one, other = profile([("a b b", "x", [])]), profile([("b", "x", []), ("c", "y", [])])
    sums = as_dict(merge([weighted(one, 2.5), other]).tokens, KEYS["tokens"])
    assert sums["x", key_of("b")] == (2 * 2.5 + 1, 2.5 + 1, 4 * 6.25 + 1, 2 * 3 * 6.25 + 1)
    assert sums["y", key_of("c")] == (1, 1, 1, 1)


# --- bytes ----------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(DOCUMENTS, st.sampled_from(["words", TOKENS]))
def test_bytes_give_the_profile_back(documents, unit):
    found = profile(documents, unit)
    data = to_bytes(found)
    again = from_bytes(pa.py_buffer(data))
    for name in KEYS:
        assert getattr(again, name).equals(getattr(found, name)), name
        assert getattr(again, name).schema == getattr(found, name).schema
    assert (again.unit, again.normal_form, again.kinds) == (unit, found.normal_form, found.kinds)
    assert to_bytes(again) == data


def test_other_bytes_are_refused():
    data = bytearray(to_bytes(profile([("a b", "x", [])])))
    for wrong in (b"", b"PAR1", bytes(data[:100]), bytes(data).replace(b"profile/1", b"profile/9")):
        with pytest.raises(ProfileError):
            from_bytes(wrong)


# --- copies ---------------------------------------------------------------------------------------


def copies(profile_documents, kind, domain=None):
    """The share of documents that are copies of another, by hand."""
    keys = defaultdict(list)
    for text, of, _ in profile_documents:
        words = words_of(text)
        if domain is not None and (of or "") != domain:
            continue
        hashes = word_hashes(text)
        near = tuple(np.unique(seed_hashes(hashes, 5))[:NEAR_HASHES].tolist())
        keys[near if kind == "near" and len(words) >= 5 else tuple(words)].append(text)
    n = sum(len(texts) for texts in keys.values())
    return (n - len(keys)) / n if n else 0.0


@settings(deadline=None, max_examples=40)
@given(DOCUMENTS)
def test_few_documents_give_the_exact_share_of_copies(documents):
    found = profile(documents * 2 + documents[:2])
    for kind in ("exact", "near"):
        for domain in (None, "", "web"):
            share, error = duplicate_share(found, kind, domain)
            assert share == pytest.approx(copies(documents * 2 + documents[:2], kind, domain))
            assert error == 0


def test_a_sample_estimates_the_share_of_copies_and_its_error(monkeypatch):
    monkeypatch.setattr(sketches, "SKETCH_SIZE", 256)
    dice = random.Random(7)
    scores = []
    for trial in range(40):
        documents = []
        for number in range(1200):
            text = " ".join(f"t{trial}n{number}w{k}" for k in range(6))
            documents += [(text, "x", [])] * (1 if dice.random() < 0.7 else dice.choice([2, 3, 8]))
        found = profile(documents, batches=[100, 1000])
        assert len(found.sketches) == 2 * 256
        share, error = duplicate_share(found, "exact")
        scores.append((share - (1 - 1200 / len(documents))) / error)
    assert abs(np.mean(scores)) < 3 / math.sqrt(len(scores)) + 0.3
    assert 0.6 < np.std(scores) < 1.5


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from("xyz")), max_size=120), st.data())
def test_sketches_of_parts_are_those_of_the_whole(numbers, data):
    documents = [(f"text number {n}", domain, []) for n, domain in numbers]
    cut = data.draw(st.integers(0, len(documents)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sketches, "SKETCH_SIZE", 8)
        whole = profile(documents)
        assert merge([profile(documents[:cut]), profile(documents[cut:])]).sketches.equals(
            whole.sketches
        )
        hashes = sign_documents(*buffers([text for text, _, _ in documents])).text_hashes.tolist()
        for domain in {d for _, d, _ in documents}:
            own = Counter(h for h, (_, d, _) in zip(hashes, documents, strict=True) if d == domain)
            found = rows(whole.sketches).filter(
                (pl.col("domain") == domain) & (pl.col("kind") == "exact")
            )
            assert found.select("hash", "documents").rows() == sorted(own.items())[:8]


def test_near_copies_share_a_key_as_often_as_is_said(vocabulary):
    random_words = np.random.default_rng(3)
    known = vocabulary(0, 4000)
    agree, expected = [], []
    for _ in range(400):
        words = [known[k] for k in random_words.integers(0, len(known), 300)]
        edited = list(words)
        for at in random_words.integers(0, 300, 3):
            edited[at] = known[random_words.integers(0, len(known))]
        one, other = (np.unique(seed_hashes(word_hashes(" ".join(w)), 5)) for w in (words, edited))
        expected.append(
            near_agreement(len(np.intersect1d(one, other)) / len(np.union1d(one, other)))
        )
        data, bounds = buffers([" ".join(words), " ".join(edited)])
        *_, read = read_documents(
            data, bounds, np.zeros(2, np.int64), empty_tally(), no_names(), counts=False
        )  # fmt: skip
        agree.append(read.near_key[0] == read.near_key[1])
    assert np.mean(agree) == pytest.approx(np.mean(expected), abs=0.08)


def test_no_other_kind_of_copies():
    with pytest.raises(ValueError, match="no kind of copies is 'same'; there are exact, near"):
        duplicate_share(empty_profile(), "same")
    assert duplicate_share(empty_profile(), "exact") == (0.0, 0.0)
