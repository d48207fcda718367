"""The inputs of `sluicegate demo`: real text that every Python installation carries.

Three things are laid into a folder: a corpus (standard-library and package sources, docstrings,
documentation and licence texts), a benchmark made from that corpus (signature and docstring of a
function as question, its body as answer), and an original benchmark that leaked nowhere, of whose
items some are planted into real documents in edited forms. `planted.jsonl` is the truth to hold
the findings against. Nothing is downloaded, and the same installation and seed give the same
bytes. Sluicegate's own files are left out, or the original items would be found in themselves.
"""

import ast
import gzip
import importlib
import importlib.metadata
import inspect
import json
import re
import sys
import sysconfig
import textwrap
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ORIGINAL_ITEMS = Path(__file__).with_name("demo_data") / "original_items.jsonl"
PLANTED_ITEMS = 16
FUNCTION_ITEMS = 300

_ITEMS_PER_MODULE = 3  # of functions, so that no single module makes up the benchmark
_ANSWER_WORDS = 13  # the run that the scan guarantees to find
_HOST_CHARS = 1_500  # shorter documents would be little more than the planted copy
_ROW_GROUP = 256
_JSONL_DOMAIN = "package_docs"  # one domain is JSON lines, to show that formats may be mixed
_HOST_DOMAINS = ("docstrings", "licences", "package_docs", "packages_code", "stdlib_tests")
_LICENCE_NAMES = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "AUTHORS")
_DOC_NAMES = ("README", "METADATA", "CHANGES", "CHANGELOG", "HISTORY")
_DOC_SUFFIXES = (".md", ".rst")
_TEST_FOLDERS = frozenset({"test", "tests", "idle_test"})
_NOT_STDLIB = frozenset({"site-packages", "dist-packages", "__pycache__"})


@dataclass(frozen=True, slots=True)
class PlantedCopy:
    """Where a copy of an original item was planted.

    `shard` is relative to the corpus folder, `row` counts from 0, `form` is a key of `FORMS`.
    """

    item_id: str
    shard: str
    row: int
    form: str


@dataclass(frozen=True, slots=True)
class DemoInputs:
    """What `make_demo_inputs` wrote: the corpus folder, the benchmark files and the truth."""

    corpus: Path
    benchmarks: list[Path]
    planted: list[PlantedCopy]


@dataclass(frozen=True, slots=True)
class _Document:
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class _Item:
    id: str
    question: str
    choices: tuple[str, ...]
    answer: str


def make_demo_inputs(out: Path, *, seed: int = 0, max_bytes: int = 40_000_000) -> DemoInputs:
    """Writes the corpus, the two benchmarks and the planted truth below `out`.

    The corpus holds at most `max_bytes` of UTF-8 text, planted copies apart. Raises `OSError`
    when `out` cannot be written to.
    """
    rng = np.random.default_rng(seed)
    corpus = _collect(max_bytes)
    functions = _function_items(corpus.get("stdlib", []), rng)
    originals = _read_originals()
    planted = _plant(corpus, originals, rng)
    for domain, documents in corpus.items():
        _write_domain(out / "corpus", domain, documents)
    benchmarks = out / "benchmarks"
    benchmarks.mkdir(parents=True, exist_ok=True)
    _write_lines(benchmarks / "pyfunctions.jsonl", map(asdict, functions))
    (benchmarks / "original.jsonl").write_bytes(ORIGINAL_ITEMS.read_bytes())
    _write_lines(out / "planted.jsonl", map(asdict, planted))
    files = [benchmarks / "original.jsonl", benchmarks / "pyfunctions.jsonl"]
    return DemoInputs(out / "corpus", files, planted)


# The corpus


def _collect(max_bytes: int) -> dict[str, list[_Document]]:
    """Documents per domain, both sorted by name, within `max_bytes` in all."""
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
    """The standard library's sources, by domain and path relative to the library."""
    root = Path(sysconfig.get_path("stdlib"))
    files: dict[tuple[str, str], Path] = {}
    for path in root.rglob("*.py"):
        inner = PurePosixPath(path.relative_to(root).as_posix())
        if _NOT_STDLIB.isdisjoint(inner.parts):
            tests = not _TEST_FOLDERS.isdisjoint(inner.parts)
            files["stdlib_tests" if tests else "stdlib", str(inner)] = path
    return files


def _package_files() -> dict[tuple[str, str], Path]:
    """Sources, documentation and licences of the installed distributions but our own."""
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
    """The domain of a distribution's file, None for what is left out."""
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
    """Docstrings of the modules compiled into the interpreter, one document per module."""
    texts = {name: _module_docstrings(name) for name in sorted(sys.builtin_module_names)}
    return {name: text for name, text in texts.items() if text}


