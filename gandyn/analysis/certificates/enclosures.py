"""What proofs are about: the augmented map of a rule, or the field of a flow, on balls; and linear algebra on balls."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from ...errors import DomainError, NotDifferentiableError, ParameterError
from ...lazy import sympy
from ...symbolic.balls import Ball, BallFunction, ball_of, hull, namespace, require_flint
from ...types import Array, Game, Rule
from ...types.signs import is_zero, simplified
from ...worlds import SYMBOLS, exact
from ..parameters.freed import freed

Range = tuple[Fraction, Fraction]
NORM_SLACK = 1e-9


@dataclasses.dataclass(frozen=True)
class System:
    """z -> F(z; p) for a rule, or the field v(w; p) for a flow, with everything that a proof asks of it.

    Attributes:
        function: F or v, with its Jacobian.
        start: the rule's initial augmented state as a function of w.
        expressions, bindings: the program of F or v.
        beginnings: the initial state as expressions.
        names: names of the augmented coordinates; the first `game.dim` are the game's.
        parameters: names of the parameters, in the order in which values are passed.
    """

    game: Game
    rule: Rule | None
    function: Any
    start: BallFunction
    names: tuple[str, ...]
    parameters: tuple[str, ...]
    expressions: tuple[sympy.Expr, ...]
    bindings: tuple[tuple[Any, Any], ...]
    beginnings: tuple[sympy.Expr, ...]

    @functools.cached_property
    def affine(self) -> bool:
        """Whether F and the initial state are affine in each parameter: convex bounds then need only the corners."""
        told = [*self._resolved, *self.beginnings]
        return all(sympy.expand(sympy.diff(e, p, 2)) == 0 for e in told for p in self.function.parameters)

    @functools.cached_property
    def _resolved(self) -> list[sympy.Expr]:
        """The entries of F or v as expressions in which names of intermediate results are replaced by their values."""
        values: dict[Any, Any] = {}
        for name, e in self.bindings:
            values[name] = e.xreplace(values)
        return [e.xreplace(values) for e in self.expressions]

    @functools.cached_property
    def active(self) -> list[int]:
        """Indices of the coordinates on which the Jacobian depends; the map is affine in the others."""
        z = self.function.coordinates
        slopes = [sympy.expand(sympy.diff(e, s)) for e in self._resolved for s in z]
        found = set().union(*(e.free_symbols for e in slopes))
        return [k for k, s in enumerate(z) if s in found]

    def fixed_point_at(self, w: Sequence[object]) -> Array | None:
        """The augmented state that starts at a rational point w, if that is a fixed point for all parameters."""
        point = dict(zip(self.start.coordinates, map(exact, w), strict=True))
        if not all(v.is_Rational for v in point.values()):
            return None
        z = [simplified(e.xreplace(point)) for e in self.beginnings]
        values: dict[Any, Any] = dict(zip(self.function.coordinates, z, strict=True))
        for name, e in self.bindings:
            values[name] = e.xreplace(values)
        images = [e.xreplace(values) for e in self.expressions]
        targets = [0] * len(z) if self.flow else z
        fixed = all(v.is_Rational for v in z) and all(is_zero(e - t) for e, t in zip(images, targets, strict=True))
        return np.array([*map(ball_of, z), None], dtype=object)[:-1] if fixed else None

    @property
    def flow(self) -> bool:
        """Whether the system is the gradient flow (True) or the update map of a rule (False)."""
        return self.rule is None

    def residual(self, z: Array, p: Sequence[Ball]) -> tuple[Array, Array]:
        """(G, DG) on balls; G vanishes at fixed points: F(z) - z, or v(w)."""
        value, jacobian = self.function.enclose(z, p)
        return (value, jacobian) if self.flow else (value - z, jacobian - identity(len(z)))

    def newton(self, w: Sequence[float], p: Sequence[float]) -> Array | None:
        """A fixed point near w in floating point, (D,); None where Newton's method finds none."""
        return self.newton_from(self.start.values(np.asarray(w, dtype=float), p), p)

    def newton_from(self, z: Array, p: Sequence[float]) -> Array | None:
        """A fixed point near the augmented state z, shape (D,), in floats; None where Newton's method fails."""
        eye = 0.0 if self.flow else np.eye(len(z))
        for _ in range(60):
            value = self.function.values(z, p) - (0.0 if self.flow else z)
            slope = self.function.jacobian(z, p) - eye
            if not (np.isfinite(value).all() and np.isfinite(slope).all()):
                return None
            step = np.linalg.lstsq(slope, value, rcond=None)[0]
            z = z - step
            if np.abs(step).max() <= 1e-15 * (1 + np.abs(z).max()):
                break
        residual = self.function.values(z, p) - (0.0 if self.flow else z)
        return z if np.isfinite(residual).all() and np.abs(residual).max() < 1e-9 * (1 + np.abs(z).max()) else None


