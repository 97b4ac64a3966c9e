"""From games and trajectories to plain arrays that are safe to draw: no NaN, no torch, no points without end."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..arguments import box_array, numeric_equilibria, shown
from ..errors import DomainError, ParameterError
from ..lazy import sympy, torch
from ..results import Trajectory
from ..types import Array, Game, Rule
from ..worlds import NUMPY

Box = Sequence[tuple[float, float]]
MOST_MEMBERS = 64
REACH = 4.0


def as_array(values: Array) -> np.ndarray:
    """NumPy floats from any world's numbers."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=float)


def evaluate(game: Game, what: str, points: np.ndarray) -> np.ndarray:
    """`field` (..., d) or the `costs` (n, ...) at points, in whichever numeric world the game lives; may hold NaN."""
    with np.errstate(all="ignore"):
        if NUMPY in game.worlds:
            return np.asarray(getattr(game, what)(points), dtype=float)
        values = getattr(game, what)(torch.tensor(points))
        return as_array(torch.stack(list(values)) if isinstance(values, tuple) else values)


def plane(game: Game) -> None:
    """Refuse games that are not two coordinates."""
    if game.dim != 2:
        raise DomainError(
            f"a picture in the plane of {game.name}, which has {game.dim} coordinates",
            "a game with two coordinates",
            "use gd.plots.trajectory for curves over time, or gd.plots.spectrum",
        )


def coordinate_names(game: Game) -> list[str]:
    """What the axes are called, as mathematics: the game's symbols, or the players' names."""
    if game.symbols:
        return [f"${sympy.latex(s)}$" for s in game.symbols]
    return [p.name if p.size == 1 else f"{p.name} {k + 1}" for p in game.players for k in range(p.size)]


def rule_label(rule: Rule | None, swept: Iterable[str] = ()) -> str:
    """A rule's name with its words apart, and what it wraps and its options choose: "Alternating (Adam)", "Heavy Ball
    (alternating)". Options that are `swept` have several values, and are left out.
    """
    if rule is None:
        return "Gradient flow"
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", rule.name)
    fields: tuple[Any, ...] = dataclasses.fields(rule) if dataclasses.is_dataclass(rule) else ()
    chosen: list[str] = []
    for f in (f for f in fields if f.init and f.name not in swept):
        value = getattr(rule, f.name)
        inner = value if isinstance(value, tuple) else (value,)
        chosen += dict.fromkeys(rule_label(r) for r in inner if isinstance(r, Rule))
        chosen += [f.name.replace("_", " ")] if value is True and not f.default else []
    return f"{words} ({', '.join(chosen)})" if chosen else words


def parameter_label(name: object) -> str:
    """A parameter as the label of an axis: its name, and what it is where that is the step size."""
    return f"step size {name}" if str(name) == "lr" else str(name)


def listed(items: Any, kind: type) -> list[Any]:
    """The results of a kind that a picture is given: one, a sequence, or the values of a mapping.

    Raises:
        ParameterError: for an item of another kind.
    """
    several = isinstance(items, Iterable) and not isinstance(items, (kind, str))
    found = list(items.values() if isinstance(items, Mapping) else items) if several else [items]
    for item in found:
        if not isinstance(item, kind):
            needed = f"one {kind.__name__}, a list of them, or a dict from label to each"
            raise ParameterError(f"{shown(item)} to be drawn", needed, "give what an analysis returned")
    return found


def labelled(items: object, kind: type) -> dict[str, Any]:
    """Results by label: the keys of a mapping, otherwise the name of each result's rule, with parameters where needed.

    Raises:
        ParameterError: for an item of another kind.
    """
    found = listed(items, kind)
    if isinstance(items, Mapping):
        return dict(zip(map(str, items), found, strict=True))
    names = [rule_label(item.rule) for item in found]
    result: dict[str, Any] = {}
    for item, name in zip(found, names, strict=True):
        label = name if names.count(name) == 1 else f"{name} {_parameters(item.rule)}".strip()
        result[label if label not in result else f"{label} #{len(result) + 1}"] = item
    return result


