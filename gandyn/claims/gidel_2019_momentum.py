"""Claims of Gidel, Hemmat, Pezeshki, Le Priol, Huang, Lacoste-Julien & Mitliagkas 2019, "Negative momentum"."""

from __future__ import annotations

from typing import Any

from .. import games, rules
from ..types import Game, Rule
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register
from .evidence import all_of, attracting, bilinear_modes, critical_step, spectral

HALF = -0.5


def _simultaneous(momentum: Any = None) -> Evidence:
    """Schur-Cohn on p = z^2 + a z + b: |a - conj(a) b|^2 - (1 - |b|^2)^2 must be negative for convergence."""
    import sympy

    from ..analysis.parameters.stability import stability_region

    lr = sympy.Symbol("lr", positive=True)
    beta = sympy.Symbol("beta", real=True) if momentum is None else momentum
    rule = rules.HeavyBall("lr", beta)
    if sympy.im(beta) != 0:
        return Evidence(not attracting(games.bilinear(), rules.HeavyBall(0.02, beta)), "momentum is complex")
    s = lr * sympy.Symbol("sigma", positive=True)
    a, b = sympy.I * s - 1 - beta, beta
    excess = sympy.expand((a - sympy.conjugate(a) * b) * (sympy.conjugate(a) - a * b) - (1 - b**2) ** 2)
    return all_of(
        bilinear_modes(rule, lambda z, sigma: z**2 + z * (sympy.I * lr * sigma - 1 - beta) + beta),
        Evidence(sympy.expand(excess - s**2 * (1 + beta) ** 2) == 0, "excess of Schur-Cohn s^2 (1 + beta)^2 >= 0"),
        Evidence(stability_region(games.bilinear(), rule, ("lr",)).never, "no region of stability"),
    )


register(
    Claim(
        name="gidel_2019_momentum.simultaneous_never",
        statement="Simultaneous heavy-ball steps converge on no bilinear game, whatever step and real momentum.",
        latex=r"|a - \bar a b|^2 - (1-|b|^2)^2 = s^2(1+\beta)^2 \ge 0,\quad a = is - 1 - \beta,\ b = \beta",
        source="Gidel et al. 2019 (negative momentum), the theorem on bilinear games; the proof is ours, by Schur-Cohn",
        how=How.PROVED,
        origin=Origin.SHARPENED,
        conclusion=_simultaneous,
        outside=(Outside("the momentum is complex: 0.9 e^(i pi/8)", lambda: {"momentum": 0.8314915 + 0.3444151j}),),
        mutants=(
            Mutant("rules/heavy_ball.py", 'm = real * state["momentum"] - v', 'm = real * state["momentum"] / 2 - v'),
        ),
    )
)


CONSTANT, ROUNDS = 3.0, 300


def _alternating(game: Game, step: float, momentum: Any = (HALF, 0), constant: float = CONSTANT) -> Evidence:
    """|w_t|^2 <= C r^t |w_0|^2 for t <= 300 and the worst of all starts, r = max(1/2, 1 - s_min^2 / 16)."""
    import numpy as np

    from ..analysis.local.linearize import linearize
    from .evidence import singular_values

    matrix = np.asarray(linearize(game, rules.HeavyBall(step, momentum, alternating=True)).matrix, dtype=float)
    rate = max(0.5, 1 - (step * singular_values(game)[-1]) ** 2 / 16)
    # Heavy ball starts at rest: its memory is zero where the point is w_0.
    power, d, worst = np.eye(len(matrix))[:, : game.dim], game.dim, 0.0
    for _ in range(ROUNDS):
        power = matrix @ power / rate**0.5
        worst = max(worst, float(np.linalg.norm(power[:d], 2)) ** 2)
    return Evidence(worst <= constant, f"|w_t|^2 at most {worst:.4g} r^t |w_0|^2, r = {rate:.6g}, in {ROUNDS} rounds")


def _draws() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    return st.fixed_dictionaries({"game": strategies.bilinear(), "step": strategies.steps(0.5, 0.05)})


def _short(game: Game, step: float) -> bool:
    from .evidence import singular_values

    values = step * singular_values(game)
    return bool(values[0] <= 1 and values[-1] > 1e-3)


