"""Many runs of one config: a grid of rules, losses, step sizes and seeds, each cell with its outcome; it resumes."""

from __future__ import annotations

import dataclasses
import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ...analysis.measured.comparison import PRODUCT_COST
from ...errors import ParameterError
from ...results import Result, Status
from .config import LARGEST_CONFIG, NAME, Config, named_or_path, parse_toml
from .lock import locked
from .run import TrainingRun
from .start import start
from .tables import checked
from .untrusted_files import CheckpointError, read_bytes, read_json, write_atomically

SHIPPED = Path(__file__).parent.parent / "sweeps"
RESULTS = "sweep.json"
MOST_CELLS = 10_000
OUTCOMES = {"covers": "C", "partial": "p", "collapsed": "m", "oscillates": "o", "vanished": "v", "diverged": "D"}
BY_FINDING = {
    "divergence": "diverged",
    "mode collapse": "collapsed",
    "oscillation": "oscillates",
    "vanishing generator gradient": "vanished",
    "discriminator saturation": "vanished",
}


@dataclasses.dataclass(frozen=True)
class Axis:
    """One direction of the grid: `cases` are names with changes of the config, or `values` that stand for `{name}`."""

    name: str
    cases: tuple[tuple[str, dict[str, Any]], ...]


@dataclasses.dataclass(frozen=True)
class Sweep:
    """A grid of runs.

    Attributes:
        name: of the sweep.
        about: what it shows.
        base: the config that cells change.
        axes: the directions.
        seeds: of each cell.
        quick: changes that make the cells small.
        budget: of each cell, in gradients, where cells are compared at equal cost: a cell takes the steps that it buys.
    """

    name: str
    about: str
    base: Config
    axes: tuple[Axis, ...]
    seeds: tuple[int, ...] = (0,)
    quick: dict[str, Any] = dataclasses.field(default_factory=dict)
    budget: float | None = None

    @classmethod
    def find(cls, name: str | Path) -> Sweep:
        """A shipped sweep by name, or a TOML file by its path.

        Raises:
            UnknownNameError: for names that there are not. ParameterError: for tables that are no sweep.
        """
        path = named_or_path("sweep", name, {path.stem: path for path in sorted(SHIPPED.glob("*.toml"))})
        data = parse_toml(read_bytes(path, LARGEST_CONFIG, "the sweep"), path)
        return cls.from_dict({"name": path.stem, **data})

    @classmethod
    def from_dict(cls, data: dict[str, object]) -> Sweep:
        """A sweep from a dict, each key checked by name and value.

        Raises:
            UnknownNameError, ParameterError: as for configs.
        """
        table: _Table = checked(_Table, {k: v for k, v in data.items() if k not in ("axis", "seeds")}, "sweep")
        axes = tuple(_axis(axis) for axis in _list("axis", data.get("axis")))
        seeds = tuple(_list("seeds", data.get("seeds", [0])))
        if not all(isinstance(seed, int) and seed >= 0 for seed in seeds) or not NAME.fullmatch(table.name):
            raise ParameterError(
                f"name={table.name!r}, seeds={seeds}", "a plain name and whole numbers", "seeds = [0, 1]"
            )
        base = Config.find(table.base).replace(**{"name": table.name, **table.change})
        sweep = cls(table.name, table.about, base, axes, seeds, table.quick, table.budget)
        if len(sweep.seeds) * len(list(itertools.product(*(axis.cases for axis in axes)))) > MOST_CELLS:
            raise ParameterError(f"the sweep {table.name} of too many cells", f"at most {MOST_CELLS}", "fewer values")
        return sweep

    def cells(self, quick: bool = False) -> Iterator[tuple[dict[str, str], int, Config]]:
        """(the case's name on each axis, the seed, the config) of every cell."""
        for cases in itertools.product(*(axis.cases for axis in self.axes)):
            changes: dict[str, Any] = {}
            call = self.base.rule.call
            for axis, (label, change) in zip(self.axes, cases, strict=True):
                changes |= change
                call = changes.pop("call", call).replace(f"{{{axis.name}}}", label)
            for axis, (label, _) in zip(self.axes, cases, strict=True):
                call = call.replace(f"{{{axis.name}}}", label)
            changes |= {"call": call, **(self.quick if quick else {})}
            where = {axis.name: label for axis, (label, _) in zip(self.axes, cases, strict=True)}
            config = self.base.replace(**changes)
            if self.budget is not None and not quick:
                config = config.replace(steps=int(self.budget / price(config) + 1e-9))
            for seed in self.seeds:
                yield where, seed, config.replace(seed=seed)

    def run(self, folder: str | Path | None = None, quick: bool = False, progress: object = None) -> SweepResult:
        """Run every cell that the folder has not yet; cells that were killed go on.

        Args:
            folder: where the cells and `sweep.json` live. quick: small cells.
            progress: called with each cell's plain data as it is done.
        """
        folder = None if folder is None else Path(folder).absolute()
        with locked(folder):
            return SweepResult(self, self._rows(folder, quick, progress))

    def _rows(self, folder: Path | None, quick: bool, progress: Any) -> list[dict[str, Any]]:
        done = {} if folder is None else _done(folder)
        rows = []
        for where, seed, config in self.cells(quick):
            row = done.get(config.sha256)
            if row is None:
                cell = None if folder is None else folder / "cells" / config.sha256[:16]
                begun, cpu = cell is not None and cell.exists(), time.process_time()
                run, signal = start(config, cell)
                if signal is not None or run is None:
                    raise KeyboardInterrupt
                spent = None if begun else round(time.process_time() - cpu, 2)
                row = {"case": where, "seed": seed, "sha256": config.sha256, **_row(run), "cpu_seconds": spent}
            rows.append(row)
            if folder is not None:
                done[config.sha256] = row
                text = json.dumps({"cells": list(done.values())}, indent=1, allow_nan=False)
                write_atomically(folder / RESULTS, text.encode() + b"\n")
            if progress is not None:
                progress(row)
        return rows


