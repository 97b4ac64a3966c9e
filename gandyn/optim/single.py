"""Rules with one gradient a step as ordinary torch optimisers of one network, tensor by tensor."""

from __future__ import annotations

import abc
from collections.abc import Iterable
from typing import Any

import torch

from ..errors import ParameterError
from ..rules import registry
from ..types import Array, Batch, Game, Player, Rule, State
from .habits import TINY, refuse_settings


class GivenGradient(Game):
    """One tensor with the gradient that backward left on it."""

    name = "one tensor"

    def __init__(self, parameter: Array) -> None:
        self.players = (Player("tensor", parameter.numel()),)
        self.shape = tuple(parameter.shape)
        self.gradient = parameter.grad.reshape(-1)

    @property
    def tensor_shapes(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """The shape of the one tensor, which is the only block."""
        return ((self.shape,),)

    def _field(self, w: Array, batch: Batch, only: int | None) -> Array:
        return self.gradient

    def _costs(self, w: Array, batch: Batch) -> tuple[Array, ...]:
        raise TypeError("the gradient is given, the cost is not known here")


class RuleOptimizer(torch.optim.Optimizer, abc.ABC):
    """A torch optimiser whose update is a rule of the catalogue; subclasses say which, from a parameter group.

    Args:
        params, defaults: as for torch's optimisers.
    """

    @abc.abstractmethod
    def rule(self, group: dict[str, Any]) -> Rule:
        """The rule with this group's settings."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """One step for every parameter that has a gradient; returns the closure's loss, if there is a closure.

        Raises:
            ParameterError: for settings of a group that the rule does not have, complex parameters, sparse gradients.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            refuse_settings(group, self.defaults)
            lr = float(group["lr"])
            rule = self.rule({**group, "lr": TINY if lr == 0 else lr})
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(rule, parameter)
        return loss

    def _move(self, rule: Rule, parameter: Array) -> None:
        if parameter.is_complex() or parameter.grad.layout != torch.strided:
            given = "complex parameters" if parameter.is_complex() else "sparse gradients"
            raise ParameterError(
                f"{given} in {type(self).__name__}", "real numbers, dense", "torch.optim, or dense ones"
            )
        game, w, saved = GivenGradient(parameter), parameter.reshape(-1), self.state[parameter]
        state = rule.init(game, w)
        if saved:
            state = State({k: saved[k] for k in state.arrays}, {k: saved[k] for k in state.counters})
        w, state, _ = rule.step(game, w, state)
        parameter.copy_(w.view_as(parameter))
        saved.update(state.arrays, **state.counters)


def _build(name: str, *args: object, **kwargs: object) -> Any:
    return registry[name].build(*args, **kwargs)


class AdamGC(RuleOptimizer):
    """Adam on centralised gradients, `GradientCentralization(Adam(lr, betas, eps))` (Yong et al. 2020).

    Args:
        params: as for torch's optimisers.
        lr, betas, eps: Adam's.
        weight_decay: added to the gradient before it is centralised.
        convolutions_only: centralise convolutions alone (GCC).

    Example:
        >>> import torch, gandyn as gd
        >>> layer = torch.nn.Linear(3, 2)
        >>> optimizer = gd.optim.AdamGC(layer.parameters(), lr=0.1)
        >>> layer(torch.ones(1, 3)).sum().backward()
        >>> optimizer.step()
    """

    def __init__(
        self,
        params: Iterable[torch.Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        convolutions_only: bool = False,
    ) -> None:
        settings = {"lr": lr, "betas": betas, "eps": eps}
        super().__init__(params, {**settings, "weight_decay": weight_decay, "convolutions_only": convolutions_only})

    def rule(self, group: dict[str, Any]) -> Rule:
        """Adam inside gradient centralisation."""
        return _centralized(_build("Adam", group["lr"], group["betas"], group["eps"]), group)


class SGDMGC(RuleOptimizer):
    """Momentum on centralised gradients, `GradientCentralization(SGDM(lr, momentum))` (Yong et al. 2020).

    m+ = b m + (1 - b) P(g + weight_decay w), w+ = w - lr m+: torch's own SGD with momentum does not have the 1 - b.

    Args:
        params: as for torch's optimisers.
        lr: step size.
        momentum: b; 0 for SGD with centralised gradients.
        weight_decay: added to the gradient before it is centralised.
        convolutions_only: centralise convolutions alone (GCC).

    Example:
        >>> import torch, gandyn as gd
        >>> layer = torch.nn.Linear(3, 2)
        >>> optimizer = gd.optim.SGDMGC(layer.parameters(), lr=0.1)
        >>> layer(torch.ones(1, 3)).sum().backward()
        >>> optimizer.step()
    """

    def __init__(
        self,
        params: Iterable[torch.Tensor],
        lr: float = 1e-2,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        convolutions_only: bool = False,
    ) -> None:
        settings = {"lr": lr, "momentum": momentum}
        super().__init__(params, {**settings, "weight_decay": weight_decay, "convolutions_only": convolutions_only})

    def rule(self, group: dict[str, Any]) -> Rule:
        """Momentum inside gradient centralisation."""
        return _centralized(_build("SGDM", group["lr"], group["momentum"]), group)


class OptimisticAdam(RuleOptimizer):
    """w+ = w - 2 lr d_t + lr d_{t-1} for Adam's directions d_t (Daskalakis et al. 2018, algorithm 1).

    Args:
        params: as for torch's optimisers.
        lr, betas, eps: Adam's.

    Example:
        >>> import torch, gandyn as gd
        >>> layer = torch.nn.Linear(3, 2)
        >>> optimizer = gd.optim.OptimisticAdam(layer.parameters(), lr=0.1)
        >>> layer(torch.ones(1, 3)).sum().backward()
        >>> optimizer.step()
    """

    def __init__(
        self, params: Iterable[Array], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def rule(self, group: dict[str, Any]) -> Rule:
        """The rule of the same name."""
        rule: Rule = _build("OptimisticAdam", group["lr"], group["betas"], group["eps"])
        return rule


def _centralized(inner: Rule, group: dict[str, object]) -> Rule:
    rule: Rule = _build(
        "GradientCentralization",
        inner,
        convolutions_only=group["convolutions_only"],
        weight_decay=group["weight_decay"],
    )
    return rule
