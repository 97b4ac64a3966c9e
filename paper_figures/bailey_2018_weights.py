"""Multiplicative weights in matching pennies: the flow comes back, the steps leave, optimistic steps arrive.

**The papers** say: in continuous time the orbit recurs (Mertikopoulos, Papadimitriou & Piliouras 2018), in discrete
time every start but the equilibrium is driven to the boundary, and optimistic steps converge (Daskalakis & Panageas
2019). **The paper** named here proves the second.

**Question.** What happens to KL(x* || x) + KL(y* || y) from (0.7, 0.4)?

**Settings.** Step 0.1, 3000 steps; the flow of the replicator in logits for the same time.

**What we find.** Agreement with all three. The flow conserves the sum; a plain step adds log sum x e^(-lr (Ay - c)) +
log sum y e^(lr (A^T x - c)) > 0, 9.39e-4 at the start; the optimistic sum falls by the rate of its linearisation, whose
modulus at step s is that of optimistic descent on s x y.
"""

from __future__ import annotations

import numpy as np

import gandyn as gd
from gandyn.figures import Expected
from gandyn.plots.drawing import Drawing
from gandyn.plots.style import INK, SERIES, current_width

PAPER = "Bailey & Piliouras 2018"
TITLE = "Multiplicative weights leave, optimistic ones arrive"
SOURCE = "theorem 1 and its figure, matching pennies"
VERDICT = "reproduced"

LR, STEPS = 0.1, 3000
START = np.log([0.7, 0.3, 0.4, 0.6])
NAMES = ("flow", "plain", "optimistic")


def _shares(logits):
    x = 1 / (1 + np.exp(logits[..., 1] - logits[..., 0]))
    y = 1 / (1 + np.exp(logits[..., 3] - logits[..., 2]))
    return np.stack([x, y], axis=-1)


def compute(quick):
    move = gd.replicator_in_logits(gd.games.matching_pennies())
    paths = {name: [START] for name in ("plain", "optimistic")}
    before = move(START)
    for _ in range(STEPS):
        paths["plain"].append(paths["plain"][-1] + LR * move(paths["plain"][-1]))
        here = paths["optimistic"][-1]
        now = move(here)
        paths["optimistic"].append(here + LR * (2 * now - before))
        before = now
    from scipy.integrate import solve_ivp

    times = LR * np.arange(STEPS + 1)
    flow = solve_ivp(lambda t, w: move(w), (0, times[-1]), START, t_eval=times, rtol=1e-10, atol=1e-12).y.T
    return {name: _shares(np.array(path)) for name, path in {**paths, "flow": flow}.items()}


def _divergence(shares):
    """The sum of both KL divergences from (1/2, 1/2)."""
    return -(np.log(4 * shares * (1 - shares))).sum(-1) / 2


def draw(data):
    narrow = current_width() == "single"
    figure = Drawing(height=1.7 if narrow else 0.52)
    plane, sums = figure.subplots(*((2, 1) if narrow else (1, 2)))
    for k, name in enumerate(NAMES):
        plane.plot(*data[name][:1200].T, color=SERIES[k], linewidth=0.8, linestyle=("-", ":", "--")[k], label=name)
        sums.semilogy(_divergence(data[name]), color=SERIES[k], linestyle=("-", ":", "--")[k])
    plane.plot(0.5, 0.5, "X", color=INK, markeredgecolor="white")
    plane.set(
        xlabel="player 1: share of heads", ylabel="player 2: share of heads", aspect="equal", xlim=(0, 1), ylim=(0, 1)
    )
    sums.set(xlabel="step", ylabel="KL from the equilibrium")
    figure.legend(*plane.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _rate(d):
    fall = np.log(_divergence(d["optimistic"][1000]) / _divergence(d["optimistic"][200])) / 800
    return np.exp(fall / 2)


MODULUS = ((1 + (1 - 4 * LR**2) ** 0.5) / 2) ** 0.5
EXPECTED = (
    Expected(
        "plain: what the first step adds", 9.390117e-4, 1e-9, "the formula at (0.7, 0.4)",
        lambda d: _divergence(d["plain"][1]) - _divergence(d["plain"][0]),
    ),
    Expected(
        "plain: share of steps that add", 1.0, 0, "theorem 1",
        lambda d: (np.diff(_divergence(d["plain"][:400])) > 0).mean()
    ),
    Expected(
        "flow: largest change of the sum", 0.0, 1e-7, "it is conserved",
        lambda d: np.abs(_divergence(d["flow"]) - _divergence(d["flow"][0])).max(),
    ),
    Expected("optimistic: factor a step", MODULUS, 1e-4, "sqrt((1 + sqrt(1 - 4 s^2)) / 2), s = lr", _rate),
)  # fmt: skip
