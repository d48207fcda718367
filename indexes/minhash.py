"""MinHash signatures: how alike two sets of shingles are, told from 128 numbers each.

Broder 1997: under a random permutation the smallest elements of two sets are equal with probability
J, their Jaccard similarity, so the share of equal positions of two signatures estimates J with standard
deviation sqrt(J (1 - J) / 128). The scheme is `affine32` of datasketch 2, bit for bit, so signatures go
to `datasketch.MinHashLSH` (`to_datasketch`) and come back (`from_datasketch`).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from corpora.kernels import inline_kernel, kernel

if TYPE_CHECKING:
    from datasketch import MinHash

N_PERMUTATIONS: Final = 128
SEED: Final = 1  # datasketch's default
SCHEME: Final = "affine32"
EMPTY: Final = np.uint32(0xFFFFFFFF)  # of an empty set, everywhere
U32, U64 = np.uint32, np.uint64
SHIFT_16, SHIFT_13 = U32(16), U32(13)
MIX_1, MIX_2 = U64(0x85EBCA6B), U64(0xC2B2AE35)


class Permutations(NamedTuple):
    """The maps h -> a * h + b modulo 2**32; `a` is odd, so each is a bijection."""

    a: np.ndarray  # uint32 (128,)
    b: np.ndarray  # uint32 (128,)


class Bands(NamedTuple):
    """How a signature is cut for locality-sensitive hashing: `bands` of `rows` positions each."""

    bands: int
    rows: int

    def probability(self, jaccard: float) -> float:
        """Return the probability that two sets of this similarity share a band: the S-curve."""
        return float(1 - (1 - jaccard**self.rows) ** self.bands)


@cache
def permutations(seed: int = SEED) -> Permutations:
    """Draw the permutations as datasketch draws them."""
    random = np.random.RandomState(seed)
    a = random.randint(0, 1 << 31, N_PERMUTATIONS, dtype=np.uint32) * U32(2) + U32(1)
    return Permutations(a, random.randint(0, 1 << 32, N_PERMUTATIONS, dtype=np.uint32))


@cache
def optimal_bands(threshold: float, false_negative_weight: float = 0.5) -> Bands:
    """Return the bands and rows that datasketch's optimiser chooses for a Jaccard threshold.

    It minimises the weighted areas under the S-curve before the threshold and above it after.
    """
    from datasketch import MinHashLSH

    weights = (1 - false_negative_weight, false_negative_weight)
    index = MinHashLSH(threshold=threshold, num_perm=N_PERMUTATIONS, weights=weights)
    return Bands(index.b, index.r)


def signature_of(shingles: np.ndarray) -> np.ndarray:
    """Return the signature of a set of 32-bit shingle hashes (duplicates allowed): uint32 (128,)."""
    return signatures(shingles, np.array([0, len(shingles)], np.int64))[0]


def signatures(shingles: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Return the signature of each set `shingles[bounds[s]:bounds[s + 1]]`: uint32 (sets, 128)."""
    out = np.full((len(bounds) - 1, N_PERMUTATIONS), EMPTY, np.uint32)
    _sign_all(shingles, bounds, *permutations(), out)
    return out


def estimate(one: np.ndarray, other: np.ndarray) -> float:
    """Estimate the Jaccard similarity of two sets from their signatures."""
    return float((one == other).mean())


def to_datasketch(signature: np.ndarray) -> MinHash:
    """Return a signature as datasketch's, ready for `MinHashLSH`, its Redis storage included."""
    from datasketch import MinHash

    return MinHash(hashvalues=signature, seed=SEED, scheme=SCHEME)


def from_datasketch(minhash: MinHash) -> np.ndarray:
    """Return the signature (uint32 (128,)) of a datasketch MinHash of the same scheme and seed.

    Raises:
        ValueError: where its scheme, seed or number of permutations is another.
    """
    its = (minhash.scheme, minhash.seed, minhash.num_perm)
    if its != (SCHEME, SEED, N_PERMUTATIONS):
        raise ValueError(
            f"a MinHash of scheme {its[0]!r}, seed {its[1]} and {its[2]} permutations cannot be "
            f"compared with ours of {SCHEME!r}, {SEED} and {N_PERMUTATIONS}; make it anew with these"
        )
    return np.asarray(minhash.hashvalues, np.uint32)


@inline_kernel
def premix(h: Any) -> Any:
    """Spread a shingle's hash: the finaliser of MurmurHash3, a bijection."""
    h ^= h >> SHIFT_16
    h = U32(U64(h) * MIX_1)
    h ^= h >> SHIFT_13
    h = U32(U64(h) * MIX_2)
    return h ^ h >> SHIFT_16


@kernel
def sign(shingles: Any, first: int, last: int, a: Any, b: Any, signature: Any) -> None:
    """Take `shingles[first:last]` into a signature, which begins as `EMPTY` everywhere.

    Four at a time, so that `a`, `b` and the signature are loaded once for all four: 1.4 times as fast.
    The last one fills up the last four, for the smallest of a set does not mind duplicates.
    """
    for at in range(first, last, 4):
        h1 = U64(premix(shingles[at]))
        h2 = U64(premix(shingles[min(at + 1, last - 1)]))
        h3 = U64(premix(shingles[min(at + 2, last - 1)]))
        h4 = U64(premix(shingles[min(at + 3, last - 1)]))
        for k in range(N_PERMUTATIONS):
            factor, term = U64(a[k]), U64(b[k])
            one = min(U32(factor * h1 + term), U32(factor * h2 + term))
            other = min(U32(factor * h3 + term), U32(factor * h4 + term))
            signature[k] = min(signature[k], min(one, other))


@kernel
def _sign_all(shingles: Any, bounds: Any, a: Any, b: Any, out: Any) -> None:
    for row in range(len(bounds) - 1):
        sign(shingles, bounds[row], bounds[row + 1], a, b, out[row])
