"""No list, label, verdict, threshold, bound or basin that grids, Newton's method and long runs refute in random games.

`python tests/soundness/test_independent.py FIRST LAST` prints what draws of those numbers find, and writes into
`independent.json` how many games were tried with each question, and what was refuted.
"""

from __future__ import annotations

import json
import pathlib
import sys
from collections import Counter

import independent
import numpy as np
import pytest

OFTEN = ("solutions", "solutions", "gaps", "solutions", "basins", "solutions", "gaps", "solutions")
SELDOM = ("proofs", "cycles")
FAST, SLOW, A_TIME, SPARSE = 8, 240, 40, 100
RESULTS = pathlib.Path(__file__).with_name("independent.json")


def draw(number: int, questions: tuple[str, ...] = OFTEN) -> tuple[str, str | None]:
    """What was asked, and a counterexample."""
    return independent.refuted(questions[number % len(questions)], np.random.default_rng([77, number]))


@pytest.mark.parametrize("number", range(FAST))
def test_a_few(number):
    asked, wrong = draw(number)
    assert wrong is None, f"{asked}: {wrong}"


@pytest.mark.slow
@pytest.mark.parametrize("first", range(FAST, FAST + SLOW, A_TIME))
def test_many(first):
    found = [f"{asked}: {wrong}" for asked, wrong in map(draw, range(first, first + A_TIME)) if wrong]
    assert not found, "\n".join(found)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(4))
def test_proofs_and_cycles(number):
    asked, wrong = draw(number, SELDOM)
    assert wrong is None, f"{asked}: {wrong}"


def record(first: int, last: int, tried: Counter[str], refutations: dict[int, str]) -> None:
    """A row of `independent.json`: one for each run, by its first number."""
    rows = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    rows[str(first)] = {"first": first, "last": last, "tried": dict(sorted(tried.items())), "refuted": refutations}
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    begin, tried, refutations = int(sys.argv[1]), Counter[str](), {}
    for k in range(begin, int(sys.argv[2])):
        for number, kinds in [(k, OFTEN), (k + k // SPARSE % 2, SELDOM)] if k % SPARSE == 0 else [(k, OFTEN)]:
            try:
                what, refutation = draw(number, kinds)
            except Exception as error:  # every kind of failure is what this looks for
                what, refutation = f"draw {number}", f"{type(error).__name__}: {error}"
            tried[kinds[number % len(kinds)]] += 1
            if refutation:
                refutations[k] = f"{what}: {refutation}"
                print(f"[{k}] {what}\n    {refutation}", flush=True)
        record(begin, k + 1, tried, refutations)
