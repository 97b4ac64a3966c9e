"""Every loss against formulas written by hand, in three worlds; its derivatives, optima and divergences."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy
import torch
from scipy import stats

import gandyn as gd
from gandyn.errors import DomainError, ParameterError, UnknownNameError
from gandyn.losses import batch_mean, divergences, registry, resolve

CASES = [(entry.name, k) for entry in registry for k in range(len(entry.examples))]
LINKS = ("real", "fake", "generator")
LOGITS = np.array([-7.5, -2.0, -0.9, -0.3, 0.2, 0.7, 1.6, 3.1, 8.25])


def build(case):
    entry = registry[case[0]]
    return entry.build(**entry.examples[case[1]])


SEPARABLE = [case for case in CASES if build(case).separable]
BATCH = [case for case in CASES if not build(case).separable]
CLASSED = [case for case in BATCH if "classes" in build(case).needs]


def label(case):
    return f"{case[0]}.{case[1]}"


def every(cases):
    return pytest.mark.parametrize("case", cases, ids=label)


def log1pexp(s):
    return np.where(s > 0, s, 0) + np.log1p(np.exp(-np.abs(s)))


# Written from the papers' formulas in D = 1 / (1 + exp(-s)) or in s, by other means than the package's.
D = lambda s: 1 / (1 + np.exp(-s))  # noqa: E731
LOGISTIC = (lambda s: -np.log(D(s)), lambda s: -np.log(1 - D(s)))
BY_HAND = {
    ("minimax", 0): (*LOGISTIC, lambda s: np.log(1 - D(s))),
    ("nonsaturating", 0): (*LOGISTIC, lambda s: -np.log(D(s))),
    ("maximum_likelihood", 0): (*LOGISTIC, lambda s: -D(s) / (1 - D(s))),
    ("wasserstein", 0): (lambda s: -s, lambda s: s, lambda s: -s),
    ("hinge", 0): (lambda s: np.clip(1 - s, 0, None), lambda s: np.clip(1 + s, 0, None), lambda s: -s),
    ("least_squares", 0): (lambda s: 0.5 * (s - 1) ** 2, lambda s: 0.5 * s**2, lambda s: 0.5 * (s - 1) ** 2),
    ("least_squares", 1): (lambda s: 0.5 * (s - 1) ** 2, lambda s: 0.5 * (s + 1) ** 2, lambda s: 0.5 * s**2),
    ("least_squares", 2): (
        lambda s: 0.5 * (s - 1.5) ** 2,
        lambda s: 0.5 * (s + 0.5) ** 2,
        lambda s: 0.5 * (s - 0.7) ** 2,
    ),
    ("f_gan_kl", 0): (lambda s: -s, lambda s: np.exp(s) / np.e, lambda s: -np.exp(s) / np.e),
    ("f_gan_reverse_kl", 0): (lambda s: 1 / np.exp(s), lambda s: s - 1, lambda s: 1 - s),
    ("f_gan_pearson", 0): (lambda s: -s, lambda s: s * (s / 4 + 1), lambda s: -s * (s / 4 + 1)),
    ("f_gan_hellinger", 0): (lambda s: np.expm1(-s), np.expm1, lambda s: -np.expm1(s)),
    ("f_gan_js", 0): (
        lambda s: -np.log(2 * D(s)) / 2,
        lambda s: -np.log(2 * (1 - D(s))) / 2,
        lambda s: np.log(2 * (1 - D(s))) / 2,
    ),
    ("f_gan_tv", 0): (lambda s: 0.5 - D(2 * s), lambda s: D(2 * s) - 0.5, lambda s: 0.5 - D(2 * s)),
    ("label_smoothing", 0): (
        lambda s: -0.9 * np.log(D(s)) - 0.1 * np.log(1 - D(s)),
        LOGISTIC[1],
        lambda s: np.log(1 - D(s)),
    ),
    ("label_smoothing", 1): (
        lambda s: -0.9 * np.log(D(s)) - 0.1 * np.log(1 - D(s)),
        lambda s: -0.2 * np.log(D(s)) - 0.8 * np.log(1 - D(s)),
        lambda s: -np.log(D(s)),
    ),
    ("label_smoothing", 2): (
        lambda s: 0.9 * np.clip(1 - s, 0, None) + 0.1 * np.clip(1 + s, 0, None),
        lambda s: np.clip(1 + s, 0, None),
        lambda s: -s,
    ),
    ("flipped_labels", 0): (
        lambda s: -0.9 * np.log(D(s)) - 0.1 * np.log(1 - D(s)),
        lambda s: -0.1 * np.log(D(s)) - 0.9 * np.log(1 - D(s)),
        lambda s: np.log(1 - D(s)),
    ),
    ("flipped_labels", 1): (
        lambda s: 0.375 * (s - 1) ** 2 + 0.125 * s**2,
        lambda s: 0.375 * s**2 + 0.125 * (s - 1) ** 2,
        lambda s: 0.5 * (s - 1) ** 2,
    ),
    ("flipped_labels", 2): (
        lambda s: -0.9 * np.log(D(s)) - 0.1 * np.log(1 - D(s)),
        lambda s: -0.1 * np.log(D(s)) - 0.9 * np.log(1 - D(s)),
        lambda s: -np.log(D(s)),
    ),
}


def test_every_separable_loss_is_written_by_hand():
    assert set(BY_HAND) == set(SEPARABLE)
    assert len(CASES) >= 25


@every(SEPARABLE)
def test_links_in_three_worlds(case):
    """NumPy, torch, SymPy entries and one SymPy expression: all equal the hand-written formula."""
    loss = build(case)
    s = sympy.Symbol("s", real=True)
    exact = np.array([sympy.Rational(str(v)) for v in LOGITS], dtype=object)
    for name, expected in zip(LINKS, BY_HAND[case], strict=True):
        link, want = getattr(loss, name), expected(LOGITS)
        tolerance = dict(rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(link(LOGITS), want, **tolerance)
        np.testing.assert_allclose(link(torch.tensor(LOGITS)).numpy(), want, **tolerance)
        np.testing.assert_allclose(np.array([float(v) for v in link(exact)]), want, **tolerance)
        scalars = [float(link(s).subs(s, v)) for v in exact]
        np.testing.assert_allclose(scalars, want, **tolerance)
        assert not link(s).atoms(sympy.Float), "a float has contaminated the exact expression"


@every(SEPARABLE)
def test_batch_costs_are_means_of_links(case):
    loss = build(case)
    real, fake = LOGITS.reshape(3, 3), -0.7 * LOGITS.reshape(3, 3)
    cost = loss.discriminator(real, fake)
    assert cost.shape == (3,)
    np.testing.assert_allclose(cost, loss.real(real).mean(-1) + loss.fake(fake).mean(-1), rtol=1e-14)
    expected = -cost if loss.zero_sum else loss.generator(fake).mean(-1)
    np.testing.assert_allclose(loss.generator_cost(real, fake), expected, rtol=1e-14)
    if loss.zero_sum:  # what G can change of -(real + fake) is its own link
        np.testing.assert_allclose(loss.generator(LOGITS), -loss.fake(LOGITS), rtol=1e-14)


def richardson(f, x, h=1e-2):
    d1, d2, d4 = ((f(x + k) - f(x - k)) / (2 * k) for k in (h, h / 2, h / 4))
    return (64 * d4 - 20 * d2 + d1) / 45


@every(SEPARABLE)
@pytest.mark.parametrize("link", LINKS)
def test_slopes_against_the_logit(case, link):
    loss = build(case)
    function = getattr(loss, link)
    slope = loss.d_logit(link, LOGITS)
    scale = 1 + np.abs(function(LOGITS))
    assert np.max(np.abs(slope - richardson(function, LOGITS)) / scale) < 1e-8
    t = torch.tensor(LOGITS, requires_grad=True)
    (auto,) = torch.autograd.grad(function(t).sum(), t)
    np.testing.assert_allclose(slope, auto.numpy(), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(loss.d_logit(link, t).detach().numpy(), slope, rtol=1e-12, atol=1e-15)
    s = sympy.Symbol("s", real=True)
    assert loss.d_logit(link, s) == sympy.diff(function(s), s)


@every(SEPARABLE)
@pytest.mark.parametrize("link", LINKS)
def test_slopes_against_the_probability(case, link):
    """By the chain rule through s = log(D/(1 - D)), and by differences of the cost as a function of D."""
    loss = build(case)
    d = np.array([0.02, 0.17, 0.36, 0.61, 0.85, 0.97])
    logit = np.log(d / (1 - d))
    slope = loss.d_probability(link, d)
    np.testing.assert_allclose(slope, loss.d_logit(link, logit) / (d * (1 - d)), rtol=1e-11)
    differences = richardson(lambda x: getattr(loss, link)(np.log(x / (1 - x))), d, h=1e-3)
    np.testing.assert_allclose(slope, differences, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(loss.d_probability(link, torch.tensor(d)).numpy(), slope, rtol=1e-12)


def test_the_gradients_that_the_papers_print():
    """log(1 - D), -log D and -D/(1 - D): slopes against D and against the logit, as expressions."""
    p, s = sympy.Symbol("p", positive=True), sympy.Symbol("s", real=True)
    expected = {
        "minimax": (-1 / (1 - p), -p),
        "nonsaturating": (-1 / p, -(1 - p)),
        "maximum_likelihood": (-1 / (1 - p) ** 2, -p / (1 - p)),
    }
    for name, (against_d, against_logit) in expected.items():
        loss = resolve(name)
        assert sympy.simplify(loss.d_probability("generator", p) - against_d) == 0
        through_logit = loss.d_logit("generator", s).rewrite(sympy.exp).subs(s, sympy.log(p / (1 - p)))
        assert sympy.simplify(through_logit - against_logit) == 0


OVERFLOWING = {"maximum_likelihood", "f_gan_kl", "f_gan_reverse_kl", "f_gan_hellinger"}


@every(SEPARABLE)
def test_stable_at_extreme_logits(case):
    """Finite at +-800, and equal to the asymptote; a value that is itself beyond float64 is infinite, never nan."""
    loss = build(case)
    s = np.array([-800.0, 800.0])
    for link in LINKS:
        with np.errstate(over="ignore"):
            values = [getattr(loss, link)(s), loss.d_logit(link, s)]
        values.append(getattr(loss, link)(torch.tensor(s)).numpy())
        for value in values:
            assert not np.isnan(value).any()
            assert case[0] in OVERFLOWING or np.isfinite(value).all()
    if case[0] in {"minimax", "nonsaturating"}:
        np.testing.assert_array_equal(loss.real(s), [800.0, 0.0])
        np.testing.assert_array_equal(loss.fake(s), [0.0, 800.0])
        np.testing.assert_array_equal(loss.d_logit("real", s), [-1.0, -np.exp(-800.0)])
    if case[0] in OVERFLOWING:
        with np.errstate(over="ignore"):
            assert np.isinf(np.concatenate([getattr(loss, k)(s) for k in LINKS])).any()


# --- optima and divergences: pairs of Gaussians, by quadrature --------------------------------------------------------

GRID = np.linspace(-14, 14, 28001)
DX = 1e-3


def gaussians(mean=0.8, deviation=0.8):
    return stats.norm.pdf(GRID), stats.norm.pdf(GRID, mean, deviation)


def integral(density):
    return float(density.sum() * DX)


def optimum(loss, p, q):
    s = loss.optimal_logit(p, q)
    return -integral(p * loss.real(s) + q * loss.fake(s))


SOLVED = [c for c in SEPARABLE if c[0] != "wasserstein"]


@every(SOLVED)
@pytest.mark.parametrize("pair", [(0.8, 0.8), (-0.4, 0.9), (0.0, 0.6)])
def test_the_optimal_discriminator_measures_its_divergence(case, pair):
    loss = build(case)
    p, q = gaussians(*pair)
    assert optimum(loss, p, q) == pytest.approx(loss.divergence().value(p, q, DX), abs=1e-12, rel=1e-12)


@every(SOLVED)
def test_no_other_logit_does_better(case):
    """Pointwise: the integrand p real(s) + q fake(s) is least at s*, among shifts of every size."""
    loss = build(case)
    p, q = gaussians()
    p, q = p[10000:18000:40], q[10000:18000:40]
    s = loss.optimal_logit(p, q)
    s = np.where(np.isinf(s), 30 * np.sign(s), s)  # total variation's is infinite
    best = p * loss.real(s) + q * loss.fake(s)
    shifts = [-3.0, -0.3, -0.01, 0.01, 0.3, 3.0]
    others = np.stack([p * loss.real(s + d) + q * loss.fake(s + d) for d in shifts])
    assert (others >= best - 1e-15).all()
    assert (others[[0, -1]] > best + 1e-6).any(axis=-1).all() or case[0] == "f_gan_tv"


def test_closed_forms_of_gaussian_divergences():
    """The quadrature itself, against textbook formulas for N(0, 1) and N(m, s^2)."""
    m, s = 0.8, 0.8
    p, q = gaussians(m, s)
    kl = math.log(s) + (1 + m**2) / (2 * s**2) - 0.5
    reverse = -math.log(s) + (s**2 + m**2) / 2 - 0.5
    hellinger = 2 - 2 * math.sqrt(2 * s / (1 + s**2)) * math.exp(-(m**2) / (4 * (1 + s**2)))
    assert divergences.KL.between(p, q, DX) == pytest.approx(kl, abs=1e-12)
    assert divergences.REVERSE_KL.between(p, q, DX) == pytest.approx(reverse, abs=1e-12)
    assert divergences.SQUARED_HELLINGER.between(p, q, DX) == pytest.approx(hellinger, abs=1e-12)
    p, q = gaussians(m, 1.0)
    chi = math.exp(m**2) - 1
    tv = 2 * stats.norm.cdf(m / 2) - 1
    assert divergences.PEARSON.between(p, q, DX) == pytest.approx(chi, abs=1e-12)
    assert divergences.TOTAL_VARIATION.between(p, q, DX) == pytest.approx(tv, abs=1e-7)  # a kink at m/2
    far = stats.norm.pdf(GRID, 12.0, 0.2)
    near = stats.norm.pdf(GRID, -12.0, 0.2)
    both = near > 1e-300
    js = divergences.JENSEN_SHANNON.integrand(near[both], far[both] + 1e-300).sum() * DX
    assert js == pytest.approx(math.log(2) / 2, abs=1e-9)  # its half: disjoint supports, JS = log 2


def test_goodfellow_and_mao_by_name():
    p, q = gaussians()
    js = divergences.JENSEN_SHANNON.between(p, q, DX)
    assert optimum(gd.losses.minimax(), p, q) == pytest.approx(2 * js - math.log(4), abs=1e-13)
    assert optimum(gd.losses.f_gan_js(), p, q) == pytest.approx(js, abs=1e-13)
    # Mao et al. 2017, eq. 6-8: with the real term added, the generator's value at the optimum is chi^2/2.
    loss = gd.losses.least_squares(a=-1, b=1, c=0)
    s = loss.optimal_logit(p, q)
    chi = divergences.PEARSON_TO_MIXTURE.between(p, q, DX)
    assert integral((p + q) * loss.generator(s)) == pytest.approx(chi / 2, abs=1e-13)


DESCENDED = [c for c in SOLVED if c[0] not in {"label_smoothing", "flipped_labels"}]


@every(DESCENDED)
def test_what_the_generator_descends_at_a_fixed_discriminator(case):
    """d/dm of E_q generator(s*) with s* held, against d/dm of the divergence, q = N(m, 0.8^2)."""
    loss = build(case)
    mean, h = 0.8, 1e-4
    p, q = gaussians(mean)
    s = loss.optimal_logit(p, q)
    slope = q * (GRID - mean) / 0.8**2  # dq/dm
    frozen = integral(slope * loss.generator(s))
    measured = loss.generator_divergence()

    def value(m):
        return measured.value(p, gaussians(m)[1], DX)

    total = (8 * (value(mean + h) - value(mean - h)) - (value(mean + 2 * h) - value(mean - 2 * h))) / (12 * h)
    kink = 1e-4 if case[0] in {"hinge", "f_gan_tv"} else 1e-9
    assert frozen == pytest.approx(total, abs=kink)
    assert abs(frozen) > 1e-2


SMOOTH = [c for c in DESCENDED if c[0] not in {"hinge", "f_gan_tv"}]


@every(SMOOTH)
def test_optimum_and_descent_exactly(case):
    """On symbols: s* is stationary, and generator(s*) - d/dq of the integrand does not depend on q."""
    loss = build(case)
    p, q = sympy.symbols("p q", positive=True)
    s = loss.optimal_logit(p, q)

    def simple(e):
        return sympy.simplify(sympy.expand_log(e.rewrite(sympy.exp), force=True))

    assert simple(p * loss.d_logit("real", s) + q * loss.d_logit("fake", s)) == 0
    measured = loss.generator_divergence()
    integrand = sympy.nsimplify(measured.scale) * measured.divergence.integrand(p, q)
    assert simple(sympy.diff(sympy.diff(integrand, q) - loss.generator(s), q)) == 0


def test_least_squares_pull_vanishes_to_second_order_with_centred_labels():
    e, p = sympy.symbols("e p", positive=True)
    weights = {(-1, 1, 0): 0, (0, 1, 1): sympy.Rational(1, 8)}
    for labels, second in weights.items():
        integrand = gd.losses.least_squares(*labels).generator_divergence().divergence.integrand(p, p * (1 + e))
        assert sympy.simplify(sympy.diff(integrand, e, 2).subs(e, 0) / p) == second


F_GAN = [c for c in CASES if c[0].startswith("f_gan")]


@every(F_GAN)
def test_conjugates_of_the_f_gan_family(case):
    """f*(t) = sup_u (u t - f(u)) on a grid; f*(g(s)) by composition; f(1) = 0; T* = g(s*) = f'(p/q)."""
    loss = build(case)
    assert loss.f(np.array([1.0]))[0] == pytest.approx(0.0, abs=1e-15)
    s = np.array([-0.9, -0.4, 0.0, 0.3, 0.6])
    t = loss.activation(s)
    u = np.append(np.geomspace(1e-6, 1e3, 400_001), 1.0)  # with the kink of total variation
    sup = np.array([(u * ti - loss.f(u)).max() for ti in t])
    np.testing.assert_allclose(loss.conjugate(t), sup, atol=2e-6)
    np.testing.assert_allclose(loss.conjugate_of_activation(s), loss.conjugate(t), rtol=1e-13, atol=1e-15)
    ratio = np.array([0.2, 0.9, 1.1, 3.0])
    slope = richardson(loss.f, ratio, h=1e-3)
    np.testing.assert_allclose(loss.activation(loss.optimal_logit(ratio, np.ones(4))), slope, rtol=1e-9)


