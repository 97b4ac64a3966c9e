"""Remarks on GANs: statements on losses, penalties and the Dirac-GAN that are false as they stand."""

from __future__ import annotations

from typing import Any

from .. import games, losses, rules
from ..oracles.symbolic import SymbolicGame
from ..penalties import registry as penalties
from ..types import Rule
from .base import Evidence, How, Mutant, Outside
from .evidence import all_of, same_expressions, same_numbers
from .falsify import converges
from .lore import remark

ONCE = Mutant("rules/alternating.py", "for _ in range(repeats[i])]", "for _ in range(1)]")


def _tutorial_flow(loss: str) -> Evidence:
    """theta' = -phi sigma(phi theta), phi' = theta sigma(phi theta) as the flow of the Dirac-GAN with a loss."""
    import sympy

    game = games.dirac_gan(loss)
    theta, phi = game.symbols
    sigmoid = 1 / (1 + sympy.exp(-phi * theta))
    flow = [-e.rewrite(sympy.exp) for e in game.field_exprs]
    return same_expressions(flow, [-phi * sigmoid, theta * sigmoid])


remark(
    "tutorial_dirac_gan",
    "The system (theta sigma(phi theta), -phi sigma(phi theta)) is the flow of the minimax Dirac-GAN.",
    r"\dot\varphi = \theta\,\sigma(-\varphi\theta), \qquad \dot\theta = -\varphi\,\sigma(-\varphi\theta)",
    "Mescheder et al. 2018, definition 2.1, has sigma(-phi theta)",
    "the minimax game; this is the zero-sum flow of -log D of fakes, log(1 + exp(phi theta))",
    lambda: {"loss": "minimax"},
    conclusion=_tutorial_flow,
    outside=(
        Outside("nor is it the non-saturating game's: there theta' alone agrees", lambda: {"loss": "nonsaturating"}),
    ),
    mutants=(Mutant("losses/logistic.py", "return worlds.softplus(s)", "return -worlds.softplus(-s)"),),
)


def _critical(gamma: float, repeats: int) -> float:
    from ..analysis.parameters.stability import stability_region

    game = games.dirac_gan(penalty=penalties["R1"].build(gamma))
    return float(stability_region(game, rules.AlternatingGD("lr", repeats=(1, repeats)), ("lr",)).critical("lr"))


def _repeats_help(gamma: float, repeats: int) -> Evidence:
    one, many = _critical(gamma, 1), _critical(gamma, repeats)
    return Evidence(many >= one, f"steps below {one:.6g} converge, with {repeats} critic steps below {many:.6g}")


def _repeats_shrink(gamma: float, repeats: int) -> Evidence:
    one, many = _critical(gamma, 1), _critical(gamma, repeats)
    return Evidence(many <= one, f"steps below {one:.6g} converge, with {repeats} critic steps below {many:.6g}")


remark(
    "more_critic_steps_help",
    "Several steps of the discriminator for one of the generator make training more stable.",
    r"h^*(n = 1) = 3.62 > h^*(n = 3) = 2.22 \quad (\gamma = 0.1)",
    "on the Dirac-GAN with R1, alternating steps",
    "gamma = 0.1, three steps",
    lambda: {"gamma": 0.1, "repeats": 3},
    conclusion=_repeats_help,
    mutants=(ONCE,),
)

remark(
    "more_critic_steps_shrink",
    "Several steps of the discriminator always shrink the range of stable step sizes, as they do without a penalty "
    "(there by sqrt(n)).",
    r"h^*(n = 1) = 2.26 < h^*(n = 2) = \tfrac{10}{3} \quad (\gamma = 0.6)",
    "beside Mescheder et al. 2018, lemma 2.5; on the Dirac-GAN with R1, alternating steps",
    "gamma = 0.6, two steps",
    lambda: {"gamma": 0.6, "repeats": 2},
    conclusion=_repeats_shrink,
    mutants=(ONCE,),
)


def _same_fate(first: str, second: str) -> Evidence:
    from ..analysis.local.linearize import linearize
    from .evidence import same_spectrum

    found = [linearize(games.dirac_gan(loss)) for loss in (first, second)]
    fates = [lin.verdict if lin.nonlinear is None else lin.nonlinear.verdict for lin in found]
    equal = same_spectrum(found[0].eigenvalues, found[1].eigenvalues, 1e-12)
    return Evidence(not equal or str(fates[0]) == str(fates[1]), f"{first} is {fates[0]}, {second} is {fates[1]}")


