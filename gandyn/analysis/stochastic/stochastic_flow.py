"""The modified stochastic differential equation of a noisy rule: its first two moments, expanded in the step."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Sequence

import numpy as np
import sympy

from ...arguments import positive, whole
from ...budget import Budget
from ...doors import door
from ...dynamics.trace import trace_step
from ...errors import DomainError, ParameterError
from ...noise import Additive, of
from ...oracles.symbolic_draws import SymbolicDraws
from ...results import Result, aligned, table
from ...symbolic.function import SymbolicFunction
from ...types import Array, Game, Implicit, Rule
from ...worlds import SYMBOLS, exact
from ..backward_error.expansion import STEP, in_proportion, program_series, step_sizes
from .least_action import LeastAction, least_action
from .long_run import Plane, phase_diffusion

ORDERS = (1, 2)


class Coefficient(sympy.ImmutableDenseMatrix):  # type: ignore[misc]
    """A coefficient of the equation, callable: a SymPy matrix of expressions in w, (d, 1) or (d, d)."""

    symbols: tuple[sympy.Symbol, ...]  # the coordinates of w

    @classmethod
    def of(cls, expression: sympy.Expr, symbols: Sequence[object]) -> Coefficient:
        """The matrix as a function of these coordinates."""
        made: Coefficient = cls(expression)
        made.symbols = tuple(symbols)
        return made

    def __call__(self, w: Array) -> Array:
        """At points (..., d): vectors (..., d), or matrices (..., d, d), in floats.

        Raises:
            ParameterError: while a parameter has no value.
        """
        free = self.free_symbols - set(self.symbols)
        if free:
            names = ", ".join(sorted(map(str, free)))
            raise ParameterError(f"a coefficient on numbers while {names} has no value", "numbers", "set the parameter")
        w = np.asarray(w, dtype=float)
        found = self._function(w)
        return found if self.cols == 1 else found.reshape((*w.shape[:-1], self.rows, self.cols))

    @functools.cached_property
    def _function(self) -> SymbolicFunction:
        return SymbolicFunction([self.symbols], list(self))


@dataclasses.dataclass(frozen=True, repr=False)
class StochasticFlow(Result):
    """dw = drift(w) dt + B(w) dW with B B^T = diffusion(w); one step of the rule takes the time lr.

    Attributes:
        game, rule: what was expanded.
        noise: its law, in words.
        order: of the weak error: expectations of smooth functions over a fixed time differ by O(lr^order).
        drift: -v to order 1; to order 2 with the terms in lr that a finite step adds.
        diffusion: the rate B B^T, lr times the covariance of a step's field.
        correction: what is to be added to the diffusion, of order lr^2, for covariances that are right to one order
            more; for gradient steps with constant covariance C it is (lr^2 / 2)(J C + C J^T).
    """

    game: Game
    rule: Rule
    noise: str
    order: int
    drift: Coefficient
    diffusion: Coefficient
    correction: Coefficient

    _data = "game rule noise order drift=_drift diffusion=_diffusion"

    @property
    def _drift(self) -> list[sympy.Expr]:
        return list(self.drift)

    @property
    def _diffusion(self) -> list[list[sympy.Expr]]:
        found: list[list[sympy.Expr]] = self.diffusion.tolist()
        return found

    @functools.cached_property
    def slopes(self) -> Coefficient:
        """The Jacobian (d, d) of the drift."""
        return Coefficient.of(self.drift.jacobian(self.drift.symbols), self.drift.symbols)

    def covariance(self, at: Array, corrected: bool = False) -> Array:
        """The stationary covariance (d, d) of its linear part at an equilibrium: A P + P A^T + D = 0, in floats.

        Args:
            at: the equilibrium. corrected: with the diffusion's correction.

        Raises:
            DomainError: where the linear part does not attract.
        """
        from scipy.linalg import solve_continuous_lyapunov

        point = [float(x) for x in at]
        a, rate = self.slopes(point), self.diffusion(point)
        if corrected:
            rate = rate + self.correction(point)
        if np.linalg.eigvals(a).real.max() >= 0:
            raise DomainError("an equilibrium that does not attract the drift", "a stable one", "another point or lr")
        found: Array = solve_continuous_lyapunov(a, -rate)
        return found

    def simulate(self, start: object, time: float, steps: int, rng: int | np.random.Generator = 0) -> Array:
        """Points (..., d) after `time` from each start, by Heun's method with Ito's correction for the noise.

        Each of the `steps` takes the drift at the start and at the predicted end, and B at the start: weak order 2 in
        the drift and 1 in the noise, strong order 1 where the diffusion does not depend on w, and 1/2 where it does.

        Args:
            start: points (..., d). time: in units in which a step of the rule takes lr. steps: how many.
            rng: a seed, or a generator.
        """
        generator, dt = np.random.default_rng(rng), positive("time", time) / whole("steps", steps)
        w = np.array(start, dtype=float)
        for _ in range(steps):
            shaken = np.sqrt(dt) * generator.standard_normal(w.shape)
            moved = np.einsum("...ij,...j->...i", _root(self.diffusion(w)), shaken)
            slope = self.drift(w)
            w = w + dt / 2 * (slope + self.drift(w + dt * slope + moved)) + moved
        return w

    def plane(self, box: Array, cells: int = 120) -> Plane:
        """The flow in a box of the plane, on a grid: its stationary `.density()` and mean `.exit_time(inside)`.

        Args:
            box: one (low, high) pair for each of two coordinates; nothing leaves it. cells: along each axis.
        """
        return Plane(self, box, cells)

    def least_action(self, start: object, end: object, points: int = 100) -> LeastAction:
        """The quasi-potential between two points, `.action`, and the `.path` that small noise takes, (points, d).

        The mean time to leave a basin is exp(action) to leading order, the action being that to its lowest pass.

        Args:
            start: an attracting equilibrium of the drift, (d,). end: the point to be reached. points: of the path.
        """
        return least_action(self, start, end, points)

    def phase_diffusion(self, cycle: object) -> float:
        """D of the phase on a limit cycle of the drift, for small noise: Var(angle) = 2 D t.

        Args:
            cycle: of `gd.limit_cycles(game, box)`, or what has its `.points` and `.period`.
        """
        return phase_diffusion(self, cycle)

    def latex(self) -> str:
        """Drift and diffusion as LaTeX."""
        drift, rate = sympy.latex(sympy.Matrix(self.drift)), sympy.latex(sympy.Matrix(self.diffusion))
        return aligned([f"dw &= {drift}\\,dt + B\\,dW", f"B B^\\top &= {rate}"])

    def summary(self) -> str:
        """The stochastic differential equation as text, one line for the drift of each coordinate and one for B B^T."""
        rows = [[f"d{s}/dt", str(e)] for s, e in zip(self.drift.symbols, self.drift, strict=True)]
        rate = self.diffusion.tolist()
        return "\n".join([
            f"{self._dynamics()}, {self.noise}: stochastic flow of weak order {self.order}, one step in time lr",
            *table(rows),
            f"B B^T = {rate}",
        ])  # fmt: skip


def _root(matrices: Array) -> Array:
    """Symmetric roots of positive semidefinite matrices (..., d, d)."""
    values, vectors = np.linalg.eigh(matrices)
    scaled = vectors * np.sqrt(np.maximum(values, 0))[..., None, :]
    found: Array = scaled @ np.swapaxes(vectors, -1, -2)
    return found


@door
def stochastic_flow(
    game: Game, rule: Rule, noise: object = None, order: int = 1, *, budget: float | None = 60
) -> StochasticFlow:
    """The stochastic differential equation that a noisy rule follows, to weak order 1 or 2 in its step.

    A step is w + sum_j lr^j d_j(w) with random d_j. Its mean and covariance are matched by dw = (b_0 + lr b_1) dt +
    sqrt(lr) S^{1/2} dW with b_0 = E d_1, S = Cov(d_1) and b_1 = E d_2 - (Db_0) b_0 / 2 (Li, Tai & E 2017, theorem 1,
    for gradient steps).

    Args:
        game: a smooth symbolic game, or a finite sum of them.
        rule: a rule without memory. Its step sizes keep their ratios; lr is the first player's.
        noise: `gd.noise.Additive`, or the covariance of one; None for the game's own.
        order: 1, or 2.
        budget: seconds.

    Raises:
        DomainError: for a rule with memory (`gd.stationary` takes those), or whose step is no power series in lr.
        ParameterError: for another order. OutOfTimeError: when the budget is spent.

    Example:
        >>> import gandyn as gd
        >>> flow = gd.stochastic_flow(gd.games.bilinear(), gd.rules.GDA("lr"), noise="s2", order=2)
        >>> flow.drift
        Matrix([
        [a*lr/2 - b],
        [a + b*lr/2]])
        >>> flow.diffusion
        Matrix([
        [lr*s2,     0],
        [    0, lr*s2]])
    """
    if order not in ORDERS:
        raise ParameterError(f"order={order!r}", "1 or 2", "order=2")
    law = of(game) if noise is None else Additive.read(noise)
    noisy = game if noise is None else law.applied(game)
    rule.check(noisy)
    if game.constrained:
        given, fix = (
            f"the stochastic flow of {game.name}, which is constrained",
            "gd.stationary takes bounds that press",
        )
        raise DomainError(given, "an unconstrained game: a bound reflects the noise", fix)
    if SYMBOLS not in noisy.worlds or not (rule.domain.smooth and game.smooth):
        raise DomainError(
            f"{rule!r} on {game.name}, not a smooth expression", "a smooth symbolic game and rule", "gd.iterate"
        )
    task = functools.partial(_expanded, noisy, rule)
    drift, more, rate, correction = Budget.of(budget).run(task, f"the stochastic flow of {rule!r} on {game.name}")
    size = step_sizes(noisy, rule)[0]
    symbols = tuple(noisy.symbols or sympy.symbols(f"w1:{game.dim + 1}", real=True))

    def coefficient(expression: sympy.Expr) -> Coefficient:
        return Coefficient.of(expression.xreplace({STEP: exact(size)}).applyfunc(sympy.expand), symbols)

    whole = drift if order == 1 else drift + STEP * more
    return StochasticFlow(
        game,
        rule,
        law.described,
        order,
        coefficient(whole),
        coefficient(STEP * rate),
        coefficient(STEP**2 * correction),
    )


def _expanded(game: Game, rule: Rule) -> tuple[sympy.Matrix, sympy.Matrix, sympy.Matrix, sympy.Matrix]:
    """(b_0, b_1, S, D_1): the drift's terms, the covariance of d_1, and the correction of the diffusion."""
    draws = SymbolicDraws()
    free = in_proportion(game, rule)
    if isinstance(rule, Implicit) and not game.quadratic:
        raise DomainError(f"the implicit step of {rule!r} on {game.name}", "a quadratic game", "gd.stationary")
    step = trace_step(game, free, draws)
    if len(step.symbols) > game.dim or step.counters:
        raise DomainError(
            f"the stochastic flow of {rule!r}, which has memory or counts its steps",
            "a rule whose state is empty",
            "gd.stationary takes rules with memory",
        )
    rows = program_series(step, step.outputs, {s: (s,) for s in step.symbols}, 2)
    w = sympy.Matrix(step.symbols)
    first, second = (sympy.Matrix([row[j] for row in rows]) for j in (1, 2))
    mean = functools.partial(_mean, draws)
    drift, bend = mean(first), mean(second)
    rate = mean(first * first.T) - drift * drift.T
    crossed = mean(first * second.T) - drift * bend.T
    slopes = drift.jacobian(w)
    turned = slopes * rate
    along = sum((rate.diff(s) * b for s, b in zip(w, drift, strict=True)), sympy.zeros(*rate.shape))
    correction = crossed + crossed.T - (turned + turned.T + along) / 2
    return tuple(e.applyfunc(sympy.expand) for e in (drift, bend - slopes * drift / 2, rate, correction))


