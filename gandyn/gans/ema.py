"""An exponential moving average of a game's flat vector: smoother generators to sample from, at no extra gradients."""

from __future__ import annotations

from typing import Any

from ..errors import ParameterError
from ..types import Array


class EMA:
    """A moving average of the parameters: a_t = d_t a_(t-1) + (1 - d_t) w_t, d_t = min(decay, (1 + t) / (10 + t)).

    The growing d_t forgets the start: with a constant decay of 0.999 half of a_500 would still be w_0. The average is
    over all of w; the discriminator's part is of no use for sampling but makes a joint vector that `game.sample` takes.
    BatchNorm statistics are not averaged, and are those of the last point: see `gd.gans.standing_statistics`.

    Args:
        w: the first vector, a_0.
        decay: in [0, 1); 0 follows w itself.
        warmup: use d_t as above; without, d_t = decay.

    Attributes:
        w: the average, a vector of its own. updates: how many vectors it holds beside the first.

    Example:
        >>> import torch, gandyn as gd
        >>> ema = gd.gans.EMA(torch.zeros(2), decay=0.5, warmup=False)
        >>> ema.update(torch.tensor([4.0, 8.0]))
        >>> ema.w
        tensor([2., 4.])
    """

    def __init__(self, w: Array, decay: float = 0.999, warmup: bool = True) -> None:
        if not 0 <= decay < 1:
            raise ParameterError(f"EMA with decay={decay}", "a number in [0, 1)", "decay=0.999")
        self.w, self.decay, self.warmup, self.updates = w.detach().clone(), float(decay), warmup, 0

    def update(self, w: Array) -> None:
        """Take in the next vector."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates)) if self.warmup else self.decay
        self.w.lerp_(w.detach(), 1 - decay)

    def state_dict(self) -> dict[str, Any]:
        """The average and its count; `load_state_dict` goes on from them to the same numbers."""
        return {"w": self.w.clone(), "updates": self.updates}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a `state_dict`."""
        self.w.copy_(state["w"])
        self.updates = int(state["updates"])
