"""The result of measuring a duality gap: a value that says what kind of number it is."""

from __future__ import annotations

import dataclasses

import numpy as np

from ...results import Result
from ...types import Array, Counts, Game
from ...worlds import is_symbolic

KINDS = {
    "exact": "exact",
    "lower": "a lower bound: better answers may exist",
    "upper": "an upper bound",
    "estimate": "an estimate: neither a lower nor an upper bound",
}


@dataclasses.dataclass(frozen=True, repr=False)
class DualityGap(Result):
    """The duality gap G(w) = sum_i [f_i(w) - min f_i(., w_-i)], or a bound or an estimate of it.

    Attributes:
        value: the number, shape (...) for points (..., d); a SymPy expression at symbolic points; inf where some
            player's cost has no lower bound against the others.
        kind: "exact", "lower", "upper" or "estimate": what `value` is of the true gap.
        method: how it was found.
        terms: each player's own share f_i(w) - f_i(answer), shape (n, ...).
        answers: joint vectors (y_i, w_-i), one for each player, shape (n, ..., d); None where the gap is infinite or
            no answer attains it.
        interval: for "box", (low, high), proven bounds of the true gap, each (...); None for other methods.
        residuals: for each player, |y_i - P(y_i - grad f_i)|, where P projects onto its feasible set: 0 at an answer
            that no small move improves to first order. For "proximal" divided by the gradient's norm at w. None where
            answers are exact or enclosed.
        history: for k inner steps, the gap after 0, 1, ..., k of them, shape (k + 1, ...).
        error: standard error over the repeats, shape (...); None for a single run.
        note: a warning or a reason that belongs to the value; may be empty.
        counts: oracle calls that the measurement took.
        box: for "box", where the players may answer, (d, 2).
        parts: for "box", how many parts of it were searched.
    """

    game: Game
    w: Array
    value: float | Array
    kind: str
    method: str
    terms: Array | list[Array]
    answers: Array | list[Array] | None = None
    interval: tuple[Array, Array] | None = None
    residuals: Array | None = None
    history: Array | None = None
    error: Array | None = None
    note: str = ""
    counts: Counts | None = None
    box: Array | None = None
    parts: int | None = None

    _plot = "duality_gap_shares"

    def __float__(self) -> float:
        return float(self.value)

    def summary(self) -> str:
        """The value and kind of the gap, each player's share, residuals, and the cost of the measurement."""
        lines = [f"duality gap of {self.game.name}, {self.method}: {_shown(self.value)} ({KINDS[self.kind]})"]
        if self.error is not None:
            lines.append(f"standard error: {_shown(self.error)}")
        if self.interval is not None:
            lines.append(f"enclosed in [{_shown(self.interval[0])}, {_shown(self.interval[1])}]")
        for i, player in enumerate(self.game.players):
            line = f"{player.name} could gain {_shown(self.terms[i])}"
            if self.residuals is not None:
                line += f"; residual of its answer {_shown(self.residuals[i])}"
            lines.append(line)
        if self.note:
            lines.append(self.note)
        if self.counts is not None and self.counts.player_gradients:
            lines.append(f"cost: {self.counts.fields:g} fields")
        return "\n".join(lines)


def _shown(value: object) -> str:
    if is_symbolic(value):
        return str(value)
    array = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
    if array.dtype == object:
        return str(array.tolist())
    if array.ndim == 0:
        return f"{float(array):.6g}"
    return f"{array.size} values from {array.min():.4g} to {array.max():.4g}"
