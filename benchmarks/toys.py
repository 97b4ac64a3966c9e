"""What each game of the catalogue costs a newcomer: its first run, without and with its kernel on disk, and `analyze`.

    python benchmarks/toys.py [--only NAME ...] [--out benchmarks/results/toys.json]

Every measurement is a fresh process and counts CPU seconds, which other programs on the machine change little. The
first run is that of 1 000 starts and 1 000 steps, imports made: with nothing on disk ("cold"), with kernel="c" asked
for ("made", and the compiler's own seconds), and with that kernel on disk ("warm"; none for games that have no kernel).
Of `gandyn analyze GAME` the seconds from the start of the interpreter to the first line, and to the end.
"""

from __future__ import annotations

import argparse
import hashlib
import inspect
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rounds import environment

import gandyn as gd

RESULTS = Path(__file__).parent / "results" / "toys.json"
TARGETS = {"cold": 0.5, "warm": 0.05, "first_line": 1.0, "analyze": 10.0}
FIRST = """
import json, os, sys, time
import numpy as np, sympy
import gandyn as gd
from gandyn.errors import DomainError
entry = gd.games.registry[{name!r}]
game = entry.build(**entry.examples[0])
rules = gd.rules.Extragradient(0.1), gd.rules.GDA(0.1)
gd.iterate
def run():
    for rule in rules:
        try:
            return gd.iterate(game, rule, np.full((1000, game.dim), 0.1), 1000, "last", kernel={kernel!r})
        except DomainError:
            continue
sympy.expand((sympy.Symbol("x") + 1) ** 2)
began, other = time.process_time(), os.times().children_user
found = run()
print(json.dumps([time.process_time() - began, os.times().children_user - other, found and found.kernel]))
"""
PAGE = """
import json, sys, time
class Watched:
    def __init__(self, stream): self.stream, self.first = stream, None
    def write(self, text):
        self.first = time.process_time() if self.first is None and text.strip() else self.first
        return self.stream.write(text)
    def __getattr__(self, name): return getattr(self.stream, name)
sys.stdout = Watched(sys.stdout)
sys.argv = ["gandyn", "analyze", {name!r}, *{options!r}]
from gandyn.cli import main
try:
    main()
finally:
    print(json.dumps([sys.stdout.first, time.process_time()]), file=sys.stderr)
"""


def answer(code: str, cache: str, error: bool = False) -> Any:
    """What a fresh process says last, on its standard output or error."""
    surroundings = {**os.environ, "GANDYN_CACHE": cache, "PYTHONPYCACHEPREFIX": tempfile.gettempdir() + "/gandyn-toys"}
    surroundings.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(  # a page may end with a refusal: a game without an equilibrium asks for a point
        [sys.executable, "-c", code], capture_output=True, text=True, env=surroundings, check=not error
    )
    return json.loads((done.stderr if error else done.stdout).strip().splitlines()[-1])


def options(name: str) -> list[str]:
    """The parameters without which a game cannot be built, as on a command line, from its first example."""
    entry = gd.games.registry[name]
    needed = [n for n, p in inspect.signature(entry.build).parameters.items() if p.default is p.empty]
    return [part for n in needed for part in ("--set", f"{n}={entry.examples[0][n]}".replace("j", "*I"))]


def measured(name: str) -> dict[str, Any]:
    """The row of one game: a run with nothing on disk, one that asks for a kernel, and one that finds it on disk."""
    with tempfile.TemporaryDirectory() as cache:
        cold, _, _ = answer(FIRST.format(name=name, kernel="auto"), cache)
        made, compiler, kernel = answer(FIRST.format(name=name, kernel="c"), cache)
        warm = answer(FIRST.format(name=name, kernel="auto"), cache)[0] if kernel == "c" else None
        first, whole = answer(PAGE.format(name=name, options=options(name)), cache, error=True)
    row = {"cold": cold, "made": made, "compiler": compiler, "warm": warm, "first_line": first, "analyze": whole}
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()}


def main() -> None:
    """Measure every game, print the rows and what is beyond a target, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[entry.name for entry in gd.games.registry], help="names of games")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    digest = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    record = environment(0) | {"script_sha256": digest, "targets": TARGETS, "rows": {}}
    answer(
        PAGE.format(name="bilinear", options=[]), tempfile.gettempdir() + "/gandyn-toys-cache", error=True
    )  # writes bytecode
    for name in given.only:
        row = record["rows"][name] = measured(name)
        beyond = [key for key, most in TARGETS.items() if row[key] is not None and row[key] > most]
        print(f"{name:30}", row, "beyond:" if beyond else "", *beyond, flush=True)
        record["load_after"] = list(os.getloadavg())
        given.out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
