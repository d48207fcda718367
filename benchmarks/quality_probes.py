"""What the scan finds of planted items: edits, layouts, look-alike characters, and negatives.

Each probe puts 300 items of GSM8K test or MMLU test (drawn with a seed), changed in one way, between
70 words of news and books, and scans them against both benchmarks whole. The last probes are questions
that are in neither benchmark, or that are real near-duplicates: those found are printed.

    python benchmarks/quality_probes.py [--data DIR] [--items 300] [--seed 1]

Ends with status 1 where a target is missed.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Final

from harness import (
    CONTAMINATED,
    SUSPECT,
    Filler,
    MissingDataError,
    Scanner,
    Verdict,
    argument_parser,
    benchmark_file,
    check_data,
    exit_without_data,
    machine,
    read_records,
    shorten,
    table,
)

Record = dict[str, Any]
Change = Callable[[Record, Filler], str]

LETTERS: Final = "ABCDEFGHIJ"
SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+")
HEADER: Final = (
    "probe", "documents", "own contaminated", "own suspect", "other contaminated", "leak types",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Probe:
    """One way to change an item."""

    name: str
    change: Change


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a probe gave, in documents; `twins` (items of the same words) are not other items."""

    name: str
    documents: int
    contaminated: int
    suspect: int
    others: int
    leak_types: Counter[str]

    def row(self) -> tuple[object, ...]:
        """Return the outcome as a row of the table."""
        kinds = ", ".join(f"{kind} {count}" for kind, count in self.leak_types.most_common())
        return (self.name, self.documents, self.contaminated, self.suspect, self.others, kinds)


@dataclass(frozen=True, slots=True)
class Target:
    """A number that the issue asks for."""

    what: str
    got: int
    limit: int
    at_most: bool = False

    @property
    def met(self) -> bool:
        """Tell whether the number is good enough."""
        return self.got <= self.limit if self.at_most else self.got >= self.limit

    def row(self) -> tuple[object, ...]:
        """Return the target as a row of the table."""
        sign = "<=" if self.at_most else ">="
        return (self.what, f"{sign} {self.limit}", self.got, "met" if self.met else "MISSED")


