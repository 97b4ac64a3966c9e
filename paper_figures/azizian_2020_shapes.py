"""Where momentum helps a game, and with which sign: the shape of its spectrum decides.

**The paper** reads the speed of first-order methods off the set that holds the eigenvalues of J: Polyak's momentum is
best on ellipses, and its sign depends on which way they are drawn out.

**Question.** The spectrum fills the ellipse with centre 1 and half-axes p (real) and q (imaginary), p + q = 1: which
step and momentum are best, found by `gd.design`, and do they agree with the closed form?

**Settings.** 7 ellipses, from nearly real to nearly vertical; all parameters free.

**What we find.** Agreement with m = (p^2 - q^2) / (c + r)^2 and rate (p + q) / (c + r), r^2 = c^2 - p^2 + q^2: momentum
is negative exactly where q > p, and zero on the disc, where no first-order method is faster than plain steps. Against
plain steps, minimised here on a grid, it gains most at both ends.
"""

from __future__ import annotations

import numpy as np

import gandyn as gd
from gandyn.figures import Expected
from gandyn.plots.drawing import Drawing
from gandyn.plots.style import QUIET, SERIES, current_width

PAPER = "Azizian, Scieur, Mitliagkas, Lacoste-Julien & Gidel 2020"
TITLE = "Best momentum by the shape of the spectrum"
SOURCE = "section 4, momentum on ellipses"
VERDICT = "reproduced"

P = np.linspace(0, 1, 9)[1:-1]
RULE = gd.rules.HeavyBall("lr", "momentum")


def compute(quick):
    steps, momenta, rates = [], [], []
    for p in P:
        found = gd.design(RULE, gd.classes.Spectrum(ellipse=(1, float(p), float(1 - p))))
        steps.append(found.values["lr"])
        momenta.append(found.values["momentum"])
        rates.append(found.rate)
    return {
        "steps": np.array(steps),
        "momenta": np.array(momenta),
        "rates": np.array(rates),
        "plain": _plain(),
        **_tried(steps, momenta),
    }


def _plain():
    """The best rate of plain steps: the largest |1 - lr z| on the ellipse, over a grid of steps."""
    angles, steps = np.linspace(0, 2 * np.pi, 721), np.linspace(0.2, 1.6, 1401)
    best = []
    for p in P:
        z = 1 + p * np.cos(angles) + 1j * (1 - p) * np.sin(angles)
        best.append(abs(1 - steps[:, None] * z).max(1).min())
    return np.array(best)


def _radius(p, lr, m):
    """The largest root of t^2 - (1 + m - lr z) t + m over z on the ellipse's border."""
    angles = np.linspace(0, 2 * np.pi, 721)
    trace = 1 + m - lr * (1 + p * np.cos(angles) + 1j * (1 - p) * np.sin(angles))
    root = np.sqrt(trace**2 - 4 * m)
    return np.maximum(abs(trace + root), abs(trace - root)).max() / 2


def _tried(steps, momenta):
    """The rate by roots at the best values, and the least rate among neighbours of them."""
    found = list(zip(P, steps, momenta, strict=True))
    near = [(a, b) for a in (-0.02, 0, 0.02) for b in (-0.02, 0, 0.02) if a or b]
    return {
        "by roots": np.array([_radius(*one) for one in found]),
        "near": np.array([min(_radius(p, lr * (1 + a), m + b) for a, b in near) for p, lr, m in found]),
    }


def draw(data):
    narrow = current_width() == "single"
    figure = Drawing(height=1.5 if narrow else 0.5)
    left, right = figure.subplots(*((2, 1) if narrow else (1, 2)))
    left.axhline(0, color=QUIET, linewidth=0.7)
    left.axvline(0.5, color=QUIET, linewidth=0.7, linestyle=":")
    left.plot(P, data["momenta"], "o-", color=SERIES[0], markersize=3)
    left.set(xlabel="real half-axis $p$, imaginary $1 - p$", ylabel="best momentum")
    right.plot(P, data["plain"], color=SERIES[1], linestyle="--", label="plain steps")
    right.plot(P, data["rates"], "o-", color=SERIES[0], markersize=3, label="best momentum")
    right.set(xlabel="real half-axis $p$, imaginary $1 - p$", ylabel="rate a step")
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


ROOT = (1 - P**2 + (1 - P) ** 2) ** 0.5
EXPECTED = (
    Expected(
        "momentum minus its closed form, largest", 0.0, 1e-9, "(p^2 - q^2) / (c + r)^2",
        lambda d: np.abs(d["momenta"] - (2 * P - 1) / (1 + ROOT) ** 2).max(),
    ),
    Expected(
        "rate minus its closed form, largest", 0.0, 1e-9, "(p + q) / (c + r)",
        lambda d: abs(d["rates"] - 1 / (1 + ROOT)).max(),
    ),
    Expected(
        "share of ellipses where the sign is that of p - q", 1.0, 0, "negative exactly where q > p",
        lambda d: (np.sign(np.round(d["momenta"], 9)) == np.sign(np.round(P - 0.5, 9))).mean(),
    ),
    Expected(
        "rate minus the largest root over the border, largest", 0.0, 1e-6, "720 games, by the quadratic formula",
        lambda d: np.abs(d["rates"] - d["by roots"]).max(),
    ),
    Expected(
        "share of ellipses where neighbouring values are worse", 1.0, 0, "eight neighbours 0.02 away, by roots",
        lambda d: (d["near"] > d["rates"]).mean(),
    ),
    Expected("gain over plain steps, least", 0.0, 1e-4, "none on the disc", lambda d: (d["plain"] - d["rates"]).min()),
)  # fmt: skip
