"""Terms that stand beside a GAN's loss: penalties, and those that act on pictures or need networks, by name."""

from __future__ import annotations

from collections.abc import Sequence

from ..penalties import Penalty
from ..penalties import registry as penalties
from ..penalties import resolve as resolve_penalties
from ..text import fold
from . import rotation, similarity
from .registries import terms as registry

registry.register("Rotation", examples=({}, {"alpha": 0.5, "beta": 2.0}))(rotation.Rotation)
registry.register("Pixel", examples=({"weight": 1.0},))(similarity.Pixel)
registry.register("Perceptual", examples=({"weight": 1.0},))(similarity.Perceptual)


def resolve(given: Penalty | str | Sequence[Penalty | str] | None) -> tuple[Penalty, ...]:
    """Penalties and terms given as objects or as calls in text, "R1(0.3)", "Rotation(0.2)": one, several, or none."""
    if isinstance(given, str):
        given = (given,)
    if isinstance(given, (list, tuple)):
        given = [registry.from_text(one) if _is_term(one) else one for one in given]
    return resolve_penalties(given)


def _is_term(given: object) -> bool:
    """Whether a text calls one of the terms here and none of the penalties."""
    name = given.partition("(")[0].strip() if isinstance(given, str) else ""
    return fold(name) in {fold(entry.name) for entry in registry} and name not in penalties.entries
