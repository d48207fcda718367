"""How kernels are compiled: without the interpreter lock, once per version of the sources.

Numba keeps compiled functions on disk and checks the age of a function's own file only. A caller
whose callee changed in another file would go on with the old machine code, so the kernels of a module
are kept in a folder named after the digest of that module and of all that it imports of ours: a kernel
freezes its callees and the constants it uses.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

SOURCES: Final = ("corpora", "indexes", "scanners")
IMPORT: Final = re.compile(r"^ *from ([\w.]+) import ([\w, ]*)", re.MULTILINE)
STALE_S: Final = 30 * 24 * 3600  # folders of other versions that were not used for so long go


def kernel(function: Function) -> Function:
    """Compile a function with Numba when it is first called; it releases the interpreter lock."""
    _leave_scipy_alone()
    # The setting is read when a function is wrapped; what others wrap keeps its own.
    before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, _folder(function.__module__)
    try:
        return cast("Function", numba.njit(nogil=True, cache=True)(function))
    finally:
        numba.config.CACHE_DIR = before


def inline_kernel(function: Function) -> Function:
    """Compile a small function into each of its callers; it is kept on disk with them only."""
    _leave_scipy_alone()
    return cast("Function", numba.njit(nogil=True, inline="always")(function))


@cache
def _leave_scipy_alone() -> None:
    """Keep Numba from importing scipy.linalg, a quarter of a second, to see whether it is there.

    `numba.np.arraymath` asks when it is imported; no kernel of ours multiplies matrices, and one that did
    would import it then.
    """
    from numba.np import linalg

    ask = linalg.ensure_blas
    linalg.ensure_blas = lambda: None
    try:
        import numba.np.arraymath  # noqa: F401
    finally:
        linalg.ensure_blas = ask


@cache
def _folder(module: str) -> str:
    """Return the folder of a module's kernels; "" (beside the sources) without a home."""
    texts = _sources()
    digest = hashlib.sha256()
    for name in sorted(_needed(module)):
        digest.update(_source(texts[name]).digest)
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sluicegate"
    folder = home / "kernels" / digest.hexdigest()[:16]
    try:
        if not folder.exists():
            folder.mkdir(parents=True, exist_ok=True)
            _remove_stale(folder.parent)
        folder.touch()
    except OSError:
        return ""
    return str(folder)


@cache
def _sources() -> dict[str, str]:
    """Return the text of every module that may hold kernels, by its dotted name."""
    root = Path(__file__).parents[1]
    return {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): (
            path.read_text("utf-8")
        )
        for name in SOURCES
        for path in (root / name).rglob("*.py")
    }


def _needed(module: str) -> set[str]:
    """Return a module and all of ours that it imports, by way of others, too."""
    texts = _sources()
    needed: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in texts and name not in needed:
            needed.add(name)
            waiting += _source(texts[name]).imports
    return needed


class _Source(NamedTuple):
    """What the text of a module says, found out once: nearly all kernels need the same few modules."""

    digest: bytes
    imports: list[str]  # by dotted names, some of which are no modules


@cache
def _source(text: str) -> _Source:
    imports: list[str] = []
    for package, names in IMPORT.findall(text):
        imports += [package, *(f"{package}.{each.strip()}" for each in names.split(","))]
    return _Source(hashlib.sha256(text.encode()).digest(), imports)


def _remove_stale(kernels: Path) -> None:
    for folder in kernels.iterdir():
        if time.time() - folder.stat().st_mtime > STALE_S:
            shutil.rmtree(folder, ignore_errors=True)
