"""The noise of minibatches on GANs, from the result file of benchmarks/noise_of_gans.py: tables and the heat map."""

from __future__ import annotations

import statistics
from typing import Any

import describe_results
import markdown
import numpy as np
from describe_prediction import band

RESULT, SOLVABLE = "noise_of_gans", "noise_of_solvable_gans"


def agreement() -> list[str]:
    """A row for each quantity: predicted, measured, in how many seeds they agree, and the verdict."""
    lines: dict[str, list[dict[str, Any]]] = {}
    for part in (*describe_results.read(SOLVABLE)["parts"], *_parts().values()):
        for row in part.get("rows", ()):
            lines.setdefault(row["what"], []).append(row)
    rows = []
    for what, own in lines.items():
        agree, within = sum(row["agree"] for row in own), f"{own[0]['within']:.0%}".replace("%", " %")
        numbers = [band([row[key] for row in own]) for key in ("predicted", "measured")]
        verdict = "reproduced" if agree == len(own) else "in part" if agree else "contradicted"
        rows.append([what, *numbers, within, f"{agree} of {len(own)}", verdict])
    heads = ["quantity", "predicted", "measured", "within", "agree", "verdict"]
    return [*markdown.table(heads, rows), *describe_results.measured_on(RESULT)]


def during_training() -> list[str]:
    """For the ring and the digits, at some steps: each player's noise of one sample, and its noise scale."""
    rows = []
    for name in ("ring", "digits"):
        log = _parts()[name]["log"]
        steps = sorted({row["step"] for row in log})
        for step in [steps[0], *steps[1 :: max(1, len(steps) // 4)]]:
            own, found = [row for row in log if row["step"] == step], []
            for player in ("generator", "discriminator"):
                scales = [row[f"{player}_scale"] or np.inf for row in own]
                found += [_median([row[f"{player}_noise"] for row in own]), _median(scales)]
            rows.append([name, str(step), *found])
    heads = ["data", "step", "noise, generator", "scale", "noise, discriminator", "scale"]
    return markdown.table(heads, rows)


def map_picture(*caption: str) -> list[str]:
    """The heat map of E|v|^2 over step sizes and batch sizes, with what is predicted in each cell."""
    return describe_results.picture([RESULT], "noise-of-gans", draw_map, " ".join(caption))


def draw_map() -> Any:
    """The measured root mean square of the field as colour and first number, the predicted one as second."""
    from matplotlib.colors import LogNorm

    from gandyn import plots
    from gandyn.plots.drawing import one_panel

    cells = _parts()["map"]["cells"]
    steps, batches = (sorted({cell[key] for cell in cells}) for key in ("lr", "batch"))
    found = {(cell["lr"], cell["batch"]): cell for cell in cells}
    measured = np.array([[found[lr, b]["measured"] for lr in steps] for b in batches]) ** 0.5
    with plots.house_style("single"):
        figure, axes = one_panel(0.9)
        norm = LogNorm(np.nanmin(measured), np.nanmax(measured))
        mesh = axes.pcolormesh(range(len(steps)), range(len(batches)), measured, norm=norm, cmap="cividis")
        for i, lr in enumerate(steps):
            for k, batch in enumerate(batches):
                predicted = found[lr, batch]["predicted"] ** 0.5
                text = (
                    f"{measured[k, i]:.3f}\n({predicted:.3f})" if predicted < 10 else f"{measured[k, i]:.3f}\n(grows)"
                )
                dark = norm(measured[k, i]) < 0.6
                axes.text(i, k, text, ha="center", va="center", fontsize=7, color="white" if dark else "black")
        axes.set_xticks(range(len(steps)), [f"{lr:g}" for lr in steps])
        axes.set_yticks(range(len(batches)), [str(b) for b in batches])
        axes.set(xlabel="step size", ylabel="batch size", title="root mean square of the field (predicted)")
        figure.colorbar(mesh, ax=axes)
        figure.data.update(measured=measured, steps=steps, batches=batches)
        return figure


def _parts() -> dict[str, Any]:
    return {part["part"]: part for part in describe_results.read(RESULT)["parts"]}


def _median(values: list[float]) -> str:
    found = statistics.median(values)
    return "not told from infinity" if np.isinf(found) else f"{found:.3g}"
