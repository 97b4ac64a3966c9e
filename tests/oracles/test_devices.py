"""Steps make no tensor on a default device that is not the game's, and ask the host for no number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import gandyn as gd
from gandyn.rules import registry as rules

ASKING = ("aten._local_scalar_dense.default", "aten.is_nonzero.default", "aten.equal.default")
RULES = {entry.name: entry.build.examples()[0] for entry in rules}


def networks() -> Any:
    with torch.device("cpu"):
        return tuple(net.double() for net in gd.gans.mlp_pair(hidden=(4,)))


def game() -> Any:
    return gd.gans.GANGame(*networks(), "minimax", data=gd.gans.ring(), batch_size=8)


def started(rule: Any) -> Any:
    """A game, and point, state and stream after a first step."""
    play, rng = game(), np.random.default_rng(0)
    try:
        w, state, _ = rule.step(play, play.w0, rule.init(play, play.w0, rng), rng)
    except gd.GandynError as error:
        pytest.skip(f"not on networks: {error}")
    return play, w, state, rng


class Asked(TorchDispatchMode):
    """Notes each operation that would make the host wait for a device."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if str(func) in ASKING:
            self.found.append(str(func))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", RULES)
def test_a_step_stays_on_its_device_and_asks_for_no_number(name: str) -> None:
    """The default is "meta", where tensors have no numbers; rules for CUDA graphs ask for none."""
    play, w, state, rng = started(RULES[name])
    with torch.device("meta"):
        moved, _, _ = RULES[name].step(play, w, state, rng)
    assert moved.device.type == "cpu"
    if RULES[name].domain.capturable:
        with Asked() as asked:
            RULES[name].step(play, w, state, rng)
        assert asked.found == []


@pytest.mark.parametrize("rule", [gd.rules.Alternating(gd.rules.Adam(1e-3)), gd.rules.Consensus(0.1, 0.1)], ids=str)
def test_a_drop_in_stays_on_its_device(rule: Any) -> None:
    nets, x = (torch.nn.Linear(2, 2), torch.nn.Linear(2, 1)), torch.ones(4, 2)
    with torch.device("meta"):
        optimizer = gd.optim.for_modules(*nets, rule)
        for _ in range(2):
            optimizer.step(lambda g, d: (-d(g(x)).mean(), d(g(x)).mean() - d(x).mean()))
    assert all(p.device.type == "cpu" and bool(p.isfinite().all()) for net in nets for p in net.parameters())


def test_products_spectra_and_a_game_are_made_on_their_device() -> None:
    with torch.device("meta"):
        play = gd.gans.GANGame(*networks(), "minimax", data=gd.gans.ring(), batch_size=8)
        batch = play.draw(np.random.default_rng(0))
        found = gd.spectrum(play, play.w0, k=1, which=("LM",), batch=batch)
    assert np.isfinite(found.eigenvalues).all()
