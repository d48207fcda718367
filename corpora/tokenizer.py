"""A tokenizer of a model, read from its `tokenizer.json` (Hugging Face `tokenizers`).

`load_tokenizer` reads and checks the file. `Tokenizer` is the library behind a small face, with what
`corpora.token_counter` needs to go past it: the recipe of a byte-level BPE, the added tokens, and the
tokenizer for text that does not stand at the start of a document.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from corpora.added_tokens import Trie
from corpora.problems import CorpusError, said
from corpora.spaced_recipe import build_spaced_recipe
from corpora.token_recipe import (
    Native,
    NoRecipeError,
    build_recipe,
    byte_characters,
    tries,
)

if TYPE_CHECKING:
    from tokenizers import AddedToken
    from tokenizers import Tokenizer as Library

FILE_NAME: Final = "tokenizer.json"
SENTENCEPIECE_SUFFIXES: Final = (".model", ".spm")
CONVERT: Final = (
    "convert it with transformers.AutoTokenizer.from_pretrained(...).save_pretrained(...) "
    f"and name the {FILE_NAME} that this writes"
)
# What pads, cuts off or varies the ids of a text; counting wants none of it.
SWITCHED_OFF: Final = ("truncation", "padding")


class Tokenizer:
    """A tokenizer; no special tokens are put around a text. Threads may share it.

    `digest` is the SHA-256 of the file. `size` is the largest id plus 1. `native` is the recipe, None
    where `no_recipe` says why. `added` are the added tokens by id.
    """

    def __init__(self, name: str, digest: str, described: dict[str, Any]) -> None:
        library = _library(described)
        complete = json.loads(library.to_str())  # with the defaults that the file left out
        added = library.get_added_tokens_decoder()
        self.name = name
        self.digest = digest
        self.size = 1 + max(library.get_vocab(with_added_tokens=True).values(), default=-1)
        self.library = library
        self.inner_library, self.has_own_start = _without_prepend(complete, library)
        self.added: Mapping[int, AddedToken] = added
        self.hard_tokens = self._hard_tokens()
        self.native: Native | None = None
        self.no_recipe = ""
        for build in (build_recipe, build_spaced_recipe):
            try:
                self.native = build(complete, added)
                break
            except NoRecipeError as error:
                self.no_recipe = self.no_recipe or str(error)
        self._bytes_of = byte_characters() if _is_byte_level(complete) else None

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of each text, by the library.

        Raises:
            CorpusError: where the library fails on a text.
        """
        return self._encode(self.library, texts)

    def encode_inner(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of texts that begin with a space and are the rest of a document."""
        return self._encode(self.inner_library, texts)

    def _encode(self, library: Library, texts: Sequence[str]) -> list[list[int]]:
        try:
            encoded = library.encode_batch_fast(list(texts), add_special_tokens=False)
        except Exception as error:
            if type(error) is not Exception:  # the library raises just that
                raise
            raise CorpusError(
                f"{self.name}: cannot encode a text: {said(error)}; mend the tokenizer's file"
            ) from error
        return [one.ids for one in encoded]

    def token(self, key: int) -> str:
        r"""Return the text of an id to be read, for any number.

        The text of a byte-level token is that of its bytes, `\xNN` for those that are no UTF-8.
        """
        if key in self.added:
            return self.added[key].content
        piece = self.library.id_to_token(key) if 0 <= key < self.size else None
        if piece is None:
            return f"<id {key}>"
        if self._bytes_of is None or any(character not in self._bytes_of for character in piece):
            return piece
        raw = bytes(self._bytes_of[character] for character in piece)
        return raw.decode("utf-8", errors="backslashreplace")

    def _hard_tokens(self) -> tuple[Trie, Trie]:
        """Return the added tokens by which text may not be cut before spaces, as tries.

        White space alone is never cut; but where text has its own start, it has one behind each token.
        """
        kept = {
            number: token
            for number, token in self.added.items()
            if self.has_own_start or not token.content.isspace()
        }
        return tries(kept, all_hard=True)


def load_tokenizer(path: str | Path) -> Tokenizer:
    """Return the tokenizer of a `tokenizer.json`, or of the folder that holds one.

    Truncation and padding are switched off, and so is the random dropping of merges (BPE dropout).

    Raises:
        CorpusError: where there is no such file, or it is none that `tokenizers` can read.
    """
    file = Path(path)
    if file.is_dir():
        if not (file / FILE_NAME).is_file():
            raise CorpusError(f"{file}: the folder has no {FILE_NAME}; name the file itself")
        file = file / FILE_NAME
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise CorpusError(
            f"{file}: cannot be read: {said(error)}; name a {FILE_NAME}, as in a model's folder"
        ) from error
    described = _parse(file, raw)
    try:
        return Tokenizer(str(file), hashlib.sha256(raw).hexdigest(), described)
    except Exception as error:
        if type(error) is not Exception:  # the library raises just that
            raise
        raise CorpusError(
            f"{file}: cannot be read as a tokenizer: {said(error)}; fetch it again, or install "
            "a newer version of the package tokenizers"
        ) from error


def _parse(file: Path, raw: bytes) -> dict[str, Any]:
    """Return the object in the file, with what would vary or pad ids taken out.

    Raises:
        CorpusError: where it is no object with a model.
    """
    try:
        described = json.loads(raw)
    except ValueError as error:
        if file.suffix in SENTENCEPIECE_SUFFIXES:
            raise CorpusError(f"{file}: this is a SentencePiece model; {CONVERT}") from error
        raise CorpusError(f"{file}: is not JSON: {said(error)}; name a {FILE_NAME}") from error
    if not isinstance(described, dict) or not isinstance(described.get("model"), dict):
        raise CorpusError(
            f"{file}: is JSON but no tokenizer, for it has no 'model'; name the {FILE_NAME} itself, "
            "not its configuration or vocabulary"
        )
    for key in SWITCHED_OFF:
        described[key] = None
    if described["model"].get("dropout"):
        described["model"]["dropout"] = None
    return described


def _library(described: Mapping[str, Any]) -> Library:
    from tokenizers import Tokenizer as Library

    return Library.from_str(json.dumps(described))


def _without_prepend(described: dict[str, Any], library: Library) -> tuple[Library, bool]:
    """Return the tokenizer without what it puts before a text, and whether there is such a thing."""
    kept, is_changed = _not_prepending(described["normalizer"])
    if not is_changed:
        return library, False
    return _library({**described, "normalizer": kept}), True


def _not_prepending(normalizer: dict[str, Any] | None) -> tuple[dict[str, Any] | None, bool]:
    if normalizer is None or normalizer["type"] == "Prepend":
        return None, normalizer is not None
    if normalizer["type"] != "Sequence":
        return normalizer, False
    parts = [_not_prepending(part) for part in normalizer["normalizers"]]
    kept = [part for part, _ in parts if part is not None]
    return {**normalizer, "normalizers": kept}, any(is_changed for _, is_changed in parts)


def _is_byte_level(described: Mapping[str, Any]) -> bool:
    """Tell whether the pieces are bytes written as GPT-2's characters."""
    parts = [described.get("decoder"), described.get("pre_tokenizer")]
    while parts:
        part = parts.pop()
        if part is not None:
            if part["type"] == "ByteLevel":
                return True
            parts += part.get("decoders", []) + part.get("pretokenizers", [])
    return False
