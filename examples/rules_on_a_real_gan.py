"""The rules of the toys, unchanged, on a real GAN: an MLP generator and discriminator over a ring of eight modes.

    python examples/rules_on_a_real_gan.py --out rules_on_a_real_gan.png

Every rule starts from the same networks and sees the same batches. Drawn for each: samples at the end, how many modes
they cover during training, and the norm of the field (the gradients of both players, side by side).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib import pyplot as plt
from matplotlib.ticker import LogLocator, NullFormatter

import gandyn as gd
from gandyn.plots import MARKERS, SERIES, house_style
from gandyn.rules.schedule import Cosine

BATCH, LATENT, HIDDEN, SAMPLES, CHECKS = 128, 2, (128, 128, 128), 4000, 40
MODE_RADIUS, PENALTY = 0.5, "R1(0.1)"


def rules(steps: int) -> dict[str, Any]:
    """Four kinds of gradient step, and Adam, whose step size falls to zero along half a cosine.

    The discriminator is sharp. Along a real eigenvalue s, gradient steps are stable while lr s < 2, extragradient (with
    equal steps) while lr s < 1, optimistic steps while lr s < 2/3: so the look-ahead is shorter than the step, and the
    optimistic step the shortest. Alternating steps of 0.05 and optimistic ones of 0.04 overflow here.
    """
    adam, decay = gd.rules.Adam(1e-3, betas=(0.0, 0.99)), Cosine(steps)
    return {
        "simultaneous": gd.rules.SimultaneousGD(0.03),
        "alternating": gd.rules.AlternatingGD(0.03),
        "extragradient": gd.rules.Extragradient(0.05, extrapolation=0.01),
        "optimistic": gd.rules.OptimisticGD(0.02),
        "Adam, simultaneous": gd.rules.Scheduled(adam, decay),
        "Adam, alternating": gd.rules.Scheduled(gd.rules.Alternating(adam), decay),
    }


@dataclasses.dataclass
class Run:
    """What one rule did."""

    steps: list[int]
    covered: list[int]
    near: list[int]
    quality: list[float]
    norms: list[float]
    samples: Any
    gradients: float
    seconds: float


def train(rule: Any, steps: int, seed: int, device: str, hidden: tuple[int, ...], show: Any) -> Run:
    """Run one rule from the seed's networks, and look at it CHECKS times on the way."""
    generator, discriminator = gd.gans.mlp_pair(latent=LATENT, hidden=hidden, seed=seed)
    game = gd.gans.GANGame(
        generator, discriminator, "nonsaturating", PENALTY, data=gd.gans.ring(), batch_size=BATCH, device=device
    )
    ring, rng, eyes = gd.gans.ring(device=device), np.random.default_rng(seed), np.random.default_rng(seed + 1)
    w = game.w0
    state = rule.init(game, w, rng)
    run, every, start = Run([], [], [], [], [], None, 0.0, 0.0), max(steps // CHECKS, 1), time.perf_counter()
    norms = []
    for step in range(1, steps + 1):
        w, state, info = rule.step(game, w, state, rng)
        game.advance()
        norms.append(info["field"].norm())
        if step % every == 0 or step == steps:
            points = game.sample(w, SAMPLES, eyes)
            strict, loose = ring.modes(points), ring.modes(points, radius=MODE_RADIUS)
            run.steps.append(step)
            run.covered.append(strict.covered)
            run.near.append(loose.covered)
            run.quality.append(strict.high_quality)
            run.norms.append(float(torch.stack(norms).mean()))
            run.samples, norms = points.cpu().numpy(), []
            show(step)
            if not math.isfinite(run.norms[-1]):
                break
    run.gradients, run.seconds = game.counts.fields, time.perf_counter() - start
    return run


def draw(runs: dict[str, Run], steps: int) -> Any:
    """Samples on top, one panel a rule; below them, modes covered and the norm of the field over training."""
    centers = gd.gans.ring().centers.numpy()
    with house_style("double"):
        figure = plt.figure(figsize=(6.8, 3.9), layout="constrained")
        rows = figure.subfigures(2, 1, height_ratios=(1.0, 1.35))
        for k, (axes, (name, run)) in enumerate(zip(rows[0].subplots(1, len(runs)), runs.items(), strict=True)):
            colour = SERIES[k % len(SERIES)]
            axes.plot(*centers.T, "o", ms=7, mfc="none", mec="#8a8a8a", mew=0.6)
            axes.plot(*run.samples[:1000].T, ".", ms=1.6, color=colour, alpha=0.45, mew=0, rasterized=True)
            axes.set(xlim=(-2.9, 2.9), ylim=(-2.9, 2.9), xticks=[], yticks=[], aspect="equal")
            axes.set_title(name.replace(", ", ",\n"), color=colour, fontsize=7.5)
            axes.set_xlabel(
                f"{run.near[-1]} near, {run.covered[-1]} strict\n{100 * run.quality[-1]:.0f} % within 3σ", fontsize=6.8
            )
        left, right = rows[1].subplots(1, 2)
        for k, (name, run) in enumerate(runs.items()):
            style = {"color": SERIES[k % len(SERIES)], "marker": MARKERS[k % len(MARKERS)], "ms": 2.6, "lw": 1.0}
            style["markevery"] = (k * max(len(run.steps) // 20, 1) % 6, 6)
            left.plot(run.steps, [n + 0.05 * (k - (len(runs) - 1) / 2) for n in run.near], label=name, **style)
            right.plot(run.steps, run.norms, **style)
        left.set(
            ylim=(-0.4, 8.5), yticks=range(0, 9, 2), xlabel="step", ylabel=f"modes covered (within {MODE_RADIUS:g})"
        )
        right.set(yscale="log", xlabel="step", ylabel="norm of the field")
        right.yaxis.set_minor_formatter(NullFormatter())
        right.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        right.yaxis.set_major_formatter("{x:g}")
        for axes in (left, right):
            axes.set_xlim(0, steps)
            axes.spines[["top", "right"]].set_visible(False)
        rows[1].legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def progress(name: str, done: int, total: int, begun: float) -> Any:
    """A line that rewrites itself: the rule, its step, and the time left for all rules. Silent where nobody looks."""

    def show(step: int) -> None:
        if not sys.stdout.isatty():
            return
        spent, share = time.perf_counter() - begun, (done + step) / total
        print(
            f"\r{name:20s} step {step:6d}   {100 * share:3.0f} %   {spent / share - spent:4.0f} s left ",
            end="",
            flush=True,
        )

    return show


def main(arguments: list[str] | None = None) -> dict[str, Run]:
    """Train with every rule, print the table, write the picture and its numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2500, help="steps of each rule")
    parser.add_argument("--out", type=Path, default=Path("rules_on_a_real_gan.png"), help="PDF, PNG or SVG")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--quick", action="store_true", help="tiny networks and 40 steps, to see that it runs")
    options = parser.parse_args(arguments)
    steps, hidden = (40, (16, 16)) if options.quick else (options.steps, HIDDEN)
    if options.device == "cpu":
        torch.set_num_threads(1)  # networks this small run faster on one
    chosen, runs, begun = rules(steps), {}, time.perf_counter()
    for k, (name, rule) in enumerate(chosen.items()):
        show = progress(name, k * steps, len(chosen) * steps, begun)
        runs[name] = train(rule, steps, options.seed, options.device, hidden, show)
        left = (time.perf_counter() - begun) * (len(chosen) - k - 1) / (k + 1)
        print(f"\r{name:20s} {runs[name].near[-1]} of 8 modes; {left:.0f} s left for the other rules", flush=True)
    print(
        f"{'rule':20s} {'modes':>5s} {'strict':>6s} {'quality':>8s} {'|field|':>8s} {'gradients':>9s} {'seconds':>7s}"
    )
    for name, run in runs.items():
        print(
            f"{name:20s} {run.near[-1]:5d} {run.covered[-1]:6d} {100 * run.quality[-1]:7.1f}% {run.norms[-1]:8.2f} "
            f"{run.gradients:9.0f} {run.seconds:7.1f}"
        )
    print(f"modes within {MODE_RADIUS} of a centre, and strictly within 3 std; a perfect sampler has 98.9 % quality")
    draw(runs, steps).savefig(options.out)
    numbers = {name: {k: v for k, v in vars(run).items() if k != "samples"} for name, run in runs.items()}
    record = {
        "steps": steps,
        "seed": options.seed,
        "device": options.device,
        "torch": torch.__version__,
        "rules": numbers,
    }
    options.out.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")
    print(f"wrote {options.out} and {options.out.with_suffix('.json')}")
    return runs


if __name__ == "__main__":
    main()
