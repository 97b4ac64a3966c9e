"""Eight ways to train a GAN at equal cost in gradients, tuned alike, several seeds: the table of the docs.

    python benchmarks/gan_comparison.py [--group points] [--methods "R1" "WGAN-GP"] [--limit TRAININGS] [--out FILE]
    python benchmarks/gan_comparison.py --merge FILE FILE ... --out FILE

The methods and their first step sizes are the sweeps `comparison` and `comparison-digits`. All seeds and data sets of a
method are computed at once, as one `Ensemble`, each with the numbers of a run of its own.

Tuning runs on held-out seeds, one for each data set, at `TUNING_SHARE` of the budget; a setting's score is the mean of
log distance over the data sets (exact W1; on digits the Frechet distance), and one that diverges anywhere comes last.
First the step size: where the best lies at an edge of the sweep's values, the next one beyond it is tried too, at most
`EXTENSIONS` times. Then, at the best step, one more parameter of the method's own (`OWN`) over three values. What is
best runs on the sweep's seeds at the whole budget, and on the first `HALF_SEEDS` of them at half of it, which says
whether the second half was worth it (`verdicts.ending`).

The duality gap is that of the *minimax* game at the networks that came out, whatever they were trained on: how much
both networks gain by 100 steps of Adam each, on the first `GAP_SEEDS` seeds.

What is done is written to the result file and not run again; seeds that a sweep has gained since are run beside it.
Parts that several processes have written become one by `--merge`. With `--limit` it stops after so many trainings, with
exit status 75 while some are left.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import math
import os
import re
import statistics
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import gan_scores
import torch
import verdicts
from ring import RESULTS, environment

import gandyn as gd
from gandyn.gans.training.state import versions
from gandyn.gans.training.sweep import Axis, Sweep

HELD_OUT_SEED, TUNING_SHARE, EXTENSIONS, HALF_SEEDS, GAP_SEEDS = 1000, 1 / 8, 2, 5, 3
APART = 100
MORE = 75
SCRIPT = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()


@dataclasses.dataclass(frozen=True)
class Case:
    """A data set: its call (None: the sweep's own), what counts as near a mode, how many of the sweep's seeds run."""

    data: str | None = None
    near: float = 0.5
    seeds: int | None = None


@dataclasses.dataclass(frozen=True)
class Group:
    """Data sets of one shape that share a sweep, and of each method its settings."""

    sweep: str
    cases: dict[str, Case]


GROUPS = {
    "points": Group(
        "comparison",
        {
            "8-ring": Case(),
            "25-grid": Case("grid(spacing=1, std=0.05)", 0.25, 7),
            "16-grid": Case("grid(side=4, spacing=1, std=0.02)", 0.25, 7),
        },
    ),
    "digits": Group("comparison-digits", {"digits": Case()}),
}


@dataclasses.dataclass(frozen=True)
class Own:
    """A method's own parameter: its name, where its number stands in the config's calls, and the values to try.

    `values` are tried as they are; a number stands for a factor: the config's value, divided and multiplied by it.
    """

    name: str
    pattern: str
    values: tuple[str, ...] | float

    def tried(self, config: Any) -> list[str]:
        """The values other than the config's own."""
        given = self.of(config)
        if not isinstance(self.values, tuple):
            return [rounded(float(given) / self.values), rounded(float(given) * self.values)]
        return [value for value in self.values if float(value) != float(given)]

    def of(self, config: Any) -> str:
        """The value that a config has."""
        found = [re.search(self.pattern, text) for text in (config.rule.call, *config.game.penalties)]
        return next(match[1] for match in found if match)

    def put(self, config: Any, value: str) -> Any:
        """The config with another value."""

        def other(text: str) -> str:
            match = re.search(self.pattern, text)
            return text if match is None else text[: match.start(1)] + value + text[match.end(1) :]

        return config.replace(call=other(config.rule.call), penalties=[other(text) for text in config.game.penalties])


def rounded(value: float) -> str:
    """One significant digit, as in 0.03."""
    return f"{value:.1g}"


MOMENTUM = Own("beta1", r"betas=\(([\d.]+),", ("0", "0.5", "0.9"))
OWN = {
    "minimax": MOMENTUM,
    "non-saturating": MOMENTUM,
    "WGAN, clipped": Own("clip", r"WeightClipping\(([\d.]+)\)", 3),
    "WGAN-GP": Own("lambda", r"WGANGP\(([\d.]+)\)", 3),
    "R1": Own("gamma", r"^R1\(([\d.]+)\)", 3),
    "consensus": Own("gamma", r"\), ([\d.]+)\)$", 3),
    "extragradient": MOMENTUM,
    "gap descent": Own("inner step", r"inner=Adam\(([\d.]+),", 3),
}


@dataclasses.dataclass(frozen=True)
class Setting:
    """A method at a step size, and at a value of its own parameter where that is not the sweep's."""

    method: str
    lr: str
    own: str | None = None

    def config(self, group: Group, share: float) -> Any:
        """The config that spends a share of the budget, on the sweep's own data and first seed."""
        sweep = Sweep.find(group.sweep)
        axes = [Axis("lr", ((self.lr, {}),)) if axis.name == "lr" else axis for axis in sweep.axes]
        changed = dataclasses.replace(sweep, axes=tuple(axes), seeds=sweep.seeds[:1], budget=share * sweep.budget)
        [config] = [config for where, _, config in changed.cells() if where["method"] == self.method]
        return config if self.own is None else OWN[self.method].put(config, self.own)


def members(group: Group, stage: str) -> list[tuple[str, int]]:
    """(data set, seed) of all that a stage runs at once; the k-th data set has the sweep's seeds + 100 k."""
    seeds, found = Sweep.find(group.sweep).seeds, []
    for place, (name, case) in enumerate(group.cases.items()):
        own = seeds[: case.seeds][: HALF_SEEDS if stage == "half" else None]
        found += [(name, seed + APART * place) for seed in ((HELD_OUT_SEED,) if stage == "tune" else own)]
    return found


def training(group: Group, stage: str, setting: Setting, who: list[tuple[str, int]]) -> list[dict[str, Any]]:
    """Train members of a stage at once, and measure what came out: a row for each."""
    base = setting.config(group, {"tune": TUNING_SHARE, "half": 0.5, "run": 1.0}[stage])
    data = {name: {} if case.data is None else {"data": case.data} for name, case in group.cases.items()}
    configs = [base.replace(seed=seed, **data[name]) for name, seed in who]
    torch.set_num_threads(1)
    wall, cpu = time.perf_counter(), time.process_time()
    ensemble, rule = gd.gans.Ensemble([config.build()[0] for config in configs]), base.build()[1]
    told = {"average": base.train.average, "log_every": base.train.log_every, "metrics": None}
    runs = gd.gans.train(ensemble, rule, base.train.steps, seeds=[seed for _, seed in who], **told)
    if runs.signal is not None:
        raise KeyboardInterrupt
    wall, cpu = (time.perf_counter() - wall) / len(who), (time.process_time() - cpu) / len(who)
    spent = {"cpu_seconds": round(cpu, 2), "wall_seconds": round(wall, 2), "members": len(who)}
    own, gapped = OWN[setting.method], Sweep.find(group.sweep).seeds[:GAP_SEEDS]
    named = {
        "method": setting.method,
        "lr": setting.lr,
        "own": own.of(base),
        "own_name": own.name,
        "tried": setting.own,
    }
    named["tried"] = setting.own
    return [
        {"data": name, "stage": stage, **named, "seed": seed, "sha256": config.sha256, **spent}
        | gan_scores.measured(run, group.cases[name].near, seed, stage == "run" and seed % APART in gapped)
        for (name, seed), config, run in zip(who, configs, runs.runs, strict=True)
    ]


class Table:
    """The result file of a group: cells by (stage, digest of the config), and what they settle."""

    def __init__(self, path: Path, group: str) -> None:
        self.path, self.group = path, group
        self.data: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {**header(group), "cells": []}
        self.refuse_other(self.data)

    def refuse_other(self, data: dict[str, Any]) -> None:
        """Raise SystemExit for cells of another group, or of another script than this."""
        for key, ours in (("group", self.group), ("script_sha256", SCRIPT)):
            if data[key] != ours:
                raise SystemExit(f"{self.path}: {key} {data[key]}, needed {ours}; give another --out")

    def rows(self, stage: str, setting: Setting | None = None) -> list[dict[str, Any]]:
        """Cells of a stage, of one setting where it is given."""
        given = {} if setting is None else {"method": setting.method, "lr": setting.lr, "tried": setting.own}
        return [row for row in self.data["cells"] if all(row[k] == v for k, v in {"stage": stage, **given}.items())]

    def missing(self, stage: str, setting: Setting) -> list[tuple[str, int]]:
        """(data set, seed) of the members of a stage that have no cell."""
        done = {(row["data"], row["seed"]) for row in self.rows(stage, setting)}
        return [member for member in members(GROUPS[self.group], stage) if member not in done]

    def add(self, rows: Iterable[dict[str, Any]]) -> None:
        """Keep cells that are not there yet, each once, and write the whole file anew with what all of them settle."""
        cells = {(row["stage"], row["sha256"]): row for row in self.data["cells"]}
        for row in rows:
            cells.setdefault((row["stage"], row["sha256"]), row)
        self.data["cells"] = list(cells.values())
        self.data["settled"] = settled(self)
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(self.data, indent=1) + "\n")
        part.replace(self.path)


