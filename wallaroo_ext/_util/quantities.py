"""Numbers with their units, for people."""

from __future__ import annotations

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")
_STEP = 1024


def format_count(count: int, noun: str) -> str:
    """Return a count with a noun, such as `2 rows`; the plural of the noun takes an `s`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def format_size(count: int) -> str:
    """Return a number of bytes in a fitting unit, such as `1.5 KiB`."""
    amount, unit = float(count), 0
    while amount >= _STEP and unit < len(_UNITS) - 1:
        amount, unit = amount / _STEP, unit + 1
    return f"{count} bytes" if unit == 0 else f"{amount:.1f} {_UNITS[unit]}"
