"""Loss scaling for half precision: gradients that would underflow are taken of larger losses, and divided again."""

from __future__ import annotations

import torch

from ..errors import DomainError
from ..types import Array, Rule, State


class LossScale:
    """A `torch.amp.GradScaler` for steps of a rule, which have no `.grad` for it to look at.

    Args:
        scaler: whose scale, growth and backoff are used. rule: of the step.

    Raises:
        DomainError: for a rule that uses products with the Jacobian.
    """

    def __init__(self, scaler: torch.amp.GradScaler, rule: Rule, device: torch.device) -> None:
        if rule.cost.jvps != 0 or rule.cost.vjps != 0:
            raise DomainError(
                f"loss scaling for {rule.name}, which uses products with the Jacobian",
                "a rule that uses gradients alone",
                "autocast to torch.bfloat16, which needs no scaling",
            )
        self.scaler, self._since = scaler, 0
        scaler.scale(torch.ones((), device=device))  # makes its scale, which it does at the first loss

    @property
    def factor(self) -> float:
        """By which the losses are multiplied now."""
        return float(self.scaler.get_scale())

    def accepts(self, moved: Array, state: State) -> bool:
        """Whether a step is finite; the scale shrinks where it is not, and grows after so many that were."""
        finite = all(bool(torch.isfinite(a).all()) for a in (moved, *(array for _, array in state.leaves())))
        if not self.scaler.is_enabled():
            return True
        self._since = self._since + 1 if finite else 0
        if not finite:
            self.scaler.update(self.factor * self.scaler.get_backoff_factor())
        elif self._since == self.scaler.get_growth_interval():
            self.scaler.update(self.factor * self.scaler.get_growth_factor())
            self._since = 0
        return finite