remark(
    "equal_eigenvalues_equal_fate",
    "Equilibria with the same eigenvalues behave alike: the non-saturating and the minimax Dirac-GAN both circle.",
    r"\lambda = \pm i/2 \;\text{twice; } r^2 \;\text{conserved, but } r^2 \sim 8/t",
    "beside Mescheder et al. 2018, lemma 2.3; the cubic terms decide",
    "minimax conserves theta^2 + phi^2, non-saturating attracts",
    lambda: {"first": "minimax", "second": "nonsaturating"},
    conclusion=_same_fate,
    mutants=(Mutant("losses/nonsaturating.py", "return worlds.softplus(-s)", "return -worlds.softplus(s)"),),
)


def _three_sigma(points: int) -> Evidence:
    """Samples within three standard deviations of their nearest mode, beside 99.73 %, within five standard errors."""
    import numpy as np

    from ..oracles.gaussian_mixture import ring

    mixture = ring(8)
    samples = mixture.sample(np.random.default_rng(0), points)
    near = np.linalg.norm(samples[:, None] - mixture.means[None], axis=-1).min(1)
    share = float((near <= 3 * mixture.std[0]).mean())
    error = float(np.sqrt(0.0027 * 0.9973 / points))
    return Evidence(abs(share - 0.9973) < 5 * error, f"{share:.4%}, beside 1 - exp(-9/2) = {-np.expm1(-4.5):.4%}")


remark(
    "three_sigma_in_the_plane",
    "Three standard deviations around the modes hold 99.7 % of the samples of a perfect generator in the plane.",
    r"1 - e^{-9/2} = 98.89\,\%",
    "the one-dimensional rule, in the plane",
    "the ring of eight modes",
    lambda: {"points": 100_000},
    conclusion=_three_sigma,
    how=How.REPRODUCED,
    mutants=(
        Mutant(
            "oracles/gaussian_mixture.py", "rng.normal(size=(n, self.dim))", "rng.normal(size=(n, self.dim)) * [1, 0]"
        ),
    ),
)


def _clipping(rule: Any) -> Evidence:
    game = games.dirac_gan("wasserstein", clip=1)
    found = converges(rule, game, start=[[1.0, 1.0]], steps=5000)
    return Evidence(bool(found), found.summary())


remark(
    "clipping_makes_wgan_converge",
    "Weight clipping, which keeps the critic Lipschitz, makes the Wasserstein GAN converge (on the Dirac-GAN).",
    r"|\varphi| \le c \;\text{changes nothing near } (0, 0)",
    "Mescheder et al. 2018, figure 3, shows the orbit",
    "simultaneous steps 0.2 from (1, 1) end on the clipped orbit",
    lambda: {"rule": rules.GDA(0.2)},
    conclusion=_clipping,
    how=How.REPRODUCED,
    outside=(Outside("alternating steps circle", lambda: {"rule": rules.AlternatingGD(0.2)}),),
    mutants=(
        Mutant(
            "penalties/weight_clipping.py", "return worlds.clip(parameters, -bound, bound)", "return parameters * 0.9"
        ),
    ),
)


def _no_divergence(loss: str) -> Evidence:
    """Whether the integrand differs from 2 m log(m/p), m = (p + q)/2, whose integral 2 KL(m || p) is never negative."""
    import sympy

    p, q = sympy.symbols("p q", positive=True)
    chosen = losses.registry[loss].build()
    integrand = chosen.generator_divergence().divergence.integrand(p, q)
    m = (p + q) / 2
    twice_kl = same_expressions(sympy.expand_log(integrand), sympy.expand_log(2 * m * sympy.log(m / p)))
    slope = sympy.diff(2 * m * sympy.log(m / p), q) - chosen.generator(chosen.optimal_logit(p, q)).rewrite(sympy.exp)
    descended = same_expressions(sympy.diff(sympy.simplify(slope), q), 0)
    found = all_of(twice_kl, descended)
    return Evidence(not found, f"it is 2 KL((p + q)/2 || p): {found.detail}" if found else found.detail)


remark(
    "nonsaturating_descends_no_divergence",
    "Against the best discriminator the non-saturating generator descends KL(q || p) - 2 JS, which is no divergence, "
    "since "
    "its second term pushes the distributions apart.",
    r"\mathrm{KL}(q \| p) - 2\,\mathrm{JS}(p, q) = 2\,\mathrm{KL}\big(\tfrac{p + q}{2} \,\big\|\, p\big) \ge 0",
    "beside Arjovsky & Bottou 2017, theorem 2.5, which has the difference; the identity, density by density",
    "it is 2 KL(m || p) of the mixture m = (p + q)/2: never negative, and zero only at q = p",
    lambda: {"loss": "nonsaturating"},
    conclusion=_no_divergence,
    prior="Shannon et al. 2020 (non-saturating GAN training as divergence minimization), abstract: it 'does in fact "
    "approximately minimize a particular f-divergence'",
    mutants=(Mutant("losses/divergences.py", "_kl(q, p) - 2 * _js(p, q)", "_kl(q, p) - 4 * _js(p, q)"),),
)


