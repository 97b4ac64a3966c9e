"""A GAN as a game: generator, discriminator, loss, penalties and data in; field, jvp and vjp out."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import torch

from ..arguments import whole
from ..doors import seed as checked_seed
from ..errors import DomainError, ParameterError
from ..losses import Loss
from ..losses import resolve as resolve_loss
from ..oracles.network import FunctionalNetwork, Network, NetworkGame
from ..oracles.streams import fresh_seed
from ..penalties import Penalty
from ..registry import called_rightly
from ..types import Array, Batch, Rng
from .critic import NetworkCritic
from .datasets import resolve as resolve_data
from .drawing import sampler, watched
from .early import adds_up, differentiated
from .fit import check_labels, fitting
from .given import check_modules, device_named, latent_size, warn_of_probabilities
from .terms import resolve as resolve_terms


@dataclasses.dataclass(frozen=True, eq=False)
class Token:
    """All randomness of one evaluation: data, latents, and the seed of layers that draw.

    Where there are labels, samples are made with those of the data: point i of both has label i.

    Args:
        real: the data of the batch. latent: what samples are made from. seed: of layers that draw. labels: of
            the data.
    """

    critic: ClassVar[type[NetworkCritic]] = NetworkCritic
    real: Array
    latent: Array
    seed: int
    labels: Array = None


@called_rightly
class GANGame(NetworkGame):
    """Two networks playing a GAN: w = (generator's parameters, discriminator's), one flat vector.

    The discriminator minimises mean loss.real(s(x)) + mean loss.fake(s(G(z))) + penalties, the generator mean
    loss.generator(s(G(z))), or minus the discriminator's loss, without penalties, where the loss is zero-sum. So the
    game is zero-sum where the loss is and no penalty adds a cost. A simultaneous field makes the fake batch once and
    runs the discriminator on it once; a discriminator with an attribute `per_sample = True` (no batch statistics) may
    see data and samples in one pass.

    A network with `conditional = True` is also given labels (n,): those of the data, for the samples too. A
    discriminator that answers (logits, class logits) serves losses of classes, such as `auxiliary_classifier`; other
    losses ignore the class logits. A generator with an attribute `encoder`, a module from points to latents, gives
    penalties their reconstructions G(E(x)); it plays with the generator. The vectors of spectral norms
    (`architectures.spectral`) are fixed within a step and moved by `advance`.

    Args:
        generator, discriminator: modules; the logit is high on real data. Both are put into training mode.
        loss: a loss or its name.
        penalties: one penalty or several, or calls of them as text, such as "R1(0.1)".
        data: a sampler with `sample(n, torch_generator)`, such as `gd.gans.ring()`, or its name as text; a tensor
            (N, ...), of which points are drawn with replacement, bytes as pictures in [-1, 1]; or a function
            (n, torch_generator) -> points, or -> (points, labels).
        batch_size: points and samples per evaluation.
        latent: size of normal latents; or a function (n, torch_generator) -> latents. By default the generator's
            `in_features` or that of its first linear layer.
        device: where to play; both modules are moved there. By default, where the generator is.
        seed: for draws without a generator of the caller's own, and for the batch that `batch=None` stands for.
        others: further players' modules by name, of games that extend this one (`gd.gans.systems`).

    Attributes:
        kind: what the game is called. own_costs: its costs are not those of its loss alone.
        draws_from_state: its batches depend on buffers, which several members or processes do not have in common.
        settings: numbers of such games, which a run in a folder must have in common.

    Raises:
        GameError: if parameters are shared, of several kinds, or do not reach the costs, and for modules that fail.
        ShapeError: for latents, samples and data that do not fit the networks or each other, by all their shapes.

    Example:
        >>> import gandyn as gd
        >>> game = gd.gans.GANGame(*gd.gans.mlp_pair(hidden=(8,)), "nonsaturating", data=gd.gans.ring())
        >>> game
        <GAN of ring of 8: generator 42, discriminator 33>
    """

    kind: ClassVar[str] = "GAN"
    own_costs: ClassVar[bool] = False
    draws_from_state: ClassVar[bool] = False
    settings: Mapping[str, object] = MappingProxyType({})

    def __init__(
        self,
        generator: torch.nn.Module,
        discriminator: torch.nn.Module,
        loss: Loss | str = "nonsaturating",
        penalties: Penalty | str | Sequence[Penalty | str] | None = None,
        data: object = None,
        batch_size: int = 128,
        latent: int | Callable[[int, torch.Generator], Array] | None = None,
        device: object = None,
        seed: int = 0,
        others: Mapping[str, torch.nn.Module] | None = None,
    ) -> None:
        named = {"generator": generator, "discriminator": discriminator, **(others or {})}
        check_modules(**named)
        device, seed = device_named(device), checked_seed("seed", 0 if seed is None else seed)
        if device is not None:
            named = {name: module.to(device) for name, module in named.items()}
        named = {name: module.train() for name, module in named.items()}
        generator, discriminator = named["generator"], named["discriminator"]
        data = resolve_data(data)
        name = getattr(data, "name", None)
        super().__init__(f"{self.kind} of {name if isinstance(name, str) else 'data'}", named)
        self.generator, self.discriminator = generator, discriminator
        self.loss = resolve_loss(loss)
        self.penalties = resolve_terms(penalties)
        costly = any(_overrides(p, hook) for p in self.penalties for hook in ("cost", "generator_cost"))
        self.zero_sum = not self.own_costs and self.loss.zero_sum and not costly
        self.constrained = any(p.constrained for p in self.penalties)
        self._adds_up = not (self.own_costs or self.penalties) and adds_up(self.loss)
        self._transforms = any(_overrides(p, "transform") for p in self.penalties)
        self._per_sample = bool(getattr(discriminator, "per_sample", False))
        whole("batch_size", batch_size)
        self.size, self.seed = batch_size, seed
        self._encodes = isinstance(getattr(generator, "encoder", None), torch.nn.Module)
        self._conditional = tuple(bool(getattr(network, "conditional", False)) for network in self.networks)
        self._labelled = needs_labels = any(self._conditional) or "classes" in self.loss.needs
        self.data, self._draw_real = sampler(data, self.device, self.dtype, needs_labels)
        self._draw_latent = self._latents(latent_size(generator) if latent is None else latent)
        self._generator = torch.Generator(self.device)
        self._rng = np.random.default_rng(seed)
        self.reference = self.draw(np.random.default_rng(seed))
        if needs_labels and self.reference.labels is None:
            given = f"labels for {type(self.loss).__name__} or a conditional network, from data without them"
            raise ParameterError(given, "data with labels", "gd.gans.Points(name, points, labels)")
        self.class_outputs = self._check_fit()
        if "classes" in self.loss.needs and not self.class_outputs:
            raise DomainError(
                f"{type(self.loss).__name__} on networks without class outputs",
                "a discriminator that answers (logits, class logits), or a loss of logits",
                'condition="auxiliary", or loss="nonsaturating"',
            )
        self._trial(self.reference)

    # --- batches -----------------------------------------------------------------------------------------------

    def draw(self, rng: Any = None) -> Token:
        """A batch of data and latents, seeded by the NumPy generator `rng`, or by the game's own stream."""
        rng = self._rng if rng is None else rng
        seed = fresh_seed(rng)
        source = self._generator.manual_seed(seed)
        real = self._draw_real(self.size, source)
        real, labels = real if isinstance(real, tuple) else (real, None)
        return Token(real, self._draw_latent(self.size, source), seed, labels)

    def draw_held_out(self, rng: Rng = None) -> Token:
        """A token whose data are not trained on: the held-out part where the data keep one, else as `draw`."""
        try:
            apart = getattr(self.data, "held_out", None)
        except ParameterError:
            apart = None
        if apart is None or apart is self.data:
            return self.draw(rng)
        kept, self._draw_real = self._draw_real, sampler(apart, self.device, self.dtype, self._labelled)[1]
        try:
            return self.draw(rng)
        finally:
            self._draw_real = kept

    @contextlib.contextmanager
    def undisturbed(self) -> Iterator[None]:
        """As for every game of networks; the game's own stream and the place in data gone through in order too."""
        stream, place = copy.deepcopy(self._rng.bit_generator.state), None
        if hasattr(self.data, "state_dict"):
            place = self.data.state_dict()
        try:
            with super().undisturbed():
                yield
        finally:
            self._rng.bit_generator.state = stream
            if place is not None:
                self.data.load_state_dict(place)

    def batch_size(self, batch: Batch) -> int:
        """The number of samples that a batch token stands for."""
        return int((batch or self.reference).latent.shape[0])

    def _latents(self, latent: object) -> Callable[[int, torch.Generator], Array]:
        if callable(latent):
            return watched(latent, "latents", self.device, self.dtype)
        if not isinstance(latent, int) or latent < 1:
            raise ParameterError(f"latent={latent!r}", "a size, or a function (n, torch generator)", "latent=2")
        device, dtype = self.device, self.dtype
        return lambda n, source: torch.randn(n, latent, generator=source, device=device, dtype=dtype)

    def sample(self, w: Array, n: int, rng: Any = None, labels: Array = None) -> Array:
        """n points of the generator at w, in evaluation mode: running statistics, no dropout. (n, ...), no graph.

        Args:
            w: (d,). n: how many. rng: a NumPy generator; the game's own stream by default.
            labels: (n,), of a conditional generator's points; drawn as the data's are by default.
        """
        self.load(w)
        seed = fresh_seed(self._rng if rng is None else rng)
        source = self._generator.manual_seed(seed)
        latent = self._draw_latent(whole("n", n), source)
        given: tuple[Any, ...] = ()
        if self._conditional[0]:
            given = (self._draw_labels(n, source) if labels is None else torch.as_tensor(labels, device=self.device),)
        self.generator.eval()
        try:
            with torch.no_grad(), self._seeded(Token(None, latent, seed)):
                return self.generator(latent, *given)
        finally:
            self.generator.train()

    def _draw_labels(self, n: int, source: torch.Generator) -> Array:
        """Labels for n samples, drawn as the data's are."""
        return self._draw_real(n, source)[1]

    # --- costs -------------------------------------------------------------------------------------------------

    def _network_costs(self, networks: Sequence[Network], batch: Batch, only: int | None) -> tuple[Array | None, ...]:
        generator, discriminator = networks[:2]
        batch = self.reference if batch is None else batch
        given = (batch.latent, batch.labels) if self._conditional[0] else (batch.latent,)
        with torch.no_grad() if only == 1 else contextlib.nullcontext():
            fake = generator(*given)
        critic = self._critic(discriminator, batch, fake, self._reconstruction(generator, batch))
        costs = self._unpenalised(critic, batch, only)
        for k, penalty in enumerate(self.penalties):
            for i, hook in enumerate((penalty.generator_cost, penalty.cost)):
                if only in (None, i):
                    critic.stream(2 + 2 * k + i)
                    costs[i] = costs[i] + hook(critic)
        return tuple(costs)

    def _unpenalised(self, critic: NetworkCritic, batch: Token, only: int | None) -> list[Array]:
        """The players' costs before the penalties' terms; what a game that extends this one puts in their place."""
        if only == 0 and self.loss.separable:
            return [self._of_generator(critic.logit(critic.fake)), *[None] * (len(self.players) - 1)]
        return self._loss_costs(critic, batch, only)

    def _of_generator(self, on_fake: Array) -> Array:
        """The generator's cost of the logits of some samples, for a separable loss."""
        return (-self.loss.fake(on_fake) if self.loss.zero_sum else self.loss.generator(on_fake)).mean()

    def _reconstruction(self, generator: Network, batch: Token) -> Callable[[Array], Array] | None:
        """x -> G(E(x)), at the parameters that both have now; None without an encoder."""
        if not self._encodes:
            return None
        encoder: Any = self.generator.encoder
        labels = (batch.labels,) if self._conditional[0] else ()
        return lambda points: generator(encoder(points), *labels)

    def _critic(
        self, discriminator: Network, batch: Batch, fake: Array, reconstruct: Callable[[Array], Array] | None = None
    ) -> NetworkCritic:
        """The discriminator with its penalties' transforms, and the batch with their perturbations."""
        labels = batch.labels if self._conditional[1] else None
        if not self.penalties:
            unpenalised = (batch.real, fake, batch.seed, (), labels, reconstruct, self.stochastic)
            return batch.critic(discriminator, (), *unpenalised)  # type: ignore[no-any-return]
        named = {name: p for name, p in discriminator.named_parameters() if p.ndim > 1}
        if self._transforms:
            transformed = dict(named)
            for penalty in self.penalties:
                transformed = {name: penalty.transform(weight) for name, weight in transformed.items()}
            discriminator = FunctionalNetwork(self.discriminator, transformed)
        given = (batch.real, fake, batch.seed, self.penalties, labels, reconstruct, self.stochastic)
        return batch.critic(discriminator, tuple(named.values()), *given)  # type: ignore[no-any-return]

    def _loss_costs(self, critic: NetworkCritic, batch: Token, only: int | None) -> list[Array | None]:
        """Both players' costs without penalties; of `only` one, where the other is not asked for."""
        # One pass saves calls of small layers; large ones need memory for all of it, and two costs go back through all.
        large = critic.real.ndim > 2
        if large and self._slopes_next and self._adds_up:
            return self._term_by_term(critic, only)
        apart = large or self.penalties or not self._per_sample or self.stochastic
        if apart or (only is None and not self.zero_sum):
            on_real, on_fake = critic.logit(critic.real), critic.logit(critic.fake)
        else:
            on_real, on_fake = critic.logits_at_once()
        beside: dict[str, Any] = {}
        if "distance" in self.loss.needs:
            beside["distance"] = (critic.real - critic.fake).flatten(1).norm(p=self.loss.norm, dim=1)
        if "classes" in self.loss.needs:
            kinds = self.class_outputs + self.loss.partial
            targets = torch.nn.functional.one_hot(batch.labels, kinds)[:, : self.class_outputs].to(on_real.dtype)
            beside["classes"] = tuple((critic.class_logits(x), targets) for x in (critic.real, critic.fake))
        if only == 0:
            return [self.loss.generator_cost(on_real, on_fake, **beside), None]
        cost = self.loss.discriminator(on_real, on_fake, **beside)
        if only == 1:
            return [None, cost]
        return [-cost if self.loss.zero_sum else self.loss.generator_cost(on_real, on_fake, **beside), cost]

    def _term_by_term(self, critic: NetworkCritic, only: int | None) -> list[Array | None]:
        """The same costs of a loss whose terms add up: memory for the data's pass is freed before the samples'."""
        on_data = differentiated(self.loss.real(critic.logit(critic.real)).mean(-1), self._parameters[1])
        on_fake = critic.logit(critic.fake)
        cost = on_data + self.loss.fake(on_fake).mean(-1)
        if only == 1:
            return [None, cost]
        return [-cost if self.loss.zero_sum else self.loss.generator(on_fake).mean(-1), cost]

    def project(self, w: Array) -> Array:
        """The discriminator's block brought to the feasible set of constraints such as weight clipping."""
        if not self.constrained:
            return w
        parameters = w[self.slices[1]]
        for penalty in self.penalties:
            parameters = penalty.project(parameters)
        return torch.cat([w[self.slices[0]], parameters])

    def _check_fit(self) -> int:
        """Networks, latents and data fit each other; the number of class logits beside each logit."""
        batch = self.reference
        with (
            torch.random.fork_rng([self.device] if self.device.type == "cuda" else []),
            torch.enable_grad(),
            self._evaluation(batch, training=False),
        ):
            answer = fitting(self.generator, self.discriminator, batch, self.size, self._conditional)
        answer, names = answer if isinstance(answer, tuple) else (answer, None)
        warn_of_probabilities(answer, self.name)
        classes = 0 if names is None else int(names.shape[1])
        if "classes" in self.loss.needs and classes:
            check_labels(batch.labels, self.size, classes + self.loss.partial)
        return classes


def _overrides(penalty: Penalty, hook: str) -> bool:
    return getattr(type(penalty), hook) is not getattr(Penalty, hook)
