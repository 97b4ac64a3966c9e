"""The ring configs over several seeds: modes and quality at the end, one process, one thread.

    python benchmarks/ring.py ring-alternating-adam [NAME ...] --seeds 0 1 2

Writes `benchmarks/results/ring_NAME.json` with commit, device, versions, seeds and seconds, for each config as it is
done. "strict" counts modes with at least 1 % of 10 000 samples within 3 standard deviations, "near" within 0.5;
"quality" is the share within 3 standard deviations, of which a perfect sampler has 98.9 %.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

import gandyn as gd
from gandyn.gans.training.start import start

RESULTS = Path(__file__).parent / "results"
SAMPLES, NEAR = 10_000, 0.5


def one(config: gd.gans.Config, seed: int) -> dict[str, object]:
    """Train one seed; count on samples that training never saw."""
    wall, cpu = time.perf_counter(), time.process_time()
    run, signal = start(config.replace(seed=seed))
    if signal is not None:
        raise KeyboardInterrupt
    seconds, cpu = time.perf_counter() - wall, time.process_time() - cpu
    points = run.game.sample(run.w, SAMPLES, np.random.default_rng((seed, 9)))
    strict, near = run.game.data.modes(points), run.game.data.modes(points, radius=NEAR)
    return {
        "seed": seed,
        "status": run.status.name,
        "strict": strict.covered,
        "near": near.covered,
        "quality": round(strict.high_quality, 4),
        "near_quality": round(near.high_quality, 4),
        "gradients": run.counts.fields,
        "vjps": run.counts.vjps,
        "cpu_seconds": round(cpu, 1),
        "wall_seconds": round(seconds, 1),
        "findings": [str(finding) for finding in run.findings],
    }


def environment() -> dict[str, object]:
    """What the numbers depend on."""
    command = ["git", "-C", str(RESULTS.parent), "rev-parse", "--short", "HEAD"]
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "commit": subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip(),
        "device": models[0].split(":")[1].strip() if models else platform.processor(),
        "threads": 1,
        "load": [round(x, 1) for x in os.getloadavg()],
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def main(arguments: list[str] | None = None) -> None:
    """Every config named, every seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="+")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, help="fewer, to see that it runs")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    for name in options.configs:
        config = gd.gans.Config.find(name)
        config = config.replace(steps=options.steps) if options.steps else config
        runs = []
        for seed in options.seeds:
            runs.append(one(config, seed))
            print(name, json.dumps(runs[-1]), flush=True)
        result = {
            "what": "a ring of 8 modes, trained as the config says; samples counted at the end",
            "config": config.to_dict(),
            "sha256": config.sha256,
            **environment(),
            "versions": gd.gans.training.state.versions(),
            "runs": runs,
            "median_quality": statistics.median(run["quality"] for run in runs),
        }
        path = options.out / f"{name.replace('-', '_')}.json"
        path.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
