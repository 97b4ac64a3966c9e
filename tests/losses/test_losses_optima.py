"""Optimal discriminators and the divergences that they measure, on pairs of Gaussians by quadrature and exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy
from loss_cases import CASES, SEPARABLE, build, every, richardson
from scipy import stats

import gandyn as gd
from gandyn.errors import DomainError
from gandyn.losses import divergences

GRID = np.linspace(-14, 14, 28001)
DX = 1e-3


def gaussians(mean=0.8, deviation=0.8):
    return stats.norm.pdf(GRID), stats.norm.pdf(GRID, mean, deviation)


def integral(density):
    return float(density.sum() * DX)


def optimum(loss, p, q):
    s = loss.optimal_logit(p, q)
    return -integral(p * loss.real(s) + q * loss.fake(s))


def solved(case):
    """Whether a loss knows its optimum and its divergence in closed form; its contract lets it refuse."""
    try:
        loss = build(case)
        loss.optimal_logit(*gaussians())
        loss.divergence()
        loss.generator_divergence()
    except DomainError:
        return False
    return True


SOLVED = [case for case in SEPARABLE if solved(case)]


def test_what_is_solved_stays_solved():
    known = {"minimax", "nonsaturating", "hinge", "least_squares", "f_gan_kl", "f_gan_js", "f_gan_tv", "f_gan_pearson"}
    assert known <= {name for name, _ in SOLVED}
    assert "wasserstein" not in {name for name, _ in SOLVED}


def test_a_new_loss_may_refuse_its_divergence():
    """A loss of a user's own, with its three links alone, is not asked for more."""

    class Own(gd.losses.Loss):
        def real(self, s):
            return -s

        fake = generator = real

    with pytest.raises(DomainError):
        Own().divergence()


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
