"""Text beside points: each label takes the nearest place where it covers no point, no line's end and no other label."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

from .drawing import Drawing

ANGLES = np.deg2rad([0, 180, 45, -45, 135, -135, 90, -90, 22, -22, 158, -158, 68, -68, 112, -112])
MOST_ORDERS = 6
DISTANCES = (6, 11, 17, 24, 32, 42, 54, 68, 84, 102)


class _Page(NamedTuple):
    """What is on the axes already, in pixels: free frame, boxes taken, dots, points of a curve, pixels per point."""

    frame: Bbox
    taken: list[Bbox]
    dots: np.ndarray
    curve: np.ndarray
    scale: float


def place_labels(
    figure: Drawing,
    axes: Axes,
    points: np.ndarray,
    texts: Sequence[str],
    colours: Sequence[str],
    obstacles: Sequence[Artist] = (),
    avoid: np.ndarray | None = None,
    curve: np.ndarray | None = None,
) -> list[Annotation]:
    """Write one text beside each point, with a thin line to it, so that nothing overlaps.

    Labels are placed one after the other, each at its cheapest place; of several orders the cheapest is kept.

    Args:
        figure, axes: where; the axes must already have their limits.
        points: (n, 2) in data coordinates. texts, colours: one for each.
        obstacles: artists whose boxes are not to be covered. avoid: further points (m, 2) not to be covered.
        curve: points (m, 2) of a curve that is not to be covered, and better not crossed.

    Returns:
        The annotations, in the order of the points.
    """
    for _ in range(2):  # the layout settles in the second pass
        figure.lay_out()
    scale = figure.dpi / 72
    to_pixels = axes.transData.transform
    page = _Page(
        axes.get_window_extent().padded(-2 * scale),
        [artist.get_window_extent() for artist in obstacles],
        to_pixels(points if avoid is None else np.concatenate([points, avoid])),
        np.empty((0, 2)) if curve is None else to_pixels(curve),
        scale,
    )
    notes = [_note(axes, *item) for item in zip(points, texts, colours, strict=True)]
    places = [_Places(anchor, _extent(note), page) for anchor, note in zip(to_pixels(points), notes, strict=True)]
    orders = itertools.islice(itertools.permutations(range(len(notes))), MOST_ORDERS)
    least, chosen = np.inf, dict[int, _Place]()
    for order in orders:
        least, chosen = _place_all(order, places, least) or (least, chosen)
    for k, note in enumerate(notes):
        place = chosen[k]
        note.set_position((place.offset[0] / scale, place.offset[1] / scale))
        note.arrow_patch.set_visible(bool(np.hypot(*(place.leader[1] - place.leader[0])) > 6 * scale))
    return notes


def _note(axes: Axes, point: np.ndarray, text: str, colour: str) -> Any:
    note = axes.annotate(
        text,
        tuple(point),
        xytext=(0, 0),
        textcoords="offset points",
        color=colour,
        ha="center",
        va="center",
        arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.5, "shrinkA": 0, "shrinkB": 2},
        zorder=6,
    )
    note.set_in_layout(False)
    return note


def _place_all(order: Sequence[int], places: Sequence[_Places], least: float) -> tuple[float, dict[int, _Place]] | None:
    """Total cost and each label's place, when they are placed in this order; None from `least` on."""
    taken: list[_Place] = []
    total, chosen = 0.0, {}
    for k in order:
        best, place = np.inf, None
        for rank, candidate in enumerate(places[k]):
            if 0.02 * rank >= best:
                break
            cost = candidate.cost(taken) + 0.02 * rank
            if cost < best:
                best, place = cost, candidate
        assert place is not None
        total += best
        if total >= least:
            return None
        chosen[k] = place
        taken.append(place)
    return total, chosen


def _extent(note: Annotation) -> Bbox:
    """The text's own box, without its line."""
    note.get_window_extent()  # puts the text in its place
    return Text.get_window_extent(note)


class _Places:
    """Where one label may go, best first: around its point, then anywhere. What was looked at once is kept."""

    def __init__(self, anchor: np.ndarray, size: Bbox, page: _Page) -> None:
        self.anchor, self.page = anchor, page
        self.width, self.height = size.width, size.height
        half = np.array([size.width, size.height]) / 2
        angles = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=-1)
        around = [angle * distance * page.scale + angle * half for distance in DISTANCES for angle in angles]
        frame = page.frame
        columns = np.linspace(frame.x0 + half[0], frame.x1 - half[0], 9)
        rows = np.linspace(frame.y0 + half[1], frame.y1 - half[1], 17)
        anywhere = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2) - anchor
        self.centres = [*around, *anywhere[np.argsort(np.hypot(*anywhere.T), kind="stable")]]
        self.known: list[_Place] = []

    def __iter__(self) -> Iterator[_Place]:
        for rank, centre in enumerate(self.centres):
            if rank == len(self.known):
                low = self.anchor + centre - np.array([self.width, self.height]) / 2
                box = Bbox.from_bounds(low[0], low[1], self.width, self.height)
                self.known.append(_Place((float(centre[0]), float(centre[1])), box, self.anchor, self.page))
            yield self.known[rank]


