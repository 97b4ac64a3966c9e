"""A rule that asks its step count a question has one answer on a symbol: refused there, and right on numbers."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.dynamics.asked_counts import limit_of_counts
from gandyn.errors import DomainError
from gandyn.rules.schedule import PowerDecay, Scheduled, StepDecay
from gandyn.types import Parameter, Rule, State

GAME = gd.games.quadratic(0.7, 1.9, 0.45)
J = np.array([[0.7, 1.9], [-1.9, 0.45]])
FACTORS = {
    "every third": lambda t: 1 if t % 3 == 2 else 2,
    "remainder": lambda t: 0.5 if t % 2 else 1.0,
    "first": lambda t: 2.0 if t == 0 else 1.0,
    "listed": lambda t: 2.0 if t in (0, 1) else 1.0,
    "looked up": lambda t: {0: 1.0}.get(t, 0.5),
    "late": lambda t: 2.0 if t == 100 else 1.0,
}


@dataclasses.dataclass(frozen=True)
class Factored(Rule):
    """GDA with step 0.1 times a function of the count."""

    factor: object
    lr: Parameter = 0.1

    def init(self, game, w, rng=None):
        return State({}, {"steps": 0})

    def step(self, game, w, state, rng=None):
        t = state["steps"]
        return w - self.lr * self.factor(t) * game.field(w), State({}, {"steps": t + 1}), {}


@pytest.mark.parametrize("make", [Factored, lambda f: Scheduled(gd.rules.GDA(0.1), f)])
@pytest.mark.parametrize("name", FACTORS)
def test_a_question_to_the_count_is_refused_on_symbols(make, name):
    with pytest.raises(DomainError, match=r"step|same formula"):
        gd.linearize(GAME, make(FACTORS[name]), at=[0, 0])


@pytest.mark.parametrize("make", [Factored, lambda f: Scheduled(gd.rules.GDA(0.1), f)])
@pytest.mark.parametrize("name", FACTORS)
def test_long_runs_of_many_do_what_one_step_after_another_does(make, name):
    start = np.random.default_rng(0).standard_normal((4000, 2))
    right = start.copy()
    for t in range(120):
        right = right - 0.1 * FACTORS[name](t) * right @ J.T
    found = gd.iterate(GAME, make(FACTORS[name]), start, 120, record="last").w
    np.testing.assert_allclose(found, right, rtol=1e-9)


@pytest.mark.parametrize("factor", [lambda t: 1 + 1 / (t + 1), lambda t: 1 + 0.9**t, StepDecay(10, 1)])
def test_a_formula_of_the_count_is_traced(factor):
    right = abs(np.linalg.eigvals(np.eye(2) - 0.1 * J)).max()
    for rule in (Factored(factor), Scheduled(gd.rules.GDA(0.1), factor)):
        assert gd.linearize(GAME, rule, at=[0, 0]).spectral_radius == pytest.approx(right, abs=1e-12)


def test_a_wrapped_rule_is_asked_too():
    with pytest.raises(DomainError, match="which does in step 2"):
        gd.update_map(GAME, gd.rules.Lookahead(Factored(FACTORS["every third"]), 1, 0.5))


def test_decays_keep_their_formulas():
    traced = gd.update_map(GAME, Scheduled(gd.rules.GDA(0.1), PowerDecay(1, 10)))
    (t,) = traced.counters
    at_ten = np.array(traced.expression.xreplace({t: 10}).jacobian(traced.symbols), dtype=float)
    np.testing.assert_allclose(at_ten, np.eye(2) - 0.05 * J, atol=1e-15)


@pytest.mark.parametrize("factor", [lambda t: 1 + t, lambda t: 1 + (-1) ** t / 2])
def test_steps_without_a_limit_say_so(factor):
    for rule in (Factored(factor), Scheduled(gd.rules.GDA(0.1), factor)):
        for asked in (gd.linearize, gd.stability_region):
            with pytest.raises(DomainError, match="no limit that is known"):
                asked(GAME, rule, at=[0, 0])


@pytest.mark.parametrize(
    ("power", "limit"), [("(1/2)**t", 0), ("(9/10)**(2*t + 1)", 0), ("(1/2)**(1/(t + 1))", 1), ("(1/2)**(-t)", None)]
)
def test_powers_of_the_count_have_the_limit_of_their_exponent(power, limit):
    t = sympy.Symbol("t", positive=True)
    e = sympy.sympify(power, locals={"t": t})
    if limit is None:
        with pytest.raises(DomainError, match="no limit"):
            limit_of_counts(e, t, "a step")
    else:
        assert limit_of_counts(3 * e + 1 / t, t, "a step") == 3 * limit
