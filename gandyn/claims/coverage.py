"""Which games a search has seen: dimensions, conditioning, departure from normality, nonlinearity."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from ..lazy import sympy
from ..types import Game
from .base import Draw

LARGEST = 64


@dataclasses.dataclass
class Coverage:
    """Ranges over the games of all draws that were tried; a theorem is only tried where its hypotheses were drawn.

    Attributes:
        games: how many were seen; measured: of how many J was taken, at the first known equilibrium, else at 0.
        dimensions: (least, greatest) number of coordinates.
        condition: (least, greatest) largest over smallest singular value of J; inf for a singular J.
        departure: (least, greatest) departure from normality, sqrt(1 - sum |lambda|^2 / |J|_F^2), from 0 (normal) to 1.
        nonlinear: how many have a field that is not affine.
    """

    games: int = 0
    measured: int = 0
    dimensions: tuple[int, int] | None = None
    condition: tuple[float, float] | None = None
    departure: tuple[float, float] | None = None
    nonlinear: int = 0

    def add(self, draw: Draw) -> None:
        """Count the games of a draw."""
        for game in (value for value in draw.values() if isinstance(value, Game)):
            self.games += 1
            self.dimensions = _widened(self.dimensions, game.dim)
            self.nonlinear += _is_nonlinear(game)
            jacobian = _jacobian(game)
            if jacobian is None:
                continue
            self.measured += 1
            sizes = np.linalg.svd(jacobian, compute_uv=False)
            worst = math.inf if sizes[-1] <= 1e-14 * sizes[0] else float(sizes[0] / sizes[-1])
            self.condition = _widened(self.condition, worst)
            self.departure = _widened(self.departure, departure(jacobian))

    def summary(self) -> str:
        """One line; empty where no game was drawn."""
        if not self.games or self.dimensions is None:
            return ""
        parts = [f"{_range(self.dimensions, 'd')} coordinates"]
        if self.condition is not None and self.departure is not None:
            parts.append(f"condition of J {_range(self.condition, '.3g')}")
            parts.append(f"departure from normality {_range(self.departure, '.2f')}")
        parts.append(f"{self.nonlinear} not affine")
        return f"{self.games} games: " + ", ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """The counts as plain data, which JSON can hold."""
        return dataclasses.asdict(self)


def departure(matrix: object) -> float:
    """Departure from normality, sqrt(1 - sum |lambda|^2 / |J|_F^2): 0 for a normal matrix, 1 for a nilpotent one.

    Henrici 1962, section 1, relative to the Frobenius norm.

    Example:
        >>> departure([[1.0, 2.0], [-2.0, 1.0]]), round(departure([[0.0, 1.0], [0.0, 0.0]]), 6)
        (0.0, 1.0)
    """
    square = np.asarray(matrix, dtype=float)
    size = float((square**2).sum())
    if size == 0:
        return 0.0
    share = 1 - float((np.abs(np.linalg.eigvals(square)) ** 2).sum()) / size
    return 0.0 if share < 1e-12 else math.sqrt(share)


def _widened(known: tuple[Any, Any] | None, value: object) -> tuple[Any, Any]:
    return (value, value) if known is None else (min(known[0], value), max(known[1], value))


def _range(known: tuple[float, float], form: str) -> str:
    low, high = (format(value, form) for value in known)
    return low if low == high else f"{low} to {high}"


def _is_nonlinear(game: Game) -> bool:
    w = game.symbols
    return not all(e.is_polynomial(*w) and _degree(e, w) <= 1 for e in game.field_exprs)


def _degree(expression: sympy.Expr, symbols: tuple[sympy.Expr, ...]) -> int:
    return int(sympy.Poly(expression, *symbols).total_degree()) if expression.free_symbols & set(symbols) else 0


def _jacobian(game: Game) -> np.ndarray | None:
    """Dense and finite, or None: free parameters, no derivative there, or too large."""
    if game.dim > LARGEST:
        return None
    try:
        constant = game.jacobian_expr
        if constant is not None and not constant.free_symbols:
            return np.array(constant.tolist(), dtype=float)
        known = game.equilibria
        at = np.array(known[0], dtype=float) if len(known) else np.zeros(game.dim)
        found = np.array(game.jacobian(at), dtype=float)
    except Exception:
        return None
    return found if np.isfinite(found).all() else None
