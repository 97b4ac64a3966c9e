"""All zeros of the field: solved exactly where the game is polynomial, found by Newton in a box, and counted by proof.

In a box, interval arithmetic then excludes the rest of it, or says where it cannot (`exclusion.py`).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..errors import ParameterError
from ..results import Result, plain
from ..types import Game
from ..worlds import NUMPY, SYMBOLS
from .linearize import Linearization, linearize

NEWTON_STARTS = 400
NEWTON_STEPS = 60
SAME_POINT = 1e-7
MOST_ROOTS = 3


@dataclasses.dataclass(frozen=True, repr=False)
class FixedPoint(Result):
    """A zero of the field.

    Attributes:
        point: coordinates as floats, shape (d,).
        exact: coordinates as SymPy expressions, or None where found numerically.
        residual: |v(point)|.
        linearization: of the gradient flow there.
    """

    point: Any
    exact: tuple[Any, ...] | None
    residual: float
    linearization: Linearization

    _plot = "fixed_point"

    @property
    def kind(self) -> str:
        """Stability under the gradient flow: attracting, repelling, saddle, marginal, or why it is open."""
        return self.linearization.verdict.value

    def summary(self) -> str:
        """Coordinates and kind."""
        shown = self.exact if self.exact is not None else [f"{x:.12g}" for x in self.point]
        return f"({', '.join(map(str, shown))}): {self.kind}"

    def to_dict(self) -> dict[str, Any]:
        """Numbers, exact forms as text, kind."""
        exact = None if self.exact is None else [str(x) for x in self.exact]
        result: dict[str, Any] = plain(
            {"point": self.point, "exact": exact, "residual": self.residual, "kind": self.kind}
        )
        return result

    def __repr__(self) -> str:
        return f"<FixedPoint {self.summary()}>"


class FixedPoints(list[FixedPoint]):
    """A list of `FixedPoint`s that says whether it is all of them.

    Attributes:
        complete: True if it is proven that the box (or, without one, the whole space) holds no other zero.
        reason: the argument, or why the list is what was found and no more.
    """

    def __init__(self, points: Iterable[FixedPoint], complete: bool, reason: str) -> None:
        super().__init__(points)
        self.complete, self.reason = complete, reason

    def summary(self) -> str:
        """One line a point, and whether these are all."""
        lines = [point.summary() for point in self]
        return "\n".join([*lines, f"{'complete' if self.complete else 'found, perhaps not all'}: {self.reason}"])


def fixed_points(game: Game, box: Sequence[tuple[float, float]] | None = None, seed: int = 0) -> FixedPoints:
    """Zeros of the field v, sorted by coordinates.

    Known equilibria are verified and kept; a polynomial field is solved exactly; inside a box, Newton's method from
    400 scattered starts looks for more. For a game given by expressions the box is then searched with interval
    arithmetic: every part of it is proven to hold no zero, or exactly one (Krawczyk 1969; Neumaier 1990, chapter 5).
    The list's `.complete` and `.reason` say whether that succeeded. It cannot at degenerate zeros; a game whose zeros
    fill a line or plane returns the known or found points of it, not all.

    Args:
        game: the game.
        box: one (low, high) pair per coordinate; required when the game is neither polynomial nor has known
            equilibria. Only points inside it are returned.
        seed: of the scattered starts.

    Raises:
        ParameterError: for a box of the wrong length, or none where one is needed.

    Example:
        >>> import gandyn as gd
        >>> gd.fixed_points(gd.games.bilinear())[0].kind
        'marginal'
        >>> found = gd.fixed_points(gd.games.forsaken(), box=[(-2, 2), (-2, 2)])
        >>> len(found), found.complete
        (1, True)
    """
    bounds = None if box is None else _check_box(game, box)
    found: list[tuple[np.ndarray, tuple[Any, ...] | None]] = []
    for point in _known(game) + _solved(game, MOST_ROOTS if bounds is not None else None):
        _add(found, np.array([complex(x).real for x in point]), point)
    if bounds is not None:
        for newton in _newton(game, bounds, seed):
            _add(found, newton, None)
    elif not found:
        raise ParameterError(
            f"no closed form for the fixed points of {game.name}", "a box to search", "box=[(-2, 2)] * game.dim"
        )
    complete, reason = _everywhere(game)
    if bounds is not None:
        complete, reason = _exclude(game, bounds, found)
        margin = SAME_POINT * (1 + np.abs(bounds).max())
        found = [(p, e) for p, e in found if ((p >= bounds[:, 0] - margin) & (p <= bounds[:, 1] + margin)).all()]
    found.sort(key=lambda item: tuple(np.round(item[0], 9)))
    return FixedPoints((_describe(game, p, e) for p, e in found), complete, reason)


def _everywhere(game: Game) -> tuple[bool, str]:
    """Without a box, all is known only where the field is affine with an invertible matrix."""
    matrix = getattr(game, "jacobian_expr", None) if game.quadratic else None
    if matrix is not None and not matrix.free_symbols:
        if matrix.det() != 0:
            return True, "the field is affine with an invertible Jacobian"
        return False, "the field is affine and singular: its zeros fill a line or more, or there are none"
    return False, "no box was given: known equilibria and closed-form solutions"


def _exclude(
    game: Game, bounds: np.ndarray, found: list[tuple[np.ndarray, tuple[Any, ...] | None]]
) -> tuple[bool, str]:
    """Search the box with intervals; zeros that Newton's method had missed are added to `found`."""
    if getattr(game, "field_exprs", None) is None:
        return False, "found by search: the game has no expressions to bound"
    from ..errors import GandynError
    from ..symbolic.intervals import IntervalFunction
    from .exclusion import search

    symbols, expressions = game.symbols, (game.field_exprs, game.jacobian_expr)  # type: ignore[attr-defined]
    try:
        field, jacobian = (IntervalFunction(symbols, list(e)) for e in expressions)
    except GandynError as error:
        return False, f"found by search: {error.given}"
    known = np.array([p for p, _ in found]).reshape(-1, game.dim)
    outcome = search(field, jacobian, bounds, known)
    for point in outcome.found:
        for _ in range(NEWTON_STEPS):
            point = point - np.linalg.lstsq(game.jacobian(point), game.field(point), rcond=None)[0]
        _add(found, point, None)
    if not outcome.complete:
        return False, outcome.reason
    count = sum(bool(((p >= bounds[:, 0]) & (p <= bounds[:, 1])).all()) for p, _ in found)
    return True, f"interval Newton: {count} isolated zero{'' if count == 1 else 's'}, and none elsewhere in the box"


