"""Spectra of steps that change with their count: the limit itself, and the step at hand where that is asked for."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

import gandyn as gd
from gandyn.errors import DomainError
from gandyn.rules.schedule import Cosine, PowerDecay, Scheduled, StepDecay
from gandyn.types import Parameter, Rule, State

GAME = gd.games.quadratic(0.7, 1.9, 0.45)
J = np.array([[0.7, 1.9], [-1.9, 0.45]])
GDA = gd.rules.GDA(0.1)
FIRST = abs(np.linalg.eigvals(np.eye(2) - 0.1 * J)).max()


@pytest.mark.parametrize("rule", [gd.rules.Averaging(GDA), gd.rules.Anchored(0.1), gd.rules.Halpern(GDA)])
def test_limits_of_averages_and_anchors_are_one_and_not_nearly(rule):
    found = gd.spectrum(GAME, [0.0, 0.0], rule=rule)
    assert abs(found["LM"].eigenvalues[0]) == pytest.approx(1, abs=1e-15)
    assert "its limit after many steps" in found.summary()


def test_the_step_at_hand_is_not_the_limit():
    # the first average is the iterate itself; the tenth moves by a tenth of the way
    found = gd.spectrum(GAME, [0.0, 0.0], rule=gd.rules.Averaging(GDA), limit=False)
    assert abs(found["LM"].eigenvalues[0]) == pytest.approx(FIRST, abs=1e-12)
    assert "limit" not in found.summary()
    cosine = Scheduled(GDA, Cosine(10, 0.5))
    late = abs(np.linalg.eigvals(np.eye(2) - 0.05 * J)).max()
    for limit, right in ((False, FIRST), (True, late)):
        found = gd.spectrum(GAME, [0.0, 0.0], rule=cosine, limit=limit)
        assert abs(found["LM"].eigenvalues[0]) == pytest.approx(right, abs=1e-12)


@pytest.mark.parametrize(
    "schedule",
    [PowerDecay(), StepDecay(10), lambda t: 0.99**t, lambda t: 1 + 0.1 * math.sin(t), lambda t: 0.5 if t % 2 else 1.0],
)
def test_steps_without_a_limit_that_moves_are_refused(schedule):
    with pytest.raises(DomainError, match=r"infinitely many steps"):
        gd.spectrum(GAME, [0.0, 0.0], rule=Scheduled(GDA, schedule))


def test_decaying_look_aheads_end_where_they_stand():
    found = gd.spectrum(GAME, [0.0, 0.0], rule=gd.rules.DSEG(0.1, 0.3, power=0.6))
    assert found["LM"].eigenvalues[0] == 1


@dataclasses.dataclass(frozen=True)
class Factored(Rule):
    """GDA, not declared linear, so that its step is differentiated by torch."""

    factor: object
    lr: Parameter = 0.1

    def init(self, game, w, rng=None):
        return State({}, {"steps": 0})

    def step(self, game, w, state, rng=None):
        t = state["steps"]
        return w - self.lr * self.factor(t) * game.field(w), State({}, {"steps": t + 1}), {}


@pytest.mark.parametrize("make", [Factored, lambda f: Scheduled(GDA, f)])
@pytest.mark.parametrize("factor", [lambda t: 1 + 1 / (t + 1), lambda t: t / (t + 1)])
def test_a_limit_that_is_no_number_at_infinity_is_read_far_out(make, factor):
    found = gd.spectrum(GAME, [0.0, 0.0], rule=make(factor))
    assert abs(found["LM"].eigenvalues[0]) == pytest.approx(FIRST, abs=1e-12)


@pytest.mark.parametrize("make", [Factored, lambda f: Scheduled(GDA, f)])
@pytest.mark.parametrize("factor", [lambda t: 1 + t, lambda t: 1 + np.log1p(t), lambda t: 1 + (-1) ** t / 2])
def test_steps_that_grow_or_alternate_have_no_limit(make, factor):
    with pytest.raises(DomainError, match="infinitely many steps"):
        gd.spectrum(GAME, [0.0, 0.0], rule=make(factor))
