"""What proofs are about: the augmented map of a rule, its iterates, or the field of a flow, on balls."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from ...dynamics.trace import update_map
from ...errors import DomainError, NotDifferentiableError, ParameterError
from ...lazy import sympy
from ...symbolic.balls import Ball, BallFunction, ball_of, require_flint
from ...types import Array, Game, Rule
from ...types.signs import is_zero, simplified
from ...worlds import SYMBOLS, exact, object_vector
from ..local.dynamics import step_counts
from ..parameters.freed import freed
from .ball_matrices import identity, meet, middle

Range = tuple[Fraction, Fraction]


@dataclasses.dataclass(frozen=True)
class System:
    """z -> F(z; p) for a rule, or the field v(w; p) for a flow, with everything that a proof asks of it."""

    game: Game
    rule: Rule | None
    function: Any  # F or v, with its Jacobian
    start: BallFunction  # the rule's initial augmented state as a function of w
    names: tuple[str, ...]  # names of the augmented coordinates; the first `game.dim` are the game's
    parameters: tuple[str, ...]  # names of the parameters, in the order in which values are passed
    # expressions, bindings: the program of F or v
    expressions: tuple[sympy.Expr, ...]
    bindings: tuple[tuple[sympy.Expr, sympy.Expr], ...]
    beginnings: tuple[sympy.Expr, ...]  # the initial state as expressions
    units: Array

    @property
    def reach(self) -> Array:
        """How far each coordinate of the game, in its unit, moves with a start at distance 1: 1 / units, (d,)."""
        return 1 / self.units[: self.game.dim]

    def in_units(self, half: Array, w: Array, p: Sequence[Ball]) -> System:
        """The same system in units of a box: of its half widths, (d,), and of how much the rule's state moves in it.

        Powers of two change no rounding. Neither the units of the game nor those of one player then matter.

        `half`: of the box; `w`, `p`: balls that hold it, and the parameters.
        """
        d = self.game.dim
        begun = self.start.enclose(w, p)[0]
        moved = self.function.enclose(begun, p)[0] if len(begun) > d else begun
        spans = [(a.union(b)).rad() for a, b in zip(begun[d:], moved[d:], strict=True)]
        sizes = np.array([*half, *map(float, spans)])
        with np.errstate(divide="ignore"):
            units = 2.0 ** np.round(np.log2(np.where(np.isfinite(sizes) & (sizes > 0), sizes, 1.0)))
        factors = [exact(float(u)) for u in units]
        into = {s: u * s for s, u in zip(self.function.coordinates, factors, strict=True)}
        at_start = {s: u * s for s, u in zip(self.start.coordinates, factors, strict=False)}
        outputs = tuple(e.xreplace(into) / u for e, u in zip(self.expressions, factors, strict=True))
        bindings = tuple((name, e.xreplace(into)) for name, e in self.bindings)
        first = tuple(exact(e).xreplace(at_start) / u for e, u in zip(self.beginnings, factors, strict=True))
        free = self.function.parameters
        return dataclasses.replace(
            self,
            function=BallFunction(self.function.coordinates, free, outputs, bindings),
            start=BallFunction(self.start.coordinates, free, first),
            expressions=outputs,
            bindings=bindings,
            beginnings=first,
            units=units,
        )

    @functools.cached_property
    def affine(self) -> bool:
        """Whether F and the initial state are affine in each parameter: convex bounds then need only the corners."""
        told = [*self._resolved, *self.beginnings]
        return all(sympy.expand(sympy.diff(e, p, 2)) == 0 for e in told for p in self.function.parameters)

    @functools.cached_property
    def _resolved(self) -> list[sympy.Expr]:
        """The entries of F or v as expressions in which names of intermediate results are replaced by their values."""
        values: dict[sympy.Symbol, Ball] = {}
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
        values: dict[sympy.Symbol, Ball] = dict(zip(self.function.coordinates, z, strict=True))
        for name, e in self.bindings:
            values[name] = e.xreplace(values)
        images = [e.xreplace(values) for e in self.expressions]
        targets = [0] * len(z) if self.flow else z
        fixed = all(v.is_Rational for v in z) and all(is_zero(e - t) for e, t in zip(images, targets, strict=True))
        return object_vector(map(ball_of, z)) if fixed else None

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
            rows = np.maximum(np.abs(slope).max(-1, keepdims=True), 1e-300)
            step = np.linalg.lstsq(slope / rows, value / rows[:, 0], rcond=None)[0]
            z = z - step
            if np.abs(step).max() <= 1e-15 * (1 + np.abs(z).max()):
                break
        return z if np.isfinite(z).all() and np.abs(step).max() < 1e-9 * (1 + np.abs(z).max()) else None


def system(game: Game, rule: Rule | None, parameters: Mapping[str, Range] | None = None) -> System:
    """Trace a rule, or take the field of the flow, ready for balls, with the parameters of these ranges free. Raises
    DomainError for games and rules with kinks, without a symbolic form, or whose map changes with the step count;
    ParameterError for a name that is neither a field of the rule nor a free symbol, and for a range that the symbol's
    own assumptions exclude.
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
    symbols = tuple(game.symbols or sympy.symbols(f"w1:{game.dim + 1}", real=True))
    outputs = [exact(e) for e in game.field(object_vector(symbols))]
    free = _free(outputs, (), symbols, spans, what)
    function = BallFunction(symbols, free, outputs, what=what)
    start = BallFunction(symbols, free, symbols, what=what)
    names, held = tuple(map(str, symbols)), tuple(map(str, free))
    units = np.ones(len(names))
    return System(game, None, function, start, names, held, tuple(outputs), (), symbols, units)


