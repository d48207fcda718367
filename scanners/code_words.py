"""Words and signs of programming languages, and the tokens that they stand for.

One token for what languages spell differently: `append`, `push`, `push_back`; `and`, `&&`; `elif`,
`else if`. Types and modifiers are dropped, for half of the languages do without. Names of functions count
only where something is called or is an attribute: `index` is a variable's name, too.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import inline_kernel

# Tokens with a meaning of their own in `scanners.code_tokens`; 0 is no token.
NAME, NUMBER, STRING, ZERO, ONE, TWO, IF, ELSE, LIST, INDEX, SLICE, ASSIGN = range(1, 13)
PLUS, MINUS, TIMES, DIVIDE, MODULO, POWER, EQUAL, UNEQUAL, LESS, LESS_EQUAL = range(13, 23)
AND, OR, NOT, BIT_AND, BIT_OR, BIT_XOR, SHIFT, IN = range(23, 31)
FIRST_WORD: Final = 31
DROPPED: Final = 0

KEYWORDS: Final = (  # a token each; they count wherever they stand
    "for while foreach loop until",
    "def func fn function lambda",
    "return yield",
    "break",
    "continue",
    "try catch except rescue finally",
    "raise throw throws panic",
    "none null nil nullptr undefined",
    "true",
    "false",
    "assert",
    "del delete",
    "await async",
    "class struct interface enum trait impl",
)
FUNCTIONS: Final = (  # a token each; they count where they are called or are attributes
    "len length size count",
    "append push pushback add pushfront emplaceback insert put extend",
    "sort sorted sortby sortunstable ints",
    "reverse reversed rev",
    "max maximum",
    "min minimum",
    "abs fabs absolute",
    "sum accumulate",
    "set hashset unorderedset frozenset btreeset treeset",
    "dict hashmap unorderedmap defaultdict counter btreemap treemap",
    "map",
    "filter",
    "reduce fold",
    "range arange",
    "enumerate",
    "zip",
    "lower tolower tolowercase toasciilowercase",
    "upper toupper touppercase toasciiuppercase",
    "islower islowercase isasciilowercase",
    "isupper isuppercase isasciiuppercase",
    "swapcase",
    "isalpha isletter isalphabetic isasciialphabetic isalnum isalphanumeric",
    "isdigit isnumeric isdecimal isasciidigit",
    "isspace iswhitespace",
    "split fields splitwhitespace",
    "join",
    "startswith hasprefix",
    "endswith hassuffix",
    "replace replaceall sub",
    "strip trim lstrip rstrip",
    "find index indexof search position",
    "contains includes containskey has in",
    "any some anymatch",
    "all every allmatch",
    "pop popback remove popfront poll",
    "keys keyset",
    "values",
    "items entries entryset",
    "print println printf puts",
    "sqrt",
    "pow",
    "round",
    "floor",
    "ceil",
    "log log2 log10",
    "ord codepointat charcodeat",
    "chr fromcharcode",
    "int parseint atoi stoi tointeger intvalue",
    "float parsefloat stod double atof todouble",
    "str tostring string itoa valueof repr format",
    "list array vec vector arraylist tuple",
    "bool boolean",
    "bin tobinarystring",
    "isinstance type typeof instanceof",
    "copy clone deepcopy",
    "open read write close",
    "match findall",
    "next",
    "gcd",
    "md5 sha256 hexdigest digest",
)
DROPPED_WORDS: Final = (  # types, modifiers, and what only some languages have to say
    "let var const auto static public private protected final mut pub unsafe inline extern virtual override "
    "int float double long short char bool boolean byte void string str object any number unsigned signed "
    "usize isize i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 uint int32 int64 rune integer character "
    "list array vec vector arraylist tuple set hashset unorderedset dict hashmap unorderedmap map iterable sequence "
    "optional callable iterator deque queue stack pair stringbuilder "
    "self this cls pass begin end do then new make ref with as global nonlocal where std math tp "
    "typing collections numpy np"
)
DROPPED_FUNCTIONS: Final = (
    "iter intoiter itermut collect cloned copied unwrap asstr asref tovec stream boxed mapToint chars bytes "
    "toarray toowned into from sizeof main"
)
ELEMENT_FUNCTIONS: Final = "at get charat nth elementat"  # a[i] in other words
SLICE_FUNCTIONS: Final = "substring substr slice sublist subarray"
SPELLED: Final = {  # keywords that are signs in other languages
    "if elif elsif elseif unless switch case when": IF,
    "else otherwise default": ELSE,
    "and": AND,
    "or": OR,
    "not": NOT,
    "in of": IN,
    "is": EQUAL,
}
IMPORTS: Final = (
    "import from using package include use module require"  # whole lines are passed over
)
N_TOKENS: Final = FIRST_WORD + len(KEYWORDS) + len(FUNCTIONS)
ALWAYS, CALLED, TYPE = 0, 1, 2  # when a word counts; a type is its function where it is called

FILTER_BITS: Final = 13
FNV_START: Final = 0xCBF29CE484222325  # Fowler, Noll and Vo, FNV-1a of 64 bits
FNV_PRIME: Final = 0x100000001B3


class CodeWords(NamedTuple):
    """Known words by the hash of their letters in lower case without underscores, sorted."""

    hash: np.ndarray  # uint64 (n,)
    always: np.ndarray  # int16 (n,), the token wherever the word stands; -1 none, 0 dropped
    called: np.ndarray  # int16 (n,), the token where it is called; -1 none, 0 dropped
    seen: (
        np.ndarray
    )  # bool (2**FILTER_BITS,), by the first bits of the hashes: most words are unknown
    imports: np.ndarray  # uint64, sorted: lines that begin with these words are passed over


def code_words() -> CodeWords:
    """Return the table of known words."""
    always: dict[str, int] = {}
    called: dict[str, int] = {}
    for words, token in SPELLED.items():
        always |= dict.fromkeys(words.split(), token)
    for number, words in enumerate(KEYWORDS):
        always |= dict.fromkeys(words.split(), FIRST_WORD + number)
    for number, words in enumerate(FUNCTIONS):
        called |= dict.fromkeys(words.split(), FIRST_WORD + len(KEYWORDS) + number)
    called |= dict.fromkeys(ELEMENT_FUNCTIONS.split(), INDEX)
    called |= dict.fromkeys(SLICE_FUNCTIONS.split(), SLICE)
    called |= dict.fromkeys(DROPPED_FUNCTIONS.lower().split(), DROPPED)
    for word in DROPPED_WORDS.split():
        always.setdefault(word, DROPPED)
    known = sorted(always.keys() | called.keys(), key=word_hash)
    hashes = np.array([word_hash(word) for word in known], np.uint64)
    seen = np.zeros(1 << FILTER_BITS, np.bool_)
    seen[hashes >> np.uint64(64 - FILTER_BITS)] = True
    return CodeWords(
        hashes,
        np.array([always.get(word, -1) for word in known], np.int16),
        np.array([called.get(word, -1) for word in known], np.int16),
        seen,
        np.array(sorted(map(word_hash, IMPORTS.split())), np.uint64),
    )


def word_hash(word: str) -> int:
    """Return the hash of a word's letters."""
    value = FNV_START
    for byte in word.encode():
        value = ((value ^ byte) * FNV_PRIME) & 0xFFFFFFFFFFFFFFFF
    return value


@inline_kernel
def hash_on(value: Any, byte: Any) -> Any:
    """Return a hash with another byte."""
    return (value ^ np.uint64(byte)) * np.uint64(FNV_PRIME)
