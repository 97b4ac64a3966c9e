"""Every rule against its formula written out once more, in plain NumPy with dense matrices, on quadratic games.

The oracle in `dense_problems` shares nothing with the package: the games are random Hessians H_i and vectors c_i with
f_i = w^T H_i w / 2 + c_i^T w, general-sum and zero-sum, so that the field is J w + c with rows of H_i, and each rule is
a loop of matrix products. Several steps are compared, so that states are.
"""

from __future__ import annotations

import math

import dense_formulas
import dense_memories
import numpy as np
import pytest
import torch
from dense_problems import GAMES, PROBLEMS, SIZES

import gandyn as gd
from gandyn.rules import linear_systems

SOLVERS = {"AdaptiveCGD", "CompetitiveGD", "ConsistentShaping"} | {"FollowTheRidge", "LocalSymplecticSurgery"}
STEPS = 4
FORMULAS = dense_formulas.FORMULAS | dense_memories.FORMULAS
CASES = [
    (entry.name, k, zero_sum)
    for entry in gd.rules.registry
    if entry.name in FORMULAS
    for k in range(len(entry.build.examples()))
    for zero_sum in (False, True)
]


def example(name, k):
    return list(gd.rules.registry[name].build.examples())[k]


@pytest.mark.parametrize("name", sorted({*FORMULAS, *(entry.name for entry in gd.rules.registry)}))
def test_every_rule_has_its_formula_here(name):
    """A new rule without one fails."""
    assert name in FORMULAS, (
        f'{name} has no formula of its own: write `@formula("{name}")` and a function (p, rule, w, steps) that '
        "returns the points of its steps, by dense matrices, in tests/rules/dense_formulas.py, or in "
        "tests/rules/dense_memories.py where it has memory"
    )
    assert name in gd.rules.registry, f"{name} is no rule any more: remove its formula"


@pytest.mark.parametrize(("name", "k", "zero_sum"), CASES)
def test_a_rule_is_its_formula(name, k, zero_sum):
    """Four steps to 1e-12, from a point far from equilibrium."""
    rule = example(name, k)
    if rule.domain.zero_sum and not zero_sum:
        with pytest.raises(gd.GandynError, match=f"{name} on dense, a general-sum game"):
            rule.check(GAMES[zero_sum])
        return
    w = np.random.default_rng(1).normal(size=sum(SIZES))
    expected = FORMULAS[name](PROBLEMS[zero_sum], rule, w, STEPS)
    state, found, game = rule.init(GAMES[zero_sum], w), w, GAMES[zero_sum]
    for row in expected:
        found, state, _ = rule.step(game, found, state)
        np.testing.assert_allclose(found, row, rtol=1e-12, atol=1e-12 * np.abs(row).max())


def test_the_oracle_is_general():
    """The general-sum game has no symmetry that would hide a transpose, nor the zero-sum one a block."""
    p = PROBLEMS[False]
    x, y = p.blocks
    assert np.abs(p.J[x, y] + p.J[y, x].T).min() > 1e-3
    assert np.abs(p.J[x, y] - p.J[y, x].T).min() > 1e-3
    assert np.abs(p.H[0][y, y]).min() > 1e-3
    assert np.abs(PROBLEMS[True].Jo).max() > 0.5


@pytest.mark.parametrize(("name", "k", "zero_sum"), CASES)
def test_the_declared_cost_is_what_the_oracle_counts(name, k, zero_sum):
    """nan: an inner solver decides."""
    rule, game = example(name, k), GAMES[zero_sum]
    if rule.domain.zero_sum and not zero_sum:
        return
    w = np.random.default_rng(1).normal(size=game.dim)
    state = rule.init(game, w)
    before = game.counts * 1
    rule.step(game, w, state)
    spent, cost = game.counts - before, rule.cost_on(game)
    for found, declared in ((spent.fields, cost.fields), (spent.jvps, cost.jvps), (spent.vjps, cost.vjps)):
        assert math.isnan(declared) or found == pytest.approx(declared)
    undecided = sum(map(math.isnan, (cost.fields, cost.jvps, cost.vjps)))
    assert not undecided or name in SOLVERS | {"ProximalPoint"}


def test_the_units_of_an_ensembles_members_are_their_own():
    rhs = np.array([[1.0, 3.0], [-8.0, 0.0], [0.0, 0.0], [np.nan, 1.0]])
    for given in (rhs, torch.tensor(rhs)):
        unit, lost = linear_systems._units(given)
        assert unit.tolist() == [[2], [8], [1], [1]]
        assert lost.tolist() == [[False], [False], [False], [True]]
