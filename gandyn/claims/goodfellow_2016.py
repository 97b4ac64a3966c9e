"""Claims of Goodfellow 2016, the tutorial on GANs: orbits on v = ab, and the costs of three generators."""

from __future__ import annotations

from typing import Any

from .. import games, losses, rules
from ..types import Game
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register
from .evidence import all_of, same_expressions, same_numbers, same_spectrum, singular_values


def _orbit(game: Game) -> Evidence:
    """w . v = 0 identically, so that |w|^2 is conserved; and eigenvalues +-i sigma, the others 0."""
    from ..analysis.local.linearize import linearize

    turned = sum(w * v for w, v in zip(game.symbols, game.field_exprs, strict=True))
    identity = same_expressions(turned, 0)
    if not identity:
        return identity
    sigmas = singular_values(game)
    still = [0] * (game.dim - 2 * len(sigmas))
    turning = [sign * 1j * s for s in sigmas for sign in (1, -1)]
    return all_of(identity, same_spectrum(linearize(game).eigenvalues, [*turning, *still], 1e-9))


def _bilinear_games() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    return st.fixed_dictionaries({"game": strategies.bilinear(square=False)})


register(
    Claim(
        name="goodfellow_2016.flow_circles",
        statement="Gradient flow on v(a, b) = ab, and on every bilinear game x^T M y, keeps the distance from the "
        "origin: it orbits and never reaches the equilibrium.",
        latex=r"\tfrac{d}{dt}(a^2 + b^2) = 0",
        source="Goodfellow 2016, the exercise on gradient descent for games and its solution",
        how=How.PROPERTY,
        origin=Origin.SHARPENED,
        conclusion=_orbit,
        hypotheses=_bilinear_games,
        outside=(
            Outside(
                "curvature of one player's own",
                lambda: {"game": games.quadratic(0.1, 1, 0)},
                restore=lambda: {"game": games.bilinear()},
            ),
        ),
        mutants=(Mutant("oracles/symbolic.py", "costs.append(-costs[0])", "costs.append(costs[0])"),),
        draws=20,
    )
)


def _in_turn(step: Any) -> Evidence:
    """a+ = a - s b, b+ = b + s a+ keeps a^2 - s a b + b^2, for a symbol s; and the spectrum at a step."""
    import sympy

    from ..analysis.local.linearize import Verdict, linearize
    from ..dynamics.trace import update_map

    game, s = games.bilinear(), sympy.Symbol("s", positive=True)
    a, b = game.symbols
    first, second = update_map(game, rules.AlternatingGD(s)).expression
    jump, turn = update_map(game, rules.SimultaneousGD(s)).expression
    kept = a**2 - s * a * b + b**2
    found = linearize(game, rules.AlternatingGD(step))
    return all_of(
        same_expressions([first, second], [a - s * b, b + s * (a - s * b)]),
        same_expressions(kept.subs({a: first, b: second}, simultaneous=True), kept),
        same_expressions(jump**2 + turn**2, (1 + s**2) * (a**2 + b**2)),
        same_expressions(sympy.hessian(kept, (a, b)).det(), 4 - s**2),
        Evidence(found.verdict is Verdict.MARGINAL, f"{found.verdict}: {found.reason}"),
    )


def _steps() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    return st.fixed_dictionaries({"step": strategies.tenths(0.1, 1.9)})


register(
    Claim(
        name="goodfellow_2016.steps_on_ab",
        statement="On v(a, b) = ab simultaneous gradient steps of any size s multiply the distance from the origin by "
        "sqrt(1 + s^2), while alternating steps keep a^2 - s ab + b^2, which is definite and bounds them exactly for "
        "s < 2; neither converges.",
        latex=r"a^2 - s\,ab + b^2 \;\text{conserved, definite iff}\; s < 2",
        source="Goodfellow 2016, the exercise on gradient descent for games, with finite steps (s = step times sigma)",
        how=How.PROVED,
        origin=Origin.SHARPENED,
        conclusion=_in_turn,
        hypotheses=_steps,
        outside=(
            Outside(
                "s = 2: the form is only semidefinite and the orbit grows linearly",
                lambda: {"step": 2},
                restore=lambda: {"step": 1},
            ),
            Outside("s > 2", lambda: {"step": 2.5}, restore=lambda: {"step": 1}),
        ),
        mutants=(
            Mutant(
                "rules/gradient.py",
                "w - game.per_coordinate(self.lr, w) * v",
                "w + game.per_coordinate(self.lr, w) * v",
            ),
            Mutant("rules/alternating.py", "in self._schedule(game):", "in self._schedule(game)[::-1]:"),
        ),
        draws=19,
    )
)


