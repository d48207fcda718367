"""The detectors of the detection benchmark: what each makes of the same documents.

A detector gives each document a score, for the items that it holds (a negative: for any item), and may
have rules of its own, its operating points. Peers run as their packages are, in environments of their
own under the cache folder; a peer that cannot be installed raises `CacheError`.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from detection_documents import Document, Known
from detection_lexical import CharContainment, LongestRun
from harness import CONTAMINATED, SUSPECT, Scanner, read_records, write_documents
from speed_scan import CacheError, decon_python, run, write_decon_items

from corpora.benchmarks import Item
from pipelines.planting import whole
from scanners.judge import Status

RANKS: Final = {CONTAMINATED: 2, SUSPECT: 1}
LEAST_SCORE: Final = 1e-6  # of what was found at all, so that it ranks above nothing
DECON_THRESHOLD: Final = 0.8  # its default
DECON_LOW: Final = 0.3  # below it the question's own threshold is zero: nothing more is told
DECON: Final = """
import sys
import decon
training, evals, out, threshold = sys.argv[1:5]
decon.detect(decon.Config(
    training, evals, out, worker_threads=1, contamination_score_threshold=float(threshold)
))
"""
DATATROVE: Final = ("datatrove==0.10.1", "spacy>=3.8,<4", "xxhash<4", "regex", "orjson")


@dataclass(frozen=True, slots=True)
class Detection:
    """What a detector made of the documents.

    Attributes:
        scores: float64 (documents,), the higher the surer, 0 where nothing was found.
        rules: the operating points, bool (documents,) each.
    """

    name: str
    scores: np.ndarray
    rules: dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Setting:
    """What detectors are given beside the documents."""

    known: Known
    cache: Path
    python: str  # at least 3.12, for decontaminate


def ngram(documents: Sequence[Document], setting: Setting) -> list[Detection]:
    """Return what Sluicegate's n-gram scanner makes of the documents."""
    return [_sluicegate("ngram", documents, setting, ("ngram",))]


def ngram_and_minhash(documents: Sequence[Document], setting: Setting) -> list[Detection]:
    """Return what both of Sluicegate's scanners make of the documents."""
    return [_sluicegate("ngram+minhash", documents, setting, ("ngram", "minhash"))]


def _sluicegate(
    name: str, documents: Sequence[Document], setting: Setting, scanners: Sequence[str]
) -> Detection:
    """Rank by (status, score) of the strongest verdict, with what is recorded of clean items."""
    scores = np.zeros(len(documents))
    scanner = Scanner(setting.known.files, scanners)
    for v in scanner.verdicts([document.text for document in documents], least=Status.WEAK):
        if _counts(v.item, documents[v.row]):
            strength = RANKS.get(v.status, 0) + max(LEAST_SCORE, v.score)
            scores[v.row] = max(scores[v.row], strength)
    return Detection(
        name,
        scores,
        {
            "contaminated": scores > RANKS[CONTAMINATED],
            "or suspect": scores > RANKS[SUSPECT],
        },
    )


def _counts(item: str, document: Document) -> bool:
    """Tell whether a hit on an item counts: of a positive only a hit on what it holds."""
    return not document.own or item in document.own


def decontaminate(documents: Sequence[Document], setting: Setting) -> list[Detection]:
    """Return what PyPI's `decontaminate` 0.3.0.post4 (bindings of allenai/decon) makes of them.

    Its score depends on its threshold. What the default threshold passes ranks above the rest, and
    the rest by the score at a low threshold.
    """
    python = decon_python(setting.cache, setting.python)
    scores = np.zeros(len(documents))
    with tempfile.TemporaryDirectory(dir=setting.cache) as name:
        folder = Path(name)
        for part in ("training", "benchmarks", "evals"):
            (folder / part).mkdir()
        write_documents(folder / "training" / "documents.jsonl", [d.text for d in documents])
        for file in setting.known.files:
            (folder / "benchmarks" / file.name).symlink_to(file)
        write_decon_items(folder / "benchmarks", folder / "evals" / "items.jsonl")
        ids = {
            file.name.removesuffix(".jsonl.zst"): [r["id"] for r in read_records(file)]
            for file in setting.known.files
        }
        for threshold, bonus in ((DECON_LOW, 0.0), (DECON_THRESHOLD, 1.0)):
            for found in _decon_report(python, folder, threshold):
                row = found["training_line"]
                item = ids[found["eval_key"]][found["eval_instance_index"]]
                if _counts(item, documents[row]):
                    score = found["contamination_score"] + bonus
                    scores[row] = max(scores[row], score)
    return [Detection("decontaminate", scores, {"default": scores > 1})]


