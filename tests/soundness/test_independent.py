"""No list, label, verdict, threshold, bound or basin that grids, Newton's method and long runs refute in random games.

`python tests/soundness/test_independent.py FIRST LAST` prints what draws of those numbers find.
"""

from __future__ import annotations

import sys

import independent
import numpy as np
import pytest

OFTEN = ("solutions", "solutions", "gaps", "solutions", "basins", "solutions", "gaps", "solutions")
SELDOM = ("proofs", "cycles")
FAST, SLOW, A_TIME = 8, 240, 40


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


if __name__ == "__main__":
    for k in range(int(sys.argv[1]), int(sys.argv[2])):
        for kinds in (OFTEN, SELDOM) if k % 20 == 0 else (OFTEN,):
            try:
                what, refutation = draw(k, kinds)
            except Exception as error:  # every kind of failure is what this looks for
                what, refutation = f"draw {k}", f"{type(error).__name__}: {error}"
            if refutation:
                print(f"[{k}] {what}\n    {refutation}", flush=True)
