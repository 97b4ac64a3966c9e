"""Results that NumPy reads as the points that they hold."""

from __future__ import annotations

import operator
from typing import Any, ClassVar

import numpy as np


class AsArray:
    """A result that is a point, or points: `numpy.asarray(result)` is its entry named `_array`."""

    _array: ClassVar[str] = "w"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        values = np.asarray(operator.attrgetter(self._array)(self), dtype=dtype)
        return values.copy() if copy else values
