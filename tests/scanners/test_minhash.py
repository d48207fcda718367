"""The MinHash scanner on rewordings, on texts that are none, and beside the n-gram scanner."""

import json
import random
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.reference_form import reference_words
from indexes.ngram import LONG_WORDS
from indexes.seeds import SEED_WORDS
from pipelines.tables import findings_table, items_table
from scanners.judge import Status
from scanners.minhash import LEAST_WORDS, MOST_WORDS
from scanners.ngram import SEGMENT_BYTES

BOTH = ("ngram", "minhash")
TESTS = Path(__file__).parents[1]
ENGLISH = (TESTS.parent / "LICENSE").read_text(encoding="utf-8").split()
RANK = {"clean": 0, "unsearchable": 0, "suspect": 1, "contaminated": 2}

# Questions and what was made of them by hand, without five words in a row of the question.
REWORDED = {
    name: (pair["question"], pair["reworded"])
    for name, pair in json.loads((TESTS / "rewordings.json").read_text(encoding="utf-8")).items()
}


def words_of(text):
    return [word for word, _, _ in reference_words(text)]


def longest_run(one, other):
    """The longest run of words that two texts share, by comparing every pair of places."""
    ours, theirs = words_of(one), words_of(other)
    best, before = 0, [0] * (len(theirs) + 1)
    for word in ours:
        here = [0] * (len(theirs) + 1)
        for at, other_word in enumerate(theirs):
            if word == other_word:
                here[at + 1] = before[at] + 1
        best, before = max(best, *here), here
    return best


@pytest.fixture(scope="module")
def items(make_item):
    return [make_item(question, id=name) for name, (question, _) in REWORDED.items()]


@pytest.fixture(scope="module")
def scan(scan_documents, items):
    """Scan documents with both scanners and the shipped background, for the questions above if none
    are given; gives the findings."""

    def scan_with(documents, *, sought=None, scanners=BOTH, segment_bytes=None):
        sought = items if sought is None else sought
        return scan_documents(
            sought, documents, scanners=scanners, shipped=True, segment_bytes=segment_bytes
        ).findings

    return scan_with


@pytest.fixture(scope="module")
def fillers(vocabulary):
    """2,000 words of English, of made-up words, and of symbols that take several bytes."""
    return {
        "English": (ENGLISH * 2)[:2000],
        "made up": vocabulary(2000, 4000),
        "wide": [f"{word}é\u200b学\U0001f600" for word in vocabulary(4000, 4660)],
    }


def inside(words, at, text):
    """A document with a text after some words, and the character at which the text begins."""
    opening = " ".join([*words[:at], ""])
    return f"{opening}\n{text}\n{' '.join(words[at:])}", len(opening) + 1


def place_of(finding):
    return finding.doc_start, finding.doc_end


# --- rewordings -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REWORDED)
def test_the_rewordings_of_these_tests_share_no_run_of_five_words(name, scan):
    question, reworded = REWORDED[name]
    assert longest_run(question, reworded) < SEED_WORDS
    assert scan([reworded], scanners=("ngram",)) == []


