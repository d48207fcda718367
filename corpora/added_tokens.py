"""Tokens that a tokenizer takes out of the text before anything else, such as `<|endoftext|>`.

The library looks for them from left to right, the longest first, in two passes: those that are
written as they are ("raw"), then, in the normalised text between those, the others. Here each pass has
a trie over bytes. Tokens that look beyond themselves (strip spaces, stand alone as a word) are
"hard": a document that has one is left to the library.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import inline_kernel
from corpora.peek import address_of, peek_8, peek_64

U64 = np.uint64
ONE, ROOT, WIDTH = U64(1), U64(0), U64(3)
CHILD, SIBLING, TOKEN = U64(0), U64(1), U64(2)
NO_TOKEN: Final = -1
HARD: Final = -2  # instead of an id


class Trie(NamedTuple):
    """Tokens as a trie: node 0 is the root, the children of a node are a linked list.

    In kernels the fields are the addresses of these arrays.
    """

    begins: Any  # bool (256,): whether a token begins with a byte
    labels: Any  # uint8 (nodes,): the byte that leads to a node
    links: Any  # int64 (nodes, 3): first child and next sibling, 0 for none; id or NO_TOKEN


def build_trie(tokens: Mapping[bytes, int]) -> Trie:
    """Return the trie of some tokens (not empty) with their ids."""
    labels, links = [0], [[0, 0, NO_TOKEN]]
    for text, number in tokens.items():
        node = 0
        for byte in text:
            at = links[node][0]
            while at and labels[at] != byte:
                at = links[at][1]
            if not at:
                at = len(labels)
                labels.append(byte)
                links.append([0, links[node][0], NO_TOKEN])
                links[node][0] = at
            node = at
        links[node][2] = number
    begins = np.zeros(256, bool)
    begins[[text[0] for text in tokens]] = True
    return Trie(begins, np.array(labels, np.uint8), np.array(links, np.int64))


@inline_kernel
def locate_trie(trie: Any) -> Any:
    """Return the addresses of a trie."""
    return Trie(address_of(trie.begins), address_of(trie.labels), address_of(trie.links))


@inline_kernel
def next_token(text: Any, first: Any, last: Any, trie: Any) -> tuple[Any, Any, int]:
    """Return start, end and id of the first token in `text[first:last]`, the longest there.

    Without one both places are `last`, and the id is NO_TOKEN. `text` is an address, and so is the trie.
    """
    start, end, token = first, last, NO_TOKEN
    while start < last:
        if peek_8(trie.begins, peek_8(text, start)):
            end, token = _longest(text, start, last, trie)
            if token != NO_TOKEN:
                break
        start += ONE
    return start, last if token == NO_TOKEN else end, token


@inline_kernel
def _longest(text: Any, start: Any, last: Any, trie: Any) -> tuple[Any, int]:
    node = ROOT
    at = end = start
    token: Any = NO_TOKEN
    while at < last:
        byte = peek_8(text, at)
        node = peek_64(trie.links, node * WIDTH + CHILD)
        while node != ROOT and peek_8(trie.labels, node) != byte:
            node = peek_64(trie.links, node * WIDTH + SIBLING)
        if node == ROOT:
            break
        at += ONE
        found = np.int64(peek_64(trie.links, node * WIDTH + TOKEN))
        if found != NO_TOKEN:
            end, token = at, found
    return end, token
