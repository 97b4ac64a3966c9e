"""Labels of basins: constraints, periodic orbits, slow spirals, slices, memory, and the same in every unit."""

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.analysis.long_run.basins import CYCLING, UNDECIDED
from gandyn.analysis.long_run.long_motion import _goes_on
from gandyn.oracles.projections import Box

x, y, lam = sympy.symbols("x y lam", real=True)
S = gd.games.from_sympy
BILINEAR = gd.games.bilinear()


def test_starts_of_a_constrained_game_reach_the_solution_on_the_boundary():
    game = S(x**2 + lam * (-1 - x), {"x": [x], "lam": [lam]}, projection=Box((None, (0, None))))
    found = gd.basins(game, gd.rules.GDA(0.1), [(-2, 2, 9), (-2, 2, 9)])
    assert len(found.attractors) == 1
    np.testing.assert_allclose(found.attractors, [[0, 0]], atol=1e-9)
    assert (found.labels == 0).all()


def test_a_corner_of_the_simplices_is_an_attractor():
    game = gd.games.matrix_game([[1, 2], [3, 4]])
    shares = np.random.default_rng(0).dirichlet([1, 1], (40, 2)).reshape(40, 4)
    found = gd.basins(game, gd.rules.GDA(0.1), shares, box=[(0, 1)] * 4)
    assert (found.labels == 0).all(), found.summary()
    np.testing.assert_allclose(found.attractors, [[1, 0, 0, 1]], atol=1e-9)


@pytest.mark.parametrize(("r", "period"), [(3.2, 2), (3.5, 4), (3.83, 3), (3.74, 5)])
def test_periodic_orbits_of_every_period(r, period):
    rate = sympy.Rational(str(r))
    game = S([sympy.integrate(x - rate * x * (1 - x), x), y**2 / 4], [x, y])
    found = gd.basins(game, gd.rules.GDA(1.0), [(0.1, 0.9, 7), (-1, 1, 3)])
    assert (found.labels == CYCLING).all(), found.summary()
    assert (found.periods == period).all()
    assert f"period {period}" in found.summary()
    assert not found.complete


def test_a_slice_is_measured_by_its_box():
    starts = np.stack([np.linspace(0.2, 1, 9), np.zeros(9)], -1)
    for box in (None, [(-2, 2), (-2, 2)]):
        found = gd.basins(BILINEAR, gd.rules.AlternatingGD(0.1), starts, box=box)
        assert (found.labels == CYCLING).all(), found.summary()
    with pytest.raises(gd.GandynError, match="pairs"):
        gd.basins(BILINEAR, gd.rules.AlternatingGD(0.1), starts, box=[(-1, 1)])


@pytest.mark.parametrize("mu", [1e-3, 1e-4, 1e-5, -1e-4])
def test_a_slow_spiral_does_not_cycle(mu):
    game = gd.games.quadratic(mu, 1, mu)
    rule = gd.rules.RungeKutta(0.1)
    found = gd.basins(game, rule, [(-1, 1, 6), (-1, 1, 6)])
    assert (found.labels != CYCLING).all(), found.summary()


def test_chaos_and_slow_turns_cycle():
    game = S([sympy.integrate(x - sympy.Rational(39, 10) * x * (1 - x), x), y**2 / 4], [x, y])
    found = gd.basins(game, gd.rules.GDA(1.0), [(0.1, 0.9, 7), (-1, 1, 3)])
    assert (found.labels == CYCLING).mean() > 0.9
    assert (found.periods == 0).all()
    slow = gd.basins(BILINEAR, gd.rules.AlternatingGD(0.01), [(-1, 1, 4), (-1, 1, 4)])
    assert (slow.labels == CYCLING).all(), slow.summary()


def test_what_was_filled_in_ends_somewhere_real():
    game = S([x**4 / 4 - x**2 / 2, y**2 / 2], [x, y])
    grid = [(-2, 2, 41), (-1, 1, 11)]
    full, part = (gd.basins(game, gd.rules.GDA(0.1), grid, refine=r) for r in (False, True))
    np.testing.assert_array_equal(part.labels, full.labels)
    decided = full.labels != UNDECIDED
    np.testing.assert_allclose(part.end[decided], full.end[decided], atol=4e-4)


