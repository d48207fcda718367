"""The four answers that a drift report begins with: what moved, is it real, who will feel it, where to look."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from reports import drift_numbers as numbers
from reports import drift_view, view
from reports.drift_numbers import Direction
from reports.drift_schema import BenchmarkExposure, DomainChange, DriftReport

MAX_LINES: Final = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an answer: a name out of the corpus, if any, and words of ours.

    `is_detail` tells that a small screen can do without it.
    """

    text: str
    name: str = ""
    direction: Direction | None = None
    is_detail: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A question and its answer; `more` says what was left out. `section` is where the page goes on."""

    question: str
    headline: str
    lines: tuple[Line, ...]
    section: str
    more: str = ""
    note: str = ""


def answers(report: DriftReport) -> list[Answer]:
    """Return the four answers, in the order in which they are asked."""
    return [_moved(report), _real(report), _felt(report), _first(report)]


def sensitivity(report: DriftReport) -> list[str]:
    """Return how small a change would have been seen, by what changes."""
    return [*_seen_domains(report), *_seen_tokens(report), *_seen_benchmarks(report)]


def _more(number: int, noun: str) -> str:
    return f"and {view.plural(number - MAX_LINES, f'more {noun}')}" if number > MAX_LINES else ""


# --- what moved ----------------------------------------------------------------------------------


def _moved(report: DriftReport) -> Answer:
    rows = drift_view.domain_rows(report)
    alarmed = [row.strongest for row in rows if row.alarm]
    others = [*_moved_tokens(report, is_detail=bool(alarmed)), *_moved_otherwise(report)]
    lines = [_domain_line(report, change) for change in alarmed[:MAX_LINES]]
    if not alarmed and not others:
        lines = [_largest_domain(report, row.main) for row in rows[:1]]
    return Answer(
        "What moved?",
        _moved_headline(report, len(alarmed), len(rows) + report["domains_not_shown"]),
        (*lines, *others),
        "mix" if alarmed else "first",
        more=_more(len(alarmed), "domain"),
    )


def _moved_headline(report: DriftReport, alarmed: int, domains: int) -> str:
    tokens = sum(report["tokens"]["alarms"].values())
    parts = []
    if alarmed:
        parts.append(f"{view.count(alarmed)} of {view.plural(domains, 'domain')}")
    if tokens:
        parts.append(view.plural(tokens, drift_view.noun(report)))
    inside = sum(row["alarm"] for row in report["domain_tokens"])
    if not parts and inside:
        parts.append(f"The text inside {view.plural(inside, 'domain')}")
    if parts:
        return ", ".join(parts)
    return "No domain and no word by itself" if report["alarms"] else "Nothing beyond noise"


def _domain_line(report: DriftReport, change: DomainChange) -> Line:
    words = [numbers.points(change["change"])]
    if change["measure"] != "tokens":
        words[0] += f" of {drift_view.measure_name(report, change['measure'])}"
    if drift_view.domain_note(change):
        words.append(drift_view.domain_note(change))
    return Line(", ".join(words), change["domain"], numbers.direction(change["change"]))


def _largest_domain(report: DriftReport, change: DomainChange) -> Line:
    return Line(
        f"moved most, {numbers.points(change['change'])} of {drift_view.measure_name(report, change['measure'])}, "
        f"noise up to {numbers.width(change['floor'])}",
        change["domain"],
    )


def _moved_tokens(report: DriftReport, is_detail: bool) -> Iterator[Line]:
    alarms = report["tokens"]["alarms"]
    parts = [
        f"{view.count(alarms[kind])} {title.lower()}"
        for kind, title in drift_view.KINDS.items()
        if alarms.get(kind)
    ]
    if parts:
        words = f"{drift_view.noun(report).capitalize()}s: {', '.join(parts)}"
        yield Line(words, is_detail=is_detail)


def _moved_otherwise(report: DriftReport) -> Iterator[Line]:
    inside = [row["domain"] for row in drift_view.ranked_domain_tokens(report) if row["alarm"]]
    if inside:
        more = f" and {view.count(len(inside) - 2)} more" if len(inside) > 2 else ""
        yield Line(f"Changed within: {', '.join(inside[:2])}{more}", is_detail=True)
    for copies in report["copies"]:
        if copies["alarm"]:
            old, new = numbers.share(copies["baseline"]), numbers.share(copies["candidate"])
            yield Line(
                f"{copies['kind'].capitalize()} copies: {old} → {new} of documents", is_detail=True
            )
    moved = [shape["name"] for shape in report["shapes"] if shape["divergence"]["alarm"]]
    if moved:
        yield Line(f"Also: {', '.join(moved)}", is_detail=True)


# --- is it real ----------------------------------------------------------------------------------


def _real(report: DriftReport) -> Answer:
    gauges = drift_view.gauges(report)
    over = [
        (each["observed"] / each["floor"], each)
        for _, each in gauges
        if each["alarm"] and each["floor"] > 0
    ]
    if not report["alarms"]:
        headline = "No: within noise"
    elif over:
        strongest = max(over, key=lambda pair: pair[0])[1]
        times = numbers.times_floor(strongest["observed"], strongest["floor"])
        headline = f"Yes: {times} the noise"
    else:
        headline = "Yes, in places"
    lines = tuple(Line(f"{label}: {numbers.beside_floor(each)}") for label, each in gauges)
    return Answer("Is it real?", headline, lines, "explained", note=NOISE)


NOISE: Final = "Noise: 99% of random halves of the same documents differ by less."


# --- who will feel it ----------------------------------------------------------------------------


def _felt(report: DriftReport) -> Answer:
    question = "Who will feel it?"
    ranked = drift_view.ranked_exposure(report)
    if not ranked:
        line = Line("Name benchmarks with --benchmarks to see how well each version covers them.")
        return Answer(question, "No benchmarks given", (line,), "exposure")
    alarmed = [benchmark for benchmark in ranked if benchmark["alarm"]]
    of_all = f"of {view.plural(len(ranked), 'benchmark')}"
    if not alarmed:
        return Answer(question, f"None {of_all}", (_least_covered(report, ranked),), "exposure")
    return Answer(
        question,
        f"{view.count(len(alarmed))} {of_all}",
        tuple(_benchmark_line(benchmark) for benchmark in alarmed[:MAX_LINES]),
        "exposure",
        more=_more(len(alarmed), "benchmark"),
        note=f"More bits per {drift_view.noun(report)}: covered less well. What scores will do is a hypothesis.",
    )


def _benchmark_line(benchmark: BenchmarkExposure) -> Line:
    change = benchmark["change"]
    return Line(f"{numbers.bits(change)} bits", benchmark["benchmark"], numbers.direction(change))


def _least_covered(report: DriftReport, ranked: list[BenchmarkExposure]) -> Line:
    noun = drift_view.noun(report)
    most = max(ranked, key=lambda benchmark: abs(benchmark["change"]))
    return Line(
        f"moved most, {numbers.bits(most['change'])} bits per {noun}, noise up to {most['floor']:.3f}",
        most["benchmark"],
    )


# --- what to look at first -----------------------------------------------------------------------


def _first(report: DriftReport) -> Answer:
    question, statements = "What to look at first?", report["statements"]
    if not statements or not report["alarms"]:
        seen = tuple(Line(sentence) for sentence in sensitivity(report))
        return Answer(question, "Nothing needs a look", seen, "first")
    return Answer(
        question,
        f"Start with {statements[0]['subject']}",
        tuple(
            # the headline names the first
            Line(
                drift_view.sentence(f"look at {statement['look']}"),
                statement["subject"] if number else "",
            )
            for number, statement in enumerate(statements[:MAX_LINES])
        ),
        "first",
        more=_more(len(statements), "thing"),
    )


def _seen_domains(report: DriftReport) -> Iterator[str]:
    limits = [
        change.get("alarm_from", change["floor"])
        for change in report["domains"]
        if change["measure"] == "tokens" and change["state"] == "kept"
    ]
    if limits:
        low, high = numbers.width(min(limits)), numbers.width(max(limits))
        several = f"{low} to {high} points, by domain" if low != high else f"{low} points"
        yield f"A domain would have been seen from {several}"


def _seen_tokens(report: DriftReport) -> Iterator[str]:
    parts = [
        f"{numbers.factor(abs(change))} in {view.plural(documents, 'document')}"
        for documents, change in report["tokens"]["detectable"][-2:]
    ]
    if parts:
        yield f"A {drift_view.noun(report)} from {', '.join(parts)}"


def _seen_benchmarks(report: DriftReport) -> Iterator[str]:
    limits = [benchmark.get("alarm_from", benchmark["floor"]) for benchmark in report["exposure"]]
    if limits:
        yield f"A benchmark from {min(limits):.3f} to {max(limits):.3f} bits per {drift_view.noun(report)}"
