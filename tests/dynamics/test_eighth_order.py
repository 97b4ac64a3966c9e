"""The integrator of order eight beside SciPy's DOP853: the same steps, points and dense output, and its order."""

import numpy as np
import pytest
from scipy.integrate import DOP853

from gandyn.dynamics import dormand_prince
from gandyn.dynamics.eighth_order import EighthOrder


def van_der_pol(_: float, y: np.ndarray) -> np.ndarray:
    return np.array([y[1], 3.0 * (1 - y[0] ** 2) * y[1] - y[0]])


def steps_of(solver, between=(0.2, 0.7, 1.0)):
    found = []
    while solver.status == "running":
        solver.step()
        at = solver.t_old + np.array(between) * (solver.t - solver.t_old)
        found.append((solver.t, *solver.y, *solver.dense_output()(at).ravel(), *solver.dense_output()(at[0])))
    return np.array(found)


@pytest.mark.parametrize("tolerance", [1e-4, 1e-7])
def test_steps_and_dense_output_are_those_of_dop853(tolerance):
    ours, scipys = (kind(van_der_pol, 0.3, np.array([2.0, -0.5]), 12.0, rtol=tolerance, atol=tolerance / 10)
                    for kind in (EighthOrder, DOP853))  # fmt: skip
    assert np.allclose(steps_of(ours), steps_of(scipys), rtol=1e-8, atol=1e-9)
    assert (ours.status, ours.nfev) == ("finished", scipys.nfev)


def test_coefficients_satisfy_the_conditions_of_order_eight_for_quadrature():
    for power in range(8):
        assert dormand_prince.STEP @ dormand_prince.NODES[:12] ** power == pytest.approx(1 / (power + 1), abs=1e-14)
    assert np.allclose(dormand_prince.STAGES.sum(1), dormand_prince.NODES, atol=1e-13)
    assert abs(dormand_prince.FIFTH.sum()) < 1e-14
    assert abs(dormand_prince.THIRD.sum()) < 1e-14


def test_the_member_with_the_largest_error_sets_the_step():
    speeds = np.array([[1.0], [9.0]])

    def circles(_: float, y: np.ndarray) -> np.ndarray:
        a, b = y.reshape(2, 2).T
        return np.stack([-b * speeds[:, 0], a * speeds[:, 0]], axis=-1).ravel()

    start = np.array([1.0, 0.0, 1.0, 0.0])
    stacked = EighthOrder(circles, 0.0, start, 5.0, rtol=1e-8, atol=1e-9)
    stacked.members = (2, 2)
    stacked.step()
    assert stacked.worst == 1
    while stacked.status == "running":
        stacked.step()
    expected = [f(speed * 5.0) for speed in (1, 9) for f in (np.cos, np.sin)]
    assert np.allclose(stacked.y, expected, atol=1e-7)


def test_a_blow_up_in_finite_time_fails_just_before_it():
    solver = EighthOrder(lambda _, y: y**2, 0.0, np.array([1.0]), 2.0, rtol=1e-9, atol=1e-10)
    with np.errstate(all="ignore"):
        while solver.status == "running":
            solver.step()
    assert solver.status == "failed"
    assert solver.t == pytest.approx(1.0, abs=1e-9)
