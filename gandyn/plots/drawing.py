"""What every plotting function returns: a matplotlib figure that keeps the numbers it shows."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import pathlib
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..errors import OutputError, writing
from ..results import plain, strict
from .style import SAVING, WIDTHS, current_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend
    from numpy import ndarray


PICTURES = (".pdf", ".png", ".svg")
SMALLEST = 5.0
_UNDATED = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}


@dataclasses.dataclass(frozen=True)
class Path:
    """One drawn trajectory: its lines, one a member, the points (T+1, d) of each, and their times (T+1,).

    Times are a flow's, in units of the flow, or step numbers of a rule: two different clocks.
    """

    lines: tuple[Any, ...]  # of matplotlib, in two or three dimensions
    points: tuple[ndarray, ...]
    t: ndarray
    flow: bool


class Drawing(Figure):
    """A matplotlib `Figure` with the data behind it.

    It belongs to no window and to no pyplot state: nothing needs closing. Saved files embed their fonts and carry no
    date, so drawing the same picture again gives the same bytes.

    Attributes:
        data: the numbers shown: arrays, or plain values, by name.
        paths: the drawn trajectories by label, each a `Path`; `animate` replays them.
    """

    def __init__(self, height: float = 0.75, **options: Any) -> None:
        """An empty figure of the current house width; `height` is a share of the width."""
        width = WIDTHS[current_width()]
        super().__init__(figsize=(width, height * width), layout="constrained", **options)
        FigureCanvasAgg(self)
        self.data: dict[str, Any] = {}
        self.paths: dict[str, Path] = {}

    def legend(self, *args: object, **options: object) -> Legend:
        """Matplotlib's own, in as many columns as fit between the picture's edges, in smaller type if one does not."""
        made = super().legend(*args, **options)
        columns = int(str(options.get("ncols", 1)))
        size = float(made.get_texts()[0].get_fontsize()) if made.get_texts() else 0.0
        while made.get_texts() and not self._holds(made) and (columns > 1 or size > SMALLEST):
            columns, size = (columns - 1, size) if columns > 1 else (1, max(SMALLEST, 0.92 * size))
            made.remove()
            made = super().legend(*args, **{**options, "ncols": columns, "fontsize": size})
        return made

    def legend_below(self, axes: Axes, ncols: int = 2) -> None:
        """One legend below the whole picture with what is labelled on `axes`; none where nothing is."""
        handles = [h for h in axes.get_legend_handles_labels()[0] if not str(h.get_label()).startswith("_")]
        if handles:
            self.legend(handles=handles, loc="outside lower center", ncols=ncols)

    def lay_out(self) -> None:
        """Give the axes their places, as drawing does before it draws."""
        engine = self.get_layout_engine()
        if engine is not None:
            with contextlib.suppress(ValueError):  # as matplotlib does: there is no room
                engine.execute(self)
        for axes in self.axes:
            axes.apply_aspect()

    def _holds(self, legend: Legend) -> bool:
        """Whether a legend is no wider than the picture."""
        return bool(legend.get_window_extent().width <= self.bbox.width - 4 * self.dpi / 72)

    def savefig(self, fname: str | os.PathLike[str] | IO[bytes], **options: Any) -> None:
        """Matplotlib's own, with embedded fonts and without dates."""
        with matplotlib.rc_context(SAVING):
            if isinstance(fname, (str, os.PathLike)):
                options.setdefault("metadata", _UNDATED.get(pathlib.Path(fname).suffix.lower()))
            options.setdefault("dpi", 300)
            kind = options.get("format") or pathlib.Path(str(fname)).suffix[1:].lower() or "png"
            with self._laid_out(options["dpi"]) if kind == "png" else contextlib.nullcontext():
                super().savefig(fname, **options)

    @contextlib.contextmanager
    def _laid_out(self, dpi: float) -> Iterator[None]:
        """Everything in its place and no layout any more: matplotlib would draw once for the layout, and once more."""
        engine, before = self.get_layout_engine(), self.dpi
        self.dpi = dpi
        self.lay_out()
        self.set_layout_engine(None)
        try:
            yield
        finally:
            self.set_layout_engine(engine)
            self.dpi = before

    def save(self, path: str | os.PathLike[str]) -> pathlib.Path:
        """Write the picture as PDF, PNG or SVG, or the data behind it as JSON, by suffix.

        Raises:
            OutputError: for another suffix, or where nothing can be written.
        """
        target = writable(path, (*PICTURES, ".json"))
        with writing(target):
            if target.suffix.lower() == ".json":
                text = json.dumps(strict(self.to_dict()), indent=1, allow_nan=False)
                target.write_text(text + "\n", encoding="utf-8")
            else:
                self.savefig(target)
        return target

    def to_dict(self) -> dict[str, Any]:
        """The data as plain values, ready for `json.dumps`."""
        result: dict[str, Any] = plain(self.data)
        return result

    def _repr_png_(self) -> bytes:
        """Notebooks show the picture without a pyplot backend."""
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=150)
        return buffer.getvalue()


def one_panel(height: float = 0.75) -> tuple[Drawing, Axes]:
    """A picture with one pair of axes, and these axes; `height` is a share of the picture's width."""
    figure = Drawing(height=height)
    return figure, figure.add_subplot()


def writable(path: str | os.PathLike[str], suffixes: tuple[str, ...]) -> pathlib.Path:
    """A path that a file of these kinds can be written to, asked before the work. Raises OutputError otherwise."""
    target = pathlib.Path(path)
    kinds = ", ".join(suffixes)
    if target.suffix.lower() not in suffixes:
        given = f"the suffix {target.suffix!r}" if target.suffix else "no suffix"
        raise OutputError(f"the output {target} has {given}", f"one of {kinds}", f"{target.stem}{suffixes[0]}")
    if not target.parent.is_dir():
        raise OutputError(
            f"cannot write {target}: there is no folder {target.parent}", "a folder that exists", "create it first"
        )
    if target.is_dir() or not os.access(target if target.exists() else target.parent, os.W_OK):
        raise OutputError(f"cannot write {target}: permission denied", "a writable path", "write somewhere else")
    return target
