"""Where what a gate judges is declared: for the commands and the places that its results name.

A result points at a line that its reader can change: the source in `mix.yaml` that brought a shard
or a domain, or the limit in `policy.yaml`.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel

from corpora.yaml_file import YamlFile
from reports.policy import Location, Policy
from reports.verdict_schema import Place

MAX_SHARDS: Final = 3  # named in a command: enough to see the evidence, short enough to paste


@dataclass(frozen=True, slots=True)
class Sites:
    """Files as they were named, and lines in them; lines count from 1.

    `shard_lines` and `domain_lines` are lines of the mix: of the source that a shard or a domain
    comes from. `policy_lines` are by location, such as `("contamination", "default")`.

    The arguments are those that a command needs to see what the gate saw: `columns` to read the mix,
    such as `--text body`; `shard_columns` to read a shard alone, which has to say what its source in the
    mix says; `fields` to read the benchmarks, `scanners` to search, `units` to count.
    """

    mix: str = ""
    against: str | None = None
    policy: str = ""
    benchmarks: tuple[str, ...] = ()
    policy_lines: Mapping[Location, int] = field(default_factory=dict)
    shard_lines: Mapping[str, int] = field(default_factory=dict)
    domain_lines: Mapping[str, int] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    shard_columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    scanners: tuple[str, ...] = ()
    units: tuple[str, ...] = ()

    def of_limit(self, location: Location) -> Place | None:
        """Return where a limit stands, or the nearest key above it; None without a policy file."""
        if not self.policy:
            return None
        for end in range(len(location), 0, -1):
            line = self.policy_lines.get(location[:end])
            if line is not None:
                return {"file": self.policy, "line": line}
        return {"file": self.policy, "line": 1}

    def of_shard(self, shard: str | None) -> Place | None:
        """Return the line of the mix that brought a shard; None where it is not known."""
        return self._of_mix(None if shard is None else self.shard_lines.get(shard))

    def of_domain(self, domain: str) -> Place | None:
        """Return the line of the mix that declares a domain; None where it is not known."""
        return self._of_mix(self.domain_lines.get(domain))

    def scan_command(self, benchmark_path: str, shards: Sequence[str]) -> str:
        """Return the command that shows an item's evidence: both texts, from the shards that hold it."""
        named = list(dict.fromkeys(shards))
        columns = self._columns_of(named[0]) if named else self.columns
        alike = [shard for shard in named if self._columns_of(shard) == columns]
        corpus = alike[:MAX_SHARDS] or [self.mix or "CORPUS"]
        return self._command(
            "scan", *corpus, *columns, "--benchmarks", benchmark_path or "FILE", *self.fields,
            *self.scanners, "--calibration", "off",
        )  # fmt: skip

    def drift_command(self, *, with_benchmarks: bool = False) -> str:
        """Return the command that shows what moved between the versions, and who feels it."""
        asked = with_benchmarks and self.benchmarks
        benchmarks = ["--benchmarks", *self.benchmarks, *self.fields] if asked else []
        versions = (self.against or "BASELINE", self.mix or "CANDIDATE")
        return self._command("drift", *versions, *self.columns, *self.units, *benchmarks)

    def duplicates_command(self) -> str:
        """Return the command that shows the copies in both versions."""
        versions = (self.mix or "CANDIDATE", "--against", self.against or "BASELINE")
        return self._command("duplicates", *versions, *self.columns)

    def calibrate_command(self) -> str:
        """Return the command that measures what a scan of the mix finds."""
        return self._command("calibrate", self.mix or "CORPUS", *self.columns, *self._searched())

    def gate_command(self, *, against: str | None = None, scanners: str | None = None) -> str:
        """Return the command that gates the mix, against another baseline or with other scanners."""
        baseline = against or self.against
        chosen = self.scanners if scanners is None else ("--scanners", scanners)
        return self._command(
            "gate", self.mix or "MIX", *(("--against", baseline) if baseline else ()),
            *(("--policy", self.policy) if self.policy else ()), *self.columns, *self.units,
            *self._searched(chosen), out="gate",
        )  # fmt: skip

    def policy_command(self) -> str:
        """Return the command that explains the policy."""
        return shlex.join(["sluicegate", "policy", "check", self.policy or "POLICY"])

    def _columns_of(self, shard: str) -> tuple[str, ...]:
        return self.shard_columns.get(shard, self.columns)

    def _searched(self, scanners: tuple[str, ...] | None = None) -> tuple[str, ...]:
        chosen = self.scanners if scanners is None else scanners
        return ("--benchmarks", *(self.benchmarks or ("FILE",)), *self.fields, *chosen)

    def _command(self, *arguments: str, out: str = "evidence") -> str:
        return shlex.join(["sluicegate", *arguments, "--out", out])

    def _of_mix(self, line: int | None) -> Place | None:
        return None if line is None or not self.mix else {"file": self.mix, "line": line}


def policy_lines(file: YamlFile[Policy]) -> dict[Location, int]:
    """Return the line of each part of a policy that was read from a file."""
    return {
        location: _line(file.place(*location)) for location in _locations(_said(file.value), ())
    }


def _said(value: Any) -> Any:
    """Return what the file says of a model, without defaults."""
    return value.model_dump(exclude_unset=True) if isinstance(value, BaseModel) else value


def _locations(value: Any, above: Location) -> Iterator[Location]:
    if above:
        yield above
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _locations(inner, (*above, key))
    elif isinstance(value, tuple | list):
        for index, inner in enumerate(value):
            yield from _locations(inner, (*above, index))


def _line(place: str) -> int:
    """Return the line of `PATH, line N`."""
    return int(place.rpartition(" ")[2])
