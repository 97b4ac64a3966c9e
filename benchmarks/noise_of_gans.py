"""What minibatches do to GANs of networks: noise during training, its floor, and the effect of the batch's size.

    python benchmarks/noise_of_gans.py [--parts exact ring digits] [--out FILE]

Predicted is what `gd.stationary` says of the networks: the linear part of the rule's step at a point, with the measured
covariance of the batches. Measured are runs of `gd.gans.train`. Squares of the mean field's norm are unbiased: they
come from pairs of independent batches.

* exact: the Dirac-GAN and a linear generator with a quadratic critic, as networks on minibatches of normal data. Their
  law is known in closed form, by `gd.stationary` on the game of two numbers.
* ring, digits: two-layer networks trained by simultaneous steps of a constant size with R1. A run does not end at rest,
  so that there is no stationary law. Predicted is E|v|^2 `HORIZON` steps after a nearby point at which the mean field
  is small, reached from the end of the run by steps on one big batch. Measured is the same in the run itself, which
  goes on. On the ring also the critical batch, and E|v|^2 over step sizes and batch sizes.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from ring import RESULTS, environment
from torch import nn

import gandyn as gd
from gandyn.gans.training.state import versions

SCRIPT = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
WIDTH, GAMMA, BATCH, LR, EARLY, TRAINING, WINDOW = 8, 1.0, 64, 0.1, 400, 4000, 500
BIG, QUIETING, HORIZON, WITHIN = 4096, 400, 300, 0.25
STEP_SIZES, BATCHES, TIME = (0.05, 0.1, 0.2, 0.4), (8, 32, 128, 512), 10.0
SPREAD, MEMBERS, LONG, FINE = 0.7, 48, 600, 0.1
Row = dict[str, Any]


class Dirac(nn.Module):
    """The generator of a point mass: theta, whatever the latent."""

    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.zeros(1, dtype=torch.float64))

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """theta for each latent."""
        return self.theta.expand(len(z), 1)


class Quadratic(nn.Module):
    """The critic p x^2."""

    def __init__(self) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.zeros(1, dtype=torch.float64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """p x^2 for each point."""
        return self.p * x**2


def normal(n: int, source: torch.Generator) -> torch.Tensor:
    """Points of N(0, SPREAD^2)."""
    return SPREAD * torch.randn(n, 1, generator=source, dtype=torch.float64)


def solvable() -> dict[str, tuple[Any, Any, Any, Any]]:
    """Name: (networks' game, the game of two numbers, covariance of its field, equilibrium)."""
    options: Row = {"data": normal, "batch_size": BATCH, "latent": 1}
    linear = [nn.Linear(1, 1, bias=False).double() for _ in range(2)]
    s2 = SPREAD**2
    dirac = gd.gans.GANGame(Dirac(), linear[0], "wasserstein", "R1(0.6)", **options)
    lqg = gd.gans.GANGame(linear[1], Quadratic(), "wasserstein", "R1(0.6)", **options)
    # f_1 = -p a^2, f_2 = p a^2 - p s^2 + (gamma/2) 4 p^2 s^2, s^2 the variance of the data
    formula = gd.games.from_sympy(["-p*a**2", f"p*a**2 - {s2}*p + 1.2*{s2}*p**2"], [["a"], ["p"]])
    noise = (0, 4 * s2**2 / BATCH)  # of mean(a^2 z^2) - mean(x^2) at a = s; that of the penalty is 0 at p = 0
    toy = gd.games.dirac_gan("wasserstein", penalty="R1(0.6)")
    return {
        "Dirac-GAN": (dirac, toy, (0, s2 / BATCH), [0.0, 0.0]),
        "linear generator, quadratic critic": (lqg, formula, noise, [SPREAD, 0.0]),
    }


def row(seed: int, what: str, predicted: float, measured: float, within: float) -> Row:
    """One line of the table: they agree where they differ by at most `within` of the prediction."""
    agree = bool(abs(measured - predicted) <= within * abs(predicted))
    return {"seed": seed, "what": what, "predicted": predicted, "measured": measured, "within": within, "agree": agree}


def exact_part() -> Row:
    """Floors of two solvable GANs: the formula's, that of the measured noise, and that of runs of the networks."""
    rows = []
    rules = {"simultaneous": gd.rules.GDA, "extragradient": gd.rules.Extragradient, "optimistic": gd.rules.OptimisticGD}
    for name, (game, toy, noise, at) in solvable().items():
        measured = gd.noise.Measured(game, 1000)
        for label, make in rules.items():
            law = gd.stationary(toy, make(LR), noise=noise, at=at)
            found = gd.stationary(game, make(LR), measured, at=at)
            what = f"{name}, {label}: E|w - w*|^2"
            rows.append(
                row(
                    0,
                    f"{what}, measured noise",
                    float(np.trace(law.covariance)),
                    float(np.trace(found.covariance)),
                    2 * FINE,
                )
            )
            tail: list[float] = []

            def look(_: Any, w: Any, rng: Any, at: Any = at, tail: list[float] = tail) -> Row:
                tail.append(float(((w.detach() - torch.tensor(at)) ** 2).sum()))
                return {}

            gd.gans.train(game, make(LR), LONG, seeds=range(MEMBERS), metrics=look, log_every=25, metrics_every=25)
            late = np.mean(tail[len(tail) // 3 :])
            rows.append(row(0, f"{what}, networks trained", law.mean_square_distance, float(late), FINE))
    return {"part": "exact", "rows": rows}


def networks(seed: int, data: Any, size: int, latent: int, batch: int = BATCH, w: Any = None) -> Any:
    """The GAN of one seed, with the parameters w where they are given, and else before training."""
    torch.manual_seed(seed)
    generator = nn.Sequential(nn.Linear(latent, WIDTH), nn.Tanh(), nn.Linear(WIDTH, size)).double()
    discriminator = nn.Sequential(nn.Linear(size, WIDTH), nn.Tanh(), nn.Linear(WIDTH, 1)).double()
    if w is not None:
        pair = nn.ModuleList([generator, discriminator])
        nn.utils.vector_to_parameters(w.clone(), pair.parameters())
    options: Row = {"data": data, "batch_size": batch, "latent": latent, "seed": seed}
    return gd.gans.GANGame(generator, discriminator, "nonsaturating", f"R1({GAMMA})", **options)


def quiet(game: Any, w: Any) -> Any:
    """A point near w at which the field of one big batch is small."""
    wide = copy.copy(game)
    vars(wide)["size"] = BIG
    batch, here = wide.draw(np.random.default_rng(5)), w.clone()
    for _ in range(QUIETING):
        here = here - LR * game.field(here, batch).detach()
    return here


def total(rows: list[Row], name: str) -> list[float]:
    """The sum over players of a metric, row by row, from the first row with metrics on."""
    return [sum(r["metrics"][f"{p}_{name}"] for p in ("generator", "discriminator")) for r in rows if r.get("metrics")]


def critical(game: Any, seed: int, w: Any) -> list[Row]:
    """At the batch that is critical for a player, the share of the mean field in the mean square field: 1/2."""
    found = []
    for player, (scale, _) in gd.noise.Measured(game, 256, 1).scale(w).items():
        size = round(scale) if np.isfinite(scale) else 0
        if not 2 <= size <= BIG:
            continue
        same = copy.copy(game)
        vars(same)["size"] = size
        numbers = gd.noise.Measured(same, 256, 2).players(w)[player]
        share = numbers["square"] / (numbers["square"] + numbers["trace"] / size)
        found.append(
            row(seed, f"critical batch, {player}: share of the mean in E|v|^2", 0.5, share, WITHIN) | {"batch": size}
        )
    return found


def floor_part(
    part: str, data: Any, size: int, latent: int, seeds: range, batches: int
) -> tuple[Row, list[Any], list[Any]]:
    """Train, log the noise, predict the floor at a quiet point and measure it in the run; (result, points, laws)."""
    rule = gd.rules.GDA(LR)

    def trained(steps: int, every: int, begun: Any = None) -> Any:
        """All seeds trained on from where another run ended, with a row of noise now and then."""
        starts = [None] * len(seeds) if begun is None else list(begun.w.detach())
        ensemble = gd.gans.Ensemble(
            [networks(seed, data, size, latent, w=w) for seed, w in zip(seeds, starts, strict=True)]
        )
        options: Row = {"metrics": gd.gans.noise_metrics(32), "log_every": every, "metrics_every": every}
        return gd.gans.train(ensemble, rule, steps, seeds=seeds, **options)

    early = trained(EARLY, EARLY)
    games = [networks(seed, data, size, latent) for seed in seeds]
    rows = [r for k, seed in enumerate(seeds) for r in critical(games[k], seed, early.w[k].detach())]
    run = trained(TRAINING, 500)
    late = trained(WINDOW, 25, run)
    ends = list(run.w.detach())
    points, laws, seen = [], [], []
    for k, seed in enumerate(seeds):
        game, w = games[k], quiet(games[k], ends[k])
        noise = gd.noise.Measured(game, batches)
        law = gd.stationary(game, rule, noise, at=w.numpy())
        squares = total(late.runs[k].rows, "square")
        predicted = law.mean_square_field(HORIZON)
        rows.append(row(seed, f"{part}: E|v|^2 near the end of the run", predicted, float(np.mean(squares)), WITHIN))
        rest = float((law.step.field**2).sum()) - float(np.trace(law.step.spread)) / batches
        values = np.linalg.eigvals(law.step.slopes)
        seen.append({
            "seed": seed, "parameters": game.dim, "law": bool(law.exists), "leftmost": float(values.real.min()),
            "largest": float(abs(values).max()), "rest": rest, "moved": float((w - ends[k]).norm() / ends[k].norm()),
        })  # fmt: skip
        points.append(w)
        laws.append(law)
    told = [name for name in run.runs[0].metrics if not name.endswith("error")]
    log = [{"step": r["step"], "seed": seed, **{n: r["metrics"].get(n) for n in told}}
           for seed, one in zip(seeds, run.runs, strict=True) for r in one.rows if r.get("metrics")]  # fmt: skip
    return {"part": part, "rows": rows, "points": seen, "log": log}, points, laws


def map_part(data: Any, points: list[Any], noises: list[Any], seeds: range) -> Row:
    """E|v|^2 from quiet points on, over step and batch sizes: measured in the second half of TIME, and predicted."""
    cells = []
    for lr in STEP_SIZES:
        steps, rule = round(TIME / lr), gd.rules.GDA(lr)
        every = max(steps // 10, 1)
        laws = [gd.stationary(n.game, rule, n, at=w.numpy()) for n, w in zip(noises, points, strict=True)]
        for batch in BATCHES:
            ensemble = gd.gans.Ensemble(
                [networks(seed, data, 2, 2, batch, w) for seed, w in zip(seeds, points, strict=True)]
            )
            run = gd.gans.train(ensemble, rule, steps, seeds=seeds, log_every=every,
                                metrics=gd.gans.noise_metrics(24), metrics_every=every)  # fmt: skip
            rows = [r for one in run.runs for r in one.rows if r["step"] > steps / 2]
            predicted = [expected(law, t, BATCH / batch) for law in laws for t in (steps // 2, 3 * steps // 4, steps)]
            numbers = {"predicted": float(np.mean(predicted)), "measured": float(np.mean(total(rows, "square")))}
            cells.append({"lr": lr, "batch": batch, "steps": steps, "seeds": len(seeds), **numbers})
            print(cells[-1], flush=True)
    return {"part": "map", "cells": cells}


def expected(law: Any, steps: int, share: float) -> float:
    """E|v|^2 after so many steps where the covariance of the noise is multiplied by a share."""
    mean, covariance = law.after(steps)
    j, at = law.step.slopes, np.array([float(x) for x in law.at])
    left = law.step.field + j @ (mean - at)
    return float(share * np.trace(j @ covariance @ j.T) + left @ left)


def digits() -> tuple[Callable[[int, Any], torch.Tensor], int]:
    """Real digits, 7 x 7: a function that draws them, and how many numbers one has."""
    pictures = gd.gans.datasets.registry["coarse"].build("digits", 2).points
    flat = pictures.reshape(len(pictures), -1).double()
    return (lambda n, source: flat[torch.randint(len(flat), (n,), generator=source)]), flat.shape[1]


def measure(part: str) -> list[Row]:
    """The results of one part."""
    if part == "exact":
        return [exact_part()]
    if part == "digits":
        data, size = digits()
        return [floor_part("digits", data, size, 8, range(2), 64)[0]]
    ring, seeds = gd.gans.ring(std=0.1), range(5)
    found, points, laws = floor_part("ring", ring, 2, 2, seeds, 256)
    noises = [gd.noise.Measured(law.game, 256) for law in laws]
    return [found, map_part(ring, points, noises, seeds)]


def main(arguments: list[str] | None = None) -> None:
    """Every part that the result file lacks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=["exact", "ring", "digits"], default=["exact", "ring", "digits"])
    parser.add_argument("--out", type=Path, default=RESULTS / "noise_of_gans.json")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    parts = json.loads(options.out.read_text())["parts"] if options.out.exists() else []
    for part in options.parts:
        if any(found["part"] == part for found in parts):
            continue
        began = time.process_time()
        new = measure(part)
        seconds = round(time.process_time() - began, 1)
        parts += [one | {"cpu_seconds": seconds} for one in new]
        for one in new:
            for line in one.get("rows", ()):
                print(line, flush=True)
        script = {"what": "noise of minibatches on GANs of networks", "script_sha256": SCRIPT}
        result = {**script, **environment(), "versions": versions(), "parts": parts}
        options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
