"""How kernels are compiled: without the interpreter lock, once per version of the sources.

Numba keeps compiled functions on disk and checks the age of a function's own file only. A caller
whose callee changed in another file would go on with the old machine code, so our kernels are kept
in a folder named after the digest of all sources that hold kernels, and of those they import: a
kernel freezes the constants it uses.
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
from typing import Any, Final, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

SOURCES: Final = ("corpora", "indexes", "scanners")
KERNEL: Final = re.compile(rb"^@(inline_)?kernel|^@intrinsic", re.MULTILINE)
IMPORT: Final = re.compile(rb"^ *from ([\w.]+) import", re.MULTILINE)
STALE_S: Final = 30 * 24 * 3600  # folders of other versions that were not used for so long go


def kernel(function: Function) -> Function:
    """Compile a function with Numba when it is first called; it releases the interpreter lock."""
    return _compile(function)


def inline_kernel(function: Function) -> Function:
    """Compile a small function into each of its callers."""
    return _compile(function, inline="always")


def _compile(function: Function, **options: Any) -> Function:
    _leave_scipy_alone()
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = _folder()  # read when the function is wrapped; others keep their own
    try:
        compiled: Function = numba.njit(nogil=True, cache=True, **options)(function)
    finally:
        numba.config.CACHE_DIR = before
    return compiled


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
def _folder() -> str:
    """Return the folder of this version's kernels; "" (beside the sources) without a home."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for source in _kernel_sources(root):
        digest.update(source)
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


def _kernel_sources(root: Path) -> list[bytes]:
    """Return the texts of the modules that hold kernels and of what they import of ours, in order."""
    texts = {
        f"{name}.{path.stem}": path.read_bytes()
        for name in SOURCES
        for path in sorted((root / name).glob("*.py"))
    }
    waiting = [module for module, text in texts.items() if KERNEL.search(text)]
    needed: set[str] = set()
    while waiting:
        module = waiting.pop()
        if module in texts and module not in needed:
            needed.add(module)
            waiting += [match[1].decode() for match in IMPORT.finditer(texts[module])]
    return [texts[module] for module in sorted(needed)]


def _remove_stale(kernels: Path) -> None:
    for folder in kernels.iterdir():
        if time.time() - folder.stat().st_mtime > STALE_S:
            shutil.rmtree(folder, ignore_errors=True)
