"""R1 on the Dirac-GAN at every step size: the stable set in the plane of step and penalty, and what lies beyond it.

**The paper.** With R1 the Dirac-GAN's gradient flow converges for every positive weight, and so do simultaneous and
alternating gradient descent when the step size is small enough. What happens at larger steps is left open.

**Settings.** R1 with weight gamma up to 2, simultaneous gradient descent with steps eta up to 6, logistic loss:
f'(0) = 1/2. Circles at eta = 1; their radii at eta = 0.5, 1 and 2.

**What we find.** The linear part has determinant 1 - eta gamma + eta^2/4 and trace 2 - eta gamma. So the stable set is
eta/4 < gamma < 2/eta + eta/8, and it ends at (4, 1), where both eigenvalues are -1. Below gamma = eta/4 gradient
descent does not diverge at once: an attracting circle surrounds the equilibrium. The first Lyapunov coefficient along
that line is -(3/64) eta^3, and so the root mean square of |w| on the circle is sqrt(2) times
sqrt((eta/4 - gamma) eta / 2 / (3 eta^3 / 64)) = sqrt(64 (eta/4 - gamma) / (3 eta^2)), near the line. A training run
that circles at a constant distance has too small a penalty for its step. The plane is our computation and corrects
nobody.
"""

from __future__ import annotations

import numpy as np

import gandyn as gd
from gandyn.figures import Expected
from gandyn.plots.drawing import Drawing
from gandyn.plots.regions import STABLE
from gandyn.plots.style import INK, OKABE_ITO, current_width

PAPER = "Mescheder, Geiger & Nowozin 2018"
TITLE = "The Dirac-GAN with R1 in the plane of step size and penalty"
SOURCE = "section 4, the Dirac-GAN with R1; the plane beyond small steps is computed here"
VERDICT = "reproduced"

RANGES = [(0.0, 6.0), (0.0, 2.0)]
CIRCLES = (0.245, 0.225, 0.18)
STEPS = (0.5, 1.0, 2.0)
BELOW = np.array([0.002, 0.005, 0.01, 0.02, 0.04])  # eta/4 - gamma, in units of eta/4


def compute(quick):
    game = gd.games.dirac_gan(penalty=gd.penalties.R1("gamma"))
    plane = gd.bifurcation_curves(game, gd.rules.GDA("eta"), ("eta", "gamma"), RANGES)
    pair = next(c for c in plane.curves if c.kind == "Neimark-Sacker")
    return {
        "kinds": [c.kind.value for c in plane.curves],
        "edges": [c.edge for c in plane.curves],
        **{f"arc {k}": c.points for k, c in enumerate(plane.curves)},
        "names": [p.name for p in plane.points],
        "places": np.array([[float(v) for v in p.values] for p in plane.points]),
        "coefficients": pair.coefficients,
        "at": pair.places,
        "circles": np.array([_settled(1.0, gamma, 1000) for gamma in CIRCLES]),
        "radii": np.array([[_radius(eta, eta / 4 * (1 - share)) for share in BELOW] for eta in STEPS]),
    }


def _settled(eta, gamma, kept):
    """Points of one run after it has settled."""
    game, rule = gd.games.dirac_gan(penalty=gd.penalties.R1(float(gamma))), gd.rules.GDA(eta)
    settled = gd.iterate(game, rule, [0.1, 0.0], 60_000, record="last").w
    return gd.iterate(game, rule, settled, kept).w


def _radius(eta, gamma):
    return np.sqrt((_settled(eta, gamma, 5000) ** 2).sum(-1).mean())


def _predicted(eta, gamma):
    return np.sqrt(64 * (eta / 4 - gamma) / (3 * eta**2))


