"""Circles and periodic orbits of maps: planted radius, rotation number and multiplier to 1e-8; those of the games."""

import dataclasses

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.analysis.closed_orbits import circle_solver
from gandyn.analysis.closed_orbits.circle_solver import rotation_number
from gandyn.analysis.closed_orbits.closed_orbit import InvariantCircle, PeriodicOrbit, kind_of
from gandyn.analysis.parameters.system import system
from gandyn.rules.declaration import step_size
from gandyn.types import Domain, Rule, State

x, y = sympy.symbols("x y", real=True)
R = sympy.Rational
GOLDEN = R(61803398874989, 10**15)
UNIT = gd.rules.GDA(1.0)


def _step(image):
    """A two-player game on which a gradient step of size 1 is the given map."""
    costs = [sympy.integrate(sympy.expand(s - e), s) for s, e in zip((x, y), image, strict=True)]
    return gd.games.from_sympy(costs, [x, y])


def _turning(radius, rho, strength, shear=0):
    """z+ = (1 + strength (radius^2 - |z|^2)) R(rho) z seen through (x, y) -> (x, y + shear x^2).

    At the circle distances grow by d/dr [r (1 + s (R^2 - r^2))] = 1 - 2 s R^2 a step.
    """
    c, s = sympy.cos(2 * sympy.pi * rho), sympy.sin(2 * sympy.pi * rho)
    u, v = x, y - shear * x**2
    growth = 1 + strength * (radius**2 - u**2 - v**2)
    p, q = growth * (c * u - s * v), growth * (s * u + c * v)
    return _step([p, q + shear * p**2])


@pytest.mark.parametrize(
    ("rho", "strength", "shear"),
    [
        pytest.param(GOLDEN, R(1, 2), 0, id="attracting"),
        pytest.param(3 * GOLDEN, R(1, 2), R(3, 10), id="attracting, bent", marks=pytest.mark.slow),
        pytest.param(3 * GOLDEN, R(-1, 4), R(1, 5), id="repelling, bent", marks=pytest.mark.slow),
    ],
)
def test_a_planted_circle_is_recovered(rho, strength, shear):
    radius = R(7, 10)
    (circle,) = gd.limit_cycles(_turning(radius, rho, strength, shear), [(-1, 1)] * 2, rule=UNIT)
    assert isinstance(circle, InvariantCircle)
    assert circle.rotation_number == pytest.approx(float(rho), abs=1e-10)
    assert circle.period == pytest.approx(1 / float(rho), rel=1e-8)
    normal = 1 - 2 * float(strength * radius**2)
    np.testing.assert_allclose(circle.multipliers, [normal], rtol=1e-9)
    np.testing.assert_allclose(circle.multipliers_per_turn, [normal ** (1 / float(rho))], rtol=1e-7)
    assert circle.stable == (normal < 1)
    straight = circle.points - np.stack([0 * circle.points[:, 0], float(shear) * circle.points[:, 0] ** 2], -1)
    np.testing.assert_allclose(np.linalg.norm(straight, axis=-1), float(radius), atol=1e-9)
    angles = np.unwrap(np.arctan2(straight[:, 1], straight[:, 0]))
    assert (np.diff(angles) * np.sign(angles[-1] - angles[0]) > 0).all()  # in order
    assert abs(abs(angles[-1] - angles[0]) - 2 * np.pi * (1 - 1 / len(angles))) < 0.1  # once around
    assert circle.residual < 1e-11


@pytest.mark.slow
def test_the_parameterisation_turns_with_the_map():
    game = _turning(R(1, 2), GOLDEN, R(1, 2), R(1, 3))
    (circle,) = gd.limit_cycles(game, [(-1, 1)] * 2, rule=UNIT)
    theta = np.random.default_rng(0).uniform(size=50)
    image = gd.iterate(game, UNIT, circle(theta), 1).w[-1]
    np.testing.assert_allclose(image, circle(theta + circle.rotation_number), atol=1e-12)


