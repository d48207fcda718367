"""Where files are: a local path, or a file://, s3:// or gs:// URL through pyarrow's file systems.

One function finds the files that an argument stands for, one opens a file. Credentials come from
the environment (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, ...); a URL's query is handed to pyarrow
(`s3://bucket/key?region=eu-west-1&endpoint_override=localhost:9000&scheme=http`).
"""

import difflib
import glob
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.fs

from corpora.problems import CorpusError, said

SCHEMES = ("file", "s3", "gs")
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+)://(?P<host>[^/?]*)(?P<path>[^?]*)(?P<query>\?.*)?"
)
_WILDCARD = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Found:
    """One file: its path as shown and opened, its size, and whether the argument named it.

    A file is named by its own path, or by a glob that ends in a plain suffix (`*.log`); a file
    met in a folder is not, and is only read when its suffix is known.
    """

    path: str
    size_bytes: int
    is_named: bool


def is_url(path: str) -> bool:
    """Whether this is a URL rather than a local path."""
    return _URL.fullmatch(path) is not None


def open_input(path: str, *, mapped: bool = False) -> pa.NativeFile:
    """Open a file for reading at any position; `mapped` maps a local file instead of reading it.

    Raises OSError when it cannot be opened.
    """
    if is_url(path):
        file_system, inner = _at(path)
        return file_system.open_input_file(inner)
    return pa.memory_map(path) if mapped else pa.OSFile(path)


def find(argument: str) -> list[Found]:
    """The files an argument stands for: a file, a folder, a glob, or a URL of one of these.

    Sorted by path. Hidden files and folders below a folder are left out; links are followed.
    Raises CorpusError when there is no such thing or it cannot be listed.
    """
    try:
        found = _find_url(argument) if is_url(argument) else _find_local(argument)
    except (OSError, pa.ArrowException) as error:
        raise CorpusError(
            f"{argument}: cannot be looked up: {said(error)}; check the name and your access to it"
        ) from error
    return sorted(found, key=lambda file: file.path)


def nearest(name: str, names: list[str]) -> str:
    """`; did you mean 'x'?` for the nearest of the names, or nothing."""
    close = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _find_local(argument: str) -> list[Found]:
    if Path(argument).exists():
        return list(_below_local(argument, is_named=True))
    if not _WILDCARD.search(argument):
        raise CorpusError(f"{argument}: no such file or folder{_local_hint(Path(argument))}")
    matches = glob.glob(argument, recursive=True)  # noqa: PTH207 - Path.glob knows no absolute patterns
    # `**` names a folder and also what is in it: a dict keeps each file once
    found = {
        file.path: file
        for match in matches
        for file in _below_local(match, is_named=_ends_in_suffix(argument))
    }
    if not found:
        raise CorpusError(f"{argument}: this glob matches no file; `**` reaches into sub-folders")
    return list(found.values())


def _below_local(path: str, is_named: bool) -> Iterator[Found]:
    """The file itself, or the files in the folder at any depth."""
    if not Path(path).is_dir():
        yield Found(Path(path).as_posix(), Path(path).stat().st_size, is_named)
        return
    seen: set[str] = set()  # folders by real path: a link to a parent would never end
    for folder, names, files in os.walk(path, onerror=_raise, followlinks=True):
        real = os.path.realpath(folder)
        names[:] = [] if real in seen else sorted(n for n in names if not n.startswith("."))
        files = [] if real in seen else sorted(n for n in files if not n.startswith("."))
        seen.add(real)
        for file in (Path(folder, name) for name in files):
            if file.is_file():  # neither a pipe nor a socket
                yield Found(file.as_posix(), file.stat().st_size, is_named=False)


def _raise(error: OSError) -> None:
    """Let os.walk stop at a folder it cannot list; by default it skips it without a word."""
    raise error


def _local_hint(path: Path) -> str:
    parent = path.parent
    if not parent.is_dir():
        return f"; the folder {parent.as_posix()!r} does not exist either"
    return nearest(path.name, sorted(entry.name for entry in parent.iterdir()))


