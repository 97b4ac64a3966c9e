"""Numbers that a figure must reproduce: each with its tolerance and where it comes from."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..errors import ParameterError


@dataclasses.dataclass(frozen=True)
class Expected:
    """One number that the data of a figure must reproduce.

    Attributes:
        name: what it is. value: the number. tolerance: the largest accepted |found - value|, absolute.
        source: the derivation, or the place in the paper.
        of: the data of the figure -> the number found.
        quick: False for a number that only holds at full settings.

    Example:
        >>> radius = Expected("radius after 10 steps", 1.01**5, 1e-12, "(1 + lr^2)^(T/2)", lambda data: data["radius"])
        >>> radius.check({"radius": 1.0}).holds
        False
    """

    name: str
    value: float
    tolerance: float
    source: str
    of: Callable[[Mapping[str, Any]], Any]
    quick: bool = True

    def __post_init__(self) -> None:
        if not self.tolerance >= 0:
            raise ParameterError(f"{self.name}: tolerance={self.tolerance}", "a number >= 0, absolute", "1e-9")
        if not (self.name and self.source):
            raise ParameterError("an expected number without name or source", "both", "say what it is, and whence")

    def check(self, data: Mapping[str, Any]) -> Checked:
        """Compare; a number that cannot be had from the data is a miss that says why."""
        found, reason = math.nan, ""
        try:
            found = float(self.of(data))
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}"
        return Checked(self.name, float(self.value), float(self.tolerance), self.source, found, reason)


@dataclasses.dataclass(frozen=True)
class Checked:
    """An expected number beside the one that was found: NaN, with the reason, where there was none."""

    name: str
    value: float
    tolerance: float
    source: str
    found: float
    reason: str = ""

    @property
    def holds(self) -> bool:
        """Whether they agree within the tolerance; NaN agrees with nothing."""
        return bool(abs(self.found - self.value) <= self.tolerance)

    def summary(self) -> str:
        """One line: name, found, expected, tolerance, source."""
        found = self.reason or f"found {self.found:.8g}"
        wanted = f"expected {self.value:.8g} within {self.tolerance:.1g}"
        return f"{'ok  ' if self.holds else 'MISS'} {self.name}: {found}, {wanted} [{self.source}]"

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        found = self.found if math.isfinite(self.found) else None
        return {**dataclasses.asdict(self), "found": found, "holds": self.holds}


def check(expected: Iterable[Expected], data: Mapping[str, Any], quick: bool = False) -> tuple[Checked, ...]:
    """Check all of them; with `quick`, those that hold at quick settings."""
    return tuple(one.check(data) for one in expected if one.quick or not quick)
