"""Eight ways to train a GAN at equal cost in gradients, tuned alike, several seeds: the table of the docs.

    python benchmarks/gan_comparison.py [--data 8-ring 25-grid 16-grid digits] [--limit CELLS]

The methods and their step sizes are the sweeps `comparison` and `comparison-digits`. For each data set every method
first runs with each step size on a held-out seed at 5/9 of the budget; the step size whose samples are nearest to
the data (exact W1; on digits the Frechet distance) then runs on the other seeds at the whole budget. All are judged by
the same numbers on fresh samples and held-out data. The duality gap is that of the *minimax* game at the networks that
came out, whatever they were trained on: how much both networks gain by steps of their own, Adam's of 0.0003 or plain
ones of 0.001. (Plain steps of 0.01 are longer than 2 / L here: gaps by them come out negative.)

Every cell is written to `benchmarks/results/gan_comparison.json` as it is done, and what is there is not run again.
With `--limit` it stops after so many cells, with exit status 75 while some are left.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from ring import environment

import gandyn as gd
from gandyn.gans.training.start import start
from gandyn.gans.training.state import versions
from gandyn.gans.training.sweep import Sweep

RESULT = Path(__file__).parent / "results" / "gan_comparison.json"
HELD_OUT_SEED, TUNING_SHARE = 1000, 5 / 9
MORE = 75
SAMPLES, POINTS, IMAGES = 10_000, 1000, 1000
GAP_REPEATS = 3
INNER = {"gap": (100, gd.rules.Adam(3e-4, betas=(0.0, 0.99))), "gap_plain": (50, gd.rules.GDA(0.001))}


@dataclasses.dataclass(frozen=True)
class Case:
    """Data on which the methods are compared: a sweep, the data's call (None: the sweep's own), what counts as near."""

    sweep: str
    data: str | None = None
    near: float = 0.5

    def cells(self, seeds: list[int], share: float = 1.0) -> list[tuple[dict[str, str], int, Any]]:
        """The sweep's cells on these data, at a share of its budget."""
        sweep = Sweep.find(self.sweep)
        base = sweep.base if self.data is None else sweep.base.replace(data=self.data)
        changed = dataclasses.replace(sweep, base=base, seeds=tuple(seeds), budget=share * (sweep.budget or 0))
        return list(changed.cells())


CASES = {
    "8-ring": Case("comparison"),
    "25-grid": Case("comparison", "grid(spacing=1, std=0.05)", 0.25),
    "16-grid": Case("comparison", "grid(side=4, spacing=1, std=0.02)", 0.25),
    "digits": Case("comparison-digits"),
}


def cell(case: Case, config: Any, seed: int, with_gaps: bool) -> dict[str, Any]:
    """Train, and measure what came out."""
    wall, cpu = time.perf_counter(), time.process_time()
    run, signal = start(config)
    if signal is not None:
        raise KeyboardInterrupt
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    rng = np.random.default_rng((seed, 9))
    images = len(run.game.data.shape) > 1
    measured = digits(run, rng) if images else points(run, case.near, rng)
    return {
        "steps": run.step,
        "status": run.status.name,
        "fields": run.counts.fields,
        "products": run.counts.jvps + run.counts.vjps,
        "cpu_seconds": round(cpu, 1),
        "wall_seconds": round(wall, 1),
        "load": [round(x, 1) for x in os.getloadavg()],
        **(gaps(run, images) if with_gaps else {}),
        **measured,
    }


def gaps(run: Any, images: bool) -> dict[str, float]:
    """Gaps of the minimax game between copies of the networks, on held-out data, by plain steps and by Adam's."""
    networks = [copy.deepcopy(network) for network in (run.game.generator, run.game.discriminator)]
    latent = run.game.reference.latent.shape[1]
    game = gd.gans.GANGame(*networks, "minimax", data=run.game.data, batch_size=run.game.size, latent=latent)
    found = {}
    for name, (steps, rule) in INNER.items():
        steps = steps // 4 if images else steps
        result = gd.duality_gap(game, run.w, "gradient", k=steps, rule=rule, repeats=GAP_REPEATS, rng=0)
        found |= {name: float(result.value), f"{name}_error": float(result.error)}
    return found


