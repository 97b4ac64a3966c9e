"""One network's own problem with the other networks fixed: what `NetworkGame.restrict` answers."""

from __future__ import annotations

from ..lazy import torch
from ..memory import is_given_away
from ..types import Array, Batch, RestrictedGame
from .flat import FlatNetworks


class NetworkView(RestrictedGame):
    """One network's problem with the others fixed: the blocks go straight into the game's buffer."""

    game: FlatNetworks

    def field(self, w: Array, batch: Batch = None, only: int | str | None = None) -> Array:
        """The player's own gradient df_i/dx_i, shape (size,)."""
        if (w.requires_grad or self.fixed.requires_grad) and torch.is_grad_enabled():
            return super().field(w, batch, only)
        self.check(w)
        game = self.game
        game.counts.player_gradients += 1
        game.counts.samples += game.batch_size(batch)
        game._load(*self._beside(w))
        return game._module_field(batch, self.index, padded=False)

    def jvp(self, w: Array, u: Array, batch: Batch = None) -> Array:
        """The player's own Hessian times u; at the point of restriction, on the game's graph there."""
        self.check(w)
        return self.game.jvp(self._joint(w), self._pad(u), batch)[..., self._block]

    def vjp(self, w: Array, u: Array, batch: Batch = None) -> Array:
        """The player's own Hessian, transposed, times u: the same as `jvp`, because a Hessian is symmetric."""
        self.check(w)
        return self.game.vjp(self._joint(w), self._pad(u), batch)[..., self._block]

    def _joint(self, x: Array) -> Array:
        """The joint vector: the same object where x is the block of the point of restriction itself."""
        block = self.block
        same = (
            x.data_ptr() == block.data_ptr() and x.stride() == block.stride() and x.requires_grad == block.requires_grad
        )
        return self.fixed if same else self.embed(x)

    def embed(self, x: Array) -> Array:
        """The joint vector with the player's block replaced by x: the old one where that may be written over."""
        fixed_alone = not (x.requires_grad or self.fixed.requires_grad)
        if is_given_away(self.fixed) or (self.spare and fixed_alone):
            self.block.copy_(x)
            return self.fixed
        return torch.cat(self._beside(x))

    def _beside(self, x: Array) -> tuple[Array, ...]:
        start, stop, d = self._block.start, self._block.stop, self.fixed.shape[0]
        return (*([self.fixed[:start]] if start else []), x, *([self.fixed[stop:]] if stop < d else []))
