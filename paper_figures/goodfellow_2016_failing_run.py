"""A failing run, as its losses and accuracies show it.

**The sources** show a GAN that fails: the discriminator's loss goes to zero and its accuracy to 100 % on data and
samples alike, while the generator's loss rises without an end and nothing is learnt.

**Settings.** The shipped configs `failure-saturated-discriminator` (a discriminator three thousand times as fast, on
a wide ring) and `ring-alternating-adam` (healthy; the same number of steps of it), 500 steps each at either setting,
on a fixed probe of 256 points; accuracy is the share of data with logit above 0 and of samples with logit below.

**What we find.** One run of each, seed 0, goes as described, with numbers to hold on to: a discriminator that cannot
tell has loss 2 log 2 = 1.386 and leaves the non-saturating generator at log 2 = 0.693; in the failing run they end
below 0.001 and above 10, both accuracies are 100 %, and the monitor names the failure, "discriminator saturation",
long before the end. The healthy run's losses stay near these two values for all of the 500 steps, while its
accuracies swing. The non-saturating generator's gradient does *not* vanish here: what fails is not the gradient but
the balance of speeds.
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
VERDICT = "not settled at 500 gradients; 1 seed"

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
    """Losses, gradient norms and accuracies over both runs, and what the monitor said."""
    data: dict[str, Any] = {}
    for name, config in CONFIGS.items():
        game, rule = gd.gans.Config.find(config).build()
        options: dict[str, Any] = {"log_every": EVERY, "metrics_every": EVERY, "metrics": _accuracies}
        run = gd.gans.train(game, rule, STEPS, **options)
        for key in ("losses", "gradient_norms", "metrics"):
            for part in run.rows[0][key]:
                data[f"{name}: {key}, {part}"] = np.array([row[key][part] for row in run.rows], dtype=float)
        data[f"{name}: findings"] = [finding.name for finding in run.findings]
        data[f"{name}: found at"] = np.array([finding.step for finding in run.findings], dtype=int)
        data["step"] = np.array([row["step"] for row in run.rows])
    return data | {"seeds": [0], "gradients": STEPS}


def draw(data: dict[str, Any]) -> Any:
    """Losses above, accuracies below; the failing run left, the healthy one right."""
    figure = gd.plots.Drawing(height=0.95)
    panels = figure.subplots(2, 2, sharex=True, sharey="row")
    for column, name in enumerate(CONFIGS):
        losses, accuracy = panels[:, column]
        for k, player in enumerate(("generator", "discriminator")):
            losses.plot(data["step"], data[f"{name}: losses, {player}"], color=SERIES[k], label=f"loss of the {player}")
        for value, text, side in ((np.log(2), r"$\log 2$", "top"), (2 * np.log(2), r"$2\,\log 2$", "bottom")):
            losses.axhline(value, color=QUIET, linewidth=0.6, linestyle="--", zorder=0)
            if name == "failing":
                losses.text(STEPS - 8, value, text, ha="right", va=side, color=INK)
        for k, part in enumerate(("on data", "on samples")):
            values = 100 * data[f"{name}: metrics, {part}"]
            style = {"linestyle": (0, (4, 2))} if k else {}
            accuracy.plot(data["step"], values, color=SERIES[2 + k], label=f"accuracy {part}", **style)
        for step, finding in zip(data[f"{name}: found at"], data[f"{name}: findings"], strict=True):
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
    """The last row, of the one seed."""
    return lambda d: d[f"failing: {name}"][-1:]


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
        lambda d: [float("discriminator saturation" in d["failing: findings"])], effect=True, contrary=0,
    ),
    Expected(
        "healthy: findings", 0, 0, "a healthy run", lambda d: [len(d["healthy: findings"])], effect=True, contrary=1
    ),
    Expected(
        "healthy: loss of the discriminator", 1.0, 0.4, "between 0 and an undecided one's 2 log 2",
        lambda d: [d["healthy: losses, discriminator"][-10:].mean()], effect=True, contrary=0.1,
    ),
)  # fmt: skip
