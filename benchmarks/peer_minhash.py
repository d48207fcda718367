"""Signatures by `rensa` and `datasketch`, in an environment of their own (speed_minhash.py builds it).

    python peer_minhash.py TEXTS.arrow

Reads the names of ways on standard input, one a line, and answers each with a line of JSON: the CPU
seconds that the way took for all texts. A file after a tab is also written: how alike the texts are in
pairs (0 and 1, 2 and 3, ...) by the signatures of that way.

The words of a text are the runs of letters and digits of the text in lower case, joined by a space for
character 5-grams; for word 5-grams they are `text.lower().split()`, which is faster. The shingles are
strings or bytes that the package hashes, or they are hashed by NumPy, all of a text at once, which is
as fast as Python gets without a kernel of its own.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from typing import Any, Final

os.environ["RAYON_NUM_THREADS"] = "1"

import numpy as np
import pyarrow as pa
from datasketch import MinHash
from rensa import RMinHash

SIZE: Final = 5
N_PERMUTATIONS: Final = 128
SEED: Final = 1
BATCH: Final = 64  # texts that rensa gets at once
WORD: Final = re.compile(r"\w+")
U64 = np.uint64
FACTORS: Final = np.array(
    [0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F, 0xE7037ED1A0B428DB, 0x8EBC6AF09C88C6E3],
    U64,
)  # fmt: skip
FINISHER: Final = U64(0x589965CC75374CC3)
PERMUTATIONS: Final = MinHash(num_perm=N_PERMUTATIONS, seed=SEED).permutations


# --- shingles -------------------------------------------------------------------------------------


def characters(text: str) -> str:
    """Return the words of a text, a space between two."""
    return " ".join(WORD.findall(text.lower()))


def char_strings(text: str) -> list[str]:
    """Return the character 5-grams."""
    letters = characters(text)
    return [letters[at : at + SIZE] for at in range(len(letters) - SIZE + 1)]


def char_bytes(text: str) -> list[bytes]:
    """Return the 5-grams of UTF-8 bytes."""
    letters = characters(text).encode()
    return [letters[at : at + SIZE] for at in range(len(letters) - SIZE + 1)]


def char_hashes(text: str) -> np.ndarray:
    """Return 64-bit hashes of the character 5-grams."""
    codes = np.frombuffer(characters(text).encode("utf-32-le"), np.uint32).astype(U64)
    return _rolled(codes)


def word_strings(text: str) -> list[str]:
    """Return the word 5-grams."""
    words = text.lower().split()
    return [" ".join(words[at : at + SIZE]) for at in range(len(words) - SIZE + 1)]


def word_bytes(text: str) -> list[bytes]:
    """Return the word 5-grams as bytes."""
    words = text.lower().encode().split()
    return [b" ".join(words[at : at + SIZE]) for at in range(len(words) - SIZE + 1)]


def word_hashes(text: str) -> np.ndarray:
    """Return 64-bit hashes of the word 5-grams, from Python's own of the words."""
    words = text.lower().split()
    return _rolled(np.fromiter(map(hash, words), np.int64, len(words)).view(U64))


def _rolled(codes: np.ndarray) -> np.ndarray:
    n = max(0, len(codes) - SIZE + 1)
    h = codes[:n] * FACTORS[0]
    for at in range(1, SIZE):
        h += codes[at : at + n] * FACTORS[at]
    h ^= h >> U64(29)
    h *= FINISHER
    return h


# --- ways -----------------------------------------------------------------------------------------

Way = Callable[[Sequence[str]], Any]


def rensa_tokens(shingles: Callable[[str], Any]) -> Way:
    """Give rensa the shingles of a batch; it hashes them."""

    def run(texts: Sequence[str]) -> list[Any]:
        return [
            RMinHash.digest_matrix_from_token_sets(list(map(shingles, batch)), N_PERMUTATIONS, SEED)
            for batch in _batches(texts)
        ]

    return run


def rensa_bytes(shingles: Callable[[str], list[bytes]]) -> Way:
    """Give rensa the shingles of a batch as bytes."""

    def run(texts: Sequence[str]) -> list[Any]:
        make = RMinHash.digest_matrix_from_token_byte_sets
        return [make(list(map(shingles, batch)), N_PERMUTATIONS, SEED) for batch in _batches(texts)]

    return run


