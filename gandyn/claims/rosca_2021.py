"""Claims of Rosca, Wu, Dherin & Barrett 2021, "Discretization drift in two-player games"."""

from __future__ import annotations

from .. import analysis, games, rules
from ..lazy import sympy
from ..types import Game, Rule
from .declare import Evidence, Paper, fails, instance, proved
from .evidence import all_of, attracting, curved_game, exact, same_expressions

rosca = Paper("rosca_2021")


@rosca.says("Rosca et al. 2021, theorem 3.1")
@instance(r"\dot w = -v - \tfrac{h}{2} J v + O(h^2)")
@fails("the players move in turn", lambda: {"rule": rules.AlternatingGD("lr")})
@fails("a rule of second order has no drift", lambda: {"rule": rules.RungeKutta("lr", 2)})
def simultaneous_drift(game: Game | None = None, rule: Rule | None = None) -> Evidence:
    """Simultaneous gradient steps of size h follow the flow dw/dt = -v - (h/2) J v to second order: each player also
    descends h/4 |grad f_i|^2 and h/2 <df_i/dx_j, df_j/dx_j>, the last factor held.
    """
    game = curved_game() if game is None else game
    found = analysis.modified_flow(game, rule or rules.SimultaneousGD("lr"), order=1)
    v = sympy.Matrix(game.field_exprs)
    return all_of(
        same_expressions(found.expression(0), -v),
        same_expressions(found.expression(1), -v.jacobian(sympy.Matrix(game.symbols)) * v / 2),
    )


@rosca.says("Rosca et al. 2021, theorem 3.2")
@instance(
    r"\dot x:\ -\tfrac{m h_x^2}{2}J_{xx}v_x - \tfrac{mk h_xh_y}{2}J_{xy}v_y, \quad \dot y:\ +\tfrac{mk "
    r"h_xh_y}{2}J_{yx}v_x - \tfrac{k h_y^2}{2}J_{yy}v_y"
)
@fails("simultaneous steps", lambda: {"repeats": (1, 1), "in_turn": False}, in_turn=True)
def alternating_drift(repeats: tuple[int, int] = (2, 3), in_turn: bool = True) -> Evidence:
    """Alternating steps (m of the first player, then k of the second) drift like simultaneous ones but for the sign of
    the second player's interaction term; repeats weaken the self terms by 1/m and 1/k.

    The map, expanded by hand: m steps of x with y held, then k steps of y at the new x.
    """
    a, b = sympy.symbols("lr_x lr_y", positive=True)
    m, k = repeats
    rule = rules.AlternatingGD((a, b), repeats=repeats) if in_turn else rules.SimultaneousGD((a, b))
    found = analysis.drift(games.bilinear(), rule)
    expected = [[-m * a**2 / 2, -m * k * a * b / 2], [m * k * a * b / 2, -k * b**2 / 2]]
    return all_of(
        same_expressions(found.rates, [m * a, k * b]),
        same_expressions([e for row in found.products for e in row], [e for row in expected for e in row]),
    )


@rosca.sharpened("Rosca et al. 2021, the figure with epsilon = 0.09 and 0.2; the threshold derived here")
@proved(r"(1-h\epsilon)^2 + h^2 < 1 \iff \epsilon > \frac{1-\sqrt{1-h^2}}{h} = 5 - 2\sqrt6")
@fails("damping 0.2", lambda: {"damping": "1/5"})
def figure_of_damping(damping: str = "9/100", growing: bool = True) -> Evidence:
    """With h = 0.2 and damping 0.09 simultaneous steps diverge and alternating ones converge, on a game whose flow
    converges; the threshold of simultaneous steps is 5 - 2 sqrt(6) = 0.1010; at 0.2 both converge.

    dx/dt = -eps x + y, dy/dt = -x - eps y: |lambda|^2 = (1 - h eps)^2 + h^2 at once, (1 - h eps)^2 in turn.
    """
    h, eps = sympy.Rational(1, 5), sympy.Rational(damping)
    free = sympy.Symbol("eps", positive=True)
    free_game = games.quadratic(free, -1, free)
    at_once, in_turn = (exact(free_game, rule) for rule in (rules.SimultaneousGD(h), rules.AlternatingGD(h)))
    game = games.quadratic(eps, -1, eps)
    verdict = analysis.linearize(game, rules.SimultaneousGD(h)).verdict
    return all_of(
        same_expressions(at_once.matrix.det(), (1 - h * free) ** 2 + h**2),
        same_expressions(in_turn.matrix.det(), (1 - h * free) ** 2),
        attracting(game, rules.AlternatingGD(h)),
        Evidence((verdict.name == "REPELLING") == growing, f"simultaneous: {verdict}"),
    )
