"""The best discriminator, and what the generator's value is against it.

**The paper.** Against samples of density q the best discriminator is p / (p + q), and the value is then 2 JS(p, q) -
log 4: least, -log 4, exactly where q = p.

**Question.** p is N(0, 1), q is N(m, 1). Does the maximum of the value over discriminators, computed point by point
without the formula, agree with it, and is it least at m = 0? A wrong link or sign would move the maximum.

**Settings.** 65 shifts m from -8 to 8; the discriminator is found by bisection at 7201 points, integrals by trapezia.

**What we find.** Agreement to quadrature's accuracy. The curve is flat at both ends: at m = 8 the value is within 1e-4
of 0 and its slope is gone, which is why samples far from the data teach the minimax generator nothing.
"""

from __future__ import annotations

import numpy as np

from gandyn.figures import Expected
from gandyn.plots.drawing import Drawing
from gandyn.plots.style import SERIES, current_width

PAPER = "Goodfellow et al. 2014"
TITLE = "The best discriminator and the value against it"
SOURCE = "figure 1, proposition 1 and theorem 1"
VERDICT = "reproduced"

X = np.linspace(-14, 22, 7201)
SHIFTS = np.linspace(-8, 8, 65)
SHOWN = (0.5, 2.0, 4.0)
INNER = (X > -4) & (X < 7)


def _normal(mean):
    return np.exp(-((X - mean) ** 2) / 2) / np.sqrt(2 * np.pi)


def _integral(heights):
    return float(np.trapezoid(heights, X))


def _cost(logit, p, q):
    """-(p log D + q log(1 - D)) at every point."""
    return p * np.logaddexp(0, -logit) + q * np.logaddexp(0, logit)


def _best_logit(p, q):
    """The maximiser at every point, by bisection on the derivative in the logit."""
    low, high = np.full(len(X), -500.0), np.full(len(X), 500.0)
    for _ in range(70):
        middle = (low + high) / 2
        rises = q / (1 + np.exp(-middle)) < p / (1 + np.exp(middle))
        low, high = np.where(rises, middle, low), np.where(rises, high, middle)
    return (low + high) / 2


def compute(quick):
    with np.errstate(over="ignore"):
        p = _normal(0.0)
        found = {f"D at {m:g}": 1 / (1 + np.exp(-_best_logit(p, _normal(m)))) for m in SHOWN}
        values = [-_integral(_cost(_best_logit(p, q), p, q)) for q in map(_normal, SHIFTS)]
    divergences = [_js(p, _normal(m)) for m in SHIFTS]
    return {"shifts": SHIFTS, "value": np.array(values), "divergence": np.array(divergences), **found}


def _js(p, q):
    """The Jensen-Shannon divergence by quadrature."""
    middle = (p + q) / 2
    return sum(_integral(d * np.log(np.maximum(d, 1e-300) / np.maximum(middle, 1e-300))) for d in (p, q)) / 2


def draw(data):
    narrow = current_width() == "single"
    figure = Drawing(height=1.6 if narrow else 0.5)
    left, right = figure.subplots(*((2, 1) if narrow else (1, 2)))
    for k, m in enumerate(SHOWN):
        left.plot(X, data[f"D at {m:g}"], color=SERIES[k], linestyle=("-", "--", "-.")[k], label=f"$m = {m:g}$")
        left.plot(X, _normal(m), color=SERIES[k], linewidth=0.5)
    left.fill_between(X, _normal(0.0), color="#dddddd", linewidth=0, label="data")
    left.set(xlim=(-4, 7), xlabel="$x$", ylabel="$D^*(x)$, densities")
    right.plot(data["shifts"], data["value"], color=SERIES[0], label="maximum over $D$")
    theory = 2 * data["divergence"][::4] - np.log(4)
    right.plot(data["shifts"][::4], theory, "o", color=SERIES[1], markersize=3, label=r"$2\,$JS $-$ log 4")
    right.set(xlabel="shift $m$ of the samples", ylabel="value")
    right.legend(loc="lower right")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


EXPECTED = (
    Expected("value where q = p", -np.log(4), 1e-9, "theorem 1", lambda d: d["value"][32]),
    Expected("where the value is least", 0.0, 1e-12, "theorem 1", lambda d: SHIFTS[np.argmin(d["value"])]),
    Expected(
        "value minus 2 JS + log 4, largest", 0.0, 1e-9, "theorem 1",
        lambda d: np.abs(d["value"] - 2 * d["divergence"] + np.log(4)).max(),
    ),
    Expected(
        "D minus p / (p + q), largest where there is density", 0.0, 1e-9, "proposition 1",
        lambda d: max(np.abs(d[f"D at {m:g}"] - 1 / (1 + np.exp(m * X - m * m / 2)))[INNER].max() for m in SHOWN),
    ),
)  # fmt: skip
