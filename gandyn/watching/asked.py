"""The arguments of `gd.watch`, checked: networks, losses, a rule, how often, and the share of the time."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from ..errors import ParameterError, made, shown
from ..optim.calls import Losses
from .optimisers import Used, is_used


def checked(
    networks: Mapping[str, object], losses: object, rule: object, every: object, share: object
) -> tuple[dict[str, torch.nn.Module], Losses, Used | None]:
    """The networks, losses and rule of `gd.watch`, of the right kinds.

    Raises:
        ParameterError: for an argument of another kind, `every` below 1, or a share outside 0 to 1.
    """
    modules = {name: n for name, n in networks.items() if isinstance(n, torch.nn.Module)}
    wrong = {name: n for name, n in networks.items() if name not in modules}
    if wrong or len(networks) < 2:
        given = ", ".join(f"{name}={shown(n)}" for name, n in wrong.items()) or f"{len(networks)} network"
        of_class = next((n for n in wrong.values() if isinstance(n, type)), None)
        fix = made(of_class, "gd.watch(generator, discriminator, losses)")
        raise ParameterError(given, "two modules or a dict of at least two", fix)
    if not callable(losses) or isinstance(losses, torch.nn.Module | type):
        raise ParameterError(
            f"losses of type {type(losses).__name__}", "a function of the networks that returns a loss for each",
            "def losses(generator, discriminator): return generator_loss, discriminator_loss",
        )  # fmt: skip
    if rule is not None and not is_used(rule):
        raise ParameterError(
            f"rule={shown(rule)}", "a rule, or the optimisers in use, one for each network",
            made(rule, "rule=gd.rules.AlternatingGD(0.1), or rule=(generator_optimizer, discriminator_optimizer)"),
        )  # fmt: skip
    if every is not None and (isinstance(every, bool) or not isinstance(every, int) or every < 1):
        raise ParameterError(f"every={every!r}", "a whole number >= 1", "every=100")
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise ParameterError(f"share={share!r}", "a number from 0 to 1", "share=0.05")
    return modules, losses, rule
