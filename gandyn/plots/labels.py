"""Text beside points: each label takes the nearest place where it covers no point, no line's end and no other label."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Text
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
    obstacles: Sequence[Any] = (),
    avoid: np.ndarray | None = None,
    curve: np.ndarray | None = None,
) -> list[Any]:
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
        figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    scale = figure.dpi / 72
    to_pixels = axes.transData.transform
    page = _Page(
        axes.get_window_extent(renderer).padded(-2 * scale),
        [artist.get_window_extent(renderer) for artist in obstacles],
        to_pixels(points if avoid is None else np.concatenate([points, avoid])),
        np.empty((0, 2)) if curve is None else to_pixels(curve),
        scale,
    )
    notes = [_note(axes, *item) for item in zip(points, texts, colours, strict=True)]
    sizes = [_extent(note, renderer) for note in notes]
    anchors = to_pixels(points)
    orders = itertools.islice(itertools.permutations(range(len(notes))), MOST_ORDERS)
    least, places = np.inf, dict[int, Any]()
    for order in orders:
        least, places = _place_all(order, anchors, sizes, page, least) or (least, places)
    for k, note in enumerate(notes):
        offset, box = places[k]
        note.set_position((offset[0] / scale, offset[1] / scale))
        note.arrow_patch.set_visible(bool(np.hypot(*(_nearest(box, anchors[k]) - anchors[k])) > 6 * scale))
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


def _place_all(
    order: Sequence[int], anchors: np.ndarray, sizes: Sequence[Bbox], page: _Page, least: float
) -> tuple[float, dict[int, tuple[tuple[float, float], Bbox]]] | None:
    """Total cost, and for each label its offset and box, when they are placed in this order; None from `least` on."""
    taken, leaders = list(page.taken), list[np.ndarray]()
    total, places = 0.0, {}
    for k in order:
        best, offset, box = np.inf, (0.0, 0.0), sizes[k]
        for rank, (candidate, place) in enumerate(_candidates(anchors[k], sizes[k], page)):
            if 0.02 * rank >= best:
                break
            cost = _cost(place, anchors[k], page, taken, leaders) + 0.02 * rank
            if cost < best:
                best, offset, box = cost, candidate, place
        total += best
        if total >= least:
            return None
        places[k] = (offset, box)
        taken.append(box.padded(1.5 * page.scale))
        leaders.append(np.stack([anchors[k], _nearest(box, anchors[k])]))
    return total, places


def _extent(note: Any, renderer: Any) -> Bbox:
    """The text's own box, without its line."""
    note.update_positions(renderer)
    return Text.get_window_extent(note, renderer)


def _candidates(anchor: np.ndarray, size: Bbox, page: _Page) -> Iterator[tuple[tuple[float, float], Bbox]]:
    """Places for a label, as (offset of the text's centre, its box) in pixels: around the point, then anywhere."""
    half = np.array([size.width, size.height]) / 2
    angles = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=-1)
    around = [angle * distance * page.scale + angle * half for distance in DISTANCES for angle in angles]
    frame = page.frame
    columns = np.linspace(frame.x0 + half[0], frame.x1 - half[0], 9)
    rows = np.linspace(frame.y0 + half[1], frame.y1 - half[1], 17)
    anywhere = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2) - anchor
    anywhere = anywhere[np.argsort(np.hypot(*anywhere.T), kind="stable")]
    for centre in itertools.chain(around, anywhere):
        low = anchor + centre - half
        yield (float(centre[0]), float(centre[1])), Bbox.from_bounds(low[0], low[1], size.width, size.height)


def _cost(box: Bbox, anchor: np.ndarray, page: _Page, taken: list[Bbox], leaders: list[np.ndarray]) -> float:
    """What a place covers or crosses that it should not."""
    frame = page.frame
    outside = not (frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1)
    cost = 1e5 * outside + 1e4 * box.count_overlaps(taken) + 90.0 * _holds(box, page.dots, 4.0)
    cost += 60.0 * (_holds(box, page.curve, 2.0) > 0)
    if cost >= 1e4:
        return cost
    leader = np.stack([anchor, _nearest(box, anchor)])
    along = leader[0] + np.linspace(0.05, 0.95, 12)[:, None] * (leader[1] - leader[0])
    for other in leaders:
        cost += 20.0 * _crosses(leader, other) + 20.0 * _passes(box, other)
    for other_box in taken:
        cost += 20.0 * _passes(other_box, leader)
    others = page.dots[np.hypot(*(page.dots - anchor).T) > 6.0 * page.scale]
    cost += 3.0 * bool((np.hypot(*(along[:, None] - others).transpose(2, 0, 1)) < 3.0 * page.scale).any())
    if len(page.curve):
        nearby = page.curve[np.hypot(*(page.curve - anchor).T) < 200 * page.scale][::4]
        cost += 4.0 * _crosses_curve(leader, nearby)
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
