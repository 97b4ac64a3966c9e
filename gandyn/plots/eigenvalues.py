"""Eigenvalues against what they must not cross: the unit circle for maps, the imaginary axis for flows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Circle, Rectangle

from ..analysis.local.linearization import Linearization
from ..errors import DomainError, GandynError, ParameterError
from ..lazy import sympy
from .drawable import labelled
from .drawing import Drawing, one_panel
from .labels import place_labels
from .style import FAINT, INK, QUIET, Style, current_width, series_styles, styled

LONGEST_FORMULA = 46
LONGEST_LINE = 20
MOST_ANNOTATIONS = 5


@styled
def spectrum(linearizations: object, zoom: bool | str = "auto", title: str | None = None) -> Drawing:
    """Eigenvalues of linearised maps against the unit circle, or of flows against the imaginary axis.

    Each set is annotated with its spectral radius (maps) or abscissa (flows), exact where the linearisation is.

    Args:
        linearizations: one result of `gd.linearize`, a sequence, or a dict from label to result; maps or flows.
        zoom: show the leading eigenvalues enlarged, the whole circle in a corner; "auto" where they crowd together.
        title: of the picture.

    Returns:
        A `Drawing`; `.data` holds, by label, the eigenvalues, the radius or abscissa, and its exact form as text.

    Raises:
        DomainError: for maps and flows in one picture. ParameterError: without any eigenvalues.

    Example:
        >>> import gandyn as gd
        >>> game = gd.games.bilinear()
        >>> figure = gd.plots.spectrum([gd.linearize(game, gd.rules.GDA(0.2))])
        >>> figure.data["Simultaneous GD"]["exact"]
        'sqrt(26)/5'
    """
    items = labelled(linearizations, Linearization)
    figure, axes = one_panel(0.9)
    formulas = draw_spectrum(figure, axes, items, series_styles(list(items), [False] * len(items)), zoom)
    if formulas:
        handles = axes.get_legend_handles_labels()[0]
        texts = [f"{label}: {text}".replace("$\n$", "") for label, text in formulas.items()]
        figure.legend(handles, texts, loc="outside lower center", ncols=1 if current_width() == "single" else 2)
    if title:
        axes.set_title(title)
    return figure


@styled
def linearization(lin: Linearization, **options: Any) -> Drawing:
    """One linearisation's eigenvalues: what `Linearization.plot()` draws.

    Args:
        lin: of `gd.linearize`.
        options: of `spectrum`.
    """
    return spectrum([lin], **{"title": lin.game.name, **options})


def draw_spectrum(
    figure: Drawing,
    axes: Axes,
    items: Mapping[str, Linearization],
    styles: Mapping[str, Style],
    zoom: bool | str = "auto",
) -> dict[str, str]:
    """Draw spectra on axes of an existing figure, and put their numbers into its data.

    Returns:
        The formulas by label that did not fit beside their points, for the figure's legend: all of them for more than
        five sets, else none.
    """
    flow = _one_kind(items)
    values = {label: np.asarray(lin.eigenvalues) for label, lin in items.items()}
    formulas = {label: formula(lin) for label, lin in items.items()}
    for label, lin in items.items():
        key, measure, exact = measured(lin)
        known = None if exact is None else str(exact)
        figure.data[label] = {"eigenvalues": values[label], key: measure, "exact": known}
    everything = np.concatenate(list(values.values()))
    leading = np.array([_leading(v, flow) for v in values.values()])
    window = None if flow else _window(leading, zoom)
    if flow:
        _draw_axis(axes, everything)
    else:
        _draw_circle(axes, everything, window)
    axes.set_xlabel(r"$\mathrm{Re}\,\lambda$")
    axes.set_ylabel(r"$\mathrm{Im}\,\lambda$")
    _scatter(axes, values, styles)
    obstacles: list[Artist] = [*axes.texts]
    if window is not None:
        obstacles.append(_overview(axes, values, styles, window, leading))
    if len(items) > MOST_ANNOTATIONS:
        return formulas
    points, rest = (np.stack([z.real, z.imag], axis=-1) for z in (leading, everything))
    texts = [f"{label}\n{text}" for label, text in formulas.items()]
    colours = [dark(styles[label].colour) for label in items]
    notes = place_labels(figure, axes, points, texts, colours, obstacles, rest, _axis() if flow else _arc())
    for label, note in zip(items, notes, strict=True):
        note.set_gid(f"radius of {label}")
    return {}


def _one_kind(items: Mapping[str, Linearization]) -> bool:
    """Whether all are flows; refuses a mixture, and nothing."""
    flows = {lin.rule is None for lin in items.values()}
    if len(flows) != 1:
        given = "maps and flows in one spectrum" if flows else "no linearisation to draw"
        kind: type[GandynError] = DomainError if flows else ParameterError
        raise kind(given, "all of one kind, at least one", "draw maps against the circle, flows against the axis")
    return flows.pop()


def measured(lin: Linearization) -> tuple[str, float, sympy.Expr | None]:
    """The spectral radius of a map, or the spectral abscissa of a flow: its name, its value, its exact form or None."""
    name = "spectral_abscissa" if lin.rule is None else "spectral_radius"
    exact = None if lin.exact is None else getattr(lin.exact, name)
    return name, float(getattr(lin, name)), exact


def formula(lin: Linearization) -> str:
    r"""The deciding number as mathematics: "$\rho = \sqrt{26} / 5 \approx 1.0198$"."""
    name, number, exact = measured(lin)
    symbol = r"\rho" if name == "spectral_radius" else r"\max\,\mathrm{Re}\,\lambda"
    decimal = f"{number:.4f}" if abs(number) < 100 else f"{number:.4g}"
    if exact is not None:
        text = sympy.latex(exact, fold_short_frac=True)
        if exact.is_Rational and len(str(exact)) < 8 and (exact.is_Integer or exact.q < 10):
            return f"${symbol} = {text}$"
        if not exact.has(sympy.CRootOf, sympy.Float) and len(text) <= LONGEST_FORMULA:
            gap = "$\n$" if len(text) > LONGEST_LINE else ""
            return rf"${symbol} = {text} {gap}\approx {decimal}$"
    return rf"${symbol} \approx {decimal}$"


def dark(colour: str) -> str:
    """A series colour deep enough for small type on white."""
    from matplotlib.colors import to_hex, to_rgb

    red, green, blue = to_rgb(colour)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    share = min(1.0, 0.42 / max(luminance, 1e-9))
    return to_hex((red * share, green * share, blue * share))


def _leading(values: np.ndarray, flow: bool) -> complex:
    """The eigenvalue that decides; of a conjugate pair, the upper one."""
    keys = np.round(values.real if flow else np.abs(values), 12)
    top = values[keys == keys.max()]
    return complex(top[np.argmax(top.imag)])


def _window(leading: np.ndarray, zoom: bool | str) -> tuple[float, float, float] | None:
    """(centre x, centre y, half width) of the enlargement, or None to show the whole circle."""
    centre = complex((leading.real.min() + leading.real.max()) / 2, (leading.imag.min() + leading.imag.max()) / 2)
    spread = max(np.ptp(leading.real), np.ptp(leading.imag), 1e-6)
    gap = abs(abs(leading) - 1).max()
    half = max(1.5 * spread, 1.8 * gap, 0.02)
    if zoom is False or (zoom == "auto" and (half > 0.25 or len(leading) < 2)):
        return None
    return centre.real, centre.imag, half


def _scatter(axes: Axes, values: Mapping[str, np.ndarray], styles: Mapping[str, Style], size: float = 20) -> None:
    for label, found in values.items():
        axes.scatter(
            found.real,
            found.imag,
            s=size,
            marker=styles[label].marker,
            facecolor=styles[label].colour,
            edgecolor="white",
            linewidth=0.5,
            zorder=5,
            label=label,
        )


def _draw_circle(axes: Axes, values: np.ndarray, window: tuple[float, float, float] | None) -> None:
    axes.add_patch(Circle((0, 0), 1, facecolor="#f3f3f3", edgecolor=INK, linewidth=0.9, zorder=1))
    axes.set_aspect("equal")
    if window is None:
        reach = 1.25 * max(1.0, float(np.abs(values.real).max()), float(np.abs(values.imag).max()))
        axes.set_xlim(-reach, reach)
        axes.set_ylim(-reach, reach)
        axes.axhline(0, color=FAINT, linewidth=0.5, zorder=1.5)
        axes.axvline(0, color=FAINT, linewidth=0.5, zorder=1.5)
        if reach < 1.6:  # the word fits inside
            axes.text(0, -0.8, "stable", color=QUIET, ha="center", va="center", style="italic")
        else:
            axes.text(0.03, 0.03, "stable inside", transform=axes.transAxes, color=QUIET, style="italic")
        return
    x, y, half = window
    axes.set_xlim(x - half, x + half)
    axes.set_ylim(y - half, y + half)
    _name_sides(axes)


def _overview(
    axes: Axes,
    values: Mapping[str, np.ndarray],
    styles: Mapping[str, Style],
    window: tuple[float, float, float],
    leading: np.ndarray,
) -> Axes:
    """The whole circle in the corner that is furthest from the points, with the enlarged part framed."""
    x, y, half = window
    low = float(np.mean(leading.imag)) >= y - 0.2 * half
    inset = axes.inset_axes((0.03, 0.03 if low else 0.67, 0.3, 0.3), zorder=4)
    reach = 1.15 * max(1.0, *(float(np.abs(v).max()) for v in values.values()))
    inset.add_patch(Circle((0, 0), 1, facecolor="#f3f3f3", edgecolor=INK, linewidth=0.6))
    for label, found in values.items():
        inset.scatter(found.real, found.imag, s=3, color=styles[label].colour, zorder=3, linewidth=0)
    inset.add_patch(Rectangle((x - half, y - half), 2 * half, 2 * half, fill=False, edgecolor=INK, linewidth=0.6))
    inset.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[], aspect="equal")
    return inset


def _name_sides(axes: Axes) -> None:
    for x, side, word in ((0.03, "left", "stable"), (0.97, "right", "unstable")):
        axes.text(x, 0.97, word, transform=axes.transAxes, color=QUIET, ha=side, va="top", style="italic")


def _draw_axis(axes: Axes, values: np.ndarray) -> None:
    width = 1.6 * max(float(np.abs(values.real).max()), 0.25 * float(np.abs(values.imag).max()), 0.1)
    height = 1.5 * max(float(np.abs(values.imag).max()), 0.25 * width)
    axes.set_xlim(-width, width)
    axes.set_ylim(-height, height)
    axes.axvspan(-width, 0, facecolor="#f3f3f3", zorder=0.5)
    axes.axvline(0, color=INK, linewidth=0.9, zorder=1)
    axes.axhline(0, color=FAINT, linewidth=0.5, zorder=0.8)
    _name_sides(axes)


def _axis() -> np.ndarray:
    return np.stack([np.zeros(4000), np.linspace(-100, 100, 4000)], axis=-1)


def _arc() -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, 4000)
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)
