"""Thresholds against bisection on the numeric spectral radius, and planted ones told apart at 1e-12."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.analysis.parameters.conditions import conditions
from gandyn.analysis.parameters.thresholds import Line, where_positive
from gandyn.errors import DomainError

LR = sympy.Symbol("lr", positive=True)
R = sympy.Rational
RULES = [
    gd.rules.GDA("lr"),
    gd.rules.GDA((LR, 3 * LR, LR / 2)[:2]),
    gd.rules.Extragradient("lr"),
    gd.rules.OptimisticGD("lr"),
    gd.rules.HeavyBall("lr", -0.3),
    gd.rules.AlternatingGD("lr"),
    gd.rules.Lookahead(gd.rules.GDA("lr"), 3, 0.5),
]


def _game(seed: int, players: int, strength: int = 30):
    """A quadratic game with integer tenths for coefficients, whose flow often attracts."""
    rng = np.random.default_rng(seed)
    xs = sympy.symbols(f"x1:{players + 1}", real=True)
    costs = [
        R(int(rng.integers(1, strength)), 10) * x**2 / 2
        + sum(R(int(rng.integers(-15, 16)), 10) * x * y for y in xs if y is not x)
        for x in xs
    ]
    return gd.games.from_sympy(costs, [(x,) for x in xs], equilibria=[[0] * players])


def _check(game, rule) -> float:
    region = gd.stability_region(game, rule)
    critical = region.critical("lr")
    matrix = sympy.lambdify(LR, region.exact.matrix, "numpy")

    def radius(h):
        return float(np.abs(np.linalg.eigvals(np.array(matrix(h), dtype=complex))).max())

    if critical == 0:
        assert radius(1e-3) > 1 - 1e-9
        return 0.0
    end = float(critical)
    inside = np.linspace(0, min(end, 50.0), 202)[1:-1]
    assert max(map(radius, inside)) < 1 + 1e-9, (game.exprs, rule)
    if critical is not sympy.oo:
        low, high = 0.9999 * end, 1.00013 * end
        assert radius(low) < 1 < radius(high), (game.exprs, rule)
        while high - low > 1e-13 * end:
            middle = (low + high) / 2
            low, high = (middle, high) if radius(middle) < 1 else (low, middle)
        assert low == pytest.approx(end, rel=1e-8)
        a, b = region.bracket("lr")
        assert a <= Fraction(end) * (1 + Fraction(1, 10**15))
        assert Fraction(end) * (1 - Fraction(1, 10**15)) <= b
    return end


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_threshold_is_where_bisection_finds_it(rule):
    assert any(_check(_game(seed, 2), rule) > 0 for seed in range(3))


def test_three_and_ten_players_and_memory_take_no_time():
    assert _check(_game(5, 3, 60), gd.rules.OptimisticGD("lr")) > 0
    assert _check(_game(1, 6, 90), gd.rules.GDA("lr")) > 0
    bilinear = gd.games.bilinear([[0.83, -0.27], [0.41, 1.19]])
    assert _check(bilinear, gd.rules.OptimisticGD("lr")) == pytest.approx(0.45864244098944135, rel=1e-13)
    three = gd.games.bilinear([[0.83, -0.27, 0.31], [0.41, 1.19, -0.77], [0.12, 0.55, 0.93]])
    assert _check(three, gd.rules.Extragradient("lr")) == pytest.approx(0.6718678882057733, rel=1e-13)


@pytest.mark.slow
@pytest.mark.parametrize("players", [2, 3, 4, 5])
@pytest.mark.parametrize("rule", RULES, ids=str)
def test_random_games_against_bisection(rule, players):
    if players > 2 and isinstance(rule.lr if hasattr(rule, "lr") else None, tuple):
        rule = gd.rules.GDA(tuple(LR * (k + 1) for k in range(players)))
    assert sum(_check(_game(100 * players + seed, players, 20 * players), rule) > 0 for seed in range(12)) > 2


# --- planted thresholds -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gap", [R(1, 10**6), R(1, 10**12), R(1, 10**40)])
def test_thresholds_closer_than_doubles_are_told_apart(gap):
    """lr < 1 and lr < 1 - gap: own curvatures 2 and 2/(1 - gap)."""
    game = gd.games.quadratic(2, 0, 2 / (1 - gap))
    region = gd.stability_region(game, gd.rules.GDA("lr"))
    assert region.critical("lr") == 1 - gap
    assert region.contains(lr=1 - 2 * gap)
    assert not region.contains(lr=1 - gap / 2)
    assert not region.contains(lr=1 - gap)


def test_a_point_that_touches_the_boundary_ends_the_interval():
    """The stable interval ends where the spectral radius is 1, even if it falls again behind that point."""
    p = sympy.Symbol("p", positive=True)
    x, y = sympy.symbols("x y", real=True)
    game = gd.games.from_sympy([((p - 1) ** 2 + 0) * x**2 / 2, y**2 / 2], [x, y], equilibria=[(0, 0)])
    region = gd.stability_region(game, None, ("p",))
    assert region.critical("p") == 1
    assert region.contains(p=2)
    assert not region.contains(p=1)


def test_signs_on_a_line_are_those_of_evaluation():
    p = sympy.Symbol("p", real=True)
    factors = [p, p**2 - 2, p**2 + 1, p**3 - p - 7, 10**30 * p**2 - 2 * 10**30 - 1]
    line = Line.of(factors, p)
    values = [sympy.N(r.exact(p), 60) for r in line.roots]
    assert values == sorted(values)
    assert len(values) == 6
    cells = [values[0] - 1, *((a + b) / 2 for a, b in itertools.pairwise(values)), values[-1] + 1]
    for e in factors:
        assert line.signs[e][::2] == tuple(int(sympy.sign(e.subs(p, c))) for c in cells)
        for k, r in enumerate(line.roots):
            low, high = r.bracket
            assert low <= Fraction(str(values[k])) <= high or abs(Fraction(str(values[k])) - low) < Fraction(1, 10**18)
            assert (line.signs[e][2 * k + 1] == 0) == (r.polynomial == e)


def test_where_expressions_are_positive():
    line, holds = where_positive([2 - 5 * LR, (LR - 1) ** 2, 1 / (LR - 3)], LR)
    assert [r.exact(LR) for r in line.roots] == [R(2, 5), 1, 3]
    assert holds == [False] * 7
    assert where_positive([sympy.exp(LR) - 2], LR) is None
    assert where_positive([sympy.sqrt(2) * LR - 1], LR) is None


def test_coefficients_that_are_not_rational_keep_their_exact_threshold():
    game = gd.games.quadratic(sympy.sqrt(2), 0, sympy.sqrt(2))
    assert sympy.simplify(gd.stability_region(game, gd.rules.GDA("lr")).critical("lr") - sympy.sqrt(2)) == 0


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_conditions_hold_where_every_root_is_stable(n):
    """Random characteristic polynomials in one parameter, against NumPy's roots at every cell."""
    from gandyn.analysis.local.exact_linearization import ExactLinearization

    rng = np.random.default_rng(n)
    for flow in (True, False):
        for _ in range(3):
            entries = [R(int(a), 10) + R(int(b), 10) * LR for a, b in rng.integers(-9, 10, (n * n, 2))]
            shift = -n * sympy.eye(n) / 2 if flow else sympy.zeros(n)
            matrix = sympy.ImmutableMatrix(shift + sympy.Matrix(n, n, entries) / (1 if flow else n))
            found = conditions(ExactLinearization(matrix, flow, (LR,)))
            number = sympy.lambdify(LR, matrix, "numpy")
            for h in np.linspace(0.01, 3, 12):
                values = np.linalg.eigvals(np.array(number(h), dtype=float))
                size = values.real.max() if flow else np.abs(values).max() - 1
                if abs(size) > 1e-6:
                    assert all(e.subs(LR, R(h)) > 0 for e in found) == (size < 0)


