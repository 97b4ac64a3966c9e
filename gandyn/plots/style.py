"""The house style: colour-blind safe, legible at one paper column, fonts embedded; it leaks into nothing."""

from __future__ import annotations

import contextlib
import contextvars
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, ParamSpec, TypeVar

import matplotlib
from cycler import cycler

from ..doors import door
from ..errors import refuse_unknown

OKABE_ITO = {
    "vermillion": "#D55E00",
    "blue": "#0072B2",
    "green": "#009E73",
    "purple": "#CC79A7",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "yellow": "#F0E442",
    "black": "#000000",
}
SERIES = tuple(OKABE_ITO.values())[:6]
LINES = (1.1, 1.0, 1.6, 0.6, 1.4, 0.5)
MARKERS = ("o", "s", "^", "D", "v", "P")
INK, QUIET, FAINT = "#222222", "#8a8a8a", "#c9c9c9"
WIDTHS = {"single": 3.3, "double": 6.8, "slide": 10.0}
_FONT = {"single": 7.0, "double": 8.0, "slide": 13.0}
SAVING = {"pdf.fonttype": 42, "ps.fonttype": 42, "svg.fonttype": "path", "svg.hashsalt": "gandyn"}

_width: contextvars.ContextVar[str | None] = contextvars.ContextVar("width of the house style", default=None)

P = ParamSpec("P")
R = TypeVar("R")


def _settings(width: str) -> dict[str, object]:
    size = _FONT[width]
    thin = size / 10
    return {
        **SAVING,
        "figure.figsize": (WIDTHS[width], WIDTHS[width] * 0.75),
        "figure.dpi": 300,
        "savefig.dpi": 300,
        "font.family": "DejaVu Sans",
        "mathtext.fontset": "dejavusans",
        "font.size": size,
        "axes.titlesize": size * 1.1,
        "axes.labelsize": size,
        "xtick.labelsize": size * 0.9,
        "ytick.labelsize": size * 0.9,
        "legend.fontsize": size * 0.9,
        "axes.prop_cycle": cycler(color=SERIES),
        "axes.linewidth": thin * 0.8,
        "axes.edgecolor": QUIET,
        "axes.labelcolor": INK,
        "axes.titlecolor": INK,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "xtick.major.width": thin * 0.8,
        "ytick.major.width": thin * 0.8,
        "xtick.major.size": size * 0.35,
        "ytick.major.size": size * 0.35,
        "axes.axisbelow": True,
        "axes.unicode_minus": True,
        "lines.linewidth": size / 7,
        "lines.markersize": size * 0.55,
        "legend.frameon": False,
        "legend.handlelength": 1.8,
        "image.cmap": "cividis",
    }


class Style(NamedTuple):
    """Colour, marker and line width of one series in every panel. Widths differ, so that coinciding lines show."""

    colour: str
    marker: str
    width: float


def series_styles(labels: Sequence[str], flows: Sequence[bool]) -> dict[str, Style]:
    """A style for each label, in order; the first label whose entry of `flows` is true is drawn in ink."""
    cycle = iter(range(len(labels)))
    styles: dict[str, Style] = {}
    for label, flow in zip(labels, flows, strict=True):
        if flow and all(style.colour != INK for style in styles.values()):
            styles[label] = Style(INK, "o", 1.2)
        else:
            k = next(cycle)
            styles[label] = Style(SERIES[k % len(SERIES)], MARKERS[k % len(MARKERS)], LINES[k % len(LINES)])
    return styles


@contextlib.contextmanager
def house_style(width: str = "single") -> Iterator[None]:
    """Draw in the house style inside the block; matplotlib's own settings come back after it.

    Args:
        width: "single" (3.3 in, one paper column), "double" (6.8 in) or "slide" (10 in, large type).

    Raises:
        UnknownNameError: for another width.

    Example:
        >>> import gandyn as gd
        >>> with gd.plots.house_style("double"):
        ...     figure = gd.plots.phase_portrait(gd.games.bilinear())
        >>> float(figure.get_size_inches()[0])
        6.8
    """
    refuse_unknown("figure width", width, WIDTHS)
    token = _width.set(width)
    try:
        with matplotlib.rc_context(_settings(width)):
            yield
    finally:
        _width.reset(token)


def current_width() -> str:
    """The width that pictures are now drawn for."""
    return _width.get() or "single"


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """A plotting function whose arguments are checked (`door`) and whose picture is in the house style.

    Inside `house_style(width)` that is the style of this width, otherwise that of a single column.
    """
    checked = door(draw)

    def inside(*args: P.args, **options: P.kwargs) -> R:
        with contextlib.nullcontext() if _width.get() else house_style():
            return checked(*args, **options)

    return functools.update_wrapper(inside, checked)