def main() -> int:
    """Run all probes; return the exit status."""
    parser = argument_parser(__doc__)
    parser.add_argument("--items", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    try:
        data = check_data(options.data)
    except MissingDataError as error:
        exit_without_data(error)
    print(f"{machine()}; {options.items} items, seed {options.seed}\n")
    filler = Filler(data, options.seed)
    outcomes = planted(data, filler, options.items)
    print(table([outcome.row() for outcome in outcomes.values()], HEADER), "\n")
    train = negatives(data)
    targets = issue_targets(outcomes, train, options.items)
    print("\n" + table([t.row() for t in targets], ("target of the issue", "asked", "got", "")))
    return int(not all(target.met for target in targets))


def planted(data: Path, filler: Filler, n_items: int) -> dict[str, Outcome]:
    """Return the outcomes of the probes with planted items, by name."""
    benchmarks = [benchmark_file(data, name) for name in ("gsm8k_test", "mmlu_test")]
    gsm8k, mmlu = (read_records(path) for path in benchmarks)
    scanner = Scanner(benchmarks)
    unsearchable = scanner.unsearchable()
    outcomes: dict[str, Outcome] = {}
    for name, records, probes in (
        ("GSM8K", gsm8k, gsm8k_probes()),
        ("MMLU", mmlu, mmlu_probes()),
    ):
        chosen = draw([r for r in records if r["id"] not in unsearchable], n_items, filler)
        twins = same_text(records)
        for probe in probes:
            texts = [filler.around(probe.change(record, filler)) for record in chosen]
            verdicts = scanner.verdicts(texts)
            label = f"{name} {probe.name}"
            outcomes[label] = summarise(label, chosen, verdicts, twins)
        for label, texts in (
            (f"{name} halves of two items (negative)", spliced(chosen)),
            (f"{name} words shuffled (negative)", [shuffled(r, filler) for r in chosen]),
        ):
            verdicts = scanner.verdicts([filler.around(text) for text in texts])
            outcomes[label] = summarise(label, chosen, verdicts, twins)
    return outcomes


def draw(records: Sequence[Record], n_items: int, filler: Filler) -> list[Record]:
    """Return records drawn without replacement."""
    chosen = filler.random.choice(len(records), size=min(n_items, len(records)), replace=False)
    return [records[number] for number in sorted(chosen.tolist())]


def same_text(records: Sequence[Record]) -> dict[str, set[str]]:
    """Return for each item the items with the same words in the question, itself among them."""
    by_words: dict[str, set[str]] = {}
    for record in records:
        by_words.setdefault(_question_words(record), set()).add(record["id"])
    return {record["id"]: by_words[_question_words(record)] for record in records}


def summarise(
    name: str, chosen: Sequence[Record], verdicts: Sequence[Verdict], twins: dict[str, set[str]]
) -> Outcome:
    """Count what the documents did; document k was made of chosen[k]."""
    own = [v for v in verdicts if v.item == chosen[v.row]["id"]]
    others = {
        v.row
        for v in verdicts
        if v.status == CONTAMINATED and v.item not in twins[chosen[v.row]["id"]]
    }
    return Outcome(
        name=name,
        documents=len(chosen),
        contaminated=sum(v.status == CONTAMINATED for v in own),
        suspect=sum(v.status == SUSPECT for v in own),
        others=len(others),
        leak_types=Counter(v.leak_type for v in own),
    )


def gsm8k_probes() -> list[Probe]:
    """Return the ways to change an item of question and worked answer."""
    return [
        Probe("question + answer", lambda r, _: f"{r['question']}\n{r['answer']}"),
        Probe("question", lambda r, _: r["question"]),
        Probe("answer", lambda r, _: r["answer"]),
        Probe("answer before question", lambda r, _: f"{r['answer']}\n{r['question']}"),
        *(replaced(percent, with_answer=False) for percent in (2, 5, 10, 20)),
        *(replaced(percent, with_answer=True) for percent in (2, 5, 10, 20)),
        Probe("question, numbers changed", lambda r, f: other_numbers(r["question"], f)),
        Probe(
            "question + answer, numbers changed",
            lambda r, f: other_numbers(f"{r['question']}\n{r['answer']}", f),
        ),
        *character_probes(),
        *part_probes(),
        Probe("question + answer, Markdown", markdown),
        Probe("question + answer, LaTeX", latex),
    ]


def mmlu_probes() -> list[Probe]:
    """Return the ways to change an item of question and choices."""
    return [
        Probe("question + lettered choices", lambda r, _: lettered(r)),
        Probe(
            "question + lettered choices + letter",
            lambda r, _: f"{lettered(r)}\nAnswer: {LETTERS[r['choices'].index(r['answer'])]}",
        ),
        Probe("question + correct answer text", lambda r, _: f"{r['question']} {r['answer']}"),
        Probe("answer text before question", lambda r, _: f"{r['answer']}\n{r['question']}"),
        Probe("question", lambda r, _: r["question"]),
        Probe("choices", lambda r, _: "\n".join(r["choices"])),
        Probe("question + lettered, 10 % replaced", lambda r, f: edited(lettered(r), 10, f)),
        Probe("question + lettered, full-width", lambda r, _: full_width(lettered(r))),
        Probe("question + lettered, Cyrillic е", lambda r, _: lettered(r).replace("e", "е")),
        Probe("question + lettered, Markdown", markdown),
        Probe("question + lettered, LaTeX", latex),
    ]


def character_probes() -> list[Probe]:
    """Return the probes whose words look the same."""
    return [
        Probe("question, full-width", lambda r, _: full_width(r["question"])),
        Probe(
            "question, zero-width space before each space",
            lambda r, _: r["question"].replace(" ", "\u200b "),
        ),
        Probe("question, Cyrillic е", lambda r, _: r["question"].replace("e", "е")),
    ]


def part_probes() -> list[Probe]:
    """Return the probes that hold a part of the question, or hold it in parts."""
    return [
        Probe("first half of question", lambda r, _: halves(r)[0]),
        Probe("second half of question", lambda r, _: halves(r)[1]),
        Probe("question, a paragraph per sentence", lambda r, _: paragraphs(r["question"])),
        Probe(
            "question, 12 unrelated words between its halves",
            lambda r, f: f"{halves(r)[0]}\n\n{f.some(12)}\n\n{halves(r)[1]}",
        ),
    ]


def replaced(percent: int, *, with_answer: bool) -> Probe:
    """Return the probe that replaces words of the question."""
    name = f"question, {percent} % replaced" + (" + answer" if with_answer else "")

    def change(record: Record, filler: Filler) -> str:
        text = edited(record["question"], percent, filler)
        return f"{text}\n{record['answer']}" if with_answer else text

    return Probe(name, change)


def edited(text: str, percent: int, filler: Filler) -> str:
    """Return a text with each word replaced by a word of the filler at a chance of `percent`."""
    words = text.split(" ")
    for at in range(len(words)):
        if filler.random.random() < percent / 100:
            words[at] = filler.some(1)
    return " ".join(words)


def other_numbers(text: str, filler: Filler) -> str:
    """Return a text with another number in the place of each."""
    return re.sub(r"\d+", lambda _: str(filler.random.integers(2, 99)), text)


def full_width(text: str) -> str:
    """Return a text in full-width forms; spaces stay."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def halves(record: Record) -> tuple[str, str]:
    """Return the two halves of the words of a question."""
    words = record["question"].split()
    return " ".join(words[: len(words) // 2]), " ".join(words[len(words) // 2 :])


def paragraphs(text: str) -> str:
    """Return a text with a blank line after each sentence."""
    return "\n\n".join(SENTENCE_END.split(text))


def lettered(record: Record) -> str:
    """Return question and choices as multiple choice is printed."""
    choices = zip(LETTERS, record["choices"], strict=False)
    return "\n".join([record["question"], *(f"{letter}. {text}" for letter, text in choices)])


def markdown(record: Record, _: Filler) -> str:
    """Return the item as Markdown: a heading, bold numbers, the choices or the answer as a list."""
    question = re.sub(r"\d[\d.,]*", r"**\g<0>**", record["question"])
    lines = record.get("choices") or record["answer"].split("\n")
    return "\n".join([f"### Question\n\n> {question}\n", *(f"- {line}" for line in lines)])


def latex(record: Record, _: Filler) -> str:
    """Return the item as LaTeX: numbers in mathematics, special characters escaped, an item list."""

    def rendered(text: str) -> str:
        escaped = re.sub(r"[%$&#_]", r"\\\g<0>", text)
        return re.sub(r"\d+(?:[.,]\d+)*", r"$\g<0>$", escaped)

    lines = record.get("choices") or record["answer"].split("\n")
    listed = "\n".join(f"  \\item {rendered(line)}" for line in lines)
    body = SENTENCE_END.sub(r"\\\\\n", rendered(record["question"]))
    return (
        f"\\begin{{problem}}\n{body}\n\\end{{problem}}\n"
        f"\\begin{{enumerate}}\n{listed}\n\\end{{enumerate}}"
    )


def spliced(records: Sequence[Record]) -> list[str]:
    """Return texts of the first half of one question and the second of the next item's."""
    following = [*records[1:], records[0]]
    return [
        f"{halves(a)[0]} {halves(b)[1]}"
        for a, b in zip(records, following, strict=True)
    ]  # fmt: skip


def shuffled(record: Record, filler: Filler) -> str:
    """Return the words of a question in another order."""
    return " ".join(filler.random.permutation(record["question"].split()).tolist())


def negatives(data: Path) -> int:
    """Scan real texts that are not the benchmark's, print what is found; return GSM8K train's count."""
    train = read_records(benchmark_file(data, "gsm8k_train"))
    questions = [record["question"] for record in train]
    count = against(data, "GSM8K train questions", questions, "gsm8k_test")
    both = [f"{record['question']}\n{record['answer']}" for record in train]
    against(data, "GSM8K train questions + answers", both, "gsm8k_test")
    few = [
        r
        for name in ("dev", "validation")
        for r in read_records(benchmark_file(data, f"mmlu_{name}"))
    ]
    against(
        data, "MMLU dev + validation, lettered choices", [lettered(r) for r in few], "mmlu_test"
    )
    return count


def against(data: Path, name: str, texts: Sequence[str], benchmark: str) -> int:
    """Scan texts against a benchmark, print each contaminated text; return how many there are.

    `alike` is the share of words that the document and the item as it is printed have in common, in
    order (2 * matched / both), for the eye only. Of several items the most alike is shown.
    """
    path = benchmark_file(data, benchmark)
    records = {record["id"]: record for record in read_records(path)}
    verdicts = Scanner([path]).verdicts(texts)
    found: dict[int, list[tuple[float, Verdict]]] = defaultdict(list)
    for v in verdicts:
        if v.status == CONTAMINATED:
            found[v.row].append((alike(texts[v.row], _as_printed(records[v.item])), v))
    suspect = {v.row for v in verdicts} - found.keys()
    best = sorted(
        (max(pairs, key=lambda pair: pair[0]) for pairs in found.values()), key=_by_likeness
    )
    print(
        f"## {name} ({len(texts)}) against {benchmark}: contaminated {len(found)}, "
        f"suspect {len(suspect)}\n"
    )
    if best:
        print(
            table(list(_subjects(best, records)), ("subject", "contaminated", "alike >= 0.95"))
            + "\n"
        )
    for ratio, v in best:
        more = f" and {len(found[v.row]) - 1} more items" if len(found[v.row]) > 1 else ""
        print(f"- alike {ratio:.2f}, {v.leak_type}, score {v.score:.2f}, {v.item}{more}")
        print(f"  document: {shorten(texts[v.row], 400)}")
        print(f"  item:     {shorten(_as_printed(records[v.item]), 400)}")
    print()
    return len(found)


def alike(one: str, other: str) -> float:
    """Return the share of the words of two texts that stand in both in order, in [0, 1]."""
    return SequenceMatcher(None, one.lower().split(), other.lower().split(), autojunk=False).ratio()


def _by_likeness(pair: tuple[float, Verdict]) -> tuple[float, int]:
    return -pair[0], pair[1].row


def _subjects(
    best: Sequence[tuple[float, Verdict]], records: dict[str, Record]
) -> Iterator[tuple[object, ...]]:
    """Count by subject, the most frequent first."""
    subjects = Counter(records[v.item].get("meta", {}).get("subject", "-") for _, v in best)
    near = Counter(
        records[v.item].get("meta", {}).get("subject", "-") for ratio, v in best if ratio >= 0.95
    )
    for subject, count in subjects.most_common():
        yield subject, count, near[subject]
    yield "all", len(best), near.total()


def issue_targets(outcomes: dict[str, Outcome], train: int, n_items: int) -> list[Target]:
    """Return the targets of the issue, for 300 items or in proportion."""

    def least(name: str, of_300: int) -> Target:
        return Target(name, outcomes[name].contaminated, round(of_300 * n_items / 300))

    before = outcomes["GSM8K answer before question"].contaminated
    after = outcomes["GSM8K question + answer"].contaminated
    return [
        least("GSM8K question", 300),
        least("GSM8K question, 10 % replaced", 295),
        least("GSM8K question, 20 % replaced", 270),
        least("MMLU question + lettered choices", 295),
        Target("GSM8K answer before question as good as after", before, after),
        least("GSM8K question, full-width", 300),
        least("GSM8K question, zero-width space before each space", 300),
        least("GSM8K question, Cyrillic е", 290),
        Target("GSM8K train questions called contaminated", train, 3, at_most=True),
        *(
            Target(f"{name}: own or other item", outcome.contaminated + outcome.others, 0, at_most=True)
            for name, outcome in outcomes.items()
            if name.endswith("words shuffled (negative)")
        ),
    ]  # fmt: skip


def _as_printed(record: Record) -> str:
    return lettered(record) if record.get("choices") else record["question"]


def _question_words(record: Record) -> str:
    return " ".join(record["question"].lower().split())


if __name__ == "__main__":
    raise SystemExit(main())