# --- time scales ------------------------------------------------------------------------------------------------------


def test_time_scales_in_eight_dimensions_and_off_an_equilibrium():
    rng = np.random.default_rng(4)
    game = gd.games.bilinear(np.round(rng.normal(size=(4, 4)), 2).tolist())
    assert gd.analysis.critical_time_scale(game) is sympy.oo
    a, b, c = (np.round(rng.normal(size=(4, 4)), 1) / 10 for _ in range(3))
    own, crossed, other = np.diag([-1, -0.5, 0.2, 0.4]) + a + a.T, 2 * np.eye(4) + b, np.eye(4) + c + c.T
    game = gd.games.quadratic(own.round(2).tolist(), crossed.round(2).tolist(), other.round(2).tolist())
    tau = gd.analysis.critical_time_scale(game)
    jacobian = game.jacobian(np.zeros(8))
    sizes = [
        np.linalg.eigvals(-np.diag([1.0] * 4 + [float(tau) * e] * 4) @ jacobian).real.max() for e in (0.999, 1.001)
    ]
    assert 0 < float(tau) < 1e3
    assert sizes[0] > 0 > sizes[1]
    for scale in (R(1, 10**12), 10**12):
        x, y = sympy.symbols("x y", real=True)
        moved = gd.games.from_sympy([scale * (x**2 - x + x * y), scale * (y**2 - x * y)], [x, y])
        with pytest.raises(DomainError, match="no fixed point"):
            gd.analysis.critical_time_scale(moved, (0, 0))
        with pytest.raises(DomainError, match="no fixed point"):
            gd.stability_region(moved, gd.rules.GDA("lr"), at=(0, 0))
        assert gd.stability_region(moved, gd.rules.GDA("lr"), at=(0.4, 0.2)).critical("lr") == R(4, 5) / scale


