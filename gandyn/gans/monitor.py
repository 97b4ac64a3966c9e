"""Failure modes of GAN training, named as they begin: each detector is one statistic of the log and one threshold."""

from __future__ import annotations

import abc
import dataclasses
import itertools
import math
import statistics
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from ..errors import ParameterError

Row = dict[str, Any]
BLIND = 0.99


@dataclasses.dataclass
class Finding:
    """A failure mode that the monitor saw begin.

    Attributes:
        name: of the failure mode. step: of the log row at which it was named.
        statistic, threshold: the number that crossed, and the one that it crossed.
        message: a sentence for people. ended: the step at which it was over, or None.
    """

    name: str
    step: int
    statistic: float
    threshold: float
    message: str
    ended: int | None = None

    def __str__(self) -> str:
        over = "" if self.ended is None else f", over at step {self.ended}"
        return f"{self.name} from step {self.step}{over}: {self.message}"

    def to_dict(self) -> dict[str, Any]:
        """Plain data; a statistic that is not finite is None."""
        data = dataclasses.asdict(self)
        return {**data, "statistic": self.statistic if math.isfinite(self.statistic) else None}


@dataclasses.dataclass(frozen=True)
class Detector(abc.ABC):
    """One failure mode. `statistic` reads it off the rows so far; None where they do not say.

    Attributes:
        threshold: beyond it the mode has begun.
        window: rows that the statistic looks at.
    """

    threshold: float
    window: int
    name: ClassVar[str]
    below: ClassVar[bool] = False

    @abc.abstractmethod
    def statistic(self, rows: Sequence[Row]) -> float | None:
        """The number that is held against the threshold."""

    @abc.abstractmethod
    def message(self, value: float) -> str:
        """A sentence for the person who trains: what a statistic of this value says about the run."""

    def waits(self, rows: Sequence[Row], others: Sequence[Detector]) -> bool:
        """Whether this mode, which would begin now, may be the sign of one that another detector is about to name."""
        return False

    def fires(self, rows: Sequence[Row]) -> float | None:
        """The statistic, if it lies beyond the threshold; None otherwise."""
        value = self.statistic(rows)
        if value is None or math.isnan(value):
            return None
        return value if (value < self.threshold if self.below else value > self.threshold) else None


@dataclasses.dataclass(frozen=True)
class VanishingGradient(Detector):
    """Median norm of the generator's gradient over the window, over the largest such median so far, below 1/20.

    `player` is the generator's name.

    Said only while the discriminator tells data from samples without fail (`order` >= 0.99 throughout the window): near
    an equilibrium the gradient is small too, but there the discriminator cannot tell. The theory is Arjovsky & Bottou
    2017, theorem 2.4; with the saturating loss the gradient falls as the discriminator's error does.
    """

    threshold: float = 0.05
    window: int = 5
    player: str = "generator"
    name = "vanishing generator gradient"
    below = True

    def statistic(self, rows: Sequence[Row]) -> float | None:
        """The median gradient norm over the window, divided by the largest such median so far."""
        norms = [_number(row.get("gradient_norms", {}).get(self.player)) for row in rows]
        if len(rows) < self.window or min(_column(rows[-self.window :], "order"), default=0.0) < BLIND:
            return None
        medians = [statistics.median(norms[max(i - self.window, 0) : i]) for i in range(1, len(norms) + 1)]
        largest = max(m for m in medians if not math.isnan(m)) if not all(map(math.isnan, medians)) else 0.0
        return medians[-1] / largest if largest > 0 else None

    def message(self, value: float) -> str:
        """A sentence: how far the generator's gradient has fallen."""
        return f"the generator's gradient fell to {value:.2g} of what it was, and the discriminator makes no mistakes"


@dataclasses.dataclass(frozen=True)
class Saturation(Detector):
    """Mean probability that the discriminator gives to wrong answers (`doubt`) over the window, below 1 %.

    For losses whose best logit is the log-odds of data against samples; an undecided discriminator has 1/2.
    """

    threshold: float = 0.01
    window: int = 5
    name = "discriminator saturation"
    below = True

    def statistic(self, rows: Sequence[Row]) -> float | None:
        """The mean of `doubt` over the window, between 0 and 1; None before the window is full."""
        doubts = _column(rows[-self.window :], "doubt")
        return statistics.fmean(doubts) if len(doubts) == self.window else None

    def message(self, value: float) -> str:
        """A sentence: how little the discriminator doubts its answers, in percent."""
        return f"the discriminator is sure and right: {100 * value:.2g} % doubt"


