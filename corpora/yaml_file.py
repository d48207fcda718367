"""A YAML file that a user writes, checked against a pydantic model.

`mix.yaml`, rules for domains and the like are read here. Every mistake is one line that names the
file, the line, the key and the mend. Unknown keys are errors, and so is a key that stands twice,
of which YAML would keep the last without a word.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Generic, TypeVar, Union, get_args, get_origin

import pyarrow as pa
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from corpora.places import nearest, open_input
from corpora.problems import CorpusError, said, shown

MAX_YAML_BYTES = 16 << 20

Location = tuple[int | str, ...]  # keys and places in lists, from the top of the file down
Model = TypeVar("Model", bound=BaseModel)


class Strict(BaseModel):
    """The base of models that are read from YAML: frozen, and unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def one_or_several(value: object) -> object:
    """Return one text as a list of it: where several may stand, one needs no brackets."""
    return (value,) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class YamlFile(Generic[Model]):
    """A model read from a file, and where its parts stand, for checks beyond the model's own.

    `digest` is the SHA-256 of the file's bytes, in hexadecimal.
    """

    path: str
    value: Model
    root: yaml.Node
    digest: str

    def place(self, *location: int | str) -> str:
        """`PATH, line N` of a part, such as `("sources", 0, "name")`; `value` holds the part."""
        return _at(self.path, _node_at(self.root, location))


def read_model(path: str, model: type[Model], kind: str) -> Model:
    """Read a file as `model`; `kind` is what the file is called in messages: `mix.yaml`.

    Raises:
        CorpusError: one line that names file, line, key and mend.
    """
    return read_yaml(path, model, kind).value


def read_yaml(path: str, model: type[Model], kind: str) -> YamlFile[Model]:
    """Read a file as `model`, with the places of its parts.

    Raises:
        CorpusError: as `read_model`.
    """
    text = _read(path, kind)
    try:
        root = yaml.compose(text, yaml.SafeLoader)
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: the 31st of June
        raise CorpusError(
            f"{path}{_line_of_error(error)}: not valid YAML: {said(error)}"
        ) from error
    if root is None:
        needed = [name for name, field in model.model_fields.items() if field.is_required()]
        raise CorpusError(f"{path}: the file is empty; it needs {_listed(needed)}")
    _refuse_twice(path, root)
    digest = hashlib.sha256(text.encode()).hexdigest()
    try:
        return YamlFile(path, model.model_validate(value), root, digest)
    except ValidationError as error:
        raise CorpusError(_first_mistake(path, root, model, error)) from error


def _read(path: str, kind: str) -> str:
    try:
        with open_input(path) as file:
            data = file.read(MAX_YAML_BYTES + 1)
    except FileNotFoundError as error:
        raise CorpusError(f"{path}: no such file; give the path of a {kind}") from error
    except (OSError, pa.ArrowException) as error:
        raise CorpusError(
            f"{path}: cannot be read: {said(error)}; check your access to it"
        ) from error
    if len(data) > MAX_YAML_BYTES:
        raise CorpusError(f"{path}: larger than {MAX_YAML_BYTES >> 20} MiB; this is no {kind}")
    try:
        return str(data, "utf-8")
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error


def _line_of_error(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return "" if mark is None else f", line {mark.line + 1}"


def _listed(names: list[str]) -> str:
    """`the key a`, or `the keys a, b and c`."""
    if len(names) < 2:
        return f"the key {names[0]}" if names else "keys"
    return f"the keys {', '.join(names[:-1])} and {names[-1]}"


def _mappings(root: yaml.Node) -> Iterator[yaml.MappingNode]:
    """Every mapping, each once: aliases make a node stand in many places, even inside itself."""
    waiting, seen = [root], {id(root)}
    while waiting:
        node = waiting.pop(0)
        inner: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            yield node
            inner = [value for _, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            inner = node.value
        waiting += [child for child in inner if id(child) not in seen]
        seen.update(map(id, inner))


def _refuse_twice(path: str, root: yaml.Node) -> None:
    for mapping in _mappings(root):
        seen: set[str] = set()
        for key, _ in mapping.value:
            if key.value in seen:
                raise CorpusError(f"{_at(path, key)}: the key {key.value!r} stands twice; keep one")
            seen.add(key.value)


def _first_mistake(
    path: str, root: yaml.Node, model: type[BaseModel], error: ValidationError
) -> str:
    first = error.errors(include_url=False)[0]
    location = first["loc"]
    place = _at(path, _node_at(root, location))
    key = ".".join(str(part) for part in location) or "the file"
    if first["type"] == "extra_forbidden":
        known = _keys(model, location[:-1])
        return f"{place}: unknown key {key!r}{nearest(str(location[-1]), known)}; known keys are {', '.join(known)}"
    if first["type"] == "missing":
        return f"{place}: the key {key!r} is missing; add it"
    if first["type"] == "value_error":  # raised by our own model: it says all
        return f"{place}: {key}: {first['msg'].removeprefix('Value error, ')}"
    wanted = first["msg"].replace("a valid tuple", "a list")
    return f"{place}: {key}: {wanted}, not {_shown(first['input'])}"


def _shown(value: object) -> str:
    """A value for a message; of a list no more than its name: aliases can make it endlessly long."""
    if isinstance(value, list):
        return "a list"
    return "a mapping" if isinstance(value, dict) else shown(value)


def _keys(model: type[BaseModel], location: Location) -> list[str]:
    """The keys that are known in the mapping at a location."""
    kind: Any = model
    for part in location:
        kind = _inside(kind, part)
    inner = _models(kind)
    return [field.alias or name for each in inner for name, field in each.model_fields.items()]


def _inside(kind: Any, part: int | str) -> Any:
    """The type of what stands under a key or at a place of a list; `object` where none is told."""
    for each in _models(kind):
        for name, field in each.model_fields.items():
            if part in (name, field.alias):
                return field.annotation
    for option in _options(kind):
        arguments = get_args(option)
        if isinstance(get_origin(option), type) and arguments:
            return arguments[-1] if issubclass(get_origin(option), Mapping) else arguments[0]
    return object


def _models(kind: Any) -> list[type[BaseModel]]:
    return [o for o in _options(kind) if isinstance(o, type) and issubclass(o, BaseModel)]


def _options(kind: Any) -> list[Any]:
    """The members of a union; of `X | None` and of an annotated X just X."""
    if get_origin(kind) is Annotated:
        return _options(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return [option for member in get_args(kind) for option in _options(member)]
    return [] if kind is NoneType else [kind]


def _node_at(root: yaml.Node, location: Location) -> yaml.Node:
    """Where a location stands: its key or its entry of a list, or the last on the way that exists."""
    inside = place = root
    for part in location:
        if isinstance(inside, yaml.MappingNode):
            found = [(k, v) for k, v in inside.value if k.value == part]
            if not found:
                return place
            place, inside = found[0]
        elif (
            isinstance(inside, yaml.SequenceNode)
            and isinstance(part, int)
            and part < len(inside.value)
        ):
            place = inside = inside.value[part]
    return place


def _at(path: str, node: yaml.Node) -> str:
    return f"{path}, line {node.start_mark.line + 1}"
