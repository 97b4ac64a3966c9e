"""Relativistic GANs: a real point should score higher than a sample, not high (Jolicoeur-Martineau 2018)."""

from __future__ import annotations

from ..worlds import Array
from .declaration import register, wrapped
from .loss import Classes, Loss, Mean, batch_mean
from .pairs import PairLoss


@register("relativistic", examples=({}, {"loss": "least_squares"}), aliases=("rgan", "rsgan"))
class Relativistic(PairLoss):
    """Paired: the discriminator minimises E real(s_r - s_f), the generator E real(s_f - s_r), with the loss's `real`.

    With the logistic loss that is -E log sigmoid(s_r - s_f) (RSGAN, eq. 3-4), with the linear one WGAN; this is the
    simplified form for losses with fake(-s) = real(s), of which the paper's general form is twice. The generator sees
    data: its gradient against the real logits is not zero. It saturates where samples outscore data. The value depends
    on the joint law of the pairs only through s_r - s_f; no optimal logit is known in closed form.

    Args:
        loss: whose `real` is taken, a loss or its name.
    """

    loss: Loss = wrapped(default="nonsaturating")

    def pair(self, player: str, real: Array, fake: Array, distance: Array) -> Array:
        """real(s_r - s_f) for the discriminator, real(s_f - s_r) for the generator."""
        return self.loss.real(real - fake if player == "discriminator" else fake - real)


@register("relativistic_average", examples=({}, {"loss": "least_squares(-1, 1, 0)"}), aliases=("ragan",))
class RelativisticAverage(Loss):
    """Each point is compared with the mean score of the other side.

    Discriminator E real(s_r - E s_f) + E fake(s_f - E s_r), generator E real(s_f - E s_r) + E fake(s_r - E s_f)
    (RaGAN, eq. 7-8): two terms where the paired form has one, so on single points it is twice that for the logistic
    loss. The means couple the batch: a logit's gradient depends on all the others.

    Args:
        loss: whose `real` and `fake` are taken, a loss or its name.
    """

    separable = False
    loss: Loss = wrapped(default="nonsaturating")

    def discriminator(
        self, real: Array, fake: Array, *, mean: Mean = batch_mean, distance: Array = None, classes: Classes = None
    ) -> Array:
        """E real(s_r - E s_f) + E fake(s_f - E s_r)."""
        above, below = real - _spread(mean(fake)), fake - _spread(mean(real))
        return mean(self.loss.real(above)) + mean(self.loss.fake(below))

    def generator_cost(
        self, real: Array, fake: Array, *, mean: Mean = batch_mean, distance: Array = None, classes: Classes = None
    ) -> Array:
        """The discriminator's cost with data and samples exchanged."""
        return self.discriminator(fake, real, mean=mean)

    def gradients(
        self, player: str, real: Array, fake: Array, *, mean: Mean = batch_mean, distance: Array = None
    ) -> tuple[Array, Array]:
        """(real'(s_r - E s_f) - E fake'(s_f - E s_r), fake'(s_f - E s_r) - E real'(s_r - E s_f)), or exchanged."""
        if self._player(player) == "generator":
            d_fake, d_real = self.gradients("discriminator", fake, real, mean=mean)
            return d_real, d_fake
        above = self.loss.d_logit("real", real - _spread(mean(fake)))
        below = self.loss.d_logit("fake", fake - _spread(mean(real)))
        return above - _spread(mean(below)), below - _spread(mean(above))


def _spread(value: Array) -> Array:
    """A batch mean with a last axis of length 1, to be broadcast against the batch; a single value as it is."""
    return value[..., None] if getattr(value, "shape", ()) else value
