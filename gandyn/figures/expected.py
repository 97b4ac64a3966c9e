"""Numbers that a figure must reproduce, effects of the paper that it should show, and the verdict on both."""

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..errors import ParameterError


class Outcome(enum.StrEnum):
    """What came of a figure. The value is its own message."""

    REPRODUCED = "reproduced"
    NOT_REPRODUCED = "not reproduced at these settings"
    WRONG = "a number is wrong"
    FAILED = "failed"


@dataclasses.dataclass(frozen=True)
class Expected:
    """One number that the data of a figure must reproduce, or an effect of the paper that it should show.

    Attributes:
        name: what it is. value: the number. tolerance: the largest accepted |found - value|, absolute.
        source: the derivation, or the place in the paper.
        of: the data of the figure -> the number found.
        quick: False for a number that only holds at full settings; at quick settings it is not computed.
        effect: True for what the paper shows and no theory forces, looked for at every setting. A miss then means "not
            reproduced at these settings"; a miss of any other number is an error.

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
    effect: bool = False

    def __post_init__(self) -> None:
        if not self.tolerance >= 0:
            raise ParameterError(f"{self.name}: tolerance={self.tolerance}", "a number >= 0, absolute", "1e-9")
        if not (self.name and self.source):
            raise ParameterError(
                "an expected number without name or source",
                "a name and a source",
                "say what the number is, and where it comes from",
            )

    def check(self, data: Mapping[str, object]) -> Checked:
        """Compare; a number that cannot be had from the data is a miss that says why."""
        found, reason = math.nan, ""
        try:
            found = float(self.of(data))
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}"
        return Checked(self.name, float(self.value), float(self.tolerance), self.source, found, reason, self.effect)


@dataclasses.dataclass(frozen=True)
class Checked:
    """An expected number beside the one that was found: NaN, with the reason, where there was none."""

    name: str
    value: float
    tolerance: float
    source: str
    found: float
    reason: str = ""
    effect: bool = False

    @property
    def holds(self) -> bool:
        """Whether they agree within the tolerance; NaN agrees with nothing."""
        return bool(abs(self.found - self.value) <= self.tolerance)

    def summary(self) -> str:
        """One line: name, found, expected, tolerance, source."""
        found = self.reason or f"found {self.found:.8g}"
        wanted = f"expected {self.value:.8g} within {self.tolerance:.1g}"
        mark = "ok  " if self.holds else "not " if self.effect else "MISS"
        return f"{mark} {self.name}: {found}, {wanted} [{self.source}]"

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain values, for `json.dumps`."""
        found = self.found if math.isfinite(self.found) else None
        return {**dataclasses.asdict(self), "found": found, "holds": self.holds}


def check(expected: Iterable[Expected], data: Mapping[str, object], quick: bool = False) -> tuple[Checked, ...]:
    """Check the numbers that have to hold; with `quick`, those that hold at quick settings."""
    return tuple(one.check(data) for one in expected if not one.effect and (one.quick or not quick))


def effects(expected: Iterable[Expected], data: Mapping[str, object]) -> tuple[Checked, ...]:
    """Look for the paper's effects, which need not be there at every setting."""
    return tuple(one.check(data) for one in expected if one.effect)


def outcome(checks: Iterable[Checked]) -> Outcome:
    """The verdict on a figure, from its numbers and effects: any wrong number, else any effect not seen."""
    missed = [one for one in checks if not one.holds]
    if any(not one.effect for one in missed):
        return Outcome.WRONG
    return Outcome.NOT_REPRODUCED if missed else Outcome.REPRODUCED
