"""Flows: 10 000 circles of v = ab to t = 50 at 1e-9, against a specialist library at equal error, one thread each.

    python benchmarks/flows.py --specialist PYTHON     writes benchmarks/results/flows.json

PYTHON is an interpreter that has heyoka (pip install heyoka, in an environment of its own); without it only our own
integrators are timed. heyoka's tolerance is the loosest of a few whose worst error is not above ours.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from rounds import environment, interleave

import gandyn as gd

SEED, MEMBERS, TIME, RTOL = 0, 10_000, 50.0, 1e-9
TARGET = 3.0
SPECIALIST = r"""
import json, sys, time
import heyoka, numpy as np
members, end = int(sys.argv[1]), float(sys.argv[2])
start = np.random.default_rng(0).normal(size=(members, 2))
lanes = heyoka.recommended_simd_size()
x, y = heyoka.make_vars("x", "y")
solvers = {}
def run(tolerance):
    if tolerance not in solvers:
        solvers[tolerance] = heyoka.taylor_adaptive_batch([(x, -y), (y, x)], np.zeros((2, lanes)), tol=tolerance)
    solver, out = solvers[tolerance], np.empty_like(start)
    for i in range(0, members, lanes):
        solver.set_time(0.0)
        solver.state[:] = start[i : i + lanes].T
        solver.propagate_until(end)
        out[i : i + lanes] = solver.state.T
    return out
c, s = np.cos(end), np.sin(end)
exact = np.stack([c * start[:, 0] - s * start[:, 1], s * start[:, 0] + c * start[:, 1]], -1)
print(heyoka.__version__, flush=True)
for line in sys.stdin:
    wall, cpu = time.perf_counter(), time.process_time()
    out = run(float(line))
    times = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    print(json.dumps({**times, "error": float(np.abs(out - exact).max())}), flush=True)
"""


class Specialist:
    """heyoka in its own interpreter, told a tolerance, answering with times and worst error."""

    def __init__(self, python: str) -> None:
        command = [python, "-c", SPECIALIST, str(MEMBERS), str(TIME)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.version = self._line()

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def __call__(self, tolerance: float) -> dict[str, float]:
        """All members to the end: wall and CPU seconds, worst error."""
        assert self.process.stdin is not None
        print(tolerance, file=self.process.stdin, flush=True)
        answer: dict[str, float] = json.loads(self._line())
        return answer

    def as_good_as(self, error: float) -> float:
        """The loosest tolerance whose worst error is not above `error`."""
        for tolerance in (1e-6, 3e-7, 1e-7, 3e-8, 1e-8, 3e-9, 1e-9, 3e-10, 1e-10, 1e-11):
            if self(tolerance)["error"] <= error:
                return tolerance
        raise SystemExit("the specialist does not reach our error")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--specialist", help="an interpreter that has heyoka")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "flows.json")
    options = parser.parse_args()
    start = np.random.default_rng(SEED).normal(size=(MEMBERS, 2))
    game = gd.games.bilinear()
    c, s = np.cos(TIME), np.sin(TIME)
    exact = np.stack([c * start[:, 0] - s * start[:, 1], s * start[:, 0] + c * start[:, 1]], -1)

    def ours(kernel: str) -> Any:
        return gd.flow(game, start, TIME, RTOL, samples=2, kernel=kernel, threads=1).w[-1]

    errors = {kernel: float(np.abs(ours(kernel) - exact).max()) for kernel in ("c", "eager")}
    result: dict[str, Any] = {"environment": environment(SEED), "members": MEMBERS, "time": TIME, "rtol": RTOL}
    contestants: dict[str, Any] = {"c": lambda: ours("c") is None, "scipy, stacked": lambda: ours("eager") is None}
    against = "c"
    if options.specialist:
        specialist = Specialist(options.specialist)
        tolerance = specialist.as_good_as(errors["c"])
        errors["heyoka"] = specialist(tolerance)["error"]
        result["environment"]["heyoka"] = specialist.version
        result["heyoka tolerance"] = tolerance
        contestants["heyoka"] = lambda: specialist(tolerance)
        against = "heyoka"
    result["flow"] = interleave(contestants, against, options.rounds)
    result["worst error"], result["target"] = errors, TARGET
    result["busy"] = result["flow"]["undisturbed"] < 0.9
    result["environment"]["load_after"] = list(os.getloadavg())
    for name in contestants:
        row = result["flow"][name]
        error = errors.get(name, errors["eager"])
        print(f"{name:16} {row['seconds']:.3f} s  {row['ratio']:.2f} (CPU {row['cpu_ratio']:.2f})  error {error:.1e}")
    if options.specialist:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
