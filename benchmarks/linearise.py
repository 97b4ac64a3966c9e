"""How long exact linearisation takes: every rule of the catalogue on every toy game with symbols and an equilibrium.

    python benchmarks/linearise.py [--all-examples] [--out benchmarks/results/linearise.json]

One process, one thread. A case is a rule's first example (or every one) on a game's, and the flow of each game: the
trace of the rule, the exact derivative, its characteristic polynomial, the verdict and the eigenvalues. Processor
seconds are counted, and wall-clock seconds beside them.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import pathlib
import sys
import time

import sympy

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "tests"))

from rounds import environment

import catalogue
import gandyn as gd
from gandyn.errors import DomainError, GandynError


def toys() -> list[catalogue.Case]:
    """Deterministic games with symbols and a known equilibrium."""
    found = []
    for case in catalogue.GAMES:
        game = catalogue.game(case)
        if "symbols" in game.worlds and game.deterministic and game.equilibria:
            found.append(case)
    return found


def measure(game_case: catalogue.Case, rule_case: catalogue.Case | None) -> dict[str, object] | None:
    """Seconds and verdict of one case; None outside the rule's domain."""
    game = catalogue.game(game_case)
    rule = None if rule_case is None else catalogue.rule(rule_case)
    begin = time.process_time()
    try:
        found = gd.linearize(game, rule)
        verdict = str(found.verdict)
        if not found.obstacle:
            _ = found.eigenvalues
    except DomainError:
        return None
    except GandynError as error:
        verdict = type(error).__name__
    return {
        "game": catalogue.label(game_case),
        "rule": "flow" if rule_case is None else catalogue.label(rule_case),
        "coordinates": game.dim,
        "seconds": time.process_time() - begin,
        "exact": found.exact is not None,
        "smooth": rule is None or rule.domain.smooth,
        "verdict": verdict,
    }


def main() -> None:
    """Measure every case once, after one warm-up."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--out", type=pathlib.Path, default=pathlib.Path(__file__).parent / "results" / "linearise.json"
    )
    parser.add_argument("--games", default="", help="names of games, with commas; all by default")
    parser.add_argument("--all-examples", action="store_true", help="every example of games and rules, not the first")
    parser.add_argument("--slowest", type=int, default=15)
    arguments = parser.parse_args()
    gd.linearize(gd.games.bilinear(), gd.rules.GDA(0.1)).verdict  # noqa: B018 - SymPy's first call
    wanted = arguments.games.split(",") if arguments.games else None
    games = [case for case in toys() if wanted is None or case[0] in wanted or catalogue.label(case) in wanted]
    rules = catalogue.RULES
    if not arguments.all_examples:
        games = [case for case in games if case[1] == 0 or wanted is not None]
        rules = tuple(case for case in rules if case[1] == 0)
    surroundings = environment(seed=0)
    wall = time.perf_counter()
    cases = [measure(game, rule) for game in games for rule in (None, *rules)]
    wall = time.perf_counter() - wall
    rows = [case for case in cases if case is not None]
    slowest = sorted(rows, key=lambda row: -row["seconds"])[: arguments.slowest]
    by_rule: collections.Counter[str] = collections.Counter()
    by_game: collections.Counter[str] = collections.Counter()
    for row in rows:
        by_game[row["game"]] += row["seconds"]
        by_rule[row["rule"]] += row["seconds"]
    result = {
        "cases": len(rows),
        "games": len(games),
        "processor_seconds": sum(row["seconds"] for row in rows),
        "processor_seconds_of_smooth_rules": sum(row["seconds"] for row in rows if row["smooth"]),
        "examples": "all" if arguments.all_examples else "the first of every game and rule",
        "seconds_by_rule": dict(by_rule.most_common(arguments.slowest)),
        "wall_seconds": wall,
        "most_coordinates": max(row["coordinates"] for row in rows),
        "seconds_by_game": dict(by_game.most_common(arguments.slowest)),
        "verdicts": dict(collections.Counter(row["verdict"] for row in rows)),
        "exact": sum(bool(row["exact"]) for row in rows),
        "slowest": [{k: row[k] for k in ("game", "rule", "seconds", "verdict")} for row in slowest],
        "ground_types": sympy.external.gmpy.GROUND_TYPES,
        "threads": 1,
        "load_after": list(os.getloadavg()),
        **surroundings,
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps({key: result[key] for key in ("cases", "processor_seconds", "wall_seconds", "slowest")}, indent=1))


if __name__ == "__main__":
    main()
