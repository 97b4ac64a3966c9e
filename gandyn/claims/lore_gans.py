"""Remarks on GANs: statements on losses, penalties and the Dirac-GAN that are false as they stand."""

from __future__ import annotations

import numpy as np

from .. import analysis, games, losses, rules
from ..lazy import sympy
from ..oracles.gaussian_mixture import ring
from ..oracles.symbolic import SymbolicGame
from ..penalties import registry as penalties
from ..types import Rule
from .declare import Evidence, Paper, fails, proved, reproduced
from .evidence import all_of, critical, same_expressions, same_numbers, same_spectrum
from .falsify import converges

lore = Paper("lore")


@lore.remark("Mescheder et al. 2018, definition 2.1, has sigma(-phi theta)")
@proved(r"\dot\varphi = \theta\,\sigma(-\varphi\theta), \qquad \dot\theta = -\varphi\,\sigma(-\varphi\theta)")
@fails("the minimax game; this is the zero-sum flow of -log D of fakes", lambda: {"loss": "minimax"})
@fails("nor is it the non-saturating game's: there theta' alone agrees", lambda: {"loss": "nonsaturating"})
def tutorial_dirac_gan(loss: str) -> Evidence:
    """The system (theta sigma(phi theta), -phi sigma(phi theta)) is the flow of the minimax Dirac-GAN.

    theta' = -phi sigma(phi theta), phi' = theta sigma(phi theta) as the flow of the Dirac-GAN with a loss.
    """
    game = games.dirac_gan(loss)
    theta, phi = game.symbols
    sigmoid = 1 / (1 + sympy.exp(-phi * theta))
    flow = [-e.rewrite(sympy.exp) for e in game.field_exprs]
    return same_expressions(flow, [-phi * sigmoid, theta * sigmoid])


def _critical(gamma: float, repeats: int) -> float:
    game = games.dirac_gan(penalty=penalties["R1"].build(gamma))
    return float(critical(game, rules.AlternatingGD("lr", repeats=(1, repeats))))


@lore.remark("on the Dirac-GAN with R1, alternating steps")
@proved(r"h^*(n = 1) = 3.62 > h^*(n = 3) = 2.22 \quad (\gamma = 0.1)")
@fails("gamma = 0.1, three steps", lambda: {"gamma": 0.1, "repeats": 3})
def more_critic_steps_help(gamma: float, repeats: int) -> Evidence:
    """Several steps of the discriminator for one of the generator make training more stable."""
    one, many = _critical(gamma, 1), _critical(gamma, repeats)
    return Evidence(many >= one, f"steps below {one:.6g} converge, with {repeats} critic steps below {many:.6g}")


@lore.remark("beside Mescheder et al. 2018, lemma 2.5; on the Dirac-GAN with R1, alternating steps")
@proved(r"h^*(n = 1) = 2.26 < h^*(n = 2) = \tfrac{10}{3} \quad (\gamma = 0.6)")
@fails("gamma = 0.6, two steps", lambda: {"gamma": 0.6, "repeats": 2})
def more_critic_steps_shrink(gamma: float, repeats: int) -> Evidence:
    """Several steps of the discriminator always shrink the range of stable step sizes, as they do without a penalty
    (there by sqrt(n)).
    """
    one, many = _critical(gamma, 1), _critical(gamma, repeats)
    return Evidence(many <= one, f"steps below {one:.6g} converge, with {repeats} critic steps below {many:.6g}")


@lore.remark("beside Mescheder et al. 2018, lemma 2.3; the cubic terms decide")
@proved(r"\lambda = \pm i/2 \;\text{twice; } r^2 \;\text{conserved, but } r^2 \sim 8/t")
@fails("minimax conserves r^2, non-saturating attracts", lambda: {"first": "minimax", "second": "nonsaturating"})
def equal_eigenvalues_equal_fate(first: str, second: str) -> Evidence:
    """Equilibria with the same eigenvalues behave alike: the non-saturating and the minimax Dirac-GAN both circle."""
    found = [analysis.linearize(games.dirac_gan(loss)) for loss in (first, second)]
    fates = [lin.verdict if lin.nonlinear is None else lin.nonlinear.verdict for lin in found]
    equal = same_spectrum(found[0].eigenvalues, found[1].eigenvalues, 1e-12)
    return Evidence(not equal or str(fates[0]) == str(fates[1]), f"{first} is {fates[0]}, {second} is {fates[1]}")


@lore.remark("the one-dimensional rule, in the plane")
@reproduced(r"1 - e^{-9/2} = 98.89\,\%")
@fails("the ring of eight modes", lambda: {"points": 100000})
def three_sigma_in_the_plane(points: int) -> Evidence:
    """Three standard deviations around the modes hold 99.7 % of the samples of a perfect generator in the plane.

    Samples within three standard deviations of their nearest mode, beside 99.73 %, within five standard errors.
    """
    mixture = ring(8)
    samples = mixture.sample(np.random.default_rng(0), points)
    near = np.linalg.norm(samples[:, None] - mixture.means[None], axis=-1).min(1)
    share = float((near <= 3 * mixture.std[0]).mean())
    error = float(np.sqrt(0.0027 * 0.9973 / points))
    return Evidence(abs(share - 0.9973) < 5 * error, f"{share:.4%}, beside 1 - exp(-9/2) = {-np.expm1(-4.5):.4%}")


