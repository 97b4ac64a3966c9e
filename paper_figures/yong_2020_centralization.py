"""Gradient centralisation on three losses: generator and discriminator losses, and the samples.

**The paper** subtracts from every weight matrix's gradient its mean over the inputs, reports faster and steadier
training of classifiers; the sources carry it over to WGAN, LS-GAN and GLS-GAN trained with SGD, SGD-GC, Adam and
Adam-GC.

**Settings.** Ring of eight, batch 128, alternating steps; SGD 0.02, Adam 5e-4 with betas (0.5, 0.9). WGAN with
weights clipped at 0.1, LS-GAN with slope 0.1, GLS-GAN with slope 0.01 and margin 0.1, the last two with weight decay
0.001. Full: 3 x 128, 4000 steps, 3 seeds. Quick: 3 x 64, 240 steps, one seed.

**What we find.** No visible effect on the samples at the quick settings: with and without centralisation the share of
samples within 0.5 of a mode differs by a few points, in either direction, and Adam against SGD matters more (on
WGAN). On WGAN the discriminator's loss under SGD swings less with centralisation; on LS-GAN and GLS-GAN the curves
lie on each other. What is certain is algebra: under SGD a weight matrix's mean over its inputs does not move at all
(1e-6, rounding; weight decay is centred with the gradient), while under Adam, whose division by root v undoes the
centring, it does, though several times less than without; and weight clipping moves it in any case. One short run is
no evidence on training; the full settings are coded for a GPU and have not been run.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import gandyn as gd
from gandyn.figures import Expected
from gandyn.plots.style import SERIES

PAPER = "Yong et al. 2020"
TITLE = "Gradient centralisation on three losses"
SOURCE = "gradient centralisation carried over to GANs"
VERDICT = "not settled at 240 gradients; 1 seed"
SEED = 0

FULL = {"hidden": (128,) * 3, "steps": 4000, "seeds": 3}
QUICK = {"hidden": (64,) * 3, "steps": 240, "seeds": 1}
LOSSES = {
    "WGAN": ("wasserstein", "WeightClipping(0.1)"),
    "LS-GAN": ("loss_sensitive(0.1)", "WeightDecay(0.001)"),
    "GLS-GAN": ("generalized_loss_sensitive(0.01, 0.1)", "WeightDecay(0.001)"),
}
_SGD, _ADAM = gd.rules.AlternatingGD(0.02), gd.rules.Alternating(gd.rules.Adam(5e-4, betas=(0.5, 0.9)))
RULES = {
    "SGD": _SGD,
    "SGD-GC": gd.rules.GradientCentralization(_SGD),
    "Adam": _ADAM,
    "Adam-GC": gd.rules.GradientCentralization(_ADAM),
}


def _drift(game: Any, w: Any) -> float:
    """Largest change of a weight matrix's mean over its inputs, from the start of training."""
    change, largest, place = (w - game.w0).detach().cpu(), 0.0, 0
    for shapes in game.tensor_shapes:
        for shape in shapes:
            size = int(np.prod(shape))
            if len(shape) > 1:
                means = change[place : place + size].reshape(shape[0], -1).mean(1)
                largest = max(largest, float(means.abs().max()))
            place += size
    return largest


def _run(loss: str, penalty: str, rule: Any, settings: dict[str, Any], seed: int, device: str) -> Any:
    networks = gd.gans.mlp_pair(2, 2, settings["hidden"], seed)
    game = gd.gans.GANGame(*networks, loss, penalty, data=gd.gans.ring(), batch_size=128, device=device)
    every = settings["steps"] // 20
    return gd.gans.train(game, rule, settings["steps"], seed=seed, log_every=every, metrics_every=every)


