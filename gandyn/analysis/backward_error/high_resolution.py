"""High-resolution differential equations: rules as flows of position and velocity, which describe memory too."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import sympy

from ...budget import Budget, OutOfTimeError
from ...doors import door
from ...dynamics.trace import UpdateMap
from ...errors import DomainError
from ...results import Result, Trajectory, aligned
from ...symbolic.function import SymbolicFunction
from ...types import Array, Game, Implicit, Rule
from ...types.signs import is_zero
from ...worlds import exact
from ..local.dynamics import refuse_without_symbols
from .expansion import (
    STEP,
    expanded,
    program_series,
    refuse_displacement,
    step_series,
    step_sizes,
    taylor,
    tidy,
    traced,
)
from .matching import match, probe
from .memory import affine, beyond, left_division, without
from .phase_space import PhaseSpace

BETA = sympy.Symbol("beta", positive=True)
Found = TypeVar("Found")


@dataclasses.dataclass(frozen=True, repr=False)
class HighResolution(Result):
    """The equation d2w/dt2 = a(w, dw/dt; lr), which the rule's iterates w_n = w(n lr) obey up to O(lr^2).

    Attributes:
        game, rule: the pair.
        velocity: symbols of dw/dt, one for each coordinate.
        expression: a, a SymPy column (d, 1) in the coordinates, the velocity and lr, player 1's step size.
        advance: the coefficients of lr and lr^2 in w_{n+1} - w_n, SymPy columns in w, dw/dt and d2w/dt2.
        curvature: symbols of d2w/dt2 in `advance`.
        seconds: time limit for each of `slow` and `coefficients`; None for no limit.
    """

    game: Game
    rule: Rule
    velocity: tuple[sympy.Symbol, ...]
    expression: sympy.Matrix
    advance: tuple[sympy.Matrix, sympy.Matrix]
    curvature: tuple[sympy.Symbol, ...]
    seconds: float | None = 60.0

    _data = "game rule velocity acceleration=expression coefficients=_coefficients slow=_slow"
    _plot = "high_resolution"

    @property
    def lr(self) -> sympy.Expr:
        """The step size of the rule; that of player 1 where the players' step sizes differ."""
        return step_sizes(self.game, self.rule)[0]

    @property
    def in_beta(self) -> sympy.Expr:
        """The acceleration in terms of beta = 2 / lr, the parameter of Chavdarova et al. 2021."""
        return self.expression.xreplace({STEP: 2 / BETA}).applyfunc(expanded)

    @functools.cached_property
    def slow(self) -> tuple[sympy.Expr, sympy.Expr]:
        """(c_0, c_1), SymPy columns (d, 1): the velocity tends to dw/dt = c_0(w) + lr c_1(w) + O(lr^2).

        For rules without memory these are the terms of the modified flow of order 1.

        Raises:
            DomainError: where the velocity does not settle (momentum 1).
            OutOfTimeError: after `seconds`.
        """
        return Budget(self.seconds).run(self._settled, f"the slow motion of {self.rule!r}")

    def _settled(self) -> tuple[sympy.Expr, sympy.Expr]:
        w, u = sympy.Matrix(self._symbols), sympy.Matrix(self.velocity)
        first, second = self.advance
        pull = sympy.eye(len(w)) - first.jacobian(u)
        if pull.has(*u) or pull.det() == 0:
            raise DomainError(
                f"{self.rule!r}, whose velocity does not settle as lr goes to zero", "momentum below 1", "linearize it"
            )
        c_0 = pull.LUsolve(first.xreplace(dict.fromkeys(u, sympy.Integer(0)))).applyfunc(tidy)
        bend = c_0.jacobian(w) * c_0
        on = dict(zip([*u, *self.curvature], [*c_0, *bend], strict=True))
        c_1 = pull.LUsolve(second.xreplace(on) - bend / 2).applyfunc(tidy)
        return sympy.ImmutableMatrix(c_0), sympy.ImmutableMatrix(c_1)

    @functools.cached_property
    def coefficients(self) -> dict[str, sympy.Expr] | None:
        """The numbers k in a = k_1 w' + k_2 v + k_3 J v + k_4 J w', by the names "w'", "v", "J v" and "J w'".

        None for a rule whose equation has another form. They are determined and verified on one cubic game in general
        position with as many players.

        Raises:
            OutOfTimeError: after `seconds`.
        """
        return Budget(self.seconds).run(self._matched, f"the coefficients of {self.rule!r}")

    def _matched(self) -> dict[str, sympy.Expr] | None:
        try:
            trial = probe(self.game)
            found = high_resolution(trial, self.rule, budget=None)
        except DomainError:
            return None
        v, jacobian = sympy.Matrix(trial.field_exprs), trial.jacobian_expr
        u = sympy.Matrix(found.velocity)
        basis = {"w'": u, "v": v, "J v": jacobian * v, "J w'": jacobian * u}
        values = match(found.expression, list(basis.values()), (*trial.symbols, *found.velocity))
        return None if values is None else dict(zip(basis, values, strict=True))

    def space(self, lr: object = None) -> PhaseSpace:
        """The game on (w, dw/dt) whose gradient flow is the equation, for `flow`, `linearize`, `stability_region`.

        Args:
            lr: a number, a symbol, or a name for a free parameter; by default the rule's own step size.
        """
        step = exact(self.lr if lr is None else lr)
        name = f"{type(self.rule).__name__} on {self.game.name}, in phase space"
        acceleration = [sympy.sympify(e, strict=True).xreplace({STEP: step}) for e in self.expression]
        return PhaseSpace(self.game, self.velocity, acceleration, name)

    def at(self, lr: float) -> Callable[[Array], Array]:
        """The right-hand side (dw/dt, a) at one step size, as a function of points (w, dw/dt) of shape (..., 2d)."""
        space = self.space(lr)
        return lambda z: -space.field(np.asarray(z, dtype=float))

    def slow_velocity(self, w: Array, lr: float) -> Array:
        """The velocity c_0(w) + lr c_1(w) to which iterates tend, at points (..., d)."""
        w = np.asarray(w, dtype=float)
        first, second = (SymbolicFunction([self.game.symbols], list(term))(w) for term in self.slow)
        return first + lr * second

    def flow(
        self, start: Array, time: float, lr: float | None = None, velocity: Array | None = None, **options: Any
    ) -> Trajectory:
        """Integrate the equation: a trajectory of positions, with the velocities in `.info["velocity"]`.

        Args:
            start: positions (..., d).
            time: duration, or times, as for `gd.flow`; n steps of the rule take n lr.
            lr: a step size; by default the rule's own.
            velocity: dw/dt at the start, (..., d); by default that of `slow_velocity`.
            options: passed to `gd.flow`.
        """
        from ...dynamics.flow import flow

        lr = float(self.lr if lr is None else lr)
        w = np.asarray(start, dtype=float)
        self.game.check(w)
        u = (
            self.slow_velocity(w, lr)
            if velocity is None
            else np.broadcast_to(np.asarray(velocity, dtype=float), w.shape)
        )
        run = flow(self.space(lr), np.concatenate([w, u], axis=-1), time, **options)
        d = self.game.dim
        info = {**run.info, "velocity": run.w[..., d:]}
        return dataclasses.replace(run, w=run.w[..., :d], game=self.game, info=info, solution=None)

    def latex(self) -> str:
        """The equation as LaTeX, one aligned line for each coordinate."""
        names = {
            u: sympy.Symbol(rf"\dot{{{sympy.latex(s)}}}") for s, u in zip(self._symbols, self.velocity, strict=True)
        }
        lines = (
            rf"\ddot{{{sympy.latex(s)}}} &= {sympy.latex(e.xreplace(names))}"
            for s, e in zip(self._symbols, self.expression, strict=True)
        )
        return aligned(lines)

    @property
    def _symbols(self) -> tuple[sympy.Symbol, ...]:
        return self.game.symbols

    def summary(self) -> str:
        """The equation as text: by field and Jacobian where it has that form, and coordinate by coordinate."""
        lines = [f"{self._dynamics()}, lr = time of one step"]
        found = self._coefficients
        if isinstance(found, str):
            lines.append(f"in field and Jacobian: {found}")
        elif found is not None:
            lines.append(f"w'' = {' + '.join(f'({e}) {name}' for name, e in found.items() if e != 0)}")
        lines += [f"{s}'' = {e}" for s, e in zip(self._symbols, self.expression, strict=True)]
        return "\n".join(lines)

    @property
    def _coefficients(self) -> dict[str, sympy.Expr] | str | None:
        return self._in_time(lambda: self.coefficients)

    @property
    def _slow(self) -> tuple[sympy.Expr, sympy.Expr] | str:
        return self._in_time(lambda: self.slow)

    def _in_time(self, read: Callable[[], Found]) -> Found | str:
        """What `read` returns, or the text that it was not found in time."""
        try:
            return read()
        except OutOfTimeError:
            return Budget(self.seconds).reason


