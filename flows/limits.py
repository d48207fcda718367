"""A limit on how many tasks of all runs work at a time, where one is set in the server.

Prefect looks a tag up for every task that has one, limit or not, at tens of milliseconds each: so tasks
are tagged where there is a limit, which a flow asks for once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from prefect import tags
from prefect.context import SyncClientContext
from prefect.exceptions import ObjectNotFound

STORAGE_TAG: Final = "sluicegate-storage"

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def within_limit(body: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Let the tasks of a flow keep to the limit on the tag, if there is one when the flow starts."""

    @functools.wraps(body)
    def limited(*arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        if not has_limit():
            return body(*arguments, **named)
        with tags(STORAGE_TAG):
            return body(*arguments, **named)

    return limited


def has_limit() -> bool:
    """Tell whether the server limits the tag."""
    with SyncClientContext.get_or_create() as context:
        try:
            context.client.read_global_concurrency_limit_by_name(f"tag:{STORAGE_TAG}")
        except ObjectNotFound:
            return False
    return True
