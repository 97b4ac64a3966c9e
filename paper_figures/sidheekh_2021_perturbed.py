"""The duality gap that gradient steps cannot see: at a saddle, and at a Nash equilibrium that is only local.

**The paper.** f = e^{-(x^2 + y^2)/100} ((3 x^2/10 + y)^2 + (x + y^2/2)^2), a game of nine critical points. Gap
estimates by gradient steps from the point itself vanish wherever the gradient does; from perturbed weights they find
the gap at points that are no Nash equilibrium, and stay near zero at the one that is, the paper's "A".

**Settings.** x maximises f and y minimises it, under which three of the nine critical points are local Nash
equilibria (with the roles exchanged none is); estimates by up to 250 inner steps of 0.02, perturbation 0.01, ten
seeds; the gap over the box |x|, |y| <= 20 certified by interval arithmetic.

**What we find.** Agreement on the estimates, a correction of what they mean. At (0, 0) the plain estimate is 0 for
ever and the perturbed one grows to all of the certified gap, 514.6: the blind spot is real and the remedy works. But
"A" is Nash only locally: at each of the three candidates the perturbed estimate stays below 0.001 while the certified
gap over the box is 598, 484 and 199. No perturbation of that size can see it. And a point printed to one decimal is
not critical: at their rounded coordinates the three have |v| between 0.30 and 0.41.
"""

from __future__ import annotations

import numpy as np

import gandyn as gd
from gandyn.figures import Expected, grid
from gandyn.plots import panels
from gandyn.plots.drawing import Drawing
from gandyn.plots.style import INK, OKABE_ITO, QUIET, current_width

PAPER = "Sidheekh, Aimen, Madan & Krishnan 2021"
TITLE = "Plain, perturbed and certified duality gaps at critical points"
SOURCE = "section 5 and the figure of the toy function"
VERDICT = "reproduced in part, 1 of 2 effects, the rest contradicted"
SEED = 0

BOX = [(-20.0, 20.0), (-20.0, 20.0)]
NASH = [(-12.5, -8.7), (-11.4, 8.0), (12.4, -6.4)]
OTHER = [(0.0, 0.0), (-2.8, -2.4), (-1.3, -1.2), (-13.8, 1.2), (0.9, -14.0), (1.1, 14.0)]
BUDGETS = (0, 25, 50, 75, 100, 125, 150, 200, 250)


def compute(quick):
    game = gd.games.exponential(-1)
    places = grid(BOX, 121)
    nash, other = _polished(game, NASH), _polished(game, OTHER)
    points = np.concatenate([nash, other[:1]])
    data = {
        "places": places,
        "f": -game.costs(places)[0],
        "nash": nash,
        "other": other,
        "budgets": np.array(BUDGETS),
        "field at rounded points": np.linalg.norm(game.field(np.round(nash, 1)), axis=-1),
        "own curvatures": np.array([np.diag(game.jacobian(p)) for p in nash]),
        "certified": np.array([float(gd.duality_gap(game, p, "box", box=BOX, tolerance=1e-3).value) for p in points]),
    }
    for method, options in (("gradient", {}), ("perturbed", {"scale": 0.01, "repeats": 10, "rng": SEED})):
        rows = [
            [float(gd.duality_gap(game, p, method, k=k, inner_lr=0.02, **options).value) if k else 0.0 for k in BUDGETS]
            for p in points
        ]
        data[method] = np.array(rows)
    return data


def _polished(game, guesses):
    """Newton's method from a guess, to rounding."""
    points = np.array(guesses)
    for _ in range(30):
        points = points - np.array([np.linalg.solve(game.jacobian(p), game.field(p)) for p in points])
    return points


