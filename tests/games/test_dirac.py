"""The Dirac-GAN with every loss and penalty: closed forms of Mescheder et al. 2018, and noise by quadrature."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
import torch
from scipy.integrate import quad, solve_ivp
from scipy.special import expit

import gandyn as gd
from gandyn.errors import DomainError, ParameterError, UnknownNameError
from gandyn.games import dirac_gan, registry
from gandyn.losses import registry as losses

gamma, v, beta = sympy.symbols("gamma v beta", positive=True)
eigenvalue = sympy.Symbol("lambda")
EXAMPLES = registry["dirac_gan"].examples
POINTS = np.array([[0.3, 0.7], [-1.2, 0.4], [0.9, -1.1], [-0.5, -0.8], [2.0, 0.1]])
ROOT = sympy.sqrt(gamma**2 / 4 - sympy.Rational(1, 4))


def at_origin(matrix, game):
    return matrix.subs(dict.fromkeys(game.symbols, 0))


def polynomial(game):
    """The characteristic polynomial of -J at (0, 0)."""
    assert game.equilibria == ((0, 0),)
    return sympy.expand((-at_origin(game.jacobian_expr, game)).charpoly(eigenvalue).as_expr())


def with_roots(*roots):
    return sympy.expand(sympy.prod(eigenvalue - root for root in roots))


def exact_noise(variance):
    """L''(0) v +- sqrt(L''(0)^2 v^2 - L'(0)^2) with L'(0) = 1/2, L''(0) = -1/4."""
    root = sympy.sqrt(variance**2 / 16 - sympy.Rational(1, 4))
    return with_roots(-variance / 4 + root, -variance / 4 - root)


CLOSED_FORMS = {
    "minimax": (dict(), with_roots(sympy.I / 2, -sympy.I / 2)),
    "nonsaturating": (dict(loss="nonsaturating"), with_roots(sympy.I / 2, -sympy.I / 2)),
    "wasserstein": (dict(loss="wasserstein"), with_roots(sympy.I, -sympy.I)),
    "R1": (dict(penalty="R1(gamma)"), with_roots(-gamma / 2 + ROOT, -gamma / 2 - ROOT)),
    "R1 non-saturating": (
        dict(loss="nonsaturating", penalty="R1(gamma)"),
        with_roots(-gamma / 2 + ROOT, -gamma / 2 - ROOT),
    ),
    "R2": (dict(penalty="R2(gamma)"), with_roots(-gamma / 2 + ROOT, -gamma / 2 - ROOT)),
    "0-GP": (dict(penalty="ZeroCentered(gamma)"), with_roots(-gamma / 2 + ROOT, -gamma / 2 - ROOT)),
    "weight decay": (dict(penalty="WeightDecay(gamma)"), with_roots(-gamma / 2 + ROOT, -gamma / 2 - ROOT)),
    "consistency": (
        dict(penalty=gd.penalties.Consistency(gamma / (2 * v), v)),
        with_roots(-gamma / 2 + ROOT, -gamma / 2 - ROOT),
    ),
    "mode regulariser": (
        dict(penalty=gd.penalties.ModeRegularizer(gamma / 2)),
        with_roots(-gamma / 2 + ROOT, -gamma / 2 - ROOT),
    ),
    "noise": (dict(noise=v), exact_noise(v)),
    "noise non-saturating": (dict(loss="nonsaturating", noise=v), exact_noise(v)),
    "clip": (dict(clip=1), with_roots(sympy.I / 2, -sympy.I / 2)),
    "soft spectral": (
        dict(penalty=gd.penalties.SpectralNormalization(soft=True)),
        with_roots(sympy.I / 2, -sympy.I / 2),
    ),
    "orthogonal": (
        dict(penalty=gd.penalties.Orthogonal(beta)),
        with_roots(
            2 * beta + sympy.sqrt(4 * beta**2 - sympy.Rational(1, 4)),
            2 * beta - sympy.sqrt(4 * beta**2 - sympy.Rational(1, 4)),
        ),
    ),
    "R1 and noise": (
        dict(penalty="R1(gamma)", noise=v),
        sympy.expand(eigenvalue**2 + (gamma + v / 2) * eigenvalue + sympy.Rational(1, 4)),
    ),
}


@pytest.mark.parametrize("name", list(CLOSED_FORMS))
def test_flow_eigenvalues_in_closed_form(name):
    arguments, expected = CLOSED_FORMS[name]
    assert sympy.expand(polynomial(dirac_gan(**arguments)) - expected) == 0


NEEDS_CLASSES = {"auxiliary_classifier", "semi_supervised"}


@pytest.mark.parametrize("name", [e.name for e in losses if losses[e.name].build().separable])
def test_eigenvalues_from_the_slopes_of_the_links(name):
    """-J has the characteristic polynomial lambda^2 + gamma lambda - g'(0) h'(0), for every separable loss."""
    loss = losses[name].build()
    zero = sympy.Integer(0)
    product = loss.d_logit("generator", zero) * loss.d_logit("fake", zero)
    expected = eigenvalue**2 + gamma * eigenvalue - product
    assert sympy.simplify(polynomial(dirac_gan(loss, penalty="R1(gamma)")) - expected) == 0


@pytest.mark.parametrize("entry", list(losses), ids=lambda e: e.name)
def test_every_loss_plays_or_says_why_not(entry):
    if entry.name in NEEDS_CLASSES:
        with pytest.raises(ParameterError, match="class logits"):
            dirac_gan(entry.build())
        return
    game = dirac_gan(entry.name)
    loss = entry.build()
    field = game.field(POINTS)
    # By hand: real logit 0, fake logit -phi theta; each player differentiates its own cost.
    for w, value in zip(POINTS, field, strict=True):
        t = torch.tensor(w, requires_grad=True)
        real, fake = 0 * t[0], -t[1] * t[0]
        extra = {"distance": t[0].abs()} if "distance" in loss.needs else {}
        g = torch.autograd.grad(loss.generator_cost(real, fake, **extra), t, retain_graph=True)[0][0]
        d = torch.autograd.grad(loss.discriminator(real, fake, **extra), t)[0][1]
        np.testing.assert_allclose(value, [g, d], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("k", range(len(EXAMPLES)))
def test_examples_agree_in_every_world(k):
    game = dirac_gan(**EXAMPLES[k])
    tensors = game.field(torch.tensor(POINTS)).numpy()
    np.testing.assert_allclose(tensors, game.field(POINTS), rtol=1e-12, atol=1e-14)
    exact = np.array([sympy.Rational(3, 10), sympy.Rational(7, 10)], dtype=object)
    numbers = [float(e) for e in game.field(exact)]
    np.testing.assert_allclose(numbers, game.field(POINTS)[0], rtol=1e-12)
    h = 1e-5
    for i in range(2):
        step = h * np.eye(2)[i]
        slope = (game.costs(POINTS + step)[i] - game.costs(POINTS - step)[i]) / (2 * h)
        np.testing.assert_allclose(game.field(POINTS)[:, i], slope, atol=1e-8)


def test_examples_are_few_and_varied():
    assert len(EXAMPLES) <= 10
    games = [dirac_gan(**example) for example in EXAMPLES]
    assert any(g.constrained for g in games)
    assert any(not g.smooth for g in games)
    assert {g.zero_sum for g in games} == {True, False}


# --- penalties, derived -----------------------------------------------------------------------------------------------

phi = dirac_gan().symbols[1]
theta = dirac_gan().symbols[0]
P = gd.penalties
DERIVED = [
    (P.R1("gamma"), gamma * phi**2 / 2, 0),
    (P.R2("gamma"), gamma * phi**2 / 2, 0),
    (P.ZeroCentered("gamma"), gamma * phi**2 / 2, 0),
    (P.WGANGP("gamma"), gamma * (sympy.Abs(phi) - 1) ** 2 / 2, 0),
    (P.WGANGP("gamma", target="g0"), gamma * (sympy.Abs(phi) - sympy.Symbol("g0", positive=True)) ** 2 / 2, 0),
    (P.WGANGP("gamma", one_sided=True), gamma * sympy.Max(0, sympy.Abs(phi) - 1) ** 2 / 2, 0),
    (P.DRAGAN(), 10 * (sympy.Abs(phi) - 1) ** 2, 0),
    (P.Consistency("beta", "v"), beta * v * phi**2, 0),
    (P.Consistency("beta", "v", both=True), 2 * beta * v * phi**2, 0),
    (P.Consistency("beta", "v", on_fakes=True), 2 * beta * v * phi**2, 0),
    (P.WeightDecay("gamma"), gamma * phi**2 / 2, 0),
    (P.Orthogonal("beta"), beta * (phi**2 - 1) ** 2, 0),
    (P.Orthogonal("beta", off_diagonal=True), 0, 0),
    (P.ModeRegularizer("beta"), 0, beta * theta**2),
    (P.WeightClipping(1), 0, 0),
]


@pytest.mark.parametrize(("penalty", "to_d", "to_g"), DERIVED, ids=lambda x: getattr(type(x), "__name__", None))
def test_specialisations(penalty, to_d, to_g):
    plain, game = dirac_gan(), dirac_gan(penalty=penalty)
    assert sympy.expand(game.exprs[1] - plain.exprs[1] - to_d) == 0
    assert sympy.expand(game.exprs[0] - plain.exprs[0] - to_g) == 0


def test_every_penalty_is_specialised_here():
    tested = {type(p) for p, *_ in DERIVED} | {P.InstanceNoise, P.SpectralNormalization}
    assert tested == {entry.build for entry in P.registry}


def test_several_penalties_add_up():
    game = dirac_gan("wasserstein", penalty=["R1(0.3)", P.WeightDecay(0.2)], clip=2)
    assert sympy.expand(game.exprs[1] + theta * phi - phi**2 / 4) == 0
    assert game.constrained
    assert not game.zero_sum
    assert "R1, WeightDecay, WeightClipping" in game.name


def test_dragan_feels_the_spread_of_noisy_data_only_through_its_points():
    """The critic is linear: wherever the slope is taken, it is phi."""
    game = dirac_gan("wasserstein", penalty="DRAGAN", noise="v")
    assert sympy.expand(game.exprs[1] + theta * phi - 10 * (sympy.Abs(phi) - 1) ** 2) == 0


def test_wgan_gp_has_no_equilibrium_and_repels():
    """Mescheder et al. 2018, section 4.1: never attracted to (0, 0), and pushed off phi = 0 on both sides."""
    game = dirac_gan("wasserstein", penalty="WGANGP(0.7)")
    assert game.equilibria == ()
    sides = game.field(np.array([[0.0, 1e-9], [0.0, -1e-9]]))[:, 1]
    np.testing.assert_allclose(sides, [-0.7, 0.7], rtol=1e-8)
    w = gd.iterate(game, gd.rules.GDA(0.01), [0.05, 0.05], 20_000).w
    assert np.linalg.norm(w[-5000:], axis=-1).max() > 0.5
    assert dirac_gan("wasserstein", penalty=P.WGANGP(0.7, one_sided=True)).equilibria == ((0, 0),)


def test_clipping_is_a_projection_in_the_step():
    game = dirac_gan("wasserstein", clip=0.5)
    np.testing.assert_array_equal(game.project(np.array([3.0, -2.0])), [3.0, -0.5])
    assert game.project(torch.tensor([3.0, 2.0])).tolist() == [3.0, 0.5]
    a, b = sympy.symbols("a b", real=True)
    projected = game.project(np.array([a, b], dtype=object))
    assert projected[0] == a
    quarter = sympy.Rational(1, 4)
    assert [projected[1].subs(b, value) for value in (-3, quarter, 3)] == [-2 * quarter, quarter, 2 * quarter]
    w = gd.iterate(game, gd.rules.GDA(0.2), [1.0, 1.0], 500).w
    assert np.abs(w[:, 1]).max() == 0.5
    assert np.abs(w[-200:, 1]).min() < 0.5  # it circles through, not along, the bound
    free = gd.iterate(dirac_gan("wasserstein"), gd.rules.GDA(0.2), [1.0, 1.0], 500).w
    assert np.abs(free[:, 1]).max() > 100


def test_zero_sum_costs_of_the_product_circle():
    for loss in ("minimax", "wasserstein", "f_gan_hellinger"):
        game = dirac_gan(loss)
        (quantity,) = game.facts.conserved
        drift = sum(sympy.diff(quantity, s) * e for s, e in zip(game.symbols, game.field_exprs, strict=True))
        assert sympy.expand(drift) == 0
    assert not dirac_gan("nonsaturating").facts.conserved
    assert not dirac_gan(penalty="R1(0.1)").facts.conserved


def test_non_saturating_flow_converges_like_eight_over_t():
    game = dirac_gan("nonsaturating")
    end = solve_ivp(lambda t, w: -game.field(w), (0, 1000), [1.0, 1.0], rtol=1e-7, atol=1e-8, method="DOP853").y[:, -1]
    assert (end**2).sum() * 1000 / 8 == pytest.approx(1.0, abs=0.03)


def test_soft_spectral_normalisation():
    game = dirac_gan("wasserstein", penalty=P.SpectralNormalization(2, soft=True))
    assert sympy.expand(polynomial(game) - with_roots(sympy.I, -sympy.I)) == 0
    np.testing.assert_allclose(
        game.field(np.array([[0.3, 0.7], [0.3, 5.0], [0.3, -5.0]])), [[0.7, -0.3], [2, 0], [-2, 0]]
    )
    with pytest.raises(DomainError, match="only the sign"):
        dirac_gan(penalty="SpectralNormalization")


# --- instance noise ---------------------------------------------------------------------------------------------------


def expectation(function, deviation):
    """E function(n) for a normal n of the given deviation, adaptively."""
    density = lambda n: function(n) * np.exp(-(n**2) / (2 * deviation**2)) / (deviation * np.sqrt(2 * np.pi))  # noqa: E731
    return quad(density, -12 * deviation, 12 * deviation, epsabs=1e-13, epsrel=1e-13, limit=400)[0]


@pytest.mark.parametrize(("loss", "generator_slope"), [("minimax", -1), ("nonsaturating", 1)])
def test_noisy_field_by_adaptive_quadrature(loss, generator_slope):
    """Real and fake logits are -phi sigma n and -phi (theta + sigma n)."""
    sigma = 0.7
    game = dirac_gan(loss, noise=0.49)
    for t, p in POINTS:
        if generator_slope < 0:  # d/dtheta of -E softplus(-p(t + n))
            d_theta = expectation(lambda n, t=t, p=p: p * expit(-p * (t + n)), sigma)
        else:  # d/dtheta of E softplus(p(t + n))
            d_theta = expectation(lambda n, t=t, p=p: p * expit(p * (t + n)), sigma)
        on_real = expectation(lambda n, p=p: n * expit(p * n), sigma)
        on_fake = expectation(lambda n, t=t, p=p: -(t + n) * expit(-p * (t + n)), sigma)
        np.testing.assert_allclose(game.field(np.array([t, p])), [d_theta, on_real + on_fake], atol=1e-11)


def test_noise_on_pairs():
    """s_r - s_f = phi (theta + sigma (n_f - n_r)): one normal of twice the variance."""
    game = dirac_gan("relativistic", noise=0.25)
    for t, p in POINTS[:2]:
        d_theta = expectation(lambda n, t=t, p=p: p * expit(p * (t + n)), np.sqrt(0.5))
        d_phi = expectation(lambda n, t=t, p=p: -(t + n) * expit(-p * (t + n)), np.sqrt(0.5))
        np.testing.assert_allclose(game.field(np.array([t, p])), [d_theta, d_phi], atol=1e-11)


def test_noise_leaves_no_float_in_exact_results():
    game = dirac_gan(noise=0.49)
    matrix = at_origin(game.jacobian_expr, game)
    assert matrix == sympy.Matrix([[0, sympy.Rational(1, 2)], [-sympy.Rational(1, 2), sympy.Rational(49, 200)]])
    third = sympy.diff(game.field_exprs[1], game.symbols[1], 3).subs(dict.fromkeys(game.symbols, 0))
    # softplus''''(0) = -1/8, and E n^4 = 3 v^2, on real and fake.
    assert third == -2 * sympy.Rational(1, 8) * 3 * sympy.Rational(49, 100) ** 2


def test_noise_of_a_polynomial_loss_has_a_closed_form():
    """Least squares: E (phi (theta + sigma n))^2 / 2 and E (phi sigma n + 1)^2 / 2, no quadrature."""
    game = dirac_gan("least_squares", noise="v")
    expected = (v * phi**2 + 1) / 2 + phi**2 * (theta**2 + v) / 2
    assert sympy.expand(game.exprs[1] - expected) == 0
    assert dirac_gan("wasserstein", noise="v").exprs == dirac_gan("wasserstein").exprs


def test_noise_makes_the_equilibrium_attracting():
    w = gd.iterate(dirac_gan(noise=0.49), gd.rules.GDA(0.2), [1.0, 1.0], 500).w
    assert np.linalg.norm(w[-1]) < 1e-3
    assert np.linalg.norm(gd.iterate(dirac_gan(), gd.rules.GDA(0.2), [1.0, 1.0], 500).w[-1]) > 1


# --- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (dict(noise=-0.1), ParameterError, "variance=-0.1"),
        (dict(clip=-1), ParameterError, "bound=-1"),
        (dict(penalty="R1"), ParameterError, r"R1\(gamma: Parameter\)"),
        (dict(penalty="R3(1)"), UnknownNameError, "R1"),
        (dict(loss="minmax"), UnknownNameError, "minimax"),
        (dict(penalty="WGANGP(-1)"), ParameterError, "gamma=-1"),
    ],
)
def test_mistakes_are_named(arguments, error, says):
    with pytest.raises(error, match=says):
        dirac_gan(**arguments)
