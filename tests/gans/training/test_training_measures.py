"""Metrics of training by name and by call: each is the function it names, and mistakes say so."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import gandyn as gd
from gandyn.errors import DomainError, ParameterError, UnknownNameError
from gandyn.gans.training.measures import measure, transport_metrics


@pytest.fixture(scope="module")
def game():
    return gd.gans.GANGame(*gd.gans.mlp_pair(hidden=(8,)), "nonsaturating", data=gd.gans.ring(), batch_size=16)


def test_a_call_is_the_function_with_these_arguments(game):
    """Numbers of several metrics come side by side; the gap by Adam's steps is `duality_gap`'s with that rule."""
    found = measure(game, ["modes", "w1", "gap(k=3, inner_lr=0.01, rule=adam, repeats=2)"], 40)(
        game, game.w0, np.random.default_rng(5)
    )
    assert {"near_modes", "w1", "w1_floor", "duality_gap", "gap_error"} < set(found)
    rule = gd.rules.Adam(0.01, betas=(0.0, 0.99))
    only = measure(game, ["gap(3, inner_lr=0.01, rule=adam)"], 40)(game, game.w0, np.random.default_rng(5))
    seed = int(np.random.default_rng(5).integers(2**31))
    expected = gd.duality_gap(game, game.w0, "gradient", k=3, rule=rule, repeats=2, rng=seed)
    assert only["duality_gap"] == float(expected.value)
    plain = measure(game, ["gap"], 40)(game, game.w0, np.random.default_rng(5))
    assert plain["gap_gradients"] == 2 * 2 * 50 + 2 * 2  # two repeats, two players, fifty steps, and residuals


def test_the_distance_to_the_data_is_that_of_the_generators_points(game, monkeypatch):
    """Points that are the data moved by (3, 4) are 5 away, up to the distance of data from other data."""
    data = gd.gans.ring()

    def moved(w, n, rng):
        return data.sample(n, torch.Generator().manual_seed(11)) + torch.tensor([3.0, 4.0])

    monkeypatch.setattr(game, "sample", moved)
    found = transport_metrics(400)(game, game.w0, np.random.default_rng(0))
    assert abs(found["w1"] - 5) < 0.3
    assert 0 < found["w1_floor"] < 0.3


@pytest.mark.parametrize(
    ("names", "error", "words"),
    [
        (["fid"], UnknownNameError, "gap"),
        (["gap(steps=3)"], ParameterError, "steps"),
        (["gap(k=3, rule=sgd)"], UnknownNameError, "adam"),
        (["w1(0)"], ParameterError, "samples"),
        (["gap(k=__import__)(1)"], ParameterError, "call"),
    ],
)
def test_mistakes_are_named(game, names, error, words):
    with pytest.raises(error, match=words):
        measure(game, names, 50)


def test_modes_need_a_mixture():
    blobs = gd.gans.Points("points", torch.zeros(20, 2) + torch.arange(20.0)[:, None])
    game = gd.gans.GANGame(*gd.gans.mlp_pair(hidden=(4,)), "nonsaturating", data=blobs, batch_size=4)
    for name in ("modes", "modes(100)"):
        with pytest.raises(DomainError, match="mixture"):
            measure(game, [name], 50)
    assert measure(game, [], 50) is None
