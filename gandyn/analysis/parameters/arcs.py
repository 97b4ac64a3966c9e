"""Arcs of the stability boundary in a plane of two parameters: which points belong to one, what is born, names."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ...budget import Budget
from ...types import Array, Game, Rule
from .branches import Kind
from .continuation import Family
from .criticality import coefficient, pair_coefficient
from .system import system

PLACES = 7
ON_BOUNDARY, LOCATED = 1e-7, 1e-5
PAIRS = (Kind.NEIMARK_SACKER, Kind.HOPF)
ROOTS_OF_UNITY = {3: "1:3", 4: "1:4"}
Side = tuple[str | None, float | None]


def runs(kind: Kind, values: Array, flow: bool) -> Iterator[tuple[int, int, bool]]:
    """Runs of points with an eigenvalue of this kind on the boundary, and whether the others are stable there.

    The eigenvalues at the points of the arc have the shape (n, D).
    """
    good = np.isfinite(values).all(-1)
    values = np.where(good[:, None], values, 0)
    size = np.maximum(1.0, np.abs(values).max(-1))
    beyond = values.real if flow else np.abs(values) - 1
    on = np.abs(beyond) < 1e-6 * size[:, None]
    if kind in PAIRS:
        mine = on & (np.abs(values.imag) > 1e-9 * size[:, None])
    else:
        target = 0.0 if flow else 1.0 if kind is Kind.FOLD else -1.0
        mine = np.abs(values - target) < 1e-6 * size[:, None]
    there = good & mine.any(-1)
    edge = np.where(mine, -1.0, beyond).max(-1) < 1e-9
    state = np.where(there, 1 + edge, 0)
    ends = np.flatnonzero(np.diff(np.concatenate([[-1], state, [-1]])))
    for low, high in itertools.pairwise(ends):
        if state[low] and high - low > 1:
            yield int(low), int(high), bool(edge[low])


def chosen_of(points: Array) -> Array:
    """Indices of the places of an arc at which normal forms are computed."""
    return np.unique(np.linspace(0, len(points) - 1, PLACES + 2).round().astype(int))[1:-1]


def sides_of(kind: Kind, asked: Sequence[Callable[[], Side]], time: Budget) -> tuple[Array, str | None]:
    """Coefficients at places of an arc, and the side of all of them: "both" where it changes."""
    found = [(None, None) if time.out else ask() for ask in (asked if kind is not Kind.FOLD else ())]
    decided = {side for side, _ in found if side is not None}
    side = None if not decided else decided.pop() if len(decided) == 1 else "both"
    return np.array([np.nan if number is None else number for _, number in found]), side


def side_at(game: Game, rule: Rule | None, kind: Kind, at: Array, length: float) -> Side:
    """Which side what is born lies on, at one point of an arc, and the coefficient that decides."""
    made = system(game, rule)
    z = made.start(at)
    near = Family(made, np.full(len(z) + 1, length), np.append(z, 0.0), np.ones(len(z)), 1.0)
    found = (pair_coefficient if kind in PAIRS else coefficient)(near, np.zeros(len(z) + 1))
    return found[0], found[1]


def critical_of(values: Array, flow: bool) -> Array:
    """The eigenvalues that lie on the boundary to 1e-7, of a located point to 1e-5."""
    far = np.abs(values.real) if flow else np.abs(np.abs(values) - 1)
    return values[far < LOCATED * max(1.0, float(np.abs(values).max()))]


def name_of(critical: Array, flow: bool) -> str | None:
    """What two or more eigenvalues on the boundary at once are called; None for fewer, or for one pair alone."""
    one = critical[np.abs(critical - (0 if flow else 1)) < ON_BOUNDARY]
    minus = critical[np.abs(critical + 1) < ON_BOUNDARY] if not flow else critical[:0]
    pairs = [v for v in critical if v.imag > ON_BOUNDARY]
    if len(one) + len(minus) + len(pairs) > 2:
        return f"{len(critical)} eigenvalues on the boundary"
    if len(pairs) == 2:
        return "double Hopf" if flow else "double Neimark-Sacker"
    if len(pairs) == 1 and not len(one) and not len(minus):
        order = next((k for k in ROOTS_OF_UNITY if not flow and abs(pairs[0] ** k - 1) < ON_BOUNDARY), None)
        return None if order is None else ROOTS_OF_UNITY[order]
    if len(pairs) == 1:
        return "zero-Hopf" if flow else f"{'fold' if len(one) else 'flip'}-Neimark-Sacker"
    if len(one) == 2:
        return "Bogdanov-Takens" if flow else "1:1"
    if len(minus) == 2:
        return "1:2"
    return "fold-flip" if len(one) and len(minus) else None
