"""Plain tables of names and counts, as a terminal and `summary.md` show them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reports import view
from reports.escape import one_line
from reports.markdown_parts import code, prose, table_lines
from reports.terminal import BOLD, Page, fit, wrap


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: its title, the heads of its columns, and its rows, of which the first cell is a name."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int = 0
    noun: str = "domain"


def terminal_grid(page: Page, grid: Grid, name_cells: int, listed_in: str) -> Iterator[str]:
    """Yield a table as lines of a terminal; its names take at most `name_cells` cells."""
    for line in wrap(one_line(grid.title), page.width):
        yield page.paint(line, BOLD)
    rows = [[fit(one_line(row[0]), name_cells), *row[1:]] for row in grid.rows]
    yield from page.table([head.upper() for head in grid.head], rows)
    if grid.left_out:
        yield f"{view.plural(grid.left_out, f'further {grid.noun}')}: see {listed_in}"


def markdown_grid(grid: Grid, listed_in: str) -> Iterator[str]:
    """Yield a table as a section of `summary.md`; `listed_in` is Markdown."""
    yield f"### {prose(grid.title)}"
    yield ""
    yield from table_lines(grid.head, [[code(row[0]), *map(prose, row[1:])] for row in grid.rows])
    if grid.left_out:
        yield ""
        yield f"*{view.plural(grid.left_out, f'further {grid.noun}')}: see {listed_in}.*"
