"""The benchmark table: all that needs no device, interleaved with the same work by hand, and compared with before.

    python benchmarks/run.py                   all rows, about 15 minutes on two quiet cores
    python benchmarks/run.py --only threshold  the rows whose name holds this, or one of several texts
    python benchmarks/run.py --list            what there is

Adds one record to benchmarks/results/table.json (commit, device, versions, seed, load) and exits with status 1 where a
row is more than 1.3 times slower than the median of its last three measurements. What is compared is the ratio to the
anchor within a round, by CPU seconds, which neither another machine nor other programs on this one change much. The
page of the docs on speed is made from the file.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import contestants as c
from rounds import environment, foreign_load, interleave

import gandyn as gd

RESULTS = Path(__file__).parent / "results" / "table.json"
REGRESSION, REMEMBERED = 1.3, 3


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        name: what is done. anchor: what it is compared with. target: of `measure`.
        measure: "ratio" to the anchor by CPU seconds, or CPU "seconds" themselves.
        make: the contestants "ours" and "anchor". rounds: how often both run.
        each: how many units of the row's seconds one run of ours holds.
    """

    name: str
    anchor: str
    target: float
    measure: str
    make: Callable[[], dict[str, Any]]
    rounds: int = 7
    each: int = 1


LOOP, YARDSTICK = "a fused loop in C++", "10 000 eigenvalue problems of 8 x 8 in NumPy"
GDA, EXTRAGRADIENT = gd.rules.GDA(c.LR), gd.rules.Extragradient(c.LR)


def _ensembles() -> list[Row]:
    cases = [("GDA", gd.games.bilinear, GDA, "gda_bilinear"),
             ("extragradient", gd.games.dirac_gan, EXTRAGRADIENT, "extragradient_dirac")]  # fmt: skip
    found = []
    for name, game, rule, loop in cases:
        for kernel, target in (("c", 1.25), ("numpy", 4.0)):
            title = f"{name}, 20 000 starts x 1 000 steps, kernel {kernel}"

            def make(game: Any = game, rule: Any = rule, loop: str = loop, kernel: str = kernel) -> dict[str, Any]:
                return c.ensemble(game, rule, loop, kernel, 20_000, 1000)

            found.append(Row(title, LOOP, target, "ratio", make))
    return found


def _thresholds() -> list[Row]:
    return [
        Row(f"threshold, {game}, {rule}", "bisection of the numeric spectral radius", 10 if "eight" in game else 2,
            "seconds", lambda game=game, rule=rule: c.threshold(game, rule), 3)
        for game in c.GAMES for rule in c.RULES
    ]  # fmt: skip


def _analyses() -> list[Row]:
    found = []
    for d in (2, 4, 8):
        game, box, at = c.quadratic(d), [(-1, 1)] * d, [0.0] * d
        work = {
            "fixed_points": lambda game=game, box=box: gd.fixed_points(game, box),
            "critical_time_scale": lambda game=game: gd.analysis.critical_time_scale(game),
            "limit_cycles": lambda game=game, box=box: gd.limit_cycles(game, box, EXTRAGRADIENT),
            'duality_gap("box")': lambda game=game, box=box, at=at: gd.duality_gap(game, at, method="box", box=box),
            "certify": lambda game=game, box=box, at=at: gd.certify(game, EXTRAGRADIENT, at, box),
        }
        found += [Row(f"{name}, d = {d}", YARDSTICK, 5, "seconds", c.analysis(do), 1) for name, do in work.items()]
    for rule, steps in ((GDA, 4), (EXTRAGRADIENT, 2)):

        def solve(rule: Any = rule, steps: int = steps) -> Any:
            return gd.worst_case(rule, steps=steps)

        found.append(Row(f"worst_case, {rule.name}, {steps} steps", YARDSTICK, 5, "seconds", c.analysis(solve), 1))
    return found