def system(game: Game, rule: Rule | None, parameters: Mapping[str, Range] | None = None) -> System:
    """Trace a rule, or take the field of the flow, ready for balls, with the parameters of these ranges free.

    Raises:
        DomainError: for games and rules with kinks, without a symbolic form, or whose map changes with the step count.
        ParameterError: for a name that is neither a field of the rule nor a free symbol, and for a range that the
            symbol's own assumptions exclude.
    """
    spans = dict(parameters or {})
    require_flint("a proof by ball arithmetic")
    what = f"{'the flow' if rule is None else repr(rule)} on {game.name}"
    if SYMBOLS not in game.worlds or not game.deterministic:
        raise DomainError(f"a proof about {what}", "a deterministic game defined by symbols", "gd.games.from_sympy")
    if not game.smooth or game.constrained or (rule is not None and not rule.domain.smooth):
        why = "the game's projection" if game.constrained else "a root, a sign or an absolute value"
        raise NotDifferentiableError(
            f"a proof about {what}, which is not smooth ({why})", "a smooth map", "use gd.basins, which follows the map"
        )
    for name, (low, _) in spans.items():
        rule, _ = freed(game, rule, name, **{"positive" if low > 0 else "real": True})
    if rule is not None:
        return _of_rule(game, rule, spans, what)
    symbols = _symbols(game)
    outputs = [exact(e) for e in game.field(np.array([*symbols, None], dtype=object)[:-1])]
    free = _free(outputs, (), symbols, spans, what)
    function = BallFunction(symbols, free, outputs, what=what)
    start = BallFunction(symbols, free, symbols, what=what)
    names, held = tuple(map(str, symbols)), tuple(map(str, free))
    return System(game, None, function, start, names, held, tuple(outputs), (), symbols)


def _of_rule(game: Game, rule: Rule, spans: Mapping[str, Range], what: str) -> System:
    from ...dynamics.trace import update_map

    traced = update_map(game, rule)
    expressions = [*(e for _, e in traced.bindings), *traced.outputs]
    counted = set(traced.counters) & set().union(*(e.free_symbols for e in expressions))
    if counted:
        raise DomainError(
            f"a proof about {what}, whose map changes with {', '.join(map(str, counted))}",
            "the same map at every step",
            "use gd.linearize, which takes the limit, or a rule without bias correction and schedules",
        )
    symbols = traced.symbols[: game.dim]
    initial = rule.init(game, np.array([*symbols, None], dtype=object)[:-1])
    beginnings = [*symbols, *(exact(e) for _, array in initial.leaves() for e in array)]
    names = {name for name, _ in traced.bindings}
    free = _free([*expressions, *beginnings], names, traced.symbols, spans, what)
    function = BallFunction(traced.symbols, free, traced.outputs, traced.bindings, what)
    start = BallFunction(symbols, free, beginnings, what=what)
    augmented, held = tuple(map(str, traced.symbols)), tuple(map(str, free))
    return System(game, rule, function, start, augmented, held, traced.outputs, traced.bindings, tuple(beginnings))


def _symbols(game: Game) -> tuple[sympy.Symbol, ...]:
    return tuple(game.symbols or sympy.symbols(f"w1:{game.dim + 1}", real=True))


def _free(
    expressions: Sequence[Any], names: Any, symbols: Sequence[Any], spans: Mapping[str, Range], what: str
) -> tuple[Any, ...]:
    found = set().union(*(e.free_symbols for e in expressions)) - set(names) - set(symbols)
    known = {str(s) for s in found}
    for name in spans:
        if name not in known:
            raise ParameterError(
                f"a range for {name!r}, on which {what} does not depend",
                f"one of {', '.join(sorted(known)) or 'none: nothing is free'}",
                "name a field of the rule, or build the game with a free symbol",
            )
    for name in sorted(known - set(spans)):
        raise ParameterError(f"a proof while {name} has no value", "a range for it", f"parameters={{{name!r}: (1, 2)}}")
    for s in found:
        _refuse_excluded(expressions, s, spans[str(s)])
    return tuple(sorted(found, key=str))


def _refuse_excluded(expressions: Sequence[sympy.Expr], symbol: sympy.Symbol, span: Range) -> None:
    """Refuse a range with values that the symbol's assumptions exclude, where they may have been used (sqrt(s^2) = s).

    Rational expressions never use them.
    """
    low, high = span
    excluded = (symbol.is_extended_nonnegative and low < 0) or (symbol.is_extended_nonpositive and high > 0)
    if excluded and not all(e.is_rational_function(symbol) for e in expressions):
        raise ParameterError(
            f"{symbol} from {low} to {high}, a symbol that is assumed to have one sign",
            "a range inside its assumptions",
            f"build it as sympy.Symbol({str(symbol)!r}, real=True)",
        )


