"""Habits of training loops that a step of a rule cannot follow: each is refused by name, since it would go unseen."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import GameError, ParameterError

if TYPE_CHECKING:
    import torch

SETTINGS = ("weight_decay", "betas", "momentum", "eps", "amsgrad", "maximize", "nesterov", "dampening", "alpha")
USED_UP = "backward through the graph a second time"
OVERWRITTEN = "modified by an inplace operation"


def refuse_settings(group: Mapping[str, Any]) -> None:
    """Refuse a parameter group with settings of torch's optimisers: the rule has its own, and would not see them.

    Raises:
        ParameterError: by the settings' names.
    """
    given = [key for key in SETTINGS if key in group]
    if given:
        raise ParameterError(
            f"a parameter group with {', '.join(given)}",
            'groups whose "lr" alone is changed; all else is a setting of the rule',
            "gd.rules.AdamW(1e-3, betas=(0.5, 0.999), weight_decay=0.01)",
        )


class Inventory:
    """The parameters that some modules had when it was made.

    Args:
        networks: by name. known: the parameters that train, or may.
    """

    def __init__(self, networks: Mapping[str, torch.nn.Module], known: Iterable[torch.Tensor]) -> None:
        self._networks = networks
        self._known = list(known)
        self._places = [
            held for net in networks.values() for m in net.modules() for held in (m._parameters, m._modules)
        ]
        self._seen = self._look()

    def _look(self) -> list[int]:
        return [id(kept) for held in self._places for kept in held.values()]

    def check(self) -> None:
        """Refuse parameters that came since, and would not train, and hooks that would not run.

        Raises:
            GameError: by the names of parameters and network.
        """
        if any(p._post_accumulate_grad_hooks for p in self._known):
            raise GameError(
                "parameters with a hook after accumulated gradients, which a rule does not accumulate",
                "hooks on the gradients themselves",
                "parameter.register_hook(lambda gradient: ...)",
            )
        if self._look() == self._seen:
            return
        known = set(map(id, self._known))
        for name, network in self._networks.items():
            new = [key for key, p in network.named_parameters() if p.requires_grad and id(p) not in known]
            if new:
                raise GameError(
                    f"{', '.join(new[:4])} of {name}, added or replaced after the optimiser was made",
                    "the parameters that it was made with, which alone would train",
                    'optimizer.add_param_group({"params": layer.parameters()}) for a new layer; otherwise'
                    " for_modules anew, and load_state_dict without assign=True",
                )


@contextlib.contextmanager
def unchanged(networks: Sequence[torch.nn.Module]) -> Iterator[None]:
    """Refuse what writes into the networks' parameters meanwhile.

    Raises:
        GameError: where a value has changed.
    """
    import torch

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
    """Torch's errors about used-up graphs, in terms of the losses.

    Raises:
        GameError: for losses that call backward, step an optimiser, or keep graphs from step to step.
    """
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
