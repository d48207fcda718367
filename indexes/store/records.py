"""The records of a store, and how they are written so that damage shows.

A record is JSON whose second line holds the SHA-256 of everything below that line:

    {
    "checksum": "6c4e...",
    "schema": "sluicegate.shard/1",
    "parameters": {"normal_form": "...", ...},
    ...

so `tail -n +3 shard.json | sha256sum` checks one by hand. The checksum is over bytes, not over what
they mean: a later program that would write the same record otherwise still believes this one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Annotated, Any, ClassVar, Final, Self, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from corpora.filters import Filters
from corpora.formats import Compression, Format
from corpora.problems import Problem, ReadLog, said, shown
from corpora.shards import Shard
from indexes.store.errors import DamagedError, StoreError
from indexes.store.names import KEY, NAME_RULE

_HEAD: Final = re.compile(rb'\{\n"checksum": "([0-9a-f]{64})",\n(?="schema": "([^"\n]{1,99})",\n)')

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, Field(pattern=rf"^{NAME_RULE}$")]
Text = Annotated[str, Field(min_length=1)]
R = TypeVar("R", bound="Record")


class Strict(BaseModel):
    """Unknown keys and loose types are errors; values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Record(Strict):
    """A file of the store; `SCHEMA` names what it is and its version."""

    SCHEMA: ClassVar[str]


class Sparse(Strict):
    """Leaves fields of `OPTIONAL` out of its JSON where they are None.

    So a record of before there was such a choice keeps its bytes, and its key.
    """

    OPTIONAL: ClassVar[tuple[str, ...]]

    @model_serializer(mode="wrap")
    def _sparse(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = dump(self)
        left_out = {name for name in self.OPTIONAL if fields[name] is None}
        return {name: value for name, value in fields.items() if name not in left_out}


class Recipe(Sparse):
    """What is made of text. The normal form and the fingerprints must be those of a look-up."""

    OPTIONAL: ClassVar[tuple[str, ...]] = ("texts",)

    normal_form: Text
    fingerprints: Text
    texts: Text | None = None  # how they are kept, too; None: they are not

    def refusal(self, other: Recipe) -> str | None:
        """Return why what `other` made cannot be used where this is asked for; None if it can."""
        if other.normal_form != self.normal_form:
            return (
                f"it was made with normal form {other.normal_form!r}, this is {self.normal_form!r}"
            )
        if other.fingerprints != self.fingerprints:
            return f"it was made with fingerprints {other.fingerprints!r}, these are {self.fingerprints!r}"
        return None


class ColumnNames(Strict):
    """Which columns hold what, as `corpora.shards.Columns`."""

    text: tuple[Text, ...]
    id: str | None
    domain: str | None


class ShardParameters(Sparse):
    """Everything that decides what is stored for a file of given content."""

    OPTIONAL: ClassVar[tuple[str, ...]] = ("filters",)

    recipe: Recipe
    format: Format
    compression: Compression
    columns: ColumnNames
    domain: str | None  # from a mix; overrides the column
    filters: Filters | None = None  # from a mix

    @classmethod
    def of(cls, shard: Shard, recipe: Recipe) -> Self:
        """Return the parameters of a whole file."""
        assert shard.part is None, "a store holds whole files"
        columns = shard.columns
        return cls(
            recipe=recipe,
            format=shard.format,
            compression=shard.compression,
            columns=ColumnNames(text=columns.text, id=columns.id, domain=columns.domain),
            domain=shard.domain,
            filters=shard.filters,
        )

    def key(self, digest: str) -> str:
        """Return where a file whose content has this SHA-256 is stored: 32 hexadecimal digits."""
        content = {"digest": digest, "parameters": self.model_dump(mode="json")}
        return hashlib.sha256(_compact(content).encode()).hexdigest()[:32]


class StoredFile(Strict):
    """One file of a shard, and what it must be."""

    name: FileName
    bytes: NonNegativeInt
    sha256: Sha256
    quick: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]  # `indexes.store.checksums`

    @property
    def stored_name(self) -> str:
        """Return its name in the folder; it tells the content.

        So a builder whose libraries write other bytes for the same shard never overwrites what
        another builder's record names, where a folder cannot be renamed at once (on S3).
        """
        stem, dot, suffix = self.name.rpartition(".")
        return f"{stem}-{self.sha256[:16]}.{suffix}" if dot else f"{suffix}-{self.sha256[:16]}"


