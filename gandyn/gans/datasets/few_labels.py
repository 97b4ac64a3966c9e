"""Data of which few labels are known, for semi-supervised GANs."""

from __future__ import annotations

from ...doors import door
from ...errors import DomainError
from ..registries import datasets as registry
from .points import Points


@registry.register("few_labels", examples=())
@door
def few_labels(data: object = "digits", each: int = 10, seed: int = 0) -> Points:
    """Points with labels of which `each` of every class keep theirs; label K stands for "not labelled".

    Args:
        data: points with labels, or the name of a set. each: how many labels stay. seed: of the choice.

    Raises:
        ParameterError: as `Points.few_labelled`.
    """
    from . import resolve

    points = resolve(data)
    if not isinstance(points, Points):
        raise DomainError(f"few labels of {points!r}", "finitely many points with labels", 'data="digits"')
    return points.few_labelled(each, seed)
