"""What all flows and all tasks have in common."""

from __future__ import annotations

from typing import Any, Final

from prefect.cache_policies import NO_CACHE

from flows.names import run_name
from flows.storage import JITTER, RETRIES, delays, retry_on_storage
from flows.telling import tell_of_failure

# Prefect keeps no result and takes none from a cache: the files are the truth.
TASK: Final[dict[str, Any]] = {
    "retries": RETRIES,
    "retry_delay_seconds": delays(),
    "retry_jitter_factor": JITTER,
    "retry_condition_fn": retry_on_storage,
    "cache_policy": NO_CACHE,
    "persist_result": False,
}
FLOW: Final[dict[str, Any]] = {
    "flow_run_name": run_name,
    "persist_result": False,
    "on_failure": [tell_of_failure],
    "on_crashed": [tell_of_failure],
    "on_cancellation": [tell_of_failure],
}
