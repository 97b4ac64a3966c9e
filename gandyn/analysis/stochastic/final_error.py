"""The mean-square error after a number of noisy steps, and the value of a parameter that makes it smallest."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ...errors import DomainError
from ...lazy import sympy
from . import stein
from .random_map import RandomMap

GRID = 60


def final_error(free: RandomMap, symbol: sympy.Symbol, steps: int, distance: float, value: float) -> float:
    """E|w_T - at|^2 after T steps from a random start at a distance; infinite where there is no stationary law.

    The step `free` has one free parameter, `symbol`, which is given `value`; `distance` is the root mean square of |w_0
    - at|.
    """
    step = free.at_value(symbol, value)
    if stein.spectral_radius(step) >= 1:
        return math.inf
    d = step.game.dim
    first, second = np.zeros(step.size), np.zeros((step.size, step.size))
    if step.start is None:
        second = distance**2 / d * np.eye(d)
    else:
        m, c, _ = step.start.numbers
        first = c.mean(0)
        second = (distance**2 / d * np.einsum("nij,nkj->ik", m, m) + np.einsum("ni,nj->ij", c, c)) / len(c)
        second += step.start.added
    return float(np.trace(step.moments_after(max(1, steps // step.period), first, second)[1][:d, :d]))


def smallest(error: Callable[[float], float], unit: float, what: str) -> tuple[float, float]:
    """The minimiser of a function of a positive number: a grid of decades about a unit, then golden sections."""
    grid = np.geomspace(1e-6, 1e2, GRID) * unit
    values = np.array([error(x) for x in grid])
    best = int(np.argmin(values))
    if not math.isfinite(values[best]):
        raise DomainError(f"{what}: no value has a stationary law", "one that is mean-square stable", "another rule")
    if best == 0:
        raise DomainError(
            f"{what}: the error grows with it from the start, as the noise floor lies above the distance to go",
            "a start farther away, or less noise",
            "a larger distance=",
        )
    from scipy.optimize import minimize_scalar

    low, high = grid[max(best - 1, 0)], grid[min(best + 1, GRID - 1)]
    found = minimize_scalar(
        lambda u: error(math.exp(u)), bounds=(math.log(low), math.log(high)), method="bounded", options={"xatol": 1e-9}
    )
    return math.exp(float(found.x)), float(found.fun)
