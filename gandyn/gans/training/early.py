"""Stopping a run early: a rule on the rows of its log, such as a duality gap that no longer falls."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from ...errors import ParameterError
from .log import Row


@dataclasses.dataclass(frozen=True)
class EarlyStopping:
    """Stop when a metric has not improved for a while, by more than `least`.

    Called with the rows of the log so far, it answers with the reason to stop, or "". It looks at nothing but the log,
    so a run that goes on from a checkpoint stops where the whole one would have.

    Args:
        metric: a number of the rows' metrics, "duality_gap" for instance; smaller is better unless `largest`.
        patience: measurements without improvement.
        least: what counts as one.
        largest: larger is better, as for "high_quality".
        below: stop at once where the metric is at most this (at least this, with `largest`).

    Example:
        >>> rows = [{"step": k, "metrics": {"duality_gap": g}} for k, g in enumerate([3.0, 1.0, 1.2, 1.1])]
        >>> EarlyStopping("duality_gap", patience=2)(rows)
        'duality_gap has not improved on 1, of step 1, in 2 measurements'
    """

    metric: str = "duality_gap"
    patience: int = 5
    least: float = 0.0
    largest: bool = False
    below: float | None = None

    def __post_init__(self) -> None:
        if isinstance(self.patience, bool) or not isinstance(self.patience, int) or self.patience < 1:
            raise ParameterError(f"patience={self.patience!r}", "a whole number >= 1", "patience=5")
        if not self.least >= 0:
            raise ParameterError(f"least={self.least!r}", "a number >= 0", "least=0.01")

    def __call__(self, rows: Sequence[Row]) -> str:
        """The reason to stop, or ""."""
        seen = [(row["step"], row["metrics"][self.metric]) for row in rows if self.metric in row.get("metrics", {})]
        if not seen:
            measured = [row["metrics"] for row in rows if "metrics" in row]
            if measured:
                known = ", ".join(sorted(measured[-1]))
                raise ParameterError(f"early stopping on {self.metric!r}", f"a metric of the run: {known}", "name one")
            return ""
        sign = -1.0 if self.largest else 1.0
        if self.below is not None and sign * seen[-1][1] <= sign * self.below:
            return f"{self.metric} is {seen[-1][1]:g}"
        best, place = math.inf, 0
        for k, (_, value) in enumerate(seen):
            if sign * value < best - self.least:
                best, place = sign * value, k
        if len(seen) - 1 - place < self.patience:
            return ""
        shown = f"{sign * best:g}, of step {seen[place][0]}"
        return f"{self.metric} has not improved on {shown}, in {self.patience} measurements"
