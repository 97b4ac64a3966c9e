"""A GAN as a game: generator, discriminator, loss, penalties and data in; field, jvp and vjp out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from ..errors import DomainError, GameError, ParameterError
from ..games.network import Network, NetworkGame
from ..losses import Loss, resolve
from ..penalties import Penalty
from .critic import NetworkCritic


@dataclasses.dataclass(frozen=True, eq=False)
class Token:
    """All randomness of one evaluation: data, latents, and the seed of layers that draw."""

    real: Any
    latent: Any
    seed: int


class GANGame(NetworkGame):
    """Two networks playing a GAN: w = (generator's parameters, discriminator's), one flat vector.

    The discriminator minimises mean loss.real(s(x)) + mean loss.fake(s(G(z))) + penalties, the generator mean
    loss.generator(s(G(z))), or minus the whole of the discriminator's cost where the loss is zero-sum. A simultaneous
    field makes the fake batch once and runs the discriminator on it once; a discriminator with an attribute
    `per_sample = True` (no batch statistics) sees data and samples in one pass.

    Args:
        generator, discriminator: modules; the logit is high on real data. Both are put into training mode.
        loss: a loss or its name.
        penalties: one penalty or several.
        data: a sampler with `sample(n, torch_generator)`, such as `gd.gans.ring()`; a tensor (N, ...), of which points
            are drawn with replacement; or a function (n, torch_generator) -> points.
        batch_size: points and samples per evaluation.
        latent: size of normal latents; or a function (n, torch_generator) -> latents. By default the generator's
            `in_features` or that of its first linear layer.
        device: where to play; both modules are moved there. By default, where the generator is.
        seed: for draws without a generator of the caller's own, and for the batch that `batch=None` stands for.

    Raises:
        GameError: if parameters are shared, of several kinds, or do not reach the costs.

    Example:
        >>> import gandyn as gd
        >>> game = gd.gans.GANGame(*gd.gans.mlp_pair(hidden=(8,)), "nonsaturating", data=gd.gans.ring())
        >>> game
        <GAN of ring of 8: generator 42, discriminator 33>
    """

    def __init__(
        self,
        generator: torch.nn.Module,
        discriminator: torch.nn.Module,
        loss: Loss | str = "nonsaturating",
        penalties: Penalty | Sequence[Penalty] = (),
        data: Any = None,
        batch_size: int = 128,
        latent: int | Callable[[int, torch.Generator], Any] | None = None,
        device: Any = None,
        seed: int = 0,
    ) -> None:
        if device is not None:
            generator, discriminator = generator.to(device), discriminator.to(device)
        named = {"generator": generator.train(), "discriminator": discriminator.train()}
        super().__init__(f"GAN of {getattr(data, 'name', 'data')}", named)
        self.generator, self.discriminator = generator, discriminator
        self.loss = resolve(loss)
        self.penalties = (penalties,) if isinstance(penalties, Penalty) else tuple(penalties)
        self.zero_sum = self.loss.zero_sum
        if "classes" in self.loss.needs:
            raise DomainError(
                f"{type(self.loss).__name__} on networks without class outputs",
                "a loss of logits",
                'loss="nonsaturating"',
            )
        if not isinstance(batch_size, int) or batch_size < 1:
            raise ParameterError(f"batch_size={batch_size!r}", "a whole number >= 1", "batch_size=128")
        self.size = batch_size
        self.data = data
        self._draw_real = _sampler(data, self.device, self.dtype)
        self._draw_latent = self._latents(_latent_size(generator) if latent is None else latent)
        self._generator = torch.Generator(self.device)
        self._rng = np.random.default_rng(seed)
        self.reference = self.draw(np.random.default_rng(seed))
        self._probe()

    # --- batches -----------------------------------------------------------------------------------------------

    def draw(self, rng: Any = None) -> Token:
        """A batch of data and latents, seeded by the NumPy generator `rng`, or by the game's own stream."""
        rng = self._rng if rng is None else rng
        seed = int(rng.integers(2**62))
        source = self._generator.manual_seed(seed)
        return Token(self._draw_real(self.size, source), self._draw_latent(self.size, source), seed)

    def batch_size(self, batch: Any) -> int:
        """Samples in a token."""
        return len((batch or self.reference).latent)

    def _latents(self, latent: Any) -> Callable[[int, torch.Generator], Any]:
        if callable(latent):
            return latent  # type: ignore[no-any-return]
        if not isinstance(latent, int) or latent < 1:
            raise ParameterError(f"latent={latent!r}", "a size, or a function (n, torch generator)", "latent=2")
        device, dtype = self.device, self.dtype
        return lambda n, source: torch.randn(n, latent, generator=source, device=device, dtype=dtype)

    def sample(self, w: Any, n: int, rng: Any = None) -> Any:
        """n points of the generator at w, in evaluation mode: running statistics, no dropout. (n, ...), no graph."""
        self.load(w)
        source = self._generator.manual_seed(int((self._rng if rng is None else rng).integers(2**62)))
        self.generator.eval()
        try:
            with torch.no_grad():
                return self.generator(self._draw_latent(n, source))
        finally:
            self.generator.train()

    # --- costs -------------------------------------------------------------------------------------------------

    def _network_costs(self, networks: Sequence[Network], batch: Any, only: int | None) -> tuple[Any, ...]:
        generator, discriminator = networks
        batch = self.reference if batch is None else batch
        with torch.set_grad_enabled(torch.is_grad_enabled() and only != 1):
            fake = generator(batch.latent)
        if only == 0:
            return self._generator_cost(discriminator, batch.real, fake), None
        on_real, on_fake, penalty = self._evaluate(discriminator, batch.real, fake, self.penalties)
        beside = self._beside(batch.real, fake)
        cost = self.loss.discriminator(on_real, on_fake, **beside) + penalty
        if only == 1:
            return None, cost
        return (-cost if self.zero_sum else self.loss.generator_cost(on_real, on_fake, **beside)), cost

    def _generator_cost(self, discriminator: Network, real: Any, fake: Any) -> Any:
        """The generator's cost without the terms that do not depend on it."""
        if not self.loss.separable:
            on_real, on_fake, penalty = self._evaluate(discriminator, real, fake, self._penalties_on_fakes)
            return self.loss.generator_cost(on_real, on_fake, **self._beside(real, fake)) - penalty
        if not self._penalties_on_fakes:
            on_fake = discriminator(fake).flatten()
            return (-self.loss.fake(on_fake) if self.zero_sum else self.loss.generator(on_fake)).mean()
        critic = NetworkCritic(discriminator, real, fake)
        penalty = sum(penalty.cost(critic) for penalty in self._penalties_on_fakes)
        return -self.loss.fake(critic.logit(fake).flatten()).mean() - penalty

    def _evaluate(
        self, discriminator: Network, real: Any, fake: Any, penalties: tuple[Penalty, ...]
    ) -> tuple[Any, Any, Any]:
        """Logits (n,) on data and on samples, and the sum of penalties."""
        if not penalties:
            return *self._logits(discriminator, real, fake), 0.0
        critic = NetworkCritic(discriminator, real, fake)
        on_real, on_fake = critic.logit(critic.real).flatten(), critic.logit(fake).flatten()
        return on_real, on_fake, sum(penalty.cost(critic) for penalty in penalties)

    def _beside(self, real: Any, fake: Any) -> dict[str, Any]:
        """What some losses need beside logits: |x - G(z)| of each pair."""
        return {"distance": (real - fake).flatten(1).norm(dim=1)} if "distance" in self.loss.needs else {}

    def _logits(self, discriminator: Network, real: Any, fake: Any) -> tuple[Any, Any]:
        """On data and samples; in one pass where the discriminator treats every point by itself."""
        if not getattr(self.discriminator, "per_sample", False):
            return discriminator(real).flatten(), discriminator(fake).flatten()
        both = discriminator(torch.cat([real, fake])).flatten()
        return both[: len(real)], both[len(real) :]

    # --- construction ------------------------------------------------------------------------------------------

    def _probe(self) -> None:
        """One trial evaluation: does every player matter, do layers draw, and which penalties look at samples?"""
        self._penalties_on_fakes: tuple[Penalty, ...] = ()
        if self.zero_sum:
            with torch.enable_grad(), self._evaluation(self.reference, training=False):
                fake = self.generator(self.reference.latent)
                for penalty in self.penalties:
                    cost = penalty.cost(NetworkCritic(self.discriminator, self.reference.real, fake))
                    if torch.autograd.grad(cost, fake, allow_unused=True, retain_graph=True)[0] is not None:
                        self._penalties_on_fakes += (penalty,)
        v = self._trial(self.reference)
        for player, own in zip(self.players, self.split(v), strict=True):
            if not bool((own != 0).any()):
                raise GameError(
                    f"the cost of player {player.name} does not depend on {player.name}'s own parameters",
                    "networks whose outputs depend on their parameters",
                    "check for `.detach()`, and for dead layers",
                )


def _latent_size(generator: torch.nn.Module) -> int:
    layers = [m for m in generator.modules() if isinstance(m, torch.nn.Linear)]
    if not layers:
        raise ParameterError(
            f"{type(generator).__name__} without a linear layer, and no latent size", "latent=...", "latent=64"
        )
    return int(layers[0].in_features)


def _sampler(data: Any, device: Any, dtype: Any) -> Callable[[int, torch.Generator], Any]:
    """What the user gave as data, as a function (n, torch generator) -> points on the device."""
    if hasattr(data, "to"):
        data = data.to(device=device, dtype=dtype)
    if isinstance(data, torch.Tensor):
        points = data

        def choose(n: int, source: torch.Generator) -> Any:
            return points[torch.randint(len(points), (n,), generator=source, device=device)]

        return choose
    if hasattr(data, "sample"):
        return data.sample  # type: ignore[no-any-return]
    if callable(data):
        return data  # type: ignore[no-any-return]
    raise ParameterError(
        f"data={data!r}", "a sampler, a tensor of points, or a function (n, torch generator)", "data=gd.gans.ring()"
    )
