"""Fictitious play need not arrive: Shapley's game goes round in ever longer runs.

**The paper** gives a game of three actions for which both players' best answers to all that was played go round a
cycle of six, each run longer than the last; the frequencies never settle.

**Question.** By what factor do the runs grow, and does the gap of the frequencies fall? In a zero-sum game it must.

**Settings.** Payoffs I for player 1, the cyclic permutation for player 2; ties go to the lowest action; 20 000 rounds.
Beside it rock, paper, scissors, which is zero-sum, with the same rule.

**What we find.** Agreement. Runs grow by 1.4656, the real root of r^3 = r^2 + 1, and the gap stays at 0.28; on rock,
paper, scissors it falls as about 1 / T^(1/2).
"""

from __future__ import annotations

import numpy as np

from gandyn.figures import Expected
from gandyn.plots.drawing import Drawing
from gandyn.plots.style import SERIES, current_width

PAPER = "Shapley 1964"
TITLE = "Fictitious play in Shapley's game and in a zero-sum one"
SOURCE = "section 5, the game of three actions"
VERDICT = "reproduced"

ROUNDS = 20_000
CYCLE = np.roll(np.eye(3), 1, axis=1)
ROCK = CYCLE - CYCLE.T
GAMES = {"Shapley": (np.eye(3), CYCLE), "zero-sum": (ROCK, -ROCK)}
TIMES = np.unique(np.geomspace(10, ROUNDS, 80).astype(int))


def compute(quick):
    data = {}
    for name, (first, second) in GAMES.items():
        counts, runs, last, gaps = np.zeros((2, 3)), [], (-1, -1), []
        kept, places = set(TIMES.tolist()), []
        for t in range(1, ROUNDS + 1):
            played = (int(np.argmax(first @ counts[1])), int(np.argmax(counts[0] @ second)))
            if played != last:
                runs.append(0)
            runs[-1] += 1
            last = played
            counts[0, played[0]] += 1
            counts[1, played[1]] += 1
            if t in kept:
                x, y = counts / t
                gaps.append((first @ y).max() - x @ first @ y + (x @ second).max() - x @ second @ y)
                places.append(x.copy())
        data |= {f"{name}: runs": np.array(runs), f"{name}: gap": np.array(gaps), f"{name}: x": np.array(places)}
    return data


def draw(data):
    narrow = current_width() == "single"
    figure = Drawing(height=1.5 if narrow else 0.5)
    shares, gap = figure.subplots(*((2, 1) if narrow else (1, 2)))
    for k in range(3):
        shares.semilogx(
            TIMES, data["Shapley: x"][:, k], color=SERIES[2 + k], label=f"action {k + 1}", linestyle=("-", "--", ":")[k]
        )
    shares.set(xlabel="round", ylabel="shares of player 1, Shapley")
    for k, name in enumerate(GAMES):
        gap.loglog(TIMES, data[f"{name}: gap"], color=SERIES[k], linestyle=("-", "--")[k], label=name)
    gap.set(xlabel="round", ylabel="gap of the frequencies")
    gap.legend(loc="lower left")
    figure.legend(*shares.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _growth(d):
    runs = d["Shapley: runs"][:-1].astype(float)
    return (runs[-1] / runs[-7]) ** (1 / 6)


EXPECTED = (
    Expected("growth of the runs", 1.4655712, 2e-3, "the real root of r^3 = r^2 + 1", _growth),
    Expected(
        "Shapley: gap late over gap early", 1.0, 0.3, "it stays",
        lambda d: d["Shapley: gap"][-20:].mean() / d["Shapley: gap"][30:50].mean(),
    ),
    Expected(
        "zero-sum: slope of the gap", -0.5, 0.15, "1 / T^(1/2) with this tie rule",
        lambda d: np.polyfit(np.log(TIMES[30:]), np.log(d["zero-sum: gap"][30:]), 1)[0],
    ),
)  # fmt: skip
