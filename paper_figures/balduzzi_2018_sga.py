"""Symplectic gradient adjustment: why its sign must be chosen, and a mixture of sixteen modes.

**The paper** adjusts the field v by lambda A^T v, A the antisymmetric part of J, with the sign of lambda by
alignment, so that stable points attract and unstable ones repel; and shows that a GAN trained with it covers all
modes of a 4 x 4 grid where RMSProp alone hops.

**Settings.** Toy: v = (eps x + y, eps y - x), eps = 0.3 (stable) and -0.3 (unstable), step 0.05, lambda = 1, -1 and
aligned. Network: modes {+-0.5, +-1.5}^2, standard deviation 0.02, non-saturating loss. The paper: 6 x 384 ReLU, latent
64, batch 256, RMSProp 1e-4, 10 000 iterations. Here: 4 x 64, latent 2, batch 128, RMSProp from 2e-3 to 0 along a cosine
in 3000 iterations, five seeds (quick: 40 iterations, two seeds); SGA is aligned, lambda = 1. A mode counts with 1 % of
the samples within 0.1, five standard deviations. Lines are medians of the seeds, bands reach from the least to the
largest; the samples are those of the first seed.

**What we find.** The toy agrees: v + lambda A^T v = (eps + lambda) w + (1 - lambda eps) A w, so that lambda = 1 makes
the unstable point attract, lambda = -1 makes the stable one repel, and alignment, whose sign is here that of eps, does
neither. On the network RMSProp alone is not the failure that the paper shows: it ends with 12 to 16 of the 16 modes
(median 14) and 66 to 85 % of its samples within 0.1 of one. With SGA three of five seeds end with all 16 modes, the
others with 12 and 10; seed by seed that is 3, -2, 0, -4 and 4 modes more than without. The samples are less sharp in
every seed, 27 to 62 %: SGA learns more slowly here, each of its steps costs two products with the Jacobian besides, and
it had not stopped gaining. Larger networks and the paper's 10 000 iterations have not been run.

"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

import gandyn as gd
from gandyn.figures import Expected
from gandyn.plots.marks import mark_band
from gandyn.plots.style import FAINT, INK, SERIES
from gandyn.rules.views import NewField
from gandyn.rules.wrapper import OnNewField
from gandyn.worlds import dot

PAPER = "Balduzzi et al. 2018"
TITLE = "Symplectic gradient adjustment"
SOURCE = "section 3 (alignment), and the mixture of 16 Gaussians"
VERDICT = (
    "reproduced in part, 1 of 4 effects, at worst not reproduced at these settings: 4 x 64, latent 2, batch "
    "128, 3000 iterations from rate 0.002 to 0; 5 seeds"
)

EPS, LR, ITERATIONS, START = 0.3, 0.05, 120, (1.0, 0.0)
SIGNS = {r"$\lambda = 1$": (1, False), r"$\lambda = -1$": (-1, False), "aligned": (1, True)}
FULL: dict[str, Any] = {"hidden": (64,) * 4, "latent": 2, "batch": 128, "lr": 2e-3, "steps": 3000, "seeds": 5}
QUICK: dict[str, Any] = {**FULL, "steps": 40, "seeds": 2}
METHODS = {"rmsprop": "RMSProp", "sga": "RMSProp, with SGA"}
NEAR, ROWS, SHOWN = 0.1, 20, 1000


@dataclasses.dataclass(frozen=True)
class Adjusted(OnNewField):
    """`inner`, here RMSProp, on the field v + l A^T v with SGA's alignment: how the paper trains its networks."""

    inner: Any
    lam: float

    def field_of(self, game: Any) -> NewField:
        """The game with the adjusted field."""

        def field(w: Any, batch: Any, only: Any) -> Any:
            v = game.field_and_graph(w, batch)
            symmetric, antisymmetric = game.parts(w, v, batch)
            gradient = symmetric - antisymmetric
            agreement = -dot(v, gradient) * dot(antisymmetric, gradient) / w.shape[-1]
            return v - self.lam * (agreement + 0.1).sign() * antisymmetric

        return NewField(game, field)


def _close(game: Any, w: Any, rng: Any) -> dict[str, Any]:
    """Share of 2000 samples within 0.1, five standard deviations, of a mode, and the modes with at least 1 %."""
    found = game.data.modes(game.sample(w, 2000, rng), radius=NEAR)
    return {"share": found.high_quality, "modes": found.covered}


