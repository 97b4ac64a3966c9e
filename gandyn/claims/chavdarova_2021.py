"""Claims of Chavdarova et al. 2021: "Taming GANs with lookahead-minmax", and "... high-resolution ODEs"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from .. import analysis, games, rules
from ..lazy import sympy
from ..types import Rule
from .declare import Evidence, Paper, drawn, fails, formula, instance, proved, where
from .evidence import all_of, bilinear_modes, critical_step, curved_game, same_expressions, same_numbers, spectral

chavdarova = Paper("chavdarova_2021")


@chavdarova.sharpened("Chavdarova et al. 2021 (lookahead-minmax), section 3 (bilinear games); the region derived here")
@instance(r"\lambda = 1 - \alpha + \alpha(1 - is)^k; \qquad k = 2:\ |\lambda| < 1 \iff s^2 < 2/\alpha - 4")
@fails("alpha = 1/2: with k = 2 no step converges", lambda: {"part": 2})
def lookahead(horizons: tuple[int, ...] = (2, 3, 5), part: int = 4) -> Evidence:
    """Lookahead around simultaneous steps multiplies each singular direction of a bilinear game by 1 - alpha + alpha (1
    - is)^k; with k = 2 and alpha = 1/4 it converges exactly when eta sigma_max < 2.
    """
    lr, share = sympy.symbols("lr alpha", positive=True)

    def follows(k: int) -> Evidence:
        rule = rules.Lookahead(rules.SimultaneousGD("lr"), k, share)
        return bilinear_modes(rule, lambda z, sigma: z - (1 - share + share * (1 - sympy.I * lr * sigma) ** k))

    two = rules.Lookahead(rules.SimultaneousGD("lr"), 2, sympy.Rational(1, part))
    return all_of(*map(follows, horizons), critical_step(games.bilinear(3), two, sympy.Rational(2, 3)))


@chavdarova.sharpened("Chavdarova et al. 2021 (lookahead-minmax), section 3 (some alpha converges); which derived here")
@formula(r"|\lambda|^2 = 1 + s^2\,\alpha k\,(\alpha k - k + 1) + O(s^4)")
@drawn(30, k=st.integers(2, 8), alpha=st.integers(1, 39).map(lambda n: n / 40))
@where(lambda k, alpha: abs(alpha - 1 + 1 / k) > 0.01)
@fails("'every alpha below 1' instead: k = 3, alpha = 0.9", lambda: {"k": 3, "alpha": 0.9, "most": 1})
def which_alpha(k: int, alpha: float, most: sympy.Expr = None) -> Evidence:
    """Lookahead around small simultaneous steps converges on bilinear games exactly when alpha < 1 - 1/k: longer
    horizons allow larger shares, and k = 2 needs alpha < 1/2.
    """
    edge = 1 - 1 / k if most is None else most
    found = spectral(games.bilinear(), rules.Lookahead(rules.SimultaneousGD(0.01 / k), k, alpha))
    return all_of(
        same_numbers(found, abs(1 - alpha + alpha * (1 - 1j * 0.01 / k) ** k), 1e-13),
        Evidence((found < 1) == (alpha < edge), f"k = {k}, alpha = {alpha:.4g}: spectral radius {found:.10g}"),
    )


@chavdarova.says("Chavdarova, Jordan & Zampetakis 2021 (high-resolution ODEs), section 4")
@instance(r"\ddot w = -\beta\dot w - \beta v\ [+\,2Jv]\ [-\,2J\dot w], \qquad \beta = 2/\gamma")
@fails("heavy ball with momentum 1/2, not the optimistic rule", lambda: {"rule": lambda lr: rules.HeavyBall(lr, 0.5)})
def high_resolution_equations(rule: Callable[..., Rule] | None = None) -> Evidence:
    """To second order in the step gamma the iterates obey w'' = -beta w' - beta v (gradient descent-ascent), plus 2 J v
    (extragradient), minus 2 J w' (optimistic), beta = 2/gamma, in every game.

    The acceleration on a curved general-sum game against coefficients of w', v, J v and J w', beta = 2 / lr.
    """
    game = curved_game()
    v, jacobian = sympy.Matrix(game.field_exprs), game.jacobian_expr
    optimistic = rule or rules.OptimisticGD
    parts = []
    for build, ahead, memory in ((rules.SimultaneousGD, 0, 0), (rules.Extragradient, 2, 0), (optimistic, 0, -2)):
        found = analysis.high_resolution(game, build("lr"))
        u = sympy.Matrix(found.velocity)
        beta = sympy.Symbol("beta", positive=True)
        expected = -beta * u - beta * v + ahead * jacobian * v + memory * jacobian * u
        parts.append(same_expressions(found.in_beta, expected))
    return all_of(*parts)


@chavdarova.says("Chavdarova, Jordan & Zampetakis 2021 (high-resolution ODEs), section 5 (bilinear games)")
@proved(r"\mu^2+\beta\mu+i\beta\sigma,\ \mu^2+\beta\mu+2\sigma^2+i\beta\sigma,\ \mu^2+(\beta+2i\sigma)\mu+i\beta\sigma")
@fails("heavy ball with momentum 1/2", lambda: {"rule": lambda lr: rules.HeavyBall(lr, 0.5)})
def high_resolution_stability(rule: object = None) -> Evidence:
    """On bilinear games the high-resolution equation of gradient descent-ascent repels for every step, those of
    extragradient and of the optimistic rule attract for every step, though all three share one gradient flow.
    """

    def region(build: Any) -> Any:
        space = analysis.high_resolution(games.bilinear(2), build("lr")).space("lr")
        return analysis.stability_region(space, None, ("lr",), at=(0, 0, 0, 0))

    rules_ = (rules.Extragradient, rules.OptimisticGD) if rule is None else (rule,)
    attracted = [region(build).critical("lr") for build in rules_]
    return all_of(
        Evidence(region(rules.SimultaneousGD).never, "gradient descent-ascent: never"),
        Evidence(all(step is sympy.oo for step in attracted), f"critical steps {attracted}"),
    )