def test_wasserstein_has_no_unconstrained_optimum():
    loss = gd.losses.wasserstein()
    p, q = gaussians(0.8, 1.0)
    with pytest.raises(DomainError, match="optimal_slope"):
        loss.optimal_logit(p, q)
    with pytest.raises(DomainError):
        loss.divergence()
    real_cdf, fake_cdf = stats.norm.cdf(GRID), stats.norm.cdf(GRID, 0.8, 0.6)
    q = stats.norm.pdf(GRID, 0.8, 0.6)
    critic = np.cumsum(loss.optimal_slope(real_cdf, fake_cdf)) * DX
    reached = integral((p - q) * critic)
    assert reached == pytest.approx(integral(np.abs(real_cdf - fake_cdf)), abs=2e-4)
    assert reached == pytest.approx(stats.wasserstein_distance(GRID, GRID, p, q), abs=2e-4)
    assert reached > 0.8 + 1e-3  # more than the difference of the means: the widths differ


# --- losses of pairs and batches --------------------------------------------------------------------------------------

REAL = np.array([1.3, -0.4, 0.9, 2.2])
FAKE = np.array([0.2, 0.5, -1.7, 1.9])
DISTANCE = np.array([0.3, 1.4, 0.8, 2.5])


def pair_costs(case):
    """(discriminator, generator) by hand, with explicit loops over the batch."""
    log_sigmoid = lambda x: -log1pexp(-x)  # noqa: E731
    pairs = list(zip(REAL, FAKE, DISTANCE, strict=True))
    name, k = case
    if name == "relativistic":
        link = [lambda x: -log_sigmoid(x), lambda x: 0.5 * (x - 1) ** 2][k]
        return np.mean([link(r - f) for r, f, _ in pairs]), np.mean([link(f - r) for r, f, _ in pairs])
    if name == "relativistic_average":
        up = [lambda x: -log_sigmoid(x), lambda x: 0.5 * (x - 1) ** 2][k]
        down = [lambda x: -log_sigmoid(-x), lambda x: 0.5 * (x + 1) ** 2][k]
        above, below = REAL - FAKE.mean(), FAKE - REAL.mean()
        return up(above).mean() + down(below).mean(), up(below).mean() + down(above).mean()
    slope, margin = {
        ("generalized_loss_sensitive", 0): (0.01, 1.0),
        ("generalized_loss_sensitive", 1): (-1.0, 0.5),
        ("generalized_loss_sensitive", 2): (1.0, 1.0),
        ("loss_sensitive", 0): (0.0, 1.0),
        ("loss_sensitive", 1): (0.0, 0.3),
    }[case]
    excess = [margin * d + (-r) - (-f) for r, f, d in pairs]
    return np.mean([max(a, slope * a) for a in excess]), -FAKE.mean()