def test_the_weighted_average_finds_rotation_numbers_to_rounding():
    for rho in (0.0137, 0.317, 0.689):
        phase = np.cumsum(np.full(6000, rho))
        bent = phase + 0.05 * np.sin(2 * np.pi * phase) / (2 * np.pi)
        orbit = np.stack([2 * np.cos(2 * np.pi * bent), np.sin(2 * np.pi * bent)], -1)
        assert rotation_number(orbit) == pytest.approx(rho, abs=1e-12)


def test_a_curve_that_is_run_through_twice_is_reported_once_around():
    made = system(_turning(R(1, 2), GOLDEN, R(1, 2)), UNIT)
    angles = 4 * np.pi * np.arange(400) / 400
    twice = circle_solver.circle_from_curve(made, 0.5 * np.stack([np.cos(angles), np.sin(angles)], -1))
    assert twice.rotation_number == pytest.approx(float(GOLDEN), abs=1e-10)
    assert np.linalg.norm(np.diff(twice.points, axis=0), axis=-1).sum() == pytest.approx(np.pi, rel=0.01)


def test_a_continuum_of_circles_is_not_reported():
    assert gd.limit_cycles(gd.games.bilinear(), [(-1, 1)] * 2, rule=gd.rules.AlternatingGD(0.3)) == []


def test_the_periodic_orbit_born_at_a_flip_has_its_closed_form():
    # w+ = w - lr (w - w^3): 2-cycle x = -(x - lr (x - x^3)), so x^2 = 1 - 2 / lr, slope (1 - lr (1 - 3 x^2))^2.
    lr = 2.4
    game = gd.games.from_sympy([x**2 / 2 - x**4 / 4, y**2 / 4], [x, y])
    found = gd.limit_cycles(game, [(-0.7, 0.7)] * 2, rule=gd.rules.GDA(lr), periods=2)
    (orbit,) = [c for c in found if isinstance(c, PeriodicOrbit) and abs(c.points[0, 0] + c.points[1, 0]) < 1e-9]
    square = 1 - 2 / lr
    assert orbit.period == 2
    np.testing.assert_allclose(np.abs(orbit.points[:, 0]), np.sqrt(square), rtol=1e-12)
    expected = [(1 - lr * (1 - 3 * square)) ** 2, (1 - lr / 2) ** 2]
    np.testing.assert_allclose(np.sort(orbit.multipliers.real), np.sort(expected), rtol=1e-9)
    assert orbit.stable == (max(expected) < 1)


@pytest.mark.slow
@pytest.mark.parametrize("rule", [gd.rules.GDA(0.02), gd.rules.Extragradient(0.02)], ids=repr)
def test_both_circles_of_the_forsaken_game_lie_near_the_cycles_of_its_flow(rule):
    game, box = gd.games.forsaken(), [(-1.5, 1.5)] * 2
    inner, outer = (c for c in gd.limit_cycles(game, box, rule=rule) if isinstance(c, InvariantCircle))
    assert not inner.stable
    assert outer.stable
    for circle, period, radius in ((inner, 7.16988, (0.13312, 0.24933)), (outer, 7.54800, (1.01107, 1.82580))):
        assert circle.period * rule.lr == pytest.approx(period, rel=0.02)
        np.testing.assert_allclose(circle.radius, radius, rtol=0.15)


@pytest.mark.slow
def test_a_rule_with_memory_has_the_repelling_circle_as_a_saddle():
    inner, outer = gd.limit_cycles(gd.games.forsaken(), [(-1.5, 1.5)] * 2, rule=gd.rules.OptimisticGD(0.05))
    assert (inner.multipliers > 1).sum() == 1
    assert (inner.multipliers < 0.1).sum() == 2
    assert outer.stable
    assert outer.coefficients.shape[1] == 4


