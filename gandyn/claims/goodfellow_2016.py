"""Claims of Goodfellow 2016, the tutorial on GANs: orbits on v = ab, and the costs of three generators."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from .. import analysis, games, losses, rules
from ..lazy import sympy
from ..types import Game
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula, proved
from .evidence import all_of, same_expressions, same_numbers, same_spectrum, singular_values, update_map

goodfellow = Paper("goodfellow_2016")


@goodfellow.sharpened("Goodfellow 2016, the exercise on gradient descent for games and its solution")
@formula(r"\tfrac{d}{dt}(a^2 + b^2) = 0")
@drawn(20, game=strategies.bilinear(square=False))
@fails("curvature of one player's own", lambda: {"game": games.quadratic(0.1, 1, 0)}, game=games.bilinear)
def flow_circles(game: Game) -> Evidence:
    """Gradient flow on v(a, b) = ab, and on every bilinear game x^T M y, keeps the distance from the origin: it orbits
    and never reaches the equilibrium.

    w . v = 0 identically, so that |w|^2 is conserved; and eigenvalues +-i sigma, the others 0.
    """
    turned = sum(w * v for w, v in zip(game.symbols, game.field_exprs, strict=True))
    identity = same_expressions(turned, 0)
    if not identity:
        return identity
    sigmas = singular_values(game)
    still = [0] * (game.dim - 2 * len(sigmas))
    turning = [sign * 1j * s for s in sigmas for sign in (1, -1)]
    return all_of(identity, same_spectrum(analysis.linearize(game).eigenvalues, [*turning, *still], 1e-9))


@goodfellow.sharpened("Goodfellow 2016, the exercise on gradient descent for games, finite steps (s = step * sigma)")
@proved(r"a^2 - s\,ab + b^2 \;\text{conserved, definite iff}\; s < 2")
@drawn(19, step=strategies.tenths(0.1, 1.9))
@fails("s = 2: the form is only semidefinite and the orbit grows linearly", lambda: {"step": 2}, step=1)
@fails("s > 2", lambda: {"step": 2.5}, step=1)
def steps_on_ab(step: object) -> Evidence:
    """On v(a, b) = ab simultaneous gradient steps of any size s multiply the distance from the origin by sqrt(1 + s^2),
    while alternating steps keep a^2 - s ab + b^2, which is definite and bounds them exactly for s < 2; neither
    converges.

    a+ = a - s b, b+ = b + s a+ keeps a^2 - s a b + b^2, for a symbol s; and the spectrum at a step.
    """
    game, s = games.bilinear(), sympy.Symbol("s", positive=True)
    a, b = game.symbols
    first, second = update_map(game, rules.AlternatingGD(s)).expression
    jump, turn = update_map(game, rules.SimultaneousGD(s)).expression
    kept = a**2 - s * a * b + b**2
    found = analysis.linearize(game, rules.AlternatingGD(step))
    return all_of(
        same_expressions([first, second], [a - s * b, b + s * (a - s * b)]),
        same_expressions(kept.subs({a: first, b: second}, simultaneous=True), kept),
        same_expressions(jump**2 + turn**2, (1 + s**2) * (a**2 + b**2)),
        same_expressions(sympy.hessian(kept, (a, b)).det(), 4 - s**2),
        Evidence(found.verdict.name == "MARGINAL", f"{found.verdict}: {found.reason}"),
    )


def _gaussian(x: sympy.Expr, mean: float, width: float) -> sympy.Expr:
    return np.exp(-((x - mean) ** 2) / (2 * width**2)) / (width * np.sqrt(2 * np.pi))


@goodfellow.says("Goodfellow 2016, the section on the maximum likelihood game; Goodfellow 2014b")
@formula(r"\nabla_\theta \mathbb{E}_{q_\theta}[-e^{s^*}] = \nabla_\theta \mathrm{KL}(p \| q_\theta)")
@drawn(30, loss=st.just("maximum_likelihood"), mean=st.floats(-2, 2), width=st.floats(0.8, 2))
@fails("saturating cost", lambda: {"loss": "minimax", "mean": 1.0, "width": 1.0}, loss="maximum_likelihood")
@fails("nonsaturating cost", lambda: {"loss": "nonsaturating", "mean": 1.0, "width": 1.0}, loss="maximum_likelihood")
def maximum_likelihood(loss: str, mean: float, width: float) -> Evidence:
    """With the generator's cost -E exp(s), s the logit of the best discriminator, held fixed, the generator follows the
    gradient of KL(data || samples), the direction of maximum likelihood.

    d/dq of KL's integrand symbolically, then on Gaussians by quadrature: d/d theta and d/d log tau of KL(p || q).
    """
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


@goodfellow.says("Goodfellow 2016, the section on the heuristic, non-saturating game")
@proved(r"\partial_s \log(1 - D) = -D, \qquad \partial_s(-\log D) = -(1 - D)")
@fails("the maximum-likelihood cost saturates too", lambda: {"loss": "maximum_likelihood"})
def saturation(loss: str = "nonsaturating") -> Evidence:
    """Where the discriminator recognises a fake, D -> 0, the minimax generator's slope against the logit, -D, vanishes,
    while that of the non-saturating one, -(1 - D), tends to -1; against D they are -1/(1 - D) and -1/D.

    Against D and against the logit, and where the fake is recognised: D -> 0, s -> -infinity.
    """
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