PAIRED = [c for c in BATCH if c not in CLASSED]


def arguments(loss, make):
    return {"distance": make(DISTANCE)} if "distance" in loss.needs else {}


def exact_vector(values):
    return np.array([sympy.Rational(str(v)) for v in values], dtype=object)


@every(PAIRED)
def test_pair_losses_in_three_worlds(case):
    loss = build(case)
    for player, want in zip(("discriminator", "generator_cost"), pair_costs(case), strict=True):
        for make in (np.array, torch.tensor, exact_vector):
            got = getattr(loss, player)(make(REAL), make(FAKE), **arguments(loss, make))
            assert float(got) == pytest.approx(want, abs=1e-12)


@every(PAIRED)
@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_pair_gradients_are_those_of_the_batch_cost(case, player):
    loss = build(case)
    cost = loss.discriminator if player == "discriminator" else loss.generator_cost
    real, fake = torch.tensor(REAL, requires_grad=True), torch.tensor(FAKE, requires_grad=True)
    value = cost(real, fake, **arguments(loss, torch.tensor))
    auto = torch.autograd.grad(value, (real, fake), allow_unused=True)
    given = loss.gradients(player, REAL, FAKE, **arguments(loss, np.array))
    tensors = loss.gradients(player, real, fake, **arguments(loss, torch.tensor))
    for mine, tensor, theirs in zip(given, tensors, auto, strict=True):
        expected = np.zeros(4) if theirs is None else theirs.numpy() * 4
        np.testing.assert_allclose(np.broadcast_to(mine, 4), expected, atol=1e-13)
        np.testing.assert_allclose(np.broadcast_to(tensor.detach().numpy(), 4), expected, atol=1e-13)