def test_the_system_has_the_derivatives_of_its_map():
    game, rng = gd.games.forsaken(), np.random.default_rng(1)
    for rule in (gd.rules.Extragradient(0.1), gd.rules.OptimisticGD(0.1), gd.rules.Consensus(0.1, 0.3)):
        made = system(game, rule, "lr")
        z = made.start(np.array([0.3, 0.2]), 0.1) + 0.1 * rng.normal(size=made.size)
        h = 1e-3
        steps = h * np.eye(made.size)
        first, second = (
            np.stack([(made(z + k * e, 0.1) - made(z - k * e, 0.1)) / (2 * k * h) for e in steps], -1) for k in (1, 2)
        )
        np.testing.assert_allclose(made.jacobian(z, 0.1), (4 * first - second) / 3, atol=1e-9)
        slope = (made(z, 0.1 + h) - made(z, 0.1 - h)) / (2 * h)
        np.testing.assert_allclose(made.slope(z, 0.1), slope, atol=1e-7)


@dataclasses.dataclass(frozen=True)
class HalfAStepBehind(Rule):
    """Its memory is the field at the start times lr / 2, so it depends on the parameter."""

    lr: object = step_size()
    domain = Domain(unconstrained=True)

    def init(self, game, w, rng=None):
        return State({"behind": game.per_coordinate(self.lr, w) / 2 * game.field(w, game.draw(rng))})

    def step(self, game, w, state, rng=None):
        moved = w - game.per_coordinate(self.lr, w) * game.field(w - state["behind"], game.draw(rng))
        return moved, State({"behind": w - moved}), {}


def test_memory_starts_as_the_rule_starts_it_at_the_value_of_the_parameter():
    made = system(gd.games.bilinear(), HalfAStepBehind("lr"), "lr")
    for lr in (0.1, 0.4):
        np.testing.assert_allclose(made.start(np.array([0.3, 0.2]), lr), [0.3, 0.2, lr / 2 * 0.2, -lr / 2 * 0.3])


def test_free_parameters_and_rules_with_kinks_are_refused():
    with pytest.raises(gd.GandynError, match="no value"):
        gd.limit_cycles(gd.games.bilinear(), [(-1, 1)] * 2, rule=gd.rules.GDA("lr"))
    with pytest.raises(gd.GandynError, match="pairs"):
        gd.limit_cycles(gd.games.bilinear(), [(-1, 1)], rule=gd.rules.GDA(0.1))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rho", "strength", "shear"),
    [(R(1, 4), R(1, 2), 0), (R(2, 5), R(1, 2), R(3, 10)), (R(1, 4), R(-1, 4), R(1, 5)), (R(1, 3), R(1, 4), R(1, 5))],
    ids=["quarter", "two fifths, bent", "repelling", "third, bent"],
)
def test_a_circle_of_periodic_points_is_recovered(rho, strength, shear):
    radius = R(7, 10)
    found = gd.limit_cycles(_turning(radius, rho, strength, shear), [(-1, 1)] * 2, rule=UNIT)
    (circle,) = (c for c in found if isinstance(c, InvariantCircle))
    assert circle.rotation_number == pytest.approx(float(rho), abs=1e-12)
    np.testing.assert_allclose(circle.multipliers, [1 - 2 * float(strength * radius**2)], rtol=1e-9)
    straight = circle.points - np.stack([0 * circle.points[:, 0], float(shear) * circle.points[:, 0] ** 2], -1)
    np.testing.assert_allclose(np.linalg.norm(straight, axis=-1), float(radius), atol=1e-9)
    assert not found.complete
    assert "search" in found.reason


def test_affine_maps_have_no_isolated_closed_curve():
    found = gd.limit_cycles(gd.games.bilinear(), [(-1, 1)] * 2, rule=gd.rules.AlternatingGD(0.3))
    assert found.complete
    assert "affine" in found.reason


def test_multipliers_inside_outside_and_on_both_sides_of_the_unit_circle():
    sizes = ([0.5, 0.9], [1.1, 2.0], [0.5, 2.0])
    assert [kind_of(np.array(s)) for s in sizes] == ["attracting", "repelling", "saddle"]
