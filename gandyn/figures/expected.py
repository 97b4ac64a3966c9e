"""Numbers that a figure must reproduce, effects of the paper that it should show, and the verdict on both."""

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ..errors import ParameterError

SEEDS, AGREE = 5, 0.8


class Outcome(enum.StrEnum):
    """What came of a figure, from best to worst. The value is its own message."""

    REPRODUCED = "reproduced"
    IN_PART = "reproduced in part"
    NOT_SETTLED = "not settled"
    NOT_REPRODUCED = "not reproduced at these settings"
    CONTRADICTED = "contradicted"
    WRONG = "a number is wrong"
    FAILED = "failed"

    @property
    def exit_status(self) -> int:
        """What `gandyn figure` ends with: 1 is an error, 3 to 6 are answers about the paper."""
        return {"REPRODUCED": 0, "IN_PART": 4, "NOT_SETTLED": 5, "NOT_REPRODUCED": 3, "CONTRADICTED": 6}.get(
            self.name, 1
        )


@dataclasses.dataclass(frozen=True)
class Expected:
    """One number that the data of a figure must reproduce, or an effect of the paper that it should show.

    Attributes:
        name: what it is. value: the number. tolerance: the largest accepted |found - value|, absolute.
        source: the derivation, or the place in the paper.
        of: the data of the figure -> the number found; with networks an array of it, one number a seed.
        quick: False for a number that only holds at full settings; at quick settings it is not computed.
        effect: True for what the paper shows and no theory forces, looked for at every setting. A miss of any other
            number is an error; of what a missed effect is called, see `Checked.outcome`.
        contrary: of an effect, the number at and beyond which (seen from `value`) what was found contradicts it.

    Example:
        >>> radius = Expected("radius after 10 steps", 1.01**5, 1e-12, "(1 + lr^2)^(T/2)", lambda data: data["radius"])
        >>> radius.check({"radius": 1.0}).holds
        False
        >>> modes = Expected("modes", 8, 0, "figure 2", lambda data: data["modes"], effect=True, contrary=1)
        >>> str(modes.check({"modes": [8, 8, 1, 8, 8]}).outcome), str(modes.check({"modes": [1, 1, 1, 8, 1]}).outcome)
        ('reproduced', 'contradicted')
    """

    name: str
    value: float
    tolerance: float
    source: str
    of: Callable[[Mapping[str, Any]], Any]
    quick: bool = True
    effect: bool = False
    contrary: float = math.nan

    def __post_init__(self) -> None:
        if not 0 <= self.tolerance < math.inf:
            raise ParameterError(f"{self.name}: tolerance={self.tolerance}", "a finite number >= 0, absolute", "1e-9")
        if not (self.name and self.source):
            raise ParameterError(
                "an expected number without name or source",
                "a name and a source",
                "say what the number is, and where it comes from",
            )
        if abs(self.contrary - self.value) <= self.tolerance or not (self.effect or math.isnan(self.contrary)):
            raise ParameterError(
                f"{self.name}: contrary={self.contrary}", "a number outside the tolerance, of an effect", "contrary=0"
            )

    def check(self, data: Mapping[str, object]) -> Checked:
        """Compare; a number that cannot be had from the data is a miss that says why."""
        found, each, reason = math.nan, (), ""
        try:
            values = np.asarray(self.of(data), dtype=float)
            known = values[~np.isnan(values)]
            found = float(np.median(known)) if known.size else math.nan
            each = tuple(values.ravel().tolist()) if values.ndim else ()
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}"
        return Checked(
            self.name, float(self.value), float(self.tolerance), self.source, found, reason, self.effect, each,
            float(self.contrary), str(data.get("short", "")),
        )  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Checked:
    """An expected number beside the one that was found: NaN, with the reason, where there was none.

    Attributes:
        name, value, tolerance, source, effect, contrary: of the `Expected`.
        found: the number, of several seeds the median. each: the seeds' numbers; empty for what has no seeds.
        reason: why there is none. short: why the budget of the data decides nothing; "" where it does.
    """

    name: str
    value: float
    tolerance: float
    source: str
    found: float
    reason: str = ""
    effect: bool = False
    each: tuple[float, ...] = ()
    contrary: float = math.nan
    short: str = ""

    @property
    def holds(self) -> bool:
        """Whether they agree within the tolerance: an effect in four of five seeds, a number in every one."""
        if self.effect and 0 < len(self.each) < SEEDS:
            return False
        return self._share(lambda found: abs(found - self.value) <= self.tolerance) >= (AGREE if self.effect else 1)

    @property
    def outcome(self) -> Outcome:
        """What is to be said of this number alone.

        An effect is not settled with fewer than five seeds, with seeds that disagree, or where it is missed within a
        budget that decides nothing. Contradicted means that four of five seeds lie at `contrary` or beyond.
        """
        if self.holds:
            return Outcome.REPRODUCED
        if not self.effect or math.isnan(self.found):
            return Outcome.WRONG
        if self.short or 0 < len(self.each) < SEEDS:
            return Outcome.NOT_SETTLED
        side = self.contrary - self.value
        if self._share(lambda found: (found - self.contrary) * side >= 0) >= AGREE:
            return Outcome.CONTRADICTED
        seen = self._share(lambda found: abs(found - self.value) <= self.tolerance)
        return Outcome.NOT_REPRODUCED if seen <= round(1 - AGREE, 9) else Outcome.NOT_SETTLED

    def _share(self, holds: Callable[[float], bool]) -> float:
        """The share of the seeds of which something holds; NaN is none of them."""
        values = self.each or (self.found,)
        return round(sum(map(holds, values)) / len(values), 9)

    @property
    def band(self) -> str:
        """Least and largest, "7 to 8 in 5 seeds"; empty for what has no seeds."""
        return f"{min(self.each):.4g} to {max(self.each):.4g} in {_seeds(len(self.each))}" if self.each else ""

    def summary(self) -> str:
        """One line: name, found, expected, tolerance, source."""
        found = self.reason or f"found {self.found:.8g}" + (f" ({self.band})" if self.each else "")
        wanted = f"expected {self.value:.8g} within {self.tolerance:.1g}"
        mark = "ok  " if self.holds else "not " if self.effect else "MISS"
        verdict = f": {self.outcome}" if self.effect and not self.holds else ""
        return f"{mark} {self.name}: {found}, {wanted} [{self.source}]{verdict}"

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain values, for `json.dumps`."""
        numbers = {name: getattr(self, name) for name in ("found", "contrary")}
        known = {name: value if math.isfinite(value) else None for name, value in numbers.items()}
        each = [value if math.isfinite(value) else None for value in self.each]
        return {
            **dataclasses.asdict(self), **known, "each": each, "holds": self.holds, "outcome": str(self.outcome)
        }  # fmt: skip

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Checked:
        """From `to_dict`, where NaN is None."""
        fields = {name: value for name, value in plain.items() if name not in ("holds", "outcome")}
        each = tuple(math.nan if value is None else value for value in fields["each"])
        known = {name: math.nan if fields[name] is None else fields[name] for name in ("found", "contrary")}
        return cls(**{**fields, **known, "each": each})


def check(expected: Iterable[Expected], data: Mapping[str, object], quick: bool = False) -> tuple[Checked, ...]:
    """Check the numbers that have to hold; with `quick`, those that hold at quick settings."""
    return tuple(one.check(data) for one in expected if not one.effect and (one.quick or not quick))


def effects(expected: Iterable[Expected], data: Mapping[str, object]) -> tuple[Checked, ...]:
    """Look for the paper's effects, which need not be there at every setting."""
    return tuple(one.check(data) for one in expected if one.effect)