@every(SEPARABLE)
@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_separable_gradients_are_those_of_the_batch_cost(case, player):
    loss = build(case)
    cost = loss.discriminator if player == "discriminator" else loss.generator_cost
    real, fake = torch.tensor(REAL, requires_grad=True), torch.tensor(FAKE, requires_grad=True)
    auto = torch.autograd.grad(cost(real, fake), (real, fake), allow_unused=True)
    for mine, theirs in zip(loss.gradients(player, REAL, FAKE), auto, strict=True):
        expected = np.zeros(4) if theirs is None else theirs.numpy() * 4
        np.testing.assert_allclose(mine, expected, atol=1e-13)


def test_loss_sensitive_special_cases():
    """slope 1 is Wasserstein up to the mean margin, slope -1 is |a|, slope 0 stops at the margin."""
    gls = gd.losses.generalized_loss_sensitive
    wgan = gd.losses.wasserstein().discriminator(REAL, FAKE)
    one = gls(slope=1, margin=2.0).discriminator(REAL, FAKE, distance=DISTANCE)
    assert one == pytest.approx(wgan + 2 * DISTANCE.mean(), abs=1e-14)
    excess = DISTANCE - REAL + FAKE
    minus = gls(slope=-1, margin=1.0).discriminator(REAL, FAKE, distance=DISTANCE)
    assert minus == pytest.approx(np.abs(excess).mean(), abs=1e-14)
    zero = gd.losses.loss_sensitive(margin=1.0)
    kept = zero.gradients("discriminator", REAL + 10, FAKE, distance=DISTANCE)
    assert not np.any(kept)
    both = [loss.discriminator(REAL, FAKE, distance=DISTANCE) for loss in (gls(slope=0), zero)]
    assert both[0] == both[1] > 0


