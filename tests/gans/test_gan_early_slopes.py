"""Slopes of the data's term taken before the samples' pass: the same numbers in less memory."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest
import torch

import gandyn as gd
from gandyn.gans.early import adds_up, differentiated


def pictures(loss: str = "nonsaturating", norm: str = "none", penalties: Any = None, width: int = 4) -> Any:
    build = gd.gans.architectures
    generator = build.dcgan_generator(width=4)
    discriminator = build.dcgan_discriminator(width=width, norm=norm)
    data = torch.rand(64, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    return gd.gans.GANGame(generator, discriminator, loss, penalties, data, batch_size=8, latent=64)


def together(game: Any) -> None:
    """Both terms in one graph from now on, as the costs are computed for products."""
    game._adds_up = False


@pytest.mark.parametrize("only", [None, 0, 1])
@pytest.mark.parametrize("norm", ["none", "batch"])
@pytest.mark.parametrize("loss", ["nonsaturating", "minimax", "hinge", "wasserstein"])
def test_the_field_is_the_same_bit_for_bit(loss: str, norm: str, only: int | None) -> None:
    one, other = pictures(loss, norm), pictures(loss, norm)
    assert one._adds_up
    together(other)
    token = one.draw(np.random.default_rng(3))
    assert torch.equal(one.field(one.w0, token, only), other.field(other.w0, token, only))
    one.advance()
    other.advance()
    buffers = [[*game.discriminator.buffers()] for game in (one, other)]
    assert all(torch.equal(a, b) for a, b in zip(*buffers, strict=True))


def test_costs_and_products_are_of_the_whole_graph() -> None:
    game = pictures()
    w, u = game.w0, torch.linspace(-1, 1, game.dim)
    token = game.draw(np.random.default_rng(3))
    field = game.field(w, token)
    assert torch.allclose(game.field_and_graph(w, token), field, atol=1e-6)
    assert float((u * game.jvp(w, u, token)).sum()) == pytest.approx(float((u * game.vjp(w, u, token)).sum()), rel=1e-3)


def largest(game: Any) -> int:
    """Bytes of tensors at the peak of the discriminator's field, above what there is before."""
    token = game.draw(np.random.default_rng(3))
    game.field(game.w0, token, 1)
    gc.collect()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        game.field(game.w0, token, 1)
    assert profile.profiler is not None
    alive = most = 0
    for event in sorted(profile.profiler.kineto_results.events(), key=lambda e: e.start_ns()):
        alive += event.nbytes() if event.name() == "[memory]" else 0
        most = max(most, alive)
    return most


def test_one_pass_of_the_discriminator_needs_memory_at_a_time() -> None:
    one, other = pictures(width=16), pictures(width=16)
    together(other)
    assert largest(one) < 0.8 * largest(other)


def test_what_cannot_be_taken_apart_is_not() -> None:
    assert adds_up(gd.losses.resolve("hinge"))
    assert not adds_up(gd.losses.resolve("relativistic_average"))
    assert not pictures(penalties="R1(0.1)")._adds_up


def test_a_term_keeps_its_number_and_its_slopes_and_gives_up_its_graph() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    unused = torch.tensor([1.0], requires_grad=True)
    term = differentiated((x**3).sum(), [x, unused])
    assert term.item() == 9.0
    assert term.grad_fn is not None
    assert not any("Pow" in node.name() for node, _ in term.grad_fn.next_functions if node is not None)
    (slope,) = torch.autograd.grad(2 * term, [x])
    assert slope.tolist() == [6.0, 24.0]
    assert differentiated(torch.tensor(1.0), [x]).grad_fn is None
