"""The checks of numbers, flags and texts under their former address; they are defined in `gandyn.arguments`."""

from __future__ import annotations

from ..arguments.values import a_function, above_zero, count, flag, from_zero, real, seed, several, shown, sizes, word

__all__ = [
    "a_function",
    "above_zero",
    "count",
    "flag",
    "from_zero",
    "real",
    "seed",
    "several",
    "shown",
    "sizes",
    "word",
]