@pytest.mark.parametrize("filler", ["English", "made up", "wide"])
@pytest.mark.parametrize("part", ["head", "middle", "tail"])
@pytest.mark.parametrize("name", REWORDED)
def test_a_rewording_in_a_long_document_is_found_where_it_is(
    scan, items, fillers, name, part, filler
):
    reworded, words = REWORDED[name][1], fillers[filler]
    at = {"head": 0, "middle": len(words) // 2 + 3, "tail": len(words)}[part]
    document, start = inside(words, at, reworded)
    (finding,) = scan([document])
    assert (items[finding.item].id, finding.scanner, finding.field) == (name, "minhash", "question")
    assert (finding.kind, finding.status) == ("near", Status.CONTAMINATED)
    covered = min(finding.doc_end, start + len(reworded)) - max(finding.doc_start, start)
    assert covered > 0.9 * len(reworded)
    # A word of the question that stands beside the rewording by chance ("of") may be taken in.
    assert finding.doc_end - finding.doc_start - covered <= (20 if filler == "English" else 0)
    assert finding.excerpt == document[finding.doc_start : finding.doc_end]


def test_every_place_in_a_document_is_as_good_as_another(scan, fillers):
    # The windows lie on a grid of 8 words; the place must not.
    reworded = REWORDED["math"][1]
    (alone,) = scan([reworded])
    for at in range(500, 564):
        document, start = inside(fillers["made up"], at, reworded)
        (finding,) = scan([document])
        assert place_of(finding) == (start + alone.doc_start, start + alone.doc_end)
        assert finding.score == alone.score


def test_each_of_several_rewordings_in_a_document_is_found(scan, items, fillers):
    pieces, size = [], 0
    places = {}
    for number, (name, (_, reworded)) in enumerate([*REWORDED.items(), *REWORDED.items()]):
        filler = " ".join(fillers["made up"][40 * number : 40 * number + 40]) + "\n"
        places.setdefault(name, []).append((size + len(filler), size + len(filler) + len(reworded)))
        pieces += [filler, reworded, "\n"]
        size += len(filler) + len(reworded) + 1
    found = scan(["".join(pieces)])
    assert len(found) == 2 * len(REWORDED)
    for finding in found:
        (place,) = [
            (start, end) for start, end in places[items[finding.item].id]
            if start <= finding.doc_start < finding.doc_end <= end
        ]  # fmt: skip
        places[items[finding.item].id].remove(place)


def test_a_disguised_rewording_is_the_same(scan):
    reworded = REWORDED["math"][1]
    (plain,) = scan([reworded])
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in reworded)
    for disguised in (
        reworded.upper(),
        wide,
        reworded.replace(" ", "\u200b \n"),
        "\u200b".join(reworded),
    ):
        (finding,) = scan([disguised])
        assert (finding.score, finding.identity) == (plain.score, plain.identity)
        found = disguised[finding.doc_start : finding.doc_end]
        assert words_of(found) == words_of(reworded[plain.doc_start : plain.doc_end])


def test_the_answer_beside_a_rewording_is_told(scan, make_item):
    question, reworded = REWORDED["history"]
    sought = [make_item(question, answer="Peace of Westphalia")]
    assert {f.leak_type for f in scan([reworded], sought=sought)} == {"question"}
    for document in (f"{reworded}\nThe Peace of Westphalia.", f"Peace of Westphalia: {reworded}"):
        (finding,) = scan([document], sought=sought)
        assert (finding.leak_type, finding.scanner) == ("question+answer", "minhash")


def test_every_item_with_the_question_is_found(scan, make_item):
    question, reworded = REWORDED["math"]
    sought = [
        make_item(question, id=str(n), answer=answer) for n, answer in enumerate(("2988", "3"))
    ]
    assert {(f.item, f.scanner) for f in scan([reworded], sought=sought)} == {
        (0, "minhash"),
        (1, "minhash"),
    }


def test_the_matched_words_of_a_finding_stand_in_both_texts(scan, items):
    for name, (question, reworded) in REWORDED.items():
        (finding,) = scan([reworded])
        ours = words_of(items[finding.item].question[finding.item_start : finding.item_end])
        theirs = words_of(finding.excerpt)
        assert finding.longest_run == longest_run(question, finding.excerpt), name
        assert 0 < finding.identity < 1
        assert 0.4 < finding.coverage <= 1
        assert {ours[0], ours[-1]} <= set(theirs)


# --- what is no rewording ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("math", {"12": "6", "45": "31", "38": "27", "2": "3", "5": "8"}),
        ("german", {"24": "31", "9": "12", "13": "17"}),
    ],
)
def test_the_same_story_with_other_numbers_is_not_contaminated(scan, name, numbers):
    for text in REWORDED[name]:
        sibling = " ".join(numbers.get(word, word) for word in text.replace(".", " .").split())
        assert text.split() != sibling.split()
        assert all(finding.status < Status.CONTAMINATED for finding in scan([sibling]))


@pytest.mark.parametrize("name", REWORDED)
def test_the_words_of_a_question_in_random_order_are_nothing(scan, name):
    documents = []
    for seed in range(40):
        words = words_of(REWORDED[name][0])
        random.Random(seed).shuffle(words)
        documents.append(" ".join(words))
    assert scan(documents) == []


