"""What every flow may be told beside what its pipeline is told: where tasks run, and who is told."""

from __future__ import annotations

from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

RunnerName = Literal["local", "processes", "dask", "ray"]
CLUSTERS: Final = ("dask", "ray")
TASK_BYTES: Final = (
    256 << 20
)  # of shards as stored: seconds of work, against some 0.05 s for a task


class RunOptions(BaseModel):
    """How a flow is run; nothing here changes a byte of what it writes into the store or the results.

    Raises:
        pydantic.ValidationError: where a name is unknown or two do not go together.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    runner: RunnerName = "local"  # of the tasks that bring shards into a store, or use a GPU
    address: str | None = None  # of a Dask scheduler or a Ray cluster; a cluster of its own if None
    jobs: int = Field(default=1, ge=1)  # threads or processes on this machine
    task_bytes: int = Field(default=TASK_BYTES, ge=1)
    webhook: str | None = None  # URL that is told of failures and of verdicts that change
    history: bool = False  # results of each run in a folder of its own, with a list of verdicts

    @model_validator(mode="after")
    def _address_of_a_cluster(self) -> Self:
        if self.address is not None and self.runner not in CLUSTERS:
            raise ValueError(f"an address is that of a cluster; --runner {self.runner} has none")
        if self.webhook is not None and not self.webhook.startswith(("http://", "https://")):
            raise ValueError("a webhook is an http:// or https:// URL")
        return self
