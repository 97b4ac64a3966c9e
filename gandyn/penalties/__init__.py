"""Penalties and constraints on the discriminator: one small file each. `gd.penalties.NAME(...)` builds one."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ParameterError
from ..registry import Registry

registry = Registry("penalty")

from .penalty import Critic, GradientPenalty, Penalty  # noqa: E402


def resolve(penalties: Penalty | str | Sequence[Penalty | str] | None) -> tuple[Penalty, ...]:
    """Penalties given as objects or as calls in text, such as "R1(0.3)": one, several, or none."""
    if penalties is None:
        return ()
    if isinstance(penalties, (Penalty, str)):
        penalties = (penalties,)
    if not isinstance(penalties, (list, tuple)) or not all(isinstance(p, (Penalty, str)) for p in penalties):
        given = f"the class {penalties.__name__}" if isinstance(penalties, type) else repr(penalties)
        raise ParameterError(f"penalties={given}", "a penalty, its call in text, or a list of them", '"R1(0.3)"')
    return tuple(p if isinstance(p, Penalty) else registry.from_text(p) for p in penalties)


registry.load(__name__, list(__path__))

__all__ = ["Critic", "GradientPenalty", "Penalty", "registry", "resolve"]
__getattr__, __dir__ = registry.face(__all__)
