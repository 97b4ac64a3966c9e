"""`gd.flow` against exact solutions: accuracy of the worst member, dense output, blow-up, other fields, mistakes."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import sympy

import gandyn as gd
from gandyn.dynamics import stacked
from gandyn.dynamics.compile import compiler
from gandyn.errors import DomainError, ParameterError, ShapeError, UnknownNameError
from gandyn.results import Status

KERNELS = ["eager", pytest.param("c", marks=pytest.mark.skipif(compiler() is None, reason="no C compiler"))]
QUADRATIC = {"a": ((2, 0.5), (0.5, 1)), "b": ((1, -1), (0, 2)), "c": ((1, 0), (0, 3))}


def blow_up():
    """v = (-x^2, y): x(t) = x0 / (1 - x0 t) is infinite at t = 1 / x0."""
    x, y = sympy.symbols("x y", real=True)
    return gd.games.from_sympy([-(x**3) / 3, y**2 / 2], [x, y])


# --- accuracy ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("scales", [(0.5, 2.0), (1e-3, 1e3)])
def test_linear_flows_are_matrix_exponentials(kernel, scales):
    """The tolerance is a member's own: sizes that differ a million times must not hide each other's errors."""
    game = gd.games.quadratic(**QUADRATIC)
    rng = np.random.default_rng(0)
    start = rng.normal(size=(70, 4)) * rng.uniform(*scales, size=(70, 1))
    traj = gd.flow(game, start, 6.0, samples=13, kernel=kernel)
    assert traj.w.shape == (13, 70, 4)
    jacobian = np.array(game.jacobian_expr, dtype=float)
    exact = np.stack([start @ scipy.linalg.expm(-t * jacobian).T for t in traj.t])
    error = np.abs(traj.w - exact).max(-1) / (1e-10 + 1e-9 * np.abs(exact).max(-1))
    assert error.max() < 40  # global error: the local tolerance, times a modest number of steps


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_bilinear_flow_keeps_its_radius(kernel):
    start = np.random.default_rng(0).normal(size=(100, 2)) + 2
    traj = gd.flow(gd.games.bilinear(), start, 50.0, kernel=kernel)
    radius = np.linalg.norm(traj.w, axis=-1)
    assert np.abs(radius / radius[0] - 1).max() < 1e-8
    turned = np.stack(
        [np.cos(50) * start[:, 0] - np.sin(50) * start[:, 1], np.sin(50) * start[:, 0] + np.cos(50) * start[:, 1]], -1
    )
    assert np.abs(traj.w[-1] - turned).max() < 5e-8


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_minimax_dirac_gan_circles_and_the_error_falls_with_the_tolerance(kernel):
    game = gd.games.dirac_gan()  # conserves theta^2 + phi^2: v = (phi, -theta) times a function
    start = np.random.default_rng(1).normal(size=(70, 2))
    drift = []
    for rtol in (1e-6, 1e-9, 1e-12):
        traj = gd.flow(game, start, 30.0, rtol=rtol, kernel=kernel, samples=31)
        drift.append(np.abs((traj.w**2).sum(-1) - (start**2).sum(-1)).max())
    assert drift[0] < 1e-4
    assert drift[1] < 1e-7
    assert drift[2] < 1e-10
    assert drift[2] < drift[1] / 100 < drift[0] / 1e4


def test_compiled_and_stacked_flows_take_the_same_steps_alone():
    if compiler() is None:
        return
    game = gd.games.dirac_gan("nonsaturating")
    one, other = (gd.flow(game, [1.3, -0.4], 20.0, kernel=k) for k in ("c", "eager"))
    assert one.steps == other.steps
    np.testing.assert_allclose(one.w, other.w, rtol=1e-11, atol=1e-12)


def test_stacking_does_not_average_the_error_away():
    """One fast member among a thousand resting ones is as accurate as alone: circles at the speed |w|^2."""
    x, y = sympy.symbols("x y", real=True)
    game = gd.games.from_sympy([x * y**3 + x**3 * y / 3, -y * x**3 - y**3 * x / 3], [x, y])
    start = np.zeros((1000, 2))
    start[500] = 3.0, 2.0
    angle = 13 * np.linspace(0, 5, 201)
    exact = np.stack([3 * np.cos(angle) - 2 * np.sin(angle), 3 * np.sin(angle) + 2 * np.cos(angle)], -1)
    among = gd.flow(game, start, 5.0, rtol=1e-8, kernel="eager").w[:, 500]
    alone = gd.flow(game, start[500], 5.0, rtol=1e-8, kernel="eager").w
    assert np.abs(among - exact).max() < 1.5 * np.abs(alone - exact).max() < 2e-5


def test_small_stacks_give_the_same_answer(monkeypatch):
    game = gd.games.dirac_gan()
    start = np.random.default_rng(1).normal(size=(30, 2))
    whole = gd.flow(game, start, 5.0, rtol=1e-10)
    monkeypatch.setattr(stacked, "GROUP_NUMBERS", 8)
    np.testing.assert_allclose(gd.flow(game, start, 5.0, rtol=1e-10).w, whole.w, atol=1e-9)


@pytest.mark.parametrize("method", ["RK45", "Radau", "BDF", "LSODA"])
def test_other_integrators_reach_the_same_point(method):
    game, start = gd.games.quadratic(1, 2, 1), [[1.0, 0.5], [0.2, -0.3]]
    traj = gd.flow(game, start, 2.0, rtol=1e-7, method=method)
    np.testing.assert_allclose(traj.w, gd.flow(game, start, 2.0, rtol=1e-11).w, atol=2e-5)


# --- times and dense output -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", KERNELS)
def test_times_are_the_ones_asked_for(kernel):
    game, start = gd.games.bilinear(), [1.0, 0.0]
    by_length = gd.flow(game, start, 2.0, kernel=kernel, samples=5)
    assert by_length.t.tolist() == [0, 0.5, 1, 1.5, 2]
    times = [1.0, 1.25, 4.0, 4.0001, 9.0]
    traj = gd.flow(game, start, times, kernel=kernel)
    assert traj.t.tolist() == times
    angle = np.array(times) - 1
    np.testing.assert_allclose(traj.w, np.stack([np.cos(angle), np.sin(angle)], -1), atol=1e-8)
    assert traj.status is Status.OK
    assert traj.info["end"] == 9.0
    assert gd.flow(game, start, [1.0, 4.0], kernel=kernel).t.tolist() == [1, 4]
    assert gd.flow(game, start, 4.0, kernel=kernel, samples=2).t.tolist() == [0, 4]


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_flow_can_be_asked_between_its_times(kernel):
    start = np.random.default_rng(0).normal(size=(2, 3, 2))
    traj = gd.flow(gd.games.bilinear(), start, 10.0, kernel=kernel, samples=2)
    t = np.array([[7.5, 0.0], [3.25, 10.0]])
    points = traj(t)
    assert points.shape == (2, 2, 2, 3, 2)
    c, s = np.cos(t)[..., None, None], np.sin(t)[..., None, None]
    exact = np.stack([c * start[..., 0] - s * start[..., 1], s * start[..., 0] + c * start[..., 1]], -1)
    np.testing.assert_allclose(points, exact, atol=2e-8)
    np.testing.assert_allclose(traj(10.0), traj.w[-1], atol=1e-12)
    with pytest.raises(ParameterError, match="from 0 to 10"):
        traj(11.0)


# --- blow -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_member_that_blows_up_stops_alone(kernel):
    start = np.array([[0.1, 1.0], [2.0, 1.0], [-1.0, 1.0], [0.7, 1.0], [2.0, 5.0]] * 14)
    traj = gd.flow(blow_up(), start, 4.0, samples=41, kernel=kernel)
    lost = traj.diverged[:5].tolist()
    assert lost == [False, True, False, True, True]
    np.testing.assert_allclose(traj.info["end"][[1, 3, 4]], [0.5, 1 / 0.7, 0.5], rtol=1e-6)
    assert np.isfinite(traj.w).all()
    safe = start[[0, 2]]
    exact = safe[:, 0] / (1 - safe[:, 0] * traj.t[:, None])
    np.testing.assert_allclose(traj.w[:, [0, 2], 0], exact, rtol=1e-7)
    np.testing.assert_allclose(traj.w[:, [0, 2], 1], np.exp(-traj.t)[:, None] * [1, 1], rtol=1e-7)
    before = traj.t < 0.45
    np.testing.assert_allclose(traj.w[before, 1, 0], 2 / (1 - 2 * traj.t[before]), rtol=1e-6)
    assert (traj.w[6:, 1] == traj.w[6, 1]).all()
    assert "42 of 70 diverged" in traj.summary()


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_bound_stops_a_flow_just_inside(kernel):
    traj = gd.flow(gd.games.quadratic(-1, 0, 1), [[1.0, 1.0], [0.0, 1.0]], 5.0, bound=10.0, kernel=kernel)
    assert list(traj.status) == [Status.DIVERGED, Status.OK]
    assert np.abs(traj.w).max() <= 10
    assert 1.5 < traj.info["end"][0] <= np.log(10) + 1e-6


@pytest.mark.parametrize("kernel", KERNELS)
def test_exponential_growth_ends_at_the_largest_number(kernel):
    traj = gd.flow(gd.games.quadratic(-1, 0, 1), [[1.0, 0.0]], 1000.0, rtol=1e-6, kernel=kernel)
    assert list(traj.status) == [Status.DIVERGED]
    assert 650 < traj.info["end"][0] < 710
    assert np.isfinite(traj.w).all()


# --- other fields, worlds and counts ----------------------------------------------------------------------------------


def test_another_field_is_used_with_its_own_sign():
    game = gd.games.bilinear()
    up = gd.flow(game, [1.0, 0.5], 1.0, field=lambda w: game.field(w))
    down = gd.flow(game, [1.0, 0.5], 1.0, field=lambda w: -game.field(w))
    np.testing.assert_allclose(down.w, gd.flow(game, [1.0, 0.5], 1.0).w, atol=1e-12)
    np.testing.assert_allclose(up.w[-1], [np.cos(1) + 0.5 * np.sin(1), -np.sin(1) + 0.5 * np.cos(1)], atol=1e-8)
    with pytest.raises(ShapeError, match=r"\(1, 1\).*\(1, 2\)"):
        gd.flow(game, [1.0, 0.5], 1.0, field=lambda w: w[..., :1])


def test_tensors_come_back_as_tensors():
    torch = pytest.importorskip("torch")
    start = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    traj = gd.flow(gd.games.bilinear(), start, 1.0)
    assert isinstance(traj.w, torch.Tensor)
    np.testing.assert_allclose(traj.w[-1].numpy(), [[np.cos(1), np.sin(1)]], atol=1e-8)
    np.testing.assert_allclose(traj(0.5).numpy(), [[np.cos(0.5), np.sin(0.5)]], atol=1e-8)


@pytest.mark.parametrize("kernel", KERNELS)
def test_flows_count_their_fields(kernel):
    game = gd.games.bilinear()
    before = game.counts.player_gradients
    traj = gd.flow(game, np.ones((100, 2)), 5.0, kernel=kernel)
    assert 12 * traj.steps.max() <= traj.counts.fields <= 16 * traj.steps.max() + 40
    assert game.counts.player_gradients - before == traj.counts.player_gradients
    assert traj.counts.seconds > 0
    assert traj.kernel == kernel


# --- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "time", [0, -1.0, np.inf, np.nan, True, "long", [1.0], [0.0, 1.0, 1.0], [2.0, 1.0], [[0.0, 1.0]]]
)
def test_times_are_checked(time):
    with pytest.raises(ParameterError, match="time=") as caught:
        gd.flow(gd.games.bilinear(), [1.0, 0.0], time)
    assert "\n" not in str(caught.value)


def test_other_mistakes_are_answered():
    game = gd.games.bilinear()
    with pytest.raises(DomainError, match=r"boxed.*constrained"):
        gd.flow(gd.games.boxed_bilinear(), np.zeros(gd.games.boxed_bilinear().dim), 1.0)
    with pytest.raises(ShapeError, match="not finite"):
        gd.flow(game, [np.inf, 0.0], 1.0)
    with pytest.raises(ParameterError, match="rtol=0"):
        gd.flow(game, [1.0, 0.0], 1.0, rtol=0)
    with pytest.raises(ParameterError, match="samples=1"):
        gd.flow(game, [1.0, 0.0], 1.0, samples=1)
    with pytest.raises(ParameterError, match="bound=-2"):
        gd.flow(game, [1.0, 0.0], 1.0, bound=-2)
    with pytest.raises(UnknownNameError, match="did you mean 'DOP853'"):
        gd.flow(game, [1.0, 0.0], 1.0, method="DOP583")
    with pytest.raises(ParameterError, match="kernel='numpy'"):
        gd.flow(game, [1.0, 0.0], 1.0, kernel="numpy")
    with pytest.raises(DomainError, match="only the gradient flow by DOP853"):
        gd.flow(game, [1.0, 0.0], 1.0, method="RK45", kernel="c")
