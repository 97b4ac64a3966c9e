"""Bifurcations counted by proofs: close ones told apart, and the same ones in all units, places and orders."""

import numpy as np
import pytest
import sympy

import gandyn as gd

x, y, z, p = sympy.symbols("x y z p", real=True)
R = sympy.Rational
GRID = np.linspace(-1, 1, 21)
BOX = [(-2, 2), (-1, 1)]


def _flow(dx, dy=-y, scale=1):
    """The game whose gradient flow is scale times (dx, dy)."""
    return gd.games.from_sympy([scale * sympy.integrate(-dx, x), scale * sympy.integrate(-dy, y)], [x, y])


def _kinds(found):
    return [q.kind.value for q in found.points]


@pytest.mark.parametrize(("scale", "at"), [(1, 0), (10**7, 1000), (R(1, 10**7), 1000)])
def test_two_folds_within_one_step(scale, at):
    """p + u/10^4 - u^3: folds where 3 u^2 = 10^-4, at p = -+2 (10^-4 / 3)^(3/2)."""
    u = x - at
    found = gd.bifurcation(
        _flow(sympy.expand(p + u / 10**4 - u**3), scale=scale), None, "p", GRID, box=[(at - 2, at + 2), (-1, 1)]
    )
    assert _kinds(found) == ["fold", "fold"]
    assert found.complete, found.reason
    edge = 2 * (1e-4 / 3) ** 1.5
    np.testing.assert_allclose([q.parameter for q in found.points], [-edge, edge], rtol=1e-8)


def test_folds_that_nearly_meet_and_do_not():
    """p + u^3 + u/10^9 is monotone: no fold, although the slope comes within 10^-9 of 0."""
    found = gd.bifurcation(_flow(p + x**3 + x / 10**9), None, "p", GRID, box=BOX)
    assert (found.points, found.complete) == ((), True), found.summary()


@pytest.mark.parametrize("scale", [R(1, 10**12), 1, 10**12])
def test_units_of_costs_do_not_matter(scale):
    found = gd.bifurcation(_flow(p - x**2, scale=scale), None, "p", GRID, box=BOX)
    assert (_kinds(found), found.complete) == (["fold"], True)
    assert abs(found.points[0].parameter) < 1e-12
    square = x**2 + y**2
    hopf = _flow(p * x - 2 * y - x * square, 2 * x + p * y - y * square, scale)
    (point,) = gd.bifurcation(hopf, None, "p", GRID).points
    assert (point.kind, point.criticality) == ("Hopf", "supercritical")
    assert point.coefficient == pytest.approx(-1, rel=1e-5)


def test_a_player_ten_million_times_faster_does_not_hide_a_fold():
    """x' = 10^7 (p - x^2), y' = -y: the eigenvalue -1 is 10^-7 of the other player's rate, and not zero."""
    game = gd.games.from_sympy([10**7 * (x**3 / 3 - p * x), y**2 / 2], [x, y])
    found = gd.bifurcation(game, None, "p", GRID, box=BOX)
    assert (_kinds(found), found.complete) == (["fold"], True)


@pytest.mark.parametrize(
    ("at", "size"),
    [(10, 1), *(pytest.param(at, s, marks=pytest.mark.slow) for at, s in ((1000, 1), (10, R(1, 1000)), (1000, 1000)))],
)
def test_position_and_units_of_coordinates_do_not_matter(at, size):
    u, v = (x - at) / size, (y + at) / size
    square = u**2 + v**2
    game = _flow(*(sympy.expand(size * e) for e in (p * u - 2 * v - u * square, 2 * u + p * v - v * square)))
    box = [(at - size, at + size), (-at - size, -at + size)]
    found = gd.bifurcation(game, None, "p", GRID, box=box)
    (point,) = found.points
    assert (point.kind, point.criticality, found.complete) == ("Hopf", "supercritical", True), found.summary()
    assert point.coefficient * float(size) ** 2 == pytest.approx(-1, rel=1e-5)
    np.testing.assert_allclose(point.point, [at, -at])
    if size == 1:
        (again,) = gd.bifurcation(game, None, "p", GRID, at=[at, -at]).points
        assert again.parameter == pytest.approx(0, abs=1e-9)


def test_a_neutral_saddle_is_no_hopf_point():
    """x' = y, y' = x - 1/4 - p y ... at p = 0 two real eigenvalues add up to zero."""
    game = _flow(y, x + p * y)
    found = gd.bifurcation(game, None, "p", np.linspace(-1, 1.1, 22), box=[(-1, 1)] * 2)
    assert (found.points, found.complete) == ((), True), found.summary()


@pytest.mark.slow
def test_flips_and_pairs_of_maps_are_proven():
    game = gd.games.from_sympy([3 * x**2 / 2 + x**4, y**2 / 2], [x, y])
    found = gd.bifurcation(game, gd.rules.GDA(0.1), "lr", np.linspace(0.1, 1.0, 10), box=[(-0.5, 0.5)] * 2)
    assert (_kinds(found), found.complete) == (["flip"], True), found.summary()
    assert found.points[0].parameter == pytest.approx(2 / 3, abs=1e-9)
    dirac = gd.games.dirac_gan(penalty=gd.penalties.R1(0.3))
    found = gd.bifurcation(dirac, gd.rules.GDA(0.1), "lr", np.linspace(0.1, 2.0, 20))
    assert (_kinds(found), found.complete) == (["Neimark-Sacker"], True), found.summary()


def test_where_branches_cross_the_list_is_open_and_says_where():
    found = gd.bifurcation(_flow(p * x - x**3), None, "p", np.linspace(-1, 1.1, 22), box=BOX)
    assert _kinds(found) == ["pitchfork"]
    assert not found.complete
    assert "undecided near (0, 0, 0)" in found.reason


def test_rules_with_memory_are_followed_without_a_proof():
    found = gd.bifurcation(gd.games.bilinear(), gd.rules.OptimisticGD(0.1), "lr", np.linspace(0.1, 1, 10))
    assert not found.complete
    assert "memory" in found.reason
    assert found.to_dict()["complete"] is False


def test_the_budget_is_said():
    found = gd.bifurcation(_flow(p - x**2), None, "p", GRID, box=BOX, budget=1e-6)
    assert not found.complete
    assert "out of time" in found.summary()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(60))
def test_folds_of_random_cubics_against_the_discriminant(seed):
    """x' = p - g(x): folds are the critical values of g with x in the box, whatever the units."""
    rng = np.random.default_rng(seed)
    roots = [R(int(rng.integers(-99, 100)), 100) for _ in range(2)]
    roots.append(roots[0] + R(1, 10 ** int(rng.integers(1, 7))))
    slope = sympy.expand(sympy.prod([x - r for r in roots[: rng.integers(1, 4)]]))
    g = sympy.integrate(slope, x)
    scale, at = R(10) ** int(rng.integers(-9, 10)), int(rng.choice([0, 100]))
    moved = _flow(sympy.expand(p - g.subs(x, x - at)), scale=scale)
    found = gd.bifurcation(moved, None, "p", GRID, box=[(at - 1, at + 1), (-1, 1)])
    simple = sympy.Poly(sympy.gcd(slope, sympy.diff(slope, x)), x).is_ground
    expected = sorted(
        float(g.subs(x, r)) for r in sympy.Poly(slope, x).ground_roots() if abs(r) < 1 and abs(g.subs(x, r)) < 1
    )
    if simple:
        assert found.complete, (seed, found.summary())
        np.testing.assert_allclose([q.parameter for q in found.points], expected, atol=1e-12)
    else:
        assert not found.complete
