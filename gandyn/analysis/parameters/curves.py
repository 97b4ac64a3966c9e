"""Bifurcation curves: the stability boundary of an equilibrium in the plane of two parameters, and where arcs meet."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterator, Sequence

import mpmath
import numpy as np

from ...arguments import positive
from ...budget import Budget, OutOfTimeError
from ...doors import door
from ...errors import ParameterError
from ...lazy import sympy
from ...types import Array, Game, Rule
from .arcs import ON_BOUNDARY, PAIRS, Side, chosen_of, name_of, runs, side_at, sides_of
from .boundary_polynomials import DIGITS, Pair, boundary_polynomials, common_zeros, resonances
from .branches import Kind
from .followed_curves import followed_curves
from .freed import freed, valued
from .stability import StabilityRegion, stability_region
from .two_parameters import BifurcationCurves, BoundaryCurve, SpecialPoint

CELLS = 320


@door
def bifurcation_curves(
    game: Game,
    rule: Rule | None,
    parameters: Sequence[str | sympy.Symbol] = ("lr", "gamma"),
    ranges: Sequence[tuple[float, float]] | None = ((0.0, 4.0), (0.0, 4.0)),
    at: Sequence[object] | None = None,
    length: float = 1.0,
    budget: float | Budget | None = 60.0,
    box: object = None,
) -> BifurcationCurves:
    """Curves in the plane of two parameters on which an equilibrium changes its stability, and their special points.

    An eigenvalue at 1 (0 for a flow), at -1 (a flip) or a pair on the boundary (Neimark-Sacker, or Hopf) is one
    polynomial condition in the parameters, taken exactly from the characteristic polynomial; its arcs are drawn over
    the rectangle, and each says whether the other eigenvalues lie on the stable side, so that it bounds the stable set.
    Points at which two conditions hold at once are common zeros of two polynomials and are found exactly, all of them:
    the strong resonances 1:1 to 1:4 of a map (a pair at the first to fourth roots of unity), fold-flip,
    Bogdanov-Takens, and meetings with a pair (Kuznetsov 2004, Elements of Applied Bifurcation Theory, 8 and 9).

    Arcs are traced on a grid of 320 x 320 cells and then moved onto the condition: one smaller than a cell is missed.

    With a `box`, equilibria are sought in it that need not be known in closed form, and may vanish: their folds, flips
    and pairs are found on six lines of the rectangle and followed in both parameters by pseudo-arclength, cusps and
    Bogdanov-Takens points on them located. What meets none of the six lines is missed.

    Args:
        game: a symbolic game; without a `box`, with an equilibrium that is known for all values of the parameters.
        rule: an update rule, or None for the gradient flow.
        parameters: names of two fields of the rule, or free symbols of the rule or game.
        ranges: (low, high) of each parameter.
        at: the equilibrium, shape (d,), in the parameters; the game's own by default.
        length: a typical length of the coordinates, over which the derivatives in normal forms are taken.
        budget: seconds, or a `Budget`, after which the answer is what was found so far; None for no limit.
        box: one (low, high) pair per coordinate, in which equilibria are sought whose formula is not known.

    Returns:
        A `BifurcationCurves`: `.curves`, `.points`, and whether the points are `.complete`.

    Raises:
        ParameterError: for other than two parameters, or ranges that are no intervals.
        DomainError: without an exact linearisation whose entries are rational functions of the parameters.
        OutOfTimeError: when not even the linearisation came in time.

    Example:
        >>> import gandyn as gd
        >>> game = gd.games.dirac_gan(penalty=gd.penalties.R1("gamma"))
        >>> found = gd.bifurcation_curves(game, gd.rules.GDA("lr"), ranges=[(0, 6), (0, 3)])
        >>> [(point.name, point.values) for point in found.points if point.name == "1:2"]
        [('1:2', (4, 1))]
    """
    listed = isinstance(parameters, (tuple, list)) and all(isinstance(p, (str, sympy.Symbol)) for p in parameters)
    if not listed or len(set(map(str, parameters))) != 2 or len(parameters) != 2:
        raise ParameterError(f"parameters={parameters!r}", "two names", 'parameters=("lr", "gamma")')
    positive("length", length)
    try:
        bounds = np.asarray(ranges, dtype=float)
    except (TypeError, ValueError):
        bounds = np.empty(0)
    if bounds.shape != (2, 2) or not (np.isfinite(bounds).all() and (bounds[:, 0] < bounds[:, 1]).all()):
        raise ParameterError(f"ranges={ranges!r}", "two pairs (low, high)", "ranges=[(0, 4), (0, 4)]")
    time = Budget.of(budget)
    for name, (low, _) in zip(parameters, bounds, strict=True):
        rule, symbol = freed(game, rule, str(name), **({"positive": True} if low >= 0 else {"real": True}))
        if low < 0 and symbol.is_nonnegative:
            given = f"ranges={ranges!r} of {name}, a symbol that is assumed positive"
            raise ParameterError(given, "a range of its values", f"sympy.Symbol('{name}', real=True)")
    if box is not None:
        return followed_curves(game, rule, tuple(map(str, parameters)), bounds, box, length, time)
    region = stability_region(game, rule, tuple(parameters), at, budget=time)
    plane = _Plane(region, ((bounds[0, 0], bounds[0, 1]), (bounds[1, 0], bounds[1, 1])), length, time)
    points, reason = plane.special_points()
    curves = tuple(plane.curves())
    reasons = [r for r in (reason, time.reason if time.out else "") if r]
    argument = "resultants of the conditions: every point of the rectangle at which two of them hold"
    return BifurcationCurves(
        region.game, region.rule, region.at, plane.symbols, plane.ranges, region.exact.matrix, curves, points,
        not reasons, "; ".join(reasons) or argument,
    )  # fmt: skip


@dataclasses.dataclass
class _Plane:
    """A rectangle of two parameters, with the linear part over it."""

    region: StabilityRegion
    ranges: tuple[tuple[float, float], tuple[float, float]]
    length: float
    time: Budget

    def __post_init__(self) -> None:
        if len(self.region.parameters) != 2:
            names = ", ".join(map(str, self.region.parameters))
            raise ParameterError(f"the free parameters {names}", "two", "give the others values")
        p, q = self.region.parameters
        self.symbols: tuple[sympy.Symbol, sympy.Symbol] = (p, q)
        self.flow = self.region.rule is None
        self.matrix = sympy.lambdify(self.symbols, self.region.exact.matrix, "numpy")
        self.factors = [f for f, _ in self.region.exact.factors]
        self.conditions: dict[tuple[Kind, sympy.Expr], None] = {}
        for f in self.factors:
            for kind, e in boundary_polynomials(f, self.flow).items():
                parts = [part for part, _ in sympy.factor_list(e, *self.symbols)[1]]
                never = [s for s in self.symbols if s.is_positive]
                self.conditions |= {(kind, part): None for part in parts if part not in never}
        self.points: Array = np.zeros((0, 2))

    # --- special points -----------------------------------------------------------------------------------------------

    def special_points(self) -> tuple[tuple[SpecialPoint, ...], str]:
        """All points at which two conditions hold, and "" or why some may be missing."""
        found: dict[Pair, SpecialPoint] = {}
        reasons: dict[str, None] = {}
        for what, first, second in self._systems():
            try:
                search = functools.partial(common_zeros, first, second, self.symbols, self.ranges)
                zeros = self.time.run(search, what)
            except OutOfTimeError:
                return tuple(found.values()), self.time.reason
            if zeros is None:
                reasons[f"{what} holds along a whole curve"] = None
            for values in zeros or ():
                if any(s.is_positive and v == 0 for s, v in zip(self.symbols, values, strict=True)):
                    continue
                point = self._named(values)
                if point is not None:
                    found.setdefault(values, point)
        order = sorted(found.values(), key=lambda s: tuple(map(float, s.values)))
        self.points = np.array([tuple(map(float, s.values)) for s in order]).reshape(-1, 2)
        return tuple(order), "; ".join(reasons)

    def _systems(self) -> Iterator[tuple[str, sympy.Expr, sympy.Expr]]:
        """Pairs of polynomials whose common zeros are the candidates; conditions are irreducible, so pairs differ."""
        for (kind, e), (other, f) in itertools.combinations(self.conditions, 2):
            yield f"{kind.value} with {other.value}", e, f
        for kind, e in self.conditions:
            if kind in PAIRS:
                yield f"two pairs, {kind.value}", e, e.diff(next(s for s in self.symbols if e.has(s)))
        for f in self.factors if not self.flow else ():
            if f.degree() > 1:
                for name, (a, b) in resonances(f).items():
                    yield f"the resonance {name}", a, b

    def _named(self, values: Pair) -> SpecialPoint | None:
        """The special point at these values, by its eigenvalues on the boundary; None where fewer than two are."""
        places = dict(zip(self.symbols, values, strict=True))
        roots: list[complex] = []
        with mpmath.workdps(DIGITS):
            for f, power in self.region.exact.factors:
                coefficients = [sympy.N(c.xreplace(places), DIGITS) for c in f.all_coeffs()]
                if any(c.has(sympy.zoo, sympy.nan, sympy.oo) for c in coefficients) or coefficients[0] == 0:
                    return None
                numbers = [c._to_mpmath(mpmath.mp.prec) for c in coefficients]
                roots += power * mpmath.polyroots(numbers, maxsteps=500, extraprec=4 * DIGITS)
        at = np.array([complex(r) for r in roots])
        far = np.abs(at.real) if self.flow else np.abs(np.abs(at) - 1)
        critical = at[far < ON_BOUNDARY * max(1.0, float(np.abs(at).max()))]
        name = name_of(critical, self.flow)
        return None if name is None else SpecialPoint(name, values, critical)

    # --- arcs ---------------------------------------------------------------------------------------------------------

    def curves(self) -> Iterator[BoundaryCurve]:
        """Every arc of every condition in the rectangle."""
        import contourpy

        (a, b), (c, d) = self.ranges
        x, y = np.linspace(a, b, CELLS + 1), np.linspace(c, d, CELLS + 1)
        for kind, part in self.conditions:
            if self.time.out:
                return
            value = sympy.lambdify(self.symbols, part, "numpy")
            grid = np.broadcast_to(value(x, y[:, None]), (CELLS + 1, CELLS + 1))
            slopes = sympy.lambdify(self.symbols, [part.diff(s) for s in self.symbols], "numpy")
            for line in contourpy.contour_generator(x, y, grid).lines(0.0):
                points = _moved_onto(np.asarray(line), value, slopes)
                for arc, edge in self._arcs(kind, points):
                    yield self._curve(kind, part, arc, edge)

    def _arcs(self, kind: Kind, points: Array) -> Iterator[tuple[Array, bool]]:
        """Runs of points with an eigenvalue of this kind on the boundary, and whether the others are stable there."""
        with np.errstate(all="ignore"):
            values = np.array([self._eigenvalues(p) for p in points])
        for low, high, edge in runs(kind, values, self.flow):
            yield self._reaching(points[low:high]), edge

    def _reaching(self, arc: Array) -> Array:
        """An arc that goes on to the special points beside its ends: there its last cell was cut."""
        cell = np.diff(self.ranges)[:, 0] / CELLS
        for end in (0, -1):
            near = [q for q in self.points if (np.abs(q - arc[end]) < 3 * cell).all() and (q != arc[end]).any()]
            if near:
                arc = np.insert(arc, 0 if end == 0 else len(arc), near[0], axis=0)
        return arc

    def _eigenvalues(self, p: Array) -> Array:
        matrix = np.array(self.matrix(*p), dtype=complex)
        return np.linalg.eigvals(matrix) if np.isfinite(matrix).all() else np.full(len(matrix), np.nan)

    def _curve(self, kind: Kind, part: sympy.Expr, points: Array, edge: bool) -> BoundaryCurve:
        places = points[chosen_of(points)]
        numbers, side = sides_of(kind, [functools.partial(self._criticality, kind, p) for p in places], self.time)
        return BoundaryCurve(kind, part, points, edge, numbers, places[: len(numbers)], side)

    def _criticality(self, kind: Kind, place: Array) -> Side:
        values = {s: sympy.Rational(float(v)) for s, v in zip(self.symbols, place, strict=True)}
        at = np.array([sympy.sympify(w, strict=True).subs(values) for w in self.region.at], dtype=float)
        return side_at(*valued(self.region.game, self.region.rule, values), kind, at, self.length)


def _moved_onto(points: Array, value: Callable[..., Array], slopes: Callable[..., Array]) -> Array:
    """Points of a traced line moved along the gradient until the condition holds to rounding."""
    for _ in range(6):
        g = np.array([np.broadcast_to(s, len(points)) for s in slopes(*points.T)], dtype=float).T
        square = (g**2).sum(-1)
        step = np.where(square > 0, value(*points.T) / np.where(square > 0, square, 1), 0)[:, None] * g
        points = points - step
    return points
