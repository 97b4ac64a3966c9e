"""An epoch of a finite sum whose rows are shuffled, or taken in one order, as one random affine map."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np

from ...errors import DomainError
from ...games.finite_sum import FiniteSumGame
from ...lazy import sympy
from ...types import Array
from .random_map import Moments, RandomMap

MOST_ORDERS = 5040  # permutations of seven rows


@dataclasses.dataclass(frozen=True)
class EpochMap(RandomMap):
    """The composition of the steps of one epoch; its outcomes are the orders of the rows, equally likely.

    M, c and B of an outcome are those of its steps composed, in floats: there are no formulas.
    """

    orders: Array = ()  # rows that the steps of an epoch take, one line for each order, (n, rows)
    each: int = 1  # rows that one step takes

    @property
    def period(self) -> int:
        """Steps of an epoch; of two with flip-flop orders."""
        return int(self.orders.shape[1] // self.each)

    @property
    def outcomes(self) -> int:
        """How many orders there are."""
        return len(self.orders)

    def expected(self, matrix: sympy.Matrix) -> sympy.Matrix:
        """Raises ArithmeticError: an epoch has n! orders, so its moments (rows, columns) are taken in floats."""
        raise ArithmeticError("moments of an epoch have no formula here: they are taken in floats")

    def _by_outcome(self) -> Moments:
        m, c, b = super()._by_outcome()
        if len(m) == 1:
            m, c, b = (np.broadcast_to(a, (self._rows**self.each, *a.shape[1:])) for a in (m, c, b))
        weights = self._rows ** np.arange(self.each)[::-1]
        chosen = self.orders.reshape(len(self.orders), self.period, self.each) @ weights
        return _composed(m, c, b, chosen)

    @property
    def _rows(self) -> int:
        return len(self.draws.choices[0].table)


def _composed(m: Array, c: Array, b: Array, chosen: Array) -> Moments:
    """z -> M_T(... M_1 z + c_1 + B_1 xi_1 ...) + c_T + B_T xi_T for each line of step numbers (n, T)."""
    n, steps = chosen.shape
    size, q = b.shape[1:]
    whole, offset = np.broadcast_to(np.eye(size), (n, size, size)), np.zeros((n, size))
    noise = np.zeros((n, size, steps, q))
    for t in range(steps):
        step = m[chosen[:, t]]
        whole, offset = step @ whole, np.einsum("nij,nj->ni", step, offset) + c[chosen[:, t]]
        noise = np.einsum("nij,njtq->nitq", step, noise)
        noise[:, :, t] = b[chosen[:, t]]
    return whole, offset, noise.reshape(n, size, steps * q)


def epoch_map(step: RandomMap, game: FiniteSumGame) -> EpochMap:
    """The map of an epoch, from that of a step. Raises DomainError for too many orders, or rows left over."""
    n, each = len(game.rows), len(step.draws.choices)
    orders = 1 if game.order == "fixed" else math.factorial(n)
    if not each or any(len(choice.table) != n for choice in step.draws.choices) or n % each:
        raise DomainError(
            f"an epoch of {n} rows in steps of {step.rule!r} that take {each} of them",
            "steps that divide an epoch and draw nothing else",
            "another minibatch, or rows drawn independently",
        )
    if orders > MOST_ORDERS:
        raise DomainError(f"{orders} orders of {n} summands", f"at most {MOST_ORDERS}", "fewer summands, or simulate")
    rows = np.arange(n)[None] if orders == 1 else np.array(list(itertools.permutations(range(n))))
    if game.order == "flip-flop":
        rows = np.concatenate([rows, rows[:, ::-1]], axis=1)
    covariance = sympy.diag(*[step.covariance] * (rows.shape[1] // each)) if step.covariance else step.covariance
    fields = {f.name: getattr(step, f.name) for f in dataclasses.fields(step)}
    return EpochMap(**{**fields, "covariance": sympy.ImmutableMatrix(covariance), "bend": None}, orders=rows, each=each)