class StoredProblem(Strict):
    """A problem of reading, without the path: the same content may lie elsewhere tomorrow."""

    row: NonNegativeInt | None
    reason: str
    mend: str


class StoredLog(Strict):
    """What reading the shard counted."""

    documents: NonNegativeInt
    bytes: NonNegativeInt
    bad_documents: NonNegativeInt
    reasons: dict[str, NonNegativeInt]
    problems: tuple[StoredProblem, ...]

    @classmethod
    def of(cls, log: ReadLog) -> Self:
        """Return what a log of one shard says."""
        return cls(
            documents=log.documents,
            bytes=log.bytes,
            bad_documents=log.bad_documents,
            reasons=dict(sorted(log.reasons.items())),
            problems=tuple(
                StoredProblem(row=p.row, reason=p.reason, mend=p.mend) for p in log.problems
            ),
        )

    def read_log(self, path: str) -> ReadLog:
        """Return the log that reading the shard at `path` gave when it was built."""
        problems = [Problem(path, p.row, p.reason, p.mend) for p in self.problems]
        return ReadLog(self.documents, self.bytes, self.bad_documents, problems, dict(self.reasons))


class ShardRecord(Record):
    """`shard.json`: written last, so that its presence means a whole shard."""

    SCHEMA: ClassVar[str] = "sluicegate.shard/1"

    parameters: ShardParameters
    digest: Sha256  # of the file that it was built from
    files: tuple[StoredFile, ...]
    read: StoredLog
    counts: dict[str, int | dict[str, int]]

    @cached_property  # every file that is opened asks for it
    def key(self) -> str:
        """Return where it belongs."""
        return self.parameters.key(self.digest)

    def file(self, name: str) -> StoredFile:
        """Return what is recorded of a file; KeyError where there is none of this name."""
        for file in self.files:
            if file.name == name:
                return file
        raise KeyError(name)


class SeenRecord(Record):
    """What a file of the corpus was when it was last read to its end."""

    SCHEMA: ClassVar[str] = "sluicegate.seen/1"

    path: str
    size_bytes: NonNegativeInt
    modified_ns: int
    etag: str | None
    digest: Sha256


class StoreRecord(Record):
    """`store.json`: this folder is a store."""

    SCHEMA: ClassVar[str] = "sluicegate.store/1"

    about: str = "An index store of Sluicegate. To look into it: sluicegate index list"


class LeaseRecord(Record):
    """Who is at work on something; `token` tells two leases of one process apart."""

    SCHEMA: ClassVar[str] = "sluicegate.lease/1"

    host: Text
    pid: NonNegativeInt
    started: NonNegativeInt
    token: Text


class VersionShard(Sparse):
    """One shard of a corpus version; `parameters` and `digest` give the key."""

    OPTIONAL: ClassVar[tuple[str, ...]] = ("filters",)

    path: Text
    format: Format
    compression: Compression
    columns: ColumnNames
    domain: str | None
    filters: Filters | None = None
    size_bytes: NonNegativeInt
    digest: Sha256
    key: Annotated[str, Field(pattern=rf"^{KEY.pattern}$")]

    @classmethod
    def of(cls, shard: Shard, recipe: Recipe, digest: str) -> Self:
        """Return the entry of a whole file."""
        parameters = ShardParameters.of(shard, recipe)
        return cls(
            path=shard.path,
            format=parameters.format,
            compression=parameters.compression,
            columns=parameters.columns,
            domain=parameters.domain,
            filters=parameters.filters,
            size_bytes=shard.size_bytes,
            digest=digest,
            key=parameters.key(digest),
        )

    def parameters(self, recipe: Recipe) -> ShardParameters:
        """Return what it was built with in a version of this recipe."""
        return ShardParameters(
            recipe=recipe,
            format=self.format,
            compression=self.compression,
            columns=self.columns,
            domain=self.domain,
            filters=self.filters,
        )


