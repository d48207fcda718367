"""The guarantee: every run of 13 words that an item field shares with a document is found."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.ngram import LONG_WORDS
from scanners.ngram import SEGMENT_BYTES

FIELDS = ("question", "choice", "answer", "passage")
LETTERS = {
    "latin": "ra el tok mi sun ve",
    "cyrillic": "мир дом лес год щи",
    "cjk": "学 校 山 水 か な",
    "thai": "ก ข ค ง",
    "mixed": "ra дом 学 校 42 été ก",
}
GLUE = (" ", "\n", " - ", ", ", ".\r\n", " \u200b", "\t", "… ", "\u3000", " \U0001f600 ")
INSIDE = ("", "", "", "\u200b", "\u00ad", "\u2060", "\u202e")


@st.composite
def plants(draw):
    """An item field, a document, and the characters of a run that they share."""
    script = draw(st.sampled_from(sorted(LETTERS)))
    word = st.sampled_from(LETTERS[script].split())
    run = draw(st.lists(word, min_size=LONG_WORDS, max_size=30))
    item = [*draw(st.lists(word, max_size=25)), *run, *draw(st.lists(word, max_size=25))]
    random = draw(st.randoms(use_true_random=False))
    before, after = draw(st.lists(word, max_size=40)), draw(st.lists(word, max_size=40))
    opening, shared, ending = (spell(part, random) for part in (before, run, after))
    start = len(opening)
    document = opening + shared + ending
    return draw(st.sampled_from(FIELDS)), spell(item, random), document, start, start + len(shared)


def spell(words, random):
    """Print words with noise that the normal form takes away."""
    return "".join(noisy(word, random) + random.choice(GLUE) for word in words)


def noisy(word, random):
    at = random.randrange(len(word)) + 1 if word.isascii() else len(word)
    cased = random.choice((word, word.upper(), word.capitalize()))
    return cased[:at] + random.choice(INSIDE) + cased[at:]


def item_with(make_item, field, text):
    if field == "choice":
        return make_item("", choices=(text, "mu"))
    return make_item(**{field: text})


def overlapping(findings, start, end):
    return [
        finding
        for finding in findings
        if finding.doc_start < end and finding.doc_end > start and finding.longest_run >= LONG_WORDS
    ]


@given(plants())
@settings(max_examples=300, deadline=None)
def test_a_shared_run_of_13_words_is_found(scan_documents, make_item, plant):
    field, text, document, start, end = plant
    findings = scan_documents([item_with(make_item, field, text)], [document]).findings
    assert overlapping(findings, start, end)


@given(plants())
@settings(max_examples=100, deadline=None)
def test_a_shared_run_is_found_though_the_background_knows_every_phrase(
    scan_documents, make_item, plant
):
    field, text, document, start, end = plant
    item = item_with(make_item, field, text)
    findings = scan_documents([item], [document], phrases=[text]).findings
    assert overlapping(findings, start, end)


@given(plants())
@settings(max_examples=40, deadline=None)
def test_a_shared_run_is_found_though_40_other_items_have_its_phrases(
    scan_documents, make_item, plant
):
    field, text, document, start, end = plant
    others = [make_item(f"kub{number} {text}", id=f"other {number}") for number in range(40)]
    items = [item_with(make_item, field, text), *others]
    findings = scan_documents(items, [document]).findings
    assert overlapping([f for f in findings if f.item == 0], start, end)


@given(st.lists(plants(), min_size=2, max_size=4))
@settings(max_examples=100, deadline=None)
def test_shared_runs_of_several_items_and_documents_are_all_found(
    scan_documents, make_item, planted
):
    items = [item_with(make_item, field, text) for field, text, *_ in planted]
    documents = ["", *[document for _, _, document, _, _ in planted]]
    findings = scan_documents(items, documents).findings
    for number, (*_, start, end) in enumerate(planted):
        here = [f for f in findings if f.item == number and f.document == number + 1]
        assert overlapping(here, start, end)


@pytest.mark.parametrize("item_part", ["beginning", "middle", "end"])
@pytest.mark.parametrize("document_part", ["beginning", "middle", "end", "all of it"])
def test_the_run_may_stand_anywhere(
    scan_documents, make_item, vocabulary, item_part, document_part
):
    run = vocabulary(0, LONG_WORDS)
    others = vocabulary(100, 140)
    at = {"beginning": 0, "middle": 20, "end": 40}[item_part]
    item = make_item(" ".join([*others[:at], *run, *others[at:]]))
    text, around = " ".join(run), " ".join(vocabulary(200, 260))
    before = {"middle": around + " ", "end": around + " "}.get(document_part, "")
    after = {"middle": " " + around, "beginning": " " + around}.get(document_part, "")
    (finding,) = scan_documents([item], [before + text + after]).findings
    assert finding.longest_run == LONG_WORDS
    assert (finding.doc_start, finding.doc_end) == (len(before), len(before) + len(text))


def test_a_run_of_12_words_of_a_long_item_is_no_finding(scan_documents, make_item, vocabulary):
    item = make_item(" ".join(vocabulary(0, 100)))
    document = " ".join(vocabulary(0, 12))
    assert scan_documents([item], [document]).findings == []


# --- long documents are scanned in pieces -----------------------------------------------------------


@pytest.fixture(scope="module")
def long_filler(vocabulary):
    """About 1.3 MB of words that no item has, with a border in it every 512 KiB."""
    words = vocabulary(5000, 15_000)
    return " ".join(words * 15)


@pytest.mark.parametrize("shift", [0, 1, 7, 64, 118, 119, 120, 121, 200, 5000, 32_768, 32_900])
def test_runs_around_the_borders_of_a_long_document_are_found(
    scan_documents, make_item, vocabulary, long_filler, shift
):
    runs = [vocabulary(20 * number, 20 * number + LONG_WORDS) for number in range(4)]
    items = [make_item(" ".join(run), id=str(n)) for n, run in enumerate(runs)]
    places = [0, SEGMENT_BYTES - shift, 2 * SEGMENT_BYTES - shift, len(long_filler) - 1]
    document, planted = plant_at(long_filler, places, [" ".join(run) for run in runs])
    findings = scan_documents(items, [document]).findings
    for number, place in enumerate(planted):
        assert [(f.doc_start, f.doc_end) for f in findings if f.item == number] == [place]


def test_a_run_is_found_across_a_border_though_space_stretches_it(
    scan_documents, make_item, vocabulary
):
    run = vocabulary(0, LONG_WORDS)
    stretched = (" " * 4000).join(run)
    opening = "x" * 7 + " "
    document = opening * (490_000 // 8) + stretched + " x" * 40_000
    (finding,) = scan_documents([make_item(" ".join(run))], [document]).findings
    assert finding.longest_run == LONG_WORDS
    assert finding.doc_end - finding.doc_start == len(stretched)


def test_a_copy_across_a_border_is_told_once(scan_documents, make_item, vocabulary):
    copy = " ".join(vocabulary(0, 20))
    opening = "x " * (SEGMENT_BYTES // 2 - 45)
    document = opening + copy + " y" * 100_000
    (finding,) = scan_documents([make_item(copy)], [document]).findings
    assert (finding.doc_start, finding.doc_end) == (len(opening), len(opening) + len(copy))


def test_the_offsets_of_a_long_document_are_characters(scan_documents, make_item, vocabulary):
    run = " ".join(vocabulary(0, 20))
    opening = "é学\U0001f600 " * 120_000  # 10 bytes and 4 characters each
    (finding,) = scan_documents([make_item(run)], [opening + run + " end"]).findings
    assert (finding.doc_start, finding.doc_end) == (len(opening), len(opening) + len(run))


def test_a_document_without_white_space_is_cut_between_characters(scan_documents, make_item):
    run = "".join(map(chr, range(0x4E00, 0x4E00 + 40)))
    opening = "山" * (SEGMENT_BYTES // 3 - 20)  # the border falls into the run
    findings = scan_documents([make_item(run)], [opening + run + "水" * 20_000]).findings
    assert (len(opening), len(opening) + len(run)) in {(f.doc_start, f.doc_end) for f in findings}


def plant_at(filler, places, texts):
    """Put texts at the next spaces after some places of an ASCII text; tell where they came to lie."""
    pieces, planted, done, size = [], [], 0, 0
    for place, text in zip(places, texts, strict=True):
        at = filler.find(" ", place)
        at = len(filler) if at < 0 else at
        pieces += [filler[done:at], " ", text, " "]
        size += at - done + 1
        planted.append((size, size + len(text)))
        size += len(text) + 1
        done = at
    return "".join([*pieces, filler[done:]]), planted


# --- repetition -------------------------------------------------------------------------------------


def seconds(work):
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def test_every_repetition_of_a_fragment_is_found_in_bounded_time(
    scan_documents, make_item, vocabulary
):
    fragment = " ".join(vocabulary(0, 20)) + "\n"
    item = make_item(fragment)
    scan_documents([item], [fragment])
    scan, taken = seconds(lambda: scan_documents([item], [fragment * 2500]))
    size = len(fragment)
    assert {(f.doc_start, f.doc_end) for f in scan.findings} == {
        (size * number, size * (number + 1) - 1) for number in range(2500)
    }
    assert taken < 10  # 0.2 s here; a step for each pair of hits would take minutes


def test_one_word_over_and_over_is_found_in_bounded_time(scan_documents, make_item):
    item = make_item("buffalo " * 300)
    scan_documents([item], ["buffalo " * 600])
    scan, taken = seconds(lambda: scan_documents([item], ["buffalo " * 60_000]))
    assert max(finding.longest_run for finding in scan.findings) == 300
    assert len(scan.findings) < 1000  # one for each place, not one for each diagonal
    assert taken < 20  # an alignment for each diagonal took 86
