"""Ways of passing a point where kinks meet."""

from __future__ import annotations

from ..lazy import sympy
from .coefficients import Series


class Pass:
    """One way of passing a point: a side of each kink that meets there.

    Attributes:
        known: the series on this way.
    """

    def __init__(self, fixed: dict[sympy.Symbol, int]) -> None:
        self.known: dict[sympy.Expr, Series] = {}
        self._fixed, self._met = fixed, dict[object, int]()

    def side(self, kink: sympy.Expr, sides: int) -> int:
        """The side that is fixed; the first of a kink not met before."""
        if kink in self._fixed:
            return self._fixed[kink]
        self._met[kink] = max(sides, self._met.get(kink, 0))
        return 0

    def others(self) -> list[dict[sympy.Symbol, int]]:
        """The ways that part from this one at the kinks it was the first to meet."""
        found, sides = [], dict(self._fixed)
        for kink, count in self._met.items():
            found += [{**sides, kink: side} for side in range(1, count)]
            sides[kink] = 0
        return found
