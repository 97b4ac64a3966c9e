"""Orthogonal regularisation: rows of each weight near an orthonormal system (Brock et al. 2017, eq. 2; 2019, eq. 3)."""

from __future__ import annotations

from ..types import Parameter
from ..worlds import Array, number
from .declaration import register, weight
from .penalty import Critic, Penalty


@register("Orthogonal", examples=({"beta": 0.1}, {"beta": 0.1, "off_diagonal": True}), aliases=("orthogonal",))
class Orthogonal(Penalty):
    """beta sum |W W^T - 1|^2 over the weights as matrices (outputs x rest), with W^T W where W is tall.

    Computed as |G|^2 - 2 tr G + n from the smaller Gram matrix G. On the Dirac-GAN, where W = phi, it is
    beta (phi^2 - 1)^2: it makes phi = 0 a maximum and adds 4 beta to the real parts there. With `off_diagonal` only
    the entries beside the diagonal count (BigGAN), which leaves a single weight alone.

    Args:
        beta: weight.
        off_diagonal: leave the lengths of the rows free.
    """

    beta: Parameter = weight()
    off_diagonal: bool = False

    def cost(self, critic: Critic) -> Array:
        """beta sum |G - 1|^2, or of its off-diagonal part."""
        total = sum(self._distance(w.reshape(w.shape[0], -1)) for w in critic.weights)
        return number(self.beta, total) * total

    def _distance(self, w: Array) -> Array:
        rows, columns = w.shape
        gram = w @ w.T if rows <= columns else w.T @ w
        lengths = (w * w).sum(1 if rows <= columns else 0)
        squares = (gram * gram).sum()
        if self.off_diagonal:
            return squares - (lengths * lengths).sum()
        return squares - 2 * lengths.sum() + min(rows, columns)
