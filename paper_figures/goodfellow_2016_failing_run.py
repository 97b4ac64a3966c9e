"""A failing run, as its losses and accuracies show it.

**The sources** show a GAN that fails: the discriminator's loss goes to zero and its accuracy to 100 % on data and
samples alike, while the generator's loss rises without an end and nothing is learnt.

**Settings.** The shipped configs `failure-saturated-discriminator` (a discriminator three thousand times as fast, on
a wide ring) and `ring-alternating-adam` (healthy; the same number of steps of it), 500 steps each, five seeds (two at
quick settings), on a fixed probe of 256 points; accuracy is the share of data with logit above 0 and of samples with
logit below. Bands are the least and the largest of the seeds, lines their medians.

**What we find.** As described, with numbers to hold on to: a discriminator that cannot tell has loss 2 log 2 = 1.386
and leaves the non-saturating generator at log 2 = 0.693. In the failing run the generator ends between 8.3 and 11.7 in
five seeds, both accuracies at 99 % or more; the discriminator's loss ends below 0.002 in four seeds and at 0.07 in the
one whose saturation the monitor does not name. The healthy runs' losses stay near these two values
for all of the 500 steps, in every seed and without a finding, while accuracies swing. The non-saturating generator's
gradient does *not* vanish here: what fails is not the gradient but the balance of speeds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import gandyn as gd
from gandyn.figures import Expected
from gandyn.plots.style import INK, QUIET, SERIES

PAPER = "Goodfellow et al. 2014"
TITLE = "Losses and accuracies of a failing run"
SOURCE = "the sources' picture of a failing GAN"
VERDICT = "reproduced; 5 seeds"

CONFIGS = {"failing": "failure-saturated-discriminator", "healthy": "ring-alternating-adam"}
STEPS, EVERY = 500, 10


def _accuracies(game: Any, w: Any, rng: Any) -> dict[str, Any]:
    """Shares of a fresh batch's data and samples that the discriminator calls right."""
    import torch

    token = game.draw(rng)
    game.load(w)
    with torch.no_grad():
        on_real, on_fake = (game.discriminator(x) for x in (token.real, game.generator(token.latent)))
    return {"on data": float((on_real > 0).double().mean()), "on samples": float((on_fake < 0).double().mean())}


def compute(quick: bool) -> dict[str, Any]:
    """Losses, gradient norms and accuracies over both runs, (seeds, rows), and what the monitor said of each seed."""
    seeds = list(range(2 if quick else 5))
    data: dict[str, Any] = {"seeds": seeds, "gradients": STEPS}
    for name, config in CONFIGS.items():
        built = [gd.gans.Config.find(config).replace(seed=seed).build() for seed in seeds]
        options: dict[str, Any] = {"log_every": EVERY, "metrics_every": EVERY, "metrics": _accuracies}
        ensemble = gd.gans.Ensemble([game for game, _ in built])
        run = gd.gans.train(ensemble, built[0][1], STEPS, seeds=seeds, **options)
        for key in ("losses", "gradient_norms", "metrics"):
            for part in run.rows[0][key]:
                data[f"{name}: {key}, {part}"] = np.array([row[key][part] for row in run.rows], dtype=float).T
        data[f"{name}: findings"] = [[finding.name for finding in found] for found in run.findings]
        data[f"{name}: found at"] = [[int(finding.step) for finding in found] for found in run.findings]
        data["step"] = np.array([row["step"] for row in run.rows])
    return data


def draw(data: dict[str, Any]) -> Any:
    """Losses above, accuracies below; the failing run left, the healthy one right."""
    figure = gd.plots.Drawing(height=0.95)
    panels = figure.subplots(2, 2, sharex=True, sharey="row")
    for column, name in enumerate(CONFIGS):
        losses, accuracy = panels[:, column]
        for k, player in enumerate(("generator", "discriminator")):
            values = data[f"{name}: losses, {player}"]
            losses.plot(data["step"], np.median(values, 0), color=SERIES[k], label=f"loss of the {player}")
            band = {"color": SERIES[k], "alpha": 0.15, "linewidth": 0}
            losses.fill_between(data["step"], values.min(0), values.max(0), **band)
        for value, text, side in ((np.log(2), r"$\log 2$", "top"), (2 * np.log(2), r"$2\,\log 2$", "bottom")):
            losses.axhline(value, color=QUIET, linewidth=0.6, linestyle="--", zorder=0)
            if name == "failing":
                losses.text(STEPS - 8, value, text, ha="right", va=side, color=INK)
        for k, part in enumerate(("on data", "on samples")):
            values = 100 * np.median(data[f"{name}: metrics, {part}"], 0)
            style = {"linestyle": (0, (4, 2))} if k else {}
            accuracy.plot(data["step"], values, color=SERIES[2 + k], label=f"accuracy {part}", **style)
        for step, finding in zip(data[f"{name}: found at"][0], data[f"{name}: findings"][0], strict=True):
            for axes in (losses, accuracy):
                axes.axvline(step, color=INK, linewidth=0.6, linestyle=":")
            accuracy.annotate(finding, (step, 3), rotation=90, fontsize="x-small", ha="right", va="bottom")
        accuracy.set(xlabel="step", ylim=(0, 105))
        losses.set(title=f"{name} run", yscale="log", ylim=(3e-4, 40))
        losses.margins(x=0)
    panels[0, 0].set_ylabel("loss")
    panels[1, 0].set_ylabel("accuracy, %")
    handles = [*losses.get_legend_handles_labels()[0], *accuracy.get_legend_handles_labels()[0]]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def _end(name: str) -> Any:
    """The last row of each seed."""
    return lambda d: d[f"failing: {name}"][:, -1]


EXPECTED = (
    Expected("failing: accuracy on data", 1, 0.01, "saturation", _end("metrics, on data"), effect=True, contrary=0.75),
    Expected(
        "failing: accuracy on samples", 1, 0.01, "saturation", _end("metrics, on samples"), effect=True, contrary=0.75
    ),
    Expected(
        "failing: loss of the discriminator", 0, 0.02, "log(1 + e^-s) at large s", _end("losses, discriminator"),
        effect=True, contrary=0.69,
    ),
    Expected(
        "failing: loss of the generator", 25, 20, "it rises without an end", _end("losses, generator"), effect=True,
        contrary=2 * np.log(2),
    ),
    Expected(
        "failing: its findings name saturation: 1 if so", 1, 0, "the config's purpose",
        lambda d: [float("discriminator saturation" in found) for found in d["failing: findings"]], effect=True,
        contrary=0,
    ),
    Expected(
        "healthy: findings", 0, 0, "a healthy run", lambda d: [len(found) for found in d["healthy: findings"]],
        effect=True, contrary=1,
    ),
    Expected(
        "healthy: loss of the discriminator", 1.0, 0.4, "between 0 and an undecided one's 2 log 2",
        lambda d: d["healthy: losses, discriminator"][:, -10:].mean(1), effect=True, contrary=0.1,
    ),
)  # fmt: skip
