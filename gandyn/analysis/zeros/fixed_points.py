"""Fixed points: zeros of the field, or of w - P(w - v(w)) under constraints, with proofs for games of expressions.

Affine fields are solved in exact arithmetic; in a box, interval arithmetic encloses every zero and excludes the rest
(`solutions.py`, `exclusion.py`). Games without expressions are searched by Newton's method alone, without proofs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ...arguments import box_array, numeric_equilibria
from ...budget import Budget, OutOfTimeError
from ...doors import door
from ...errors import DomainError, ParameterError
from ...lazy import sympy
from ...results import Found, Result, place
from ...types import Array, AsArray, FeasibleSet, Game
from ...worlds import NUMPY, SYMBOLS, exact, object_vector
from ..local.derivatives import DIGITS
from ..local.linearize import Linearization, Verdict, linearize
from .on_face import solve
from .solutions import Findings, Problem, Solution

NEWTON_STARTS, NEWTON_STEPS = 200, 60
SAME_POINT, MOST_UNPROVEN = 1e-7, 40
BUDGET, MOST_PROVEN = 30.0, 100
_PROVEN: dict[object, Findings] = {}  # what searches of this process have found: a box is decided once


@dataclasses.dataclass(frozen=True, repr=False)
class FixedPoint(AsArray, Result):
    """A point at which no player can gain to first order: v = 0, or w = P(w - v(w)) under constraints.

    P is the projection onto the feasible set.

    Attributes:
        point: coordinates as floats, shape (d,).
        exact: coordinates as SymPy expressions; None where they are only known numerically.
        residual: |w - P(w - v(w))| at the point, which is |v| without constraints, in the units of v; nan for a game
            that NumPy cannot evaluate.
        linearization: of the gradient flow at the point.
        enclosure: for each coordinate two ends between which a solution is proven to lie, shape (d, 2); None where
            nothing is proven.
        active: the bounds that hold with equality, as text.
        multipliers: by coordinate name, the size of the component of -v that presses against each active bound: 0
            where the bound is only touched, None where intervals leave the sign undecided.
        kinks: names of the coordinates in which the player's own cost has its least value at a kink: there 0 lies
            strictly between the one-sided slopes, and v need not vanish.
    """

    point: Array
    exact: tuple[sympy.Expr, ...] | None
    residual: float
    linearization: Linearization
    enclosure: Array = None
    active: tuple[str, ...] = ()
    multipliers: dict[str, float | None] = dataclasses.field(default_factory=dict)
    kinks: tuple[str, ...] = ()

    _data = "game=linearization.game point exact residual kind enclosure active multipliers kinks"
    _plot = "fixed_point"
    _array = "point"

    @property
    def coordinates(self) -> tuple[sympy.Expr, ...] | Array:
        """The exact coordinates where they are known, else the floats; analyses given this as `at=` use them."""
        return self.point if self.exact is None else self.exact

    @property
    def kind(self) -> str:
        """Stability under the linearised flow in one word: attracting, repelling, saddle, marginal, undecided ..."""
        found = self.linearization.verdict
        return (Verdict.UNDECIDED if found is Verdict.NO_EQUILIBRIUM else found).value

    @property
    def proven(self) -> bool:
        """Whether a solution is proven to exist in `enclosure`."""
        return self.enclosure is not None

    def summary(self) -> str:
        """Coordinates, kind, active bounds and kinks, and whether the point is proven, as text."""
        text = f"{place(self.point if self.exact is None else self.exact)}: {self.linearization.worded(self.kind)}"
        if self.linearization.verdict is Verdict.MARGINAL:
            text += " to first order"
        if self.active:
            held = (
                f"{a} (multiplier {_number(m)})" for a, m in zip(self.active, self.multipliers.values(), strict=True)
            )
            text += f", on {', '.join(held)}"
        if self.kinks:
            text += f", at a kink of the own cost along {', '.join(self.kinks)}"
        return text if self.proven else f"{text}; unproven: no enclosure confirms it"


def _number(multiplier: float | None) -> str:
    return "undecided" if multiplier is None else "0, degenerate" if multiplier == 0 else f"{multiplier:.6g}"


class FixedPoints(Found[FixedPoint]):
    """A list of `FixedPoint`s with the information whether it is proven to be complete.

    Attributes:
        complete: True if every point is proven, and it is proven that the box (or, without one, the whole feasible
            set) holds no other.
        reason: the argument of the proof, or why there is none.
    """

    @property
    def proven(self) -> int:
        """The number of points whose existence is proven."""
        return sum(p.proven for p in self)


@door
def fixed_points(
    game: Game, box: Sequence[tuple[float, float]] | None = None, seed: int = 0, budget: float | Budget | None = BUDGET
) -> FixedPoints:
    """Solutions of the game, sorted by coordinates: zeros of w - P(w - v(w)), which is v(w) without constraints.

    P is the projection onto the feasible set. For a game given by expressions the box is searched with interval
    arithmetic, on every face of the feasible set: parts of it are proven to hold no solution, or exactly one (Krawczyk
    1969; Neumaier 1990, chapter 5). A solution at a bound is proven where v vanishes along the face and the multiplier,
    the component of -v that presses against the bound, is positive, or exactly zero. A game that averages over data is
    searched by its mean field. Where v is affine on a face it is solved exactly; there, and for polynomials that
    separate into groups of one or two unknowns, no box is needed.

    `.complete` says whether all this is proven for the whole box, and `.reason` says why or why not. It cannot be
    proven at degenerate zeros: at a double root, or where zeros fill a line, the reason names a point near which the
    search is undecided. Such a point is listed where it is exactly a zero, and as unproven where it is only suspected
    to be one. A zero within rounding of the box's edge counts as inside. The search does not depend on units or
    position: it runs in the box's own units, from its middle.

    Args:
        game: the game.
        box: one (low, high) pair per coordinate, in which to search; required where nothing else bounds the zeros and
            the game has no known equilibria.
        seed: of the random starts of Newton's method, for games without expressions.
        budget: seconds, or a `Budget`; when they run out, the list holds what was found so far. None for no limit.

    Returns:
        `FixedPoints`, a list of points; `.complete` says whether it is proven to hold all of them, and `.reason` why
        not.

    Raises:
        ParameterError: for a box of the wrong shape, or where a box is needed and none is given or known.

    Example:
        >>> import gandyn as gd
        >>> gd.fixed_points(gd.games.bilinear())[0].kind
        'marginal'
        >>> found = gd.fixed_points(gd.games.forsaken(), box=[(-2, 2), (-2, 2)])
        >>> len(found), found.complete
        (1, True)
    """
    bounds = None if box is None else box_array(game, box)
    mean, time = game.mean() or game, Budget.of(budget)
    found = _proven(mean, bounds, time)
    if found is None:
        found = _found(mean, bounds, seed, time)
    own = _own_box(mean) if bounds is None and found.obstacles else None
    if own is not None:
        bounds = own
        found = _proven(mean, own, time) or _found(mean, own, seed, time)
    if bounds is None and not found.solutions and found.obstacles:
        raise ParameterError(
            f"no closed form for the fixed points of {game.name}", "a box to search", "box=[(-2, 2)] * game.dim"
        )
    points = sorted(found.solutions, key=lambda s: tuple(s.floats))
    proven = sum(s.enclosure is not None for s in points)
    if not found.obstacles:
        where = "none elsewhere in the box" if bounds is not None else "no other"
        reason = f"{_argument(found)}: {proven} isolated zero{'' if proven == 1 else 's'}, and {where}"
        return FixedPoints((_describe(mean, s) for s in points), True, reason)
    reasons = "; ".join(dict.fromkeys(found.obstacles))
    return FixedPoints((_describe(mean, s) for s in points), False, f"{proven} proven; {reasons}")


def _own_box(game: Game) -> Array | None:
    """The feasible set of a game whose players are kept in a bounded box; None for others."""
    own = getattr(game.projection, "bounds", None)
    if own is None or any(end is None or not np.isfinite(float(end)) for pair in own for end in pair or (None,)):
        return None
    return box_array(game, own)


def _argument(found: Findings) -> str:
    return "; ".join(sorted(found.arguments)) or "exact arithmetic"


def _proven(game: Game, bounds: Array | None, budget: Budget) -> Findings | None:
    """The search with proofs; None for games that are not given by expressions, or whose constraints are not known."""
    if not game.symbolic or any(e.free_symbols - set(game.symbols) for e in game.field_exprs):
        return None
    try:
        feasible = game.feasible_set()
        feasible.faces()
    except DomainError:
        return None
    known = tuple(numeric_equilibria(game))
    box = None if bounds is None else [(float(a), float(b)) for a, b in bounds]
    costs = tuple(e for e, player in zip(game.exprs, game.players, strict=True) for _ in range(player.size))
    problem = Problem(game.symbols, game.field_exprs, feasible, box, known, budget, costs)
    content = game.symbols, game.field_exprs, game.projection, known, costs, str(box)
    if content in _PROVEN:
        return _PROVEN[content]
    found = Findings()
    try:
        solve(problem, found)
    except OutOfTimeError:
        found.obstacles.append(budget.reason)
    if not budget.out:
        _PROVEN[content] = found
        if len(_PROVEN) > MOST_PROVEN:
            del _PROVEN[next(iter(_PROVEN))]
    return found


def _found(game: Game, bounds: Array | None, seed: int, budget: Budget) -> Findings:
    """Known equilibria and where Newton's method on the natural residual comes to rest, none of it proven."""
    everywhere = FeasibleSet.space(game.dim)
    points = [np.array([complex(x).real for x in p]) for p in numeric_equilibria(game)]
    if bounds is not None:
        points += _newton(game, bounds, seed, budget)
        points = [p for p in points if ((p >= bounds[:, 0]) & (p <= bounds[:, 1])).all()]
    kept: list[Array] = []
    for p in points:
        scale = SAME_POINT * (np.abs(p).max() + 1e-300 if bounds is None else np.diff(bounds)[:, 0])
        if all((np.abs(p - q) > scale).any() for q in kept):
            kept.append(p)
    face = everywhere.face([0.0] * game.dim)
    why = "found by search: the game has no expressions to bound, or a projection whose faces are not known"
    return Findings([Solution(tuple(map(exact, p)), False, None, face, {}) for p in kept[:MOST_UNPROVEN]], [why])


