"""Habits of training loops that a step of a rule cannot follow: each is refused by name, since it would go unseen."""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, cast

from ..errors import DomainError, GameError, ParameterError
from ..lazy import torch
from ..types import Rule

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


def refuse_groups(groups: Sequence[Mapping[str, Any]], networks: Sequence[Sequence[torch.Tensor]]) -> None:
    """Raises ParameterError for groups that hold something else than the parameters of each network, in order."""
    held = [group["params"] for group in groups]
    if list(map(len, held)) != list(map(len, networks)) or not all(
        all(map(operator.is_, group, own)) for group, own in zip(held, networks, strict=True)
    ):
        raise ParameterError(
            "param_groups whose parameters were changed, which a step would not see",
            "one group for each network, with all of its parameters, in the order of the networks",
            "requires_grad_(False) on what is to wait, or a group's lr = 0",
        )


Gradients = dict[int, tuple[int, int]]


def gradients(networks: Sequence[Sequence[torch.Tensor]]) -> Gradients:
    """By parameter, which gradient it holds and how often that was written; to be compared later."""
    return {id(p): (id(p.grad), p.grad._version) for own in networks for p in own if p.grad is not None}


def refuse_backward(networks: Sequence[Sequence[torch.Tensor]], left_over: Gradients) -> None:
    """Refuse gradients that a loop has computed, and clipped perhaps, for a step that takes its own.

    Args:
        networks: the parameters of each.
        left_over: by `gradients`, from before the loop; those of an earlier training are no mistake.

    Raises:
        GameError: where all parameters of a network that train have new ones, and not all are zero.
    """
    for own in networks:
        if next((p.grad for p in own if p.requires_grad), None) is None:
            continue
        found = [p.grad for p in own if p.requires_grad]
        new = any(item not in left_over.items() for item in gradients([own]).items())
        if new and all(g is not None for g in found) and any(g is not None and bool(g.any()) for g in found):
            raise GameError(
                "gradients in `.grad`, of which a rule's step makes no use",
                "losses alone, of which the rule takes slopes itself",
                "leave out backward(), put every term into the losses, and clip by gd.rules.Clipped(rule, norm=...);"
                " zero_grad() after gradients that are only looked at",
            )


@contextlib.contextmanager
def looking_only(networks: Sequence[torch.nn.Module], rule: Rule) -> Iterator[None]:
    """Within this context, of a step by products, hooks on gradients may look and not change.

    Raises:
        DomainError: by a hook that changes a gradient: what it does would be done to derivatives of gradients too.
    """
    modules = [m for network in networks for m in network.modules()]
    places = [p._backward_hooks for m in modules for p in m._parameters.values() if p is not None]
    places += [held for m in modules for held in (m._backward_hooks, m._backward_pre_hooks)]
    held = [(place, dict(place)) for place in places if place]
    try:
        for place, hooks in held:
            place.update({key: _looking(hook, rule) for key, hook in hooks.items()})
        yield
    finally:
        for place, hooks in held:
            place.update(hooks)


def _looking(hook: Callable[..., Any], rule: Rule) -> Callable[..., Any]:
    def held(*given: Any) -> Any:
        now = given[0] if isinstance(given[0], torch.Tensor) else given[1]
        before = [None if g is None else g.detach().clone() for g in _listed(now)]
        found = hook(*given)
        after = _listed(now if found is None else found)
        if any(a is not None and b is not None and not torch.equal(a, b) for a, b in zip(after, before, strict=True)):
            raise DomainError(
                f"a hook that changes gradients, and {rule.name}, which differentiates gradients again",
                "hooks that only look",
                "the change inside the losses, gd.rules.Clipped(rule, norm=...), or a rule of gradients alone",
            )
        return found

    return held


def _listed(found: object) -> Sequence[torch.Tensor | None]:
    return found if isinstance(found, tuple | list) else (cast(torch.Tensor, found),)


@contextlib.contextmanager
def unchanged(networks: Sequence[torch.nn.Module]) -> Iterator[None]:
    """Raises GameError where a value of the networks' parameters has changed meanwhile."""
    before = [(p, p.detach().clone()) for network in networks for p in network.parameters()]
    yield
    if not all(torch.equal(p.detach().nan_to_num(), value.nan_to_num()) for p, value in before):
        raise GameError(
            "losses that change parameters, which a rule's step would undo",
            "losses that leave parameters as they are",
            "clip weights between steps, after optimizer.step(losses); nn.Embedding without max_norm",
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
