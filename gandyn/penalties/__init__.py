"""Penalties and constraints on the discriminator: one small file each. `gd.penalties.NAME(...)` builds one."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ParameterError, made, shown
from ..registry import Registry

registry = Registry("penalty")

from .penalty import Critic, GradientPenalty, Penalty  # noqa: E402


def resolve(penalties: Penalty | str | Sequence[Penalty | str] | None) -> tuple[Penalty, ...]:
    """Penalties given as objects or as calls in text, such as "R1(0.3)": one, several, or none."""
    if penalties is None:
        return ()
    given = penalties if isinstance(penalties, (list, tuple)) else (penalties,)
    for one in given:
        if not isinstance(one, (Penalty, str)):
            needed = "a penalty, its call in text, or a list of them"
            raise ParameterError(f"a penalty: {shown(one)}", needed, made(one, '"R1(0.3)"'))
    return tuple(p if isinstance(p, Penalty) else registry.from_text(p) for p in given)


registry.load(__name__, list(__path__))

__all__ = ["Critic", "GradientPenalty", "Penalty", "registry", "resolve"]
__getattr__, __dir__ = registry.face(__all__)