@dataclasses.dataclass(frozen=True)
class ModeCollapse(Detector):
    """Share of the data's modes that good samples do without, 1 - exp(H) / k, the least over the window, above 45 %.

    H is the entropy of the k modes' shares of the good samples, in nats: exp(H) is how many modes there are in effect,
    k for equal shares and fewer where some modes hardly occur. Only rows in which at least half of the samples lie near
    a mode count: a generator that has learnt nothing yet has not collapsed. Where the modes' shares of the data are in
    the row too (`data_shares`) it is the share of the data in modes with under 1/5 as many samples as data. On all
    data, samples whose own spread is under 1/20 of the data's are one point: share 1.
    """

    threshold: float = 0.45
    window: int = 3
    name = "mode collapse"

    def statistic(self, rows: Sequence[Row]) -> float | None:
        """The least share of missing modes over the window; 1 where all samples are one point."""
        if (
            all(_number(row.get("own_spread")) < 0.05 for row in rows[-2 * self.window :])
            and len(rows) >= 2 * self.window
        ):
            return 1.0
        measured = [row["metrics"] for row in rows if row.get("metrics")][-self.window :]
        missing = [_missing(metrics) for metrics in measured]
        known = [share for share in missing if share is not None]
        return min(known) if len(known) == self.window else None

    def expected(self, rows: Sequence[Row]) -> bool:
        """Whether the last measurement of these rows says collapse, by itself."""
        measured = [row["metrics"] for row in rows if row.get("metrics")]
        missing = _missing(measured[-1]) if measured else None
        return missing is not None and missing > self.threshold

    def message(self, value: float) -> str:
        """A sentence: the share of the data's modes that the samples do without."""
        return (
            f"samples do without {100 * value:.0f} % of the data's modes" if value < 1 else "all samples are one point"
        )


def _missing(metrics: Row) -> float | None:
    shares = [float(share) for share in metrics.get("shares", ()) if share > 0]
    if not shares or not metrics.get("near_quality", 0.0) >= 0.5:
        return None
    if "data_shares" in metrics:
        pairs = zip(metrics["shares"], metrics["data_shares"], strict=True)
        return float(sum(data for share, data in pairs if share < data / 5))
    total = sum(shares)
    entropy = -sum(share / total * math.log(share / total) for share in shares)
    return 1 - math.exp(entropy) / len(metrics["shares"])


@dataclasses.dataclass(frozen=True)
class Oscillation(Detector):
    """How far the samples' mean travels from row to row without getting anywhere: mean step length minus net progress.

    Over the window of c_0, ..., c_n (`center`, in units of the data's own spread),
    (sum |c_k - c_{k-1}| - 2 |c_n - c_0|) / n above 0.4: a mean that hops between modes and returns. A run that settles
    stands still; one that travels in a line has net progress. Where the rows have the mean's standard error in their
    batch (`center_noise`, one axis), the step that it makes by itself is taken off: sqrt(pi) of it for two axes.
    Samples that are all in one mode hop too, when that mode changes: while the last measurement within the window says
    collapse, and too few have been made to name it, oscillation waits, so that the collapse is named first.
    """

    threshold: float = 0.4
    window: int = 12
    name = "oscillation"

    def waits(self, rows: Sequence[Row], others: Sequence[Detector]) -> bool:
        """Whether a collapse is expected, and not yet named."""
        collapses = [one for one in others if isinstance(one, ModeCollapse)]
        return any(one.expected(rows[-self.window :]) and one.fires(rows) is None for one in collapses)

    def statistic(self, rows: Sequence[Row]) -> float | None:
        """(path length - 2 net displacement) / n of the samples' mean over the window; None before it is full."""
        window = [row for row in rows[-self.window - 1 :] if row.get("center")]
        centers = [row["center"] for row in window]
        if len(centers) <= self.window or any(x is None for center in centers for x in center):
            return None
        path = sum(math.dist(a, b) for a, b in itertools.pairwise(centers))
        noise = statistics.fmean(row.get("center_noise", 0.0) for row in window)
        return (path - 2 * math.dist(centers[0], centers[-1])) / self.window - math.sqrt(math.pi) * noise

    def message(self, value: float) -> str:
        """A sentence: how far the samples' mean moves to and fro between two rows of the log."""
        return f"the samples' mean moves to and fro by {value:.2f} of the data's spread from row to row"


