"""Backward error analysis: the modified flow, which a rule follows to higher order than the gradient flow."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import numpy as np
import sympy

from ...arguments import whole
from ...budget import Budget, OutOfTimeError
from ...doors import door
from ...errors import ParameterError
from ...results import Result, aligned
from ...symbolic.function import SymbolicFunction
from ...text.paper_symbols import in_papers
from ...types import Array, Game, Rule
from ..local.dynamics import refuse_without_symbols
from .expansion import step_series, step_sizes, tidy


@dataclasses.dataclass(frozen=True, repr=False)
class ModifiedFlow(Result):
    """The flow dw/dt = c_0(w) + lr c_1(w) + ... + lr^n c_n(w), whose time-lr map is one step up to O(lr^(n+2)).

    For rules that follow the gradient flow, c_0 = -v. The result is a function of points (..., d), the field at the
    rule's own step size: `gd.flow(game, start, time, field=modified)`. `at` takes another step size.

    Attributes:
        game, rule: the pair.
        terms: c_0, ..., c_n as SymPy columns (d, 1).
        reason: why there are fewer terms than were asked for; empty where there are not.
    """

    game: Game
    rule: Rule
    terms: tuple[sympy.Expr, ...]
    reason: str = ""

    _data = "game rule terms=_terms reason"

    @property
    def order(self) -> int:
        """The highest power n of the step size."""
        return len(self.terms) - 1

    def expression(self, i: int) -> sympy.Expr:
        """The term c_i, the coefficient of lr^i, as a SymPy column (d, 1).

        Raises:
            ParameterError: for an i below 0 or above `order`.
        """
        if not 0 <= i <= self.order:
            raise ParameterError(f"term {i}", f"0 to {self.order}", f"ask for modified_flow(..., order={i})")
        return self.terms[i]

    @functools.cache  # noqa: B019 - the compiled term lives as long as the result
    def _function(self, i: int) -> SymbolicFunction:
        return SymbolicFunction([self.game.symbols], list(self.expression(i)))

    def correction(self, i: int) -> Callable[[Array], Array]:
        """The term c_i, the coefficient of lr^i, as a function from points (..., d) to vectors (..., d)."""
        function = self._function(i)
        return lambda w: function(np.asarray(w, dtype=float))

    def at(self, lr: float) -> Callable[[Array], Array]:
        """The field c_0 + lr c_1 + ... + lr^n c_n at one step size, a function from points (..., d) to (..., d)."""
        functions = [self._function(i) for i in range(self.order + 1)]
        return lambda w: sum(lr**i * f(np.asarray(w, dtype=float)) for i, f in enumerate(functions))

    def __call__(self, w: Array) -> Array:
        """The field at the rule's own step size, player 1's, at points (..., d).

        Raises:
            ParameterError: if that step size is a free symbol.
        """
        return np.asarray(self._own(w))

    @functools.cached_property
    def _own(self) -> Callable[[Array], Array]:
        lr = step_sizes(self.game, self.rule)[0]
        if sympy.sympify(lr, strict=True).free_symbols:
            raise ParameterError(
                f"the field of {self.rule!r}, whose step size has no value", "a number", "use `.at(0.1)`"
            )
        return self.at(float(lr))

    def latex(self) -> str:
        """The terms as LaTeX, one aligned line each."""
        own, beside = self.game.symbols, set().union(*(term.free_symbols for term in self.terms))
        return aligned(f"c_{{{i}}} &= {in_papers(term, beside, own)}" for i, term in enumerate(self.terms))

    @property
    def _terms(self) -> list[list[sympy.Expr]]:
        return [list(term) for term in self.terms]

    def summary(self) -> str:
        """The terms of the flow as text, one line for each power of the step size."""
        head = f"{self._dynamics()} follows dw/dt = c_0 + lr c_1 + ... up to lr^{self.order}"
        rows = [f"c_{i} = {list(term)}" for i, term in enumerate(self.terms)]
        return "\n".join([head, *rows, *([self.reason] if self.reason else [])])


@door
def modified_flow(game: Game, rule: Rule, order: int = 1, budget: float | Budget | None = 60.0) -> ModifiedFlow:
    """The modified flow of a rule: after a time lr it is where one step of the rule ends, to a given order in lr.

    With the step w + sum_j lr^j d_j(w), the terms c_i are determined one after the other by
    exp(lr L_c) w = w + sum_j lr^j d_j(w), where L_c is the Lie derivative along c = sum_i lr^i c_i (Hairer, Lubich &
    Wanner, Geometric Numerical Integration, IX.1). For gradient steps c_1 = -J v / 2 (Rosca et al. 2021, theorem 3.1).

    Polynomials are written in powers of x - c where the costs are, and powers of differences of coordinates are not
    multiplied out, because (x - 1000)^7 in expanded form has no digit left near 1000.

    Args:
        game: a smooth symbolic game.
        rule: a rule without memory. All its step sizes, in wrapped rules too, keep their ratios to the first player's,
            which is lr; its other parameters are held as lr goes to zero.
        order: the highest power of lr. Terms grow quickly with it.
        budget: seconds; when they run out, the terms found so far are returned, and `reason` says so.

    Returns:
        A `ModifiedFlow`: the terms as functions of w by `.correction(i)`, and as expressions by `.expression(i)`.

    Raises:
        DomainError: for rules with memory, which follow flows in a larger space, and rules that count their steps.
        ParameterError: for an order that is no whole number from 0.
        OutOfTimeError: where not even one term is found in time.

    Example:
        >>> import gandyn as gd
        >>> gd.modified_flow(gd.games.bilinear(), gd.rules.GDA(0.1)).expression(1)
        Matrix([
        [a/2],
        [b/2]])
    """
    whole("order", order, 0)
    refuse_without_symbols(game, "the modified flow")
    limit, terms, reason = Budget.of(budget), [], ""
    tried = sorted({0, order, *(2**k for k in range(order.bit_length()) if 2**k < order)})
    for n in tried:  # a step's series is found for one order at a time; the last order costs as much as all before
        task = functools.partial(_terms, game, rule, n)
        try:
            terms = limit.run(task, f"the modified flow of {rule!r} on {game.name}")
        except OutOfTimeError:
            if not terms:
                raise
            reason = f"{limit.reason}: terms up to lr^{len(terms) - 1} of {order}"
            break
    return ModifiedFlow(game, rule, tuple(sympy.ImmutableMatrix(term) for term in terms), reason)


def _terms(game: Game, rule: Rule, order: int) -> list[sympy.Matrix]:
    return flow_terms(sympy.Matrix(game.symbols), step_series(game, rule, order + 1))


def flow_terms(symbols: sympy.Matrix, displacements: list[sympy.Matrix]) -> list[sympy.Matrix]:
    """The terms c_0, c_1, ... of the flow whose time-lr map is w + sum_j lr^j d_j(w); d_1, d_2, ... are given."""
    terms: list[sympy.Expr] = []
    for j, displacement in enumerate(displacements, 1):
        known = sympy.zeros(*symbols.shape)
        rows = [[symbols] + [sympy.zeros(*symbols.shape)] * j]  # rows[k][m]: coefficient of lr^m in L_c^k w
        for k in range(1, j + 1):
            row = [sympy.zeros(*symbols.shape)]
            for m in range(1, j + 1):
                entry = sympy.zeros(*symbols.shape)
                for i in range(min(m, len(terms))):
                    entry += rows[k - 1][m - 1 - i].jacobian(symbols) * terms[i]
                row.append(entry)
            rows.append(row)
            known += row[j] / sympy.factorial(k)
        terms.append((displacement - known).applyfunc(tidy))
    return terms
