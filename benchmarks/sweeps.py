"""Shipped sweeps, run in full: every cell's outcome and numbers, for the docs' tables and maps.

    python benchmarks/sweeps.py gradient-centralization [NAME ...] [--limit CELLS]

Cells live in `runs/NAME`, where the command `gandyn sweep NAME` looks too, and what is there is not run again. When a
sweep is complete, `benchmarks/results/sweep_NAME.json` has its cells with commit, device, versions and load. With
`--limit` it stops after so many new cells, with exit status 75 while some are left.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from ring import RESULTS, environment

from gandyn.gans.training.state import versions
from gandyn.gans.training.sweep import Sweep

MORE = 75


class Enough(Exception):
    """The limit is reached."""


def complete(name: str, folder: Path, limit: int) -> tuple[dict[str, Any], int]:
    """The sweep's result, and how many cells of the limit are left.

    Raises:
        Enough: where the limit comes first; what was run is kept.
    """
    path, new = folder / "sweep.json", 0
    before = len(json.loads(path.read_text())["cells"]) if path.exists() else 0
    seen = 0

    def tell(row: dict[str, Any]) -> None:
        nonlocal new, seen
        seen += 1
        if seen <= before:
            return
        new += 1
        print(row["case"], row["seed"], row["outcome"], row["seconds"], flush=True)
        if new == limit:
            raise Enough

    result = Sweep.find(name).run(folder, progress=tell)
    return result.to_dict(), limit - new


def main(arguments: list[str] | None = None) -> int:
    """Every sweep named; 0 when all is done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+")
    parser.add_argument("--limit", type=int, default=10**9, help="stop after so many new cells")
    parser.add_argument("--folder", type=Path, default=Path("runs"))
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    left = options.limit
    for name in options.names:
        try:
            data, left = complete(name, options.folder / name, left)
        except Enough:
            return MORE
        result = {"what": Sweep.find(name).about, **environment(), "versions": versions(), **data}
        (options.out / f"sweep_{name.replace('-', '_')}.json").write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
