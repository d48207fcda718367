"""What every `summary.md` is made of: escaped text, tables and folds of a comment of less than 60 KB.

Text of the corpus stands only in code spans and `<pre>` blocks, where GitHub and GitLab look for
neither markup nor @mentions, #references or links; other words are escaped as prose.
A section that would not fit is left out whole, and the comment says so.
"""

import html
import re
from collections.abc import Iterable, Iterator, Sequence

from reports import view
from reports.escape import one_line
from reports.schema import CalibrationRate, ReadProblem

REPORT = "report.html"  # where what is left out here is found

MAX_BYTES = 60_000  # GitHub refuses comments over 65,536 characters
MAX_PROBLEMS = 20
NAME_CHARS = 100
PROSE_CHARS = 400
MEANING_CHARS = 1200  # of a definition: what it rules out stands at its end

_BACKTICKS = re.compile(r"`+")
# GitHub's table splits cells before it reads code spans; a backslash protects the pipe, unless a
# backslash of the text itself stands before that one.
_BACKSLASH_BEFORE_PIPE = re.compile(r"\\(?=\\*\|)")
_MARKUP = re.compile(r"([\\`*_~\[\]$!])")
# What a forge turns into a link or a notification: a zero-width space breaks the pattern.
_REFERENCE = re.compile(r"@|#|://|\bwww(?=\.)|\bGH(?=-)", re.IGNORECASE)


def join_sections(marker: str, sections: Iterable[Sequence[str]], listed_in: str = REPORT) -> str:
    """Return a comment of at most `MAX_BYTES` of UTF-8; a section that would not fit is left out whole."""
    parts, left_out = [marker], 0
    spent = len(marker.encode()) + 200  # the closing note
    for section in sections:
        text = "\n".join(section)
        cost = len(text.encode()) + 2
        if spent + cost > MAX_BYTES:
            left_out += 1
        elif text:
            parts.append(text)
            spent += cost
    if left_out:
        parts.append(f"*{view.plural(left_out, 'part')} left out for length: see `{listed_in}`.*")
    return "\n\n".join(parts) + "\n"


def code(text: str, max_chars: int = NAME_CHARS) -> str:
    """Return text of the corpus as a code span that is also safe in a table cell."""
    line = view.clip(one_line(text), max_chars)
    if not line:
        return "(empty)"
    line = _BACKSLASH_BEFORE_PIPE.sub("⟨U+005C⟩", line).replace("|", "\\|")
    longest = max((len(run) for run in _BACKTICKS.findall(line)), default=0)
    fence = "`" * (longest + 1)
    # A space inside keeps a backtick at the edge from joining the fence.
    pad = " " if "`" in (line[0], line[-1]) else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def prose(text: str, max_chars: int = PROSE_CHARS) -> str:
    """Return words as Markdown prose in which nothing is markup, a link or a notification."""
    line = html.escape(view.clip(one_line(text), max_chars), quote=False)
    line = _MARKUP.sub(r"\\\1", line)
    # last, because the entity holds a #
    return _REFERENCE.sub(_broken, line).replace("|", "&#124;")


def _broken(match: re.Match[str]) -> str:
    found = match.group()
    return ":&#8203;//" if found == "://" else f"{found}&#8203;"


def inline_html(text: str, max_chars: int = NAME_CHARS) -> str:
    """Return text of the corpus as `<code>`, for use inside an HTML block."""
    return f"<code>{html.escape(view.clip(one_line(text), max_chars))}</code>"


def rates_table(rates: Iterable[CalibrationRate]) -> Iterator[str]:
    """Yield what a battery measured: a line per form, with its exact interval."""
    rows = [
        [
            prose(rate["form"], NAME_CHARS),
            prose(view.measures(rate["kind"]), NAME_CHARS),
            view.count(rate["trials"]),
            view.count(rate["found"]),
            view.interval(rate["ci_low"], rate["ci_high"]),
        ]
        for rate in rates
    ]
    yield from table_lines(("Form", "Measures", "Trials", "Found", "95% interval"), rows)


def stamp_line(stamp: view.Stamp) -> str:
    """Return a stamp as a quotation."""
    return f"> **{stamp.word}**: {prose(stamp.meaning)}\n"


def unread_lines(
    problems: Sequence[ReadProblem], not_shown: int, listed_in: str = REPORT
) -> Iterator[str]:
    """Yield a section that names what could not be read; nothing where all was."""
    if not problems:
        return
    yield "### What could not be read"
    yield ""
    yield from table_lines(
        ("Shard", "Row", "What was wrong", "What to do"),
        [
            [
                code(problem["shard"]),
                "whole file" if problem["row"] is None else str(problem["row"]),
                prose(problem["reason"], 200),
                prose(problem["mend"], 200),
            ]
            for problem in problems[:MAX_PROBLEMS]
        ],
    )
    yield from more_of(len(problems[MAX_PROBLEMS:]) + not_shown, "problem", listed_in)


def table_lines(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table whose cells are escaped already."""
    yield _line(head)
    yield _line(["---", *(_align(title) for title in head[1:])])
    yield from map(_line, rows)


def _align(title: str) -> str:
    return "---" if title in WORDS else "--:"


# Heads of columns that hold words: all others hold numbers and are aligned to the right.
WORDS = (
    "Hypothesis", "Measures", "Mostly in", "Reason", "Rule", "Value", "Verdict", "What to do", "What was wrong",
)  # fmt: skip


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def fold(title: str, lines: Iterable[str]) -> Iterator[str]:
    """Yield lines in a fold; the title is text."""
    return fold_html(html.escape(title), lines)


def fold_html(title: str, lines: Iterable[str]) -> Iterator[str]:
    """Yield lines in a fold; the title is HTML."""
    yield f"<details><summary>{title}</summary>"
    yield ""
    yield from lines
    yield ""
    yield "</details>"


def more_of(number: int, noun: str, listed_in: str = REPORT) -> Iterator[str]:
    """Yield a line that says how many are not listed; none where all are."""
    if number:
        yield from ("", f"*{view.plural(number, f'further {noun}')}: see `{listed_in}`.*")