def test_regions_of_constrained_games_are_those_of_the_face():
    """x at its bound with multiplier 2: steps act on y alone, lr < 2/3. A bound that does not press decides nothing."""
    x, y = sympy.symbols("x y", real=True)
    half = gd.games.projections.Box(((0, None), (None, None)))
    for shift, rule in ((2, gd.rules.GDA("lr")), (2, gd.rules.GDA(0.1)), (0, gd.rules.GDA("lr"))):
        costs = [x**2 / 2 + x * y + shift * x, 3 * y**2 / 2 - x * y]
        game = gd.games.from_sympy(costs, [x, y], projection=half, equilibria=[(0, 0)])
        if shift:
            assert gd.stability_region(game, rule).critical("lr") == R(2, 3)
        else:
            with pytest.raises(DomainError, match="constraints"):
                gd.stability_region(game, rule)


def test_every_interval_of_stable_steps_where_none_starts_at_zero():
    game = gd.games.almost_bilinear()
    for rule in (gd.rules.Extragradient("lr"), gd.rules.OptimisticGD("lr")):
        region = gd.stability_region(game, rule)
        [(low, high)] = [tuple(map(float, ends)) for ends in region.intervals("lr")]
        assert region.critical("lr") == 0 < low
        for step, stable in ((0.99 * low, False), (1.01 * low, True), (0.99 * high, True), (1.01 * high, False)):
            radius = float(gd.linearize(game, type(rule)(step)).spectral_radius)
            assert (radius < 1) is stable, (rule, step)
    assert gd.stability_region(game, gd.rules.GDA("lr")).intervals("lr") == ()
    assert gd.stability_region(gd.games.bilinear(), gd.rules.Extragradient("lr")).intervals("lr") == ((0, 1),)
    pulled = gd.games.quadratic(a=1, b=0, c=1)
    assert gd.stability_region(pulled, gd.rules.ProximalPoint("lr")).intervals("lr") == ((0, sympy.oo),)
    toy = gd.stability_region(gd.games.unrolled_toy(), gd.rules.Extragradient("lr"))  # coefficients with e
    [(low, high)] = toy.intervals("lr")
    assert low == 0
    assert high == toy.critical("lr")
    for step, stable in ((0.99 * float(high), True), (1.01 * float(high), False)):
        assert (gd.linearize(gd.games.unrolled_toy(), gd.rules.Extragradient(step)).spectral_radius < 1) is stable
    with pytest.raises(DomainError, match="is free"):
        gd.stability_region(gd.games.bilinear(), gd.rules.Consensus("lr", "gamma"), ("lr", "gamma")).intervals("lr")
