"""The corpus of `sluicegate demo`: texts of the running Python installation, by domain."""

import importlib
import importlib.metadata
import inspect
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

JSONL_DOMAIN = "package_docs"  # one domain is JSON lines, to show that formats may be mixed

_LICENCE_NAMES = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "AUTHORS")
_DOC_NAMES = ("README", "METADATA", "CHANGES", "CHANGELOG", "HISTORY")
_DOC_SUFFIXES = (".md", ".rst")
_TEST_FOLDERS = frozenset({"test", "tests", "idle_test"})
_NOT_STDLIB = frozenset({"site-packages", "dist-packages", "__pycache__"})


@dataclass(frozen=True, slots=True)
class Document:
    """A document of the corpus; its id opens with its domain."""

    id: str
    text: str


def collect_corpus(max_bytes: int) -> dict[str, list[Document]]:
    """Return the documents per domain, both sorted by name, within `max_bytes` in all."""
    sources = {**_stdlib_files(), **_package_files()}
    texts: dict[str, dict[str, str | Path]] = {"docstrings": {**_builtin_docstrings()}}
    for (domain, name), path in sources.items():
        texts.setdefault(domain, {})[name] = path
    sizes = {domain: sum(_size(source) for source in of.values()) for domain, of in texts.items()}
    shares = _fair_shares(sizes, max_bytes)
    corpus = {
        domain: list(_documents(domain, texts[domain], shares[domain])) for domain in sorted(texts)
    }
    return {domain: documents for domain, documents in corpus.items() if documents}


def _stdlib_files() -> dict[tuple[str, str], Path]:
    """Return the standard library's sources, by domain and path relative to the library."""
    root = Path(sysconfig.get_path("stdlib"))
    files: dict[tuple[str, str], Path] = {}
    for path in root.rglob("*.py"):
        inner = PurePosixPath(path.relative_to(root).as_posix())
        if _NOT_STDLIB.isdisjoint(inner.parts):
            tests = not _TEST_FOLDERS.isdisjoint(inner.parts)
            files["stdlib_tests" if tests else "stdlib", str(inner)] = path
    return files


def _package_files() -> dict[tuple[str, str], Path]:
    """Return sources, documentation and licences of the installed distributions but our own."""
    files: dict[tuple[str, str], Path] = {}
    for distribution in importlib.metadata.distributions():
        if distribution.name.lower() == "sluicegate":
            continue
        for entry in distribution.files or ():
            domain = _package_domain(PurePosixPath(entry.as_posix()))
            if domain is not None:
                files[domain, entry.as_posix()] = Path(str(distribution.locate_file(entry)))
    return files


def _package_domain(path: PurePosixPath) -> str | None:
    """Return the domain of a distribution's file, None for what is left out."""
    if ".." in path.parts or path.is_absolute():  # scripts and data beside the packages
        return None
    if path.suffix == ".py":
        return "packages_code"
    if path.name.upper().startswith(_LICENCE_NAMES):
        return "licences"
    if path.name.upper().startswith(_DOC_NAMES) or path.suffix in _DOC_SUFFIXES:
        return "package_docs"
    return None


def _builtin_docstrings() -> dict[str, str]:
    """Return docstrings of the modules compiled into the interpreter, one document per module."""
    texts = {name: _module_docstrings(name) for name in sorted(sys.builtin_module_names)}
    return {name: text for name, text in texts.items() if text}


def _module_docstrings(name: str) -> str:
    """Return the docstrings of a module, its members and their methods, in the order of their names."""
    module = importlib.import_module(name)
    parts: dict[str, str] = {}
    own = {member: value for member, value in vars(module).items() if _is_of(name, value)}
    for member, value in [("", module), *sorted(own.items())]:
        _add_docstring(parts, f"{name}.{member}".rstrip("."), value)
        if inspect.isclass(value) and value.__module__ == name:
            for method, function in sorted(vars(value).items()):
                _add_docstring(parts, f"{name}.{member}.{method}", function)
    return "\n\n".join(f"{place}\n{docstring}" for place, docstring in parts.items())


def _is_of(module: str, value: object) -> bool:
    """Tell whether a value came with a compiled module; what `sys` holds else comes from who runs it."""
    if inspect.isclass(value):
        return value.__module__ == module
    return inspect.isbuiltin(value) or inspect.ismethoddescriptor(value)


def _add_docstring(parts: dict[str, str], place: str, value: object) -> None:
    docstring = getattr(value, "__doc__", None)
    if isinstance(docstring, str) and docstring.strip() and docstring not in parts.values():
        parts[place] = docstring


def _size(source: str | Path) -> int:
    """Return the bytes of a text or file; 0 for a file that its distribution lists but that is gone."""
    if isinstance(source, str):
        return len(source.encode())
    return source.stat().st_size if source.is_file() else 0


def _fair_shares(sizes: dict[str, int], total: int) -> dict[str, int]:
    """Split `total` bytes evenly; what a small domain leaves over goes to the larger ones."""
    shares: dict[str, int] = {}
    smallest_first = sorted(sizes, key=lambda domain: (sizes[domain], domain))
    for place, domain in enumerate(smallest_first):
        shares[domain] = min(sizes[domain], total // (len(sizes) - place))
        total -= shares[domain]
    return shares


def _documents(domain: str, sources: dict[str, str | Path], share: int) -> Iterator[Document]:
    """Yield the documents of a domain in the order of their names until `share` bytes are used."""
    for name in sorted(sources):
        text = _text(sources[name])
        size = len(text.encode())
        if text.strip() and size <= share:
            share -= size
            yield Document(f"{domain}/{name}", text)


def _text(source: str | Path) -> str:
    """Return the text of a source; "" for a missing file or one that is not UTF-8.

    The standard library's tests hold files in other encodings and broken ones on purpose.
    """
    if isinstance(source, str):
        return source
    try:
        return source.read_bytes().decode()
    except (FileNotFoundError, UnicodeDecodeError):
        return ""


def shard_name(domain: str) -> str:
    """Return where the shard of a domain lies, relative to the corpus folder."""
    suffix = ".jsonl.gz" if domain == JSONL_DOMAIN else ".parquet"
    return f"{domain}/part-00000{suffix}"
