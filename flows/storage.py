"""Which failures pass by themselves: those of storage. Only they are tried again."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import Any, Final

from prefect.client.schemas.objects import State, TaskRun

from corpora.places import is_url
from corpora.problems import Problem

RETRIES: Final = 3
BACKOFF_S: Final = 2.0  # then 4 and 8, each up to half as long again
JITTER: Final = 0.5
LASTING: Final = frozenset(
    {
        errno.ENOENT, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT, errno.EROFS,
        errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.EFBIG,
    }
)  # fmt: skip


class UnreadError(OSError):
    """Shards at a URL could not be read."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(errno.EIO, f"cannot be read; {len(problems)} shards in all")
        self.filename = problems[0].shard


def passes(error: BaseException) -> bool:
    """Tell whether an error is one of storage, and one that may have passed when tried again.

    A missing file, a forbidden one and a full disk stay what they are; a wrong argument does, too.
    """
    return isinstance(error, OSError) and error.errno not in LASTING


def unread_at_urls(problems: Sequence[Problem]) -> list[Problem]:
    """Return the shards that another try may read: those that come over a network."""
    return [problem for problem in problems if is_url(problem.shard)]


def retry_on_storage(_task: Any, _run: TaskRun, state: State[Any]) -> bool:
    """Tell Prefect whether to try a failed task again."""
    try:
        state.result()
    except Exception as error:  # noqa: BLE001 - whatever it was, it is only looked at
        return passes(error)
    return False


def delays() -> list[float]:
    """Return the seconds before each retry."""
    return [BACKOFF_S * 2**n for n in range(RETRIES)]