def test_relativistic_special_cases():
    """Paired with the linear loss is WGAN; on single points the logistic average form is twice the paired one."""
    paired = gd.losses.relativistic("wasserstein")
    assert paired.discriminator(REAL, FAKE) == pytest.approx(gd.losses.wasserstein().discriminator(REAL, FAKE))
    r, f = sympy.symbols("r f", real=True)
    single = gd.losses.relativistic_average().discriminator(r, f)
    assert sympy.expand(single - 2 * gd.losses.relativistic().discriminator(r, f)) == 0


def test_modifiers_are_what_their_docstrings_say():
    s = LOGITS
    flipped = gd.losses.flipped_labels("minimax", probability=0.0, generator_too=True)
    np.testing.assert_array_equal(flipped.generator(s), gd.losses.nonsaturating().generator(s))
    both = gd.losses.label_smoothing("hinge", 0.8, 0.2)
    np.testing.assert_allclose(both.real(s), gd.losses.flipped_labels("hinge", 0.2).real(s), rtol=1e-15)
    # Salimans et al. 2016: D* = (alpha p + beta q) / (p + q).
    p, q = np.array([0.3, 1.0, 0.01]), np.array([0.5, 0.2, 2.0])
    star = 1 / (1 + np.exp(-gd.losses.label_smoothing("nonsaturating", 0.9, 0.2).optimal_logit(p, q)))
    np.testing.assert_allclose(star, (0.9 * p + 0.2 * q) / (p + q), rtol=1e-14)
    # Least squares: the labels move, up to a constant.
    smooth = gd.losses.label_smoothing("least_squares", 0.9, 0.25)
    assert np.ptp(smooth.real(s) - (s - 0.9) ** 2 / 2) < 1e-13
    assert np.ptp(smooth.fake(s) - (s - 0.25) ** 2 / 2) < 1e-13


