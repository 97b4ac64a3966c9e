"""Games, rules and trajectories at the door; texts are read as what they name."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..arguments.values import NOTHING
from ..errors import ParameterError, made, shown
from ..results import Trajectory
from ..types import Game, Rule
from ..worlds import exact


def game(name: str, value: object, given: Mapping[str, object] = NOTHING) -> Any:
    """A game, also from text such as "bilinear" or "dirac_gan(wasserstein)". Raises ParameterError otherwise."""
    if isinstance(value, Game):
        return value
    if isinstance(value, str):
        from .. import games

        return games.registry.from_text(value)
    fix = "the game comes first, then the rule" if isinstance(value, Rule) else made(value, "gd.games.bilinear()")
    if hasattr(value, "parameters") and hasattr(value, "forward"):
        fix = "gd.gans.GANGame(generator, discriminator, data=...)"
    raise ParameterError(f"{name}={shown(value)}", "a game", fix)


def rule(name: str, value: object, given: Mapping[str, object] = NOTHING) -> Any:
    """A rule, also from text such as "GDA(0.1)". Raises ParameterError for anything else, with the usual fix."""
    if isinstance(value, Rule):
        return _with_symbols(value)
    if isinstance(value, str):
        from .. import rules

        try:
            return rules.registry.from_text(value)
        except ParameterError as error:
            raise type(error)(
                f"{name}={shown(value)}: {error.given}", f"an update rule; {error.needed}", error.fix
            ) from None
    of_ours = isinstance(value, type) and issubclass(value, Rule)
    fix = "derive the class from gandyn.types.Rule" if hasattr(value, "step") else "gd.rules.GDA(0.1)"
    if hasattr(value, "zero_grad"):  # an optimiser of torch
        fix = "gd.rules.Alternating(gd.rules.Adam(1e-3)), which is Adam for each network in turn"
    raise ParameterError(f"{name}={shown(value)}", "an update rule", made(value, fix) if of_ours else fix)


def _with_symbols(value: Rule) -> Rule:
    """The rule with texts among its step sizes as what they mean, which rules that parse them have done themselves."""
    names = dict.fromkeys((*value.step_sizes, *value.per_player_parameters))
    texts = {name: getattr(value, name) for name in names if isinstance(getattr(value, name, None), str)}
    if not texts:
        return value
    read = copy.copy(value)
    for name, text in texts.items():
        object.__setattr__(read, name, exact(text))
    return read


def rules_of(name: str, value: object, given: Mapping[str, object] = NOTHING) -> Any:
    """Several rules: a sequence of them, or a mapping from names to them."""
    if isinstance(value, (Rule, str)):
        return [rule(name, value)]
    if isinstance(value, Mapping):
        return {str(key): rule(f"{name}[{key!r}]", one) for key, one in value.items()}
    if not isinstance(value, (Sequence, np.ndarray)):
        raise ParameterError(f"{name}={shown(value)}", "a list of rules", "[gd.rules.GDA(0.1), gd.rules.SGA(0.1, 0.1)]")
    return [rule(f"{name}[{k}]", one) for k, one in enumerate(value)]


def trajectory(name: str, value: object, given: Mapping[str, object] = NOTHING) -> Trajectory:
    """Return `value` where it is a trajectory, as `gd.iterate` returns one; refuse anything else."""
    if not isinstance(value, Trajectory):
        raise ParameterError(f"{name}={shown(value)}", "a trajectory", "gd.iterate(game, rule, start, steps)")
    if 0 in value.w.shape:
        raise ParameterError(f"{name}={shown(value)}", "one start or more", "gd.iterate(game, rule, start, steps)")
    return value
