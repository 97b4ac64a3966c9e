"""The digits DCGAN: CPU seconds of the whole run with its metrics, its samples' distance, and the spectrum it ends at.

    python benchmarks/digits.py [--folder runs/digits-dcgan]

Trains the config `digits-dcgan`; interrupted (SIGINT), it saves, exits with status 75 and goes on at the next call, the
CPU seconds of all parts added up. Then it asks `gd.spectrum` for the ends of the game Jacobian at the last point, with
residuals. Writes `benchmarks/results/digits_dcgan.json` and `digits_spectrum.json`, and the last picture of samples.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
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


def main(arguments: list[str] | None = None) -> int:
    """Train to the end, then the spectrum."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("runs/digits-dcgan"))
    parser.add_argument("--steps", type=int, help="fewer, to see that it runs")
    parser.add_argument("--products", type=int, default=PRODUCTS, help="with the Jacobian, at most")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    config = gd.gans.Config.find("digits-dcgan")
    config = config.replace(steps=options.steps) if options.steps else config
    options.folder.mkdir(parents=True, exist_ok=True)
    run, seconds = train(config, options.folder)
    if run is None:
        return MORE
    where = {"seed": config.game.seed, **environment(), "versions": versions()}
    what = "the config digits-dcgan from its start to its end, metrics and pictures included"
    rows = [row for row in run.rows if "metrics" in row]
    result = {"what": what, **where, "cpu_seconds": round(seconds, 1), "last_step": run.step, "rows": rows}
    (options.out / "digits_dcgan.json").write_text(json.dumps(result, indent=1) + "\n")
    shutil.copy(max((options.folder / "samples").glob("*.png")), options.out / "digits_dcgan.png")
    found = {**where, **spectrum(run, options.products)}
    (options.out / "digits_spectrum.json").write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
