"""What could not be read, and how it is counted.

Wrong usage ends a run at once: `CorpusError`. Bad data does not: each bad document or damaged file
becomes a `Problem` in the `ReadLog` of the shard step, the rest is read, and whoever merges the
logs ends the run `incomplete`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

KEPT_PROBLEMS = 100  # enough to see the pattern; the counts stay exact beyond it
SHOWN_CHARS = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that could not be read.

    `shard` is the path as shown to the user. `row` counts from 0 (for JSON lines the line number
    less 1); None means the file as a whole. `reason` is a kind, or `kind: detail`. `may_pass`: the
    way to the file failed, not its bytes, so that another try may read it.
    """

    shard: str
    row: int | None
    reason: str
    mend: str
    may_pass: bool = False

    @property
    def kind(self) -> str:
        """The reason without its detail: what problems are counted by."""
        return self.reason.partition(": ")[0]

    def __str__(self) -> str:
        """One line that names file, row, reason and mend."""
        place = self.shard if self.row is None else f"{self.shard}, row {self.row}"
        return f"{place}: {self.reason}; {self.mend}"


class CorpusError(ValueError):
    """Wrong usage or invalid input that ends the run; its text is one line with a mend."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


@dataclass(slots=True)
class ReadLog:
    """What one shard step read and could not read; mergeable, not shared between threads.

    `documents` and `bytes` count documents handed out and the UTF-8 bytes of their text.
    `bad_documents` counts documents lost where their number is known. `problems` holds the first
    `KEPT_PROBLEMS`; `reasons` counts all of them by kind.
    """

    documents: int = 0
    bytes: int = 0
    bad_documents: int = 0
    problems: list[Problem] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def n_problems(self) -> int:
        """How many problems there were, kept or not."""
        return sum(self.reasons.values())

    def add(self, problem: Problem, bad_documents: int | None = None) -> None:
        """Count a problem; by default it costs one document if it names a row, else none."""
        if bad_documents is None:
            bad_documents = 0 if problem.row is None else 1
        self.bad_documents += bad_documents
        self.reasons[problem.kind] = self.reasons.get(problem.kind, 0) + 1
        if len(self.problems) < KEPT_PROBLEMS:
            self.problems.append(problem)

    def add_rows(self, shard: str, rows: Sequence[int], reason: str, mend: str) -> None:
        """Count one bad document per row, all with the same reason, without a loop over all."""
        if len(rows) == 0:
            return
        room = max(0, KEPT_PROBLEMS - len(self.problems))
        kept = [Problem(shard, int(row), reason, mend) for row in rows[:room]]
        kind = Problem(shard, None, reason, mend).kind
        self.problems.extend(kept)
        self.bad_documents += len(rows)
        self.reasons[kind] = self.reasons.get(kind, 0) + len(rows)

    def merge(self, other: "ReadLog") -> None:
        """Add another log's counts; its problems stand after this one's."""
        self.documents += other.documents
        self.bytes += other.bytes
        self.bad_documents += other.bad_documents
        self.problems.extend(other.problems[: KEPT_PROBLEMS - len(self.problems)])
        for kind, count in other.reasons.items():
            self.reasons[kind] = self.reasons.get(kind, 0) + count


def shown(value: object) -> str:
    """A value by repr, cut to `SHOWN_CHARS` characters."""
    text = repr(value)
    return text if len(text) <= SHOWN_CHARS else text[: SHOWN_CHARS - 3] + "..."


def said(error: BaseException) -> str:
    """The first line of an error's own words, for the end of a reason."""
    words = str(getattr(error, "strerror", None) or error).strip()
    return words.splitlines()[0][:200] if words else type(error).__name__