@lore.remark("Mescheder et al. 2018, figure 3, shows the orbit")
@reproduced(r"|\varphi| \le c \;\text{changes nothing near } (0, 0)")
@fails("simultaneous steps 0.2 from (1, 1) end on the clipped orbit", lambda: {"rule": rules.GDA(0.2)})
@fails("alternating steps circle", lambda: {"rule": rules.AlternatingGD(0.2)})
def clipping_makes_wgan_converge(rule: Rule) -> Evidence:
    """Weight clipping, which keeps the critic Lipschitz, makes the Wasserstein GAN converge (on the Dirac-GAN)."""
    game = games.dirac_gan("wasserstein", clip=1)
    found = converges(rule, game, start=[[1.0, 1.0]], steps=5000)
    return Evidence(bool(found), found.summary())


@lore.remark(
    "beside Arjovsky & Bottou 2017, theorem 2.5, which has the difference; the identity, density by density",
    prior="Shannon et al. 2020 (non-saturating GAN training as divergence minimization), abstract: it 'does in "
    "fact approximately minimize a particular f-divergence'",
)
@proved(r"\mathrm{KL}(q \| p) - 2\,\mathrm{JS}(p, q) = 2\,\mathrm{KL}\big(\tfrac{p + q}{2} \,\big\|\, p\big) \ge 0")
@fails(
    "it is 2 KL(m || p) of the mixture m = (p + q)/2: never negative, and zero only at q = p",
    lambda: {"loss": "nonsaturating"},
)
def nonsaturating_descends_no_divergence(loss: str) -> Evidence:
    """Against the best discriminator the non-saturating generator descends KL(q || p) - 2 JS, which is no divergence,
    since its second term pushes the distributions apart.

    Whether the integrand differs from 2 m log(m/p), m = (p + q)/2, whose integral 2 KL(m || p) is never negative.
    """
    p, q = sympy.symbols("p q", positive=True)
    chosen = losses.registry[loss].build()
    integrand = chosen.generator_divergence().divergence.integrand(p, q)
    m = (p + q) / 2
    twice_kl = same_expressions(sympy.expand_log(integrand), sympy.expand_log(2 * m * sympy.log(m / p)))
    slope = sympy.diff(2 * m * sympy.log(m / p), q) - chosen.generator(chosen.optimal_logit(p, q)).rewrite(sympy.exp)
    descended = same_expressions(sympy.diff(sympy.simplify(slope), q), 0)
    found = all_of(twice_kl, descended)
    return Evidence(not found, f"it is 2 KL((p + q)/2 || p): {found.detail}" if found else found.detail)


@lore.remark("Goodfellow et al. 2014, theorem 1, has the factor 2")
@proved(r"V(D^*) + \log 4 = 2\,\mathrm{JS}(p, q)")
@fails("any two different histograms", lambda: {"shares": (0.1, 0.2, 0.7)})
def value_is_jensen_shannon(shares: tuple[float, ...]) -> Evidence:
    """The best discriminator's value is the Jensen-Shannon divergence, up to the constant log 4."""
    q = np.array(shares)
    p, chosen = np.full(len(q), 1 / len(q)), losses.registry["minimax"].build()
    m = (p + q) / 2
    js = float((p * np.log(p / m) + q * np.log(q / m)).sum() / 2)
    value = float(chosen.divergence().value(p, q)) + float(np.log(4))
    return same_numbers([value], [js], 1e-12)


@lore.remark(
    "a matter of convention: Mescheder et al. 2018, equation 9, has the 1/2; `reg = self.reg_param * "
    "compute_grad2(d_real, x_real).mean()` in gan_training/train.py of LMescheder/GAN_stability does not"
)
@proved(r"\tfrac{\gamma}{2}\,\mathbb{E}\|\nabla D\|^2 \;\text{beside}\; w\,\mathbb{E}\|\nabla D\|^2: \quad \gamma = 2w")
@fails("weight 10: the theory's gamma is 20", lambda: {"weight": 10})
def penalty_weight_is_gamma(weight: float) -> Evidence:
    """A weight of 10 on E |grad D|^2 is the gamma = 10 of R1."""
    game = games.dirac_gan("wasserstein", penalty=penalties["R1"].build(weight))
    theta, phi = game.symbols
    return same_expressions(sympy.diff(game.exprs[1] + theta * phi, phi), 2 * sympy.nsimplify(weight) * phi)


class _Matrices(SymbolicGame):
    """A game whose players own one 2 x 3 matrix each."""

    @property
    def tensor_shapes(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """For each player, the shapes of the matrices that its block of w holds."""
        return (((2, 3),), ((2, 3),))


@lore.remark("Yong et al. 2020, section 4, is about SGD")
@reproduced(r"\overline{w}_{t+1} = \overline{w}_t \;\text{needs a step linear in}\; P g")
@fails("Adam divides coordinate by coordinate, after the mean was taken out", lambda: {"inner": rules.Adam(0.1)})
def centralised_means_stay(inner: Rule) -> Evidence:
    """Gradient centralisation keeps the means of the weights (over all dimensions but the output one) where they were,
    under any optimiser.
    """
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
