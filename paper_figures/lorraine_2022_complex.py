"""Complex momentum: what no real momentum can do with simultaneous steps on the bilinear game.

**The paper** shows the spectral radius of simultaneous heavy-ball steps over the argument and modulus of a complex
momentum coefficient beta: with arg beta near pi/8 and |beta| = 0.9 the bilinear game converges, with real beta it
never does.

**Settings.** f = x y. For each beta the radius at the best of 120 steps between 0.002 and 1; for beta = 0.9 exp(i
pi/8) the radius by step. Only the real part of the buffer enters the step, so the augmented map has six real
dimensions.

**What we find.** Agreement, and the region in closed form. To second order in the step the slow eigenvalue pair has
modulus 1 + h^2 r Re[(1 + beta) / (1 - beta)^2] / 2, r = Re[1/(1 - beta)] > 0, so small steps converge if and only if
Re[(1 + beta) / (1 - beta)^2] < 0 (dashed). That is positive for every real beta: none converges. At 0.9 exp(i pi/8)
it is negative, but the stable steps end at 0.072 and the best factor is only 0.979. The best coefficient on the grid
is another, |beta| 0.68 and arg beta 0.46 pi, with factor 0.900 at a step of 0.73.
"""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np

import gandyn as gd
from gandyn.figures import Expected
from gandyn.plots.style import INK, QUIET, SERIES

PAPER = "Lorraine, Acuna, Vicol & Duvenaud 2022"
TITLE = "The spectral radius under complex momentum"
SOURCE = "the figures of the bilinear game"
VERDICT = "reproduced"

ARGUMENT, MODULUS = np.pi / 8, 0.9
ARGUMENTS, MODULI = np.linspace(0, np.pi, 49), np.linspace(0.4, 0.98, 30)
STEPS, CURVE = np.geomspace(0.002, 1, 120), np.linspace(0.001, 0.1, 100)
CHECKED, RUN = (0.01, 0.03, 0.05, 0.07, 0.09), 1500


def _radius(beta: Any, lr: Any) -> Any:
    """Spectral radius on f = x y of w+ = w + lr p+, p+ = a p - b q - v, q+ = b p + a q, where beta = a + i b.

    Written down here from the paper's equation, as a second route beside the traced rule.
    """
    beta, lr = np.broadcast_arrays(np.asarray(beta, dtype=complex), lr)
    eye, field = np.eye(2), np.array([[0.0, 1.0], [-1.0, 0.0]])
    a, b, h = (z[..., None, None] for z in (beta.real, beta.imag, lr))
    p = np.concatenate([-field + 0 * h, a * eye, -b * eye], axis=-1)
    q = np.concatenate([0 * h * eye, b * eye, a * eye], axis=-1)
    w = h * p + np.concatenate([eye, 0 * eye, 0 * eye], axis=-1)
    return np.abs(np.linalg.eigvals(np.concatenate([w, p, q], axis=-2))).max(-1)


def compute(quick: bool) -> dict[str, Any]:
    """Radii at the best step by argument and modulus, and for the paper's coefficient by step, with measured rates."""
    grid = MODULI[:, None] * np.exp(1j * ARGUMENTS)
    radii = np.stack([_radius(grid, lr) for lr in STEPS])
    beta = MODULUS * np.exp(1j * ARGUMENT)
    game, curve = gd.games.bilinear(), _radius(beta, CURVE)
    rules = [gd.rules.HeavyBall(lr, complex(beta)) for lr in CHECKED]
    runs = [np.linalg.norm(gd.iterate(game, rule, [1.0, 0.0], RUN).w, axis=-1) for rule in rules]
    return {
        "arguments": ARGUMENTS,
        "moduli": MODULI,
        "radius": radii.min(0),
        "best_step": STEPS[radii.argmin(0)],
        "steps": CURVE,
        "curve": curve,
        "traced": np.array([gd.linearize(game, rule, at=[0, 0]).spectral_radius for rule in rules]),
        "by_hand": _radius(beta, np.array(CHECKED)),
        "measured": np.array([_rate(run) for run in runs]),
        "checked": np.array(CHECKED),
        "criterion": _criterion(grid),
        "small_step": _radius(grid, 2e-4),
        "best_published": curve.min(),
        "last_stable_step": CURVE[curve < 1].max(),
        "second_order": (_radius(beta, 1e-3) - 1) / 1e-6,
    }