def header(group: str) -> dict[str, Any]:
    """What all cells of a file share."""
    return {
        "what": "eight ways to train a GAN at equal cost in gradients; see benchmarks/gan_comparison.py",
        "unit": "a full field is 1, a Jacobian product 2; what penalties differentiate twice is not counted",
        "group": group,
        "script_sha256": SCRIPT,
        "budget": Sweep.find(GROUPS[group].sweep).budget,
        "held_out_seed": HELD_OUT_SEED,
        "tuning_share": TUNING_SHARE,
        "gap": f"{gan_scores.GAP_STEPS} steps of {gan_scores.GAP_RULE!r}, a quarter on images",
        **environment(),
        "versions": versions(),
    }


def settled(table: Table) -> dict[str, Any]:
    """For each data set the order of every pair, how each method ended, and distances at equal seconds.

    Seeds that some method still lacks are left out.
    """
    found = {}
    for name in GROUPS[table.group].cases:
        whole, half = ({m: reached(rows) for m, rows in by_method(table, name, stage)} for stage in ("run", "half"))
        seconds = {m: statistics.median(r["cpu_seconds"] for r in rows) for m, rows in by_method(table, name, "run")}
        both = {m: seconds[m] for m in whole if m in half}
        middle = [{m: statistics.median(values[m]) for m in both} for values in (half, whole)]
        allowed, then = verdicts.at_equal_seconds(*middle, both) if both else (None, {})
        found[name] = {
            "pairs": verdicts.pairs(whole),
            "endings": {m: verdicts.ending(half.get(m, []), values) for m, values in whole.items()},
            "seconds": allowed,
            "at_equal_seconds": then,
        }
    return found