register(
    Claim(
        name="gidel_2019_momentum.alternating_rate",
        statement=(
            "On bilinear games with a nonsingular matrix alternating steps with eta sigma_max <= 1, momentum -1/2 of "
            "the first player and none of the second converge linearly: the squared distance is O(r^t) with "
            "r = max(1/2, 1 - eta^2 sigma_min^2 / 16), here at most 3 r^t times the first. It need not fall at "
            "each step."
        ),
        latex=r"|w_t|^2 = O\big(\max\{\tfrac12,\ 1 - \eta^2\sigma_{\min}^2/16\}^t\big)",
        source=(
            "Gidel et al. 2019 (negative momentum), the theorem on alternating steps with beta_1 = -1/2, beta_2 = 0; "
            "the constant 3 is found here"
        ),
        how=How.PROPERTY,
        origin=Origin.SHARPENED,
        conclusion=_alternating,
        hypotheses=_draws,
        where=_short,
        outside=(
            Outside(
                "the momentum is positive",
                lambda: {"game": games.bilinear(), "step": 0.5, "momentum": (0.5, 0)},
            ),
            Outside(
                "the constant 1: from (1, -1) the squared distance goes 2, 2.31, 2.08, 2.58",
                lambda: {"game": games.bilinear(), "step": 0.5, "constant": 1.0},
            ),
        ),
        mutants=(
            Mutant("rules/heavy_ball.py", 'm = real * state["momentum"] - v', 'm = -real * state["momentum"] - v'),
        ),
        draws=25,
    )
)


def _thresholds(momentum: Any = None) -> Evidence:
    import sympy

    half = -sympy.Rational(1, 2) if momentum is None else momentum
    both = rules.HeavyBall("lr", half, alternating=True)
    first: Rule = rules.HeavyBall("lr", (half, 0), alternating=True)
    game = games.bilinear(3)
    return all_of(
        critical_step(game, both, sympy.Rational(1, 3)),
        critical_step(game, first, sympy.sqrt(2) / 3),
    )


def _asymptotic(share: float, momentum: float = HALF) -> Evidence:
    """rho^2 of the slowest mode of (z - 1)^2 (z - beta) + s^2 z^2 for small s, by roots and by the library."""
    import numpy as np

    from ..analysis.local.linearize import linearize

    exact = max(abs(np.roots(np.polyadd(np.polymul([1, -2, 1], [1, -momentum]), [share**2, 0, 0])))) ** 2
    rule = rules.HeavyBall(share, (momentum, 0), alternating=True)
    found = (
        float(np.abs(np.linalg.eigvals(np.asarray(linearize(games.bilinear(), rule).matrix, dtype=float))).max()) ** 2
    )
    lost = (1 - found) / share**2
    return all_of(
        Evidence(abs(lost - 2 / 9) < share**2, f"rho^2 = 1 - {lost:.8g} s^2"),
        Evidence(abs(found - exact) < 1e-9, "as the roots say"),
    )


def _small() -> Any:
    from hypothesis import strategies as st

    return st.fixed_dictionaries({"share": st.floats(0.01, 0.3)})


register(
    Claim(
        name="gidel_2019_momentum.asymptotic_rate",
        statement=(
            "The rate of alternating steps with momentum -1/2 of the first player alone is 1 - (2/9) s^2 for small "
            "s = eta sigma_min: the published 1 - s^2/16 is a bound that is 3.6 times slower."
        ),
        latex=r"(z-1)^2(z+\tfrac12) + s^2z^2 = 0 \Rightarrow \rho^2 = 1 - \tfrac29 s^2 + O(s^4)",
        source="beside Gidel et al. 2019 (negative momentum), the theorem on alternating steps; by expansion",
        how=How.PROPERTY,
        origin=Origin.DERIVED,
        conclusion=_asymptotic,
        hypotheses=_small,
        outside=(Outside("another momentum, -1/4", lambda: {"share": 0.1, "momentum": -0.25}),),
        mutants=(
            Mutant("rules/heavy_ball.py", 'm = real * state["momentum"] - v', 'm = -real * state["momentum"] - v'),
        ),
        draws=20,
    )
)


register(
    Claim(
        name="gidel_2019_momentum.alternating_thresholds",
        statement=(
            "On bilinear games alternating steps with momentum -1/2 converge exactly when eta sigma_max < 1 if both "
            "players have it, and exactly when eta sigma_max < sqrt(2) if the first alone has it."
        ),
        latex=r"\beta=(-\tfrac12,-\tfrac12):\ s<1; \qquad \beta=(-\tfrac12,0):\ s<\sqrt2",
        source="Gidel et al. 2019 (negative momentum), section 4 (alternating steps); exact thresholds derived here",
        how=How.PROVED,
        origin=Origin.SHARPENED,
        conclusion=_thresholds,
        outside=(Outside("no momentum: the orbits circle", lambda: {"momentum": 0}),),
        mutants=(
            Mutant("rules/heavy_ball.py", 'm = real * state["momentum"] - v', 'm = real * state["momentum"] / 2 - v'),
        ),
    )
)