def _criterion(beta: Any) -> Any:
    """Re[(1 + beta) / (1 - beta)^2]: below zero, small steps converge."""
    return ((1 + beta) / (1 - beta) ** 2).real


def _rate(distance: np.ndarray) -> float:
    """Factor a step, from the largest distances of two windows a thousand steps apart."""
    return float((distance[-400:].max() / distance[-1400:-1000].max()) ** (1 / 1000))


def draw(data: dict[str, Any]) -> Any:
    """Contours of the best radius over argument and modulus; the radius by step for the paper's coefficient."""
    figure = gd.plots.Drawing(height=1.35)
    plane, curve = figure.subplots(2, 1, height_ratios=[1.5, 1.0])
    degrees = np.array(data["arguments"]) / np.pi
    levels, colours = [0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995, 1.0 - 1e-6], matplotlib.colormaps["cividis"]
    filled = plane.contourf(
        degrees, data["moduli"], data["radius"], levels=levels, extend="max",
        colors=[*colours(np.linspace(0, 1, len(levels) - 1)), "#f3f3f3"],
    )  # fmt: skip
    bar = figure.colorbar(filled, ax=plane, label="radius at the best step")
    bar.set_ticks(levels, labels=[f"{level:.3g}" for level in levels])
    plane.contour(degrees, data["moduli"], data["criterion"], levels=[0], colors=INK, linestyles="--", linewidths=0.9)
    plane.text(0.5, 0.47, "no step converges", ha="center", va="center", color=QUIET, style="italic")
    plane.plot(ARGUMENT / np.pi, MODULUS, "*", color=SERIES[0], markersize=9, mec="white", mew=0.6)
    plane.annotate(
        r"$0.9\,e^{i\pi/8}$", (ARGUMENT / np.pi, MODULUS), (6, -11), textcoords="offset points", color=INK,
        bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
    )  # fmt: skip
    ticks = [0, 1 / 4, 1 / 2, 3 / 4, 1]
    plane.set_xticks(ticks, ["0", r"$\pi/4$", r"$\pi/2$", r"$3\pi/4$", r"$\pi$"])
    plane.set(xlabel=r"$\arg\beta$", ylabel=r"$|\beta|$")
    curve.axhline(1, color=QUIET, linewidth=0.8)
    curve.plot(data["steps"], data["curve"], color=INK, label="spectral radius")
    curve.plot(data["checked"], data["measured"], "o", color=SERIES[0], label="measured along the iterates")
    curve.set(ylim=(0.97, 1.06), xlabel=r"step, at $\beta = 0.9\,e^{i\pi/8}$", ylabel="factor a step")
    curve.margins(x=0)
    figure.legend(*curve.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


_BETA = MODULUS * np.exp(1j * ARGUMENT)
_SLOPE = float((1 / (1 - _BETA)).real * _criterion(_BETA) / 2)
EXPECTED = (
    Expected("arg 0: smallest radius over the steps", 1, 1e-4, "no real momentum", lambda d: d["radius"][:, 0].min()),
    Expected("arg pi: smallest radius over the steps", 1, 1e-4, "no real momentum", lambda d: d["radius"][:, -1].min()),
    Expected(
        "traced rule against the matrix by hand", 0, 1e-12, "two routes",
        lambda d: np.abs(d["traced"] - d["by_hand"]).max(),
    ),
    Expected(
        "measured against the radius", 0, 2e-4, "two routes", lambda d: np.abs(d["measured"] - d["by_hand"]).max()
    ),
    Expected(
        "points of the grid where the criterion errs at step 0.0002", 0, 0, "second order in the step",
        lambda d: ((d["small_step"] < 1) != (d["criterion"] < 0))[np.abs(d["criterion"]) > 0.02].sum(),
    ),
    Expected(
        "0.9 exp(i pi/8): (radius - 1) / step^2 at step 0.001", _SLOPE, 0.02, "second order in the step",
        lambda d: d["second_order"],
    ),
    Expected("0.9 exp(i pi/8): best factor on the curve", 0.979, 1e-3, "two routes", lambda d: d["best_published"]),
)  # fmt: skip
