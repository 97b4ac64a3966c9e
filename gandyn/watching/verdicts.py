"""What the rows say of each loss: turning, settling and by when, stuck, diverging, failing, or undecided and why."""

from __future__ import annotations

import dataclasses
import enum
import math
import statistics
from collections.abc import Sequence

import numpy as np

from ..gans.monitor import Detector, Finding, Row
from ..types import Array

LEAST, WINDOW = 8, 40
CLEAR = 3.0  # standard errors beyond which a trend counts
STILL = 1e-9  # of the parameters' size, moved from look to look
AT_REST = 1e-6  # of the largest gradient so far
GROWTH = 10.0
OWN = {
    "vanishing generator gradient": True,
    "mode collapse": True,
    "oscillation": True,
    "discriminator saturation": False,
    "sigmoid taken for a logit": False,
}


@dataclasses.dataclass(frozen=True)
class TwoSigmoids(Detector):
    """A discriminator that ends in a sigmoid, whose loss takes the output for a logit: there are two."""

    threshold: float = 0.5
    window: int = 1
    name = "sigmoid taken for a logit"

    def statistic(self, rows: Sequence[Row]) -> float | None:
        """1 where the newest loss has the slopes of a loss of logits, at outputs of a sigmoid; None otherwise."""
        return rows[-1].get("sigmoid_as_logit") or None

    def message(self, value: float) -> str:
        """A sentence: what is wrong, and the usual fix."""
        return "the discriminator ends in a sigmoid and its loss applies another: take one of them out"


class Kind(enum.StrEnum):
    """What becomes of a loss. The value of each member is its message in reports."""

    TURNING = "turning normally"
    SETTLING = "settling"
    AT_REST = "at rest"
    STUCK = "stuck"
    DIVERGING = "diverging"
    FAILING = "failing"
    UNDECIDED = "undecided"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What becomes of one network's loss.

    Attributes:
        name: name of the network.
        kind: one of `Kind`.
        reason: a sentence with the numbers behind the kind.
        until: training step at which the loss is predicted to have settled; None where nothing is predicted.
    """

    name: str
    kind: Kind
    reason: str
    until: int | None = None

    def __str__(self) -> str:
        return f"{self.name}: {self.kind}: {self.reason}"

    def to_dict(self) -> Row:
        """The verdict as plain data, for `json.dumps`."""
        return {**dataclasses.asdict(self), "kind": self.kind.name}


def verdict(name: str, rows: Sequence[Row], findings: Sequence[Finding], generator: bool) -> Verdict:
    """The verdict on one network's loss from the rows so far.

    The first of these tests that applies decides: a failure mode that is going on and concerns this network; a
    gradient or loss that grows more than tenfold over the window, with a trend of more than three standard errors;
    parameters that stand still; a gradient that falls, or a loss whose changes shrink (both extrapolated to a step); a
    loss without a trend. Where none applies the verdict is undecided. Trends are Kendall's rank correlation over the
    last 40 looks (`trend`).

    Args:
        name: name of the network.
        rows, findings: the watch's, in the order of time.
        generator: whether this network makes the samples.
    """
    first = ("divergence", "mode collapse")  # what explains the others that show beside it
    active = sorted((f for f in findings if f.ended is None), key=lambda f: [f.name != name for name in first])
    for found in active:
        if found.name == "divergence":
            return Verdict(name, Kind.DIVERGING, found.message)
        if OWN.get(found.name, generator) == generator:
            return Verdict(name, Kind.FAILING, str(found))
    rows = [row for row in rows if "losses" in row][-WINDOW:]
    if len(rows) < LEAST:
        return Verdict(
            name, Kind.UNDECIDED, f"{len(rows)} look{'' if len(rows) == 1 else 's'} so far, and {LEAST} are needed"
        )
    steps = np.array([row["step"] for row in rows], float)
    series = _Series(
        steps,
        np.array([row["losses"][name] for row in rows]),
        np.array([row["gradient_norms"][name] for row in rows]),
        np.array([row["moved"][name] / max(row["parameter_norms"][name], 1e-30) for row in rows if row.get("moved")]),
    )
    for ask in (_diverging, _still, _settling, _turning):
        found_kind = ask(name, series)
        if found_kind is not None:
            return found_kind
    return Verdict(
        name, Kind.UNDECIDED, "the loss still has a trend, at a pace that does not slacken: it is on its way"
    )


@dataclasses.dataclass(frozen=True)
class _Series:
    """One network's numbers over the window: steps, losses, gradient norms, and moves relative to the parameters."""

    steps: Array
    losses: Array
    norms: Array
    moves: Array