@door
def high_resolution(game: Game, rule: Rule, budget: float | Budget | None = 60.0) -> HighResolution:
    """The second-order differential equation that a rule's iterates obey one order in lr beyond the gradient flow.

    The rule's step is written as a recurrence w_{n+1} = R(w_n, w_{n-1}), in which the equations of the previous step
    have eliminated the rule's state. With w_{n -+ 1} = w -+ lr w' + lr^2 w''/2 -+ ..., the terms of w_{n+1} - w_n up to
    lr^2 give the equation (Chavdarova et al. 2021, section 4). With beta = 2/lr:

    * simultaneous gradient steps: w'' = -beta w' - beta v
    * extragradient: w'' = -beta w' - beta v + 2 J v
    * optimistic, past extragradient: w'' = -beta w' - beta v - 2 J w'
    * lookahead, k = 2: w'' = -beta w' - 2 alpha beta v + 2 alpha J v
    * heavy ball: w'' = -beta (1 - b)/(1 + b) w' - beta/(1 + b) v

    Args:
        game: a smooth symbolic game.
        rule: a rule without memory, or one whose memory is determined by two successive points.
        budget: seconds for the equation, and again for each of its `slow` and `coefficients`.

    Returns:
        A `HighResolution`: the acceleration as `.expression`, its `.coefficients`, and `.flow` to integrate it.

    Raises:
        OutOfTimeError: when the budget is spent.
        DomainError: for rules whose memory reaches further back (complex momentum, lookahead around optimistic
            steps), that count steps, or whose equation is of first order (heavy ball with momentum -1).

    Example:
        >>> import gandyn as gd
        >>> gd.high_resolution(gd.games.bilinear(), gd.rules.OptimisticGD(0.1)).coefficients
        {"w'": -2/lr, 'v': -2/lr, 'J v': 0, "J w'": -2}
    """
    refuse_without_symbols(game, "the high-resolution equation")
    limit = Budget.of(budget)
    task = functools.partial(_equation, game, rule)
    parts = limit.run(task, f"the high-resolution equation of {rule!r} on {game.name}")
    return HighResolution(game, rule, *parts, None if math.isinf(limit.seconds) else limit.seconds)