def _likelihood(loss: str, mean: float, width: float) -> Evidence:
    """d/dq of KL's integrand symbolically, then on Gaussians by quadrature: d/d theta and d/d log tau of KL(p || q)."""
    import numpy as np
    import sympy

    chosen = losses.registry[loss].build()
    p, q = sympy.symbols("p q", positive=True)
    descended = chosen.generator(chosen.optimal_logit(p, q)).rewrite(sympy.exp)
    pointwise = same_expressions(descended, sympy.diff(p * sympy.log(p / q), q))
    x = np.linspace(-40.0, 40.0, 40_001)
    data, samples = _gaussian(x, 0.0, 1.0), _gaussian(x, mean, width)
    with np.errstate(all="ignore"):
        cost = np.where(samples > 1e-250, chosen.generator(chosen.optimal_logit(data, samples)), 0.0)
    slopes = [samples * (x - mean) / width**2, samples * ((x - mean) ** 2 / width**2 - 1)]
    found = [float((slope * cost).sum() * (x[1] - x[0])) for slope in slopes]
    closed = [mean / width**2, 1 - (1 + mean**2) / width**2]
    return all_of(pointwise, same_numbers(found, closed, 1e-9))


def _gaussian(x: Any, mean: float, width: float) -> Any:
    import numpy as np

    return np.exp(-((x - mean) ** 2) / (2 * width**2)) / (width * np.sqrt(2 * np.pi))


def _gaussians() -> Any:
    from hypothesis import strategies as st

    place = st.fixed_dictionaries({"mean": st.floats(-2, 2), "width": st.floats(0.8, 2)})
    return place.map(lambda found: {"loss": "maximum_likelihood", **found})


register(
    Claim(
        name="goodfellow_2016.maximum_likelihood",
        statement="With the generator's cost -E exp(s), s the logit of the best discriminator, held fixed, the "
        "generator follows the gradient of KL(data || samples), the direction of maximum likelihood.",
        latex=r"\nabla_\theta \mathbb{E}_{q_\theta}[-e^{s^*}] = \nabla_\theta \mathrm{KL}(p \| q_\theta)",
        source="Goodfellow 2016, the section on the maximum likelihood game; Goodfellow 2014b",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_likelihood,
        hypotheses=_gaussians,
        outside=(
            Outside(
                "the saturating cost",
                lambda: {"loss": "minimax", "mean": 1.0, "width": 1.0},
                restore=lambda: {"loss": "maximum_likelihood"},
            ),
            Outside(
                "the non-saturating cost",
                lambda: {"loss": "nonsaturating", "mean": 1.0, "width": 1.0},
                restore=lambda: {"loss": "maximum_likelihood"},
            ),
        ),
        mutants=(
            Mutant("losses/maximum_likelihood.py", "return -worlds.exp(s)", "return worlds.exp(s)"),
            Mutant("losses/logistic.py", "worlds.log(p) - worlds.log(q)", "worlds.log(q) - worlds.log(p)"),
        ),
        draws=30,
    )
)


def _slopes(loss: str) -> Evidence:
    """Against D and against the logit, and where the fake is recognised: D -> 0, s -> -infinity."""
    import sympy

    chosen, saturating = losses.registry[loss].build(), losses.registry["minimax"].build()
    d = sympy.Symbol("d", positive=True)
    s = sympy.Symbol("s", real=True)
    sigmoid = 1 / (1 + sympy.exp(-s))
    slope, other = (e.d_logit("generator", s).rewrite(sympy.exp) for e in (chosen, saturating))
    return all_of(
        same_expressions([sympy.limit(e, s, -sympy.oo) for e in (other, slope)], [0, -1]),
        same_expressions(saturating.d_probability("generator", d), -1 / (1 - d)),
        same_expressions(chosen.d_probability("generator", d), -1 / d),
        same_expressions([other, slope], [-sigmoid, -(1 - sigmoid)]),
    )


register(
    Claim(
        name="goodfellow_2016.saturation",
        statement="Where the discriminator recognises a fake, D -> 0, the minimax generator's slope against the logit, "
        "-D, vanishes, while that of the non-saturating one, -(1 - D), tends to -1; against D they are -1/(1 - D) and "
        "-1/D.",
        latex=r"\partial_s \log(1 - D) = -D, \qquad \partial_s(-\log D) = -(1 - D)",
        source="Goodfellow 2016, the section on the heuristic, non-saturating game",
        how=How.PROVED,
        origin=Origin.PAPER,
        conclusion=lambda loss="nonsaturating": _slopes(loss),
        outside=(Outside("the maximum-likelihood cost saturates too", lambda: {"loss": "maximum_likelihood"}),),
        mutants=(
            Mutant("losses/nonsaturating.py", "return worlds.softplus(-s)", "return -worlds.softplus(s)"),
            Mutant("losses/gradients.py", "at_logit / (d * (1 - d))", "at_logit / d"),
        ),
    )
)
