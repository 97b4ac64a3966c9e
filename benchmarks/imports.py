"""How long `import gandyn` and `gandyn --help` take beside importing NumPy and typer: fresh processes, interleaved.

    python benchmarks/imports.py [--rounds 15] [--out benchmarks/results/imports.json]

Wall-clock seconds of whole processes, the interpreter's own start included and also measured; medians of the rounds.
Everyone's bytecode is cached, as after the first start of an installed package.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

CASES = {
    "python": "pass",
    "numpy + typer": "import numpy, typer",
    "import gandyn": "import gandyn",
    "gandyn --help": "import sys; sys.argv = ['gandyn', '--help']; from gandyn.cli import main; main()",
}


def seconds(code: str, cache: str) -> float:
    """One fresh process, whose bytecode is kept in a folder of its own."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - begin


def main() -> None:
    """Fill the caches once, then measure the cases in turn."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent / "results" / "imports.json")
    arguments = parser.parse_args()
    times: dict[str, list[float]] = {name: [] for name in CASES}
    with tempfile.TemporaryDirectory() as cache:
        for code in CASES.values():
            seconds(code, cache)
        for _ in range(arguments.rounds):
            for name, code in CASES.items():
                times[name].append(seconds(code, cache))
    medians = {name: statistics.median(values) for name, values in times.items()}
    base = medians["numpy + typer"]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    result = {
        "median_seconds": medians,
        "fastest_seconds": {name: min(values) for name, values in times.items()},
        "ratio_to_numpy_and_typer": {name: medians[name] / base for name in ("import gandyn", "gandyn --help")},
        "rounds": arguments.rounds,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "commit": commit.stdout.strip(),
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result["ratio_to_numpy_and_typer"], indent=2))


if __name__ == "__main__":
    main()