def _newton(game: Game, bounds: Array, seed: int, budget: Budget) -> list[Array]:
    """Damped Newton on every start at once; the slopes of w - P(w - v(w)) are taken by differences."""
    rng = np.random.default_rng(seed)
    w = rng.uniform(bounds[:, 0], bounds[:, 1], (NEWTON_STARTS, game.dim))
    width = bounds[:, 1] - bounds[:, 0]
    step = np.full_like(w, np.inf)
    with np.errstate(all="ignore"):
        for _ in range(NEWTON_STEPS):
            residual = np.asarray(game.natural_residual(w))
            slopes = np.asarray(game.jacobian(w)) if not game.constrained else _differences(game, w, 1e-7 * width)
            good = np.isfinite(residual).all(-1) & np.isfinite(slopes).all((-2, -1))
            w, residual, slopes = w[good], residual[good], slopes[good] * width
            step = (np.linalg.pinv(slopes) @ residual[..., None])[..., 0]
            w = w - width * step / np.maximum(1.0, 4.0 * np.abs(step).max(-1, keepdims=True))
            if budget.out:
                break
    return [np.asarray(p) for p in w[np.abs(step).max(-1, initial=0.0) < 1e-9]]


def _differences(game: Game, w: Array, h: Array) -> Array:
    columns = [game.natural_residual(w + e) - game.natural_residual(w - e) for e in np.diag(h)]
    return np.stack([c / (2 * size) for c, size in zip(columns, h, strict=True)], axis=-1)


