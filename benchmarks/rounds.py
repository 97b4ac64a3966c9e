"""Interleaved timing: contestants take turns, ratios are taken within a round, medians over rounds; and its records."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def interleave(
    contestants: dict[str, Callable[[], Any]], against: str, rounds: int, warm: bool = True
) -> dict[str, Any]:
    """Times of all contestants, and their ratios to one of them.

    Args:
        contestants: by name, what runs once; each runs once untimed first, unless `warm` is false.
        against: the name that the others are divided by. rounds: how often all of them run, in turn.

    Returns:
        For each name: median and minimum of wall seconds, median CPU seconds, and the median of the ratios within
        rounds ("ratio", and "cpu_ratio" from CPU seconds, which other programs on the machine disturb less), and
        "cores", CPU over wall seconds. Under "undisturbed": the least of these; well below 1 for one-threaded
        contestants means that other programs took part of the core.
    """
    walls: dict[str, list[float]] = {name: [] for name in contestants}
    cpus: dict[str, list[float]] = {name: [] for name in contestants}
    for run in contestants.values() if warm else ():
        run()
    for _ in range(rounds):
        for name, run in contestants.items():
            wall, cpu = time.perf_counter(), time.process_time()
            answer = run()
            walls[name].append(time.perf_counter() - wall)
            cpus[name].append(time.process_time() - cpu)
            if isinstance(answer, dict):  # a contestant in another process reports its own times
                walls[name][-1], cpus[name][-1] = answer["wall"], answer["cpu"]
    result: dict[str, Any] = {}
    for name in contestants:
        wall_ratios = [a / b for a, b in zip(walls[name], walls[against], strict=True)]
        cpu_ratios = [a / b for a, b in zip(cpus[name], cpus[against], strict=True)]
        result[name] = {
            "seconds": statistics.median(walls[name]),
            "minimum": min(walls[name]),
            "cpu_seconds": statistics.median(cpus[name]),
            "ratio": statistics.median(wall_ratios),
            "cpu_ratio": statistics.median(cpu_ratios),
            "cores": statistics.median(c / w for c, w in zip(cpus[name], walls[name], strict=True)),
        }
    result["undisturbed"] = min(result[name]["cores"] for name in contestants)
    return result


def environment(seed: int) -> dict[str, Any]:
    """What a result file must name: commit, device, versions, seed, load."""
    import numpy
    import scipy
    import sympy

    from gandyn.dynamics.compile import compiler

    root = Path(__file__).resolve().parent
    command = compiler()
    return {
        "commit": _output(["git", "-C", str(root), "rev-parse", "HEAD"]),
        "device": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "scipy": scipy.__version__,
        "sympy": sympy.__version__,
        "compiler": _output([command[0], "--version"]).split("\n")[0] if command else None,
        "seed": seed,
        "load_before": list(os.getloadavg()),
    }


def foreign_load() -> float:
    """Load of other processes, in cores: what the machine did while this process slept for a second."""

    def busy() -> tuple[int, int]:
        fields = [int(x) for x in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
        return sum(fields) - fields[3] - fields[4], sum(fields)

    if not Path("/proc/stat").exists():
        return os.getloadavg()[0]
    before = busy()
    time.sleep(1.0)
    after = busy()
    return (os.cpu_count() or 1) * (after[0] - before[0]) / max(after[1] - before[1], 1)


def record_on_torch(out: Path | None, what: str, seed: int, load: float, device: str = "cpu", **found: Any) -> None:
    """Write what was measured with one thread of torch; `load`: of other processes before, taken again now."""
    import torch

    load = max(load, foreign_load())
    if load > 0.3:
        print(f"other processes used {load:.1f} cores: repeat on a quiet machine")
    record = {
        "what": what,
        **environment(seed),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "accelerator": torch.cuda.get_device_name(0) if device != "cpu" else None,
        "foreign_load_cores": round(load, 2),
        **found,
    }
    if out is not None:
        out.write_text(json.dumps(record, indent=1) + "\n")


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())
