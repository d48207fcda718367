"""Where a check runs: where the flow does, but on a worker with a GPU where it asks for one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from corpora.places import is_url
from flows.engines import open_engine
from flows.errors import FlowError
from flows.options import CLUSTERS, RunOptions
from flows.outcomes import Outcome
from flows.progress import StageLog


def run_check(
    check: Callable[..., Outcome],
    *arguments: Any,
    gpus: int,
    options: RunOptions,
    places: Sequence[str | None] = (),
) -> Outcome:
    """Run a check and return how it ended; called in a task.

    `places`: the paths and URLs that it reads and writes.

    Raises:
        FlowError: where a worker runs it that would look elsewhere, or has written elsewhere.
    """
    if not gpus or options.runner not in CLUSTERS:
        return check(*arguments, tell=StageLog())
    for place in places:
        if place is not None and not is_url(place) and not Path(place).is_absolute():
            raise FlowError(
                f"{place}: with --runner {options.runner} and --device cuda a worker of the cluster looks "
                "there; name an absolute path, in a folder that all machines share, or a URL"
            )
    with open_engine(options) as engine:
        engine.slots(gpus)  # refuses a cluster without
        outcome = engine.call(check, *arguments, gpus=gpus)
    if outcome.file("run.json") is None:
        raise FlowError(
            f"{outcome.out}: the results that a worker has written are not here; name a folder with --out "
            "that all machines share"
        )
    return outcome
