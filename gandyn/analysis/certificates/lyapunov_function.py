"""Quadratic Lyapunov functions: by the Lyapunov equation or a semidefinite program, rounded, verified exactly."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from ...arguments import given_or_known
from ...budget import Budget, in_time
from ...doors import door
from ...dynamics.trace import update_map
from ...errors import ConvergenceError, DomainError, MissingDependencyError
from ...lazy import sympy
from ...results import Result
from ...symbolic.balls import ball_of
from ...types import Array, Game, Rule
from ...worlds import exact, object_vector
from ..local.linearize import Linearization, Verdict, linearize
from .ball_matrices import positive_definite
from .common_form import common_form
from .enclosures import ranges, system
from .krawczyk import Unproven
from .proof import Proof, split
from .proven_basin import Decrease, largest
from .shapes import Sampler

DIGITS = (0, 1, 2, 3, 4, 6, 8, 10, 12)
MOST_SAMPLES = 27


@dataclasses.dataclass(frozen=True)
class Region:
    """Where V is proven to decrease under the nonlinear map or flow: 0 < V <= level, around the fixed point."""

    level: float  # c
    radius: float  # every start closer than this to the fixed point converges to it


@dataclasses.dataclass(frozen=True, repr=False)
class LyapunovFunction(Result):
    """V(z) = (z - z*)^T P (z - z*), positive, and decreasing under the linear part.

    Attributes:
        game, rule: the pair; rule is None for the flow.
        at: z*, augmented by the rule's state.
        symbols: z.
        matrix: P, rational, a SymPy matrix.
        decrease: the exact symmetric matrix of the change: A^T P + P A for the flow du/dt = A u, F^T P F - P for a map
            u+ = F u; negative definite. None for a family, whose A varies.
        parameters: ranges for all of which the same P serves.
        verified: that both signs are proven.
        method: how P was found; the proof does not depend on it.
    """

    game: Game
    rule: Rule | None
    at: tuple[sympy.Expr, ...]
    symbols: tuple[sympy.Symbol, ...]
    matrix: sympy.Matrix
    decrease: sympy.Matrix
    parameters: dict[str, tuple[float, float]]
    verified: bool
    method: str

    _data = "game rule at expression matrix decrease parameters verified method"
    _plot = "lyapunov_function"

    @property
    def expression(self) -> sympy.Expr:
        """V as a SymPy expression in the coordinates `symbols`."""
        u = sympy.Matrix([s - x for s, x in zip(self.symbols, self.at, strict=True)])
        value = (u.T * self.matrix * u)[0]
        return value if any(x.is_Float for x in self.at) else sympy.expand(value)

    def __call__(self, z: Array) -> Array:
        """The values of V at points z of shape (..., D), as an array of shape (...)."""
        u = np.asarray(z, dtype=float) - np.array([float(x) for x in self.at])
        return np.einsum("...i,ij,...j->...", u, np.array(self.matrix.tolist(), dtype=float), u)

    def region(self, within: float = 1.0, effort: int = 4000) -> Region:
        """A sublevel set on which V is proven to decrease under the nonlinear map or flow, for all parameters.

        Args:
            within: radius beyond which no start is asked for.
            effort: boxes that the proof may take.

        Raises:
            DomainError: where the map is not smooth.
            MissingDependencyError: without python-flint.
            ConvergenceError: where no set was proven.
        """
        proof, spans = _proof(self.game, self.rule, self.at, self.parameters, within, effort)
        fixed = _enclosed(proof, spans)
        form = np.array([[ball_of(e) for e in row] for row in self.matrix.tolist()], dtype=object)
        decrease = Decrease.of_form(proof.system, fixed, proof.parameter_cases(spans), form)
        cases = proof.cases(spans)
        if decrease is not None and cases:
            sampler = Sampler(proof.system, [z for z, _ in cases], [p for _, p in cases], within)
            ellipsoid, _, _ = largest(decrease, *sampler.guess(decrease.transform), within, effort)
            if ellipsoid is not None:
                return Region(float(ellipsoid.level**2 * (1 - 1e-12)), float(ellipsoid.radius))
        raise ConvergenceError(f"no region within {within:g} was proven", "a narrower range", "raise effort")

    def summary(self) -> str:
        """V as a formula, and what is proven about its decrease."""
        where = ", ".join(f"{name} in [{a:g}, {b:g}]" for name, (a, b) in self.parameters.items())
        lines = [self._subject() + (f", for all {where}" if where else "")]
        lines.append(f"V = {self.expression}")
        lines.append(f"P = {self.matrix.tolist()}, positive definite (verified), by {self.method}")
        if self.decrease is not None:
            lines.append(f"change: {self.decrease.tolist()}, negative definite (verified)")
        return "\n".join(lines)


@door
@in_time
def lyapunov_function(
    game: Game,
    rule: Rule | None = None,
    at: object = None,
    parameters: Mapping[str, object] | None = None,
    budget: float | Budget | None = 120.0,
) -> LyapunovFunction:
    """A quadratic function that decreases along the linearised flow or map, with an exact proof that it does.

    P solves A^T P + P A = -I (flow, A = -J) or F^T P F - P = -I (map, F the augmented derivative) in floating point,
    is rounded to few digits, and both definiteness claims are then decided exactly: by leading minors in rational (or
    algebraic) arithmetic, or on balls where the point or the parameters are known within intervals only. With ranges
    for parameters, one P must serve all of them: the middle's is tried first, then a semidefinite program over samples
    of the ranges; either is verified for every value in between.

    Args:
        game: the game.
        rule: an update rule, or None for the flow.
        at: the fixed point; the game's first known equilibrium by default.
        parameters: (low, high) by name, as for `gd.certify`.
        budget: seconds, after which it ends undecided, without half an answer.

    Returns:
        A `LyapunovFunction`: the `.expression`, its `.matrix`, and where it is `.verified` to decrease.

    Raises:
        OutOfTimeError: when the budget is spent.
        DomainError: where the fixed point does not attract to first order, so that no quadratic function decreases;
            for a map that changes with the step count; where bounds press.
        ConvergenceError: where no P passes the check.
        MissingDependencyError: without python-flint where balls are needed, or cvxpy where a semidefinite program is
            (`pip install "gandyn[proof]"`).

    Example:
        >>> import gandyn as gd
        >>> v = gd.lyapunov_function(gd.games.quadratic(1, 2, 1), gd.rules.GDA(0.2))
        >>> v.matrix, v.decrease
        (Matrix([
        [5, 0],
        [0, 5]]), Matrix([
        [-1,  0],
        [ 0, -1]]))
    """
    if parameters:
        return _family(game, rule, at, parameters)
    lin = linearize(game, rule, at)
    if lin.verdict is not Verdict.ATTRACTING:
        raise DomainError(
            f"no quadratic function decreases at a fixed point that is {lin.verdict.value}: {lin.reason}",
            "a point that attracts to first order",
            "another step size, or parameters={name: (low, high)} for free ones",
        )
    if lin.counted:
        given = f"a Lyapunov function of {rule!r} on {game.name}, whose map changes with the step count"
        raise DomainError(given, "the same map at every step", "the rule inside; gd.linearize takes the limit")
    symbols, point = _coordinates(lin)
    if len(lin.matrix) != len(symbols):
        given = f"a Lyapunov function of {game.name}, whose feasible directions are {len(lin.matrix)} of {len(symbols)}"
        raise DomainError(given, "a point at which no bound presses", "the game in coordinates of the face")
    if lin.exact is None:
        matrix = _from_balls(game, rule, lin)
        return LyapunovFunction(game, rule, point, symbols, matrix, None, {}, True, "the Lyapunov equation")
    matrix, change = _exactly(lin.exact.matrix, lin.matrix, rule is None)
    return LyapunovFunction(game, rule, point, symbols, matrix, change, {}, True, "the Lyapunov equation")


def _coordinates(lin: Linearization) -> tuple[tuple[sympy.Expr, ...], tuple[sympy.Expr, ...]]:
    """Symbols of the augmented state and the fixed point, exact where it was given so."""
    given = [exact(x) if lin.exact is not None else sympy.Float(x) for x in lin.at]
    if lin.rule is None:
        return tuple(lin.game.symbols) or sympy.symbols(f"w:{lin.game.dim}", real=True), tuple(given)
    start = lin.rule.init(lin.game, object_vector(given))
    states = [exact(e) for _, array in start.leaves() for e in array]
    return update_map(lin.game, lin.rule).symbols, (*given, *states)


def _solved(matrix: Array, flow: bool) -> Array:
    from scipy.linalg import solve_continuous_lyapunov, solve_discrete_lyapunov

    identity = np.eye(len(matrix))
    return np.asarray(
        solve_continuous_lyapunov(matrix.T, -identity) if flow else solve_discrete_lyapunov(matrix.T, identity)
    )


def _rounded(p: Array, digits: int) -> sympy.Matrix:
    """The symmetric matrix of the nearest decimals, digits behind the point; in other units, of P / 10^k."""
    largest = float(np.abs(p).max())
    unit = 0 if 0.1 <= largest < 1e4 or not largest else int(np.floor(np.log10(largest)))
    scale = sympy.Integer(10) ** (digits - unit)
    return sympy.Matrix(
        len(p), len(p), [sympy.Integer(round(float(e) * float(scale))) / scale for e in ((p + p.T) / 2).ravel()]
    )


def _exactly(matrix: sympy.Matrix, numeric: Array, flow: bool) -> tuple[sympy.Expr, sympy.Expr]:
    """(P, its change) with the fewest digits that pass the exact check."""
    p = _solved(np.asarray(numeric, dtype=float), flow)
    for digits in DIGITS:
        rounded = _rounded(p, digits)
        change = matrix.T * rounded + rounded * matrix if flow else matrix.T * rounded * matrix - rounded
        change = change.applyfunc(sympy.expand)
        if _positive(rounded) and _positive(-change):
            return sympy.ImmutableMatrix(rounded), sympy.ImmutableMatrix(change)
    raise ConvergenceError("no rounding of P passed the exact check", "a fixed point further from the edge", "at=...")


def _positive(matrix: sympy.Matrix) -> bool:
    """Whether a symmetric matrix is positive definite: proven by elimination on balls where they can tell.

    Otherwise by Sylvester's criterion, leading minors in exact arithmetic: they take seconds where entries are sums of
    powers of e. An eigenvalue in doubles that is clearly negative settles it before that.
    """
    numbers = np.array([float(e) for e in matrix]).reshape(matrix.shape)
    if np.linalg.eigvalsh(numbers)[0] < -1e-6 * np.abs(numbers).max():
        return False
    return _positive_on_balls(matrix) or all(bool(matrix[: k + 1, : k + 1].det() > 0) for k in range(matrix.rows))


def _positive_on_balls(matrix: sympy.Matrix) -> bool:
    try:
        balls = object_vector(map(ball_of, matrix)).reshape(matrix.shape)
    except (MissingDependencyError, DomainError):
        return False
    return positive_definite(balls)


def _proof(
    game: Game, rule: Rule | None, at: Any, parameters: Mapping[str, object], radius: float, effort: int
) -> tuple[Proof, tuple[tuple[Fraction, Fraction], ...]]:
    spans = ranges(parameters)
    subject = system(game, rule, spans)
    middle = {name: float(low + high) / 2 for name, (low, high) in spans.items()}
    point = [float(exact(x).subs({s: middle[str(s)] for s in exact(x).free_symbols})) for x in at[: game.dim]]
    bounds = np.array([(x - 10 * radius, x + 10 * radius) for x in point])
    return Proof(subject, point, bounds, effort), tuple(spans[name] for name in subject.parameters)


def _enclosed(proof: Proof, spans: tuple[tuple[Fraction, Fraction], ...]) -> Array:
    fixed = proof.enclose(spans)
    if isinstance(fixed, Unproven):
        raise ConvergenceError(f"the fixed point was not enclosed: {fixed.reason}", "a simple fixed point", "at=...")
    return fixed


def _serves(proof: Proof, spans: tuple[tuple[Fraction, Fraction], ...], form: sympy.Matrix) -> bool:
    """Whether V = u^T P u is proven to decrease at the fixed point for all parameters; the ranges are cut as needed."""
    balls = np.array([[ball_of(e) for e in row] for row in form.tolist()], dtype=object)
    stack, count = [spans], 0
    while stack:
        part = stack.pop()
        count += 1
        decrease = Decrease.of_form(proof.system, _enclosed(proof, part), proof.parameter_cases(part), balls)
        if decrease is None:
            return False
        if not decrease.at_fixed_point():
            cut = split(part, spans)
            if cut is None or count > 256:
                return False
            stack += cut
    return True


def _from_balls(game: Game, rule: Rule | None, lin: Linearization) -> sympy.Expr:
    proof, spans = _proof(game, rule, lin.at, {}, 1.0, 0)
    p = _solved(lin.matrix, rule is None)
    for digits in DIGITS:
        rounded = _rounded(p, digits)
        if _positive(rounded) and _serves(proof, spans, rounded):
            return sympy.ImmutableMatrix(rounded)
    raise ConvergenceError("no rounding of P passed the check on balls", "a simple fixed point", "at=...")


def _family(game: Game, rule: Rule | None, at: object, parameters: Mapping[str, object]) -> LyapunovFunction:
    proof, spans = _proof(game, rule, given_or_known(game, at), parameters, 1.0, 0)
    flow = proof.system.flow
    named = {name: (float(a), float(b)) for name, (a, b) in zip(proof.system.parameters, spans, strict=True)}
    slopes = [proof.system.function.jacobian(z, p) for z, p in _samples(proof, spans)]
    if flow:
        slopes = [-slope for slope in slopes]
    edge = max(np.linalg.eigvals(a).real.max() if flow else np.abs(np.linalg.eigvals(a)).max() - 1 for a in slopes)
    if edge >= 0:
        raise DomainError(
            "no quadratic function decreases: for some of these parameters the fixed point does not attract",
            "ranges inside gd.stability_region",
            "narrow them",
        )
    for method, find in (("the Lyapunov equation at the middle", _middle), ("a semidefinite program", common_form)):
        p = find(slopes, flow)
        for digits in DIGITS if p is not None else ():
            rounded = _rounded(p, digits)
            if _positive(rounded) and _serves(proof, spans, rounded):
                symbols = (*proof.system.function.coordinates,)
                fixed = tuple(sympy.Float(float(b.mid())) for b in _enclosed(proof, spans))
                fixed = tuple(sympy.Integer(0) if x == 0 else x for x in fixed)
                matrix = sympy.ImmutableMatrix(rounded)
                owner, own = proof.system.game, proof.system.rule
                return LyapunovFunction(owner, own, fixed, symbols, matrix, None, named, True, method)
    raise ConvergenceError(
        "no common quadratic function was found for these ranges", "narrower ranges", "cut them and ask for each part"
    )


def _samples(proof: Proof, spans: tuple[tuple[Fraction, Fraction], ...]) -> list[tuple[Array, list[float]]]:
    """Fixed points at the middle, then at a grid of parameter values."""
    import itertools

    axes = [sorted({float(a), float(a + b) / 2, float(b)}) for a, b in spans]
    values = [
        [float(a + b) / 2 for a, b in spans],
        *map(list, itertools.islice(itertools.product(*axes), MOST_SAMPLES)),
    ]
    found = [(proof.system.newton(proof.point, v), v) for v in values]
    return [(z, v) for z, v in found if z is not None]


def _middle(slopes: list[Array], flow: bool) -> Array | None:
    return _solved(slopes[0], flow)
