"""Every rule that takes constrained games evaluates the field at feasible points alone, and returns one."""

from __future__ import annotations

import numpy as np
import pytest

import gandyn as gd
from catalogue import RULES, label, rule, with_steps
from gandyn.errors import GandynError

GAMES = {
    "box": lambda: gd.games.boxed_bilinear(),
    "simplices": lambda: gd.games.matrix_game(((3, -1), (-2, 1))),
}


def accepted(case) -> bool:
    try:
        for game in BUILT:
            rule(case).check(game)
    except GandynError:
        return False
    return True


BUILT = [build() for build in GAMES.values()]
CASES = [case for case in RULES if accepted(case)]


def visited(case, game) -> list[np.ndarray]:
    """Points at which the field is asked for, and where four long steps end."""
    long, points, field = with_steps(rule(case), 3.0), [], game.field

    def recorded(w, *arguments, **options):
        points.append(np.array(w))
        return field(w, *arguments, **options)

    game.field = recorded
    w = game.project(np.array([0.9, -0.3, 0.4, 0.7][: game.dim]))
    state = long.init(game, w, np.random.default_rng(0))
    for k in range(4):
        w, state, _ = long.step(game, w, state, np.random.default_rng(k))
        points.append(np.array(w))
    return [p for p in points if p.shape == w.shape]


@pytest.mark.parametrize("name", GAMES)
@pytest.mark.parametrize("case", CASES, ids=label)
def test_steps_stay_feasible(case, name):
    game = GAMES[name]()
    for point in visited(case, game):
        wrong = "asks for the field at, or returns, a point that is not feasible: project it with game.project, or "
        wrong += "declare domain = Domain(unconstrained=True)"
        np.testing.assert_allclose(point, game.project(point), atol=1e-12, err_msg=f"{case[0]} {wrong}")


def test_without_the_projection_most_of_these_steps_leave():
    """The test above is about something: long steps do leave where nobody projects."""
    left = 0
    for case in CASES:
        game = GAMES["box"]()
        project, game.project = game.project, lambda w: w
        left += any(np.abs(p - project(p)).max() > 1e-3 for p in visited(case, game))
    assert len(CASES) > 20
    assert left > 0.9 * len(CASES)