def _module_docstrings(name: str) -> str:
    """The docstrings of a module, its members and their methods, in the order of their names."""
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
    """Bytes of a text or file; 0 for a file that its distribution lists but that is gone."""
    if isinstance(source, str):
        return len(source.encode())
    return source.stat().st_size if source.is_file() else 0


def _fair_shares(sizes: dict[str, int], total: int) -> dict[str, int]:
    """Splits `total` bytes evenly; what a small domain leaves over goes to the larger ones."""
    shares: dict[str, int] = {}
    smallest_first = sorted(sizes, key=lambda domain: (sizes[domain], domain))
    for place, domain in enumerate(smallest_first):
        shares[domain] = min(sizes[domain], total // (len(sizes) - place))
        total -= shares[domain]
    return shares


def _documents(domain: str, sources: dict[str, str | Path], share: int) -> Iterator[_Document]:
    """The documents of a domain in the order of their names until `share` bytes are used."""
    for name in sorted(sources):
        text = _text(sources[name])
        size = len(text.encode())
        if text.strip() and size <= share:
            share -= size
            yield _Document(f"{domain}/{name}", text)


def _text(source: str | Path) -> str:
    """The text of a source; "" for a missing file or one that is not UTF-8.

    The standard library's tests hold files in other encodings and broken ones on purpose.
    """
    if isinstance(source, str):
        return source
    try:
        return source.read_bytes().decode()
    except (FileNotFoundError, UnicodeDecodeError):
        return ""


# The benchmark made from the standard library


def _function_items(documents: list[_Document], rng: np.random.Generator) -> list[_Item]:
    """At most `FUNCTION_ITEMS` items from modules taken in random order, sorted by id."""
    items: dict[str, _Item] = {}
    for place in rng.permutation(len(documents)):
        for item in _functions_of(documents[place])[:_ITEMS_PER_MODULE]:
            items.setdefault(item.question, item)  # some modules are copies of others
        if len(items) >= FUNCTION_ITEMS:
            break
    chosen = {item.id: item for item in list(items.values())[:FUNCTION_ITEMS]}
    return [chosen[item_id] for item_id in sorted(chosen)]


def _functions_of(document: _Document) -> list[_Item]:
    """The functions of a module that make an item, in the order of the source."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of invalid escapes in sources that are not ours
        try:
            tree = ast.parse(document.text)
        except SyntaxError:
            return []
    module = document.id.removeprefix("stdlib/").removesuffix(".py").replace("/", ".")
    lines = document.text.split("\n")
    found = {
        f"{module}.{name}": function for name, function in _walk(tree.body) if _makes_item(function)
    }
    items = (_function_item(name, function, lines) for name, function in found.items())
    return [item for item in items if len(re.findall(r"\w+", item.answer)) >= _ANSWER_WORDS]


def _walk(body: list[ast.stmt]) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Functions and methods with their qualified names; functions in functions are left out."""
    for node in body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for name, function in _walk(node.body):
                yield f"{node.name}.{name}", function


def _makes_item(function: ast.FunctionDef) -> bool:
    """Whether the docstring has eight words and the body two statements on their own lines."""
    docstring = ast.get_docstring(function, clean=False) or ""
    return (
        len(docstring.split()) >= 8
        and len(function.body) >= 3
        and function.body[0].lineno > function.lineno
        and function.body[1].lineno > (function.body[0].end_lineno or 0)
    )


def _function_item(name: str, function: ast.FunctionDef, lines: list[str]) -> _Item:
    """Signature and docstring as the question, the rest as the answer, as they stand."""
    end_of_question = function.body[0].end_lineno
    question = "\n".join(lines[function.lineno - 1 : end_of_question])
    answer = "\n".join(lines[end_of_question : function.end_lineno])
    return _Item(name, textwrap.dedent(question), (), textwrap.dedent(answer).strip("\n"))


# The planted copies


def _read_originals() -> list[_Item]:
    rows = map(json.loads, ORIGINAL_ITEMS.read_text(encoding="utf-8").splitlines())
    return [_Item(**{**row, "choices": tuple(row["choices"])}) for row in rows]


def _plant(
    corpus: dict[str, list[_Document]], items: list[_Item], rng: np.random.Generator
) -> list[PlantedCopy]:
    """Writes edited copies of `PLANTED_ITEMS` items into documents of `corpus`, in place."""
    hosts = [
        (domain, row)
        for domain in _HOST_DOMAINS
        for row, document in enumerate(corpus.get(domain, []))
        if len(document.text) >= _HOST_CHARS
    ]
    chosen = _items_and_forms(items, rng)
    places = rng.choice(len(hosts), size=len(chosen), replace=False)
    planted = []
    for (item, form), place in zip(chosen, places, strict=True):
        domain, row = hosts[place]
        host = corpus[domain][row]
        copy = FORMS[form](item, host.text, rng)
        corpus[domain][row] = replace(host, text=_insert(host.text, copy, rng))
        planted.append(PlantedCopy(item.id, _shard_name(domain), row, form))
    return sorted(planted, key=lambda copy: copy.item_id)


def _items_and_forms(items: list[_Item], rng: np.random.Generator) -> list[tuple[_Item, str]]:
    """Goes round the forms and gives each a random item that suits it, none twice."""
    left = [items[place] for place in rng.permutation(len(items))]
    chosen = []
    for turn in range(PLANTED_ITEMS):
        form = list(FORMS)[turn % len(FORMS)]
        item = next(item for item in left if _suits(item, form))
        left.remove(item)
        chosen.append((item, form))
    return chosen


def _suits(item: _Item, form: str) -> bool:
    """Whether the form changes the item and leaves it recognisable."""
    if form == "markdown_list":
        return bool(item.choices)
    if form in {"full_width", "look_alikes", "words_replaced"}:
        return item.question.isascii()  # needs Latin letters and spaces between the words
    return True


def _insert(text: str, copy: str, rng: np.random.Generator) -> str:
    """Puts the copy as a paragraph of its own between two random lines."""
    ends = [match.end() for match in re.finditer("\n", text)] or [len(text)]
    place = ends[int(rng.integers(len(ends)))]
    return f"{text[:place]}\n{copy}\n\n{text[place:]}"


def _whole(item: _Item) -> str:
    return "\n".join([item.question, *item.choices, item.answer])


def _verbatim(item: _Item, _host: str, _rng: np.random.Generator) -> str:
    return _whole(item)


def _question_only(item: _Item, _host: str, _rng: np.random.Generator) -> str:
    return item.question


def _answer_first(item: _Item, _host: str, _rng: np.random.Generator) -> str:
    return "\n".join([item.answer, item.question, *item.choices])


def _words_replaced(item: _Item, host: str, rng: np.random.Generator) -> str:
    """One word of ten, of the question and what follows, becomes a word of the host document."""
    words = re.split(r"(\s+)", _whole(item))  # words at even places, white space between them
    spare = re.findall(r"[A-Za-z]{3,}", host) or ["word"]
    count = len(words) // 2 + 1
    for place in rng.choice(count, size=max(1, count // 10), replace=False):
        words[2 * place] = spare[int(rng.integers(len(spare)))]
    return "".join(words)


def _full_width(item: _Item, _host: str, _rng: np.random.Generator) -> str:
    return _whole(item).translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)})


