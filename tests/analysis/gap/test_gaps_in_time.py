"""Inner steps keep to a budget: the gap after as many as were made, which is a bound all the same, and a word on it."""

from __future__ import annotations

import numpy as np
import pytest

import gandyn as gd

GAME, W = gd.games.quadratic(1, 2, 1), [0.3, 0.2]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["gradient", "perturbed"])
def test_inner_steps_end_with_the_budget(method):
    found = gd.duality_gap(GAME, W, method, k=10**9, budget=1)
    # the players gain (x + 2 y)^2 / 2 and (y - 2 x)^2 / 2, in steps of 0.05 that contract by 0.95
    assert found.value == pytest.approx((0.7**2 + 0.4**2) / 2, rel=1e-6)
    assert found.kind == "lower"
    assert "out of time (budget of 1 s) after" in found.note
    assert "of 1000000000 inner steps" in found.note


def test_runs_that_do_not_end_in_time_are_left_out():
    found = gd.duality_gap(GAME, W, "perturbed", k=10**9, repeats=3, budget=0.3)
    np.testing.assert_allclose(np.sum(found.terms), found.value, rtol=1e-12)
    assert "of 3 runs" in found.note


def test_without_one_run_in_time_there_is_no_proximal_gap():
    with pytest.raises(gd.GandynError, match=r"did not end within 0.2 s"):
        gd.duality_gap(GAME, W, "proximal", k=10**9, budget=0.2)


def test_enough_time_changes_no_number():
    free, limited = (gd.duality_gap(GAME, W, "perturbed", k=20, repeats=2, budget=b) for b in (None, 60))
    assert free.value == limited.value
    assert free.note == limited.note == ""
