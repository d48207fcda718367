"""Benchmarks on the Hugging Face hub: `hf://datasets/OWNER/NAME[@REVISION][/path/in/repo]`.

Downloads go through huggingface_hub (the extra `[hub]`), which keeps its own cache, so a file that was
fetched once is read again without a network. The package is imported only when such a URL is met.
A path may be one file, a folder or a pattern (`all/test-*.parquet`); without a path every file counts.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

from corpora.fields import BenchmarkError

SCHEME = "hf://"
_URL = re.compile(
    r"hf://(?:datasets/)?(?P<repo>[^/@]+/[^/@]+)"
    r"(?:@(?P<revision>refs/(?:convert|pr)/[^/]+|[^/]+))?(?:/(?P<path>.*))?"
)


@dataclass(frozen=True, slots=True)
class HubFile:
    """One downloaded file: its URL, repository (OWNER/NAME), path in it, and where it lies here."""

    url: str
    repo: str
    path: str
    file: Path


def fetch(url: str, suffixes: tuple[str, ...]) -> list[HubFile]:
    """Download what `url` names and return it, sorted by path; of several files those with `suffixes`.

    Raises:
        BenchmarkError: the URL is malformed, huggingface_hub is not installed, there is no network, or
            the hub has no such file.
    """
    parts = _URL.fullmatch(url)
    if parts is None:
        raise BenchmarkError(
            f"{url!r} is not an address of a dataset",
            "write hf://datasets/OWNER/NAME[@REVISION][/path/in/repo.parquet]",
        )
    repo, path = parts["repo"], (parts["path"] or "").strip("/")
    revision = unquote(parts["revision"]) if parts["revision"] else None
    hub = _huggingface_hub(url)
    try:
        names = _names(hub, repo, revision, path, suffixes)
        files = [
            Path(hub.hf_hub_download(repo, name, repo_type="dataset", revision=revision))
            for name in names
        ]
    except _failures(hub) as error:
        raise BenchmarkError(
            f"cannot be fetched: {_one_line(error)}",
            "check the address and the network, or download the file and name its path",
            path=url,
        ) from error
    if not files:
        raise BenchmarkError(
            f"the hub holds no file of a known kind under {path or '/'!r}",
            f"known are {', '.join(suffixes)}",
            path=url,
        )
    root = url[: parts.end("revision") if parts["revision"] else parts.end("repo")]
    return [
        HubFile(f"{root}/{name}", repo, name, file) for name, file in zip(names, files, strict=True)
    ]


def _huggingface_hub(url: str) -> ModuleType:
    try:
        import huggingface_hub
        import huggingface_hub.errors
    except ImportError as error:
        raise BenchmarkError(
            "reading from the Hugging Face hub needs the package huggingface_hub",
            "run `pip install 'sluicegate[hub]'`, or download the file and name its path",
            path=url,
        ) from error
    module: ModuleType = huggingface_hub
    return module


def _names(
    hub: ModuleType, repo: str, revision: str | None, path: str, suffixes: tuple[str, ...]
) -> list[str]:
    if path.lower().endswith(suffixes) and not _is_pattern(path):
        return [path]
    pattern = path if _is_pattern(path) else f"{path}/*" if path else "*"
    listed = hub.list_repo_files(repo, repo_type="dataset", revision=revision)
    return sorted(
        name
        for name in listed
        if name.lower().endswith(suffixes) and fnmatch.fnmatchcase(name, pattern)
    )


def _is_pattern(path: str) -> bool:
    return any(sign in path for sign in "*?[")


def _failures(hub: ModuleType) -> tuple[type[Exception], ...]:
    """Return what a fetch can raise.

    The bases of HfHubHTTPError hold the root error of the HTTP client in use: huggingface_hub lets it
    through where there is no network, and has changed the client more than once.
    """
    return (OSError, ValueError, *hub.errors.HfHubHTTPError.__bases__)


def _one_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join(lines)[:300]}" if lines else type(error).__name__