def _zero_width(item: _Item, _host: str, _rng: np.random.Generator) -> str:
    """A zero-width space after every second letter."""
    return re.sub(r"(\w\w)(?=\w)", "\\1\N{ZERO WIDTH SPACE}", _whole(item))


def _look_alikes(item: _Item, _host: str, _rng: np.random.Generator) -> str:
    return _whole(item).replace("e", "\N{CYRILLIC SMALL LETTER IE}")


def _markdown_list(item: _Item, _host: str, _rng: np.random.Generator) -> str:
    choices = [
        f"- **{letter}.** {choice}" for letter, choice in zip("ABCD", item.choices, strict=True)
    ]
    letter = "ABCD"[item.choices.index(item.answer)]
    return "\n".join([f"### {item.question}", "", *choices, "", f"**Answer: {letter}**"])


def _two_paragraphs(item: _Item, _host: str, _rng: np.random.Generator) -> str:
    """A blank line in the middle of the question, at a space where there is one."""
    middle = len(item.question) // 2
    place = item.question.find(" ", middle)
    place = middle if place < 0 else place
    first, second = item.question[:place], item.question[place:].lstrip()
    return "\n".join([first, "", second, *item.choices, item.answer])


FORMS: dict[str, Callable[[_Item, str, np.random.Generator], str]] = {
    "verbatim": _verbatim,
    "question_only": _question_only,
    "answer_first": _answer_first,
    "words_replaced": _words_replaced,
    "full_width": _full_width,
    "zero_width": _zero_width,
    "look_alikes": _look_alikes,
    "markdown_list": _markdown_list,
    "two_paragraphs": _two_paragraphs,
}


# The files


def _shard_name(domain: str) -> str:
    suffix = ".jsonl.gz" if domain == _JSONL_DOMAIN else ".parquet"
    return f"{domain}/part-00000{suffix}"


def _write_domain(folder: Path, domain: str, documents: list[_Document]) -> None:
    path = folder / _shard_name(domain)
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [{"id": one.id, "text": one.text, "domain": domain} for one in documents]
    if domain == _JSONL_DOMAIN:
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        path.write_bytes(gzip.compress(lines.encode(), compresslevel=5, mtime=0))
    else:
        pq.write_table(
            pa.Table.from_pylist(rows), path, compression="zstd", row_group_size=_ROW_GROUP
        )


def _write_lines(path: Path, rows: Iterator[dict[str, object]]) -> None:
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(lines, encoding="utf-8", newline="\n")
