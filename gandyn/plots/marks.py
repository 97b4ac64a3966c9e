"""Marks that pictures share: starts, equilibria by their kind, bands of seeds, panes of three-dimensional axes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from ..types import Array
from .style import INK, OKABE_ITO

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from mpl_toolkits.mplot3d.axes3d import Axes3D


KINDS: dict[str, dict[str, Any]] = {
    "attracting": {"marker": "o", "fillstyle": "full"},
    "repelling": {"marker": "o", "fillstyle": "none"},
    "saddle": {"marker": "X", "fillstyle": "full"},
    "marginal": {"marker": "o", "fillstyle": "left"},
}
OTHER_KIND: dict[str, Any] = {"marker": "d", "fillstyle": "none"}


@runtime_checkable
class Place(Protocol):
    """Anything that says where it is."""

    point: Array


@runtime_checkable
class Equilibrium(Place, Protocol):
    """What is marked as one: a result of `gd.fixed_points`, or anything that says where it is and of which kind."""

    kind: Any


def mark_starts(axes: Axes, starts: Array) -> None:
    """A yellow star at each different start, (n, 2), or (n, 3) on three-dimensional axes."""
    if len(starts):
        axes.plot(
            *np.unique(np.round(starts, 12), axis=0).T, linestyle="none", marker="*", markersize=8,
            color=OKABE_ITO["yellow"], markeredgecolor=INK, markeredgewidth=0.6, label="start", zorder=6,
        )  # fmt: skip


def mark_equilibria(
    axes: Axes, found: Iterable[Equilibrium], lift: Callable[[np.ndarray], np.ndarray] = np.asarray, edge: str = INK
) -> dict[str, np.ndarray]:
    """One marker for each kind of equilibrium.

    Args:
        found: objects with a `point` and a `kind`. lift: from points (n, 2) to what is drawn, (n, 2) or (n, 3).
        edge: colour of the markers' border.

    Returns:
        The drawn points by kind.
    """
    by_kind: dict[str, list[np.ndarray]] = {}
    for result in found:
        by_kind.setdefault(str(result.kind), []).append(np.asarray(result.point, dtype=float))
    drawn = {kind: lift(np.array(points)) for kind, points in by_kind.items()}
    for kind, places in sorted(drawn.items()):
        axes.plot(
            *places.T, linestyle="none", color=INK, markerfacecoloralt="white", markeredgecolor=edge, markersize=6,
            markeredgewidth=0.8, label=f"equilibrium ({kind})", zorder=7, **KINDS.get(kind, OTHER_KIND),
        )  # fmt: skip
    return drawn


def mark_band(axes: Axes, x: Array, values: Array, **style: Any) -> None:
    """The median over seeds as a line, in the given style, and a band from the least of them to the largest.

    Args:
        x: (n,). values: (seeds, n); a seed that has ended is NaN from there on and no longer counted.
    """
    table = np.asarray(values, dtype=float)
    (line,) = axes.plot(x, np.nanmedian(table, axis=0), **style)
    low, high = np.nanmin(table, axis=0), np.nanmax(table, axis=0)
    axes.fill_between(x, low, high, color=line.get_color(), alpha=0.15, linewidth=0)


def clear_panes(axes: Axes3D) -> None:
    """No panes behind a three-dimensional picture, and a light grid."""
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_pane_color((1, 1, 1, 0))
        axis._axinfo["grid"].update(color=(0.85, 0.85, 0.85, 1), linewidth=0.4)
