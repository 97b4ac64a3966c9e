"""Separable losses: links by hand in three worlds, slopes, stability; mistakes, text and symbols as parameters."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
import torch
from loss_cases import CASES, FAKE, LINKS, LOGITS, REAL, SEPARABLE, build, every, richardson

import gandyn as gd
from gandyn.errors import DomainError, ParameterError, UnknownNameError
from gandyn.losses import batch_mean, resolve

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
    missing = sorted(set(SEPARABLE) - set(BY_HAND))
    assert not missing, (
        "no second route: write (name, number of the example): (real, fake, generator), in plain NumPy, in BY_HAND of "
        f"tests/losses/test_losses.py for {missing}"
    )
    assert set(BY_HAND) == set(SEPARABLE)
    assert len(CASES) >= 25


@every([case for case in SEPARABLE if case in BY_HAND])
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
            assert case[0] in OVERFLOWING or np.isfinite(value).all(), (
                f"{case[0]}.{link} or its slope overflows at logits of +-800: write it by worlds.softplus or "
                "worlds.sigmoid, or, where the value itself is beyond 1.8e308, name the loss in OVERFLOWING"
            )
    if case[0] in {"minimax", "nonsaturating"}:
        np.testing.assert_array_equal(loss.real(s), [800.0, 0.0])
        np.testing.assert_array_equal(loss.fake(s), [0.0, 800.0])
        np.testing.assert_array_equal(loss.d_logit("real", s), [-1.0, -np.exp(-800.0)])
    if case[0] in OVERFLOWING:
        with np.errstate(over="ignore"):
            assert np.isinf(np.concatenate([getattr(loss, k)(s) for k in LINKS])).any()


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
    with pytest.raises(ParameterError, match=r"least_squares\(a: Parameter = 0"):
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
