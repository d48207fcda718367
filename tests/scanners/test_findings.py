"""Findings point into the raw texts, and no finding rests on a hash."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.documents import Batch
from corpora.reference_form import reference_words
from corpora.shards import Columns, Compression, Format, Shard
from pipelines.shard_step import StepResult, scan_batch
from scanners.findings import EXCERPT_CHARS, spelled_words

SHARD = Shard("c.jsonl", Format.JSONL, Compression.NONE, Columns(), None, 0)
NULL = pa.nulls(1, pa.large_string())

LATIN = "The quick brown fox jumps over the lazy dog while nobody at all is watching it"
CJK = "学校の近くに大きな川があります私は毎日そこを歩きます"
OPENINGS = {
    "nothing": "",
    "emoji": "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467 ok \U0001f3f4 ",
    "cjk": "山水花鳥風月、",
    "line ends": "one\r\ntwo\r\n\r\nthree\r\n",
    "zero width": "\ufeff\u200b\u200d a\u200bb\u2060c ",
    "marks": "e\u0301te\u0301 a\u0327\u0301 n\u0303 ",
    "wide": "ｆｕｌｌ　ｗｉｄｔｈ ﬁﬂﬀ ½ ㎏ ﷺ ",
    "bare marks": "\u0301\u0301 \u0327",
}


def spelled(text):
    return [word for word, _, _ in reference_words(text)]


@pytest.mark.parametrize("opening", OPENINGS.values(), ids=OPENINGS)
@pytest.mark.parametrize("question", [LATIN, CJK], ids=["latin", "cjk"])
def test_offsets_are_characters_of_both_raw_texts(scan_documents, make_item, opening, question):
    item = make_item(f"{opening}{question}.")
    document = f"{OPENINGS['emoji']}{opening}zebra\u3000{question}\r\nend"
    (finding,) = scan_documents([item], [document]).findings
    there = document[finding.doc_start : finding.doc_end]
    ours = item.question[finding.item_start : finding.item_end]
    words = spelled(question)
    assert spelled(ours)[-len(words) :] == spelled(there)[-len(words) :] == words
    assert spelled(ours)[0] == spelled(there)[0]
    assert there.endswith(question)
    assert ours.endswith(question)


def test_offsets_leave_out_what_is_around_the_first_and_the_last_word(scan_documents, make_item):
    document = f"\r\n\u201c\u200b{LATIN}\u200b\u201d?!\r\n"
    (finding,) = scan_documents([make_item(f"-- {LATIN} --")], [document]).findings
    assert document[finding.doc_start : finding.doc_end] == LATIN
    assert (finding.item_start, finding.item_end) == (3, 3 + len(LATIN))


def test_a_disguised_copy_is_placed_whole(scan_documents, make_item):
    wide = "".join(chr(ord(c) + 0xFEE0) if c != " " else "\u3000" for c in LATIN)
    split = "\u200b".join(LATIN)
    cyrillic = LATIN.translate(str.maketrans("aeopc", "аеорс"))
    documents = [f"é {copy} é" for copy in (wide, split, cyrillic, LATIN.upper())]
    findings = scan_documents([make_item(LATIN)], documents).findings
    assert [(f.document, f.doc_start, f.doc_end, f.kind) for f in findings] == [
        (number, 2, len(document) - 2, "verbatim") for number, document in enumerate(documents)
    ]


def test_a_part_in_the_middle_is_placed_in_both_texts(scan_documents, make_item, vocabulary):
    item = make_item("é " + " ".join(vocabulary(0, 40)))
    part = " ".join(vocabulary(10, 34))
    (finding,) = scan_documents([item], [f"学 {part} 学"]).findings
    assert item.question[finding.item_start : finding.item_end] == part
    assert (finding.doc_start, finding.doc_end) == (2, 2 + len(part))


def test_the_words_of_a_composite_after_the_question_have_no_place_in_it(
    scan_documents, make_item, vocabulary
):
    choices = [" ".join(vocabulary(100 + 2 * n, 102 + 2 * n)) for n in range(4)]
    item = make_item(" ".join(vocabulary(0, 4)), choices=choices, answer=choices[0])
    document = "x " + "\n".join([item.question, *choices]) + " x"
    (finding,) = scan_documents([item], [document]).findings
    assert (finding.field, finding.item_start, finding.item_end) == (
        "question", 0, len(item.question),
    )  # fmt: skip
    assert (finding.doc_start, finding.doc_end) == (2, len(document) - 2)


@pytest.mark.parametrize(
    ("field", "name"),
    [("question", "question"), ("answer", "answer"), ("passage", "passage")],
)
def test_a_finding_names_its_field(scan_documents, make_item, field, name):
    (finding,) = scan_documents([make_item(**{field: LATIN})], [LATIN]).findings
    assert (finding.field, finding.choice) == (name, -1)


def test_a_finding_in_a_choice_names_its_number(scan_documents, make_item):
    item = make_item("", choices=("nothing of it", LATIN, "less"))
    (finding,) = scan_documents([item], [LATIN]).findings
    assert (finding.field, finding.choice) == ("choices", 1)


def test_an_edited_copy_is_near_with_its_identity_and_coverage(
    scan_documents, make_item, vocabulary
):
    words = vocabulary(0, 30)
    copy = [*words[:10], "kub", *words[11:]]
    (finding,) = scan_documents([make_item(" ".join(words))], [" ".join(copy)]).findings
    assert finding.kind == "near"
    assert finding.identity == 29 / 30
    assert finding.coverage == 29 / 30  # every word weighs the same
    assert finding.longest_run == 19


def test_a_short_excerpt_is_the_locus_and_a_long_one_is_cut_in_the_middle(
    scan_documents, make_item, vocabulary
):
    text = " ".join(vocabulary(0, 200))
    short, long = " ".join(vocabulary(300, 330)), text
    items = [make_item(short, id="short"), make_item(long, id="long")]
    first, second = scan_documents(items, [short, long]).findings
    assert first.excerpt == short
    assert len(second.excerpt) <= EXCERPT_CHARS + 1
    head, tail = second.excerpt.split(" … ")
    assert long.startswith(head)
    assert long.endswith(tail)


@pytest.mark.parametrize(
    ("first", "last"),
    [("½", "½"), ("\u32c5", "㏂"), ("\ufdfa", "\ufdfa"), ("⑽", "⒈"), ("a", "½"), ("½", "a")],
)
def test_a_character_that_spells_more_words_than_are_shared_hides_nothing(
    scan_documents, make_item, first, last
):
    # The run begins at the last word of the document's first character and ends at the first of its last.
    opening, ending = spelled(first), spelled(last)
    item = make_item(f"zubi {opening[-1]} {LATIN} {ending[0]} zubi")
    document = f"kuba {first} {LATIN} {last} kuba"
    (finding,) = scan_documents([item], [document]).findings
    assert document[finding.doc_start : finding.doc_end] == f"{first} {LATIN} {last}"
    assert finding.longest_run == len(spelled(LATIN)) + 2


@pytest.mark.parametrize(("spelled_otherwise", "found"), [([], 1), ([15], 0), (range(30), 0)])
def test_a_hash_collision_is_no_finding(
    scan_documents, make_item, vocabulary, spelled_otherwise, found
):
    # The index was built from the document's words: as if the hashes could not tell the item's apart.
    document = vocabulary(0, 30)
    item = [f"kub{at}" if at in spelled_otherwise else word for at, word in enumerate(document)]
    plan = scan_documents([make_item(" ".join(document))], []).plan
    plan.items = (make_item(" ".join(item)),)
    result = StepResult(SHARD)
    batch = Batch(
        SHARD, np.zeros(1, np.int64), pa.array([" ".join(document)], pa.large_string()), NULL, NULL
    )
    scan_batch(batch, plan, result)
    assert len(result.places) == found


@given(
    st.lists(
        st.text(max_size=4)
        | st.sampled_from(
            [" ", "  ", "\xe9", "\u0301", "\u0345", "\xbd", "\ufb01", "学", "\u0430", "a", "\n"]
        ),
        max_size=12,
    )
)
def test_the_words_of_a_proof_are_those_of_the_definition(pieces):
    text = "".join(pieces)
    assert spelled_words(text) == [word for word, _, _ in reference_words(text)]