def _of_rule(game: Game, rule: Rule, spans: Mapping[str, Range], what: str) -> System:
    traced = update_map(game, rule)
    expressions = [*(e for _, e in traced.bindings), *traced.outputs]
    counted = step_counts(traced)
    if counted:
        raise DomainError(
            f"a proof about {what}, whose map changes with {', '.join(map(str, counted))}",
            "the same map at every step",
            "use gd.linearize, which takes the limit, or a rule without bias correction and schedules",
        )
    symbols = traced.symbols[: game.dim]
    initial = rule.init(game, object_vector(symbols))
    beginnings = [*symbols, *(exact(e) for _, array in initial.leaves() for e in array)]
    names = {name for name, _ in traced.bindings}
    free = _free([*expressions, *beginnings], names, traced.symbols, spans, what)
    function = BallFunction(traced.symbols, free, traced.outputs, traced.bindings, what)
    start = BallFunction(symbols, free, beginnings, what=what)
    augmented, held = tuple(map(str, traced.symbols)), tuple(map(str, free))
    units = np.ones(len(augmented))
    return System(
        game, rule, function, start, augmented, held, traced.outputs, traced.bindings, tuple(beginnings), units
    )


def _free(
    expressions: Sequence[sympy.Expr],
    names: Collection[sympy.Symbol],
    symbols: Sequence[sympy.Symbol],
    spans: Mapping[str, Range],
    what: str,
) -> tuple[sympy.Symbol, ...]:
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
    """Parameter ranges as exact fractions, decimals read as printed. Raises ParameterError unless low <= high."""
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


class Iterated:
    """F^k with its Jacobian, by the chain rule along the orbit of a box; it has the methods of `BallFunction`.

    The box after j steps is enclosed as F^j(c) + DF^j (z - c): it turns with the map, where boxes along the axes would
    grow at every step.
    """

    def __init__(self, function: BallFunction, times: int) -> None:
        self.function, self.times = function, times
        self.coordinates, self.parameters = function.coordinates, function.parameters

    def enclose(self, z: Array, p: Sequence[Ball]) -> tuple[Array, Array]:
        """Balls that hold F^k(z), shape (n,), and its Jacobian, shape (n, n), for all z and p in the given balls."""
        centre = middle(z)
        offset, slope, box = z - centre, identity(len(z)), z
        for _ in range(self.times):
            value, jacobian = self.function.enclose(box, p)
            slope = jacobian @ slope
            centre = self.function.enclose(centre, p)[0]
            turned = centre + slope @ offset
            box = object_vector(meet(a, b) for a, b in zip(turned, value, strict=True))
            if not all(b.is_finite() for b in box):
                break
        return box, slope

    def values(self, z: Array, p: Sequence[float]) -> Array:
        """F^k(z) in floats, of the same shape as z."""
        for _ in range(self.times):
            z = self.function.values(z, p)
        return z

    def jacobian(self, z: Array, p: Sequence[float]) -> Array:
        """The Jacobian of F^k in floats at points z of shape (..., n), as an array of shape (..., n, n)."""
        slope = np.eye(np.shape(z)[-1])
        for _ in range(self.times):
            slope = self.function.jacobian(z, p) @ slope
            z = self.function.values(z, p)
        return slope
