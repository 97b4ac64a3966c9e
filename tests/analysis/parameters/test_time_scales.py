"""For which ratios of time scales the flow attracts, beside eigenvalues in floating point; fates along a step."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.analysis.parameters.fates import fates
from gandyn.analysis.parameters.thresholds import nowhere_positive
from gandyn.errors import DomainError, GandynError

SAMPLES = np.geomspace(1e-3, 1e3, 61)


def abscissa(game, point, tau, which=1):
    """The largest real part of -diag(1, tau) J, from NumPy alone."""
    scale = np.ones(game.dim)
    scale[game.slices[which]] = tau
    return np.linalg.eigvals(-scale[:, None] * np.asarray(game.jacobian(point), float)).real.max()


def agrees(game, point, which=1):
    found = gd.analysis.attracting_time_scales(game, point, which)
    for tau in SAMPLES:
        size = abscissa(game, np.array([float(x) for x in point]), tau, which)
        if abs(size) > 1e-9:
            assert any(float(low) < tau < float(high) for low, high in found) is bool(size < 0), (game.name, tau)
    return found


def test_forsaken_attracts_for_small_tau_and_not_for_large():
    game = gd.games.forsaken()
    ((low, high),) = agrees(game, game.equilibria[0])
    assert low == 0
    assert float(high) == pytest.approx(1.2391783217, abs=1e-9)
    assert gd.analysis.critical_time_scale(game) is sympy.oo
    point = np.array([float(x) for x in game.equilibria[0]])
    measured = [abscissa(game, point, tau) for tau in (1, 1.1, 1.2, 1.25)]
    assert measured == pytest.approx([-0.0447, -0.0260, -0.0073, 0.0020], abs=1e-4)
    slow = gd.linearize(game, gd.rules.TimeScale(gd.rules.GDA(0.01), tau=1.1), at=point)
    assert str(slow.verdict) == "attracting"


def test_an_interval_that_begins_above_zero_and_ends():
    """Two scalar games side by side: the trace of one wants tau > 1, that of the other tau < 3."""
    x1, x2, y1, y2 = sympy.symbols("x1 x2 y1 y2", real=True)
    block = -(x1**2) / 2 + 2 * x1 * y1 - y1**2 / 2 + 3 * x2**2 / 2 + 4 * x2 * y2 + y2**2 / 2
    game = gd.games.from_sympy(block, {"x": [x1, x2], "y": [y1, y2]}, equilibria=[(0, 0, 0, 0)])
    assert agrees(game, (0, 0, 0, 0)) == ((1, 3),)
    assert gd.analysis.critical_time_scale(game) is sympy.oo
    assert agrees(game, (0, 0, 0, 0), which=0) == ((sympy.Rational(1, 3), 1),)


def test_players_in_the_other_order():
    game = gd.games.quadratic(-1, 2, 3)
    assert agrees(game, (0, 0)) == ((sympy.Rational(1, 3), sympy.oo),)
    assert agrees(game, (0, 0), which=0) == ((0, 3),)
    assert gd.analysis.critical_time_scale(game, which="x") is sympy.oo


@pytest.mark.slow
def test_every_registered_game_beside_floating_point():
    tried = 0
    for entry in gd.games.registry:
        for options in entry.examples or ({},):
            game = entry.build(**options)
            game = game.mean() or game
            if len(game.players) != 2 or not game.equilibria or entry.name == "mixture_game":
                continue
            try:
                agrees(game, game.equilibria[0])
            except GandynError:  # free parameters, constraints, no expressions
                continue
            tried += 1
    assert tried > 30


@pytest.mark.parametrize(
    ("game", "rule", "expected"),
    [
        ("bilinear", "AlternatingGD(lr)", [(0, 2, "marginal", "conservative"), (2, sympy.oo, "saddle", "saddle")]),
        ("bilinear", "GDA(lr)", [(0, sympy.oo, "repelling", "repelling")]),
        ("quadratic", "GDA(lr)", [(0, 1, "attracting", "attracting"), (1, sympy.oo, "repelling", "repelling")]),
        (
            "bilinear",
            "OGDA(lr)",
            [(0, sympy.sqrt(3) / 3, "attracting", "attracting"), (sympy.sqrt(3) / 3, sympy.oo, "saddle", "saddle")],
        ),
    ],
)
def test_the_fate_at_every_step(game, rule, expected):
    played, moved = gd.games.registry.from_text(game), gd.rules.registry.from_text(rule)
    found = fates(played, moved)
    assert [(s.low, s.high, s.verdict, s.fate) for s in found] == expected
    for one in found:
        for part in (0.1, 0.5, 0.9):
            low, high = float(one.low), min(float(one.high), 2 * float(one.low) + 5)
            at = gd.rules.registry.from_text(rule.replace("lr", str(low + part * (high - low))))
            radius = gd.linearize(played, at).spectral_radius
            assert {"attracting": radius < 1 - 1e-9, "marginal": abs(radius - 1) < 1e-9}.get(one.verdict, radius > 1)


def test_fates_want_one_free_parameter():
    with pytest.raises(DomainError, match="one free parameter"):
        fates(gd.games.bilinear(), gd.rules.GDA(0.1))


def test_conditions_that_exclude_each_other_never_attract():
    lr, m = sympy.symbols("lr m", positive=True)
    game = gd.games.bilinear()
    never = gd.stability_region(game, gd.rules.AlternatingGD("lr"))
    assert never.never
    assert "an eigenvalue is on or beyond the unit circle" in never.summary()
    assert nowhere_positive(-(lr**2) * m**2 - m**2 + m - 1)
    assert not nowhere_positive(-(lr**2) * m**2 - m**2 + 3 * m - 1)
    assert not nowhere_positive(lr**2 * m**2 - m**2 + m - 1)


def four_players(link, coupling, second=1):
    """Two turning pairs, the second pushing the first: J = [[coupling K, link I], [0, second K]], K a quarter turn."""
    x, y, u, v = sympy.symbols("x y u v", real=True)
    costs = [coupling * x * y + link * x * u, -coupling * x * y + link * y * v, second * u * v, -second * u * v]
    return gd.games.from_sympy(costs, {"p": [x], "q": [y], "r": [u], "s": [v]})


def growth(game):
    """|w(200)| over |w(0)| along the flow: near 1 where it turns, near 100 where pairs of equal frequency push."""
    values, vectors = np.linalg.eig(-np.asarray(game.jacobian(np.zeros(4)), float) * (1 + 1e-12 * np.arange(4)))
    motion = vectors @ np.diag(np.exp(200 * values)) @ np.linalg.inv(vectors)
    return np.linalg.norm(motion, 2)


def test_frequencies_that_meet_are_an_end_and_not_the_rule():
    """At coupling 1 alone the two pairs resonate; the value inside the whole half line would have been that one."""
    c, at = sympy.Symbol("c", positive=True), (0, 0, 0, 0)
    found = fates(four_players(1, c), None, at)
    assert [(s.low, s.high, s.verdict) for s in found] == [(0, 1, "marginal"), (1, sympy.oo, "marginal")]
    assert growth(four_players(1, 2)) < 5
    assert growth(four_players(1, sympy.Rational(1, 2))) < 10
    assert growth(four_players(1, 1)) > 50


def test_a_repeated_eigenvalue_on_the_boundary_that_may_be_defective_is_left_open():
    """Equal frequencies push each other except where the link is 0, which is also the value 1 of the parameter."""
    c, at = sympy.Symbol("c", positive=True), (0, 0, 0, 0)
    with pytest.raises(DomainError, match="repeated"):
        fates(four_players(c - 1, 1), None, at)
    found = fates(four_players(0, c, c), None, at)  # apart, they are repeated and semisimple
    assert [(s.low, s.high, s.verdict) for s in found] == [(0, sympy.oo, "marginal")]
