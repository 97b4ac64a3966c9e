"""The length over which a game's Jacobian stays what it is at a point: in it, "at an equilibrium" is judged."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...types import Array

SOLVED = 1e-8


def own_length(slopes: Callable[[float], Array]) -> float:
    """1, or less where lengths are small: 1e-8 of it changes J by a millionth at most.

    So a coordinate near 0 is not taken for one in games whose own lengths are of its size.

    `slopes`: J, or J u for some u, at the point moved by so much in every coordinate.
    """
    here, length = slopes(0.0), 1.0
    allowed = 1e-6 * np.abs(here).max(initial=0.0)
    for _ in range(60):  # far beyond its own lengths a field may wind, and changes of J say little
        with np.errstate(invalid="ignore"):  # infinite less infinite: refused by whoever asks
            changed = np.abs(slopes(SOLVED * length) - here).max(initial=0.0)
        if not changed > 2 * allowed:
            break
        length *= max(float(allowed / changed), 1e-3) if allowed else 0.0
    return length