def outcome(checks: Iterable[Checked]) -> Outcome:
    """The verdict on a figure: any wrong number; else that of its effects, "in part" where some are seen and some not.

    Where none is seen it is the worst of them. A figure without effects states theory alone and is reproduced where its
    numbers hold.
    """
    found = list(checks)
    order = list(Outcome).index
    worst = max((one.outcome for one in found), key=order, default=Outcome.REPRODUCED)
    effects_seen = [one.holds for one in found if one.effect]
    if order(worst) < order(Outcome.WRONG) and any(effects_seen) and not all(effects_seen):
        return Outcome.IN_PART
    return worst


def verdict(checks: Iterable[Checked], data: Mapping[str, object]) -> str:
    """The outcome in words, with what it rests on: gradients where it is not settled, settings where not reproduced.

    They are what the data say under "gradients" (of one run), "settings", "short" and "seeds".

    Example:
        >>> modes = Expected("modes", 8, 0, "figure 2", lambda data: data["modes"], effect=True)
        >>> data = {"modes": np.array([3.0]), "gradients": 600, "seeds": [0]}
        >>> verdict([modes.check(data)], data)
        'not settled at 600 gradients; 1 seed'
    """
    known = list(checks)
    found, rest = outcome(known), [one.outcome for one in known if one.effect and not one.holds]
    text = _told(found, data)
    if found is Outcome.IN_PART:
        count = sum(one.effect for one in known)
        worst = max(rest, key=list(Outcome).index)
        more = "the rest" if len(set(rest)) == 1 else "at worst"
        text += f", {count - len(rest)} of {count} effects, {more} {_told(worst, data)}"
    seeds = data.get("seeds")
    number = len(seeds) if isinstance(seeds, (list, tuple, np.ndarray)) else 0
    return text + (f"; {_seeds(number)}" if number else "")


def _told(found: Outcome, data: Mapping[str, object]) -> str:
    """An outcome with the gradients or the settings that it is about."""
    text, gradients = str(found), data.get("gradients")
    if found is Outcome.NOT_SETTLED and gradients is not None:
        text += f" at {gradients} gradients"
    if found is Outcome.NOT_SETTLED and data.get("short"):
        text += f" ({data['short']})"
    if found in (Outcome.NOT_REPRODUCED, Outcome.CONTRADICTED) and data.get("settings"):
        text += f": {data['settings']}"
    return text


def _seeds(count: int) -> str:
    return f"{count} seed{'s' * (count != 1)}"
