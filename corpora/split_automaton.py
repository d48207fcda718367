"""Splitting text by a pattern at some nanoseconds a byte.

The program of a pattern (`corpora.split_pattern`) becomes a deterministic automaton that gives the
match of a backtracking engine: a state is the list of threads in order of preference, a match cuts
off the threads behind it (Cox, "Regular Expression Matching: the Virtual Machine Approach", 2009).
A look at the next character needs no look ahead here: whether a match ends before a character is
decided when that character is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from corpora.character_classes import UNKNOWN, symbols_of
from corpora.kernels import inline_kernel
from corpora.peek import address_of, peek_8, peek_16, peek_64
from corpora.split_pattern import Look, Match, Program, Take, Try, UnknownPatternError

MOST_STATES: Final = 4000
DEAD, START = 0, 1  # states
U64 = np.uint64
ONE, LOW_6 = U64(1), U64(63)
NO_STATE, NO_SYMBOL = U64(DEAD), U64(UNKNOWN)
CONTINUES, CONTINUED = (
    U64(0xC0),
    U64(0x80),
)  # the bits by which a byte is not the first of a character
NOWHERE: Final = U64(2**64 - 1)  # instead of a place
Threads = tuple[int, ...]


class Splitter(NamedTuple):
    """One or more patterns applied in turn, each to the pieces of the one before.

    A state is the place of its row in `moves`: `moves[state + symbol]` is the next state * 2, plus 1
    where a match ends before that symbol; state 0 is dead. `starts[k]` is where pattern k begins.
    `keeps_gaps[k]` tells whether text between its matches is a piece, or dropped.
    """

    page_of: np.ndarray  # uint16 (4352,)
    symbols: np.ndarray  # uint8
    moves: np.ndarray  # uint64
    starts: np.ndarray  # uint64 (patterns,)
    keeps_gaps: np.ndarray  # bool (patterns,)
    end_symbol: np.uint64  # of the end of the text


def build_splitter(programs: Sequence[Program], keeps_gaps: Sequence[bool]) -> Splitter:
    """Return the automata of some patterns.

    Raises:
        UnknownPatternError: where a pattern matches nothing at all, or needs too many states.
        TooManyClassesError: where the patterns name too many classes.
    """
    kinds = list(dict.fromkeys(kind for program in programs for kind in program.kinds))
    table, belongs = symbols_of(kinds)
    width = len(belongs) + 1
    rows = np.zeros((1, width), np.uint64)  # the dead state of all patterns
    starts = []
    for program in programs:
        columns = [kinds.index(kind) for kind in program.kinds]
        moves = _determine(program, belongs[:, columns])
        offset = (
            len(rows) - 1
        )  # the states of this pattern but the dead one stand behind the others
        states = moves >> ONE
        places = np.where(states == DEAD, states, states + np.uint64(offset)) * np.uint64(width)
        rows = np.concatenate([rows, (places << ONE | moves & ONE)[1:]])
        starts.append((START + offset) * width)
    return Splitter(
        *table,
        rows.ravel(),
        np.array(starts, np.uint64),
        np.array(keeps_gaps, bool),
        np.uint64(width - 1),
    )


def _determine(program: Program, belongs: np.ndarray) -> np.ndarray:
    """Return the moves: uint64 of shape (states, symbols + 1), next state * 2 + match."""
    ends = np.zeros((1, belongs.shape[1]), bool)  # the end of the text belongs to no class
    has = np.concatenate([belongs, ends])
    states: dict[Threads, int] = {(): DEAD, (program.start,): START}
    waiting: list[Threads] = [(program.start,)]
    rows = [[0] * len(has)]
    for threads in waiting:
        row = []
        for symbol in range(len(has)):
            after, matches = _step(program, threads, has[symbol].tolist())
            if after not in states:
                states[after] = len(states)
                waiting.append(after)
            row.append(states[after] * 2 + matches)
        rows.append(row)
        if len(states) > MOST_STATES:
            raise UnknownPatternError("the pattern needs too many states")
    if any(move & 1 for move in rows[START]):
        raise UnknownPatternError("the pattern matches the empty text")
    return np.array(rows, np.uint64)


def _step(program: Program, threads: Threads, has: Sequence[bool]) -> tuple[Threads, bool]:
    """Return the threads after a symbol, and whether a match ends before it."""
    after: dict[int, None] = {}
    seen = set()
    waiting = list(reversed(threads))
    while waiting:
        at = waiting.pop()
        if at in seen:
            continue
        seen.add(at)
        match program.instructions[at]:
            case Match():
                return tuple(after), True
            case Take(kind, then):
                if has[kind]:
                    after[then] = None
            case Try(first, second):
                waiting += [second, first]
            case Look(kind, wanted, then):
                if has[kind] == wanted:
                    waiting.append(then)
    return tuple(after), False


class SplitterAt(NamedTuple):
    """The addresses of the arrays of a Splitter, and the symbol of the end; all uint64."""

    page_of: Any
    symbols: Any
    moves: Any
    end_symbol: Any


@inline_kernel
def locate_splitter(splitter: Any) -> Any:
    """Return the addresses of a splitter."""
    return SplitterAt(
        address_of(splitter.page_of),
        address_of(splitter.symbols),
        address_of(splitter.moves),
        splitter.end_symbol,
    )


@inline_kernel
def next_piece(
    text: Any, first: Any, last: Any, splitter: Any, start_state: Any, keeps_gaps: Any
) -> tuple[Any, Any]:
    """Return start and end of the next piece of `text[first:last]`, valid UTF-8, by one pattern.

    The start is `last` where there is none left, and the end is NOWHERE where a character is met
    whose symbol is unknown. `text` is an address, `splitter` a SplitterAt.
    """
    start = first
    end = last
    while start < last:
        found = _match_end(text, start, last, splitter, start_state)
        if found != start:
            end = found
            break
        start += ONE
        while start < last and peek_8(text, start) & CONTINUES == CONTINUED:
            start += ONE
    if keeps_gaps and start > first and end != NOWHERE:
        end = start
        start = first
    return start, end


@inline_kernel
def _match_end(text: Any, start: Any, last: Any, splitter: Any, start_state: Any) -> Any:
    """Return where the match that begins at `start` ends, `start` where there is none."""
    state = start_state
    at = end = start
    while at < last:
        lead = peek_8(text, at)
        size = ONE
        if lead < U64(0x80):
            symbol = peek_8(splitter.symbols, lead)
        else:
            code, size = decode(text, at, lead)
            page = peek_16(splitter.page_of, code >> U64(8))
            symbol = peek_8(splitter.symbols, page << U64(8) | code & U64(255))
            if symbol == NO_SYMBOL:
                return NOWHERE
        move = peek_64(splitter.moves, state + symbol)
        end = at if move & ONE else end
        state = move >> ONE
        if state == NO_STATE:
            return end
        at += size
    return last if peek_64(splitter.moves, state + splitter.end_symbol) & ONE else end


@inline_kernel
def decode(text: Any, at: Any, lead: Any) -> tuple[Any, Any]:
    """Return the code point of a character beyond ASCII, by its first byte, and its size in bytes."""
    second = peek_8(text, at + ONE) & LOW_6
    if lead < U64(0xE0):
        return (lead & U64(31)) << U64(6) | second, U64(2)
    third = peek_8(text, at + U64(2)) & LOW_6
    if lead < U64(0xF0):
        return (lead & U64(15)) << U64(12) | second << U64(6) | third, U64(3)
    fourth = peek_8(text, at + U64(3)) & LOW_6
    return (lead & U64(7)) << U64(18) | second << U64(12) | third << U64(6) | fourth, U64(4)