def test_with_memory_passing_is_not_arriving():
    game = S([x**4 / 4 - x**2 / 2, y**2 / 2], [x, y])
    rule = gd.rules.HeavyBall(0.01, 0.995)
    grid = [(-2, 2, 60), (-0.1, 0.1, 2)]
    loose = gd.basins(game, rule, grid, steps=20000, tolerance=1e-2)
    tight = gd.basins(game, rule, grid, steps=20000, tolerance=1e-6)
    np.testing.assert_array_equal(loose.labels, tight.labels)


@pytest.mark.parametrize(
    ("scale", "clock", "shift"), [(1.0, 1e-6, 0.0), (1.0, 1e6, 0.0), (1e-3, 1.0, 0.0), (1.0, 1.0, 50.0)]
)
def test_labels_do_not_depend_on_units(scale, clock, shift):
    def labels(scale, clock, shift):
        k = sympy.Rational(str(scale))
        u, v = (x - sympy.Rational(str(shift))) / k, y / k
        costs = [u**4 / 4 - u**2 / 2 + u * v / 2, v**2 / 2 - u * v / 3]
        game = S([sympy.Rational(str(clock)) * k**2 * c for c in costs], [x, y])
        grid = [(shift - 2 * scale, shift + 2 * scale, 14), (-2 * scale, 2 * scale, 14)]
        return gd.basins(game, gd.rules.GDA(0.1 / clock), grid).labels

    np.testing.assert_array_equal(labels(scale, clock, shift), labels(1.0, 1.0, 0.0))


def test_the_list_of_attractors_says_whether_it_is_all():
    game = gd.games.dirac_gan(penalty=gd.penalties.R1(1.0))
    found = gd.basins(game, gd.rules.GDA(0.2), [(-2, 2, 9), (-2, 2, 9)])
    assert found.complete, found.reason
    assert "fixed points" in found.reason
    hurried = gd.basins(game, gd.rules.GDA(0.2), [(-2, 2, 9), (-2, 2, 9)], budget=1e-6)
    assert (hurried.labels == UNDECIDED).all()
    assert hurried.reason.startswith("undecided: out of time")


def test_steps_that_jump_over_a_kink_have_not_arrived_there():
    """x - 1/10 where x > 0 and x + 1/5 where x < 0: from 1 the run passes within rounding of 0, every third step."""
    game = gd.games.from_sympy([sympy.Max(x, -2 * x), y**2 / 2], [x, y])
    found = gd.basins(game, gd.rules.GDA(0.1), [(-1, 1, 3)] * 2)
    assert not found.attractors.size
    assert (found.labels == CYCLING).all()


def test_where_starts_come_to_rest_is_an_attractor_beside_those_that_were_given():
    found = gd.basins(gd.games.quadratic(1, 0, 1), gd.rules.GDA(0.5), [(-1, 1, 3)] * 2, attractors=[[9.0, 9.0]])
    np.testing.assert_allclose(found.attractors, [[9, 9], [0, 0]], atol=1e-6)
    assert (found.labels == 1).all()


@pytest.mark.parametrize(("left", "settles"), [(0.9, True), (1.1, False)])
def test_sizes_that_approach_a_limit_are_followed_to_it(left, settles):
    """1 + c 2^-k over eight windows: the last is c 2^-7 from the limit, and 1 % of it counts as arrived."""
    sizes = np.array([1 + 2 ** (7 - k) * 0.01 * left for k in range(8)])[:, None]
    sizes = sizes / (1 + 0.01 * left)  # the last is 1, the limit 1 % of `left` below
    edges = np.linspace(0, 5, 8)[:, None, None]  # ranges that move, so that nothing else says it goes on
    assert _goes_on(sizes, -1 - edges, 1 + edges).tolist() == [settles]