def _check_box(game: Game, box: Sequence[tuple[float, float]]) -> np.ndarray:
    bounds = np.asarray(box, dtype=float)
    if bounds.shape != (game.dim, 2) or not (bounds[:, 0] < bounds[:, 1]).all() or not np.isfinite(bounds).all():
        raise ParameterError(
            f"box={box!r}", f"{game.dim} pairs (low, high) with low < high for {game.name}", "box=[(-2, 2)] * game.dim"
        )
    return bounds


def _known(game: Game) -> list[tuple[Any, ...]]:
    return [tuple(p) for p in game.equilibria if not any(getattr(x, "free_symbols", ()) for x in p)]


def _solved(game: Game, most: int | None) -> list[tuple[Any, ...]]:
    """Isolated real solutions of a polynomial field, unless it may have more than `most`."""
    expressions = getattr(game, "field_exprs", None)
    if expressions is None or game.constrained:
        return []
    import sympy

    symbols = game.symbols  # type: ignore[attr-defined]
    if not all(e.is_polynomial(*symbols) for e in expressions):
        return []
    degrees = [sympy.total_degree(e, *symbols) for e in expressions]
    degree = max(degrees)
    if most is not None and math.prod(degrees) > most:
        return []  # Bezout: eliminating would take minutes, and the box will be searched anyway
    if degree > 1 and (len(symbols) > 4 or degree > 6):
        return []
    try:
        solutions = sympy.solve(expressions, symbols, dict=True)
    except NotImplementedError:  # how SymPy says that it knows no closed form: the numeric search goes on without
        return []
    points = [tuple(solution.get(s, s) for s in symbols) for solution in solutions]
    return [p for p in points if all(not x.free_symbols and abs(sympy.im(sympy.N(x, 30))) < 1e-20 for x in p)]


def _newton(game: Game, bounds: np.ndarray, seed: int) -> list[np.ndarray]:
    """Damped Newton on every start at once; singular Jacobians take the least-squares step."""
    rng = np.random.default_rng(seed)
    w = rng.uniform(bounds[:, 0], bounds[:, 1], (NEWTON_STARTS, game.dim))
    width = bounds[:, 1] - bounds[:, 0]
    with np.errstate(all="ignore"):
        for _ in range(NEWTON_STEPS):
            v, jacobian = game.field(w), game.jacobian(w)
            good = np.isfinite(v).all(-1) & np.isfinite(jacobian).all((-2, -1))
            w, v, jacobian = w[good], v[good], jacobian[good]
            step = (np.linalg.pinv(jacobian) @ v[..., None])[..., 0]
            longest = np.abs(step / width).max(-1, keepdims=True)
            w = w - step / np.maximum(1.0, 4.0 * longest)
        residual = np.linalg.norm(game.field(w), axis=-1)
    scale = 1e-10 * (1 + np.abs(bounds).max())
    return [np.asarray(p) for p in w[residual < scale]]


def _add(
    found: list[tuple[np.ndarray, tuple[Any, ...] | None]], point: np.ndarray, exact: tuple[Any, ...] | None
) -> None:
    if all(np.abs(point - other).max() > SAME_POINT * (1 + np.abs(point).max()) for other, _ in found):
        found.append((point, exact))


def _describe(game: Game, point: np.ndarray, exact: tuple[Any, ...] | None) -> FixedPoint:
    residual = float(np.linalg.norm(game.field(point))) if NUMPY in game.worlds else 0.0
    at: Any = point if exact is None or SYMBOLS not in game.worlds else exact
    return FixedPoint(point, exact, residual, linearize(game, at=at))
