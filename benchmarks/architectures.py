"""Each architecture against its own ablation, several seeds at once where a game allows it.

    python benchmarks/architectures.py NAME [--seeds 5] [--steps N]

NAME is one of `encoder`, `two-stages`, `memory`, `mixture`, `fuzzy`, `packing`, `nash`. Writes the last measurements of
every seed to `benchmarks/results/architectures_NAME.json`, with commit, device and versions.
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

MLP = {"architecture": "mlp", "hidden": [64, 64]}
PAIRS: dict[str, tuple[str, dict[str, dict[str, Any]]]] = {
    "encoder": ("ring-mode-regularized", {"with": {}, "without": {"system": "gan", "options": {}}}),
    "two-stages": ("ring-manifold-diffusion", {"with": {}, "without": {"system": "gan", "options": {}}}),
    "memory": ("ring-memory-gan", {"with": {}, "without": {"system": "gan", "options": {}}}),
    "mixture": ("ring-mix-gan", {"with": {}, "without": {"system": "gan", "options": {}}}),
    "fuzzy": ("ring-takagi-sugeno", {"with": {}, "without": {"generator": MLP, "discriminator": MLP}}),
    "packing": ("penguins-tabular", {"with": {}, "without": {"options": {"pack": 1, "gamma": 10, "asked": 1}}}),
}


def one(config: gd.gans.Config) -> dict[str, Any]:
    """What a run ended with."""
    cpu = time.process_time()
    run, signal = start(config)
    if run is None or signal is not None:
        raise KeyboardInterrupt
    measured = {k: v for k, v in run.metrics.items() if isinstance(v, int | float)}
    if config.game.system == "tabular":
        measured = gd.gans.table_scores(run.game.data, run.game.table(run.best_w, 344), "species")
    found = sorted({finding.name for finding in run.findings})
    seconds = round(time.process_time() - cpu, 1)
    return {"seed": config.game.seed, "status": run.status.name, "findings": found, "cpu_seconds": seconds, **measured}


def nash(seeds: int, steps: int) -> list[dict[str, Any]]:
    """Exploitability by answers of so many steps, of mixtures of stored networks and of the newest networks alone."""
    rows = []
    for seed in range(seeds):
        for pure in (False, True):
            pair = gd.gans.mlp_pair(hidden=(32, 32), seed=seed)
            game = gd.gans.GANGame(*pair, "minimax", data=gd.gans.ring(), batch_size=64, seed=seed)
            memory = gd.gans.nash_memory(game, rounds=5, steps=steps, seed=seed, pure=pure)
            gaps = [round(float(gap), 4) for gap in memory.exploitability]
            rows.append({"seed": seed, "case": "pure" if pure else "mixture", "exploitability": gaps})
    return rows


def main(arguments: list[str] | None = None) -> None:
    """One pair, every seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=[*PAIRS, "nash"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=None, help="other than the config's")
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args(arguments)
    out, rows = options.out or RESULTS / f"architectures_{options.name}.json", []
    if options.name == "nash":
        rows = nash(options.seeds, options.steps or 150)
    else:
        config, cases = PAIRS[options.name]
        for case, changes in cases.items():
            for seed in range(options.seeds):
                chosen = gd.gans.Config.find(config).replace(seed=seed, **changes)
                chosen = chosen.replace(steps=options.steps) if options.steps else chosen
                rows.append({"case": case, **one(chosen)})
                print(rows[-1], flush=True)
    what = f"{options.name}, each seed's last measurement; see benchmarks/architectures.py"
    result = {"what": what, "steps": options.steps, **environment(), "versions": versions(), "rows": rows}
    out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
