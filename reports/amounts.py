"""Measured values and limits as words, with as many digits as it takes to tell them apart."""

from __future__ import annotations

from typing import Final

from reports import view
from reports.verdict_schema import Unit

DIGITS: Final = 3
MOST_DIGITS: Final = 8
NOUNS: Final = {"items": "item", "tokens": "token"}


def amount(value: float, unit: Unit, digits: int = DIGITS) -> str:
    """Return a value in its unit: `0.53%`, `4.1 points`, `13 items`, `0.05 bits per token`."""
    if unit in NOUNS:
        return view.plural(round(value), NOUNS[unit])
    if unit == "share":
        return _percent(value, digits)
    if unit == "points":
        points = _number(100 * abs(value), digits)
        return f"{points} point{'' if points == '1' else 's'}"
    if unit == "factor":
        return f"a factor of {_number(value, digits)}"
    return f"{_number(value, digits)} {unit}" if unit != "none" else _number(value, digits)


def beside(measured: float, limit: float, unit: Unit) -> tuple[str, str]:
    """Return a measured value and its limit as words that differ unless the values are equal."""
    for digits in range(DIGITS, MOST_DIGITS + 1):
        told = amount(measured, unit, digits), amount(limit, unit, digits)
        if measured == limit or told[0] != told[1]:
            break
    return told


def _percent(value: float, digits: int) -> str:
    text = _number(100 * value, digits)
    if text == "100" and value < 1:
        return ">99.9%"
    return f"{text}%"


def _number(value: float, digits: int) -> str:
    """Return a number with so many digits that count, without an exponent."""
    if value and abs(value) < 1e-4:
        return "<0.0001"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"
