"""What ends a store's work in one line, or costs a shard.

* StoreError: the store, or what was asked of it, cannot be used
  + DamagedError: a stored file is not what was written; its shard is to be built again

Beside these, OSError says what the disk or the object store said, a full disk among others.
"""

from __future__ import annotations

from typing import Final

REBUILD: Final = "sluicegate index build makes it again"


class StoreError(ValueError):
    """Something about a store that ends what was asked, in one line; `path` is the culprit."""

    def __init__(self, path: str, reason: str, mend: str) -> None:
        super().__init__(" ".join(f"{path}: {reason}; {mend}".split()))
        self.path = path
        self.reason = reason
        self.mend = mend

    def __reduce__(self) -> tuple[type[StoreError], tuple[object, ...]]:
        """Let it come back from another process."""
        return type(self), (self.path, self.reason, self.mend)


class DamagedError(StoreError):
    """A stored file is missing or not what was written; `key` is its shard's, if it has one."""

    def __init__(self, path: str, reason: str, key: str | None = None, mend: str = REBUILD) -> None:
        super().__init__(path, reason, mend)
        self.key = key

    def __reduce__(self) -> tuple[type[StoreError], tuple[object, ...]]:
        """Let it come back from another process."""
        return type(self), (self.path, self.reason, self.key, self.mend)
