"""The geometry of a drift report's charts, in per cent of a drawing's width; templates draw it.

Every chart is rows on one scale, and each row may have a band (how far noise goes), a whisker (the
95 % interval), a line, and up to two dots. Colour says only what position, sign and words say, too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final

from reports import drift_numbers as numbers
from reports import drift_view
from reports.drift_numbers import Direction
from reports.drift_schema import (
    BenchmarkExposure,
    Divergence,
    DomainTokens,
    DriftReport,
)
from reports.drift_view import DomainRow

MARGIN: Final = 1.5  # per cent left free at both ends, so that dots at an end are whole
MAX_TICKS: Final = 6
MANY_DOMAINS: Final = 40  # from here on only the largest changes are drawn
MOST_DOMAINS: Final = 15


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the drawing: where it starts and how wide it is."""

    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid and its label."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `label` says all of it in words, `text` and `note` stand beside the drawing.

    `mark` is a word that stands out beside the name: `new`, `gone`.
    """

    name: str
    label: str
    text: str
    note: str
    tone: Direction  # "same" also for what is within noise
    alarm: bool
    band: Span | None = None
    whisker: Span | None = None
    line: Span | None = None
    hollow: float | None = None
    dot: float | None = None
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """Rows on one scale; `zero` is where nothing has changed, if that is in the drawing."""

    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]
    zero: float | None = None
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a stacked bar."""

    name: str
    kind: str
    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to per cent of the width; `margin` is left free at both ends."""

    low: float
    high: float
    margin: float = MARGIN

    def x(self, value: float) -> float:
        """Return the place of a value; what is outside stands at the edge."""
        part = (value - self.low) / (self.high - self.low)
        return round(self.margin + (100 - 2 * self.margin) * min(max(part, 0.0), 1.0), 2)

    def span(self, first: float, last: float) -> Span:
        """Return the stretch between two values."""
        low, high = sorted((self.x(first), self.x(last)))
        return Span(low, round(high - low, 2))


def steps(low: float, high: float) -> list[float]:
    """Return round numbers from `low` to `high`, at most `MAX_TICKS`: multiples of 1, 2 or 5 times ten to a power."""
    raw = max(high - low, 1e-12) / (MAX_TICKS - 1)
    power = 10.0 ** floor(log10(raw))
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= raw * (1 - 1e-9))
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


# --- the charts ----------------------------------------------------------------------------------


def mix_chart(report: DriftReport, rows: Sequence[DomainRow]) -> Chart:
    """Return the dumbbells of the domain mix, largest change first."""
    drawn = rows if len(rows) <= MANY_DOMAINS else rows[:MOST_DOMAINS]
    values = [max(row.main["baseline"], row.main["candidate"]) for row in drawn]
    scale = Scale(0.0, 1.04 * max([*values, 0.001]))
    ticks = tuple(
        Tick(scale.x(value), f"{100 * value:g}%") for value in steps(scale.low, scale.high)
    )
    made = tuple(_dumbbell(report, scale, row) for row in drawn)
    return Chart(made, ticks, left_out=len(rows) - len(drawn))


def _dumbbell(report: DriftReport, scale: Scale, row: DomainRow) -> Row:
    change = row.main
    old, new, noise = change["baseline"], change["candidate"], change["floor"]
    mark = drift_view.domain_note(change)
    shares = f"{numbers.share(old)} → {numbers.share(new)}"
    label = (
        f"{row.domain}{f', {mark}' if mark else ''}: {shares} of {drift_view.measure_name(report, change['measure'])}, "
        f"{numbers.points(change['change'])}, noise up to {numbers.width(noise)}, "
        f"{drift_view.verdict(change['alarm'])}"
    )
    return Row(
        row.domain,
        label,
        numbers.points(change["change"]),
        shares,
        numbers.direction(change["change"]) if change["alarm"] else "same",
        change["alarm"],
        band=scale.span(old - noise, old + noise),
        whisker=scale.span(old + change["ci_low"], old + change["ci_high"]),
        line=scale.span(old, new),
        hollow=scale.x(old),
        dot=scale.x(new),
        mark=mark,
    )


def exposure_chart(benchmarks: Sequence[BenchmarkExposure]) -> Chart:
    """Return the changes in bits per token with their intervals, in the order given."""
    ends = [
        value
        for benchmark in benchmarks
        for value in (benchmark["ci_low"], benchmark["ci_high"], benchmark["floor"])
    ]
    low, high = min([*ends, -0.01]), max([*ends, 0.01])
    room = 0.04 * (high - low)
    scale = Scale(low - room, high + room)
    ticks = tuple(
        Tick(scale.x(value), numbers.signed(value, 2) if value else "0")
        for value in steps(scale.low, scale.high)
    )
    return Chart(tuple(_exposed(scale, each) for each in benchmarks), ticks, scale.x(0.0))


def _exposed(scale: Scale, benchmark: BenchmarkExposure) -> Row:
    change, noise = benchmark["change"], benchmark["floor"]
    meaning = drift_view.covered(change) if benchmark["alarm"] else "within noise"
    text = f"{numbers.bits(change)} bits"
    label = (
        f"{benchmark['benchmark']}: {text} per token, 95% interval "
        f"{numbers.bits_interval(benchmark['ci_low'], benchmark['ci_high'])}, noise up to {noise:.3f}, {meaning}"
    )
    return Row(
        benchmark["benchmark"],
        label,
        text,
        meaning,
        numbers.direction(change) if benchmark["alarm"] else "same",
        benchmark["alarm"],
        band=scale.span(-noise, noise),
        whisker=scale.span(benchmark["ci_low"], benchmark["ci_high"]),
        dot=scale.x(change),
    )


def within_chart(rows: Sequence[DomainTokens]) -> Chart:
    """Return how much each domain changed within, against its floor."""
    drawn = rows if len(rows) <= MANY_DOMAINS else rows[:MOST_DOMAINS]
    scale = Scale(0.0, 1.04 * max([*(max(row["within"], row["floor"]) for row in drawn), 1e-5]))
    ticks = tuple(
        Tick(scale.x(value), f"{100 * value:g}%") for value in steps(scale.low, scale.high)
    )
    made = tuple(_within(scale, row) for row in drawn)
    return Chart(made, ticks, left_out=len(rows) - len(drawn))


def _within(scale: Scale, row: DomainTokens) -> Row:
    within, noise = numbers.share(row["within"]), numbers.share(row["floor"])
    return Row(
        row["domain"],
        f"{row['domain']}: {within} within, noise up to {noise}, {drift_view.verdict(row['alarm'])}",
        within,
        f"noise up to {noise}",
        "same",
        row["alarm"],
        band=scale.span(0.0, row["floor"]),
        line=scale.span(0.0, row["within"]),
        dot=scale.x(row["within"]),
    )


def gauge_rows(gauges: Iterable[tuple[str, Divergence]]) -> tuple[Row, ...]:
    """Return the whole changes as bars against their floors, each on a scale of its own."""
    return tuple(_gauge(name, divergence) for name, divergence in gauges)


def _gauge(name: str, divergence: Divergence) -> Row:
    observed, noise = divergence["observed"], divergence["floor"]
    scale = Scale(0.0, max(observed, noise, 1e-9), margin=0.0)
    words = numbers.beside_floor(divergence)
    return Row(
        name,
        f"{name}: {words}",
        numbers.amount(observed, divergence["unit"]),
        f"noise up to {numbers.amount(noise, divergence['unit'])}",
        "same",
        divergence["alarm"],
        band=scale.span(0.0, noise),
        line=scale.span(0.0, observed),
        dot=scale.x(observed),
    )


def explained_bars(report: DriftReport) -> tuple[Bar, ...]:
    """Return the whole change of frequencies as one bar: the mix, noise within domains, the rest within."""
    tokens = report["tokens"]
    mix, within = tokens["mix"], tokens["within"]
    noise = min(drift_view.within_floor(report) or 0.0, within)
    scale = Scale(0.0, max(mix + within, 1e-9), margin=0.0)
    parts = (
        ("Explained by the domain mix", "mix", mix),
        ("Within domains, as much as noise", "noise", noise),
        ("Within domains, beyond noise", "within", within - noise),
    )
    made, start = [], 0.0
    for name, kind, part in parts:
        if part > 0:
            made.append(Bar(name, kind, scale.span(start, start + part), numbers.share(part)))
        start += part
    return tuple(made)
