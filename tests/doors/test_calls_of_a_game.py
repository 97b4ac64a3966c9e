"""Small doors: a game that is asked without a point, or pickled."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch

import gandyn as gd


def gan():
    return gd.gans.GANGame(*gd.gans.mlp_pair(hidden=(8,)), data="ring", batch_size=8)


# what is called, words of the answer
CALLS = {
    "sample": (lambda: gan().sample(), "sample: missing a required argument: 'w'. Needed: sample(w, n, rng, labels)"),
    "sample of a number": (lambda: gan().sample(10), "sample: missing a required argument: 'n'"),
    "field": (lambda: gan().field(), "Needed: field(w, batch, only). Usual fix: field(w=...)"),
    "field of a toy": (lambda: gd.games.bilinear().field(), "field: missing a required argument: 'w'"),
    "a wrong word": (
        lambda: gd.games.bilinear().field([1, 2], onyl=0),
        "field has no argument onyl: did you mean only",
    ),
    "jacobian": (lambda: gd.games.bilinear().jacobian(), "jacobian: missing a required argument: 'w'"),
    "jvp": (lambda: gan().jvp(), "jvp: missing a required argument: 'w'"),
    "load": (lambda: gan().load(), "load: missing a required argument: 'w'"),
    "restrict": (lambda: gd.games.bilinear().restrict(), "restrict: missing a required argument: 'which'"),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_question_without_its_arguments(name):
    call, said = CALLS[name]
    with pytest.raises(gd.errors.CallError) as caught:
        call()
    assert said in str(caught.value)
    assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize("n", [-1, 2.5, "ten", 0, True])
def test_numbers_of_samples(n):
    game = gan()
    with pytest.raises(gd.errors.ParameterError, match="n="):
        game.sample(game.w0, n)
    assert game.sample(game.w0, np.int64(3)).shape == (3, 2)


def test_an_error_of_the_function_itself_goes_on(monkeypatch):
    def wrong(*given):
        raise TypeError("of its own")

    game = gd.games.bilinear()
    monkeypatch.setattr(type(game), "_field", wrong)
    with pytest.raises(TypeError, match=r"^of its own$"):
        game.field([1.0, 2.0])


@pytest.mark.parametrize("make", [gan, lambda: gd.optim.for_modules(*gd.gans.mlp_pair(), gd.rules.GDA(0.1)).game])
def test_a_game_of_networks_is_not_pickled_and_may_be_copied(make):
    game = make()
    with pytest.raises(gd.errors.GameError, match=r"a pickle of .*state_dict"):
        pickle.dumps(game)
    near = copy.copy(game)
    assert near.networks is game.networks
    near.load(2 * game.w0)
    assert torch.equal(game._buffer, near._buffer)
    if isinstance(game, gd.gans.GANGame):
        apart = copy.deepcopy(game)
        apart.load(3 * game.w0)
        assert not torch.equal(game._buffer, apart._buffer)