def _value_is_js(shares: tuple[float, ...]) -> Evidence:
    """The value of the best minimax discriminator, plus log 4, beside JS in nats by hand; the data are uniform."""
    import numpy as np

    q = np.array(shares)
    p, chosen = np.full(len(q), 1 / len(q)), losses.registry["minimax"].build()
    m = (p + q) / 2
    js = float((p * np.log(p / m) + q * np.log(q / m)).sum() / 2)
    value = float(chosen.divergence().value(p, q)) + float(np.log(4))
    return same_numbers([value], [js], 1e-12)


remark(
    "value_is_jensen_shannon",
    "The best discriminator's value is the Jensen-Shannon divergence, up to the constant log 4.",
    r"V(D^*) + \log 4 = 2\,\mathrm{JS}(p, q)",
    "Goodfellow et al. 2014, theorem 1, has the factor 2",
    "any two different histograms",
    lambda: {"shares": (0.1, 0.2, 0.7)},
    conclusion=_value_is_js,
    mutants=(Mutant("losses/logistic.py", "2, -math.log(4)", "1, -math.log(4)"),),
)


def _weight_is_gamma(weight: float) -> Evidence:
    import sympy

    game = games.dirac_gan("wasserstein", penalty=penalties["R1"].build(weight))
    theta, phi = game.symbols
    return same_expressions(sympy.diff(game.exprs[1] + theta * phi, phi), 2 * sympy.nsimplify(weight) * phi)


remark(
    "penalty_weight_is_gamma",
    "A weight of 10 on E |grad D|^2 is the gamma = 10 of R1.",
    r"\tfrac{\gamma}{2}\,\mathbb{E}\|\nabla D\|^2 \;\text{beside}\; w\,\mathbb{E}\|\nabla D\|^2: \quad \gamma = 2w",
    "a matter of convention: Mescheder et al. 2018, equation 9, has the 1/2; `reg = self.reg_param * "
    "compute_grad2(d_real, x_real).mean()` in gan_training/train.py of LMescheder/GAN_stability does not",
    "weight 10: the theory's gamma is 20",
    lambda: {"weight": 10},
    conclusion=_weight_is_gamma,
    mutants=(Mutant("penalties/base.py", "* squared_slope / 2", "* squared_slope"),),
)


class _Matrices(SymbolicGame):
    """A game whose players own one 2 x 3 matrix each."""

    @property
    def tensor_shapes(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """As its blocks are packed."""
        return (((2, 3),), ((2, 3),))


def _means_stay(inner: Rule) -> Evidence:
    """Largest change of a row's mean over 20 steps from random weights."""
    import numpy as np
    import sympy

    x, y = (sympy.symbols(f"{name}1:7", real=True) for name in "xy")
    value = sum((k + 1) * a**2 / 2 + a * b - b**2 for k, (a, b) in enumerate(zip(x, y, strict=True)))
    game = _Matrices("matrices", [value, -value], {"x": list(x), "y": list(y)})
    rule = rules.GradientCentralization(inner)
    w = np.array([1.0, -2.0, 0.5, 3.0, 0.3, 1.0, -1.0, 2.0, 0.7, -0.2, 1.5, -3.0])
    start, state = w.reshape(4, 3).mean(1), rule.init(game, w)
    for _ in range(20):
        w, state, _info = rule.step(game, w, state)
    moved = float(np.abs(w.reshape(4, 3).mean(1) - start).max())
    return Evidence(moved < 1e-12, f"means moved by {moved:.2g}")


remark(
    "centralised_means_stay",
    "Gradient centralisation keeps the means of the weights (over all dimensions but the output one) where they were, "
    "under any optimiser.",
    r"\overline{w}_{t+1} = \overline{w}_t \;\text{needs a step linear in}\; P g",
    "Yong et al. 2020, section 4, is about SGD",
    "Adam divides coordinate by coordinate, after the mean was taken out",
    lambda: {"inner": rules.Adam(0.1)},
    conclusion=_means_stay,
    how=How.REPRODUCED,
    mutants=(
        Mutant(
            "rules/adaptive.py",
            'return descend_over_root(w, lr, moments["mean"], moments[square], *self._weights(t, w))',
            'return w - lr * moments["mean"]',
        ),
    ),
)