# --- classes ----------------------------------------------------------------------------------------------------------


@every(CLASSED)
def test_auxiliary_classifier(case):
    loss = build(case)
    rng = np.random.default_rng(5)
    logits = rng.normal(size=(2, 4, 3)).round(3)
    labels = np.array([[0, 2, 1, 1], [2, 2, 0, 1]])
    targets = np.eye(3)[labels]
    cross_entropy = torch.nn.functional.cross_entropy
    entropy = [cross_entropy(torch.tensor(z), torch.tensor(y)) for z, y in zip(logits, labels, strict=True)]
    source = loss.loss
    want_d = source.discriminator(REAL, FAKE) + loss.weight * float(entropy[0] + entropy[1])
    want_g = source.generator_cost(REAL, FAKE) + loss.weight * float(entropy[1])
    exact = np.vectorize(lambda v: sympy.Rational(str(v)), otypes=[object])
    for make in (np.array, torch.tensor, exact):
        classes = tuple((make(z), make(y)) for z, y in zip(logits, targets, strict=True))
        assert float(loss.discriminator(make(REAL), make(FAKE), classes=classes)) == pytest.approx(want_d, abs=1e-12)
        assert float(loss.generator_cost(make(REAL), make(FAKE), classes=classes)) == pytest.approx(want_g, abs=1e-12)
    z = torch.tensor(logits, requires_grad=True)
    (auto,) = torch.autograd.grad(loss.class_cost(z, torch.tensor(targets)).sum(), z)
    np.testing.assert_allclose(loss.class_gradient(logits, targets), auto.numpy(), atol=1e-14)
    extreme = np.array([[-800.0, 800.0]])
    assert loss.class_cost(extreme, np.array([[1.0, 0.0]]))[0] == 1600.0
    with pytest.raises(ParameterError, match="class logits"):
        loss.discriminator(REAL, FAKE)


