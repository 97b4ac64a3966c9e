"""Flows that an explicit integrator brings no further: sliding, stiff, out of time, interrupted."""

from __future__ import annotations

import math
import os
import signal
import threading

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.dynamics import endings
from gandyn.dynamics.compile import compiler
from gandyn.dynamics.sliding import Pieces, Slide, jumps
from gandyn.errors import ParameterError
from gandyn.results import Interrupted, Status

KERNELS = ["eager", pytest.param("c", marks=pytest.mark.skipif(compiler() is None, reason="no C compiler"))]
x, y = sympy.symbols("x y", real=True)
WRITTEN = {
    "Abs": sympy.Abs(x),
    "Max": sympy.Max(x, -x),
    "Piecewise": sympy.Piecewise((x, x > 0), (-x, True)),
    "Heaviside": 2 * x * sympy.Heaviside(x) - x,
}


def game(*costs):
    return gd.games.from_sympy(list(costs), [x, y])


# --- sliding ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("kernel", KERNELS)
def test_a_circle_ends_on_the_line_where_the_field_turns_round(kernel):
    """|x| y: a rotation until x = 0, where x' = -sign(x) y points back at the line, and y' = |x| vanishes: rest."""
    start = np.array([[1.0, 0.5], [-0.3, 0.4], [0.6, 0.0]])
    traj = gd.flow(game(sympy.Abs(x) * y, -sympy.Abs(x) * y), start, 3.0, kernel=kernel)
    np.testing.assert_allclose(traj.w[-1], np.stack([np.zeros(3), np.hypot(*start.T)], -1), atol=2e-9)
    assert traj.kernel.endswith("sliding")
    assert set(traj.status.tolist()) == {Status.OK}


@pytest.mark.parametrize("form", WRITTEN)
def test_however_the_kink_is_written(form):
    """|x| + xy/4: x' = -1 - y/4 and y' = x/4 from (1, 1/2) meet x = 0 where x + 4 (1 + y/4)^2 ... is the circle's."""
    kink = WRITTEN[form]
    traj = gd.flow(game(kink + x * y / 4, -kink - x * y / 4), [1.0, 0.5], 3.0)
    meets = 4 * (math.sqrt((1 + 0.5 / 4) ** 2 + 1 / 16) - 1)  # (x/4)^2 + (1 + y/4)^2 is conserved until then
    np.testing.assert_allclose(traj.w[-1], [0.0, meets], atol=1e-9)


def test_sliding_follows_the_combination_of_the_two_sides():
    """x' = -sign(x), y' = -sign(x) y + 1/2 ... as a field of two players: on x = 0 Filippov's field is y' = y - 1."""
    f = (sympy.Abs(x), -(y**2) / 2 + y + sympy.sign(x) * y / 3)
    traj = gd.flow(game(*f), [0.5, 0.2], [0.0, 0.5, 0.75, 1.25])
    # above x = 0: y' = y - 1 - 1/3; on it the weights are 1/2 and 1/2, so y' = y - 1
    at = 4 / 3 + (0.2 - 4 / 3) * math.exp(0.5)
    np.testing.assert_allclose(traj.w[1], [0, at], atol=1e-8)
    np.testing.assert_allclose(traj.w[2:, 1], 1 + (at - 1) * np.exp([0.25, 0.75]), atol=1e-8)


def test_a_trajectory_leaves_the_surface_when_one_side_lets_it_go():
    """x' = -sign(x) + y, y' = 1: slides on x = 0 while |y| < 1, then leaves upwards, x = (y - 1)^2 / 2."""
    slide = Slide(Pieces(game(sympy.Abs(x) - x * y, -y)), 1e-10, 1e-11, 1e300)
    times = np.array([0.0, 1.0, 2.0, 3.0])
    rows, end, ending = slide.run(np.array([0.0, -0.5]), times)
    assert (end, ending) == (3.0, "end")
    np.testing.assert_allclose(rows[:, 1], times - 0.5, atol=1e-12)
    np.testing.assert_allclose(rows[:, 0], np.maximum(0, times - 1.5) ** 2 / 2, atol=1e-8)


def test_a_trajectory_crosses_where_both_sides_agree():
    """x' = 2 - sign(x): through x = 0, at half the speed after it."""
    rows, _, ending = Slide(Pieces(game(sympy.Abs(x) - 2 * x, y**2)), 1e-10, 1e-11, 1e300).run(
        np.array([-3.0, 1.0]), np.array([0.0, 0.5, 1.0, 2.0])
    )
    assert ending == "end"
    np.testing.assert_allclose(rows[:, 0], [-3, -1.5, 0, 1], atol=1e-9)


def test_two_surfaces_at_once():
    """|x| + |y| / 2: both coordinates come to rest, one after the other, at 0."""
    traj = gd.flow(game(sympy.Abs(x), sympy.Abs(y) / 2), [1.0, 0.7], 3.0)
    np.testing.assert_allclose(traj.w[-1], [0, 0], atol=1e-9)
    assert traj.status is Status.OK