class Manifest(Record):
    """`versions/<name>.json`: a corpus version and what was built for it."""

    SCHEMA: ClassVar[str] = "sluicegate.version/1"

    name: str
    created: AwareDatetime
    tool_version: Text
    recipe: Recipe
    shards: tuple[VersionShard, ...]

    def holds_the_same(self, other: Manifest) -> bool:
        """Whether only the time or the tool's version differ."""
        return (self.name, self.recipe, self.shards) == (other.name, other.recipe, other.shards)


def version_name(arguments: Sequence[str], shards: Iterable[VersionShard]) -> str:
    """Return a name for a version: what the user typed, readable, and 8 digits of what it holds.

    Equal for equal content built with equal parameters at equal paths.
    """
    heads = [argument.partition("?")[0].partition("://")[2] or argument for argument in arguments]
    words = re.findall(r"[A-Za-z0-9]+", "-".join(heads))
    held = _compact(sorted([shard.path, shard.key] for shard in shards))
    tail = hashlib.sha256(held.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{'-'.join(words)[-40:].strip('-') or 'corpus'}-{tail}"


def to_bytes(record: Record) -> bytes:
    """Return the file of a record: one field a line, and one line for each entry of a list.

    Raises:
        StoreError: a path in it is not Unicode.
    """
    body = f'"schema": {_compact(record.SCHEMA)},\n' + ",\n".join(
        f"{_compact(name)}: {_by_line(value)}"
        for name, value in record.model_dump(mode="json").items()
    )
    try:
        below = f"{body}\n}}\n".encode()
    except UnicodeEncodeError as error:
        text = shown(error.object[max(0, error.start - 20) : error.start + 20])
        raise StoreError(text, "holds what is not Unicode text", "rename the file") from error
    return b'{\n"checksum": "%s",\n%s' % (hashlib.sha256(below).hexdigest().encode(), below)


def from_bytes(kind: type[R], data: bytes, path: str, *, key: str | None = None) -> R:
    """Return the record in a file's bytes.

    Raises:
        DamagedError: the checksum does not fit, or a record of this schema has other fields.
        StoreError: it is whole, but of another schema.
    """
    head = _HEAD.match(data)
    if head is None:
        raise DamagedError(path, "is damaged: it does not begin as a record of a store does", key)
    below = memoryview(data)[head.end() :]
    digest = hashlib.sha256(below).hexdigest()
    if digest != head[1].decode():
        reason = f"is damaged: SHA-256 {digest!r}, recorded {head[1].decode()!r}"
        raise DamagedError(path, reason, key)
    schema = head[2].decode("utf-8", "replace")
    if schema != kind.SCHEMA:
        raise StoreError(
            path,
            f"is a record of {shown(schema)}, this program reads {kind.SCHEMA!r}",
            "use the version of Sluicegate that made it, or build into another folder",
        )
    fields = below[len(f'"schema": "{schema}",\n') :]
    try:
        return kind.model_validate_json(b"{" + fields)
    except ValidationError as error:
        raise DamagedError(path, f"is no {schema} record: {_first(error)}", key) from error


def _first(error: ValidationError) -> str:
    mistake = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in mistake["loc"])
    return f"{shown(place)}: {said(ValueError(mistake['msg']))}" if place else mistake["msg"]


def _by_line(value: object) -> str:
    if not isinstance(value, list) or not value:
        return _compact(value)
    return "[\n" + ",\n".join(_compact(entry) for entry in value) + "\n]"


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)