def _decon_report(python: Path, folder: Path, threshold: float) -> Iterator[dict[str, Any]]:
    out = folder / f"report-{threshold}"
    run([
        str(python), "-c", DECON, str(folder / "training"), str(folder / "evals"), str(out),
        str(threshold),
    ])  # fmt: skip
    for path in sorted(out.glob("*.jsonl")):
        yield from map(json.loads, path.read_text(encoding="utf-8").splitlines())


def datatrove(documents: Sequence[Document], setting: Setting) -> list[Detection]:
    """Return what datatrove's n-gram filter drops; it does not say for which item.

    The score counts its two rules: the default one and, in it or not, the one with questions.
    """
    python = _datatrove_python(setting.cache)
    with tempfile.TemporaryDirectory(dir=setting.cache) as name:
        folder = Path(name)
        write_documents(folder / "documents.jsonl", [document.text for document in documents])
        with (folder / "items.jsonl").open("w", encoding="utf-8") as file:
            for item in setting.known.items:
                query = "\n".join(filter(None, [item.passage, item.question, *item.choices]))
                file.write(json.dumps({"query": query, "label": item.answer}) + "\n")
        worker = Path(__file__).with_name("peer_datatrove.py")
        arguments = [folder / "items.jsonl", folder / "documents.jsonl", folder]
        told = run([str(python), str(worker), *map(str, arguments)]).told
    dropped = {rule: np.array(rows, np.bool_) for rule, rows in told.items()}
    scores = np.add.reduce([rows.astype(np.float64) for rows in dropped.values()])
    return [Detection("datatrove", scores, dropped)]


def _datatrove_python(cache: Path) -> Path:
    """Return the interpreter of an environment with datatrove and its English words, built once."""
    venv = cache / "datatrove-venv"
    executable = venv / "bin" / "python"
    ready = venv / ".ready"
    if not ready.exists():
        shutil.rmtree(venv, ignore_errors=True)
        run([sys.executable, "-m", "venv", str(venv)])
        run([str(executable), "-m", "pip", "install", "--quiet", *DATATROVE])
        ready.touch()
    return executable


def longest_run(documents: Sequence[Document], setting: Setting) -> list[Detection]:
    """Return the longest run of words shared with an item as it is printed, and two rules on it."""
    texts = [whole(item) for item in setting.known.items]
    scores = _best_of_items(documents, setting.known.items, LongestRun(texts).scores)
    rules = {f"n = {n}": scores >= n for n in (13, 8)}
    return [Detection("any n-gram", scores, rules)]


def char_containment(documents: Sequence[Document], setting: Setting) -> list[Detection]:
    """Return the containment of the character 5-grams of an item's question and choices."""
    texts = ["\n".join([item.question, *item.choices]) for item in setting.known.items]
    scores = _best_of_items(documents, setting.known.items, CharContainment(texts).scores)
    return [Detection("char 5-grams", scores, {})]


def _best_of_items(
    documents: Sequence[Document], items: Sequence[Item], scores_of: Callable[[str], np.ndarray]
) -> np.ndarray:
    """Return for each document the best score of the items that count."""
    number = {item.id: at for at, item in enumerate(items)}
    out = np.zeros(len(documents))
    for row, document in enumerate(documents):
        scores = scores_of(document.text)
        own = [number[item] for item in document.own]
        out[row] = scores[own].max() if own else scores.max()
    return out


DETECTORS: Final[dict[str, Callable[[Sequence[Document], Setting], list[Detection]]]] = {
    "ngram": ngram,
    "minhash": ngram_and_minhash,
    "decontaminate": decontaminate,
    "datatrove": datatrove,
    "any-n-gram": longest_run,
    "char-5-gram": char_containment,
}
OWN: Final = ("ngram", "minhash")
__all__ = ["DETECTORS", "OWN", "CacheError", "Detection", "Setting"]