def by_method(table: Table, name: str, stage: str) -> list[tuple[str, list[dict[str, Any]]]]:
    """The rows of each method on a data set, by seed, of the seeds that all methods have."""
    rows = sorted((row for row in table.rows(stage) if row["data"] == name), key=lambda row: row["seed"])
    methods = {m: [row for row in rows if row["method"] == m] for m in dict.fromkeys(row["method"] for row in rows)}
    common = set.intersection(*({row["seed"] for row in own} for own in methods.values())) if methods else set()
    return [(m, [row for row in own if row["seed"] in common]) for m, own in methods.items()]


def reached(rows: list[dict[str, Any]]) -> list[float]:
    """Distances to the data; inf for what diverged."""
    return [row["distance"] if row["status"] == "OK" and math.isfinite(row["distance"]) else math.inf for row in rows]


def score(rows: list[dict[str, Any]]) -> float:
    """The mean logarithm of a setting's distances: smaller is nearer."""
    return statistics.mean(map(math.log, reached(rows)))


def beyond(values: list[str], best: str) -> str | None:
    """The step size after the edge at which the best one lies, by the same factor; None where it lies inside."""
    ranked = sorted(values, key=float)
    edge, inner = {ranked[0]: (0, 1), ranked[-1]: (-1, -2)}.get(best, (None, None))
    return None if edge is None else rounded(float(ranked[edge]) ** 2 / float(ranked[inner]))


def planned(table: Table, method: str) -> Iterator[tuple[str, Setting]]:
    """The trainings of a method in their order, each one chosen by the results of those before it."""
    group = GROUPS[table.group]

    def nearest(settings: list[Setting]) -> Setting:
        return min(settings, key=lambda setting: score(table.rows("tune", setting)))

    [axis] = [axis for axis in Sweep.find(group.sweep).axes if axis.name == "lr"]
    steps = [Setting(method, label) for label, _ in axis.cases]
    yield from (("tune", setting) for setting in steps)
    for _ in range(EXTENSIONS):
        further = beyond([setting.lr for setting in steps], nearest(steps).lr)
        if further is None:
            break
        steps.append(Setting(method, further))
        yield "tune", steps[-1]
    best = nearest(steps)
    others = [dataclasses.replace(best, own=v) for v in OWN[method].tried(best.config(group, 1.0))]
    yield from (("tune", setting) for setting in others)
    best = nearest([best, *others])
    yield from ((stage, best) for stage in ("run", "half"))


def run(table: Table, methods: list[str], limit: int) -> bool:
    """Everything up to the whole budget for each method, then half the budget; False where the limit came first."""
    for stages in (("tune", "run"), ("half",)):
        for method in methods:
            for stage, setting in planned(table, method):
                missing = table.missing(stage, setting)
                if stage not in stages or not missing:
                    continue
                if limit == 0:
                    return False
                limit -= 1
                rows = training(GROUPS[table.group], stage, setting, missing)
                table.add(rows)
                for row in rows:
                    print(json.dumps(row), flush=True)
    return True


def merge(table: Table, parts: list[Path]) -> None:
    """Put the cells of several files into the table, which keeps the first part's header."""
    found = [json.loads(part.read_text()) for part in parts]
    for data in found:
        table.refuse_other(data)
    if len({data["commit"] for data in found}) > 1:
        raise SystemExit(f"parts of several commits: {[data['commit'] for data in found]}; run them at one")
    table.data = {**found[0], "cells": []}
    table.add(row for data in found for row in data["cells"])


def main(arguments: list[str] | None = None) -> int:
    """The methods named, as far as the limit allows; 0 when all is done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--group", choices=GROUPS, default="points")
    parser.add_argument("--methods", nargs="+", choices=OWN, default=list(OWN))
    parser.add_argument("--limit", type=int, default=10**9, help="stop after so many trainings")
    parser.add_argument("--merge", nargs="+", type=Path, help="result files to put together instead of training")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    table = Table(options.out or RESULTS / f"gan_comparison_{options.group}.json", options.group)
    if options.merge:
        merge(table, options.merge)
        return 0
    return 0 if run(table, options.methods, options.limit) else MORE


if __name__ == "__main__":
    sys.exit(main())
