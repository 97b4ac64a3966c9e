"""Claims of Rosca, Wu, Dherin & Barrett 2021, "Discretization drift in two-player games"."""

from __future__ import annotations

from typing import Any

from .. import games, rules
from ..types import Game
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register
from .evidence import all_of, attracting, same_expressions

STEP = "1/5"


def _curved() -> Game:
    """A general-sum game with cubic and quartic terms: no symmetry that could hide a wrong sign."""
    import sympy

    x, y = sympy.symbols("x y", real=True)
    game: Game = games.from_sympy([x**3 * y + 2 * x * y**2 - x**2, y**3 - 3 * x * y + x**2 * y**2], [x, y])
    return game


def _simultaneous(game: Any = None, rule: Any = None) -> Evidence:
    """c_1 = -J v / 2, J from SymPy's own derivatives."""
    import sympy

    from ..analysis.backward_error.modified_flow import modified_flow

    game = _curved() if game is None else game
    found = modified_flow(game, rule or rules.SimultaneousGD("lr"), order=1)
    v = sympy.Matrix(game.field_exprs)
    return all_of(
        same_expressions(found.expression(0), -v),
        same_expressions(found.expression(1), -v.jacobian(sympy.Matrix(game.symbols)) * v / 2),
    )


register(
    Claim(
        name="rosca_2021.simultaneous_drift",
        statement=(
            "Simultaneous gradient steps of size h follow the flow dw/dt = -v - (h/2) J v to second order: each player "
            "also descends h/4 |grad f_i|^2 and h/2 <df_i/dx_j, df_j/dx_j>, the last factor held."
        ),
        latex=r"\dot w = -v - \tfrac{h}{2} J v + O(h^2)",
        source="Rosca et al. 2021, theorem 3.1",
        how=How.INSTANCE,
        origin=Origin.PAPER,
        conclusion=_simultaneous,
        outside=(
            Outside("the players move in turn", lambda: {"rule": rules.AlternatingGD("lr")}),
            Outside("a rule of second order has no drift", lambda: {"rule": rules.RungeKutta("lr", 2)}),
        ),
        mutants=(Mutant("analysis/backward_error/modified_flow.py", "row[j] / sympy.factorial(k)", "row[j]"),),
    )
)


def _alternating(repeats: tuple[int, int] = (2, 3), in_turn: bool = True) -> Evidence:
    """The map, expanded by hand: m steps of x with y held, then k steps of y at the new x."""
    import sympy

    from ..analysis.backward_error.drift import drift

    a, b = sympy.symbols("lr_x lr_y", positive=True)
    m, k = repeats
    rule = rules.AlternatingGD((a, b), repeats=repeats) if in_turn else rules.SimultaneousGD((a, b))
    found = drift(games.bilinear(), rule)
    expected = [[-m * a**2 / 2, -m * k * a * b / 2], [m * k * a * b / 2, -k * b**2 / 2]]
    return all_of(
        same_expressions(found.rates, [m * a, k * b]),
        same_expressions([e for row in found.products for e in row], [e for row in expected for e in row]),
    )


register(
    Claim(
        name="rosca_2021.alternating_drift",
        statement=(
            "Alternating steps (m of the first player, then k of the second) drift like simultaneous ones but for the "
            "sign of the second player's interaction term; repeats weaken the self terms by 1/m and 1/k."
        ),
        latex=(
            r"\dot x:\ -\tfrac{m h_x^2}{2}J_{xx}v_x - \tfrac{mk h_xh_y}{2}J_{xy}v_y, \quad "
            r"\dot y:\ +\tfrac{mk h_xh_y}{2}J_{yx}v_x - \tfrac{k h_y^2}{2}J_{yy}v_y"
        ),
        source="Rosca et al. 2021, theorem 3.2",
        how=How.INSTANCE,
        origin=Origin.PAPER,
        conclusion=_alternating,
        outside=(
            Outside(
                "simultaneous steps", lambda: {"repeats": (1, 1), "in_turn": False}, restore=lambda: {"in_turn": True}
            ),
        ),
        mutants=(Mutant("rules/alternating.py", "for i in order for _ in", "for i in reversed(order) for _ in"),),
    )
)


def _example(damping: str = "9/100", growing: bool = True) -> Evidence:
    """dx/dt = -eps x + y, dy/dt = -x - eps y: |lambda|^2 = (1 - h eps)^2 + h^2 at once, (1 - h eps)^2 in turn."""
    import sympy

    from ..analysis.local.linearize import Verdict, linearize

    h, eps = sympy.Rational(STEP), sympy.Rational(damping)
    free = sympy.Symbol("eps", positive=True)
    at_once = linearize(games.quadratic(free, -1, free), rules.SimultaneousGD(h)).exact
    in_turn = linearize(games.quadratic(free, -1, free), rules.AlternatingGD(h)).exact
    assert at_once is not None
    assert in_turn is not None
    game = games.quadratic(eps, -1, eps)
    verdict = linearize(game, rules.SimultaneousGD(h)).verdict
    return all_of(
        same_expressions(at_once.matrix.det(), (1 - h * free) ** 2 + h**2),
        same_expressions(in_turn.matrix.det(), (1 - h * free) ** 2),
        attracting(game, rules.AlternatingGD(h)),
        Evidence((verdict is Verdict.REPELLING) == growing, f"simultaneous: {verdict}"),
    )


register(
    Claim(
        name="rosca_2021.figure_of_damping",
        statement=(
            "With h = 0.2 and damping 0.09 simultaneous steps diverge and alternating ones converge, on a game whose "
            "flow converges; the threshold of simultaneous steps is 5 - 2 sqrt(6) = 0.1010; at 0.2 both converge."
        ),
        latex=r"(1-h\epsilon)^2 + h^2 < 1 \iff \epsilon > \frac{1-\sqrt{1-h^2}}{h} = 5 - 2\sqrt6",
        source="Rosca et al. 2021, the figure with epsilon = 0.09 and 0.2; the threshold derived here",
        how=How.PROVED,
        origin=Origin.SHARPENED,
        conclusion=_example,
        outside=(Outside("damping 0.2", lambda: {"damping": "1/5"}),),
        mutants=(
            Mutant("rules/alternating.py", "w, fields[i] = view.embed(x)", "w, fields[i] = view.embed(view.block)"),
        ),
    )
)