def test_where_several_ways_go_on_none_is_chosen():
    """-|x| from x = 0: up, down and rest all solve it."""
    _, end, ending = Slide(Pieces(game(-sympy.Abs(x), y**2)), 1e-9, 1e-10, 1e300).run(np.zeros(2), np.array([0.0, 1.0]))
    assert end == 0
    assert "where to go" in ending


@pytest.mark.slow
def test_units_do_not_matter_for_sliding():
    f = sympy.Abs(x) + x * y / 4
    for scale in (1e-9, 1e9):
        traj = gd.flow(game(scale * f, -scale * f), [1.0, 0.5], 3.0 / scale)
        np.testing.assert_allclose(traj.w[-1], [0.0, 4 * (math.sqrt((1 + 0.5 / 4) ** 2 + 1 / 16) - 1)], atol=1e-9)


def test_what_jumps():
    assert jumps(game(sympy.Abs(x), y**2))
    assert jumps(game(sympy.Max(x, 0), y**2))
    assert not jumps(game(x**2 * y, y**2))


# --- stiff ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_stiff_flow_is_integrated_implicitly(kernel):
    """x' = -1e8 x - y, y' = x - y: after the first 1e-7 the slow manifold x = -1e-8 y."""
    traj = gd.flow(gd.games.quadratic(1e8, 1, 1), [1.0, 1.0], 1.0, kernel=kernel)
    assert traj.kernel.endswith("Radau")
    matrix = -np.array([[1e8, 1.0], [-1.0, 1.0]])
    values, vectors = np.linalg.eig(matrix)
    exact = (vectors @ (np.exp(values) * np.linalg.solve(vectors, np.ones(2)))).real
    np.testing.assert_allclose(traj.w[-1, 1], exact[1], rtol=1e-7)
    np.testing.assert_allclose(traj.w[-1, 0], exact[0], atol=1e-9)


def test_a_flow_that_damps_fast_is_handed_to_the_implicit_method(monkeypatch):
    """x' = -1e4 x, y' = -y, with few explicit steps allowed: both end where the exponentials are."""
    monkeypatch.setattr(endings, "MANY_STEPS", 50)
    traj = gd.flow(gd.games.quadratic(1e4, 0, 1), [1.0, 1.0], 1.0)
    assert traj.kernel.endswith("Radau")
    np.testing.assert_allclose(traj.w[-1], [0, math.exp(-1)], atol=1e-7)


def test_a_fast_rotation_is_not_stiff(monkeypatch):
    monkeypatch.setattr(endings, "MANY_STEPS", 50)
    traj = gd.flow(game(1000 * x * y, -1000 * x * y), [1.0, 0.0], 2.0, rtol=1e-7)
    assert traj.kernel == "eager"
    np.testing.assert_allclose(traj.w[-1], [math.cos(2000), math.sin(2000)], atol=1e-3)


# --- blow-up and poles ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_pole_is_not_a_divergence(kernel):
    """x' = 1 / (1 - x) reaches x = 1 at t = 1/8 and has nowhere to go; x' = x^5 does go to infinity."""
    pole = gd.flow(game(sympy.log(1 - x), y**2 / 2), [0.5, 1.0], 4.0, kernel=kernel)
    assert pole.status is Status.STALLED
    assert pole.info["end"] == pytest.approx(1 / 8, abs=1e-9)
    away = gd.flow(game(-(x**6) / 6, y**2 / 2), [2.0, 1.0], 4.0, kernel=kernel)
    assert away.status is Status.DIVERGED
    assert away.info["end"] == pytest.approx(1 / 64, rel=1e-6)


# --- budgets and Ctrl-C -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", KERNELS)
def test_out_of_time_keeps_what_it_has(kernel):
    start = np.random.default_rng(0).normal(size=(70, 2))
    traj = gd.flow(game(1e9 * x * y, -1e9 * x * y), start, 10.0, kernel=kernel, budget=0.3)
    assert set(traj.status.tolist()) == {Status.OUT_OF_TIME}
    assert (traj.info["end"] < 10).all()
    radius = np.linalg.norm(traj.w[-1], axis=-1)
    np.testing.assert_allclose(radius, np.linalg.norm(start, axis=-1), rtol=1e-2)
    with pytest.raises(ParameterError, match="budget=0"):
        gd.flow(gd.games.bilinear(), [1.0, 0.0], 1.0, budget=0)


@pytest.mark.parametrize("kernel", KERNELS)
def test_an_interrupt_keeps_what_was_computed(kernel):
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(Interrupted) as caught:
        gd.flow(game(1e9 * x * y, -1e9 * x * y), np.ones((70, 2)), 10.0, kernel=kernel, budget=60)
    timer.join()
    traj = caught.value.trajectory
    assert set(traj.status.tolist()) == {Status.INTERRUPTED}
    assert np.isfinite(traj.w).all()
