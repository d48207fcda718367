"""What ends the work with vectors in one line.

* EncoderError: a model, a device or a library is missing or is not what it must be
"""

from __future__ import annotations


class EncoderError(ValueError):
    """A model, device or library that cannot be used; `mend` says what to do."""

    def __init__(self, reason: str, mend: str) -> None:
        super().__init__(f"{reason}; {mend}")
        self.reason = reason
        self.mend = mend

    def __reduce__(self) -> tuple[type[EncoderError], tuple[str, str]]:
        """Let it come back from another process."""
        return type(self), (self.reason, self.mend)
