"""Eigenvalues of a GAN's Jacobian on the ring, with and without consensus optimisation.

**The paper** trains a GAN on eight Gaussians on a circle and shows the eigenvalues of the field's Jacobian in the
plane: without consensus a cloud along the imaginary axis and on both sides of it, with consensus a cloud that lies
away from it, on the stable side.

**Settings.** Circle of radius 1, standard deviation 0.01, minimax loss, RMSProp on both players at once. The paper: 4 x
16 networks, latent 16, batch 512, rate 1e-4, gamma = 10, 50 000 iterations. Here: 4 x 10 networks, so that all 893
eigenvalues of thirty Jacobians can be computed, batch 128, a tenth of the iterations at ten times the rate, gamma = 0.1
and 1, ten seeds (quick: 300 iterations, two seeds). The eigenvalues are those of J, and with consensus of J + gamma J^T
J, the Jacobian of v + gamma J^T v where v = 0, on one batch; the stable side, grey, is that of positive real parts,
since our J is that of the descent field. Axes are linear within 0.01 and logarithmic beyond. A mode counts with 1 % of
the samples within 0.15, fifteen standard deviations. Lines are medians of the seeds, bands reach from the least to the
largest.

**What we find.** At gamma = 1 the samples come out as the paper has them: nine of ten seeds have all eight modes, the
tenth one; without consensus three of ten have eight, the others five to seven. The eigenvalues come out by half. They
reach five thousand to 650 thousand times less far to the unstable side (to -0.01 to -0.18 instead of -850 to -7400),
but nearly as many lie there: 47 % of them (median of the seeds) instead of 50 %. Two causes can be told apart. J^T J
shifts: the sum of the real parts grows by gamma |J|^2, exactly. But most of the difference is in the point: consensus
descends |v|^2, and where it has gone |J| itself is smaller by a factor of 1500 (median), with 48 % of its eigenvalues
on the unstable side. Too little consensus is worse than none. At gamma = 0.1 four of ten seeds have all modes, and
four end with no sample near any, where |v| is below 0.2 though nothing is learnt; without consensus |v| stays above 11
in every seed. The plain GAN's farthest unstable eigenvalues are real: nothing turns there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import gandyn as gd
from gandyn.figures import Expected
from gandyn.plots.marks import mark_band
from gandyn.plots.style import FAINT, QUIET, SERIES

PAPER = "Mescheder, Nowozin & Geiger 2017"
TITLE = "Eigenvalues with and without consensus"
SOURCE = "the figures of the eigenvalues on the mixture of 8 Gaussians"
VERDICT = (
    "reproduced in part, 4 of 8 effects, at worst not reproduced at these settings: rate 0.001, 5000 "
    "iterations of batch 128, gamma 0.1 and 1; 10 seeds"
)

GAMMAS = (0.1, 1.0)
FULL: dict[str, Any] = {"hidden": (10,) * 4, "batch": 128, "lr": 1e-3, "steps": 5000, "seeds": 10}
QUICK: dict[str, Any] = {**FULL, "steps": 300, "seeds": 2}
NEAR, ROWS = 0.15, 25


def _close(game: Any, w: Any, rng: Any) -> dict[str, Any]:
    """Share of 2000 samples within 0.15 of a mode, and the modes that at least 1 % of them are near."""
    found = game.data.modes(game.sample(w, 2000, rng), radius=NEAR)
    return {"near": found.high_quality, "modes": found.covered}


def _trained(gamma: float, settings: dict[str, Any]) -> dict[str, Any]:
    """Modes over training, (seeds, rows), and the eigenvalues at the end of J and of J + gamma J^T J, (seeds, d)."""
    seeds = range(settings["seeds"])
    ring, made = gd.gans.ring(radius=1.0, std=0.01), gd.gans.mlp_pair
    games = [
        gd.gans.GANGame(*made(16, 2, settings["hidden"], seed), "minimax", data=ring, batch_size=settings["batch"])
        for seed in seeds
    ]
    inner = gd.rules.RMSProp(settings["lr"])
    rule = gd.rules.ConsensusField(inner, gamma) if gamma else inner
    every = settings["steps"] // ROWS
    options: dict[str, Any] = {"metrics": _close, "log_every": every, "metrics_every": every}
    runs = gd.gans.train(gd.gans.Ensemble(games), rule, settings["steps"], seeds=seeds, **options)
    spectra = [
        _spectra(game, run.w, gamma, seed == 0) for seed, (game, run) in enumerate(zip(games, runs.runs, strict=True))
    ]
    return {
        "step": np.array([row["step"] for row in runs.rows]),
        "status": [str(run.status) for run in runs.runs],
        "fields": float(runs.runs[0].counts.fields),
        **{key: np.array([row["metrics"][key] for row in runs.rows], dtype=float).T for key in ("near", "modes")},
        **{key: np.array([found[key] for found in spectra]) for key in spectra[0]},
    }


def _spectra(game: Any, w: Any, gamma: float, confirmed: bool) -> dict[str, Any]:
    """All eigenvalues on one batch, and what checks them; if `confirmed` the largest by products alone."""
    token = game.draw(np.random.default_rng(0))
    jacobian = game.jacobian(w, token).detach().numpy().astype(float)
    own = np.linalg.eigvals(jacobian)
    followed = jacobian + gamma * jacobian.T @ jacobian
    largest = gd.spectrum(game, w, 1, "LM", batch=token)["LM"].eigenvalues[0] if confirmed else np.nan
    return {
        "jacobian": own.astype(complex),
        "followed": np.linalg.eigvals(followed).astype(complex) if gamma else own.astype(complex),
        "trace": float(np.trace(followed)),
        "square": float((jacobian**2).sum()),
        "largest": float(abs(largest)),
        "norm": float(game.field(w, token).norm()),
    }


def _name(gamma: float) -> str:
    return f"gamma {gamma:g}" if gamma else "plain"


def compute(quick: bool) -> dict[str, Any]:
    """For each gamma, 0 among them, and each seed: modes over training, and eigenvalues at the end."""
    settings = QUICK if quick else FULL
    data: dict[str, Any] = {"gammas": list(GAMMAS), "quick": quick, "seeds": list(range(settings["seeds"]))}
    for gamma in (0.0, *GAMMAS):
        found = gd.figures.part(_name(gamma), lambda gamma=gamma: _trained(gamma, settings))
        data |= {f"{_name(gamma)}: {key}": value for key, value in found.items()}
    short = f"{settings['steps']} iterations" if quick else ""
    told = f"rate {settings['lr']:g}, {settings['steps']} iterations of batch {settings['batch']}, gamma 0.1 and 1"
    return data | {"gradients": round(data["plain: fields"]), "short": short, "settings": told}


def draw(data: dict[str, Any]) -> Any:
    """Eigenvalues of all seeds above, on the same symmetric-logarithmic axes; modes and quality over training below."""
    figure = gd.plots.Drawing(height=1.35)
    grid = figure.add_gridspec(3, 3, height_ratios=[1.6, 1, 1])
    names = [_name(gamma) for gamma in (0.0, *data["gammas"])]
    titles = ["RMSProp: $J$", *(rf"$\gamma = {gamma:g}$" for gamma in data["gammas"])]
    below = figure.add_subplot(grid[1, :]), figure.add_subplot(grid[2, :])
    for k, (name, title) in enumerate(zip(names, titles, strict=True)):
        _plane(figure.add_subplot(grid[0, k]), data[f"{name}: followed"], SERIES[k], title, k == 0)
        for axes, key, scale in zip(below, ("modes", "near"), (1, 100), strict=True):
            mark_band(axes, data[f"{name}: step"], scale * data[f"{name}: {key}"], color=SERIES[k], label=title)
            axes.margins(x=0)
    below[0].tick_params(labelbottom=False)
    below[0].set(ylabel="modes", ylim=(0, 8.3), yticks=[0, 2, 4, 6, 8])
    below[1].set(xlabel="iteration", ylabel=f"% within {NEAR}", ylim=(0, 100))
    handles, labels = below[0].get_legend_handles_labels()
    figure.legend(handles, ["without", *labels[1:]], loc="outside lower center", ncols=3)
    return figure


def _plane(axes: Any, values: np.ndarray, colour: str, title: str, first: bool) -> None:
    """Eigenvalues of all seeds in the plane, the stable side grey."""
    axes.axvspan(0, 1e6, color="#f0f0f0", zorder=0)
    axes.axvline(0, color=QUIET, linewidth=0.7, zorder=1)
    axes.axhline(0, color=FAINT, linewidth=0.5, zorder=1)
    points = values.ravel()
    axes.scatter(points.real, points.imag, s=1.5, color=colour, linewidth=0, zorder=2, rasterized=True)
    axes.set_xscale("symlog", linthresh=1e-2)
    axes.set_yscale("symlog", linthresh=1e-2)
    axes.set(xlim=(-1e6, 1e6), ylim=(-1e2, 1e2), xlabel=r"$\mathrm{Re}\,\lambda$", title=title)
    axes.set_xticks([-1e3, 0, 1e3], ["$-10^3$", "0", "$10^3$"])
    axes.set_yticks([-10, -0.1, 0, 0.1, 10], ["$-10$", "$-0.1$", "0", "0.1", "10"] if first else [""] * 5)
    axes.minorticks_off()
    if first:
        axes.set_ylabel(r"$\mathrm{Im}\,\lambda$")


def _unstable(data: dict[str, Any], name: str) -> np.ndarray:
    """The share of each seed's eigenvalues that lie on the unstable side."""
    return (data[f"{name}: followed"].real < -1e-9).mean(1)