def ranges(parameters: Mapping[str, object] | None) -> dict[str, Range]:
    """Parameter ranges as exact fractions, floats being read as the decimals that they print as.

    Raises:
        ParameterError: for what is neither a number nor (low, high) with low <= high.
    """
    result = {}
    for name, given in (parameters or {}).items():
        ends = tuple(given) if isinstance(given, (tuple, list)) else (given, given)
        try:
            values = [exact(v) for v in ends]
            low, high = (Fraction(int(v.p), int(v.q)) for v in values)
        except (AttributeError, TypeError, ValueError) as error:
            raise ParameterError(
                f"parameters={{{name!r}: {given!r}}}", "a rational number or (low, high)", f"{name}=(0.1, 0.2)"
            ) from error
        if low > high:
            raise ParameterError(f"parameters={{{name!r}: {given!r}}}", "low <= high", "swap the ends")
        result[str(name)] = (low, high)
    return result


# --- linear algebra on balls -------------------------------------------------------------------------------------


def one() -> Ball:
    """The number 1 as a ball of radius 0."""
    return namespace()["ball"](1)


def identity(n: int) -> Array:
    """The n by n identity matrix as an object array of balls of radius 0."""
    return points(np.eye(n))


def points(values: Array) -> Array:
    """Floats as balls of radius 0, in an object array of the same shape."""
    ball = namespace()["ball"]
    array = np.asarray(values, dtype=float)
    return np.array([ball(float(v)) for v in array.ravel()] + [None], dtype=object)[:-1].reshape(array.shape)


def box(low: Array, high: Array) -> Array:
    """Balls that enclose the intervals [low, high], one for each pair of floats."""
    return np.array([hull(a, b) for a, b in zip(low, high, strict=True)] + [None], dtype=object)[:-1]


def middle(balls: Array) -> Array:
    """The midpoints of an array of balls, as balls of radius 0."""
    return np.array([b.mid() for b in balls] + [None], dtype=object)[:-1]


def meet(x: Ball, y: Ball) -> Ball:
    """The intersection of two balls that enclose the same number."""
    if not x.is_finite():
        return y
    return x.intersection(y) if y.is_finite() else x


def ends(ball: Ball) -> tuple[float, float]:
    """The lower and the upper end of a ball as floats, rounded outward."""
    return _outward(ball.lower(), -np.inf), _outward(ball.upper(), np.inf)


def magnitude(ball: Ball) -> float:
    """The largest absolute value in a ball, as a float rounded up."""
    return _outward(ball.abs_upper(), np.inf)


def _outward(point: Ball, direction: float) -> float:
    value = float(point)
    return value if namespace()["ball"](value) == point else float(np.nextafter(value, direction))


def inverse(matrix: Array) -> Array | None:
    """The inverse of a matrix of balls; None where it is not proven invertible."""
    flint = require_flint("ball arithmetic")
    n = len(matrix)
    try:
        found = flint.arb_mat(n, n, list(matrix.ravel())).inv()
    except ZeroDivisionError:
        return None
    return np.array([*found.entries(), None], dtype=object)[:-1].reshape(n, n)


def positive_definite(matrix: Array) -> bool:
    """Whether every symmetric matrix in an enclosure is positive definite, by Gaussian elimination on balls."""
    rows = np.array(matrix, dtype=object)
    for k in range(len(rows)):
        if not rows[k, k] > 0:
            return False
        for i in range(k + 1, len(rows)):
            rows[i, k + 1 :] = rows[i, k + 1 :] - rows[i, k] / rows[k, k] * rows[k, k + 1 :]
    return True


def cholesky(matrix: Array) -> Array | None:
    """L with L L^T = matrix, lower triangular, as balls; None where the matrix is not proven positive definite."""
    n = len(matrix)
    lower = points(np.zeros((n, n)))
    for i in range(n):
        for j in range(i + 1):
            rest = matrix[i, j] - sum((lower[i, k] * lower[j, k] for k in range(j)), 0 * one())
            if i == j and not rest > 0:
                return None
            lower[i, j] = rest.sqrt() if i == j else rest / lower[j, j]
    return lower


def norm_bound(matrix: Array) -> float:
    """A number that the 2-norm of no matrix in the enclosure exceeds."""
    centre = np.array([[float(b.mid()) for b in row] for row in matrix])
    guess = float(np.linalg.norm(centre, 2))
    gram = matrix.T @ matrix
    for slack in (NORM_SLACK, 1e-6, 1e-3, 3e-2, 0.2, 1.0):
        bound = guess * (1 + slack) + 1e-300
        if positive_definite(points(np.eye(len(gram))) * namespace()["ball"](bound) ** 2 - gram):
            return bound
    return float(np.sqrt(sum(magnitude(b) ** 2 for b in matrix.ravel()))) * (1 + NORM_SLACK)
