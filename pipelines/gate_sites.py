"""Where a gate's files declare what it judges, and the arguments of the commands that show it again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from corpora.mix import is_mix, read_mix_file
from corpora.shards import Columns, Shard, of_source, resolve
from corpora.yaml_file import YamlFile
from pipelines.gate_settings import GateSettings
from reports.policy import Policy
from reports.sites import Sites, policy_lines

USUAL: Final = GateSettings()


@dataclass(frozen=True, slots=True)
class _Declared:
    """A source of a mix: the line that names it, its domain and its shards."""

    line: int
    domain: str | None
    shards: Sequence[Shard]


def sites_of(
    mix: str,
    against: str | None,
    policy: str | None,
    file: YamlFile[Policy],
    benchmarks: Sequence[str],
    settings: GateSettings,
) -> Sites:
    """Return the files as they were named, the lines that declare things, and what commands need.

    Raises:
        CorpusError: where the mix has mistakes.
    """
    columns = Columns(settings.text, settings.id, settings.domain)
    sources = list(_sources(mix, columns)) if is_mix(mix) else []
    return Sites(
        mix=mix,
        against=against,
        policy=policy or "",
        benchmarks=tuple(benchmarks),
        policy_lines=policy_lines(file) if policy is not None else {},
        shard_lines={shard.path: source.line for source in sources for shard in source.shards},
        domain_lines={s.domain: s.line for s in reversed(sources) if s.domain is not None},
        columns=_columns(columns),
        shard_columns={s.path: _columns(s.columns) for source in sources for s in source.shards},
        fields=_option("--fields", settings.fields, None),
        scanners=_scanners(settings),
        units=_units(settings),
    )


def _sources(mix: str, columns: Columns) -> Iterator[_Declared]:
    file = read_mix_file(mix)
    for number, source in enumerate(file.value.sources):
        line = int(file.place("sources", number, "name").rpartition(" ")[2])
        yield _Declared(
            line, source.domain, resolve(source.paths, of_source(columns, source.columns))
        )


def _columns(columns: Columns) -> tuple[str, ...]:
    """Return what names the columns; that there are no ids or domains cannot be said, nor need be."""
    usual = Columns()
    return (
        *_option("--text", ",".join(columns.text), ",".join(usual.text)),
        *_option("--id", columns.id, usual.id),
        *_option("--domain", columns.domain, usual.domain),
    )


def _scanners(settings: GateSettings) -> tuple[str, ...]:
    return (
        *_option("--scanners", ",".join(settings.scanners), ",".join(USUAL.scanners)),
        *_option("--embedding-model", settings.embedding_model, None),
        *(() if settings.prefilter else ("--no-prefilter",)),
        *(("--translations",) if settings.translations else ()),
    )


def _units(settings: GateSettings) -> tuple[str, ...]:
    """Return what decides how drift counts."""
    rules = settings.domain_rules
    return (
        *_option(
            "--tokenizer", None if settings.tokenizer is None else str(settings.tokenizer), None
        ),
        *_option("--domain-rules", None if rules is None else str(rules), None),
        *_option("--seed", str(settings.seed), str(USUAL.seed)),
    )


def _option(name: str, value: str | None, usual: str | None) -> tuple[str, ...]:
    """Return an option with its value, where the value is not what holds without it."""
    return () if value is None or value == usual else (name, value)