def _mean(draws: SymbolicDraws, matrix: sympy.Matrix) -> sympy.Matrix:
    """The expectation of polynomials in the draws: over the rows, then over vectors of known covariance."""
    return matrix.applyfunc(lambda e: _mean_of_rows(draws, _mean_of_shifts(draws, sympy.expand(e))))


def _mean_of_rows(draws: SymbolicDraws, e: sympy.Expr) -> sympy.Expr:
    for choice in draws.choices:
        if e.free_symbols & set(choice.symbols):
            values = [e.xreplace(dict(zip(choice.symbols, row, strict=True))) for row in choice.table]
            e = sympy.expand(sum(values) / len(values))
    return e


def _mean_of_shifts(draws: SymbolicDraws, e: sympy.Expr) -> sympy.Expr:
    """Second moments by the covariance; odd ones vanish by symmetry. Raises DomainError for a fourth moment."""
    vectors = [s for shift in draws.shifts for s in shift.symbols]
    if not e.free_symbols & set(vectors):
        return e
    covariance = sympy.diag(*(shift.covariance for shift in draws.shifts))
    total = sympy.Integer(0)
    for powers, factor in sympy.Poly(e, *vectors).terms():
        degree = sum(powers)
        if degree % 2:
            continue
        if degree > 2:
            raise DomainError("a step with products of four noises", "one that is linear in the noise", "gd.iterate")
        places = list(itertools.chain(*([k] * n for k, n in enumerate(powers))))
        total += factor * (covariance[places[0], places[1]] if places else 1)
    return total
