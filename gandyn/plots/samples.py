"""Samples of a generator: images in a grid, points of the plane over the data."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..types import Array
from .drawing import Drawing, one_panel
from .style import QUIET, SERIES, styled

if TYPE_CHECKING:
    from ..gans.training.sample_grid import SampleGrid


@styled
def samples(grid: SampleGrid, title: str | None = None) -> Drawing:
    """What `SampleGrid.plot()` draws: the samples as small pictures, row by row.

    Args:
        grid: samples of a game: images (n, channels, height, width) in [-1, 1], or points (n, size), of which the first
            two coordinates are shown.
        title: the game's name and the step by default.

    Returns:
        A `Drawing`; `.data` holds the samples.
    """
    points = np.asarray(grid.points)
    figure, axes = one_panel(1.05)
    if points.ndim == 4:
        axes.imshow(tiled(points), cmap="gray", vmin=-1, vmax=1, interpolation="nearest")
        axes.set_axis_off()
    else:
        data = np.asarray(grid.data)
        axes.plot(data[:, 0], data[:, 1], ".", ms=4, color=QUIET, mew=0, alpha=0.5, label="data", rasterized=True)
        axes.plot(points[:, 0], points[:, 1], ".", ms=2, color=SERIES[0], mew=0, label="samples", rasterized=True)
        reach = 1.4 * float(np.abs(data[:, :2]).max()) or 1.0
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xlabel="$x_1$", ylabel="$x_2$")
        outside = int((np.abs(points[:, :2]) > reach).any(1).sum())
        figure.legend(loc="outside lower center", ncols=2, title=f"{outside} samples outside" if outside else None)
    step = "" if grid.step is None else f", step {grid.step}"
    axes.set_title(f"{grid.name}{step}" if title is None else title)
    figure.data.update(points=points, step=grid.step)
    return figure


def tiled(images: Array) -> Array:
    """Images (n, channels, height, width) in [-1, 1] side by side: (rows, columns) or (rows, columns, 3)."""
    n, channels, height, width = images.shape
    columns = math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    canvas = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1, channels), -1.0)
    for k, image in enumerate(images):
        top, left = (k // columns) * (height + 1), (k % columns) * (width + 1)
        canvas[top : top + height, left : left + width] = np.moveaxis(image, 0, -1)
    return canvas[..., 0] if channels == 1 else (np.clip(canvas[..., :3], -1, 1) + 1) / 2
