"""Trajectories drawn step by step: a GIF of any picture that has them."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from ..arguments import whole
from ..doors import door
from ..errors import ParameterError, writing
from .drawing import Drawing, writable

if TYPE_CHECKING:
    from matplotlib.artist import Artist

MOVIES = (".gif",)
COLOURS = 256
FOREGROUND = 3  # what is drawn at this z-order or above moves with the trajectories; the rest is drawn once


@door
def animate(
    drawing: Drawing,
    path: str | os.PathLike[str],
    frames: int = 90,
    fps: int = 15,
    dpi: int = 150,
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> pathlib.Path:
    """Replay a picture's trajectories as a GIF, rules step by step together, flows beside them; the last frame is held.

    Args:
        drawing: a `phase_portrait`, `surface` or `spiral` with trajectories. It is as before afterwards.
        path: ends in .gif.
        frames, fps, dpi: length in frames, frames a second, dots an inch.
        progress: wraps the frame numbers, to show how far it is.

    Raises:
        ParameterError: for a picture without trajectories, or fewer than two frames. OutputError: for the path.
    """
    target = writable(path, MOVIES)
    if not drawing.paths:
        raise ParameterError(
            "a picture without trajectories", "a phase portrait, surface or spiral with some", "add one"
        )
    whole("frames", frames, 2)
    images = _frames(drawing, frames, dpi, progress)
    palette = images[-1].quantize(COLOURS, kmeans=2)
    images = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    times = [1000 // fps] * (frames - 1) + [2000]
    with writing(target):
        images[0].save(target, save_all=True, append_images=images[1:], duration=times, loop=0, optimize=False)
    return target


def _frames(
    drawing: Drawing, frames: int, dpi: int, progress: Callable[[Iterable[int]], Iterable[int]]
) -> list[Image.Image]:
    """The background once, and on it the lines as far as they are at each moment."""
    canvas: Any = drawing.canvas
    old_dpi = drawing.dpi
    heads = _heads(drawing)
    panels = {line.axes for path in drawing.paths.values() for line in path.lines}
    moving = sorted((a for axes in panels for a in axes.lines if a.get_zorder() >= FOREGROUND), key=lambda a: a.zorder)
    for artist in moving:
        artist.set_animated(True)
    try:
        drawing.dpi = dpi
        canvas.draw()
        background = canvas.copy_from_bbox(drawing.bbox)
        images = []
        for frame in progress(range(frames)):
            canvas.restore_region(background)
            _show(drawing, heads, frame / (frames - 1))
            for artist in moving:
                artist.axes.draw_artist(artist)
            images.append(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy()))
    finally:
        _show(drawing, heads, 1.0)
        for artist in moving:
            artist.set_animated(False)
        for head in heads.values():
            head.remove()
        drawing.dpi = old_dpi
    return images


def _heads(drawing: Drawing) -> dict[Artist, Artist]:
    """A dot at the moving end of every line."""
    heads = {}
    for path in drawing.paths.values():
        for line, points in zip(path.lines, path.points, strict=True):
            (heads[line],) = line.axes.plot(
                *points[:1].T, linestyle="none", marker="o", markersize=4.5, color=line.get_color(),
                markeredgecolor="white", markeredgewidth=0.6, zorder=8, label="_", scalex=False, scaley=False,
            )  # fmt: skip
    return heads


def _show(drawing: Drawing, heads: dict[Any, Any], share: float) -> None:
    """Every line up to a share of the longest run of its clock, its head at the end."""
    paths = drawing.paths.values()
    ends = {flow: max((float(p.t[-1]) for p in paths if p.flow is flow), default=0.0) for flow in (True, False)}
    for path in paths:
        for line, points in zip(path.lines, path.points, strict=True):
            now = share * ends[path.flow] * (1 + 1e-12)
            count = int(np.searchsorted(path.t[: len(points)], now, side="right"))
            for artist, rows in ((line, points[:count]), (heads[line], points[max(count - 1, 0) : count])):
                if points.shape[1] == 3:
                    artist.set_data_3d(*rows.T)
                else:
                    artist.set_data(*rows.T)