def price(config: Config) -> float:
    """What one step of a config costs in gradients, as the oracle counts it: a full field 1, a Jacobian product 2.

    Both are prices on networks, as in `gd.compare`. What a penalty differentiates twice is inside the field and counts
    nothing more.

    Example:
        >>> price(Config.find("ring-consensus")), price(Config.find("ring-gap-descent"))
        (3.0, 6.0)
    """
    game, rule = config.replace(batch=2).build()
    rng = np.random.default_rng(0)
    state = rule.init(game, game.w0, rng)
    before = game.counts * 1
    rule.step(game, game.w0, state, rng)
    spent = game.counts - before
    return float(spent.fields + PRODUCT_COST * (spent.jvps + spent.vjps))


@dataclasses.dataclass(frozen=True)
class _Table:
    name: str
    base: str
    about: str = ""
    budget: float | None = None
    change: dict[str, Any] = dataclasses.field(default_factory=dict)
    quick: dict[str, Any] = dataclasses.field(default_factory=dict)


def _list(name: str, value: object) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise ParameterError(f"{name} = {value!r}", "a list with something in it", f"[[{name}]]")
    return value


def _axis(data: object) -> Axis:
    keys = {"name", "cases", "values"}
    if not isinstance(data, dict) or not isinstance(data.get("name"), str) or set(data) - keys or len(data) != 2:
        raise ParameterError(f"the axis {data!r}", "a name, and cases or values", 'name = "lr"\nvalues = [0.1, 0.2]')
    if "values" in data:
        return Axis(data["name"], tuple((str(value), {}) for value in _list("values", data["values"])))
    cases = _list("cases", data["cases"])
    for case in cases:
        if not isinstance(case, dict) or not isinstance(case.get("name"), str):
            raise ParameterError(f"the case {case!r} of {data['name']}", "a table with a name", 'name = "SGD"')
    return Axis(data["name"], tuple((case["name"], {k: v for k, v in case.items() if k != "name"}) for case in cases))


def _done(folder: Path) -> dict[str, dict[str, Any]]:
    """The cells that a folder has, by the digest of their config."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / RESULTS).exists():
        return {}
    data = read_json(folder / RESULTS, "the sweep's results", 2**26)
    cells = data.get("cells") if isinstance(data, dict) else None
    if not isinstance(cells, list) or not all(isinstance(c, dict) and isinstance(c.get("sha256"), str) for c in cells):
        raise CheckpointError(f"{folder / RESULTS} without cells", "what a sweep has written", "take another folder")
    return {cell["sha256"]: cell for cell in cells}


def _row(run: TrainingRun) -> dict[str, Any]:
    data = run.to_dict()
    kept = ("status", "step", "steps", "seconds", "gradients", "losses", "metrics", "findings", "versions", "device")
    return {"outcome": outcome(run), **{key: data[key] for key in kept}}


def outcome(run: TrainingRun) -> str:
    """How a run ended, in one word: one of `OUTCOMES`.

    A failure mode that is not over says it. Otherwise a run "covers" where nine tenths of the modes have samples near
    them and nine tenths of the samples lie near a mode, and is "partial" elsewhere.
    """
    if run.status is Status.DIVERGED:
        return "diverged"
    last = {finding.name for finding in run.findings if finding.ended is None}
    for name, word in BY_FINDING.items():
        if name in last:
            return word
    metrics = run.metrics
    covered = metrics.get("near_modes", 0) >= 0.9 * metrics.get("of", 1) and metrics.get("near_quality", 0) >= 0.9
    return "covers" if covered else "partial"


@dataclasses.dataclass(frozen=True, repr=False)
class SweepResult(Result):
    """The cells of a sweep. `rows` has one table a cell: case, seed, outcome, metrics, losses."""

    sweep: Sweep
    rows: list[dict[str, Any]]

    _data = "sweep=sweep.name base=sweep.base cells=rows"
    _plot = "sweep"

    def summary(self) -> str:
        """One line a cell."""
        lines = [f"{self.sweep.name}: {len(self.rows)} runs"]
        for row in self.rows:
            case = ", ".join(f"{axis} {name}" for axis, name in row["case"].items())
            metrics = {k: v for k, v in row["metrics"].items() if k in ("near_modes", "high_quality", "near_quality")}
            numbers = ", ".join(f"{name} {value:.3g}" for name, value in metrics.items())
            lines.append(f"  {case}, seed {row['seed']}: {row['outcome']}  {numbers}")
        return "\n".join(lines)
