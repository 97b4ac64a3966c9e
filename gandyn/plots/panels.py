"""Parts of pictures that are drawn from plain arrays, as saved data hold them: fields, paths, marks, surfaces.

The other functions of this room take results; these take what is left of a result in a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib
import mpl_toolkits.mplot3d  # noqa: F401 - registers the 3-D projection
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ..types import Array
from .drawing import Drawing
from .marks import clear_panes
from .style import INK, OKABE_ITO, QUIET, current_width

if TYPE_CHECKING:
    from matplotlib.contour import ContourSet
    from mpl_toolkits.mplot3d.axes3d import Axes3D


def scale() -> float:
    """How much larger than in one paper column lines and marks are: as much as the type."""
    return float(matplotlib.rcParams["font.size"]) / 7


def plane_axes(axes: Axes, bounds: Array, names: Sequence[str] = ("", "")) -> None:
    """Square axes of a box, with few ticks."""
    axes.set(xlim=bounds[0], ylim=bounds[1])
    axes.set_aspect("equal" if np.isclose(np.ptp(bounds[0]), np.ptp(bounds[1]), rtol=1.0) else "auto")
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1], rotation=0, labelpad=3, va="center")
    axes.locator_params(nbins=5)


def arrows(axes: Axes, places: np.ndarray, direction: np.ndarray, colour: str = QUIET) -> None:
    """A vector field (n, m, 2) at places (n, m, 2): arrows of one length, fainter where it is weaker."""
    strength = np.linalg.norm(direction, axis=-1)
    unit = direction / np.maximum(strength, 1e-300)[..., None]
    shade = 0.35 + 0.4 * (strength / max(float(strength.max()), 1e-300)) ** 0.5
    axes.quiver(
        places[..., 0], places[..., 1], unit[..., 0], unit[..., 1], color=colour, alpha=shade.ravel(), angles="xy",
        pivot="mid", scale=1.35 * places.shape[1], width=0.07 / places.shape[1], headwidth=3.6, headlength=4.2,
        headaxislength=3.8, zorder=1,
    )  # fmt: skip


def path(axes: Axes, points: np.ndarray, colour: str, label: str = "_", marker: str = "", **options: Any) -> None:
    """A trajectory (T, d); markers no larger than their spacing allows."""
    if marker:
        size = min(2.2, 28.0 / len(points) ** 0.5) * scale()
        options = {"markersize": size, "markeredgewidth": 0, **options}
    width = options.pop("linewidth", 0.8) * scale()
    settings = {"linewidth": width, "zorder": 3, "solid_joinstyle": "round", **options}
    axes.plot(*np.asarray(points).T, color=colour, label=label, marker=marker, **settings)


def start(axes: Axes, point: Array, label: str = "start", size: float = 6.5) -> None:
    """Mark the start of a trajectory with a yellow star."""
    axes.plot(
        *[[x] for x in point], linestyle="none", marker="*", markersize=size * scale(), color=OKABE_ITO["yellow"],
        markeredgecolor=INK, markeredgewidth=0.6, label=label, zorder=6,
    )  # fmt: skip


def optimum(axes: Axes, point: Array, label: str = "equilibrium", marker: str = "X", size: float = 5.5) -> None:
    """Mark an optimum with a black cross that has a white border."""
    axes.plot(
        *[[x] for x in point], linestyle="none", marker=marker, markersize=size * scale(), color=INK,
        markeredgecolor="white", markeredgewidth=0.7, label=label, zorder=7,
    )  # fmt: skip


def contours(
    figure: Drawing, axes: Axes, places: np.ndarray, heights: np.ndarray, levels: object = 14, alpha: float = 1.0
) -> ContourSet:
    """Filled contours of heights (n, m) over places (n, m, 2); `alpha` below 1 keeps curves on them visible."""
    drawn = axes.contourf(places[..., 0], places[..., 1], heights, levels, cmap="cividis", alpha=alpha)
    axes.contour(places[..., 0], places[..., 1], heights, drawn.levels, colors="white", linewidths=0.25, alpha=0.6)
    bar = figure.colorbar(drawn, ax=axes, location="bottom", shrink=0.85, aspect=30, pad=0.02)
    bar.locator = MaxNLocator(5)
    return drawn


def relief(axes: Axes3D, places: np.ndarray, heights: np.ndarray, names: Sequence[str]) -> None:
    """A translucent surface of heights (n, m) over places (n, m, 2), on 3-D axes made with `computed_zorder=False`."""
    stride = max(1, len(places) // 20)
    axes.plot_surface(
        places[..., 0], places[..., 1], heights, cmap="cividis", alpha=0.6, rstride=stride, cstride=stride,
        linewidth=0.15, edgecolor=(1, 1, 1, 0.6), zorder=1,
    )  # fmt: skip
    axes.set_box_aspect((1, 1, 0.8), zoom=0.86)
    axes.view_init(elev=32, azim=-58)
    away = 7 * scale() - 13
    axes.set_xlabel(names[0], labelpad=away)
    axes.set_ylabel(names[1], labelpad=away)
    axes.set_zlabel(names[2], labelpad=away)
    axes.tick_params(pad=away / 2)
    axes.locator_params(nbins=4)
    clear_panes(axes)


def legend(figure: Drawing, axes: Axes, most: int = 2) -> None:
    """One legend below the whole picture, with what is labelled on these axes."""
    wide = most if current_width() == "single" else 2 * most
    figure.legend_below(axes, wide)
