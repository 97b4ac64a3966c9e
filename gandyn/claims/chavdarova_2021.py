"""Claims of Chavdarova et al. 2021: "Taming GANs with lookahead-minmax", and "... high-resolution ODEs"."""

from __future__ import annotations

from typing import Any

from .. import games, rules
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register
from .evidence import all_of, bilinear_modes, critical_step, same_expressions, same_numbers, spectral

SMALL = 0.01


def _multiplier(horizons: tuple[int, ...] = (2, 3, 5), part: int = 4) -> Evidence:
    import sympy

    lr, share = sympy.symbols("lr alpha", positive=True)

    def follows(k: int) -> Evidence:
        rule = rules.Lookahead(rules.SimultaneousGD("lr"), k, share)
        return bilinear_modes(rule, lambda z, sigma: z - (1 - share + share * (1 - sympy.I * lr * sigma) ** k))

    two = rules.Lookahead(rules.SimultaneousGD("lr"), 2, sympy.Rational(1, part))
    return all_of(*map(follows, horizons), critical_step(games.bilinear(3), two, sympy.Rational(2, 3)))


register(
    Claim(
        name="chavdarova_2021.lookahead",
        statement=(
            "Lookahead around simultaneous steps multiplies each singular direction of a bilinear game by "
            "1 - alpha + alpha (1 - is)^k; with k = 2 and alpha = 1/4 it converges exactly when eta sigma_max < 2."
        ),
        latex=r"\lambda = 1 - \alpha + \alpha(1 - is)^k; \qquad k = 2:\ |\lambda| < 1 \iff s^2 < 2/\alpha - 4",
        source="Chavdarova et al. 2021 (lookahead-minmax), section 3 (the bilinear game); exact region derived here",
        how=How.INSTANCE,
        origin=Origin.SHARPENED,
        conclusion=_multiplier,
        outside=(Outside("alpha = 1/2: with k = 2 no step converges", lambda: {"part": 2}),),
        mutants=(Mutant("rules/lookahead.py", "for _ in range(self.k)", "for _ in range(self.k + 1)"),),
    )
)


def _share(k: int, alpha: float, most: Any = None) -> Evidence:
    """|lambda|^2 = 1 + s^2 (alpha^2 k^2 - alpha k (k - 1)) + O(s^4)."""
    edge = 1 - 1 / k if most is None else most
    found = spectral(games.bilinear(), rules.Lookahead(rules.SimultaneousGD(SMALL / k), k, alpha))
    return all_of(
        same_numbers(found, abs(1 - alpha + alpha * (1 - 1j * SMALL / k) ** k), 1e-13),
        Evidence((found < 1) == (alpha < edge), f"k = {k}, alpha = {alpha:.4g}: spectral radius {found:.10g}"),
    )


def _shares() -> Any:
    from hypothesis import strategies as st

    return st.fixed_dictionaries({"k": st.integers(2, 8), "alpha": st.integers(1, 39).map(lambda n: n / 40)})


register(
    Claim(
        name="chavdarova_2021.which_alpha",
        statement=(
            "Lookahead around small simultaneous steps converges on bilinear games exactly when alpha < 1 - 1/k: "
            "longer horizons allow larger shares, and k = 2 needs alpha < 1/2."
        ),
        latex=r"|\lambda|^2 = 1 + s^2\,\alpha k\,(\alpha k - k + 1) + O(s^4)",
        source="Chavdarova et al. 2021 (lookahead-minmax), section 3 (some alpha converges); which, derived here",
        how=How.PROPERTY,
        origin=Origin.SHARPENED,
        conclusion=_share,
        hypotheses=_shares,
        where=lambda k, alpha: abs(alpha - 1 + 1 / k) > 0.01,
        outside=(
            Outside(
                "'every alpha below 1' instead: k = 3, alpha = 0.9",
                lambda: {"k": 3, "alpha": 0.9, "most": 1},
            ),
        ),
        mutants=(Mutant("rules/lookahead.py", "for _ in range(self.k)", "for _ in range(self.k + 1)"),),
        draws=30,
    )
)


