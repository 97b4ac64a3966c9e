"""What every game says of itself is true: equilibria, flow eigenvalues, conserved quantities, projections."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import gandyn as gd
from catalogue import GAMES, finite_differences, game, label, points
from gandyn.oracles.known_facts import Facts

WITH_EQUILIBRIA = [case for case in GAMES if game(case).equilibria]
WITH_SPECTRUM = [case for case in GAMES if getattr(game(case), "facts", Facts()).flow_eigenvalues]
WITH_CONSERVED = [case for case in GAMES if getattr(game(case), "facts", Facts()).conserved]


def floats(point):
    return np.array([float(x) for x in point])


@pytest.mark.parametrize("case", WITH_EQUILIBRIA, ids=label)
def test_equilibria_stand_still(case):
    """The field is zero there; on a constrained game, a projected step comes back (the variational inequality)."""
    a_game = game(case)
    for point in a_game.equilibria:
        w = floats(point)
        assert len(w) == a_game.dim
        v = a_game.field(w)
        if a_game.constrained:
            assert np.allclose(a_game.project(w), w, atol=1e-14, rtol=0)
            for step in (1e-3, 0.3):
                assert np.allclose(a_game.project(w - step * v), w, atol=1e-13, rtol=0)
        else:
            assert np.abs(v).max() < 1e-12


@pytest.mark.parametrize("case", WITH_SPECTRUM, ids=label)
def test_flow_eigenvalues_are_those_of_the_differenced_field(case):
    a_game = game(case)
    assert len(a_game.facts.flow_eigenvalues) <= len(a_game.equilibria)
    for point, claimed in zip(a_game.equilibria, a_game.facts.flow_eigenvalues, strict=False):
        jacobian = finite_differences(a_game.field, floats(point))
        # Through the characteristic polynomial: its coefficients stay accurate at defective eigenvalues.
        measured = np.poly(-jacobian)
        expected = np.poly(np.array([complex(value) for value in claimed]))
        assert np.allclose(measured, expected, atol=1e-7, rtol=1e-7), (measured, expected)


@pytest.mark.parametrize("case", WITH_CONSERVED, ids=label)
def test_conserved_quantities_do_not_change_along_the_flow(case):
    a_game = game(case)
    w = points(a_game, 20, "conserved")
    for quantity in a_game.facts.conserved:
        function = sympy.lambdify([a_game.symbols], quantity, "numpy")
        slope = finite_differences(lambda z, f=function: np.asarray(f(np.moveaxis(z, -1, 0)))[..., None], w)[:, 0]
        v = a_game.field(w)
        assert np.abs(slope).max() > 1e-3
        assert np.abs((slope * v).sum(-1)).max() < 1e-8 * max(1, np.abs(slope).max() * np.abs(v).max())


@pytest.mark.parametrize("case", GAMES, ids=label)
def test_zero_sum_is_what_the_costs_say(case):
    a_game = game(case)
    costs = a_game.costs(points(a_game, 10, "sum"))
    total = np.abs(sum(costs)).max() / max(1, max(np.abs(c).max() for c in costs))
    assert a_game.zero_sum == (len(costs) == 2 and total < 1e-12)


@pytest.mark.parametrize("case", [c for c in GAMES if game(c).constrained], ids=label)
def test_projections_are_projections(case):
    """P(P(w)) = P(w), and w - P(w) makes an obtuse angle with the way to any other feasible point; alike in torch."""
    import torch

    a_game = game(case)
    w = np.random.default_rng(0).normal(size=(200, a_game.dim)) * 2
    p = a_game.project(w)
    assert np.allclose(a_game.project(p), p, atol=1e-15, rtol=0)
    inner = np.einsum("id,ijd->ij", w - p, p[None] - p[:, None])
    assert inner.max() < 1e-12
    assert not np.allclose(w, p)
    assert np.allclose(a_game.project(torch.from_numpy(w)).numpy(), p, atol=1e-15, rtol=0)
    if "symbols" in a_game.worlds:
        for start, expected in zip(w[:5], p[:5], strict=True):
            given = np.array([*(sympy.Rational(repr(float(x))) for x in start), None], dtype=object)[:-1]
            assert np.allclose(a_game.project(given).astype(float), expected, atol=1e-14, rtol=0)


def test_every_game_of_the_catalogue_is_described():
    for entry in gd.games.registry:
        assert len(entry.description) > 20, entry.name