def _find_url(url: str) -> list[Found]:
    file_system, inner = _at(url)
    head = url.partition("?")[0]
    pattern_start = _WILDCARD.search(head)
    if pattern_start is None:
        return list(_below_url(url, file_system, inner))
    base = inner[: len(inner) - len(head) + head.rfind("/", 0, pattern_start.start())]
    pattern = _glob_pattern(inner)
    named = _ends_in_suffix(head)
    found = [
        Found(_shown(url, inner, info.path), info.size, named)
        for info in _list(file_system, base)
        if pattern.fullmatch(info.path)
    ]
    if not found:
        raise CorpusError(f"{url}: this glob matches no object; `**` reaches any depth")
    return found


def _below_url(url: str, file_system: pa.fs.FileSystem, inner: str) -> Iterator[Found]:
    info = file_system.get_file_info(inner)
    if info.type == pa.fs.FileType.File:
        yield Found(url, info.size, is_named=True)
        return
    if info.type == pa.fs.FileType.NotFound:
        parent = inner.rpartition("/")[0]
        selector = pa.fs.FileSelector(parent, allow_not_found=True)
        names = [entry.base_name for entry in file_system.get_file_info(selector)] if parent else []
        raise CorpusError(
            f"{url}: no such object or prefix{nearest(PurePosixPath(inner).name, names)}"
        )
    for entry in _list(file_system, inner):
        yield Found(_shown(url, inner, entry.path), entry.size, is_named=False)


def _list(file_system: pa.fs.FileSystem, base: str) -> list[pa.fs.FileInfo]:
    """All files below a prefix whose names are not hidden."""
    selector = pa.fs.FileSelector(base, allow_not_found=True, recursive=True)
    start = len(base)
    return [
        info
        for info in file_system.get_file_info(selector)
        if info.type == pa.fs.FileType.File and "/." not in info.path[start:]
    ]


def _shown(url: str, inner: str, path: str) -> str:
    """The URL of another path in the same file system, with the same query."""
    _, mark, query = url.partition("?")
    if _parts(url)["scheme"] == "file":
        return f"file://{path}"
    return f"{_parts(url)['scheme']}://{path}{mark}{query}"


def _glob_pattern(pattern: str) -> re.Pattern[str]:
    """A glob over object names: `**/` any folders, `*` and `[...]` within one name."""
    out = ""
    for token in re.split(r"(\*\*/|\*\*|\*|\[[^\]/]+\])", pattern):
        if token == "**/":
            out += "(?:[^/]+/)*"
        elif token == "**":
            out += ".*"
        elif token == "*":
            out += "[^/]*"
        elif token.startswith("[") and token.endswith("]"):
            out += "[" + token[1:-1].replace("\\", r"\\").replace("!", "^", 1) + "]"
        else:
            out += re.escape(token)
    return re.compile(out)


def _ends_in_suffix(pattern: str) -> bool:
    return PurePosixPath(pattern).suffix != "" and not _WILDCARD.search(
        PurePosixPath(pattern).suffix
    )


def _at(url: str) -> tuple[pa.fs.FileSystem, str]:
    """The file system of a URL and the path within it."""
    parts = _parts(url)
    if parts["scheme"] == "file":
        return pa.fs.LocalFileSystem(), unquote(parts["path"])
    root = f"{parts['scheme']}://{parts['host']}{parts['query'] or ''}"
    # The process id is part of the key: a client that was made before a fork hangs after it. So is what
    # the environment says, as a client keeps the server and the credentials that it was made with.
    told = tuple(sorted(item for item in os.environ.items() if item[0].startswith("AWS_")))
    return _file_system(root, os.getpid(), told), (parts["host"] + parts["path"]).rstrip("/")


@lru_cache(maxsize=32)
def _file_system(root: str, process_id: int, told: tuple[tuple[str, str], ...]) -> pa.fs.FileSystem:
    """One client per bucket, process and environment: making one costs a round trip to the server."""
    file_system, _ = pa.fs.FileSystem.from_uri(root)
    return file_system


def _parts(url: str) -> dict[str, str]:
    match = _URL.fullmatch(url)
    assert match is not None, url
    parts = match.groupdict()
    if parts["scheme"] not in SCHEMES:
        known = ", ".join(f"{scheme}://" for scheme in SCHEMES)
        raise CorpusError(
            f"{url}: cannot read {parts['scheme']}:// URLs, only {known}; copy it there or to a local folder"
        )
    if "@" in parts["host"]:
        raise CorpusError(
            f"{parts['scheme']}://...@{parts['host'].rpartition('@')[2]}{parts['path']}: a URL is printed in reports "
            "and may hold no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead"
        )
    return parts
