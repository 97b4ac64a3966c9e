"""A single trajectory: in the plane where the game has two coordinates, else its coordinates over time."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..results import Trajectory
from .drawable import as_array, coordinate_names, evaluate, members, rule_label
from .drawing import Drawing
from .phase import phase_portrait
from .style import INK, SERIES, styled

MOST_CURVES = 6


@styled
def trajectory(run: Trajectory, plane: bool | None = None, title: str | None = None, **options: Any) -> Drawing:
    """What `Trajectory.plot()` draws.

    Args:
        run: a result of `gd.iterate` or `gd.flow` that recorded its steps.
        plane: the phase portrait (the default for two coordinates), or curves over time: the first six coordinates, and
            below them the norm of the field.
        title: of the picture; by default the rule's name and the game's.
        options: of the phase portrait.

    Returns:
        A `Drawing`; `.data` holds the trajectory and, beside curves, `field_norm`.
    """
    title = f"{rule_label(run.rule)} on {run.game.name}" if title is None else title
    if run.game.dim == 2 if plane is None else plane:
        return phase_portrait(run.game, trajectories=run, title=title, **options)
    points = members(run, rule_label(run.rule))
    figure = Drawing(height=0.9)
    upper, lower = figure.subplots(2, 1, sharex=True)
    t = as_array(run.t)
    names = coordinate_names(run.game)
    for k, name in enumerate(names[:MOST_CURVES]):
        lines = upper.plot(t, points[..., k], color=SERIES[k % len(SERIES)], linewidth=0.9)
        lines[0].set_label(name)
    upper.set_ylabel("coordinates" if len(names) <= MOST_CURVES else f"first {MOST_CURVES} of {len(names)} coordinates")
    field_norm = np.linalg.norm(evaluate(run.game, "field", points), axis=-1)
    lower.plot(t, np.where(field_norm > 0, field_norm, np.nan), color=INK, linewidth=0.9)
    lower.set_yscale("log" if (field_norm > 0).any() else "linear")
    lower.set(xlabel="time" if run.rule is None else "step", ylabel=r"$|v(w)|$")
    upper.set_title(title)
    figure.legend_below(upper, MOST_CURVES)
    figure.data.update(t=t, w=as_array(run.w), field_norm=field_norm, coordinates=names)
    return figure
