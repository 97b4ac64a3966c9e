"""Sweeps: a measure over one parameter as a line, over two as a heat map; outcomes of a grid of training runs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from ..analysis.parameters.sweep import Sweep
from ..errors import DomainError, ParameterError
from .drawable import parameter_label, rule_label
from .drawing import Drawing, one_panel
from .style import INK, OKABE_ITO, SERIES, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..gans.monitor import Row
    from ..gans.training.sweep import SweepResult

EDGES = {"spectral_radius": 1.0, "spectral_abscissa": 0.0}


@styled
def parameter_sweep(result: Sweep, title: str | None = None) -> Drawing:
    """The values of a sweep: a line over one parameter, colours over two.

    Where the measure is a spectrum's, a line marks the edge of stability: radius 1 of a rule, abscissa 0 of a flow.

    Args:
        result: what `gd.sweep` returned.
        title: of the picture.

    Returns:
        A `Drawing`; `.data` holds the `values` drawn, a status being its number in `statuses`, and the axes by name.

    Raises:
        DomainError: for more than two parameters.
    """
    names, axes_values = list(result.parameters), list(result.parameters.values())
    if len(names) > 2:
        raise DomainError(f"a picture over {', '.join(names)}", "one or two parameters", "sweep two, fix the others")
    values, statuses = result.values, []
    if values.dtype == object:
        statuses = sorted(set(values.astype(str).ravel()))
        values = np.array([statuses.index(str(v)) for v in values.ravel()], dtype=float).reshape(values.shape)
    shown = np.where(np.isfinite(values), values, np.nan)
    label = result.measure.replace("_", " ")
    figure, axes = one_panel(0.7 if len(names) == 1 else 0.8)
    edge = EDGES.get(result.measure)
    order = [np.argsort(v) for v in axes_values]
    shown = shown[np.ix_(*order)]
    ordered = [v[k] for v, k in zip(axes_values, order, strict=True)]
    if len(names) == 1:
        axes.plot(ordered[0], shown, color=OKABE_ITO["blue"])
        if edge is not None:
            axes.axhline(edge, color=INK, linewidth=0.7, label=f"{label} {edge:g}: the edge of stability")
            figure.legend_below(axes)
        axes.set(xlabel=parameter_label(names[0]), ylabel=label)
        axes.margins(x=0)
    else:
        mesh = axes.pcolormesh(ordered[0], ordered[1], shown.T, shading="nearest", cmap="cividis", rasterized=True)
        bar = figure.colorbar(mesh, ax=axes, label=label)
        if statuses:
            bar.set_ticks(range(len(statuses)), labels=[s.partition(":")[0] for s in statuses])
        if edge is not None and min(shown.shape) > 1 and np.nanmin(shown) < edge < np.nanmax(shown):
            axes.contour(ordered[0], ordered[1], shown.T, levels=[edge], colors=["white"], linewidths=1.1)
            line = Line2D([], [], color="white", path_effects=[withStroke(linewidth=2.2, foreground=INK)])
            line.set_label(f"{label} {edge:g}: the edge of stability")
            figure.legend(handles=[line], loc="outside lower center")
        axes.set(xlabel=parameter_label(names[0]), ylabel=parameter_label(names[1]))
    axes.set_title(title or f"{rule_label(result.rule, names)} on {result.game.name}")
    figure.data.update(values=shown, statuses=statuses, **dict(zip(names, ordered, strict=True)))
    return figure


LETTERS = ("covers", "partial", "collapsed", "oscillates", "vanished", "diverged")
COLOURS = dict(zip(LETTERS, (SERIES[2], SERIES[5], SERIES[3], SERIES[4], SERIES[1], SERIES[0]), strict=True))


@styled
def sweep(result: SweepResult, title: str | None = None) -> Drawing:
    """What `SweepResult.plot()` draws: the most frequent outcome of each cell's seeds, over the sweep's axes.

    Along one axis the cases lie one below the other. Where a cell has several seeds it says how many of them agree, and
    the median of the share of samples near a mode with the least and the largest: the larger the share, the fuller the
    colour.

    Args:
        result: of a sweep along one or two axes.
        title: the sweep's name by default.

    Returns:
        A `Drawing`; `.data` holds the outcomes, for each cell the share of the seeds that agree on it, and the median
        share of samples near a mode where it was measured.

    Raises:
        ParameterError: for more than two axes.
    """
    axes = result.sweep.axes
    if len(axes) not in (1, 2):
        raise ParameterError(f"a sweep along {len(axes)} axes", "one or two", "draw slices of it")
    across = axes[0] if len(axes) == 2 else None
    columns = [label for label, _ in across.cases] if across else [""]
    rows = [label for label, _ in axes[-1].cases]
    figure = Drawing(height=0.35 + (0.1 if across else 0.05) * len(rows))
    panel = figure.subplots()
    outcomes = np.full((len(rows), len(columns)), "", dtype=object)
    quality, agree = np.full((2, len(rows), len(columns)), np.nan)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            case = {axes[-1].name: row} | ({across.name: column} if across else {})
            cells = [cell for cell in result.rows if cell["case"] == case]
            if not cells:
                continue
            outcomes[i, j], agree[i, j], quality[i, j] = _square(panel, i, j, cells, "\n" if across else ", ")
    panel.set_xticks(range(len(columns)), columns, rotation=30 if max(map(len, columns)) > 6 else 0)
    panel.set_yticks(range(len(rows)), rows)
    panel.set(xlabel=across.name if across else "", ylabel=axes[-1].name)
    panel.set(xlim=(-0.5, len(columns) - 0.5), ylim=(-0.5, len(rows) - 0.5))
    if across is None:
        panel.set_xticks([])
        panel.invert_yaxis()
    panel.set_title(result.sweep.name if title is None else title)
    figure.data.update(outcomes=outcomes.tolist(), quality=quality, agree=agree, columns=columns, rows=rows)
    return figure


def _square(panel: Axes, i: int, j: int, cells: list[Row], between: str) -> tuple[str, float, float]:
    """Draw one square; its most frequent outcome, the share of the seeds that have it, the median share near a mode."""
    ((outcome, count),) = Counter(cell["outcome"] for cell in cells).most_common(1)
    shares = [cell["metrics"].get("near_quality") for cell in cells]
    known = [share for share in shares if share is not None]
    lines = [outcome if len(cells) == 1 else f"{outcome} {count} of {len(cells)}"]
    if known:
        lines.append(f"{100 * np.median(known):.0f} %")
    if len(known) > 1:
        lines.append(f"{100 * min(known):.0f} to {100 * max(known):.0f}")
    panel.fill([j - 0.5, j + 0.5, j + 0.5, j - 0.5], [i - 0.5, i - 0.5, i + 0.5, i + 0.5],
               color=COLOURS[outcome], alpha=0.2 + 0.65 * float(np.median(known or [1])), lw=0)  # fmt: skip
    panel.text(j, i, between.join(lines), ha="center", va="center", fontsize="x-small")
    return outcome, count / len(cells), float(np.median(known)) if known else np.nan