class _Place:
    """One place for a label: the offset of the text's centre from its point, its box and its leader, in pixels."""

    def __init__(self, offset: tuple[float, float], box: Bbox, anchor: np.ndarray, page: _Page) -> None:
        self.offset, self.box, self.page = offset, box, page
        self.leader = np.stack([anchor, _nearest(box, anchor)])
        frame = page.frame
        outside = not (frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1)
        self.covered = (
            1e5 * outside + 1e4 * box.count_overlaps(page.taken) + 90.0 * _holds(box, page.dots, 1.9 * page.scale)
        )
        self.covered += 60.0 * (_holds(box, page.curve, page.scale) > 0)

    @functools.cached_property
    def padded(self) -> Bbox:
        """The box that other labels keep out of."""
        return self.box.padded(1.5 * self.page.scale)

    @functools.cached_property
    def crossed(self) -> float:
        """What the leader crosses of what is on the axes already."""
        page, anchor = self.page, self.leader[0]
        along = anchor + np.linspace(0.05, 0.95, 12)[:, None] * (self.leader[1] - anchor)
        others = page.dots[np.hypot(*(page.dots - anchor).T) > 6.0 * page.scale]
        near = np.hypot(*(along[:, None] - others).transpose(2, 0, 1)) < 3.0 * page.scale
        cost = 3.0 * bool(near.any()) + 20.0 * sum(_passes(box, self.leader) for box in page.taken)
        if len(page.curve):
            nearby = page.curve[np.hypot(*(page.curve - anchor).T) < 200 * page.scale][::4]
            cost += 4.0 * _crosses_curve(self.leader, nearby)
        return cost

    def cost(self, taken: Sequence[_Place]) -> float:
        """What this place covers or crosses that it should not, where other labels have been placed already."""
        cost = self.covered + 1e4 * self.box.count_overlaps([other.padded for other in taken])
        if cost >= 1e4:
            return cost
        cost += self.crossed
        for other in taken:
            cost += 20.0 * _crosses(self.leader, other.leader) + 20.0 * _passes(self.box, other.leader)
            cost += 20.0 * _passes(other.padded, self.leader)
        return cost


def _holds(box: Bbox, points: np.ndarray, margin: float) -> int:
    """How many points lie in the box or within a margin of it."""
    x, y = points.T
    inside = (x > box.x0 - margin) & (x < box.x1 + margin) & (y > box.y0 - margin) & (y < box.y1 + margin)
    return int(inside.sum())


def _nearest(box: Bbox, point: np.ndarray) -> np.ndarray:
    return np.array([np.clip(point[0], box.x0, box.x1), np.clip(point[1], box.y0, box.y1)])


def _crosses(first: np.ndarray, second: np.ndarray) -> bool:
    def side(p: np.ndarray, q: np.ndarray, r: np.ndarray) -> float:
        return float((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]))

    a, b, c, d = *first, *second
    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0


def _crosses_curve(segment: np.ndarray, curve: np.ndarray) -> bool:
    """Whether a segment crosses one of the pieces between neighbouring points of a curve."""
    (a, b), c, d = segment, curve[:-1], curve[1:]

    def side(p: np.ndarray, q: np.ndarray, r: np.ndarray) -> np.ndarray:
        (px, py), (qx, qy), (rx, ry) = p.T, q.T, r.T
        found: np.ndarray = (qx - px) * (ry - py) - (qy - py) * (rx - px)
        return found

    return bool(((side(a, b, c) * side(a, b, d) < 0) & (side(c, d, a) * side(c, d, b) < 0)).any())


def _passes(box: Bbox, segment: np.ndarray) -> bool:
    along = segment[0] + np.linspace(0.05, 0.95, 12)[:, None] * (segment[1] - segment[0])
    return bool(
        ((along[:, 0] > box.x0) & (along[:, 0] < box.x1) & (along[:, 1] > box.y0) & (along[:, 1] < box.y1)).any()
    )
