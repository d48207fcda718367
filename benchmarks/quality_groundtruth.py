"""Recall and false positives on pairs of item and text that other people made (groundtruth/).

Each text is one document, bare and once between 70 words of news and books, scanned against the whole
benchmark that holds the item it was made of; a family without such a file gets a benchmark of its own,
one item for each distinct `benchmark_text`. Nothing was tuned on these pairs.

    python benchmarks/quality_groundtruth.py [--data DIR] [--seed 1] [--family NAME ...]

Intervals are exact (Clopper and Pearson 1934), 95 %. `other` are documents that make another item of
the benchmark contaminated; items of the same words as the own one are not others.

Left out: `book_editions` (whole books without items, ground truth for near-duplicates) and
`webcontam_*_labels` (labels of what a web search found, without the pages).
"""

from __future__ import annotations

import json
import math
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from harness import (
    CONTAMINATED,
    Filler,
    MissingDataError,
    Scanner,
    Verdict,
    argument_parser,
    check_data,
    exit_without_data,
    machine,
    read_records,
    shorten,
    table,
)

Record = dict[str, Any]

LEFT_OUT: Final = ("book_editions", "webcontam_arc_labels", "webcontam_mmlu_labels")
JUDGED_APART: Final = ("variant", "unrelated")
HEADER: Final = (
    "family", "relation", "n", "contaminated", "95 %", "or suspect", "95 %", "in filler", "95 %",
    "or suspect", "other", "leak types",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """A text and the item it was made of (None: of no item)."""

    relation: str
    text: str
    own: str | None


def main() -> int:
    """Run all families and print two tables."""
    parser = argument_parser(__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--family", nargs="+", help="only these")
    parser.add_argument(
        "--examples", type=int, default=0, help="misses and false positives to show of each row"
    )
    options = parser.parse_args()
    try:
        data = check_data(options.data)
    except MissingDataError as error:
        exit_without_data(error)
    print(f"{machine()}; seed {options.seed}\n")
    known = Known(data)
    filler = Filler(data, options.seed)
    rows: list[tuple[object, ...]] = []
    for path in sorted((data / "groundtruth").glob("*.jsonl.zst")):
        family = path.name.removesuffix(".jsonl.zst")
        if family not in LEFT_OUT and (options.family is None or family in options.family):
            rows += family_rows(read_records(path), known, filler, options.examples)
    same = [row for row in rows if not judged_apart(row)]
    print("Texts made of the item: recall.\n\n" + table(same, HEADER) + "\n")
    print("Other problems made of the item (variant), or judged not to be a copy (unrelated).\n")
    print(table([row for row in rows if judged_apart(row)], HEADER) + "\n")
    others = sum(int(str(row[10]).split("/")[0]) for row in rows)
    documents = sum(int(str(row[10]).split("/")[1]) for row in rows)
    print(
        "False positives: documents that make another item contaminated: "
        f"{others} of {documents} {interval(others, documents)}"
    )
    print(f"Left out: {', '.join(LEFT_OUT)}; see the docstring.")
    return 0


def judged_apart(row: tuple[object, ...]) -> bool:
    """Tell whether a row is of texts that are leaks or not according to what an audit counts."""
    return str(row[1]).split(":")[0] in JUDGED_APART


class Known:
    """Which shared benchmark holds an item, and the words of its question."""

    def __init__(self, data: Path) -> None:
        self.file_of: dict[str, Path] = {}
        self.question_of: dict[str, str] = {}
        for path in sorted((data / "benchmarks").rglob("*.jsonl.zst")):
            for record in read_records(path):
                self.file_of[record["id"]] = path
                self.question_of[record["id"]] = record["question"]

    def same_words(self, one: str, other: str | None) -> bool:
        """Tell whether two items have the same question."""
        if other is None or one == other:
            return one == other
        questions = (self.question_of.get(one, one), self.question_of.get(other, other))
        first, second = (question.lower().split() for question in questions)
        return first == second


def family_rows(
    records: Sequence[Record], known: Known, filler: Filler, n_examples: int
) -> list[tuple[object, ...]]:
    """Return a row of the table for each relation of a family; variants by what was changed."""
    by_file: dict[Path | None, list[Record]] = defaultdict(list)
    for record in records:
        by_file[known.file_of.get(record["benchmark_id"])].append(record)
    outcomes: dict[str, list[Outcome]] = defaultdict(list)
    for file, part in by_file.items():
        with tempfile.TemporaryDirectory() as folder:
            benchmark, own_of = (
                own_benchmark(part, Path(folder)) if file is None else (file, _given_id)
            )
            scanner = Scanner([benchmark])
            pairs = [Pair(_relation(r), r["text"], own_of(r)) for r in part if r["text"]]
            bare = scanner.verdicts([pair.text for pair in pairs])
            inside = scanner.verdicts([filler.around(pair.text) for pair in pairs])
        for relation, outcome in outcomes_of(pairs, bare, inside, known).items():
            outcomes[relation].append(outcome)
        show_examples(pairs, bare, known, n_examples)
    family = records[0]["family"]
    return [row(family, relation, sum_up(parts)) for relation, parts in sorted(outcomes.items())]


def show_examples(
    pairs: Sequence[Pair], verdicts: Sequence[Verdict], known: Known, n_examples: int
) -> None:
    """Print some texts whose item stayed clean, and some that make another item contaminated."""
    found = {v.row for v in verdicts if v.item == pairs[v.row].own}
    shown: Counter[tuple[str, str]] = Counter()

    def show(what: str, pair: Pair, lines: Sequence[str]) -> None:
        shown[what, pair.relation] += 1
        if shown[what, pair.relation] <= n_examples:
            print("\n  ".join([f"- {what}, {pair.relation}, {pair.own}", *lines]))

    for number, pair in enumerate(pairs):
        own = known.question_of.get(pair.own or "", "")
        if number not in found and pair.relation in ("verbatim", "near", "web_match"):
            show("missed", pair, [f"text: {shorten(pair.text, 250)}", f"item: {shorten(own, 250)}"])
    for v in verdicts:
        pair = pairs[v.row]
        text = f"text: {shorten(pair.text, 250)}"
        if v.item == pair.own and v.status != CONTAMINATED and pair.relation == "verbatim":
            show("suspect", pair, [f"{v.score:.2f} {text}"])
        elif v.status == CONTAMINATED and not known.same_words(v.item, pair.own):
            item = shorten(known.question_of.get(v.item, v.item), 250)
            show("other", pair, [text, f"{v.item} {v.leak_type} {v.score:.2f}: {item}"])


def own_benchmark(
    records: Sequence[Record], folder: Path
) -> tuple[Path, Callable[[Record], str | None]]:
    """Write a benchmark of the distinct item texts; return it and the item of a record."""
    texts = sorted({r["benchmark_text"] for r in records if r["benchmark_text"]})
    ids = {text: f"own/{number}" for number, text in enumerate(texts)}
    path = folder / "own.jsonl"
    lines = [json.dumps({"id": ids[text], "question": text}) for text in texts]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path, lambda record: ids.get(record["benchmark_text"])


@dataclass(slots=True)
class Outcome:
    """Counts of documents."""

    n: int = 0
    contaminated: int = 0
    suspect: int = 0
    inside: int = 0
    inside_suspect: int = 0
    others: int = 0
    leak_types: Counter[str] = field(default_factory=Counter)


def outcomes_of(
    pairs: Sequence[Pair], bare: Sequence[Verdict], inside: Sequence[Verdict], known: Known
) -> dict[str, Outcome]:
    """Count by relation what the documents did, bare and inside filler."""
    out: dict[str, Outcome] = {}
    for pair in pairs:
        outcome = out.setdefault(pair.relation, Outcome())
        outcome.n += 1
    for verdicts, where in ((bare, "bare"), (inside, "inside")):
        others = set()
        for v in verdicts:
            pair, outcome = pairs[v.row], out[pairs[v.row].relation]
            if v.item == pair.own:
                _count(outcome, v, where)
            elif v.status == CONTAMINATED and not known.same_words(v.item, pair.own):
                others.add(v.row)
        if where == "bare":
            for row_number in others:
                out[pairs[row_number].relation].others += 1
    return out


def sum_up(parts: Sequence[Outcome]) -> Outcome:
    """Add outcomes of a relation against several benchmarks."""
    types: Counter[str] = Counter()
    for part in parts:
        types += part.leak_types
    return Outcome(
        n=sum(p.n for p in parts),
        contaminated=sum(p.contaminated for p in parts),
        suspect=sum(p.suspect for p in parts),
        inside=sum(p.inside for p in parts),
        inside_suspect=sum(p.inside_suspect for p in parts),
        others=sum(p.others for p in parts),
        leak_types=types,
    )


def row(family: str, relation: str, o: Outcome) -> tuple[object, ...]:
    """Return a row of the table."""
    either = o.contaminated + o.suspect
    types = ", ".join(f"{kind} {count}" for kind, count in o.leak_types.most_common())
    return (
        family, relation, o.n, share(o.contaminated, o.n), interval(o.contaminated, o.n),
        share(either, o.n), interval(either, o.n), share(o.inside, o.n), interval(o.inside, o.n),
        share(o.inside + o.inside_suspect, o.n), f"{o.others}/{o.n}", types,
    )  # fmt: skip


def share(k: int, n: int) -> str:
    """Return k of n as a number of three places."""
    return f"{k / n:.3f}"


def interval(k: int, n: int, level: float = 0.95) -> str:
    """Return the exact two-sided confidence interval of a rate as text."""
    low, high = clopper_pearson(k, n, level)
    return f"[{low:.3f}, {high:.3f}]"


def clopper_pearson(k: int, n: int, level: float) -> tuple[float, float]:
    """Return the rates at which k or more, and k or fewer, of n have probability (1 - level) / 2."""
    tail = (1 - level) / 2
    low = 0.0 if k == 0 else _bisect(lambda p: 1 - binomial_cdf(k - 1, n, p) < tail)
    high = 1.0 if k == n else _bisect(lambda p: binomial_cdf(k, n, p) > tail)
    return low, high


def binomial_cdf(k: int, n: int, p: float) -> float:
    """Return the probability of at most k successes in n trials of rate p, 0 < p < 1."""
    log_p, log_q = math.log(p), math.log1p(-p)
    log_n = math.lgamma(n + 1)
    terms = (
        math.exp(log_n - math.lgamma(i + 1) - math.lgamma(n - i + 1) + i * log_p + (n - i) * log_q)
        for i in range(k + 1)
    )
    return min(1.0, math.fsum(terms))


def _bisect(below: Callable[[float], bool]) -> float:
    """Return where `below` turns from true to false in (0, 1)."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) else (low, middle)
    return (low + high) / 2


def _relation(record: Record) -> str:
    change = record["meta"].get("perturbation")
    apart = record["relation"] in JUDGED_APART and change is not None
    return f"{record['relation']}: {change}" if apart else record["relation"]


def _given_id(record: Record) -> str | None:
    own: str | None = record["benchmark_id"]
    return own


def _count(outcome: Outcome, v: Verdict, where: str) -> None:
    contaminated = v.status == CONTAMINATED
    if where == "inside":
        outcome.inside += contaminated
        outcome.inside_suspect += not contaminated
        return
    outcome.contaminated += contaminated
    outcome.suspect += not contaminated
    outcome.leak_types[v.leak_type] += 1


if __name__ == "__main__":
    raise SystemExit(main())
