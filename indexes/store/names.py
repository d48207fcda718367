"""How things in a store are named. What comes from outside becomes a file name only after a check here."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from corpora.problems import shown
from indexes.store.errors import StoreError

STORE_FILE: Final = "store.json"
SHARD_FILE: Final = "shard.json"
FOLDERS: Final = ("leases", "seen", "shards", "versions")
KEY: Final = re.compile(r"[0-9a-f]{32}")
NAME_RULE: Final = r"[A-Za-z0-9][A-Za-z0-9._+=@-]{0,99}"


def shard_folder(key: str) -> str:
    """Return the folder of a shard; StoreError where the key is none."""
    if not KEY.fullmatch(key):
        raise StoreError(shown(key), "is no key of a shard", "a key has 32 hexadecimal digits")
    return f"shards/{key}"


def shard_file(key: str) -> str:
    """Return the record of a shard."""
    return f"{shard_folder(key)}/{SHARD_FILE}"


def version_file(name: str) -> str:
    """Return the manifest of a version; StoreError where the name cannot name one."""
    if not is_version_name(name):
        raise StoreError(
            shown(name),
            "cannot name a version",
            "use letters, digits and . _ + = @ - (at most 100), and begin with a letter or digit",
        )
    return f"versions/{name}.json"


def is_version_name(name: str) -> bool:
    """Whether this may name a version."""
    return re.fullmatch(NAME_RULE, name) is not None


def seen_file(known_as: str) -> str:
    """Return the record of a corpus file, by its `corpora.file_stat.identity`."""
    name = hashlib.sha256(known_as.encode(errors="surrogateescape")).hexdigest()[:32]
    return f"seen/{name}.json"


def checked_path(name: str) -> str:
    """Return a path below the store as it is; a guard against whatever leads out of the store."""
    if name.startswith("/") or ".." in name.split("/") or "\0" in name:
        raise StoreError(shown(name), "leads out of the store", "nothing in a store is named so")
    return name
