"""`mix.yaml`: the sources of a corpus version, their domains, weights and column names.

    name: pretrain
    version: "2026-05"
    sources:
      - name: wiki
        paths: [wiki/*.jsonl.zst]
        domain: encyclopedic
        weight: 2.5
        columns: {text: [title, body], id: url}

Paths are relative to the file's folder. Unknown keys are errors, named with their line.
"""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Annotated

import pyarrow as pa
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from corpora.places import is_url, nearest, open_input
from corpora.problems import CorpusError, said, shown

MIX_SUFFIXES = (".yaml", ".yml")
MAX_MIX_BYTES = 16 << 20

_Name = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceColumns(_Strict):
    """Column names of one source; what is not set stays as asked for on the command line."""

    text: tuple[_Name, ...] = Field(default=(), min_length=1)
    id: _Name | None = None
    domain: _Name | None = None

    @field_validator("text", mode="before")
    @classmethod
    def _one_is_a_list_of_one(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value


class Source(_Strict):
    """Files of one domain. `weight` is relative to the other sources' weights."""

    name: _Name
    paths: tuple[_Name, ...] = Field(min_length=1)
    domain: _Name | None = None
    weight: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    columns: SourceColumns | None = None


class Mix(_Strict):
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
    text = _read(path)
    try:
        root = yaml.compose(text, yaml.SafeLoader)
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CorpusError(
            f"{path}{_line_of_error(error)}: not valid YAML: {said(error)}"
        ) from error
    if root is None:
        raise CorpusError(f"{path}: the file is empty; it needs the keys name, version and sources")
    _refuse_twice(path, root)
    try:
        mix = Mix.model_validate(value)
    except ValidationError as error:
        raise CorpusError(_first_mistake(path, root, error)) from error
    _refuse_same_name(path, root, mix)
    return mix.model_copy(update={"sources": tuple(_joined(path, s) for s in mix.sources)})


def _read(path: str) -> str:
    try:
        with open_input(path) as file:
            data = file.read(MAX_MIX_BYTES + 1)
    except FileNotFoundError as error:
        raise CorpusError(f"{path}: no such file; give the path of a mix.yaml") from error
    except (OSError, pa.ArrowException) as error:
        raise CorpusError(
            f"{path}: cannot be read: {said(error)}; check your access to it"
        ) from error
    if len(data) > MAX_MIX_BYTES:
        raise CorpusError(f"{path}: larger than {MAX_MIX_BYTES >> 20} MiB; this is no mix file")
    try:
        return str(data, "utf-8")
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error


def _line_of_error(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return "" if mark is None else f", line {mark.line + 1}"


def _pairs(node: yaml.Node) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """The key and value nodes of every mapping, outermost first."""
    if isinstance(node, yaml.MappingNode):
        yield from node.value
        for _, value in node.value:
            yield from _pairs(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _pairs(value)


def _refuse_twice(path: str, root: yaml.Node) -> None:
    """YAML keeps the last of two equal keys without a word."""
    parents = [root, *(value for _, value in _pairs(root))]
    for parent in parents + [
        item for p in parents if isinstance(p, yaml.SequenceNode) for item in p.value
    ]:
        if not isinstance(parent, yaml.MappingNode):
            continue
        seen: set[str] = set()
        for key, _ in parent.value:
            if key.value in seen:
                raise CorpusError(f"{_at(path, key)}: the key {key.value!r} stands twice; keep one")
            seen.add(key.value)


def _refuse_same_name(path: str, root: yaml.Node, mix: Mix) -> None:
    seen: set[str] = set()
    for index, source in enumerate(mix.sources):
        if source.name in seen:
            node = _node_at(root, ("sources", index, "name"))
            raise CorpusError(
                f"{_at(path, node)}: the source name {source.name!r} stands twice; names are unique"
            )
        seen.add(source.name)


def _first_mistake(path: str, root: yaml.Node, error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    location = first["loc"]
    place = _at(path, _node_at(root, location))
    key = ".".join(str(part) for part in location) or "the file"
    if first["type"] == "extra_forbidden":
        known = _keys(location)
        return f"{place}: unknown key {key!r}{nearest(str(location[-1]), known)}; known keys are {', '.join(known)}"
    if first["type"] == "missing":
        return f"{place}: the key {key!r} is missing; add it"
    return f"{place}: {key}: {first['msg']}, not {shown(first['input'])}"


def _keys(location: tuple[int | str, ...]) -> list[str]:
    """The keys that are known where this location's key stands."""
    model: type[BaseModel] = Mix
    if len(location) >= 3:
        model = Source
    if len(location) >= 4 and location[2] == "columns":
        model = SourceColumns
    return list(model.model_fields)


def _node_at(root: yaml.Node, location: tuple[int | str, ...]) -> yaml.Node:
    """The node of an error's location, or the last one on the way that exists."""
    node = root
    for part in location:
        if isinstance(node, yaml.MappingNode):
            found = [(k, v) for k, v in node.value if k.value == part]
            if not found:
                return node
            key, value = found[0]
            node = value if isinstance(value, yaml.CollectionNode) else key
        elif (
            isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value)
        ):
            node = node.value[part]
    return node


def _at(path: str, node: yaml.Node) -> str:
    return f"{path}, line {node.start_mark.line + 1}"


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
