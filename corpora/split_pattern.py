r"""The pattern by which a tokenizer splits text, as a program of few instructions.

Patterns of tokenizers (GPT-2's, cl100k's, o200k's and their kin) are alternatives of character
classes with greedy quantifiers, a look at the next character, and little else. `parse_pattern` reads
that much of the syntax and refuses the rest: `UnknownPatternError`, and the caller lets the library
split. What a class such as `[^\s\p{L}]` holds is not decided here: it stays text
(`corpora.character_classes` asks the library), so it cannot differ from what the library thinks.

The method is Thompson's (1968), with alternatives in order of preference as in Pike's machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

MOST_INSTRUCTIONS: Final = 4000
CLASS_ESCAPES: Final = "sSdDwW"
CONTROL_ESCAPES: Final = "rntfv"
PROPERTY: Final = re.compile(r"\\[pP]\{\^?[A-Za-z0-9_ -]+\}")
COUNTS: Final = re.compile(r"\{([0-9]{1,3})(,?)([0-9]{0,3})\}")
# Letters in a row that one character (ß, ﬁ) may stand for where case is ignored.
FOLDED_PAIRS: Final = re.compile(r"ss|ff|fi|fl|st", re.IGNORECASE)


class UnknownPatternError(ValueError):
    """The pattern uses more of the syntax than is known here."""


@dataclass(frozen=True, slots=True)
class Take:
    """Take one character of class number `kind`, then go on."""

    kind: int
    then: int


@dataclass(frozen=True, slots=True)
class Try:
    """Go on at `first`; where that finds no match, at `second`."""

    first: int
    second: int


@dataclass(frozen=True, slots=True)
class Look:
    """Go on where the next character is (or, if not `wanted`, is not) of class `kind`."""

    kind: int
    wanted: bool
    then: int


@dataclass(frozen=True, slots=True)
class Match:
    """The text up to here is a match."""


Instruction = Take | Try | Look | Match
Piece = Callable[[int], int]  # given where to go on, writes instructions and returns the first


@dataclass(frozen=True, slots=True)
class Program:
    """Instructions, where they begin, and the classes they name, each as the text of a pattern."""

    instructions: tuple[Instruction, ...]
    start: int
    kinds: tuple[str, ...]


def parse_pattern(pattern: str) -> Program:
    """Return the program of a pattern in the syntax of Oniguruma.

    Raises:
        UnknownPatternError: where the pattern has anything but classes, groups, alternatives,
            greedy quantifiers and looks at one next character.
    """
    parser = _Parser(pattern)
    piece = parser.alternatives(ignore_case=False)
    if parser.at < len(pattern):
        raise UnknownPatternError(f"unexpected {pattern[parser.at]!r} at {parser.at}")
    end = parser.add(Match())
    start = piece(end)
    return Program(tuple(parser.instructions), start, tuple(parser.kinds))


@dataclass(slots=True)
class _Parser:
    """A parser by recursive descent that writes the program from its end to its start."""

    pattern: str
    at: int = 0
    instructions: list[Instruction] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)

    def add(self, instruction: Instruction) -> int:
        if len(self.instructions) >= MOST_INSTRUCTIONS:
            raise UnknownPatternError("the pattern is too long")
        self.instructions.append(instruction)
        return len(self.instructions) - 1

    def alternatives(self, ignore_case: bool) -> Piece:
        found = [self.sequence(ignore_case)]
        while self.peek("|"):
            self.at += 1
            found.append(self.sequence(ignore_case))

        def write(then: int) -> int:
            *others, last = found
            entry = last(then)
            for piece in reversed(others):
                entry = self.add(Try(piece(then), entry))
            return entry

        return write

    def sequence(self, ignore_case: bool) -> Piece:
        found = []
        first = self.at
        while self.at < len(self.pattern) and not self.peek("|") and not self.peek(")"):
            found.append(self.quantified(ignore_case))
        if ignore_case and FOLDED_PAIRS.search(self.pattern[first : self.at]):
            raise UnknownPatternError("a case-insensitive pair of letters may fold to one")

        def write(then: int) -> int:
            for piece in reversed(found):
                then = piece(then)
            return then

        return write

    def quantified(self, ignore_case: bool) -> Piece:
        piece, may_repeat = self.single(ignore_case)
        quantifier = self.quantifier()
        if quantifier is None:
            return piece
        if not may_repeat:
            raise UnknownPatternError("a repeated group or a repeated look")
        least, most = quantifier

        def write(then: int) -> int:
            if most is None:
                loop = self.add(Match())  # its number is needed before it is known
                body = piece(loop)
                if self.reaches(body, loop):
                    raise UnknownPatternError("a repeated group that may be empty")
                self.instructions[loop] = Try(body, then)
                entry = loop
            else:
                entry = then
                for _ in range(most - least):
                    entry = self.add(Try(piece(entry), then))
            for _ in range(least):
                entry = piece(entry)
            return entry

        return write

    def quantifier(self) -> tuple[int, int | None] | None:
        """Read a greedy quantifier: the least and the most number of times, None for no limit."""
        found: tuple[int, int | None]
        if self.peek("?"):
            found, size = (0, 1), 1
        elif self.peek("*"):
            found, size = (0, None), 1
        elif self.peek("+"):
            found, size = (1, None), 1
        elif counts := COUNTS.match(self.pattern, self.at):
            least = int(counts[1])
            most = int(counts[3]) if counts[3] else None if counts[2] else least
            if most is not None and most < least:
                raise UnknownPatternError(f"{counts[0]} counts down")
            found, size = (least, most), len(counts[0])
        else:
            return None
        self.at += size
        if self.at < len(self.pattern) and self.pattern[self.at] in "?*+{":
            raise UnknownPatternError("a lazy, possessive or repeated quantifier")
        return found

    def single(self, ignore_case: bool) -> tuple[Piece, bool]:
        """Read a group, a look or a class; the second tells whether it may be repeated."""
        if self.take("(?!"):
            return self.look(wanted=False, ignore_case=ignore_case), False
        if self.take("(?="):
            return self.look(wanted=True, ignore_case=ignore_case), False
        if self.take("(?:"):
            return self.group(ignore_case), True
        if self.take("(?i:"):
            return self.group(ignore_case=True), True
        if self.take("("):
            if self.peek("?"):
                raise UnknownPatternError("a group of an unknown kind")
            return self.group(ignore_case), True
        kind = self.kind(ignore_case)
        return lambda then: self.add(Take(kind, then)), True

    def group(self, ignore_case: bool) -> Piece:
        inner = self.alternatives(ignore_case)
        if not self.take(")"):
            raise UnknownPatternError("a group that is not closed")
        return inner

    def look(self, *, wanted: bool, ignore_case: bool) -> Piece:
        kind = self.kind(ignore_case)
        if not self.take(")"):
            raise UnknownPatternError("a look at more than one character")
        return lambda then: self.add(Look(kind, wanted, then))

    def kind(self, ignore_case: bool) -> int:
        """Read a class and return its number; its text is not understood, only delimited."""
        first = self.at
        if first >= len(self.pattern) or self.pattern[first] in "|)*+?{^$":
            raise UnknownPatternError(f"a character was expected at {first}")
        if self.peek("\\"):
            self.escape()
        elif self.peek("["):
            self.bracket()
        else:
            self.at += 1
        text = self.pattern[first : self.at]
        if ignore_case:
            if len(text) > 1 or not text.isascii() or text == ".":
                raise UnknownPatternError(f"{text!r} where case is ignored")
            text = f"(?i:{text})"
        return self.kinds.setdefault(text, len(self.kinds))

    def escape(self) -> None:
        if found := PROPERTY.match(self.pattern, self.at):
            self.at += len(found[0])
            return
        letter = self.pattern[self.at + 1 : self.at + 2]
        is_known = letter in CLASS_ESCAPES + CONTROL_ESCAPES if letter.isalnum() else bool(letter)
        if not is_known or not letter.isascii():
            raise UnknownPatternError(f"the escape \\{letter}")
        self.at += 2

    def bracket(self) -> None:
        self.at += 1
        self.take("^")
        if self.peek("]"):
            raise UnknownPatternError("an empty class")
        while not self.peek("]"):
            if self.at >= len(self.pattern):
                raise UnknownPatternError("a class that is not closed")
            if self.peek("["):
                self.bracket()
            elif self.peek("\\"):
                self.escape()
            else:
                self.at += 1
        self.at += 1

    def reaches(self, first: int, loop: int) -> bool:
        """Tell whether a way leads from one instruction to another without taking a character."""
        waiting, seen = [first], set()
        while waiting:
            at = waiting.pop()
            if at == loop:
                return True
            if at not in seen:
                seen.add(at)
                match self.instructions[at]:
                    case Try(one, other):
                        waiting += [one, other]
                    case Look(_, _, then):
                        waiting.append(then)
        return False

    def peek(self, text: str) -> bool:
        return self.pattern.startswith(text, self.at)

    def take(self, text: str) -> bool:
        found = self.peek(text)
        self.at += len(text) * found
        return found
