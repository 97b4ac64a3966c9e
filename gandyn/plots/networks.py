"""Pictures of real GANs near a point: spectra, path angles, and toys against networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patches import Circle
from matplotlib.ticker import FuncFormatter

from ..analysis.spectrum import Spectrum
from ..analysis.spectrum.path_angle import PathAngle
from ..analysis.spectrum.toy_against_network import ToyAgainstNetwork
from ..errors import DomainError
from ..types import Array
from .drawable import listed
from .drawing import Drawing, one_panel
from .style import FAINT, INK, QUIET, series_styles, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ENDS = {"LM": ("o", 46), "LR": (">", 26), "SR": ("<", 26), "LI": ("^", 15)}  # mark and size: one point may be several


@styled
def network_spectrum(spectra: object, title: str | None = None) -> Drawing:
    """Spectra of networks side by side: resolved ends as marks, all Ritz values of their space as faint dots.

    Unresolved ends are hollow. Ritz values are an outline of the spectrum, not eigenvalues. Bounds are dashed. Maps are
    drawn with the unit circle, everything else with the imaginary axis.

    Args:
        spectra: one result of `gd.spectrum`, a sequence, or a dict from label to result, such as
            {"start": ..., "end": ...}.
        title: of the picture.

    Returns:
        A `Drawing`; `.data` holds, by label, eigenvalues, residuals, which are resolved, Ritz values and bounds.

    Raises:
        DomainError: for nothing to draw, and for maps beside other spectra.
    """
    items = _labelled(spectra)
    figure = Drawing(height=0.85 if len(items) == 1 else 0.5)
    panels, styles = figure.subplots(1, len(items), squeeze=False)[0], series_styles(list(ENDS), [False] * len(ENDS))
    for (label, found), axes in zip(items.items(), panels, strict=True):
        outline, values = np.asarray(found.ritz), found.eigenvalues
        axes.axhline(0, color=FAINT, linewidth=0.5, zorder=0)
        if found.rule is None:
            axes.axvline(0, color=QUIET, linewidth=0.8, zorder=0)
        else:
            axes.add_patch(Circle((0, 0), 1, fill=False, edgecolor=QUIET, linewidth=0.8, zorder=0))
            axes.set_aspect("equal", adjustable="box")
        axes.scatter(outline.real, outline.imag, s=4, color=QUIET, linewidth=0, zorder=1)
        for name, end in found.ends.items():
            here, style, (mark, size) = end.values + (found.rule is not None), styles[name], ENDS[name]
            for kept, filled in ((end.resolved, True), (~end.resolved, False)):
                axes.scatter(
                    *(here[kept].real, here[kept].imag, size, style.colour if filled else "none"),
                    marker=mark, edgecolor="white" if filled else style.colour, linewidth=0.6, zorder=3,
                    label=f"{name}{'' if filled else ', unresolved'}" if kept.any() else None,
                )  # fmt: skip
        _draw_bounds(axes, found)
        if found.rule is not None:
            _frame(axes, np.concatenate([values, outline]))
        axes.set(xlabel=r"$\mathrm{Re}\,\lambda$", title=label if len(items) > 1 else title or found.game.name)
        figure.data[label] = {
            "eigenvalues": values,
            "residuals": found.residuals,
            "resolved": found.resolved,
            "ritz": outline,
            "bounds": dict(found.bounds),
        }
    panels[0].set_ylabel(r"$\mathrm{Im}\,\lambda$")
    handles = {text: handle for axes in panels for handle, text in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4)
    if title and len(items) > 1:
        figure.suptitle(title, fontsize="medium")
    return figure


def _labelled(spectra: object) -> dict[str, Spectrum]:
    found = listed(spectra, Spectrum)
    if isinstance(spectra, Spectrum):
        items = {spectra.of: spectra}
    elif isinstance(spectra, Mapping):
        items = dict(zip(map(str, spectra), found, strict=True))
    else:
        items = {f"{k + 1}: {s.of}": s for k, s in enumerate(found)}
    if not items or len({s.rule is None for s in items.values()}) > 1:
        given = "maps beside other spectra" if items else "no spectrum"
        raise DomainError(given, "spectra of one kind", "draw them one by one")
    return items


def _draw_bounds(axes: Any, found: Spectrum) -> None:
    for name, bound in found.bounds.items():
        if not np.isfinite(bound):
            continue
        line = {"color": INK, "linewidth": 0.7, "linestyle": (0, (4, 3)), "zorder": 0}
        if name in ("LR", "SR"):
            axes.axvline(bound, **line)
        elif name == "LI":
            axes.axhline(bound, **line)
            axes.axhline(-bound, **line)


def _frame(axes: Axes, values: Array) -> None:
    """The values with a margin, and the part of the circle that is there."""
    x, y = values.real, values.imag
    width = max(np.ptp(np.append(x, 1.0)), 1e-3)
    height = max(np.abs(y).max(), 0.35 * width)
    width = max(width, height)
    axes.set_xlim(min(x.min(), 1.0) - 0.1 * width, max(x.max(), 1.0) + 0.1 * width)
    axes.set_ylim(-1.15 * height, 1.15 * height)


@styled
def path_angle(found: PathAngle, title: str | None = None) -> Drawing:
    """The cosine of the path angle and the norm of the field along a path, as in Berard et al. 2020, figure 3.

    Args:
        found: of `gd.path_angle`.
        title: of the picture.

    Returns:
        A `Drawing`; `.data` holds positions, angle, norm, switch and bump.
    """
    figure, axes = one_panel(0.7)
    beside = axes.twinx()
    left, right = series_styles(["angle", "norm"], [False, False]).values()
    axes.axhline(0, color=FAINT, linewidth=0.6, zorder=0)
    for end in (0, 1):
        axes.axvline(end, color=FAINT, linewidth=0.6, zorder=0)
    axes.plot(found.positions, found.angle, color=left.colour, linewidth=1.2)
    beside.plot(found.positions, found.norm, color=right.colour, linewidth=1.0, linestyle=(0, (5, 2)))
    if (found.norm > 0).all() and found.norm.max() > 30 * found.norm.min():
        beside.set_yscale("log")
    else:
        beside.set_ylim(0, None)
    reach = max(1.1 * np.abs(found.angle).max(), 0.1)
    axes.set(ylim=(-reach, reach), xlabel=r"position $\alpha$ on the path")
    axes.set_ylabel(r"$\cos(v, w_1 - w_0)$", color=left.colour)
    beside.set_ylabel(r"$\|v\|$ (dashed)", color=right.colour)
    axes.margins(x=0)
    axes.set_title(title or f"{found.motion.name.lower()}: switch {found.switch:.2f}, bump {found.bump:.2f}")
    figure.data.update({n: getattr(found, n) for n in ("positions", "angle", "norm", "switch", "bump")})
    return figure


@styled
def toy_against_network(found: ToyAgainstNetwork, title: str | None = None) -> Drawing:
    """Growth against the step size, and the error over the steps, one row for each mode: lines toy, dots network.

    Args:
        found: of `gd.analysis.toy_against_network`.
        title: of the picture.

    Returns:
        A `Drawing`; `.data` holds for each mode's end its eigenvalue, factors, curve, dots, amplitudes and promises.
    """
    rows = len(found.modes)
    figure = Drawing(height=0.12 + 0.42 * rows)
    panels = figure.subplots(rows, 2, squeeze=False)
    styles = series_styles(["toy", "network"], [False, False])
    for mode, (left, right) in zip(found.modes, panels, strict=True):
        left.axhline(1, color=QUIET, linewidth=0.7, zorder=0)
        left.plot(mode.factors, mode.curve, color=styles["toy"].colour, label="toy")
        left.plot(mode.factors, mode.dots, "o", markersize=3.2, color=styles["network"].colour, label="network")
        left.set_xscale("log", base=2)
        left.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        if 0 < mode.stable < np.inf and mode.factors[0] < mode.stable < mode.factors[-1]:
            left.axvline(mode.stable, color=QUIET, linewidth=0.7, linestyle=(0, (4, 3)), zorder=0)
        left.set_ylim(*_limits([mode.curve, mode.dots]))
        left.set_ylabel("growth a step")
        z = mode.eigenvalue
        left.set_title(rf"{mode.end}: $\lambda_J = {z.real:.3g}" + (rf" + {z.imag:.3g}i$" if z.imag else "$"))
        steps = np.arange(len(mode.amplitudes))
        right.plot(steps, mode.promised, color=styles["toy"].colour)
        right.plot(steps, mode.amplitudes, "o", markersize=2.2, color=styles["network"].colour)
        right.set(yscale="log", ylabel="error", title=f"turns a step: {mode.turn:.3f} | {mode.measured_turn:.3f}")
        known = mode.amplitudes[np.isfinite(mode.amplitudes) & (mode.amplitudes > 0)]
        right.set_ylim(0.5 * known.min(), 2 * max(known.max(), 1.0))
        figure.data[mode.end] = {
            "eigenvalue": z,
            **{n: getattr(mode, n) for n in ("factors", "curve", "dots", "amplitudes", "promised", "stable")},
        }
    panels[-1][0].set_xlabel("multiple of the rule's step size")
    panels[-1][1].set_xlabel("step")
    figure.suptitle(title or f"{found.rule.name} on {found.game.name}", fontsize="medium")
    figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def _limits(series: Sequence[Array]) -> tuple[float, float]:
    known = np.concatenate(series)
    known = known[np.isfinite(known)]
    low, high = min(known.min(), 1.0), min(max(known.max(), 1.0), 3.0)
    return low - 0.1 * (high - low) - 0.01, high + 0.1 * (high - low) + 0.01
