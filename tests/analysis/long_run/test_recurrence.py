"""Recurrence of the replicator dynamics: orbits close, the KL sum stays; multiplicative weights drift outward."""

import numpy as np
import pytest

import gandyn as gd

PENNIES, ROCK = gd.games.matching_pennies(), gd.games.rock_paper_scissors()
START = [0.5, 0.25, 0.25, 0.2, 0.5, 0.3]


def test_orbits_of_matching_pennies_close():
    found = gd.recurrence(PENNIES, [0.7, 0.3, 0.5, 0.5], time=30.0)
    assert len(found.returns) == 4
    np.testing.assert_allclose(np.diff(found.returns), np.diff(found.returns)[0], rtol=1e-5)
    assert found.closest.max() < 1e-7
    assert found.spread < 1e-9
    # Small oscillations turn at rate 1: p' = 2 p (1 - p) (...), linear part p' = -q, q' = p.
    near = gd.recurrence(PENNIES, [0.501, 0.499, 0.5, 0.5], time=20.0, radius=1e-4)
    assert np.diff(near.returns)[0] == pytest.approx(2 * np.pi, rel=1e-4)


def test_the_linear_period_is_that_of_the_replicator_field():
    step, point = 1e-6, np.full(4, 0.5)
    direction = np.array([1.0, -1.0, 0.0, 0.0])
    slope = (PENNIES.replicator_field(point + step * direction) - PENNIES.replicator_field(point)) / step
    np.testing.assert_allclose(slope, [0, 0, -1, 1], atol=1e-5)


@pytest.mark.slow
def test_rock_paper_scissors_comes_back_and_keeps_its_divergence():
    found = gd.recurrence(ROCK, START, time=120.0, radius=0.1)
    assert len(found.returns) > 5
    assert found.spread < 1e-8
    star, w = np.full(6, 1 / 3), np.array(START)
    assert found.divergence[0] == pytest.approx(float((star * np.log(star / w)).sum()))
    outside = found.distance[(found.t > 1) & (found.t < found.returns[0] - 0.1)]
    assert outside.max() > 0.1


def test_multiplicative_weights_leave():
    step = gd.multiplicative_weights(ROCK, 0.1)
    found = gd.recurrence(ROCK, START, time=1000, radius=0.1, step=step)
    assert (np.diff(found.divergence) > 0).all()
    assert found.drift > 0.5
    assert len(found.returns) <= 1
    assert found.w[-1].min() < 0.03


def test_multiplicative_weights_are_the_replicator_dynamics_to_first_order():
    w = np.array(START)
    for lr in (1e-3, 1e-4):
        error = (gd.multiplicative_weights(ROCK, lr)(w) - w) / lr + ROCK.replicator_field(w)
        assert np.abs(error).max() < lr


def test_mistakes_are_named():
    with pytest.raises(gd.GandynError, match="probabilities"):
        gd.recurrence(PENNIES, [0.7, 0.7, 0.5, 0.5], time=1.0)
    with pytest.raises(gd.GandynError, match="matrix game"):
        gd.recurrence(gd.games.bilinear(), [0.7, 0.7], time=1.0)
    with pytest.raises(gd.GandynError, match="positive"):
        gd.multiplicative_weights(PENNIES, 0.0)
