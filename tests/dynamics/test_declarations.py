"""Every rule and every game keeps what it declares: flags, costs, documentation, and being a value."""

from __future__ import annotations

import math
import re
import sys

import numpy as np
import pytest
from contract_cases import reached

import gandyn as gd
from catalogue import GAMES, RULES, game, label, points, rule, seeded


@pytest.mark.parametrize("case", GAMES, ids=label)
def test_known_equilibria_are_zeros_of_the_field(case):
    """Of the field where the game is free; where it is constrained, fixed points of a projected step."""
    g = game(case)
    for point in g.equilibria:
        w = np.array([float(x) for x in point])
        v = g.field(w, None) if g.deterministic else g.field(w)
        assert np.abs(g.project(w - 0.1 * v) - w).max() < 1e-13 * (1 + np.abs(v).max() + np.abs(w).max()), point
        np.testing.assert_allclose(g.project(w), w, atol=1e-15)


@pytest.mark.parametrize("case", GAMES, ids=label)
def test_costs_and_declared_flags(case):
    """Shapes for any leading axes; zero-sum, constrained and deterministic say what the numbers say."""
    g = game(case)
    w = points(g, 6)
    batch = g.draw(np.random.default_rng(0))
    assert (batch is None) == g.deterministic
    for shape in ((g.dim,), (6, g.dim), (2, 3, g.dim)):
        at = w[0] if len(shape) == 1 else w.reshape(shape)
        costs = g.costs(at, batch)
        assert len(costs) == len(g.players)
        assert all(np.shape(c) == shape[:-1] for c in costs)
        assert g.field(at, batch).shape == shape
        assert g.cost_gradients(at, batch).shape == (len(g.players), *shape)
        assert g.jacobian(at, batch).shape == (*shape, g.dim)
        first = np.reshape(g.field(at, batch), (-1, g.dim))[0]
        np.testing.assert_allclose(first, g.field(w, batch)[0], rtol=1e-12, atol=1e-13)
    total = sum(np.asarray(c) for c in g.costs(w, batch))
    zero_sum = bool(len(g.players) == 2 and np.abs(total).max() < 1e-12 * (1 + np.abs(g.costs(w, batch)[0]).max()))
    assert zero_sum == g.zero_sum
    far = seeded("far").normal(size=(50, g.dim)) * 10
    assert g.constrained == bool(np.abs(g.project(far) - far).max() > 1e-9)
    np.testing.assert_allclose(g.project(g.project(far)), g.project(far), atol=1e-12)


@pytest.mark.parametrize("case", RULES, ids=label)
def test_the_declared_cost_is_what_the_oracle_counts(case):
    """On one step of a two-player game, after the initial state; nan where an inner solver decides."""
    a_rule = rule(case)
    g = gd.games.quadratic(a=1, b=2, c=1)
    w = np.array([0.3, -0.2])
    _, state = reached(a_rule, g, w, 1)
    before = g.counts - type(g.counts)(players=2)
    a_rule.step(g, w, state, np.random.default_rng(0))
    used = g.counts - before
    declared = a_rule.cost_on(g)
    for name in ("fields", "jvps", "vjps"):
        if not math.isnan(getattr(declared, name)):
            assert getattr(used, name) == pytest.approx(getattr(declared, name)), name


def registered():
    for room in (gd.games, gd.rules, gd.losses, gd.penalties):
        for entry in room.registry:
            yield pytest.param(room, entry, id=f"{room.__name__.split('.')[-1]}.{entry.name}")


@pytest.mark.parametrize(("room", "entry"), list(registered()))
def test_every_entry_is_documented_and_reachable(room, entry):
    """A docstring that starts with a sentence and holds a formula; found under its name and its aliases."""
    text = entry.build.__doc__
    assert text
    assert entry.description
    assert re.search(r"[=^|`]|\bE \w|\bE_|\blog\b", text), "no formula"
    assert len(text) > 60
    for name in (entry.name, *entry.aliases):
        assert room.registry[name] is entry
        if name.isidentifier():
            assert getattr(room, name) is entry.build
    examples = entry.build.examples() if room is gd.rules else [entry.build(**kwargs) for kwargs in entry.examples]
    assert examples
    assert entry.name in dir(room)


@pytest.mark.parametrize("case", RULES, ids=label)
def test_rules_are_values(case):
    """Frozen, hashable or at least comparable, and their repr rebuilds them."""
    a_rule = rule(case)
    names = {**vars(sys.modules[type(a_rule).__module__]), **{e.name: e.build for e in gd.rules.registry}}
    again = eval(repr(a_rule), names)
    assert again == a_rule
    assert repr(again) == repr(a_rule)