def rensa_flat(hashes: Callable[[str], np.ndarray]) -> Way:
    """Give rensa the hashes of the shingles of a batch in a row."""

    def run(texts: Sequence[str]) -> list[Any]:
        out = []
        for batch in _batches(texts):
            found = list(map(hashes, batch))
            offsets = [0, *np.cumsum([len(one) for one in found]).tolist()]
            flat = np.concatenate(found)
            out.append(
                RMinHash.digest_matrix_from_flat_token_hashes(flat, offsets, N_PERMUTATIONS, SEED)
            )
        return out

    return run


def sketch_set(
    shingles: Callable[[str], list[bytes]], hashed: Callable[[bytes], int] | None
) -> Way:
    """Update one datasketch MinHash a text with the set of its shingles."""

    def run(texts: Sequence[str]) -> list[Any]:
        out = []
        for text in texts:
            minhash = _minhash(hashed)
            minhash.update_batch(set(shingles(text)))
            out.append(minhash)
        return out

    return run


def sketch_bulk(shingles: Callable[[str], list[bytes]]) -> Way:
    """Make all MinHashes of a batch by `bulk`."""

    def run(texts: Sequence[str]) -> list[Any]:
        return [
            MinHash.bulk(
                [set(shingles(text)) for text in batch], num_perm=N_PERMUTATIONS, seed=SEED
            )
            for batch in _batches(texts)
        ]

    return run


def sketch_hashes(hashes: Callable[[str], np.ndarray]) -> Way:
    """Update with different 32-bit hashes that NumPy made."""

    def run(texts: Sequence[str]) -> list[Any]:
        out = []
        for text in texts:
            minhash = _minhash(lambda h: h)
            minhash.update_batch(np.unique((hashes(text) >> U64(32)).astype(np.uint32)))
            out.append(minhash)
        return out

    return run


def _minhash(hashed: Callable[[bytes], int] | None) -> MinHash:
    return MinHash(
        num_perm=N_PERMUTATIONS,
        seed=SEED,
        hashfunc=hashed,
        permutations=PERMUTATIONS,
        scheme="affine32",
    )


def _batches(texts: Sequence[str]) -> list[Sequence[str]]:
    return [texts[at : at + BATCH] for at in range(0, len(texts), BATCH)]


WAYS: Final[dict[str, Way]] = {
    "char rensa strings": rensa_tokens(char_strings),
    "char rensa bytes": rensa_bytes(char_bytes),
    "char rensa NumPy hashes": rensa_flat(char_hashes),
    "char datasketch set": sketch_set(char_bytes, None),
    "char datasketch bulk": sketch_bulk(char_bytes),
    "char datasketch set, CRC-32": sketch_set(char_bytes, zlib.crc32),
    "char datasketch NumPy hashes": sketch_hashes(char_hashes),
    "word rensa strings": rensa_tokens(word_strings),
    "word rensa bytes": rensa_bytes(word_bytes),
    "word rensa NumPy hashes": rensa_flat(word_hashes),
    "word datasketch set": sketch_set(word_bytes, None),
    "word datasketch bulk": sketch_bulk(word_bytes),
    "word datasketch set, CRC-32": sketch_set(word_bytes, zlib.crc32),
    "word datasketch NumPy hashes": sketch_hashes(word_hashes),
}


def signatures(made: Sequence[Any]) -> np.ndarray:
    """Return what a way made as rows of 128 numbers."""
    rows: list[Any] = []
    for one in made:
        if isinstance(one, MinHash):
            rows.append(one.hashvalues)
        elif isinstance(one, list):
            rows += [minhash.hashvalues for minhash in one]
        else:
            rows += one.to_rows()
    return np.array(rows, np.uint32)


def main() -> None:
    """Answer on standard output until there is no more to do."""
    with pa.memory_map(sys.argv[1]) as source:
        texts = pa.ipc.open_file(source).read_all()["text"].to_pylist()
    for line in sys.stdin:
        name, _, file = line.strip().partition("\t")
        started = time.process_time()
        made = WAYS[name](texts)
        cpu_s = time.process_time() - started
        if file:
            found = signatures(made)
            np.save(file, (found[::2] == found[1::2]).mean(axis=1))
        print(json.dumps({"cpu_s": cpu_s}), flush=True)


if __name__ == "__main__":
    main()