def _diverging(name: str, series: _Series) -> Verdict | None:
    for what, values in (("gradient", series.norms), ("loss", np.abs(series.losses))):
        if values.min() <= 0:
            continue
        third = max(len(values) // 3, 2)
        growth = float(np.median(values[-third:]) / np.median(values[:third]))
        rate = _slope(series.steps, np.log(values))
        if growth > GROWTH and trend(np.log(values)) > CLEAR and rate > 0:
            return Verdict(
                name,
                Kind.DIVERGING,
                f"the {what} grew {growth:.3g} times, tenfold every {math.log(10) / rate:.3g} steps",
            )
    return None


def _still(name: str, series: _Series) -> Verdict | None:
    largest, last = float(series.norms.max()), float(np.median(series.norms[-LEAST // 2 :]))
    if len(series.moves) >= LEAST // 2 and float(series.moves[-LEAST // 2 :].max()) <= STILL:
        if last <= AT_REST * largest:
            return Verdict(name, Kind.AT_REST, f"its gradient fell to {last:.2g} and its parameters stand still")
        return Verdict(
            name,
            Kind.STUCK,
            f"its parameters do not move, and its gradient is {last:.3g}: is it frozen, or not stepped?",
        )
    if last <= AT_REST * largest or largest == 0:
        kind = Kind.STUCK if largest == 0 else Kind.AT_REST
        return Verdict(name, kind, f"its gradient is {last:.2g}, of {largest:.3g} at most in these rows")
    return None


def _settling(name: str, series: _Series) -> Verdict | None:
    steps, norms = series.steps, series.norms
    if norms.min() > 0 and trend(np.log(norms)) < -CLEAR:
        rate, third = -_slope(steps, np.log(norms)), max(len(norms) // 3, 2)
        fall = float(np.median(norms[:third]) / np.median(norms[-third:]))
        if rate > 0 and fall > 1.5:
            until = int(steps[-1] + max(math.log(norms[-1] / (0.01 * norms.max())), 0.0) / rate)
            reason = f"its gradient halves every {math.log(2) / rate:.3g} steps; at 1 % of its largest by step {until}"
            return Verdict(name, Kind.SETTLING, reason + ", at this pace", until)
    if abs(trend(series.losses)) <= CLEAR:
        return None
    first, middle, last = (float(np.median(part)) for part in np.array_split(series.losses, 3))
    pace = (last - middle) / (middle - first) if middle != first else math.inf
    if not 0 <= pace < 0.7:
        return None
    limit = last + (last - middle) * pace / (1 - pace)
    span = (steps[-1] - steps[0]) / 3
    until = int(steps[-1] + (span * math.log(0.05) / math.log(pace) if pace > 0.01 else 0.0))
    return Verdict(
        name,
        Kind.SETTLING,
        f"its loss tends to about {limit:.3g}; 5 % of the last change are left by step {until}",
        until,
    )


def _turning(name: str, series: _Series) -> Verdict | None:
    if abs(trend(series.losses)) > CLEAR:
        return None
    spread = statistics.stdev(series.losses)
    reason = f"its loss is {series.losses.mean():.3g} +- {spread:.2g} without a trend"
    reason += f", and its gradient {series.norms.mean():.2g}"
    way = trend(series.norms)
    told = " without one either" if abs(way) <= CLEAR else ", which still grows" if way > 0 else ", which still falls"
    return Verdict(name, Kind.TURNING, reason + told)


def trend(values: Array) -> float:
    """Kendall's S over its standard error: beyond 3 or below -3 the values (n,) clearly rise or fall.

    S counts pairs in rising order minus pairs in falling order; without a trend its variance is n (n-1) (2n+5) / 18.
    The error is enlarged by sqrt((1 + r) / (1 - r)), r the lag-one correlation of the residuals about a cubic.
    """
    n = len(values)
    signs = np.sign(values[None, :] - values[:, None])
    total = float(np.triu(signs, 1).sum())
    error = math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    place = np.linspace(-1, 1, n)
    rest = values - np.polyval(np.polyfit(place, values, 3), place)
    size = float(rest @ rest)
    clear = size > 1e-12 * float(((values - values.mean()) ** 2).sum())
    alike = min(max(float(rest[1:] @ rest[:-1]) / size, 0.0), 0.95) if clear else 0.0
    return total / error * math.sqrt((1 - alike) / (1 + alike))


def _slope(steps: Array, values: Array) -> float:
    return float(np.polyfit(steps, values, 1)[0])
