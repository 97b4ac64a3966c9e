"""Training loops as one writes them by hand with torch.optim, and the same as games and rules: opponents for timing.

There are two opponents. "usual" is the loop as tutorials write it: every loss.backward() fills the gradients of all
parameters that it reaches. "frugal" restricts each backward pass to the parameters of the player that moves.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch.nn.functional import softplus

import gandyn as gd

LR, BETAS = 1e-3, (0.5, 0.999)


class HandWritten:
    """A generator and a discriminator trained with torch.optim, as one writes it for one rule."""

    def __init__(self, networks: tuple[Any, Any], optimizer: Any, frugal: bool) -> None:
        self.generator, self.discriminator = networks
        self.own = [list(network.parameters()) for network in networks]
        self.everything = self.own[0] + self.own[1]
        self.optimizers = [optimizer(parameters) for parameters in self.own]
        self.frugal = frugal
        self.previous: list[Any] | None = None

    def backward(self, cost: Any, player: int) -> None:
        """Gradients of a cost, restricted to its player if frugal."""
        cost.backward(inputs=self.own[player] if self.frugal else None)

    def clear(self) -> None:
        """Forget all gradients."""
        for optimizer in self.optimizers:
            optimizer.zero_grad()

    def discriminator_cost(self, real: Any, fake: Any) -> Any:
        """-E log D(x) - E log(1 - D(G(z)))."""
        return softplus(-self.discriminator(real)).mean() + softplus(self.discriminator(fake)).mean()

    def gradients(self, real: Any, latent: Any) -> None:
        """Both players' gradients at one point, as usual: the generator's first, then the discriminator's, cleared."""
        fake = self.generator(latent)
        self.clear()
        self.backward(softplus(-self.discriminator(fake)).mean(), 0)
        self.optimizers[1].zero_grad()
        self.backward(self.discriminator_cost(real, fake.detach()), 1)

    def move(self) -> None:
        """One step of both optimisers."""
        for optimizer in self.optimizers:
            optimizer.step()

    def simultaneous(self, real: Any, latent: Any) -> None:
        """Both players at once."""
        self.gradients(real, latent)
        self.move()

    def alternating(self, real: Any, latent: Any, real2: Any, latent2: Any) -> None:
        """The generator, then the discriminator on a batch of its own."""
        self.clear()
        self.backward(softplus(-self.discriminator(self.generator(latent))).mean(), 0)
        self.optimizers[0].step()
        self.optimizers[1].zero_grad()
        with torch.no_grad():
            fake = self.generator(latent2)
        self.backward(self.discriminator_cost(real2, fake), 1)
        self.optimizers[1].step()

    def field_in_graph(self, real: Any, latent: Any) -> list[Any]:
        """Both players' gradients, with the graph that made them."""
        fake = self.generator(latent)
        on_fake = self.discriminator(fake)
        costs = (
            softplus(-on_fake).mean(),
            softplus(-self.discriminator(real)).mean() + softplus(on_fake).mean(),
        )
        return [g for cost, own in zip(costs, self.own, strict=True)
                for g in torch.autograd.grad(cost, own, create_graph=True)]  # fmt: skip

    def consensus(self, real: Any, latent: Any, gamma: float) -> None:
        """v + gamma J^T v: both players' gradients, and those of half their squared norm."""
        v = self.field_in_graph(real, latent)
        turned = torch.autograd.grad(v, self.everything, [g.detach() for g in v])
        for p, g, h in zip(self.everything, v, turned, strict=True):
            p.grad = g.detach() + gamma * h
        self.move()

    def products(self, real: Any, latent: Any, u: Any) -> dict[str, Callable[[], Any]]:
        """J u and J^T u, each one backward pass through a graph that is kept: of the gradients, and of p -> J^T p."""
        v = self.field_in_graph(real, latent)
        everything = self.everything
        given = [
            piece.view_as(p) for piece, p in zip(u.split([p.numel() for p in everything]), everything, strict=True)
        ]
        probes = [torch.zeros_like(p).requires_grad_() for p in everything]
        turned = torch.autograd.grad(v, everything, probes, create_graph=True)
        return {
            "jvp": lambda: torch.autograd.grad(turned, probes, given, retain_graph=True),
            "vjp": lambda: torch.autograd.grad(v, everything, given, retain_graph=True),
        }

    def extragradient(self, real: Any, latent: Any) -> None:
        """Look ahead, come back, step with the gradients found there."""
        start = [p.detach().clone() for p in self.everything]
        self.gradients(real, latent)
        self.move()
        self.gradients(real, latent)
        with torch.no_grad():
            for p, value in zip(self.everything, start, strict=True):
                p.copy_(value)
        self.move()

    def optimistic(self, real: Any, latent: Any) -> None:
        """Step with 2 g - (previous g)."""
        self.gradients(real, latent)
        now = [p.grad.clone() for p in self.everything]
        for p, new, old in zip(self.everything, now, self.previous or now, strict=True):
            p.grad = 2 * new - old
        self.previous = now
        self.move()


