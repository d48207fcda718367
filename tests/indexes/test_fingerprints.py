import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.normal_form import word_hashes
from indexes.fingerprints import (
    CONTEXT_BITS,
    KEY_BITS,
    Fingerprints,
    common_seeds,
    context_of,
    fingerprint,
    kept_seeds,
    shared_run,
)
from indexes.lookup import LEAST_SIEVED_BITS, build_queries, nominate
from indexes.ngram import LONG_WORDS, build_index, may_hold
from indexes.seeds import SEED_WORDS, seed_hashes
from indexes.segments import (
    ALIGNMENT,
    END_BITS,
    KEPT_BITS,
    MOST_DOCUMENTS,
    SegmentBuilder,
    SegmentError,
    read_segment,
    rows_of,
)

ORDER = 0x9FB21C651E98DF25
U64 = (1 << 64) - 1
PHRASES = ("in the middle of the", "at the end of the day")
VOCABULARY = "a b c the of in middle end at day river stone 7 12"
WORDS = st.sampled_from(tuple(VOCABULARY.split()))


class Known:
    """A background that knows some phrases."""

    phrase_hash = np.concatenate([seed_hashes(word_hashes(phrase)) for phrase in PHRASES])


COMMON = common_seeds(Known())


def fingerprints(texts):
    encoded = [text.encode() for text in texts]
    bounds = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) for text in encoded], out=bounds[1:])
    data = np.frombuffer(bytearray().join(encoded), np.uint8)
    return fingerprint(data, bounds, COMMON)