def _equation(
    game: Game, rule: Rule
) -> tuple[tuple[sympy.Expr, ...], sympy.Matrix, tuple[sympy.Matrix, sympy.Matrix], tuple[sympy.Expr, ...]]:
    w: Array = sympy.Matrix(game.symbols)
    u, a = (sympy.Matrix([sympy.Symbol(f"{s}{mark}", real=True) for s in w]) for mark in ("'", "''"))
    first, second = _advance(game, rule, w, u, a)
    mass = sympy.eye(len(w)) / 2 - second.jacobian(a)
    if is_zero(mass.det()):
        raise DomainError(
            f"{rule!r} on {game.name}, whose equation has no second derivative",
            "a rule whose next point depends on where it comes from",
            "gd.modified_flow describes rules without memory",
        )
    rest = second.xreplace(dict.fromkeys(a, sympy.Integer(0)))
    acceleration = mass.LUsolve((first - u) / STEP + rest).applyfunc(
        lambda e: expanded(e) if e.is_rational_function(STEP) else tidy(e)
    )
    return tuple(u), sympy.ImmutableMatrix(acceleration), (first, second), tuple(a)


def _advance(
    game: Game, rule: Rule, w: sympy.Matrix, u: sympy.Matrix, a: sympy.Matrix
) -> tuple[sympy.Matrix, sympy.Matrix]:
    """The coefficients of lr and lr^2 in w_{n+1} - w_n, in terms of w_n, w' and w''."""
    if isinstance(rule, Implicit):
        return tuple(step_series(game, rule, 2))
    step = traced(game, rule)
    if len(step.symbols) == game.dim:
        return tuple(step_series(game, rule, 2))
    known = {s: (s,) for s in w} | _state_series(game, rule, step, w, u, a)
    rows = program_series(step, step.outputs[: game.dim], known, 2)
    refuse_displacement(rule, game, [row[0] - s for row, s in zip(rows, w, strict=True)])
    return sympy.Matrix([row[1] for row in rows]), sympy.Matrix([row[2] for row in rows])


def _state_series(
    game: Game, rule: Rule, step: UpdateMap, w: sympy.Matrix, u: sympy.Matrix, a: sympy.Matrix
) -> dict[sympy.Expr, tuple[sympy.Expr, ...]]:
    """The rule's state at w_n as series in lr, eliminated by the equations of the step from w_{n-1} to w_n."""
    d, size = game.dim, len(step.symbols) - game.dim
    outputs, unknowns = affine(step, d)
    into_w = sympy.Matrix([[e.diff(x) for x in unknowns] for e in outputs[:d]])
    into_state = sympy.Matrix([[e.diff(x) for x in unknowns] for e in outputs[d:]])
    back = left_division(into_state, into_w, rule)  # s_n = known + back (w_n - known part of the step before)
    poles = [[taylor(sympy.cancel(back[k, i] * STEP), {}, 3) for i in range(d)] for k in range(size)]
    known_part = [e.xreplace(dict.fromkeys(unknowns, sympy.Integer(0))) for e in outputs]
    jerk = [sympy.Dummy(f"{s}'''", real=True) for s in w]
    before = {s: (s, -v, acc / 2, -j / 6) for s, v, acc, j in zip(w, u, a, jerk, strict=True)}
    rows = program_series(without(step, unknowns), known_part, before, 3)
    moved = [[s - row[0] if j == 0 else -row[j] for j in range(4)] for s, row in zip(w, rows[:d], strict=True)]
    result = {}
    for k in range(size):
        series = []
        for j in range(3):
            total = rows[d + k][j]
            for i in range(d):
                for power, factor in enumerate(poles[k][i]):
                    if 0 <= j + 1 - power < 4:
                        total += factor * moved[i][j + 1 - power]
            series.append(tidy(total))
        lead = sum(poles[k][i][0] * moved[i][0] for i in range(d))
        if sympy.expand(lead) != 0:
            raise beyond(rule)
        result[step.symbols[d + k]] = tuple(series)
    return result