def _farthest(data: dict[str, Any], name: str) -> np.ndarray:
    """How far each seed's eigenvalues reach on the unstable side."""
    return -data[f"{name}: followed"].real.min(1)


def _better(data: dict[str, Any], name: str) -> np.ndarray:
    """Whether each seed ends with more modes than without consensus, or with all eight."""
    modes = data[f"{name}: modes"][:, -1]
    return ((modes > data["plain: modes"][:, -1]) | (modes == 8)).astype(float)


def _shift(gamma: float) -> Any:
    """What J^T J adds to the real parts, over gamma |J|^2, of each seed."""
    name = _name(gamma)
    return lambda d: (d[f"{name}: followed"] - d[f"{name}: jacobian"]).sum(1).real / (gamma * d[f"{name}: square"])


EXPECTED = (
    Expected(
        "plain: sum of the eigenvalues over the trace", 1, 1e-6, "the trace of J",
        lambda d: d["plain: followed"].sum(1).real / d["plain: trace"],
    ),
    Expected(
        "plain, seed 0: largest modulus, dense over matrix-free", 1, 1e-3, "gd.spectrum, by products alone",
        lambda d: np.abs(d["plain: jacobian"][0]).max() / d["plain: largest"][0],
    ),
    *(
        Expected(f"gamma {gamma:g}: what J^T J adds to the real parts, over gamma |J|^2", 1, 1e-6,
                 "the trace of J^T J", _shift(gamma))
        for gamma in GAMMAS
    ),
    *(
        effect for gamma, name in ((gamma, _name(gamma)) for gamma in GAMMAS) for effect in (
            Expected(
                f"{name}: share of eigenvalues on the unstable side, over that without", 0.25, 0.25,
                "the paper's two clouds", lambda d, name=name: _unstable(d, name) / _unstable(d, "plain"),
                effect=True, contrary=1,
            ),
            Expected(
                f"{name}: reach of the eigenvalues on the unstable side, over that without", 0.05, 0.05,
                "the paper's two clouds", lambda d, name=name: _farthest(d, name) / _farthest(d, "plain"),
                effect=True, contrary=1,
            ),
            Expected(
                f"{name}: modes at the end", 8, 0, "the paper's samples: all modes, none dropped",
                lambda d, name=name: d[f"{name}: modes"][:, -1], effect=True, contrary=4,
            ),
            Expected(
                f"{name}: more modes than without, or all: 1 if so", 1, 0, "the paper's samples",
                lambda d, name=name: _better(d, name), effect=True, contrary=0,
            ),
        )
    ),
)  # fmt: skip
