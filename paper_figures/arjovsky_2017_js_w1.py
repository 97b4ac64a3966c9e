"""Two parallel lines at distance theta: the Jensen-Shannon divergence is flat, the earth mover's distance is |theta|.

**The paper.** For data on a line and samples on a parallel one, the Jensen-Shannon divergence is log 2 at every
distance but 0, so that it gives no gradient, where the earth mover's distance |theta| leads home from anywhere.

**Settings.** Theta from -1 to 1; closed forms, and the same from point clouds: optimal assignment of 200 points a
line for the earth mover's distance, and for Jensen-Shannon histograms of the offset.

**What we find.** Agreement. Right: what becomes of the flat divergence when both lines are blurred by Gaussian noise
of standard deviation 0.5, 0.2 or 0.05, by quadrature: near 0 it is theta^2 / (8 s^2), so a slope appears, but only
within a few s of the data; further out it is as flat as before. Noise is a remedy of finite reach.
"""

from __future__ import annotations

import numpy as np

import gandyn as gd
from gandyn.figures import Expected
from gandyn.plots.drawing import Drawing
from gandyn.plots.style import OKABE_ITO, QUIET, current_width

PAPER = "Arjovsky, Chintala & Bottou 2017"
TITLE = "Jensen-Shannon is flat where the earth mover's distance is not"
SOURCE = "example 1 and figure 1"
VERDICT = "reproduced"
SEED = 0

NOISES = {"0.5": OKABE_ITO["blue"], "0.2": OKABE_ITO["green"], "0.05": OKABE_ITO["purple"]}
POINTS = 200


def compute(quick):
    theta = np.linspace(-1.0, 1.0, 201)
    few = theta[::25]
    lines = gd.games.parallel_lines()
    data = {
        "theta": theta,
        "earth mover": lines.earth_mover(theta),
        "Jensen-Shannon": lines.jensen_shannon(theta),
        "theta of clouds": few,
        "earth mover of clouds": np.array([_transport(offset) for offset in few]),
        "Jensen-Shannon of clouds": np.array([_histogram(offset) for offset in few]),
    }
    return data | {f"blurred {noise}": _blurred(theta, float(noise)) for noise in NOISES}


def _transport(offset):
    """Mean distance of an optimal assignment between points of the two lines."""
    from scipy.optimize import linear_sum_assignment

    heights = np.random.default_rng(SEED).uniform(size=POINTS)
    distances = np.hypot(offset, heights[:, None] - heights[None, :])
    return distances[linear_sum_assignment(distances)].mean()


def _histogram(offset):
    """Between the histograms of the first coordinate, which alone tells the lines apart."""
    bins = np.linspace(-1.0125, 1.0125, 82)
    p, q = (np.histogram(np.full(POINTS, x), bins)[0] / POINTS for x in (0.0, offset))
    return _jensen_shannon(p, q)


def _jensen_shannon(p, q):
    """In nats, of weights over the same cells."""
    from scipy.special import rel_entr

    middle = (p + q) / 2
    return (rel_entr(p, middle) + rel_entr(q, middle)).sum() / 2


def _blurred(theta, noise):
    """Between N(0, s^2) and N(theta, s^2), by the rectangle rule, which is exact to rounding for such integrands."""
    x = np.linspace(-1 - 9 * noise, 1 + 9 * noise, 8001)
    width = x[1] - x[0]

    def density(mean):
        return np.exp(-(((x - mean) / noise) ** 2) / 2) / (noise * np.sqrt(2 * np.pi)) * width

    return np.array([_jensen_shannon(density(0.0), density(mean)) for mean in theta])


def draw(data):
    narrow = current_width() == "single"
    figure = Drawing(height=1.75 if narrow else 0.55)
    left, right = figure.subplots(*((2, 1) if narrow else (1, 2)))
    theta, few = data["theta"], data["theta of clouds"]
    flat = np.where(theta == 0, np.nan, data["Jensen-Shannon"])
    left.plot(theta, data["earth mover"], color=OKABE_ITO["blue"], label="earth mover")
    left.plot(theta, flat, color=OKABE_ITO["vermillion"], linestyle="--", label="Jensen-Shannon")
    left.plot([0], [0], "o", color=OKABE_ITO["vermillion"], markersize=4)
    left.plot([0], [np.log(2)], "o", color="white", markeredgecolor=OKABE_ITO["vermillion"], markersize=4)
    left.plot(few, data["earth mover of clouds"], "s", color=OKABE_ITO["blue"], markersize=3.5, label="of 200 points")
    left.plot(few, data["Jensen-Shannon of clouds"], "^", color=OKABE_ITO["vermillion"], markersize=3.5)
    left.axhline(np.log(2), color=QUIET, linewidth=0.5, linestyle=":")
    left.set(xlabel=r"distance $\theta$ of the lines", ylabel="divergence", xlim=(-1, 1), ylim=(-0.04, 1.05))
    right.plot(theta, flat, color=OKABE_ITO["vermillion"], linestyle="--", label="no noise")
    right.plot([0], [0], "o", color=OKABE_ITO["vermillion"], markersize=4)
    for noise, colour in NOISES.items():
        right.plot(theta, data[f"blurred {noise}"], color=colour, label=f"noise {noise}")
    right.set(
        xlabel=r"distance $\theta$ of the lines", ylabel="Jensen-Shannon, blurred", xlim=(-1, 1), ylim=(-0.03, 0.75)
    )
    left.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    right.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return figure


def _curvature(noise, at=4):
    """JS s^2 / theta^2 at a small offset."""

    def found(data):
        k = 100 + at
        return data[f"blurred {noise}"][k] * float(noise) ** 2 / data["theta"][k] ** 2

    return found


EXPECTED = (
    Expected(
        "largest difference of earth mover's distances, closed form and assignment", 0, 1e-12, "|theta|",
        lambda data: np.abs(data["earth mover of clouds"] - np.abs(data["theta of clouds"])).max(),
    ),
    Expected(
        "Jensen-Shannon at theta = 1, of clouds", np.log(2), 1e-12, "disjoint supports",
        lambda data: data["Jensen-Shannon of clouds"][-1],
    ),
    Expected(
        "largest difference of Jensen-Shannon, closed form and clouds", 0, 1e-12, "log 2, and 0 at theta = 0",
        lambda data: np.abs(data["Jensen-Shannon"][::25] - data["Jensen-Shannon of clouds"]).max(),
    ),
    Expected("blurred by 0.5: curvature, JS s^2 / theta^2", 1 / 8, 2e-4, "Fisher / 8", _curvature("0.5")),
    Expected("blurred by 0.2: curvature, JS s^2 / theta^2", 1 / 8, 1e-3, "Fisher / 8", _curvature("0.2", 2)),
    Expected(
        "blurred by 0.05 at theta = 1", np.log(2), 1e-9, "twenty standard deviations apart",
        lambda data: data["blurred 0.05"][-1],
    ),
)  # fmt: skip
