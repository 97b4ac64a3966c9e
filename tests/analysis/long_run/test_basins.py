"""Basins: planted attractors and every label, each produced by a map known to do just that."""

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.analysis.long_run.basins import CYCLING, DIVERGED, LEFT, UNDECIDED

x, y = sympy.symbols("x y", real=True)
BILINEAR = gd.games.bilinear()
RING = [(-1.5, 1.5, 6), (-1.5, 1.5, 6)]  # an even number: no start is the equilibrium


def test_two_wells_are_told_apart_by_the_sign_of_the_start():
    game = gd.games.from_sympy([x**4 / 4 - x**2 / 2, y**2 / 2], [x, y])
    found = gd.basins(game, gd.rules.GDA(0.1), [(-2, 2, 40), (-1, 1, 10)])
    np.testing.assert_array_equal(found.attractors, [[-1, 0], [1, 0]])
    np.testing.assert_array_equal(found.labels, np.where(found.starts[..., 0] < 0, 0, 1))


def test_refinement_gives_the_labels_of_the_full_run():
    game = gd.games.from_sympy([x**4 / 4 - x**2 / 2 + x * y / 2, y**2 / 2 - x * y / 3], [x, y])
    grid = [(-2, 2, 41), (-2, 2, 41)]
    full = gd.basins(game, gd.rules.GDA(0.1), grid)
    assert (full.labels == UNDECIDED).sum() == 1  # the saddle itself
    np.testing.assert_array_equal(gd.basins(game, gd.rules.GDA(0.1), grid, refine=True).labels, full.labels)


@pytest.mark.parametrize(
    ("rule", "steps", "label"),
    [
        (gd.rules.AlternatingGD(0.1), 500, CYCLING),
        (gd.rules.GDA(0.5), 8000, DIVERGED),
        (gd.rules.GDA(0.1), 700, LEFT),
        (gd.rules.Extragradient(0.01), 500, UNDECIDED),
        (gd.rules.Extragradient(0.5), 500, 0),
    ],
    ids=repr,
)
def test_every_label_on_the_bilinear_game(rule, steps, label):
    found = gd.basins(BILINEAR, rule, RING, steps=steps)
    assert (found.labels == label).all(), found.summary()
    assert abs(sum(found.shares.values()) - 1) < 1e-12


def test_slow_convergence_is_not_called_cycling():
    found = gd.basins(gd.games.dirac_gan(loss="nonsaturating"), gd.rules.AlternatingGD(0.2), RING, steps=300)
    assert (found.labels == UNDECIDED).all()


def test_rules_with_memory_and_loose_starts():
    starts = np.random.default_rng(0).normal(size=(3, 4, 2))
    found = gd.basins(BILINEAR, gd.rules.OptimisticGD(0.3), starts, attractors=[[0.0, 0.0]])
    assert found.labels.shape == (3, 4)
    assert (found.labels == 0).all()


def test_bad_grids_are_refused():
    with pytest.raises(gd.GandynError, match="triples"):
        gd.basins(BILINEAR, gd.rules.GDA(0.1), [1.0, 2.0, 3.0])
    with pytest.raises(gd.GandynError, match="no value"):
        gd.basins(BILINEAR, gd.rules.GDA("lr"), RING)
