"""Points of a plane at which figures show fields and surfaces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def grid(box: Sequence[tuple[float, float]], count: int, margin: bool = False) -> np.ndarray:
    """(count, count, 2) points of a box; with a margin they keep half a cell from its border, as arrows need it.

    Example:
        >>> grid([(0, 1), (0, 2)], 3)[-1, -1]
        array([1., 2.])
        >>> grid([(0, 1), (0, 2)], 2, margin=True)[0, 0]
        array([0.25, 0.5 ])
    """
    inner = [(high - low) / (2 * count) if margin else 0.0 for low, high in box]
    sides = [np.linspace(low + m, high - m, count) for (low, high), m in zip(box, inner, strict=True)]
    return np.stack(np.meshgrid(*sides), axis=-1)
