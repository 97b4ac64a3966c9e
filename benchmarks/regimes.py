"""One GAN at three update ratios, and one that collapses: the duality gap measured along, beside modes, W1 and quality.

    python benchmarks/regimes.py [--seeds 0 1 2 3 4]

Trains the configs `regime-*` and writes the measured rows to `benchmarks/results/regimes.json`; a run that is there is
not repeated.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from ring import RESULTS, environment

import gandyn as gd
from gandyn.gans.training.start import start
from gandyn.gans.training.state import versions
from gandyn.gans.training.sweep import price

CONFIGS = ("regime-1-1", "regime-15-1", "regime-1-15", "regime-collapse")
KEPT = ("modes", "near_modes", "high_quality", "near_quality", "w1", "w1_floor", "duality_gap", "gap_error")


def one(config: gd.gans.Config) -> dict[str, Any]:
    """The measured rows of a run, each with what it had cost."""
    cpu, each = time.process_time(), price(config)
    run, signal = start(config)
    if signal is not None:
        raise KeyboardInterrupt
    rows = [
        {"step": row["step"], "gradients": each * row["step"], "metrics": {k: row["metrics"][k] for k in KEPT}}
        for row in run.rows
        if "metrics" in row
    ]
    return {
        "config": config.name,
        "seed": config.game.seed,
        "sha256": config.sha256,
        "status": run.status.name,
        "findings": [str(finding) for finding in run.findings],
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "measurement_gradients": run.metrics["gap_gradients"] / 2,
        "rows": rows,
    }


def main(arguments: list[str] | None = None) -> None:
    """Every config, every seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--steps", type=int, help="fewer, to see that it runs")
    parser.add_argument("--out", type=Path, default=RESULTS / "regimes.json")
    options = parser.parse_args(arguments)
    runs = json.loads(options.out.read_text())["runs"] if options.out.exists() else []
    for seed in options.seeds:
        for name in CONFIGS:
            config = gd.gans.Config.find(name).replace(seed=seed)
            config = config.replace(steps=options.steps) if options.steps else config
            if any(run["sha256"] == config.sha256 for run in runs):
                continue
            runs.append(one(config))
            print(name, seed, runs[-1]["cpu_seconds"], runs[-1]["rows"][-1], flush=True)
            what = "three update ratios and a collapse on the ring, measured along; see benchmarks/regimes.py"
            result = {"what": what, **environment(), "versions": versions(), "runs": runs}
            options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
