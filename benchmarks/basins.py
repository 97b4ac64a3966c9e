"""Basins: a million starts of the forsaken game under extragradient, seconds and peak memory.

    python benchmarks/basins.py            writes benchmarks/results/basins.json
    python benchmarks/basins.py --quick    ten thousand starts, for a look; writes nothing

Each round is a fresh process, so that its peak memory is its own; it compiles nothing that the first did not. The
labels are checked: the same shares, to a sampling error, as a run of every hundredth start without the short cut that
takes starts near a known cycle as cycling.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from rounds import environment

import gandyn as gd
from gandyn.analysis.long_run import basins as module

TARGETS = {"seconds": 10.0, "gib": 1.0}
BOX, LR = 1.5, 0.1


def once(side: int, refine: bool) -> dict[str, Any]:
    """One run in this process."""
    game, rule = gd.games.forsaken(), gd.rules.Extragradient(LR)
    gd.basins(game, rule, [(-BOX, BOX, 8)] * 2, steps=10)  # compile the map outside the clock
    wall, cpu = time.perf_counter(), time.process_time()
    found = gd.basins(game, rule, [(-BOX, BOX, side)] * 2, refine=refine)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"wall": wall, "cpu": cpu, "cores": cpu / wall, "gib": peak, "shares": found.shares}


def agreement(side: int) -> dict[str, Any]:
    """Labels of every hundredth start, with and without the short cut."""
    game, rule = gd.games.forsaken(), gd.rules.Extragradient(LR)
    axis = np.linspace(-BOX, BOX, side)[:: max(1, side // 100)]
    starts = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    short = gd.basins(game, rule, starts).labels
    pilots, module.PILOTS = module.PILOTS, len(starts)
    full = gd.basins(game, rule, starts).labels
    module.PILOTS = pilots
    return {"starts": len(starts), "different labels": int((short != full).sum())}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--once", choices=["full", "refined"])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "basins.json")
    options = parser.parse_args()
    side = 100 if options.quick else 1000
    if options.once:
        print(json.dumps(once(side, options.once == "refined")))
        return
    result: dict[str, Any] = {"environment": environment(0), "starts": side**2, "steps": 5000, "targets": TARGETS}
    for name in ("full", "refined"):
        command = [sys.executable, __file__, "--once", name, *(["--quick"] if options.quick else [])]
        runs = [
            json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])
            for _ in range(options.rounds)
        ]
        row = {key: statistics.median(run[key] for run in runs) for key in ("wall", "cpu", "cores", "gib")}
        row["minimum wall"] = min(run["wall"] for run in runs)
        result[name] = {**row, "shares": runs[0]["shares"]}
        print(f"{name:8} {row['wall']:6.2f} s (CPU {row['cpu']:.2f}), {row['gib']:.2f} GiB")
    result["agreement"] = agreement(side)
    result["environment"]["load_after"] = list(os.getloadavg())
    result["busy"] = max(result["environment"]["load_before"][0], result["environment"]["load_after"][0] - 2) > 1.0
    print(result["agreement"], "busy" if result["busy"] else "quiet")
    if not options.quick:
        options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
