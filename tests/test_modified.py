"""decompose and modified_flow: promised orders measured, known first corrections, planted parts recovered."""

import dataclasses

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

import gandyn as gd

DIRAC = gd.games.dirac_gan()
BILINEAR = gd.games.bilinear()
START = np.array([0.7, 0.4])


def _local_error(game, rule, modified, h):
    step = gd.iterate(game, rule, START, 1).w[-1]
    right = modified.at(h)
    flow = solve_ivp(lambda t, w: right(w), (0, h), START, method="DOP853", rtol=1e-13, atol=1e-16).y[:, -1]
    return np.linalg.norm(step - flow)


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize(
    "rule",
    [
        gd.rules.GDA(0.1),
        gd.rules.GDA((0.1, 0.2)),
        gd.rules.AlternatingGD(0.1),
        gd.rules.AlternatingGD(0.1, repeats=(1, 2)),
        gd.rules.Extragradient(0.1),
    ],
    ids=repr,
)
def test_the_local_error_falls_at_the_promised_order(rule, order):
    modified = gd.modified_flow(DIRAC, rule, order=order)
    ratio = np.array(rule.lr) / np.ravel(rule.lr)[0]
    steps = (0.04, 0.02)
    at = [dataclasses.replace(rule, lr=tuple(h * ratio) if ratio.ndim else float(h)) for h in steps]
    errors = [_local_error(DIRAC, r, modified, h) for r, h in zip(at, steps, strict=True)]
    slope = np.log2(errors[0] / errors[1])
    assert slope > order + 1.9, (slope, errors)  # a wrong term stops at order + 1


def test_the_first_correction_of_gradient_steps_is_minus_half_jacobian_times_field():
    modified = gd.modified_flow(DIRAC, gd.rules.GDA(0.1), order=1)
    points = np.random.default_rng(0).normal(size=(50, 2))
    np.testing.assert_allclose(modified.correction(0)(points), -DIRAC.field(points), rtol=1e-13)
    expected = -DIRAC.jvp(points, DIRAC.field(points)) / 2
    np.testing.assert_allclose(modified.correction(1)(points), expected, rtol=1e-12, atol=1e-15)


def test_playing_in_turn_leaves_the_bilinear_energy_alone_where_playing_at_once_feeds_it():
    a, b = BILINEAR.symbols
    growth = {}
    for rule in (gd.rules.GDA(0.1), gd.rules.AlternatingGD(0.1)):
        c = gd.modified_flow(BILINEAR, rule, order=1).expression(1)
        growth[rule.name] = sympy.expand(2 * a * c[0] + 2 * b * c[1])
    assert growth["SimultaneousGD"] == a**2 + b**2
    assert growth["AlternatingGD"] == a**2 - b**2  # averages out over a turn


def test_rules_with_memory_and_bad_orders_are_refused():
    with pytest.raises(gd.GandynError, match="memory"):
        gd.modified_flow(BILINEAR, gd.rules.OptimisticGD(0.1))
    with pytest.raises(gd.GandynError, match="order"):
        gd.modified_flow(BILINEAR, gd.rules.GDA(0.1), order=-1)
    with pytest.raises(gd.GandynError, match="0 to 1"):
        gd.modified_flow(BILINEAR, gd.rules.GDA(0.1), order=1).expression(2)


def test_planted_symmetric_and_antisymmetric_parts_are_recovered():
    s, a = np.array([[2.0, 0.5], [0.5, -1.0]]), np.array([[0.0, 3.0], [-3.0, 0.0]])
    j = (s + a).tolist()
    parts = gd.decompose(
        gd.games.general_quadratic([[[[j[0][0]]], [[j[0][1]]]], [[[j[1][0]]], [[j[1][1]]]]]), [1.0, 2.0]
    )
    np.testing.assert_allclose(parts.S, s, atol=1e-15)
    np.testing.assert_allclose(parts.A, a, atol=1e-15)
    assert parts.kind == "mixed"


def test_potential_and_hamiltonian_games_are_named_identically():
    x, y = sympy.symbols("x y", real=True)
    assert gd.decompose(gd.games.bilinear([[1, 2], [3, 4]])).kind == "Hamiltonian"
    assert gd.decompose(gd.games.from_sympy([x**4 + x * y, y**2 + x * y], [x, y])).kind == "potential"
    assert gd.decompose(gd.games.dirac_gan(penalty="R1(1)")).kind == "mixed"
