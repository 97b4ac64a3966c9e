"""What analyses return: frozen data and one sentence of their own; all that results share is here, once.

`gandyn/__init__` hands down what lies below: `pictures`, the plotting room, and `version`, the library's.
"""

from __future__ import annotations

import abc
import dataclasses
import enum
import fractions
import html
import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np

from .errors import DomainError
from .lazy import sympy
from .types import Array, AsArray, Counts, Game, Rule, State
from .worlds import norm

COORDINATES_SHOWN = 12
BAND = (10, 90)  # percentiles over seeds, in words and in pictures

version: str = ""
pictures: Callable[[], Any] | None = None


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

    def __init__(self, trajectory: Trajectory) -> None:
        super().__init__("interrupted; what was computed is in the exception's .trajectory")
        self.trajectory = trajectory


class Result(abc.ABC):
    """Base of all results. A subclass is a frozen dataclass that names its data and writes its sentence, `summary`.

    From these two follow a one-line `repr`, the forms that notebooks show, `to_dict()` for JSON, `title` and
    `provenance`. A subclass declares `_data`, the entries of `to_dict()` as words, each a field or property, or
    `key=path` where the key has another name (`flow=linearization.verdict`); all fields of the dataclass where nothing
    is declared. `_plot` names the function of `gandyn.plots` that draws it, and is empty for a result without a
    picture. It may override `_contents()`, the entries as a dict, where some are there only at times; `_headline()`,
    the line after the class in `repr`, where the first line of the summary is not the answer; and `latex()`, where the
    result is a formula.
    """

    _data: ClassVar[str] = ""
    _plot: ClassVar[str] = ""

    @abc.abstractmethod
    def summary(self) -> str:
        """A few lines for a person."""

    def latex(self) -> str:
        """The result as a formula in LaTeX; empty where it is not a formula."""
        return ""

    def to_dict(self) -> dict[str, Any]:
        """Plain data for `json.dumps(..., allow_nan=False)`, with the version of gandyn that computed it.

        Games are given by name, rules as they print, expressions as text, complex numbers as {"re", "im"}. JSON has no
        infinity and no NaN: they are the texts "inf" and "-inf", which `float` reads, and null.
        """
        found: dict[str, Any] = strict(plain(self))
        return found | {"gandyn": version}

    def plot(self, **options: object) -> Any:
        """A matplotlib figure of this result; options go to the function of `gandyn.plots` that draws it.

        Raises:
            DomainError: for a result that has no picture.
        """
        if not self._plot or pictures is None:
            raise DomainError(
                f"{type(self).__name__} has no picture of its own",
                "a result that is drawn",
                "read summary() or to_dict()",
            )
        return getattr(pictures(), self._plot)(self, **options)

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the numbers come from: game, rule (None for the gradient flow), point `at`, and the version of gandyn.

        An entry that the result does not have is left out.
        """
        paths = self._paths()
        held = {key: operator.attrgetter(paths[key])(self) for key in ("game", "rule", "at") if key in paths}
        return held | {"gandyn": version}

    @property
    def title(self) -> str:
        """The kind of result and what it is about: "Linearization: GDA(lr=0.1) on bilinear at (0, 0)"."""
        return ": ".join(part for part in (type(self).__name__, self._subject()) if part)

    def _dynamics(self) -> str:
        """What moves, in words: rule (or gradient flow) and game."""
        found = self.provenance
        parts = [repr(found["rule"]) if found["rule"] is not None else "gradient flow"] if "rule" in found else []
        parts += [str(found["game"].name)] if "game" in found else []
        return " on ".join(parts)

    def _subject(self) -> str:
        """What was analysed, in words: the dynamics and, where there is one, the point."""
        at = self.provenance.get("at")
        return self._dynamics() + ("" if at is None else f" at {place(at)}")

    def _headline(self) -> str:
        return self.summary().partition("\n")[0].removesuffix(":")

    def _contents(self) -> dict[str, Any]:
        return {key: operator.attrgetter(path)(self) for key, path in self._paths().items()}

    @classmethod
    def _paths(cls) -> dict[str, str]:
        """The entries of `to_dict()`: each key with the path of attributes where its value stands."""
        if not cls._data:
            return {field.name: field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
        named = (word.partition("=") for word in cls._data.split())
        return {key: path or key for key, _, path in named}

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._headline()}>"

    def _repr_html_(self) -> str:
        formula = self._repr_latex_()
        shown = f"<p>{html.escape(formula)}</p>" if formula else ""
        head, text = html.escape(self.title), html.escape(self.summary())
        foot = f"<small>gandyn {html.escape(version)}</small>"
        return f'<div class="gandyn"><strong>{head}</strong>{shown}<pre>{text}</pre>{foot}</div>'

    def _repr_latex_(self) -> str | None:
        formula = self.latex()
        return f"$${formula}$$" if formula else None


R = TypeVar("R", bound=Result)


class Found(list[R], Result):
    """Results of one search, as a list that knows whether it holds all there are, and by which argument.

    Attributes:
        complete: whether it is proven that there are no others.
        reason: the argument, or what is missing of one.
    """

    _data = "complete reason found"

    def __init__(self, found: Iterable[R] = (), complete: bool = False, reason: str = "") -> None:
        super().__init__(found)
        self.complete = complete
        self.reason = reason

    @property
    def found(self) -> list[R]:
        """The results as a plain list."""
        return list(self)

    def summary(self) -> str:
        """One line for each result, and whether these are all."""
        claim = "complete" if self.complete else "found, perhaps not all"
        return "\n".join([*self._lines(), f"{claim}: {self.reason}"])

    def _lines(self) -> list[str]:
        return [one.summary() for one in self]


def aligned(lines: Iterable[str]) -> str:
    """Equations in LaTeX, one below the other."""
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of text with each column as wide as its longest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]


def place(at: Iterable[object]) -> str:
    """A point in words; where coordinates are exact numbers, such as sqrt(2)/2, their decimals stand beside them."""
    exact = list(at)
    if len(exact) > COORDINATES_SHOWN:
        return f"a point of {len(exact)} coordinates"
    text = f"({', '.join(f'{x:.10g}' if isinstance(x, float) else str(x) for x in exact)})"
    if not any(_needs_decimal(x) for x in exact):
        return text
    return f"{text} = ({', '.join(decimal(x) for x in exact)})"


def with_decimal(value: object, text: str | None = None) -> str:
    """A number as text, and its decimal beside it where it is exact and not whole: "sqrt(3)/3 = 0.57735"."""
    shown = str(value) if text is None else text
    return f"{shown} = {decimal(value)}" if _needs_decimal(value) else shown


def exact_and_decimal(value: sympy.Expr | None) -> dict[str, Any] | None:
    """An exact number for `to_dict()`: {"exact": its text, "value": its float}; None stays None."""
    return None if value is None else {"exact": str(value), "value": float(value)}


def decimal(value: Any) -> str:
    """Six significant digits of a real or complex number; what has free symbols stays as it is."""
    if getattr(value, "free_symbols", ()):
        return str(value)
    number = complex(value)
    return f"{number.real:.6g}" if not number.imag else f"{number:.6g}"


def _needs_decimal(value: Any) -> bool:
    """Whether a value is an exact number that is not written as a decimal already: 1/3, sqrt(2), but not 2 or oo."""
    if isinstance(value, fractions.Fraction):
        return value.denominator != 1
    if not hasattr(value, "free_symbols") or value.free_symbols or not value.is_number:
        return False
    return not (value.is_Integer or value.is_Float or value.is_infinite)


def plain(value: object) -> Any:
    """Results, arrays, complex numbers, enums and expressions as lists, dicts, numbers and text.

    A result is the dict of its data, a dataclass that of its fields; a game is its name, and a rule what it prints.
    """
    if isinstance(value, Result):
        held = value._contents()
        if held.get("at") is not None:
            held["at"] = _numbers(held["at"])
        return {key: plain(v) for key, v in held.items()}
    if isinstance(value, (Game, Status)):
        return value.name
    if isinstance(value, Rule):
        return repr(value)
    if isinstance(value, enum.Enum):
        return value.value
    if hasattr(value, "to_dict") and not isinstance(value, type):
        return plain(value.to_dict())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if hasattr(value, "tolist"):  # arrays, their scalars, and matrices of SymPy
        value = value.tolist()
    if isinstance(value, complex):
        return {"re": value.real, "im": value.imag}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(v) for v in value]
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    return str(value)


def _numbers(point: Iterable[Any]) -> list[Any]:
    """Coordinates as floats; those with free symbols as text."""
    return [str(x) if getattr(x, "free_symbols", ()) else float(x) for x in point]


def strict(value: object) -> Any:
    """Plain data made strict JSON: "inf", "-inf" and null stand for infinities and NaN, which JSON lacks."""
    if isinstance(value, dict):
        return {key: strict(v) for key, v in value.items()}
    if isinstance(value, list):
        return [strict(v) for v in value]
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return None if math.isnan(value) else str(value)


@dataclasses.dataclass(frozen=True, repr=False)
class Trajectory(AsArray, Result):
    """Iterates of a rule or points of a flow, for one start or an ensemble.

    Attributes:
        w: points, (T+1, ..., d), or (..., d) when only the last was recorded. After a member stops, its last finite
            point is repeated, so no NaN reaches a plot.
        t: step numbers or times of the recorded rows.
        status: a `Status`, or an array of them, one a member.
        steps: steps computed before stopping, one number or one a member.
        counts: oracle calls.
        game: the game. rule: the rule, None for a flow. state: the rule's state at the end.
        info: what else the run noted: a flow's `"end"`, the time to which each member was computed.
        solution: for flows, a callable t -> w (dense output).
    """

    w: Array
    t: Array
    status: Status | Array
    steps: Array
    game: Game
    rule: Any = None
    state: State | None = None
    counts: Counts | None = None
    kernel: str = "eager"
    info: dict[str, Array] = dataclasses.field(default_factory=dict)
    solution: Callable[..., Any] | None = None

    _data = "game rule t w status steps"
    _plot = "trajectory"

    @property
    def costs(self) -> tuple[Array, ...]:
        """(f_1, ..., f_n) along the trajectory, computed when asked for."""
        result: tuple[Any, ...] = self.game.costs(self.w)
        return result

    @property
    def field_norm(self) -> Array:
        """|v(w)| at the recorded points, (T+1, ...), computed when asked for."""
        return norm(self.game.field(self.w))[..., 0]

    @property
    def diverged(self) -> np.ndarray | bool:
        """Which members diverged: a bool, or an array of them."""
        return self.status == Status.DIVERGED

    def __call__(self, t: Array) -> Array:
        """The flow's point at any time, by dense output."""
        if self.solution is None:
            raise TypeError("only flows can be evaluated between their steps: index `.w` instead")
        return self.solution(t)

    def summary(self) -> str:
        """One line: the rule and game, how many starts, the times, and how many members diverged."""
        members = 1 if isinstance(self.status, Status) else np.size(self.status)
        lost = int(np.sum(self.diverged))
        ending = f"{lost} of {members} diverged" if lost else "none diverged"
        return f"{self._dynamics()}: {members} start(s), t = {self.t[0]:g} to {self.t[-1]:g}, {ending}"