def draw(data):
    narrow = current_width() == "single"
    figure = Drawing(height=1.8 if narrow else 0.56)
    left, right = figure.subplots(*((2, 1) if narrow else (1, 2)))
    panels.contours(figure, left, data["places"], data["f"])
    for points, marker, colour, label in (
        (data["nash"], "o", OKABE_ITO["vermillion"], "local Nash, not global"),
        (data["other"], "X", "white", "critical, not Nash"),
    ):
        left.plot(
            *points.T, linestyle="none", marker=marker, color=colour, markeredgecolor=INK, markersize=6,
            markeredgewidth=0.7, label=label,
        )  # fmt: skip
    panels.plane_axes(left, BOX, ("$x$", "$y$"))
    left.set_title("$f$; $x$ maximises, $y$ minimises")
    _draw_gaps(right, data)
    handles = [h for axes in (left, right) for h in axes.get_legend_handles_labels()[0]]
    figure.legend(handles=handles, loc="outside lower center", ncols=1 if narrow else 3)
    return figure


def _draw_gaps(axes, data):
    """Estimates against their budget; the certified gap of each point at the right edge."""
    for k, colour in enumerate((*(OKABE_ITO["vermillion"],) * 3, OKABE_ITO["blue"])):
        where = "(0, 0)" if k == 3 else "local Nash points"
        label = f"perturbed, {where}" if k in (0, 3) else "_"
        axes.plot(
            data["budgets"], np.maximum(data["perturbed"][k], 1e-6), "o-", color=colour, markersize=3, label=label
        )
        axes.plot([262], [data["certified"][k]], "<", color=colour, markersize=5)
    axes.plot(
        data["budgets"], np.full(len(BUDGETS), 1e-6), "--", color=INK, linewidth=0.8, label="plain, everywhere: 0"
    )
    axes.plot([], [], "<", color=QUIET, label="certified over the box")
    axes.set(yscale="log", ylim=(5e-7, 4e3), xlim=(0, 268), xlabel="inner steps", ylabel="gap (1e-6 stands for 0)")


def _largest(method, rows):
    return lambda data: np.abs(data[method][rows]).max()


def _minus_search(k):
    """The certified gap minus brute force along both lines through the point, 1e-4 apart: a second route."""

    def found(data):
        x, y = data["nash"][k] if k < 3 else data["other"][0]
        line = np.linspace(-20.0, 20.0, 400_001)
        return data["certified"][k] - (_f(line, y).max() - _f(x, line).min())

    return found


def _f(x, y):
    return np.exp(-(x**2 + y**2) / 100) * ((0.3 * x**2 + y) ** 2 + (x + 0.5 * y**2) ** 2)


EXPECTED = (
    Expected("plain estimates, largest", 0.0, 1e-9, "critical points", _largest("gradient", slice(4))),
    Expected(
        "perturbed estimates at the local Nash points, largest", 0.0, 1e-3, "each is locally Nash",
        _largest("perturbed", slice(3)),
    ),
    Expected(
        "perturbed estimate at (0, 0) after 250 steps, share of the certified gap", 1.0, 1e-3, "it escapes",
        lambda data: data["perturbed"][3, -1] / data["certified"][3],
    ),
    *(
        Expected(
            f"certified gap at {where}, minus brute force", 0.0, 1e-3, "search along both lines through it",
            _minus_search(k),
        )
        for k, where in enumerate((*map(str, NASH), "(0, 0)"))
    ),
    Expected("certified gap at (0, 0)", 514.64296, 1e-3, "measured", lambda data: data["certified"][3]),
    Expected(
        "smallest own curvature at the local Nash points", 1.12878, 1e-4, "positive: strict minima of both",
        lambda data: data["own curvatures"].min(),
    ),
    Expected(
        "smallest |v| at points rounded to one decimal", 0.30184, 1e-4, "measured",
        lambda data: data["field at rounded points"].min(),
    ),
    Expected(
        "share of the certified gap at (0, 0) that perturbed estimates see", 1, 0.1, "the paper's remedy",
        lambda data: data["perturbed"][3, -1] / data["certified"][3], effect=True, contrary=0.1,
    ),
    Expected(
        "smallest certified gap at a candidate for A", 0, 1, "the paper calls it an equilibrium",
        lambda data: data["certified"][:3].min(), effect=True, contrary=10,
    ),
)  # fmt: skip
