"""What a GAN loss is: costs per logit s, which is high on real data, their derivatives, and what they measure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import ClassVar

from ..errors import DomainError, refuse_unknown
from ..parameters import read_fields
from ..worlds import SYMBOLS, Array, exact, world_of
from . import gradients
from .divergences import Measured

LINKS = ("real", "fake", "generator")
PLAYERS = ("generator", "discriminator")
Classes = tuple[tuple[Array, ...], ...] | None  # (class logits, targets) of data, and of samples
Mean = Callable[[Array], Array]


def batch_mean(values: Array) -> Array:
    """The mean over the last axis, which is dropped; a single value is its own mean."""
    if not getattr(values, "shape", ()):
        return values
    if world_of(values) == SYMBOLS:
        return values.sum(-1) * (exact(1) / values.shape[-1])
    return values.mean(-1)


@dataclasses.dataclass(frozen=True)
class Loss:
    """Costs in any world: logits are SymPy expressions, NumPy arrays or torch tensors.

    In the separable case three scalar link functions say everything: the discriminator minimises
    E real(s(x)) over data plus E fake(s(x)) over samples, the generator E generator(s(x)) over samples; where the game
    is zero-sum, the generator minimises the whole of minus the discriminator's cost, whose part that it can change is
    -fake = generator, up to a constant. A loss that is not separable acts on batches: `discriminator` and
    `generator_cost` are its definition.

    Attributes:
        zero_sum: the generator's cost is minus the discriminator's.
        separable: the three link functions exist.
        needs: what `discriminator` and `generator_cost` need beside logits: "distance", "classes".
    """

    zero_sum: ClassVar[bool] = False
    separable: ClassVar[bool] = True
    needs: ClassVar[frozenset[str]] = frozenset()
    norm = 2.0  # of the distance, for losses that need it
    partial: ClassVar[bool] = False  # labels may be K, of no class, for losses that need classes

    def __post_init__(self) -> None:
        read_fields(self)

    # --- costs ---------------------------------------------------------------------------------------------------

    def real(self, s: Array) -> Array:
        """The discriminator's cost of a real point with logit s."""
        raise self._acts_on_batches("real")

    def fake(self, s: Array) -> Array:
        """The discriminator's cost of a fake point with logit s."""
        raise self._acts_on_batches("fake")

    def generator(self, s: Array) -> Array:
        """The generator's cost of a fake point with logit s."""
        raise self._acts_on_batches("generator")

    def discriminator(
        self, real: Array, fake: Array, *, mean: Mean = batch_mean, distance: Array = None, classes: Classes = None
    ) -> Array:
        """What the discriminator minimises on a batch.

        Args:
            real: logits of real points, shape (..., N).
            fake: logits of samples, shape (..., N); pair losses compare entry with entry.
            mean: expectation over the batch, the last axis by default.
            distance: |x - G(z)| of each pair, for losses that need it.
            classes: ((class logits, targets) of real points, (class logits, targets) of samples), each array of shape
                (..., N, K) and the targets one-hot or probabilities, for losses that need them.

        Returns:
            The cost, shape (...).
        """
        return mean(self.real(real)) + mean(self.fake(fake))

    def generator_cost(
        self, real: Array, fake: Array, *, mean: Mean = batch_mean, distance: Array = None, classes: Classes = None
    ) -> Array:
        """What the generator minimises on a batch; arguments as for `discriminator`."""
        if self.zero_sum:
            return -self.discriminator(real, fake, mean=mean, distance=distance, classes=classes)
        return mean(self.generator(fake))

    # --- derivatives ---------------------------------------------------------------------------------------------

    def d_logit(self, link: str, s: Array) -> Array:
        """The exact derivative of a link function against the logit, elementwise, in the world of `s`.

        Args:
            link: "real", "fake" or "generator".
            s: logits.

        Example:
            >>> import numpy as np, gandyn as gd
            >>> gd.losses.minimax().d_logit("generator", np.array([0.0])).tolist()  # -D
            [-0.5]
        """
        return gradients.link_slope(self, self._link(link), "logit", s)

    def d_probability(self, link: str, d: Array) -> Array:
        """The exact derivative of a link function against D = sigmoid(s), elementwise, for D in (0, 1).

        For losses whose discriminator has no sigmoid (least squares, hinge, Wasserstein, f-GAN) the output is the logit
        itself, and `d_logit` is the derivative that their papers speak of.

        Example:
            >>> import numpy as np, gandyn as gd
            >>> gd.losses.nonsaturating().d_probability("generator", np.array([0.25])).tolist()  # -1 / D
            [-4.0]
        """
        return gradients.link_slope(self, self._link(link), "probability", d)

    def gradients(
        self, player: str, real: Array, fake: Array, *, mean: Mean = batch_mean, distance: Array = None
    ) -> tuple[Array, Array]:
        """The gradient of a player's batch cost against each real and each fake logit, times the batch size.

        Returns:
            (d/d real, d/d fake), each of the shape of the logits.
        """
        if self._player(player) == "discriminator":
            return self.d_logit("real", real), self.d_logit("fake", fake)
        if self.zero_sum:
            return -self.d_logit("real", real), -self.d_logit("fake", fake)
        return 0 * real, self.d_logit("generator", fake)

    # --- what it measures ----------------------------------------------------------------------------------------

    def optimal_logit(self, p: Array, q: Array) -> Array:
        """The logit s* that minimises p real(s) + q fake(s), for densities p of the data and q of the samples.

        Raises:
            DomainError: for a loss without a minimiser in closed form.
        """
        raise DomainError(
            f"the optimal logit of {type(self).__name__}",
            "a loss whose best unconstrained discriminator has a closed form",
            "maximise numerically, or see the loss's docstring for what is known",
        )

    def divergence(self) -> Measured:
        """What the optimal discriminator measures: at s*, minus its cost is scale * divergence + offset.

        Raises:
            DomainError: for a loss whose optimal value is no divergence in closed form.
        """
        raise DomainError(
            f"the divergence of {type(self).__name__}",
            "a loss whose optimal value has a closed form",
            "see the loss's docstring for what is known",
        )

    def generator_divergence(self) -> Measured:
        """What the generator descends: at a discriminator held at s*, its gradient is that of this divergence.

        That is d/dq [integrand(p, q)] = generator(s*(p, q)) + constant. In the zero-sum case it is `divergence` itself
        (the envelope theorem); otherwise the two players measure different things.

        Raises:
            DomainError: where it is not known.
        """
        return self.divergence()

    # --- messages ------------------------------------------------------------------------------------------------

    def _acts_on_batches(self, link: str) -> DomainError:
        return DomainError(
            f"the {link} cost of one logit under {type(self).__name__}, which acts on batches",
            "a separable loss",
            "use discriminator(...) and generator_cost(...), or gradients(...)",
        )

    def _link(self, link: str) -> str:
        refuse_unknown("link function", link, LINKS)
        return link

    def _player(self, player: str) -> str:
        refuse_unknown("player", player, PLAYERS)
        return player