# --- mistakes ---------------------------------------------------------------------------------------------------------


@every(BATCH)
def test_batch_losses_have_no_cost_per_logit(case):
    loss = build(case)
    for link in LINKS:
        with pytest.raises(DomainError, match="acts on batches"):
            getattr(loss, link)(LOGITS)
    with pytest.raises(DomainError):
        loss.optimal_logit(np.array([0.5]), np.array([0.5]))


def test_mistakes_are_named():
    with pytest.raises(ParameterError, match="distance"):
        gd.losses.loss_sensitive().discriminator(REAL, FAKE)
    with pytest.raises(ParameterError, match="at most 1"):
        gd.losses.generalized_loss_sensitive(slope=1.5)
    with pytest.raises(ParameterError, match="between 0 and 1"):
        gd.losses.label_smoothing(real_target=1.2)
    for wrapper in (gd.losses.label_smoothing, gd.losses.flipped_labels, gd.losses.relativistic):
        with pytest.raises(ParameterError, match="separable"):
            wrapper("loss_sensitive")
    with pytest.raises(UnknownNameError, match="'minimax'"):
        resolve("minmax")
    with pytest.raises(UnknownNameError, match="generator"):
        gd.losses.minimax().d_logit("gen", LOGITS)
    with pytest.raises(UnknownNameError, match="discriminator"):
        gd.losses.minimax().gradients("critic", REAL, FAKE)
    with pytest.raises(DomainError):
        gd.losses.label_smoothing().generator_divergence()
    with pytest.raises(ParameterError, match=r"least_squares\(a: Any = 0"):
        resolve("least_squares(1, 2, 3, 4)")
    for text in ("hinge(", "hinge() + 1", "label_smoothing(real_target=[x])"):
        with pytest.raises(ParameterError, match="call of one"):
            resolve(text)


