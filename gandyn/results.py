"""What analyses return: frozen objects with `summary()` for people, `to_dict()` for JSON, and `plot()`."""

from __future__ import annotations

import abc
import dataclasses
import enum
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from .errors import DomainError


class Status(enum.StrEnum):
    """How a trajectory's member ended. The value is its own message."""

    OK = "all steps computed"
    DIVERGED = "diverged: a coordinate overflowed or left the bound; the member stopped at its last finite point"
    STALLED = "stalled: the integrator's steps shrank to nothing, and the member stopped at its last point"
    OUT_OF_TIME = "undecided: out of time; what was computed is kept"
    STOPPED = "stopped early: the criterion was met; what was computed is kept"
    INTERRUPTED = "interrupted before the last step: what was computed is kept"


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a long run. `trajectory` holds what was computed, with `Status.INTERRUPTED`.

    It ends a script as Ctrl-C should; catch it (or read `sys.last_value.trajectory` at a prompt) to keep the part.
    """

    def __init__(self, trajectory: Any) -> None:
        super().__init__("interrupted; what was computed is in the exception's .trajectory")
        self.trajectory = trajectory


class Result(abc.ABC):
    """Base of all results. `plot` is the one lazy hook by which a result reaches the plotting room."""

    _plot: str = ""

    @abc.abstractmethod
    def summary(self) -> str:
        """A few lines for a person."""

    @abc.abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for `json.dumps`."""

    def plot(self, **options: Any) -> Any:
        """A matplotlib figure of this result; options go to the function of `gd.plots` named in the summary."""
        if not self._plot:
            raise DomainError(
                f"{type(self).__name__} has no picture of its own",
                "a result that is drawn",
                "read summary() or to_dict()",
            )
        return getattr(importlib.import_module("gandyn.plots"), self._plot)(self, **options)

    def __str__(self) -> str:
        return self.summary()


def plain(value: Any) -> Any:
    """Arrays, complex numbers, enums and expressions as JSON-ready data; complex numbers as {"re", "im"}."""
    if isinstance(value, Status):
        return value.name
    if isinstance(value, enum.Enum):
        return value.value
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if isinstance(value, np.ndarray):
        return [plain(v) for v in value] if value.ndim else plain(value.item())
    if isinstance(value, (complex, np.complexfloating)):
        return {"re": float(value.real), "im": float(value.imag)}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(v) for v in value]
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    return str(value)


@dataclasses.dataclass(frozen=True, repr=False)
class Trajectory(Result):
    """Iterates of a rule or points of a flow, for one start or an ensemble.

    Attributes:
        w: points, (T+1, ..., d), or (..., d) when only the last was recorded. After a member stops, its last finite
            point is repeated, so no NaN reaches a plot.
        t: step numbers or times of the recorded rows.
        status: a `Status`, or an array of them, one a member.
        steps: steps computed before stopping, one number or one a member.
        counts: oracle calls.
        game: the game. rule: the rule, None for a flow. state: the rule's state at the end.
        info: per-step diagnostics (norms of the field) where the eager path recorded them.
        solution: for flows, a callable t -> w (dense output).
    """

    w: Any
    t: Any
    status: Any
    steps: Any
    game: Any
    rule: Any = None
    state: Any = None
    counts: Any = None
    kernel: str = "eager"
    info: dict[str, Any] = dataclasses.field(default_factory=dict)
    solution: Callable[..., Any] | None = None

    _plot = "trajectory"

    @property
    def costs(self) -> tuple[Any, ...]:
        """(f_1, ..., f_n) along the trajectory, computed when asked for."""
        result: tuple[Any, ...] = self.game.costs(self.w)
        return result

    @property
    def diverged(self) -> Any:
        """Which members diverged: a bool, or an array of them."""
        return self.status == Status.DIVERGED

    def __call__(self, t: Any) -> Any:
        """The flow's point at any time, by dense output."""
        if self.solution is None:
            raise TypeError("only flows can be evaluated between their steps: index `.w` instead")
        return self.solution(t)

    def summary(self) -> str:
        """Game, rule, length, ending."""
        what = "gradient flow" if self.rule is None else repr(self.rule)
        members = 1 if isinstance(self.status, Status) else np.size(self.status)
        lost = int(np.sum(self.diverged))
        ending = f"{lost} of {members} diverged" if lost else "none diverged"
        return f"{what} on {self.game.name}: {members} start(s), t = {self.t[0]:g} to {self.t[-1]:g}, {ending}"

    def __repr__(self) -> str:
        return f"<Trajectory {self.summary()}>"

    def to_dict(self) -> dict[str, Any]:
        """Points, times and endings."""
        fields = {"t": self.t, "w": self.w, "status": self.status, "steps": self.steps}
        return plain({"game": self.game.name, "rule": None if self.rule is None else repr(self.rule), **fields})  # type: ignore[no-any-return]
