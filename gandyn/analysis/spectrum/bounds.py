"""Outer bounds of the eigenvalues of J = S + A: min S <= Re <= max S and |Im| <= |A| (Bendixson 1902)."""

from __future__ import annotations

import dataclasses
import math

from ...krylov.operator import Operator
from ...types import Array, Batch, Game
from .operators import antisymmetric, symmetric
from .solve import End, Resolution, Settings, ends
from .targets import Target, itself, targets_of

NEEDED = {"LM": ("S", "A"), "LR": ("S",), "SR": ("S",), "LI": ("A",)}
TOLERANCE = 1e-3


def outer_bounds(
    game: Game, w: Array, batch: Batch, names: list[str], settings: Settings
) -> tuple[dict[str, float], int]:
    """Bounds of the eigenvalues of J at w (d,), for each end asked for (Bendixson 1902).

    "LR" is the largest eigenvalue of S = (J + J^T)/2 and "SR" its smallest: bounds of the real parts. "LI" is the norm
    |A|_2 of A = (J - J^T)/2, a bound of the imaginary parts, and "LM" is hypot(max(|LR|, |SR|), LI). The extreme
    eigenvalues of S and A are computed by Lanczos iterations from one start, each moved outwards by its residual; nan
    where one did not converge. That Lanczos has found the extreme ones is not proven, so the bounds are not either.

    Returns the bound for each of the names, and the number of products with J that they took.
    """
    wanted = {part for name in names for part in NEEDED[name]}
    low = high = turn = math.nan
    products = 0
    settings = dataclasses.replace(settings, tolerance=TOLERANCE, confirm=False)
    if "S" in wanted:
        operator = symmetric(game, w, batch)
        found = ends(operator, _outer("LR", "SR"), 1, settings, itself)[0]
        high, low = _outwards(found["LR"], 1), _outwards(found["SR"], -1)
        products += operator.products
    if "A" in wanted:
        operator = antisymmetric(game, w, batch)
        turn = _turning(operator, settings)
        products += operator.products
    values = {"LR": high, "SR": low, "LI": turn, "LM": math.hypot(max(abs(low), abs(high)), turn)}
    return {name: values[name] for name in names}, products


def _outer(*names: str) -> list[Target]:
    return [dataclasses.replace(target, against_norm=True) for target in targets_of(names, False)]


def _outwards(end: End, direction: int) -> float:
    """The value at one end of the spectrum of S, moved outwards by its residual."""
    if end.resolution is Resolution.UNRESOLVED:
        return math.nan
    return float(end.values[0].real + direction * end.residuals[0])


def _turning(operator: Operator, settings: Settings) -> float:
    end = ends(operator, _outer("LI"), 1, settings, itself)[0]["LI"]
    return math.nan if end.resolution is Resolution.UNRESOLVED else float(end.values[0].imag + end.residuals[0])