def test_halves_of_two_questions_are_not_contaminated(scan):
    texts = [words_of(reworded) for _, reworded in REWORDED.values()]
    spliced = [
        " ".join([*one[: len(one) // 2], *other[len(other) // 2 :]])
        for one in texts for other in texts if one is not other
    ]  # fmt: skip
    assert all(finding.status < Status.CONTAMINATED for finding in scan(spliced))


def test_a_rewording_without_the_ask_is_at_most_suspect(scan, make_item):
    question, reworded = REWORDED["math"]
    asked = question.replace("If each", "Each").replace(", how much", ". How much")
    told = reworded[: reworded.index("Over the whole weekend")]
    sought = [make_item(asked)]
    assert {(f.leak_type, f.status) for f in scan([reworded], sought=sought)} == {
        ("question", Status.CONTAMINATED)
    }
    assert {(f.leak_type, f.status) for f in scan([told], sought=sought)} == {
        ("passage", Status.SUSPECT)
    }


def test_other_text_is_nothing(scan, fillers):
    documents = [" ".join(words) for words in fillers.values()]
    documents += [" ".join(ENGLISH[at : at + 60]) for at in range(0, len(ENGLISH), 60)]
    assert scan(documents) == []


NOTHING = {
    "empty": "",
    "one word": "bakery",
    "three words": "a Lisbon bakery",
    "white space": " \n\t \r\n" * 50,
    "symbols": "?!… --- *** ((%)) \U0001f600 " * 200,
    "zero-width": "\u200b\u200d\ufeff" * 300,
    "bare marks": "\u0301\u0327" * 100,
    "one Han character": "学",
    "Han": "小明早上从果园里摘了苹果然后回家" * 100,
    "kana": "むかしむかしあるところにおじいさんとおばあさんがいました" * 50,
    "Thai": "กาลครั้งหนึ่งนานมาแล้ว" * 60,
    "one word over and over": "tart " * 3000,
    "one long word": "x" * 40_000,
    "one number over and over": "45 " * 3000,
}


@pytest.mark.parametrize("case", NOTHING)
def test_documents_of_nothing_are_scanned_and_hold_nothing(scan, case):
    assert scan([NOTHING[case]]) == []
    reworded = REWORDED["math"][1]
    (finding,) = scan([NOTHING[case], reworded, NOTHING[case]])
    assert (finding.document, finding.scanner) == (1, "minhash")


def test_no_document_is_no_finding(scan):
    assert scan([]) == []


# --- which questions are sought ---------------------------------------------------------------------


def signed_items(scan_documents, sought):
    plan = scan_documents(sought, [], scanners=BOTH, shipped=True).plan
    owners = plan.patterns.owners
    return {int(owners.item[owners.first[p]]) for p in plan.signed.texts.pattern}


def test_questions_that_say_enough_and_are_not_too_long_are_signed(
    scan_documents, make_item, vocabulary
):
    texts = [
        "", "?!", "Why?", "Which of the following is not true of it?", *(
            " ".join(vocabulary(100 * n, 100 * n + size))
            for n, size in enumerate((4, LEAST_WORDS - 1, LEAST_WORDS, 30))
        ),
        " ".join(vocabulary(5000, 5000 + MOST_WORDS)),
        " ".join(vocabulary(5000, 5001 + MOST_WORDS)),
    ]  # fmt: skip
    sought = [make_item(text, id=str(n), answer="yes") for n, text in enumerate(texts)]
    assert signed_items(scan_documents, sought) == {6, 7, 8}


def test_the_longest_question_that_is_sought_is_found(scan, make_item, vocabulary):
    words = vocabulary(5000, 5000 + MOST_WORDS)
    reworded = " ".join(word for at, word in enumerate(words) if at % 5)
    document = f"{' '.join(vocabulary(0, 900))}\n{reworded}\n{' '.join(vocabulary(900, 2000))}"
    (finding,) = scan([document], sought=[make_item(" ".join(words))])
    assert (finding.scanner, finding.status) == ("minhash", Status.CONTAMINATED)
    assert document[finding.doc_start : finding.doc_end] == reworded


@pytest.mark.parametrize("question", ["", "Why?", "?!"])
def test_a_benchmark_without_such_a_question_is_scanned(scan, make_item, question, fillers):
    sought = [make_item(question, answer="Peace of Westphalia")]
    assert scan([" ".join(fillers["English"])], sought=sought) == []


def test_passages_answers_and_choices_are_not_sought(scan, make_item):
    question, reworded = REWORDED["history"]
    sought = [make_item("Why?", answer=question, passage=question, choices=(question, "no"))]
    assert scan([reworded], sought=sought) == []


# --- beside the n-gram scanner ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def mixed_items(items, make_item, vocabulary):
    """The questions above and others, shorter and longer, with answers, choices and a passage."""
    text = lambda first, last: " ".join(vocabulary(first, last))  # noqa: E731 - a shorthand
    return [
        *items,
        make_item(text(0, 9), id="short", answer=text(10, 12)),
        make_item(text(20, 36), id="solved", answer=text(40, 70)),
        make_item(
            "In 1911, who led the first expedition that reached the geographic South Pole?",
            id="quiz", answer="Roald Amundsen",
            choices=("Robert Scott", "Roald Amundsen", "Ernest Shackleton", "James Ross"),
        ),
        make_item(f"{text(100, 190)}. {text(190, 200)}?", id="long", passage=text(200, 260)),
        make_item(
            "A train leaves Porto at 8 and travels 300 km at 75 km per hour; a second one leaves 30 "
            "minutes later at 100 km per hour. When does the second train arrive?",
            id="train", answer="11:30",
        ),
    ]  # fmt: skip


def edited(words, random):
    """Words with some taken away, replaced, doubled, moved or cut off, as hard as chance will."""
    rate = random.choice((0, 0.05, 0.1, 0.2, 0.3, 0.5))
    out = []
    for word in words:
        draw = random.random()
        if draw < rate / 3:
            continue
        out.append(random.choice(words) if draw < 2 * rate / 3 else word)
        if 2 * rate / 3 <= draw < rate:
            out.append(random.choice(("indeed", "really", "thing", "7")))
    if out and random.random() < 0.4:
        at = random.randrange(len(out))
        out = [*out[at:], *out[:at]]
    if random.random() < 0.2:
        out = out[: random.randrange(len(out) + 1)]
    if random.random() < 0.2:
        out = [str(random.randrange(99)) if word.isdigit() else word for word in out]
    return out


@st.composite
def planted(draw, n_items):
    """Documents that hold edited copies of items: (number of the item, seed of the edits) each."""
    one = st.tuples(st.integers(0, n_items - 1), st.integers(0, 1 << 30))
    return draw(st.lists(st.lists(one, max_size=3), min_size=1, max_size=6))


def documents_of(plan, sought, fillers):
    out = []
    for holds in plan:
        pieces = []
        for number, seed in holds:
            chance = random.Random(seed)
            item = sought[number]
            text = chance.choice((item.question, f"{item.question} {item.answer}"))
            filler = chance.choice([fillers["English"], fillers["made up"]])
            at = chance.randrange(1900)
            pieces += filler[at : at + chance.randrange(60)] + edited(text.split(), chance)
        out.append(" ".join(pieces))
    return out


@given(planted(n_items=9))
@settings(max_examples=150, deadline=None)
def test_with_minhash_nothing_that_ngrams_say_is_lost(scan_documents, mixed_items, fillers, plan):
    assert len(mixed_items) == 9
    documents = documents_of(plan, mixed_items, fillers)
    alone, both = (
        scan_documents(mixed_items, documents, scanners=scanners, shipped=True)
        for scanners in (("ngram",), BOTH)
    )
    assert [f for f in both.findings if f.scanner == "ngram"] == alone.findings
    tables = [findings_table([one.result], one.plan) for one in (alone, both)]
    assert tables[1].filter(pl.col("scanner") == "ngram").equals(tables[0])
    before, after = (
        items_table(table, one.plan) for table, one in zip(tables, (alone, both), strict=True)
    )
    for old, new in zip(before["status"], after["status"], strict=True):
        assert RANK[new] >= RANK[old]
    strongest = [
        max([RANK["clean"], *(f.status for f in both.findings if f.item == number)])
        for number in range(len(mixed_items))
    ]
    status = dict(zip(after["item_id"], after["status"], strict=True))
    assert [RANK[status[item.id]] for item in mixed_items] == strongest
    assert all(before[name].equals(after[name]) for name in ("gpt3", "llama2", "qwen2", "gpt4"))


@given(planted(n_items=9))
@settings(max_examples=150, deadline=None)
def test_a_place_with_a_run_of_13_words_is_left_to_ngrams(scan, mixed_items, fillers, plan):
    documents = documents_of(plan, mixed_items, fillers)
    for finding in scan(documents, sought=mixed_items):
        if finding.scanner == "minhash":
            place = documents[finding.document][finding.doc_start : finding.doc_end]
            shared = longest_run(mixed_items[finding.item].question, place)
            assert shared == finding.longest_run < LONG_WORDS


@given(planted(n_items=9))
@settings(max_examples=60, deadline=None)
def test_the_other_documents_of_a_batch_do_not_change_findings(scan, mixed_items, fillers, plan):
    documents = documents_of(plan, mixed_items, fillers)
    together = scan(documents, sought=mixed_items)
    each = [
        (number, finding) for number, document in enumerate(documents)
        for finding in scan([document], sought=mixed_items)
    ]  # fmt: skip
    key = lambda number, f: (f.scanner, number, f.item, *place_of(f), f.status, f.score)  # noqa: E731
    assert sorted(key(f.document, f) for f in together) == sorted(key(n, f) for n, f in each)


def test_a_whole_copy_is_told_by_ngrams_alone(scan, items):
    for item in items:
        assert {f.scanner for f in scan([item.question])} == {"ngram"}


def test_a_long_run_that_crosses_the_alignment_leaves_the_place_to_ngrams(
    scan, make_item, vocabulary
):
    # The heavy words of one half go before the light ones of the other, so the alignment of largest
    # weight takes the heavy ones, though the run of 20 light ones is longer.
    light = "and so it is that he would be able to go up there with all of them in the"
    heavy = [f"{word} or" for word in vocabulary(0, 10)]
    copy = " or then ".join(vocabulary(0, 10))
    question = f"{' '.join(heavy)} {light}"
    assert longest_run(question, f"{light} {copy}") >= LONG_WORDS
    found = scan([f"{light} {copy}"], sought=[make_item(question)])
    assert {finding.scanner for finding in found} == {"ngram"}


# --- long documents are scanned in pieces -----------------------------------------------------------


@pytest.mark.parametrize("name", ["math", "docstring"])
def test_a_rewording_across_a_seam_is_found_once_and_where_it_is(scan, fillers, name):
    # Pieces of 16 KiB: seams at every 1,820 words or so of eight letters.
    words = (fillers["made up"] * 3)[:6000]
    reworded = REWORDED[name][1]
    seam = 16_384 // 9
    for at in range(seam - 70, seam + 15, 5):
        document, start = inside(words, at, reworded)
        (whole,) = scan([document])
        (pieces,) = scan([document], segment_bytes=16_384)
        assert place_of(pieces) == place_of(whole)
        assert start <= pieces.doc_start < pieces.doc_end <= start + len(reworded)
        assert (pieces.score, pieces.identity) == (whole.score, whole.identity)


def test_a_rewording_anywhere_in_a_document_of_many_pieces_is_found_once(scan, fillers):
    words = (fillers["made up"] * 4)[:8000]
    reworded = REWORDED["history"][1]
    for at in range(0, 8001, 160):
        document, start = inside(words, at, reworded)
        (finding,) = scan([document], segment_bytes=8192)
        assert start <= finding.doc_start < finding.doc_end <= start + len(reworded)


def test_a_rewording_around_the_seam_of_a_scan_is_found(scan, fillers):
    opening = "x y " * ((SEGMENT_BYTES - 100) // 4)
    reworded = REWORDED["math"][1]
    document = f"{opening}\n{reworded}\n{' '.join(fillers['English'])}"
    (finding,) = scan([document])
    start = len(opening) + 1
    assert start <= finding.doc_start < finding.doc_end <= start + len(reworded)
    assert finding.doc_end - finding.doc_start > 0.9 * len(reworded)


@pytest.mark.parametrize("where", ["before", "after", "both"])
def test_a_rewording_beside_a_piece_without_words_is_found(scan, where):
    nothing = "-=" * SEGMENT_BYTES
    reworded = REWORDED["math"][1]
    opening = nothing if where != "after" else ""
    document = f"{opening}\n{reworded}\n{nothing if where != 'before' else ''}\nzumo"
    (finding,) = scan([document])
    start = len(opening) + 1
    assert start <= finding.doc_start < finding.doc_end <= start + len(reworded)


@pytest.mark.parametrize("spaces", [1000, 12_000, 40_000])
def test_a_rewording_that_space_stretches_over_seams_is_found(scan, spaces):
    reworded = REWORDED["math"][1]
    stretched = (" " * spaces).join(reworded.split())
    (plain,), (finding,) = scan([reworded]), scan([f"{stretched}\n{'x y ' * 5000}"])
    assert (finding.score, finding.identity) == (plain.score, plain.identity)


def test_offsets_after_a_seam_are_characters(scan):
    opening = "é学\U0001f600 " * 120_000  # 10 bytes and 4 characters each
    reworded = REWORDED["german"][1]
    (alone,), (finding,) = scan([reworded]), scan([f"{opening}{reworded} end"])
    moved = (alone.doc_start + len(opening), alone.doc_end + len(opening))
    assert place_of(finding) == moved