def minimizers(text):
    """Places of the kept seeds, by the definition: the last of the smallest of each nine."""
    words = word_hashes(text).tolist()
    seeds = seed_hashes(word_hashes(text)).tolist()
    ranks = [
        (
            bool(may_hold(*COMMON, np.uint64(seed))),
            min(words[at : at + SEED_WORDS]) < words[at + SEED_WORDS // 2],
            (seed * ORDER & U64) >> 2,
        )
        for at, seed in enumerate(seeds)
    ]
    width = min(LONG_WORDS - SEED_WORDS + 1, len(seeds))
    kept = []
    for start in range(len(seeds) - width + 1 if seeds else 0):
        window = ranks[start : start + width]
        place = start + max(k for k in range(width) if window[k] == min(window))
        if not kept or kept[-1] != place:
            kept.append(place)
    return kept


def segments_of(texts, rows=None):
    builder = SegmentBuilder()
    found, _ = fingerprints(texts)
    rows = np.arange(len(texts)) if rows is None else rows
    return [read_segment(data) for data in [*builder.add(found, rows), *builder.finish()]]


def index_of(patterns):
    words = [word_hashes(pattern) for pattern in patterns]
    starts = np.zeros(len(words) + 1, np.int64)
    np.cumsum([len(one) for one in words], out=starts[1:])
    return build_index(np.concatenate(words), starts, np.zeros(0, np.uint64))


def queries_of(patterns, share=0.5):
    index = index_of(patterns)
    weights = np.full(len(index.words), 100, np.int32)
    return build_queries(index, weights, share * 100.0 * np.diff(index.starts), COMMON)


def nominated(texts, patterns, share=0.5):
    (segment,) = segments_of(texts)
    return nominate(segment, queries_of(patterns, share)).tolist()


@given(st.lists(WORDS, max_size=80))
@settings(max_examples=60, deadline=None)
def test_the_kept_seeds_are_those_of_the_definition(words):
    text = " ".join(words)
    found, n_words = fingerprints([text])
    hashes = word_hashes(text)
    seeds = seed_hashes(hashes)
    places = minimizers(text)
    assert n_words == len(hashes)
    assert found.key.tolist() == [int(seeds[place]) >> 64 - KEY_BITS for place in places]
    assert found.context.tolist() == [
        int(context_of(hashes, 0, len(hashes), place)) for place in places
    ]


def test_a_long_document_has_the_fingerprints_of_its_whole(random_words):
    text = random_words(150_000)
    assert len(text) > 3 * (1 << 19) / 2  # more than one piece
    found, _ = fingerprints(["river stone", text])
    seeds = seed_hashes(word_hashes(text))
    assert found.key.tolist() == [int(seeds[place]) >> 64 - KEY_BITS for place in minimizers(text)]
    assert set(found.document.tolist()) == {1}


@given(
    item=st.lists(WORDS, min_size=LONG_WORDS, max_size=40),
    before=st.lists(WORDS, max_size=30),
    after=st.lists(WORDS, max_size=30),
    data=st.data(),
)
@settings(max_examples=150, deadline=None)
def test_every_document_with_a_shared_run_of_13_words_is_nominated(item, before, after, data):
    start = data.draw(st.integers(0, len(item) - LONG_WORDS))
    run = item[start : start + LONG_WORDS]
    texts = ["nothing of it is here", " ".join([*before, *run, *after])]
    assert 1 in nominated(texts, [" ".join(item)])
    assert nominated(texts, [" ".join(item)], share=2.0) == [1]  # by no other evidence


@given(words=st.lists(WORDS, max_size=60))
@settings(max_examples=60, deadline=None)
def test_the_kept_seeds_of_a_pattern_are_those_of_a_document(words):
    text = " ".join(words)
    kept = kept_seeds(word_hashes(text), COMMON)
    assert np.flatnonzero(kept).tolist() == sorted(minimizers(text))


def test_a_sixth_of_the_seeds_is_kept(random_words):
    found, n_words = fingerprints([random_words(200_000, seed=9)])
    assert 0.17 < len(found.key) / n_words < 0.18


@given(
    here=st.tuples(*[st.lists(WORDS, max_size=12)] * 2),
    there=st.tuples(*[st.lists(WORDS, max_size=12)] * 2),
)
@settings(max_examples=200, deadline=None)
def test_the_words_around_a_seed_never_tell_a_shorter_run_than_is_shared(here, there):
    seed = ["river", "stone", "of", "the", "day"]
    texts = [[*before, *seed, *after] for before, after in (here, there)]
    hashes = [word_hashes(" ".join(words)) for words in texts]
    contexts = [
        context_of(words, 0, len(words), len(before))
        for words, (before, _) in zip(hashes, (here, there), strict=True)
    ]
    before, after = (min(len(side), 8) for side in here)
    run, back = shared_run(np.uint32(contexts[0]), np.uint32(contexts[1]), before, after)
    shared = [
        next((k for k in range(min(len(a), len(b), 8)) if a[k] != b[k]), min(len(a), len(b), 8))
        for a, b in ((here[0][::-1], there[0][::-1]), (here[1], there[1]))
    ]
    assert shared[0] <= back <= before
    assert shared[1] <= run - back - SEED_WORDS <= after


def test_a_pattern_that_repeats_its_seeds_keeps_the_promise():
    song = " ".join(["row your boat " * 12, "gently down the stream"])
    shared = " ".join(song.split()[-LONG_WORDS:])
    assert nominated([f"and then they sang {shared} together"], [song]) == [0]


def test_a_place_that_a_pattern_repeats_is_compared_as_any_other(random_words):
    matrix = " ".join(["0"] * 60)
    rows = [
        f"{random_words(30, seed=n)} 7 0 0 0 0 0 0 0 7 {random_words(30, seed=n + 100)}"
        for n in range(50)
    ]
    longer = [row.replace("7 0", "7 0 0 0 0 0 0") for row in rows]
    found = nominated([*rows, *longer], [matrix], share=2.0)
    assert found[-50:] == list(range(50, 100))
    assert len(found) - 50 <= 5  # of strange words, a few bits agree by chance


@pytest.mark.parametrize(("n_words", "few_buckets"), [(60, True), (150, True), (7000, False)])
def test_a_segment_is_looked_up_alike_whatever_its_size(random_words, n_words, few_buckets):
    items = [random_words(40, seed=1000 + n) for n in range(50)]
    texts = [random_words(n_words, seed=n).split() for n in range(250)]
    for n, item in enumerate(items):  # a run of 13 in every fifth document
        texts[5 * n][30:30] = item.split()[n % 28 : n % 28 + LONG_WORDS]
    (segment,) = segments_of([" ".join(words) for words in texts])
    assert (len(segment.first) - 1 < 1 << LEAST_SIEVED_BITS) == few_buckets
    assert nominate(segment, queries_of(items, 2.0)).tolist() == list(range(0, 250, 5))


def test_what_cannot_be_a_finding_nominates_by_a_run_of_13_alone(random_words):
    short, long = random_words(9, seed=7), random_words(30, seed=8)
    texts = [short, " ".join(long.split()[:12]), " ".join(long.split()[:13])]
    assert nominated(texts, [short, long], share=0.3) == [0, 1, 2]
    assert nominated(texts, [short, long], share=2.0) == [2]


def test_shared_phrases_and_single_seeds_nominate_nothing(random_words):
    item = random_words(40, seed=1)
    other = random_words(400, seed=2).split()
    shared = item.split()[10:16]  # six words in a row
    assert nominated([" ".join([*other, *shared, *other[:200]])], [item]) == []


def test_an_edited_copy_without_a_run_of_13_is_nominated_by_its_runs_together(random_words):
    words = random_words(60, seed=3).split()
    for at in range(11, 60, 12):  # runs of eleven words
        words[at] = f"new{at}"
    copy = random_words(300, seed=4) + " " + " ".join(words)
    assert nominated([copy], [random_words(60, seed=3)]) == [0]


@pytest.mark.parametrize("n_different", [1, 2, 3, 300, 40_000])
def test_entries_are_ordered_by_fingerprint_then_document(n_different):
    random = np.random.default_rng(n_different)
    some = random.integers(0, 1 << KEY_BITS, n_different).astype(np.uint64)
    some[::2] &= np.uint64((1 << KEPT_BITS) - 1)  # half of them in one bucket
    keys = some[random.integers(0, n_different, 20_000)]
    found = Fingerprints(keys, np.arange(20_000, dtype=np.uint32), np.arange(20_000) // 7)
    builder = SegmentBuilder()
    [data] = [*builder.add(found, np.arange(3000)), *builder.finish()]
    segment = read_segment(data)
    order = np.argsort(keys, kind="stable")
    assert (segment.tail & ((1 << CONTEXT_BITS) - 1)).tolist() == order.tolist()
    bucket = np.repeat(np.arange(len(segment.first) - 1), np.diff(segment.first))
    head = bucket.astype(np.uint64) << 16 | segment.key
    stored = head << END_BITS | segment.tail >> CONTEXT_BITS
    lost_bits = 16 - (len(segment.first) - 2).bit_length()
    assert stored.tolist() == (keys[order] >> np.uint64(lost_bits)).tolist()
    assert segment.document.tolist() == (order // 7).tolist()


def test_segments_end_where_they_must_however_the_documents_come():
    texts = [f"{n} river stone over the {n % 7} hills and far away" for n in range(500)]
    found, _ = fingerprints(texts)
    rows = np.arange(500) * 3
    whole = SegmentBuilder()
    expected = [*whole.add(found, rows), *whole.finish()]
    parts = SegmentBuilder()
    got = []
    for start in range(0, 500, 77):
        here = (found.document >= start) & (found.document < start + 77)
        piece = Fingerprints(found.key[here], found.context[here], found.document[here] - start)
        got += parts.add(piece, rows[start : start + 77])
    assert [*got, *parts.finish()] == expected
    assert read_segment(expected[0]).row.tolist() == rows.tolist()


def test_a_segment_holds_no_more_documents_than_it_can_number():
    found = Fingerprints(np.zeros(0, np.uint64), np.zeros(0, np.uint32), np.zeros(0, np.int64))
    rows = np.arange(MOST_DOCUMENTS + 5)
    builder = SegmentBuilder()
    segments = [read_segment(data) for data in [*builder.add(found, rows), *builder.finish()]]
    assert [len(segment.row) for segment in segments] == [MOST_DOCUMENTS, 5]
    assert segments[1].row[0] == MOST_DOCUMENTS


def test_rows_far_apart_do_not_share_a_segment():
    rows = np.array([0, 5, 1 << 32, (1 << 32) + 9])
    texts = ["one two three four five six"] * 4
    assert [segment.row.tolist() for segment in segments_of(texts, rows)] == [
        [0, 5],
        [1 << 32, (1 << 32) + 9],
    ]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: data[:10], "shorter than a header"),
        (lambda data: data[:-4], "cut off"),
        (lambda data: b"X" + data[1:], "no segment of version"),
        (lambda data: data[:64] + b"\1" + data[65:], "buckets do not hold"),
        (lambda data: data[:68] + b"\7" + data[69:], "buckets do not hold"),
    ],
)
def test_what_is_no_whole_segment_is_refused(damage, reason):
    builder = SegmentBuilder()
    found, _ = fingerprints(["one two three four five six"])
    (data,) = [*builder.add(found, np.arange(1)), *builder.finish()]
    with pytest.raises(SegmentError, match=reason):
        read_segment(damage(data))


def test_documents_that_a_segment_does_not_have_are_refused():
    builder = SegmentBuilder()
    found, _ = fingerprints(["one two three four five six"])
    (data,) = [*builder.add(found, np.arange(7, 8)), *builder.finish()]
    at = len(data) - 4 - ALIGNMENT  # of its document, before the row of it
    whole, damaged = read_segment(data), read_segment(data[:at] + b"\1" + data[at + 1 :])
    assert rows_of(whole, whole.document).tolist() == [7]
    with pytest.raises(SegmentError, match="documents that it does not have"):
        rows_of(damaged, damaged.document)


@pytest.fixture
def random_words():
    def make(n, seed=0):
        random = np.random.default_rng(seed)
        return " ".join(f"w{number}" for number in random.integers(0, 50_000, n).tolist())

    return make
