"""The rate of a rule with memory over all strongly monotone fields: a quadratic Lyapunov function, proven in fractions.

With z_t = (w_t, state, field values of step t) and V(z) = z^T (P x I) z, two matrix inequalities are proven by the
class's inequalities between pairs of points, with multipliers >= 0:

    V(z_t) - |w_t|^2                - sum of multipliers times inequalities of step t            is a square,
    rho^2 V(z_t) - V(z_{t+1})       - sum of multipliers times inequalities of steps t and t + 1 is a square.

Then |w_t - w*|^2 <= V(z_t) <= rho^(2t) V(z_0), for every start and every state.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from fractions import Fraction
from typing import Any

import numpy as np

from ...budget import Budget
from ...classes import StronglyMonotone
from ...errors import DomainError, MissingDependencyError
from ...types import Rule
from ..certificates.performance_points import Point, PointsGame, Row, fraction

Matrix = list[list[Fraction]]
PAIRS = ("monotone", "lipschitz")
MARGINS = (1e-7, 1e-6, 1e-5, 1e-4)
BITS = 40
ROUNDS = 26


@dataclasses.dataclass(frozen=True)
class Window:
    """Two steps of a rule from an unknown state, as vectors over the basis (w_0, state, v_1/L, v_2/L, ...)."""

    points: tuple[Row, ...]  # the points at which the field is evaluated, its zero first
    values: tuple[int | None, ...]  # the index of the basis vector v/L at each point; None for the zero
    first: int  # the number of points of the first step, the zero included
    lifts: tuple[tuple[Row, ...], tuple[Row, ...]]  # z_0 and z_1
    kappa: Fraction  # mu / L

    @property
    def size(self) -> int:
        """The number of vectors in the basis."""
        return len(self.points[0])

    @property
    def pairs(self) -> list[tuple[int, int, str]]:
        """(i, j, kind) of all inequalities; those with i < `first` belong to the first step alone."""
        return [(i, j, kind) for i in range(len(self.points)) for j in range(i) for kind in PAIRS]

    def inequality(self, i: int, j: int, kind: str) -> Matrix:
        """The quadratic form that is >= 0 for every field of the class, as a symmetric matrix."""
        x = [a - b for a, b in zip(self.points[i], self.points[j], strict=True)]
        v = [Fraction(int(k == self.values[i]) - int(k == self.values[j])) for k in range(self.size)]
        if kind == "lipschitz":
            return [[a * b - c * d for b, d in zip(x, v, strict=True)] for a, c in zip(x, v, strict=True)]
        half = Fraction(1, 2)
        rows = zip(x, v, strict=True)
        return [[half * (a * d + c * b) - self.kappa * a * b for b, d in zip(x, v, strict=True)] for a, c in rows]


@dataclasses.dataclass(frozen=True)
class QuadraticRate:
    """Proof of |w_t - w*|^2 <= V(z_t) and V(z_{t+1}) <= rho^2 V(z_t), which `holds` repeats in fractions."""

    window: Window  # two steps of the rule
    form: Matrix  # P, a symmetric matrix of fractions over z = (w, state, field values / L of the step)
    # bounding, decreasing: multipliers {(i, j, kind): number >= 0} of the two inequalities
    bounding: dict[tuple[int, int, str], Fraction]
    decreasing: dict[tuple[int, int, str], Fraction]
    rate: Fraction  # rho

    def residuals(self) -> tuple[Matrix, Matrix]:
        """The two matrices that have to be positive semidefinite, over the basis of the window."""
        now, after = (_pulled(self.form, lift) for lift in self.window.lifts)
        square = [[Fraction(int(i == j == 0)) for j in range(self.window.size)] for i in range(self.window.size)]
        return (
            self._without(_combined((Fraction(1), now), (Fraction(-1), square)), self.bounding),
            self._without(_combined((self.rate**2, now), (Fraction(-1), after)), self.decreasing),
        )

    def _without(self, matrix: Matrix, multipliers: dict[tuple[int, int, str], Fraction]) -> Matrix:
        parts = [(-factor, self.window.inequality(*key)) for key, factor in multipliers.items()]
        return _combined((Fraction(1), matrix), *parts)

    def holds(self) -> bool:
        """Whether multipliers are >= 0 and both residuals positive semidefinite, in exact arithmetic."""
        legal = all(i < self.window.first for i, _, _ in self.bounding)
        signs = min((*self.bounding.values(), *self.decreasing.values()), default=0) >= 0
        return legal and signs and all(semidefinite(m) for m in self.residuals())

    def to_dict(self) -> dict[str, object]:
        """Points, form, multipliers and rate, with fractions as text."""
        multipliers = {
            name: [[*key, c] for key, c in getattr(self, name).items()] for name in ("bounding", "decreasing")
        }
        return {"rate": self.rate, "form": self.form, "window": self.window, **multipliers}


def _pulled(form: Matrix, rows: tuple[Row, ...]) -> Matrix:
    """The matrix of z^T P z where z_k is row k in the basis."""
    size = len(rows[0])
    result = [[Fraction(0)] * size for _ in range(size)]
    for i, left in enumerate(rows):
        for j, right in enumerate(rows):
            for k, a in enumerate(left):
                if a and form[i][j]:
                    for m, b in enumerate(right):
                        result[k][m] += form[i][j] * a * b
    return result


def _combined(*parts: tuple[Fraction, Matrix]) -> Matrix:
    size = range(len(parts[0][1]))
    return [[sum((c * m[i][j] for c, m in parts), Fraction(0)) for j in size] for i in size]


def semidefinite(matrix: Matrix) -> bool:
    """Whether a symmetric matrix is positive semidefinite: by elimination, each pivot > 0, or 0 with its row."""
    rows = [row[:] for row in matrix]
    for k in range(len(rows)):
        pivot = rows[k][k]
        if pivot < 0 or (not pivot and any(rows[k][k:])):
            return False
        for i in range(k + 1, len(rows) if pivot else 0):
            factor = rows[i][k] / pivot
            rows[i][k:] = [a - factor * b for a, b in zip(rows[i][k:], rows[k][k:], strict=True)]
    return True


def window(rule: Rule, over: StronglyMonotone) -> Window:
    """Run two steps of a rule from an unknown point and state. Raises DomainError for rules that count steps."""
    state = rule.init(PointsGame(over.lipschitz), PointsGame(over.lipschitz).start)
    leaves = list(state.leaves())
    if list(state.counter_leaves()):
        raise DomainError(f"the rate of {rule!r}, whose step changes with time", "a rule that repeats one step", "GDA")
    game = PointsGame(over.lipschitz, unknown=len(leaves))
    unknown = [Point({k + 1: Fraction(1)}) for k in range(len(leaves))]
    w = game.start
    state, states, ends = state.replace_leaves(iter(unknown), iter(())), [], []
    for _ in range(2):
        before = (w, *(leaf for _, leaf in state.leaves()))
        w, state, _ = rule.step(game, w, state)
        states.append(before)
        ends.append(len(game.evaluated))
    size, offset = game.next_index, 1 + len(leaves)
    values = [offset + k for k in range(ends[-1])]
    lifts = []
    for before, start, end in zip(states, (0, ends[0]), ends, strict=True):
        units = [Point({offset + k: Fraction(1)}) for k in range(start, end)]
        lifts.append(tuple(point.row(size) for point in (*before, *units)))
    rows = (Point({}).row(size), *(x.row(size) for x in game.evaluated))
    kappa = fraction(over.mu) / fraction(over.lipschitz)
    return Window(rows, (None, *values), 1 + ends[0], (lifts[0], lifts[1]), kappa)


def prove(rule: Rule, over: StronglyMonotone, least: float, budget: Budget) -> tuple[QuadraticRate | None, str]:
    """The smallest rate for which a quadratic Lyapunov function is found and proven.

    The rule is linear in the field and has a state; `least` is a lower bound of the rate. Returns the proof and an
    empty text, or None and the reason why there is none.
    """
    steps = window(rule, over)
    if len(steps.lifts[0]) != len(steps.lifts[1]):
        return None, "its first two steps evaluate different numbers of fields"
    programme = _Programme(steps)
    low, high, best = least, 2.0, None
    for _ in range(ROUNDS):
        if budget.out or high - low < 1e-9:
            break
        middle = (low + high) / 2 if best is not None else 1.0 if high == 2.0 and low < 1.0 else (low + high) / 2
        if programme.margin(middle) > 0:
            high, best = middle, middle
        else:
            low = middle
    if best is None:
        return None, budget.reason if budget.out else "no quadratic Lyapunov function of this form was found"
    for room in MARGINS:
        rate = best + room
        if programme.margin(rate) > 0:
            found = programme.rounded(rate)
            if found.holds():
                return found, ""
    return None, "the solver's multipliers could not be repaired"


class _Programme:
    """The two linear matrix inequalities at a given rate, by CVXPY and Clarabel; scales of the basis evened out."""

    def __init__(self, steps: Window) -> None:
        try:
            import cvxpy
        except ImportError as error:
            raise MissingDependencyError(
                "a rate without cvxpy", "cvxpy and clarabel", 'pip install "gandyn[proof]"'
            ) from error
        self.steps, self.cp = steps, cvxpy
        self.lifts = [np.array(lift, dtype=float) for lift in steps.lifts]
        self.forms = {key: np.array(steps.inequality(*key), dtype=float) for key in steps.pairs}
        size = self.lifts[0].shape[0]
        self.p = cvxpy.Variable((size, size), symmetric=True)
        self.bounding = {key: cvxpy.Variable(nonneg=True) for key in steps.pairs if key[0] < steps.first}
        self.decreasing = {key: cvxpy.Variable(nonneg=True) for key in steps.pairs}
        self.t, self.square = cvxpy.Variable(), cvxpy.Parameter(nonneg=True)
        self.problem = self._problem()

    def _problem(self) -> Any:
        first, second = self.lifts
        unit = np.zeros((self.steps.size, self.steps.size))
        unit[0, 0] = 1.0
        now, after = first.T @ self.p @ first, second.T @ self.p @ second
        kept = np.flatnonzero(np.abs(first).any(0))  # the bounding inequality lives on z_0 alone
        bounding = now - unit - sum(c * self.forms[key] for key, c in self.bounding.items())
        decreasing = self.square * now - after - sum(c * self.forms[key] for key, c in self.decreasing.items())
        eye = np.eye(self.steps.size)
        constraints = [
            bounding[kept][:, kept] >> self.t * eye[kept][:, kept],
            decreasing >> self.t * eye,
            self.t <= 1,
            self.cp.trace(self.p) <= 1e4,
        ]
        return self.cp.Problem(self.cp.Maximize(self.t), constraints)

    def margin(self, rate: float) -> float:
        """The largest margin of both inequalities, above 0 where the rate is feasible."""
        self.square.value = rate**2
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # an inexact answer serves: it is a guess, to be proven or dropped
                self.problem.solve(solver=self.cp.CLARABEL)
        except self.cp.error.SolverError:
            return -math.inf
        usable = self.problem.status in ("optimal", "optimal_inaccurate") and self.t.value is not None
        return float(self.t.value) if usable else -math.inf

    def rounded(self, rate: float) -> QuadraticRate:
        """The multipliers and the quadratic form that the solver found last, rounded to fractions, as a certificate."""
        p = np.asarray(self.p.value)
        form = [
            [_fraction((a + b) / 2) for a, b in zip(row, column, strict=True)]
            for row, column in zip(p, p.T, strict=True)
        ]
        kept = [
            {key: c for key, v in found.items() if (c := _fraction(float(v.value))) > 0}
            for found in (self.bounding, self.decreasing)
        ]
        return QuadraticRate(self.steps, form, kept[0], kept[1], _fraction(rate))


def _fraction(value: float) -> Fraction:
    return Fraction(round(float(value) * 2**BITS), 2**BITS)
