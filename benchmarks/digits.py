"""The digits DCGAN: CPU seconds of the whole run with its metrics, its samples' distance, and the spectrum it ends at.

    python benchmarks/digits.py [--folder runs/digits-dcgan]
    python benchmarks/digits.py --seeds 1 2 3 4 5 --steps 500

Trains the config `digits-dcgan`; interrupted (SIGINT), it saves, exits with status 75 and goes on at the next call, the
CPU seconds of all parts added up. Then it asks `gd.spectrum` for the ends of the game Jacobian at the last point, with
residuals. Writes `benchmarks/results/digits_dcgan.json` and `digits_spectrum.json`, and the last picture of samples.

With `--seeds` it trains the config once for each of them, in folders of their own, and writes `digits_seeds.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from ring import RESULTS, environment

import gandyn as gd
from gandyn.gans.training.start import start
from gandyn.gans.training.state import versions

MORE = 75
ENDS, PRODUCTS = ("LM", "LR", "SR", "LI"), 120


def train(config: gd.gans.Config, folder: Path) -> tuple[Any, float]:
    """The run, None while it is not at its end, and the CPU seconds of all its parts."""
    clock = folder / "cpu_seconds.json"
    before = json.loads(clock.read_text()) if clock.exists() else 0.0
    began = time.process_time()
    run, signal = start(config, folder)
    seconds = before + time.process_time() - began
    clock.write_text(json.dumps(seconds))
    return (None if signal is not None else run), seconds


def spectrum(run: Any, products: int) -> dict[str, Any]:
    """Ends of the game Jacobian at the end of the run, on one batch."""
    began = time.process_time()
    game, rng = run.game, np.random.default_rng(0)
    found = gd.spectrum(game, run.w, k=2, which=ENDS, batch=game.draw(rng), confirm=False, most=products)
    ends = {
        name: {
            "eigenvalues": [[float(z.real), float(z.imag)] for z in end.values],
            "residuals": [float(r) for r in end.residuals],
            "resolution": end.resolution.name,
        }
        for name, end in found.ends.items()
    }
    return {
        "what": "ends of the game Jacobian of the digits DCGAN at the end of its run, on one batch of 64",
        "conditions": found.conditions,
        "parameters": game.dim,
        "ends": ends,
        "products": found.products,
        "cpu_seconds": round(time.process_time() - began, 1),
    }


def over_seeds(config: gd.gans.Config, seeds: Iterable[int], folder: Path) -> list[dict[str, Any]] | None:
    """The measured rows of each seed's run, and what it cost; None while one of them is not at its end."""
    runs = []
    for seed in seeds:
        place = folder / f"seed-{seed}"
        place.mkdir(parents=True, exist_ok=True)
        run, seconds = train(config.replace(seed=seed), place)
        if run is None:
            return None
        rows = measured(run)
        print(seed, rows[-1]["metrics"], round(seconds, 1), flush=True)
        spent = {"gradients": run.counts.fields, "cpu_seconds": round(seconds, 1), "status": run.status.name}
        runs.append({"seed": seed, **spent, "findings": [finding.name for finding in run.findings], "rows": rows})
    return runs


def measured(run: Any) -> list[dict[str, Any]]:
    """The rows of a run in which samples were measured."""
    return [row for row in run.rows if "metrics" in row]


def write(path: Path, result: dict[str, Any]) -> None:
    """A result file."""
    path.write_text(json.dumps(result, indent=1) + "\n")


def main(arguments: list[str] | None = None) -> int:
    """Train to the end, then the spectrum."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("runs/digits-dcgan"))
    parser.add_argument("--steps", type=int, help="fewer than the config's")
    parser.add_argument("--seeds", type=int, nargs="+", help="a run for each, instead of one with its spectrum")
    parser.add_argument("--products", type=int, default=PRODUCTS, help="with the Jacobian, at most")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    config = gd.gans.Config.find("digits-dcgan")
    config = config.replace(steps=options.steps) if options.steps else config
    if options.seeds:
        runs = over_seeds(config, options.seeds, options.folder)
        if runs is not None:
            what = f"the config digits-dcgan for {config.train.steps} steps, a run for each seed"
            result = {"what": what, **environment(), "versions": versions(), "runs": runs}
            write(options.out / "digits_seeds.json", result)
        return MORE if runs is None else 0
    options.folder.mkdir(parents=True, exist_ok=True)
    run, seconds = train(config, options.folder)
    if run is None:
        return MORE
    where = {"seed": config.game.seed, **environment(), "versions": versions()}
    what = "the config digits-dcgan from its start to its end, metrics and pictures included"
    told = {"cpu_seconds": round(seconds, 1), "last_step": run.step, "rows": measured(run)}
    write(options.out / "digits_dcgan.json", {"what": what, **where, **told})
    shutil.copy(max((options.folder / "samples").glob("*.png")), options.out / "digits_dcgan.png")
    write(options.out / "digits_spectrum.json", {**where, **spectrum(run, options.products)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