class Moments:
    """Adam of one vector, out of place."""

    def __init__(self) -> None:
        self.mean: Any = 0.0
        self.square: Any = 0.0
        self.steps = 0

    def moved(self, x: Any, v: Any) -> Any:
        """The next point."""
        if not self.steps:
            self.mean, self.square = torch.zeros_like(x), torch.zeros_like(x)
        self.steps += 1
        first, second = BETAS
        self.mean, self.square = self.mean.lerp(v, 1 - first), (second * self.square).addcmul_(v, v, value=1 - second)
        weight = (1 - second**self.steps) ** 0.5
        root = self.square.sqrt().add_(1e-8 * weight)
        return torch.addcdiv(x, self.mean, root, value=-LR * weight / (1 - first**self.steps))


def losses(generator: Any, discriminator: Any, item: tuple[Any, Any], *, only: str | None = None) -> tuple[Any, Any]:
    """The same costs for the drop-in: of one player in its turn, the other's is left out."""
    real, latent = item
    with torch.set_grad_enabled(torch.is_grad_enabled() and only != "discriminator"):
        fake = generator(latent)
    on_fake = discriminator(fake)
    first = None if only == "discriminator" else softplus(-on_fake).mean()
    second = None if only == "generator" else softplus(-discriminator(real)).mean() + softplus(on_fake).mean()
    return first, second


def sgd(parameters: Any) -> Any:
    """Plain gradient descent, as fast as torch has it."""
    return torch.optim.SGD(parameters, lr=LR, fused=True)


def adam(parameters: Any) -> Any:
    """Adam, as fast as torch has it."""
    return torch.optim.Adam(parameters, lr=LR, betas=BETAS, fused=True)


# rule, method of HandWritten, its optimiser, batches per step, batches before the first step
CASES: dict[str, tuple[Any, str, Any, int, int]] = {
    "SimultaneousGD": (gd.rules.SimultaneousGD(LR), "simultaneous", sgd, 1, 0),
    "AlternatingGD": (gd.rules.AlternatingGD(LR), "alternating", sgd, 2, 0),
    "Extragradient": (gd.rules.Extragradient(LR), "extragradient", sgd, 1, 0),
    "OptimisticGD": (gd.rules.OptimisticGD(LR), "optimistic", sgd, 1, 1),
    "Adam": (gd.rules.Adam(LR, betas=BETAS), "simultaneous", adam, 1, 0),
    "Alternating(Adam)": (gd.rules.Alternating(gd.rules.Adam(LR, betas=BETAS)), "alternating", adam, 2, 0),
}