def test_losses_by_text():
    assert resolve("least_squares(-1, 1, c=0)") == gd.losses.least_squares(-1, 1, 0)
    nested = resolve("label_smoothing(least_squares(-1, 1, 0), real_target=0.8)")
    assert nested == gd.losses.label_smoothing(gd.losses.least_squares(-1, 1, 0), 0.8)
    assert resolve("non-saturating") == gd.losses.nonsaturating()
    assert resolve("ls-gan") == gd.losses.loss_sensitive() != resolve("lsgan")


def test_parameters_may_be_symbols_or_names():
    s = sympy.Symbol("s", real=True)
    loss = gd.losses.least_squares(b="b")
    assert {str(v) for v in loss.real(s).free_symbols} == {"s", "b"}
    with pytest.raises(ParameterError, match="no numeric value"):
        loss.real(LOGITS)
    half = gd.losses.least_squares(b=sympy.Rational(1, 2))
    np.testing.assert_allclose(half.real(LOGITS), (LOGITS - 0.5) ** 2 / 2, rtol=1e-15)


def test_batch_mean_is_exact_on_symbols():
    assert batch_mean(np.array([sympy.Integer(1), sympy.Integer(2)], dtype=object)) == sympy.Rational(3, 2)
    assert batch_mean(sympy.Integer(4)) == 4
