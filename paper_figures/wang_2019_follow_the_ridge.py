"""Follow the ridge: gradient descent-ascent leaves the right point, or takes the wrong one.

**The paper** (section 6) shows three functions of two variables, with x minimising first: on the first the origin is
a local minimax that gradient methods leave, on the second it is none and they go there all the same, on the third (a
ridge under a Gaussian) they cycle around it. Follow-the-ridge goes to the first and third and leaves the second.

**Settings.** Starts (5, 7), (6, 5), (7, 5), step 0.05, 1000 iterations; beside it gradient descent-ascent,
extragradient, optimistic steps, and consensus with gamma = 0.1.

**What we find.** Agreement on all three. Follow-the-ridge's map at the origin has the factors 1 - lr times the Schur
complement f_xx - f_xy^2/f_yy and 1 + lr f_yy: 0.9 twice, 1.1 twice, and 0.6 with 0.9. Consensus at this gamma is
attracted by the origin of the first two functions alike (0.92 and 0.973): it cannot tell a local minimax from another
critical point. On the third it would be attracted too (0.968), but its first steps take it out to where the function
is flat.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import gandyn as gd
from gandyn.figures import Expected
from gandyn.plots.style import FAINT, INK, OKABE_ITO

PAPER = "Wang, Zhang & Ba 2019"
TITLE = "Follow the ridge on three functions"
SOURCE = "section 6, low-dimensional functions"
VERDICT = "reproduced"

LR, ITERATIONS, REACH = 0.05, 1000, (13.0, 13.0, 10.0)
RULES = {
    "GDA": gd.rules.GDA(LR),
    "extragradient": gd.rules.Extragradient(LR),
    "optimistic": gd.rules.OptimisticGD(LR),
    "consensus": gd.rules.Consensus(LR, 0.1),
    "follow the ridge": gd.rules.FollowTheRidge(LR),
}
COLOURS = [OKABE_ITO[name] for name in ("vermillion", "sky", "green", "purple", "blue")]
LEFT = 1e3


def compute(quick: bool) -> dict[str, Any]:
    """Paths by function and rule, the functions on a grid, and follow-the-ridge's factors at the origin."""
    data: dict[str, Any] = {"rules": list(RULES)}
    for k, reach in enumerate(REACH, start=1):
        game = gd.games.follow_the_ridge(k)
        axis = np.linspace(-reach, reach, 121)
        data[f"axis_{k}"] = axis
        data[f"values_{k}"] = game.costs(np.stack(np.meshgrid(axis, axis), axis=-1))[0]
        paths = [_path(game, rule) for rule in RULES.values()]
        data[f"paths_{k}"] = np.stack(paths)
        data[f"distance_{k}"] = np.linalg.norm(data[f"paths_{k}"], axis=-1)
        at = gd.linearize(game, RULES["follow the ridge"], at=[0, 0])
        data[f"factors_{k}"] = np.sort(np.abs(at.eigenvalues))
        data[f"gda_radius_{k}"] = gd.linearize(game, RULES["GDA"], at=[0, 0]).spectral_radius
    return data


def _path(game: Any, rule: Any) -> np.ndarray:
    """The orbit, stopped where it has left for good."""
    w = gd.iterate(game, rule, game.facts.starts[0], ITERATIONS).w
    gone = np.flatnonzero(~(np.abs(w).max(-1) < LEFT))
    if len(gone):
        w[gone[0] :] = w[gone[0]]
    return w


def draw(data: dict[str, Any]) -> Any:
    """A function a row: the orbits over its contours, and the distance from the origin."""
    figure = gd.plots.Drawing(height=1.5)
    for k, (row, reach) in enumerate(zip(figure.subplots(3, 2, width_ratios=[1, 1.1]), REACH, strict=True), start=1):
        plane, distance = row
        axis, values = data[f"axis_{k}"], data[f"values_{k}"]
        levels = np.quantile(values, np.linspace(0.04, 0.96, 9))
        plane.contour(axis, axis, values, levels=levels, colors=FAINT, linewidths=0.5, linestyles="solid", zorder=0)
        for name, colour, path, away in zip(
            data["rules"], COLOURS, data[f"paths_{k}"], data[f"distance_{k}"], strict=True
        ):
            style: dict[str, Any] = {"color": colour, "linewidth": 1.2 if name == "follow the ridge" else 0.8}
            style |= {"linestyle": (0, (3, 3))} if name == "optimistic" else {}
            plane.plot(*path.T, **style)
            distance.plot(np.maximum(away, 1e-14), label=name, **style)
        plane.plot(0, 0, "*", color=INK, markersize=6, zorder=5)
        plane.plot(*data[f"paths_{k}"][0, 0], "o", color=INK, markersize=3, zorder=5)
        plane.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xlabel="$x$", ylabel="$y$")
        plane.set_title(f"function {k}")
        distance.set(yscale="log", ylim=(1e-8, 2 * LEFT), xlim=(0, ITERATIONS if k == 3 else 250))
        distance.set(xlabel="iteration", ylabel="distance", yticks=[1e-8, 1e-4, 1, 1e3])
    figure.legend(*distance.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _last(k: int, rule: str) -> Any:
    return lambda d: d[f"distance_{k}"][list(RULES).index(rule), -1]


FR = "follow the ridge"
EXPECTED = (
    Expected("function 1: follow-the-ridge at the end", 0, 1e-10, "factors 0.9, 0.9", _last(1, FR)),
    Expected("function 3: follow-the-ridge at the end", 0, 1e-10, "factors 0.6, 0.9", _last(3, FR)),
    Expected("function 2: gradient descent-ascent at the end", 0, 1e-10, "factor 0.9", _last(2, "GDA")),
    Expected("function 2: follow-the-ridge leaves", 1.5 * LEFT, 0.5 * LEFT, "factor 1.1", _last(2, FR)),
    Expected("function 1: consensus at the end", 0, 1e-10, "factor 0.92", _last(1, "consensus")),
    Expected("function 2: consensus at the end", 0, 1e-9, "factor 0.973", _last(2, "consensus")),
    Expected("factor on function 1", 0.9, 1e-12, "1 - lr Schur, Schur 2", lambda d: d["factors_1"][1]),
    Expected("factor on function 2", 1.1, 1e-12, "1 - lr Schur, Schur -2", lambda d: d["factors_2"][1]),
    Expected("smaller factor on function 3", 0.6, 1e-12, "1 - lr Schur, Schur 8", lambda d: d["factors_3"][0]),
    Expected("larger factor on function 3", 0.9, 1e-12, "1 + lr f_yy, f_yy -2", lambda d: d["factors_3"][1]),
    Expected("gradient descent-ascent at function 1", 1.1, 1e-12, "double eigenvalue 2", lambda d: d["gda_radius_1"]),
    Expected("gradient descent-ascent at function 3", 1.2, 1e-12, "double eigenvalue 4", lambda d: d["gda_radius_3"]),
    Expected(
        "function 3: gradient descent-ascent cycles between distances 0.5 and 50", 1, 0, "section 6",
        lambda d: float(d["distance_3"][0, -200:].min() > 0.5 and d["distance_3"][0, -200:].max() < 50),
    ),
)  # fmt: skip