def compute(quick: bool) -> dict[str, Any]:
    """(losses, rules, rows) of both players' losses and of quality, means over seeds; drift of the weights' means."""
    import torch

    settings: dict[str, Any] = QUICK if quick else FULL
    device = "cuda" if not quick and torch.cuda.is_available() else "cpu"
    curves: dict[str, list[Any]] = {"generator": [], "discriminator": [], "near": [], "drift": []}
    for loss, penalty in LOSSES.values():
        for rule in RULES.values():
            runs = [_run(loss, penalty, rule, settings, seed, device) for seed in range(settings["seeds"])]
            for player in ("generator", "discriminator"):
                curves[player].append(_mean(runs, lambda row, player=player: row["losses"][player], 21))
            curves["near"].append(_mean(runs, lambda row: row.get("metrics", {}).get("near_quality"), 21))
            curves["drift"].append(max(_drift(run.game, run.w) for run in runs))
    shape = (len(LOSSES), len(RULES))
    data: dict[str, Any] = {k: np.array(v, dtype=float).reshape(*shape, *np.shape(v)[1:]) for k, v in curves.items()}
    step = np.linspace(0, settings["steps"], 21)
    return data | {
        "step": step,
        "losses": list(LOSSES),
        "rules": list(RULES),
        "device": device,
        "seeds": list(range(settings["seeds"])),
        "gradients": settings["steps"],
    }


def _mean(runs: Any, of: Any, count: int) -> np.ndarray:
    """Mean over the runs, row by row; NaN from where one ended early."""
    table = np.full((len(runs), count), np.nan)
    for row, run in zip(table, runs, strict=True):
        values = [of(r) for r in run.rows]
        row[: len(values)] = [np.nan if v is None else v for v in values]
    return table.mean(0)


def draw(data: dict[str, Any]) -> Any:
    """A loss a row: discriminator's loss, generator's loss, share of samples near a mode."""
    figure = gd.plots.Drawing(height=1.15)
    panels = figure.subplots(3, 3, sharex=True)
    for row, (name, axes) in enumerate(zip(data["losses"], panels, strict=True)):
        for column, key in enumerate(("discriminator", "generator", "near")):
            for k, rule in enumerate(data["rules"]):
                dashed = {"linestyle": (0, (3, 1.5))} if rule.endswith("GC") else {}
                scale = 100 if key == "near" else 1
                colour = SERIES[0] if rule.startswith("SGD") else SERIES[1]
                axes[column].plot(data["step"], scale * data[key][row, k], color=colour, label=rule, **dashed)
            axes[column].margins(x=0)
            axes[column].locator_params(axis="y", nbins=4)
        axes[0].set_ylabel(name)
        axes[2].set_ylim(0, 60)
    for axes, title in zip(panels[0], ("discriminator", "generator", "near, %"), strict=True):
        axes.set_title(title)
    panels[-1][1].set_xlabel("step")
    figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def _conserved(loss: str, rule: str) -> Any:
    return lambda d: d["drift"][list(LOSSES).index(loss), list(RULES).index(rule)]


def _gain(loss: int, k: int) -> Any:
    """The share of samples near a mode that centralisation gains at the end, in points, of the one mean over seeds."""
    return lambda d: [100 * (d["near"][loss, k + 1, -1] - d["near"][loss, k, -1])]


EXPECTED = (
    *(
        Expected(
            f"{loss}, {rule}: points of samples near a mode gained by centralisation", 25, 23,
            "what the sources hope for: better samples on every loss", _gain(i, 2 * k), effect=True, contrary=-2,
        )
        for i, loss in enumerate(LOSSES) for k, rule in enumerate(("SGD", "Adam"))
    ),
    *(
        Expected(f"{loss}, SGD-GC: drift of means", 0, 1e-5, "centred steps sum to 0", _conserved(loss, "SGD-GC"))
        for loss in ("LS-GAN", "GLS-GAN")
    ),
    Expected(
        "LS-GAN: drift of means under Adam-GC, over 1e-4, logarithm", 1.5, 1.5, "dividing by root v undoes it",
        lambda d: np.log10(_conserved("LS-GAN", "Adam-GC")(d) / 1e-4),
    ),
)  # fmt: skip
