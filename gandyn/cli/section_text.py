"""Numbers and expressions as the page of `gandyn analyze` prints them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..lazy import sympy

LONGEST = 100
Rows = list[str]


def readable(text: str) -> bool:
    """Whether an exact form is worth printing."""
    return "CRootOf" not in text and len(text) <= LONGEST


class Formula(str):
    """A row that may be cut on the page; `full` is what --full shows."""

    full: str

    def __new__(cls, text: object, full: object = None) -> Formula:
        """The row in short, and in full where that differs."""
        made = super().__new__(cls, text)
        made.full = str(text if full is None else full)
        return made


def number(x: object) -> str:
    """A float in short; anything else as it prints."""
    return f"{x:g}" if isinstance(x, float) else str(x)


def both(x: float | sympy.Expr) -> str:
    """An exact number and its decimals."""
    text, value = str(x), float(x)
    if value == float("inf"):
        return "infinite"
    return (
        f"{value:.10g}"
        if isinstance(x, (float, sympy.Float)) or not readable(text) or text == f"{value:.10g}"
        else (f"{text}  =  {value:.10g}")
    )


def interval(name: str, low: Any, high: Any, shown: Callable[[Any], str] = "{:.6g}".format) -> str:
    """An open interval of positive values of `name` in words; `shown` prints its ends."""
    if float(high) == float("inf"):
        return f"every {name}" if low == 0 else f"{name} above {shown(low)}"
    return f"{name} below {shown(high)}" if low == 0 else f"{name} between {shown(low)} and {shown(high)}"


def complex_text(value: complex) -> str:
    """A complex number in decimals; parts at rounding level are left out."""
    real, imaginary = (0.0 if abs(part) < 1e-15 else part for part in (value.real, value.imag))
    return f"{real:.10g}" if imaginary == 0 else f"{real:.10g} {'+' if imaginary > 0 else '-'} {abs(imaginary):.10g}i"


def matrix_rows(matrix: np.ndarray) -> Rows:
    """Rows of a small matrix, columns aligned."""
    table = [[number(float(x) + 0.0) for x in row] for row in matrix.tolist()]
    width = max(len(x) for row in table for x in row)
    return ["[" + "  ".join(f"{x:>{width}}" for x in row) + "]" for row in table]