# --- what is trained -------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Setting:
    """Networks, data and batches. `networks()` makes the same pair every time, of a width."""

    networks: Callable[[int], tuple[Any, Any]]
    data: Callable[[str], Any]
    latent: int
    batch: int
    width: int

    def pair(self, dtype: Any = torch.float32, device: str = "cpu", width: int | None = None) -> tuple[Any, Any]:
        """Generator and discriminator."""
        made = self.networks(width or self.width)
        return tuple(network.to(device=device, dtype=dtype) for network in made)  # type: ignore[return-value]

    def game(self, networks: tuple[Any, Any], device: str = "cpu", loss: str = "nonsaturating") -> Any:
        """The pair as a game."""
        return gd.gans.GANGame(*networks, loss, data=self.data(device), batch_size=self.batch, latent=self.latent)

    def own_steps(self, rule: Any, device: str = "cpu") -> Iterator[None]:
        """One step of a rule at each `next`."""
        game = self.game(self.pair(device=device), device)
        rng, w = np.random.default_rng(1), game.w0
        state = rule.init(game, w, rng)
        while True:
            w, state, _ = rule.step(game, w, state, rng)
            game.advance()
            yield

    def fields(self, count: int, device: str = "cpu") -> Iterator[None]:
        """So many fields at the start, each on a batch of its own, at each `next`."""
        game = self.game(self.pair(device=device), device)
        rng = np.random.default_rng(1)
        while True:
            for _ in range(count):
                game.field(game.w0, game.draw(rng))
            yield

    def hand_steps(self, case: str, frugal: bool, device: str = "cpu") -> Iterator[None]:
        """One step of the hand-written loop at each `next`."""
        _, method, optimizer, batches, _ = CASES[case]
        hand = HandWritten(self.pair(device=device), optimizer, frugal)
        items = self.batches(device)
        while True:
            drawn = [part for _ in range(batches) for part in next(items)]
            getattr(hand, method)(*drawn)
            yield

    def bare_steps(self, case: str) -> Iterator[None]:
        """Steps in turn on flat vectors, as `own_steps` in its arithmetic, with nothing of the package in them."""
        game, items, moments = self.game(self.pair()), self.batches(), {0: Moments(), 1: Moments()}
        (generator, discriminator), w = game.networks, game.w0.clone()
        end, own = game.players[0].size, [list(network.parameters()) for network in game.networks]
        while True:
            turn, blocks = moments if "Adam" in case else None, list(w.split([end, len(w) - end]))
            for i in (0, 1):
                torch.cat(blocks, out=game._buffer)
                real, latent = next(items)
                with torch.set_grad_enabled(i == 0):
                    fake = generator(latent)
                if i == 0:
                    cost = softplus(-discriminator(fake)).mean()
                else:
                    on_real, on_fake = discriminator(torch.cat([real, fake])).split([len(real), len(fake)])
                    cost = softplus(-on_real).mean() + softplus(on_fake).mean()
                v = torch.cat([slope.reshape(-1) for slope in torch.autograd.grad(cost, own[i])])
                blocks[i] = blocks[i] - LR * v if turn is None else turn[i].moved(blocks[i], v)
            w = torch.cat(blocks)
            yield

    def batches(self, device: str = "cpu") -> Iterator[tuple[Any, Any]]:
        """Data and latents, without end."""
        data, source = self.data(device), torch.Generator(device).manual_seed(1)
        while True:
            points = data.sample(self.batch, source)
            latents = torch.randn(self.batch, self.latent, generator=source, device=device)
            yield points[0] if isinstance(points, tuple) else points, latents

    def drop_in_steps(self, rule: Any, device: str = "cpu") -> Iterator[None]:
        """One step of `gd.optim.for_modules` in a loop of one's own at each `next`."""
        optimizer, items = gd.optim.for_modules(*self.pair(device=device), rule), self.batches(device)
        while True:
            optimizer.step(losses, data=items)
            yield

    def drop_in_disagreement(self, case: str, width: int, steps: int = 5, device: str = "cpu") -> float:
        """As `disagreement`, of the drop-in; where the rule's first step needs no batch of its own."""
        rule, method, optimizer, batches, _ = CASES[case]
        networks = self.pair(torch.float64, device, width)
        hand = HandWritten(self.pair(torch.float64, device, width), optimizer, frugal=True)
        ours = gd.optim.for_modules(*networks, rule)
        pairs = ((real.double(), latent.double()) for real, latent in self.batches(device))
        for _ in range(steps):
            drawn = [next(pairs) for _ in range(batches)]
            ours.step(losses, data=drawn)
            getattr(hand, method)(*(part for item in drawn for part in item))
        mine = [p.detach().reshape(-1) for network in networks for p in network.parameters()]
        return float((torch.cat(mine) - torch.cat([p.detach().reshape(-1) for p in hand.everything])).abs().max())

    def disagreement(self, case: str, frugal: bool, width: int, steps: int = 5, device: str = "cpu") -> float:
        """Largest difference of a parameter after some steps on the same batches, in double precision."""
        rule, method, optimizer, batches, before = CASES[case]
        game = self.game(self.pair(torch.float64, device, width), device)
        hand = HandWritten(self.pair(torch.float64, device, width), optimizer, frugal)
        rng, tokens = np.random.default_rng(1), np.random.default_rng(1)
        w = game.w0
        state = rule.init(game, w, rng)
        first = [game.draw(tokens) for _ in range(before)]
        if first:  # the optimistic rule's first "previous" field is that of the start, on a batch of its own
            hand.gradients(first[0].real, first[0].latent)
            hand.previous = [p.grad.clone() for p in hand.everything]
        for _ in range(steps):
            w, state, _ = rule.step(game, w, state, rng)
            drawn = [game.draw(tokens) for _ in range(batches)]
            getattr(hand, method)(*(part for token in drawn for part in (token.real, token.latent)))
        theirs = torch.cat([p.detach().reshape(-1) for p in hand.everything])
        return float((w - theirs).abs().max())


def perceptrons(width: int) -> tuple[Any, Any]:
    """Three hidden layers a player."""
    return gd.gans.mlp_pair(latent=2, hidden=(width,) * 3, seed=0)


def convolutions(width: int) -> tuple[Any, Any]:
    """DCGAN for 28 x 28."""
    build = gd.gans.architectures
    return build.dcgan_generator(width=width), build.dcgan_discriminator(width=width)


def large_convolutions(width: int) -> tuple[Any, Any]:
    """DCGAN for 3 x 64 x 64."""
    build, shape = gd.gans.architectures, (3, 64, 64)
    return build.dcgan_generator(shape, latent=100, width=width), build.dcgan_discriminator(shape, width=width)


def noise_pictures(device: str) -> Any:
    """Pictures of uniform noise: timing looks at none of them."""
    points = torch.rand(256, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return gd.gans.Points("noise", points).to(device)


SETTINGS = {
    "ring": Setting(perceptrons, lambda device: gd.gans.ring(device=device), 2, 128, 128),
    "ring, wide": Setting(perceptrons, lambda device: gd.gans.ring(device=device), 2, 128, 256),
    "digits": Setting(convolutions, lambda device: gd.gans.datasets.digits().to(device), 64, 64, 32),
    "dcgan 64": Setting(large_convolutions, noise_pictures, 100, 8, 64),
}
