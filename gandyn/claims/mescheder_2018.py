"""Claims of Mescheder, Geiger & Nowozin 2018, which trainings of GANs converge: the Dirac-GAN."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from .. import analysis, games, rules
from ..lazy import sympy
from ..penalties import registry as penalties
from ..types import Parameter
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula, incomparable, proved, where
from .evidence import all_of, critical, orbit, same_expressions, same_numbers, same_spectrum

mescheder = Paper("mescheder_2018")
LINK = {"minimax": (0.5, -0.25), "nonsaturating": (0.5, -0.25), "wasserstein": (1.0, 0.0)}  # f'(0), f''(0)


def _below_two(loss: str, step: Parameter, repeats: tuple[int, int]) -> bool:
    return bool(float(step) ** 2 * repeats[0] * repeats[1] * LINK[loss][0] ** 2 < 3.99)


@mescheder.says("Mescheder et al. 2018, lemmas 2.3 to 2.5")
@formula(
    r"\lambda = \pm i f'(0), \quad 1 \pm i h f'(0), \quad 1 - \tfrac{\alpha^2}{2} \pm \sqrt{(1 - "
    r"\tfrac{\alpha^2}{2})^2 - 1},\ \alpha = \sqrt{n_g n_d}\, h f'(0)"
)
@drawn(
    30,
    loss=st.sampled_from(list(LINK)),
    step=strategies.tenths(0.1, 1.5),
    repeats=st.tuples(st.integers(1, 2), st.integers(1, 4)),
)
@where(_below_two)
@fails("alpha > 2", lambda: {"loss": "wasserstein", "step": 1.5, "repeats": (1, 2)}, step=1)
@fails("R1", lambda: {"loss": "minimax", "step": 0.2, "repeats": (1, 1), "penalty": "R1(0.3)"})
def unregularised_never_linear(
    loss: str, step: Parameter, repeats: tuple[int, int], penalty: str | None = None
) -> Evidence:
    """At the equilibrium of the unregularised Dirac-GAN the flow has the eigenvalues +-i f'(0), simultaneous steps 1 +-
    i h f'(0), and alternating steps, for h f'(0) sqrt(n_g n_d) < 2, lie on the unit circle: no linear convergence,
    ever.
    """
    game, turn = games.dirac_gan(loss, penalty=penalty), float(step) * LINK[loss][0]
    middle = 1 - repeats[0] * repeats[1] * turn**2 / 2
    root = np.sqrt(complex(middle**2 - 1))
    in_turn = analysis.linearize(game, rules.AlternatingGD(step, repeats=repeats)).eigenvalues
    return all_of(
        same_spectrum(analysis.linearize(game).eigenvalues, [1j * LINK[loss][0], -1j * LINK[loss][0]], 1e-12),
        same_spectrum(analysis.linearize(game, rules.GDA(step)).eigenvalues, [1 + 1j * turn, 1 - 1j * turn], 1e-12),
        same_spectrum(in_turn, [middle + root, middle - root], 1e-9),
        Evidence(bool(np.abs(in_turn).max() < 1 + 1e-9), "alternating steps: on the unit circle"),
    )


def _zero_centred(penalty: str) -> Evidence:
    """-gamma/2 +- sqrt(gamma^2/4 - f'(0)^2) for every loss; the double root at gamma = 2 f'(0)."""
    gamma = sympy.Symbol("gamma", positive=True)
    parts = []
    for loss, (slope, _) in LINK.items():
        f = sympy.nsimplify(slope)
        found = analysis.linearize(games.dirac_gan(loss, penalty=f"{penalty}(gamma)"), at=(0, 0)).exact
        if found is None:
            return Evidence(False, f"no derivative at the equilibrium with {penalty}")
        z = sympy.Symbol("z")
        matrix = found.matrix.subs({s: gamma for s in found.matrix.free_symbols})
        parts.append(same_expressions(matrix.charpoly(z).as_expr(), z**2 + gamma * z + f**2))
        parts.append(same_expressions(sympy.discriminant(z**2 + gamma * z + f**2, z).subs(gamma, 2 * f), 0))
    return all_of(*parts, Evidence(True, "positive coefficients: Hurwitz for every gamma > 0"))


@mescheder.says("Mescheder et al. 2018, lemma 4.1")
@proved(r"\lambda = -\frac{\gamma}{2} \pm \sqrt{\frac{\gamma^2}{4} - f'(0)^2}")
@fails("a gradient penalty whose target is not zero", lambda: {"penalty": "WGANGP"})
def zero_centred_eigenvalues(penalty: str = "R1") -> Evidence:
    """With R1 or R2 of weight gamma > 0 the flow at the Dirac-GAN's equilibrium has the eigenvalues -gamma/2 +-
    sqrt(gamma^2/4 - f'(0)^2): it attracts for every gamma, without rotation from gamma = 2 |f'(0)| on.
    """
    return all_of(_zero_centred(penalty), _zero_centred("R2"))


@mescheder.sharpened("Mescheder et al. 2018, section 4.1 (that small steps converge); the bounds derived here")
@formula(r"h < 4\gamma \;(\gamma < 1), \qquad h < 4(\gamma - \sqrt{\gamma^2 - 1}) \;(\gamma \ge 1)")
@drawn(15, gamma=strategies.tenths(0.1, 3))
@fails("no penalty: no step converges", lambda: {"gamma": 0}, gamma=0.1)
def r1_step_bound(gamma: Parameter) -> Evidence:
    """On the Dirac-GAN with R1, simultaneous steps converge locally for small enough h: below 4 gamma for gamma < 1,
    and below 4 (gamma - sqrt(gamma^2 - 1)) from the critical gamma = 1 on, where the bound is 4.
    """
    gamma = sympy.nsimplify(gamma)
    game = games.dirac_gan(penalty=penalties["R1"].build(gamma))
    found = critical(game, rules.GDA("lr"))
    bound = 4 * gamma if gamma < 1 else 4 * (gamma - sympy.sqrt(gamma**2 - 1))
    return all_of(
        Evidence(bool(found > 0), f"critical step {found} at gamma {gamma}"),
        same_expressions(found, bound),
        Evidence(bool(bound <= 4), f"{bound} is at most 4"),
    )


def _noise(loss: str) -> Evidence:
    """f''(0) v +- sqrt(f''(0)^2 v^2 - f'(0)^2), noise of variance v."""
    slope, curvature = map(sympy.nsimplify, LINK[loss])
    found = analysis.linearize(games.dirac_gan(loss, noise="v")).exact
    if found is None:
        return incomparable("no exact equilibrium there")
    v, z = sympy.Symbol("v", positive=True), sympy.Symbol("z")
    matrix = found.matrix.subs({s: v for s in found.matrix.free_symbols})
    root = sympy.sqrt(curvature**2 * v**2 - slope**2)
    expected = sympy.expand((z - curvature * v - root) * (z - curvature * v + root))
    damped = Evidence(bool(curvature < 0), f"f''(0) = {curvature}")
    return all_of(damped, same_expressions(matrix.charpoly(z).as_expr(), expected))


@mescheder.says("Mescheder et al. 2018, lemma 3.2")
@proved(r"\lambda = f''(0)\sigma^2 \pm \sqrt{f''(0)^2\sigma^4 - f'(0)^2}")
@fails("a link without curvature: Wasserstein", lambda: {"loss": "wasserstein"})
def instance_noise(loss: str = "minimax") -> Evidence:
    """With instance noise of variance v on real and fake points the flow at the equilibrium of the standard Dirac-GAN
    has the eigenvalues f''(0) v +- sqrt(f''(0)^2 v^2 - f'(0)^2), with f''(0) = -1/4: it attracts.
    """
    return all_of(_noise(loss), _noise("nonsaturating"))


def _near_origin(found: tuple[float, ...]) -> dict[str, float]:
    gamma, target, x, y, side = found
    return {"gamma": gamma, "target": target, "theta": x * gamma * target / 2, "phi": side * y * target / 4}


@mescheder.sharpened("Mescheder et al. 2018, section 3 and figure 3 (WGAN-GP)")
@formula(r"\tfrac{d}{dt}|\varphi| = \gamma(g - |\varphi|) + \mathrm{sign}(\varphi)\,\theta > 0")
@drawn(
    20,
    st.tuples(
        st.sampled_from([0.3, 0.7, 1.5]),
        st.sampled_from([0.5, 1.0]),
        st.floats(-0.9, 0.9),
        st.floats(0.1, 0.9),
        st.sampled_from([-1, 1]),
    ).map(_near_origin),
)
@fails("target 0", lambda: {"gamma": 0.7, "target": 0.0, "theta": 0.05, "phi": 0.1}, target=1.0)
def wgan_gp_is_not_attracted(gamma: float, target: float, theta: float, phi: float) -> Evidence:
    """The Dirac-WGAN with WGAN-GP of target 1 (any positive target g) is pushed away from its equilibrium: for |theta|
    < gamma g/2 and 0 < |phi| < g/4 the discriminator's |phi| grows, and simultaneous steps do not converge to (0, 0).

    d|phi|/dt >= gamma (target - |phi|) - |theta| > 0 near the origin; and where 300 steps end.
    """
    game = games.dirac_gan("wasserstein", penalty=f"WGANGP({gamma}, target={target})")
    speed = -float(game.field(np.array([theta, phi]))[1]) * np.sign(phi)
    closed = gamma * (target - abs(phi)) + np.sign(phi) * theta
    run = orbit(game, rules.GDA(0.1), [theta, phi], 300)
    late = float(np.linalg.norm(run[200:], axis=-1).max())
    return all_of(
        same_numbers([speed], [closed], 1e-12),
        Evidence(bool(speed > 0), f"|phi| changes at the rate {speed:.3g}"),
        Evidence(late > target / 4, f"the last 100 steps reach out to {late:.3g}"),
    )


@mescheder.derived("beside Mescheder et al. 2018, figure 3 (non-saturating GAN) and section 3.1; the rate by averaging")
@proved(r"\tfrac{d}{dt} r^2 = -\tfrac{1}{8} r^4 + O(r^6), \qquad r^2 \sim 8/t")
@fails("the minimax game, which circles", lambda: {"loss": "minimax"})
def nonsaturating_converges_slowly(loss: str = "nonsaturating") -> Evidence:
    """The flow of the non-saturating Dirac-GAN has the eigenvalues +-i/2 of the minimax one, so that it does not
    converge at a linear rate, and yet it converges: theta^2 + phi^2 tends to 8/t.

    The mean of d(r^2)/dt over a circle by hand, the library's normal form, and r^2 t along a flow.
    """
    from ..dynamics.flow import flow

    game = games.dirac_gan(loss)
    r, angle = sympy.symbols("r angle", positive=True)
    x = sympy.Symbol("x")
    logistic = sympy.Rational(1, 2) + x / 4  # sigma(x) + O(x^3)
    theta, phi = r * sympy.cos(angle), r * sympy.sin(angle)
    # theta' = -phi sigma(theta phi), of -log D; phi' = theta sigma(-theta phi), of the minimax discriminator
    growth = 2 * theta * -phi * logistic.subs(x, theta * phi) + 2 * phi * theta * logistic.subs(x, -theta * phi)
    mean = sympy.integrate(sympy.expand(growth), (angle, 0, 2 * sympy.pi)) / (2 * sympy.pi)
    decision = analysis.linearize(game).nonlinear
    assert decision is not None
    if decision.coefficient is None:
        return Evidence(False, decision.summary())
    end = np.asarray(flow(game, [1.0, 1.0], 400.0).w)[-1]
    return all_of(
        same_expressions(mean, -(r**4) / 8),
        same_expressions(2 * decision.coefficient, sympy.Rational(-1, 8)),
        Evidence(decision.order == 3, decision.summary()),
        same_numbers([float(end @ end) * 404], [8.0], 2e-3),
    )