def _parameters(rule: Rule | None) -> str:
    """A rule's parameters that are not at their defaults, as in a call."""
    if rule is None:
        return ""
    fields: tuple[sympy.Expr, ...] = dataclasses.fields(rule) if dataclasses.is_dataclass(rule) else ()
    shown = [f"{f.name}={getattr(rule, f.name)}" for f in fields if f.repr and getattr(rule, f.name) != f.default]
    return f"({', '.join(shown)})" if shown else ""


def members(trajectory: Trajectory, label: str) -> np.ndarray:
    """Points of a trajectory, (T+1, members, d), of a large ensemble some members. Raises ParameterError."""
    w = as_array(trajectory.w)
    if len(np.atleast_1d(trajectory.t)) < 2 or w.ndim < 2:
        raise ParameterError(
            f"the trajectory {label!r} recorded one point", "every step, or a stride", 'iterate with record="all"'
        )
    if not w.size:
        raise ParameterError(f"the trajectory {label!r} of shape {w.shape}", "one start or more", "check the start")
    w = w.reshape(len(w), -1, w.shape[-1])
    if not np.isfinite(w).all():
        first = int(np.argwhere(~np.isfinite(w).all((1, 2)))[0, 0])
        raise ParameterError(
            f"the trajectory {label!r} is not finite from row {first} on", "finite points", "plot the rows before it"
        )
    chosen = np.linspace(0, w.shape[1] - 1, min(w.shape[1], MOST_MEMBERS)).round().astype(int)
    return w[:, chosen]


def box_around(game: Game, points: Iterable[np.ndarray]) -> np.ndarray:
    """A square box, (d, 2), around the known equilibria and trajectories, each (T+1, members, d).

    A run that leaves further than four times the starts' distance does not blow the picture up: it leaves the box,
    unless it goes twice as far at most: a spiral that would be cut off for a few steps is drawn whole.
    Without a known equilibrium the run that wanders least says how large the picture is.
    """
    runs = list(points)
    centres = [np.array(p, dtype=float) for p in numeric_equilibria(game)]
    if not runs:
        centre = centres[0] if centres else np.zeros(game.dim)
        return np.stack([centre - 2.0, centre + 2.0], axis=-1)
    starts = np.concatenate([run[0] for run in runs])
    if centres:
        centre, spread = centres[0], np.concatenate([starts, *(c[None] for c in centres)])
    else:
        calm = min(runs, key=lambda run: float(np.ptp(run.reshape(-1, game.dim), axis=0).max()))
        spread = np.concatenate([starts, calm.reshape(-1, game.dim)])
        centre = (spread.min(0) + spread.max(0)) / 2
    near = max(float(np.abs(spread - centre).max()), 1e-3)
    reaches = [float(np.abs(run - centre).max()) for run in runs]
    whole = max((far for far in reaches if far <= 2 * REACH * near), default=near)
    half = 1.08 * max(near, whole, min(max(reaches), REACH * near))
    return np.stack([centre - half, centre + half], axis=-1)


def runs_in_box(
    game: Game, trajectories: object, box: Box | None
) -> tuple[dict[str, Trajectory], dict[str, np.ndarray], np.ndarray]:
    """Trajectories by label, their points (T+1, members, d) by label, and the box to draw: around them where None."""
    runs = labelled(trajectories, Trajectory)
    points = {label: members(run, label) for label, run in runs.items()}
    return runs, points, box_around(game, points.values()) if box is None else box_array(game, box)


def inside(run: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, int | None]:
    """One member's points (T+1, d) up to where they are far outside the box, and the row at which that was.

    The last one is moved back along its segment, so that no coordinate is too large to draw.
    """
    width = box[:, 1] - box[:, 0]
    low, high = box[:, 0] - width, box[:, 1] + width
    lost = np.flatnonzero(((run < low) | (run > high)).any(-1))
    if not len(lost):
        return run, None
    row = int(lost[0])
    kept = run[: row + 1].copy()
    if row:
        step = kept[row] / 2 - kept[row - 1] / 2  # halved: the difference of two huge numbers may overflow
        room = np.where(step > 0, high - kept[row - 1], kept[row - 1] - low) / 2
        share = np.min(room / np.maximum(np.abs(step), 1e-300))
        kept[row] = kept[row - 1] + 2 * min(1.0, float(share)) * step
    return kept, row
