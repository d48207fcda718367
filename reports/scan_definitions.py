"""What every word of a scan's report means, as the report itself prints it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from indexes.ngram import LONG_WORDS
from reports.schema import Definition
from scanners.examine import EMBEDDING, MINHASH
from scanners.judge import (
    ANSWER_ALONE_SCORE,
    CONTAMINATED_SCORE,
    ENOUGH_IDENTITY,
    LONG_ITEM_WORDS,
    SHORT_ITEM_SCORE,
    SHORT_ITEM_WORDS,
    SUSPECT_MARGIN,
    SUSPECT_SCORE,
)
from scanners.judge_reworded import (
    LONG_WORDS_FROM,
    NEEDED_LONG,
    NEEDED_SHORT,
    NEEDED_WITHOUT_NUMBERS,
    SHORT_WORDS_TO,
    TELLING_NUMBERS,
)
from scanners.patterns import ENOUGH_BITS, WHOLE_WORDS

# What makes an item contaminated, by the scanner that finds it; the n-gram scanner is always one.
BY_NGRAM: Final = (
    "the question stands in one place of one document, with or without its answer: "
    f"a score of {CONTAMINATED_SCORE} from {LONG_ITEM_WORDS} words on, rising to "
    f"{SHORT_ITEM_SCORE} for {SHORT_ITEM_WORDS} words and fewer; or its free-text answer stands "
    f"there whole (score {ANSWER_ALONE_SCORE}, a run of {LONG_WORDS} words)"
)
BY_OTHERS: Final = {
    MINHASH: "or the scanner minhash finds enough of the question's words and of their spelling in one "
    f"place, in order and with its numbers: a score of {CONTAMINATED_SCORE} (see reworded)",
    EMBEDDING: "or the scanner embedding finds a place that says in other words what the question "
    f"says: a score of {CONTAMINATED_SCORE} (see semantic)",
}

TERMS: Final[tuple[Definition, ...]] = (
    {
        "term": "suspect",
        "meaning": f"a score up to {SUSPECT_MARGIN:.1f} below what contaminated needs, or evidence of "
        "a kind that does not settle it: only numbers differ (template), only the passage or only "
        "choices were found, a question without its last sentence, or a whole question of few words",
    },
    {
        "term": "unsearchable",
        "meaning": "the item has too few words of its own to be found or ruled out",
    },
    {
        "term": "clean",
        "meaning": f"searched for and not found at these scores: no shared run of {LONG_WORDS} words "
        "was missed, edits and rewordings below that may have been",
    },
    {
        "term": "score",
        "meaning": f"coverage x min(1, information / {ENOUGH_BITS:.0f} bits) x min(1, identity / "
        f"{ENOUGH_IDENTITY}), in [0, 1]; half the information is enough with a run of {LONG_WORDS} "
        f"words, or of all words where they are {WHOLE_WORDS} or more; listed choices and an answer beside the question add to it",
    },
    {
        "term": "coverage",
        "meaning": "matched share of the field by inverse-document-frequency weight, in one locus",
    },
    {"term": "identity", "meaning": "matched words / columns of the alignment"},
    {"term": "longest run", "meaning": "consecutive words that are equal in both texts"},
    {
        "term": "template",
        "meaning": "the same question with other numbers: a sibling, not a copy",
    },
    {
        "term": "passage",
        "meaning": "the text that the question is about, or quotes, without the question itself",
    },
)

REWORDED: Final[tuple[Definition, ...]] = (
    {
        "term": "reworded",
        "meaning": "a place found by the scanner minhash: no run of words need be shared. Its score is "
        "the mean share of the question's words and of their spelling that the place has, cut down by "
        f"numbers that differ, and scaled so that {CONTAMINATED_SCORE} is what a question of its "
        f"length needs: a plain {NEEDED_LONG} from {LONG_WORDS_FROM} words on, {NEEDED_SHORT} for "
        f"{SHORT_WORDS_TO} and fewer, up to {NEEDED_WITHOUT_NUMBERS} more where fewer than "
        f"{TELLING_NUMBERS} numbers are shared",
    },
)
SEMANTIC: Final[tuple[Definition, ...]] = (
    {
        "term": "semantic",
        "meaning": "a place found by the scanner embedding: it says in other words what the question says, "
        "of which it need not hold a single run. Static vectors nominate windows as long as items; then "
        "words that mean the same are aligned, and how much of the question the place stands for, in "
        "which order, how much of the place's own sentences the question accounts for, the numbers, the "
        "ask, the choices and the distance to the next item are weighed (and a transformer's cosine, set "
        "against those between items of the same benchmark, where a model is named above). The score is "
        f"that sum, scaled so that {SUSPECT_SCORE} is what about one sibling document in a hundred reaches "
        f"and {CONTAMINATED_SCORE} about one in two thousand. It is no proof of a copy: read the place",
    },
)
TRANSLATED: Final[tuple[Definition, ...]] = (
    {
        "term": "translation",
        "meaning": "a place in another language that says what the question says, found by a multilingual "
        "model: how much nearer it is to this question than to the next ones, the numbers and the length "
        "are weighed. What is marked in both texts is numbers and names, and coverage and identity count "
        "only those. Read the place",
    },
)


def definitions(scanners: Sequence[str], *, translations: bool = False) -> list[Definition]:
    """Return the words of a report, with the rules of the scanners that ran."""
    others = (rule for scanner, rule in BY_OTHERS.items() if scanner in scanners)
    return [
        {"term": "contaminated", "meaning": "; ".join([BY_NGRAM, *others])},
        *TERMS,
        *(REWORDED if MINHASH in scanners else ()),
        *(SEMANTIC if EMBEDDING in scanners else ()),
        *(TRANSLATED if translations else ()),
    ]


def store_terms(fetched: int, documents: int) -> tuple[Definition, ...]:
    """Say what a check through an index store sees, which read some documents only."""
    return (
        {
            "term": "index store",
            "meaning": f"{fetched:,} of {documents:,} documents were read: those that the "
            f"store nominates. Every document that shares a run of {LONG_WORDS} words with an item is "
            "nominated, and so are most edited copies; what else a scan of the corpus finds may be "
            "missed, and the calibration counts that. The labs' definitions see the same documents "
            "only, so their counts are lower bounds",
        },
    )
