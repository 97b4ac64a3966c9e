"""Draws on which a conclusion says nothing are neither counterexamples nor confirmations."""

import dataclasses

import numpy as np
import pytest
from hypothesis import strategies as st

import gandyn as gd
from gandyn.claims import Evidence, converges, falsify, registry
from gandyn.claims.base import Verdict, incomparable

R = gd.rules
STEPS = st.fixed_dictionaries({"step": st.floats(0.01, 0.4)})


def comes(step):
    return converges(R.OptimisticGD(step), gd.games.bilinear(), steps=2000)


def test_a_run_that_is_still_coming_nearer_is_no_counterexample():
    """rho^2000 is above the 1/1000 that counts as arrived for small steps: these draws are rejected."""
    slow = comes(0.02)
    rho = max(abs(np.roots([1, -(1 - 2 * 0.02j), -0.02j])))
    assert 1e-3 < rho**2000 < 1
    np.testing.assert_allclose(slow.last_distance, 0.1 * rho**2000, rtol=0.01)
    assert not slow
    assert slow.coming.all()
    assert "8 are still coming nearer" in slow.summary()
    found = falsify(comes, STEPS, draws=40)
    assert not found
    assert found.rejected > 0
    assert found.tried + found.rejected >= 40


def test_runs_that_stay_away_are_counterexamples_with_their_numbers():
    for rule in (R.GDA, R.AlternatingGD):  # outwards, and round for ever
        away = converges(rule(0.1), gd.games.bilinear(), steps=2000)
        assert not away.coming.any()
        found = falsify(lambda step, rule=rule: converges(rule(step), gd.games.bilinear(), steps=2000), STEPS, draws=5)
        assert found
        assert "0 of 8 starts converged within 2000 steps" in found.detail


def test_what_cannot_be_compared_is_rejected_and_leaves_a_claim_open():
    found = falsify(lambda step: incomparable("two shapes"), STEPS, draws=10)
    assert (found.found, found.tried, found.enough) == (False, 0, False)
    half = falsify(lambda step: Evidence(True) if step > 0.2 else incomparable("no derivative"), STEPS, draws=10)
    assert not half
    assert half.tried
    assert half.rejected
    claim = registry["daskalakis_2018.simultaneous_diverges"].build()
    for changed in (claim, dataclasses.replace(claim, hypotheses=None)):
        nothing = dataclasses.replace(changed, conclusion=lambda **draw: incomparable("two shapes"))
        assert gd.claims.check(nothing, draws=3).verdict is Verdict.OPEN


@pytest.mark.parametrize("answer", [None, 1.0, "yes"])
def test_answers_that_are_no_truth_value_are_refused_as_before(answer):
    with pytest.raises(gd.GandynError, match="True, False or Evidence"):
        falsify(lambda step: answer, STEPS, draws=2)
