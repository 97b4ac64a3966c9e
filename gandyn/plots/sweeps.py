"""A measure over one parameter as a line, over two as a heat map."""

from __future__ import annotations

import numpy as np

from ..analysis.parameters.sweep import Sweep
from ..errors import DomainError
from .drawable import rule_label
from .drawing import Drawing, one_panel
from .style import INK, OKABE_ITO, styled

EDGES = {"spectral_radius": 1.0, "spectral_abscissa": 0.0}


@styled
def parameter_sweep(result: Sweep, title: str | None = None) -> Drawing:
    """The values of a sweep: a line over one parameter, colours over two, with the edge of stability of spectra.

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
            axes.axhline(edge, color=INK, linewidth=0.7)
        axes.set(xlabel=names[0], ylabel=label)
        axes.margins(x=0)
    else:
        mesh = axes.pcolormesh(ordered[0], ordered[1], shown.T, shading="nearest", cmap="cividis", rasterized=True)
        bar = figure.colorbar(mesh, ax=axes, label=label)
        if statuses:
            bar.set_ticks(range(len(statuses)), labels=[s.partition(":")[0] for s in statuses])
        if edge is not None and min(shown.shape) > 1 and np.nanmin(shown) < edge < np.nanmax(shown):
            axes.contour(ordered[0], ordered[1], shown.T, levels=[edge], colors=["white"], linewidths=1.1)
        axes.set(xlabel=names[0], ylabel=names[1])
    axes.set_title(title or f"{rule_label(result.rule)} on {result.game.name}")
    figure.data.update(values=shown, statuses=statuses, **dict(zip(names, ordered, strict=True)))
    return figure
