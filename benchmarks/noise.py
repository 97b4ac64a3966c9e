"""Noisy ensembles: compiled kernels against the same loop by hand in C++ with the same generator, in CPU seconds.

Run `python benchmarks/noise.py` from the repository root; it writes `results/noise.json`. Each time is the least of
five.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from rounds import environment

import gandyn as gd

MEMBERS, STEPS, ROUNDS = 100_000, 200, 5
FLAGS = ("-O3", "-march=native", "-ffast-math")
SOURCE = Path(__file__).with_suffix(".cpp")


def by_hand() -> tuple[float, float]:
    """(seconds, variance) of the C++ loop."""
    with tempfile.TemporaryDirectory() as folder:
        program = str(Path(folder) / "noise")
        subprocess.run(["g++", *FLAGS, str(SOURCE), "-o", program], check=True)
        call = [program, str(MEMBERS), str(STEPS)]
        lines = [subprocess.run(call, check=True, capture_output=True, text=True).stdout for _ in range(ROUNDS)]
    seconds, variances = zip(*(map(float, line.split()) for line in lines), strict=True)
    return min(seconds), variances[0]


def by_kernel() -> tuple[float, float]:
    """(seconds, variance) of `gd.iterate` on one thread."""
    game, rule, starts = gd.games.quadratic(0.7, 1.9, 0.45), gd.rules.GDA(0.1), np.zeros((MEMBERS, 2))

    def run(steps: int) -> float:
        return gd.iterate(game, rule, starts, steps, "last", noise=0.3, kernel="c", threads=1).w

    run(10)
    seconds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        w = run(STEPS)
        seconds.append(time.process_time() - began)
    return min(seconds), float(w[:, 0].var())


if __name__ == "__main__":
    hand, kernel = by_hand(), by_kernel()
    law = gd.stationary(gd.games.quadratic(0.7, 1.9, 0.45), gd.rules.GDA(0.1), noise=0.3)
    found = {"by_hand": hand[0], "kernel": kernel[0], "ratio": kernel[0] / hand[0]}
    found |= {"variances": [hand[1], kernel[1], float(law.covariance[0, 0])]}
    sizes = {"members": MEMBERS, "steps": STEPS, "rounds": ROUNDS}
    result = {"what": "noisy ensembles against a loop in C++, in CPU seconds", **environment(0), **sizes, **found}
    (Path(__file__).parent / "results" / "noise.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(found))
