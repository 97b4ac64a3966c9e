"""Least actions against closed forms, and the strong and weak order of the simulation of stochastic flows."""

import math

import numpy as np
import pytest

import gandyn as gd
from gandyn.errors import GandynError

R = gd.rules


def well(turn):
    """U = (x^2 - 1)^2/4 + y^2/2 with drift -grad U + turn R grad U: both keep the density exp(-2U/s2)."""
    costs = [f"x**4/4 - x**2/2 + {turn}*x*y", f"y**2/2 - {turn}*y*(x**3 - x)"]
    return gd.games.from_sympy(costs, [["x"], ["y"]])


@pytest.mark.parametrize("turn", [0, 1.5])
def test_the_action_to_the_pass_is_twice_its_height(turn):
    flow = gd.stochastic_flow(well(turn), R.GDA(0.01), noise=30.0)
    found = flow.least_action([-1, 0], [0, 0], points=60)
    assert found.action == pytest.approx(2 * 0.25 / 0.3, rel=6e-3)
    assert found.path.shape == (60, 2)
    assert (np.abs(found.path[:, 1]).max() > 0.1) == (turn > 0)


def test_the_action_of_a_linear_flow_is_that_of_its_density():
    flow = gd.stochastic_flow(gd.games.quadratic(0.5, 1.1, 0.8), R.GDA(0.01), noise=((0.5, 0.2), (0.2, 0.7)))
    end = np.array([1.0, -0.5])
    exact = end @ np.linalg.solve(flow.covariance([0, 0]), end) / 2
    assert flow.least_action([0, 0], end, points=80).action == pytest.approx(exact, rel=1e-3)


def test_noise_that_depends_on_the_point_is_the_metric():
    flow = gd.stochastic_flow(gd.games.quadratic(1, 0, 1), R.GDA(0.1), noise=gd.noise.Additive(("1 + x**2", 1)))
    assert flow.least_action([0, 0], [1, 0]).action == pytest.approx(math.log(2) / 0.1, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("turn", [0, 1.5])
def test_exit_times_grow_by_the_action(turn):
    times, actions = [], []
    for noise in (20.0, 16.0):
        flow = gd.stochastic_flow(well(turn), R.GDA(0.01), noise=noise)
        plane = flow.plane([(-2.2, 2.2), (-2.4, 2.4)], cells=80)
        times.append(math.log(plane.exit_time(lambda w: w[..., 0] < 0.9)[21, 40]))
        actions.append(flow.least_action([-1, 0], [0, 0], points=60).action)
    assert np.diff(times)[0] == pytest.approx(np.diff(actions)[0], rel=0.1)


def test_bad_paths_are_refused_in_one_line():
    flow = gd.stochastic_flow(well(0), R.GDA(0.01), noise=30.0)
    still = gd.stochastic_flow(well(0), R.GDA(0.01), noise=((1, 0), (0, 0)))
    calls = {
        "(2,)": lambda: flow.least_action([0], [1, 0]),
        "to itself": lambda: flow.least_action([0, 0], [0, 0]),
        "whole number": lambda: flow.least_action([-1, 0], [0, 0], points=1.5),
        "singular": lambda: still.least_action([-1, 0], [0, 0]),
    }
    for words, call in calls.items():
        with pytest.raises(GandynError) as refused:
            call()
        assert words in str(refused.value)
        assert "\n" not in str(refused.value)


class Increments(np.random.Generator):
    """In the place of a generator: given Brownian increments (fine, ..., d), several of them to a step."""

    def __init__(self, fine, together):
        super().__init__(np.random.PCG64(0))
        self.coarse = iter(fine.reshape(-1, together, *fine.shape[1:]).sum(1) / math.sqrt(together))

    def standard_normal(self, shape):
        drawn = next(self.coarse)
        assert drawn.shape == tuple(shape)
        return drawn


def paths(flow, fine, time, steps):
    start = np.broadcast_to([0.6, -0.3], fine.shape[1:])
    return flow.simulate(start, time, steps, rng=Increments(fine, len(fine) // steps))


@pytest.mark.parametrize(
    ("noise", "order"), [(3.0, 1.0), (gd.noise.Additive(("30*(1 + 4*x**2)", 2)), 0.5)], ids=["additive", "of the point"]
)
def test_paths_converge_at_the_strong_order(noise, order):
    flow = gd.stochastic_flow(gd.games.dirac_gan(penalty=gd.penalties.R1(0.8)) if order == 1 else
                              gd.games.quadratic(1, 0.7, 1), R.GDA(0.05), noise=noise)  # fmt: skip
    fine = np.random.default_rng(4).standard_normal((1024, 600, 2))
    end = paths(flow, fine, 2.0, 1024)
    counts = (16, 32, 64, 128)
    errors = [np.sqrt(((paths(flow, fine, 2.0, n) - end) ** 2).sum(-1).mean()) for n in counts]
    slope = -np.polyfit(np.log(counts), np.log(errors), 1)[0]
    assert slope == pytest.approx(order, abs=0.17)


def test_one_step_has_the_moments_of_the_flow_to_weak_order_two():
    """Local errors of mean and covariance fall with dt^3: Gauss-Hermite points in the place of draws."""
    flow = gd.stochastic_flow(gd.games.quadratic(0.5, 1.1, 0.8), R.GDA(0.05), noise=2.0)
    a, rate = flow.slopes(np.zeros(2)), flow.diffusion(np.zeros(2))
    nodes, weights = np.polynomial.hermite_e.hermegauss(3)
    drawn = np.stack(np.meshgrid(nodes, nodes), -1).reshape(1, -1, 2)
    p = np.outer(weights, weights).ravel() / weights.sum() ** 2
    values, vectors = np.linalg.eig(a)
    inverse = np.linalg.inv(vectors)
    law = flow.covariance([0, 0])
    errors = []
    for dt in (0.2, 0.1):
        ends = flow.simulate(np.broadcast_to([1.0, 0.5], (9, 2)), dt, 1, rng=Increments(drawn, 1))
        mean = p @ ends
        spread = np.einsum("n,ni,nj->ij", p, ends - mean, ends - mean)
        moved = (vectors @ np.diag(np.exp(dt * values)) @ inverse).real
        errors.append([np.abs(mean - moved @ [1.0, 0.5]).max(), np.abs(spread - (law - moved @ law @ moved.T)).max()])
    assert np.allclose(rate, 0.1 * np.eye(2))
    assert np.log2(errors[0]) - np.log2(errors[1]) == pytest.approx([3, 3], abs=0.4)
