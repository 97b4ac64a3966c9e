"""Ensembles: generated kernels against a hand-written fused C++ loop, recording against a plain fill, and threads.

    python benchmarks/ensembles.py            writes benchmarks/results/ensembles.json
    python benchmarks/ensembles.py --quick    a tenth of the members, for a look; writes nothing

100 000 starts for 1 000 steps: simultaneous GD on v = ab and extragradient on the Dirac-GAN, each first checked to
reach the yardstick's points. Flows are compared in flows.py.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rounds import environment, interleave

import gandyn as gd

SEED, LR = 0, 0.1
FLAGS = ("-O3", "-march=native", "-ffast-math", "-fopenmp-simd", "-shared", "-fPIC", "-std=c++17")
TARGETS = {
    "gda c / c++": 1.25, "extragradient c / c++": 1.25, "gda numpy / c++": 8.0, "extragradient numpy / c++": 5.0,
    "recording / fill": 1.5, "one thread / two": 1.6,
}  # fmt: skip


def yardstick() -> ctypes.CDLL:
    """The hand-written loops, compiled now."""
    source = Path(__file__).with_name("yardstick.cpp")
    target = Path(tempfile.mkdtemp()) / "yardstick.so"
    compiler = os.environ.get("CXX", "g++")
    subprocess.run([compiler, *FLAGS, str(source), "-o", str(target), "-lmvec", "-lm"], check=True)
    return ctypes.CDLL(str(target))


def against_yardstick(loop: Any, game: Any, rule: Any, members: int, steps: int, rounds: int) -> dict[str, Any]:
    """Kernels and the hand-written loop from the same starts, on one thread."""
    start = np.random.default_rng(SEED).normal(size=(members, 2))
    loop.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_double]

    def by_hand() -> np.ndarray[Any, Any]:
        w = start.copy()
        loop(w.ctypes.data, members, steps, LR)
        return w

    def by_kernel(name: str) -> Callable[[], Any]:
        return lambda: gd.iterate(game, rule, start, steps, "last", kernel=name, threads=1).w

    exact = by_hand()
    for name in ("c", "numpy"):
        error = np.abs(by_kernel(name)() - exact).max() / np.abs(exact).max()
        if error > 1e-10:
            raise SystemExit(f"the kernel {name!r} and the yardstick differ by {error:.1e}: nothing to compare")
    contestants = {
        "c++": lambda: by_hand() is None,
        "c": lambda: by_kernel("c")() is None,
        "numpy": lambda: by_kernel("numpy")() is None,
    }
    return interleave(contestants, "c++", rounds)


def recording(members: int, steps: int, rounds: int) -> dict[str, Any]:
    """Every step of an ensemble kept, against filling a fresh array of the same shape with one number."""
    start = np.random.default_rng(SEED).normal(size=(members, 2))
    game, rule = gd.games.bilinear(), gd.rules.GDA(LR)
    contestants = {
        "fill": lambda: np.full((steps + 1, members, 2), 1.0) is None,
        "one thread": lambda: gd.iterate(game, rule, start, steps, kernel="c", threads=1) is None,
        "all threads": lambda: gd.iterate(game, rule, start, steps, kernel="c") is None,
    }
    return interleave(contestants, "fill", rounds)


def threads(members: int, steps: int, rounds: int) -> dict[str, Any]:
    """Two threads against one."""
    start = np.random.default_rng(SEED).normal(size=(members, 2))
    game, rule = gd.games.dirac_gan(), gd.rules.Extragradient(LR)

    def on(count: int) -> Callable[[], Any]:
        return lambda: gd.iterate(game, rule, start, steps, "last", kernel="c", threads=count) is None

    contestants = {"1": on(1), "2": on(2)}
    return interleave(contestants, "2", rounds)


def memory(members: int) -> dict[str, Any]:
    """Peak of memory allocated by `record="last"` over numbers of steps, in bytes."""
    start = np.random.default_rng(SEED).normal(size=(members, 2))
    peaks = {}
    for steps in (10, 100, 1000):
        gd.iterate(gd.games.bilinear(), gd.rules.GDA(LR), start, 10, "last", kernel="c")
        tracemalloc.start()
        gd.iterate(gd.games.bilinear(), gd.rules.GDA(LR), start, steps, "last", kernel="c")
        peaks[str(steps)] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peaks


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "ensembles.json")
    options = parser.parse_args()
    members = 10_000 if options.quick else 100_000
    result: dict[str, Any] = {"environment": environment(SEED), "members": members, "steps": 1000, "targets": TARGETS}
    loops = yardstick()
    rounds = options.rounds
    result["gda"] = against_yardstick(loops.gda_bilinear, gd.games.bilinear(), gd.rules.GDA(LR), members, 1000, rounds)
    result["extragradient"] = against_yardstick(
        loops.extragradient_dirac, gd.games.dirac_gan(), gd.rules.Extragradient(LR), members, 1000, max(3, rounds // 2)
    )
    result["recording"] = recording(members, 200, rounds)
    result["threads"] = threads(members, 1000, rounds)
    result["memory of the last point"] = memory(members)
    result["environment"]["load_after"] = list(os.getloadavg())
    table = {
        "gda c / c++": result["gda"]["c"],
        "extragradient c / c++": result["extragradient"]["c"],
        "gda numpy / c++": result["gda"]["numpy"],
        "extragradient numpy / c++": result["extragradient"]["numpy"],
        "recording / fill": result["recording"]["all threads"],
        "one thread / two": result["threads"]["1"],
    }
    for name, row in table.items():
        print(f"{name:28} {row['ratio']:6.2f}  (CPU {row['cpu_ratio']:5.2f}, target {TARGETS[name]})")
    shares = [result[part]["undisturbed"] for part in ("gda", "extragradient", "recording")]
    print(f"one-threaded runs got {min(shares):.2f} of a core; load {result['environment']['load_before'][0]:.1f}")
    result["busy"] = min(shares) < 0.9 or result["threads"]["2"]["cores"] < 1.8  # other programs took part
    if not options.quick:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
