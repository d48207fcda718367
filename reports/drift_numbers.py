"""Numbers of a drift report as words: points, per million, ratios, bits, divergences.

A change that is not zero is never printed as zero, and carries its sign.
"""

from typing import Literal

from reports import view
from reports.drift_schema import Divergence, TokenChange

Direction = Literal["up", "down", "same"]

MINUS = "−"
GLYPHS: dict[Direction, str] = {"up": "▲", "down": "▼", "same": "＝"}


def direction(change: float) -> Direction:
    """Return where a change goes."""
    if change == 0:
        return "same"
    return "up" if change > 0 else "down"


def signed(value: float, decimals: int) -> str:
    """Return a number with its sign; one that would be rounded to zero is `+<0.01`."""
    if value == 0:
        return f"{0:.{decimals}f}"
    sign = "+" if value > 0 else MINUS
    least = 10.0**-decimals
    # 0.005 is rounded to 0.01, what is less would be rounded to nothing
    if abs(value) < least / 2:
        return f"{sign}<{least:.{decimals}f}"
    return f"{sign}{abs(value):,.{decimals}f}"


def points(change: float) -> str:
    """Return a change of a share as `+5.83 points`."""
    return f"{signed(100 * change, 2)} points"


def points_interval(low: float, high: float) -> str:
    """Return an interval of a change as `+5.12 to +6.49`."""
    return f"{signed(100 * low, 2)} to {signed(100 * high, 2)}"


def share(ratio: float) -> str:
    """Return a share with two decimals; only 0 is `0.00%`, only 1 `100.00%`."""
    if 0 < ratio < 0.00005:
        return "<0.01%"
    if 0.99995 <= ratio < 1:
        return ">99.99%"
    return f"{ratio:.2%}"


def width(change: float) -> str:
    """Return how far something moves either way, as `0.91`, in points."""
    return signed(100 * abs(change), 2).removeprefix("+")


def relative(value: float | None) -> str:
    """Return a relative change as `+101%`; a dash where there is none."""
    return view.DASH if value is None else f"{signed(100 * value, 0)}%"


def per_million(ratio: float) -> str:
    """Return a share as occurrences in a million, with three digits or so."""
    amount = 1e6 * ratio
    if amount == 0:
        return "0"
    if amount < 0.01:
        return "<0.01"
    decimals = 2 if amount < 1 else 1 if amount < 100 else 0
    return f"{amount:,.{decimals}f}"


def documents(number: float) -> str:
    """Return a document frequency, which weights of a mix make fractional, as `38 docs`."""
    whole = round(number)
    return view.plural(whole, "doc") if whole or not number else "<1 doc"


def factor(log2_ratio: float) -> str:
    """Return a ratio as `×2.4`, or `÷2.4` where it is less than one."""
    times = 2.0 ** min(abs(log2_ratio), 60)
    decimals = 2 if times < 2 else 1 if times < 100 else 0
    return f"{'÷' if log2_ratio < 0 else '×'}{times:,.{decimals}f}"


def token_ratio(token: TokenChange) -> str:
    """Return how many times as frequent a token is, `new` or `gone`."""
    if token["log2_ratio"] is not None:
        return factor(token["log2_ratio"])
    return "new" if token["candidate"] else "gone"


def bits(change: float) -> str:
    """Return a change in bits as `+0.312`."""
    return signed(change, 3)


def bits_interval(low: float, high: float) -> str:
    """Return an interval of a change in bits."""
    return f"{bits(low)} to {bits(high)}"


def amount(value: float, unit: str) -> str:
    """Return a divergence in its unit: a share as `15.42%`, others as `0.0123 bits`."""
    if unit == "share":
        return share(value)
    if 0 < abs(value) < 0.00005:
        return f"<0.0001 {unit}"
    return f"{value:.4f} {unit}"


def excess(divergence: Divergence) -> str:
    """Return what is left of a divergence over the mean of the random halves, with its sign."""
    if divergence["unit"] == "share":
        return points(divergence["excess"])
    return f"{signed(divergence['excess'], 4)} {divergence['unit']}"


def beside_floor(divergence: Divergence) -> str:
    """Return `15.42%, noise up to 1.10%`."""
    unit = divergence["unit"]
    return (
        f"{amount(divergence['observed'], unit)}, noise up to {amount(divergence['floor'], unit)}"
    )


def times_floor(observed: float, floor: float) -> str:
    """Return `14 times` the floor, in digits that matter; a dash where there is no floor."""
    if floor <= 0:
        return view.DASH
    times = observed / floor
    return f"{times:,.0f} times" if times >= 10 else f"{times:.1f} times"


def deviations(ratio: float | None) -> str:
    """Return a drift ratio: standard deviations of the random halves."""
    return view.DASH if ratio is None else f"{signed(ratio, 1)} SD"
