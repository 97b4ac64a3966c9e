"""The optimisers of somebody's loop as a rule and its state: torch's own, one for each network, or the drop-in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeGuard

import torch

from ..errors import DomainError
from ..optim.for_modules import GameOptimizer
from ..oracles.packing import flattened
from ..rules.adaptive import Adam, AdamW, AMSGrad, RMSProp
from ..rules.alternating import Alternating
from ..rules.gradient import SimultaneousGD
from ..rules.heavy_ball import HeavyBall
from ..types import Array, Rule, State

Used = Rule | GameOptimizer | Sequence[torch.optim.Optimizer]
Vector = Callable[[str], Array]  # from a key of torch's state to one vector for the network
Settings = dict[str, Any]  # options of an optimiser by torch's names: numbers, flags and pairs


def is_used(rule: object) -> TypeGuard[Used]:
    """Whether `in_use` reads this: a rule, the optimiser of `gd.optim.for_modules`, or a list of torch's own."""
    if isinstance(rule, list | tuple):
        return bool(rule) and all(isinstance(one, torch.optim.Optimizer) for one in rule)
    return isinstance(rule, Rule | GameOptimizer)


def in_use(rule: Used, parameters: Sequence[Sequence[torch.Tensor]]) -> tuple[Rule, State | None]:
    """The rule that a loop's optimisers follow, and its state where it is known.

    Torch's optimisers are taken to step in turn, the discriminators first and the generator last, once each; which
    player begins does not change the spectrum of the round.

    Args:
        rule: a rule, the optimiser of `gd.optim.for_modules`, or torch's own, one for each network.
        parameters: the user's own parameters, network by network, in the order of the game.

    Raises:
        DomainError: for an optimiser or an option that no rule here stands for, and for one without a first step.
    """
    if isinstance(rule, GameOptimizer):
        return rule.rule, rule.rule_state
    if isinstance(rule, Rule):
        return rule, None
    read = [_of_network(own, rule) for own in parameters]
    order = (*range(1, len(parameters)), 0)
    return Alternating(tuple(one for one, _ in read), order=order), State(inner=tuple(state for _, state in read))


def unstepped(rule: Used | None, networks: Mapping[str, torch.nn.Module]) -> list[str]:
    """Parameters that train by their flag and that no optimiser in use holds, such as "0.weight of generator".

    An optimiser keeps the tensors that it was made with; a layer that came or was replaced later stays where it is.

    Args:
        rule: see `in_use`; of a rule alone nothing is known. networks: by name.
    """
    optimizers = (rule,) if isinstance(rule, GameOptimizer) else rule
    if not isinstance(optimizers, list | tuple):
        return []
    held = {id(p) for one in optimizers for group in one.param_groups for p in group["params"]}
    return [
        f"{key} of {name}"
        for name, network in networks.items()
        for key, p in network.named_parameters()
        if p.requires_grad and id(p) not in held
    ]


def _of_network(own: Sequence[torch.Tensor], optimizers: Sequence[torch.optim.Optimizer]) -> tuple[Rule, State]:
    members = {id(p) for p in own}
    for optimizer in optimizers:
        groups = [g for g in optimizer.param_groups if any(id(p) in members for p in g["params"])]
        if not groups:
            continue
        settings = [{k: v for k, v in g.items() if k != "params"} for g in groups]
        everything = {id(p) for g in optimizer.param_groups for p in g["params"]}
        if any(s != settings[0] for s in settings) or not members <= everything:
            raise DomainError(
                "a network with several step sizes, or parts that are not stepped", "one group", "rule=None"
            )
        return _read(optimizer, settings[0], own)
    raise DomainError("optimisers that do not hold every network", "one for each network", "rule=(over_g, over_d)")


def _read(optimizer: torch.optim.Optimizer, settings: Settings, own: Sequence[torch.Tensor]) -> tuple[Rule, State]:
    def vector(key: str) -> Array:
        states = [optimizer.state.get(p, {}) for p in own]
        if all(state.get(key) is None for state in states):
            raise DomainError(f"{type(optimizer).__name__} before its first step", "moments", "a later look")
        kept = [torch.zeros_like(p) if s.get(key) is None else s[key] for p, s in zip(own, states, strict=True)]
        return flattened([k.detach().to(p) for k, p in zip(kept, own, strict=True)], own)

    reader = next((read for kind, read in READERS if isinstance(optimizer, kind)), None)
    if reader is not None:
        _refuse(optimizer, settings)
        return reader(settings, vector, optimizer.state.get(own[0], {}))
    raise DomainError(
        f"the optimiser {type(optimizer).__name__}", "SGD, Adam, AdamW or RMSprop of torch, or a rule", "rule=None"
    )


def _refuse(optimizer: object, settings: Settings) -> None:
    coupled = not (settings.get("decoupled_weight_decay") or isinstance(optimizer, torch.optim.AdamW))
    wrong = [key for key in ("maximize", "nesterov", "dampening", "centered") if settings.get(key)]
    wrong += ["weight_decay"] if settings.get("weight_decay") and (coupled or settings.get("amsgrad")) else []
    wrong += ["momentum"] if settings.get("momentum") and isinstance(optimizer, torch.optim.RMSprop) else []
    if wrong:
        raise DomainError(f"{type(optimizer).__name__} with {', '.join(wrong)}", "its plain form", "rule=None")


def _adam(settings: Settings, vector: Vector, first: Settings) -> tuple[Rule, State]:
    first_beta, second_beta = map(float, settings["betas"])
    options = float(settings["lr"]), (first_beta, second_beta), float(settings["eps"])
    arrays = {"mean": vector("exp_avg"), "square": vector("exp_avg_sq")}
    counters = {"steps": int(first.get("step", 1))}
    if settings.get("amsgrad"):
        return AMSGrad(*options), State({**arrays, "largest": vector("max_exp_avg_sq")}, counters)
    decay = settings.get("weight_decay", 0.0)
    return (AdamW(*options, weight_decay=decay) if decay else Adam(*options)), State(arrays, counters)


def _rmsprop(settings: Settings, vector: Vector, first: Settings) -> tuple[Rule, State]:
    rule: Rule = RMSProp(float(settings["lr"]), settings["alpha"], settings["eps"])
    return rule, State({"square": vector("square_avg")})


def _sgd(settings: Settings, vector: Vector, first: Settings) -> tuple[Rule, State]:
    if not settings.get("momentum"):
        plain: Rule = SimultaneousGD(float(settings["lr"]))
        return plain, State()
    rule: Rule = HeavyBall(float(settings["lr"]), float(settings["momentum"]))
    return rule, State({"momentum": -vector("momentum_buffer")})


Reader = Callable[[Settings, Vector, Settings], tuple[Rule, State]]  # settings, vectors, state of one parameter
READERS: tuple[tuple[type, Reader], ...] = (
    (torch.optim.Adam, _adam),
    (torch.optim.AdamW, _adam),
    (torch.optim.RMSprop, _rmsprop),
    (torch.optim.SGD, _sgd),
)
