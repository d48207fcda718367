"""A calibration for a terminal and as `summary.md`: the verdict first, then the rates by kind.

Both are pure functions of `calibration.json` and escape as the report's renderings do.
"""

from collections.abc import Iterator
from itertools import groupby

from reports import view
from reports.calibration import CalibrationReport
from reports.escape import one_line, visible_everywhere
from reports.markdown_parts import code, prose, rates_table, stamp_line, unread_lines
from reports.schema import CalibrationRate
from reports.terminal import MIN_WIDTH, RED, YELLOW, Page, wrap

COUNTED_IN = "run.json"  # by reason, what is not shown
MARKER = "<!-- sluicegate:calibration -->"


def render_calibration_terminal(
    report: CalibrationReport, width: int = 100, color: bool = False
) -> str:
    """Return the calibration as lines of at most `width` cells, ending in a newline."""
    safe: CalibrationReport = visible_everywhere(report)
    page = Page(max(width, MIN_WIDTH), color)
    corpus = safe["corpus"]
    blocks = [
        list(_head(page, safe)),
        *(list(_rates(page, kind, list(rates))) for kind, rates in _by_kind(safe)),
        list(page.unread(corpus["problems"], corpus["problems_not_shown"], COUNTED_IN)),
    ]
    return "\n\n".join("\n".join(lines) for lines in blocks if lines) + "\n"


def render_calibration_markdown(report: CalibrationReport) -> str:
    """Return `summary.md` of a calibration."""
    safe: CalibrationReport = visible_everywhere(report)
    corpus = safe["corpus"]
    sections = [
        [MARKER],
        ["## Calibration"],
        *([stamp_line(stamp).rstrip()] for stamp in _stamps(safe)),
        [prose(sentence, 1000) for sentence in _facts(safe)],
        list(rates_table(safe["calibration"].get("rates", []))),
        list(unread_lines(corpus["problems"], corpus["problems_not_shown"], COUNTED_IN)),
        ["Benchmarks: " + ", ".join(code(b["benchmark"]) for b in safe["benchmarks"])],
        ["By length and position: `calibration.parquet`."],
    ]
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


def _by_kind(report: CalibrationReport) -> Iterator[tuple[str, Iterator[CalibrationRate]]]:
    return groupby(report["calibration"].get("rates", []), key=lambda rate: rate["kind"])


def _head(page: Page, report: CalibrationReport) -> Iterator[str]:
    for stamp in _stamps(report):
        yield from page.stamp(
            stamp, {"INCOMPLETE": RED, "UNCALIBRATED": YELLOW}.get(stamp.word, "")
        )
    for sentence in _facts(report):
        yield from wrap(one_line(sentence), page.width)


def _stamps(report: CalibrationReport) -> Iterator[view.Stamp]:
    calibration, corpus = report["calibration"], report["corpus"]
    if not report["complete"]:
        unread = len(corpus["problems"]) + corpus["problems_not_shown"]
        yield view.Stamp(
            "INCOMPLETE",
            f"{view.plural(unread, 'thing')} that should have been read could not be, so no "
            "document was drawn from there.",
        )
    yield view.Stamp(calibration["status"], f"{calibration['reason'].rstrip('.')}.")


def _facts(report: CalibrationReport) -> Iterator[str]:
    corpus, benchmarks = report["corpus"], report["benchmarks"]
    searchable = sum(benchmark["searchable"] for benchmark in benchmarks)
    yield (
        f"Planted into {view.plural(corpus['hosts'], 'document')}, drawn from the "
        f"{view.count(corpus['documents_read'])} that were read of {view.count(corpus['shards_read'])} "
        f"of {view.plural(corpus['shards'], 'shard')} of {corpus['name']}."
    )
    yield (
        f"Items of {view.plural(len(benchmarks), 'benchmark')}, {view.count(searchable)} of them "
        f"searchable; scanners: {', '.join(report['scanners'])}; {report['size']} battery, seed "
        f"{report['seed']}."
    )
    paraphrases = report["paraphrases"]
    if paraphrases is not None:
        rates = report["calibration"].get("rates", [])
        planted = sum(rate["trials"] for rate in rates if rate["form"] == "paraphrase")
        yield (
            f"Paraphrases: {view.count(paraphrases['texts'])} of "
            f"{view.plural(paraphrases['items'], 'item')}, {view.count(planted)} planted."
        )


def _rates(page: Page, kind: str, rates: list[CalibrationRate]) -> Iterator[str]:
    head = [view.measures(kind).upper(), "TRIALS", "FOUND", "RATE", "95% INTERVAL"]
    rows = [
        [
            one_line(rate["form"]),
            view.count(rate["trials"]),
            view.count(rate["found"]),
            view.share(rate["found"], rate["trials"]),
            view.interval(rate["ci_low"], rate["ci_high"]),
        ]
        for rate in rates
    ]
    yield from page.table(head, rows)