def points(run: Any, near: float, rng: Any) -> dict[str, Any]:
    """Modes and quality of many samples, exact W1 of some."""
    samples = run.game.sample(run.best_w, SAMPLES, rng)
    strict, close = run.game.data.modes(samples), run.game.data.modes(samples, radius=near)
    source = torch.Generator().manual_seed(9)
    real, others = (run.game.data.sample(POINTS, source) for _ in range(2))
    score = gd.gans.metrics.registry["wasserstein"].build(real, samples[:POINTS], other_real=others)
    return {
        "strict": strict.covered,
        "near": close.covered,
        "of": strict.modes,
        "quality": strict.high_quality,
        "near_quality": close.high_quality,
        "w1": score.value,
        "w1_floor": score.floor,
        "distance": score.value,
    }


def digits(run: Any, rng: Any) -> dict[str, Any]:
    """Frechet distance and KID on the digits classifier's features against held-out digits, and the classes covered."""
    samples = run.game.sample(run.best_w, IMAGES, rng)
    real, others = run.game.data.held_out.points, run.game.data.sample(IMAGES, torch.Generator().manual_seed(9))
    build = gd.gans.metrics.registry
    frechet = build["frechet"].build(real, samples, "digits64", other_real=others, resamples=0)
    kid = build["kid"].build(real, samples, "digits64", subsets=20)
    classes = build["class_coverage"].build(samples)
    return {
        "frechet": frechet.value,
        "frechet_floor": frechet.floor,
        "kid": kid.value,
        "kid_error": kid.error,
        "near": int(classes.value),
        "of": int(classes.parts["of"]),
        "distance": frechet.value,
    }


class Table:
    """The result file: cells by (data, stage, method, step size, seed, digest of the config)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data: dict[str, Any] = {"cells": []}
        if path.exists():
            self.data = json.loads(path.read_text())
        self.known = {row["sha256"]: row for row in self.data["cells"]}

    def add(self, row: dict[str, Any]) -> None:
        """Keep a cell, and write the whole file anew."""
        self.known[row["sha256"]] = row
        self.data = {
            "what": "eight ways to train a GAN at equal cost in gradients; see benchmarks/gan_comparison.py",
            "unit": "a full field is 1, a Jacobian product 2; what penalties differentiate twice is not counted",
            "held_out_seed": HELD_OUT_SEED,
            "tuning_share": TUNING_SHARE,
            "budgets": {name: Sweep.find(case.sweep).budget for name, case in CASES.items()},
            "gaps": {name: f"{steps} steps of {rule!r}, a quarter on images" for name, (steps, rule) in INNER.items()},
            **environment(),
            "versions": versions(),
            "cells": list(self.known.values()),
        }
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(self.data, indent=1) + "\n")
        part.replace(self.path)


def best(rows: list[dict[str, Any]]) -> str:
    """The step size whose samples came nearest to the data on the held-out seed; those that diverged come last."""
    return str(min(rows, key=lambda r: (r["status"] != "OK", np.nan_to_num(r["distance"], nan=np.inf)))["lr"])


def planned(name: str, table: Table, turn: int) -> Iterator[tuple[str, dict[str, str], int, Any]]:
    """The cells of a data set's turn: tuning before the first seed, then a seed of the step sizes chosen."""
    case = CASES[name]
    tuning = case.cells([HELD_OUT_SEED], TUNING_SHARE)
    if turn == 0:
        yield from (("tune", *one) for one in tuning)
    tried: dict[str, list[dict[str, Any]]] = {}
    for where, _, config in tuning:
        tried.setdefault(where["method"], []).append(table.known[config.sha256])
    for where, seed, config in case.cells([Sweep.find(case.sweep).seeds[turn]]):
        if where["lr"] == best(tried[where["method"]]):
            yield "run", where, seed, config


def run(names: list[str], table: Table, limit: int) -> bool:
    """Every data set's first seed, then the others; False where the limit came first."""
    for turn in range(max(len(Sweep.find(case.sweep).seeds) for case in CASES.values())):
        for name in [n for n in names if turn < len(Sweep.find(CASES[n].sweep).seeds)]:
            for stage, where, seed, config in planned(name, table, turn):
                if config.sha256 in table.known:
                    continue
                if limit == 0:
                    return False
                limit -= 1
                row = {"data": name, "stage": stage, **where, "seed": seed, "sha256": config.sha256}
                table.add(row | cell(CASES[name], config, seed, stage == "run"))
                print(json.dumps(table.known[config.sha256]), flush=True)
    return True


def main(arguments: list[str] | None = None) -> int:
    """Every data set named, as far as the limit allows; 0 when all is done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--limit", type=int, default=10**9, help="stop after so many cells")
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args(arguments)
    return 0 if run(options.data, Table(options.out), options.limit) else MORE


if __name__ == "__main__":
    sys.exit(main())
