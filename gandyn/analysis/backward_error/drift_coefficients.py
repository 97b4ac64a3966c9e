"""Drift coefficients: what finite steps of a rule add to each player's cost."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import sympy

from ...budget import Budget
from ...doors import door
from ...errors import DomainError, ParameterError
from ...results import Result
from ...types import Game, Rule
from .expansion import step_series, step_sizes, with_steps
from .high_resolution import high_resolution
from .matching import match, probe
from .modified_flow import flow_terms


@dataclasses.dataclass(frozen=True, repr=False)
class DriftCoefficients(Result):
    """The motion dx_i/dn = -rates[i] v_i + sum_j products[i][j] J_ij v_j per step n of a rule, up to O(lr^3).

    J_ii v_i is the gradient of |df_i/dx_i|^2 / 2 in x_i, and J_ij v_j that of <df_i/dx_j, df_j/dx_j> with the second
    factor held fixed. Beside its own cost, player i therefore descends -products[i][i] |df_i/dx_i|^2 / 2 and
    -products[i][j] <df_i/dx_j, df_j/dx_j> in each step (Rosca et al. 2021). All entries are exact expressions in the
    players' step sizes.

    Attributes:
        game, rule: the pair.
        symbols: the players' step sizes lr_x, lr_y, ..., one for each of n players.
        rates: for each player, how far it moves along -v_i in one step, (n,).
        products: the coefficients, n rows of n.
    """

    game: Game
    rule: Rule
    symbols: tuple[sympy.Symbol, ...]
    rates: tuple[sympy.Expr, ...]
    products: tuple[tuple[sympy.Expr, ...], ...]

    _data = "game rule rates=_rates products=_products"

    def coefficient(self, i: int | str, j: int | str) -> sympy.Expr:
        """The coefficient products[i][j] of J_ij v_j, an expression in the step sizes; players by index or name.

        Raises:
            UnknownNameError: for a player that the game does not have.
        """
        return self.products[self.game.player_index(i)][self.game.player_index(j)]

    def relative(self, i: int | str, j: int | str) -> sympy.Expr:
        """The ratio products[i][j] / (rates[i] rates[j]), which is -1/2 for simultaneous steps (Rosca et al. 2021).

        Raises:
            ParameterError: where one of the players never moves.
        """
        a, b = (self.rates[self.game.player_index(k)] for k in (i, j))
        if a == 0 or b == 0:
            raise ParameterError("a player that never moves", "two players that do", "read `.coefficient`")
        return sympy.cancel(self.coefficient(i, j) / (a * b))

    def values(self) -> tuple[tuple[float, ...], ...]:
        """The coefficients `products` as floats, at the rule's own step sizes."""
        own = dict(zip(self.symbols, step_sizes(self.game, self.rule), strict=True))
        return tuple(tuple(float(e.xreplace(own)) for e in row) for row in self.products)

    def _by_name(self, values: tuple[object, ...]) -> dict[str, object]:
        return {player.name: value for player, value in zip(self.game.players, values, strict=True)}

    @property
    def _rates(self) -> dict[str, object]:
        return self._by_name(self.rates)

    @property
    def _products(self) -> dict[str, object]:
        return self._by_name(tuple(map(self._by_name, self.products)))

    def summary(self) -> str:
        """What each player descends beside its own cost, as text; v_x is df_x/dx, and d_y f_x is df_x/dy."""
        names = [p.name for p in self.game.players]
        lines = [f"{self._dynamics()}: besides its own cost, in each step"]
        for i, name in enumerate(names):
            terms = [f"({-self.products[i][i] / 2}) |v_{name}|^2"]
            terms += [f"({-self.products[i][j]}) <d_{o} f_{name}, v_{o}>" for j, o in enumerate(names) if j != i]
            terms = [t for t in terms if not t.startswith("(0)")]
            lines.append(f"  {name} ({self.rates[i]} f_{name}) descends {' + '.join(terms) or 'nothing else'}")
        if self.game.constrained:
            lines.append("inside the feasible set; where a bound presses, the projection acts as well")
        return "\n".join(lines)


@door
def drift(game: Game, rule: Rule, budget: float | Budget | None = 60.0) -> DriftCoefficients:
    """The penalties that a rule's finite steps add to each player's cost: gradient-norm and interaction terms.

    The first correction of the rule's modified flow, or for a rule with memory of the slow motion of its
    high-resolution equation, is written in the terms J_ij v_j. The coefficients depend on the rule, the players' step
    sizes, the order of play and the repeats alone. They are determined and verified on one cubic game in general
    position with the same players. With m_i repeats of the step size lr_i the self terms are -m_i lr_i^2 / 2, and the
    interaction terms -m_i m_j lr_i lr_j / 2 for a player that moves first or at the same time, with + for the one that
    moves last (Rosca et al. 2021, theorems 3.1 and 3.2).

    Args:
        game: a symbolic game. Only its players, and whether it is zero-sum, matter.
        rule: a rule made of gradient steps.
        budget: seconds.

    Returns:
        `DriftCoefficients`: `.coefficient(i, j)` in terms of the step sizes, and `.relative(i, j)`.

    Raises:
        OutOfTimeError: when the budget is spent.
        DomainError: for rules that do not follow the players' own gradients (consensus with a fixed weight), or whose
            correction has other terms (LOLA).

    Example:
        >>> import gandyn as gd
        >>> found = gd.drift(gd.games.bilinear(), gd.rules.AlternatingGD(0.1, repeats=(1, 2)))
        >>> found.coefficient("x", "y"), found.coefficient("y", "x"), found.relative("y", "y")
        (-lr_x*lr_y, lr_x*lr_y, -1/4)
    """
    rule.check(game)
    return Budget.of(budget).run(functools.partial(_drift, game, rule), f"the drift of {rule!r}")


def _drift(game: Game, rule: Rule) -> DriftCoefficients:
    trial = probe(game)
    names = [p.name for p in game.players]
    sizes = tuple(sympy.Symbol(f"lr_{name}", positive=True) for name in names)
    moved = with_steps(trial, rule, sizes)
    c_0, c_1 = _first_terms(trial, moved)
    v, jacobian, n = trial.field_exprs, trial.jacobian_expr, len(names)
    rates, products = [], []
    for i in range(n):
        pace = match([c_0[i]], [[-v[i]]], trial.symbols)
        if pace is None:
            raise DomainError(
                f"{rule!r}, which does not follow the players' own gradients as lr goes to zero",
                "a rule that follows -v player by player",
                "gd.modified_flow shows what it follows",
            )
        found = match([c_1[i]], [[jacobian[i, j] * v[j]] for j in range(n)], trial.symbols)
        if found is None:
            raise DomainError(
                f"{rule!r}, whose first correction has terms beyond products of Jacobian and field",
                "a rule made of gradient steps",
                "gd.modified_flow shows the whole correction",
            )
        rates.append(sympy.expand(sizes[0] * pace[0]))
        products.append(tuple(sympy.expand(sizes[0] ** 2 * k) for k in found))
    return DriftCoefficients(game, rule, sizes, tuple(rates), tuple(products))


def _first_terms(game: Game, rule: Rule) -> Sequence[sympy.Expr]:
    """The terms c_0 and c_1 of the flow dw/dt = c_0 + lr c_1 + ... that the rule follows."""
    try:
        return flow_terms(sympy.Matrix(game.symbols), step_series(game, rule, 2))
    except DomainError as error:
        if "which has memory" not in error.given:
            raise
        return high_resolution(game, rule, budget=None).slow