def _trained(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Shares and modes over training, (seeds, rows), and samples at the end, (seeds, n, 2)."""
    seeds, mixture = range(settings["seeds"]), gd.gans.grid(4, spacing=1.0, std=0.02)
    pairs = [gd.gans.mlp_pair(settings["latent"], 2, settings["hidden"], seed) for seed in seeds]
    games = [gd.gans.GANGame(*pair, "nonsaturating", data=mixture, batch_size=settings["batch"]) for pair in pairs]
    inner = gd.rules.RMSProp(settings["lr"])
    rule = Adjusted(inner, 1.0) if name == "sga" else inner
    every = settings["steps"] // ROWS
    options: dict[str, Any] = {"metrics": _close, "log_every": every, "metrics_every": every}
    options["schedule"] = gd.rules.schedule.Cosine(settings["steps"])
    runs = gd.gans.train(gd.gans.Ensemble(games), rule, settings["steps"], seeds=seeds, **options)
    return {
        "step": np.array([row["step"] for row in runs.rows]),
        "ended": [str(run.status) for run in runs.runs],
        "fields": float(runs.runs[0].counts.fields),
        "samples": np.stack([run.sample(SHOWN).detach().numpy() for run in runs.runs]),
        **{key: np.array([row["metrics"][key] for row in runs.rows], dtype=float).T for key in ("share", "modes")},
    }


def compute(quick: bool) -> dict[str, Any]:
    """Toy orbits by sign of eps and of lambda; samples and mode counts over training with and without SGA."""
    settings = QUICK if quick else FULL
    seeds = list(range(settings["seeds"]))
    data: dict[str, Any] = {"signs": list(SIGNS), "quick": quick, "seeds": seeds}
    for name, eps in (("stable", EPS), ("unstable", -EPS)):
        game = gd.games.quadratic(eps, 1, eps)
        rules = [gd.rules.SGA(LR, lam, align=align) for lam, align in SIGNS.values()]
        data[name] = np.stack([gd.iterate(game, rule, START, ITERATIONS).w for rule in rules])
    for name in METHODS:
        found = gd.figures.part(name, lambda name=name: _trained(name, settings))
        data |= {f"{name}: {key}": value for key, value in found.items()}
    data["centers"] = gd.gans.grid(4, spacing=1.0, std=0.02).centers.numpy()
    told = (
        f"4 x 64, latent 2, batch {settings['batch']}, {settings['steps']} iterations from rate {settings['lr']:g} to 0"
    )
    short = f"{settings['steps']} iterations" if quick else ""
    return data | {"gradients": round(data["rmsprop: fields"]), "short": short, "settings": told}


def draw(data: dict[str, Any]) -> Any:
    """The toy's orbits; samples of the first seed with and without SGA; modes and quality over training, with bands."""
    figure = gd.plots.Drawing(height=2.05)
    grid = figure.add_gridspec(4, 2, height_ratios=[1.35, 1.35, 0.8, 0.8])
    for column, name in enumerate(("stable", "unstable")):
        _orbits(figure.add_subplot(grid[0, column]), data, name, column == 0)
    handles = list(figure.axes[0].get_legend_handles_labels())
    modes, near = (figure.add_subplot(grid[row, :]) for row in (2, 3))
    for column, (name, title) in enumerate(METHODS.items()):
        axes, colour = figure.add_subplot(grid[1, column]), SERIES[2 + column]
        axes.plot(*data["centers"].T, "o", color=FAINT, markersize=7, zorder=1)
        axes.plot(*data[f"{name}: samples"][0].T, ".", color=colour, markersize=1.5, mew=0, rasterized=True)
        axes.set(xlim=(-2.2, 2.2), ylim=(-2.2, 2.2), aspect="equal", xlabel="$x_1$", title=title)
        if column == 0:
            axes.set_ylabel("$x_2$")
        for below, key, scale in ((modes, "modes", 1), (near, "share", 100)):
            mark_band(below, data[f"{name}: step"], scale * data[f"{name}: {key}"], color=colour, label=title)
            below.margins(x=0)
    modes.tick_params(labelbottom=False)
    modes.set(ylabel="modes", ylim=(0, 16.5), yticks=[0, 4, 8, 12, 16])
    near.set(xlabel="iteration", ylabel=f"% within {NEAR}", ylim=(0, None))
    for all_of_them, new in zip(handles, modes.get_legend_handles_labels(), strict=True):
        all_of_them += new
    figure.legend(*handles, loc="outside lower center", ncols=3)
    return figure


def _orbits(axes: Any, data: dict[str, Any], name: str, first: bool) -> None:
    """The toy's three orbits around its stable or unstable point."""
    for k, (label, w) in enumerate(zip(data["signs"], data[name], strict=True)):
        style = {"linewidth": 1.8, "linestyle": (0, (1, 1.2))} if label == "aligned" else {"linewidth": 0.9}
        axes.plot(*w.T, color=(SERIES[1], SERIES[0], INK)[k], label=label, **style)
    axes.plot(0, 0, "o", color=INK, markersize=3.5, fillstyle="full" if name == "stable" else "none")
    axes.set(xlim=(-2, 2), ylim=(-2, 2), aspect="equal", xlabel="$x$", ylabel="$y$" if first else "")
    axes.set_title(f"{name} point")


def _modulus(eps: float, lam: float) -> float:
    return math.hypot(1 - LR * (eps + lam), LR * (1 - lam * eps))


def _factor(name: str, k: int) -> Any:
    return lambda d: float(np.linalg.norm(d[name][k, -1]) / np.linalg.norm(d[name][k, -2]))


EXPECTED = (
    *(
        Expected(
            f"{name} point, {label}: factor a step", _modulus(eps, lam), 1e-9,
            "|1 - lr (eps + lambda) - i lr (1 - lambda eps)|, aligned: lambda = sign(eps)", _factor(name, k),
        )
        for name, eps in (("stable", EPS), ("unstable", -EPS))
        for k, (label, lam) in enumerate(zip(SIGNS, (1, -1, math.copysign(1, eps)), strict=True))
    ),
    Expected(
        "aligned, less than 1 at the stable point and more at the other: 1 if so", 1, 0, "the paper's section 3",
        lambda d: float(_factor("stable", 2)(d) < 1 < _factor("unstable", 2)(d)), effect=True, contrary=0,
    ),
    Expected(
        "RMSProp alone: modes at the end", 6, 6, "the paper's picture: modes are missing",
        lambda d: d["rmsprop: modes"][:, -1], effect=True, contrary=16,
    ),
    Expected(
        "with SGA: modes at the end", 16, 0, "the paper's picture: all of them", lambda d: d["sga: modes"][:, -1],
        effect=True, contrary=8,
    ),
    Expected(
        "modes at the end with SGA, less those without", 8, 7, "the paper's comparison",
        lambda d: d["sga: modes"][:, -1] - d["rmsprop: modes"][:, -1], effect=True, contrary=-1,
    ),
)  # fmt: skip
