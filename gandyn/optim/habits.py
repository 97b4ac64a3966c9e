"""Habits of training loops that a step of a rule cannot follow: each is refused by name, since it would go unseen."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from ..errors import GameError, ParameterError
from ..lazy import torch

SETTINGS = ("weight_decay", "betas", "momentum", "eps", "amsgrad", "maximize", "nesterov", "dampening", "alpha")
TINY = 1e-290  # stands for a step size of 0, which rules refuse: what it moves is below every number's last digit
USED_UP = "backward through the graph a second time"
OVERWRITTEN = "modified by an inplace operation"


def refuse_settings(group: Mapping[str, Any], known: Collection[str] = ()) -> None:
    """Raises ParameterError for settings of a parameter group that a rule would not see; `known` ones it does."""
    given = [key for key in SETTINGS if key in group and key not in known]
    if given:
        raise ParameterError(
            f"a parameter group with {', '.join(given)}",
            'groups whose "lr" alone is changed; all else is a setting of the rule',
            "gd.rules.AdamW(1e-3, betas=(0.5, 0.999), weight_decay=0.01)",
        )


def refuse_inference() -> None:
    """Raises GameError in torch's inference mode, in which nothing has a slope."""
    if torch.is_inference_mode_enabled():
        raise GameError(
            "a step or a look in torch.inference_mode(), in which nothing has a slope",
            "torch.no_grad() at most, within which slopes are switched on again",
            "leave the inference mode before the step",
        )


Gradients = list[list[tuple[int, int] | None]]


def gradients(networks: Sequence[Sequence[torch.Tensor]]) -> Gradients:
    """Which gradients the parameters of each network hold, and how often they were written; to be compared later."""
    return [[None if p.grad is None else (id(p.grad), p.grad._version) for p in own] for own in networks]


def refuse_backward(networks: Sequence[Sequence[torch.Tensor]], left_over: Gradients) -> None:
    """Refuse gradients that a loop has computed, and clipped perhaps, for a step that takes its own.

    Args:
        networks: the parameters of each.
        left_over: by `gradients`, from before the loop; those of an earlier training are no mistake.

    Raises:
        GameError: where all parameters of a network that train have new ones.
    """
    for own, now, before in zip(networks, gradients(networks), left_over, strict=True):
        training = [p for p in own if p.requires_grad]
        if training and now != before and all(p.grad is not None for p in training):
            raise GameError(
                "gradients in `.grad`, of which a rule's step makes no use",
                "losses alone, of which the rule takes slopes itself",
                "leave out backward(), and clip by gd.rules.Clipped(rule, norm=...)",
            )


@contextlib.contextmanager
def unchanged(networks: Sequence[torch.nn.Module]) -> Iterator[None]:
    """Raises GameError where a value of the networks' parameters has changed meanwhile."""
    before = [(p, p.detach().clone()) for network in networks for p in network.parameters()]
    yield
    if not all(torch.equal(p.detach().nan_to_num(), value.nan_to_num()) for p, value in before):
        raise GameError(
            "losses that change parameters, which a rule's step would undo",
            "losses that leave parameters as they are",
            "clip weights between steps, after optimizer.step(losses)",
        )


def refuse_outside(cost: Any, parameters: Collection[torch.Tensor], since: int) -> None:
    """Refuse a cost that reaches parameters by a graph from before the step, at a point that the rule has left.

    Args:
        cost: of a later evaluation of the step. parameters: its player's. since: torch's count of nodes at the start.

    Raises:
        GameError: where it does.
    """
    own, met = {id(p) for p in parameters}, set()
    rest = [(cost.grad_fn, False)]
    while rest:
        node, outside = rest.pop()
        if node is None or (node, outside) in met:
            continue
        met.add((node, outside))
        leaf = getattr(node, "variable", None)
        if leaf is None:
            outside = outside or node._sequence_nr() < since
        elif outside and id(leaf) in own:
            raise GameError(
                "losses of a sample that was made before the step, of parameters that the rule has left",
                "losses that run the networks that they are given",
                "call generator(latent) inside the losses",
            )
        rest += [(following, outside) for following, _ in node.next_functions]


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Torch's errors about used-up graphs, explained. Raises GameError for losses that call backward or keep graphs."""
    try:
        yield
    except RuntimeError as error:
        if USED_UP not in str(error) and OVERWRITTEN not in str(error):
            raise
        raise GameError(
            "losses whose graph is used up or written over: they call backward, step an optimiser, or keep what was"
            " computed before this evaluation",
            "losses that compute all from the networks each time, and leave slopes and steps to the rule",
            "make samples inside the losses, and `.detach()` what is kept from step to step",
        ) from error