def draw(data):
    narrow = current_width() == "single"
    figure = Drawing(height=2.7 if narrow else 0.45)
    plane, circles, radii = figure.subplots(*((3, 1) if narrow else (1, 3)))
    _plane(plane, data)
    colours = [OKABE_ITO[name] for name in ("blue", "green", "vermillion")]
    for gamma, points, colour in zip(CIRCLES, data["circles"], colours, strict=True):
        turned = points[np.argsort(np.arctan2(points[:, 1], points[:, 0]))]
        circles.plot(*np.concatenate([turned, turned[:1]]).T, color=colour)
        top = turned[np.argmax(turned[:, 1])]
        circles.annotate(
            f"{gamma:g}", top, (0, 1.5), textcoords="offset points", color=colour, ha="center", va="bottom"
        )
    circles.plot(0, 0, marker="x", color=INK, markersize=4)
    circles.set(
        xlabel=r"$\theta$", ylabel=r"$\phi$", aspect="equal", ylim=(-1.8, 2.0),
        title=r"circles at $\eta = 1$, by $\gamma$"
    )  # fmt: skip
    for eta, measured, colour, marker in zip(STEPS, data["radii"], colours, "os^", strict=True):
        below = BELOW * eta / 4
        radii.loglog(below, _predicted(eta, eta / 4 - below), color=colour, linewidth=0.9)
        radii.loglog(below, measured, linestyle="none", marker=marker, color=colour, markersize=3.5, label=f"{eta:g}")
    radii.set(xlabel=r"$\eta/4 - \gamma$", ylabel="rms of |w|", title="measured, predicted")
    radii.set_yticks([0.1, 0.2, 0.4], ["0.1", "0.2", "0.4"])
    radii.set_yticks([], minor=True)
    radii.legend(title=r"$\eta$", loc="lower right")
    figure.legend(*plane.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _plane(axes, data):
    eta = np.linspace(1e-3, 4, 300)
    axes.fill_between(eta, eta / 4, np.minimum(2 / eta + eta / 8, 3), color=STABLE, linewidth=0, label="attracting")
    styles = {"flip": ("vermillion", "--"), "Neimark-Sacker": ("blue", "-")}
    for k, (kind, edge) in enumerate(zip(data["kinds"], data["edges"], strict=True)):
        colour, dash = styles[kind]
        label = None if kind in data["kinds"][:k] else kind
        width = 1.6 if edge else 0.7
        axes.plot(*data[f"arc {k}"].T, color=OKABE_ITO[colour], linestyle=dash, linewidth=width, label=label)
    for name, place in zip(data["names"], data["places"], strict=True):
        axes.plot(*place, "o", color="white", markeredgecolor=INK, markersize=3.5, zorder=4)
        above = name == "1:2"
        axes.annotate(
            name, place, (0, 6) if above else (5, -9), textcoords="offset points", ha="center" if above else "left"
        )
    axes.set(xlim=RANGES[0], ylim=RANGES[1], xlabel=r"$\eta$", ylabel=r"$\gamma$", title="where it attracts")


def _place(name, k):
    return lambda data: data["places"][data["names"].index(name)][k]


EXPECTED = (
    Expected("step at the resonance 1:4", 8**0.5, 1e-12, "trace 0 and determinant 1", _place("1:4", 0)),
    Expected("penalty at the resonance 1:4", 0.5**0.5, 1e-12, "the same", _place("1:4", 1)),
    Expected("step at the resonance 1:3", 12**0.5, 1e-12, "trace -1 and determinant 1", _place("1:3", 0)),
    Expected("penalty at the resonance 1:3", 0.75**0.5, 1e-12, "the same", _place("1:3", 1)),
    Expected("step where both eigenvalues are -1", 4.0, 1e-12, "trace -2 and determinant 1", _place("1:2", 0)),
    Expected(
        "first Lyapunov coefficient over -(3/64) eta^3, largest departure from 1", 0.0, 1e-6, "normal form by hand",
        lambda data: np.abs(data["coefficients"] / (-3 / 64 * data["at"][:, 0] ** 3) - 1).max(),
    ),
    Expected(
        "radius nearest to the line, over its prediction", 1.0, 0.01, "the normal form",
        lambda data: (data["radii"][:, 0] / [_predicted(e, e / 4 * (1 - BELOW[0])) for e in STEPS]).mean(),
    ),
)  # fmt: skip
