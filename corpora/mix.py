"""`mix.yaml`: the sources of a corpus version, their domains, weights and column names.

    name: pretrain
    version: "2026-05"
    sources:
      - name: wiki
        paths: [wiki/*.jsonl.zst]
        domain: encyclopedic
        weight: 2.5
        columns: {text: [title, body], id: url}
        filters: {id: {drop: "*/Talk:*"}}

Paths are relative to the file's folder. Unknown keys are errors, named with their line.
"""

from dataclasses import replace
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator

from corpora.filters import Filters
from corpora.places import is_url
from corpora.problems import CorpusError
from corpora.yaml_file import Strict, YamlFile, one_or_several, read_yaml

MIX_SUFFIXES = (".yaml", ".yml")

_Name = Annotated[str, Field(min_length=1)]
_Names = Annotated[tuple[_Name, ...], BeforeValidator(one_or_several)]


class SourceColumns(Strict):
    """Column names of one source; what is not set stays as asked for on the command line."""

    text: _Names = Field(default=(), min_length=1)
    id: _Name | None = None
    domain: _Name | None = None


class Source(Strict):
    """Files of one domain.

    `weight` is how many times as often a document of this source is drawn as one of a source of weight
    1; a source without one has weight 1. Scans read every document once, whatever its weight; shares of
    domains and tokens (`sluicegate drift`) are those of what is drawn.
    """

    name: _Name
    paths: _Names = Field(min_length=1)
    domain: _Name | None = None
    weight: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    columns: SourceColumns | None = None
    filters: Filters | None = None


class Mix(Strict):
    """A named, versioned set of sources; paths are joined to the folder of the file."""

    name: _Name
    version: _Name
    sources: tuple[Source, ...] = Field(min_length=1)

    @field_validator("version", mode="before")
    @classmethod
    def _number_as_written(cls, value: object) -> object:
        # 1.10 and 2026-01-02 have lost their spelling by now: only whole numbers are safe
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str):
            raise ValueError(f"write it in quotes, YAML reads it as {value!r}")
        return value


def is_mix(path: str) -> bool:
    """Whether an argument is a mix file, by its suffix."""
    return path.partition("?")[0].lower().endswith(MIX_SUFFIXES)


def read_mix(path: str) -> Mix:
    """Read and check a mix file; raises CorpusError naming file, line, key and mend."""
    return read_mix_file(path).value


def read_mix_file(path: str) -> YamlFile[Mix]:
    """The same, with the places of its parts."""
    file = read_yaml(path, Mix, "mix.yaml")
    _refuse_same_name(file)
    sources = tuple(_joined(path, source) for source in file.value.sources)
    return replace(file, value=file.value.model_copy(update={"sources": sources}))


def _refuse_same_name(file: YamlFile[Mix]) -> None:
    seen: set[str] = set()
    for index, source in enumerate(file.value.sources):
        if source.name in seen:
            place = file.place("sources", index, "name")
            raise CorpusError(
                f"{place}: the source name {source.name!r} stands twice; names are unique"
            )
        seen.add(source.name)


def _joined(mix_path: str, source: Source) -> Source:
    return source.model_copy(
        update={"paths": tuple(_beside(mix_path, path) for path in source.paths)}
    )


def _beside(mix_path: str, path: str) -> str:
    """A path as seen from where the mix file was named: joined to its folder if relative."""
    if is_url(path) or path.startswith("/"):
        return path
    if is_url(mix_path):
        head, mark, query = mix_path.partition("?")
        return f"{head.rpartition('/')[0]}/{path}{mark}{query}"
    return str(PurePosixPath(mix_path).parent / path)
