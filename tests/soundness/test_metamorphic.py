"""The same game said otherwise gets the same answer: other units, another origin, other names, another way of writing.

`python tests/soundness/test_metamorphic.py FIRST LAST` prints what those draws find; `metamorphic.json` keeps it.
"""

from __future__ import annotations

import sys
import time

import metamorphic_answers
import metamorphic_motion
import numpy as np
import pytest
from metamorphic_games import subject
from metamorphic_transforms import WAYS

FAST, SLOW, A_TIME = 48, 2400, 40
DRAWS = 20
QUESTIONS = metamorphic_answers.QUESTIONS | metamorphic_motion.QUESTIONS
OFTEN = {"closed orbits": ("orbiting", "orbiting", None), "threshold at a solution": ("boxed", "simplices", None)}
"""Families that make a question worth its time, None for any."""


def draw(number: int) -> tuple[str, str | None]:
    """What was asked in a draw, and what came out differently: nothing where the answers agree."""
    rng = np.random.default_rng([2026, number])
    name = str(rng.choice(list(QUESTIONS)))
    for _ in range(DRAWS):
        families = OFTEN.get(name, (None,))
        one = subject(rng, families[rng.integers(len(families))])
        restated = WAYS[rng.integers(len(WAYS))](one, rng)
        if restated is not None:
            break
    else:
        raise AssertionError("no way to say any of them otherwise")
    asked = f"draw {number}: {name} of {one}, {restated.how}"
    return asked, QUESTIONS[name](one, restated)


@pytest.mark.parametrize("number", range(FAST))
def test_a_few(number):
    asked, difference = draw(number)
    assert difference is None, f"{asked}: {difference}"


@pytest.mark.slow
@pytest.mark.parametrize("first", range(FAST, FAST + SLOW, A_TIME))
def test_many(first):
    found = [f"{asked}: {difference}" for asked, difference in map(draw, range(first, first + A_TIME)) if difference]
    assert not found, "\n".join(found)


if __name__ == "__main__":
    for k in range(int(sys.argv[1]), int(sys.argv[2])):
        began = time.process_time()
        try:
            what, wrong = draw(k)
        except Exception as error:  # every kind of failure is what this looks for
            what, wrong = f"draw {k}", f"{type(error).__name__}: {error}"
        spent = time.process_time() - began
        if wrong or spent > 10:
            print(f"{what} [{spent:.1f} s]\n    {wrong}", flush=True)