@dataclasses.dataclass(frozen=True)
class Divergence(Detector):
    """Samples' root mean square distance from the data's mean (`spread`, in units of the data's own) above 10.

    Also the norm of a player's gradient above 10 000 times its median in the first rows, as the ratio over 1 000 ; and,
    at once, a number in the row that is not finite: the statistic is then infinite.
    """

    threshold: float = 10.0
    window: int = 5
    name = "divergence"

    def statistic(self, rows: Sequence[Row]) -> float | None:
        """The larger of `spread` and the gradient's growth over 1 000; infinite once a number is not finite."""
        last = rows[-1]
        numbers = [*last.get("losses", {}).values(), *last.get("gradient_norms", {}).values()]
        if any(not math.isfinite(_number(x)) for x in numbers) or not math.isfinite(_number(last.get("spread", 0.0))):
            return math.inf
        growth = 0.0
        if len(rows) > self.window:
            for player, norm in last.get("gradient_norms", {}).items():
                first = statistics.median(_number(row["gradient_norms"].get(player)) for row in rows[: self.window])
                growth = max(growth, norm / first / 1000 if first > 0 else 0.0)
        return max(_number(last.get("spread", 0.0)), growth)

    def message(self, value: float) -> str:
        """A sentence: which quantity has diverged, the costs and gradients, the samples or a gradient."""
        if math.isinf(value):
            return "a cost or a gradient is no longer a finite number"
        return f"samples or gradients have left their scale ({value:.3g} times)"


DETECTORS: tuple[Detector, ...] = (VanishingGradient(), Saturation(), ModeCollapse(), Oscillation(), Divergence())


class Monitor:
    """Reads a log row by row and names failure modes as they begin.

    Its findings are a function of the rows alone, so a run that goes on from a checkpoint feeds it the old ones again.

    Args:
        detectors: which to run; all by default.

    Example:
        >>> monitor = Monitor()
        >>> rows = [{"step": 50 * k, "doubt": 0.4 / 2**k} for k in range(12)]
        >>> [str(finding) for row in rows for finding in monitor.update(row)]
        ['discriminator saturation from step 400: the discriminator is sure and right: 0.97 % doubt']
    """

    def __init__(self, detectors: Iterable[Detector] = DETECTORS) -> None:
        self.detectors = tuple(detectors)
        self.rows: list[Row] = []
        self.findings: list[Finding] = []
        self._active: dict[str, Finding] = {}

    def update(self, row: Row) -> list[Finding]:
        """Take one row; the findings that begin with it."""
        self.rows.append(row)
        begun = []
        for detector in self.detectors:
            value, active = detector.fires(self.rows), self._active.get(detector.name)
            if value is not None and active is None and not detector.waits(self.rows, self.detectors):
                found = Finding(detector.name, row["step"], value, detector.threshold, detector.message(value))
                self._active[detector.name] = found
                begun.append(found)
            elif value is None and active is not None:
                active.ended = row["step"]
                del self._active[detector.name]
        self.findings += begun
        return begun


def diagnose(rows: Iterable[Row]) -> list[Finding]:
    """The failure modes that a log of training shows, each with the step at which it began.

    Args:
        rows: of a log, in order.

    Returns:
        Findings, each with the step at which it begins.

    Raises:
        ParameterError: for what is no row, a dict of a log.
    """
    monitor = Monitor()
    for row in rows:
        if not isinstance(row, dict):
            raise ParameterError(f"{row!r} in place of a row", "rows of a log, which are dicts", "run.rows")
        monitor.update(row)
    return monitor.findings


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _column(rows: Sequence[Row], name: str) -> list[float]:
    return [float(row[name]) for row in rows if row.get(name) is not None]
