"""Where in the copy each shard goes, and which folders may not be written into.

A shard keeps its name and its folders below the common root of the corpus arguments: the folder that was
named, the fixed head of a glob, the folder of a file or of a mix.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Collection, Sequence
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import unquote

from corpora.mix import is_mix, read_mix
from corpora.places import is_url
from corpora.shards import Shard
from pipelines.cleaning.edits import CleanError

WILDCARD: Final = re.compile(r"[*?\[]")
FILE: Final = "file://"
PART_BY_PART: Final = "clean the arguments one by one, each into a folder of its own"


def copy_paths(corpus: Sequence[str], shards: Sequence[Shard]) -> dict[str, PurePosixPath]:
    """Return the path in the copy of each shard, by its path.

    Raises:
        CleanError: where two shards would have the same one, or one leads out of the copy.
    """
    roots = _roots(corpus, shards)
    paths: dict[str, PurePosixPath] = {}
    owners: dict[PurePosixPath, str] = {}
    for shard in shards:
        place = _place(shard.path)
        path = PurePosixPath(os.path.relpath(place, roots[is_url(shard.path)]))
        if ".." in path.parts or path.is_absolute() or "\x00" in place:
            raise CleanError(
                f"{shard.path}: it does not lie below {roots[is_url(shard.path)]}, the common root of "
                f"the corpus; {PART_BY_PART}"
            )
        if path in owners:
            raise CleanError(
                f"{owners[path]} and {shard.path} would both be {path} in the copy; {PART_BY_PART}"
            )
        owners[path] = shard.path
        paths[shard.path] = path
    for path, owner in owners.items():
        for folder in path.parents:
            if folder in owners:
                raise CleanError(
                    f"{owner}: {owners[folder]} would be both a file and a folder in the copy; "
                    f"{PART_BY_PART}"
                )
    return paths


def mix_of(corpus: Sequence[str]) -> Path | None:
    """Return the mix file that can be copied as it is: the only argument, all its paths beside it."""
    if len(corpus) != 1 or not is_mix(corpus[0]) or is_url(corpus[0]):
        return None
    folder = _place(os.path.dirname(corpus[0]))  # noqa: PTH120 - Path makes "." of ""
    is_beside = (
        not is_url(path) and _is_below(_place(_head(path, ())), folder)
        for path in _paths(corpus[0])
    )
    return Path(corpus[0]) if all(is_beside) else None


def refuse_overlap(corpus: Sequence[str], findings: Path, out: Path) -> None:
    """Refuse an output folder in which the copy would be taken for the corpus or the findings.

    Raises:
        CleanError: naming the folder that `out` lies in.
    """
    for path in (path for argument in corpus for path in _paths(argument)):
        if is_url(path) and not path.startswith(FILE):
            continue
        is_glob = WILDCARD.search(path) is not None and not _exists(path)
        if _may_match(path, out) if is_glob else _is_in_folder(out, _place(path)):
            raise CleanError(
                f"--out {out}: it lies within the corpus {path}, which is never written to; name a "
                "folder elsewhere"
            )
    if _is_in_folder(out, findings):
        raise CleanError(
            f"--out {out}: it lies within the findings {findings}; name a folder elsewhere"
        )


def _roots(corpus: Sequence[str], shards: Sequence[Shard]) -> dict[bool, str]:
    """Return the common root of the arguments that are URLs (True) and of those that are not."""
    files = {shard.path for shard in shards}
    heads: dict[bool, list[str]] = {True: [], False: []}
    for argument in corpus:
        if mix_of([argument]) is not None:
            heads[False].append(_place(os.path.dirname(argument)))  # noqa: PTH120
            continue
        for path in _paths(argument):
            heads[is_url(path)].append(_place(_head(path, files)))
    return {kind: os.path.commonpath(own) if own else "" for kind, own in heads.items()}


def _paths(argument: str) -> list[str]:
    """Return what an argument names: itself, or the paths of a mix."""
    if not is_mix(argument):
        return [argument]
    return [path for source in read_mix(argument).sources for path in source.paths]


def _head(path: str, files: Collection[str]) -> str:
    """Return the folder that all files of an argument lie in; `files` are paths of shards."""
    head = path.partition("?")[0] if is_url(path) else path
    wildcard = WILDCARD.search(head)
    if wildcard is not None and not _exists(path):
        return head[: wildcard.start()].rpartition("/")[0] or ("/" if head.startswith("/") else ".")
    if is_url(path):
        return head.rpartition("/")[0] if path in files else head.rstrip("/")
    return path if Path(path).is_dir() else os.path.dirname(path)  # noqa: PTH120


def _exists(path: str) -> bool:
    """Tell whether a local path with a wildcard in it is a file or folder of that very name."""
    return not is_url(path) and Path(path).exists()


def _place(path: str) -> str:
    """Return an absolute path: a URL as /SCHEME/HOST/PATH, a local one with its links as they are."""
    if path.startswith(FILE):
        return os.path.abspath(unquote(path.removeprefix(FILE)))  # noqa: PTH100
    if is_url(path):
        scheme, _, rest = path.partition("?")[0].partition("://")
        return f"/{scheme}/{rest}"
    return os.path.abspath(path)  # noqa: PTH100 - Path.resolve would follow links


def _is_below(path: str, folder: str) -> bool:
    place = os.path.abspath(path)  # noqa: PTH100
    return place == folder or place.startswith(folder.rstrip("/") + "/")


def _is_in_folder(path: Path, folder: Path | str) -> bool:
    real = os.path.realpath(folder)
    return Path(real).is_dir() and _is_below(os.path.realpath(path), real)


def _may_match(pattern: str, folder: Path) -> bool:
    """Tell whether a glob may match a folder, one above it, or what will be in it."""
    head = _place(_head(pattern, ()))
    if not _is_in_folder(folder, head):
        return False
    parts = PurePosixPath(os.path.relpath(_place(pattern), head)).parts
    names = PurePosixPath(os.path.relpath(os.path.realpath(folder), os.path.realpath(head))).parts
    return "**" in pattern or all(map(fnmatch.fnmatch, names, parts))