def _bounded(thirtieths: int = 19, in_turn: bool = True) -> Evidence:
    """Trace 2 - s^2 and determinant 1; marginal while |trace| < 2."""
    import sympy

    from ..analysis.exact_numbers.polynomials import Z
    from ..analysis.local.linearize import Verdict, linearize
    from .evidence import same_expressions

    lr, sigma = sympy.symbols("lr sigma", positive=True)
    length = sympy.Rational(thirtieths, 30)
    build: Any = rules.AlternatingGD if in_turn else rules.SimultaneousGD
    found = linearize(games.bilinear(sigma), build(lr)).exact
    at_length = linearize(games.bilinear(3), build(length))
    assert found is not None
    return all_of(
        same_expressions(found.charpoly, Z**2 - (2 - lr**2 * sigma**2) * Z + 1),
        Evidence(at_length.verdict is Verdict.MARGINAL, f"step {length}: {at_length.verdict}"),
    )


register(
    Claim(
        name="gidel_2019_momentum.alternating_bounded",
        statement=(
            "On bilinear games with a nonsingular matrix alternating gradient steps with eta sigma_max < 2 stay "
            "bounded and do not converge: all eigenvalues lie on the unit circle and are semisimple."
        ),
        latex=r"\lambda^2 - (2 - s^2)\lambda + 1 = 0, \qquad |\lambda| = 1 \iff s \le 2",
        source="Gidel et al. 2019 (negative momentum), the theorem on bilinear games, alternating steps with beta = 0",
        how=How.PROVED,
        origin=Origin.PAPER,
        conclusion=_bounded,
        outside=(
            Outside("s = 2: the eigenvalue -1 is defective, orbits grow like t", lambda: {"thirtieths": 20}),
            Outside("simultaneous steps", lambda: {"in_turn": False}),
        ),
        mutants=(Mutant("rules/alternating.py", "range(repeats[i])]", "range(repeats[i] + 1)]"),),
    )
)


def _negative_helps(real: Any, imaginary: Any, place: float, inside: bool = True) -> Evidence:
    """d rho^2/d beta > 0 at beta = 0, by the library's radius at -1e-5, exactly for steps in I(lambda)."""
    import math

    size = math.hypot(real, imaginary)
    low, high = ((size - side * imaginary) / (size * real) for side in (1, -1))
    step = low + place * (high - low) if inside else low * place
    game = games.planted_quadratic([complex(real, imaginary)], seed=None)
    plain, negative = (spectral(game, rules.HeavyBall(step, momentum)) for momentum in (0, -1e-5))
    return Evidence(negative < plain, f"rho {plain:.9f} without momentum, {negative:.9f} with -1e-5, step {step:.4g}")


def _spectra() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    tenths = strategies.tenths
    places = {"real": tenths(0.1, 2), "imaginary": tenths(0.2, 3), "place": st.floats(0.05, 0.95)}
    return st.fixed_dictionaries(places)


register(
    Claim(
        name="gidel_2019_momentum.when_negative_helps",
        statement=(
            "For a pair of eigenvalues lambda of J a little negative momentum lowers the spectral radius of "
            "simultaneous heavy-ball steps exactly for steps in an interval around 1/Re lambda, the wider the more "
            "the pair rotates."
        ),
        latex=r"\eta \in I(\lambda) = \Big(\tfrac{|\lambda| - |\mathrm{Im}\lambda|}{|\lambda|\,\mathrm{Re}\lambda},\ "
        r"\tfrac{|\lambda| + |\mathrm{Im}\lambda|}{|\lambda|\,\mathrm{Re}\lambda}\Big)",
        source="Gidel et al. 2019 (negative momentum), the theorem on the derivative of the radius in beta at 0",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_negative_helps,
        hypotheses=_spectra,
        outside=(
            Outside(
                "a step below the interval",
                lambda: {"real": 1, "imaginary": 1, "place": 0.8, "inside": False},
            ),
        ),
        mutants=(
            Mutant("rules/heavy_ball.py", 'm = real * state["momentum"] - v', 'm = -real * state["momentum"] - v'),
        ),
        draws=25,
    )
)
