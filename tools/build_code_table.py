"""Builds scanners/data/code_bits.npz: what each token of code tells behind each other token.

Counted over the source code of Debian packages in several languages, all free to redistribute; the file
holds no text. Run it again whenever the vocabulary of `scanners.code_words` or the rules of
`scanners.code_tokens` have changed:

    python tools/build_code_table.py --debs FOLDER

FOLDER is that of `tools/build_background.py` (40 MB of packages are fetched where they are missing). The
same packages give the same bytes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from debian_packages import Package, fetch, read_package

from scanners.code_bits import DATA, STEPS_PER_BIT, vocabulary
from scanners.code_tokens import code_tokens
from scanners.code_words import N_TOKENS

PACKAGES = [  # their order is that of `packages` in the file
    Package("libpython3.11-stdlib", "PSF-2.0", r"\.py$"),
    Package("python3-networkx", "BSD-3-Clause", r"\.py$"),
    Package("golang-1.19-src", "BSD-3-Clause", r"\.go$"),
    Package("rust-src", "MIT or Apache-2.0", r"\.rs$"),
]
PRIOR = 20.0  # tokens by which a row of counts is drawn to what tokens do anywhere


def main() -> None:
    """Fetch what is missing, count, write the file."""
    parser = argparse.ArgumentParser(description="Build scanners/data/code_bits.npz.")
    parser.add_argument("--debs", type=Path, required=True, help="where downloaded packages are")
    folder = parser.parse_args().debs
    folder.mkdir(parents=True, exist_ok=True)
    counts = np.zeros((N_TOKENS, N_TOKENS))
    names = []
    for package in PACKAGES:
        source = read_package(package, fetch(package.name, folder))
        own = pairs_of(source.texts)
        counts += own / own.sum()  # a language counts as much as another
        names.append(f"{package.name} {source.version} ({package.licence})")
        print(f"{names[-1]}: {int(own.sum()):,} pairs")
    bits = information(counts * 1e6)
    np.savez_compressed(
        DATA, bits=bits, vocabulary=np.array(vocabulary()), packages=np.array(names)
    )


def pairs_of(texts: list[str]) -> np.ndarray:
    """Count which token stands behind which: float64 (tokens, tokens)."""
    counts = np.zeros((N_TOKENS, N_TOKENS))
    for text in texts:
        token = code_tokens(text.encode()).token
        np.add.at(counts, (token[:-1], token[1:]), 1)
    return counts


def information(counts: np.ndarray) -> np.ndarray:
    """Return the bits that a token tells behind another one, in steps: uint8.

    At most what it tells anywhere: a rare pair of common tokens proves little.
    """
    alone = (counts.sum(axis=0) + 1) / (counts.sum() + len(counts))
    behind = (counts + PRIOR * alone) / (counts.sum(axis=1, keepdims=True) + PRIOR)
    bits = -np.log2(np.maximum(behind, alone))
    return np.rint(np.clip(bits * STEPS_PER_BIT, 1, 255)).astype(np.uint8)


if __name__ == "__main__":
    main()