def _equations(rule: Any = None) -> Evidence:
    """The acceleration on a curved general-sum game against coefficients of w', v, J v and J w', beta = 2 / lr."""
    import sympy

    from ..analysis.backward_error.high_resolution import high_resolution

    x, y = sympy.symbols("x y", real=True)
    game = games.from_sympy([x**3 * y + 2 * x * y**2 - x**2, y**3 - 3 * x * y + x**2 * y**2], [x, y])
    v, jacobian = sympy.Matrix(game.field_exprs), game.jacobian_expr
    optimistic = rule or rules.OptimisticGD
    parts = []
    for build, ahead, memory in (
        (rules.SimultaneousGD, 0, 0),
        (rules.Extragradient, 2, 0),
        (optimistic, 0, -2),
    ):
        found = high_resolution(game, build("lr"))
        u = sympy.Matrix(found.velocity)
        beta = sympy.Symbol("beta", positive=True)
        expected = -beta * u - beta * v + ahead * jacobian * v + memory * jacobian * u
        parts.append(same_expressions(found.in_beta, expected))
    return all_of(*parts)


register(
    Claim(
        name="chavdarova_2021.high_resolution_equations",
        statement=(
            "To second order in the step gamma the iterates obey w'' = -beta w' - beta v (gradient descent-ascent), "
            "plus 2 J v (extragradient), minus 2 J w' (optimistic), beta = 2/gamma, in every game."
        ),
        latex=r"\ddot w = -\beta\dot w - \beta v\ [+\,2Jv]\ [-\,2J\dot w], \qquad \beta = 2/\gamma",
        source="Chavdarova, Jordan & Zampetakis 2021 (high-resolution ODEs), section 4",
        how=How.INSTANCE,
        origin=Origin.PAPER,
        conclusion=_equations,
        outside=(
            Outside(
                "heavy ball with momentum 1/2 instead of the optimistic rule",
                lambda: {"rule": lambda lr: rules.HeavyBall(lr, 0.5)},
            ),
        ),
        mutants=(Mutant("rules/extragradient.py", "game.project(w - ahead * v)", "game.project(w - ahead * v / 2)"),),
    )
)


def _stability(rule: Any = None) -> Evidence:
    """mu^2 + beta mu + ... on the bilinear game: never stable for gradient steps, always for the other two."""
    from ..analysis.backward_error.high_resolution import high_resolution
    from ..analysis.parameters.stability import stability_region

    def region(build: Any) -> Any:
        space = high_resolution(games.bilinear(2), build("lr")).space("lr")
        return stability_region(space, None, ("lr",), at=(0, 0, 0, 0))

    import sympy

    rules_ = (rules.Extragradient, rules.OptimisticGD) if rule is None else (rule,)
    attracted = [region(build).critical("lr") for build in rules_]
    return all_of(
        Evidence(region(rules.SimultaneousGD).never, "gradient descent-ascent: never"),
        Evidence(all(step is sympy.oo for step in attracted), f"critical steps {attracted}"),
    )


register(
    Claim(
        name="chavdarova_2021.high_resolution_stability",
        statement=(
            "On bilinear games the high-resolution equation of gradient descent-ascent repels for every step, those of "
            "extragradient and of the optimistic rule attract for every step, though all three share one gradient flow."
        ),
        latex=(
            r"\mu^2+\beta\mu+i\beta\sigma,\ \mu^2+\beta\mu+2\sigma^2+i\beta\sigma,\ "
            r"\mu^2+(\beta+2i\sigma)\mu+i\beta\sigma"
        ),
        source="Chavdarova, Jordan & Zampetakis 2021 (high-resolution ODEs), section 5 (bilinear games)",
        how=How.PROVED,
        origin=Origin.PAPER,
        conclusion=_stability,
        outside=(Outside("heavy ball with momentum 1/2", lambda: {"rule": lambda lr: rules.HeavyBall(lr, 0.5)}),),
        mutants=(Mutant("rules/extragradient.py", '2 * v - state["previous_field"]', "v"),),
    )
)
