"""Backward error analysis: the flow that a rule follows to higher order than the game's own."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import sympy

from ..dynamics.trace import update_map
from ..errors import DomainError, ParameterError
from ..results import Result
from ..symbolic.function import SymbolicFunction
from ..types import Array, Game, Rule
from ..worlds import exact

STEP = sympy.Symbol("lr", positive=True)


@dataclasses.dataclass(frozen=True, repr=False)
class ModifiedFlow(Result):
    """dw/dt = c_0(w) + lr c_1(w) + ... + lr^n c_n(w), whose time-lr map is one step of the rule up to O(lr^(n+2)).

    For rules consistent with the gradient flow c_0 = -v. Calling the result with a step size gives the field, ready
    for `gd.flow(game, start, time, field=modified.at(0.1))`.

    Attributes:
        game, rule: the pair.
        terms: c_0, ..., c_n as SymPy columns.
    """

    game: Game
    rule: Rule
    terms: tuple[Any, ...]

    @property
    def order(self) -> int:
        """n, the highest power of the step size."""
        return len(self.terms) - 1

    def expression(self, i: int) -> Any:
        """c_i as a SymPy column."""
        if not 0 <= i <= self.order:
            raise ParameterError(f"term {i}", f"0 to {self.order}", f"ask for modified_flow(..., order={i})")
        return self.terms[i]

    @functools.cache  # noqa: B019 - the compiled term lives as long as the result
    def _function(self, i: int) -> SymbolicFunction:
        return SymbolicFunction([self.game.symbols], list(self.expression(i)))  # type: ignore[attr-defined]

    def correction(self, i: int) -> Callable[[Any], Array]:
        """c_i as a function of points (..., d)."""
        function = self._function(i)
        return lambda w: function(np.asarray(w, dtype=float))

    def at(self, lr: float) -> Callable[[Any], Array]:
        """The whole field at one step size, as a function of points (..., d)."""
        functions = [self._function(i) for i in range(self.order + 1)]
        return lambda w: sum(lr**i * f(np.asarray(w, dtype=float)) for i, f in enumerate(functions))

    def latex(self) -> str:
        """The terms as LaTeX, one aligned line each."""
        lines = (f"c_{{{i}}} &= {sympy.latex(term)}" for i, term in enumerate(self.terms))
        return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"

    def summary(self) -> str:
        """One line a term."""
        head = f"{self.rule!r} on {self.game.name} follows dw/dt = c_0 + lr c_1 + ... up to lr^{self.order}"
        return "\n".join([head, *(f"c_{i} = {list(term)}" for i, term in enumerate(self.terms))])

    def to_dict(self) -> dict[str, Any]:
        """The terms as text."""
        terms = [[str(e) for e in term] for term in self.terms]
        return {"game": self.game.name, "rule": repr(self.rule), "terms": terms}


def modified_flow(game: Game, rule: Rule, order: int = 1) -> ModifiedFlow:
    """The flow whose time-lr map is the rule's step, expanded in the step size.

    With the step w + sum_j lr^j d_j(w), the terms are fixed one after the other by
    exp(lr L_c) w = w + sum_j lr^j d_j(w), L_c being the Lie derivative along c = sum_i lr^i c_i
    (Hairer, Lubich & Wanner, Geometric Numerical Integration, IX.1). For gradient steps c_1 = -J v / 2 (Rosca et al.
    2021, theorem 3.1).

    Args:
        game: a smooth symbolic game.
        rule: a rule without memory whose step size is `lr`. Per-player step sizes keep their ratios: lr then stands
            for the first player's.
        order: highest power of the step size.

    Raises:
        DomainError: for rules with memory, which follow flows in a larger space. ParameterError: for a bad order.

    Example:
        >>> import gandyn as gd
        >>> gd.modified_flow(gd.games.bilinear(), gd.rules.GDA(0.1)).expression(1)
        Matrix([
        [a/2],
        [b/2]])
    """
    if not isinstance(order, int) or order < 0:
        raise ParameterError(f"order={order!r}", "a whole number >= 0", "order=1")
    traced = update_map(game, _with_symbolic_step(game, rule))
    if len(traced.symbols) > game.dim or traced.counters:
        raise DomainError(
            f"modified_flow of {rule!r}, which has memory",
            "a rule whose state is empty",
            "linearize takes the memory into account; a high-resolution equation describes it as a flow",
        )
    symbols = sympy.Matrix(traced.symbols)
    displacements = _displacements(traced.expression, order + 1)
    terms: list[Any] = []
    for j in range(1, order + 2):
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
        terms.append((displacements[j - 1] - known).applyfunc(_tidy))
    return ModifiedFlow(game, rule, tuple(sympy.ImmutableMatrix(term) for term in terms))


def _with_symbolic_step(game: Game, rule: Rule) -> Rule:
    if not hasattr(rule, "lr"):
        raise DomainError(f"modified_flow of {rule.name}, which has no lr", "a rule with a step size", "wrap its parts")
    values = game.per_player(rule.lr)
    first = exact(values[0])
    scaled = tuple(STEP * exact(v) / first for v in values)
    single = not isinstance(rule.lr, (tuple, dict))
    changes: dict[str, Any] = {"lr": STEP if single else scaled}
    ahead = getattr(rule, "extrapolation", None)
    if ahead is not None and not isinstance(ahead, (tuple, dict)):
        changes["extrapolation"] = STEP * exact(ahead) / first
    return dataclasses.replace(rule, **changes)  # type: ignore[type-var]


def _displacements(step: Any, order: int) -> list[Any]:
    """d_1, ..., d_order of the step's expansion in lr."""
    result, derivative = [], sympy.Matrix(step)
    for j in range(1, order + 1):
        derivative = derivative.diff(STEP)
        result.append(derivative.subs(STEP, 0) / sympy.factorial(j))
    return result


def _tidy(e: Any) -> Any:
    expanded = sympy.expand(e)
    return expanded if expanded.is_polynomial() else sympy.factor_terms(expanded)
