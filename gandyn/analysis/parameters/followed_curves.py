"""Bifurcation curves of equilibria that are not known in closed form: followed in two parameters at once.

With z the equilibrium, unknown as well, the equations G(z; p, q) = 0 and test(DG) = 0 leave a curve in (z, q, p). The
test function is det(J - 1) at a fold, det(J + 1) at a flip, and the product of l_i l_j - 1 over pairs of eigenvalues at
a Neimark-Sacker point; for a flow det(J), and the product of l_i + l_j at a Hopf point (Kuznetsov 2004, chapter 10).
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from ...arguments import box_array
from ...budget import Budget
from ...lazy import sympy
from ...types import Array, Game, Rule
from .arcs import Side, chosen_of, critical_of, name_of, runs, side_at, sides_of
from .bifurcation import followed_points, lies_on
from .branches import Kind
from .continuation import Curve, Family, follow, locate
from .freed import freed, valued
from .system import System, system
from .two_parameters import BifurcationCurves, BoundaryCurve, SpecialPoint

LINES = (0.5, 0.2, 0.8)  # where starts are sought, in parts of each range
STEP, NUDGE = 0.02, 1e-6
KINDS = (Kind.FOLD, Kind.FLIP, Kind.NEIMARK_SACKER, Kind.HOPF)


@dataclasses.dataclass(frozen=True)
class Bordered(Family):
    """Fixed points on the stability boundary, in (z, q, p): the test function is the last equation."""

    kind: Kind = Kind.FOLD  # of the points

    def matrices(self, x: Array) -> Array:
        """The derivative in z alone at scaled unknowns (..., D + 2), shape (..., D, D)."""
        y = x * self.scale + self.origin
        return self.system.jacobian(y[..., :-1], y[..., -1])[..., :-1, :-1]

    def test(self, x: Array, kind: Kind) -> Array:
        """The function that is 0 where an eigenvalue or a pair of this kind lies on the boundary, shape (...)."""
        matrix = self.matrices(x)
        size = matrix.shape[-1]
        if kind in (Kind.FOLD, Kind.FLIP):
            target = 0.0 if not self.system.discrete else 1.0 if kind is Kind.FOLD else -1.0
            return np.asarray(np.linalg.det(matrix - target * np.eye(size)))
        values = np.linalg.eigvals(matrix).astype(complex)
        total = np.ones(values.shape[:-1], dtype=complex)
        for i, j in itertools.combinations(range(size), 2):
            a, b = values[..., i], values[..., j]
            total = total * (a * b - 1 if self.system.discrete else a + b)
        return total.real

    def residual(self, x: Array) -> Array:
        """G and the test function at x, in units of `rows`."""
        z, p = self.split(x)
        image = self.system(z, p)
        g = image - z if self.system.discrete else image
        return np.append(g[:-1], self.test(x, self.kind)) / self.rows

    def derivative(self, x: Array) -> Array:
        """The derivative of `residual`; the test function's by central differences, which Newton's method forgives."""
        rows = super().derivative(x)
        nudges = NUDGE * np.eye(len(x))
        with np.errstate(all="ignore"):
            slopes = (self.test(x + nudges, self.kind) - self.test(x - nudges, self.kind)) / (2 * NUDGE)
        rows[-1] = slopes / self.rows[-1]
        return rows

    def eigenvalues(self, x: Array) -> Array:
        """The eigenvalues of the derivative in z, complex, shape (..., D)."""
        return np.asarray(np.linalg.eigvals(self.matrices(x)).astype(complex))

    def pair_sum(self, x: Array) -> float:
        """The sum of the two eigenvalues whose product is nearest to 1: 2 cos of the angle of a pair on the circle."""
        pairs = list(itertools.combinations(self.eigenvalues(x), 2))
        a, b = min(pairs, key=lambda ab: abs(ab[0] * ab[1] - 1))
        return float((a + b).real)


@dataclasses.dataclass
class Follower:
    """A game and rule with two free parameters, a box of equilibria, and a rectangle of parameters."""

    game: Game
    rule: Rule | None
    symbols: tuple[sympy.Symbol, sympy.Symbol]
    ranges: tuple[tuple[float, float], tuple[float, float]]
    box: Array
    time: Budget

    def found(self) -> list[tuple[Bordered, Curve]]:
        """Every curve through a bifurcation point of six lines of the rectangle, once."""
        found: list[tuple[Bordered, Curve]] = []
        program = self._program()
        for kind, x in self._starts(program):
            family = self._family(program, kind)
            scaled = (x - family.origin) / family.scale
            if self.time.out or any(f.kind is kind and lies_on(scaled, c) for f, c in found):
                continue
            steep = np.abs(family.derivative(scaled)).max(-1)
            family = dataclasses.replace(family, rows=family.rows * np.where(steep > 0, steep, 1.0))
            tangent = np.linalg.svd(family.derivative(scaled))[2][-1]
            start = family.correct(scaled, tangent)
            if start is not None and not any(f.kind is kind and lies_on(start, c) for f, c in found):
                low, high = self.ranges[0]
                found.append((family, self._cut(family, follow(family, start, low, high, STEP, 1.0))))
        return found

    def special(self, family: Bordered, curve: Curve) -> Iterator[tuple[str | None, Array]]:
        """Places between which a second condition changes its sign, located; a cusp by its name, others by None."""
        others = [k for k in KINDS if k is not family.kind and (k is Kind.HOPF) != family.system.discrete]
        others = [k for k in others if family.system.discrete or k is not Kind.FLIP]
        others = [k for k in others if k is not Kind.NEIMARK_SACKER or family.system.discrete]
        values: list[Callable[[Array], float]] = [functools.partial(family.test, kind=k) for k in others]
        if family.kind is Kind.NEIMARK_SACKER:
            values += [functools.partial(_resonance, family, s) for s in (0.0, -1.0)]
        for a, b, t, after in zip(
            curve.points, curve.points[1:], curve.tangents, curve.tangents[1:], strict=False
        ):  # fmt: skip
            for value in values:
                if value(a) * value(b) < 0 and (x := locate(family, a, b, t, value)) is not None:
                    yield None, x
            if family.kind is Kind.FOLD and t[-2:] @ after[-2:] < 0:
                x = locate(family, a, b, t, lambda x, t=t: family.tangent(x, t)[-2:] @ t[-2:])
                if x is not None:
                    yield "cusp", x

    def _program(self) -> System:
        """The map or flow with q as a last coordinate that stands still, and p free."""
        p, q = self.symbols
        made = system(self.game, self.rule, p, others=(q,))
        return dataclasses.replace(made, symbols=(*made.symbols, q), outputs=(*made.outputs, q))

    def _family(self, program: System, kind: Kind) -> Bordered:
        (low, high), (bottom, top) = self.ranges
        half = np.diff(self.box)[:, 0] / 2
        more = program.size - 1 - len(half)
        z = [*(2 * half), *[2 * half.max()] * more]
        origin = [*self.box.mean(-1), *[0.0] * more, (bottom + top) / 2, low]
        scale = np.array([*z, (top - bottom) / 2, high - low])
        return Bordered(program, scale, np.array(origin), np.ones(program.size), 1.0, kind)

    def _starts(self, program: System) -> Iterator[tuple[Kind, Array]]:
        """Bifurcation points with one parameter fixed, as (z, q, p)."""
        for share, held in itertools.product(LINES, (1, 0)):
            if self.time.out:
                return
            low, high = self.ranges[held]
            value = low + share * (high - low)
            game, rule = valued(self.game, self.rule, _fractions([self.symbols[held]], [value]))
            free, ends = self.symbols[1 - held], self.ranges[1 - held]
            for point in followed_points(game, rule, free, self.box, *ends, self.time):
                if point.kind in KINDS:
                    both = (point.parameter, value) if held == 1 else (value, point.parameter)
                    exact = valued(self.game, self.rule, _fractions(self.symbols, both))
                    yield point.kind, np.array([*system(*exact).start(point.point), both[1], both[0]])

    def _cut(self, family: Bordered, curve: Curve) -> Curve:
        """A curve whose ends that left the range of q are moved back onto its border."""
        points, tangents = list(curve.points), list(curve.tangents)
        for end, before in ((0, 1), (-1, -2)):
            if len(points) > 2 and abs(points[end][-2]) > 1:
                a, b = points[before], points[end]
                fixed = np.eye(len(a))[-2]
                share = (np.sign(b[-2]) - a[-2]) / (b[-2] - a[-2])
                edge = family.correct(a + share * (b - a), fixed)
                if edge is None:
                    del points[end], tangents[end]
                else:
                    points[end] = edge
        return Curve(np.array(points), np.array(tangents), curve.ends)


def _resonance(family: Bordered, target: float, x: Array) -> float:
    return family.pair_sum(x) - target


def _fractions(symbols: Iterable[sympy.Symbol], values: Iterable[float]) -> dict[sympy.Symbol, sympy.Rational]:
    return {symbol: sympy.Rational(float(value)) for symbol, value in zip(symbols, values, strict=True)}


def followed_curves(
    game: Game, rule: Rule | None, names: tuple[str, ...], bounds: Array, box: object, length: float, time: Budget
) -> BifurcationCurves:
    """Curves of equilibria without a formula, and what was located on them."""
    symbols = []
    for name in names:
        rule, symbol = freed(game, rule, name, real=True)
        symbols.append(symbol)
    ranges = ((bounds[0, 0], bounds[0, 1]), (bounds[1, 0], bounds[1, 1]))
    follower = Follower(game, rule, (symbols[0], symbols[1]), ranges, box_array(game, box), time)
    arcs: list[BoundaryCurve] = []
    points: list[SpecialPoint] = []
    for family, curve in follower.found():
        values = np.array([family.eigenvalues(x) for x in curve.points])
        for called, x in follower.special(family, curve):
            critical = critical_of(family.eigenvalues(x), rule is None)
            called = called or name_of(critical, rule is None)
            z, p = family.split(x)
            place = (p, float(z[-1]))
            if called and not any(s.name == called and np.allclose(s.values, place, atol=1e-5) for s in points):
                points.append(SpecialPoint(called, place, critical))
        units = curve.points * family.scale + family.origin
        for low, high, edge in runs(family.kind, values, rule is None):
            part = units[low:high]
            chosen = chosen_of(part)
            asked = [functools.partial(_side, follower, family.kind, x, length) for x in part[chosen]]
            numbers, side = sides_of(family.kind, asked, time)
            plane, w = part[:, [-1, -2]], part[:, : game.dim]
            arcs.append(BoundaryCurve(family.kind, None, plane, edge, numbers, plane[chosen][: len(numbers)], side, w))
    reason = "followed from six lines of the rectangle: what meets none of them is missing"
    head = (game, rule, (), (symbols[0], symbols[1]), ranges, None)
    return BifurcationCurves(*head, tuple(arcs), tuple(points), False, time.reason if time.out else reason)


def _side(follower: Follower, kind: Kind, x: Array, length: float) -> Side:
    values = _fractions(follower.symbols, x[[-1, -2]])
    return side_at(*valued(follower.game, follower.rule, values), kind, x[: follower.game.dim], length)