def _describe(game: Game, found: Solution) -> FixedPoint:
    lin = linearize(game, at=found.point if SYMBOLS in game.worlds else found.floats)
    if found.enclosure is not None and not (found.kinks or lin.equilibrium or game.constrained):
        found = _polished(game, found)
        lin = linearize(game, at=found.point)
    w, form = found.floats, found.point if found.exact else None
    residual = float(np.linalg.norm(game.natural_residual(w))) if NUMPY in game.worlds else float("nan")
    names = list(map(str, game.symbols or range(game.dim)))
    sides, feasible = found.face.sides, found.face.set
    active = tuple(f"{names[k]} = {feasible.low[k] if sides[k] < 0 else feasible.high[k]}" for k in found.multipliers)
    multipliers = {names[k]: _middle(*ends) for k, ends in found.multipliers.items()}
    kinks = tuple(names[k] for k in found.kinks)
    return FixedPoint(w, form, residual, lin, found.enclosure, active, multipliers, kinks)


def _polished(game: Game, found: Solution) -> Solution:
    """Newton's method in 40 digits: where the field cancels nearly all of its digits, floats end beside the zero."""
    point = sympy.Matrix([sympy.N(e, DIGITS) for e in found.point])
    for _ in range(6):
        row = object_vector(point)
        slopes = sympy.Matrix(game.dim, game.dim, [*np.ravel(game.jacobian(row))])
        point -= slopes.LUsolve(sympy.Matrix([*game.field(row)]))
    assert found.enclosure is not None
    low, high = found.enclosure.T
    near = all(a <= p <= b for a, p, b in zip(low, map(float, point), high, strict=True))
    return dataclasses.replace(found, point=tuple(point)) if near else found


def _middle(low: float, high: float) -> float | None:
    """The middle of a multiplier's enclosure; None where its sign is open."""
    return 0.0 if low == high == 0 else low + (high - low) / 2 if low > 0 else None
