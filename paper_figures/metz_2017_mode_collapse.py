"""Mode collapse of a plain GAN on the ring, and what unrolling the discriminator does to it.

**The paper** (figure 2) shows samples of two GANs on eight normals on a circle over training: the plain one hops from
mode to mode, the one whose generator sees five steps ahead of the discriminator covers all.

**Settings.** Circle of radius 2, standard deviation 0.02, Adam with rates 1e-3 (generator) and 1e-4 (discriminator),
beta_1 = 0.5, both at once. Full: 2 x 128, latent 256, batch 512, 25 000 iterations. Quick: latent 8, batch 64, 600
iterations. Unrolling: five plain gradient steps of the discriminator, of size 0.3, differentiated exactly; Adam
outside.

**What we find.** Half of it, with one seed at the quick settings, which settles nothing. The plain GAN does what the
paper shows: all its samples are in one place that moves about (the monitor calls it oscillation), near none, one or
two of the eight modes. The unrolled one keeps its samples spread over three or four modes most of the time, but it
moves about too, and has not settled on all eight after so few iterations; that takes the full settings, which are
coded for a GPU and have not been run. The paper unrolls Adam; here the discriminator's inner steps are plain gradient
steps, whose size is a setting of its own.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

import gandyn as gd
from gandyn.figures import Expected
from gandyn.plots.style import FAINT, QUIET, SERIES
from gandyn.rules.views import NewField
from gandyn.rules.wrapper import Wrapper
from gandyn.types import State

PAPER = "Metz et al. 2017"
TITLE = "Mode collapse, and unrolling against it"
SOURCE = "figure 2"
VERDICT = "not settled at 1200 gradients (400 of the paper's 25000 iterations); 1 seed"
SEED, UNROLLED, INNER, SNAPSHOTS = 0, 5, 0.3, 5

FULL = {"latent": 256, "batch": 512, "steps": 25_000}
QUICK = {"latent": 8, "batch": 64, "steps": 400}


@dataclasses.dataclass(frozen=True)
class Ahead(Wrapper):
    """`inner`, here Adam, along the direction of `gd.rules.Unrolled`."""

    inner: Any
    k: int
    inner_lr: float

    def step(self, game: Any, w: Any, state: Any, rng: Any = None) -> Any:
        """The unrolled direction of one batch, then one inner step along it."""
        direction = gd.rules.Unrolled(1.0, self.k, self.inner_lr).step(game, w, State(), rng)[2]["direction"]
        moved, inner, info = self.inner.step(NewField(game, lambda *_: direction), w, state.inner[0], rng)
        return moved, State(inner=(inner,)), info


def compute(quick: bool) -> dict[str, Any]:
    """Samples of both at five moments, and how many modes they have and how their mean moves in between."""
    import torch

    settings: dict[str, Any] = QUICK if quick else FULL
    device = "cuda" if not quick and torch.cuda.is_available() else "cpu"
    steps = settings["steps"]
    data: dict[str, Any] = {"device": device, "quick": quick}
    adam = gd.rules.Adam((1e-3, 1e-4), betas=(0.5, 0.999))
    moments = [round(steps * (k + 1) / SNAPSHOTS) for k in range(SNAPSHOTS)]
    for name, rule in (("plain", adam), ("unrolled", Ahead(adam, UNROLLED, INNER))):
        taken: list[Any] = []

        def look(game: Any, w: Any, rng: Any, taken: list[Any] = taken) -> dict[str, Any]:
            points = game.sample(w, 1000, np.random.default_rng(1))
            taken.append(points.detach().cpu().numpy())
            near = game.data.modes(points, radius=0.5)
            return {"modes": near.covered, "near": near.high_quality}

        networks = gd.gans.mlp_pair(settings["latent"], 2, (128, 128), SEED)
        options: dict[str, Any] = {"batch_size": settings["batch"], "device": device}
        game = gd.gans.GANGame(*networks, "nonsaturating", data=gd.gans.ring(), **options)
        every = steps // (4 * SNAPSHOTS)
        run = gd.gans.train(game, rule, steps, seed=SEED, metrics=look, log_every=every, metrics_every=every)
        rows = [row for row in run.rows if row.get("metrics")]
        at = [row["step"] for row in rows]
        data |= {
            f"{name}_samples": np.stack([taken[at.index(moment)] for moment in moments]),
            f"{name}_modes": np.array([row["metrics"]["modes"] for row in rows]),
            f"{name}_near": np.array([row["metrics"]["near"] for row in rows]),
            f"{name}_findings": [finding.name for finding in run.findings],
            "step": np.array(at),
        }
    short = f"{steps} of the paper's {FULL['steps']} iterations" if quick else ""
    more = {"seeds": [SEED], "gradients": round(run.counts.fields), "short": short}
    return data | more | {"moments": np.array(moments), "centers": game.data.centers.cpu().numpy()}


def draw(data: dict[str, Any]) -> Any:
    """Samples over training, plain above and unrolled below; the number of modes in between."""
    figure = gd.plots.Drawing(height=0.85)
    grid = figure.add_gridspec(3, SNAPSHOTS, height_ratios=[1, 1, 1.2])
    for row, (name, colour) in enumerate((("plain", SERIES[0]), ("unrolled", SERIES[1]))):
        for column, points in enumerate(data[f"{name}_samples"]):
            axes = figure.add_subplot(grid[row, column])
            axes.plot(*data["centers"].T, "o", color=FAINT, markersize=4.5, mew=0, zorder=1)
            axes.plot(*points.T, ".", color=colour, markersize=1.5, mew=0, rasterized=True)
            axes.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), aspect="equal", xticks=[], yticks=[])
            if row == 0:
                axes.set_title(f"{data['moments'][column]}")
            if column == 0:
                axes.set_ylabel(name)
    below = figure.add_subplot(grid[2, :])
    below.axhline(8, color=QUIET, linewidth=0.6)
    for name, colour, mark in (("plain", SERIES[0], "o"), ("unrolled", SERIES[1], "s")):
        below.plot(data["step"], data[f"{name}_modes"], color=colour, marker=mark, markersize=2.5, label=name)
    below.set(xlabel="iteration", ylabel="modes within 0.5", ylim=(0, 8.5), yticks=[0, 4, 8])
    below.margins(x=0.02)
    figure.legend(*below.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


EXPECTED = (
    Expected(
        "plain: modes over the second half, mean", 1, 0.5, "figure 2: one mode at a time",
        lambda d: d["plain_modes"][None, 10:].mean(1), effect=True, contrary=6,
    ),
    Expected(
        "unrolled less plain: modes over the second half, mean", 7, 1, "figure 2: all eight against one",
        lambda d: (d["unrolled_modes"] - d["plain_modes"])[None, 10:].mean(1), effect=True, contrary=0,
    ),
    Expected("unrolled: modes at the end", 8, 0, "figure 2", lambda d: d["unrolled_modes"][-1:], effect=True),
)  # fmt: skip
