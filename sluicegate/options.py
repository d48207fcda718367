"""From the options of a command to the settings of the same names."""

from __future__ import annotations

import argparse
from typing import Any, Final

from pydantic import BaseModel

COMMA_SEPARATED: Final = ("text", "scanners")


def settings_of(kind: type[BaseModel], options: argparse.Namespace) -> dict[str, Any]:
    """Return the values for `kind` that a command has options for, by name."""
    values = {name: getattr(options, name) for name in kind.model_fields if hasattr(options, name)}
    for name in COMMA_SEPARATED:
        if name in values:
            values[name] = tuple(values[name].split(","))
    return values