def _processes() -> list[Row]:
    bare, drawn = "import numpy, typer", "import numpy, sympy, matplotlib.pyplot"
    spiral = c.command("spiral", "--out", str(Path(tempfile.gettempdir()) / "spiral.png"))
    found = [
        Row("import gandyn", "import numpy, typer", 1.5, "ratio", c.python("import gandyn", bare)),
        Row("gandyn --help", "import numpy, typer", 1.5, "ratio", c.python(c.command("--help"), bare)),
        Row("gandyn spiral", "import numpy, sympy, pyplot", 1.5, "seconds", c.python(spiral, drawn), 3),
        Row("first run of a process, no kernel on disk", YARDSTICK, 0.5, "seconds", lambda: c.first_call(False), 3),
        Row("first run of a process, kernel on disk", YARDSTICK, 0.05, "seconds", lambda: c.first_call(True), 5),
    ]
    for game in ("bilinear", "forsaken", "mixture_game"):
        code = c.command("analyze", game)
        found.append(Row(f"gandyn analyze {game}", drawn, 10, "seconds", c.python(code, drawn), 1))
    return found


ROWS: tuple[Row, ...] = (
    *_ensembles(),
    Row("a call of ten steps from one start", "ten products in NumPy", 1e-4, "seconds", c.one_call, 15, each=200),
    Row("a new step size, 20 000 x 500", "the same step size again", 1.6, "ratio", c.new_value),
    Row("every step kept, 20 000 x 200", "a fill of that array", 1.5, "ratio", c.recording),
    Row("flow of 5 000 circles to t = 50 at 1e-9", "DOP853 of SciPy, stacked", 0.15, "ratio", c.flow, 3),
    Row("sweep of 100 000 spectral radii", "NumPy on matrices by hand", 1.5, "ratio", c.sweep, 3),
    *_thresholds(),
    Row("every rule on every toy, linearised", YARDSTICK, 30, "seconds", c.linearised, 1),
    *_analyses(),
    *_processes(),
    Row("figure of 200 x 1 000 points with the field", "bare matplotlib", 1, "seconds", c.figure, 3),
)  # fmt: skip


def measured(row: Row, rounds: int | None) -> dict[str, Any]:
    """One row: seconds of ours and of the anchor, their ratio, and what of the core they got."""
    found = interleave(row.make(), "anchor", min(rounds or row.rounds, row.rounds), warm=row.rounds > 1)
    ours = found["ours"]
    return {
        "seconds": ours["cpu_seconds"] / row.each,
        "anchor_seconds": found["anchor"]["cpu_seconds"] / row.each,
        "ratio": ours["cpu_ratio"],
        "cores": found["undisturbed"],
    }


def regressions(new: dict[str, Any], before: Sequence[dict[str, Any]]) -> list[str]:
    """A line for each row that is slower by `REGRESSION` than the median of its last three measurements."""
    lines = []
    for name, row in new.items():
        past = [record["rows"][name]["ratio"] for record in before if name in record["rows"]][-REMEMBERED:]
        if past and row["ratio"] > REGRESSION * statistics.median(past):
            slower = row["ratio"] / statistics.median(past)
            lines.append(f"{name}: {slower:.2f} times slower than the last {len(past)} of its measurements")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[""], help="rows whose name holds one of these texts")
    parser.add_argument("--rounds", type=int, help="at most so many, where a row has more")
    parser.add_argument("--list", action="store_true", help="name the rows and stop")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    chosen = [row for row in ROWS if any(text in row.name for text in options.only)]
    if options.list:
        print("\n".join(row.name for row in chosen))
        return 0
    before = json.loads(options.out.read_text())["records"] if options.out.exists() else []
    record: dict[str, Any] = {"date": datetime.date.today().isoformat(), **environment(c.SEED)}
    record["foreign_load_cores"], record["rows"] = round(foreign_load(), 2), {}
    for row in chosen:
        found = measured(row, options.rounds)
        found |= {"anchor": row.anchor, "target": row.target, "measure": row.measure}
        record["rows"][row.name] = found
        met = "" if found[row.measure] <= row.target else "  beyond its target"
        print(f"{row.name:58} {found['seconds']:9.4g} s, {found['ratio']:8.3g} of the anchor{met}", flush=True)
    record["load_after"] = list(os.getloadavg())
    options.out.write_text(json.dumps({"records": [*before, record]}, indent=1) + "\n")
    slower = regressions(record["rows"], before)
    print("\n".join(slower) or "no regression")
    return int(bool(slower))


if __name__ == "__main__":
    sys.exit(main())
