"""Shipped sweeps, run in full: every cell's outcome and numbers, for the docs' tables and maps.

    python benchmarks/sweeps.py gradient-centralization [NAME ...] [--limit CELLS] [--only rule=Adam,Adam-GC loss=WGAN]

Cells live in `runs/NAME`, where the command `gandyn sweep NAME` looks too, and what is there is not run again. When a
sweep is complete, `benchmarks/results/sweep_NAME.json` has its cells with commit, device, versions and load. With
`--limit` it stops after so many new cells, with exit status 75 while some are left; with `--only` it has those cases.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from ring import RESULTS, environment

from gandyn.gans.training.state import versions
from gandyn.gans.training.sweep import Sweep

MORE = 75


class Enough(Exception):
    """The limit is reached."""


def narrowed(sweep: Sweep, only: Iterable[str]) -> Sweep:
    """The sweep with these cases alone, each axis as "loss=WGAN,LS-GAN"; its cells are the same cells.

    Raises:
        ValueError: for an axis or a case that the sweep does not have.
    """
    wanted = {axis: cases.split(",") for axis, _, cases in (part.partition("=") for part in only)}
    known = {axis.name: [label for label, _ in axis.cases] for axis in sweep.axes}
    for axis, cases in wanted.items():
        if not set(cases) <= set(known.get(axis, ())):
            raise ValueError(f"{axis}={','.join(cases)}. Needed: cases of {known}. Usual fix: --only loss=WGAN")
    axes = [
        dataclasses.replace(a, cases=tuple(c for c in a.cases if c[0] in wanted.get(a.name, known[a.name])))
        for a in sweep.axes
    ]
    return dataclasses.replace(sweep, axes=tuple(axes))


def complete(sweep: Sweep, folder: Path, limit: int) -> tuple[dict[str, Any], int]:
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

    result = sweep.run(folder, progress=tell)
    return result.to_dict(), limit - new


def main(arguments: list[str] | None = None) -> int:
    """Every sweep named; 0 when all is done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+")
    parser.add_argument("--limit", type=int, default=10**9, help="stop after so many new cells")
    parser.add_argument("--only", nargs="+", default=[], metavar="AXIS=CASE,CASE", help="these cases alone")
    parser.add_argument("--folder", type=Path, default=Path("runs"))
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    left = options.limit
    for name in options.names:
        sweep = narrowed(Sweep.find(name), options.only)
        try:
            data, left = complete(sweep, options.folder / name, left)
        except Enough:
            return MORE
        result = {"what": sweep.about, **environment(), "versions": versions(), **data}
        (options.out / f"sweep_{name.replace('-', '_')}.json").write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
